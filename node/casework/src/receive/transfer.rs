//! Change of ownership between nodes: the owner's own writer is the serialising point.

use std::sync::Arc;

use protocol::chain::TenureSeal;
use protocol::event::{Act, Content, Header, PrivatePart};
use protocol::id::NodeId;
use protocol::receipt::{Progress, Subject};
use protocol::transfer::{Accept, Decline, Handover, Offer, Recall};
use protocol::unit::UnitCode;
use protocol::wire::kind::Body;

use super::headers::{self, Before, take_in};
use super::{from_itself, said};
use crate::decide::{fits_one_more_tenure, incoming, keep, set_state, withdraw_asked};
use crate::draft::{Draft, Notice};
use crate::letter::{HandoverLetter, Letter};
use crate::part::bound;
use crate::record::{FollowerClass, OfferFile, OfferState, OrderFile, Record};
use crate::refusal::Refusal;
use crate::tenure;

/// An offer arrived: it waits for a person.
pub(super) fn offer(draft: &mut Draft<'_, '_>, offer: Offer, origin: NodeId) -> Result<(), Refusal> {
    from_itself(origin, offer.from)?;
    let subject = Subject::Offer { offer: offer.id, case: offer.case };
    if draft.known.offer(offer.id).is_none() {
        let (to, since) = (draft.me(), draft.world.now);
        let released = draft.known.chain().iter().any(|link| {
            matches!(link.header.act, Act::OfferEnded { offer: id } | Act::Released { offer: id, .. } if id == offer.id)
        });
        let state = if released { OfferState::Recalled } else { OfferState::Open };
        draft.store(Record::Offer(OfferFile { offer, to, state, since }));
    }
    draft.receipt(origin, subject, Progress::Delivered);
    Ok(())
}

/// The receiver takes the case on: it is released and handed over in one transaction, if the offer still stands.
pub(super) fn accept(draft: &mut Draft<'_, '_>, accept: &Accept, origin: NodeId) -> Result<(), Refusal> {
    from_itself(origin, accept.by)?;
    let Some(file) = draft.known.offer(accept.offer).cloned() else {
        return not_any_more(draft, accept);
    };
    if file.to != origin {
        return Err(Refusal::WrongOrigin);
    }
    if file.state == OfferState::Done {
        // Accepted twice: the case is with it, or on its way.
        return Ok(());
    }
    let me = draft.me();
    let stands = file.state == OfferState::Open
        && draft.world.now.corrected() <= file.offer.expires.corrected()
        && fits_one_more_tenure(draft)
        && draft.known.case().is_some_and(|case| {
            case.owned_by(me) && case.offered == Some((accept.offer, origin)) && case.head.epoch.moves < u16::MAX
        });
    if !stands {
        return not_any_more(draft, accept);
    }
    release(draft, &file)
}

fn not_any_more(draft: &mut Draft<'_, '_>, accept: &Accept) -> Result<(), Refusal> {
    draft.tell(accept.by, Body::Recall(Recall { offer: accept.offer, case: accept.case }));
    Ok(())
}

fn release(draft: &mut Draft<'_, '_>, file: &OfferFile) -> Result<(), Refusal> {
    let (offer, to, me) = (file.offer.id, file.to, draft.me());
    withdraw_asked(draft);
    let next = draft.case()?.head.epoch.moved();
    draft.append(Act::Released { offer, to, next }, Content::Nothing, |brief| brief.owner = to)?;
    let case = draft.case()?;
    let signature = draft.world.keys.sign(&TenureSeal::signed_bytes(case.id, case.head, me));
    draft.store(Record::Seal(TenureSeal { case: case.id, head: case.head, by: me, signature }));
    set_state(draft, offer, OfferState::Done);
    let (key, registered_by) = draft.key();
    let letter = HandoverLetter {
        offer,
        case: case.id,
        key,
        registered_by,
        headers: draft.known.chain().iter().map(|link| Header::clone(&link.header)).collect(),
        seals: draft.known.seals().copied().collect(),
        private: draft.known.parts(),
    };
    draft.follow(to, FollowerClass::Full, None, "owner");
    draft.send(to, Letter::Handover(Box::new(letter)));
    headers::answer_moved(draft);
    Ok(())
}

