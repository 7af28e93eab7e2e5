//! Nodes that hang elsewhere from some moment on, this one among them.

use protocol::id::NodeId;
use rand_core::RngCore;

use super::alarm::Closing;
use super::backoff::Backoff;
use super::input::{Now, Uptime};
use super::link::Link;
use super::output::{Output, Write};
use super::{Core, Identity, Pending};

impl Core {
    /// Nodes are reached in another way. A direct child that hangs elsewhere now may no longer connect.
    pub(super) fn relocated(
        &mut self,
        now: Now,
        members: Vec<(NodeId, Option<NodeId>, Option<NodeId>)>,
        out: &mut Vec<Output>,
    ) {
        for (member, from, via) in members {
            if from != via {
                // Who was not below this node at all is noted as having come past it.
                self.former.insert((member, from.unwrap_or(self.me.node)));
            }
            match via {
                Some(via) => self.registered(member, via),
                None => {
                    self.routes.remove(&member);
                }
            }
            if from == Some(member) && via != Some(member) {
                self.revoked(now, member, out);
                self.part(member, out);
            }
        }
        self.ask_again(now);
    }

    /// A neighbour hangs elsewhere from now on, or this node does.
    fn part(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        link.part();
        self.pending.values_mut().for_each(|pending| pending.renumbered(peer));
        self.persist(Pending::Plain, Write::Renumber { peer }, out);
        self.keep_link(peer, out);
    }

    /// The node has another certificate, trusts other roots, or hangs below another node from the next greeting on.
    pub(super) fn reidentified(&mut self, now: Now, me: Identity, out: &mut Vec<Output>) {
        let renewed = me.entry != self.me.entry;
        if let Some(former) = self.me.parent.filter(|former| me.parent != Some(*former)) {
            let session = self.links.get(&former).and_then(|link| link.session.as_ref());
            if let Some(connection) = session.map(|session| session.connection) {
                self.close(now, connection, Closing::Moved, out);
            }
            self.part(former, out);
        }
        if let Some(parent) = me.parent.filter(|parent| self.me.parent != Some(*parent)) {
            let nonce = self.random.next_u64();
            self.links.get_or_make(parent, || Link::fresh(parent, nonce));
            self.backoff = Backoff::new(&self.limits, true);
        } else if renewed && me.parent.and_then(|p| self.links.get(&p)).is_none_or(|l| l.session.is_none()) {
            // With another certificate the door may be open.
            self.backoff.told(now.uptime, 0);
        }
        self.me = me;
    }

    /// A move was heard of: what neighbours sent and what could not come from there may have been right.
    fn ask_again(&mut self, now: Now) {
        let at = Uptime(now.uptime.0.saturating_add(self.limits.reoffer_ms));
        self.links.doubted().for_each(|link| {
            link.reoffer_at.get_or_insert(at);
        });
    }
}
