//! Opens the listener, and says what to do when that fails.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::TcpListener;

/// The listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum NotBound {
    /// Somebody else listens there.
    #[error(
        "TCP {0} is in use: another program, or this node a second time, listens there. See who with `ss -ltnp`, or set \
         another http.listen"
    )]
    InUse(SocketAddr),
    /// A port below 1024 without the right to it.
    #[error(
        "TCP {0} needs a right that this user does not have: set AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or \
         choose a port above 1023 for http.listen"
    )]
    NotAllowed(SocketAddr),
    /// An address that this machine does not have.
    #[error("TCP {0} is no address of this machine: see `ip address`, and set http.listen")]
    NoAddress(SocketAddr),
    /// Something else.
    #[error("API and page cannot listen on TCP {at}")]
    Other {
        /// Where.
        at: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

/// Listens on a TCP address.
pub async fn bind(at: SocketAddr) -> Result<TcpListener, NotBound> {
    TcpListener::bind(at).await.map_err(|source| match source.kind() {
        ErrorKind::AddrInUse => NotBound::InUse(at),
        ErrorKind::PermissionDenied => NotBound::NotAllowed(at),
        ErrorKind::AddrNotAvailable => NotBound::NoAddress(at),
        _ => NotBound::Other { at, source },
    })
}
