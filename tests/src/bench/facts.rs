//! Changed facts of many origins, queued at the counties as after a cut above them, on their way to the city.
//!
//! City and counties are real nodes in this process over real QUIC, each with its own database file. The origins are
//! simulated: each has its own key and its entry in the directory, and signs what it would have sent while its county was cut
//! off from the city. What it sent lies in the outbox of its county, numbered, as the county's writer would have left it.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use federation::trust::{Authority, NodeKeys};
use protocol::chain::Hash;
use protocol::digest::SetDigest;
use protocol::directory::SignedEntry;
use protocol::fact::Watermark;
use protocol::id::{BundleId, MessageId, NodeId, TokenId};
use protocol::time::{ClockReading, UnixMillis};
use protocol::wire::bundle::{Bundle, BundleHead, Message, Urgency};
use protocol::wire::control::Position;
use protocol::wire::frame::Lane;
use protocol::wire::kind::Body;
use wuji::folder::Folder;
use wuji::node::{Plan, Running, found, give_token, join};
use wuji::store::link::{KeepBundle, OutboxRow};
use wuji::store::trust::Route;
use wuji::store::{self, WriteStore};

use super::made::{fact, grid};
use super::{Failure, Results};
use crate::draw::Draw;

const CITY: &str = "330600000000";
const COUNTIES: usize = 6;
/// Origins, and what each has changed.
const ORIGINS: usize = 6_000;
/// Facts of one origin.
const FACTS_EACH: usize = 100;
/// Most seconds for all of them.
const REACH_S: f64 = 60.0;
const TIME_MAX: Duration = Duration::from_secs(400);
/// A moment after the year of the facts.
const NOW: i64 = 20_900 * 86_400_000;

/// What came of it.
struct Arrived {
    /// Facts that were queued.
    facts: usize,
    /// Bundles in which they were.
    bundles: usize,
    /// Seconds until the city held all of them and found every digest equal.
    seconds: f64,
}

struct Origin {
    node: NodeId,
    digest: Hash,
}

