//! The roll of a running pack: who answers, whose link upward is up, who has an alarm.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::ask::{Asks, parent_over_tcp, parent_up};
use crate::config::Config;
use crate::folder::Folder;
use crate::several::several;

/// Nodes that are asked at once.
const AT_ONCE: usize = 16;

/// How the nodes of a pack are, by their folders.
#[derive(Debug, Default, Serialize)]
pub struct Roll {
    /// Nodes of the pack.
    pub nodes: usize,
    /// Those that do not answer, and why.
    pub silent: BTreeMap<String, String>,
    /// Links upward that are up.
    pub links_up: usize,
    /// Those of them that TCP carries.
    pub links_over_tcp: usize,
    /// Nodes whose link upward is down.
    pub links_down: Vec<String>,
    /// Alarms since the start.
    pub alarms: BTreeMap<String, Vec<String>>,
}

impl Roll {
    fn enter(&mut self, name: String, status: anyhow::Result<Value>) {
        self.nodes += 1;
        let status = match status {
            Ok(status) => status,
            Err(why) => {
                self.silent.insert(name, format!("{why:#}"));
                return;
            }
        };
        let word = |alarm: &Value, part: &str| alarm.get(part).and_then(Value::as_str).map(str::to_owned);
        let alarms = status.get("alarms").and_then(Value::as_array).into_iter().flatten();
        let alarms: Vec<_> = alarms.filter_map(|a| Some(format!("{} {}", word(a, "at")?, word(a, "what")?))).collect();
        if !alarms.is_empty() {
            self.alarms.insert(name.clone(), alarms);
        }
        match parent_up(&status) {
            Some(true) => {
                self.links_up += 1;
                self.links_over_tcp += usize::from(parent_over_tcp(&status));
            }
            Some(false) => self.links_down.push(name),
            None => {}
        }
    }
}

/// Asks all nodes of a pack. `told` hears how many have been asked, of how many.
pub async fn call(base: &Path, folders: Vec<Folder>, asks: &Asks, told: impl Fn(usize, usize)) -> Roll {
    let (all, mut roll) = (folders.len(), Roll::default());
    let begin = |folder: Folder| {
        let name = folder.path().strip_prefix(base).unwrap_or(folder.path()).display().to_string();
        let asks = asks.clone();
        async move { (name, ask(&asks, &folder).await) }
    };
    several(folders, AT_ONCE, begin, |asked| {
        match asked {
            Ok((name, status)) => roll.enter(name, status),
            Err(broken) => roll.enter("?".to_owned(), Err(broken.into())),
        }
        told(roll.nodes, all);
    })
    .await;
    roll.links_down.sort();
    roll
}

async fn ask(asks: &Asks, folder: &Folder) -> anyhow::Result<Value> {
    asks.status(folder, Config::load(folder.path())?.node.division).await
}
