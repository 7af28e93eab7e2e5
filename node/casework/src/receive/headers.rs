//! Headers of a case that is followed here, and what a change of owner in them means.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::chain::Hash;
use protocol::event::{Act, Content, Header, PrivatePart};
use protocol::id::{ContributionId, EventId, NodeId};
use protocol::order::{Answer, OrderAnswer};
use protocol::receipt::{Progress, Receipt, Subject};
use protocol::transfer::{History, Recall};
use protocol::wire::kind::Body;

use super::restored;
use crate::case::Case;
use crate::decide::incoming;
use crate::draft::{Draft, Notice};
use crate::known::Known;
use crate::letter::Letter;
use crate::record::{OfferState, OrderFile, Record};
use crate::refusal::Refusal;
use crate::tenure::{self, Link};
use crate::world::World;

/// How a header stands to what is known.
enum Standing {
    /// Its predecessor is here, and its writer may follow it; or it is a first header.
    Fits,
    /// Its predecessor is missing: it waits aside.
    Early,
    /// Nobody could have written it so.
    Forged,
}

pub(super) fn header(draft: &mut Draft<'_, '_>, header: Header, origin: NodeId, returned: bool) -> Result<(), Refusal> {
    let hash = header.hash();
    if draft.known.holds(header.id, hash) {
        // A repeat gets its receipt again.
        if !returned {
            receipt(draft, None);
        }
        return Ok(());
    }
    if matches!(standing(&draft.known, &header, origin, draft.world), Standing::Forged) {
        draft.notes.push(Notice::NotTheOwner { by: origin, event: header.id });
        return Ok(());
    }
    note_equivocation(draft, &header, origin, returned);
    let before = Before::of(draft);
    let released_to = match header.act {
        Act::Released { to, .. } => Some(to),
        _ => None,
    };
    let ours = (returned && origin == draft.me()).then(|| header.clone());
    draft.store_header(hash, header, origin);
    if let Some(ours) = ours {
        restored::stand_on(draft, hash, before.chain.as_slice())?;
        draft.send_again(&ours);
        return Ok(());
    }
    draft.known.follow(hash);
    if let Some(to) = released_to.filter(|_| !draft.known.in_branch(hash)) {
        tell_of_take_over(draft, to);
    }
    after(draft, &before, returned)
}

/// The owner that was held to be lost had released the case before it heard of the take-over. Whom it went to cannot know
/// that the release does not stand, and would go on as the owner.
fn tell_of_take_over(draft: &mut Draft<'_, '_>, released_to: NodeId) {
    if draft.known.owned_by(draft.me()) && released_to != draft.me() {
        let urgency = draft.urgency();
        draft.earlier_headers(released_to, urgency);
    }
}

fn standing(known: &Known, header: &Header, origin: NodeId, world: &World<'_>) -> Standing {
    let checks = world.checks_epochs();
    if let Act::TakenOver { from } = header.act
        && checks
        && !from_above(world, from, origin)
    {
        return Standing::Forged;
    }
    if header.number <= 1 || header.previous == Hash::ZERO {
        return if tenure::begins(header, origin) || !checks { Standing::Fits } else { Standing::Forged };
    }
    let last = known.hashed().find(|(hash, _, _)| *hash == header.previous);
    let Some((hash, last, writer)) = last else {
        // The owner of an epoch may be known although the predecessor is not.
        let owner = known.chain().iter().find(|link| link.header.epoch == header.epoch).map(|link| link.writer);
        let stranger = checks && owner.is_some_and(|owner| owner != origin);
        return if stranger { Standing::Forged } else { Standing::Early };
    };
    let link = Link { hash, header: last.clone(), writer };
    if !tenure::follows(&link, header, origin, checks) {
        return Standing::Forged;
    }
    Standing::Fits
}

/// Whether a take-over comes from above the owner. For its own cases a node knows it exactly: by its line.
fn from_above(world: &World<'_>, from: NodeId, taker: NodeId) -> bool {
    if from == world.me.node {
        return world.line.iter().any(|above| above.node == taker);
    }
    tenure::may_take_over(world.keys, from, taker)
}

