//! Ways on which a case leaves the loop of handling, and back into it. Whoever leaves it is told, assessed and archived like any
//! other: no step is skipped and every case has its file.

use protocol::bounded::Text;
use protocol::event::{Content, DeclineGround, Outcome, WideAct};
use protocol::fact::Channel;

use super::above::withdraw_asked;
use super::end_open_offer;
use super::steps::{needed, note};
use crate::draft::Draft;
use crate::refusal::Refusal;

pub(super) fn decline(draft: &mut Draft<'_, '_>, ground: DeclineGround, text: Text<4000>) -> Result<(), Refusal> {
    leave(draft, WideAct::NotTakenOn { ground }, note(text), Outcome::Other)
}

pub(super) fn withdraw(draft: &mut Draft<'_, '_>, text: Text<4000>) -> Result<(), Refusal> {
    let content = needed(text)?;
    leave(draft, WideAct::Withdrawn {}, content, Outcome::Other)
}

pub(super) fn refer(draft: &mut Draft<'_, '_>, channel: &str, text: Text<4000>) -> Result<(), Refusal> {
    let content = needed(text)?;
    let category = draft.case()?.brief.category;
    let categories = &draft.world.holds.categories;
    let number = categories.channel_number(channel).ok_or(Refusal::UnknownChannel)?;
    if !categories.admits(category, channel) {
        return Err(Refusal::NotAdmissible);
    }
    // Where a mediation was tried it has failed, whatever way follows: a referral betters no figure.
    let tried = !draft.case()?.mediations.is_empty();
    let outcome = if tried { Outcome::Unsuccessful } else { Outcome::Other };
    leave(draft, WideAct::Referred { channel: Channel(number) }, content, outcome)
}

/// What stood still does so no longer: nothing is waited for.
fn leave(draft: &mut Draft<'_, '_>, act: WideAct, content: Content, outcome: Outcome) -> Result<(), Refusal> {
    if draft.case()?.paused() {
        let on = draft.world.now.day();
        draft.append(WideAct::Resumed { on }, Content::Nothing, |_| {})?;
    }
    end_open_offer(draft)?;
    draft.append(act, content, |brief| brief.outcome = Some(outcome))
}

pub(super) fn reopen(draft: &mut Draft<'_, '_>, reason: Text<4000>) -> Result<(), Refusal> {
    let content = needed(reason)?;
    let step = draft.case()?.handled_to();
    withdraw_asked(draft);
    draft.append(WideAct::Reopened {}, content, |brief| {
        brief.outcome = None;
        brief.step = step;
    })
}
