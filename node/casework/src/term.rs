//! Terms (期限) in calendar days.

use protocol::event::{Brief, DueTerm, Step, TermKind};
use protocol::fact::StepReached;
use protocol::time::{CivilDay, ClockReading, UnixMillis};

use crate::world::Policy;

/// The term that ends next, after a step that is reached now.
pub(crate) fn next(policy: &Policy, brief: &Brief, steps: &[StepReached], now: ClockReading) -> Option<DueTerm> {
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
    if let Some(running) = brief.next_term.filter(|term| term.kind == kind) {
        return Some(running);
    }
    let from = match kind {
        // The month of people's mediation runs from the filing, whatever step follows it.
        TermKind::Resolve => steps.iter().find(|s| s.step == Step::Filed).map_or(now.day(), |s| day_of(*s)),
        _ => now.day(),
    };
    Some(DueTerm { kind, day: from.plus(i32::from(policy.days(kind))) })
}

fn day_of(step: StepReached) -> CivilDay {
    CivilDay::of(UnixMillis(i64::from(step.at.0).saturating_mul(60_000)))
}

/// The reading so many days later.
pub(crate) fn days_later(now: ClockReading, days: u16) -> ClockReading {
    let millis = i64::from(days).saturating_mul(86_400_000);
    ClockReading { wall: UnixMillis(now.wall.0.saturating_add(millis)), offset_ms: now.offset_ms }
}
