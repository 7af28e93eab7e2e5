//! Reconciliation: both sides list what they hold that passed between them, each asks for what it lacks, and that is sent
//! under new numbers. One way of recovery for every doubt.

use protocol::bounded::List;
use protocol::id::{BundleId, NodeId};
use protocol::wire::bundle::Bundle;
use protocol::wire::control::Control;

use super::input::ConnectionId;
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
        let Ok(page) = List::new(ids) else { return };
        Self::say(connection, Control::Inventory { page, last: !full }, out);
    }

    /// The peer lists what it holds.
    pub(super) fn their_inventory(
        &mut self,
        peer: NodeId,
        connection: ConnectionId,
        ids: Vec<BundleId>,
        last: bool,
        out: &mut Vec<Output>,
    ) {
        if self.links.get(&peer).is_some_and(|link| link.is_live(connection)) {
            self.fetch(Pending::Unseen { peer, connection, last }, Query::Unseen { ids }, out);
        }
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
        if let Ok(page) = List::new(ids) {
            Self::say(connection, Control::Want { page, last }, out);
        }
    }

    /// The peer lacks these of the page that was sent.
    pub(super) fn they_want(
        &mut self,
        peer: NodeId,
        connection: ConnectionId,
        ids: Vec<BundleId>,
        last: bool,
        out: &mut Vec<Output>,
    ) {
        let _ = last;
        if !self.links.get(&peer).is_some_and(|link| link.is_live(connection)) {
            return;
        }
        self.fetch(Pending::Wanted { peer, connection }, Query::Bundles { ids }, out);
    }

    /// Numbers what the peer lacks anew, then goes on with the inventory.
    pub(super) fn give(&mut self, peer: NodeId, connection: ConnectionId, bundles: Vec<Bundle>, out: &mut Vec<Output>) {
        let Some(session) = self.links.get_mut(&peer).and_then(|l| l.session_of(connection)) else { return };
        let (done, after) = (session.inventory_done, session.inventoried);
        for bundle in bundles {
            self.enqueue(peer, bundle, out);
        }
        if !done {
            self.ask_inventory(peer, connection, after, out);
        }
    }
}
