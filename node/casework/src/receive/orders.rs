//! Orders, their answers, and contributions between nodes.

use protocol::erase::Erase;
use protocol::event::{Act, Content, PrivatePart};
use protocol::id::NodeId;
use protocol::order::{Answer, Asked, Contribution, Order, OrderAnswer, OrderWithdrawn, WideAsked, Wish};
use protocol::receipt::{Progress, Receipt, Subject};
use protocol::wire::kind::Body;

use super::{from_itself, headers, on_its_way_to, said, transfer};
use crate::decide;
use crate::draft::{Draft, Notice};
use crate::letter::Letter;
use crate::record::{AnswerKind, Answered, ContributionFile, OfferState, OrderFile, Record};
use crate::refusal::Refusal;

/// An order arrived. It is for the owner; a former owner says where the case went; an approval is for this node itself.
pub(super) fn order(draft: &mut Draft<'_, '_>, order: Order, origin: NodeId) -> Result<(), Refusal> {
    from_itself(origin, order.from)?;
    let me = draft.me();
    let (id, case) = (order.id, order.case);
    let subject = Subject::Order { order: id, case };
    if order.asked.is_of_a_node() {
        keep(draft, order);
        draft.receipt(origin, subject, Progress::Delivered);
        return Ok(());
    }
    if draft.known.owned_by(me) {
        keep(draft, order);
        let open = draft.known.order(id).is_some_and(OrderFile::open);
        if open && !draft.known.is_archived() && !draft.known.received(id) {
            draft.append(Act::OrderReceived { order: id }, Content::Nothing, |_| {})?;
        }
        draft.receipt(origin, subject, Progress::Delivered);
        return Ok(());
    }
    let accepted = draft.known.offers().any(|f| f.to == me && f.state == OfferState::Accepted);
    if on_its_way_to(&draft.known, me) || accepted {
        // It came ahead of the case.
        keep(draft, order);
        draft.receipt(origin, subject, Progress::Delivered);
    } else if draft.known.case().is_some() {
        headers::moved(draft, id, origin);
    } else {
        let (by, at) = (me, draft.world.now);
        let answer = Answer::Unknown;
        draft.tell(origin, Body::OrderAnswer(OrderAnswer { order: id, case, by, answer, at }));
    }
    Ok(())
}

fn keep(draft: &mut Draft<'_, '_>, order: Order) {
    let (me, now) = (draft.me(), draft.world.now);
    // Known already, and still with this node: nothing new. It may also come back to an owner it had left.
    let held = draft.known.order(order.id).cloned();
    if held.as_ref().is_some_and(|file| file.to == me) {
        return;
    }
    let due = order.term_days.map(|days| now.day().plus(i32::from(days)));
    let file = held.unwrap_or_else(|| OrderFile::issued(order, me, None));
    draft.store(Record::Order(OrderFile { to: me, delivered: Some(now), due, ..file }));
}

/// The issuer asks no more.
pub(super) fn withdrawn(draft: &mut Draft<'_, '_>, withdrawn: &OrderWithdrawn, origin: NodeId) -> Result<(), Refusal> {
    let Some(file) = draft.known.order(withdrawn.order).cloned() else { return Ok(()) };
    from_itself(origin, file.order.from)?;
    if file.answered.is_none() {
        draft.store(Record::Order(OrderFile { withdrawn: true, ..file }));
    }
    Ok(())
}

/// An order was delivered. If it is withdrawn, the withdrawal may have been there first, and have found nothing to end: it is
/// said again.
pub(super) fn delivered(draft: &mut Draft<'_, '_>, receipt: &Receipt) {
    let (Subject::Order { order, case }, Progress::Delivered) = (receipt.subject, receipt.progress) else { return };
    let me = draft.me();
    let withdrawn = |file: &&OrderFile| file.withdrawn && file.order.from == me && file.to == receipt.by;
    if draft.known.order(order).filter(withdrawn).is_some() {
        draft.tell(receipt.by, Body::OrderWithdrawn(OrderWithdrawn { order, case }));
    }
}

