//! What a restore cost: after the neighbours have given back what they hold, a report says what came, what is known by its
//! nameless record alone, and for which span nothing can be known.
//!
//! At the restore, the folder gets a note of where every case stood in the backup. The report compares with that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use federation::trust::files::write_private;
use protocol::chain::Epoch;
use protocol::id::{CaseId, NodeId};
use protocol::time::UnixMillis;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::alarms::AlarmKind;
use crate::api::stamp::{self, rfc3339};
use crate::clock::Clock;
use crate::folder::Folder;
use crate::shared::Shared;
use crate::store::{Store, StoreError};

const NOTE_FILE: &str = "restored.json";
const STANDINGS_FILE: &str = "restored.standings";
/// The report, in the node's folder.
pub const REPORT_FILE: &str = "loss-report.json";
/// Bytes of one case in the note: id, epoch, number.
const STANDING_BYTES: usize = 16 + 2 + 2 + 8;
/// Cases that the report names one by one.
const NAMED_MAX: usize = 1_000;
/// Nothing came for so long: what the neighbours held is here.
const QUIET: Duration = Duration::from_secs(10);
/// How often it is looked.
const LOOK: Duration = Duration::from_secs(2);
/// Neighbours that have not come by then are waited for no longer; the report names them.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// What is noted when a node is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When the backup was made.
    pub backup_at: UnixMillis,
    /// When it was restored.
    pub restored_at: UnixMillis,
    /// The node.
    pub node: NodeId,
}

/// A case of which only the nameless record came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nameless {
    /// Where it happened, as a code.
    pub place: String,
    /// Its category.
    pub category: i64,
    /// Rank of its level: 3 orange, 2 red, 1 yellow.
    pub level: i64,
    /// Day of the report.
    pub day: String,
}

/// What a restore cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossReport {
    /// When the backup was made.
    pub backup_at: String,
    /// When it was restored.
    pub restored_at: String,
    /// When this report was made.
    pub made_at: String,
    /// Every neighbour was there and nothing more came; else the numbers may still rise.
    pub complete: bool,
    /// Neighbours that were not there yet.
    pub not_heard: Vec<String>,
    /// Events of the lost span that the neighbours gave back.
    pub events_back: u64,
    /// Cases that the backup had and that moved on.
    pub cases_moved_on: u64,
    /// Cases that the backup did not have.
    pub cases_back: u64,
    /// Own cases of which events came back without names and narrative: how many, and which (the first thousand).
    pub private_missing: u64,
    /// Their ids.
    pub private_missing_cases: Vec<String>,
    /// Cases that were registered here in the lost span and never went up: only their nameless record is left.
    pub nameless: u64,
    /// What that record says of them (the first thousand).
    pub nameless_cases: Vec<Nameless>,
    /// What no number can say.
    pub unknown: String,
}

/// Notes a restore and where every case stands now.
pub async fn note(folder: &Folder, store: &Store, restored: &Restored) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    for (case, epoch, number) in store.standings().await? {
        bytes.extend_from_slice(case.as_bytes());
        bytes.extend_from_slice(&epoch.takeovers.to_be_bytes());
        bytes.extend_from_slice(&epoch.moves.to_be_bytes());
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    write_private(folder.path(), STANDINGS_FILE, &bytes).context("the note of the restore cannot be written")?;
    write_private(folder.path(), NOTE_FILE, serde_json::to_string(restored)?.as_bytes())
        .context("the note of the restore cannot be written")
}

/// What was noted, if this node was restored.
pub fn noted(folder: &Folder) -> anyhow::Result<Option<Restored>> {
    let file = folder.path().join(NOTE_FILE);
    if !file.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(Some(serde_json::from_str(&text).with_context(|| format!("{} is damaged", file.display()))?))
}

/// The report that was made, if one was.
pub fn made(folder: &Folder) -> anyhow::Result<Option<LossReport>> {
    let file = folder.path().join(REPORT_FILE);
    if !file.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(Some(serde_json::from_str(&text).with_context(|| format!("{} is damaged", file.display()))?))
}

fn standings(folder: &Folder) -> anyhow::Result<BTreeMap<CaseId, (Epoch, i64)>> {
    let file = folder.path().join(STANDINGS_FILE);
    let bytes = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    ensure!(bytes.len().is_multiple_of(STANDING_BYTES), "{} is damaged", file.display());
    bytes.chunks_exact(STANDING_BYTES).map(standing).collect()
}

fn standing(bytes: &[u8]) -> anyhow::Result<(CaseId, (Epoch, i64))> {
    let part = |from: usize, to: usize| bytes.get(from..to).context("a standing is cut short");
    let epoch = Epoch {
        takeovers: u16::from_be_bytes(part(16, 18)?.try_into()?),
        moves: u16::from_be_bytes(part(18, 20)?.try_into()?),
    };
    Ok((CaseId::from_bytes(part(0, 16)?.try_into()?), (epoch, i64::from_be_bytes(part(20, 28)?.try_into()?))))
}

