//! The world: nodes, connections, time, and everything that goes wrong.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::rc::Rc;

use protocol::division::DivisionCode;
use protocol::id::NodeId;
use protocol::moving::SignedMove;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use crate::core::{ConnectionId, FrameOut, Identity, Input, Limits};

use super::alarms::Raised;
use super::disk::{Disk, Hung};
use super::fault::Fault;
use super::network::Connection;
use super::node::{Live, Wish, moment};
use super::signing::Whole;
use super::{Application, Draft, tree};

/// How a world behaves when nothing is wrong with it.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Limits of the cores.
    pub limits: Limits,
    /// One way of a frame, milliseconds, shortest and longest.
    pub latency_ms: (u64, u64),
    /// A commit, milliseconds, shortest and longest.
    pub commit_ms: (u64, u64),
    /// A side that hears nothing gives a connection up after this time, milliseconds; the other side as long after that.
    pub idle_ms: u64,
    /// A disk that breaks its promise: it keeps half of a commit in which the node stopped. To prove that it is noticed.
    pub halves: bool,
    /// Parents that are told of a revocation and let the node in all the same. To prove that it is noticed.
    pub forgets_revoked: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let limits = Limits { retry_max_ms: 8_000, unbelieved_again_ms: 10_000, ..Limits::default() };
        Self { limits, latency_ms: (5, 120), commit_ms: (1, 30), idle_ms: 3_000, halves: false, forgets_revoked: false }
    }
}

/// What happened in a run.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    /// Faults by kind.
    pub faults: BTreeMap<Fault, u64>,
    /// Bundles delivered over links.
    pub bundles: u64,
    /// Commits.
    pub commits: u64,
    /// Alarms.
    pub alarms: BTreeMap<Raised, u64>,
    /// Bundles that arrived and were not believed.
    pub unbelieved: u64,
    /// Bundles that a hostile node forged.
    pub forged: u64,
    /// Things that must not happen, in words.
    pub violations: Vec<String>,
}

impl Counters {
    /// How often an alarm was raised.
    pub fn raised(&self, alarm: Raised) -> u64 {
        self.alarms.get(&alarm).copied().unwrap_or(0)
    }
}

pub(super) enum Event {
    Dial { child: NodeId },
    Frame { connection: ConnectionId, to_parent: bool, frame: FrameOut },
    Packet { connection: ConnectionId, to_parent: bool },
    Closed { connection: ConnectionId },
    GiveUp { connection: ConnectionId, by_parent: bool },
    Hostile { node: NodeId },
    Unplug { twin: NodeId },
    Commit { node: NodeId, generation: u64 },
    Wake { node: NodeId, generation: u64 },
    Restart { node: NodeId },
    Mend { child: NodeId },
    Ordered { at: NodeId, signed: Box<SignedMove> },
}

/// An event and its moment. Of one moment the earlier made comes first.
pub(super) struct Queued {
    at_ms: u64,
    order: u64,
    event: Event,
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        (self.at_ms, self.order) == (other.at_ms, other.order)
    }
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at_ms, self.order).cmp(&(other.at_ms, other.order))
    }
}

pub(super) struct Member<A: Application> {
    pub(super) identity: Identity,
    pub(super) disk: Disk<A>,
    pub(super) backup: Option<Disk<A>>,
    /// It came back as an old copy of itself at some time, or one ran beside it.
    pub(super) copied: bool,
    pub(super) live: Option<Live<A>>,
    pub(super) generation: u64,
    pub(super) wall_offset_ms: i64,
    pub(super) cut: bool,
    pub(super) clog_ms: u64,
    /// What the line carries, when it is narrow.
    pub(super) bytes_a_second: Option<u64>,
    /// What goes in this direction vanishes.
    pub(super) deaf: Option<bool>,
    /// The next bundle that goes over its link is damaged.
    pub(super) damage: bool,
    pub(super) full: bool,
    pub(super) slow_ms: u64,
    pub(super) hostile_until: Option<u64>,
    pub(super) wake_at: Option<u64>,
}

impl<A: Application> Member<A> {
    /// A node that is down.
    pub(super) fn new(identity: Identity, disk: Disk<A>) -> Self {
        Self {
            identity,
            disk,
            backup: None,
            copied: false,
            live: None,
            generation: 0,
            wall_offset_ms: 0,
            cut: false,
            clog_ms: 0,
            bytes_a_second: None,
            deaf: None,
            damage: false,
            full: false,
            slow_ms: 0,
            hostile_until: None,
            wake_at: None,
        }
    }

    /// It dials this parent from now on.
    pub(super) fn hangs_below(&mut self, parent: Option<NodeId>) {
        if self.identity.parent != parent {
            self.identity.parent = parent;
            self.identity.entry = tree::entry(self.identity.node, self.identity.division, parent);
        }
    }
}

