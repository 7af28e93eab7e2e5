//! What must hold whatever happens.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::{BundleId, NodeId};
use protocol::wire::frame::Lane;
use protocol::wire::kind::Body;

use crate::core::KeptLink;

use super::Application;
use super::fault::Fault;
use super::world::World;

/// Something was still on its way when it should have arrived.
#[derive(Debug, Clone)]
pub struct Stuck(pub String);

impl<A: Application> World<A> {
    /// Runs until nothing is on its way any more, or says what is after a bound of virtual time.
    pub fn drain(&mut self, within_ms: u64) -> Result<(), Stuck> {
        let end = self.now_ms.saturating_add(within_ms);
        loop {
            match self.on_its_way() {
                None => return Ok(()),
                Some(what) if self.now_ms >= end => return Err(Stuck(what)),
                Some(_) => self.run_until(self.now_ms.saturating_add(500)),
            }
        }
    }

    pub(super) fn on_its_way(&self) -> Option<String> {
        let linked: BTreeSet<_> =
            self.connections.values().filter(|c| c.gone == (false, false)).map(|c| c.child).collect();
        for (node, member) in &self.members {
            let Some(live) = &member.live else { return Some(format!("{node} is down")) };
            if !live.is_idle() {
                return Some(format!("{node} is busy"));
            }
            if member.identity.parent.is_some() && !linked.contains(node) {
                return Some(format!("{node} has no connection to its parent"));
            }
            let open = member.disk.open.first().and_then(|id| Some((id, member.disk.bundles.get(id)?)));
            if let Some((id, stored)) = open {
                let head = stored.bundle.head();
                let trace = self.trace(*id).join(", ");
                return Some(format!("{id} from {} to {} has no receipt at {node}; {trace}", head.origin, head.to));
            }
        }
        None
    }

    /// Who holds a bundle or a receipt of it, for finding out what went wrong.
    fn trace(&self, id: BundleId) -> Vec<String> {
        let mut trace = Vec::new();
        for (node, member) in &self.members {
            if let Some(stored) = member.disk.bundles.get(&id) {
                let queued = member.disk.outbox.values().any(|(_, queued)| *queued == id);
                trace.push(format!(
                    "held by {node} (done {}, applied {}, queued {queued})",
                    stored.done, stored.applied
                ));
            }
            for stored in member.disk.bundles.values() {
                let names = stored.bundle.messages().iter().any(|message| {
                    matches!(Body::decode(message.kind, message.schema, &message.body),
                        Ok(Some(Body::Delivered(delivered))) if delivered.bundles.contains(&id))
                });
                if names {
                    let head = stored.bundle.head();
                    let queued = member.disk.outbox.values().any(|(_, queued)| *queued == head.id);
                    trace.push(format!("receipt {} from {} at {node} (queued {queued})", head.id, head.origin));
                }
            }
        }
        trace
    }

    /// Checks that nothing was taken in twice, and that what an origin holds was taken in at its destination.
    pub fn check_delivery(&mut self) {
        let mut found = Vec::new();
        let damaged = self.counters.faults.get(&Fault::Flip).copied().unwrap_or(0).saturating_add(self.counters.forged);
        if self.counters.unbelieved > damaged {
            found.push(format!("{} bundles were not believed, {damaged} were damaged", self.counters.unbelieved));
        }
        for (node, member) in &self.members {
            let waiting = member.live.as_ref().map_or(0, |live| live.core.waiting());
            if waiting > 0 {
                found.push(format!("the core of {node} still waits for {waiting} answers"));
            }
            for (id, stored) in &member.disk.bundles {
                if stored.applied > 1 {
                    found.push(format!("{node} took {id} in {} times", stored.applied));
                }
                let head = stored.bundle.head();
                if stored.applied > 0 && !member.disk.lies_between(head) {
                    found.push(format!("{node} took {id} in, from {} to {}", head.origin, head.to));
                }
                if head.origin != *node || !head.receipted {
                    continue;
                }
                let there = self.members.get(&head.to);
                let taken = there.and_then(|m| m.disk.bundles.get(id)).is_some_and(|s| s.applied == 1);
                let aside = there.is_some_and(|m| m.disk.quarantine.contains_key(id));
                if !taken && !aside {
                    found.push(format!("{id} from {node} was never taken in at {}", head.to));
                }
            }
        }
        self.counters.violations.extend(found);
    }
}

/// Lanes whose numbers went back within one run.
pub(super) fn backwards(
    before: &BTreeMap<NodeId, KeptLink>,
    after: &BTreeMap<NodeId, KeptLink>,
) -> impl Iterator<Item = String> {
    let pairs = after.values().filter_map(|link| before.get(&link.peer).map(|old| (old, link)));
    let lanes = pairs.flat_map(|(old, new)| Lane::NUMBERED.into_iter().map(move |lane| (old, new, lane)));
    lanes
        .filter(|(old, new, lane)| {
            let (was, is) = (old.lane(*lane), new.lane(*lane));
            let received = old.peer_incarnation == new.peer_incarnation && is.received.seq < was.received.seq;
            let given = old.incarnation == new.incarnation && (is.last.seq < was.last.seq || is.acked < was.acked);
            received || given
        })
        .map(|(_, new, lane)| format!("numbers of {lane:?} with {} went back", new.peer))
        .collect::<Vec<_>>()
        .into_iter()
}
