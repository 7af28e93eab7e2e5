//! `wuji run`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::alarms::AlarmKind;
use crate::api::ApiState;
use crate::config::Config;
use crate::door::{self, Front, Opened};
use crate::folder::Folder;
use crate::names::Table;
use crate::node::Running;
use crate::ops::home::{Home, Keeper};
use crate::pack::{self, Head, Pack, PackFile};
use crate::reader::Reader;
use crate::store::Patience;

use super::bar::NodesBar;
use super::{SOME_NODES, say};

/// `wuji run`.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// A node's folder, a pack's folder, or a pack file.
    #[arg(value_name = "FOLDER|PACK.toml")]
    path: Option<PathBuf>,
    /// The same.
    #[arg(long, env = "WUJI_FOLDER", value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Where the rows are on a server: wait while another process writes this node, and take over when it is gone.
    #[arg(long, conflicts_with = "read_only")]
    standby: bool,
    /// Serve API and page for reading only, without writer and link, beside the process that writes.
    #[arg(long)]
    read_only: bool,
}

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Node(PathBuf),
    Pack { folder: PathBuf, file: PathBuf },
}

fn find(path: &Path) -> anyhow::Result<Found> {
    if path.is_file() {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return Ok(Found::Pack { folder: folder.to_owned(), file: path.to_owned() });
    }
    let file = path.join(pack::FILE_NAME);
    match (Folder::new(path).is_node(), file.is_file()) {
        (true, _) => Ok(Found::Node(path.to_owned())),
        (false, true) => Ok(Found::Pack { folder: path.to_owned(), file }),
        (false, false) => bail!(
            "{} holds neither a node ({}) nor a pack ({}): make one with `wuji init`, `wuji join` or `wuji import divisions`",
            path.display(),
            crate::config::FILE_NAME,
            pack::FILE_NAME
        ),
    }
}

impl Run {
    pub(super) async fn run(self) -> anyhow::Result<u8> {
        let path = self.path.or(self.folder).context("say which folder or pack file: `wuji run FOLDER`")?;
        match find(&path)? {
            Found::Node(folder) if self.read_only => read(Folder::new(folder)).await.map(|()| 0),
            Found::Node(folder) => run_node(Folder::new(folder), self.standby).await.map(|()| 0),
            Found::Pack { folder, file } if self.read_only => {
                read_pack(&folder, &PackFile::load(&file)?).await.map(|()| 0)
            }
            Found::Pack { folder, file } => run_pack(&folder, &PackFile::load(&file)?, self.standby).await,
        }
    }
}

async fn run_node(folder: Folder, standby: bool) -> anyhow::Result<()> {
    let mut config = Config::load(folder.path())?;
    if standby {
        ensure!(config.database.url.is_some(), "only rows on a server have a standby: set database.url");
        config.database.standby = true;
        say(&format!("{} stands by", config.node.name));
    }
    let home = Home::of(&folder, &config)?;
    home.must_stand_alone(&folder, &config)?;
    let running = Running::start_with(folder, config).await?;
    let outcome = serve_node(&running, &home.people).await;
    running.stop().await?;
    outcome
}

async fn serve_node(running: &Running, people: &Keeper) -> anyhow::Result<()> {
    let opened = door::open(&running.config.http, running.folder.path()).await?;
    let realm = people.realm(&running.folder, &running.store, running.port.clone(), &running.vault)?;
    let (names, trouble) = names(&running.folder, &running.config)?;
    if let Some(trouble) = trouble {
        running.shared.alarm(AlarmKind::Process, trouble, running.clock.wall());
    }
    let state = Arc::new(ApiState::within(running, Arc::new(names), Arc::new(realm))?);
    let front = Arc::new(Front::alone(state, &opened.door));
    let (shared, clock) = (running.shared.clone(), running.clock.clone());
    let place = Place { name: &running.config.node.name, folder: running.folder.path(), link: running.link_address()? };
    keep_open(opened, front, place, running.ended(), move |what| shared.alarm(AlarmKind::Process, what, clock.wall()))
        .await
}

