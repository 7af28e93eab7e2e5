//! A node that was restored from a backup is given back what it had sent. What it wrote since on a branch of its own is
//! written again behind what was given back, under the same event ids.

use protocol::chain::{Epoch, Hash};
use protocol::event::{Act, Content, Header, Private, Salt};
use protocol::id::ContributionId;
use protocol::order::Asked;
use protocol::transfer::Offer;
use protocol::wire::kind::Body;

use crate::draft::{Draft, Notice};
use crate::evolve::foreseen;
use crate::part::bound;
use crate::record::{OfferFile, OfferState, OrderFile, Record};
use crate::refusal::Refusal;
use crate::restricted;
use crate::step;
use crate::tenure::Link;

use super::headers::take_in;
use crate::tenure;

/// A header of this node came back. If it continues the chain, that is all. If it stands beside what this node wrote
/// since, it was there first: others have it.
pub(super) fn stand_on(draft: &mut Draft<'_, '_>, hash: Hash, was: &[Link]) -> Result<(), Refusal> {
    let me = draft.me();
    draft.known.rebuild();
    let Some(published) = draft.known.branch_of(hash) else { return Ok(()) };
    let fork = was.iter().zip(&published).take_while(|(ours, theirs)| ours.hash == theirs.hash).count();
    let ours: Vec<Link> = was.get(fork..).unwrap_or_default().to_vec();
    let epoch = published.get(fork).map_or(Epoch::default(), |link| link.header.epoch);
    // A branch of a later epoch, or of another owner, is no branch to be written again.
    if ours.is_empty() || ours.iter().any(|link| link.writer != me || link.header.epoch != epoch) {
        return Ok(());
    }
    // An older form of what is in the chain already.
    let known_already = published
        .get(fork..)
        .is_some_and(|theirs| theirs.iter().all(|t| ours.iter().any(|o| o.header.id == t.header.id)));
    if known_already {
        return Ok(());
    }
    draft.known.stand_on(published);
    mint_again(draft, ours);
    Ok(())
}

fn mint_again(draft: &mut Draft<'_, '_>, ours: Vec<Link>) {
    let mut count = 0_u32;
    for link in ours {
        if draft.known.in_chain(link.header.id) {
            continue;
        }
        // An order that came twice, once before and once after the restore, was received once. The event keeps its place all
        // the same: a branch that were shorter than the one it replaces would not win.
        let again = matches!(link.header.act, Act::OrderReceived { order } if draft.known.received(order));
        let Some(case) = draft.known.case().cloned() else { return };
        if !case.owned_by(draft.me()) || draft.known.is_archived() {
            contribute_later(draft, &link);
            continue;
        }
        let (act, brief) = match step::refit(&link.header.act, &link.header.brief, &case).filter(|_| !again) {
            Some(brief) => (link.header.act.clone(), brief),
            None => {
                let contribution = ContributionId::from_bytes(*link.header.id.as_bytes());
                (Act::Contributed { contribution, from: draft.me() }, case.brief.clone())
            }
        };
        let then = foreseen(&case, &act, link.header.at);
        let brief = if then.restricted { restricted::told(&brief, draft.world.me.division) } else { brief };
        let header = Header {
            epoch: case.head.epoch,
            number: case.head.number.saturating_add(1),
            previous: case.head.hash,
            act,
            brief,
            ..Header::clone(&link.header)
        };
        match draft.known.private(header.id).cloned().filter(|private| bound(&header, private)) {
            Some(private) => draft.push(header, private),
            None => draft.push_bare(header),
        }
        count = count.saturating_add(1);
    }
    if count > 0 {
        // Who follows the case may have the other branch alone, if this node ran twice: the way to what comes now goes with it.
        draft.introduce = true;
        draft.notes.push(Notice::MintedAgain { events: count });
    }
}

/// The case has left this node, or is closed: what was written goes to its owner as a note.
fn contribute_later(draft: &mut Draft<'_, '_>, link: &Link) {
    let event = link.header.id;
    let part: Option<(Salt, Private)> = draft.known.private(event).cloned();
    if let Some((salt, private)) = part.filter(|(_, private)| private.content != Content::Nothing) {
        let part = protocol::event::PrivatePart { event, salt, private };
        // Without an owner there is nobody to write to; the branch itself stays stored.
        let _ = crate::decide::send_contribution(draft, ContributionId::from_bytes(*event.as_bytes()), part);
    }
}

/// Remembers what this node had said, without doing it again.
pub(super) fn remember(draft: &mut Draft<'_, '_>, body: Body) -> Result<(), Refusal> {
    match body {
        Body::Fact(fact) => draft.store(Record::Fact(fact)),
        Body::Tally(tally) => draft.store(Record::Tally(tally)),
        Body::Watermark(mark) => draft.store(Record::Watermark(mark)),
        Body::Order(order) | Body::WideOrder(order) if draft.known.order(order.id).is_none() => {
            let to = match &order.asked {
                Asked::ApproveLevel { brief, .. } => {
                    brief.level().map(|from| crate::decide::approver(draft.world, from))
                }
                Asked::Wider(_) => draft.world.line.first().map(|above| above.node),
                Asked::Directive { .. } | Asked::View { .. } => draft.known.case().map(crate::case::Case::owner),
            };
            let to = to.unwrap_or(order.from);
            draft.store(Record::Order(OrderFile::issued(order, to, None)));
        }
        Body::Offer(offer) | Body::WideOffer(offer) if draft.known.offer(offer.id).is_none() => {
            remember_offer(draft, offer);
        }
        Body::Erase(erase) => draft.store(Record::Erasure(erase)),
        Body::Accept(accept) => crate::decide::set_state(draft, accept.offer, OfferState::Accepted),
        Body::Recall(recall) => crate::decide::set_state(draft, recall.offer, OfferState::Recalled),
        Body::Handover(handover) | Body::WideHandover(handover) => {
            let links = tenure::prove(&handover.headers, &handover.seals, draft.me(), draft.world.keys)
                .ok_or(Refusal::Unproven)?;
            take_in(draft, links, &handover.seals);
            draft.store(Record::Key { case: handover.case, key: handover.key, registered_by: handover.registered_by });
            draft.known.rebuild();
            crate::decide::set_state(draft, handover.offer, OfferState::Done);
        }
        _ => {}
    }
    Ok(())
}

/// An offer of which only the letter came back: whom it was for, the chain tells.
fn remember_offer(draft: &mut Draft<'_, '_>, offer: Offer) {
    let to = draft.known.headers().find_map(|(_, header, _)| match header.act {
        Act::Offered { offer: id, to } if id == offer.id => Some(to),
        _ => None,
    });
    if let Some(to) = to {
        let since = offer.at;
        let open = draft.known.case().is_some_and(|case| case.offered.is_some_and(|(id, _)| id == offer.id));
        let state = if open { OfferState::Open } else { OfferState::Done };
        draft.store(Record::Offer(OfferFile { offer, to, state, since }));
    }
}
