//! The key directory as one node holds it: entries that the authority signed, by whoever they were handed on.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use protocol::chain::Signature;
use protocol::directory::{KeyId, SealingKey, SignedEntry, SigningKey};
use protocol::id::NodeId;
use ring::signature::{ED25519, UnparsedPublicKey};

/// Entries with earlier keys that are kept for one node, so that what was signed before a renewal still verifies.
const EARLIER_MAX: usize = 4;

/// The entry is not the authority's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the directory entry is not signed by the authority")]
pub struct NotSigned;

/// Checks an Ed25519 signature.
pub fn verified(key: SigningKey, bytes: &[u8], signature: &Signature) -> bool {
    UnparsedPublicKey::new(&ED25519, key.0).verify(bytes, &signature.0).is_ok()
}

/// Checks that the authority signed an entry.
pub fn entry_is_signed(authority: SigningKey, signed: &SignedEntry) -> bool {
    verified(authority, &signed.entry.signed_bytes(), &signed.signature)
}

#[derive(Default)]
struct Held {
    /// Ascending by serial; the last is the one that counts.
    entries: Vec<SignedEntry>,
    /// Entries up to this serial are void.
    revoked_upto: u64,
}

struct Shared {
    authority: SigningKey,
    nodes: RwLock<HashMap<NodeId, Held>>,
}

/// The directory. Clones share one content.
#[derive(Clone)]
pub struct Directory(Arc<Shared>);

impl Directory {
    /// An empty directory under an authority.
    pub fn new(authority: SigningKey) -> Self {
        Self(Arc::new(Shared { authority, nodes: RwLock::default() }))
    }

    /// The authority's key.
    pub fn authority(&self) -> SigningKey {
        self.0.authority
    }

    /// Takes an entry in. True when it is now the one that counts for its node; false when it adds nothing.
    pub fn insert(&self, signed: SignedEntry) -> Result<bool, NotSigned> {
        let (node, serial) = (signed.entry.node, signed.entry.serial);
        if self.read().get(&node).is_some_and(|h| h.entries.contains(&signed)) {
            return Ok(false);
        }
        if !entry_is_signed(self.0.authority, &signed) {
            return Err(NotSigned);
        }
        let mut nodes = self.0.nodes.write().unwrap_or_else(PoisonError::into_inner);
        let held = nodes.entry(node).or_default();
        if serial <= held.revoked_upto || held.entries.iter().any(|e| e.entry.serial == serial) {
            return Ok(false);
        }
        let at = held.entries.partition_point(|e| e.entry.serial < serial);
        held.entries.insert(at, signed);
        let newest = held.entries.last().is_some_and(|e| e.entry.serial == serial);
        if held.entries.len() > EARLIER_MAX.saturating_add(1) {
            held.entries.remove(0);
        }
        Ok(newest)
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<NodeId, Held>> {
        self.0.nodes.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The entry that counts for a node.
    pub fn get(&self, node: NodeId) -> Option<SignedEntry> {
        self.read().get(&node).and_then(|h| h.entries.last().copied())
    }

    /// All entries held for a node, earlier keys first.
    pub fn entries(&self, node: NodeId) -> Vec<SignedEntry> {
        self.read().get(&node).map(|h| h.entries.clone()).unwrap_or_default()
    }

    /// Current key for bundles.
    pub fn signing_key(&self, node: NodeId) -> Option<SigningKey> {
        self.get(node).map(|e| e.entry.signing)
    }

    /// The key of a node that has this id, current or earlier.
    pub fn signing_key_by_id(&self, node: NodeId, id: KeyId) -> Option<SigningKey> {
        self.read().get(&node)?.entries.iter().map(|e| e.entry.signing).find(|key| key.id() == id)
    }

    /// Current key for sealed parts.
    pub fn sealing_key(&self, node: NodeId) -> Option<SealingKey> {
        self.get(node).map(|e| e.entry.sealing)
    }

    /// Whether anything is known of a node.
    pub fn knows(&self, node: NodeId) -> bool {
        self.read().get(&node).is_some_and(|h| !h.entries.is_empty())
    }

    /// Voids all that was issued to a node so far; only a later entry brings it back. Gives the serial up to which
    /// entries are void, to be stored.
    pub fn revoke(&self, node: NodeId) -> u64 {
        let mut nodes = self.0.nodes.write().unwrap_or_else(PoisonError::into_inner);
        let held = nodes.entry(node).or_default();
        if let Some(last) = held.entries.last() {
            held.revoked_upto = held.revoked_upto.max(last.entry.serial);
        }
        held.entries.clear();
        held.revoked_upto
    }

    /// Voids entries of a node up to a serial: what [`Self::revoke`] gave before a restart.
    pub fn revoke_upto(&self, node: NodeId, serial: u64) {
        let mut nodes = self.0.nodes.write().unwrap_or_else(PoisonError::into_inner);
        let held = nodes.entry(node).or_default();
        held.revoked_upto = held.revoked_upto.max(serial);
        let upto = held.revoked_upto;
        held.entries.retain(|e| e.entry.serial > upto);
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").field("nodes", &self.read().len()).finish_non_exhaustive()
    }
}