/// A world of nodes.
pub struct World<A: Application> {
    pub(super) settings: Settings,
    pub(super) random: ChaCha8Rng,
    pub(super) now_ms: u64,
    pub(super) order: u64,
    pub(super) queue: BinaryHeap<Reverse<Queued>>,
    pub(super) members: BTreeMap<NodeId, Member<A>>,
    pub(super) connections: BTreeMap<ConnectionId, Connection>,
    pub(super) next_connection: u64,
    pub(super) whole: Whole,
    /// Nodes whose parents know that they are revoked.
    pub(super) revoked: BTreeSet<NodeId>,
    /// Who hung on whom in the beginning.
    pub(super) first_parents: Rc<BTreeMap<NodeId, NodeId>>,
    /// Of the latest directory entry.
    pub(super) serial: u64,
    /// What happened so far.
    pub counters: Counters,
}

impl<A: Application> World<A> {
    /// A world of a tree: each division with its node and the node above. Parents stand before their children.
    pub fn new(
        seed: u64,
        settings: Settings,
        tree: &[(NodeId, DivisionCode, Option<NodeId>)],
        mut app: impl FnMut(NodeId, DivisionCode) -> A,
    ) -> Self {
        let mut world = Self {
            settings,
            random: ChaCha8Rng::seed_from_u64(seed),
            now_ms: 0,
            order: 0,
            queue: BinaryHeap::new(),
            members: BTreeMap::new(),
            connections: BTreeMap::new(),
            next_connection: 1,
            whole: Whole::default(),
            revoked: BTreeSet::new(),
            first_parents: Rc::new(tree.iter().filter_map(|(node, _, parent)| Some((*node, (*parent)?))).collect()),
            serial: 1,
            counters: Counters::default(),
        };
        let (mut routes, mut children) = (tree::routes(tree), tree::children(tree));
        for (node, division, parent) in tree {
            let identity = Identity {
                node: *node,
                division: *division,
                root: [7; 32],
                roots: Vec::new(),
                entry: tree::entry(*node, *division, *parent),
                parent: *parent,
            };
            let hung = Hung {
                me: *node,
                parent: *parent,
                children: children.remove(node).unwrap_or_default(),
                routes: routes.remove(node).unwrap_or_default(),
                parents: world.first_parents.clone(),
            };
            let disk = Disk::new(hung, app(*node, *division));
            world.members.insert(*node, Member::new(identity, disk));
        }
        for (node, ..) in tree {
            world.start(*node);
        }
        world
    }

