//! The world: nodes, connections, time, and everything that goes wrong.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::rc::Rc;

use protocol::chain::Signature;
use protocol::directory::{Entry, SealingKey, SignedEntry, SigningKey};
use protocol::division::DivisionCode;
use protocol::id::NodeId;
use protocol::time::UnixMillis;
use protocol::wire::bundle::Bundle;
use protocol::wire::control::Control;
use protocol::wire::frame::Lane;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use crate::core::{Alarm, ConnectionId, FrameOut, Identity, Input, Limits, Verified};

use super::disk::Disk;
use super::node::{Live, Wish, moment};
use super::{Application, Draft};

/// How a world behaves when nothing is wrong with it.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Limits of the cores.
    pub limits: Limits,
    /// One way of a frame, milliseconds, shortest and longest.
    pub latency_ms: (u64, u64),
    /// A commit, milliseconds, shortest and longest.
    pub commit_ms: (u64, u64),
}

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A connection broke; what was on its way is lost.
    Loss,
    /// A link was cut for a while.
    Cut,
    /// A link became slow.
    Clog,
    /// A node crashed and lost what was not yet durable.
    Crash,
    /// A node came back as an old copy of itself.
    Restore,
    /// A node's clock jumped.
    Clock,
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
    /// Reconciliations that were raised as alarms.
    pub reconciled: u64,
    /// Things that must not happen, in words.
    pub violations: Vec<String>,
}

/// Something was still on its way when it should have arrived.
#[derive(Debug, Clone)]
pub struct Stuck(pub String);

enum Event {
    Dial { child: NodeId },
    Frame { connection: ConnectionId, to_parent: bool, frame: FrameOut },
    Closed { connection: ConnectionId },
    Commit { node: NodeId, generation: u64 },
    Wake { node: NodeId, generation: u64 },
    Restart { node: NodeId },
}

struct Connection {
    child: NodeId,
    parent: NodeId,
    /// Frames of one lane never overtake each other.
    lanes: BTreeMap<(bool, Lane), u64>,
}

struct Member<A> {
    identity: Identity,
    disk: Disk<A>,
    backup: Option<Disk<A>>,
    live: Option<Live<A>>,
    generation: u64,
    wall_offset_ms: i64,
    cut: bool,
    clog_ms: u64,
    wake_at: Option<u64>,
}

