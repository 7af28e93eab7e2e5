//! Connects to one address.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::{Connection, Facts, Pace, open, socket};

/// The connection, and what is to be run for it.
pub(in crate::driver) async fn dial(
    config: Arc<ClientConfig>,
    pace: Pace,
    from: IpAddr,
    to: SocketAddr,
    name: &str,
) -> Result<(Connection, impl Future<Output = ()> + Send + use<>), String> {
    let name = ServerName::try_from(name.to_owned()).map_err(|e| e.to_string())?;
    let stream = connect(from, to).await.map_err(|e| e.to_string())?;
    let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|e| e.to_string())?;
    let (_, session) = stream.get_ref();
    let facts =
        Facts::of(to, session, |kind| session.export_keying_material([0; 32], kind.exporter_label(), Some(b"")).ok());
    Ok(open(stream, facts, pace))
}

/// From the address that the node listens at, where that is one and can reach the other.
async fn connect(from: IpAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let dialling = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if !from.is_unspecified() && from.is_ipv4() == to.is_ipv4() {
        dialling.bind(SocketAddr::new(from, 0))?;
    }
    let stream = dialling.connect(to).await?;
    socket::prepare(&stream)?;
    Ok(stream)
}
