//! What a simulated node does when it hears that a node moved, as the writer of the product does (ADR 0020): in the turn in
//! which it hears, and in the commit of that turn.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::{BundleId, NodeId};
use protocol::moving::SignedMove;
use protocol::wire::bundle::{Bundle, BundleHead, Urgency};
use protocol::wire::control::Control;
use protocol::wire::frame::LinkSeq;
use protocol::wire::kind::Body;

use crate::core::{ConnectionId, Deliver, FrameOut, Input, Now, Write};

use super::disk::Disk;
use super::node::{Live, Wish};
use super::ways::{Heard, Ways};
use super::{Application, Draft, tree};

/// What moves are to a node, and what of it this turn has still to do.
pub(super) struct Following {
    pub(super) ways: Ways,
    /// Whether this turn changed them.
    changed: bool,
    /// Neighbours that were told of all moves in this run.
    told: BTreeSet<NodeId>,
    /// What tells neighbours of moves.
    letters: Vec<Draft>,
    /// Nodes to which the way has changed.
    rerouted: BTreeSet<NodeId>,
    /// This node was moved: what it waits for is asked again, for it may have hung elsewhere without having heard of it.
    rehung: bool,
}

impl Following {
    pub(super) fn new(ways: Ways) -> Self {
        Self {
            ways,
            changed: false,
            told: BTreeSet::new(),
            letters: Vec::new(),
            rerouted: BTreeSet::new(),
            rehung: false,
        }
    }

    /// The ways as this turn has left them, if it has changed them.
    pub(super) fn changes(&mut self) -> Option<Ways> {
        std::mem::take(&mut self.changed).then(|| self.ways.clone())
    }

    /// What tells neighbours of moves goes ahead of everything else of the turn.
    pub(super) fn letters(&mut self) -> Vec<Draft> {
        std::mem::take(&mut self.letters)
    }

    /// A neighbour may be an old copy of itself: it hears of all moves again.
    pub(super) fn doubt(&mut self, neighbour: NodeId) {
        self.told.remove(&neighbour);
    }

    fn hand(&mut self, neighbour: NodeId, signed: &SignedMove) {
        let through = |node: NodeId| node == neighbour || self.ways.routes.get(&node) == Some(&neighbour);
        let every = signed.order.to().is_some_and(|to| through(to.node)) || through(signed.order.from.node);
        let urgencies: &[_] =
            if every { &[Urgency::Routine, Urgency::Statistics, Urgency::Bulk] } else { &[Urgency::Routine] };
        for urgency in urgencies {
            let body = Body::Moved(signed.clone());
            self.letters.push(Draft { id: None, to: neighbour, urgency: *urgency, receipted: true, body });
        }
    }
}

impl<A: Application> Live<A> {
    /// A child that hangs elsewhere by now has come: it is told where, and refused.
    pub(super) fn turn_away(&self, peer: NodeId, connection: ConnectionId, wishes: &mut Vec<Wish>) -> bool {
        let Some(signed) = self.following.ways.gone(peer) else { return false };
        let frame = FrameOut::Control(Control::Moved(Box::new(signed.clone())));
        wishes.extend([Wish::Send(connection, frame), Wish::Close(connection)]);
        true
    }

    /// A node moved. Who said so need not be told.
    pub(super) fn hears(&mut self, now: Now, signed: &SignedMove, from: Option<NodeId>, wishes: &mut Vec<Wish>) {
        let heard = self.following.ways.hear(signed, &self.above);
        match heard {
            Heard::Known => return,
            Heard::Above => {}
            Heard::Follows => {
                let mut me = self.core.identity().clone();
                me.parent = self.following.ways.parent;
                me.entry = tree::entry(me.node, me.division, me.parent);
                self.following.rehung = true;
                self.feed(now, Input::Identity(Box::new(me)), wishes);
            }
            Heard::Elsewhere(ways) => {
                let changed = ways.iter().filter(|(_, from, via)| from != via).map(|(node, ..)| *node);
                self.following.rerouted.extend(changed);
                self.feed(now, Input::Relocated { members: ways }, wishes);
            }
        }
        self.following.changed = true;
        let neighbours = self.core.children().into_iter().chain(self.core.identity().parent);
        for neighbour in neighbours.filter(|neighbour| Some(*neighbour) != from) {
            self.following.hand(neighbour, signed);
        }
    }

