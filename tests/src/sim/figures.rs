//! The figures of one node: what it owns and holds, what others state of theirs, and what waits to go up. The rules are
//! those of the node's writer; in place of its tables there are ledgers.

use std::collections::BTreeSet;
use std::rc::Rc;

use casework::figures::{self, Beat, Pace};
use federation::core::Now;
use federation::sim::{Draft, Random};
use protocol::chain::Hash;
use protocol::digest::SetDigest;
use protocol::directory::Ancestor;
use protocol::fact::{CaseFact, FiguresWanted, Watermark};
use protocol::id::{CaseKey, NodeId};
use protocol::time::{ClockReading, UnixMillis};
use protocol::wire::bundle::Urgency;
use protocol::wire::kind::Body;

use super::ledger::{Changes, Ledger};

/// As in production, on a shorter scale. What is missing is asked for again within minutes of virtual time.
const PACE: Pace = Pace { every_ms: 2_000, heartbeat_ms: HEARTBEAT_MS, grace_ms: 60_000, brief_grace_ms: 60_000 };
/// Every node states its figures at least so often, milliseconds.
pub(super) const HEARTBEAT_MS: u64 = 20 * 60_000;

/// What a member states of its figures, and whether they are here.
#[derive(Debug, Clone, Copy)]
struct Stated {
    mark: Watermark,
    unequal_since: Option<u64>,
    asked_at: Option<u64>,
}

/// The figures of one node.
#[derive(Debug, Clone)]
pub(super) struct Figures {
    me: NodeId,
    facts: Ledger<CaseKey, Rc<CaseFact>>,
    /// The digest of what each member owns, as it is held here.
    sets: Ledger<NodeId, Rc<SetDigest>>,
    stated: Ledger<NodeId, Stated>,
    /// Who is to be sent which fact.
    due: Ledger<(NodeId, CaseKey), ()>,
    beat: Beat,
    /// What is held is compared with what its owner states,
    compares: bool,
    /// once for all that one transaction brings: of these members something has changed.
    moved: BTreeSet<NodeId>,
}

/// What a commit changes of the figures.
#[derive(Debug)]
pub(super) struct FigureChanges {
    facts: Changes<CaseKey, Rc<CaseFact>>,
    sets: Changes<NodeId, Rc<SetDigest>>,
    stated: Changes<NodeId, Stated>,
    due: Changes<(NodeId, CaseKey), ()>,
}

impl Figures {
    pub(super) fn new(me: NodeId, compares: bool) -> Self {
        Self {
            me,
            facts: Ledger::default(),
            sets: Ledger::default(),
            stated: Ledger::default(),
            due: Ledger::default(),
            beat: Beat::new(PACE),
            compares,
            moved: BTreeSet::new(),
        }
    }

    /// What has changed since this was asked last.
    pub(super) fn changes(&mut self) -> FigureChanges {
        FigureChanges {
            facts: self.facts.changes(),
            sets: self.sets.changes(),
            stated: self.stated.changes(),
            due: self.due.changes(),
        }
    }

    /// A commit is durable.
    pub(super) fn keep(&mut self, changes: FigureChanges) {
        self.facts.keep(changes.facts);
        self.sets.keep(changes.sets);
        self.stated.keep(changes.stated);
        self.due.keep(changes.due);
    }

    pub(super) fn facts(&self) -> impl Iterator<Item = &CaseFact> {
        self.facts.values().map(Rc::as_ref)
    }

    /// The node starts anew: it does not know what waits.
    pub(super) fn started(&mut self) {
        self.beat = Beat::new(PACE);
    }

    pub(super) fn linked(&mut self, up: bool) {
        self.beat.linked(up);
    }

    /// When there is something to do next.
    pub(super) fn wakes_at(&self, line: &[Ancestor]) -> u64 {
        self.beat.wake(line.is_empty())
    }

    /// What still waits to be sent.
    pub(super) fn waiting(&self) -> usize {
        self.due.keys().count()
    }

