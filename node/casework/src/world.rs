//! What a rule may know of the world: where it runs, what holds, and what it cannot make itself.

use protocol::chain::Signature;
use protocol::directory::Ancestor;
use protocol::division::{DivisionCode, Level};
use protocol::id::NodeId;
use protocol::time::ClockReading;

use crate::publish::InForce;

/// The node on which a rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Me {
    /// The node.
    pub node: NodeId,
    /// Where it hangs (区划).
    pub division: DivisionCode,
}

/// Signing and checking: keys themselves never enter the rules.
pub trait Keys {
    /// Signs with this node's key.
    fn sign(&self, bytes: &[u8]) -> Signature;
    /// Whether `by` signed these bytes, as far as the key directory tells.
    fn verify(&self, by: NodeId, bytes: &[u8], signature: &Signature) -> bool;
    /// Where a node hangs, as far as the key directory tells. With it a take-over by somebody who is not above the owner is
    /// refused; without it only the owner itself notices.
    fn division(&self, node: NodeId) -> Option<DivisionCode> {
        let _ = node;
        None
    }
    /// Whether what hangs on the first division is above what hangs on the second, or was before that one moved: a take-over
    /// from before stays what it was.
    fn is_or_was_above(&self, above: DivisionCode, below: DivisionCode) -> bool {
        above.contains(below)
    }
}

/// A safeguard that the simulator switches off, to prove that it notices. Without the feature `mutants` it does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// Fork choice goes by number alone, and who may write in an epoch is not checked.
    NoEpochCheck,
    /// What a node wrote after it had lost a case is not sent to the owner.
    NoLateWrites,
}

/// Everything that comes in from outside.
pub struct World<'a> {
    /// The node itself.
    pub me: Me,
    /// The nodes above, nearest first, the last is the top.
    pub line: &'a [Ancestor],
    /// What is in force here.
    pub holds: &'a InForce,
    /// This node's clock.
    pub now: ClockReading,
    /// Random bytes.
    pub entropy: &'a mut dyn FnMut(&mut [u8]),
    /// Keys.
    pub keys: &'a dyn Keys,
    /// A safeguard that is off: for the simulator, with the feature `mutants` alone.
    pub mutant: Option<Mutant>,
}

impl World<'_> {
    /// Random bytes of a fixed number.
    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.entropy)(&mut bytes);
        bytes
    }

    /// Whether fork choice and authorship look at epochs.
    pub(crate) fn checks_epochs(&self) -> bool {
        !cfg!(feature = "mutants") || self.mutant != Some(Mutant::NoEpochCheck)
    }

    /// Whether what was written after a case was lost goes to its owner.
    pub(crate) fn keeps_late_writes(&self) -> bool {
        !cfg!(feature = "mutants") || self.mutant != Some(Mutant::NoLateWrites)
    }

    /// The nearest node at or above a level: this one, one of the line, or the top when none reaches that high.
    pub(crate) fn nearest(&self, level: Level) -> NodeId {
        if self.me.division.level() <= level {
            return self.me.node;
        }
        self.line
            .iter()
            .find(|above| above.division.level() <= level)
            .or(self.line.last())
            .map_or(self.me.node, |above| above.node)
    }

    /// The intake level (接收层级) above: whom a report is submitted to.
    pub(crate) fn intake(&self) -> Option<NodeId> {
        self.line
            .iter()
            .find(|above| above.division.level() <= self.holds.policy.intake_level)
            .or(self.line.last())
            .map(|above| above.node)
    }
}
