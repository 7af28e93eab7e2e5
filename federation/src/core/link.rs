//! What is known of one link: the numbering that is kept, and the connection of the moment.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use protocol::id::{BundleId, NodeId};
use protocol::wire::control::{Doubt, Hello, Incarnation, LaneState, Position};
use protocol::wire::frame::{Lane, LinkSeq};

use super::input::{ConnectionId, Uptime};
use super::limits::Limits;

/// Numbering of one lane, both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptLane {
    /// The last position received, in the peer's numbering.
    pub received: Position,
    /// The last position given out.
    pub last: Position,
    /// The peer has acknowledged up to here; rows below may be gone.
    pub acked: LinkSeq,
}

impl Default for KeptLane {
    fn default() -> Self {
        Self { received: Position::START, last: Position::START, acked: LinkSeq(0) }
    }
}

/// Numbering of one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLink {
    /// The neighbour.
    pub peer: NodeId,
    /// This side's run of numbers.
    pub incarnation: Incarnation,
    /// The peer's run that `received` refers to.
    pub peer_incarnation: Option<Incarnation>,
    /// The highest counter ever seen of the peer.
    pub peer_counter_seen: u32,
    /// The lanes cases, statistics, bulk.
    pub lanes: [KeptLane; 3],
}

impl KeptLink {
    /// A lane. The control lane has no numbers; it answers with the first, which no caller asks for.
    pub fn lane(&self, lane: Lane) -> &KeptLane {
        let [cases, statistics, bulk] = &self.lanes;
        match lane {
            Lane::Control | Lane::Cases => cases,
            Lane::Statistics => statistics,
            Lane::Bulk => bulk,
        }
    }

    pub(super) fn lane_mut(&mut self, lane: Lane) -> &mut KeptLane {
        let [cases, statistics, bulk] = &mut self.lanes;
        match lane {
            Lane::Control | Lane::Cases => cases,
            Lane::Statistics => statistics,
            Lane::Bulk => bulk,
        }
    }
}

/// What a side has said of its own sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Resume,
    Reconcile(Doubt, Incarnation),
}

/// How far a greeting is.
#[derive(Debug)]
pub(super) enum Phase {
    /// Waiting for the peer's greeting.
    Greeting,
    /// Comparing: lanes that still wait for a hash from the store.
    Judging { hello: Box<Hello>, open: Vec<Lane> },
    /// Own verdict said; the peer's is awaited.
    Said { hello: Box<Hello>, mine: Said },
    /// Both agree.
    Up,
}

/// One lane of a connection.
#[derive(Debug, Default)]
pub(super) struct LaneSession {
    /// The peer's first acknowledgement is here: it is ready for bundles.
    pub(super) ready: bool,
    /// The last number sent on this connection.
    pub(super) sent: LinkSeq,
    /// The last number that the peer has acknowledged on this connection.
    pub(super) theirs: LinkSeq,
    /// Bundles that may be under way.
    pub(super) credit: u32,
    /// Durable frames that come next, without a gap after `sent`.
    pub(super) window: VecDeque<(LinkSeq, Arc<[u8]>, NodeId)>,
    /// Bytes in it.
    pub(super) window_bytes: usize,
    /// A page of frames was asked for.
    pub(super) fetching: bool,
}

impl LaneSession {
    pub(super) fn push(&mut self, seq: LinkSeq, bytes: Arc<[u8]>, origin: NodeId) {
        self.window_bytes = self.window_bytes.saturating_add(bytes.len());
        self.window.push_back((seq, bytes, origin));
    }

    pub(super) fn pop(&mut self) -> Option<(LinkSeq, Arc<[u8]>, NodeId)> {
        let frame = self.window.pop_front()?;
        self.window_bytes = self.window_bytes.saturating_sub(frame.1.len());
        self.sent = frame.0;
        Some(frame)
    }

    /// Up to where the peer has what was sent on this connection. What came over an earlier one may become durable there
    /// only now; it is sent again all the same, and its row kept until then, for the peer may have it from a copy of this node.
    pub(super) fn acked(&self) -> LinkSeq {
        self.theirs.min(self.sent)
    }

    /// Bundles that are under way.
    pub(super) fn under_way(&self) -> u64 {
        self.sent.0.saturating_sub(self.acked().0)
    }
}

/// The connection of the moment.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) connection: ConnectionId,
    pub(super) since: Uptime,
    pub(super) phase: Phase,
    pub(super) their_verdict: Option<Said>,
    pub(super) lanes: BTreeMap<Lane, LaneSession>,
    /// The run of numbers that the peer named in its greeting.
    pub(super) greeted: Option<Incarnation>,
    /// The run of numbers that the peer has said, once both have agreed.
    pub(super) theirs: Option<Incarnation>,
    /// The own run as said in a reconciliation that is not over.
    pub(super) reconciling: Option<Incarnation>,
    /// Ids of the page that was offered last: the peer may ask for these and no others.
    pub(super) offered: BTreeSet<BundleId>,
    /// The peer's answer to a page is awaited.
    pub(super) answer_due: bool,
    /// Ids that the peer asked for and that are still to be read.
    pub(super) wanted: VecDeque<BundleId>,
    /// The last id of the own inventory that was sent.
    pub(super) inventoried: Option<BundleId>,
    /// The own inventory's last page was sent.
    pub(super) inventory_done: bool,
}

