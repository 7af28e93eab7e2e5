//! What arrives: numbered, placed, passed on.

use protocol::id::{BundleId, NodeId};
use protocol::wire::bundle::{Bundle, BundleHead};
use protocol::wire::control::{Control, Delivered, Position};
use protocol::wire::frame::{Lane, LinkSeq};
use protocol::wire::kind::Body;

use protocol::bounded::{List, Text};

use super::alarm::{Alarm, Closing};
use super::input::{ConnectionId, Now};
use super::link::Session;
use super::output::{Deliver, Output, Write};
use super::{Core, Pending};

/// How a bundle came over a link.
struct Numbered {
    connection: ConnectionId,
    lane: Lane,
    position: Position,
}

impl Core {
    pub(super) fn arrived(
        &mut self,
        now: Now,
        connection: ConnectionId,
        (lane, seq): (Lane, LinkSeq),
        bundle: Bundle,
        (seen, held_unreceipted): (bool, bool),
        out: &mut Vec<Output>,
    ) {
        let id = bundle.head().id;
        if self.is_another(connection, lane, seq) && !seen && !self.arriving.contains_key(&id) {
            return self.close(now, connection, Closing::Again, out);
        }
        let Some((peer, position)) = self.next_position(now, connection, lane, seq, bundle.bytes(), out) else {
            return;
        };
        #[cfg(feature = "mutants")]
        if self.limits.mutant == Some(super::Mutant::AcknowledgeBeforeCommit) {
            Self::say(connection, Control::Ack { lane, upto: position.seq, credit: self.limits.credit }, out);
        }
        let numbered = Numbered { connection, lane, position };
        self.take_in(now, peer, Some(numbered), bundle, (seen, held_unreceipted), out);
        self.keep_link(peer, out);
    }

    /// A bundle out of a parcel that a neighbour made. It is taken by its id, as one that a reconciliation brings: the
    /// numbers of the link stay where they are, and when the link brings it once more it is known.
    pub(super) fn carried(
        &mut self,
        now: Now,
        from: NodeId,
        bundle: Bundle,
        known: (bool, bool),
        out: &mut Vec<Output>,
    ) {
        if self.is_neighbour(from) {
            self.take_in(now, from, None, bundle, known, out);
        } else {
            out.push(Output::Raise(Alarm::Misrouted { peer: from, bundle: bundle.head().id }));
        }
    }

    /// What becomes of a bundle that a neighbour brings, on its link or by hand.
    fn take_in(
        &mut self,
        now: Now,
        peer: NodeId,
        numbered: Option<Numbered>,
        bundle: Bundle,
        (seen, held_unreceipted): (bool, bool),
        out: &mut Vec<Output>,
    ) {
        let id = bundle.head().id;
        // Only what was taken in counts: the same bundle may have come before over a connection that no longer does.
        let (seen, held_unreceipted) = match self.arriving.get(&id) {
            Some(unreceipted) => (true, *unreceipted),
            None => (seen, held_unreceipted),
        };
        #[cfg(feature = "mutants")]
        let seen = seen && self.limits.mutant != Some(super::Mutant::NoDedupe);
        let placed = self.place(peer, &bundle);
        #[cfg(feature = "mutants")]
        let placed = placed.or((self.limits.mutant == Some(super::Mutant::NoQuarantine)).then_some(Deliver::Apply));
        let Some(placed) = placed else { return self.misrouted(peer, numbered, bundle, out) };
        let again = seen && !held_unreceipted && bundle.head().receipted;
        match placed {
            // A receipt is computed from what is held, so asking again gives it again.
            Deliver::Apply if bundle.head().receipted => self.tell(&bundle, out),
            Deliver::Relay | Deliver::RelayAndKeep if !seen || again => self.forward(bundle.clone(), Some(peer), out),
            // Given back from where its destination was before it moved: from there it never comes to it.
            Deliver::Returned if !seen && self.leads_elsewhere(peer, bundle.head().to) => {
                self.forward(bundle.clone(), Some(peer), out);
            }
            _ => {}
        }
        let deliver = if seen { Deliver::Duplicate } else { placed };
        if matches!(deliver, Deliver::Returned) {
            self.doubt_toward(now, peer, bundle.head().origin, out);
        }
        // Also those that were given back: a restored node between the two ends may hold what they name as undelivered.
        self.note_receipts(&bundle, out);
        self.arriving.entry(id).or_insert(held_unreceipted || (!seen && bundle.head().receipted));
        let lane = numbered.as_ref().map_or(bundle.head().urgency.lane(), |numbered| numbered.lane);
        let (position, pending) = match numbered {
            Some(Numbered { lane, position, .. }) => {
                (position, Pending::Arrival { peer, lane, position, bundle: Some(id) })
            }
            None => (self.received(peer, lane), Pending::Unnumbered { bundle: id }),
        };
        let waits = !matches!(deliver, Deliver::Relay | Deliver::RelayAndKeep) || self.lies_between(bundle.head());
        let by = bundle.head().to;
        self.persist(pending, Write::Arrival { from: peer, lane, position, bundle, deliver }, out);
        if !waits {
            self.persist(Pending::Plain, Write::Receipted { by, bundles: vec![id] }, out);
        }
    }

