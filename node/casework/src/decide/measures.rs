//! What a warning level asks for is noted (固定动作), and who stands for a case is named (包案).

use protocol::bounded::Text;
use protocol::event::{WideAct, WideContent};

use super::steps::needed;
use crate::case::Case;
use crate::draft::Draft;
use crate::publish::InForce;
use crate::refusal::Refusal;

pub(super) fn take(draft: &mut Draft<'_, '_>, measure: u16, text: Text<4000>) -> Result<(), Refusal> {
    draft.world.holds.measures.get(measure).ok_or(Refusal::UnknownMeasure)?;
    let content = needed(text)?;
    draft.append(WideAct::MeasureTaken { measure }, content, |_| {})
}

pub(super) fn sponsor(
    draft: &mut Draft<'_, '_>,
    name: Text<60>,
    office: Text<120>,
    note: Text<1000>,
) -> Result<(), Refusal> {
    if name.trim().is_empty() {
        return Err(Refusal::NameMissing);
    }
    let content = WideContent::Sponsor { name, office, note }.widen().map_err(|_| Refusal::TooLong)?;
    draft.append(WideAct::Sponsored {}, content, |_| {})
}

/// What must be noted by law has been.
pub(super) fn resolvable(case: &Case, holds: &InForce) -> Result<(), Refusal> {
    if holds.measures.settles(case) { Ok(()) } else { Err(Refusal::MeasureMissing) }
}
