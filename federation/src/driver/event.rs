//! What the driver tells the node, and what it is told to send.

use std::net::SocketAddr;
use std::sync::Arc;

use bincode::{Decode, Encode};
use protocol::id::NodeId;
use protocol::wire::bundle::Bundle;
use protocol::wire::control::{Control, Enrolled, JoinRequest};
use protocol::wire::frame::{Lane, LinkSeq};
use tokio::sync::oneshot;

use crate::trust::enrolment;
use crate::trust::tls::Protocols;
use crate::trust::verify::{Verified, VerifyError};

use super::settings::Transport;

/// Something that happened at the endpoint. Events of one lane come in order; those of different lanes need not.
#[derive(Debug)]
pub enum Event {
    /// A connection whose peer proved who it is. On the dialling side the parent may still refuse it: TLS 1.3 tells a
    /// client late. The greeting decides when the link counts as up.
    Opened {
        /// Number of the connection, never used twice by one endpoint.
        connection: u64,
        /// The peer.
        peer: NodeId,
        /// Whether this side dialled: the peer is the parent then.
        dialled: bool,
        /// What carries it.
        transport: Transport,
    },
    /// A frame of the control lane.
    Control {
        /// The connection.
        connection: u64,
        /// The frame. `Introduce` never comes here: the driver has put it into the directory.
        frame: Control,
    },
    /// A bundle whose origin is proven.
    Bundle {
        /// The connection.
        connection: u64,
        /// Its lane.
        lane: Lane,
        /// Its number on the link.
        seq: LinkSeq,
        /// The bundle.
        bundle: Verified<Bundle>,
    },
    /// Bytes that came as a bundle and are not believed. The lane goes on; the number is used up.
    BadBundle {
        /// The connection.
        connection: u64,
        /// Its lane.
        lane: Lane,
        /// Its number on the link.
        seq: LinkSeq,
        /// Why.
        why: VerifyError,
        /// What came, for the quarantine and for the chain of the lane.
        bytes: Arc<[u8]>,
    },
    /// The peer broke the framing. The driver closes the connection; `Closed` follows.
    Misbehaved {
        /// The connection.
        connection: u64,
        /// What it did.
        what: String,
    },
    /// A connection that was opened is over. The last event of that connection.
    Closed {
        /// The connection.
        connection: u64,
        /// The peer.
        peer: NodeId,
        /// Why.
        why: String,
    },
    /// A dial did not lead to `Opened`.
    DialFailed {
        /// Why.
        why: String,
    },
    /// Somebody asks to join.
    Join(JoinAsk),
    /// Somebody asks for something else, without a certificate.
    Ask(Ask),
}

/// What is asked in a conversation of one request and one answer, for which the asker needs no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AskKind {
    /// To become a node.
    Join,
    /// For a new certificate. The certificates of both ends may have expired.
    Renew,
}

impl AskKind {
    /// The name under which it is spoken.
    pub fn of(self, spoken: &Protocols) -> &'static [u8] {
        match self {
            Self::Join => spoken.join,
            Self::Renew => spoken.renew,
        }
    }

    /// The label of the TLS exporter whose value binds a proof to the connection.
    pub fn exporter_label(self) -> &'static [u8] {
        match self {
            Self::Join => enrolment::EXPORTER_LABEL,
            Self::Renew => b"EXPORTER-wuji-renew-1",
        }
    }
}

/// A question that came in. TLS has proven nothing of who asks: the request holds its own proof over `exporter`.
#[derive(Debug)]
pub struct Ask {
    /// What is asked. `Join` comes as [`Event::Join`].
    pub kind: AskKind,
    /// The request, [`super::ask::REQUEST_BYTES_MAX`] at most.
    pub request: Vec<u8>,
    /// What only the two ends of this connection know.
    pub exporter: [u8; 32],
    /// Where it comes from.
    pub remote: SocketAddr,
    /// Where the answer goes, [`super::ask::REPLY_BYTES_MAX`] at most. Dropped unanswered, the asker is told to come
    /// again.
    pub reply: oneshot::Sender<Vec<u8>>,
}

/// A request to join that came in. Its proof is not checked yet: see [`crate::trust::enrolment::check`].
#[derive(Debug)]
pub struct JoinAsk {
    /// The request.
    pub request: JoinRequest,
    /// Its proof.
    pub mac: [u8; 32],
    /// What only the two ends of this connection know.
    pub exporter: [u8; 32],
    /// Where it comes from.
    pub remote: SocketAddr,
    /// Where the answer goes. Dropped unanswered, the asker is told to come again.
    pub reply: oneshot::Sender<JoinReply>,
}

/// The answer to a request to join.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum JoinReply {
    /// Issued. The same request gets the same answer again: an answer that was lost burns no token.
    Enrolled(Box<Enrolled>),
    /// Vouched for and on its way to the authority; ask again.
    Pending,
    /// No.
    Refused(JoinRefusal),
}

/// Why a request to join is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, thiserror::Error)]
pub enum JoinRefusal {
    /// No such token, or the proof does not hold: the two are not told apart.
    #[error("the token or its proof is not valid")]
    Token,
    /// Too late.
    #[error("the token has expired")]
    Expired,
    /// Used for other keys or another node.
    #[error("the token was used already")]
    Used,
    /// The division is not the token's, or not below the parent.
    #[error("the division is not the one of the token")]
    Division,
    /// Another node hangs there already.
    #[error("the division has a node already: the operator above replaces or revokes it first")]
    Occupied,
    /// Not acceptable to the authority.
    #[error("the authority does not issue: the alarms of the node above say why")]
    Request,
}
