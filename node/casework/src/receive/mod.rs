//! What other nodes sent. A message is judged by itself and by what is known; it never changes a case that another owns.

mod headers;
mod orders;
mod restored;
mod transfer;

use protocol::bounded::Text;
use protocol::event::{Act, Content, PrivatePart};
use protocol::id::{CaseId, NodeId};
use protocol::receipt::Subject;
use protocol::wire::kind::Body;

use crate::draft::{Decision, Draft};
use crate::known::Known;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::world::World;

/// A message that arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// The node that signed the bundle.
    pub origin: NodeId,
    /// What it says.
    pub body: Body,
    /// Its private parts, if it was sealed to this node and could be opened.
    pub opened: Option<Vec<PrivatePart>>,
    /// Given back to this node after a restore: it was sent by this node or by one below it.
    pub returned: bool,
}

/// Whether it holds headers, which count whoever gives them back.
fn is_of_a_chain(body: &Body) -> bool {
    matches!(body, Body::Header(_) | Body::WideHeader(_) | Body::History(_) | Body::WideHistory(_))
}

/// The case that a message is about: which [`Known`] to load for it.
pub fn subject_of(body: &Body) -> Option<CaseId> {
    match body {
        Body::Header(header) | Body::WideHeader(header) => Some(header.case),
        Body::History(history) | Body::WideHistory(history) => Some(history.case),
        Body::Fact(fact) => fact.case,
        Body::Order(order) | Body::WideOrder(order) => Some(order.case),
        Body::OrderAnswer(answer) => Some(answer.case),
        Body::OrderWithdrawn(withdrawn) => Some(withdrawn.case),
        Body::Receipt(receipt) => Some(match receipt.subject {
            Subject::Case { case, .. } | Subject::Order { case, .. } | Subject::Offer { case, .. } => case,
        }),
        Body::Contribution(contribution) => Some(contribution.case),
        Body::Offer(offer) | Body::WideOffer(offer) => Some(offer.case),
        Body::Accept(accept) => Some(accept.case),
        Body::Decline(decline) => Some(decline.case),
        Body::Recall(recall) => Some(recall.case),
        Body::Handover(handover) | Body::WideHandover(handover) => Some(handover.case),
        Body::Erase(erase) => Some(erase.case),
        Body::AttachmentAsked(asked) => Some(asked.case),
        Body::AttachmentPart(part) => Some(part.case),
        Body::AttachmentHeld(held) => Some(held.case),
        Body::Tally(_)
        | Body::Watermark(_)
        | Body::AuditHead(_)
        | Body::FiguresWanted(_)
        | Body::Published(_)
        | Body::Holdings(_)
        | Body::Delivered(_)
        | Body::Enrol(_)
        | Body::Enrolled(_)
        | Body::Entry(_)
        | Body::Renew(_)
        | Body::Mandate(_)
        | Body::Revoked(_)
        | Body::RevokeAsked(_)
        | Body::Subtree(_)
        | Body::EnrolRefused(_)
        | Body::Moved(_)
        | Body::MoveAsked(_)
        | Body::MoveRefused(_)
        | Body::NotUnderstood(_) => None,
    }
}

/// Takes a message in.
pub fn receive(known: &Known, message: Incoming, world: &mut World<'_>) -> Result<Decision, Refusal> {
    let Incoming { origin, body, opened, returned } = message;
    let mut draft = Draft::new(known, world, None);
    let draft_ref = &mut draft;
    // Given back, and of this node's own hand: it is remembered, never acted upon a second time.
    if returned && origin == draft_ref.me() && !is_of_a_chain(&body) {
        restored::remember(draft_ref, body)?;
        return Ok(draft.finish());
    }
    match body {
        Body::Header(header) | Body::WideHeader(header) => headers::header(draft_ref, header, origin, returned)?,
        Body::History(history) | Body::WideHistory(history) => headers::history(draft_ref, history, origin, returned)?,
        Body::Fact(fact) => from_itself(origin, fact.owner_node).map(|()| draft_ref.store(Record::Fact(fact)))?,
        Body::Tally(tally) => from_itself(origin, tally.node).map(|()| draft_ref.store(Record::Tally(tally)))?,
        Body::Watermark(mark) => from_itself(origin, mark.node).map(|()| draft_ref.store(Record::Watermark(mark)))?,
        // Given back on behalf of another: only headers and figures are kept on the way.
        _ if returned => {}
        Body::Order(order) | Body::WideOrder(order) => orders::order(draft_ref, order, origin)?,
        Body::OrderAnswer(answer) => orders::answer(draft_ref, answer, origin, opened)?,
        Body::OrderWithdrawn(withdrawn) => orders::withdrawn(draft_ref, &withdrawn, origin)?,
        Body::Receipt(receipt) => {
            from_itself(origin, receipt.by).map(|()| draft_ref.store(Record::Receipt(receipt)))?;
            orders::delivered(draft_ref, &receipt);
        }
        Body::Contribution(contribution) => orders::contribution(draft_ref, &contribution, origin, opened)?,
        Body::Offer(offer) | Body::WideOffer(offer) => transfer::offer(draft_ref, offer, origin)?,
        Body::Accept(accept) => transfer::accept(draft_ref, &accept, origin)?,
        Body::Decline(decline) => transfer::decline(draft_ref, decline, origin)?,
        Body::Recall(recall) => transfer::recall(draft_ref, &recall, origin)?,
        Body::Handover(handover) | Body::WideHandover(handover) => {
            transfer::handover(draft_ref, handover, origin, opened)?
        }
        Body::Erase(erase) => orders::erase(draft_ref, erase, origin)?,
        // Their bytes are in rows that no rule sees: the shell's matter, by what `attachment` says.
        Body::AttachmentAsked(_)
        | Body::AttachmentPart(_)
        | Body::AttachmentHeld(_)
        | Body::Published(_)
        | Body::Holdings(_)
        | Body::AuditHead(_)
        | Body::FiguresWanted(_)
        | Body::Delivered(_)
        | Body::Enrol(_)
        | Body::Enrolled(_)
        | Body::Entry(_)
        | Body::Renew(_)
        | Body::Mandate(_)
        | Body::Revoked(_)
        | Body::RevokeAsked(_)
        | Body::Subtree(_)
        | Body::EnrolRefused(_)
        | Body::Moved(_)
        | Body::MoveAsked(_)
        | Body::MoveRefused(_)
        | Body::NotUnderstood(_) => return Err(Refusal::NotACaseMessage),
    }
    Ok(draft.finish())
}

/// Refuses a message that names another sender than signed it.
fn from_itself(origin: NodeId, named: NodeId) -> Result<(), Refusal> {
    if origin == named { Ok(()) } else { Err(Refusal::WrongOrigin) }
}

/// A note of a message as content.
fn said(text: &str) -> Content {
    if text.trim().is_empty() { Content::Nothing } else { Content::Note { text: Text::cut(text) } }
}

/// Whether somebody is the last whom the chain names as owner without having taken the case yet.
fn on_its_way_to(known: &Known, node: NodeId) -> bool {
    known.case().is_some_and(|case| case.released && case.owner() == node)
        || known.chain().last().is_some_and(|l| matches!(l.header.act, Act::Released { to, .. } if to == node))
}
