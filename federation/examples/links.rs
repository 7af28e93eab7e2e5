//! What links cost: N children behind one host, each with a link to a parent on another host, all in this process.
//!
//! `cargo run --release -p federation --example links -- 1000 [seconds of idleness] [keep-alive in ms]` prints how long it
//! took to open them, resident memory for each link with both its ends, and what they need of a core while nothing is
//! said. A keep-alive of some 100 ms ages the links: in a minute they have as many packets behind them as in hours.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use federation::driver::{Endpoint, Event, Host, HostSettings, Parent, Setup};
use federation::trust::tls::Chain;
use federation::trust::{Authority, Directory, NodeKeys, Registry};
use protocol::id::{NodeId, TokenId};
use protocol::time::UnixMillis;
use tokio::sync::mpsc;

type Failure = Box<dyn std::error::Error>;

/// Children of one parent: as in a city, where a township has some dozen.
const CHILDREN: usize = 50;
/// Dials at once.
const DIALS: usize = 64;
/// Events that a node of a pack lets wait.
const EVENTS_MAX: usize = 64;

struct Member {
    node: NodeId,
    keys: Arc<NodeKeys>,
    chain: Chain,
}

/// Issues certificates to nodes numbered from 0.
struct City {
    authority: Authority,
    now: UnixMillis,
    made: u32,
}

impl City {
    fn member(&mut self, parent: Option<NodeId>) -> Result<Member, Failure> {
        let mut id = [0; 16];
        id[12..].copy_from_slice(&self.made.to_be_bytes());
        self.made += 1;
        let (node, keys) = (NodeId::from_bytes(id), Arc::new(NodeKeys::generate()?));
        let request = keys.join_request(TokenId::from_bytes([0; 16]), node, "330602001000".parse()?)?;
        let chain = Chain::of(&self.authority.issue(&request, parent, self.now)?)?;
        Ok(Member { node, keys, chain })
    }
}

fn setup(member: &Member, directory: &Directory, parent: Option<Parent>) -> Setup {
    Setup {
        node: member.node,
        keys: member.keys.clone(),
        chain: member.chain.clone(),
        roots: Vec::new(),
        directory: directory.clone(),
        registry: Registry::new(),
        parent,
        events_max: EVENTS_MAX,
    }
}

/// A figure of this process: bytes resident, or ticks of a processor used.
fn resident() -> Result<f64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
}

fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no command name")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    // The kernel's unit for programs, 100 a second everywhere that this runs.
    Ok(ticks / 100.0)
}

struct Pack {
    host: Host,
    nodes: Vec<(Endpoint, mpsc::Receiver<Event>)>,
}

/// Opens parents on one host and their children on another.
fn packs(links: usize, settings: HostSettings, city: &mut City, directory: &Directory) -> Result<[Pack; 2], Failure> {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut above = Pack { host: Host::bind(loopback, settings.clone())?, nodes: Vec::new() };
    let mut below = Pack { host: Host::bind(loopback, settings)?, nodes: Vec::new() };
    let address = above.host.local_addr()?.to_string();
    for first in (0..links).step_by(CHILDREN) {
        let parent = city.member(None)?;
        let parent_setup = setup(&parent, directory, None);
        for _ in first..links.min(first + CHILDREN) {
            let child = city.member(Some(parent.node))?;
            parent_setup.registry.admit(child.keys.tls_spki_sha256(), child.node);
            let up = Parent {
                node: parent.node,
                address: address.clone(),
                spki: None,
                transport: federation::driver::Transport::Quic,
            };
            below.nodes.push(below.host.open(setup(&child, directory, Some(up)))?);
        }
        above.nodes.push(above.host.open(parent_setup)?);
    }
    Ok([above, below])
}

/// Dials, some at once, until every child has its link.
async fn open(below: &mut Pack) -> Result<u32, Failure> {
    let mut again = 0;
    for some in below.nodes.chunks_mut(DIALS) {
        some.iter().for_each(|(endpoint, _)| endpoint.dial());
        for (endpoint, events) in some {
            loop {
                match events.recv().await.ok_or("the node ended")? {
                    Event::Opened { .. } => break,
                    Event::DialFailed { .. } => {
                        again += 1;
                        endpoint.dial();
                    }
                    other => return Err(format!("{other:?}").into()),
                }
            }
        }
    }
    Ok(again)
}

async fn accepted(above: &mut Pack, links: usize) -> Result<(), Failure> {
    let mut opened = 0;
    for (_, events) in &mut above.nodes {
        for _ in 0..CHILDREN.min(links - opened) {
            match events.recv().await.ok_or("the node ended")? {
                Event::Opened { .. } => opened += 1,
                other => return Err(format!("{other:?}").into()),
            }
        }
    }
    Ok(())
}

#[tokio::main]
#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement is taken and printed")]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let links: usize = arguments.next().ok_or("how many links?")?.parse()?;
    let idle = Duration::from_secs(arguments.next().map_or(Ok(60), |text| text.parse())?);
    let mut settings = HostSettings::default();
    if let Some(text) = arguments.next() {
        settings.keep_alive = Duration::from_millis(text.parse()?);
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let now = UnixMillis(i64::try_from(now.as_millis())?);
    let mut city = City { authority: Authority::found("links", now)?, now, made: 0 };
    let directory = Directory::new(city.authority.authority_key());

    let empty = resident()?;
    let [mut above, mut below] = packs(links, settings, &mut city, &directory)?;
    above.host.warnings().iter().for_each(|warning| println!("{warning}"));
    let before = resident()?;
    let (began, cpu) = (Instant::now(), cpu_seconds()?);
    let again = open(&mut below).await?;
    accepted(&mut above, links).await?;
    let (took, cpu_open) = (began.elapsed(), cpu_seconds()? - cpu);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = resident()?;
    let count = f64::from(u32::try_from(links)?);
    println!(
        "{links} links open after {:.2} s, {:.0} us of a core each, {again} dialled again",
        took.as_secs_f64(),
        cpu_open / count * 1e6
    );
    println!(
        "a link with both ends: {:.1} KB; a node without links: {:.1} KB; resident {:.0} MB",
        (after - before) / count / 1e3,
        (before - empty) / count / 1e3,
        after / 1e6
    );
    let (began, cpu) = (Instant::now(), cpu_seconds()?);
    tokio::time::sleep(idle).await;
    let share = (cpu_seconds()? - cpu) / began.elapsed().as_secs_f64();
    println!(
        "idle for {} s: {:.2} % of a core; a link then has {:.1} KB",
        idle.as_secs(),
        share * 100.0,
        (resident()? - before) / count / 1e3
    );
    below.host.shutdown().await;
    above.host.shutdown().await;
    Ok(())
}
