//! What goes out: numbered once, stored, sent in order as far as the credit reaches.

use std::sync::Arc;

use protocol::chain::Hash;
use protocol::id::NodeId;
use protocol::wire::bundle::Bundle;
use protocol::wire::control::Position;
use protocol::wire::frame::{Lane, LinkSeq};

use super::alarm::{Alarm, Closing};
use super::input::{ConnectionId, Now};
use super::output::{FrameOut, Output, Query, Write};
use super::{Core, Pending};

impl Core {
    /// A bundle that this node sealed.
    pub(super) fn outgoing(&mut self, bundle: Bundle, out: &mut Vec<Output>) {
        self.forward(bundle, None, out);
    }

    /// Gives a bundle its number on the way to its destination. It never goes back where it came from.
    pub(super) fn forward(&mut self, bundle: Bundle, from: Option<NodeId>, out: &mut Vec<Output>) {
        let to = bundle.head().to;
        match self.route(to).or(self.me.parent).filter(|next| Some(*next) != from) {
            Some(next) => self.enqueue(next, bundle, out),
            None => {
                out.push(Output::Raise(Alarm::NoRoute { to, bundle: bundle.head().id }));
                if from.is_none() {
                    self.persist(Pending::Plain, Write::Unrouted { bundle }, out);
                }
            }
        }
    }

    /// Gives a bundle that is kept here its number on the way that its destination has by now. Also back to whoever brought
    /// it: that node may be an old copy of itself, which waits for nothing that it was given back.
    pub(super) fn again(&mut self, bundle: Bundle, out: &mut Vec<Output>) {
        if let Some(next) = self.route(bundle.head().to).or(self.me.parent) {
            self.enqueue(next, bundle, out);
        }
    }

    pub(super) fn enqueue(&mut self, peer: NodeId, bundle: Bundle, out: &mut Vec<Output>) {
        let lane = bundle.head().urgency.lane();
        let Some(link) = self.links.get_mut(&peer) else { return };
        let kept = link.kept.lane_mut(lane);
        let position = Position { seq: kept.last.seq.next(), hash: kept.last.hash.chain(bundle.bytes()) };
        kept.last = position;
        let write = Write::Outbox { peer, lane, position, bundle: bundle.clone() };
        self.persist(Pending::Outbox { peer, lane, seq: position.seq, bundle }, write, out);
        self.keep_link(peer, out);
    }

    /// A numbered bundle is durable: it may go when its turn comes.
    pub(super) fn durable(&mut self, peer: NodeId, lane: Lane, seq: LinkSeq, bundle: &Bundle) {
        let (frames_max, bytes_max) = (self.limits.window_frames, self.limits.window_bytes);
        let Some(link) = self.links.get_mut(&peer) else { return };
        let durable = link.durable.entry(lane).or_default();
        *durable = seq.max(*durable);
        let Some(session) = link.session.as_mut().filter(|s| s.is_up()) else { return };
        let Some(state) = session.lanes.get_mut(&lane) else { return };
        let tail = state.window.back().map_or(state.sent, |(seq, ..)| *seq);
        // A page that was asked for may bring this number too; it then decides where the window goes on.
        if !state.fetching && tail.next() == seq && state.window.len() < frames_max && state.window_bytes < bytes_max {
            state.push(seq, bundle.bytes().clone(), bundle.head().origin);
        }
    }

    /// Sends what may be sent, and asks the outbox for what comes after.
    pub(super) fn pump(&mut self, now: Now, peer: NodeId, lane: Lane, out: &mut Vec<Output>) {
        let (count, bytes) = (self.limits.page_frames, self.limits.page_bytes);
        let Some(link) = self.links.get_mut(&peer) else { return };
        let durable = link.durable.get(&lane).copied().unwrap_or_default();
        let Some(session) = link.session.as_mut().filter(|s| s.is_up()) else { return };
        let connection = session.connection;
        let Some(state) = session.lanes.get_mut(&lane).filter(|s| s.ready) else { return };
        while state.under_way() < u64::from(state.credit) {
            let Some((seq, bytes, origin)) = state.pop() else { break };
            out.push(Output::Send { connection, frame: FrameOut::Bundle { lane, seq, bytes, origin } });
        }
        let kept = link.kept.lane_mut(lane);
        if state.acked() > kept.acked {
            kept.acked = state.acked();
            link.drop_since.get_or_insert(now.uptime);
        }
        if state.window.is_empty() && !state.fetching && durable > state.sent {
            state.fetching = true;
            let after = state.sent;
            let query = Query::Outbox { peer, lane, after, count, bytes };
            self.fetch(Pending::Frames { peer, connection, lane }, query, out);
        }
    }

    /// A page of the outbox.
    pub(super) fn frames(
        &mut self,
        now: Now,
        peer: NodeId,
        connection: ConnectionId,
        lane: Lane,
        rows: Vec<(LinkSeq, Hash, NodeId, Arc<[u8]>)>,
        out: &mut Vec<Output>,
    ) {
        let Some(session) = self.links.get_mut(&peer).and_then(|l| l.session_of(connection)) else { return };
        let Some(state) = session.lanes.get_mut(&lane) else { return };
        state.fetching = false;
        let mut expected = state.window.back().map_or(state.sent, |(seq, ..)| *seq).next();
        for (seq, _, origin, bytes) in rows {
            if seq == expected {
                state.push(seq, bytes, origin);
                expected = expected.next();
            }
        }
        if !state.window.is_empty() {
            self.pump(now, peer, lane, out);
        }
    }

    /// The peer has it up to here, durably; it gives credit for more.
    pub(super) fn acknowledged(
        &mut self,
        now: Now,
        peer: NodeId,
        lane: Lane,
        upto: LinkSeq,
        credit: u32,
        out: &mut Vec<Output>,
    ) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        let last = link.kept.lane(lane).last.seq;
        let Some(session) = link.session.as_mut().filter(|s| s.is_up()) else { return };
        let connection = session.connection;
        let Some(state) = session.lanes.get_mut(&lane).filter(|_| upto <= last) else {
            return self.close(now, connection, Closing::Misbehaved, out);
        };
        state.ready = true;
        state.credit = credit;
        state.theirs = state.theirs.max(upto);
        self.pump(now, peer, lane, out);
    }

    /// Outbox rows that are acknowledged go, not one by one.
    pub(super) fn drop_acknowledged(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        link.drop_since = None;
        let mut due = Vec::new();
        for lane in Lane::NUMBERED {
            let upto = link.kept.lane(lane).acked;
            if link.dropped.get(&lane).is_none_or(|dropped| *dropped < upto) {
                link.dropped.insert(lane, upto);
                due.push((lane, upto));
            }
        }
        for (lane, upto) in due {
            self.persist(Pending::Plain, Write::Acked { peer, lane, upto }, out);
        }
        self.keep_link(peer, out);
    }
}
