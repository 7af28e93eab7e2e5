//! A child that keeps to the grammar of the link and to nothing else.
//!
//! It may harm itself. What its parent holds for others, and what others send, must come through all the same.

use protocol::bounded::{List, Text};
use protocol::chain::Hash;
use protocol::directory::KeyId;
use protocol::id::{BundleId, MessageId, NodeId};
use protocol::time::UnixMillis;
use protocol::wire::bundle::{Bundle, BundleHead, Message, Urgency};
use protocol::wire::control::{Control, Doubt, Hello, Incarnation, LaneState, Position, Verdict};
use protocol::wire::frame::{Lane, LinkSeq};
use protocol::wire::kind::Kind;
use protocol::wire::limits::INVENTORY_PAGE_MAX;

use crate::core::{FrameOut, KeptLane};

use super::Application;
use super::fault::Fault;
use super::signing;
use super::world::{Event, World};

/// A kind that no version knows: it is passed on byte for byte.
const UNKNOWN: Kind = Kind(60_000);

impl<A: Application> World<A> {
    /// A node is taken over by somebody who sends its parent whatever comes to mind. Afterwards it goes on from its disk.
    pub fn turn_hostile(&mut self, node: NodeId, for_ms: u64) {
        if self.members.get(&node).is_none_or(|m| m.identity.parent.is_none() || m.hostile_until.is_some()) {
            return;
        }
        self.count(Fault::Hostile);
        self.stop(node);
        let until = self.now_ms.saturating_add(for_ms);
        if let Some(member) = self.members.get_mut(&node) {
            member.hostile_until = Some(until);
        }
        self.at(1, Event::Hostile { node });
    }

    pub(super) fn end_hostility(&mut self, node: NodeId) {
        if self.members.get_mut(&node).and_then(|member| member.hostile_until.take()).is_some() {
            self.break_connections(|c| c.child == node);
            self.start(node);
        }
    }

    pub(super) fn be_hostile(&mut self, node: NodeId) {
        let Some(member) = self.members.get(&node) else { return };
        let (Some(until), Some(parent)) = (member.hostile_until, member.identity.parent) else { return };
        if until <= self.now_ms {
            return self.end_hostility(node);
        }
        let open = self.connections.iter().filter(|(_, c)| c.child == node && !c.gone.1).map(|(id, _)| *id).next_back();
        let reachable = !member.cut && self.members.get(&parent).is_some_and(|p| p.live.is_some());
        let connection = match open {
            Some(connection) if self.below(8) > 0 => Some(connection),
            _ if reachable => Some(self.connect(node, parent)),
            _ => None,
        };
        if let Some(connection) = connection {
            // Half of the time it greets well, so that its parent listens to what follows.
            let mut frames = if self.below(2) == 0 { self.good_greeting(node, parent) } else { Vec::new() };
            for _ in 0..self.below(20) {
                frames.extend(self.any_frame(node, parent));
            }
            for frame in frames {
                self.arrive_later(connection, true, frame, 0);
            }
        }
        let pause = self.between((10, 300));
        self.at(pause, Event::Hostile { node });
    }

    fn good_greeting(&mut self, node: NodeId, parent: NodeId) -> Vec<FrameOut> {
        let hello = self.greeting(node, parent).map(|hello| Control::Hello(Box::new(hello)));
        let resume = Control::Verdict(Verdict::Resume);
        hello.into_iter().chain([resume]).map(FrameOut::Control).collect()
    }

    /// What the node would say.
    fn greeting(&self, node: NodeId, parent: NodeId) -> Option<Hello> {
        let member = self.members.get(&node)?;
        let kept = member.disk.links.get(&parent);
        let lane = |lane: Lane| kept.map_or(KeptLane::default(), |link| *link.lane(lane));
        let lanes = Lane::NUMBERED.map(|l| LaneState { lane: l, received: lane(l).received, last: lane(l).last });
        Some(Hello {
            versions: (1, 1),
            node,
            division: member.identity.division,
            root: member.identity.root,
            incarnation: kept.map_or(Incarnation { counter: 1, nonce: 1 }, |link| link.incarnation),
            peer_incarnation: kept.and_then(|link| link.peer_incarnation),
            peer_counter_seen: kept.map_or(0, |link| link.peer_counter_seen),
            lanes: List::new(lanes.to_vec()).ok()?,
            ancestors: List::default(),
            clock: UnixMillis(i64::try_from(self.now_ms).unwrap_or(0)),
            entry: member.identity.entry,
        })
    }

