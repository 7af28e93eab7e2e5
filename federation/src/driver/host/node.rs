//! One node on a host: what it shows, whom it believes and dials, its links and tasks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use protocol::id::NodeId;
use rustls_pki_types::CertificateDer;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::driver::connection::{Connection, code};
use crate::driver::dial::Client;
use crate::driver::event::Event;
use crate::driver::link::Link;
use crate::driver::settings::{Parent, Setup};
use crate::trust::tls::below::{Seat, admitted_child};
use crate::trust::tls::{Believed, Chain, Credentials, TlsError, above, names};
use crate::trust::{Directory, NodeKeys, Registry};

use super::{BindError, FAREWELL, Shared};

/// What all tasks of a node share.
pub(in crate::driver) struct Node {
    pub(in crate::driver) host: Arc<Shared>,
    pub(in crate::driver) id: NodeId,
    pub(in crate::driver) directory: Directory,
    pub(in crate::driver) registry: Registry,
    pub(in crate::driver) events: mpsc::Sender<Event>,
    pub(in crate::driver) stop: CancellationToken,
    pub(in crate::driver) tasks: TaskTracker,
    standing: Mutex<Standing>,
    /// Held by their tasks, so that nothing keeps a socket open when a runtime ends without a word.
    links: Mutex<HashMap<u64, Weak<Link>>>,
    numbers: AtomicU64,
}

/// What may change while the node runs. Connections take what holds when they begin.
struct Standing {
    credentials: Arc<Credentials>,
    roots: Arc<[CertificateDer<'static>]>,
    parent: Option<Parent>,
    /// For the parent, made at the first dial after a change.
    client: Option<Client>,
}

/// Whom to dial, and how.
pub(in crate::driver) struct Dial {
    pub(in crate::driver) parent: Parent,
    pub(in crate::driver) client: Client,
}

impl Node {
    pub(in crate::driver) fn new(
        host: Arc<Shared>,
        setup: Setup,
    ) -> Result<(Arc<Self>, mpsc::Receiver<Event>), BindError> {
        let Setup { node: id, keys, chain, roots, directory, registry, parent, events_max } = setup;
        let roots = if roots.is_empty() { vec![chain.root.clone()] } else { roots };
        let credentials = Arc::new(Credentials::new(&keys, &chain, Believed::new(&roots)?)?);
        let standing = Standing { credentials, roots: roots.into(), parent, client: None };
        let (events, receiver) = mpsc::channel(events_max.max(1));
        let node = Arc::new(Self {
            stop: host.stop.child_token(),
            host,
            id,
            directory,
            registry,
            events,
            tasks: TaskTracker::new(),
            standing: Mutex::new(standing),
            links: Mutex::default(),
            numbers: AtomicU64::new(1),
        });
        Ok((node, receiver))
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::driver) fn seat(&self) -> Seat {
        Seat { credentials: self.standing().credentials.clone(), registry: self.registry.clone() }
    }

    /// See [`super::Endpoint::present`].
    pub(in crate::driver) fn present(&self, keys: &NodeKeys, chain: &Chain) -> Result<(), TlsError> {
        names(chain, self.id)?;
        let mut standing = self.standing();
        let believed = standing.credentials.believed().clone();
        standing.credentials = Arc::new(Credentials::new(keys, chain, believed)?);
        standing.client = None;
        Ok(())
    }

    /// See [`super::Endpoint::trust`].
    pub(in crate::driver) fn trust(&self, roots: Vec<CertificateDer<'static>>) -> Result<(), TlsError> {
        let believed = Believed::new(&roots)?;
        let mut standing = self.standing();
        standing.credentials = Arc::new(standing.credentials.believing(believed));
        standing.roots = roots.into();
        standing.client = None;
        Ok(())
    }

    /// See [`super::Endpoint::reparent`].
    pub(in crate::driver) fn reparent(&self, parent: Option<Parent>) {
        let mut standing = self.standing();
        standing.parent = parent;
        standing.client = None;
    }

    /// The parent and the roots.
    pub(in crate::driver) fn above(&self) -> Option<(Parent, Vec<CertificateDer<'static>>)> {
        let standing = self.standing();
        standing.parent.clone().map(|parent| (parent, standing.roots.to_vec()))
    }

    /// Whom to dial now; nobody without a parent.
    pub(in crate::driver) fn whom(&self) -> Result<Option<Dial>, BindError> {
        let settings = &self.host.settings;
        let mut standing = self.standing();
        let Some(parent) = standing.parent.clone() else { return Ok(None) };
        let client = match &standing.client {
            Some(client) => client.clone(),
            None => {
                let (node, spki) = (parent.node, parent.spki);
                let tls = above::link_config(
                    &standing.credentials,
                    node,
                    spki,
                    settings.time.clone(),
                    &parent.transport.protocols(),
                )?;
                standing.client.insert(Client::new(tls, parent.transport, settings)?).clone()
            }
        };
        Ok(Some(Dial { parent, client }))
    }

    fn links(&self) -> MutexGuard<'_, HashMap<u64, Weak<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All links that live.
    pub(in crate::driver) fn live(&self) -> Vec<Arc<Link>> {
        self.links().values().filter_map(Weak::upgrade).collect()
    }

    /// A link that lives.
    pub(in crate::driver) fn link(&self, number: u64) -> Option<Arc<Link>> {
        self.links().get(&number)?.upgrade()
    }

    /// Makes a link known.
    pub(in crate::driver) fn keep(&self, link: &Arc<Link>) {
        self.links().insert(link.number, Arc::downgrade(link));
    }

    /// Forgets a link: nothing is sent on it any more.
    pub(in crate::driver) fn forget(&self, number: u64) -> Option<Arc<Link>> {
        self.links().remove(&number)?.upgrade()
    }

    pub(in crate::driver) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(in crate::driver) async fn tell(&self, event: Event) {
        // Without a receiver the node is gone, and this endpoint is about to.
        let _ = self.events.send(event).await;
    }

    /// The child at the other end, by certificate and registry.
    pub(in crate::driver) fn child_of(&self, connection: &Connection) -> Option<NodeId> {
        admitted_child(&connection.certificate()?, &self.registry)
    }

    /// See [`super::Endpoint::shutdown`].
    pub(in crate::driver) async fn shutdown(&self) {
        self.host.nodes.remove(self);
        self.stop.cancel();
        let mut farewells = JoinSet::new();
        for link in self.live() {
            self.forget(link.number);
            farewells.spawn(async move { link.farewell(code::DONE, "shutting down").await });
        }
        farewells.join_all().await;
        self.tasks.close();
        if tokio::time::timeout(FAREWELL, self.tasks.wait()).await.is_err() {
            tracing::warn!(node = %self.id, "the node ends before all its connections have");
        }
    }
}
