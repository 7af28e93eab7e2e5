//! One simulated node: a core, an application, a disk, and a commit that may be under way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::chain::Signature;
use protocol::directory::KeyId;
use protocol::id::{BundleId, MessageId, NodeId};
use protocol::moving::SignedMove;
use protocol::time::UnixMillis;
use protocol::wire::bundle::{Bundle, BundleHead, Message, Urgency};
use protocol::wire::control::Control;
use protocol::wire::kind::Body;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use crate::core::{Alarm, Core, Deliver, Identity, Input, Limits, Now, Output, Query, Ticket, Uptime, Write};

use super::disk::Disk;
use super::follow::Following;
use super::ways::Ways;
use super::{Application, Draft, oracle, signing};

/// What a node wants of the world after a turn.
pub(crate) enum Wish {
    Dial,
    Send(crate::core::ConnectionId, crate::core::FrameOut),
    Close(crate::core::ConnectionId),
    Raise(Alarm),
    /// A commit was begun; it takes a while.
    Commit,
    /// The link with this neighbour is up, or is no longer.
    #[cfg_attr(not(test), expect(dead_code, reason = "a world of the simulator sees its links itself"))]
    Linked(NodeId, bool),
    /// Something was done that must not be.
    Complain(String),
}

struct Commit<A: Application> {
    writes: Vec<Write>,
    tickets: Vec<Ticket>,
    line: Option<Vec<protocol::directory::Ancestor>>,
    ways: Option<Ways>,
    let_go: Vec<BundleId>,
    app: A::Changes,
}

impl<A: Application> Commit<A> {
    /// All of it, or the first of its writes only. What must not be written, in words.
    fn write(self, disk: &mut Disk<A>, writes: usize) -> Vec<String> {
        let whole = writes >= self.writes.len();
        if let Some(ways) = self.ways.filter(|_| whole) {
            disk.ways = ways;
        }
        let mut wrong = Vec::new();
        for write in self.writes.into_iter().take(writes) {
            if let Write::Link(new) = &write
                && let Some(old) = disk.links.get(&new.peer)
            {
                wrong.extend(oracle::backwards(old, new));
            }
            disk.write(write);
        }
        if whole {
            self.let_go.into_iter().for_each(|id| disk.let_go(id));
            disk.app.keep(self.app);
            disk.line = self.line.unwrap_or_else(|| std::mem::take(&mut disk.line));
        }
        wrong
    }
}

/// A node that is up.
pub(crate) struct Live<A: Application> {
    pub(super) core: Core,
    app: A,
    outputs: VecDeque<Output>,
    fetches: Vec<(Ticket, Query)>,
    waiting: VecDeque<Input>,
    pub(super) writes: Vec<Write>,
    tickets: Vec<Ticket>,
    line: Option<Vec<protocol::directory::Ancestor>>,
    /// The line above, durable or not.
    pub(super) above: Vec<protocol::directory::Ancestor>,
    pub(super) following: Following,
    drafts: Vec<Draft>,
    commit: Option<Commit<A>>,
    random: ChaCha8Rng,
    /// Nodes that it knows to be revoked,
    barred: BTreeSet<NodeId>,
    /// and whether its core is told.
    bars: bool,
    seal: Seal,
}

type Sign = Box<dyn Fn(&[u8]) -> Signature>;

/// What a node signs bundles with.
struct Seal {
    key: KeyId,
    sign: Sign,
}

impl<A: Application> Live<A> {
    pub(crate) fn start(me: Identity, disk: &Disk<A>, limits: Limits, seed: [u8; 32]) -> Self {
        let mut random = ChaCha8Rng::from_seed(seed);
        let mut core_seed = [0; 32];
        random.fill_bytes(&mut core_seed);
        let mut app = disk.app.clone();
        app.started();
        Self {
            core: Core::resume(me, disk.kept(core_seed), limits),
            app,
            outputs: VecDeque::new(),
            fetches: Vec::new(),
            waiting: VecDeque::new(),
            writes: Vec::new(),
            tickets: Vec::new(),
            line: None,
            above: disk.line.clone(),
            following: Following::new(disk.ways.clone()),
            drafts: Vec::new(),
            commit: None,
            random,
            barred: BTreeSet::new(),
            bars: true,
            seal: Seal { key: KeyId([0; 8]), sign: Box::new(signing::sign) },
        }
    }