fn note_equivocation(draft: &mut Draft<'_, '_>, header: &Header, origin: NodeId, returned: bool) {
    let twice = draft.known.headers().any(|(_, other, writer)| {
        writer == origin && (other.epoch, other.number) == (header.epoch, header.number) && other.id != header.id
    });
    if twice && !returned {
        draft.notes.push(Notice::Equivocation { by: origin, epoch: header.epoch, number: header.number });
    }
}

pub(super) fn history(
    draft: &mut Draft<'_, '_>,
    history: History,
    origin: NodeId,
    returned: bool,
) -> Result<(), Refusal> {
    let links = tenure::prove(&history.headers, &history.seals, origin, draft.world.keys).ok_or(Refusal::Unproven)?;
    if links.iter().any(|link| link.header.case != history.case) {
        return Err(Refusal::Unproven);
    }
    let before = Before::of(draft);
    take_in(draft, links, &history.seals);
    draft.known.rebuild();
    after(draft, &before, returned)
}

/// Stores proven headers and seals that are not here yet.
pub(super) fn take_in(draft: &mut Draft<'_, '_>, links: Vec<Link>, seals: &[protocol::chain::TenureSeal]) {
    let proven: BTreeSet<Hash> = links.iter().map(|link| link.hash).collect();
    for link in links {
        if !draft.known.holds(link.header.id, link.hash) {
            let (header, origin) = (link.header, link.writer);
            draft.store(Record::Event { header, private: None, origin });
        }
    }
    for seal in seals.iter().filter(|seal| proven.contains(&seal.head.hash)) {
        if !draft.known.seals().any(|held| held == seal) {
            draft.store(Record::Seal(*seal));
        }
    }
}

/// What was before a message, to see what it changed.
pub(super) struct Before {
    chain: Arc<Vec<Link>>,
    owned: bool,
}

impl Before {
    pub(super) fn of(draft: &Draft<'_, '_>) -> Self {
        Self { chain: draft.known.shared_chain(), owned: draft.known.owned_by(draft.me()) }
    }
}

/// What follows from new headers: a receipt to the owner, orders sent on, and, when this node has lost the case, what it
/// wrote meanwhile goes to the new owner.
pub(super) fn after(draft: &mut Draft<'_, '_>, before: &Before, returned: bool) -> Result<(), Refusal> {
    if !draft.known.owned_by(draft.me()) && (before.owned || cut_off(draft, before)) {
        lost(draft, &before.chain)?;
    }
    if !returned {
        receipt(draft, Some(before));
        send_orders_on(draft);
    }
    Ok(())
}

/// Whether something that this node wrote stands no more, as when it had released the case before it heard of a take-over.
fn cut_off(draft: &Draft<'_, '_>, before: &Before) -> bool {
    let me = draft.me();
    before.chain.iter().any(|link| link.writer == me && !draft.known.in_chain(link.header.id))
}

/// Tells the owner how far the case is held here.
fn receipt(draft: &mut Draft<'_, '_>, before: Option<&Before>) {
    let Some(tip) = draft.known.chain().last() else { return };
    let news = before.is_none_or(|before| before.chain.last().map(|link| link.hash) != Some(tip.hash));
    if !news || tip.writer == draft.me() {
        return;
    }
    let to = tip.writer;
    let subject = Subject::Case { case: tip.header.case, epoch: tip.header.epoch, number: tip.header.number };
    let receipt = Receipt { subject, by: draft.me(), progress: Progress::Delivered, at: draft.world.now };
    draft.tell(to, Body::Receipt(receipt));
}

/// Orders of this node that are with a former owner go to the new one; there they are known by their id.
pub(super) fn send_orders_on(draft: &mut Draft<'_, '_>) {
    let Some(case) = draft.known.case().filter(|case| !case.released).cloned() else { return };
    let me = draft.me();
    let files: Vec<OrderFile> = draft
        .known
        .orders()
        .filter(|f| f.order.from == me && f.open() && f.to != case.owner() && case.owner() != me)
        .filter(|f| !f.order.asked.is_of_a_node())
        .cloned()
        .collect();
    for file in files {
        send_on(draft, file, case.owner());
    }
}

