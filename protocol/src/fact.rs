//! Facts: one nameless record a case, from which every figure is made.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::bounded::List;
use crate::chain::{Epoch, Hash};
use crate::division::{DivisionCode, GridKind};
use crate::event::{Category, DueTerm, Matter, Outcome, Source, Step};
use crate::id::{CaseId, CaseKey, NodeId};
use crate::time::{ClockReading, Minute};
use crate::warning::Warning;

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

/// The latest record of a case for the figures. The highest (epoch, version) replaces all others, so a lost older one
/// costs nothing and a change of owner moves no figure. It carries its own history: the latest version answers for any
/// past day.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct CaseFact {
    /// Key of the case in the figures.
    pub key: CaseKey,
    /// Number of the case, only once it has escalated.
    pub case: Option<CaseId>,
    /// Epoch of the owner that wrote it.
    pub epoch: Epoch,
    /// Number of the last header it covers.
    pub version: u32,
    /// Where it happened.
    pub place: DivisionCode,
    /// The kind of grid there.
    pub grid_kind: GridKind,
    /// The division that registered it.
    pub registered_by: DivisionCode,
    /// When it was reported.
    pub registered_at: ClockReading,
    /// The owner's division.
    pub owner: DivisionCode,
    /// The owner.
    pub owner_node: NodeId,
    /// Where it came from.
    pub source: Source,
    /// What the matter is.
    pub matter: Matter,
    /// Category.
    pub category: Category,
    /// Version of the category list.
    pub category_list: u16,
    /// People involved.
    pub head_count: u32,
    /// Level now.
    pub level: Option<Warning>,
    /// How the level changed.
    pub level_changes: List<LevelChange, 32>,
    /// When each step was reached.
    pub steps: List<StepReached, 8>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Terms that run.
    pub open_terms: List<DueTerm, 8>,
    /// Sum involved, in fen.
    pub amount_fen: Option<u64>,
    /// Out of every figure.
    pub void: bool,
}

/// What a tally counts: things that are no case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Home visits.
    Visits,
    /// Calls taken.
    Calls,
    /// Room bookings.
    Bookings,
}

/// A count for one node and day; the highest version replaces all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Tally {
    /// The node.
    pub node: NodeId,
    /// The day.
    pub day: crate::time::CivilDay,
    /// What is counted.
    pub measure: Measure,
    /// How many.
    pub value: u64,
    /// Of this record.
    pub version: u32,
}

/// A node's statement of what the levels above should hold of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Watermark {
    /// The node.
    pub node: NodeId,
    /// As of when.
    pub as_of: ClockReading,
    /// Facts it owns.
    pub count: u64,
    /// Digest over the facts and tallies it owns.
    pub digest: Hash,
}
