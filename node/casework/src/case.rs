//! A case (案件) as it stands: what its headers tell, and its report where that is held.

use std::sync::Arc;

use protocol::bounded::{List, Text};
use protocol::chain::{Epoch, Head};
use protocol::event::{Brief, DueTerm, Participant, Party, Step};
use protocol::event::{DeclineGround, PauseGround, Withheld};
use protocol::fact::{Channel, LevelChange, StepReached};
use protocol::id::{CaseId, NodeId, OfferId, OrderId};
use protocol::time::{CivilDay, ClockReading, Minute};
use protocol::warning::Warning;

use crate::mediation::{Agreement, Mediation};
use crate::objection::Assignment;
use crate::tasks::Task;

/// Parties that a report can have.
const REPORTED_MAX: u16 = 64;

/// The private report of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Title.
    pub title: Text<120>,
    /// Narrative.
    pub narrative: Text<8000>,
    /// Parties.
    pub parties: List<Party, 64>,
}

/// A time for which its term stands still (中止).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// Why.
    pub ground: PauseGround,
    /// The first day that does not count.
    pub from: CivilDay,
    /// The first day that counts again; none while it lasts.
    pub until: Option<CivilDay>,
    /// When it was entered, and when its end was.
    pub entered: (Minute, Option<Minute>),
}

/// A way on which a case ends without being handled to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Not taken on (不予受理).
    Declined(DeclineGround),
    /// Who asked no longer does (撤回).
    Withdrawn,
    /// Another body settles it (移送).
    Referred(Channel),
}

/// Somebody in a case (当事人、参与人), under a number that nobody else there ever gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Their number, from 1.
    pub number: u16,
    /// Who they are, where that is held.
    pub who: Option<Arc<Participant>>,
    /// What was said of them before, the first first.
    pub before: Vec<Arc<Participant>>,
    /// They are no longer in the case.
    pub left: bool,
}

/// Who stands for a case (包案领导).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sponsor {
    /// Name.
    pub name: Text<60>,
    /// Office.
    pub office: Text<120>,
}

/// A case after its last header. Owner and follower hold the same; only private parts may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The case.
    pub id: CaseId,
    /// Its last header.
    pub head: Head,
    /// What may be seen of it above.
    pub brief: Brief,
    /// The node that reported it.
    pub reporter: NodeId,
    /// When it was reported.
    pub reported_at: ClockReading,
    /// When it last changed.
    pub changed_at: ClockReading,
    /// How the level changed, the first entry being the report's.
    pub level_changes: Vec<LevelChange>,
    /// When each step was first reached.
    pub steps: Vec<StepReached>,
    /// Each term that it ever had, as it last stood.
    pub terms: Vec<DueTerm>,
    /// When it was settled how it ended.
    pub resolved_at: Option<Minute>,
    /// How it was assessed.
    pub score: Option<u8>,
    /// The offer that is open, and to whom.
    pub offered: Option<(OfferId, NodeId)>,
    /// The approval that is pending, and the level wanted.
    pub approval: Option<(OrderId, Option<Warning>)>,
    /// Released, and not yet taken by the owner that the brief names.
    pub released: bool,
    /// Sent back to the reporter, and not yet filed.
    pub returned: bool,
    /// The times for which its term stood still, the first first.
    pub pauses: Vec<Pause>,
    /// Calendar days by which the term to resolve was extended.
    pub extended: u16,
    /// The days by which somebody asks that it be extended.
    pub extension_asked: Option<u16>,
    /// How it left the loop of handling, if it did.
    pub exit: Option<Exit>,
    /// How often it was opened again.
    pub reopened: u16,
    /// Everybody in it, by number; those of the report only where the report is held.
    pub seats: Vec<Seat>,
    /// Its mediations, one after the other.
    pub mediations: Vec<Mediation>,
    /// What was agreed in them.
    pub agreements: Vec<Agreement>,
    /// How it came that its unit leads it.
    pub assignment: Assignment,
    /// What units do of it.
    pub tasks: Vec<Task>,
    /// Other cases that it belongs with.
    pub linked: Vec<CaseId>,
    /// The case into which it went (并案).
    pub merged_into: Option<CaseId>,
    /// Who stands for it (包案): name and office, where that is held.
    pub sponsor: Option<Arc<Sponsor>>,
    /// What its level asks for and was done, the first first.
    pub measures: Vec<(u16, Minute)>,
    /// Only named readers may read it, and only its level and number are seen above (受限案件).
    pub restricted: bool,
    /// What is withheld of it, where that is held: the brief says so too, then.
    pub withheld: Option<Arc<Withheld>>,
    /// The brief as it may be seen above, where that is another.
    pub(crate) told: Option<Arc<Brief>>,
    /// Sum involved, where the resolution is held.
    pub amount_fen: Option<u64>,
    /// The report, where it is held.
    pub report: Option<Arc<Report>>,
}

impl Case {
    /// What may be seen of it above, and in lists.
    pub fn above(&self) -> &Brief {
        self.told.as_deref().unwrap_or(&self.brief)
    }

    /// Whether it is about people of a node.
    pub(crate) fn is_about(&self, node: NodeId) -> bool {
        self.withheld.as_deref().is_some_and(|withheld| withheld.against == Some(node))
    }

    /// The node that owns the case; while it is between two owners, the next one.
    pub fn owner(&self) -> NodeId {
        self.brief.owner
    }

    /// The epoch of its last header.
    pub fn epoch(&self) -> Epoch {
        self.head.epoch
    }

    /// Whether this node may append to it.
    pub fn owned_by(&self, node: NodeId) -> bool {
        self.brief.owner == node && !self.released
    }

    /// The warning level.
    pub fn level(&self) -> Option<Warning> {
        self.brief.level()
    }

    /// Whether its term stands still.
    pub fn paused(&self) -> bool {
        self.pauses.last().is_some_and(|pause| pause.until.is_none())
    }

    /// The furthest step of handling that it reached: where it goes on when it is opened again.
    pub fn handled_to(&self) -> Step {
        let handling = self.steps.iter().map(|reached| reached.step).filter(|step| *step <= Step::InProgress);
        handling.max().unwrap_or(Step::Reported)
    }

    /// Everybody who was ever in it, as far as it is held who they are: their names, those before a correction too.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let entries = self.seats.iter().flat_map(|seat| seat.who.iter().chain(&seat.before));
        entries.map(|who| who.name.as_str())
    }

    /// Who is in it under a number, and has not left.
    pub fn seat(&self, number: u16) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.number == number && !seat.left)
    }

    /// The number that the next one to join gets: above every one so far, and where the report is not held above every one
    /// that a report can have.
    pub(crate) fn next_seat(&self) -> u16 {
        let so_far = self.seats.iter().map(|seat| seat.number).max().unwrap_or(0);
        let least = if self.report.is_some() { 0 } else { REPORTED_MAX };
        so_far.max(least).saturating_add(1)
    }

    /// Whether it is reported above (报备).
    pub fn escalated(&self) -> bool {
        self.brief.ceiling.is_some()
    }

    /// The highest level it ever had: it keeps its urgency, so that its later headers do not overtake earlier ones.
    pub fn peak(&self) -> Option<Warning> {
        self.level_changes.iter().map(|change| change.level).max().flatten().max(self.level())
    }
}
