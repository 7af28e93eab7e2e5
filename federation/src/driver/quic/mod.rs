//! The endpoint: one UDP socket that listens for children and joiners and dials the parent.

mod accept;
mod capture;
mod lane;
mod link;
pub(super) mod socket;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::id::NodeId;
use quinn::{ClientConfig, Connection, ConnectionError, TokioRuntime};
use rustls_pki_types::CertificateDer;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::trust::tls::{self, TlsError};
use crate::trust::tls_name;

use super::event::Event;
use super::settings::Setup;
use crate::core::FrameOut;
use capture::Capture;
use link::Link;

/// Addresses of one name that a dial tries.
const ADDRESSES_MAX: usize = 4;
/// How long a shutdown waits for peers to hear of it.
const FAREWELL: Duration = Duration::from_secs(2);

/// Application error codes of QUIC; the reason beside them is for people.
pub(super) mod code {
    use quinn::VarInt;

    /// In order.
    pub(in crate::driver) const DONE: VarInt = VarInt::from_u32(0);
    /// The peer is not who may speak here.
    pub(in crate::driver) const IDENTITY: VarInt = VarInt::from_u32(1);
    /// A frame that no honest peer sends.
    pub(in crate::driver) const FRAMING: VarInt = VarInt::from_u32(2);
    /// Lanes missing, late, or ended.
    pub(in crate::driver) const LANES: VarInt = VarInt::from_u32(3);
    /// A request to join that is not one, or too many of them.
    pub(in crate::driver) const JOIN: VarInt = VarInt::from_u32(4);
}

