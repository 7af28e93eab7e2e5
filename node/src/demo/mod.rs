//! `wuji demo`: a small city on one machine, with real nodes, real certificates and real QUIC.

mod city;
mod client;
mod closing;
mod complaints;
mod file;
mod full;
mod options;
mod raise;
mod resources;
mod screen;
mod stories;
mod tree;
pub mod verify;
mod walk;
mod watch;

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use protocol::chain::Hash;
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, random_bytes};
use crate::names::Table;
use crate::store::Store;

pub use self::closing::{Closing, Cost};
pub use self::options::DemoOptions;
pub use self::watch::percentile;

use self::city::City;
use self::screen::Screen;
use crate::divisions::Site;

/// Exit code when something did not arrive in time.
pub const EXIT_WAITING: u8 = 3;
/// Exit code when a count does not come out.
pub const EXIT_NOT_WHOLE: u8 = 4;
/// How long the links may take to come up, in a small city and in a whole one.
const LINKS_UP_MAX: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(180)];
/// Of a file of cases, in a whole city: so many grids report.
const REPORTING_GRIDS: usize = 64;
/// How long a city that has just come up is left alone before it is watched: databases that nobody uses close meanwhile.
const CALM: Duration = Duration::from_secs(40);
/// How long everything may take to arrive once filed.
const SETTLE_MAX: Duration = Duration::from_secs(120);
const MANIFEST: &str = "demo.json";

/// What a demo's folder says of itself, so that the next start and `--verify` find the nodes.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    password: String,
    nodes: Vec<protocol::division::DivisionCode>,
    /// All nodes are one pack.
    #[serde(default)]
    full: bool,
}

/// How the nodes came up.
#[derive(Debug)]
struct Risen {
    links_up_s: f64,
    cost: Option<Cost>,
}

/// Where the nodes of a demo are.
fn root_of(folder: &Path, full: bool) -> PathBuf {
    if full { folder.join("city") } else { folder.to_owned() }
}

/// Runs the demo. The exit code.
pub async fn run(options: DemoOptions) -> anyhow::Result<u8> {
    if let Some(folder) = &options.verify {
        return verify_folder(folder, options.json).await;
    }
    let screen = Screen::new(options.json);
    let table = Arc::new(read_table(&options)?);
    let found = tree::choose(&table, &options)?;
    found.passed_by.iter().for_each(|row| screen.say(&row.to_string()));
    let sites = found.sites;
    anyhow::ensure!(
        options.cases.parse::<usize>().is_ok() || Path::new(&options.cases).is_file(),
        "--cases {}: neither a number nor a file that can be read; nothing was made",
        options.cases
    );
    let manifest = prepare(&options, &sites)?;
    let clock = Clock::default();
    let (city, risen) = raise(&options, &sites, &table, &manifest, &screen).await?;
    let outcome = perform(&options, &city, &manifest, &screen, &clock, &risen).await;
    city.lay_down().await?;
    let (code, closing) = outcome?;
    if let Some(closing) = closing {
        closing.print(options.json)?;
    }
    Ok(code)
}

fn read_table(options: &DemoOptions) -> anyhow::Result<Table> {
    match &options.divisions {
        None => Ok(Table::shipped()?),
        Some(file) => {
            let source = std::fs::File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
            Table::read(BufReader::new(source))
                .with_context(|| format!("{} cannot be used; nothing was made", file.display()))
        }
    }
}

/// Makes the folder, or takes up one that holds the same nodes.
fn prepare(options: &DemoOptions, sites: &[Site]) -> anyhow::Result<Manifest> {
    let file = options.folder.join(MANIFEST);
    // A demo empties and fills its own folders only: somebody's real node may live in the one that was named.
    let occupied = std::fs::read_dir(&options.folder).is_ok_and(|mut entries| entries.next().is_some());
    anyhow::ensure!(
        file.is_file() || !occupied,
        "{} holds something that is no demo; nothing was changed. Take another --folder",
        options.folder.display()
    );
    if options.fresh && file.is_file() {
        for made in ["nodes", "city"].map(|name| options.folder.join(name)) {
            if made.is_dir() {
                std::fs::remove_dir_all(&made).with_context(|| format!("{} cannot be emptied", made.display()))?;
            }
        }
        std::fs::remove_file(&file).with_context(|| format!("{} cannot be removed", file.display()))?;
    }
    let nodes: Vec<_> = sites.iter().map(|site| site.code).collect();
    if let Ok(text) = std::fs::read_to_string(&file) {
        let manifest: Manifest =
            serde_json::from_str(&text).context("demo.json is damaged; begin again with --fresh")?;
        anyhow::ensure!(
            manifest.nodes == nodes && manifest.full == options.full,
            "{} holds a demo with other nodes; take another --folder, or begin again with --fresh",
            options.folder.display()
        );
        return Ok(manifest);
    }
    std::fs::create_dir_all(&options.folder).with_context(|| format!("{} cannot be made", options.folder.display()))?;
    let password = Hash(random_bytes()).to_string().chars().take(12).collect();
    let manifest = Manifest { password, nodes, full: options.full };
    std::fs::write(&file, serde_json::to_string_pretty(&manifest)?)?;
    Ok(manifest)
}

