//! Change of ownership as people see it: offer, recall, accept, decline, take over; and offers that run out.

use protocol::bounded::Text;
use protocol::event::{Act, Content};
use protocol::id::{NodeId, OfferId};
use protocol::receipt::{Progress, Subject};
use protocol::transfer::{Accept, Decline, Ground, Offer, Recall, TENURES_MAX};
use protocol::unit::UnitCode;
use protocol::wire::kind::Body;

use super::{nameless, restrict, steps::note};
use crate::draft::{Decision, Draft};
use crate::known::Known;
use crate::record::{FollowerClass, OfferFile, OfferState, Record};
use crate::refusal::Refusal;
use crate::restricted;
use crate::rights::Actor;
use crate::tenure::may_take_over;
use crate::term;
use crate::world::World;

/// Offers ownership. Nothing changes hands yet; one open offer a case.
pub(super) fn offer(draft: &mut Draft<'_, '_>, to: NodeId) -> Result<(), Refusal> {
    let me = draft.me();
    if to == me {
        return Err(Refusal::ToMyself);
    }
    if !fits_one_more_tenure(draft) {
        return Err(Refusal::CaseFull);
    }
    if draft.case()?.is_about(to) {
        return Err(Refusal::AboutOwnPeople);
    }
    let id = OfferId::new(draft.world.now.wall, draft.world.random());
    draft.append(Act::Offered { offer: id, to }, Content::Nothing, |_| {})?;
    let case = draft.case()?;
    let at = draft.world.now;
    let expires = term::days_later(at, draft.world.holds.policy.accept_days);
    let offer = Offer { id, case: case.id, from: me, brief: case.above().clone(), head: case.head.hash, at, expires };
    draft.store(Record::Offer(OfferFile { offer: offer.clone(), to, state: OfferState::Open, since: at }));
    draft.follow(to, FollowerClass::Brief, None, "offer");
    tell_of(draft, offer, to);
    Ok(())
}

/// Tells the receiver of an offer. A program that cannot read all of the case refuses it, and the case stays where it is.
pub(crate) fn tell_of(draft: &mut Draft<'_, '_>, offer: Offer, to: NodeId) {
    let body = if draft.known.is_wide() { Body::WideOffer(offer) } else { Body::Offer(offer) };
    draft.tell(to, body);
}

/// The receiver of an offer does not know what the case holds: its program is too old. The offer ends.
pub fn refused_as_unknown(known: &Known, offer: OfferId, by: NodeId, world: &mut World<'_>) -> Option<Decision> {
    let mut draft = Draft::new(known, world, None);
    let open = draft.case().ok().is_some_and(|case| case.owned_by(draft.me()) && case.offered == Some((offer, by)));
    (open && end_open_offer(&mut draft).is_ok()).then(|| draft.finish())
}

/// Whether a handover could still carry the seals of all tenures. One that could not would never be sent, and the case would
/// be released to nobody.
pub(crate) fn fits_one_more_tenure(draft: &Draft<'_, '_>) -> bool {
    draft.known.seals().count() < TENURES_MAX
}

pub(super) fn recall(draft: &mut Draft<'_, '_>) -> Result<(), Refusal> {
    end_open_offer(draft)
}

/// Ends the open offer, if there is one, and tells its receiver.
pub(crate) fn end_open_offer(draft: &mut Draft<'_, '_>) -> Result<(), Refusal> {
    end_offer(draft, OfferState::Recalled)
}

fn end_offer(draft: &mut Draft<'_, '_>, state: OfferState) -> Result<(), Refusal> {
    let case = draft.case()?;
    let Some((offer, to)) = case.offered else { return Ok(()) };
    draft.append(Act::OfferEnded { offer }, Content::Nothing, |_| {})?;
    set_state(draft, offer, state);
    draft.tell(to, Body::Recall(Recall { offer, case: case.id }));
    Ok(())
}

/// Notes how far an offer has come.
pub(crate) fn set_state(draft: &mut Draft<'_, '_>, offer: OfferId, state: OfferState) {
    if let Some(file) = draft.known.offer(offer).cloned() {
        let since = draft.world.now;
        draft.store(Record::Offer(OfferFile { state, since, ..file }));
    }
}

