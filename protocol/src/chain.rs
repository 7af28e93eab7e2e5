//! The hash chain of a case: every header names the hash of the one before it, so a level above can check a whole case
//! whose private parts it never saw.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::id::{CaseId, NodeId};

/// A BLAKE3 hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(pub [u8; 32]);

/// The text is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a hash: 64 hexadecimal digits are expected")]
pub struct NotAHash;

impl std::str::FromStr for Hash {
    type Err = NotAHash;
    fn from_str(text: &str) -> Result<Self, NotAHash> {
        blake3::Hash::from_hex(text).map(|hash| Self(*hash.as_bytes())).map_err(|_| NotAHash)
    }
}

impl TryFrom<String> for Hash {
    type Error = NotAHash;
    fn try_from(text: String) -> Result<Self, NotAHash> {
        text.parse()
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> String {
        hash.to_string()
    }
}

impl Hash {
    /// The hash that stands before the first link of a chain.
    pub const ZERO: Self = Self([0; 32]);

    /// Hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The next value of a chain whose last value is `self`: one hash over both.
    pub fn chain(self, bytes: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0).update(bytes);
        Self(*hasher.finalize().as_bytes())
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// How often a case changed hands: take-overs without consent first, then consented moves. Compared in that order, so a
/// take-over beats whatever a lost owner still wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize)]
pub struct Epoch {
    /// Take-overs by an ancestor.
    pub takeovers: u16,
    /// Moves by release and take.
    pub moves: u16,
}

impl Epoch {
    /// The epoch after a consented move.
    pub fn moved(self) -> Self {
        Self { takeovers: self.takeovers, moves: self.moves.saturating_add(1) }
    }

    /// The epoch after a take-over.
    pub fn taken_over(self) -> Self {
        Self { takeovers: self.takeovers.saturating_add(1), moves: 0 }
    }
}

/// Where a case stands: the last header that somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Head {
    /// Epoch of the header.
    pub epoch: Epoch,
    /// Its number, counted from 1 over the whole life of the case.
    pub number: u32,
    /// Its hash.
    pub hash: Hash,
}

/// An Ed25519 signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Signature(pub [u8; 64]);

/// An owner's signature over the last header of its tenure. Headers of an earlier owner reach a new reader inside a
/// bundle that a later owner signed; with this seal and the chain each of them is still proven to be its author's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct TenureSeal {
    /// The case.
    pub case: CaseId,
    /// Where the tenure ended: its Release.
    pub head: Head,
    /// The owner that released.
    pub by: NodeId,
    /// Over [`TenureSeal::signed_bytes`].
    pub signature: Signature,
}

impl TenureSeal {
    /// What the signature covers.
    pub fn signed_bytes(case: CaseId, head: Head, by: NodeId) -> Vec<u8> {
        let mut bytes = b"wuji tenure 1".to_vec();
        bytes.extend_from_slice(case.as_bytes());
        bytes.extend_from_slice(&head.epoch.takeovers.to_be_bytes());
        bytes.extend_from_slice(&head.epoch.moves.to_be_bytes());
        bytes.extend_from_slice(&head.number.to_be_bytes());
        bytes.extend_from_slice(&head.hash.0);
        bytes.extend_from_slice(by.as_bytes());
        bytes
    }
}
