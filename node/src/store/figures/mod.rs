//! Figures of this node and of all below: facts, tallies, what each member states of its own, and what waits to go up.
//!
//! One function, `WriteStore::put_figures`, changes facts, tallies and watermarks. In the same transaction it moves the
//! digests of their owners along and notes whether each still equals its watermark, so that nothing else has to be read to
//! say whether a level has its figures.

mod due;
mod facts;
mod marks;
mod put;
mod sets;
mod watch;

use std::collections::BTreeMap;

use protocol::division::DivisionCode;
use protocol::fact::{CaseFact, Tally, Watermark};
use protocol::id::{BundleId, CaseId, CaseKey, NodeId};
use protocol::time::UnixMillis;

pub use self::due::{DueFact, DueTally};
pub use self::facts::{FactRow, TallyCount};
pub use self::marks::{Gap, MarkRow};
pub use self::watch::{Dropped, WatchChange};

/// Figures that a transaction stores.
#[derive(Debug)]
pub struct NewFigures<'a> {
    /// Facts, each key once.
    pub facts: Vec<&'a CaseFact>,
    /// The cases of facts that do not name them, as far as this node holds them.
    pub cases: &'a BTreeMap<CaseKey, CaseId>,
    /// Facts whose brief must be here as well.
    pub watched: &'a BTreeMap<CaseKey, CaseId>,
    /// Tallies, each key once.
    pub tallies: Vec<&'a Tally>,
    /// Watermarks, each node once.
    pub marks: Vec<&'a Watermark>,
    /// The bundles that prove them.
    pub proofs: &'a BTreeMap<NodeId, BundleId>,
}

/// Nothing by key of a case.
const NO_CASES: &BTreeMap<CaseKey, CaseId> = &BTreeMap::new();
/// Nothing by node.
const NO_PROOFS: &BTreeMap<NodeId, BundleId> = &BTreeMap::new();

impl<'a> NewFigures<'a> {
    /// Facts alone, each key once, none of which must have its brief here.
    pub fn of_facts(facts: impl IntoIterator<Item = &'a CaseFact>) -> Self {
        Self {
            facts: facts.into_iter().collect(),
            cases: NO_CASES,
            watched: NO_CASES,
            tallies: Vec::new(),
            marks: Vec::new(),
            proofs: NO_PROOFS,
        }
    }
}

/// What came of it, beyond the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FiguresNews {
    /// The figures of a member are whole again after they had been asked for.
    Agreed(NodeId),
    /// The figures of a member are not what it states.
    Differs(NodeId),
}

/// The inside of a division as a range of stored numbers, by its code alone.
pub(crate) fn inside(within: DivisionCode) -> (i64, i64) {
    let from = within.number();
    (stored(from), stored(from.saturating_add(within.level().span())))
}

/// A number as it is stored: counts stay far below the limit of the column.
pub(crate) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number as it was stored.
pub(crate) fn counted(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A moment that a nullable column holds.
pub(crate) fn moment(at: Option<i64>) -> Option<UnixMillis> {
    at.map(UnixMillis)
}
