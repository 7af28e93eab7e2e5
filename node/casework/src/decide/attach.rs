//! Attaching what has been uploaded (上传附件).

use protocol::attachment::Attachment;
use protocol::event::{Act, WideContent};

use crate::attachment::{ATTACHED_MAX, attached};
use crate::draft::Draft;
use crate::refusal::Refusal;

/// Names it in an event. The step stays: a photo that comes is no work begun.
pub(super) fn attach(draft: &mut Draft<'_, '_>, attachment: Attachment) -> Result<(), Refusal> {
    if attached(&draft.known).any(|before| before.attachment.id == attachment.id) {
        return Err(Refusal::NothingChanges);
    }
    if attached(&draft.known).count() >= ATTACHED_MAX {
        return Err(Refusal::CaseFull);
    }
    let step = draft.case()?.brief.step;
    let content = WideContent::Attached { attachment }.widen().map_err(|_| Refusal::CaseFull)?;
    draft.append(Act::Progressed, content, |brief| brief.step = step)
}
