//! `drain`: what a child has stored while its line was cut, on its way to the parent once the line is healed.
//!
//! Parent and child are processes of their own over real QUIC, each with its database file; each verifies and commits as
//! ever. The line is cut by a rule of the kernel's firewall, in a network of this measure's own, and costs nothing when it
//! is healed.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use casework::InForce;
use protocol::directory::Ancestor;
use protocol::id::{BundleId, MessageId};
use protocol::wire::bundle::{Bundle, Message, Urgency};
use protocol::wire::frame::Lane;
use protocol::wire::kind::Kind;
use wuji::clock::{Clock, random_bytes};
use wuji::folder::Folder;
use wuji::store::WriteStore;

use super::child::Child;
use super::curve::{self, Chart, Line};
use super::outbox::{Outbox, opened};
use super::{Failure, Results, cost};
use crate::line::{CITY, COUNTY, HEALED, PATH, parent_up};
use crate::process::{Node, within};

/// Backlogs, in events.
const SIZES: [usize; 2] = [10_000, 100_000];
/// The backlog that the reaches are for.
const REACHED: usize = 100_000;
/// The longest backlog.
const LONG: usize = 1_000_000;
/// Events of one bundle.
const TOGETHER: usize = 64;
/// Bundles that are laid into the outbox in one transaction.
const AT_ONCE: usize = 32;
/// Bytes of one event.
const EVENT_BYTES: usize = 600;
/// Events a second.
const RATE: f64 = 30_000.0;
/// Most seconds from the link coming up until the first is durable.
const FIRST_S: f64 = 1.0;
/// How long the child dials in vain.
const CUT: Duration = Duration::from_secs(5);
/// A backlog that is not through by then is not waited for.
const THROUGH_MAX: Duration = Duration::from_secs(900);

/// The curves in the documents.
pub const CHART: Chart = Chart {
    title: "A backlog over one hop: events a second, by its length",
    picture: "docs/images/drain-growth.svg",
    lines: &[Line {
        label: "events a second, each of 600 bytes",
        measures: &["drain", "drain_long"],
        named: ("drain_", "_rate"),
        colour: "#1b6ca8",
        dashed: false,
    }],
};

/// What the backlog is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// A kind of a later version, which the parent keeps as it came: what the link itself costs.
    Opaque,
    /// The header of a new red case, which the parent files in its mirror.
    Header,
}

/// Measures at each size.
pub async fn measure(root: &Path, results: &mut Results) -> Result<(), Failure> {
    for size in SIZES {
        one(root, size, Event::Opaque, results).await?;
    }
    one(root, SIZES[0], Event::Header, results).await?;
    curve::draw(&CHART)?;
    Ok(())
}

/// Measures the longest backlog alone.
pub async fn measure_long(root: &Path, results: &mut Results) -> Result<(), Failure> {
    one(root, LONG, Event::Opaque, results).await?;
    curve::draw(&CHART)?;
    Ok(())
}

async fn one(root: &Path, events: usize, event: Event, results: &mut Results) -> Result<(), Failure> {
    let root = root.join(format!("drain-{events}-{event:?}"));
    std::fs::create_dir_all(&root)?;
    let (mut city, mut county) = raise(&root).await?;
    let backlog = fill(&city, &county, events, event).await?;
    let mut seen = opened(&Folder::new(&city.folder)).await?;
    cut(city.link.port())?;
    start(&mut city).await;
    start(&mut county).await;
    tokio::time::sleep(CUT).await;
    if parent_up(&county).await != Some(false) {
        return Err("the line is not cut".into());
    }
    let before = (cost::cpu(city.process())?, cost::cpu(county.process())?);
    let healed = Instant::now();
    heal()?;
    within(HEALED, "the link does not come up", async || parent_up(&county).await.filter(|up| *up)).await;
    let up = Instant::now();
    durable(&mut seen, backlog.first, Duration::from_millis(2)).await?;
    let first = Instant::now();
    durable(&mut seen, backlog.last, Duration::from_millis(20)).await?;
    let (drained, cpu) = (first.elapsed(), (cost::cpu(city.process())?, cost::cpu(county.process())?));
    if !seen.unseen(&backlog.ids).await?.is_empty() {
        return Err("the city lacks some of the backlog".into());
    }
    let (a_second, name) = (rate(events, drained), |what: &str| {
        let kind = if event == Event::Header { "headers_" } else { "" };
        format!("drain_{events}_{kind}{what}")
    });
    if events == REACHED && event == Event::Opaque {
        results.at_least(&name("rate"), a_second, "events/s", RATE)?;
        results.at_most(&name("first"), first.duration_since(up).as_secs_f64(), "s", FIRST_S)?;
    } else {
        results.line(&name("rate"), a_second, "events/s", "reach of 100,000 opaque ones", RATE)?;
        results.line(&name("first"), first.duration_since(up).as_secs_f64(), "s", "reach", FIRST_S)?;
    }
    results.line(&name("up"), up.duration_since(healed).as_secs_f64(), "s", "longest wait between dials, s", 1.0)?;
    results.line(&name("event"), backlog.bytes_an_event, "B", "body, B", EVENT_BYTES as f64)?;
    let each = |at: Duration, from: Duration| (at - from).as_secs_f64() * 1e6 / events as f64;
    let (above, below) = (each(cpu.0, before.0), each(cpu.1, before.1));
    results.line(&name("cpu_of_parent"), above, "us/event", "of the child", below)?;
    drop((city, county));
    Ok(std::fs::remove_dir_all(root)?)
}

