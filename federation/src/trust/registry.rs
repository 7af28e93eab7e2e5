//! The registry of children: whose TLS key a parent admits. A change applies to the next handshake; live links are closed
//! by [`crate::driver::Endpoint::disconnect`].

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use protocol::id::NodeId;

/// TLS keys of the children, shared between the node and its TLS verifier.
#[derive(Debug, Clone, Default)]
pub struct Registry(Arc<RwLock<HashMap<[u8; 32], NodeId>>>);

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Admits a child's key (SHA-256 of its SPKI). Earlier keys of the child stay until they are withdrawn.
    pub fn admit(&self, spki: [u8; 32], child: NodeId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(spki, child);
    }

    /// Withdraws one key.
    pub fn withdraw(&self, spki: &[u8; 32]) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(spki);
    }

    /// Withdraws all keys of a child but one. True when there were others.
    pub fn keep_only(&self, child: NodeId, spki: &[u8; 32]) -> bool {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = keys.len();
        keys.retain(|key, node| *node != child || key == spki);
        keys.len() < before
    }

    /// Removes a child with all its keys.
    pub fn remove(&self, child: NodeId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|_, node| *node != child);
    }

    /// The child that has this key.
    pub fn child(&self, spki: &[u8; 32]) -> Option<NodeId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(spki).copied()
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no key is admitted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
