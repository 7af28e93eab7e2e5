//! What an operator must know.

use protocol::id::{BundleId, NodeId};
use protocol::wire::control::{Doubt, Refused};

/// Something out of the ordinary on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// A link had to be reconciled.
    Reconciled {
        /// With whom.
        peer: NodeId,
        /// What was doubted.
        doubt: Doubt,
    },
    /// A link was refused.
    Refused {
        /// With whom.
        peer: NodeId,
        /// Why.
        why: Refused,
    },
    /// A bundle came from where it cannot come from.
    Misrouted {
        /// From whom.
        peer: NodeId,
        /// The bundle.
        bundle: BundleId,
    },
    /// A bundle for a node that nobody here knows the way to.
    NoRoute {
        /// The destination.
        to: NodeId,
        /// The bundle.
        bundle: BundleId,
    },
    /// A bundle was kept aside.
    Quarantined {
        /// From whom.
        peer: NodeId,
        /// The bundle.
        bundle: BundleId,
    },
    /// A neighbour kept a bundle of this side aside.
    QuarantinedThere {
        /// The neighbour.
        peer: NodeId,
        /// The bundle.
        bundle: BundleId,
    },
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Closing {
    /// A newer connection of the same peer takes its place.
    #[error("a newer connection takes its place")]
    Replaced,
    /// The greeting did not end in time.
    #[error("the greeting did not end in time")]
    GreetingTooSlow,
    /// The greeting was refused.
    #[error("refused: {0:?}")]
    Refused(Refused),
    /// A number is missing.
    #[error("a bundle is missing in the sequence")]
    Gap,
    /// The peer broke the protocol.
    #[error("the peer broke the protocol")]
    Misbehaved,
    /// The peer is not known or no longer.
    #[error("the peer is not admitted")]
    NotAdmitted,
    /// Bundles came back from elsewhere that the peer may lack: the link is to be greeted again.
    #[error("the link is to be reconciled")]
    Again,
    /// This node hangs below another one from now on.
    #[error("this node hangs elsewhere now")]
    Moved,
    /// The peer asked for it.
    #[error("the peer goes away")]
    GoAway,
}