/// An answer arrived at the issuer.
pub(super) fn answer(
    draft: &mut Draft<'_, '_>,
    answer: OrderAnswer,
    origin: NodeId,
    opened: Option<Vec<PrivatePart>>,
) -> Result<(), Refusal> {
    from_itself(origin, answer.by)?;
    let Some(file) = draft.known.order(answer.order).cloned() else { return Ok(()) };
    if file.order.from != draft.me() || !file.open() {
        return Ok(());
    }
    let (by, at) = (answer.by, answer.at);
    // Only whom the order is with may answer. A former owner may still say that it moved, and one that the take-over had not
    // reached yet may have answered in good faith: its words follow as a contribution, and the new owner is asked all the same.
    let relocates = matches!(answer.answer, Answer::Moved { .. } | Answer::Unknown);
    if by != file.to {
        let in_good_faith = draft.known.owners().contains(&by);
        return if relocates || in_good_faith { Ok(()) } else { Err(Refusal::WrongOrigin) };
    }
    let kind = match answer.answer {
        Answer::Moved { owner, epoch } => {
            return moved(draft, file, Answered { by, at, kind: AnswerKind::Moved { owner, epoch } }, owner);
        }
        Answer::Unknown => {
            draft.notes.push(Notice::OrderUnknown { by });
            // The case may be on its way there: the next header from a new owner sends the order again.
            return Ok(());
        }
        Answer::Reply(text) => AnswerKind::Reply { text },
        Answer::Copy(_) => {
            transfer::take_parts(draft, opened.ok_or(Refusal::NotOpened)?);
            draft.known.rebuild();
            AnswerKind::Copy
        }
        Answer::Scored { score, text } => AnswerKind::Scored { score, text },
        Answer::Yes(text) => AnswerKind::Yes { text },
        Answer::No(text) => AnswerKind::No { text },
    };
    draft.store(Record::Order(OrderFile { answered: Some(Answered { by, at, kind: kind.clone() }), ..file.clone() }));
    match &file.order.asked {
        Asked::Wider(wish) => wished(draft, wish, &kind),
        Asked::ApproveLevel { .. } => approved(draft, &file, &kind),
        Asked::Directive { .. } | Asked::View { .. } => Ok(()),
    }
}

/// What the node above was asked for came, or did not. Where the case has gone on meanwhile it no longer fits, and changes nothing.
fn wished(draft: &mut Draft<'_, '_>, wish: &Wish, kind: &AnswerKind) -> Result<(), Refusal> {
    if !draft.known.owned_by(draft.me()) || draft.known.is_archived() {
        return Ok(());
    }
    match (wish.read(), kind) {
        (Some(WideAsked::Assess { .. }), AnswerKind::Scored { score, text }) => {
            decide::assessed_above(draft, *score, said(text))
        }
        (Some(WideAsked::Extend { days, .. }), AnswerKind::Yes { text }) => {
            decide::extended_above(draft, days, said(text))
        }
        (Some(WideAsked::Extend { .. }), AnswerKind::No { text }) => decide::not_extended_above(draft, said(text)),
        _ => Ok(()),
    }
}

fn moved(draft: &mut Draft<'_, '_>, file: OrderFile, answered: Answered, owner: NodeId) -> Result<(), Refusal> {
    if owner == draft.me() || owner == answered.by {
        // It came to this node meanwhile: there is nobody left to ask.
        draft.store(Record::Order(OrderFile { answered: Some(answered), ..file }));
        return Ok(());
    }
    headers::send_on(draft, file, owner);
    Ok(())
}

/// The approval that was asked came, or did not.
fn approved(draft: &mut Draft<'_, '_>, file: &OrderFile, kind: &AnswerKind) -> Result<(), Refusal> {
    let order = file.order.id;
    let case = draft.case()?;
    let wanted = match case.approval {
        Some((pending, wanted)) if pending == order && case.owned_by(draft.me()) => wanted,
        // The case rose, closed or left meanwhile: the answer no longer fits.
        _ => return Ok(()),
    };
    match kind {
        AnswerKind::Yes { text } => {
            let grading = decide::approved(draft.world, &case.brief, file.answers, wanted);
            let reason = protocol::bounded::Text::cut(text);
            decide::lower(draft, grading, Some(order), reason)
        }
        AnswerKind::No { text } => draft.append(Act::ApprovalRefused { order }, said(text), |_| {}),
        _ => Ok(()),
    }
}

