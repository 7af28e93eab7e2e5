//! What a host and its nodes need to know, and every limit of them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use protocol::id::NodeId;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls_pki_types::CertificateDer;

use crate::trust::tls::{self, Chain, Protocols};
use crate::trust::{Directory, NoRandomness, NodeKeys, Registry, random};

use super::host::BindError;
use super::network::{Machine, Network};

/// Events that wait for a node, unless it says otherwise.
pub const EVENTS_MAX: usize = 4096;

/// What carries a link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Transport {
    /// QUIC over UDP.
    #[default]
    Quic,
    /// TLS over TCP, for networks that let no UDP pass.
    Tcp,
}

impl Transport {
    /// What is spoken over it.
    pub(super) fn protocols(self) -> Protocols {
        match self {
            Self::Quic => tls::OVER_QUIC,
            Self::Tcp => tls::OVER_TCP,
        }
    }
}

/// The node above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Its id: the one name that is accepted.
    pub node: NodeId,
    /// `host:port`, looked up at every dial.
    pub address: String,
    /// SHA-256 of its TLS key, when it shall be pinned too.
    pub spki: Option<[u8; 32]>,
    /// What carries the link to it, and what is asked of it.
    pub transport: Transport,
}

/// One node: who it is and whom it admits.
#[derive(Debug, Clone)]
pub struct Setup {
    /// This node.
    pub node: NodeId,
    /// Its keys.
    pub keys: Arc<NodeKeys>,
    /// Its certificates and the root.
    pub chain: Chain,
    /// The roots it believes; when empty, that of its own chain.
    pub roots: Vec<CertificateDer<'static>>,
    /// The key directory.
    pub directory: Directory,
    /// The children it admits.
    pub registry: Registry,
    /// The parent it dials.
    pub parent: Option<Parent>,
    /// Events that wait for the node; above it the lanes stop reading, and by their windows the peers stop sending. An
    /// event may hold a bundle of 1 MiB.
    pub events_max: usize,
}

/// Limits, times and secrets of a process, shared by all its nodes.
#[derive(Debug, Clone)]
pub struct HostSettings {
    /// Where keys of the transport come from that must survive a restart: peers then learn at once that the old
    /// connections are gone. Without it they notice only after the idle time. See [`Self::keyed_by`].
    pub secret: Option<[u8; 32]>,
    /// A silent connection ends after this time.
    pub idle: Duration,
    /// The dialling side shows signs of life this often, or up to two thirds of that time later.
    pub keep_alive: Duration,
    /// A handshake, and the opening of all lanes, may take so long.
    pub handshake: Duration,
    /// Handshakes under way at once over each transport; above it newcomers are refused.
    pub handshakes_max: usize,
    /// Requests to join or to renew under way at once.
    pub asks_max: usize,
    /// How long an asker waits for the node's answer before it is told to ask again.
    pub ask_wait: Duration,
    /// Bytes of each of the two buffers of each of the two sockets.
    pub socket_buffer: usize,
    /// Whether children may come over TCP too, at the number of the UDP port.
    pub tcp: bool,
    /// Segmentation offload: off on network cards where it fails.
    pub offload: bool,
    /// The clock for certificates, read at every handshake. A shared one may be steered while the host runs.
    pub time: Arc<dyn TimeProvider>,
    /// Where sockets and the addresses of names come from.
    pub network: Arc<dyn Network>,
    /// Test aid: every frame sent is appended to this file in plain text, to prove what does not leave a node.
    pub capture: Option<PathBuf>,
}

impl HostSettings {
    /// Derives the secret of the transport from a node's keys: of the only node, or of any one that stays with the host.
    #[must_use]
    pub fn keyed_by(mut self, keys: &NodeKeys) -> Self {
        self.secret = Some(keys.transport_secret("wuji quic host 1"));
        self
    }

    /// How often one dialling side shows a sign of life: spread, so that the children of one parent do not speak together.
    pub(super) fn sign_of_life(&self) -> Result<Duration, BindError> {
        let spread = random::<8>().map(u64::from_be_bytes).map_err(|NoRandomness| BindError::Setting("randomness"))?;
        let two_thirds =
            u64::try_from(self.keep_alive.as_millis()).unwrap_or(u64::MAX).saturating_mul(2).checked_div(3);
        let spread = Duration::from_millis(two_thirds.and_then(|most| spread.checked_rem(most)).unwrap_or(0));
        Ok(self.keep_alive.saturating_add(spread))
    }
}

impl Default for HostSettings {
    fn default() -> Self {
        Self {
            secret: None,
            idle: Duration::from_secs(36),
            keep_alive: Duration::from_secs(12),
            handshake: Duration::from_secs(10),
            handshakes_max: 256,
            asks_max: 64,
            ask_wait: Duration::from_secs(10),
            socket_buffer: 4 * 1024 * 1024,
            tcp: false,
            offload: true,
            time: Arc::new(DefaultTimeProvider),
            network: Arc::new(Machine),
            capture: None,
        }
    }
}
