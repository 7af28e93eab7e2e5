//! What is to be done of a case by when (时限): for the list of what is due. All of it follows from the case and the lists in force;
//! what stands still or ends beyond the calendar is due at no known moment, and so is no clock.

use protocol::event::{TermKind, WideContent};
use protocol::time::{CivilDay, Minute};
use protocol::unit::UnitCode;

use crate::case::Case;
use crate::known::Known;
use crate::publish::InForce;
use crate::record::OfferState;
use crate::tasks::TaskState;
use crate::world::Me;

/// Goes up whenever [`of`] tells other clocks of the same case, so that whoever keeps them counts them anew.
pub const EDITION: u32 = 1;

/// Minutes of a day, and those by which the civil day begins before that of UTC (UTC+8).
const DAY: i64 = 24 * 60;
const AHEAD: i64 = 8 * 60;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// The step of the loop that comes next.
    Term(TermKind),
    /// What the level asks for, by its number in the table of measures.
    Measure(u16),
    /// A task of a unit, by its number in the case.
    Task(u16),
    /// A part of the plan of an agreement.
    Instalment {
        /// The agreement, by its number in the case.
        agreement: u16,
        /// The part, from 1.
        part: u16,
    },
    /// To ask a court for confirmation of an agreement, by its number in the case (人民调解法 art. 33).
    Confirmation(u16),
    /// To take on, or decline, what is offered to this node.
    Offer,
    /// To answer an order, by its place among those of the case.
    Order(u16),
}

/// One clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// What is to be done.
    pub of: Of,
    /// The unit that is to do it.
    pub unit: UnitCode,
    /// The last minute.
    pub due: Minute,
}

impl Of {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Term(TermKind::File) => "file",
            Self::Term(TermKind::Assign) => "assign",
            Self::Term(TermKind::Resolve) => "resolve",
            Self::Term(TermKind::FeedBack) => "feed_back",
            Self::Term(TermKind::Assess) => "assess",
            Self::Measure(_) => "measure",
            Self::Task(_) => "task",
            Self::Instalment { .. } => "instalment",
            Self::Confirmation(_) => "confirmation",
            Self::Offer | Self::Term(TermKind::Accept) => "offer",
            Self::Order(_) | Self::Term(TermKind::Answer) => "order",
        }
    }

    /// Its number within the case and its kind, and the part of that.
    pub fn numbers(self) -> (u16, u16) {
        match self {
            Self::Term(_) | Self::Offer => (0, 0),
            Self::Measure(number) | Self::Task(number) | Self::Confirmation(number) | Self::Order(number) => {
                (number, 0)
            }
            Self::Instalment { agreement, part } => (agreement, part),
        }
    }
}

/// The clocks that run of a case at a node.
pub fn of(known: &Known, me: Me, holds: &InForce) -> Vec<Clock> {
    let mut clocks = asked_of(known, me);
    if let Some(case) = known.case().filter(|case| case.owned_by(me.node) && !case.brief.void && !known.is_archived()) {
        clocks.extend(term(case));
        clocks.extend(measures(case, holds));
        clocks.extend(tasks(case));
        clocks.extend(bonds(known, case));
    }
    clocks
}

/// The last minute of a day.
fn end_of(day: CivilDay) -> Minute {
    let minute = i64::from(day.plus(1).number()).saturating_mul(DAY).saturating_sub(AHEAD).saturating_sub(1);
    Minute(u32::try_from(minute.max(0)).unwrap_or(u32::MAX))
}

/// What others wait for: an answer to their offer or order.
fn asked_of(known: &Known, me: Me) -> Vec<Clock> {
    let unit = known.case().map_or(UnitCode::NODE_ITSELF, |case| case.brief.unit);
    let open = known.offers().filter(|file| file.to == me.node && file.state == OfferState::Open);
    let offers =
        open.map(|file| Clock { of: Of::Offer, unit: UnitCode::NODE_ITSELF, due: file.offer.expires.minute() });
    let open = known.orders().filter(|file| crate::decide::incoming(file, me) && file.open());
    let orders = (1..).zip(open.filter_map(|file| file.due));
    let orders = orders.map(|(number, due)| Clock { of: Of::Order(number), unit, due: end_of(due) });
    offers.take(1).chain(orders).collect()
}

fn term(case: &Case) -> Option<Clock> {
    let term = case.brief.next_term.filter(|term| !term.provisional)?;
    Some(Clock { of: Of::Term(term.kind), unit: case.brief.unit, due: end_of(term.day) })
}

fn measures<'c>(case: &'c Case, holds: &'c InForce) -> impl Iterator<Item = Clock> {
    let standing = holds.measures.of(case);
    standing.filter_map(|it| Some(Clock { of: Of::Measure(it.measure.code), unit: case.brief.unit, due: it.due? }))
}

/// Of what units do: what is reported waits for whoever gave it, who has no day for that.
fn tasks(case: &Case) -> impl Iterator<Item = Clock> {
    let works = |state| matches!(state, TaskState::Given | TaskState::Accepted | TaskState::SentBack);
    let at_work = case.tasks.iter().filter(move |task| works(task.state.0) && !case.waits(task));
    at_work.map(|task| Clock { of: Of::Task(task.number), unit: task.unit, due: end_of(task.due) })
}

/// Of agreements in effect: parts that were not performed, and the days to ask for confirmation.
fn bonds(known: &Known, case: &Case) -> Vec<Clock> {
    let mut clocks = Vec::new();
    for agreement in &case.agreements {
        let Some(until) = agreement.confirmable_until() else { continue };
        let unit = case.brief.unit;
        if agreement.sought.is_none() {
            clocks.push(Clock { of: Of::Confirmation(agreement.number), unit, due: end_of(until) });
        }
        let Some(WideContent::Agreement { plan, .. }) = known.agreement_words(agreement.number) else { continue };
        for (part, instalment) in (1_u16..).zip(plan.iter()) {
            if agreement.performed.iter().all(|(number, _)| *number != part) {
                let of = Of::Instalment { agreement: agreement.number, part };
                clocks.push(Clock { of, unit, due: end_of(instalment.due) });
            }
        }
    }
    clocks
}
