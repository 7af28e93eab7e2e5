//! `make bench`: what four durable hops cost, beside what a commit and a round trip cost on this machine in the same run.
//!
//! Five nodes of one path run in this process over real QUIC on loopback, each with its own database file. An orange report
//! is filed at the grid and seen when the city has committed it.
//!
//! Words on the command line run some measures alone: `four_hops`, `write`, `facts`, `figures`, `full_city`, and
//! `small_city`, which runs only when it is named. Each keeps its own file, `target/bench/MEASURE.jsonl`, one JSON object a
//! line: `measure`, `value`, `unit`, `reference`, `reference_value`, `ratio`. What is beyond its reach is named at the end;
//! with `--strict` the exit code is then 1.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use casework::{Actor, Intake, Role};
use protocol::id::CaseId;
use serde_json::json;
use wuji::demo::percentile;
use wuji::folder::Folder;
use wuji::node::{Plan, Running, found, give_token, join};
use wuji_tests::bench::{facts, figures, full_city};
use wuji_tests::line::{PATH, case_id, report};
use wuji_tests::postgres::{self, TestDatabase};

const ROUNDS: usize = 300;
const FLOOD: usize = 3_000;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The measures that run when none is named.
const ALL: [&str; 5] = ["full_city", "facts", "figures", "write", "four_hops"];
/// Runs when it is named: `full_city` has it as its reference.
const SMALL_CITY: &str = "small_city";

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    let root = tempfile::tempdir()?;
    let (options, asked): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let asked: Vec<&str> = if asked.is_empty() { ALL.to_vec() } else { asked.iter().map(String::as_str).collect() };
    let known = |name: &&str| ALL.contains(name) || *name == SMALL_CITY;
    if !asked.iter().all(known) || options.iter().any(|option| option != "--strict") {
        return Err(format!("usage: bench [--strict] [{}|{SMALL_CITY}]...", ALL.join("|")).into());
    }
    let mut missed = Vec::new();
    for measure in asked {
        let mut results = Results::open(measure)?;
        match measure {
            "full_city" => a_whole_city(root.path(), &mut results)?,
            SMALL_CITY => a_small_city(root.path(), &mut results)?,
            "facts" => facts_upward(root.path(), &mut results).await?,
            "figures" => questions(root.path(), &mut results).await?,
            "write" => writes(root.path(), &mut results).await?,
            _ => four_hops(root.path(), &mut results).await?,
        }
        missed.append(&mut results.missed);
    }
    missed.iter().for_each(|what| tell(what));
    let failed = !missed.is_empty() && !options.is_empty();
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn writes(root: &Path, results: &mut Results) -> Result<(), Failure> {
    for rate in wuji_tests::bench::write::run(root).await? {
        results.line(&rate.measure, rate.cases, "cases/s", &rate.reference, rate.commits)?;
    }
    Ok(())
}

async fn four_hops(root: &Path, results: &mut Results) -> Result<(), Failure> {
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
    for node in nodes.into_iter().rev() {
        node.stop().await?;
    }
    Ok(())
}