/// Why an endpoint cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The socket or the capture file.
    #[error("socket: {0}")]
    Io(#[from] io::Error),
    /// Certificates or keys.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A setting that QUIC does not take.
    #[error("unusable setting: {0}")]
    Setting(&'static str),
}

/// What all tasks of an endpoint share.
struct Inner {
    quic: quinn::Endpoint,
    setup: Setup,
    client: Option<ClientConfig>,
    events: mpsc::Sender<Event>,
    links: Mutex<HashMap<u64, Arc<Link>>>,
    numbers: AtomicU64,
    handshakes: Arc<Semaphore>,
    joins: Arc<Semaphore>,
    capture: Option<Arc<Capture>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Inner {
    fn links(&self) -> MutexGuard<'_, HashMap<u64, Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    async fn tell(&self, event: Event) {
        // Without a receiver the node is gone, and this endpoint is about to.
        let _ = self.events.send(event).await;
    }

    /// The child at the other end, by certificate and registry.
    fn child_of(&self, connection: &Connection) -> Option<NodeId> {
        let chain = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
        tls::admitted_child(chain.first()?, &self.setup.registry)
    }
}

/// An open endpoint. Clones are the same endpoint.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

impl Endpoint {
    /// Opens the socket and begins to accept. Must run inside a tokio runtime.
    pub fn bind(listen: SocketAddr, setup: Setup) -> Result<(Self, mpsc::Receiver<Event>), BindError> {
        let settings = &setup.settings;
        let udp = socket::bind(listen, settings.socket_buffer)?;
        let server = socket::server(&setup)?;
        let config = socket::endpoint_config(&setup.keys);
        let quic = quinn::Endpoint::new(config, Some(server), udp, Arc::new(TokioRuntime))?;
        let client = match &setup.parent {
            None => None,
            Some(parent) => {
                let time = settings.time.clone();
                let tls = tls::link_config(&setup.keys, &setup.chain, parent.node, parent.spki, time)?;
                Some(socket::client(tls, settings)?)
            }
        };
        let capture = settings.capture.as_deref().map(Capture::open).transpose()?.map(Arc::new);
        let (events, receiver) = mpsc::channel(settings.events_max.max(1));
        let inner = Arc::new(Inner {
            quic,
            client,
            events,
            links: Mutex::default(),
            numbers: AtomicU64::new(1),
            handshakes: Arc::new(Semaphore::new(settings.handshakes_max)),
            joins: Arc::new(Semaphore::new(settings.joins_max)),
            capture,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            setup,
        });
        inner.tasks.spawn(accept::run(inner.clone()));
        Ok((Self(inner), receiver))
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.quic.local_addr()
    }

    /// Dials the parent. `Opened` or `DialFailed` follows.
    pub fn dial(&self) {
        let inner = self.0.clone();
        self.0.tasks.spawn(async move {
            let outcome = tokio::select! {
                () = inner.stop.cancelled() => return,
                outcome = connect(&inner) => outcome,
            };
            let outcome = match outcome {
                Ok((connection, parent)) => link::run(inner.clone(), connection, parent, true).await,
                Err(why) => Err(why),
            };
            if let Err(why) = outcome {
                inner.tell(Event::DialFailed { why }).await;
            }
        });
    }

    /// Queues a frame and returns at once; does nothing when there is no such connection, as `Closed` has said. The queues
    /// have no bound of their own: the core bounds bundles by the peer's credit and control frames by what it is asked.
    pub fn send(&self, connection: u64, frame: FrameOut) {
        let link = self.0.links().get(&connection).cloned();
        if let Some(link) = link {
            link.queue(frame);
        }
    }

    /// Closes a connection after what waits on its control lane, in a second at most. Bundles that wait are not sent.
    pub fn close(&self, connection: u64, why: &str) {
        let link = self.0.links().remove(&connection);
        if let Some(link) = link {
            let why = why.to_owned();
            self.0.tasks.spawn(async move { link.farewell(code::DONE, &why).await });
        }
    }

    /// Closes all connections at once.
    pub fn close_all(&self, why: &str) {
        let links: Vec<_> = self.0.links().values().cloned().collect();
        links.iter().for_each(|link| link.close(code::DONE, why));
    }

    /// Closes all connections of a peer: what makes a change of the registry apply to live links.
    pub fn disconnect(&self, peer: NodeId, why: &str) {
        let links: Vec<_> = self.0.links().values().filter(|l| l.peer == peer).cloned().collect();
        links.iter().for_each(|link| link.close(code::IDENTITY, why));
    }

    /// Closes everything, tells the peers, and ends all tasks. Keep reading events until it returns, or drop the receiver
    /// first. Its tasks hold an endpoint: without this call it lives as long as the runtime. The port is free again once
    /// the last clone is dropped.
    pub async fn shutdown(&self) {
        self.0.stop.cancel();
        let mut farewells = JoinSet::new();
        for (_, link) in self.0.links().drain() {
            farewells.spawn(async move { link.farewell(code::DONE, "shutting down").await });
        }
        farewells.join_all().await;
        self.0.quic.close(code::DONE, b"shutting down");
        self.0.tasks.close();
        let farewell = async {
            self.0.tasks.wait().await;
            self.0.quic.wait_idle().await;
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            tracing::warn!("the endpoint ends before all its connections have");
        }
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("node", &self.0.setup.node).finish_non_exhaustive()
    }
}

async fn connect(inner: &Inner) -> Result<(Connection, NodeId), String> {
    let (Some(parent), Some(config)) = (&inner.setup.parent, &inner.client) else {
        return Err("there is no parent to dial".into());
    };
    let limit = inner.setup.settings.handshake;
    let connection = reach(&inner.quic, config, &parent.address, parent.node, limit).await?;
    Ok((connection, parent.node))
}

/// Connects to a node at `host:port`, trying the addresses of the name one after the other, `limit` in all.
pub(super) async fn reach(
    quic: &quinn::Endpoint,
    config: &ClientConfig,
    address: &str,
    node: NodeId,
    limit: Duration,
) -> Result<Connection, String> {
    let failed = |why: String| format!("{address}: {why}");
    let v6 = quic.local_addr().map_err(|e| failed(e.to_string()))?.is_ipv6();
    let found = match tokio::time::timeout(limit, tokio::net::lookup_host(address)).await {
        Ok(found) => found.map_err(|e| failed(e.to_string()))?,
        Err(_) => return Err(failed("the name is not resolved in time".into())),
    };
    let usable: Vec<_> = found.filter(|a| v6 || a.is_ipv4()).take(ADDRESSES_MAX).collect();
    let share = limit.checked_div(u32::try_from(usable.len()).unwrap_or(1)).unwrap_or(limit);
    let mut why = "no usable address".to_owned();
    for one in usable {
        let connecting = match quic.connect_with(config.clone(), one, &tls_name(node)) {
            Ok(connecting) => connecting,
            Err(error) => {
                why = error.to_string();
                continue;
            }
        };
        match tokio::time::timeout(share, connecting).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => why = reason(&error),
            Err(_) => why = "no answer in time".to_owned(),
        }
    }
    Err(failed(why))
}

/// What the other side said at the end, or what happened to the connection.
pub(super) fn reason(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ApplicationClosed(close) => {
            format!("closed by the peer: {}", String::from_utf8_lossy(&close.reason))
        }
        other => other.to_string(),
    }
}
