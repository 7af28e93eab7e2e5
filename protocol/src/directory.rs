//! The key directory: what the authority says about each node, about nodes that are no longer trusted, and about other
//! authorities. Each is proven by the authority's signature alone, so it may be handed on by anybody.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::bounded::Blob;
use crate::chain::Signature;
use crate::division::DivisionCode;
use crate::id::NodeId;
use crate::time::UnixMillis;
use crate::wire::codec;
use crate::wire::limits::CERTIFICATE_BYTES_MAX;

/// An Ed25519 public key, for bundles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct SigningKey(pub [u8; 32]);

impl SigningKey {
    /// The id by which a bundle names its key: the first eight bytes of the key's hash.
    pub fn id(&self) -> KeyId {
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(blake3::hash(&self.0).as_bytes()) {
            *to = *from;
        }
        KeyId(id)
    }
}

/// Names a signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct KeyId(pub [u8; 8]);

/// An X25519 public key, to which private parts are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct SealingKey(pub [u8; 32]);

/// One node of a line of ancestors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Ancestor {
    /// The node.
    pub node: NodeId,
    /// Where it hangs.
    pub division: DivisionCode,
}

/// What the authority says about a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Entry {
    /// The node.
    pub node: NodeId,
    /// Where it hangs.
    pub division: DivisionCode,
    /// The node above it; none for the top.
    pub parent: Option<NodeId>,
    /// Its key for bundles.
    pub signing: SigningKey,
    /// Its key for sealed parts.
    pub sealing: SealingKey,
    /// SHA-256 of the public key (SPKI) of its TLS certificate.
    pub tls_spki_sha256: [u8; 32],
    /// Counted by the authority; a higher serial of one node replaces a lower.
    pub serial: u64,
    /// When it was issued.
    pub issued: UnixMillis,
}

impl Entry {
    /// What the authority signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"wuji entry 1".to_vec();
        bytes.extend_from_slice(&codec::encode_unbounded(self));
        bytes
    }
}

/// An entry with the authority's proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct SignedEntry {
    /// The entry.
    pub entry: Entry,
    /// The authority's Ed25519 signature over [`Entry::signed_bytes`].
    pub signature: Signature,
}

/// Why a node is no longer trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// Its machine or its keys were lost, stolen or copied.
    Lost,
    /// The same node goes on with new keys on other hardware.
    Replaced,
    /// The node was closed in order.
    Decommissioned,
    /// Another reason of its operator.
    Operator,
}

/// What was issued to a node before this serial is void. Bundles that its keys signed earlier stay valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Revocation {
    /// The node.
    pub node: NodeId,
    /// Counted together with the serials of entries: every lower entry of the node is void. Never below the authority's
    /// clock in Unix milliseconds, so it also tells when.
    pub serial: u64,
    /// Why.
    pub reason: RevocationReason,
}

impl Revocation {
    /// What the authority signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"wuji revocation 1".to_vec();
        bytes.extend_from_slice(&codec::encode_unbounded(self));
        bytes
    }
}

/// A revocation with the authority's proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct SignedRevocation {
    /// The revocation.
    pub revocation: Revocation,
    /// The authority's Ed25519 signature over [`Revocation::signed_bytes`].
    pub signature: Signature,
}

/// What one authority says of another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Role {
    /// It takes the signer's place: it alone issues from now on. What the signer issued stays valid until it is retired.
    Successor {
        /// The successor's root, signed by the root before it: a node that missed the change still finds its way.
        cross: Blob<CERTIFICATE_BYTES_MAX>,
    },
    /// It came before the signer: what it issued stays valid until it is retired.
    Predecessor,
    /// It ran alone below the signer: what it issued inside this division stays valid until it is retired.
    Within(DivisionCode),
    /// Nothing that it signed is accepted as new any more.
    Retired,
}

/// A statement of one authority about another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Mandate {
    /// Root certificate of the authority that this is about, DER. It names the authority's key.
    pub root: Blob<CERTIFICATE_BYTES_MAX>,
    /// Its key for directory entries.
    pub authority: SigningKey,
    /// What it is to the signer.
    pub role: Role,
    /// Counted by the signer together with its other serials.
    pub serial: u64,
}

impl Mandate {
    /// What the signer signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"wuji mandate 1".to_vec();
        bytes.extend_from_slice(&codec::encode_unbounded(self));
        bytes
    }
}

/// A mandate with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct SignedMandate {
    /// The mandate.
    pub mandate: Mandate,
    /// The key of the authority that signs.
    pub by: SigningKey,
    /// Its Ed25519 signature over [`Mandate::signed_bytes`].
    pub signature: Signature,
}
