//! When a certificate is renewed, and how a node proves that it may have a new one.
//!
//! The proof is the signature of the signing key in the node's directory entry, over the whole request. It needs no valid
//! certificate and no parent's word: whoever hands it on can neither alter it nor gain by it.

use protocol::bounded::{Blob, Text};
use protocol::directory::Entry;
use protocol::id::NodeId;
use protocol::time::UnixMillis;
use protocol::wire::control::{Enrolled, Renewal, SignedRenewal};

use super::authority::LEAF_LIFE;
use super::directory::verified;
use super::keys::{KeyError, NodeKeys};

/// How long after the end of its certificate a node may still renew it, milliseconds.
pub const GRACE_MS: i64 = 180 * 86_400_000;

/// When to ask for a new certificate: some moment between two thirds and five sixths of its life, so that nodes that were
/// set up on one day do not ask on one day. The last sixth is left for what goes wrong. `random` belongs to the
/// certificate: the moment stays the same over restarts.
pub fn due(not_before: UnixMillis, not_after: UnixMillis, random: u64) -> UnixMillis {
    let life = u64::try_from(not_after.0.saturating_sub(not_before.0)).unwrap_or(0);
    let (begin, window) = (life.saturating_mul(2).div_euclid(3), life.div_euclid(6));
    let jitter = random.checked_rem(window.saturating_add(1)).unwrap_or(0);
    let after = i64::try_from(begin.saturating_add(jitter)).unwrap_or(i64::MAX);
    UnixMillis(not_before.0.saturating_add(after))
}

/// The randomness that belongs to a certificate.
pub fn random_of(certificate: &[u8]) -> u64 {
    let hash = blake3::hash(certificate);
    hash.as_bytes().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// Why a renewal is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRenewed {
    /// No entry that counts: unknown, or revoked.
    #[error("this node has no valid directory entry: it joins again with a token from the node above")]
    Unknown,
    /// The request follows another entry than the one that counts.
    #[error("the request follows an entry that no longer counts")]
    Outdated,
    /// The signature does not hold.
    #[error("the proof of the renewal does not hold")]
    Proof,
    /// Too long after the end of the certificate.
    #[error("the certificate ended more than 180 days ago: the node joins again with a token from the node above")]
    TooLate,
}

/// Makes the request of a node for the keys in `next`, proven with those in `keys`.
pub fn request(keys: &NodeKeys, next: &NodeKeys, node: NodeId, after: u64) -> Result<SignedRenewal, KeyError> {
    let csr = Blob::new(next.csr()?).map_err(|_| KeyError::Malformed("the new TLS key"))?;
    let renewal = Renewal { node, after, csr, signing: next.signing_key(), sealing: next.sealing_key() };
    let signature = keys.sign(&renewal.signed_bytes());
    Ok(SignedRenewal { renewal, signature })
}

/// Checks a renewal against the entry that counts for its node. Whether it was answered before is for the caller to know.
pub fn check(signed: &SignedRenewal, entry: Option<&Entry>, now: UnixMillis) -> Result<(), NotRenewed> {
    let renewal = &signed.renewal;
    let entry = entry.filter(|entry| entry.node == renewal.node).ok_or(NotRenewed::Unknown)?;
    if !verified(entry.signing, &renewal.signed_bytes(), &signed.signature) {
        return Err(NotRenewed::Proof);
    }
    if renewal.after != entry.serial {
        return Err(NotRenewed::Outdated);
    }
    let life = i64::try_from(LEAF_LIFE.whole_milliseconds()).unwrap_or(i64::MAX);
    if now.0 > entry.issued.0.saturating_add(life).saturating_add(GRACE_MS) {
        return Err(NotRenewed::TooLate);
    }
    Ok(())
}

/// The answer to a renewal that was asked for without a certificate.
#[derive(Debug, Clone, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub enum RenewReply {
    /// Issued. The same request gets the same answer again.
    Renewed(Box<Enrolled>),
    /// On its way to the authority; ask again.
    Pending,
    /// No, and why.
    Refused(Text<200>),
}
