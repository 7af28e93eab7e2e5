//! Starts and stops the nodes of a pack.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use federation::driver::{Host, HostSettings};
use federation::trust::NodeKeys;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::file::{PackFile, PackPeople};
use super::head::Head;
use super::limits::raise_descriptors;
use super::sweep::Sweep;
use crate::config::Config;
use crate::folder::Folder;
use crate::node::{House, Running};
use crate::person::realm::Realm;
use crate::several::several;
use crate::store::Patience;

/// Nodes that are started, or stopped, at once: each opens a database and reads its keys.
const AT_ONCE: usize = 32;
/// A node that has not started after this time counts as failed; the others go on.
const START_MAX: Duration = Duration::from_secs(60);

/// A node that did not start.
#[derive(Debug)]
pub struct Failure {
    /// Its folder.
    pub folder: PathBuf,
    /// Why.
    pub why: anyhow::Error,
}

/// How far the start is: nodes done, failed ones among them, of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Done.
    pub done: usize,
    /// Of these, failed.
    pub failed: usize,
    /// All.
    pub all: usize,
}

/// A pack that runs.
pub struct Pack {
    /// Its nodes in the order of their folders.
    pub nodes: Vec<Arc<Running>>,
    /// Nodes that did not start.
    pub failures: Vec<Failure>,
    /// Its sockets.
    pub host: Host,
    begun: Begun,
    head: Head,
    stopping: CancellationToken,
    sweeper: JoinHandle<()>,
}

impl Pack {
    /// Starts the nodes of a pack. One that does not start is named in `failures` and keeps no other from starting; only
    /// what concerns all of them is an error.
    pub async fn start(folder: &Path, file: &PackFile, told: impl Fn(Progress)) -> anyhow::Result<Self> {
        let head = Head::take(folder, file, Patience::Refuse).await?;
        Self::start_under(head, folder, file, told).await
    }

    /// The same by a process that has the right to it already.
    pub async fn start_under(
        head: Head,
        folder: &Path,
        file: &PackFile,
        told: impl Fn(Progress),
    ) -> anyhow::Result<Self> {
        let folders = file.folders(folder)?;
        raise_descriptors(folders.len(), file.link.tcp)?;
        let host = open_host(file, &folders)?;
        let house = House { host: host.clone(), database: head.database.clone() };
        let (sweep, stopping) = (Sweep::default(), CancellationToken::new());
        let sweeper = tokio::spawn(sweep.clone().run(stopping.clone()));
        let begun = Begun { base: folder.to_owned(), file: file.clone(), house, sweep };
        let (started, failures) = begun.start_all(folders, told).await;
        if started.is_empty() {
            stopping.cancel();
            host.shutdown().await;
            let first = failures.into_iter().next().map(named);
            head.release().await?;
            return Err(first.unwrap_or_else(|| anyhow::anyhow!("a pack without nodes")));
        }
        let nodes = started.into_iter().map(Arc::new).collect();
        Ok(Self { nodes, failures, host, begun, head, stopping, sweeper })
    }

    /// Ends when another process has taken over the pack, or one of its nodes.
    pub fn ended(&self) -> CancellationToken {
        let any = CancellationToken::new();
        let of_nodes = self.nodes.iter().filter(|node| node.config.database.url.is_some()).map(|node| node.ended());
        for ended in of_nodes.chain([self.head.lost()]) {
            let any = any.clone();
            tokio::spawn(async move {
                ended.cancelled().await;
                any.cancel();
            });
        }
        any
    }

    /// The people who log in to its nodes. Without the node that keeps them nobody can, and this says so.
    pub fn realm(&self) -> anyhow::Result<Arc<Realm>> {
        let PackPeople { folder, .. } = &self.begun.file.people;
        let keeps = |node: &&Arc<Running>| node.folder.path() == self.begun.base.join(folder);
        let keeper = self.nodes.iter().find(keeps).with_context(|| {
            format!(
                "the node in {} keeps the people of this pack and does not run: nobody can log in",
                folder.display()
            )
        })?;
        let realm = keeper.realm(self.begun.file.pack.id, self.begun.file.people.policy());
        Ok(Arc::new(realm.serving(self.nodes.len())))
    }