/// A world of nodes.
pub struct World<A> {
    settings: Settings,
    random: ChaCha8Rng,
    now_ms: u64,
    order: u64,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, Event>,
    members: BTreeMap<NodeId, Member<A>>,
    connections: BTreeMap<ConnectionId, Connection>,
    next_connection: u64,
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
            events: BTreeMap::new(),
            members: BTreeMap::new(),
            connections: BTreeMap::new(),
            next_connection: 1,
            counters: Counters::default(),
        };
        for (node, division, parent) in tree {
            let identity = Identity {
                node: *node,
                division: *division,
                root: [7; 32],
                entry: entry(*node, *division, *parent),
                parent: *parent,
            };
            let disk = Disk {
                bundles: BTreeMap::new(),
                outbox: BTreeMap::new(),
                links: BTreeMap::new(),
                quarantine: BTreeMap::new(),
                line: Vec::new(),
                app: app(*node, *division),
                me: *node,
                parent: *parent,
                children: tree.iter().filter(|(_, _, p)| *p == Some(*node)).map(|(n, ..)| *n).collect(),
                routes: Rc::new(routes(*node, tree)),
            };
            let member = Member {
                identity,
                disk,
                backup: None,
                live: None,
                generation: 0,
                wall_offset_ms: 0,
                cut: false,
                clog_ms: 0,
                wake_at: None,
            };
            world.members.insert(*node, member);
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

    fn between(&mut self, (low, high): (u64, u64)) -> u64 {
        let span = high.saturating_sub(low).saturating_add(1);
        low.saturating_add(self.below(span))
    }

    fn at(&mut self, delay_ms: u64, event: Event) {
        self.order = self.order.saturating_add(1);
        self.queue.push(Reverse((self.now_ms.saturating_add(delay_ms), self.order)));
        self.events.insert(self.order, event);
    }

    fn start(&mut self, node: NodeId) {
        let mut seed = [0; 32];
        self.random.fill_bytes(&mut seed);
        let limits = self.settings.limits;
        let Some(member) = self.members.get_mut(&node).filter(|m| m.live.is_none()) else { return };
        member.generation = member.generation.saturating_add(1);
        member.live = Some(Live::start(member.identity.clone(), &member.disk, limits, seed));
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

    fn input(&mut self, node: NodeId, input: Input) {
        let now_ms = self.now_ms;
        let Some(member) = self.members.get_mut(&node) else { return };
        let Some(live) = member.live.as_mut() else { return };
        let mut wishes = Vec::new();
        live.input(moment(now_ms, member.wall_offset_ms), input, &member.disk, &mut wishes);
        self.grant(node, wishes);
    }

    fn grant(&mut self, node: NodeId, wishes: Vec<Wish>) {
        for wish in wishes {
            match wish {
                Wish::Dial => {
                    let delay = self.between(self.settings.latency_ms);
                    self.at(delay, Event::Dial { child: node });
                }
                Wish::Send(connection, frame) => self.send(node, connection, frame),
                Wish::Close(connection) => self.hang_up(connection),
                Wish::Raise(Alarm::Reconciled { .. }) => {
                    self.counters.reconciled = self.counters.reconciled.saturating_add(1);
                }
                Wish::Raise(_) => {}
                Wish::Commit => {
                    let delay = self.between(self.settings.commit_ms);
                    let generation = self.members.get(&node).map_or(0, |m| m.generation);
                    self.at(delay, Event::Commit { node, generation });
                }
            }
        }
        self.set_alarm_clock(node);
    }

    fn set_alarm_clock(&mut self, node: NodeId) {
        let now_ms = self.now_ms;
        let Some(member) = self.members.get_mut(&node) else { return };
        let Some(wanted) = member.live.as_ref().and_then(|live| live.core.next_timeout()) else { return };
        let wanted = wanted.0.max(now_ms.saturating_add(1));
        if member.wake_at.is_none_or(|at| at > wanted || at <= now_ms) {
            member.wake_at = Some(wanted);
            let generation = member.generation;
            self.at(wanted.saturating_sub(now_ms), Event::Wake { node, generation });
        }
    }

    fn send(&mut self, from: NodeId, connection: ConnectionId, frame: FrameOut) {
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
    fn check_promise(&mut self, from: NodeId, peer: NodeId, frame: &FrameOut) {
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

    fn hang_up(&mut self, connection: ConnectionId) {
        let delay = self.between(self.settings.latency_ms);
        self.at(delay, Event::Closed { connection });
    }

    /// Runs until a moment.
    pub fn run_until(&mut self, until_ms: u64) {
        while let Some(Reverse((at, order))) = self.queue.peek().copied() {
            if at > until_ms {
                break;
            }
            self.queue.pop();
            self.now_ms = self.now_ms.max(at);
            if let Some(event) = self.events.remove(&order) {
                self.happen(event);
            }
        }
        self.now_ms = self.now_ms.max(until_ms);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Dial { child } => self.dial(child),
            Event::Frame { connection, to_parent, frame } => self.deliver(connection, to_parent, frame),
            Event::Closed { connection } => {
                if let Some(line) = self.connections.remove(&connection) {
                    self.input(line.child, Input::LinkClosed { connection });
                    self.input(line.parent, Input::LinkClosed { connection });
                }
            }
            Event::Commit { node, generation } => self.committed(node, generation),
            Event::Wake { node, generation } => {
                if self.members.get(&node).is_some_and(|m| m.generation == generation) {
                    self.input(node, Input::Timeout);
                }
            }
            Event::Restart { node } => self.start(node),
        }
    }

    fn dial(&mut self, child: NodeId) {
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

    fn deliver(&mut self, connection: ConnectionId, to_parent: bool, frame: FrameOut) {
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

    fn committed(&mut self, node: NodeId, generation: u64) {
        let now_ms = self.now_ms;
        let Some(member) = self.members.get_mut(&node).filter(|m| m.generation == generation) else { return };
        let Some(live) = member.live.as_mut() else { return };
        let mut wishes = Vec::new();
        live.committed(moment(now_ms, member.wall_offset_ms), &mut member.disk, &mut wishes);
        self.counters.commits = self.counters.commits.saturating_add(1);
        self.grant(node, wishes);
    }

    fn count(&mut self, fault: Fault) {
        let count = self.counters.faults.entry(fault).or_insert(0);
        *count = count.saturating_add(1);
    }

    fn break_connections(&mut self, of: impl Fn(&Connection) -> bool) {
        let broken: Vec<_> = self.connections.iter().filter(|(_, c)| of(c)).map(|(id, _)| *id).collect();
        for connection in broken {
            self.happen(Event::Closed { connection });
        }
    }

    /// The connection of a node to its parent breaks; what was on its way is lost.
    pub fn lose(&mut self, child: NodeId) {
        self.count(Fault::Loss);
        self.break_connections(|c| c.child == child);
    }

    /// Cuts the link of a node to its parent.
    pub fn cut(&mut self, child: NodeId) {
        self.count(Fault::Cut);
        if let Some(member) = self.members.get_mut(&child) {
            member.cut = true;
        }
        self.break_connections(|c| c.child == child);
    }

    /// Slows the link of a node to its parent.
    pub fn clog(&mut self, child: NodeId, by_ms: u64) {
        self.count(Fault::Clog);
        if let Some(member) = self.members.get_mut(&child) {
            member.clog_ms = by_ms;
        }
    }

    /// The clock of a node jumps.
    pub fn set_clock(&mut self, node: NodeId, offset_ms: i64) {
        self.count(Fault::Clock);
        if let Some(member) = self.members.get_mut(&node) {
            member.wall_offset_ms = offset_ms;
        }
    }

    /// A node crashes: what no commit made durable is gone. It comes back after a while.
    pub fn crash(&mut self, node: NodeId, back_after_ms: u64) {
        self.count(Fault::Crash);
        self.stop(node);
        self.at(back_after_ms, Event::Restart { node });
    }

    fn stop(&mut self, node: NodeId) {
        if let Some(member) = self.members.get_mut(&node) {
            member.live = None;
            member.generation = member.generation.saturating_add(1);
        }
        self.break_connections(|c| c.child == node || c.parent == node);
    }

    /// Copies the disk of a node, as a virtual machine's snapshot would.
    pub fn back_up(&mut self, node: NodeId) {
        if let Some(member) = self.members.get_mut(&node) {
            member.backup = Some(member.disk.clone());
        }
    }

    /// A node comes back as its last copy, without knowing that it is one. False when there is no copy.
    pub fn restore(&mut self, node: NodeId, back_after_ms: u64) -> bool {
        let Some(copy) = self.members.get(&node).and_then(|m| m.backup.clone()) else { return false };
        self.count(Fault::Restore);
        self.stop(node);
        if let Some(member) = self.members.get_mut(&node) {
            member.disk = copy;
        }
        self.at(back_after_ms, Event::Restart { node });
        true
    }

    /// Everything heals: links are whole and quick, clocks go on as they are, nodes come back.
    pub fn heal(&mut self) {
        let nodes: Vec<_> = self.nodes().collect();
        for node in nodes {
            if let Some(member) = self.members.get_mut(&node) {
                member.cut = false;
                member.clog_ms = 0;
            }
            self.start(node);
        }
    }

    /// Runs until nothing is on its way any more, or says what is after a bound of virtual time.
    pub fn drain(&mut self, within_ms: u64) -> Result<(), Stuck> {
        let end = self.now_ms.saturating_add(within_ms);
        loop {
            match self.on_its_way() {
                None => return Ok(()),
                Some(what) if self.now_ms >= end => return Err(Stuck(what)),
                Some(_) => self.run_until(self.now_ms.saturating_add(500)),
            }
        }
    }

    fn on_its_way(&self) -> Option<String> {
        for (node, member) in &self.members {
            let Some(live) = &member.live else { return Some(format!("{node} is down")) };
            if !live.is_idle() {
                return Some(format!("{node} is busy"));
            }
            if let Some(parent) = member.identity.parent
                && !self.connections.values().any(|c| c.child == *node && c.parent == parent)
            {
                return Some(format!("{node} has no connection to its parent"));
            }
            let open = member.disk.bundles.iter().find(|(_, stored)| !stored.done && stored.bundle.head().receipted);
            if let Some((id, stored)) = open {
                let head = stored.bundle.head();
                return Some(format!("{id} from {} to {} has no receipt at {node}", head.origin, head.to));
            }
        }
        None
    }

    /// Checks that no bundle was taken in twice.
    pub fn check_duplicates(&mut self) {
        for (node, member) in &self.members {
            for (id, stored) in &member.disk.bundles {
                if stored.applied > 1 {
                    let what = format!("{node} took {id} in {} times", stored.applied);
                    self.counters.violations.push(what);
                }
            }
        }
    }
}

fn routes(node: NodeId, tree: &[(NodeId, DivisionCode, Option<NodeId>)]) -> BTreeMap<NodeId, NodeId> {
    let parents: BTreeMap<NodeId, Option<NodeId>> = tree.iter().map(|(n, _, p)| (*n, *p)).collect();
    let mut routes = BTreeMap::new();
    for (below, ..) in tree {
        let (mut at, mut via) = (*below, *below);
        while let Some(Some(parent)) = parents.get(&at) {
            via = at;
            at = *parent;
            if at == node {
                routes.insert(*below, via);
                break;
            }
        }
        let _ = via;
    }
    routes
}

fn entry(node: NodeId, division: DivisionCode, parent: Option<NodeId>) -> SignedEntry {
    let entry = Entry {
        node,
        division,
        parent,
        signing: SigningKey([0; 32]),
        sealing: SealingKey([0; 32]),
        tls_spki_sha256: [0; 32],
        serial: 1,
        issued: UnixMillis(0),
    };
    SignedEntry { entry, signature: Signature([0; 64]) }
}
