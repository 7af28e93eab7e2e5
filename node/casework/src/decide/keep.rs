//! Names that a node may hold up to a day, and that go by themselves when it has passed (到期删除): a former owner's, so many
//! days after its release, and a granted view's.

use std::collections::BTreeSet;

use protocol::event::Act;
use protocol::id::{EventId, NodeId};
use protocol::order::Asked;
use protocol::receipt::{Progress, Subject};
use protocol::time::CivilDay;

use crate::draft::Draft;
use crate::known::{Known, as_event};
use crate::record::{AnswerKind, Lapse, OfferState, Record};

/// When a case left a node.
enum Left {
    /// It never had it.
    Never,
    /// It has it, or nothing here proves that it arrived elsewhere: then the only names may be with that node.
    Unproven,
    /// On that day.
    On(CivilDay),
}

fn left(known: &Known, node: NodeId) -> Left {
    let chain = known.chain();
    let Some(last) = chain.iter().rposition(|link| link.writer == node) else { return Left::Never };
    let after = chain.get(last.saturating_add(1));
    match chain.get(last).map(|link| &*link.header) {
        Some(header) if let Act::Released { offer, to, .. } = header.act => {
            let taken = known.receipts().any(|r| {
                let of_it = matches!(r.subject, Subject::Offer { offer: id, .. } if id == offer);
                of_it && r.by == to && r.progress == Progress::Done
            });
            if taken || after.is_some() { Left::On(header.at.day()) } else { Left::Unproven }
        }
        _ => after.map_or(Left::Unproven, |taken_over| Left::On(taken_over.header.at.day())),
    }
}

impl Known {
    /// The last day on which a node that owned the case before may hold the whole of it. None: no such day is known here.
    pub fn former_owner_until(&self, node: NodeId, keep_days: u16) -> Option<CivilDay> {
        match left(self, node) {
            Left::On(day) => Some(day.plus(i32::from(keep_days))),
            Left::Never | Left::Unproven => None,
        }
    }

    /// The last day on which this node may hold names of the case. None while it owns it or is about to, and when it holds
    /// them for no reason that ends.
    pub fn names_until(&self, me: NodeId, keep_days: u16) -> Option<CivilDay> {
        let coming = self.offers().any(|file| file.to == me && file.state == OfferState::Accepted);
        let owner = self.case().is_some_and(|case| case.owner() == me);
        if coming || owner || matches!(left(self, me), Left::Unproven) {
            return None;
        }
        let views = self.orders().filter(|file| file.order.from == me).filter_map(|file| match file.order.asked {
            Asked::View { until } if file.answered.as_ref().is_some_and(|a| a.kind == AnswerKind::Copy) => Some(until),
            _ => None,
        });
        // What is about people of this node is not kept from them for days after it has passed on.
        let about_us = self.case().is_some_and(|case| case.is_about(me));
        views.chain(self.former_owner_until(me, if about_us { 0 } else { keep_days })).max()
    }

    /// Everything private that goes on that day: what events say, and notes that stand in the chain. A note that is not
    /// known to have arrived stays.
    fn passing(&self) -> BTreeSet<EventId> {
        let noted: BTreeSet<EventId> = self
            .chain()
            .iter()
            .map(|link| match link.header.act {
                Act::Contributed { contribution, .. } => as_event(contribution),
                _ => link.header.id,
            })
            .collect();
        let notes = self.contributions().filter(|file| file.private.is_some()).map(|file| as_event(file.id));
        self.privates().map(|(event, _)| event).chain(notes.filter(|id| noted.contains(id))).collect()
    }
}

/// Lets go what may be held no longer.
pub(super) fn lapse(draft: &mut Draft<'_, '_>) -> bool {
    let (me, at) = (draft.me(), draft.world.now);
    let until = draft.known.names_until(me, draft.world.holds.policy.keep_days);
    let going = draft.known.passing();
    if going.is_empty() || until.is_none_or(|until| at.day() <= until) {
        return false;
    }
    let case = draft.known.id();
    let before = draft.known.lapse().map(|lapse| lapse.events.clone()).unwrap_or_default();
    draft.store(Record::Lapse(Lapse { case, at, events: before.into_iter().chain(going).collect() }));
    draft.known.rebuild();
    true
}

/// What is given again is held again.
pub(crate) fn lift(draft: &mut Draft<'_, '_>, given: impl Iterator<Item = EventId>) {
    let Some(mut lapse) = draft.known.lapse().cloned() else { return };
    let before = lapse.events.len();
    given.for_each(|event| {
        lapse.events.remove(&event);
    });
    if lapse.events.len() < before {
        draft.store(Record::Lapse(lapse));
    }
}