/// Serves without a writer and without a link.
async fn read(folder: Folder) -> anyhow::Result<()> {
    let reader = Reader::open(folder).await?;
    let opened = door::open(&reader.config.http, reader.folder.path()).await?;
    let (names, trouble) = names(&reader.folder, &reader.config)?;
    trouble.iter().for_each(|trouble| tracing::warn!("{trouble}"));
    let state = Arc::new(ApiState::reading(&reader, Arc::new(names))?);
    let front = Arc::new(Front::alone(state, &opened.door));
    say(&format!("{} is served for reading: {}", reader.config.node.name, address(&opened)?));
    Ok(door::serve(opened.listener, opened.certificates, front, stop_signal()).await?)
}

/// The names that a node shows: its own table's, or its pack's.
fn names(folder: &Folder, config: &Config) -> anyhow::Result<(Table, Option<String>)> {
    let own = [(config.node.division, config.node.name.clone())];
    let base = Home::of(folder, config)?.base;
    let pack = base.join(pack::FILE_NAME);
    if config.names.table.is_none() && pack.is_file() {
        return PackFile::load(&pack)?.names.read(&base, own);
    }
    config.names.read(folder.path(), own)
}

/// Where a reader's door is.
fn address(opened: &Opened) -> std::io::Result<String> {
    let scheme = if opened.certificates.is_some() { "https" } else { "http" };
    Ok(format!("{scheme}://{}/", opened.listener.local_addr()?))
}

/// Serves all nodes of a pack without writers and without links.
async fn read_pack(folder: &Path, file: &PackFile) -> anyhow::Result<()> {
    let opened = door::open(&file.http, folder).await?;
    let readers = pack::read(folder, file).await?;
    let own = readers.nodes.iter().map(|node| (node.config.node.division, node.config.node.name.clone()));
    let (names, trouble) = file.names.read(folder, own)?;
    trouble.iter().for_each(|trouble| tracing::warn!("{trouble}"));
    let names = Arc::new(names);
    let front = Arc::new(Front::pack(&opened.door));
    for node in &readers.nodes {
        front.admit(Arc::new(ApiState::reading_within(node, names.clone(), readers.realm.clone())?));
    }
    let (name, count) = (&file.pack.name, readers.nodes.len());
    say(&format!("{name}: {count} nodes are served for reading: {}", address(&opened)?));
    Ok(door::serve(opened.listener, opened.certificates, front, stop_signal()).await?)
}

/// Waits to take over; the service manager may end the wait.
async fn stand_by(folder: &Path, file: &PackFile) -> anyhow::Result<Option<Head>> {
    say(&format!("{} stands by", file.pack.name));
    tokio::select! {
        head = Head::take(folder, file, Patience::StandBy) => head.map(Some),
        () = stop_signal() => Ok(None),
    }
}

async fn run_pack(folder: &Path, file: &PackFile, standby: bool) -> anyhow::Result<u8> {
    let head = match standby {
        true => stand_by(folder, file).await?,
        false => Some(Head::take(folder, file, Patience::Refuse).await?),
    };
    let Some(head) = head else { return Ok(0) };
    // The door before the nodes: a port that is taken is known before thousands of them have started.
    let opened = door::open(&file.http, folder).await?;
    let bar = NodesBar::new();
    let told = |progress: pack::Progress| bar.at(progress.done, progress.failed, progress.all);
    let pack = Pack::start_under(head, folder, file, told).await?;
    bar.done();
    let outcome = serve_pack(&pack, opened, folder, file).await;
    let failed = !pack.failures.is_empty();
    pack.stop().await?;
    outcome?;
    Ok(if failed { SOME_NODES } else { 0 })
}