    /// It signs with a key of its own.
    #[cfg(test)]
    pub(crate) fn signing(self, key: KeyId, sign: impl Fn(&[u8]) -> Signature + 'static) -> Self {
        Self { seal: Seal { key, sign: Box::new(sign) }, ..self }
    }

    /// Whether a commit is under way, so that what comes now waits.
    pub(super) fn is_busy(&self) -> bool {
        self.commit.is_some()
    }

    /// It knows these to be revoked.
    pub(super) fn bar(&mut self, nodes: impl Iterator<Item = NodeId>, bars: bool) {
        self.barred.extend(nodes);
        self.bars = bars;
    }

    /// When it wants a turn, unless it is busy.
    pub(crate) fn next_timeout(&self) -> Option<Uptime> {
        if self.is_busy() {
            return None;
        }
        self.core.next_timeout().into_iter().chain(self.app.wakes_at()).min()
    }

    /// Takes an input; while a commit runs it waits, as it does at the real writer.
    pub(crate) fn input(&mut self, now: Now, input: Input, disk: &Disk<A>, wishes: &mut Vec<Wish>) {
        self.waiting.push_back(input);
        if self.commit.is_none() {
            self.turn(now, disk, wishes);
        }
    }

    /// Lets the application do something of its own accord, in a transaction.
    pub(crate) fn act<T>(
        &mut self,
        now: Now,
        disk: &Disk<A>,
        wishes: &mut Vec<Wish>,
        act: impl FnOnce(&mut A, &mut dyn FnMut(&mut [u8])) -> (T, Vec<Draft>),
    ) -> Option<T> {
        if self.commit.is_some() {
            return None;
        }
        let random = &mut self.random;
        let (result, drafts) = act(&mut self.app, &mut |buffer| random.fill_bytes(buffer));
        self.drafts.extend(drafts);
        self.finish_turn(now, disk, true, wishes);
        Some(result)
    }

    fn turn(&mut self, now: Now, disk: &Disk<A>, wishes: &mut Vec<Wish>) {
        while let Some(input) = self.waiting.pop_front() {
            self.take(now, input, disk, wishes);
        }
        self.feed(now, Input::Timeout, wishes);
        let due = self.app.wakes_at().is_some_and(|at| at <= now.uptime);
        if due {
            let random = &mut self.random;
            let drafts = self.app.wake(now, &mut |buffer| random.fill_bytes(buffer));
            self.drafts.extend(drafts);
        }
        self.finish_turn(now, disk, due, wishes);
    }

    fn take(&mut self, now: Now, input: Input, disk: &Disk<A>, wishes: &mut Vec<Wish>) {
        match input {
            Input::LinkOpened { peer, connection, dialled: false } if self.turn_away(peer, connection, wishes) => {}
            Input::Control { frame: Control::Moved(signed), .. } => self.hears(now, &signed, None, wishes),
            other => self.feed(now, Self::told(other, disk), wishes),
        }
    }

    /// An operator says that a node moved. False while a commit runs.
    pub(super) fn ordered(&mut self, now: Now, signed: &SignedMove, disk: &Disk<A>, wishes: &mut Vec<Wish>) -> bool {
        if self.is_busy() {
            return false;
        }
        self.hears(now, signed, None, wishes);
        self.finish_turn(now, disk, true, wishes);
        true
    }

    /// Fills in what the store knows of an arriving bundle.
    fn told(input: Input, disk: &Disk<A>) -> Input {
        match input {
            Input::Arrived { connection, lane, seq, bundle, .. } => {
                let held = disk.known(bundle.head().id);
                Input::Arrived {
                    connection,
                    lane,
                    seq,
                    bundle,
                    seen: held.is_some(),
                    held_unreceipted: held.unwrap_or(false),
                }
            }
            other => other,
        }
    }

