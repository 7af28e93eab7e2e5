//! Terms (期限): which one runs, and on which day it ends.

use protocol::event::{Brief, DueTerm, Step, TermKind};
use protocol::fact::StepReached;
use protocol::time::{CivilDay, ClockReading, UnixMillis};

use crate::calendar::Due;
use crate::publish::InForce;

/// The term that ends next, after a step that is reached now. A term that runs keeps its day; only one that ended beyond
/// the calendar is counted again, in case the calendar has grown.
pub(crate) fn next(holds: &InForce, brief: &Brief, steps: &[StepReached], now: ClockReading) -> Option<DueTerm> {
    if brief.void {
        return None;
    }
    let kind = match brief.step {
        Step::Reported => TermKind::File,
        Step::Filed => TermKind::Assign,
        Step::Assigned | Step::InProgress if brief.outcome.is_none() => TermKind::Resolve,
        Step::Assigned | Step::InProgress => TermKind::FeedBack,
        Step::FedBack => TermKind::Assess,
        Step::Assessed | Step::Archived => return None,
    };
    let since = match brief.next_term.filter(|term| term.kind == kind) {
        Some(running) if !running.provisional => return Some(running),
        Some(running) => running.since,
        // The month of people's mediation runs from the filing, whatever step follows it.
        None if kind == TermKind::Resolve => {
            steps.iter().find(|s| s.step == Step::Filed).map_or(now.day(), |s| day_of(*s))
        }
        None => now.day(),
    };
    let (day, provisional) = match holds.calendar.due(since, holds.policy.span(kind)) {
        Due::Day(day) => (day, false),
        Due::Provisional { after } => (after, true),
    };
    Some(DueTerm { kind, since, day, provisional })
}

fn day_of(step: StepReached) -> CivilDay {
    CivilDay::of(UnixMillis(i64::from(step.at.0).saturating_mul(60_000)))
}

/// The reading so many days later.
pub(crate) fn days_later(now: ClockReading, days: u16) -> ClockReading {
    let millis = i64::from(days).saturating_mul(86_400_000);
    ClockReading { wall: UnixMillis(now.wall.0.saturating_add(millis)), offset_ms: now.offset_ms }
}