/// Changed facts that are queued at the counties, in bundles of a quiet and of a busy day.
pub async fn measure(root: &Path, results: &mut Results) -> Result<(), Failure> {
    for together in [100, 10] {
        let folder = root.join(format!("facts-{together}"));
        let arrived = run(&folder, together).await?;
        let measure = format!("facts_{}_in_{}_bundles", arrived.facts, arrived.bundles);
        results.at_most(&measure, arrived.seconds, "s", REACH_S)?;
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

/// Queues and sends. `together` facts are in one bundle, each bundle ends with a watermark.
async fn run(root: &Path, together: usize) -> Result<Arrived, Failure> {
    let folders = raise(root).await?;
    let city = Folder::new(folders[0].path().to_owned());
    let mut authority = Authority::load(&city.authority())?;
    // Behind the serials of the nodes that have joined.
    authority.resume_after(1_000);
    let mut seed = Draw(42);
    let mut origins = Vec::new();
    let mut bundles = 0;
    for at in 0..COUNTIES {
        let made = queue(&folders, at, together, &mut authority, &mut seed).await?;
        bundles += made.1;
        origins.extend(made.0);
    }
    let city = Running::start(city).await?;
    let mut counties = Vec::new();
    let began = Instant::now();
    for folder in &folders[1..] {
        counties.push(Running::start(Folder::new(folder.path().to_owned())).await?);
    }
    let facts = ORIGINS * FACTS_EACH;
    loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let members = city.store.members(CITY.parse()?).await?;
        let whole = members.iter().filter(|m| m.received_at.is_some() && m.unequal_since.is_none()).count();
        if whole >= ORIGINS && city.store.facts_held().await? == facts as u64 {
            break;
        }
        if began.elapsed() > TIME_MAX {
            let held = city.store.facts_held().await?;
            return Err(
                format!("after {TIME_MAX:?} the city has {held} of {facts} facts, {whole} of {ORIGINS} whole").into()
            );
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let id = city.config.node.id;
    for node in counties {
        node.stop().await?;
    }
    city.stop().await?;
    // Counted anew from the rows, and against what each origin signed.
    let (_, mut write) = store::open(&folders[0].database().into(), id).await?;
    for origin in &origins {
        if write.figure_set(origin.node).await?.hash() != origin.digest {
            return Err(format!("the digest of {} is not what it signed", origin.node).into());
        }
    }
    Ok(Arrived { facts, bundles, seconds })
}

/// City and counties, joined and stopped again.
async fn raise(root: &Path) -> Result<Vec<Folder>, Failure> {
    let mut folders: Vec<Folder> = Vec::new();
    let mut running = Vec::new();
    for at in 0..=COUNTIES {
        let link = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let division = if at == 0 { CITY.to_owned() } else { format!("33060{}000000", at + 1) };
        let plan = Plan {
            division: division.parse()?,
            name: division.clone(),
            link,
            advertise: link.to_string(),
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            database: None,
        };
        let folder = Folder::new(root.join(&division));
        match folders.first() {
            None => {
                found(&folder, &plan).await?;
                running.push(Running::start(Folder::new(folder.path().to_owned())).await?);
            }
            Some(city) => {
                let token = give_token(city, plan.division, 3_600_000).await?;
                join(&folder, &plan, &token).await?;
                let node = Running::start(Folder::new(folder.path().to_owned())).await?;
                let began = Instant::now();
                while !node.shared.links().values().any(|link| link.up) {
                    if began.elapsed() > Duration::from_secs(30) {
                        return Err(format!("the link of {division} does not come up").into());
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                running.push(node);
            }
        }
        folders.push(folder);
    }
    for node in running.into_iter().rev() {
        node.stop().await?;
    }
    Ok(folders)
}

async fn opened(folder: &Folder) -> Result<(NodeId, WriteStore), Failure> {
    let id = wuji::config::Config::load(folder.path())?.node.id;
    let (_, write) = store::open(&folder.database().into(), id).await?;
    Ok((id, write))
}

/// Makes the origins of one county and lays what they sent into its outbox. The origins, and how many bundles.
async fn queue(
    folders: &[Folder],
    at: usize,
    together: usize,
    authority: &mut Authority,
    seed: &mut Draw,
) -> Result<(Vec<Origin>, usize), Failure> {
    let (city_id, mut city) = opened(&folders[0]).await?;
    let (county_id, mut county) = opened(&folders[at + 1]).await?;
    let mut links = county.links().await?;
    let (_, link) = links.iter_mut().find(|(peer, _)| *peer == city_id).ok_or("no link to the city")?;
    let mut lanes = std::mem::take(&mut link.3).into_vec();
    // Cases, statistics, bulk.
    let lane = lanes.get_mut(1).ok_or("no lane of statistics")?;
    let (mut origins, mut count) = (Vec::new(), 0);
    county.begin().await?;
    city.begin().await?;
    for number in 0..ORIGINS / COUNTIES {
        let place = grid((number * COUNTIES + at) as u64);
        let node = NodeId::new(UnixMillis(NOW), number_bytes(at, number));
        let keys = NodeKeys::generate()?;
        let request = keys.join_request(TokenId::from_bytes([0; 16]), node, place)?;
        let entry: SignedEntry = authority.issue(&request, Some(county_id), UnixMillis(NOW))?.entry;
        for (store, via) in [(&mut city, county_id), (&mut county, node)] {
            store.put_entry(&entry).await?;
            store.put_route(Route { member: node, via, division: place }).await?;
        }
        let mut digest = SetDigest::default();
        let (mut keep, mut rows) = (Vec::new(), Vec::new());
        let facts: Vec<_> = (0..FACTS_EACH).map(|_| fact(seed, place, node)).collect();
        for (version, part) in (1..).zip(facts.chunks(together)) {
            part.iter().for_each(|fact| digest.add_fact(fact));
            let mark = Watermark {
                node,
                version,
                as_of: ClockReading::exact(UnixMillis(NOW)),
                facts: digest.facts(),
                tallies: 0,
                digest: digest.hash(),
            };
            let bodies = part.iter().cloned().map(Body::Fact).chain([Body::Watermark(mark)]);
            let bundle = seal(&keys, node, city_id, bodies.collect(), seed)?;
            lane.1 = Position { seq: lane.1.seq.next(), hash: lane.1.hash.chain(bundle.bytes()) };
            let (seq, hash, id) = (lane.1.seq, lane.1.hash, bundle.head().id);
            rows.push(OutboxRow { peer: city_id, lane: Lane::Statistics, seq, hash, bundle: id });
            keep.push(KeepBundle { bundle, via: Some(node), done: false });
        }
        count += keep.len();
        county.keep_bundles(&keep, UnixMillis(NOW)).await?;
        county.put_outbox(&rows).await?;
        origins.push(Origin { node, digest: digest.hash() });
    }
    link.3 = protocol::bounded::List::new(lanes)?;
    for (peer, state) in &links {
        county.put_link(*peer, state).await?;
    }
    county.commit().await?;
    city.commit().await?;
    Ok((origins, count))
}

fn number_bytes(at: usize, number: usize) -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[..4].copy_from_slice(&u32::try_from(at * ORIGINS + number).unwrap_or(0).to_be_bytes());
    bytes
}

fn seal(keys: &NodeKeys, origin: NodeId, to: NodeId, bodies: Vec<Body>, seed: &mut Draw) -> Result<Bundle, Failure> {
    let mut random = || {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&seed.below(u64::MAX).to_be_bytes());
        bytes
    };
    let mut messages = Vec::with_capacity(bodies.len());
    for body in bodies {
        let (kind, schema) = body.kind();
        messages.push(Message { id: MessageId::new(UnixMillis(NOW), random()), kind, schema, body: body.encode()? });
    }
    let head = BundleHead {
        id: BundleId::new(UnixMillis(NOW), random()),
        origin,
        key: keys.signing_key().id(),
        to,
        urgency: Urgency::Statistics,
        receipted: true,
    };
    Ok(Bundle::seal(head, messages, |bytes| keys.sign(bytes))?)
}
