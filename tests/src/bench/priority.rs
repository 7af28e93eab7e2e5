//! `priority`: orange cases on a line of 256 kbit/s that bulk fills.
//!
//! Nothing of the product sends bulk upward yet: what fills the line is bundles of a later version's kind, as large as one
//! may be, on the lane that is for attachments. Two nodes run in this process; the line between them is a relay that lets
//! 32,000 bytes a second pass, both ways together, and loses what would wait longer than half a second.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use casework::{Actor, Intake, Role};
use protocol::id::{BundleId, CaseId, MessageId, NodeId};
use protocol::wire::bundle::{Message, Urgency};
use protocol::wire::frame::Lane;
use protocol::wire::kind::Kind;
use protocol::wire::limits::BODY_BYTES_MAX;
use tokio::sync::broadcast::error::RecvError;
use wuji::clock::{Clock, random_bytes};
use wuji::demo::percentile;
use wuji::folder::Folder;
use wuji::node::{Plan, Running, found, give_token, join};

use super::child::Child;
use super::outbox::{Outbox, opened};
use super::{Failure, Results};
use crate::line::{CITY, COUNTY, GRID, PATH, case_id, report};
use crate::relay::Relay;

/// What the line carries.
const BYTES_A_SECOND: u64 = 32_000;
/// What fills it.
const BULK_BYTES: usize = 6_000_000;
/// Cases before and during the bulk.
const CASES: [usize; 2] = [30, 110];
/// One case after so long.
const EVERY: Duration = Duration::from_millis(1_500);
/// Most seconds from the call at the child to the commit at the parent, for 99 of 100.
const REACH_S: f64 = 3.0;
/// A case that is not there by then is not waited for.
const ARRIVES: Duration = Duration::from_secs(60);

/// Measures the empty line first, then the full one.
pub async fn measure(root: &Path, results: &mut Results) -> Result<(), Failure> {
    let city_folder = Folder::new(root.join("priority-city"));
    let county_folder = Folder::new(root.join("priority-county"));
    let link = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let relay = Relay::before(link).await?;
    found(&city_folder, &plan(PATH[CITY], link, relay.address)?).await?;
    let city = Running::start(city_folder.clone()).await?;
    let own = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let below = plan(PATH[COUNTY], own, own)?;
    let token = give_token(&city_folder, below.division, 3_600_000).await?;
    join(&county_folder, &below, &token).await?;
    let county = up(&county_folder).await?;
    relay.narrow(BYTES_A_SECOND);
    let empty = cases(&county, &city, CASES[0]).await?;
    county.stop().await?;

    let bulk = fill(&county_folder, city.config.node.id).await?;
    let county = up(&county_folder).await?;
    let full = cases(&county, &city, CASES[1]).await?;
    let mut seen = opened(&city_folder).await?;
    let through = bulk.len() - seen.unseen(&bulk).await?.len();
    if through == 0 || through == bulk.len() {
        return Err(format!("{through} of {} bundles of bulk are through: the line was not full", bulk.len()).into());
    }
    let slowest = percentile(&full, 1.0);
    results.at_most("priority_orange_beside_later_bulk_p99", percentile(&full, 0.99), "s", REACH_S)?;
    let (name, half) = ("priority_orange_beside_later_bulk_p50", percentile(&empty, 0.5));
    results.line(name, percentile(&full, 0.5), "s", "p50 on the same line when it is empty, s", half)?;
    results.line("priority_orange_on_an_empty_line_p99", percentile(&empty, 0.99), "s", "p50", half)?;
    results.line("priority_orange_slowest", slowest, "s", "reach of p99", REACH_S)?;
    relay.narrow(0);
    county.stop().await?;
    Ok(city.stop().await?)
}

fn plan(division: &str, link: SocketAddr, advertise: SocketAddr) -> Result<Plan, Failure> {
    Ok(Plan {
        division: division.parse()?,
        name: division.to_owned(),
        link,
        advertise: advertise.to_string(),
        http: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        database: None,
    })
}

/// Starts the child and waits for its link.
async fn up(folder: &Folder) -> Result<Running, Failure> {
    let node = Running::start(folder.clone()).await?;
    let began = Instant::now();
    while !node.shared.links().values().any(|link| link.up) {
        if began.elapsed() > ARRIVES {
            return Err("the link does not come up".into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(node)
}

/// Seconds from the call at the child to the commit at the parent, one case after the other in time, in order of length.
async fn cases(county: &Running, city: &Running, count: usize) -> Result<Vec<f64>, Failure> {
    let by = Actor::everywhere("bench", "bench", &[Role::GridWorker]);
    let mut changes = city.shared.changes();
    let (mut filed, mut times) = (BTreeMap::<CaseId, Instant>::new(), Vec::with_capacity(count));
    let mut next = tokio::time::interval(EVERY);
    let mut left = count;
    while times.len() < count {
        tokio::select! {
            _ = next.tick(), if left > 0 => {
                let mut intake = report(&case_id(), 20, "settle_here");
                *intake.get_mut("place").ok_or("a report has a place")? = PATH[GRID].into();
                let intake: Intake = serde_json::from_value(intake)?;
                filed.insert(intake.case, Instant::now());
                county.port.report(intake, by.clone()).await?;
                left -= 1;
            }
            change = changes.recv() => match change {
                Ok(case) => times.extend(filed.remove(&case).map(|filed| filed.elapsed().as_secs_f64())),
                Err(RecvError::Lagged(_)) => return Err("too many cases at once".into()),
                Err(gone) => return Err(gone.into()),
            },
            () = tokio::time::sleep(ARRIVES) => return Err("a case does not arrive".into()),
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// Lays bulk into the outbox of the child, as its writer would have.
async fn fill(folder: &Folder, above: NodeId) -> Result<Vec<BundleId>, Failure> {
    let child = Child::of(folder)?;
    let (mut bundles, mut left) = (Vec::new(), BULK_BYTES);
    while left > 0 {
        let bytes = left.min(BODY_BYTES_MAX);
        left -= bytes;
        let id = MessageId::new(Clock::default().wall(), random_bytes());
        let message = Message { id, kind: Kind(u16::MAX), schema: 1, body: vec![7; bytes] };
        bundles.push(child.seal(above, Urgency::Bulk, true, vec![message])?);
    }
    Outbox::of(folder, above, Lane::Bulk).await?.lay(bundles).await
}
