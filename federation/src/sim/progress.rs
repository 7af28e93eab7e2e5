//! Cases go on while any way exists: amid everything that is still wrong elsewhere, one line to the top is made whole, and
//! what is sent on it must arrive.

use std::collections::BTreeSet;

use protocol::bounded::List;
use protocol::id::{MessageId, NodeId};
use protocol::wire::bundle::Urgency;
use protocol::wire::control::Delivered;
use protocol::wire::kind::Body;

use super::world::World;
use super::{Application, Draft};

impl<A: Application> World<A> {
    /// A node and all above it are whole, and so are the links between them. What is wrong elsewhere stays so. A node that
    /// moves is told of it by its old parent, and admitted by the new one.
    fn mend_line(&mut self, from: NodeId) -> Vec<NodeId> {
        let above = |at: &NodeId| self.members.get(at).and_then(|member| member.identity.parent);
        let line: Vec<_> = std::iter::successors(Some(from), above).take(16).collect();
        let ordered = line.iter().flat_map(|node| self.line_as_ordered(*node));
        let concerned: BTreeSet<_> = line.iter().copied().chain(ordered).collect();
        for node in &concerned {
            if let Some(twin) = self.twin(*node) {
                self.unplug(twin);
            }
            self.mend(*node);
            self.end_hostility(*node);
            self.start(*node);
        }
        self.remind_top();
        concerned.into_iter().collect()
    }

    /// Makes the line of a node whole and checks that something urgent which it sends to the top is there within a time.
    pub fn check_progress(&mut self, from: NodeId, within_ms: u64) {
        let cut_off = self.cut_off();
        // Whoever has to hear first that it hangs elsewhere dials twice.
        let within_ms = if self.is_aware(from) { within_ms } else { within_ms.saturating_mul(2) };
        let line = self.mend_line(from);
        let Some(top) = self.top().filter(|top| *top != from) else { return };
        if line.iter().any(|node| cut_off.contains(node)) {
            return;
        }
        let end = self.now_ms.saturating_add(within_ms);
        let id = MessageId::from_bytes(u128::from(self.below(u64::MAX)).to_be_bytes());
        let mut sent = false;
        while self.now_ms < end {
            sent = sent || self.act(from, |_, _, _| ((), vec![urgent(id, top)])).is_some();
            self.run_until(self.now_ms.saturating_add(200));
            if self.has_message(top, from, id) {
                return;
            }
        }
        let what = format!("{from} has a way to the top, and what is urgent is not there after {within_ms} ms");
        self.counters.violations.push(what);
    }

    fn has_message(&self, at: NodeId, from: NodeId, id: MessageId) -> bool {
        let held = self.members.get(&at).into_iter().flat_map(|member| member.disk.bundles.values());
        held.filter(|stored| stored.bundle.head().origin == from && stored.bundle.head().urgency == Urgency::Red)
            .any(|stored| stored.bundle.messages().iter().any(|message| message.id == id))
    }
}

/// A message that asks nothing of an application.
fn urgent(id: MessageId, to: NodeId) -> Draft {
    let body = Body::Delivered(Delivered { bundles: List::default() });
    Draft { id: Some(id), to, urgency: Urgency::Red, receipted: true, body }
}
