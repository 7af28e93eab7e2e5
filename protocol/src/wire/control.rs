//! Frames of the control lane, and the link's own messages.

use bincode::{Decode, Encode};

use crate::bounded::{Blob, List, Text};
use crate::chain::{Hash, Signature};
use crate::directory::{Ancestor, RevocationReason, SealingKey, SignedEntry, SignedMandate, SigningKey};
use crate::division::DivisionCode;
use crate::id::{BundleId, NodeId, TokenId};
use crate::moving::SignedMove;
use crate::time::UnixMillis;

use super::codec;
use super::frame::{Lane, LinkSeq};
use super::limits::{ANCESTORS_MAX, CERTIFICATE_BYTES_MAX, INVENTORY_PAGE_MAX, MANDATES_MAX, SUBTREE_PAGE_MAX};

/// One run of link numbers. A new one begins at enrolment, at every restore, and whenever a greeting leaves a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct Incarnation {
    /// Counted up; the peer remembers the highest it has seen, so a restored node cannot go back.
    pub counter: u32,
    /// Random: two nodes that came from one disk image differ here.
    pub nonce: u64,
}

/// A point in one lane of one direction of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Position {
    /// Number of the last bundle, 0 before the first.
    pub seq: LinkSeq,
    /// Hash chain over the bundles up to it.
    pub hash: Hash,
}

impl Position {
    /// Before the first bundle.
    pub const START: Self = Self { seq: LinkSeq(0), hash: Hash::ZERO };
}

/// What one side knows about one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct LaneState {
    /// The lane.
    pub lane: Lane,
    /// The last position that is durable here, in the peer's numbering.
    pub received: Position,
    /// The last position that this side has given out.
    pub last: Position,
}

/// The greeting: sent by both sides first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Hello {
    /// Lowest and highest minor version spoken.
    pub versions: (u16, u16),
    /// The speaker.
    pub node: NodeId,
    /// Where it hangs.
    pub division: DivisionCode,
    /// SHA-256 of the root's public key: two federations do not mix.
    pub root: [u8; 32],
    /// The speaker's current run of numbers on this link.
    pub incarnation: Incarnation,
    /// The run of the peer's numbers that `received` refers to, if any.
    pub peer_incarnation: Option<Incarnation>,
    /// The highest counter ever seen from this peer.
    pub peer_counter_seen: u32,
    /// One entry for each of the lanes cases, statistics, bulk.
    pub lanes: List<LaneState, 4>,
    /// The speaker's own line of ancestors, nearest first: a child learns its own from it.
    pub ancestors: List<Ancestor, ANCESTORS_MAX>,
    /// The speaker's clock.
    pub clock: UnixMillis,
    /// The speaker's directory entry.
    pub entry: SignedEntry,
}

/// What a side concludes from the two greetings about its own sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Doubt {
    /// Hashes differ at the peer's position: two histories.
    Forked,
    /// The peer is ahead of what this side ever sent: this side was rolled back.
    RolledBack,
    /// The peer's position is older than what this side keeps.
    Pruned,
    /// The peer knows nothing of this side.
    Empty,
    /// The peer's position belongs to another run of numbers.
    UnknownIncarnation,
}

/// Why a link is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Refused {
    /// Not in the registry, or not the pinned parent.
    Unknown,
    /// Revoked.
    Revoked,
    /// Another federation.
    OtherRoot,
    /// No version in common.
    NoCommonVersion,
    /// Two live nodes with one identity.
    DoubleIdentity,
    /// A greeting that contradicts the certificate or itself.
    Contradiction,
}

/// Second round of the greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Verdict {
    /// Sending goes on where the peer stands.
    Resume,
    /// Both sides list what they hold, each asks for what it lacks, numbering starts again under this incarnation.
    Reconcile {
        /// Why.
        doubt: Doubt,
        /// The sender's new run.
        incarnation: Incarnation,
    },
    /// The link closes.
    Refuse(Refused),
}

/// A frame of the control lane.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Control {
    /// First.
    Hello(Box<Hello>),
    /// Second.
    Verdict(Verdict),
    /// All bundles of the lane up to here are durable with the sender of this frame.
    Ack {
        /// The lane.
        lane: Lane,
        /// Up to and including.
        upto: LinkSeq,
        /// Bundles that may be under way at once from now on.
        credit: u32,
    },
    /// A bundle was kept aside with its bytes; the lane goes on.
    Quarantined {
        /// The bundle.
        bundle: BundleId,
        /// Why, for the operator.
        reason: Text<120>,
    },
    /// A page of ids that the sender holds and the receiver may lack, in order.
    Inventory {
        /// Ids.
        page: List<BundleId, INVENTORY_PAGE_MAX>,
        /// No page follows.
        last: bool,
    },
    /// Of the last page, these are lacking.
    Want {
        /// Ids.
        page: List<BundleId, INVENTORY_PAGE_MAX>,
        /// Answers the last page.
        last: bool,
    },
    /// The key of an origin whose bundle follows.
    Introduce(Box<SignedEntry>),
    /// Close in order; come back after so long.
    GoAway {
        /// Milliseconds.
        retry_after_ms: u32,
    },
    /// To a child that hangs elsewhere by now: where. Its link is refused.
    Moved(Box<SignedMove>),
}

