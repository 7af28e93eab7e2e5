//! `wuji doctor`.

use std::path::Path;

use clap::Args;
use serde_json::json;

use crate::folder::Folder;
use crate::ops::doctor::{self, Finding, Grade, PackReport, Trouble};
use crate::pack;

use super::bar::NodesBar;
use super::{FolderArgument, say};

/// Nodes with the same trouble that are named before the rest is only counted.
const NAMED_MAX: usize = 5;

/// `wuji doctor`: looks at a node or pack and its machine, and says what to do. Exit codes: 0 in order, 1 warnings,
/// 2 failures.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    folder: FolderArgument,
    /// Compare every index of the database with its table, which takes long.
    #[arg(long)]
    thorough: bool,
    /// JSON: an array of a node's findings; of a pack an object, in which everything wrong is named.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) async fn run(self) -> anyhow::Result<u8> {
        let folder = Folder::new(self.folder.folder);
        if pack::file_in(&folder).is_some() {
            let bar = NodesBar::new();
            let report = doctor::examine_pack(folder.path(), self.thorough, |done, all| bar.at(done, 0, all)).await;
            bar.done();
            if self.json {
                say(&in_json(&report));
            } else {
                tell_pack(&report);
            }
            return Ok(code(report.worst()));
        }
        let findings = doctor::examine(folder, self.thorough).await;
        if self.json {
            say(&serde_json::to_string(&findings)?);
        } else {
            findings.iter().for_each(tell);
        }
        Ok(code(doctor::worst(&findings)))
    }
}

fn code(worst: Grade) -> u8 {
    match worst {
        Grade::Ok => 0,
        Grade::Warn => 1,
        Grade::Fail => 2,
    }
}

fn word(grade: Grade) -> &'static str {
    match grade {
        Grade::Ok => "OK  ",
        Grade::Warn => "WARN",
        Grade::Fail => "FAIL",
    }
}

fn tell(finding: &Finding) {
    say(&format!("{}  {}: {}", word(finding.grade), finding.check, finding.says));
    if let Some(todo) = &finding.todo {
        say(&format!("      {todo}"));
    }
}

/// The pack, then what is wrong with which nodes, then how many are right.
fn tell_pack(report: &PackReport) {
    report.pack.iter().for_each(tell);
    for Trouble { grade, check, todo, nodes } in report.wrong() {
        say(&format!("{}  {check}: at {} of {} nodes", word(grade), nodes.len(), report.nodes.len()));
        for (folder, finding) in nodes.iter().take(NAMED_MAX) {
            say(&format!("      {}: {}", folder.display(), finding.says));
        }
        if nodes.len() > NAMED_MAX {
            say(&format!("      and {} more (--json names all)", nodes.len() - NAMED_MAX));
        }
        if let Some(todo) = todo {
            say(&format!("      {todo}"));
        }
    }
    let right: Vec<_> = report.right().into_iter().map(|(check, nodes)| format!("{check} {nodes}")).collect();
    if !right.is_empty() {
        say(&format!("OK    of {} nodes in order: {}", report.nodes.len(), right.join(", ")));
    }
}

fn in_json(report: &PackReport) -> String {
    let named = |(folder, finding): (&Path, &Finding)| json!({ "node": folder, "finding": finding });
    let wrong: Vec<_> = report.wrong().into_iter().flat_map(|trouble| trouble.nodes).map(named).collect();
    json!({ "pack": report.pack, "nodes": report.nodes.len(), "right": report.right(), "wrong": wrong }).to_string()
}