/// A note from somebody who does not own the case. Appended by the owner; sent on by a former one.
pub(super) fn contribution(
    draft: &mut Draft<'_, '_>,
    contribution: &Contribution,
    origin: NodeId,
    opened: Option<Vec<PrivatePart>>,
) -> Result<(), Refusal> {
    let part = opened.and_then(|parts| parts.into_iter().next()).ok_or(Refusal::NotOpened)?;
    let (id, case, from, at) = (contribution.id, contribution.case, contribution.from, contribution.at);
    // A former owner may hand on what reached it late. From anybody else it is the word of who signed it.
    let handed_on = origin != from && draft.known.owners().contains(&origin);
    let from = if handed_on { from } else { origin };
    let me = draft.me();
    let appended = |link: &crate::tenure::Link| {
        matches!(link.header.act, Act::Contributed { contribution, .. } if contribution == id)
            || link.header.id.as_bytes() == id.as_bytes()
    };
    if draft.known.chain().iter().any(appended) || draft.known.contributions().any(|held| held.id == id) {
        // It may be what is private of an event whose header came first, as after a take-over.
        if draft.known.in_chain(part.event) && draft.known.private(part.event).is_none() {
            transfer::take_parts(draft, vec![part]);
            draft.known.rebuild();
        }
        return Ok(());
    }
    let private = Some(part.private.clone());
    let Some(state) = draft.known.case().cloned() else {
        draft.store(Record::Contribution(ContributionFile { id, case, from, at, private, appended: false }));
        return Ok(());
    };
    let room = state.head.number < decide::PEOPLE_EVENTS_MAX && draft.known.private_bytes() < decide::PRIVATE_BYTES_MAX;
    let open = state.brief.step != protocol::event::Step::Archived;
    let appended = state.owned_by(me) && open && room;
    if appended {
        draft.by = part.private.by.clone();
        let content = part.private.content.clone();
        draft.append(Act::Contributed { contribution: id, from }, content, |_| {})?;
    }
    draft.store(Record::Contribution(ContributionFile { id, case, from, at, private, appended }));
    if state.owner() != me {
        draft.send(state.owner(), Letter::Contribution { id, case, from, at, part: Box::new(part) });
    }
    Ok(())
}

/// Private parts that are to be gone. An owner orders it; the parent keeps it for the children that it is above, and gives
/// it back to one that was restored.
pub(super) fn erase(draft: &mut Draft<'_, '_>, erase: Erase, origin: NodeId) -> Result<(), Refusal> {
    let me = draft.me();
    if draft.known.erasures().any(|held| held.id == erase.id) {
        return Ok(());
    }
    let given_back = erase.by == me && draft.world.line.iter().any(|above| above.node == origin);
    // Of a case that nobody follows, its former owner knows whom it released it to, and not who took it on after that one:
    // what an owner after that orders comes from the one that it knows.
    let owners = draft.known.owners();
    let gone = draft.known.case().filter(|case| case.released).map(crate::case::Case::owner);
    let is_owner = |node: NodeId| owners.contains(&node) || gone == Some(node);
    let by_an_owner = is_owner(origin) && (gone.is_some() || is_owner(erase.by));
    let from_below = origin == erase.by
        && draft.known.case().is_none()
        && draft
            .world
            .keys
            .division(origin)
            .is_some_and(|below| draft.world.keys.is_or_was_above(draft.world.me.division, below));
    if !given_back && !by_an_owner && !from_below {
        return if gone.is_some() { Ok(()) } else { Err(Refusal::WrongOrigin) };
    }
    decide::carry_out(draft, erase);
    Ok(())
}
