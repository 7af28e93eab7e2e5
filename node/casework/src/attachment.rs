//! Attachments (附件) as a case knows them: what its events name, who had them, and who may have them. Their bytes are no matter of
//! the rules.

use protocol::attachment::Attachment;
use protocol::event::{Act, Content, Signatory, WideAct, WideContent};
use protocol::id::{AttachmentId, EventId, NodeId};
use protocol::time::ClockReading;

use crate::command::Place;
use crate::document::{Paper, SheetCode};
use crate::dossier::Slot;
use crate::known::Known;

/// Attachments of one case: each is an event, and a case moves in one piece.
pub const ATTACHED_MAX: usize = 64;

/// An attachment that an event of the case names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The event.
    pub event: EventId,
    /// When.
    pub at: ClockReading,
    /// Who attached it.
    pub by: Option<Signatory>,
    /// What it is.
    pub attachment: Attachment,
}

/// What a content names, if it names one.
pub fn named(content: &Content) -> Option<Attachment> {
    let Content::Wider(said) = content else { return None };
    match said.read()? {
        WideContent::Attached { attachment } => Some(attachment).filter(Attachment::is_sound),
        _ => None,
    }
}

/// The attachments of a case as far as their events can be read here, oldest first, each once. What an owner says counts: work
/// on the case, or what a restored owner wrote again as a note of its own. What somebody else contributed does not.
pub fn attached(known: &Known) -> impl Iterator<Item = Attached> {
    let mut met: Vec<AttachmentId> = Vec::new();
    let all = known.chain().iter().filter_map(move |link| {
        let own = match link.header.act {
            Act::Progressed => true,
            Act::Contributed { from, .. } => from == link.writer,
            _ => false,
        };
        let private = known.said(&link.header).filter(|_| own)?;
        let attachment = named(&private.content).filter(|attachment| !met.contains(&attachment.id))?;
        met.push(attachment.id);
        Some(Attached { event: link.header.id, at: link.header.at, by: private.by.clone(), attachment })
    });
    // Whoever handed the case over may have written more.
    all.take(ATTACHED_MAX)
}

/// What was filed into the dossier, and where, the first first. What a later version files elsewhere is not told.
pub fn filed(known: &Known) -> impl Iterator<Item = (AttachmentId, Place)> {
    let case = known.id();
    known.chain().iter().filter_map(move |link| {
        let Act::Wider(act) = &link.header.act else { return None };
        match act.read()? {
            WideAct::Placed { attachment, slot } => Some((attachment, Place::Slot(Slot::of_code(slot)?))),
            WideAct::SheetScanned { attachment, paper, edition, page, pages } => {
                let paper = Paper::of_code(paper)?;
                Some((attachment, Place::Sheet(SheetCode { case, paper, edition, page, pages })))
            }
            _ => None,
        }
    })
}

/// Who may still have the bytes: those who owned the case before, the latest first.
pub fn sources(known: &Known, me: NodeId) -> Vec<NodeId> {
    let mut owners = known.owners();
    owners.retain(|owner| *owner != me);
    owners.reverse();
    owners
}

/// Whether a node may be given the bytes: the owner, as far as it is known here, or the one to whom the case was released.
pub fn may_have(known: &Known, node: NodeId) -> bool {
    known.case().is_some_and(|case| case.owner() == node)
}
