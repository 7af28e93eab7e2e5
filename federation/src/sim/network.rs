//! Connections: frames of one lane never overtake each other, and what is on its way when a connection breaks is lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::id::NodeId;
use protocol::wire::control::Control;
use protocol::wire::frame::Lane;

use crate::core::{ConnectionId, FrameOut, Input};

use super::Application;
use super::fault::Fault;
use super::line::Waiting;
use super::world::{Event, World};

pub(super) struct Connection {
    pub(super) child: NodeId,
    pub(super) parent: NodeId,
    /// Frames of one lane never overtake each other.
    pub(super) lanes: BTreeMap<(bool, Lane), u64>,
    /// What waits for its turn where the line is narrow, by direction.
    pub(super) waiting: BTreeMap<bool, Waiting>,
    /// What goes in this direction vanishes until both sides have given up.
    pub(super) deaf: Option<bool>,
    /// The child, the parent has given up.
    pub(super) gone: (bool, bool),
}

impl Connection {
    pub(super) fn new(child: NodeId, parent: NodeId) -> Self {
        Self { child, parent, lanes: BTreeMap::new(), waiting: BTreeMap::new(), deaf: None, gone: (false, false) }
    }
}

/// Whether something waits for its turn in a direction.
fn line_waits(line: Option<&Connection>, to_parent: bool) -> bool {
    line.and_then(|line| line.waiting.get(&to_parent)).is_some_and(|waiting| !waiting.is_empty())
}

impl<A: Application> World<A> {
    pub(super) fn send(&mut self, from: NodeId, connection: ConnectionId, mut frame: FrameOut) {
        let Some(line) = self.connections.get(&connection) else { return };
        let (child, parent, deaf) = (line.child, line.parent, line.deaf);
        let to_parent = from == child;
        self.check_promise(from, if to_parent { parent } else { child }, &frame);
        let Some(member) = self.members.get_mut(&child) else { return };
        if member.cut || deaf == Some(to_parent) {
            // QUIC would try again; a cut that lasts ends the connection, and so does this world.
            return;
        }
        let (clog, narrow) = (member.clog_ms, member.bytes_a_second.is_some());
        if let FrameOut::Bundle { bytes, .. } = &mut frame
            && std::mem::take(&mut member.damage)
        {
            self.damage(bytes);
        }
        if narrow || line_waits(self.connections.get(&connection), to_parent) {
            return self.wait_for_line(connection, to_parent, frame);
        }
        self.arrive_later(connection, to_parent, frame, clog);
    }

    /// One bit of a bundle turns over, as in an outbox on a failing disk.
    fn damage(&mut self, bytes: &mut Arc<[u8]>) {
        self.count(Fault::Flip);
        let bit = self.below(8);
        let index = usize::try_from(self.below(bytes.len() as u64)).unwrap_or(0);
        let mut damaged = bytes.to_vec();
        if let Some(byte) = damaged.get_mut(index) {
            *byte ^= 1_u8.checked_shl(u32::try_from(bit).unwrap_or(0)).unwrap_or(1);
        }
        *bytes = damaged.into();
    }

    pub(super) fn arrive_later(&mut self, connection: ConnectionId, to_parent: bool, frame: FrameOut, clog_ms: u64) {
        let delay = self.between(self.settings.latency_ms).saturating_add(clog_ms);
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
    pub(super) fn check_promise(&mut self, from: NodeId, to: NodeId, frame: &FrameOut) {
        let FrameOut::Control(Control::Ack { lane, upto, .. }) = frame else { return };
        let Some(peer) = self.members.get(&to).map(|member| member.identity.node) else { return };
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
        let through = !member.cut && member.deaf.is_none();
        let reachable = through && self.members.get(&parent).is_some_and(|p| p.live.is_some());
        if member.live.is_none() {
            return;
        }
        if !reachable {
            return self.input(child, Input::DialFailed);
        }
        let connection = self.connect(child, parent);
        self.input(child, Input::LinkOpened { peer: parent, connection, dialled: true });
    }

    /// A connection that the parent has taken.
    pub(super) fn connect(&mut self, child: NodeId, parent: NodeId) -> ConnectionId {
        let connection = ConnectionId(self.next_connection);
        self.next_connection = self.next_connection.saturating_add(1);
        self.connections.insert(connection, Connection::new(child, parent));
        let peer = self.members.get(&child).map_or(child, |member| member.identity.node);
        self.input(parent, Input::LinkOpened { peer, connection, dialled: false });
        connection
    }

    /// One side, or both, learn that a connection is gone.
    pub(super) fn give_up(&mut self, connection: ConnectionId, child_too: bool, parent_too: bool) {
        let Some(line) = self.connections.get_mut(&connection) else { return };
        let tell_child = child_too && !line.gone.0;
        let tell_parent = parent_too && !line.gone.1;
        line.gone = (line.gone.0 || child_too, line.gone.1 || parent_too);
        let (child, parent, over) = (line.child, line.parent, line.gone == (true, true));
        if over {
            self.connections.remove(&connection);
        }
        if tell_child {
            self.input(child, Input::LinkClosed { connection });
        }
        if tell_parent {
            self.input(parent, Input::LinkClosed { connection });
        }
    }

    pub(super) fn deliver(&mut self, connection: ConnectionId, to_parent: bool, frame: FrameOut) {
        let Some(line) = self.connections.get(&connection) else { return };
        let (node, gone) = if to_parent { (line.parent, line.gone.1) } else { (line.child, line.gone.0) };
        if gone {
            return;
        }
        let input = match frame {
            FrameOut::Control(frame) => Input::Control { connection, frame },
            FrameOut::Bundle { lane, seq, bytes, .. } => match self.whole.believe(&bytes) {
                Some(bundle) => {
                    self.counters.bundles = self.counters.bundles.saturating_add(1);
                    Input::Arrived { connection, lane, seq, bundle, seen: false, held_unreceipted: false }
                }
                None => {
                    self.counters.unbelieved = self.counters.unbelieved.saturating_add(1);
                    Input::Unbelieved { connection, lane, seq, bytes }
                }
            },
        };
        self.input(node, input);
    }
}
