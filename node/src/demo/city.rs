//! The nodes of a demo that run, each reachable over HTTP.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use protocol::division::{DivisionCode, Level};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::divisions::Site;
use crate::folder::Folder;
use crate::node::Running;
use crate::pack::Pack;
use crate::person;
use crate::person::change::PutUser;

use std::sync::Arc;

/// The demo's people: log-in name, name as shown, roles, and at which levels they are.
const PEOPLE: [(&str, &str, &str, &[Level]); 4] = [
    ("worker", "网格员", "grid_worker mediator", &[Level::Grid, Level::Community]),
    ("clerk", "受理员", "clerk mediator handler", &[Level::Community, Level::Township, Level::County]),
    ("leader", "负责人", "supervisor", &OFFICES),
    ("admin", "管理员", "administrator", &ALL),
];
const OFFICES: [Level; 5] = [Level::Community, Level::Township, Level::County, Level::City, Level::Province];
const ALL: [Level; 6] = [Level::Grid, Level::Community, Level::Township, Level::County, Level::City, Level::Province];

/// A node of the demo.
pub(super) struct Member {
    pub(super) code: DivisionCode,
    pub(super) level: Level,
    pub(super) name: String,
    /// Its page, without the slash at the end.
    pub(super) address: String,
    pub(super) running: Arc<Running>,
}

/// A listener for people's browsers.
pub(super) struct Door {
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Door {
    /// Serves until it is closed.
    pub(super) fn open(opened: crate::door::Opened, front: crate::door::Front) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let front = Arc::new(front);
        let server = tokio::spawn(crate::door::serve(opened.listener, opened.certificates, front, async {
            // A dropped sender stops the server as well.
            let _ = stopped.await;
        }));
        Self { stop, server }
    }

    async fn close(self) -> anyhow::Result<()> {
        // The server may have ended by itself.
        let _ = self.stop.send(());
        Ok(self.server.await.context("a page's server broke off")??)
    }
}

/// All nodes of a demo.
pub(super) struct City {
    /// Parents before their children.
    pub(super) members: Vec<Member>,
    /// Grids that report.
    pub(super) reporting: BTreeSet<DivisionCode>,
    pub(super) doors: Vec<Door>,
    /// The process of all nodes; without one each stands alone.
    pub(super) pack: Option<Pack>,
}

/// The folder of one node.
pub(super) fn folder_of(root: &Path, code: DivisionCode) -> Folder {
    Folder::new(root.join("nodes").join(code.to_string()))
}

/// The users of a node.
pub(super) fn users(code: DivisionCode, name: &str, password: &str) -> Vec<PutUser> {
    let here = PEOPLE.iter().filter(|(.., levels)| levels.contains(&code.level()));
    here.map(|(user, shown, roles, _)| PutUser {
        name: (*user).to_owned(),
        shown: format!("{name}{shown}"),
        password: Some(password.to_owned()),
        must_change: false,
        disabled: false,
        grants: person::roles::grants(roles).ok(),
    })
    .collect()
}

/// The name of a division's user in the table of a pack.
pub(super) fn name_in_pack(user: &str, code: DivisionCode) -> String {
    format!("{user}-{code}")
}

/// Of many grids as many as there are cases, spread evenly, so that all parts of a city report.
pub(super) fn spread(grids: &[DivisionCode], count: usize) -> BTreeSet<DivisionCode> {
    let count = count.clamp(1, grids.len().max(1));
    (0..count).filter_map(|index| grids.get(index * grids.len() / count).copied()).collect()
}

impl City {
    /// The name under which somebody logs in at a node: alone it has users of its own, and a pack has one table for all,
    /// where those of its topmost node have the plain names.
    pub(super) fn log_in_name(&self, code: DivisionCode, user: &str) -> String {
        let plain = self.pack.is_none() || self.top().is_some_and(|top| top.code == code);
        if plain { user.to_owned() } else { name_in_pack(user, code) }
    }

    /// The node at the top.
    pub(super) fn top(&self) -> Option<&Member> {
        self.members.iter().min_by_key(|m| m.level)
    }

    /// The grids that report.
    pub(super) fn grids(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|m| self.reporting.contains(&m.code))
    }

    /// The nodes that have to do with cases: the grids that report and all above them.
    pub(super) fn busy(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|m| self.reporting.iter().any(|grid| m.code.contains(*grid)))
    }

    /// The node of a division.
    pub(super) fn at(&self, code: DivisionCode) -> Option<&Member> {
        self.members.iter().find(|m| m.code == code)
    }

    /// Links that should be up and are not.
    pub(super) fn links_down(&self) -> Vec<&Member> {
        self.members
            .iter()
            .filter(|m| m.running.config.parent.as_ref().is_some_and(|p| !m.running.shared.is_up(p.id)))
            .collect()
    }

    /// Stops all nodes, the lowest first.
    pub(super) async fn lay_down(self) -> anyhow::Result<()> {
        for door in self.doors {
            door.close().await?;
        }
        if let Some(pack) = self.pack {
            drop(self.members);
            return pack.stop().await;
        }
        for member in self.members.into_iter().rev() {
            if let Ok(running) = Arc::try_unwrap(member.running) {
                running.stop().await?;
            }
        }
        Ok(())
    }
}

impl Member {
    pub(super) fn new(site: &Site, address: String, running: Arc<Running>) -> Self {
        Self { code: site.code, level: site.code.level(), name: site.name.clone(), address, running }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_reporting_grids_are_spread_over_all() {
        let grids: Vec<DivisionCode> = (1..=100).map(|n| format!("330602001001{n:03}").parse().unwrap()).collect();
        let some: Vec<u64> = spread(&grids, 4).iter().map(|code| code.number() % 1_000).collect();
        assert_eq!(some, [1, 26, 51, 76]);
        assert_eq!(spread(&grids, 1_000).len(), 100);
        assert_eq!(spread(&grids, 0).len(), 1);
    }
}
