//! What a rule may know of the world: where it runs, what holds, and what it cannot make itself.

use protocol::chain::Signature;
use protocol::directory::Ancestor;
use protocol::division::{DivisionCode, Level};
use protocol::event::TermKind;
use protocol::id::NodeId;
use protocol::time::ClockReading;
use protocol::warning::Warning;

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
}

/// A safeguard that the simulator switches off, to prove that it notices. Without the feature `mutants` it does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// Fork choice goes by number alone, and who may write in an epoch is not checked.
    NoEpochCheck,
}

/// Everything that comes in from outside.
pub struct World<'a> {
    /// The node itself.
    pub me: Me,
    /// The nodes above, nearest first, the last is the top.
    pub line: &'a [Ancestor],
    /// What holds here.
    pub policy: &'a Policy,
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
            .find(|above| above.division.level() <= self.policy.intake_level)
            .or(self.line.last())
            .map(|above| above.node)
    }
}

/// What comes down from above as settings. Every event names the version of the rules that it used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Version of the grading rules.
    pub rules: u16,
    /// Version of the category list.
    pub category_list: u16,
    /// Where submitted reports go (接收层级).
    pub intake_level: Level,
    /// Up to where a red case is reported (报备上限).
    pub red_ceiling: Level,
    /// Up to where an orange case is reported.
    pub orange_ceiling: Level,
    /// The level whose supervisor approves lowering or cancelling a red case (降级审批).
    pub red_approver: Level,
    /// The same for an orange case.
    pub orange_approver: Level,
    /// Days to verify and file (立案期限).
    pub file_days: u16,
    /// Days to assign, from filing.
    pub assign_days: u16,
    /// Days to resolve, from filing: one month, 人民调解工作若干规定 art. 33.
    pub resolve_days: u16,
    /// Days to feed back, from the resolution.
    pub feed_back_days: u16,
    /// Days to assess, from the feedback.
    pub assess_days: u16,
    /// Days to answer an order that names no term.
    pub answer_days: u16,
    /// Days until an offer runs out (签收期限).
    pub accept_days: u16,
    /// Days that a former owner keeps the full file after its release.
    pub keep_days: u16,
    /// Events that people may add to one case; never above what a move carries in one piece.
    pub events_max: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            rules: 1,
            category_list: 1,
            intake_level: Level::Township,
            red_ceiling: Level::City,
            orange_ceiling: Level::City,
            red_approver: Level::County,
            orange_approver: Level::City,
            file_days: 3,
            assign_days: 3,
            resolve_days: 30,
            feed_back_days: 5,
            assess_days: 10,
            answer_days: 15,
            accept_days: 3,
            keep_days: 30,
            events_max: 256,
        }
    }
}

impl Policy {
    /// Up to where a case of this level is reported; none for a level that stays below.
    pub fn ceiling(&self, level: Warning) -> Option<Level> {
        match level {
            Warning::Yellow => None,
            Warning::Red => Some(self.red_ceiling),
            Warning::Orange => Some(self.orange_ceiling),
        }
    }

    /// The level that approves leaving a warning level; none: the supervisor of the node that owns the case.
    pub fn approver(&self, from: Warning) -> Option<Level> {
        match from {
            Warning::Yellow => None,
            Warning::Red => Some(self.red_approver),
            Warning::Orange => Some(self.orange_approver),
        }
    }

    /// Calendar days of a term (期限).
    pub fn days(&self, kind: TermKind) -> u16 {
        match kind {
            TermKind::File => self.file_days,
            TermKind::Assign => self.assign_days,
            TermKind::Resolve => self.resolve_days,
            TermKind::FeedBack => self.feed_back_days,
            TermKind::Assess => self.assess_days,
            TermKind::Answer => self.answer_days,
            TermKind::Accept => self.accept_days,
        }
    }
}