/// Terminal receipts of the link: these bundles of yours are durable at their destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Delivered {
    /// Ids.
    pub bundles: List<BundleId, 256>,
}

/// An authority of its own that a joining node brings with it: it ran alone until now, and nodes hang below it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Brings {
    /// Its root certificate, DER.
    pub root: Blob<CERTIFICATE_BYTES_MAX>,
    /// That authority's Ed25519 signature over [`JoinRequest::brought_bytes`].
    pub signature: Signature,
}

/// A request to join, made by the new node and proven with the token's secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct JoinRequest {
    /// The token.
    pub token: TokenId,
    /// The new node.
    pub node: NodeId,
    /// Where it wants to hang; the token is bound to it.
    pub division: DivisionCode,
    /// Certificate signing request, DER.
    pub csr: Blob<CERTIFICATE_BYTES_MAX>,
    /// Its key for bundles.
    pub signing: SigningKey,
    /// Its key for sealed parts.
    pub sealing: SealingKey,
    /// The authority that it ran alone with, if it did.
    pub brings: Option<Box<Brings>>,
}

impl JoinRequest {
    /// What an authority signs that is brought along: this request without it.
    pub fn brought_bytes(&self) -> Vec<u8> {
        let mut bytes = b"wuji brings 1".to_vec();
        bytes.extend_from_slice(&codec::encode_unbounded(&Self { brings: None, ..self.clone() }));
        bytes
    }
}

/// A join request on its way to the authority.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Enrol {
    /// The request.
    pub request: JoinRequest,
    /// The parent that checked the token.
    pub parent: NodeId,
    /// The token was for new keys of a node that exists.
    pub replaces: bool,
}

/// What the authority issued.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Enrolled {
    /// Directory entry.
    pub entry: SignedEntry,
    /// Certificate chain of the node, leaf first, root last, DER. Between them the root as the one before it signed it.
    pub certificates: List<Blob<CERTIFICATE_BYTES_MAX>, 4>,
    /// The authority's key for directory entries.
    pub authority: SigningKey,
    /// Other authorities that count where the node hangs, as this authority says.
    pub mandates: List<SignedMandate, MANDATES_MAX>,
    /// The line above the node, its parent first, as the parent says: a node that files a case before it has ever greeted
    /// knows how far up it goes. Empty from the authority, which need not know.
    pub ancestors: List<Ancestor, ANCESTORS_MAX>,
}

/// What the authority did not issue, to the parent that vouched.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct EnrolRefused {
    /// The token of the request.
    pub token: TokenId,
    /// The node that wanted to join.
    pub node: NodeId,
    /// Why, for people.
    pub reason: Text<200>,
}

/// A node asks for a new certificate, ahead of the end of the one it has or in the grace after it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Renewal {
    /// The node.
    pub node: NodeId,
    /// Serial of the entry that is to be renewed.
    pub after: u64,
    /// Certificate signing request for the new TLS key, DER.
    pub csr: Blob<CERTIFICATE_BYTES_MAX>,
    /// Its key for bundles from then on.
    pub signing: SigningKey,
    /// Its key for sealed parts from then on.
    pub sealing: SealingKey,
}

impl Renewal {
    /// What the node signs with the signing key of the entry that is to be renewed.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"wuji renewal 1".to_vec();
        bytes.extend_from_slice(&codec::encode_unbounded(self));
        bytes
    }
}

/// A renewal with its proof; it proves itself, whoever hands it on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct SignedRenewal {
    /// The renewal.
    pub renewal: Renewal,
    /// The node's Ed25519 signature over [`Renewal::signed_bytes`].
    pub signature: Signature,
}

/// A node above another wants it to be revoked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct RevokeAsked {
    /// The node that shall no longer be trusted.
    pub node: NodeId,
    /// Why.
    pub reason: RevocationReason,
}

/// Directory entries of the nodes below one that came with its own authority.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Subtree {
    /// Entries.
    pub entries: List<SignedEntry, SUBTREE_PAGE_MAX>,
}