/// Changed facts that are queued at the counties, in bundles of a quiet and of a busy day.
async fn facts_upward(root: &Path, results: &mut Results) -> Result<(), Failure> {
    for together in [100, 10] {
        let folder = root.join(format!("facts-{together}"));
        let arrived = facts::run(&folder, together).await?;
        let measure = format!("facts_{}_in_{}_bundles", arrived.facts, arrived.bundles);
        results.at_most(&measure, arrived.seconds, "s", facts::REACH_S)?;
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

/// Facts to be taken in each second: 600,000 in a minute.
const TAKEN_IN: f64 = 10_000.0;
/// The curve in the documents, from the root of the repository.
const CURVE: &str = "docs/images/figures-growth.svg";

/// Questions over the facts of a year, as they grow, on SQLite and, beside a server, on PostgreSQL.
async fn questions(root: &Path, results: &mut Results) -> Result<(), Failure> {
    let mut points = figures::run("sqlite", &root.join("figures.db").into()).await?;
    let beside_a_server = std::env::var(postgres::SERVER).is_ok();
    if beside_a_server {
        let database = TestDatabase::new();
        points.extend(figures::run("postgres", &wuji::store::Place::Server(database.url.clone())).await?);
    }
    let largest = figures::SIZES.into_iter().max().unwrap_or(0);
    for point in &points {
        let reach = figures::REACH_MS.iter().find(|(name, _)| *name == point.database).map_or(0.0, |(_, ms)| *ms);
        let name = |what: &str| format!("figures_{}_{}_{what}", point.database, point.facts);
        match point.facts >= largest {
            true => results.at_most(&name("p95"), point.p95_ms, "ms", reach)?,
            false => results.line(&name("p95"), point.p95_ms, "ms", "reach at the largest size", reach)?,
        }
        results.line(&name("p50"), point.p50_ms, "ms", "p95", point.p95_ms)?;
        results.line(&name("first"), point.cold_ms, "ms", "p95", point.p95_ms)?;
        #[expect(clippy::cast_precision_loss, reason = "some hundred millions")]
        let bytes_a_case = point.table_bytes as f64 / point.facts as f64;
        results.line(&name("memory"), bytes_a_case, "B/case", "a row with its key", 88.0)?;
        results.at_least(&name("stored"), point.stored_a_second, "facts/s", TAKEN_IN)?;
    }
    if beside_a_server {
        return figures::draw(&points, Path::new(CURVE));
    }
    // Half a curve would replace a whole one that is under version control.
    results.missed.push(format!("not measured: figures on PostgreSQL, so {CURVE} stays; `make bench` has a server"));
    Ok(())
}

const GIB: f64 = 1_073_741_824.0;

/// A whole city in one process, beside one of some two hundred nodes.
fn a_whole_city(root: &Path, results: &mut Results) -> Result<(), Failure> {
    let (small, whole) = (full_city::small(root)?, full_city::whole(root)?);
    both_whole(&small)?;
    of_a_city(&whole, results)?;
    let nodes = format!("full_city_{}_nodes", whole.nodes);
    let (kib, beside) = (whole.resident_a_node / 1024.0, small.resident_a_node / 1024.0);
    let reference = format!("a node among {}, KiB; reach {}:", small.nodes, full_city::GROWTH);
    results.line(&format!("{nodes}_resident_a_node"), kib, "KiB", &reference, beside)?;
    let reach = beside * full_city::GROWTH;
    results.must(kib <= reach, &format!("{nodes}_resident_a_node"), kib, "KiB", reach);
    results.at_most(&format!("{nodes}_idle_cpu"), whole.idle_cpu_percent, "%", full_city::IDLE_CPU_PERCENT)
}

/// The small city alone: in a minute it says whether the measurement works.
fn a_small_city(root: &Path, results: &mut Results) -> Result<(), Failure> {
    of_a_city(&full_city::small(root)?, results)
}

/// Before and after kill -9.
fn both_whole(city: &full_city::City) -> Result<(), Failure> {
    if city.whole && city.back.whole { Ok(()) } else { Err("the count of a city does not come out".into()) }
}

fn of_a_city(city: &full_city::City, results: &mut Results) -> Result<(), Failure> {
    both_whole(city)?;
    let nodes = format!("full_city_{}_nodes", city.nodes);
    results.at_most(&format!("{nodes}_links_up"), city.links_up_s, "s", full_city::LINKS_UP_S)?;
    results.at_most(&format!("{nodes}_door_after_kill"), city.back.door_s, "s", full_city::DOOR_S)?;
    results.at_most(&format!("{nodes}_links_up_after_kill"), city.back.links_up_s, "s", full_city::LINKS_UP_S)?;
    results.at_most(&format!("{nodes}_resident"), city.resident / GIB, "GiB", full_city::RESIDENT_GIB)
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

/// The file of a measure's results, a line for people, and what was not reached.
struct Results {
    file: std::fs::File,
    missed: Vec<String>,
}

impl Results {
    /// Begins the file of one measure anew; those of the others stay.
    fn open(measure: &str) -> Result<Self, Failure> {
        std::fs::create_dir_all("target/bench")?;
        let file = std::fs::File::create(Path::new("target/bench").join(format!("{measure}.jsonl")))?;
        Ok(Self { file, missed: Vec::new() })
    }

    fn line(
        &mut self,
        measure: &str,
        value: f64,
        unit: &str,
        reference: &str,
        reference_value: f64,
    ) -> Result<(), Failure> {
        let ratio = value / reference_value;
        tell(&format!("{measure:<36} {value:>10.2} {unit:<8} {reference} {reference_value:.2}: ratio {ratio:.2}"));
        let line = json!({
            "measure": measure, "value": value, "unit": unit,
            "reference": reference, "reference_value": reference_value, "ratio": ratio,
        });
        writeln!(self.file, "{line}")?;
        Ok(())
    }

    fn at_most(&mut self, measure: &str, value: f64, unit: &str, reach: f64) -> Result<(), Failure> {
        self.must(value <= reach, measure, value, unit, reach);
        self.line(measure, value, unit, "reach", reach)
    }

    fn at_least(&mut self, measure: &str, value: f64, unit: &str, reach: f64) -> Result<(), Failure> {
        self.must(value >= reach, measure, value, unit, reach);
        self.line(measure, value, unit, "reach, at least", reach)
    }

    fn must(&mut self, reached: bool, measure: &str, value: f64, unit: &str, reach: f64) {
        if !reached {
            self.missed.push(format!("not reached: {measure} is {value:.2} {unit}, its reach {reach:.2}"));
        }
    }
}

#[expect(clippy::print_stdout, reason = "the figures of a benchmark belong on standard output")]
fn tell(line: &str) {
    println!("{line}");
}