    /// A bundle that cannot come from there is kept aside; its number is used up. Where this node has not heard of a move
    /// yet it is offered again by the next greeting, at the latest after the move.
    fn misrouted(&mut self, peer: NodeId, numbered: Option<Numbered>, bundle: Bundle, out: &mut Vec<Output>) {
        let id = bundle.head().id;
        out.push(Output::Raise(Alarm::Misrouted { peer, bundle: id }));
        let pending = match numbered {
            Some(Numbered { connection, lane, position }) => {
                Self::say(connection, quarantined(id, "it cannot come from here"), out);
                Pending::Arrival { peer, lane, position, bundle: None }
            }
            None => Pending::Plain,
        };
        self.persist(pending, Write::Quarantine { from: peer, bundle, reason: "misrouted".to_owned() }, out);
        if let Some(link) = self.links.get_mut(&peer) {
            link.distrust();
            self.keep_link(peer, out);
        }
    }

    /// Where a lane of a link stands on this side.
    fn received(&self, peer: NodeId, lane: Lane) -> Position {
        self.links.get(&peer).map_or(Position::START, |link| link.kept.lane(lane).received)
    }

    /// A bundle that is not believed uses its number up.
    pub(super) fn unbelieved(
        &mut self,
        now: Now,
        connection: ConnectionId,
        lane: Lane,
        seq: LinkSeq,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        let Some((peer, position)) = self.next_position(now, connection, lane, seq, bytes, out) else { return };
        let Some(link) = self.links.get_mut(&peer) else { return };
        link.greet_again(now.uptime, &self.limits);
        let kept = link.kept.clone();
        self.persist(Pending::Arrival { peer, lane, position, bundle: None }, Write::Link(kept), out);
    }

    pub(super) fn rejected(&mut self, bundle: BundleId, from: NodeId, reason: &str, out: &mut Vec<Output>) {
        out.push(Output::Raise(Alarm::Quarantined { peer: from, bundle }));
        if let Some(session) = self.links.get(&from).and_then(|link| link.session.as_ref()) {
            Self::say(session.connection, quarantined(bundle, reason), out);
        }
    }

    /// Whether a number has been used up. A bundle that comes under it is the one that was sent before, unless the peer is
    /// a copy of what it was while the first one is still being stored: the next greeting compares the hashes.
    fn is_another(&self, connection: ConnectionId, lane: Lane, seq: LinkSeq) -> bool {
        let link = self.connections.get(&connection).and_then(|peer| self.links.get(peer));
        let up = |session: &Session| session.connection == connection && session.is_up();
        link.is_some_and(|link| {
            link.session.as_ref().is_some_and(up) && lane != Lane::Control && seq <= link.kept.lane(lane).received.seq
        })
    }

