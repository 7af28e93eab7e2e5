//! What an endpoint needs to know, and every limit of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use protocol::id::NodeId;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};

use crate::trust::tls::Chain;
use crate::trust::{Directory, NodeKeys, Registry};

/// The node above.
#[derive(Debug, Clone)]
pub struct Parent {
    /// Its id: the one name that is accepted.
    pub node: NodeId,
    /// `host:port`, looked up at every dial.
    pub address: String,
    /// SHA-256 of its TLS key, when it shall be pinned too.
    pub spki: Option<[u8; 32]>,
}

/// Who this endpoint is and whom it admits.
#[derive(Debug, Clone)]
pub struct Setup {
    /// This node.
    pub node: NodeId,
    /// Its keys.
    pub keys: Arc<NodeKeys>,
    /// Its certificates and the root.
    pub chain: Chain,
    /// The key directory.
    pub directory: Directory,
    /// The children it admits.
    pub registry: Registry,
    /// The parent it dials.
    pub parent: Option<Parent>,
    /// Limits.
    pub settings: Settings,
}

/// Limits and times.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A silent connection ends after this time.
    pub idle: Duration,
    /// The dialling side shows signs of life this often, or up to 10 s later.
    pub keep_alive: Duration,
    /// A handshake, and the opening of all lanes, may take so long.
    pub handshake: Duration,
    /// Handshakes under way at once; above it newcomers are refused.
    pub handshakes_max: usize,
    /// Requests to join under way at once.
    pub joins_max: usize,
    /// How long an asker waits for the node's answer before it is told to ask again.
    pub join_wait: Duration,
    /// Events that wait for the node; above it the lanes stop reading, and by their windows the peers stop sending. An
    /// event may hold a bundle of 1 MiB.
    pub events_max: usize,
    /// Bytes of each of the socket's two buffers.
    pub socket_buffer: usize,
    /// Segmentation offload: off on network cards where it fails.
    pub offload: bool,
    /// The clock for certificates.
    pub time: Arc<dyn TimeProvider>,
    /// Test aid: every frame sent is appended to this file in plain text, to prove what does not leave a node.
    pub capture: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(75),
            keep_alive: Duration::from_secs(15),
            handshake: Duration::from_secs(10),
            handshakes_max: 256,
            joins_max: 64,
            join_wait: Duration::from_secs(10),
            events_max: 4096,
            socket_buffer: 4 * 1024 * 1024,
            offload: true,
            time: Arc::new(DefaultTimeProvider),
            capture: None,
        }
    }
}