impl Session {
    fn new(connection: ConnectionId, since: Uptime) -> Self {
        Self {
            connection,
            since,
            phase: Phase::Greeting,
            their_verdict: None,
            lanes: Lane::NUMBERED.into_iter().map(|lane| (lane, LaneSession::default())).collect(),
            greeted: None,
            theirs: None,
            reconciling: None,
            offered: BTreeSet::new(),
            answer_due: false,
            wanted: VecDeque::new(),
            inventoried: None,
            inventory_done: false,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up)
    }
}

/// One link.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) kept: KeptLink,
    pub(super) session: Option<Session>,
    /// A further connection of this peer beside one that is up: its greeting tells whether it is the same peer.
    pub(super) newcomer: Option<(ConnectionId, Uptime)>,
    /// The peer may lack what came back from elsewhere: the next greeting reconciles.
    pub(super) doubted: bool,
    /// When to ask for that greeting.
    pub(super) reoffer_at: Option<Uptime>,
    /// For when the last greeting was asked for because of a bundle that was not believed.
    pub(super) asked_again: Option<Uptime>,
    /// The highest number of each lane that is durable in the outbox.
    pub(super) durable: BTreeMap<Lane, LinkSeq>,
    /// The last position of each lane whose arrival is durable: the only one that the peer may be told.
    pub(super) received: BTreeMap<Lane, Position>,
    /// Up to where outbox rows were dropped, and since when more are due.
    pub(super) dropped: BTreeMap<Lane, LinkSeq>,
    pub(super) drop_since: Option<Uptime>,
}

impl Link {
    pub(super) fn fresh(peer: NodeId, nonce: u64) -> Self {
        Self::resumed(KeptLink {
            peer,
            incarnation: Incarnation { counter: 1, nonce },
            peer_incarnation: None,
            peer_counter_seen: 0,
            lanes: [KeptLane::default(); 3],
        })
    }

    pub(super) fn resumed(kept: KeptLink) -> Self {
        let durable = Lane::NUMBERED.into_iter().map(|lane| (lane, kept.lane(lane).last.seq)).collect();
        let dropped = Lane::NUMBERED.into_iter().map(|lane| (lane, kept.lane(lane).acked)).collect();
        let received = Lane::NUMBERED.into_iter().map(|lane| (lane, kept.lane(lane).received)).collect();
        Self {
            kept,
            session: None,
            newcomer: None,
            doubted: false,
            reoffer_at: None,
            asked_again: None,
            durable,
            received,
            dropped,
            drop_since: None,
        }
    }

    /// The lanes as a greeting tells them.
    pub(super) fn lane_states(&self) -> Vec<LaneState> {
        Lane::NUMBERED
            .into_iter()
            .map(|lane| {
                let kept = self.kept.lane(lane);
                LaneState { lane, received: self.received_durably(lane), last: kept.last }
            })
            .collect()
    }

    /// The last position of a lane whose arrival is durable.
    pub(super) fn received_durably(&self, lane: Lane) -> Position {
        self.received.get(&lane).copied().unwrap_or(Position::START)
    }

    /// A new connection takes the place of an old one, which is given back.
    pub(super) fn open(&mut self, connection: ConnectionId, now: Uptime) -> Option<Session> {
        self.session.replace(Session::new(connection, now))
    }

    pub(super) fn close(&mut self, connection: ConnectionId) -> Option<Session> {
        if self.newcomer.is_some_and(|(newcomer, _)| newcomer == connection) {
            self.newcomer = None;
        }
        self.session.take_if(|session| session.connection == connection)
    }

    pub(super) fn is_live(&self, connection: ConnectionId) -> bool {
        self.session.as_ref().is_some_and(|s| s.connection == connection)
    }

    /// The session of a connection, if it is the live one.
    pub(super) fn session_of(&mut self, connection: ConnectionId) -> Option<&mut Session> {
        self.session.as_mut().filter(|s| s.connection == connection)
    }

    /// Whether `run` can be what the peer of the live session says in a further greeting. It may never have heard of the run
    /// that was agreed, or have lost it before it was durable: then it comes with the one that it named in its greeting. A
    /// copy of it that comes with that one instead is found out when the other comes again, for then their runs differ.
    pub(super) fn is_same_peer(&self, run: Incarnation) -> bool {
        let Some(session) = self.session.as_ref().filter(|session| session.theirs.is_some()) else { return true };
        let mut said = session.theirs.into_iter().chain(session.greeted);
        said.any(|said| run.nonce == said.nonce || run.nonce == !said.nonce)
    }

    /// The next greeting shall reconcile, because the peer may lack something that it cannot know of.
    pub(super) fn doubt(&mut self, at: Uptime) {
        self.distrust();
        self.reoffer_at = Some(at);
    }

