//! Facts: one nameless record a case, from which every figure is made; tallies for what is no case; watermarks that tell
//! a level above whether it has them all.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::bounded::List;
use crate::chain::{Epoch, Hash};
use crate::division::{DivisionCode, GridKind};
use crate::event::{Category, DueTerm, Matter, Outcome, Source, Step, TermKind};
use crate::id::{CaseId, CaseKey, NodeId};
use crate::time::{CivilDay, ClockReading, Minute};
use crate::unit::UnitCode;
use crate::warning::Warning;

/// Changes of level that a fact carries.
pub const LEVEL_CHANGES_MAX: usize = 32;

/// One change of level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct LevelChange {
    /// When.
    pub at: Minute,
    /// The level from then on.
    pub level: Option<Warning>,
}

/// When a step was first reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct StepReached {
    /// The step.
    pub step: Step,
    /// When.
    pub at: Minute,
}

/// How a matter is settled (化解方式): by mediation of one kind or another, or by a body that decides. A number, because the
/// list grows: a channel that this version does not know is carried and counted under its number, never refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Channel(pub u16);

/// The latest record of a case for the figures. It holds no text and no person. The highest ([`CaseFact::rank`]) replaces
/// all others, so a lost older one costs nothing and a change of owner moves no figure. It carries its own history: the
/// latest version answers for any past day.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct CaseFact {
    /// Key of the case in the figures.
    pub key: CaseKey,
    /// Number of the case, only once it has escalated.
    pub case: Option<CaseId>,
    /// The node up to which its brief is reported, once it has escalated: who must hold the brief beside this fact.
    pub ceiling: Option<NodeId>,
    /// Epoch of the owner that wrote it.
    pub epoch: Epoch,
    /// Number of the last header it covers.
    pub version: u32,
    /// The owner that wrote it owns the case no more, and the next has not yet written. It counts in every figure, and in
    /// nobody's watermark.
    pub released: bool,
    /// Where it happened.
    pub place: DivisionCode,
    /// The kind of grid there.
    pub grid_kind: GridKind,
    /// The division that registered it.
    pub registered_by: DivisionCode,
    /// When it was reported.
    pub registered_at: Minute,
    /// The owner's division.
    pub owner: DivisionCode,
    /// The owner.
    pub owner_node: NodeId,
    /// The unit that answers for it.
    pub unit: UnitCode,
    /// Where it came from.
    pub source: Source,
    /// What the matter is.
    pub matter: Matter,
    /// Category.
    pub category: Category,
    /// Version of the category list.
    pub category_list: u16,
    /// How it is settled, where that is recorded.
    pub channel: Option<Channel>,
    /// People involved.
    pub head_count: u32,
    /// Level now.
    pub level: Option<Warning>,
    /// How the level changed, the report first. Beyond [`LEVEL_CHANGES_MAX`] the first and the latest are kept.
    pub level_changes: List<LevelChange, LEVEL_CHANGES_MAX>,
    /// When each step was first reached.
    pub steps: List<StepReached, 8>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// When that was settled.
    pub resolved_at: Option<Minute>,
    /// How it was assessed, 1 (bad) to 5 (good).
    pub score: Option<u8>,
    /// Its terms, each kind once: the one that runs, and those before it, which [`CaseFact::term_met`] ended. Facts that
    /// were written before those stayed hold the running one alone.
    pub open_terms: List<DueTerm, 8>,
    /// Minutes for which its terms stood still.
    pub paused_minutes: u32,
    /// Since when they stand still, if they do.
    pub paused_since: Option<Minute>,
    /// Sum involved, in fen.
    pub amount_fen: Option<u64>,
    /// Out of every figure.
    pub void: bool,
}

impl CaseFact {
    /// What decides between two facts of one case: the higher one holds.
    pub fn rank(&self) -> (Epoch, u32, bool) {
        (self.epoch, self.version, self.released)
    }

    /// When a step was first reached.
    pub fn reached(&self, step: Step) -> Option<Minute> {
        self.steps.iter().find(|reached| reached.step == step).map(|reached| reached.at)
    }

    /// From when a term of the loop runs.
    pub fn term_began(&self, kind: TermKind) -> Option<Minute> {
        match kind {
            TermKind::File => Some(self.registered_at),
            TermKind::Assign => self.reached(Step::Filed),
            TermKind::Resolve => self.reached(Step::Assigned),
            TermKind::FeedBack => self.resolved_at,
            TermKind::Assess => self.reached(Step::FedBack),
            TermKind::Answer | TermKind::Accept => None,
        }
    }

    /// When what a term of the loop asks for was done; none while it runs.
    pub fn term_met(&self, kind: TermKind) -> Option<Minute> {
        match kind {
            // Of what was declined nothing else is asked: it was neither filed nor assigned.
            TermKind::File => self.reached(Step::Filed).or(self.resolved_at),
            TermKind::Assign => self.reached(Step::Assigned).or(self.resolved_at),
            TermKind::Resolve => self.resolved_at,
            TermKind::FeedBack => self.reached(Step::FedBack),
            TermKind::Assess => self.reached(Step::Assessed),
            TermKind::Answer | TermKind::Accept => None,
        }
    }

    /// The terms that run.
    pub fn running_terms(&self) -> impl Iterator<Item = &DueTerm> {
        self.open_terms.iter().filter(|term| self.term_met(term.kind).is_none())
    }

    /// The furthest step that was reached.
    pub fn step(&self) -> Step {
        self.steps.iter().map(|reached| reached.step).max().unwrap_or(Step::Reported)
    }
}

/// What a tally counts: things that are no case. A number, because the list grows: a measure that this version does not
/// know is carried and kept, never refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Measure(pub u16);

impl Measure {
    /// Home visits (走访).
    pub const VISITS: Self = Self(1);
    /// Calls taken (来电).
    pub const CALLS: Self = Self(2);
    /// Room bookings (预约).
    pub const BOOKINGS: Self = Self(3);
    /// Screening drives (集中排查).
    pub const SCREENINGS: Self = Self(4);
    /// Talks, leaflets and other education (宣传教育).
    pub const EDUCATION: Self = Self(5);
}

/// A count for one node and day; the highest version replaces all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Tally {
    /// The node.
    pub node: NodeId,
    /// Where it hangs.
    pub division: DivisionCode,
    /// The day.
    pub day: CivilDay,
    /// What is counted.
    pub measure: Measure,
    /// How many.
    pub value: u64,
    /// Of this record.
    pub version: u32,
}

/// A node's statement of what the levels above should hold of it. It travels in a bundle that the node signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Watermark {
    /// The node.
    pub node: NodeId,
    /// Rises with every watermark of the node; the highest holds.
    pub version: u64,
    /// As of when.
    pub as_of: ClockReading,
    /// Facts that it owns and has not released.
    pub facts: u64,
    /// Tallies of its own.
    pub tallies: u64,
    /// [`crate::digest::SetDigest::hash`] over both.
    pub digest: Hash,
}

/// A level above does not have what a watermark states, and asks its node for everything again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct FiguresWanted {
    /// Whose figures: the node that this is for.
    pub of: NodeId,
    /// Who asks.
    pub by: NodeId,
    /// The watermark that they were compared with.
    pub version: u64,
    /// What is held instead.
    pub digest: Hash,
}