async fn serve_pack(pack: &Pack, opened: Opened, folder: &Path, file: &PackFile) -> anyhow::Result<()> {
    let front = Arc::new(Front::pack(&opened.door));
    let first = pack.nodes.first().context("a pack without nodes")?;
    let (shared, clock) = (first.shared.clone(), first.clock.clone());
    // Whoever looks after the pack sees it at the node that is highest of those that run.
    let complain = |what: String| {
        tracing::error!("{what}");
        shared.alarm(AlarmKind::Process, what, clock.wall());
    };
    for failure in &pack.failures {
        complain(format!("the node in {} did not start: {:#}", failure.folder.display(), failure.why));
    }
    let own = pack.nodes.iter().map(|node| (node.config.node.division, node.config.node.name.clone()));
    let (names, trouble) = file.names.read(folder, own)?;
    let names = Arc::new(names);
    trouble.into_iter().for_each(&complain);
    match pack.realm() {
        Ok(realm) => {
            for node in &pack.nodes {
                front.admit(Arc::new(ApiState::within(node, names.clone(), realm.clone())?));
            }
        }
        // The links carry on: what the other nodes have filed goes up.
        Err(nobody) => {
            front.close();
            complain(format!("{nobody:#}"));
        }
    }
    let name = format!("{}: {} nodes", file.pack.name, pack.nodes.len());
    let place = Place { name: &name, folder, link: pack.host.local_addr()? };
    keep_open(opened, front, place, pack.ended(), move |what| shared.alarm(AlarmKind::Process, what, clock.wall()))
        .await
}

/// What runs, and where.
struct Place<'a> {
    name: &'a str,
    folder: &'a Path,
    link: std::net::SocketAddr,
}

/// Says that it runs, serves, and looks after the certificate, until told to stop.
async fn keep_open(
    opened: Opened,
    front: Arc<Front>,
    place: Place<'_>,
    ended: CancellationToken,
    alarm: impl Fn(String) + Send + Sync + 'static,
) -> anyhow::Result<()> {
    let file = opened.running(place.link)?;
    // Before anybody is told: a command that follows finds the process by this file.
    let _written = file.write(place.folder)?;
    say(&format!("{} runs: {}/  link {}", place.name, file.http, file.link));
    if let Some(authority) = &file.authority_sha256 {
        say(&format!("the front door's own authority, to be trusted once on each device: SHA-256 {authority}"));
    }
    let stopping = CancellationToken::new();
    let _guard = stopping.clone().drop_guard();
    if let Some(certificates) = opened.certificates.clone() {
        let folder = place.folder.to_owned();
        tokio::spawn(async move {
            let shown = certificates.clone();
            let told = |outcome: Result<(), &door::DoorError>| match outcome {
                Ok(()) => {
                    tracing::info!("the front door shows another certificate");
                    if let Err(error) = door::RunningFile::shows(&folder, &shown) {
                        tracing::error!(%error, "the file that says where the process runs cannot be written");
                    }
                }
                Err(error) => alarm(format!("the front door keeps its certificate: {error}")),
            };
            certificates.keep(stopping, told).await;
        });
    }
    let over = async move {
        tokio::select! {
            () = stop_signal() => {}
            () = ended.cancelled() => {}
        }
    };
    Ok(door::serve(opened.listener, opened.certificates, front, over).await?)
}

/// Ctrl-C, or the service manager's word.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "signals cannot be heard");
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_a_node_to_a_pack_or_nowhere() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        for (folder, file) in [("node", "wuji.toml"), ("pack", "pack.toml"), ("empty", "other")] {
            std::fs::create_dir(path(folder)).unwrap();
            std::fs::write(path(folder).join(file), "").unwrap();
        }
        assert_eq!(find(&path("node")).unwrap(), Found::Node(path("node")));
        let pack = Found::Pack { folder: path("pack"), file: path("pack/pack.toml") };
        assert_eq!(find(&path("pack")).unwrap(), pack);
        assert_eq!(find(&path("pack/pack.toml")).unwrap(), pack);
        let why = find(&path("empty")).unwrap_err().to_string();
        assert!(why.contains("holds neither a node (wuji.toml) nor a pack (pack.toml)"), "{why}");
    }
}