    /// Members whose figures are not here as they state them.
    pub(super) fn unequal(&self) -> impl Iterator<Item = NodeId> {
        let members = self.stated.iter().filter(|(_, stated)| stated.unequal_since.is_some());
        members.map(|(member, _)| *member)
    }

    /// A fact of a decision does not go at once.
    pub(super) fn hold_back(&mut self, fact: &CaseFact, to: NodeId) {
        self.due.insert((to, fact.key), ());
        self.beat.hold();
    }

    /// Somebody above lacks the figures of this node, or is a new top.
    pub(super) fn all_to(&mut self, reader: NodeId) {
        let own: Vec<CaseKey> = self.facts().filter(|fact| fact.owner_node == self.me).map(|fact| fact.key).collect();
        own.into_iter().for_each(|key| self.due.insert((reader, key), ()));
        self.beat.forget();
    }

    /// A level above asks for the figures of this node again.
    pub(super) fn wanted(&mut self, origin: NodeId, wanted: &FiguresWanted, line: &[Ancestor]) -> bool {
        let may = figures::may_ask(self.me, line, origin, wanted);
        if may {
            self.all_to(origin);
        }
        may
    }

    /// Stores a fact; one that is older than what is held stays out. [`Figures::settle`] is due then.
    pub(super) fn put(&mut self, fact: &Rc<CaseFact>) {
        let held = self.facts.get(&fact.key).cloned();
        if !figures::replaces(fact, held.as_deref()) {
            return;
        }
        if self.compares {
            if let Some(held) = held.as_deref().filter(|held| figures::owned(held)) {
                Rc::make_mut(self.sets.change(held.owner_node)).remove_fact(held);
            }
            if figures::owned(fact) {
                Rc::make_mut(self.sets.change(fact.owner_node)).add_fact(fact);
            }
        }
        self.moved.extend(held.iter().map(|held| held.owner_node).chain([fact.owner_node]));
        self.facts.insert(fact.key, fact.clone());
    }

    /// Compares what a transaction has moved with what its owners state.
    pub(super) fn settle(&mut self, now: Now) {
        for owner in std::mem::take(&mut self.moved) {
            self.compare(owner, now);
        }
    }

    /// Takes in what a member states.
    pub(super) fn state(&mut self, mark: Watermark, now: Now) {
        let held = self.stated.get(&mark.node).copied();
        if held.is_none_or(|held| mark.version > held.mark.version) {
            let held = held.unwrap_or(Stated { mark, unequal_since: None, asked_at: None });
            self.stated.insert(mark.node, Stated { mark, ..held });
        }
        self.compare(mark.node, now);
    }

    /// The digest of what a member owns, as it is held here.
    fn set(&self, member: NodeId) -> SetDigest {
        self.sets.get(&member).map(|set| SetDigest::clone(set)).unwrap_or_default()
    }

    /// What a watermark of a member would state of it.
    fn digest(&self, member: NodeId) -> Hash {
        self.sets.get(&member).map_or_else(|| SetDigest::default().hash(), |set| set.hash())
    }

    fn compare(&mut self, member: NodeId, now: Now) {
        let Some(stated) = self.stated.get(&member).filter(|_| self.compares && member != self.me).copied() else {
            return;
        };
        let equal = self.digest(member) == stated.mark.digest;
        if equal == stated.unequal_since.is_some() {
            let unequal_since = (!equal).then_some(now.uptime.0);
            self.stated.insert(member, Stated { unequal_since, asked_at: None, ..stated });
            if !equal {
                self.beat.look_soon(now.uptime.0);
            }
        }
    }