    /// Starts one more node, unless it runs already.
    pub async fn add(&mut self, folder: Folder) -> anyhow::Result<()> {
        if self.nodes.iter().any(|node| node.folder.path() == folder.path()) {
            return Ok(());
        }
        self.nodes.push(Arc::new(self.begun.start_one(folder).await?));
        Ok(())
    }

    /// Stops all nodes: links are closed, what was accepted is on disk. The first failure, after all have stopped.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stopping.cancel();
        self.host.shutdown().await;
        let mut outcome = Ok(());
        let begin = |node: Arc<Running>| async move {
            let name = node.config.node.name.clone();
            match Arc::try_unwrap(node) {
                Ok(node) => node.stop().await.with_context(|| format!("{name} did not stop as it should")),
                Err(_) => anyhow::bail!("{name} is still in use and cannot be stopped"),
            }
        };
        several(self.nodes, AT_ONCE, begin, |stopped| {
            let stopped = stopped.context("the stop of a node broke off").and_then(|stopped| stopped);
            outcome = std::mem::replace(&mut outcome, Ok(())).and(stopped);
        })
        .await;
        self.sweeper.await.context("the sweep broke off")?;
        outcome.and(self.head.release().await)
    }
}

fn named(failure: Failure) -> anyhow::Error {
    failure.why.context(format!("the node in {} did not start", failure.folder.display()))
}

/// The sockets. Keys of the transport come from the first node whose keys can be read: it stays with the pack.
fn open_host(file: &PackFile, folders: &[Folder]) -> anyhow::Result<Host> {
    let settings = HostSettings { capture: file.link.capture.clone(), tcp: file.link.tcp, ..HostSettings::default() };
    let settings = match folders.iter().find_map(|folder| NodeKeys::load(&folder.keys()).ok()) {
        Some(keys) => settings.keyed_by(&keys),
        None => settings,
    };
    let host = Host::bind(file.link.listen, settings)
        .with_context(|| format!("the link cannot listen on {}", file.link.places()))?;
    host.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
    Ok(host)
}

/// A node's own configuration under what the pack shares.
fn within_pack(mut config: Config, file: &PackFile) -> Config {
    config.link = file.link.clone();
    config.http = file.http.clone();
    config
}

/// What every node is started with.
#[derive(Clone)]
struct Begun {
    base: PathBuf,
    file: PackFile,
    house: House,
    sweep: Sweep,
}

impl Begun {
    async fn start_all(&self, folders: Vec<Folder>, told: impl Fn(Progress)) -> (Vec<Running>, Vec<Failure>) {
        let all = folders.len();
        let (mut started, mut failures) = (Vec::with_capacity(all), Vec::new());
        let begin = |(index, folder): (usize, Folder)| {
            let begun = self.clone();
            async move {
                let path = folder.path().to_owned();
                begun.sweep.room().await;
                let outcome = tokio::time::timeout(START_MAX, begun.start_one(folder)).await;
                (index, path, outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("it did not start in time"))))
            }
        };
        // Handed out in order, so that parents are there when their children dial.
        several(folders.into_iter().enumerate(), AT_ONCE, begin, |next| {
            match next {
                Ok((index, _, Ok(node))) => started.push((index, node)),
                Ok((_, folder, Err(why))) => failures.push(Failure { folder, why }),
                Err(broken) => failures.push(Failure { folder: PathBuf::new(), why: broken.into() }),
            }
            told(Progress { done: started.len() + failures.len(), failed: failures.len(), all });
        })
        .await;
        started.sort_by_key(|(index, _)| *index);
        (started.into_iter().map(|(_, node)| node).collect(), failures)
    }

    async fn start_one(&self, folder: Folder) -> anyhow::Result<Running> {
        let config = within_pack(Config::load(folder.path())?, &self.file);
        let node = Running::start_in(folder, config, Some(&self.house)).await?;
        // A database that all share is in use all the time.
        if self.house.database.is_none() {
            self.sweep.add(node.store.database().clone());
        }
        Ok(node)
    }
}
