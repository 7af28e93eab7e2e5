//! Signs that a node is under pressure, or that a neighbour behaves as no sound one does while it breaks no rule. None of it
//! is refused: what protects the node are its bounds. But somebody should look.

use std::collections::{BTreeMap, BTreeSet};

use federation::core::FrameOut;
use protocol::id::NodeId;
use tokio::sync::mpsc;

use super::Writer;
use crate::alarms::AlarmKind;
use crate::store::trust::StoredLink;

/// Frames that wait for one neighbour before an alarm is raised.
const BACKLOG_MAX: u64 = 10_000;
/// Control frames of one connection within [`CHATTER_MS`] before an alarm is raised. A busy link needs a tenth.
const CONTROL_FRAMES_MAX: u32 = 50_000;
const CHATTER_MS: u64 = 10_000;
/// Connections of one neighbour within [`GREETINGS_MS`] before an alarm is raised.
const GREETINGS_MAX: u32 = 30;
const GREETINGS_MS: u64 = 600_000;

/// How often something happened lately.
#[derive(Debug, Default)]
struct Window {
    since: u64,
    count: u32,
}

impl Window {
    /// Counts once more. Whether this is the first beyond `most` within `length`.
    fn exceeds(&mut self, now: u64, length: u64, most: u32) -> bool {
        if now.saturating_sub(self.since) >= length {
            *self = Self { since: now, count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count == most.saturating_add(1)
    }
}

/// A queue of the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Queue {
    Requests,
    Links,
}

/// What was seen of it.
#[derive(Debug, Default)]
pub(super) struct Pressure {
    behind: BTreeSet<NodeId>,
    chatter: BTreeMap<u64, Window>,
    greetings: BTreeMap<NodeId, Window>,
    full: BTreeSet<Queue>,
}

impl Pressure {
    /// What is to be told of what waits for a neighbour, when that has changed.
    fn waits(&mut self, peer: NodeId, frames: u64) -> Option<String> {
        if frames >= BACKLOG_MAX {
            let new = self.behind.insert(peer);
            return new
                .then(|| format!("{peer}: {frames} frames or more wait for it: is its link up, and wide enough?"));
        }
        // Not again for every frame that comes and goes.
        let caught_up = frames < BACKLOG_MAX / 2 && self.behind.remove(&peer);
        caught_up.then(|| format!("{peer}: less waits for it again"))
    }

    /// What is to be told of a queue, when it has become full.
    fn queue(&mut self, queue: Queue, full: bool) -> Option<String> {
        if !full {
            self.full.remove(&queue);
            return None;
        }
        let what = match queue {
            Queue::Requests => "requests",
            Queue::Links => "what came over links",
        };
        self.full
            .insert(queue)
            .then(|| format!("the queue of {what} was full: who comes then waits, and nothing is lost"))
    }
}

fn is_full<T>(queue: &mpsc::Receiver<T>) -> bool {
    // One was taken already.
    queue.len().saturating_add(1) >= queue.max_capacity()
}

impl Writer {
    fn under_pressure(&self, kind: AlarmKind, what: Option<String>) {
        if let Some(what) = what {
            tracing::warn!("{what}");
            self.alarm(kind, what);
        }
    }

    /// How full both queues are, before they are emptied.
    pub(super) fn look_at_queues<R, E>(&mut self, requests: &mpsc::Receiver<R>, events: &mpsc::Receiver<E>) {
        for (queue, full) in [(Queue::Requests, is_full(requests)), (Queue::Links, is_full(events))] {
            let what = self.pressure.queue(queue, full);
            self.under_pressure(AlarmKind::Queue, what);
        }
    }

    /// How much waits for a neighbour, as its link is stored.
    pub(super) fn look_at_backlogs(&mut self, links: &BTreeMap<NodeId, StoredLink>) {
        for (peer, (.., lanes)) in links {
            let frames = lanes.iter().map(|(_, last, acked)| last.seq.0.saturating_sub(acked.0)).sum();
            let what = self.pressure.waits(*peer, frames);
            self.under_pressure(AlarmKind::Backlog, what);
        }
    }

