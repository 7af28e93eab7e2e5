//! The dossier as people complete it: what was attached gets its place (归卷), a slot stays empty for a reason (免附).

use protocol::bounded::Text;
use protocol::event::{Content, WideAct};
use protocol::id::AttachmentId;

use super::steps::needed;
use crate::attachment::attached;
use crate::command::Place;
use crate::document::Lack;
use crate::dossier::{Slot, SlotView, State, of_known};
use crate::draft::Draft;
use crate::refusal::Refusal;

pub(super) fn place(draft: &mut Draft<'_, '_>, attachment: AttachmentId, place: Place) -> Result<(), Refusal> {
    if !attached(&draft.known).any(|held| held.attachment.id == attachment) {
        return Err(Refusal::UnknownAttachment);
    }
    let act = match place {
        Place::Slot(slot) => {
            find(draft, slot)?;
            WideAct::Placed { attachment, slot: slot.code() }
        }
        Place::Sheet(code) => {
            if code.case != draft.known.id() {
                return Err(Refusal::NotTheSheet);
            }
            let (paper, edition, page, pages) = (code.paper.code(), code.edition, code.page, code.pages);
            WideAct::SheetScanned { attachment, paper, edition, page, pages }
        }
    };
    if already(draft, &act) {
        return Err(Refusal::NothingChanges);
    }
    draft.append(act, Content::Nothing, |_| {})
}

/// Whether the same is said already: a scan that is sent again changes nothing.
fn already(draft: &Draft<'_, '_>, act: &WideAct) -> bool {
    let act = protocol::event::Act::from(act.clone());
    draft.known.chain().iter().any(|link| link.header.act == act)
}

pub(super) fn excuse(draft: &mut Draft<'_, '_>, slot: Slot, reason: Text<4000>) -> Result<(), Refusal> {
    match find(draft, slot)?.state {
        State::Missing(lack) if lack.is_written() || lack == Lack::NotYet => return Err(Refusal::SlotStays),
        State::Missing(_) => {}
        State::Made | State::Signed | State::Brought | State::Excused(_) => return Err(Refusal::NothingChanges),
    }
    let content = needed(reason)?;
    draft.append(WideAct::SlotExcused { slot: slot.code() }, content, |_| {})
}

/// A slot of the dossier of this case.
fn find(draft: &Draft<'_, '_>, slot: Slot) -> Result<SlotView, Refusal> {
    let dossier = of_known(&draft.known, draft.me(), draft.world.holds).ok_or(Refusal::UnknownCase)?;
    dossier.slots.into_iter().find(|view| view.row.slot == slot).ok_or(Refusal::UnknownSlot)
}
