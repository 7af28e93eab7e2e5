//! Terms (期限): which one runs, and on which day it ends.

use protocol::event::{Brief, DueTerm, Step, TermKind};
use protocol::fact::StepReached;
use protocol::time::{CivilDay, ClockReading, UnixMillis};
use protocol::unit::UnitCode;

use crate::calendar::Due;
use crate::case::{Case, Pause};
use crate::mediation::Mediation;
use crate::publish::InForce;

/// The term that ends next, after a step that is reached now. A term that runs keeps its day; only one that ended beyond
/// the calendar, or stood still, is counted again.
pub(crate) fn next(holds: &InForce, brief: &Brief, so_far: SoFar<'_>, now: ClockReading) -> Option<DueTerm> {
    let kind = kind(brief)?;
    let running = brief.next_term.filter(|term| term.kind == kind);
    let since = since(kind, running, so_far, now);
    match running.filter(|running| running.since == since) {
        Some(running) if so_far.paused() => return standing(Some(running)),
        Some(running) if !running.provisional => return Some(running),
        _ => {}
    }
    let row = holds.terms.row(kind, brief, so_far.committee());
    let span = row.map_or(holds.policy.span(kind), |row| row.span);
    let (day, provisional) = match holds.calendar.due_without(since, span, &so_far.stood_still()) {
        Due::Day(day) => (day, so_far.paused()),
        Due::Provisional { after } => (after, true),
    };
    let extended = if kind == TermKind::Resolve { i32::from(so_far.extended) } else { 0 };
    Some(DueTerm { kind, since, day: day.plus(extended), provisional })
}

/// From which day a term runs. That to resolve begins anew with the committee that takes a dispute on; before, it runs from
/// the filing, whatever step follows it.
fn since(kind: TermKind, running: Option<DueTerm>, so_far: SoFar<'_>, now: ClockReading) -> CivilDay {
    let mediated = so_far.mediation.filter(|_| kind == TermKind::Resolve).map(|mediation| mediation.opened);
    let filed = || so_far.steps.iter().find(|s| s.step == Step::Filed).map(|s| day_of(*s));
    mediated
        .or(running.map(|running| running.since))
        .or_else(|| filed().filter(|_| kind == TermKind::Resolve))
        .unwrap_or(now.day())
}

/// What a term is counted by besides the brief.
#[derive(Clone, Copy)]
pub(crate) struct SoFar<'a> {
    /// When each step was reached.
    pub(crate) steps: &'a [StepReached],
    /// For which times it stood still.
    pub(crate) pauses: &'a [Pause],
    /// The mediation that a committee last took on.
    pub(crate) mediation: Option<&'a Mediation>,
    /// Calendar days by which the term to resolve was extended.
    pub(crate) extended: u16,
}

impl<'a> SoFar<'a> {
    /// Of a case as it stands.
    pub(crate) fn of(case: &'a Case) -> Self {
        let Case { steps, pauses, mediations, extended, .. } = case;
        Self { steps, pauses, mediation: mediations.last(), extended: *extended }
    }

    fn committee(&self) -> Option<UnitCode> {
        self.mediation.map(|mediation| mediation.committee)
    }
}

impl SoFar<'_> {
    fn paused(&self) -> bool {
        self.pauses.last().is_some_and(|pause| pause.until.is_none())
    }

    /// The times that are over: first day that does not count, first that does again.
    fn stood_still(&self) -> Vec<(CivilDay, CivilDay)> {
        self.pauses.iter().filter_map(|pause| Some((pause.from, pause.until?))).collect()
    }
}

/// Which term runs.
fn kind(brief: &Brief) -> Option<TermKind> {
    if brief.void {
        return None;
    }
    match (brief.step, brief.outcome) {
        (Step::Reported | Step::Filed | Step::Assigned | Step::InProgress, Some(_)) => Some(TermKind::FeedBack),
        (Step::Reported, None) => Some(TermKind::File),
        (Step::Filed, None) => Some(TermKind::Assign),
        (Step::Assigned | Step::InProgress, None) => Some(TermKind::Resolve),
        (Step::FedBack, _) => Some(TermKind::Assess),
        (Step::Assessed | Step::Archived, _) => None,
    }
}

/// A term that stands still: it ends later than its day, and nobody knows when. So it is overdue nowhere.
pub(crate) fn standing(term: Option<DueTerm>) -> Option<DueTerm> {
    term.map(|term| DueTerm { provisional: true, ..term })
}

fn day_of(step: StepReached) -> CivilDay {
    CivilDay::of(UnixMillis(i64::from(step.at.0).saturating_mul(60_000)))
}

/// The reading so many days later.
pub(crate) fn days_later(now: ClockReading, days: u16) -> ClockReading {
    let millis = i64::from(days).saturating_mul(86_400_000);
    ClockReading { wall: UnixMillis(now.wall.0.saturating_add(millis)), offset_ms: now.offset_ms }
}