/// The offer that waits here for an answer. One that ran out by this node's clock waits no more, even if its owner has not
/// said so yet.
fn waiting(draft: &Draft<'_, '_>, offer: OfferId) -> Result<OfferFile, Refusal> {
    let file = draft.known.offer(offer).ok_or(Refusal::NoOpenOffer)?;
    let open = file.to == draft.me()
        && file.state == OfferState::Open
        && draft.world.now.corrected() <= file.offer.expires.corrected();
    if open { Ok(file.clone()) } else { Err(Refusal::NoOpenOffer) }
}

/// Takes a case on (签收). Owned is nothing until the handover arrives.
pub(super) fn accept(draft: &mut Draft<'_, '_>, offer: OfferId, by: &Actor) -> Result<(), Refusal> {
    let file = waiting(draft, offer)?;
    // Whoever takes a restricted case on is the first here to read it, and names the others.
    if restricted::is_told(&file.offer.brief) {
        restrict::may_read(draft, by.user.clone(), by.name.clone(), by);
    }
    let (case, owner) = (file.offer.case, file.offer.from);
    set_state(draft, offer, OfferState::Accepted);
    draft.receipt(owner, Subject::Offer { offer, case }, Progress::Accepted);
    let accept = Accept { offer, case, by: draft.me(), at: draft.world.now };
    draft.tell(owner, Body::Accept(accept));
    Ok(())
}

pub(super) fn decline(
    draft: &mut Draft<'_, '_>,
    offer: OfferId,
    ground: Ground,
    text: Text<400>,
    proposed: Option<NodeId>,
) -> Result<(), Refusal> {
    let file = waiting(draft, offer)?;
    nameless(&draft.known, &text)?;
    set_state(draft, offer, OfferState::Declined { ground, text: text.clone(), proposed });
    let (case, by, at) = (file.offer.case, draft.me(), draft.world.now);
    draft.tell(file.offer.from, Body::Decline(Decline { offer, case, by, ground, text, proposed, at }));
    Ok(())
}

/// Takes a case over from an owner that is lost (接管): a new epoch without consent.
pub(super) fn take_over(draft: &mut Draft<'_, '_>, reason: Text<4000>) -> Result<(), Refusal> {
    if reason.trim().is_empty() {
        return Err(Refusal::ReasonMissing);
    }
    let case = draft.case()?;
    let me = draft.me();
    let above = draft.world.line.iter().any(|above| above.node == case.owner());
    if above || !may_take_over(draft.world.keys, case.owner(), me) {
        return Err(Refusal::OutsideArea);
    }
    draft.append_in(case.head.epoch.taken_over(), Act::TakenOver { from: case.owner() }, note(reason), |brief| {
        (brief.owner, brief.unit) = (me, UnitCode::NODE_ITSELF);
    })?;
    for file in draft.known.offers().cloned().collect::<Vec<_>>() {
        if file.to == me && matches!(file.state, OfferState::Open | OfferState::Accepted) {
            set_state(draft, file.offer.id, OfferState::Done);
        }
    }
    // What this node asked of the lost owner it now has to do itself.
    for file in draft.known.orders().filter(|f| f.order.from == me && f.open()).cloned().collect::<Vec<_>>() {
        draft.store(Record::Order(crate::record::OrderFile { withdrawn: true, ..file }));
    }
    Ok(())
}

/// Ends offers that ran out: the owner writes it, a receiver notes it.
pub(super) fn expire(draft: &mut Draft<'_, '_>) -> bool {
    let now = draft.world.now.corrected();
    let over: Vec<OfferFile> = draft
        .known
        .offers()
        .filter(|file| file.state == OfferState::Open && file.offer.expires.corrected() < now)
        .cloned()
        .collect();
    for file in &over {
        let mine = draft.known.case().is_some_and(|case| {
            case.owned_by(draft.me()) && case.offered.is_some_and(|(open, _)| open == file.offer.id)
        });
        if !mine || end_offer(draft, OfferState::Expired).is_err() {
            set_state(draft, file.offer.id, OfferState::Expired);
        }
    }
    !over.is_empty()
}
