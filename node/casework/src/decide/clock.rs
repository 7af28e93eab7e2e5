//! A term that stands still (中止), and goes on.

use protocol::bounded::Text;
use protocol::event::{Content, PauseGround, TermKind, WideAct};
use protocol::time::CivilDay;

use super::above;
use super::steps::{needed, note};
use crate::draft::Draft;
use crate::refusal::Refusal;
use crate::term::{self, SoFar};
use crate::terms::EXTEND_DAYS;

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

/// Counts a term again that ended beyond the calendar, once the days are known (暂定期限). Who read the day before saw that it was
/// provisional.
pub(super) fn count_again(draft: &mut Draft<'_, '_>) -> bool {
    let me = draft.me();
    let Some(case) = draft.known.case().filter(|case| case.owned_by(me) && !case.brief.void && !case.paused()) else {
        return false;
    };
    if !case.brief.next_term.is_some_and(|term| term.provisional) {
        return false;
    }
    let counted = term::next(draft.world.holds, &case.brief, SoFar::of(case), draft.world.now);
    let known = counted.is_some_and(|term| !term.provisional);
    known && draft.append(WideAct::TermCounted {}, Content::Nothing, |_| {}).is_ok()
}

pub(super) fn resume(draft: &mut Draft<'_, '_>, on: Option<CivilDay>, text: Text<4000>) -> Result<(), Refusal> {
    let case = draft.case()?;
    let on = day(draft, on)?;
    if case.pauses.last().is_some_and(|pause| on < pause.from) {
        return Err(Refusal::DayTooEarly);
    }
    draft.append(WideAct::Resumed { on }, note(text), |_| {})
}

/// Asks for more time (申请延期). Whoever leads the node answers.
pub(super) fn ask_extension(draft: &mut Draft<'_, '_>, days: u16, text: Text<4000>) -> Result<(), Refusal> {
    extendable(draft, days)?;
    if draft.case()?.extension_asked == Some(days) {
        return Err(Refusal::NothingChanges);
    }
    let why = text.to_string();
    let content = needed(text)?;
    draft.append(WideAct::ExtensionAsked { days }, content, |_| {})?;
    above::ask_more_time(draft, days, &why)
}

/// Gives more time (延期), as much as the row of the term allows.
pub(super) fn extend(draft: &mut Draft<'_, '_>, days: u16, text: Text<4000>) -> Result<(), Refusal> {
    extendable(draft, days)?;
    let content = needed(text)?;
    above::withdraw_extension(draft);
    above::extend_by(draft, days, content)
}

pub(super) fn refuse_extension(draft: &mut Draft<'_, '_>, text: Text<4000>) -> Result<(), Refusal> {
    draft.case()?.extension_asked.ok_or(Refusal::NothingAsked)?;
    let content = needed(text)?;
    above::withdraw_extension(draft);
    draft.append(WideAct::ExtensionRefused {}, content, |_| {})
}

pub(super) fn extendable(draft: &Draft<'_, '_>, days: u16) -> Result<(), Refusal> {
    let case = draft.case()?;
    let row = draft.world.holds.terms.row(TermKind::Resolve, &case.brief, case.committee());
    let most = row.map_or(EXTEND_DAYS, |row| row.extend_days);
    match days {
        0 => Err(Refusal::NothingChanges),
        days if case.extended.saturating_add(days) > most => Err(Refusal::ExtensionTooLong),
        _ => Ok(()),
    }
}

/// The day of something that has happened: what was done on paper is entered later.
pub(super) fn day(draft: &Draft<'_, '_>, on: Option<CivilDay>) -> Result<CivilDay, Refusal> {
    let today = draft.world.now.day();
    match on {
        Some(later) if later > today => Err(Refusal::DayAhead),
        on => Ok(on.unwrap_or(today)),
    }
}
