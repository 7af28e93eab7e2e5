//! A node as a whole: founded or joined once, then started and stopped.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use casework::Me;
use federation::core::{Core, Kept, KeptLane, KeptLink, Limits};
use federation::driver::join::Way;
use federation::driver::settings::EVENTS_MAX;
use federation::driver::{Endpoint, Event, Gauge, Host, HostSettings, JoinError, Setup};
use federation::trust::{Authority, Directory, NodeKeys, Registry, Token};
use protocol::directory::Ancestor;
use protocol::division::DivisionCode;
use protocol::id::NodeId;
use protocol::wire::control::Enrolled;
use protocol::wire::later::Vocabulary;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::alarms::AlarmKind;
use crate::clock::{Clock, random_bytes};
use crate::config::{
    AttachmentsSection, Config, DatabaseSection, FiguresSection, HttpSection, LinkSection, NamesSection, NodeSection,
    PapersSection, ParentSection, Transport,
};
use crate::folder::Folder;
pub use crate::invite::{Wanted, give_token, give_token_for};
use crate::ops::loss;
use crate::oversight::Oversight;
use crate::person::realm::{PeopleSection, Realm};
use crate::person::vault::Vault;
use crate::shared::Shared;
use crate::store::trust::{Child, Route};
use crate::store::{self, Database, Patience, Store, StoreError, WriteStore};
use crate::trust::Standing;
use crate::writer::moves::Moving;
use crate::writer::port::{Port, WORK_QUEUE_MAX};
use crate::writer::publications::Publications;
use crate::writer::trust::Tending;
use crate::writer::{Parts, SUBTREE_WAITS, Writer, figures};

/// What is decided when a node is made.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where it hangs.
    pub division: DivisionCode,
    /// Name as shown.
    pub name: String,
    /// UDP address of the link.
    pub link: SocketAddr,
    /// `host:port` by which children reach it.
    pub advertise: String,
    /// TCP address of API and page.
    pub http: SocketAddr,
    /// A PostgreSQL URL; none: a SQLite file in the node's folder.
    pub database: Option<String>,
}

/// What nodes of one process share.
#[derive(Debug, Clone)]
pub(crate) struct House {
    /// The sockets.
    pub(crate) host: Host,
    /// The database, where not each node has its own.
    pub(crate) database: Option<Database>,
}

/// A node that runs.
pub struct Running {
    /// Its configuration.
    pub config: Config,
    /// Its folder.
    pub folder: Folder,
    /// Where requests go.
    pub port: Port,
    /// The reading side of its database.
    pub store: Store,
    /// The keys for what is private.
    pub vault: Arc<Vault>,
    /// Figures over the facts in the store.
    pub oversight: Arc<Oversight>,
    /// Links, line and alarms.
    pub shared: Arc<Shared>,
    /// Its clock.
    pub clock: Clock,
    endpoint: Endpoint,
    stopping: CancellationToken,
    ended: CancellationToken,
    writer: JoinHandle<Result<(), StoreError>>,
    /// Held as long as the node runs: a second process on one identity would be a clone.
    _lock: std::fs::File,
}

fn configuration(plan: &Plan, id: NodeId, parent: Option<ParentSection>) -> Config {
    Config {
        node: NodeSection { id, division: plan.division, name: plan.name.clone(), grid_kind: None },
        link: LinkSection::new(plan.link, plan.advertise.clone()),
        http: HttpSection::plain(plan.http),
        database: DatabaseSection { url: plan.database.clone(), standby: false },
        people: PeopleSection::default(),
        figures: FiguresSection::default(),
        attachments: AttachmentsSection::default(),
        names: NamesSection::default(),
        papers: PapersSection::default(),
        parent,
    }
}

fn refuse_existing(folder: &Folder) -> anyhow::Result<()> {
    if folder.is_node() {
        bail!("{} holds a node already; nothing was changed", folder.path().display());
    }
    std::fs::create_dir_all(folder.path()).with_context(|| format!("{} cannot be made", folder.path().display()))?;
    folder.keep_private()
}

/// Founds a federation: the top node with its authority.
pub async fn found(folder: &Folder, plan: &Plan) -> anyhow::Result<Config> {
    refuse_existing(folder)?;
    let clock = Clock::default();
    let keys = NodeKeys::generate()?;
    let node = NodeId::new(clock.wall(), random_bytes());
    let mut authority = Authority::found(&plan.name, clock.wall())?;
    let request = keys.join_request(protocol::id::TokenId::from_bytes([0; 16]), node, plan.division)?;
    let enrolled = authority.issue(&request, None, clock.wall())?;
    keys.save(&folder.keys())?;
    authority.save(&folder.authority())?;
    settle(folder, configuration(plan, node, None), &enrolled).await
}

