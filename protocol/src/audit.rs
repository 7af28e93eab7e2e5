//! The head of a node's audit, as its parent keeps it: what lies before it can no longer be changed or cut off unseen.

use bincode::{Decode, Encode};

use crate::chain::Hash;
use crate::id::NodeId;
use crate::time::ClockReading;

/// Where the audit of a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct AuditHead {
    /// The node.
    pub node: NodeId,
    /// Entries so far.
    pub count: u64,
    /// Chain hash of the last one.
    pub hash: Hash,
    /// When it stood so.
    pub at: ClockReading,
    /// Erasures that the node holds of its own: with fewer than its parent keeps, it was restored and is given them again.
    pub erasures: u32,
}
