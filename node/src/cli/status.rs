//! `wuji status`: asks the running process on this machine, as its operator.

use anyhow::{Context, ensure};
use clap::Args;

use crate::config::Config;
use crate::door::RunningFile;
use crate::folder::Folder;
use crate::ops::ask::{Asks, parent_up};
use crate::ops::roll::{self, Roll};
use crate::pack::{self, PackFile};

use super::bar::NodesBar;
use super::{FolderArgument, SOME_NODES, say};

/// Exit code when the parent's link is down.
const LINK_DOWN: u8 = 3;
/// Nodes of one kind that are named before the rest is only counted.
const NAMED_MAX: usize = 10;

/// `wuji status`: how a running node is, or a running pack. Exit codes: 0 well, 1 it does not run, 3 a link upward is down,
/// 5 some nodes of a pack do not answer.
#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    folder: FolderArgument,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) async fn run(self) -> anyhow::Result<u8> {
        let folder = Folder::new(&self.folder.folder);
        match pack::file_in(&folder) {
            Some(file) => self.pack(&folder, &PackFile::load(&file)?).await,
            None => self.node(&folder).await,
        }
    }

    async fn node(&self, folder: &Folder) -> anyhow::Result<u8> {
        let config = Config::load(folder.path())?;
        let process = RunningFile::of_node(folder.path());
        let asks = Asks::of(process.as_ref(), config.http.listen)?;
        let mut status = asks.status(folder, config.node.division).await?;
        if let (Some(status), Some(process)) = (status.as_object_mut(), process) {
            status.insert("process".to_owned(), serde_json::to_value(process)?);
        }
        if self.json {
            say(&status.to_string());
        } else {
            say(&serde_json::to_string_pretty(&status)?);
        }
        Ok(if parent_up(&status) == Some(false) { LINK_DOWN } else { 0 })
    }

    async fn pack(&self, folder: &Folder, file: &PackFile) -> anyhow::Result<u8> {
        let process = RunningFile::read(folder.path());
        let asks = Asks::of(process.as_ref(), file.http.listen)?;
        ensure!(asks.answers().await, "the pack in {} does not answer: does it run?", folder.path().display());
        let bar = NodesBar::new();
        let told = |done: usize, all: usize| bar.at(done, 0, all);
        let roll = roll::call(folder.path(), file.folders(folder.path())?, &asks, told).await;
        bar.done();
        if self.json {
            let mut said = serde_json::to_value(&roll).context("what was asked")?;
            if let (Some(said), Some(process)) = (said.as_object_mut(), process) {
                said.insert("process".to_owned(), serde_json::to_value(process)?);
            }
            say(&said.to_string());
        } else {
            tell(&file.pack.name, &roll, process.as_ref());
        }
        Ok(match (roll.silent.is_empty(), roll.links_down.is_empty()) {
            (false, _) => SOME_NODES,
            (true, false) => LINK_DOWN,
            (true, true) => 0,
        })
    }
}

fn tell(name: &str, roll: &Roll, process: Option<&RunningFile>) {
    let answering = roll.nodes.saturating_sub(roll.silent.len());
    say(&format!("{name}: {answering} of {} nodes answer, {} links upward are up", roll.nodes, roll.links_up));
    if roll.links_over_tcp > 0 {
        say(&format!("over TCP: {} of the links upward", roll.links_over_tcp));
    }
    if let Some(process) = process {
        say(&format!("process {}: {}  link {}", process.pid, process.http, process.link));
    }
    for (what, list) in [
        ("no answer", roll.silent.iter().map(|(node, why)| format!("{node}: {why}")).collect()),
        ("link upward down", roll.links_down.clone()),
        ("alarm", roll.alarms.iter().map(|(node, alarms)| format!("{node}: {}", alarms.join("; "))).collect()),
    ] {
        list.iter().take(NAMED_MAX).for_each(|line| say(&format!("{what}: {line}")));
        if list.len() > NAMED_MAX {
            say(&format!("{what}: at {} more (--json names all)", list.len() - NAMED_MAX));
        }
    }
}
