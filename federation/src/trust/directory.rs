//! The key directory as one node holds it: entries that an authority signed, by whoever they were handed on.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use protocol::chain::Signature;
use protocol::directory::{KeyId, SealingKey, SignedEntry, SigningKey};
use protocol::division::DivisionCode;
use protocol::id::NodeId;
use ring::signature::{ED25519, UnparsedPublicKey};

/// Entries with earlier keys that are kept for one node, so that what was signed before a renewal still verifies.
const EARLIER_MAX: usize = 4;

/// The entry is no authority's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the directory entry is not signed by an authority that counts for it")]
pub struct NotSigned;

/// Checks an Ed25519 signature.
pub fn verified(key: SigningKey, bytes: &[u8], signature: &Signature) -> bool {
    UnparsedPublicKey::new(&ED25519, key.0).verify(bytes, &signature.0).is_ok()
}

/// Checks that the authority signed an entry.
pub fn entry_is_signed(authority: SigningKey, signed: &SignedEntry) -> bool {
    verified(authority, &signed.entry.signed_bytes(), &signed.signature)
}

/// An authority as the directory sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issuer {
    /// Its key.
    pub key: SigningKey,
    /// Entries of nodes outside this division are none of its business; none: it speaks for all.
    pub within: Option<DivisionCode>,
    /// Nothing of it is taken in as new; what the own store holds of it stays.
    pub retired: bool,
}

impl Issuer {
    fn signed(&self, signed: &SignedEntry) -> bool {
        self.within.is_none_or(|division| division.contains(signed.entry.division)) && entry_is_signed(self.key, signed)
    }
}

/// What the directory says of the key of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// This is the key.
    Key(SigningKey),
    /// The node had this key, and it was revoked before.
    Revoked,
    /// The node is known without this key.
    UnknownKey,
    /// Nothing is known of the node.
    UnknownNode,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    signed: SignedEntry,
    /// Key of the authority that signed it.
    issuer: SigningKey,
    /// A retired authority signed it: good for what is older, not to be handed on.
    retired: bool,
}

#[derive(Default)]
struct Held {
    /// Ascending by serial; the last is the one that counts.
    entries: Vec<Kept>,
    /// Entries below this serial are void.
    void_below: u64,
}

impl Held {
    fn counts(&self) -> Option<&SignedEntry> {
        self.entries.last().map(|kept| &kept.signed).filter(|signed| signed.entry.serial >= self.void_below)
    }
}

struct Shared {
    issuers: RwLock<Vec<Issuer>>,
    nodes: RwLock<HashMap<NodeId, Held>>,
}

/// The directory. Clones share one content.
#[derive(Clone)]
pub struct Directory(Arc<Shared>);

impl Directory {
    /// An empty directory under one authority.
    pub fn new(authority: SigningKey) -> Self {
        let issuer = Issuer { key: authority, within: None, retired: false };
        Self(Arc::new(Shared { issuers: RwLock::new(vec![issuer]), nodes: RwLock::default() }))
    }

    /// Replaces the authorities that count. Entries of one that is retired now are no longer handed on.
    pub fn trust(&self, issuers: Vec<Issuer>) {
        let retired: Vec<_> = issuers.iter().copied().filter(|issuer| issuer.retired).collect();
        *self.0.issuers.write().unwrap_or_else(PoisonError::into_inner) = issuers;
        if retired.is_empty() {
            return;
        }
        for kept in self.write().values_mut().flat_map(|held| held.entries.iter_mut()) {
            kept.retired = retired.iter().any(|issuer| issuer.key == kept.issuer);
        }
    }

    /// Takes an entry in. True when it is now the one that counts for its node; false when it adds nothing or is older.
    pub fn insert(&self, signed: SignedEntry) -> Result<bool, NotSigned> {
        self.take(signed, false)
    }

    /// Takes an entry from the own store, where those of retired authorities count too.
    pub fn restore(&self, signed: SignedEntry) -> Result<bool, NotSigned> {
        self.take(signed, true)
    }

    fn take(&self, signed: SignedEntry, stored: bool) -> Result<bool, NotSigned> {
        let (node, serial) = (signed.entry.node, signed.entry.serial);
        if self.read().get(&node).is_some_and(|h| h.entries.iter().any(|kept| kept.signed == signed)) {
            return Ok(false);
        }
        let issuer = self.issuer_of(&signed).filter(|issuer| stored || !issuer.retired).ok_or(NotSigned)?;
        let mut nodes = self.write();
        let held = nodes.entry(node).or_default();
        if held.entries.iter().any(|kept| kept.signed.entry.serial == serial) {
            return Ok(false);
        }
        let at = held.entries.partition_point(|kept| kept.signed.entry.serial < serial);
        held.entries.insert(at, Kept { signed, issuer: issuer.key, retired: issuer.retired });
        let counts = held.counts().is_some_and(|counts| counts.entry.serial == serial);
        // A renewal that keeps the signing key takes the place of the entry before it: room is for earlier keys.
        let signing = signed.entry.signing;
        let newest =
            held.entries.iter().filter(|k| k.signed.entry.signing == signing).map(|k| k.signed.entry.serial).max();
        held.entries.retain(|k| k.signed.entry.signing != signing || Some(k.signed.entry.serial) == newest);
        if held.entries.len() > EARLIER_MAX.saturating_add(1) {
            held.entries.remove(0);
        }
        Ok(counts)
    }