    /// Moves that came in a bundle for this node.
    pub(super) fn hears_from(&mut self, now: Now, from: NodeId, bundle: &Bundle, wishes: &mut Vec<Wish>) {
        for message in bundle.messages() {
            if let Ok(Some(Body::Moved(signed))) = Body::decode(message.kind, message.schema, &message.body) {
                self.hears(now, &signed, Some(from), wishes);
            }
        }
    }

    /// A neighbour was reached: it may be new, or an old copy of itself. Below everybody hears of all moves, above of those
    /// on this side of the link.
    pub(super) fn tell_moves(&mut self, neighbour: NodeId) {
        if !self.following.told.insert(neighbour) {
            return;
        }
        let ways = &self.following.ways;
        let mine = (ways.parent == Some(neighbour)).then(|| ways.at_and_below(ways.me));
        let due = ways.moves.values().filter(|signed| mine.as_ref().is_none_or(|m| m.contains(&signed.order.node())));
        for signed in due.cloned().collect::<Vec<_>>() {
            self.following.hand(neighbour, &signed);
        }
    }

    /// Bundles that wait for a receipt get a number on the way that their destination has now. Those that this node gives
    /// up because it no longer lies between both ends.
    pub(super) fn reroute(&mut self, now: Now, disk: &Disk<A>, wishes: &mut Vec<Wish>) -> Vec<BundleId> {
        let (rehung, rerouted) =
            (std::mem::take(&mut self.following.rehung), std::mem::take(&mut self.following.rerouted));
        let unawaited = self.unawaited(disk);
        if !rehung && rerouted.is_empty() && unawaited.is_empty() {
            return Vec::new();
        }
        let ways = &self.following.ways;
        let side = |node: NodeId| if node == ways.me { Some(node) } else { ways.routes.get(&node).copied() };
        let concerned = |to: NodeId| rerouted.contains(&to) || (rehung && side(to).is_none());
        let passed = |head: &BundleHead| {
            (rerouted.contains(&head.origin) || rerouted.contains(&head.to)) && side(head.origin) == side(head.to)
        };
        let mut held: BTreeMap<BundleId, &Bundle> = BTreeMap::new();
        for stored in disk.open.iter().filter_map(|id| disk.bundles.get(id)) {
            held.insert(stored.bundle.head().id, &stored.bundle);
        }
        for write in &self.writes {
            if let Write::Arrival { bundle, deliver: Deliver::Relay | Deliver::RelayAndKeep, .. } = write {
                held.insert(bundle.head().id, bundle);
            }
        }
        let gone = held.values().filter(|bundle| passed(bundle.head())).map(|bundle| bundle.head().id).collect();
        let again = held.into_values().filter(|bundle| concerned(bundle.head().to));
        // What was given back to a neighbour goes that way alone.
        let leads = |to: NodeId| side(to).or(ways.parent);
        let unawaited = unawaited.into_iter().filter(|(peer, bundle)| {
            let to = bundle.head().to;
            concerned(to) || leads(to) == Some(*peer)
        });
        let bundles = again.chain(unawaited.map(|(_, bundle)| bundle)).cloned().collect();
        self.feed(now, Input::Rerouted { bundles }, wishes);
        gone
    }

    /// The numbering to a neighbour begins again: what was on its way there and nobody here waits for goes once more, by the
    /// way that its destination has now. That is a receipt, or what its origin asks once more.
    fn unawaited<'a>(&'a self, disk: &'a Disk<A>) -> Vec<(NodeId, &'a Bundle)> {
        let (mut numbered, mut unsent) = (Vec::new(), Vec::new());
        for write in &self.writes {
            match write {
                Write::Outbox { peer, bundle, .. } => numbered.push((*peer, bundle)),
                Write::Renumber { peer: of } => {
                    let acked = |lane| disk.links.get(of).map_or(LinkSeq(0), |link| link.lane(lane).acked);
                    let rows = disk.outbox.iter().filter(|((peer, lane, seq), _)| peer == of && *seq > acked(*lane));
                    let stored = rows.filter_map(|(_, (_, id))| disk.bundles.get(id));
                    unsent.extend(stored.filter(|s| s.done).map(|stored| (*of, &*stored.bundle)));
                    unsent.extend(numbered.extract_if(.., |(peer, _)| peer == of));
                }
                _ => {}
            }
        }
        unsent
    }
}
