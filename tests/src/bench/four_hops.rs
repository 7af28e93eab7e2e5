//! `four_hops`: what four durable hops cost, beside what a commit and a round trip cost on this machine in the same run.
//!
//! Five nodes of one path run in this process over real QUIC on loopback, each with its own database file. An orange report
//! is filed at the grid and seen when the city has committed it.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use casework::{Actor, Intake, Role};
use protocol::id::CaseId;
use wuji::demo::percentile;
use wuji::folder::Folder;
use wuji::node::{Plan, Running, found, give_token, join};

use super::{Failure, Results, events};
use crate::line::{PATH, case_id, report};

const ROUNDS: usize = 300;
const FLOOD: usize = 3_000;
/// Events a second that five nodes on two cores are to carry.
const EVENTS_A_SECOND: f64 = 15_000.0;
const CORES: f64 = 2.0;

/// Measures one case at a time, and many at once.
pub async fn measure(root: &Path, results: &mut Results) -> Result<(), Failure> {
    let commit_ms = commits(root).await?;
    let round_trip_ms = round_trips().await?;
    results.line("commit", commit_ms, "ms", "UDP round trips of 600 bytes", round_trip_ms)?;
    let nodes = raise(root).await?;
    let (grid, city) = (&nodes[PATH.len() - 1], &nodes[0]);

    let latencies = one_by_one(grid, city).await?;
    let (floor, floor_ms) = ("five single-row commits and four round trips", 5.0 * commit_ms + 4.0 * round_trip_ms);
    results.line("four_hop_latency_p50", percentile(&latencies, 0.5), "ms", floor, floor_ms)?;
    results.line("four_hop_latency_p99", percentile(&latencies, 0.99), "ms", floor, floor_ms)?;

    let commits_per_s = 1_000.0 / commit_ms;
    for at_once in [1, 64] {
        let rate = flood(grid, city, at_once).await?;
        let measure = format!("four_hop_throughput_bundles_of_{at_once}");
        results.line(&measure, rate, "cases/s", "single-row commits/s", commits_per_s)?;
    }
    for (at_once, events_a_case) in [(512, 60), (64, 200), (1, 200)] {
        let cases = events::open(grid, city, at_once).await?;
        let arrived = events::run(grid, city, &cases, events_a_case).await?;
        let measure = format!("four_hop_events_of_{at_once}_at_once");
        results.line(&measure, arrived.events / arrived.seconds, "events/s", "single-row commits/s", commits_per_s)?;
        let (name, reach) = ("two cores at 15,000 events/s", CORES * 1e6 / EVENTS_A_SECOND);
        results.line(&format!("{measure}_cpu"), arrived.cpu_us, "us", name, reach)?;
    }
    for node in nodes.into_iter().rev() {
        node.stop().await?;
    }
    Ok(())
}

/// Milliseconds of a single-row commit through the product's own settings on an empty file in the same folder.
async fn commits(root: &Path) -> Result<f64, Failure> {
    const COMMITS: u32 = 1_000;
    let id = protocol::id::NodeId::from_bytes([9; 16]);
    let (_, mut store) = wuji::store::open(&root.join("commits.db").into(), id).await?;
    let began = Instant::now();
    for n in 0..COMMITS {
        store.begin().await?;
        store.set_meta(&format!("row {n}"), "x").await?;
        store.commit().await?;
    }
    Ok(began.elapsed().as_secs_f64() * 1_000.0 / f64::from(COMMITS))
}

/// Milliseconds of a round trip of 600 bytes over UDP on loopback, the median.
async fn round_trips() -> Result<f64, Failure> {
    const TRIPS: usize = 1_000;
    let any = (Ipv4Addr::LOCALHOST, 0);
    let (near, far) = (tokio::net::UdpSocket::bind(any).await?, tokio::net::UdpSocket::bind(any).await?);
    near.connect(far.local_addr()?).await?;
    far.connect(near.local_addr()?).await?;
    let echo = tokio::spawn(async move {
        let mut buffer = [0; 1_500];
        while let Ok(length) = far.recv(&mut buffer).await {
            if far.send(&buffer[..length]).await.is_err() {
                return;
            }
        }
    });
    let (mut times, mut buffer) = (Vec::with_capacity(TRIPS), [0; 1_500]);
    for _ in 0..TRIPS {
        let began = Instant::now();
        near.send(&[7; 600]).await?;
        near.recv(&mut buffer).await?;
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    echo.abort();
    times.sort_by(f64::total_cmp);
    Ok(percentile(&times, 0.5))
}

async fn raise(root: &Path) -> Result<Vec<Running>, Failure> {
    let mut nodes: Vec<Running> = Vec::new();
    for (index, division) in PATH.iter().enumerate() {
        let link = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let plan = Plan {
            division: division.parse()?,
            name: (*division).to_owned(),
            link,
            advertise: link.to_string(),
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            database: None,
        };
        let folder = Folder::new(root.join(division));
        match nodes.last() {
            None => found(&folder, &plan).await?,
            Some(above) => {
                let token = give_token(&above.folder, plan.division, 3_600_000).await?;
                join(&folder, &plan, &token).await?
            }
        };
        let node = Running::start(folder).await?;
        let began = Instant::now();
        while index > 0 && !node.shared.links().values().any(|link| link.up) {
            if began.elapsed() > Duration::from_secs(30) {
                return Err(format!("the link of {division} does not come up").into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        nodes.push(node);
    }
    Ok(nodes)
}

fn actor() -> Result<Actor, Failure> {
    Ok(Actor::everywhere("bench", "bench", &[Role::GridWorker]))
}

fn intake() -> Result<Intake, Failure> {
    Ok(serde_json::from_value(report(&case_id(), 20, "settle_here"))?)
}

/// Milliseconds from the call at the grid to the commit at the city, one case at a time, in order.
async fn one_by_one(grid: &Running, city: &Running) -> Result<Vec<f64>, Failure> {
    let mut changes = city.shared.changes();
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let intake = intake()?;
        let case: CaseId = intake.case;
        let began = Instant::now();
        grid.port.report(intake, actor()?).await?;
        while changes.recv().await? != case {}
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// Cases a second at the city while the grid files so many at once.
async fn flood(grid: &Running, city: &Running, at_once: usize) -> Result<f64, Failure> {
    let mut changes = city.shared.changes();
    let count = if at_once == 1 { FLOOD / 10 } else { FLOOD };
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for part in 0..at_once {
        let port = grid.port.clone();
        let share = count / at_once + usize::from(part < count % at_once);
        tasks.spawn(async move {
            for _ in 0..share {
                port.report(intake()?, actor()?).await?;
            }
            Ok::<(), Failure>(())
        });
    }
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < count {
        match tokio::time::timeout(Duration::from_secs(60), changes.recv()).await? {
            Ok(case) => {
                seen.insert(case);
            }
            Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                seen = city.store.all_standings().await?.into_keys().collect();
                let before = ROUNDS + if at_once == 1 { 0 } else { FLOOD / 10 };
                if seen.len() >= before + count {
                    break;
                }
            }
            Err(gone) => return Err(gone.into()),
        }
    }
    let elapsed = began.elapsed().as_secs_f64();
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand cases")]
    Ok(count as f64 / elapsed)
}