    /// A neighbour has connected.
    pub(super) fn connected(&mut self, connection: u64, peer: NodeId) {
        self.peers.insert(connection, peer);
        let now = self.clock.uptime_ms();
        if self.pressure.greetings.entry(peer).or_default().exceeds(now, GREETINGS_MS, GREETINGS_MAX) {
            let what = format!("{peer} connects again and again: more than {GREETINGS_MAX} times in ten minutes");
            self.under_pressure(AlarmKind::Restless, Some(what));
        }
    }

    /// A connection is over.
    pub(super) fn disconnected(&mut self, connection: u64) {
        self.peers.remove(&connection);
        self.pressure.chatter.remove(&connection);
    }

    /// Who is at the other end, for people.
    pub(super) fn named_peer(&self, connection: u64) -> String {
        self.peers.get(&connection).map_or_else(|| "a neighbour".to_owned(), NodeId::to_string)
    }

    /// A control frame has come.
    pub(super) fn control_came(&mut self, connection: u64) {
        self.shared.counters.came.control.add(1);
        let now = self.clock.uptime_ms();
        let chatter = self.pressure.chatter.entry(connection).or_default();
        if chatter.exceeds(now, CHATTER_MS, CONTROL_FRAMES_MAX) {
            let peer = self.named_peer(connection);
            let what = format!("{peer} sends more than {CONTROL_FRAMES_MAX} control frames in ten seconds");
            self.under_pressure(AlarmKind::Restless, Some(what));
        }
    }

    /// A frame goes.
    pub(super) fn send(&self, connection: u64, frame: FrameOut) {
        let went = &self.shared.counters.went;
        match &frame {
            FrameOut::Control(_) => went.control.add(1),
            FrameOut::Bundle { bytes, .. } => {
                went.bundles.add(1);
                went.bytes.add(bytes.len());
            }
        }
        self.endpoint.send(connection, frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: NodeId = NodeId::from_bytes([7; 16]);

    #[test]
    fn a_backlog_is_told_of_once_each_way() {
        let mut pressure = Pressure::default();
        assert_eq!(pressure.waits(PEER, BACKLOG_MAX - 1), None);
        assert!(pressure.waits(PEER, BACKLOG_MAX).is_some_and(|what| what.contains("10000 frames")));
        assert_eq!(
            (pressure.waits(PEER, BACKLOG_MAX - 1), pressure.waits(PEER, BACKLOG_MAX)),
            (None, None),
            "to and fro"
        );
        assert!(pressure.waits(PEER, 0).is_some());
        assert_eq!(pressure.waits(PEER, 0), None);
    }

    #[test]
    fn a_queue_that_is_full_is_told_of_once_until_it_was_not() {
        let mut pressure = Pressure::default();
        let told: Vec<_> =
            [true, true, false, true].map(|full| pressure.queue(Queue::Links, full).is_some()).into_iter().collect();
        assert_eq!(told, [true, false, false, true]);
    }

    #[test]
    fn a_neighbour_that_connects_too_often_is_told_of_once_in_that_time() {
        let mut window = Window::default();
        let told = (0..GREETINGS_MAX * 2).filter(|_| window.exceeds(5, GREETINGS_MS, GREETINGS_MAX)).count();
        assert_eq!(told, 1);
        assert!((0..GREETINGS_MAX).all(|_| !window.exceeds(5 + GREETINGS_MS, GREETINGS_MS, GREETINGS_MAX)));
        assert!(window.exceeds(5 + GREETINGS_MS, GREETINGS_MS, GREETINGS_MAX));
    }

    #[tokio::test]
    async fn a_queue_counts_as_full_when_one_less_than_all_its_places_are_taken() {
        let (sender, receiver) = mpsc::channel(2);
        assert!(!is_full(&receiver));
        sender.send(()).await.expect("there is room");
        assert!(is_full(&receiver));
    }
}
