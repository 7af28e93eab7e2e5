//! `make soak`: five real levels for as long as wanted, under load and under one fault after the other, which a seed draws.
//!
//! What fails is told in a report, not by a panic half way: hours of a run are not to be thrown away. The machine's clock is
//! left alone; wrong clocks are played by the simulator, and by tests of trust.

mod fault;
mod report;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub use self::fault::Fault;
use self::fault::Game;
pub use self::report::Report;
use crate::disk::Disk;
use crate::draw::Draw;
use crate::ledger::Ledger;
use crate::line::{COMMUNITY, FiveLevels, GRID, PATH, TOWNSHIP};
use crate::process::Node;

/// What a run is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How long trouble is made.
    pub lasts: Duration,
    /// Which trouble.
    pub seed: u64,
    /// Whether the township's disk may be filled: this process is root in a namespace of its own.
    pub disk: bool,
}

/// Between two reports that are filed.
const PAUSE: Duration = Duration::from_millis(40);

/// Runs, and says what came of it.
pub async fn run(root: &Path, options: Options) -> Report {
    let disk = options.disk.then(|| Disk::mount(root.join(PATH[TOWNSHIP])));
    let levels = FiveLevels::raise(root).await;
    let filers = [TOWNSHIP, COMMUNITY, GRID].map(|at| (at, levels.nodes[at].alike()));
    let (stop, mut ledger) = (AtomicBool::new(false), Ledger::default());
    let before = size(root);
    let mut game = Game::new(levels, disk);
    tokio::join!(ledger.fill(&filers, &stop, PAUSE), async {
        let (began, mut draw) = (Instant::now(), Draw(options.seed));
        while began.elapsed() < options.lasts {
            game.play(&mut draw).await;
        }
        stop.store(true, Ordering::Relaxed);
    });
    let (levels, played, memory_max) = game.over();
    let (cases, grown) = (ledger.len(), size(root).saturating_sub(before));
    let (found, broke_off) = settle(levels, ledger).await;
    Report { seed: options.seed, lasts: options.lasts, played, cases, found, broke_off, memory_max, grown }
}

/// What is found wrong when all is quiet; or what is not even quiet.
async fn settle(levels: FiveLevels, ledger: Ledger) -> (Option<crate::ledger::Findings>, bool) {
    // A task of its own: what panics in it is an answer here.
    let looking = async move { tokio::task::spawn_local(async move { ledger.settled(&levels).await }).await };
    match tokio::task::LocalSet::new().run_until(looking).await {
        Ok(findings) => (Some(findings), false),
        // What it was stands on standard error.
        Err(_) => (None, true),
    }
}

/// Bytes of all files in a folder.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let of_one = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => size(&entry.path()),
        Ok(data) => data.len(),
        // The log of a database comes and goes.
        Err(_) => 0,
    };
    entries.flatten().map(of_one).sum()
}

/// Whoever is named by a number that was drawn.
fn one_of(nodes: &mut [Node], drawn: u64) -> (usize, &mut Node) {
    let at = usize::try_from(drawn).unwrap_or(0) % nodes.len();
    (at, &mut nodes[at])
}