/// The receiver declined.
pub(super) fn decline(draft: &mut Draft<'_, '_>, decline: Decline, origin: NodeId) -> Result<(), Refusal> {
    from_itself(origin, decline.by)?;
    let Some(file) = draft.known.offer(decline.offer).cloned() else { return Ok(()) };
    if file.to != origin {
        return Err(Refusal::WrongOrigin);
    }
    if file.state != OfferState::Open {
        return Ok(());
    }
    let (offer, proposed) = (decline.offer, decline.proposed);
    let stands = draft
        .known
        .case()
        .is_some_and(|case| case.owned_by(draft.me()) && case.offered.is_some_and(|(open, _)| open == offer));
    if stands {
        draft.append(Act::OfferDeclined { offer, proposed }, said(&decline.text), |_| {})?;
    }
    set_state(draft, offer, OfferState::Declined { ground: decline.ground, text: decline.text, proposed });
    Ok(())
}

/// The owner took its offer back, or it ran out there.
pub(super) fn recall(draft: &mut Draft<'_, '_>, recall: &Recall, origin: NodeId) -> Result<(), Refusal> {
    let Some(file) = draft.known.offer(recall.offer).cloned() else { return Ok(()) };
    from_itself(origin, file.offer.from)?;
    if matches!(file.state, OfferState::Open | OfferState::Accepted) {
        set_state(draft, recall.offer, OfferState::Recalled);
    }
    Ok(())
}

/// The case itself arrived: it is proven, stored, and taken.
pub(super) fn handover(
    draft: &mut Draft<'_, '_>,
    handover: Handover,
    origin: NodeId,
    opened: Option<Vec<PrivatePart>>,
) -> Result<(), Refusal> {
    let me = draft.me();
    let parts = opened.ok_or(Refusal::NotOpened)?;
    let links = tenure::prove(&handover.headers, &handover.seals, origin, draft.world.keys).ok_or(Refusal::Unproven)?;
    let last = links.last().ok_or(Refusal::Unproven)?.clone();
    let to_me = matches!(last.header.act, Act::Released { to, .. } if to == me);
    if !to_me || last.writer != origin || links.iter().any(|link| link.header.case != handover.case) {
        return Err(Refusal::Unproven);
    }
    let before = Before::of(draft);
    // Whoever follows the case has what passed through this node, or can at least not be worse off.
    let followed = draft.known.holds(last.header.id, last.hash);
    take_in(draft, links, &handover.seals);
    take_parts(draft, parts);
    if draft.known.key().is_none() || !draft.known.owned_by(me) {
        let (key, registered_by) = (handover.key, handover.registered_by);
        draft.store(Record::Key { case: handover.case, key, registered_by });
    }
    draft.known.rebuild();
    set_state(draft, handover.offer, OfferState::Done);
    draft.receipt(origin, Subject::Offer { offer: handover.offer, case: handover.case }, Progress::Done);
    let tip_is_release = draft.known.chain().last().is_some_and(|link| link.hash == last.hash);
    if !tip_is_release {
        // Taken already, and this is a repeat; or somebody above took the case over meanwhile.
        return headers::after(draft, &before, false);
    }
    take(draft, &last, followed)
}

fn take(draft: &mut Draft<'_, '_>, last: &tenure::Link, followed: bool) -> Result<(), Refusal> {
    let me = draft.me();
    let Act::Released { next, .. } = last.header.act else { return Err(Refusal::Unproven) };
    draft.introduce = !followed && draft.known.case().is_some_and(crate::case::Case::escalated);
    draft.append_in(next, Act::Taken { release: last.hash }, Content::Nothing, |brief| {
        // No unit of the former owner answers for it any more.
        (brief.owner, brief.unit) = (me, UnitCode::NODE_ITSELF);
    })?;
    // Orders that came ahead of the case have waited for it.
    let node = draft.world.me;
    let early: Vec<OrderFile> = draft
        .known
        .orders()
        .filter(|file| incoming(file, node) && file.open() && !draft.known.received(file.order.id))
        .filter(|file| !file.order.asked.is_of_a_node())
        .cloned()
        .collect();
    for file in early {
        draft.append(Act::OrderReceived { order: file.order.id }, Content::Nothing, |_| {})?;
    }
    Ok(())
}

/// Stores private parts that belong to headers held here, also those that had gone on their day.
pub(super) fn take_parts(draft: &mut Draft<'_, '_>, parts: Vec<PrivatePart>) {
    keep::lift(draft, parts.iter().map(|part| part.event));
    for part in parts {
        let PrivatePart { event, salt, private } = part;
        let private = (salt, private);
        let home = draft
            .known
            .hashed()
            .find(|(_, header, _)| header.id == event && bound(header, &private))
            .map(|(_, header, origin)| (Arc::clone(header), origin));
        match home {
            Some((header, origin)) => draft.store(Record::Event { header, private: Some(private), origin }),
            None => draft.notes.push(Notice::Unbound { event }),
        }
    }
}