    /// Virtual milliseconds since the beginning.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// The nodes.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.members.keys().copied()
    }

    /// What a node has on disk.
    pub fn disk(&self, node: NodeId) -> Option<&Disk<A>> {
        self.members.get(&node).map(|member| &member.disk)
    }

    /// The application of a running node, as of its last turn.
    pub fn app(&self, node: NodeId) -> Option<&A> {
        self.members.get(&node)?.live.as_ref().map(Live::app)
    }

    /// Random number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.random.next_u64().checked_rem(bound).unwrap_or(0)
    }

    pub(super) fn between(&mut self, (low, high): (u64, u64)) -> u64 {
        let span = high.saturating_sub(low).saturating_add(1);
        low.saturating_add(self.below(span))
    }

    pub(super) fn at(&mut self, delay_ms: u64, event: Event) {
        self.order = self.order.saturating_add(1);
        let at_ms = self.now_ms.saturating_add(delay_ms);
        self.queue.push(Reverse(Queued { at_ms, order: self.order, event }));
    }

    pub(super) fn start(&mut self, node: NodeId) {
        let mut seed = [0; 32];
        self.random.fill_bytes(&mut seed);
        self.strike(node);
        let limits = self.settings.limits;
        let Some(member) = self.members.get_mut(&node).filter(|m| m.live.is_none() && m.hostile_until.is_none()) else {
            return;
        };
        member.generation = member.generation.saturating_add(1);
        member.hangs_below(member.disk.ways.parent);
        let mut live = Live::start(member.identity.clone(), &member.disk, limits, seed);
        live.bar(self.revoked.iter().copied(), !self.settings.forgets_revoked);
        member.live = Some(live);
        member.wake_at = None;
        self.input(node, Input::Timeout);
    }

    /// Lets the application of a running node act in a transaction of its own. None while the node is busy or down.
    pub fn act<T>(
        &mut self,
        node: NodeId,
        act: impl FnOnce(&mut A, crate::core::Now, &mut dyn FnMut(&mut [u8])) -> (T, Vec<Draft>),
    ) -> Option<T> {
        let now_ms = self.now_ms;
        let member = self.members.get_mut(&node)?;
        let now = moment(now_ms, member.wall_offset_ms);
        let mut wishes = Vec::new();
        let live = member.live.as_mut()?;
        let result = live.act(now, &member.disk, &mut wishes, |app, random| act(app, now, random));
        self.grant(node, wishes);
        result
    }

    pub(super) fn input(&mut self, node: NodeId, input: Input) {
        let now_ms = self.now_ms;
        let Some(member) = self.members.get_mut(&node) else { return };
        let Some(live) = member.live.as_mut() else { return };
        let mut wishes = Vec::new();
        live.input(moment(now_ms, member.wall_offset_ms), input, &member.disk, &mut wishes);
        let (frames, bytes) = live.core.in_memory();
        let limits = self.settings.limits;
        if frames > limits.window_frames.max(limits.page_frames)
            || bytes
                > limits.window_bytes.max(limits.page_bytes).saturating_add(protocol::wire::limits::BUNDLE_BYTES_MAX)
        {
            self.counters
                .violations
                .push(format!("{node} holds {frames} frames of {bytes} bytes of one lane in memory"));
        }
        self.grant(node, wishes);
    }

    pub(super) fn grant(&mut self, node: NodeId, wishes: Vec<Wish>) {
        if let Some(member) = self.members.get_mut(&node)
            && let Some(parent) = member.live.as_ref().map(|live| live.core.identity().parent)
        {
            member.hangs_below(parent);
        }
        for wish in wishes {
            match wish {
                Wish::Dial => {
                    let delay = self.between(self.settings.latency_ms);
                    self.at(delay, Event::Dial { child: node });
                }
                Wish::Send(connection, frame) => self.send(node, connection, frame),
                Wish::Close(connection) => self.hang_up(connection),
                Wish::Raise(alarm) => self.raised(&alarm),
                Wish::Linked(..) => {}
                Wish::Complain(what) => self.counters.violations.push(format!("{node}: {what}")),
                Wish::Commit => {
                    let (slow, generation) = self.members.get(&node).map_or((0, 0), |m| (m.slow_ms, m.generation));
                    let delay = self.between(self.settings.commit_ms).saturating_add(slow);
                    self.at(delay, Event::Commit { node, generation });
                }
            }
        }
        self.set_alarm_clock(node);
    }

    pub(super) fn set_alarm_clock(&mut self, node: NodeId) {
        let now_ms = self.now_ms;
        let Some(member) = self.members.get_mut(&node) else { return };
        // While a commit runs nothing is taken in; after it the clock is set again.
        let Some(wanted) = member.live.as_ref().and_then(Live::next_timeout) else { return };
        let wanted = wanted.0.max(now_ms.saturating_add(1));
        if member.wake_at.is_none_or(|at| at > wanted || at <= now_ms) {
            member.wake_at = Some(wanted);
            let generation = member.generation;
            self.at(wanted.saturating_sub(now_ms), Event::Wake { node, generation });
        }
    }

    /// Runs until a moment.
    pub fn run_until(&mut self, until_ms: u64) {
        while self.queue.peek().is_some_and(|Reverse(next)| next.at_ms <= until_ms) {
            let Some(Reverse(next)) = self.queue.pop() else { break };
            self.now_ms = self.now_ms.max(next.at_ms);
            self.happen(next.event);
        }
        self.now_ms = self.now_ms.max(until_ms);
    }

    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Dial { child } => self.dial(child),
            Event::Frame { connection, to_parent, frame } => self.deliver(connection, to_parent, frame),
            Event::Packet { connection, to_parent } => self.packet(connection, to_parent),
            Event::Closed { connection } => self.give_up(connection, true, true),
            Event::GiveUp { connection, by_parent } => self.give_up(connection, !by_parent, by_parent),
            Event::Hostile { node } => self.be_hostile(node),
            Event::Unplug { twin } => self.unplug(twin),
            Event::Commit { node, generation } => self.committed(node, generation),
            Event::Wake { node, generation } => {
                if self.members.get(&node).is_some_and(|m| m.generation == generation) {
                    self.input(node, Input::Timeout);
                }
            }
            Event::Restart { node } => self.start(node),
            Event::Mend { child } => self.mend(child),
            Event::Ordered { at, signed } => self.hand(at, signed),
        }
    }

    fn committed(&mut self, node: NodeId, generation: u64) {
        let now_ms = self.now_ms;
        let Some(member) = self.members.get_mut(&node).filter(|m| m.generation == generation) else { return };
        if member.full {
            return self.not_stored(node);
        }
        let Some(live) = member.live.as_mut() else { return };
        let mut wishes = Vec::new();
        live.committed(moment(now_ms, member.wall_offset_ms), &mut member.disk, &mut wishes);
        self.counters.commits = self.counters.commits.saturating_add(1);
        self.grant(node, wishes);
    }
}
