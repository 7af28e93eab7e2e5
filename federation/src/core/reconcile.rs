//! Reconciliation: both sides list what they hold that passed between them, each asks for what it lacks, and that is sent
//! under new numbers. One way of recovery for every doubt.

use protocol::bounded::List;
use protocol::id::{BundleId, NodeId};
use protocol::wire::bundle::Bundle;
use protocol::wire::control::Control;

use super::alarm::Closing;
use super::input::{ConnectionId, Now, Uptime};
use super::link::{Link, Session};
use super::output::{Output, Query};
use super::{Core, Pending};

impl Core {
    /// Looks up the next page of the own inventory.
    pub(super) fn ask_inventory(
        &mut self,
        peer: NodeId,
        connection: ConnectionId,
        after: Option<BundleId>,
        out: &mut Vec<Output>,
    ) {
        let query = Query::Inventory { peer, after, count: self.limits.inventory_page };
        self.fetch(Pending::Inventory { peer, connection }, query, out);
    }

    /// Sends a page of the own inventory. The next one follows when the peer has said what it lacks of this.
    pub(super) fn own_inventory(
        &mut self,
        peer: NodeId,
        connection: ConnectionId,
        ids: Vec<BundleId>,
        out: &mut Vec<Output>,
    ) {
        let full = ids.len() >= self.limits.inventory_page;
        let Some(session) = self.links.get_mut(&peer).and_then(|l| l.session_of(connection)) else { return };
        session.inventoried = ids.last().copied();
        session.inventory_done = !full;
        session.offered = ids.iter().copied().collect();
        session.answer_due = true;
        let Ok(page) = List::new(ids) else { return };
        Self::say(connection, Control::Inventory { page, last: !full }, out);
    }

    /// The peer lists what it holds.
    pub(super) fn their_inventory(
        &mut self,
        now: Now,
        peer: NodeId,
        connection: ConnectionId,
        ids: Vec<BundleId>,
        last: bool,
        out: &mut Vec<Output>,
    ) {
        let up = self.links.get(&peer).and_then(|link| link.session.as_ref()).is_some_and(Session::is_up);
        if !up {
            return self.close(now, connection, Closing::Misbehaved, out);
        }
        self.fetch(Pending::Unseen { peer, connection, last }, Query::Unseen { ids }, out);
    }

    /// Asks for what is lacking of the peer's page.
    pub(super) fn lacking(
        &mut self,
        peer: NodeId,
        connection: ConnectionId,
        ids: Vec<BundleId>,
        last: bool,
        out: &mut Vec<Output>,
    ) {
        if !self.links.get(&peer).is_some_and(|link| link.is_live(connection)) {
            return;
        }
        let Ok(page) = List::new(ids) else { return };
        Self::say(connection, Control::Want { page, last }, out);
        if let Some(link) = self.links.get_mut(&peer).filter(|_| last) {
            link.settle_theirs();
            self.keep_link(peer, out);
        }
    }

    /// The peer lacks these of the page that was sent. It gets nothing that was not offered to it.
    pub(super) fn they_want(
        &mut self,
        now: Now,
        peer: NodeId,
        connection: ConnectionId,
        ids: Vec<BundleId>,
        out: &mut Vec<Output>,
    ) {
        let Some(session) = self.links.get_mut(&peer).and_then(|l| l.session_of(connection)) else { return };
        if !std::mem::take(&mut session.answer_due) {
            return self.close(now, connection, Closing::Misbehaved, out);
        }
        let offered = std::mem::take(&mut session.offered);
        session.wanted = ids.into_iter().filter(|id| offered.contains(id)).collect();
        self.go_on(peer, connection, out);
    }

    /// Numbers what the peer lacks anew, then goes on.
    pub(super) fn give(&mut self, peer: NodeId, connection: ConnectionId, bundles: Vec<Bundle>, out: &mut Vec<Output>) {
        if !self.links.get(&peer).is_some_and(|link| link.is_live(connection)) {
            return;
        }
        for bundle in bundles {
            self.enqueue(peer, bundle, out);
        }
        self.go_on(peer, connection, out);
    }

    /// The next wanted bundles, or the next page, or the end of the reconciliation in this direction.
    fn go_on(&mut self, peer: NodeId, connection: ConnectionId, out: &mut Vec<Output>) {
        let at_once = self.limits.give_bundles;
        let Some(link) = self.links.get_mut(&peer) else { return };
        let Some(session) = link.session_of(connection) else { return };
        let (done, after) = (session.inventory_done, session.inventoried);
        let ids: Vec<_> = session.wanted.drain(..at_once.min(session.wanted.len())).collect();
        if !ids.is_empty() {
            self.fetch(Pending::Wanted { peer, connection }, Query::Bundles { ids }, out);
        } else if done {
            link.settle();
            self.keep_link(peer, out);
        } else {
            self.ask_inventory(peer, connection, after, out);
        }
    }

    /// A bundle was given back that had come from `origin`. Whoever stands between may have lost it too, and its own
    /// greeting cannot tell: that link is reconciled again.
    pub(super) fn doubt_toward(&mut self, now: Now, from: NodeId, origin: NodeId, out: &mut Vec<Output>) {
        if origin == self.me.node {
            return;
        }
        let at = Uptime(now.uptime.0.saturating_add(self.limits.reoffer_ms));
        let toward = self.route(origin).or(self.me.parent).filter(|toward| *toward != from);
        let Some((toward, link)) = toward.and_then(|toward| Some((toward, self.links.get_mut(&toward)?))) else {
            return;
        };
        let told = link.doubted;
        link.doubt(at);
        if !told {
            self.keep_link(toward, out);
        }
    }

    /// Asks for the greetings that reconcile links in doubt.
    pub(super) fn reoffer(&mut self, now: Now, out: &mut Vec<Output>) {
        let is_due = |link: &Link| link.reoffer_at.is_some_and(|at| at <= now.uptime);
        let due: Vec<_> = self.links.waiting().filter(|(_, link)| is_due(link)).map(|(peer, _)| peer).collect();
        for peer in due {
            let Some(link) = self.links.get_mut(&peer) else { continue };
            link.reoffer_at = None;
            let Some(connection) = link.session.as_ref().map(|session| session.connection) else { continue };
            if self.me.parent == Some(peer) {
                self.close(now, connection, Closing::Again, out);
            } else {
                Self::say(connection, Control::GoAway { retry_after_ms: 0 }, out);
            }
        }
    }
}
