//! The joining side: a new node with a token becomes a node with a certificate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use protocol::id::NodeId;
use protocol::wire::codec;
use protocol::wire::control::{Enrolled, JoinRequest};
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};

use crate::trust::directory::entry_is_signed;
use crate::trust::keys::KeyError;
use crate::trust::tls::{self, Anchor, Chain, TlsError};
use crate::trust::{Authority, NodeKeys, Token, enrolment, name};

use super::ask::{AskError, Asker, Question, REPLY_BYTES_MAX, leave, own_socket};
use super::event::{AskKind, JoinRefusal, JoinReply};
use super::host::BindError;
use super::settings::{HostSettings, Parent, Transport};

/// Bytes of a proof.
pub(super) const MAC_BYTES: usize = 32;
const RETRY: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);

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

/// How a node that joins reaches the one above.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// Where its own socket is.
    pub bind: SocketAddr,
    /// What carries the question.
    pub over: Transport,
}

/// Joins with a token: asks, and asks again while the request is on its way to the authority. Ends with the certificate
/// or with a refusal; a parent that cannot be reached ends it too, and the caller may try again with the same keys.
pub async fn join(token: &Token, keys: &NodeKeys, node: NodeId, way: Way) -> Result<Enrolled, JoinError> {
    join_at(token, keys, node, way, Arc::new(DefaultTimeProvider)).await
}

/// [`join`] with a given clock for certificates.
pub async fn join_at(
    token: &Token,
    keys: &NodeKeys,
    node: NodeId,
    way: Way,
    time: Arc<dyn TimeProvider>,
) -> Result<Enrolled, JoinError> {
    let request = keys.join_request(token.id, node, token.division)?;
    join_as(&request, token, keys, way, time).await
}

/// [`join_at`] for a node that ran alone and brings its own authority along.
pub async fn adopt_at(
    token: &Token,
    keys: &NodeKeys,
    node: NodeId,
    authority: &Authority,
    way: Way,
    time: Arc<dyn TimeProvider>,
) -> Result<Enrolled, JoinError> {
    let request = keys.join_request(token.id, node, token.division)?;
    let request = enrolment::bringing(request, authority)
        .map_err(|_| JoinError::Answer("the own root certificate is above the limit"))?;
    join_as(&request, token, keys, way, time).await
}

async fn join_as(
    request: &JoinRequest,
    token: &Token,
    keys: &NodeKeys,
    Way { bind, over }: Way,
    time: Arc<dyn TimeProvider>,
) -> Result<Enrolled, JoinError> {
    let settings = HostSettings { time, ..HostSettings::default() };
    let from = own_socket(bind, &settings)?;
    let enrolled = request_from(&Asker { from: &from, settings: &settings }, token, keys, request, over).await;
    leave(&from).await;
    enrolled
}

/// Joins from a socket that is open already.
pub(super) async fn join_from(
    asker: &Asker<'_>,
    token: &Token,
    keys: &NodeKeys,
    node: NodeId,
    over: Transport,
) -> Result<Enrolled, JoinError> {
    let request = keys.join_request(token.id, node, token.division)?;
    request_from(asker, token, keys, &request, over).await
}

/// Asks until the authority has issued.
async fn request_from(
    asker: &Asker<'_>,
    token: &Token,
    keys: &NodeKeys,
    request: &JoinRequest,
    over: Transport,
) -> Result<Enrolled, JoinError> {
    let mut pause = RETRY;
    let enrolled = loop {
        match ask_once(asker, token, request, over).await? {
            JoinReply::Enrolled(enrolled) => break *enrolled,
            JoinReply::Refused(why) => return Err(JoinError::Refused(why)),
            JoinReply::Pending => {
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(RETRY_MAX);
            }
        }
    };
    acceptable(&enrolled, token, keys, request.node, asker.settings)?;
    Ok(enrolled)
}

async fn ask_once(
    asker: &Asker<'_>,
    token: &Token,
    request: &JoinRequest,
    over: Transport,
) -> Result<JoinReply, JoinError> {
    let question = Question {
        kind: AskKind::Join,
        parent: Parent { node: token.parent, address: token.address.clone(), spki: None, transport: over },
        anchor: Anchor::Pin(token.root),
    };
    let reply = asker.ask(question, |exporter| {
        let mut bytes = enrolment::mac(&token.secret, request, exporter).to_vec();
        bytes.extend(codec::encode_unbounded(request));
        bytes
    });
    let reply = reply.await.map_err(|error| match error {
        AskError::Unreachable(why) => JoinError::Unreachable(why),
        AskError::Tls(error) => JoinError::Certificate(error),
        AskError::Bind(error) => JoinError::Bind(error),
        AskError::NoParent => JoinError::Unreachable(error.to_string()),
    })?;
    codec::decode(&reply, REPLY_BYTES_MAX).map_err(|e| JoinError::Unreachable(e.to_string()))
}

/// The entry is signed, names this node under its token, and holds these keys; the certificate leads to the pinned root.
fn acceptable(
    enrolled: &Enrolled,
    token: &Token,
    keys: &NodeKeys,
    node: NodeId,
    settings: &HostSettings,
) -> Result<(), JoinError> {
    let entry = &enrolled.entry.entry;
    if !entry_is_signed(enrolled.authority, &enrolled.entry) {
        return Err(JoinError::Answer("the directory entry is not signed by the authority"));
    }
    if entry.node != node || entry.division != token.division || entry.parent != Some(token.parent) {
        return Err(JoinError::Answer("the directory entry is for another node or place"));
    }
    let nearest = enrolled.ancestors.first().map(|above| above.node);
    // By level alone: a division that moved keeps its code, and whoever is above it need not contain it by code.
    let placed = enrolled.ancestors.iter().all(|above| above.division.level() < token.division.level());
    if nearest != Some(token.parent) || !placed {
        return Err(JoinError::Answer("the line above does not lead from the parent upward"));
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