#[expect(clippy::cast_precision_loss, reason = "a million at most")]
fn rate(events: usize, time: Duration) -> f64 {
    events as f64 / time.as_secs_f64()
}

/// City and county, joined, their link once up, both stopped again.
async fn raise(root: &Path) -> Result<(Node, Node), Failure> {
    let mut city = Node::found(root, PATH[CITY]);
    start(&mut city).await;
    let mut county = Node::join(root, PATH[COUNTY], &city, city.link);
    start(&mut county).await;
    within(HEALED, "the link does not come up", async || parent_up(&county).await.filter(|up| *up)).await;
    for node in [&mut county, &mut city] {
        node.signal("TERM");
        node.ended(HEALED).await;
    }
    Ok((city, county))
}

/// Quiet, and dialling every second or oftener.
async fn start(node: &mut Node) {
    let environment = [("WUJI_LOG", "warn"), ("WUJI__LINK__RETRY_MIN_MS", "100"), ("WUJI__LINK__RETRY_MAX_MS", "1000")];
    node.start_in(&[], &environment);
    node.answers().await;
}

struct Backlog {
    ids: Vec<BundleId>,
    first: BundleId,
    last: BundleId,
    bytes_an_event: f64,
}

/// Lays events into the outbox of the child, as its writer would have.
async fn fill(city: &Node, county: &Node, events: usize, event: Event) -> Result<Backlog, Failure> {
    let (above, child) = (Child::of(&Folder::new(&city.folder))?, Child::of(&Folder::new(&county.folder))?);
    let above = Ancestor { node: above.node, division: above.division };
    let mut outbox = Outbox::of(&Folder::new(&county.folder), above.node, Lane::Cases).await?;
    let (holds, mut ids, mut bytes) = (InForce::shipped(), Vec::new(), 0);
    while ids.len() * TOGETHER < events {
        let mut bundles = Vec::with_capacity(AT_ONCE);
        while bundles.len() < AT_ONCE && (ids.len() + bundles.len()) * TOGETHER < events {
            let count = TOGETHER.min(events - (ids.len() + bundles.len()) * TOGETHER);
            bundles.push(bundle(&child, above, count, event, &holds)?);
        }
        bytes += bundles.iter().map(|bundle| bundle.bytes().len()).sum::<usize>();
        ids.extend(outbox.lay(bundles).await?);
    }
    let (first, last) = (*ids.first().ok_or("no backlog")?, *ids.last().ok_or("no backlog")?);
    #[expect(clippy::cast_precision_loss, reason = "some hundreds of megabytes")]
    let bytes_an_event = bytes as f64 / events as f64;
    Ok(Backlog { ids, first, last, bytes_an_event })
}

fn bundle(child: &Child, above: Ancestor, count: usize, event: Event, holds: &InForce) -> Result<Bundle, Failure> {
    let mut messages = Vec::with_capacity(count);
    for _ in 0..count {
        match event {
            Event::Opaque => messages.push(Message {
                id: MessageId::new(Clock::default().wall(), random_bytes()),
                kind: Kind(u16::MAX),
                schema: 1,
                body: random_bytes::<EVENT_BYTES>().to_vec(),
            }),
            Event::Header => messages.extend(child.headers(above, holds, 5)?),
        }
    }
    child.seal(above.node, Urgency::Red, true, messages)
}

/// Waits until a bundle is durable: another process sees of a database what was committed.
async fn durable(seen: &mut WriteStore, bundle: BundleId, every: Duration) -> Result<(), Failure> {
    let began = Instant::now();
    while seen.known_bundles(&[bundle]).await?.is_empty() {
        seen.rest();
        if began.elapsed() > THROUGH_MAX {
            return Err(format!("the backlog is not through after {THROUGH_MAX:?}").into());
        }
        tokio::time::sleep(every).await;
    }
    seen.rest();
    Ok(())
}

/// Lets nothing through to a port.
fn cut(port: u16) -> Result<(), Failure> {
    nft("add table inet wuji")?;
    nft("add chain inet wuji input { type filter hook input priority 0; }")?;
    nft(&format!("add rule inet wuji input udp dport {port} drop"))
}

fn heal() -> Result<(), Failure> {
    nft("delete table inet wuji")
}

fn nft(words: &str) -> Result<(), Failure> {
    let done = Command::new("nft").arg(words).status()?;
    if done.success() { Ok(()) } else { Err(format!("nft {words}: {done}").into()) }
}
