//! The key directory: what the authority says about each node. An entry is proven by the authority's signature alone, so
//! it may be handed on by anybody.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::chain::Signature;
use crate::division::DivisionCode;
use crate::id::NodeId;
use crate::time::UnixMillis;
use crate::wire::codec;

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