/// Joins a federation with a token from the node above.
pub async fn join(folder: &Folder, plan: &Plan, token: &Token) -> anyhow::Result<Config> {
    join_as(folder, plan, token, Transport::Quic, &Clock::default()).await
}

/// [`join`] by a given clock.
pub async fn join_by(folder: &Folder, plan: &Plan, token: &Token, clock: &Clock) -> anyhow::Result<Config> {
    join_as(folder, plan, token, Transport::Quic, clock).await
}

/// [`join`] over a given transport, which carries the link from then on.
pub async fn join_over(folder: &Folder, plan: &Plan, token: &Token, over: Transport) -> anyhow::Result<Config> {
    join_as(folder, plan, token, over, &Clock::default()).await
}

async fn join_as(
    folder: &Folder,
    plan: &Plan,
    token: &Token,
    over: Transport,
    clock: &Clock,
) -> anyhow::Result<Config> {
    refuse_existing(folder)?;
    if token.division != plan.division {
        bail!("the token is for {}, not for {}", token.division, plan.division);
    }
    // Keys and id are kept from the first attempt on: a lost answer is asked for again with the same request.
    let (keys, node) = match (NodeKeys::load(&folder.keys()), folder.pending_id()) {
        (Ok(keys), Some(node)) if token.replaces.is_none_or(|replaced| replaced == node) => (keys, node),
        _ => {
            let keys = NodeKeys::generate()?;
            let node = token.replaces.unwrap_or_else(|| NodeId::new(clock.wall(), random_bytes()));
            keys.save(&folder.keys())?;
            folder.save_pending_id(node)?;
            (keys, node)
        }
    };
    let way = Way { bind: SocketAddr::new(plan.link.ip(), 0), over: over.into() };
    let enrolled = match federation::driver::join::join_at(token, &keys, node, way, clock.joining(token)).await {
        Ok(enrolled) => enrolled,
        Err(JoinError::Refused(why)) => {
            // No token will ever fit these keys: a folder with keys alone would only puzzle whoever finds it.
            folder.forget_join();
            return Err(anyhow::Error::new(why).context("the node above did not let us in; nothing was kept"));
        }
        Err(error) => {
            let again = format!(
                "the node above did not let us in; the keys in {} are kept: say the same again with the same token",
                folder.keys().display()
            );
            return Err(anyhow::Error::new(error).context(again));
        }
    };
    let parent = ParentSection { id: token.parent, address: token.address.clone(), transport: over };
    settle(folder, configuration(plan, node, Some(parent)), &enrolled).await
}

/// Writes what a new node starts from; the configuration last, because it is what makes the folder a node.
async fn settle(folder: &Folder, config: Config, enrolled: &Enrolled) -> anyhow::Result<Config> {
    folder.save_enrolled(enrolled)?;
    folder.make_operator_token()?;
    Vault::create(&folder.keys())?;
    let database = Database::open(&config.place(folder)).await?;
    let mut write = database.write_store(config.node.id);
    write.set_meta("division", &config.node.division.to_string()).await?;
    write.put_entry(&enrolled.entry).await?;
    write.set_ancestors(&enrolled.ancestors).await?;
    drop(write);
    // Closed before the folder is handed on: whoever copies it finds all of it in the file, and not in a log beside it.
    database.close().await;
    config.save(folder.path())?;
    Ok(config)
}

/// What the link core starts from.
pub(crate) async fn kept(store: &mut WriteStore, line: &[Ancestor]) -> Result<Kept, StoreError> {
    let links = store
        .links()
        .await?
        .into_iter()
        .map(|(peer, (incarnation, peer_incarnation, peer_counter_seen, lanes))| {
            let mut kept = [KeptLane::default(); 3];
            for (to, (received, last, acked)) in kept.iter_mut().zip(lanes) {
                *to = KeptLane { received, last, acked };
            }
            KeptLink { peer, incarnation, peer_incarnation, peer_counter_seen, lanes: kept }
        })
        .collect();
    let children = store.children().await?.into_iter().map(|child| child.node).collect();
    let routes = store.routes().await?.into_iter().map(|route| (route.member, route.via)).collect();
    let former = store.former_ways().await?;
    Ok(Kept { links, children, routes, former, ancestors: line.to_vec(), seed: random_bytes() })
}

/// What is read of a database when a node starts.
struct Loaded {
    line: Vec<Ancestor>,
    children: Vec<Child>,
    routes: Vec<Route>,
    directory: Directory,
    serial: u64,
}

