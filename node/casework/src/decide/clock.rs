//! A term that stands still (中止), and goes on.

use protocol::bounded::Text;
use protocol::event::{PauseGround, WideAct};
use protocol::time::CivilDay;

use super::steps::note;
use crate::draft::Draft;
use crate::refusal::Refusal;

pub(super) fn pause(
    draft: &mut Draft<'_, '_>,
    ground: PauseGround,
    on: Option<CivilDay>,
    text: Text<4000>,
) -> Result<(), Refusal> {
    let case = draft.case()?;
    let term = case.brief.next_term.ok_or(Refusal::NothingChanges)?;
    if ground == PauseGround::Other && text.trim().is_empty() {
        return Err(Refusal::ReasonMissing);
    }
    let on = day(draft, on)?;
    // Nothing stands still before it ran, nor twice on one day.
    let earliest = case.pauses.last().and_then(|last| last.until).map_or(term.since, |until| until.max(term.since));
    if on < earliest {
        return Err(Refusal::DayTooEarly);
    }
    draft.append(WideAct::Paused { ground, on }, note(text), |_| {})
}

pub(super) fn resume(draft: &mut Draft<'_, '_>, on: Option<CivilDay>, text: Text<4000>) -> Result<(), Refusal> {
    let case = draft.case()?;
    let on = day(draft, on)?;
    if case.pauses.last().is_some_and(|pause| on < pause.from) {
        return Err(Refusal::DayTooEarly);
    }
    draft.append(WideAct::Resumed { on }, note(text), |_| {})
}

/// The day of something that has happened: what was done on paper is entered later.
pub(super) fn day(draft: &Draft<'_, '_>, on: Option<CivilDay>) -> Result<CivilDay, Refusal> {
    let today = draft.world.now.day();
    match on {
        Some(later) if later > today => Err(Refusal::DayAhead),
        on => Ok(on.unwrap_or(today)),
    }
}
