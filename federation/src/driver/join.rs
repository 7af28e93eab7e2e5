//! The joining side: a new node with a token becomes a node with a certificate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use protocol::id::NodeId;
use protocol::wire::codec;
use protocol::wire::control::{Enrolled, JoinRequest};
use quinn::{ClientConfig, Connection, TokioRuntime, VarInt};
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};

use crate::trust::directory::entry_is_signed;
use crate::trust::keys::KeyError;
use crate::trust::tls::{self, Chain, TlsError};
use crate::trust::{NodeKeys, Token, enrolment, name};

use super::event::{JoinRefusal, JoinReply};
use super::quic::{BindError, reach, reason, socket};
use super::settings::Settings;

/// Bytes of a proof.
pub(super) const MAC_BYTES: usize = 32;
/// Bytes of a request with its proof.
pub(super) const JOIN_REQUEST_BYTES_MAX: usize = 8 * 1024;
/// Bytes of an answer.
pub(super) const JOIN_REPLY_BYTES_MAX: usize = 32 * 1024;
const RETRY: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// How long one attempt waits for its answer, beyond the handshake.
const ANSWER: Duration = Duration::from_secs(30);

/// Why a node did not join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The parent refuses.
    #[error("refused: {0}")]
    Refused(#[from] JoinRefusal),
    /// The parent cannot be reached, or is not the one of the token.
    #[error("the parent cannot be reached: {0}")]
    Unreachable(String),
    /// The answer is not what was asked for.
    #[error("the answer is not acceptable: {0}")]
    Answer(&'static str),
    /// The certificate does not lead to the root of the token.
    #[error("the certificate is not acceptable: {0}")]
    Certificate(#[from] TlsError),
    /// Our own keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Our own socket.
    #[error(transparent)]
    Bind(#[from] BindError),
}

/// Joins with a token: asks, and asks again while the request is on its way to the authority. Ends with the certificate
/// or with a refusal; a parent that cannot be reached ends it too, and the caller may try again with the same keys.
pub async fn join(token: &Token, keys: &NodeKeys, node: NodeId, bind: SocketAddr) -> Result<Enrolled, JoinError> {
    join_at(token, keys, node, bind, Arc::new(DefaultTimeProvider)).await
}

/// [`join`] with a given clock for certificates.
pub async fn join_at(
    token: &Token,
    keys: &NodeKeys,
    node: NodeId,
    bind: SocketAddr,
    time: Arc<dyn TimeProvider>,
) -> Result<Enrolled, JoinError> {
    let settings = Settings { time, ..Settings::default() };
    let tls = tls::join_config(token.root, token.parent, settings.time.clone())?;
    let client = socket::client(tls, &settings)?;
    let udp = socket::bind(bind, settings.socket_buffer).map_err(BindError::Io)?;
    let quic = quinn::Endpoint::new(socket::endpoint_config(keys), None, udp, Arc::new(TokioRuntime))
        .map_err(BindError::Io)?;
    let request = keys.join_request(token.id, node, token.division)?;
    let mut pause = RETRY;
    let answer = loop {
        let attempt = ask(&quic, &client, token, &request, settings.handshake);
        match tokio::time::timeout(settings.handshake.saturating_add(ANSWER), attempt).await {
            Ok(Ok(JoinReply::Enrolled(enrolled))) => break Ok(*enrolled),
            Ok(Ok(JoinReply::Refused(why))) => break Err(JoinError::Refused(why)),
            Ok(Ok(JoinReply::Pending)) => {
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(RETRY_MAX);
            }
            Ok(Err(why)) => break Err(JoinError::Unreachable(why)),
            Err(_) => break Err(JoinError::Unreachable("no answer in time".into())),
        }
    };
    quic.close(VarInt::from_u32(0), b"");
    // The socket closes anyway; this only lets the parent know.
    let _ = tokio::time::timeout(Duration::from_secs(1), quic.wait_idle()).await;
    let enrolled = answer?;
    acceptable(&enrolled, token, keys, node, &settings)?;
    Ok(enrolled)
}

async fn ask(
    quic: &quinn::Endpoint,
    client: &ClientConfig,
    token: &Token,
    request: &JoinRequest,
    limit: Duration,
) -> Result<JoinReply, String> {
    let connection = reach(quic, client, &token.address, token.parent, limit).await?;
    let reply = converse(&connection, token, request).await;
    let reply = reply.map_err(|e| connection.close_reason().map_or(e, |why| reason(&why)))?;
    connection.close(VarInt::from_u32(0), b"");
    codec::decode(&reply, JOIN_REPLY_BYTES_MAX).map_err(|e| e.to_string())
}

/// Says the request with its proof; gives the answer as it came.
async fn converse(connection: &Connection, token: &Token, request: &JoinRequest) -> Result<Vec<u8>, String> {
    let mut exporter = [0; 32];
    connection
        .export_keying_material(&mut exporter, enrolment::EXPORTER_LABEL, b"")
        .map_err(|_| "no exporter value".to_owned())?;
    let mut bytes = enrolment::mac(&token.secret, request, &exporter).to_vec();
    bytes.extend(codec::encode_unbounded(request));
    let (mut send, mut receive) = connection.open_bi().await.map_err(|e| e.to_string())?;
    send.write_all(&bytes).await.map_err(|e| e.to_string())?;
    send.finish().map_err(|e| e.to_string())?;
    receive.read_to_end(JOIN_REPLY_BYTES_MAX).await.map_err(|e| e.to_string())
}

/// The entry is signed, names this node under its token, and holds these keys; the certificate leads to the pinned root.
fn acceptable(
    enrolled: &Enrolled,
    token: &Token,
    keys: &NodeKeys,
    node: NodeId,
    settings: &Settings,
) -> Result<(), JoinError> {
    let entry = &enrolled.entry.entry;
    if !entry_is_signed(enrolled.authority, &enrolled.entry) {
        return Err(JoinError::Answer("the directory entry is not signed by the authority"));
    }
    if entry.node != node || entry.division != token.division || entry.parent != Some(token.parent) {
        return Err(JoinError::Answer("the directory entry is for another node or place"));
    }
    let ours = (keys.signing_key(), keys.sealing_key(), keys.tls_spki_sha256());
    if (entry.signing, entry.sealing, entry.tls_spki_sha256) != ours {
        return Err(JoinError::Answer("the directory entry holds other keys"));
    }
    let chain = Chain::of(enrolled)?;
    let leaf = chain.certificates.first().ok_or(TlsError::NoCertificate)?;
    if name::spki_sha256(leaf).map_err(TlsError::from)? != keys.tls_spki_sha256() {
        return Err(JoinError::Answer("the certificate holds another key"));
    }
    let now = settings.time.current_time().ok_or(JoinError::Answer("the clock shows no time"))?;
    tls::check_issued(&chain, token.root, node, now)?;
    // A parent could otherwise slip its own key under the child, and with it a directory of its own making.
    if name::authority_of(&chain.root).map_err(TlsError::from)? != enrolled.authority {
        return Err(JoinError::Answer("the root does not name the authority's key"));
    }
    Ok(())
}
