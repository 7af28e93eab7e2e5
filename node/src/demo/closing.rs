//! The closing object of a demo.

use std::collections::BTreeMap;

use protocol::division::Level;
use serde::Serialize;

use super::Risen;
use super::city::City;
use super::file::Filing;
use super::options::DemoOptions;
use super::resources::resident_bytes;
use super::verify::{self, Verdict};
use super::watch::{Watch, percentile};

/// Times from the commit at the grid to the commit at the city, milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    /// Half of the escalated cases were quicker.
    pub p50: f64,
    /// All but one in a hundred were quicker.
    pub p99: f64,
}

/// What all nodes of a pack cost, measured after all links were up and before the first case.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Cost {
    /// Nodes in the process.
    pub nodes_live: usize,
    /// Seconds from the start of the first node until all links were up, without the making of the nodes.
    pub links_up_seconds: f64,
    /// Resident memory.
    pub rss_bytes: u64,
    /// The same, for each node.
    pub rss_per_node: u64,
    /// The most resident memory up to then.
    pub rss_peak_bytes: u64,
    /// Processor time, of one core.
    pub idle_cpu_percent: f64,
}

/// What a demo did and found.
#[derive(Debug, Clone, Serialize)]
pub struct Closing {
    /// Nodes by level.
    pub nodes: BTreeMap<&'static str, usize>,
    /// Cases read or made up.
    pub cases_read: usize,
    /// Of these, filed.
    pub filed: usize,
    /// Of these, refused.
    pub refused: usize,
    /// The count over all databases.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Latency of escalations.
    pub latency_ms: Latency,
    /// Case events at the city, by the seconds from the first report until everything had arrived.
    pub events_per_s: f64,
    /// Memory of the process, MiB.
    pub resident_mib: u64,
    /// Seconds until all links were up.
    pub links_up_s: f64,
    /// What a whole city costs that has nothing to do; absent for a small one.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Where the nodes live.
    pub folder: String,
}

impl Closing {
    pub(super) async fn gather(
        options: &DemoOptions,
        city: &City,
        filing: &Filing,
        watch: &Watch,
        risen: &Risen,
        elapsed_ms: u64,
    ) -> anyhow::Result<Self> {
        let stores: Vec<_> = city.members.iter().map(|m| (m.level, m.running.store.clone())).collect();
        let verdict = verify::count(&stores).await?;
        let latencies = watch.latencies_ms();
        let (_, events, _) = match city.top() {
            Some(top) => top.running.store.volume().await?,
            None => (0, 0, 0),
        };
        #[expect(clippy::cast_precision_loss, reason = "counts of a demo stay far below 2^52")]
        let events_per_s = events as f64 / (elapsed_ms.max(1) as f64 / 1_000.0);
        Ok(Self {
            nodes: nodes(city),
            cases_read: filing.read,
            filed: filing.filed.len(),
            refused: filing.refused.len(),
            verdict,
            latency_ms: Latency { p50: percentile(&latencies, 0.5), p99: percentile(&latencies, 0.99) },
            events_per_s,
            resident_mib: resident_bytes() / (1024 * 1024),
            links_up_s: risen.links_up_s,
            cost: risen.cost,
            folder: options.folder.display().to_string(),
        })
    }

    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        let text = if json { serde_json::to_string(self)? } else { serde_json::to_string_pretty(self)? };
        out(&text);
        Ok(())
    }
}

/// Prints a count alone.
pub(super) fn print_verdict(verdict: &Verdict, json: bool) -> anyhow::Result<()> {
    let text = if json { serde_json::to_string(verdict)? } else { serde_json::to_string_pretty(verdict)? };
    out(&text);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the closing object belongs on standard output")]
fn out(text: &str) {
    println!("{text}");
}

fn nodes(city: &City) -> BTreeMap<&'static str, usize> {
    let mut nodes = BTreeMap::new();
    for (level, word) in [
        (Level::Province, "province"),
        (Level::City, "city"),
        (Level::County, "county"),
        (Level::Township, "township"),
        (Level::Community, "community"),
        (Level::Grid, "grid"),
    ] {
        let count = city.members.iter().filter(|m| m.level == level).count();
        // A province is a level of the table for the few cities that are one.
        if count > 0 || level != Level::Province {
            nodes.insert(word, count);
        }
    }
    nodes
}
