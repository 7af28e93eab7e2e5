//! QUIC: a host with two sockets, its nodes, their links.

mod accept;
mod answer;
mod capture;
mod endpoint;
mod host;
mod lane;
mod link;
mod node;
mod outgoing;
mod router;
pub(super) mod socket;

use std::io;
use std::time::Duration;

use protocol::id::NodeId;
use quinn::{ClientConfig, Connection, ConnectionError};

use crate::trust::tls::TlsError;
use crate::trust::tls_name;

use super::settings::Parent;

pub use endpoint::Endpoint;
pub use host::Host;

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
    /// A request to join or to renew that is not one, or too many of them.
    pub(in crate::driver) const ASK: VarInt = VarInt::from_u32(4);
}

/// Why a host or a node on it cannot be opened.
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
    /// The node is open on this host.
    #[error("node {0} is open on this host already; the one that runs goes on")]
    OpenAlready(NodeId),
    /// The host has been shut down.
    #[error("the host is shut down")]
    Closed,
}

/// Connects to a node at `host:port`, trying the addresses of the name one after the other, `limit` in all.
pub(super) async fn reach(
    quic: &quinn::Endpoint,
    config: &ClientConfig,
    parent: &Parent,
    limit: Duration,
) -> Result<Connection, String> {
    let address = &parent.address;
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
        let connecting = match quic.connect_with(config.clone(), one, &tls_name(parent.node)) {
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
