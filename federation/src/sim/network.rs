//! Connections: frames of one lane never overtake each other, and what is on its way when a connection breaks is lost.

use std::collections::BTreeMap;

use protocol::id::NodeId;
use protocol::wire::bundle::Bundle;
use protocol::wire::control::Control;
use protocol::wire::frame::Lane;

use crate::core::{ConnectionId, FrameOut, Input, Verified};

use super::Application;
use super::world::{Event, World};

pub(super) struct Connection {
    pub(super) child: NodeId,
    pub(super) parent: NodeId,
    /// Frames of one lane never overtake each other.
    pub(super) lanes: BTreeMap<(bool, Lane), u64>,
}

impl<A: Application> World<A> {
    pub(super) fn send(&mut self, from: NodeId, connection: ConnectionId, frame: FrameOut) {
        let Some(line) = self.connections.get(&connection) else { return };
        let (child, parent) = (line.child, line.parent);
        let to_parent = from == child;
        self.check_promise(from, if to_parent { parent } else { child }, &frame);
        let Some(member) = self.members.get(&child) else { return };
        if member.cut {
            // QUIC would try again; a cut that lasts ends the connection, and so does this world at once.
            return;
        }
        let clog = member.clog_ms;
        let delay = self.between(self.settings.latency_ms).saturating_add(clog);
        let lane = match &frame {
            FrameOut::Control(_) => Lane::Control,
            FrameOut::Bundle { lane, .. } => *lane,
        };
        let mut at = self.now_ms.saturating_add(delay);
        if let Some(line) = self.connections.get_mut(&connection) {
            let last = line.lanes.entry((to_parent, lane)).or_insert(0);
            at = at.max(last.saturating_add(1));
            *last = at;
        }
        self.at(at.saturating_sub(self.now_ms), Event::Frame { connection, to_parent, frame });
    }

    /// An acknowledgement promises that the bundle is durable.
    pub(super) fn check_promise(&mut self, from: NodeId, peer: NodeId, frame: &FrameOut) {
        let FrameOut::Control(Control::Ack { lane, upto, .. }) = frame else { return };
        let durable = self
            .members
            .get(&from)
            .and_then(|m| m.disk.links.get(&peer))
            .map_or(0, |link| link.lane(*lane).received.seq.0);
        if upto.0 > durable {
            self.counters.violations.push(format!("{from} acknowledged {} on {lane:?} with {durable} on disk", upto.0));
        }
    }

    pub(super) fn hang_up(&mut self, connection: ConnectionId) {
        let delay = self.between(self.settings.latency_ms);
        self.at(delay, Event::Closed { connection });
    }

    pub(super) fn dial(&mut self, child: NodeId) {
        let Some(member) = self.members.get(&child) else { return };
        let Some(parent) = member.identity.parent else { return };
        let reachable = !member.cut && self.members.get(&parent).is_some_and(|p| p.live.is_some());
        if member.live.is_none() {
            return;
        }
        if !reachable {
            return self.input(child, Input::DialFailed);
        }
        let connection = ConnectionId(self.next_connection);
        self.next_connection = self.next_connection.saturating_add(1);
        self.connections.insert(connection, Connection { child, parent, lanes: BTreeMap::new() });
        self.input(parent, Input::LinkOpened { peer: child, connection, dialled: false });
        self.input(child, Input::LinkOpened { peer: parent, connection, dialled: true });
    }

    pub(super) fn deliver(&mut self, connection: ConnectionId, to_parent: bool, frame: FrameOut) {
        let Some(line) = self.connections.get(&connection) else { return };
        let node = if to_parent { line.parent } else { line.child };
        let input = match frame {
            FrameOut::Control(frame) => Input::Control { connection, frame },
            FrameOut::Bundle { lane, seq, bytes, .. } => match Bundle::parse(bytes) {
                Ok(bundle) => {
                    self.counters.bundles = self.counters.bundles.saturating_add(1);
                    let bundle = Verified::assertion(bundle);
                    Input::Arrived { connection, lane, seq, bundle, seen: false, held_unreceipted: false }
                }
                Err(error) => {
                    self.counters.violations.push(format!("a bundle that does not parse: {error}"));
                    return;
                }
            },
        };
        self.input(node, input);
    }
}