    /// A turn of its own: what waits is sent, and what is missing is asked for.
    pub(super) fn wake(&mut self, line: &[Ancestor], now: Now, random: Random<'_>) -> Vec<Draft> {
        let (mut drafts, uptime, top) = (Vec::new(), now.uptime.0, line.is_empty());
        if self.beat.looks(uptime) {
            self.look_for_gaps(uptime, &mut drafts);
            let amiss = self.unequal().next().is_some();
            self.beat.looked(uptime, amiss);
        }
        if uptime < self.beat.send_at(top) {
            return drafts;
        }
        let due = self.due.take();
        for (reader, key) in &due {
            // Another owner has written since: its fact is its own to send.
            if let Some(fact) = self.facts.get(key).filter(|fact| fact.owner_node == self.me) {
                drafts.push(figure(*reader, true, Body::Fact(CaseFact::clone(fact))));
            }
        }
        if self.beat.sent(uptime, !due.is_empty(), false, false) {
            let mut spread = [0; 8];
            random(&mut spread);
            self.beat.stated(uptime, u64::from_le_bytes(spread));
            if let Some(top) = line.last() {
                let last = self.stated.get(&self.me).map_or(0, |stated| stated.mark.version);
                let set = self.set(self.me);
                let mark = figures::watermark(self.me, &set, last, ClockReading::exact(now.wall));
                self.state(mark, now);
                drafts.push(figure(top.node, !due.is_empty(), Body::Watermark(mark)));
            }
        }
        drafts
    }

    /// Asks members for everything whose figures are not as they state them. If asking did not help, the fault may be here,
    /// so the digest is made anew before asking once more.
    fn look_for_gaps(&mut self, uptime: u64, drafts: &mut Vec<Draft>) {
        let patience = u64::try_from(PACE.patience_ms()).unwrap_or(u64::MAX);
        let over = |since: u64, ms: u64| uptime.saturating_sub(since) > ms;
        let gaps: Vec<(NodeId, Stated)> = self
            .stated
            .iter()
            .filter(|(_, stated)| stated.unequal_since.is_some_and(|since| over(since, PACE.grace_ms)))
            .filter(|(_, stated)| stated.asked_at.is_none_or(|asked| over(asked, patience)))
            .map(|(member, stated)| (*member, *stated))
            .collect();
        for (member, stated) in gaps {
            if stated.asked_at.is_some() {
                self.recount(member);
                self.compare(member, moment(uptime));
                if self.stated.get(&member).is_some_and(|stated| stated.unequal_since.is_none()) {
                    continue;
                }
            }
            self.stated.insert(member, Stated { asked_at: Some(uptime), ..stated });
            let (version, digest) = (stated.mark.version, self.digest(member));
            let wanted = FiguresWanted { of: member, by: self.me, version, digest };
            drafts.push(figure(member, true, Body::FiguresWanted(wanted)));
        }
    }

    fn recount(&mut self, member: NodeId) {
        let mut set = SetDigest::default();
        let own = self.facts().filter(|fact| fact.owner_node == member && figures::owned(fact));
        own.for_each(|fact| set.add_fact(fact));
        self.sets.insert(member, Rc::new(set));
    }

    /// A store that lies: of what it said was kept, a fact of another node is gone, as if it had never come.
    pub(super) fn lose(&mut self, dice: u64) -> bool {
        let others: Vec<Rc<CaseFact>> =
            self.facts.values().filter(|fact| fact.owner_node != self.me).cloned().collect();
        let index = usize::try_from(dice).unwrap_or(0).checked_rem(others.len());
        let Some(fact) = index.and_then(|index| others.get(index)) else { return false };
        self.facts.remove(&fact.key);
        if self.compares && figures::owned(fact) {
            Rc::make_mut(self.sets.change(fact.owner_node)).remove_fact(fact);
        }
        true
    }
}

/// A moment of which only the time since the start counts.
fn moment(uptime: u64) -> Now {
    Now { uptime: federation::core::Uptime(uptime), wall: UnixMillis(0) }
}

fn figure(to: NodeId, receipted: bool, body: Body) -> Draft {
    Draft { id: None, to, urgency: Urgency::Statistics, receipted, body }
}
