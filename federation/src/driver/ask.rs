//! The asking side of a conversation of one request and one answer, for which the asker needs no certificate: to join, or
//! to renew a certificate that may have expired. What is said is for [`crate::trust`] to know; here it is bytes.

use std::net::SocketAddr;
use std::time::Duration;

use quinn::{Connection, VarInt};

use crate::trust::tls::{self, Anchor, TlsError};

use super::event::AskKind;
use super::quic::{BindError, code, reach, reason, socket};
use super::settings::{HostSettings, Parent};

/// Bytes of a request.
pub const REQUEST_BYTES_MAX: usize = 8 * 1024;
/// Bytes of an answer.
pub const REPLY_BYTES_MAX: usize = 32 * 1024;
/// How long one attempt waits for its answer, beyond the handshake.
const ANSWER: Duration = Duration::from_secs(30);
/// How long a socket of our own waits for the other side to hear that we are done.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Not reached, or not the one that was meant, or it did not answer. Asking again later may help.
    #[error("the parent cannot be reached: {0}")]
    Unreachable(String),
    /// There is nobody to ask.
    #[error("there is no parent to ask")]
    NoParent,
    /// Our own certificates or roots.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Our own socket.
    #[error(transparent)]
    Bind(#[from] BindError),
}

/// Whom to ask for what.
#[derive(Debug, Clone)]
pub struct Question {
    /// For what.
    pub kind: AskKind,
    /// Whom.
    pub parent: Parent,
    /// Whom we believe that it is the one.
    pub anchor: Anchor,
}

/// Where questions are asked from.
pub(super) struct Asker<'a> {
    pub(super) quic: &'a quinn::Endpoint,
    pub(super) settings: &'a HostSettings,
}

impl Asker<'_> {
    /// One attempt. `request` makes the request from the exporter value of the connection, so that its proof is good for
    /// this connection alone.
    pub(super) async fn ask(
        &self,
        question: Question,
        request: impl FnOnce(&[u8; 32]) -> Vec<u8>,
    ) -> Result<Vec<u8>, AskError> {
        let Question { kind, parent, anchor } = question;
        let Self { quic, settings } = self;
        let tls = tls::ask_config(anchor, parent.node, parent.spki, kind.alpn(), settings.time.clone())?;
        let client = socket::client(tls, settings)?;
        let attempt = async {
            let connection = reach(quic, &client, &parent, settings.handshake).await?;
            let reply = converse(&connection, kind, request).await;
            let reply = reply.map_err(|e| connection.close_reason().map_or(e, |why| reason(&why)))?;
            connection.close(code::DONE, b"");
            Ok(reply)
        };
        match tokio::time::timeout(settings.handshake.saturating_add(ANSWER), attempt).await {
            Ok(outcome) => outcome.map_err(AskError::Unreachable),
            Err(_) => Err(AskError::Unreachable("no answer in time".into())),
        }
    }
}

/// Asks from a socket of its own at `bind`: for a process that runs no node yet. See [`super::Host::ask`].
pub async fn ask(
    bind: SocketAddr,
    settings: &HostSettings,
    question: Question,
    request: impl FnOnce(&[u8; 32]) -> Vec<u8>,
) -> Result<Vec<u8>, AskError> {
    let quic = own_socket(bind, settings)?;
    let reply = Asker { quic: &quic, settings }.ask(question, request).await;
    leave(&quic).await;
    reply
}

pub(super) fn own_socket(bind: SocketAddr, settings: &HostSettings) -> Result<quinn::Endpoint, BindError> {
    let bound = socket::bind(bind, settings.socket_buffer)?;
    socket::endpoint(socket::endpoint_config(settings)?, None, bound.socket)
}

pub(super) async fn leave(quic: &quinn::Endpoint) {
    quic.close(VarInt::from_u32(0), b"");
    // The socket closes anyway; this only lets the parent know.
    let _ = tokio::time::timeout(FAREWELL, quic.wait_idle()).await;
}

/// Says the request; gives the answer as it came.
async fn converse(
    connection: &Connection,
    kind: AskKind,
    request: impl FnOnce(&[u8; 32]) -> Vec<u8>,
) -> Result<Vec<u8>, String> {
    let mut exporter = [0; 32];
    connection
        .export_keying_material(&mut exporter, kind.exporter_label(), b"")
        .map_err(|_| "no exporter value".to_owned())?;
    let (mut send, mut receive) = connection.open_bi().await.map_err(|e| e.to_string())?;
    send.write_all(&request(&exporter)).await.map_err(|e| e.to_string())?;
    send.finish().map_err(|e| e.to_string())?;
    receive.read_to_end(REPLY_BYTES_MAX).await.map_err(|e| e.to_string())
}
