//! What must hold whatever happens.

use std::collections::BTreeSet;

use protocol::id::{BundleId, NodeId};
use protocol::wire::bundle::BundleHead;
use protocol::wire::frame::Lane;
use protocol::wire::kind::Body;

use crate::core::KeptLink;

use super::Application;
use super::fault::Fault;
use super::world::{Member, World};

/// Something was still on its way when it should have arrived.
#[derive(Debug, Clone)]
pub struct Stuck(pub String);

/// What is not settled yet.
enum Unsettled {
    Down(NodeId),
    Busy(NodeId),
    Parted(NodeId),
    /// It has not heard of all moves, or does not see the line that follows from them.
    Unaware(NodeId),
    /// A bundle at a node has no receipt.
    Open(NodeId, BundleId),
    Application(NodeId, String),
}

impl<A: Application> World<A> {
    /// Runs until nothing is on its way any more, or says what is after a bound of virtual time.
    pub fn drain(&mut self, within_ms: u64) -> Result<(), Stuck> {
        let end = self.now_ms.saturating_add(within_ms);
        loop {
            match self.on_its_way() {
                None => return Ok(()),
                Some(what) if self.now_ms >= end => return Err(Stuck(self.told(what))),
                Some(_) => self.run_until(self.now_ms.saturating_add(500)),
            }
        }
    }

    /// The first thing that is not settled.
    fn on_its_way(&self) -> Option<Unsettled> {
        let linked: BTreeSet<_> =
            self.connections.values().filter(|c| c.gone == (false, false)).map(|c| c.child).collect();
        let cut_off = self.cut_off();
        for (node, member) in self.members.iter().filter(|(node, _)| !cut_off.contains(*node)) {
            let Some(live) = &member.live else { return Some(Unsettled::Down(*node)) };
            if !live.is_idle() {
                return Some(Unsettled::Busy(*node));
            }
            if member.identity.parent.is_some() && !linked.contains(node) {
                return Some(Unsettled::Parted(*node));
            }
            if !self.is_aware(*node) {
                return Some(Unsettled::Unaware(*node));
            }
            let mut open = member.disk.open.iter().filter_map(|id| Some((id, member.disk.bundles.get(id)?)));
            let reachable = |head: &BundleHead| !cut_off.contains(&head.to) && !cut_off.contains(&head.origin);
            if let Some((id, _)) = open.find(|(_, stored)| reachable(stored.bundle.head())) {
                return Some(Unsettled::Open(*node, *id));
            }
        }
        let unsettled = |(node, member): (&NodeId, &Member<A>)| {
            let what = member.live.as_ref()?.app().unsettled()?;
            Some(Unsettled::Application(*node, what))
        };
        self.members.iter().filter(|(node, _)| !cut_off.contains(*node)).find_map(unsettled)
    }

    fn told(&self, what: Unsettled) -> String {
        match what {
            Unsettled::Down(node) => format!("{node} is down"),
            Unsettled::Busy(node) => format!("{node} is busy"),
            Unsettled::Parted(node) => format!("{node} has no connection to its parent"),
            Unsettled::Unaware(node) => {
                let line =
                    self.members.get(&node).map(|m| m.disk.line.iter().map(|a| a.node.to_string()).collect::<Vec<_>>());
                let ordered = self.line_as_ordered(node);
                format!("{node} does not know where nodes hang, and sees {line:?} above, for {ordered:?}")
            }
            Unsettled::Open(node, id) => format!("{id} has no receipt at {node}; {}", self.trace(id).join(", ")),
            Unsettled::Application(node, what) => format!("{node}: {what}"),
        }
    }

    /// Who holds a bundle or a receipt of it, for finding out what went wrong.
    fn trace(&self, id: BundleId) -> Vec<String> {
        let mut trace = Vec::new();
        for (node, member) in &self.members {
            if let Some(stored) = member.disk.bundles.get(&id) {
                let queued = member.disk.outbox.values().any(|(_, queued)| *queued == id);
                let head = stored.bundle.head();
                trace.push(format!(
                    "from {} to {}, held by {node} (done {}, applied {}, queued {queued})",
                    head.origin, head.to, stored.done, stored.applied
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

    /// Whether what a node once took in may be gone for good. An old copy of it, or of a node above it, is given back what
    /// its neighbours hold; where a node on the way has moved since, they are not the ones who had it.
    fn may_be_forgotten(&self, head: &BundleHead) -> bool {
        let latest = self.latest_moves();
        let moved = |end: NodeId| self.line_as_ordered(end).iter().any(|at| latest.contains_key(at));
        let copied = |at: &NodeId| self.members.get(at).is_some_and(|member| member.copied);
        (moved(head.origin) || moved(head.to)) && self.line_as_ordered(head.to).iter().any(copied)
    }

    /// Checks that nothing was taken in twice, and that what an origin holds was taken in at its destination.
    pub fn check_delivery(&mut self) {
        let mut found = Vec::new();
        let damaged = self.counters.faults.get(&Fault::Flip).copied().unwrap_or(0).saturating_add(self.counters.forged);
        if self.counters.unbelieved > damaged {
            found.push(format!("{} bundles were not believed, {damaged} were damaged", self.counters.unbelieved));
        }
        let cut_off = self.cut_off();
        for (node, member) in self.members.iter().filter(|(node, _)| !cut_off.contains(*node)) {
            let waiting = member.live.as_ref().map_or(0, |live| live.core.waiting());
            if waiting > 0 {
                found.push(format!("the core of {node} still waits for {waiting} answers"));
            }
            for (id, stored) in &member.disk.bundles {
                if stored.applied > 1 {
                    found.push(format!("{node} took {id} in {} times", stored.applied));
                }
                let head = stored.bundle.head();
                let parted = cut_off.contains(&head.origin) || cut_off.contains(&head.to);
                if stored.applied > 0 && !parted && !member.disk.lies_between(head) {
                    found.push(format!("{node} took {id} in, from {} to {}", head.origin, head.to));
                }
                if head.origin != *node || !head.receipted || parted {
                    continue;
                }
                let there = self.members.get(&head.to);
                let taken = there.and_then(|m| m.disk.bundles.get(id)).is_some_and(|s| s.applied == 1);
                let aside = there.is_some_and(|m| m.disk.quarantine.contains_key(id));
                let forgotten = stored.done && self.may_be_forgotten(head);
                if !taken && !aside && !forgotten {
                    let trace = self.trace(*id).join(", ");
                    found.push(format!("{id} from {node} was never taken in at {}; {trace}", head.to));
                }
            }
        }
        self.counters.violations.extend(found);
        self.check_alarms();
    }
}

/// Lanes whose numbers went back within one run.
pub(super) fn backwards(old: &KeptLink, new: &KeptLink) -> impl Iterator<Item = String> {
    Lane::NUMBERED.into_iter().filter_map(|lane| {
        let (was, is) = (old.lane(lane), new.lane(lane));
        let received = old.peer_incarnation == new.peer_incarnation && is.received.seq < was.received.seq;
        let given = old.incarnation == new.incarnation && (is.last.seq < was.last.seq || is.acked < was.acked);
        (received || given).then(|| format!("numbers of {lane:?} with {} went back", new.peer))
    })
}
