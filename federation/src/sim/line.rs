//! A line that carries so many bytes a second. What waits for it goes packet by packet, the most urgent lane first, as the
//! streams of a connection do: a whole bundle of another lane need not be over before.

use std::collections::{BTreeMap, VecDeque};

use protocol::id::NodeId;
use protocol::wire::frame::Lane;

use crate::core::{ConnectionId, FrameOut};

use super::Application;
use super::fault::Fault;
use super::world::{Event, World};

/// Bytes of a packet.
const PACKET_BYTES: usize = 1_200;
/// What a frame without a bundle takes, roughly.
const CONTROL_BYTES: usize = 200;

/// What waits for one direction of a line.
#[derive(Default)]
pub(super) struct Waiting {
    lanes: BTreeMap<Lane, VecDeque<(FrameOut, usize)>>,
    /// A packet is on the line.
    busy: bool,
}

impl Waiting {
    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    fn push(&mut self, frame: FrameOut) {
        let (lane, bytes) = match &frame {
            FrameOut::Control(_) => (Lane::Control, CONTROL_BYTES),
            FrameOut::Bundle { lane, bytes, .. } => (*lane, bytes.len()),
        };
        self.lanes.entry(lane).or_default().push_back((frame, bytes));
    }

    /// One packet of the most urgent lane went; the frame that it ended.
    fn packet(&mut self) -> Option<FrameOut> {
        let mut first = self.lanes.first_entry()?;
        let (_, left) = first.get_mut().front_mut()?;
        *left = left.saturating_sub(PACKET_BYTES);
        if *left > 0 {
            return None;
        }
        let ended = first.get_mut().pop_front();
        if first.get().is_empty() {
            first.remove();
        }
        ended.map(|(frame, _)| frame)
    }
}

impl<A: Application> World<A> {
    /// From now on the line of a node to its parent carries so many bytes a second in each direction.
    pub fn narrow(&mut self, child: NodeId, bytes_a_second: u64) {
        self.count(Fault::Narrow);
        if let Some(member) = self.members.get_mut(&child) {
            member.bytes_a_second = Some(bytes_a_second);
        }
    }

    /// A frame waits for its turn on a narrow line.
    pub(super) fn wait_for_line(&mut self, connection: ConnectionId, to_parent: bool, frame: FrameOut) {
        let Some(line) = self.connections.get_mut(&connection) else { return };
        let waiting = line.waiting.entry(to_parent).or_default();
        waiting.push(frame);
        if !std::mem::replace(&mut waiting.busy, true) {
            self.next_packet(connection, to_parent);
        }
    }

    fn next_packet(&mut self, connection: ConnectionId, to_parent: bool) {
        let child = self.connections.get(&connection).map(|line| line.child);
        let rate = child.and_then(|child| self.members.get(&child)?.bytes_a_second);
        let millis = rate.and_then(|rate| (PACKET_BYTES as u64).saturating_mul(1_000).checked_div(rate));
        self.at(millis.unwrap_or(0), Event::Packet { connection, to_parent });
    }

    /// A packet has gone over the line.
    pub(super) fn packet(&mut self, connection: ConnectionId, to_parent: bool) {
        let Some(line) = self.connections.get_mut(&connection) else { return };
        let child = line.child;
        let Some(waiting) = line.waiting.get_mut(&to_parent) else { return };
        let ended = waiting.packet();
        waiting.busy = !waiting.is_empty();
        let more = waiting.busy;
        if let Some(frame) = ended {
            let clog = self.members.get(&child).map_or(0, |member| member.clog_ms);
            self.arrive_later(connection, to_parent, frame, clog);
        }
        if more {
            self.next_packet(connection, to_parent);
        }
    }
}