/// Makes and starts all nodes, and waits for their links.
async fn raise(
    options: &DemoOptions,
    sites: &[Site],
    table: &Arc<Table>,
    manifest: &Manifest,
    screen: &Screen,
) -> anyhow::Result<(City, Risen)> {
    let clock = Clock::default();
    let began = clock.uptime_ms();
    let root = root_of(&options.folder, options.full);
    if !options.full {
        let progress = screen.progress("nodes", sites.len());
        let city = raise::raise(&root, sites, table, &manifest.password, |site| {
            progress.set_message(site.name.clone());
            progress.inc(1);
        })
        .await?;
        progress.finish_and_clear();
        let links_up_s = links_up(&city, &clock, began, screen).await?;
        return Ok((city, Risen { links_up_s, cost: None }));
    }
    full::found(&root, sites, &manifest.password, screen).await?;
    let started = clock.uptime_ms();
    let city = full::start(&root, sites, table, options.cases.parse().unwrap_or(REPORTING_GRIDS), screen).await?;
    let links_up_seconds = links_up(&city, &clock, started, screen).await?;
    let links_up_s = seconds(Duration::from_millis(clock.uptime_ms() - began));
    let cost = if options.exit { Some(cost(&city, &clock, links_up_seconds, screen).await) } else { None };
    Ok((city, Risen { links_up_s, cost }))
}

/// What the nodes cost while nothing happens.
async fn cost(city: &City, clock: &Clock, links_up_seconds: f64, screen: &Screen) -> Cost {
    screen.say("left alone for a while, to see what a city costs that has nothing to do");
    tokio::time::sleep(CALM).await;
    let rss_peak_bytes = resources::resident_peak_bytes();
    let idle = resources::watch_idle(clock).await;
    let nodes_live = city.members.len();
    Cost {
        nodes_live,
        links_up_seconds,
        rss_bytes: idle.resident_bytes,
        rss_per_node: idle.resident_bytes / u64::try_from(nodes_live.max(1)).unwrap_or(u64::MAX),
        rss_peak_bytes,
        idle_cpu_percent: idle.cpu_percent,
    }
}

fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10.0).round() / 10.0
}

/// Waits for all links. Seconds that it took from `began` on.
async fn links_up(city: &City, clock: &Clock, began: u64, screen: &Screen) -> anyhow::Result<f64> {
    let limit = LINKS_UP_MAX[usize::from(city.pack.is_some())];
    loop {
        let down = city.links_down();
        let took = Duration::from_millis(clock.uptime_ms() - began);
        if down.is_empty() {
            screen.say(&format!("{} links up after {:.1} s", city.members.len() - 1, took.as_secs_f64()));
            return Ok(took.as_secs_f64());
        }
        if took > limit {
            let names: Vec<_> = down.iter().take(10).map(|m| m.name.as_str()).collect();
            anyhow::bail!("{} links are not up after {} s: {}", down.len(), limit.as_secs(), names.join(", "));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn perform(
    options: &DemoOptions,
    city: &City,
    manifest: &Manifest,
    screen: &Screen,
    clock: &Clock,
    risen: &Risen,
) -> anyhow::Result<(u8, Option<Closing>)> {
    let top = city.top().context("a demo without a city")?;
    let grids: Vec<_> = city.grids().map(|g| g.running.shared.clone()).collect();
    let watch = watch::Watch::begin(&top.running.shared, &grids, clock);
    let began = clock.uptime_ms();
    let filing = file::all(options, city, &manifest.password, screen).await?;
    walk::the_life_of_some(city, &filing.filed, &manifest.password, screen).await?;
    if !options.exit {
        screen.addresses(city, &manifest.password);
        screen.live(city).await;
        return Ok((0, None));
    }
    let waits = settled(city, clock).await?;
    let elapsed_ms = clock.uptime_ms() - began;
    let closing = Closing::gather(options, city, &filing, &watch, risen, elapsed_ms).await?;
    for finding in &closing.verdict.findings {
        screen.say(finding);
    }
    let code = match (waits.is_empty(), closing.verdict.is_whole()) {
        (false, _) => {
            waits.iter().for_each(|what| screen.say(what));
            EXIT_WAITING
        }
        (true, false) => EXIT_NOT_WHOLE,
        (true, true) => 0,
    };
    Ok((code, Some(closing)))
}

/// Waits until no node has anything left to send and the top agrees with its owners. What still waits, in words.
async fn settled(city: &City, clock: &Clock) -> anyhow::Result<Vec<String>> {
    let began = clock.uptime_ms();
    loop {
        let mut waits = Vec::new();
        for member in city.busy() {
            let waiting = member.running.store.waiting().await?;
            if waiting.unreceipted > 0 {
                waits.push(format!(
                    "{}: {} bundles without a receipt from their destination",
                    member.name, waiting.unreceipted
                ));
            }
            let figures = member.running.store.figures_waiting().await?;
            if figures > 0 {
                waits.push(format!("{}: {figures} facts wait to be sent", member.name));
            }
            if waiting.quarantined > 0 {
                waits.push(format!("{}: {} bundles were kept aside", member.name, waiting.quarantined));
            }
        }
        let late = clock.uptime_ms() - began > u64::try_from(SETTLE_MAX.as_millis()).unwrap_or(u64::MAX);
        if waits.is_empty() || late {
            return Ok(waits);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn verify_folder(folder: &Path, json: bool) -> anyhow::Result<u8> {
    let text = std::fs::read_to_string(folder.join(MANIFEST))
        .with_context(|| format!("{} holds no demo", folder.display()))?;
    let manifest: Manifest = serde_json::from_str(&text).context("demo.json is damaged")?;
    let mut stores = Vec::new();
    for code in manifest.nodes {
        let home = city::folder_of(&root_of(folder, manifest.full), code);
        let config = crate::config::Config::load(home.path())?;
        stores.push((code.level(), Store::read_only(&config.place(&home), config.node.id)?));
    }
    let verdict = verify::count(&stores).await?;
    closing::print_verdict(&verdict, json)?;
    Ok(if verdict.is_whole() { 0 } else { EXIT_NOT_WHOLE })
}
