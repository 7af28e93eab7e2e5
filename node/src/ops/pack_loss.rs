//! What the restore of a whole pack cost: the sum of what its nodes report.

use std::path::Path;

use anyhow::ensure;
use serde::Serialize;

use super::loss;
use crate::folder::Folder;

/// The sum.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PackLoss {
    /// Nodes that were restored.
    pub nodes: usize,
    /// Of these, those without a complete report yet; the numbers may still rise.
    pub waiting: Vec<String>,
    /// Events of the lost span that neighbours gave back.
    pub events_back: u64,
    /// Cases that the backup did not have, counted at each node that has them back.
    pub cases_back: u64,
    /// Own cases that came back without names and narrative.
    pub private_missing: u64,
    /// Cases of which only the nameless record is left.
    pub nameless: u64,
    /// Nodes where something is missing: their own reports name the cases.
    pub asks: Vec<String>,
}

/// Adds up the reports of a pack's nodes.
pub fn sum(base: &Path, folders: &[Folder]) -> anyhow::Result<PackLoss> {
    let mut sum = PackLoss::default();
    for folder in folders {
        if loss::noted(folder)?.is_none() {
            continue;
        }
        sum.nodes += 1;
        let name = folder.path().strip_prefix(base).unwrap_or(folder.path()).display().to_string();
        let report = loss::made(folder)?;
        if !report.as_ref().is_some_and(|report| report.complete) {
            sum.waiting.push(name.clone());
        }
        let Some(report) = report else { continue };
        sum.events_back = sum.events_back.saturating_add(report.events_back);
        sum.cases_back = sum.cases_back.saturating_add(report.cases_back);
        sum.private_missing = sum.private_missing.saturating_add(report.private_missing);
        sum.nameless = sum.nameless.saturating_add(report.nameless);
        if report.private_missing > 0 || report.nameless > 0 {
            sum.asks.push(name);
        }
    }
    ensure!(sum.nodes > 0, "no node in {} was restored from a backup", base.display());
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restored(base: &Path, name: &str, report: Option<serde_json::Value>) -> Folder {
        let folder = base.join(name);
        std::fs::create_dir(&folder).unwrap();
        let note = serde_json::json!({ "backup_at": 1, "restored_at": 2, "node": format!("{:032x}", 1) });
        std::fs::write(folder.join("restored.json"), note.to_string()).unwrap();
        if let Some(report) = report {
            std::fs::write(folder.join(loss::REPORT_FILE), report.to_string()).unwrap();
        }
        Folder::new(folder)
    }

    fn report(complete: bool, back: u64, missing: u64) -> Option<serde_json::Value> {
        Some(serde_json::json!({
            "backup_at": "", "restored_at": "", "made_at": "", "complete": complete, "not_heard": [], "events_back": back,
            "cases_moved_on": 0, "cases_back": back, "private_missing": missing, "private_missing_cases": [],
            "nameless": 0, "nameless_cases": [], "unknown": ""
        }))
    }

    #[test]
    fn the_loss_of_a_pack_is_that_of_its_nodes_and_waits_for_the_last_report() {
        let root = tempfile::tempdir().unwrap();
        let base = root.path();
        std::fs::create_dir(base.join("new")).unwrap();
        let new = Folder::new(base.join("new"));
        assert!(sum(base, std::slice::from_ref(&new)).is_err(), "a pack that was never restored has no loss");
        let nodes = [
            new,
            restored(base, "a", report(true, 2, 0)),
            restored(base, "b", report(true, 3, 1)),
            restored(base, "c", report(false, 4, 0)),
            restored(base, "d", None),
        ];
        let sum = sum(base, &nodes).unwrap();
        assert_eq!((sum.nodes, sum.events_back, sum.cases_back, sum.private_missing), (4, 9, 9, 1));
        assert_eq!((sum.waiting, sum.asks), (vec!["c".to_owned(), "d".to_owned()], vec!["b".to_owned()]));
    }
}