async fn load(store: &mut WriteStore, standing: &Standing) -> anyhow::Result<Loaded> {
    let directory = Directory::new(standing.anchors.present());
    directory.trust(standing.anchors.issuers());
    let mut serial = standing.mandates.iter().map(|signed| signed.mandate.serial).max().unwrap_or(0);
    for revoked in store.revocations().await? {
        serial = serial.max(revoked.revocation.serial);
        directory.revoke(revoked.revocation.node, revoked.revocation.serial);
    }
    for entry in store.entries().await?.into_iter().chain([standing.newest.enrolled.entry]) {
        serial = serial.max(entry.entry.serial);
        if directory.restore(entry).is_err() {
            bail!("the directory holds an entry that the authority did not sign: {}", entry.entry.node);
        }
    }
    Ok(Loaded {
        line: store.ancestors().await?,
        children: store.children().await?,
        routes: store.routes().await?,
        directory,
        serial,
    })
}

/// Where the database says which key file belongs to it.
pub(crate) const VAULT_META: &str = "persons-key";

/// The keys for what is private, given to the writing side too. A database that was written with keys is never opened with
/// others: what would be stored then could not be read with either.
pub async fn open_vault(folder: &Folder, write: &mut WriteStore) -> anyhow::Result<Arc<Vault>> {
    let written = write.meta(VAULT_META).await?;
    if written.is_none() {
        Vault::create(&folder.keys())?;
    }
    let vault = Arc::new(Vault::load(&folder.keys())?);
    match written {
        Some(check) if check != vault.check() => bail!(
            "{} does not belong to this database; nothing was changed. Bring back the file that was there when the \
             database was last used",
            folder.keys().join(crate::person::vault::FILE_NAME).display()
        ),
        Some(_) => {}
        None => write.set_meta(VAULT_META, &vault.check()).await?,
    }
    write.open_vault(vault.clone());
    Ok(vault)
}

impl Running {
    /// Starts the node of a folder.
    pub async fn start(folder: Folder) -> anyhow::Result<Self> {
        let config = Config::load(folder.path())?;
        Self::start_with(folder, config).await
    }

    /// Starts the node of a folder with a configuration of one's own.
    pub async fn start_with(folder: Folder, config: Config) -> anyhow::Result<Self> {
        Self::start_by(folder, config, Clock::default()).await
    }

    /// Starts the node of a folder by a given clock.
    pub async fn start_by(folder: Folder, config: Config, clock: Clock) -> anyhow::Result<Self> {
        Self::start_at(folder, config, None, clock, Vocabulary::default()).await
    }

    /// Starts the node of a folder with a program that reads these kinds: how an earlier version is played.
    pub async fn start_reading(folder: Folder, config: Config, vocabulary: Vocabulary) -> anyhow::Result<Self> {
        Self::start_at(folder, config, None, Clock::default(), vocabulary).await
    }

    /// Starts the node of a folder in a house that it shares with others; without one it has its own socket and database.
    pub(crate) async fn start_in(folder: Folder, config: Config, house: Option<&House>) -> anyhow::Result<Self> {
        Self::start_at(folder, config, house, Clock::default(), Vocabulary::default()).await
    }