    /// Checks the number and moves the lane on.
    fn next_position(
        &mut self,
        now: Now,
        connection: ConnectionId,
        lane: Lane,
        seq: LinkSeq,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Option<(NodeId, Position)> {
        let peer = self.connections.get(&connection).copied()?;
        let link = self.links.get_mut(&peer)?;
        let up = link.session_of(connection).is_some_and(|session| session.is_up());
        let received = link.kept.lane(lane).received;
        if !up || lane == Lane::Control || seq > received.seq.next() {
            self.close(now, connection, Closing::Gap, out);
            return None;
        }
        if seq <= received.seq {
            // Sent again over a new connection while the first one was being stored.
            return None;
        }
        let position = Position { seq, hash: received.hash.chain(bytes) };
        link.kept.lane_mut(lane).received = position;
        Some((peer, position))
    }

    /// What becomes of a bundle from this neighbour; none when it cannot come from there.
    fn place(&self, peer: NodeId, bundle: &Bundle) -> Option<Deliver> {
        let head = bundle.head();
        let from_parent = self.me.parent == Some(peer);
        let here = |node: NodeId| node == self.me.node;
        let inside = |node: NodeId| here(node) || self.route(node).is_some();
        let through_peer = |node: NodeId| self.route(node) == Some(peer);
        let before = |node: NodeId| self.former.contains(&(node, peer));
        let kept = bundle.messages().iter().any(|message| message.kind.kept_on_the_way());
        let onward = if kept { Deliver::RelayAndKeep } else { Deliver::Relay };
        let arrives = if here(head.to) { Deliver::Apply } else { onward };
        let an_end_moved = self.has_moved(head.origin) || self.has_moved(head.to);
        if from_parent {
            return match (inside(head.origin), inside(head.to)) {
                (false, true) => Some(arrives),
                // Given back: it had come from here or from below.
                (true, false) => Some(Deliver::Returned),
                // It was on its way here before its destination moved. Who sent it has sent it by the new way too.
                (false, false) if an_end_moved => Some(Deliver::Duplicate),
                // It was on its way from there before its origin came here, or to there before its destination did.
                (true, true) if an_end_moved => Some(arrives),
                _ => None,
            };
        }
        // Who was there before a move may have left something on the way.
        let from_there = through_peer(head.origin) || before(head.origin);
        match (from_there, through_peer(head.to)) {
            (true, false) => Some(arrives),
            // Given back: it had gone down there.
            (false, true) => Some(Deliver::Returned),
            // It was on its way up before one of its ends came there. Who sent it has sent it by the new way too.
            (true, true) if an_end_moved => Some(Deliver::Duplicate),
            // Left on a way of before, by a node that has moved since or for one: whoever holds it may have moved as well.
            (false, false) if self.has_moved(head.origin) => Some(arrives),
            (false, false) if self.has_moved(head.to) => {
                Some(if here(head.origin) { Deliver::Returned } else { onward })
            }
            _ => None,
        }
    }

    /// Whether a node that moved is not reached through this neighbour.
    fn leads_elsewhere(&self, peer: NodeId, node: NodeId) -> bool {
        self.has_moved(node) && self.route(node).or(self.me.parent) != Some(peer)
    }

    /// Whether the receipt for a bundle passes here: between ways that differ. An end that moved may have left on its way
    /// what this node passes on and hears no more of.
    fn lies_between(&self, head: &BundleHead) -> bool {
        let side = |node: NodeId| if node == self.me.node { Some(node) } else { self.route(node) };
        side(head.origin) != side(head.to)
    }

    /// Whether a node moved from below this one, or to there.
    fn has_moved(&self, node: NodeId) -> bool {
        let (first, last) = (NodeId::from_bytes([0; 16]), NodeId::from_bytes([u8::MAX; 16]));
        self.former.range((node, first)..=(node, last)).next().is_some()
    }

    fn tell(&self, bundle: &Bundle, out: &mut Vec<Output>) {
        if let Ok(bundles) = List::new(vec![bundle.head().id]) {
            out.push(Output::Tell { to: bundle.head().origin, delivered: Delivered { bundles } });
        }
    }

    /// Terminal receipts that pass: what they name need not be kept for sending any more.
    fn note_receipts(&mut self, bundle: &Bundle, out: &mut Vec<Output>) {
        let mut bundles = Vec::new();
        for message in bundle.messages().iter().filter(|m| m.kind.is_the_links()) {
            if let Ok(Some(Body::Delivered(delivered))) = Body::decode(message.kind, message.schema, &message.body) {
                bundles.extend(delivered.bundles);
            }
        }
        if !bundles.is_empty() {
            let by = bundle.head().origin;
            self.persist(Pending::Plain, Write::Receipted { by, bundles }, out);
        }
    }
}

fn quarantined(bundle: BundleId, reason: &str) -> Control {
    Control::Quarantined { bundle, reason: Text::cut(reason) }
}