    fn issuer_of(&self, signed: &SignedEntry) -> Option<Issuer> {
        let issuers = self.0.issuers.read().unwrap_or_else(PoisonError::into_inner);
        issuers.iter().find(|issuer| issuer.signed(signed)).copied()
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<NodeId, Held>> {
        self.0.nodes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<NodeId, Held>> {
        self.0.nodes.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The entry that counts for a node; none when all were revoked.
    pub fn get(&self, node: NodeId) -> Option<SignedEntry> {
        self.read().get(&node).and_then(|h| h.counts().copied())
    }

    /// All nodes with the entry that counts for each.
    pub fn all(&self) -> Vec<SignedEntry> {
        self.read().values().filter_map(|held| held.counts().copied()).collect()
    }

    /// The node that hangs on a division, if one is known that counts.
    pub fn at(&self, division: DivisionCode) -> Option<NodeId> {
        let nodes = self.read();
        let mut counting = nodes.values().filter_map(Held::counts);
        counting.find(|signed| signed.entry.division == division).map(|signed| signed.entry.node)
    }

    /// The last entry of a node, void or not.
    pub fn last(&self, node: NodeId) -> Option<SignedEntry> {
        self.read().get(&node).and_then(|h| h.entries.last()).map(|kept| kept.signed)
    }

    /// All nodes whose entry counts, with the key of the authority that signed it.
    pub fn issuers(&self) -> Vec<(NodeId, SigningKey)> {
        let nodes = self.read();
        let counting = nodes.values().filter(|held| held.counts().is_some());
        counting.filter_map(|held| held.entries.last()).map(|kept| (kept.signed.entry.node, kept.issuer)).collect()
    }

    /// The entries of a node that may be handed on, earlier keys first.
    pub fn entries(&self, node: NodeId) -> Vec<SignedEntry> {
        let nodes = self.read();
        let held = nodes.get(&node).into_iter().flat_map(|h| h.entries.iter());
        held.filter(|kept| !kept.retired).map(|kept| kept.signed).collect()
    }

    /// All keys that a node ever had as far as is known, revoked ones and those of retired authorities among them: for
    /// what was signed long ago and is part of a chain.
    pub fn keys_ever(&self, node: NodeId) -> Vec<SigningKey> {
        let nodes = self.read();
        nodes.get(&node).into_iter().flat_map(|h| h.entries.iter()).map(|kept| kept.signed.entry.signing).collect()
    }

    /// Whether a node is known to have, or to have had, this key.
    pub fn has_key(&self, node: NodeId, signing: SigningKey) -> bool {
        let nodes = self.read();
        nodes.get(&node).is_some_and(|held| held.entries.iter().any(|kept| kept.signed.entry.signing == signing))
    }

    /// Current key for bundles.
    pub fn signing_key(&self, node: NodeId) -> Option<SigningKey> {
        self.get(node).map(|e| e.entry.signing)
    }

    /// The key of a node that has this id, current or earlier, for what was sealed at a moment (Unix milliseconds).
    pub fn signer(&self, node: NodeId, id: KeyId, sealed_at: u64) -> Signer {
        let nodes = self.read();
        let Some(held) = nodes.get(&node).filter(|held| !held.entries.is_empty()) else { return Signer::UnknownNode };
        let entry = held.entries.iter().rev().map(|kept| kept.signed.entry).find(|entry| entry.signing.id() == id);
        match entry {
            None => Signer::UnknownKey,
            Some(entry) if entry.serial < held.void_below && sealed_at >= held.void_below => Signer::Revoked,
            Some(entry) => Signer::Key(entry.signing),
        }
    }

    /// Current key for sealed parts.
    pub fn sealing_key(&self, node: NodeId) -> Option<SealingKey> {
        self.get(node).map(|e| e.entry.sealing)
    }

    /// Voids what was issued to a node below a serial; only a later entry brings it back. True when that is news.
    pub fn revoke(&self, node: NodeId, serial: u64) -> bool {
        let mut nodes = self.write();
        let held = nodes.entry(node).or_default();
        let news = held.void_below < serial;
        held.void_below = held.void_below.max(serial);
        news
    }

    /// The serial below which entries of a node are void; 0 when none is.
    pub fn void_below(&self, node: NodeId) -> u64 {
        self.read().get(&node).map_or(0, |held| held.void_below)
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").field("nodes", &self.read().len()).finish_non_exhaustive()
    }
}