    /// One frame of the grammar.
    fn any_frame(&mut self, node: NodeId, parent: NodeId) -> Option<FrameOut> {
        let control = match self.below(10) {
            0 => Control::Hello(Box::new(self.odd_greeting(node, parent)?)),
            1 => Control::Verdict(Verdict::Resume),
            2 => {
                let doubt = [Doubt::Forked, Doubt::Empty, Doubt::Pruned][usize::try_from(self.below(3)).unwrap_or(0)];
                Control::Verdict(Verdict::Reconcile { doubt, incarnation: self.any_run() })
            }
            3 => Control::Ack { lane: self.any_lane(), upto: LinkSeq(self.any_number()), credit: u32::MAX },
            4 => Control::Inventory { page: self.any_ids(INVENTORY_PAGE_MAX)?, last: self.below(2) == 0 },
            5 => Control::Want { page: self.any_ids(INVENTORY_PAGE_MAX)?, last: self.below(2) == 0 },
            6 => Control::Quarantined { bundle: self.any_id(), reason: Text::cut("no reason") },
            7 => Control::GoAway { retry_after_ms: u32::MAX },
            _ => return self.any_bundle(node, parent),
        };
        Some(FrameOut::Control(control))
    }

    fn odd_greeting(&mut self, node: NodeId, parent: NodeId) -> Option<Hello> {
        let mut hello = self.greeting(node, parent)?;
        match self.below(5) {
            0 => hello.incarnation = self.any_run(),
            1 => hello.peer_incarnation = Some(self.any_run()),
            2 => hello.peer_counter_seen = u32::MAX,
            3 => hello.node = parent,
            _ => {
                let received = Position { seq: LinkSeq(self.any_number()), hash: Hash([7; 32]) };
                let lanes = Lane::NUMBERED.map(|lane| LaneState { lane, received, last: received });
                hello.lanes = List::new(lanes.to_vec()).ok()?;
            }
        }
        Some(hello)
    }

    /// A bundle of its own, or one of somebody else's that nobody can believe, under a number that fits or not.
    fn any_bundle(&mut self, node: NodeId, parent: NodeId) -> Option<FrameOut> {
        let forged = self.below(3) == 0;
        let places: Vec<_> = self.members.iter().filter(|(id, m)| **id == m.identity.node).map(|(id, _)| *id).collect();
        let to = *places.get(usize::try_from(self.below(places.len() as u64)).ok()?)?;
        let urgency = [Urgency::Routine, Urgency::Statistics, Urgency::Bulk][usize::try_from(self.below(3)).ok()?];
        let lane = urgency.lane();
        let origin = if forged { parent } else { node };
        let head = BundleHead { id: self.any_id(), origin, key: KeyId([0; 8]), to, urgency, receipted: true };
        let message = Message { id: MessageId::from_bytes([9; 16]), kind: UNKNOWN, schema: 1, body: vec![1, 2, 3] };
        let spoil = |bytes: &[u8]| {
            let mut signature = signing::sign(bytes);
            signature.0.iter_mut().for_each(|byte| *byte = if forged { !*byte } else { *byte });
            signature
        };
        let bytes = Bundle::seal(head, vec![message], spoil).ok()?.bytes().clone();
        let peer = self.members.get(&parent)?.disk.links.get(&node);
        let next = peer.map_or(1, |link| link.lane(lane).received.seq.0.saturating_add(1));
        let seq = if self.below(2) == 0 { next } else { self.any_number() };
        self.counters.forged = self.counters.forged.saturating_add(u64::from(forged));
        Some(FrameOut::Bundle { lane, seq: LinkSeq(seq), bytes, origin })
    }

    fn any_lane(&mut self) -> Lane {
        Lane::NUMBERED.get(usize::try_from(self.below(3)).unwrap_or(0)).copied().unwrap_or(Lane::Cases)
    }

    fn any_number(&mut self) -> u64 {
        if self.below(4) == 0 { u64::MAX } else { self.below(30) }
    }

    fn any_run(&mut self) -> Incarnation {
        let counter = if self.below(4) == 0 { u32::MAX } else { u32::try_from(self.below(9)).unwrap_or(0) };
        Incarnation { counter, nonce: self.below(u64::MAX) }
    }

    fn any_id(&mut self) -> BundleId {
        let (high, low) = (u128::from(self.below(u64::MAX)), u128::from(self.below(u64::MAX)));
        BundleId::from_bytes((high.rotate_left(64) | low).to_be_bytes())
    }

    fn any_ids<const N: usize>(&mut self, at_most: usize) -> Option<List<BundleId, N>> {
        let count = self.below(at_most as u64);
        List::new((0..count).map(|_| self.any_id()).collect()).ok()
    }
}