    async fn start_at(
        folder: Folder,
        config: Config,
        house: Option<&House>,
        clock: Clock,
        vocabulary: Vocabulary,
    ) -> anyhow::Result<Self> {
        let me = Me { node: config.node.id, division: config.node.division };
        let lock = folder.lock()?;
        let patience = if config.database.standby { Patience::StandBy } else { Patience::Refuse };
        let address = config.http.listen.to_string();
        let (store, mut write) = match house.and_then(|house| house.database.as_ref()) {
            Some(database) => {
                let mut write = database.write_store(me.node);
                write.take_lease(patience, &address).await?;
                (database.store(me.node), write)
            }
            None => store::open_to_run(&config.place(&folder), me.node, patience, &address).await?,
        };
        let standing = Standing::load(&folder, &config, &mut write, &clock).await?;
        let vault = open_vault(&folder, &mut write).await?;
        let store = store.with_vault(vault.clone());
        let loaded = load(&mut write, &standing).await?;
        let shared = Arc::new(Shared::default());
        shared.set_line(&loaded.line);
        for missing in store.dropped_escalations().await? {
            shared.alarm(AlarmKind::Figures, figures::dropped(&missing), clock.wall());
        }
        let registry = Registry::new();
        for child in &loaded.children {
            registry.admit(child.spki, child.node);
        }
        for (child, spki) in write.earlier_keys().await? {
            registry.admit(spki, child);
        }
        for route in &loaded.routes {
            shared.registered(route.member, route.division, route.via);
        }
        let authority = load_authority(&folder, loaded.serial)?;
        let setup = Setup {
            node: me.node,
            keys: standing.shown().keys.clone(),
            chain: standing.chain()?,
            roots: standing.anchors.roots(),
            directory: loaded.directory.clone(),
            registry: registry.clone(),
            parent: standing.above(),
            events_max: EVENTS_MAX,
        };
        let (endpoint, events) = open_link(&config, house, setup, &standing)?;
        let identity = standing.identity();
        let limits = Limits {
            retry_min_ms: config.link.retry_min_ms,
            retry_max_ms: config.link.retry_max_ms,
            ..Limits::default()
        };
        let kept = kept(&mut write, &loaded.line).await?;
        let moving = Moving::load(&mut write, &kept.former).await?;
        let core = Core::resume(identity, kept, limits);
        let now = clock.reading().corrected();
        let mut publications = Publications::load(&mut write, me, &loaded.line, now).await?;
        publications.put_places(moving.places());
        // Children that hang elsewhere by now may come as far as to be told so.
        for order in moving.gone().map(|signed| &signed.order) {
            registry.admit(order.entry.entry.tls_spki_sha256, order.node());
        }
        shared.put_in_force(publications.holds());
        let waits = write.meta(SUBTREE_WAITS).await?.is_some_and(|waits| waits == "1");
        // Twice the longest wait between dials: until then every node that is not cut off has heard of a new root.
        let tending = Tending::new(config.node.name.clone(), config.link.retry_max_ms.saturating_mul(2), waits);
        let room = write.is_a_file().then(|| folder.path().to_owned());
        let (sender, requests) = mpsc::channel(WORK_QUEUE_MAX);
        let writer = Writer::new(Parts {
            me,
            keys: standing.newest.keys.clone(),
            directory: loaded.directory,
            registry,
            authority,
            core,
            store: write,
            endpoint: endpoint.clone(),
            clock: clock.clone(),
            line: loaded.line,
            publications,
            pace: config.figures.pace(),
            shared: shared.clone(),
            standing,
            tending,
            moving,
            room,
            vocabulary,
        });
        let stopping = CancellationToken::new();
        let ended = CancellationToken::new();
        let writer = tokio::spawn({
            let (stopping, ended) = (stopping.clone(), ended.clone().drop_guard());
            async move {
                let _ended = ended;
                writer.run(requests, events, stopping).await
            }
        });
        let watched = loss::Watched {
            folder: folder.clone(),
            store: store.clone(),
            shared: shared.clone(),
            parent: config.parent.as_ref().map(|p| p.id),
            clock: clock.clone(),
        };
        loss::watch(watched, stopping.clone());
        Ok(Self {
            config,
            folder,
            port: Port { sender },
            oversight: Oversight::at(me.division, store.clone()),
            store,
            vault,
            shared,
            clock,
            endpoint,
            stopping,
            ended,
            writer,
            _lock: lock,
        })
    }

    /// A realm whose tables are in this node's database: the node's own people, or those of the pack that it stands for.
    pub fn realm(&self, id: NodeId, policy: PeopleSection) -> Realm {
        Realm::new(self.store.people(id), self.port.clone(), self.vault.clone(), policy)
    }

    /// What can be read off its link.
    pub(crate) fn gauge(&self) -> Gauge {
        self.endpoint.gauge()
    }

    /// The address that the link listens on.
    pub fn link_address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.endpoint.local_addr()?)
    }

    /// Ends when the writer has: it was told to stop, its database failed, or another process has taken over.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// Stops: links are closed, what was accepted is on disk.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.endpoint.shutdown().await;
        drop(self.port);
        self.stopping.cancel();
        self.writer.await.context("the writer broke off")?.map_err(|error| match error {
            StoreError::LeaseLost => anyhow::Error::new(error),
            error => anyhow::Error::new(error).context("the database failed"),
        })
    }
}

fn open_link(
    config: &Config,
    house: Option<&House>,
    setup: Setup,
    standing: &Standing,
) -> anyhow::Result<(Endpoint, mpsc::Receiver<Event>)> {
    match house {
        Some(house) => house.host.open(setup).context("the node has no place on the pack's socket"),
        None => {
            let (capture, time) = (config.link.capture.clone(), standing.time.clone());
            let settings = HostSettings { capture, time, tcp: config.link.tcp, ..HostSettings::default() };
            let opened = Endpoint::bind(config.link.listen, settings, setup)
                .with_context(|| format!("the link cannot listen on {}", config.link.places()))?;
            opened.0.host().warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
            Ok(opened)
        }
    }
}

fn load_authority(folder: &Folder, serial: u64) -> anyhow::Result<Option<Authority>> {
    let path: &Path = &folder.authority();
    if !path.is_dir() {
        return Ok(None);
    }
    let mut authority = Authority::load(path).context("the authority's keys cannot be read")?;
    authority.resume_after(serial);
    Ok(Some(authority))
}
