//! A unit objects to a case that it was given (退回异议), and it is agreed, refused or ruled. It leads the case until then: nobody has none.

use protocol::bounded::Text;
use protocol::event::WideAct;
use protocol::unit::UnitCode;

use super::steps::needed;
use super::unit_here;
use crate::calendar::{Due, Span};
use crate::case::Case;
use crate::draft::Draft;
use crate::objection::OBJECT_DAYS;
use crate::refusal::Refusal;

pub(super) fn object(draft: &mut Draft<'_, '_>, proposed: Option<UnitCode>, reason: Text<4000>) -> Result<(), Refusal> {
    let case = draft.case()?;
    let assignment = case.assignment;
    if assignment.ruled {
        return Err(Refusal::RuledAlready);
    }
    let waits = assignment.objection.is_some();
    if waits || case.brief.unit == UnitCode::NODE_ITSELF || proposed == Some(case.brief.unit) {
        return Err(Refusal::NothingChanges);
    }
    if proposed.is_some_and(|unit| draft.world.holds.units.get(unit).is_none()) {
        return Err(Refusal::UnknownUnit);
    }
    if late(draft, &case) {
        return Err(Refusal::ObjectionLate);
    }
    let content = needed(reason)?;
    draft.append(WideAct::Objected { proposed }, content, |_| {})
}

/// Whether the working days in which a unit may object are over. Beyond the calendar nobody can say so.
fn late(draft: &Draft<'_, '_>, case: &Case) -> bool {
    let Some(since) = case.assignment.since else { return false };
    match draft.world.holds.calendar.due(since.day(), Span::WorkingDays(OBJECT_DAYS)) {
        Due::Day(last) => draft.world.now.day() > last,
        Due::Provisional { .. } => false,
    }
}

pub(super) fn refuse(draft: &mut Draft<'_, '_>, reason: Text<4000>) -> Result<(), Refusal> {
    let assignment = draft.case()?.assignment;
    assignment.objection.ok_or(Refusal::NothingObjected)?;
    if assignment.needs_ruling() {
        return Err(Refusal::RulingNeeded);
    }
    let content = needed(reason)?;
    draft.append(WideAct::ObjectionRefused {}, content, |_| {})
}

/// Says who leads it: of the first objection too, where whoever leads the node sees to it themselves.
pub(super) fn rule(draft: &mut Draft<'_, '_>, unit: UnitCode, reason: Text<4000>) -> Result<(), Refusal> {
    let assignment = draft.case()?.assignment;
    if assignment.objection.is_none() && !assignment.ruled {
        return Err(Refusal::NothingObjected);
    }
    if unit != UnitCode::NODE_ITSELF {
        unit_here(draft, unit)?;
    }
    let content = needed(reason)?;
    draft.append(WideAct::Ruled { unit }, content, |brief| brief.unit = unit)
}

/// Refuses to give a case to another unit past an objection that is to be ruled, or past a ruling. Of a first objection it agrees.
pub(super) fn assignable(case: &Case, unit: UnitCode) -> Result<(), Refusal> {
    if case.assignment.needs_ruling() {
        return Err(Refusal::RulingNeeded);
    }
    if case.assignment.ruled && unit != case.brief.unit { Err(Refusal::RuledAlready) } else { Ok(()) }
}
