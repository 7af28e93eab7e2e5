//! Steps 2 to 6, the archive, and striking out.

use protocol::bounded::Text;
use protocol::event::{Act, Content, Contentment, Outcome, ToldBy, WideContent};
use protocol::time::CivilDay;
use protocol::unit::UnitCode;

use super::above::withdraw_asked;
use super::{above, end_open_offer, object, roomy};
use crate::dossier::blocking;
use crate::draft::Draft;
use crate::refusal::Refusal;
use crate::rights::ActionName;

/// A note as content; an empty one says nothing.
pub(super) fn note(text: Text<4000>) -> Content {
    if text.trim().is_empty() { Content::Nothing } else { Content::Note { text } }
}

pub(super) fn needed(text: Text<4000>) -> Result<Content, Refusal> {
    if text.trim().is_empty() { Err(Refusal::ReasonMissing) } else { Ok(Content::Note { text }) }
}

pub(super) fn file(draft: &mut Draft<'_, '_>) -> Result<(), Refusal> {
    draft.append(Act::Filed, Content::Nothing, |_| {})
}

pub(super) fn send_back(draft: &mut Draft<'_, '_>, text: Text<4000>) -> Result<(), Refusal> {
    draft.append(Act::Returned, needed(text)?, |_| {})
}

pub(super) fn assign(draft: &mut Draft<'_, '_>, unit: UnitCode, text: Text<4000>) -> Result<(), Refusal> {
    object::assignable(&draft.case()?, unit)?;
    draft.append(Act::Assigned, note(text), |brief| brief.unit = unit)
}

pub(super) fn progress(draft: &mut Draft<'_, '_>, text: Text<4000>) -> Result<(), Refusal> {
    draft.append(Act::Progressed, note(text), |_| {})
}

pub(super) fn resolve(
    draft: &mut Draft<'_, '_>,
    outcome: Outcome,
    terms: Text<4000>,
    amount_fen: Option<u64>,
) -> Result<(), Refusal> {
    super::tasks::resolvable(&draft.case()?)?;
    super::mediation::resolvable(&draft.case()?, outcome == Outcome::Successful)?;
    super::measures::resolvable(&draft.case()?, draft.world.holds)?;
    draft.append(Act::Resolved, Content::Resolution { terms, amount_fen }, |brief| brief.outcome = Some(outcome))
}

/// Who asked is told: how, on which day, and whether they are content.
pub(super) fn feed_back(
    draft: &mut Draft<'_, '_>,
    text: Text<4000>,
    by: Option<ToldBy>,
    on: Option<CivilDay>,
    content: Option<Contentment>,
) -> Result<(), Refusal> {
    let words = match by {
        None if on.is_none() && content.is_none() => note(text),
        None => return Err(Refusal::WayMissing),
        Some(by) => {
            let on = super::clock::day(draft, on)?;
            let told = WideContent::FedBack { by, on, content, note: text };
            told.widen().map_err(|_| Refusal::TooLong)?
        }
    };
    draft.append(Act::FedBack, words, |_| {})?;
    above::ask_assessment(draft)
}

pub(super) fn assess(draft: &mut Draft<'_, '_>, score: u8, text: Text<4000>) -> Result<(), Refusal> {
    if !(1..=5).contains(&score) {
        return Err(Refusal::ScoreOutOfRange);
    }
    draft.append(Act::Assessed { score }, note(text), |_| {})
}

/// An offer and an approval that nobody answered end with the case: the archive ends the chain.
///
/// What the dossier lacks is written after the case was opened again; where that cannot be, nothing waits for it.
pub(super) fn archive(draft: &mut Draft<'_, '_>) -> Result<(), Refusal> {
    let me = draft.world.me;
    let mended = roomy(&draft.known, me, &draft.world.holds.policy, ActionName::Reopen).is_ok();
    if mended && !blocking(&draft.known, me.node, draft.world.holds).is_empty() {
        return Err(Refusal::DossierIncomplete);
    }
    end_open_offer(draft)?;
    withdraw_asked(draft);
    draft.append(Act::Archived, Content::Nothing, |_| {})
}

pub(super) fn void(draft: &mut Draft<'_, '_>, reason: Text<4000>) -> Result<(), Refusal> {
    let content = needed(reason)?;
    end_open_offer(draft)?;
    withdraw_asked(draft);
    draft.append(Act::Voided, content, |brief| brief.void = true)
}
