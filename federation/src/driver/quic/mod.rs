//! QUIC: the transport of links wherever UDP passes.

pub(super) mod accept;
pub(super) mod lanes;
pub(super) mod router;
pub(super) mod socket;

use std::net::SocketAddr;

use quinn::crypto::rustls::HandshakeData;
use quinn::{ClientConfig, Connection, ConnectionError, TransportErrorCode};
use rustls_pki_types::CertificateDer;

use super::connection::Agreed;
use super::dial::NotReached;
use super::event::AskKind;

/// Connects to one address.
pub(super) async fn dial(
    quic: &quinn::Endpoint,
    config: &ClientConfig,
    to: SocketAddr,
    name: &str,
) -> Result<Connection, NotReached> {
    let connecting =
        quic.connect_with(config.clone(), to, name).map_err(|error| NotReached::Failed(error.to_string()))?;
    connecting
        .await
        .map_err(|error| if is_busy(&error) { NotReached::Busy } else { NotReached::Failed(reason(&error)) })
}

/// Whether the other side is there and took nobody in just now.
pub(super) fn is_busy(error: &ConnectionError) -> bool {
    matches!(error, ConnectionError::ConnectionClosed(close) if close.error_code == TransportErrorCode::CONNECTION_REFUSED)
}

pub(super) fn agreed(connection: &Connection) -> Option<Agreed> {
    let data = connection.handshake_data()?.downcast::<HandshakeData>().ok()?;
    Some(Agreed { protocol: data.protocol?, server_name: data.server_name? })
}

pub(super) fn certificate(connection: &Connection) -> Option<CertificateDer<'static>> {
    let chain = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    chain.into_iter().next()
}

pub(super) fn exporter(connection: &Connection, kind: AskKind) -> Option<[u8; 32]> {
    let mut exporter = [0; 32];
    connection.export_keying_material(&mut exporter, kind.exporter_label(), b"").ok()?;
    Some(exporter)
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