    /// The next greeting shall reconcile, whenever it comes.
    pub(super) fn distrust(&mut self) {
        let reconciling = self.session.as_ref().is_some_and(|session| session.reconciling.is_some());
        if !self.doubted && !reconciling {
            self.kept.incarnation = unsettled(self.kept.incarnation);
        }
        self.doubted = true;
    }

    /// Neither side hangs on the other any more. Should they come together again, nothing of what was is taken for granted:
    /// what waits here goes by another way, and its rows go.
    pub(super) fn part(&mut self) {
        self.kept.incarnation = unsettled(self.kept.incarnation);
        self.kept.peer_incarnation = None;
        self.doubted = false;
        self.reoffer_at = None;
        self.begin_again();
    }

    /// A bundle was not believed: the lane goes on, and the next greeting will find that the hashes differ. Nobody would
    /// greet while the link is well, so that greeting is asked for; seldom, for what is damaged may stay so.
    pub(super) fn greet_again(&mut self, now: Uptime, limits: &Limits) {
        if self.reoffer_at.is_none() {
            let soon = now.0.saturating_add(limits.reoffer_ms);
            let again = self.asked_again.map_or(0, |last| last.0.saturating_add(limits.unbelieved_again_ms));
            let at = Uptime(soon.max(again));
            self.asked_again = Some(at);
            self.reoffer_at = Some(at);
        }
    }

    /// Everything that the peer lacks has its number: from now on the run counts as what was said.
    pub(super) fn settle(&mut self) {
        let run = self.session.as_mut().and_then(|session| session.reconciling.take());
        if let Some(run) = run.filter(|_| !self.doubted) {
            self.kept.incarnation = run;
        }
    }

    /// All that the peer offers was looked up here: from now on its run counts. A copy of this node's disk from before does
    /// not know it, so that the peer never takes for granted what only a lost state had.
    pub(super) fn settle_theirs(&mut self) {
        if let Some(theirs) = self.session.as_ref().and_then(|session| session.theirs) {
            self.kept.peer_incarnation = Some(theirs);
        }
    }

    /// Both numberings begin again. Until the inventories are through, both runs are kept as others than were said: if the
    /// connection breaks or a node stops before, the next greeting finds the difference and reconciles anew.
    pub(super) fn renumber(&mut self, mine: Incarnation, theirs: Incarnation) {
        self.kept.incarnation = unsettled(mine);
        self.doubted = false;
        self.reoffer_at = None;
        if let Some(session) = &mut self.session {
            session.reconciling = Some(mine);
        }
        self.kept.peer_incarnation = Some(not_looked_up(theirs));
        self.kept.peer_counter_seen = self.kept.peer_counter_seen.max(theirs.counter);
        self.begin_again();
    }

    /// Both numberings are at their beginning.
    fn begin_again(&mut self) {
        self.kept.lanes = [KeptLane::default(); 3];
        self.durable.values_mut().for_each(|seq| *seq = LinkSeq(0));
        self.received.values_mut().for_each(|position| *position = Position::START);
        self.dropped.values_mut().for_each(|seq| *seq = LinkSeq(0));
        self.drop_since = None;
    }

    pub(super) fn too_slow(&self, now: Uptime, limits: &Limits) -> Option<ConnectionId> {
        let greeting = self.session.as_ref().filter(|s| !s.is_up()).map(|s| (s.connection, s.since));
        let slow = |since: Uptime| now.0.saturating_sub(since.0) >= limits.greeting_ms;
        greeting.into_iter().chain(self.newcomer).find(|(_, since)| slow(*since)).map(|(connection, _)| connection)
    }

    pub(super) fn drop_due(&self, now: Uptime, limits: &Limits) -> bool {
        let many = Lane::NUMBERED.into_iter().any(|lane| {
            let dropped = self.dropped.get(&lane).map_or(0, |seq| seq.0);
            self.kept.lane(lane).acked.0.saturating_sub(dropped) >= limits.drop_every
        });
        many || self.drop_since.is_some_and(|since| now.0.saturating_sub(since.0) >= limits.drop_ms)
    }

    pub(super) fn next_timeout(&self, limits: &Limits) -> Option<Uptime> {
        let greeting =
            self.session.as_ref().filter(|s| !s.is_up()).map(|s| Uptime(s.since.0.saturating_add(limits.greeting_ms)));
        let drop = self.drop_since.map(|since| Uptime(since.0.saturating_add(limits.drop_ms)));
        let newcomer = self.newcomer.map(|(_, since)| Uptime(since.0.saturating_add(limits.greeting_ms)));
        greeting.into_iter().chain(drop).chain(newcomer).chain(self.reoffer_at).min()
    }
}

/// The run that stands for "said, but not settled". Its counter is higher, so that it never passes for a first run.
fn unsettled(run: Incarnation) -> Incarnation {
    Incarnation { counter: run.counter.saturating_add(1), nonce: !run.nonce }
}

/// The peer's run as it is kept until its inventory was looked up: neither what the peer says then nor what it says before it
/// has settled, so that the peer doubts in either case.
fn not_looked_up(run: Incarnation) -> Incarnation {
    Incarnation { counter: run.counter, nonce: run.nonce ^ 1 }
}
