//! The asking side of a conversation of one request and one answer, for which the asker needs no certificate: to join, or
//! to renew a certificate that may have expired. What is said is for [`crate::trust`] to know; here it is bytes.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio_util::task::TaskTracker;

use crate::trust::tls::{self, Anchor, TlsError};

use super::connection::{Connection, code};
use super::dial::{Client, Dialler};
use super::event::AskKind;
use super::host::BindError;
use super::quic::socket;
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
    pub(super) from: &'a Dialler,
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
        let Self { from, settings } = self;
        let tls = tls::ask_config(
            anchor,
            parent.node,
            parent.spki,
            kind.of(&parent.transport.protocols()),
            settings.time.clone(),
        )?;
        let client = Client::new(tls, parent.transport, settings)?;
        let attempt = async {
            let connection = from.reach(&client, &parent, settings.handshake).await?;
            let reply = converse(&connection, kind, request).await;
            let reply = reply.map_err(|e| connection.close_reason().unwrap_or(e))?;
            connection.close(code::DONE, "");
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
    let from = own_socket(bind, settings)?;
    let reply = Asker { from: &from, settings }.ask(question, request).await;
    leave(&from).await;
    reply
}

pub(super) fn own_socket(bind: SocketAddr, settings: &HostSettings) -> Result<Dialler, BindError> {
    let bound = settings.network.udp(bind, settings.socket_buffer)?;
    let quic = socket::endpoint(socket::endpoint_config(settings)?, None, bound.socket)?;
    Ok(Dialler { quic, network: settings.network.clone(), tasks: TaskTracker::new() })
}

pub(super) async fn leave(from: &Dialler) {
    from.quic.close(code::DONE.into(), b"");
    from.tasks.close();
    // The sockets close anyway; this only lets the parent know.
    let _ = tokio::time::timeout(FAREWELL, async { tokio::join!(from.quic.wait_idle(), from.tasks.wait()) }).await;
}

/// Says the request; gives the answer as it came.
async fn converse(
    connection: &Connection,
    kind: AskKind,
    request: impl FnOnce(&[u8; 32]) -> Vec<u8>,
) -> Result<Vec<u8>, String> {
    let exporter = connection.exporter(kind)?;
    let (mut send, mut receive) = connection.question(true).await?;
    let ended = |_| "the connection ended too early".to_owned();
    send.write(&mut [Bytes::from(request(&exporter))]).await.map_err(ended)?;
    send.finish().map_err(ended)?;
    receive.read_to_end(REPLY_BYTES_MAX).await
}