/// How often an order follows its case.
const HOPS_MAX: u8 = 16;

pub(super) fn send_on(draft: &mut Draft<'_, '_>, file: OrderFile, to: NodeId) {
    if file.hops >= HOPS_MAX {
        draft.notes.push(Notice::OrderUnknown { by: file.to });
        return;
    }
    let order = file.order.clone();
    draft.store(Record::Order(OrderFile { to, hops: file.hops.saturating_add(1), ..file }));
    draft.tell(to, Body::Order(order));
}

/// This node owned the case and does so no more, without having released it: what it wrote meanwhile is not lost.
fn lost(draft: &mut Draft<'_, '_>, was: &[Link]) -> Result<(), Refusal> {
    let me = draft.me();
    let case = draft.case()?;
    let gone: Vec<EventId> = was
        .iter()
        .filter(|link| link.writer == me && !draft.known.in_chain(link.header.id) && draft.world.keeps_late_writes())
        .map(|link| link.header.id)
        .collect();
    let mut sent = 0_u32;
    for event in gone {
        let part = draft.known.private(event).cloned();
        if let Some((salt, private)) = part.filter(|(_, private)| private.content != Content::Nothing) {
            let part = PrivatePart { event, salt, private };
            crate::decide::send_contribution(draft, ContributionId::from_bytes(*event.as_bytes()), part)?;
            sent = sent.saturating_add(1);
        }
    }
    if draft.known.chain().iter().any(|link| matches!(link.header.act, Act::TakenOver { from } if from == me)) {
        hand_parts_over(draft, &case);
    }
    if sent > 0 {
        draft.notes.push(Notice::LostWrites { events: sent });
    }
    let open: Vec<_> =
        draft.known.offers().filter(|f| f.offer.from == me && f.state == OfferState::Open).cloned().collect();
    for file in open {
        crate::decide::set_state(draft, file.offer.id, OfferState::Recalled);
        draft.tell(file.to, Body::Recall(Recall { offer: file.offer.id, case: case.id }));
    }
    answer_moved(draft);
    Ok(())
}

/// A take-over gave the new owner headers alone: what was private of them follows from the owner that was lost.
fn hand_parts_over(draft: &mut Draft<'_, '_>, case: &Case) {
    let (from, at) = (draft.me(), draft.world.now);
    for part in draft.known.parts() {
        let id = ContributionId::from_bytes(*part.event.as_bytes());
        draft.send(case.owner(), Letter::Contribution { id, case: case.id, from, at, part: Box::new(part) });
    }
}

/// Tells the issuers of open orders that the case has left.
pub(super) fn answer_moved(draft: &mut Draft<'_, '_>) {
    let me = draft.world.me;
    let Some(case) = draft.known.case().cloned() else { return };
    let files: Vec<OrderFile> = draft
        .known
        .orders()
        .filter(|f| incoming(f, me) && f.open() && !f.order.asked.is_of_a_node())
        .cloned()
        .collect();
    for file in files {
        let (order, to) = (file.order.id, file.order.from);
        draft.store(Record::Order(OrderFile { to: case.owner(), ..file }));
        moved(draft, order, to);
    }
}

/// Answers that the case has left for the owner that is known here.
pub(super) fn moved(draft: &mut Draft<'_, '_>, order: protocol::id::OrderId, to: NodeId) {
    let Some(case) = draft.known.case() else { return };
    let (owner, case_id) = (case.owner(), case.id);
    let epoch = match draft.known.chain().last().map(|link| &*link.header) {
        Some(Header { act: Act::Released { next, .. }, .. }) => *next,
        _ => case.head.epoch,
    };
    let (by, at) = (draft.me(), draft.world.now);
    let answer = Answer::Moved { owner, epoch };
    draft.tell(to, Body::OrderAnswer(OrderAnswer { order, case: case_id, by, answer, at }));
}