    pub(super) fn feed(&mut self, now: Now, input: Input, wishes: &mut Vec<Wish>) {
        let mut out = Vec::new();
        if let Input::Revoked { peer } = &input {
            self.barred.insert(*peer);
            if !self.bars {
                return;
            }
        }
        self.core.handle(now, input, &mut out);
        self.outputs.extend(out);
        self.drain(now, wishes);
    }

    fn drain(&mut self, now: Now, wishes: &mut Vec<Wish>) {
        while let Some(output) = self.outputs.pop_front() {
            match output {
                Output::Dial => wishes.push(Wish::Dial),
                Output::Send { connection, frame } => wishes.push(Wish::Send(connection, frame)),
                Output::Close { connection, .. } => wishes.push(Wish::Close(connection)),
                Output::Raise(alarm) => {
                    if let Alarm::Reconciled { peer, .. } = alarm {
                        self.following.doubt(peer);
                    }
                    wishes.push(Wish::Raise(alarm));
                }
                Output::Persist { ticket, write } => {
                    self.tickets.push(ticket);
                    self.check_barred(&write, wishes);
                    self.persist(now, write, wishes);
                }
                Output::Fetch { ticket, query } => self.fetches.push((ticket, query)),
                Output::Tell { to, delivered } => {
                    let (urgency, body) = (Urgency::Routine, Body::Delivered(delivered));
                    self.drafts.push(Draft { id: None, to, urgency, receipted: false, body });
                }
                Output::LearnAncestors(line) => {
                    let random = &mut self.random;
                    let drafts = self.app.line(now, &line, &mut |buffer| random.fill_bytes(buffer));
                    self.drafts.extend(drafts);
                    self.above.clone_from(&line);
                    self.line = Some(line);
                }
                Output::LinkUp { peer } => self.linked(peer, true, wishes),
                Output::LinkDown { peer } => self.linked(peer, false, wishes),
                Output::ClockOffset { .. } => {}
            }
        }
    }

    fn linked(&mut self, peer: NodeId, up: bool, wishes: &mut Vec<Wish>) {
        wishes.push(Wish::Linked(peer, up));
        if up {
            self.tell_moves(peer);
        }
        if self.core.identity().parent == Some(peer) {
            self.app.linked(up);
        }
    }

    fn check_barred(&self, write: &Write, wishes: &mut Vec<Wish>) {
        if let Write::Arrival { from, bundle, .. } = write
            && self.barred.contains(from)
        {
            let id = bundle.head().id;
            wishes.push(Wish::Complain(format!("took {id} in from {from}, which it knew to be revoked")));
        }
    }

    fn persist(&mut self, now: Now, write: Write, wishes: &mut Vec<Wish>) {
        if let Write::Arrival { from, bundle, deliver, .. } = &write
            && matches!(deliver, Deliver::Apply | Deliver::RelayAndKeep | Deliver::Returned)
        {
            let random = &mut self.random;
            let (drafts, refused) = self.app.deliver(now, bundle, *deliver, &mut |buffer| random.fill_bytes(buffer));
            self.drafts.extend(drafts);
            if let Some(reason) = refused {
                let (from, bundle) = (*from, bundle.clone());
                let (id, told) = (bundle.head().id, reason.clone());
                self.writes.push(Write::Quarantine { from, bundle, reason });
                let mut out = Vec::new();
                self.core.handle(now, Input::Rejected { bundle: id, from, reason: told }, &mut out);
                self.outputs.extend(out);
            }
        }
        let told = match &write {
            Write::Arrival { from, bundle, deliver: Deliver::Apply, .. } => Some((*from, bundle.clone())),
            _ => None,
        };
        self.writes.push(write);
        if let Some((from, bundle)) = told {
            self.hears_from(now, from, &bundle, wishes);
        }
    }