/// Works the report out of what the node holds now.
pub async fn report(folder: &Folder, store: &Store, not_heard: Vec<String>, quiet: bool) -> anyhow::Result<LossReport> {
    let restored = noted(folder)?.context("this node was not restored from a backup")?;
    let was = standings(folder)?;
    let (mut events_back, mut moved_on, mut back, mut bare) =
        (0_u64, BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    store
        .each_event(|event| {
            let new =
                was.get(&event.case).is_none_or(|(epoch, number)| (event.epoch, event.number) > (*epoch, *number));
            // What was written here after the restore did not come back: it is new.
            if !new || event.at > restored.restored_at.0 {
                return;
            }
            events_back += 1;
            if was.contains_key(&event.case) {
                moved_on.insert(event.case)
            } else {
                back.insert(event.case)
            };
            if event.mine && !event.private {
                bare.insert(event.case);
            }
        })
        .await?;
    let alone = store.facts_alone().await?;
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Ok(LossReport {
        backup_at: rfc3339(restored.backup_at),
        restored_at: rfc3339(restored.restored_at),
        made_at: rfc3339(Clock::default().wall()),
        complete: quiet && not_heard.is_empty(),
        not_heard,
        events_back,
        cases_moved_on: count(moved_on.len()),
        cases_back: count(back.len()),
        private_missing: count(bare.len()),
        private_missing_cases: bare.iter().take(NAMED_MAX).map(CaseId::to_string).collect(),
        nameless: count(alone.len()),
        nameless_cases: alone.into_iter().take(NAMED_MAX).map(nameless).collect(),
        unknown: format!(
            "What was written at this node between {} and {} and had not left it is gone. How much that was, nobody knows.",
            rfc3339(restored.backup_at),
            rfc3339(restored.restored_at)
        ),
    })
}

fn nameless(fact: crate::store::loss::FactRow) -> Nameless {
    let day = i32::try_from(fact.day).ok().and_then(protocol::time::CivilDay::from_number);
    Nameless {
        place: fact.place.to_string(),
        category: fact.category,
        level: fact.level,
        day: day.map(|day| stamp::day(day.number())).unwrap_or_default(),
    }
}

/// The report as people read it.
pub fn in_words(report: &LossReport) -> String {
    let mut text = format!(
        "Backup of {}, restored {}.\n\
         Came back from neighbours: {} events; {} cases moved on, {} cases that the backup did not have.\n\
         Own cases whose names and narrative of that span are missing: {}.\n\
         Cases registered here of which only the nameless record is left: {}.\n\
         {}\n",
        report.backup_at,
        report.restored_at,
        report.events_back,
        report.cases_moved_on,
        report.cases_back,
        report.private_missing,
        report.nameless,
        report.unknown
    );
    for case in &report.private_missing_cases {
        text.push_str(&format!("  ask for what is missing: case {case}\n"));
    }
    for case in &report.nameless_cases {
        text.push_str(&format!(
            "  only its record: place {}, category {:04}, level {}, reported {}\n",
            case.place, case.category, case.level, case.day
        ));
    }
    if !report.complete {
        text.push_str("NOT COMPLETE: numbers may still change.");
        if !report.not_heard.is_empty() {
            text.push_str(&format!(" Not heard since the restore: {}.", report.not_heard.join(", ")));
        }
        text.push('\n');
    }
    text
}

/// What the watch needs to know of a running node.
pub struct Watched {
    /// Its folder.
    pub folder: Folder,
    /// Its rows.
    pub store: Store,
    /// Its links.
    pub shared: Arc<Shared>,
    /// The node above.
    pub parent: Option<NodeId>,
    /// Its clock.
    pub clock: Clock,
}

/// After a restore, waits until every neighbour was there and nothing more comes, and makes the report then. Does nothing
/// for a node that was not restored, or whose report is complete.
pub fn watch(node: Watched, stopping: CancellationToken) {
    let wanted = matches!(noted(&node.folder), Ok(Some(_)))
        && !matches!(made(&node.folder), Ok(Some(report)) if report.complete);
    if wanted {
        tokio::spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                done = wait_and_report(&node) => {
                    if let Err(error) = done {
                        tracing::error!(%error, "the loss report could not be made");
                    }
                }
            }
        });
    }
}

async fn not_heard(node: &Watched) -> Result<Vec<NodeId>, StoreError> {
    let children = node.store.children().await?.into_iter().map(|child| child.node);
    let heard = node.shared.links();
    Ok(node.parent.into_iter().chain(children).filter(|peer| !heard.contains_key(peer)).collect())
}

async fn wait_and_report(node: &Watched) -> anyhow::Result<()> {
    let began = node.clock.uptime_ms();
    let (mut before, mut quiet_since) = (-1, began);
    loop {
        tokio::time::sleep(LOOK).await;
        let now = node.clock.uptime_ms();
        let arrivals = node.store.arrivals().await?;
        let missing = not_heard(node).await?;
        let out_of_patience = Duration::from_millis(now.saturating_sub(began)) >= PATIENCE;
        if arrivals != before || (!missing.is_empty() && !out_of_patience) {
            (before, quiet_since) = (arrivals, now);
            continue;
        }
        if Duration::from_millis(now.saturating_sub(quiet_since)) < QUIET {
            continue;
        }
        let report = report(&node.folder, &node.store, missing.iter().map(NodeId::to_string).collect(), true).await?;
        write_private(node.folder.path(), REPORT_FILE, &serde_json::to_vec_pretty(&report)?)?;
        tracing::warn!(
            events = report.events_back,
            private_missing = report.private_missing,
            nameless = report.nameless,
            "restored from a backup: the loss report is in {REPORT_FILE}"
        );
        node.shared.alarm(
            AlarmKind::Restored,
            format!(
                "restored from a backup of {}: {} events came back, {} cases lack names and narrative, {} are known by \
                 their record alone; see wuji restore --report",
                report.backup_at, report.events_back, report.private_missing, report.nameless
            ),
            node.clock.wall(),
        );
        return Ok(());
    }
}
