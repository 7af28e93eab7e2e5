//! The host: where a process listens and dials, for all its nodes; the nodes, and whom they let in.

pub(super) mod admit;
mod answer;
pub(super) mod capture;
mod endpoint;
mod gauge;
pub(super) mod node;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use protocol::id::NodeId;
use protocol::wire::control::Enrolled;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::driver::ask::{AskError, Asker, Question};
use crate::driver::connection::code;
use crate::driver::dial::Dialler;
use crate::driver::event::Event;
use crate::driver::join::{self, JoinError};
use crate::driver::network::Bound;
use crate::driver::quic::router::Router;
use crate::driver::quic::socket;
use crate::driver::settings::{HostSettings, Setup, Transport};
use crate::driver::{quic, tcp};
use crate::trust::tls::TlsError;
use crate::trust::tls::below::{Seat, Seats};
use crate::trust::{NodeKeys, Token, tls_name};

use capture::Capture;
use node::Node;

pub use endpoint::Endpoint;
pub use gauge::{Gauge, NotLetIn};

/// How long a shutdown waits for peers to hear of it. QUIC remembers a dial that was refused for three seconds, and keeps its
/// socket so long.
const FAREWELL: Duration = Duration::from_secs(4);
/// Ports that are tried when any will do and it is to be free for UDP and TCP alike.
const PORTS_TRIED_MAX: usize = 16;

/// Why a host or a node on it cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The socket or the capture file.
    #[error("socket: {0}")]
    Io(#[from] io::Error),
    /// The port is not free for TCP.
    #[error("TCP {0}: {1}")]
    Tcp(SocketAddr, io::Error),
    /// Certificates or keys.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A setting that the transport does not take.
    #[error("unusable setting: {0}")]
    Setting(&'static str),
    /// The node is open on this host.
    #[error("node {0} is open on this host already; the one that runs goes on")]
    OpenAlready(NodeId),
    /// The host has been shut down.
    #[error("the host is shut down")]
    Closed,
}

/// The nodes that are open, by TLS name. Held by their endpoints and tasks: a node holds its host, and so the host must
/// not hold it.
#[derive(Default)]
pub(in crate::driver) struct Nodes(RwLock<HashMap<String, Weak<Node>>>);

impl Nodes {
    /// The node that a server name means.
    pub(in crate::driver) fn by_name(&self, name: &str) -> Option<Arc<Node>> {
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
    pub(in crate::driver) fn remove(&self, node: &Node) {
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
pub(in crate::driver) struct Shared {
    pub(in crate::driver) listening: quinn::Endpoint,
    pub(in crate::driver) dialling: Dialler,
    pub(in crate::driver) nodes: Arc<Nodes>,
    pub(in crate::driver) settings: HostSettings,
    pub(in crate::driver) handshakes: Arc<Semaphore>,
    pub(in crate::driver) tcp_handshakes: Arc<Semaphore>,
    pub(in crate::driver) asks: Arc<Semaphore>,
    pub(in crate::driver) counts: Arc<gauge::Counts>,
    pub(in crate::driver) capture: Option<Capture>,
    pub(in crate::driver) stop: CancellationToken,
    pub(in crate::driver) tasks: TaskTracker,
    warnings: Vec<String>,
}

/// One process's sockets. Clones are the same host.
#[derive(Clone)]
pub struct Host(pub(in crate::driver) Arc<Shared>);

impl Host {
    /// Opens the sockets and begins to accept, for no node yet. Must run inside a tokio runtime.
    pub fn bind(listen: SocketAddr, settings: HostSettings) -> Result<Self, BindError> {
        let nodes = Arc::new(Nodes::default());
        let (below, listener) = bind(listen, &settings)?;
        let above = settings.network.udp(SocketAddr::new(listen.ip(), 0), settings.socket_buffer)?;
        let server = socket::server(Router::new(nodes.clone(), settings.time.clone())?, &settings)?;
        let config = socket::endpoint_config(&settings)?;
        let tasks = TaskTracker::new();
        let quic = socket::endpoint(config.clone(), None, above.socket)?;
        let shared = Arc::new(Shared {
            listening: socket::endpoint(config, Some(server), below.socket)?,
            dialling: Dialler { quic, network: settings.network.clone(), tasks: tasks.clone() },
            nodes,
            handshakes: Arc::new(Semaphore::new(settings.handshakes_max)),
            tcp_handshakes: Arc::new(Semaphore::new(settings.handshakes_max)),
            asks: Arc::new(Semaphore::new(settings.asks_max)),
            counts: Arc::default(),
            capture: settings.capture.as_deref().map(Capture::open).transpose()?,
            stop: CancellationToken::new(),
            tasks,
            // Both sockets are asked for the same and limited alike.
            warnings: below.warning.into_iter().collect(),
            settings,
        });
        shared.tasks.spawn(quic::accept::run(shared.clone()));
        if let Some(listener) = listener {
            shared.tasks.spawn(tcp::accept::run(shared.clone(), listener));
        }
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
    pub async fn join(
        &self,
        token: &Token,
        keys: &NodeKeys,
        node: NodeId,
        over: Transport,
    ) -> Result<Enrolled, JoinError> {
        join::join_from(&self.asker(), token, keys, node, over).await
    }

    fn asker(&self) -> Asker<'_> {
        Asker { from: &self.0.dialling, settings: &self.0.settings }
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
        self.0.listening.close(code::DONE.into(), b"shutting down");
        self.0.dialling.quic.close(code::DONE.into(), b"shutting down");
        self.0.tasks.close();
        let farewell = async {
            self.0.tasks.wait().await;
            self.0.listening.wait_idle().await;
            self.0.dialling.quic.wait_idle().await;
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            tracing::warn!("the host ends before all its connections have");
        }
    }
}

/// The UDP socket that listens and, where it is wanted, a TCP listener at the same number.
fn bind(listen: SocketAddr, settings: &HostSettings) -> Result<(Bound, Option<TcpListener>), BindError> {
    let mut tried = 0_usize;
    loop {
        let bound = settings.network.udp(listen, settings.socket_buffer)?;
        if !settings.tcp {
            return Ok((bound, None));
        }
        let at = bound.socket.local_addr()?;
        match tcp::socket::listen(at) {
            Ok(listener) => return Ok((bound, Some(listener))),
            // The kernel chose the number with UDP in mind.
            Err(_) if listen.port() == 0 && tried < PORTS_TRIED_MAX => tried = tried.saturating_add(1),
            Err(error) => return Err(BindError::Tcp(at, error)),
        }
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("nodes", &self.0.nodes).finish_non_exhaustive()
    }
}