    /// Seals what goes out, then begins the commit if there is something to commit.
    fn finish_turn(&mut self, now: Now, disk: &Disk<A>, acted: bool, wishes: &mut Vec<Wish>) {
        let (letters, drafts) = (self.following.letters(), std::mem::take(&mut self.drafts));
        for drafts in [letters, drafts].into_iter().filter(|drafts| !drafts.is_empty()) {
            let bundles = self.bundles(now, drafts);
            self.feed(now, Input::Outgoing { bundles }, wishes);
        }
        let let_go = self.reroute(now, disk, wishes);
        let ways = self.following.changes();
        if acted || !self.tickets.is_empty() || self.line.is_some() || ways.is_some() {
            self.commit = Some(Commit {
                writes: std::mem::take(&mut self.writes),
                tickets: std::mem::take(&mut self.tickets),
                line: self.line.take(),
                ways,
                let_go,
                app: self.app.changes(),
            });
            wishes.push(Wish::Commit);
        } else {
            self.answer(now, disk, wishes);
        }
    }

    /// The commit is durable.
    pub(crate) fn committed(&mut self, now: Now, disk: &mut Disk<A>, wishes: &mut Vec<Wish>) {
        let Some(commit) = self.commit.take() else { return };
        let tickets = commit.tickets.clone();
        wishes.extend(commit.write(disk, usize::MAX).into_iter().map(Wish::Complain));
        self.feed(now, Input::Committed { tickets }, wishes);
        self.answer(now, disk, wishes);
        if self.commit.is_none() {
            self.turn(now, disk, wishes);
        }
    }

    /// The node stops in the middle of a commit that the disk carries to its end, or that it breaks off after some writes.
    /// Nobody is told of it.
    pub(super) fn torn(&mut self, disk: &mut Disk<A>, whole: bool) -> bool {
        let Some(commit) = self.commit.take() else { return false };
        let count = if whole { usize::MAX } else { commit.writes.len().div_euclid(2) };
        commit.write(disk, count);
        true
    }

    /// Queries are answered between transactions.
    fn answer(&mut self, now: Now, disk: &Disk<A>, wishes: &mut Vec<Wish>) {
        let mut asked = std::mem::take(&mut self.fetches);
        while !asked.is_empty() {
            for (ticket, query) in asked {
                self.feed(now, Input::Page { ticket, page: disk.look_up(query) }, wishes);
            }
            asked = std::mem::take(&mut self.fetches);
        }
        if !self.tickets.is_empty() {
            self.finish_turn(now, disk, false, wishes);
        }
    }

    fn bundles(&mut self, now: Now, drafts: Vec<Draft>) -> Vec<Bundle> {
        let mut groups: BTreeMap<(NodeId, Urgency, bool), Vec<Message>> = BTreeMap::new();
        let me = self.core.identity().node;
        for draft in drafts {
            let (kind, schema) = draft.body.kind();
            let Ok(body) = draft.body.encode() else { continue };
            if draft.to != me {
                let id = draft.id.unwrap_or_else(|| MessageId::new(now.wall, random_ten(&mut self.random)));
                let message = Message { id, kind, schema, body };
                groups.entry((draft.to, draft.urgency, draft.receipted)).or_default().push(message);
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|((_, urgency, _), _)| std::cmp::Reverse(*urgency));
        let mut bundles = Vec::new();
        for ((to, urgency, receipted), messages) in groups {
            for part in messages.chunks(64) {
                let id = BundleId::new(now.wall, random_ten(&mut self.random));
                let head = BundleHead { id, origin: me, key: self.seal.key, to, urgency, receipted };
                bundles.extend(Bundle::seal(head, part.to_vec(), &self.seal.sign));
            }
        }
        bundles
    }

    /// The state of the application as of the last turn, durable or not.
    pub(super) fn app(&self) -> &A {
        &self.app
    }

    /// Whether nothing is under way inside the node.
    pub(super) fn is_idle(&self) -> bool {
        self.commit.is_none() && self.waiting.is_empty()
    }
}

fn random_ten(random: &mut ChaCha8Rng) -> [u8; 10] {
    let mut bytes = [0; 10];
    random.fill_bytes(&mut bytes);
    bytes
}

/// A moment of virtual time: the wall clock of a node may be off.
pub(super) fn moment(uptime_ms: u64, wall_offset_ms: i64) -> Now {
    let wall =
        i64::try_from(uptime_ms).unwrap_or(i64::MAX).saturating_add(1_764_000_000_000).saturating_add(wall_offset_ms);
    Now { uptime: Uptime(uptime_ms), wall: UnixMillis(wall) }
}
