//! Erasing what is private of a closed case (删除个人信息): rows and salts go, headers and their chain stay.

use std::collections::BTreeSet;

use protocol::bounded::List;
use protocol::erase::Erase;
use protocol::event::{Act, Step};
use protocol::id::{EventId, NodeId, OrderId};
use protocol::wire::kind::Body;

use crate::draft::Draft;
use crate::known::Known;
use crate::record::{FollowerClass, Record};
use crate::refusal::Refusal;
use crate::world::Me;

/// Only its owner erases, and only what is closed: work that goes on needs its names.
pub(super) fn closed(known: &Known, me: Me) -> Result<(), Refusal> {
    let case = known.case().ok_or(Refusal::UnknownCase)?;
    if !case.owned_by(me.node) {
        return Err(Refusal::NotOwner);
    }
    if !case.brief.void && case.brief.step != Step::Archived {
        return Err(Refusal::WrongStep);
    }
    // What cannot be named here may still be held by others: erasing again is allowed while anything is left.
    if private_events(known).is_empty() { Err(Refusal::NothingChanges) } else { Ok(()) }
}

/// Everything of the case that has a private part here.
fn private_events(known: &Known) -> Vec<EventId> {
    let events = known.privates().map(|(event, _)| event);
    let notes = known.contributions().filter(|file| file.private.is_some());
    let notes = notes.map(|file| EventId::from_bytes(*file.id.as_bytes()));
    events.chain(notes).collect::<BTreeSet<_>>().into_iter().collect()
}

pub(super) fn erase(draft: &mut Draft<'_, '_>) -> Result<(), Refusal> {
    let case = draft.case()?.id;
    // Headers whose private part is elsewhere only are named too: a former owner may still have it.
    let all: BTreeSet<EventId> =
        private_events(&draft.known).into_iter().chain(draft.known.chain().iter().map(|l| l.header.id)).collect();
    let events = List::new(all.into_iter().collect()).map_err(|_| Refusal::CaseFull)?;
    let id = OrderId::new(draft.world.now.wall, draft.world.random());
    let erase = Erase { id, case, by: draft.me(), at: draft.world.now, events };
    carry_out(draft, erase);
    Ok(())
}

/// Erases here, and orders it from everybody who may hold more than a brief.
pub(crate) fn carry_out(draft: &mut Draft<'_, '_>, erase: Erase) {
    let readers = readers(&draft.known);
    let above = draft.world.line.first().map(|parent| parent.node).filter(|_| erase.by == draft.me());
    draft.store(Record::Erasure(erase.clone()));
    draft.known.rebuild();
    for to in readers.into_iter().chain(above).collect::<BTreeSet<NodeId>>() {
        if to != erase.by {
            draft.tell(to, Body::Erase(erase.clone()));
        }
    }
}

/// Former owners, whoever contributed, and followers of more than headers.
fn readers(known: &Known) -> BTreeSet<NodeId> {
    let followers = known.followers().filter(|f| f.class != FollowerClass::Brief).map(|f| f.node);
    let contributors = known.chain().iter().filter_map(|link| match link.header.act {
        Act::Contributed { from, .. } => Some(from),
        _ => None,
    });
    known.owners().into_iter().chain(followers).chain(contributors).collect()
}
