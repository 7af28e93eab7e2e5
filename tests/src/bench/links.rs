//! `links`: what many links cost the parent when nobody speaks on them. The parent is a process of its own; its children
//! are light and live in this one.

use std::path::Path;
use std::time::{Duration, Instant};

use wuji::folder::Folder;

use super::child::{Child, enrol};
use super::crowd::Crowd;
use super::curve::{self, Chart, Line};
use super::{Failure, Results, cost};
use crate::process::Node;

/// Children of one parent.
const SIZES: [usize; 4] = [500, 1_000, 2_000, 5_000];
/// Most resident memory of a link, KiB.
const RESIDENT_KIB: f64 = 64.0;
/// Most processor time of all links together, in hundredths of a core.
const IDLE_CPU_PERCENT: f64 = 3.0;
/// What came with the links has ended after so long, and those who idle show a sign of life.
const SETTLED: Duration = Duration::from_secs(10);
/// How long the parent is watched: every child has shown a sign of life by then.
const WATCHED: Duration = Duration::from_secs(30);
/// Links that are not up by then are not waited for.
pub(super) const UP_MAX: Duration = Duration::from_secs(300);

/// Where the top of the cities of these measures hangs.
const TOP: &str = "330600000000";

/// The curves in the documents.
pub const CHART: Chart = Chart {
    title: "Idle links of one parent, by their number",
    picture: "docs/images/links-growth.svg",
    lines: &[
        line("KiB of memory a link", "_resident_a_link", "#1b6ca8", false),
        line("seconds until all are up", "_up", "#b8541a", false),
        line("idle processor time, hundredths of a core", "_idle_cpu", "#4a7a2c", true),
    ],
};

const fn line(label: &'static str, what: &'static str, colour: &'static str, dashed: bool) -> Line {
    Line { label, measures: &["links"], named: ("links_", what), colour, dashed }
}

/// Measures at each size.
pub async fn measure(root: &Path, results: &mut Results) -> Result<(), Failure> {
    let largest = SIZES.into_iter().max().unwrap_or(0);
    for size in SIZES {
        let (mut parent, children) = raise(root, size).await?;
        let before = cost::resident(parent.process())?;
        let began = Instant::now();
        let mut crowd = crowd(&parent, &children)?;
        let back = crowd.wait(began, 0, UP_MAX).await?;
        tokio::time::sleep(SETTLED).await;
        let (cpu, watched) = (cost::cpu(parent.process())?, Instant::now());
        tokio::time::sleep(WATCHED).await;
        let cpu = (cost::cpu(parent.process())? - cpu).as_secs_f64() / watched.elapsed().as_secs_f64() * 100.0;
        let resident = cost::resident(parent.process())?;
        let name = |what: &str| format!("links_{size}_{what}");
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let kib = (resident - before) / 1_024.0 / size as f64;
        if size == largest {
            results.at_most(&name("resident_a_link"), kib, "KiB", RESIDENT_KIB)?;
            results.at_most(&name("idle_cpu"), cpu, "%", IDLE_CPU_PERCENT)?;
        } else {
            results.line(&name("resident_a_link"), kib, "KiB", "reach at the largest size", RESIDENT_KIB)?;
            results.line(&name("idle_cpu"), cpu, "%", "reach at the largest size", IDLE_CPU_PERCENT)?;
        }
        results.line(
            &name("resident"),
            resident / 1_048_576.0,
            "MiB",
            "before the links, MiB",
            before / 1_048_576.0,
        )?;
        results.line(&name("up"), back.all_up.as_secs_f64(), "s", "links, thousands", kilo(size))?;
        crowd.stop().await;
        parent.kill();
        std::fs::remove_dir_all(&parent.folder)?;
    }
    curve::draw(&CHART)?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn kilo(count: usize) -> f64 {
    count as f64 / 1_000.0
}

/// A parent that runs, and children that it would let in.
pub(super) async fn raise(root: &Path, size: usize) -> Result<(Node, Vec<Child>), Failure> {
    let mut parent = Node::found(root, TOP);
    let children = enrol(&Folder::new(&parent.folder), size).await?;
    start(&mut parent).await;
    Ok((parent, children))
}

/// Starts the parent as an operator would.
pub(super) async fn start(parent: &mut Node) {
    parent.start_in(&[], &[("WUJI_LOG", "warn")]);
    parent.answers().await;
}

/// The children, who dial at once.
pub(super) fn crowd(parent: &Node, children: &[Child]) -> Result<Crowd, Failure> {
    Crowd::start(children, Child::of(&Folder::new(&parent.folder))?.node, parent.link)
}
