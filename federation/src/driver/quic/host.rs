//! The host: one socket that listens and one that dials, for all nodes of a process.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use protocol::id::NodeId;
use protocol::wire::control::Enrolled;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::driver::ask::{AskError, Asker, Question};
use crate::driver::event::Event;
use crate::driver::join::{self, JoinError};
use crate::driver::settings::{HostSettings, Setup};
use crate::trust::tls::below::{Seat, Seats};
use crate::trust::{NodeKeys, Token, tls_name};

use super::capture::Capture;
use super::endpoint::Endpoint;
use super::node::Node;
use super::router::Router;
use super::{BindError, FAREWELL, accept, code, socket};

/// The nodes that are open, by TLS name. Held by their endpoints and tasks: a node holds its host, and so the host must
/// not hold it.
#[derive(Default)]
pub(super) struct Nodes(RwLock<HashMap<String, Weak<Node>>>);

impl Nodes {
    /// The node that a server name means.
    pub(super) fn by_name(&self, name: &str) -> Option<Arc<Node>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name)?.upgrade()
    }

    fn all(&self) -> Vec<Arc<Node>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().filter_map(Weak::upgrade).collect()
    }

    fn add(&self, node: &Arc<Node>) -> Result<(), BindError> {
        let mut nodes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let place = nodes.entry(tls_name(node.id)).or_default();
        if place.strong_count() > 0 {
            return Err(BindError::OpenAlready(node.id));
        }
        *place = Arc::downgrade(node);
        Ok(())
    }

    /// Takes this node away, and not another of the same id that was opened since.
    pub(super) fn remove(&self, node: &Node) {
        let mut nodes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let name = tls_name(node.id);
        if nodes.get(&name).is_some_and(|held| std::ptr::eq(held.as_ptr(), node)) {
            nodes.remove(&name);
        }
    }
}

impl Seats for Nodes {
    fn seat(&self, server_name: &str) -> Option<Seat> {
        self.by_name(server_name).map(|node| node.seat())
    }
}

impl std::fmt::Debug for Nodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Nodes").field(&self.0.read().unwrap_or_else(PoisonError::into_inner).len()).finish()
    }
}

/// What all nodes of a host share.
pub(super) struct Shared {
    pub(super) listening: quinn::Endpoint,
    pub(super) dialling: quinn::Endpoint,
    pub(super) nodes: Arc<Nodes>,
    pub(super) settings: HostSettings,
    pub(super) handshakes: Arc<Semaphore>,
    pub(super) asks: Arc<Semaphore>,
    pub(super) capture: Option<Capture>,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
    warnings: Vec<String>,
}

/// One process's sockets. Clones are the same host.
#[derive(Clone)]
pub struct Host(pub(super) Arc<Shared>);

impl Host {
    /// Opens the sockets and begins to accept, for no node yet. Must run inside a tokio runtime.
    pub fn bind(listen: SocketAddr, settings: HostSettings) -> Result<Self, BindError> {
        let nodes = Arc::new(Nodes::default());
        let below = socket::bind(listen, settings.socket_buffer)?;
        let above = socket::bind(SocketAddr::new(listen.ip(), 0), settings.socket_buffer)?;
        let server = socket::server(Router::new(nodes.clone(), settings.time.clone())?, &settings)?;
        let config = socket::endpoint_config(&settings)?;
        let shared = Arc::new(Shared {
            listening: socket::endpoint(config.clone(), Some(server), below.socket)?,
            dialling: socket::endpoint(config, None, above.socket)?,
            nodes,
            handshakes: Arc::new(Semaphore::new(settings.handshakes_max)),
            asks: Arc::new(Semaphore::new(settings.asks_max)),
            capture: settings.capture.as_deref().map(Capture::open).transpose()?,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            // Both sockets are asked for the same and limited alike.
            warnings: below.warning.into_iter().collect(),
            settings,
        });
        shared.tasks.spawn(accept::run(shared.clone()));
        Ok(Self(shared))
    }

    /// Opens a node on this host. Its children reach it from now on; it dials when it is told to. Dropping its last
    /// endpoint lets no newcomer in; [`Endpoint::shutdown`] ends its links too.
    pub fn open(&self, setup: Setup) -> Result<(Endpoint, mpsc::Receiver<Event>), BindError> {
        if self.0.stop.is_cancelled() {
            return Err(BindError::Closed);
        }
        let (node, events) = Node::new(self.0.clone(), setup)?;
        self.0.nodes.add(&node)?;
        Ok((Endpoint::of(node), events))
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.listening.local_addr()
    }

    /// What an operator should know and can mend, each with the command to run.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// Asks once, from the socket that dials. `request` makes the request from the connection's exporter value.
    pub async fn ask(
        &self,
        question: Question,
        request: impl FnOnce(&[u8; 32]) -> Vec<u8>,
    ) -> Result<Vec<u8>, AskError> {
        self.asker().ask(question, request).await
    }

    /// [`crate::driver::join()`] from the socket that dials.
    pub async fn join(&self, token: &Token, keys: &NodeKeys, node: NodeId) -> Result<Enrolled, JoinError> {
        join::join_from(&self.asker(), token, keys, node).await
    }

    fn asker(&self) -> Asker<'_> {
        Asker { quic: &self.0.dialling, settings: &self.0.settings }
    }

    /// Closes all nodes as [`Endpoint::shutdown`] does, then the sockets, and ends all tasks. The port is free again once
    /// the last clone of host and endpoints is dropped.
    pub async fn shutdown(&self) {
        self.0.stop.cancel();
        let mut leaving = JoinSet::new();
        for node in self.0.nodes.all() {
            leaving.spawn(async move { node.shutdown().await });
        }
        leaving.join_all().await;
        self.0.listening.close(code::DONE, b"shutting down");
        self.0.dialling.close(code::DONE, b"shutting down");
        self.0.tasks.close();
        let farewell = async {
            self.0.tasks.wait().await;
            self.0.listening.wait_idle().await;
            self.0.dialling.wait_idle().await;
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            tracing::warn!("the host ends before all its connections have");
        }
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("nodes", &self.0.nodes).finish_non_exhaustive()
    }
}
