//! Everything that goes wrong on purpose.

use protocol::id::NodeId;
use protocol::wire::control::Incarnation;

use super::Application;
use super::network::Connection;
use super::world::{Event, Member, World};

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A connection broke; what was on its way is lost.
    Loss,
    /// A link was cut for a while.
    Cut,
    /// A link became slow.
    Clog,
    /// A link carried few bytes a second.
    Narrow,
    /// A node crashed and lost what was not yet durable.
    Crash,
    /// A node came back as an old copy of itself.
    Restore,
    /// A node came back as an old copy of itself, and was told so.
    RestoreTold,
    /// A node's clock jumped.
    Clock,
    /// What went one way over a link vanished.
    OneWay,
    /// The disk of a node ran twice, under one identity.
    Clone,
    /// A disk was full: a commit failed.
    Full,
    /// A disk took seconds for each commit.
    Slow,
    /// A node stopped in the middle of a commit.
    Torn,
    /// A bit of a bundle turned over.
    Flip,
    /// A node sent its parent whatever came to its mind.
    Hostile,
    /// A node was revoked.
    Revoke,
    /// A node was moved below another parent.
    Move,
    /// A store lost something that it had said was kept.
    Lie,
    /// A node with an older program got today's.
    Upgrade,
}

/// After a commit that failed a node waits so long before it tries again, milliseconds.
const FULL_AGAIN_MS: u64 = 500;

impl<A: Application> World<A> {
    /// Notes that something went wrong.
    pub fn count(&mut self, fault: Fault) {
        let count = self.counters.faults.entry(fault).or_insert(0);
        *count = count.saturating_add(1);
    }

    pub(super) fn break_connections(&mut self, of: impl Fn(&Connection) -> bool) {
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

    /// The link of a node to its parent becomes whole and quick again after a while.
    pub fn mend_after(&mut self, child: NodeId, after_ms: u64) {
        self.at(after_ms, Event::Mend { child });
    }

    pub(super) fn mend(&mut self, child: NodeId) {
        if let Some(member) = self.members.get_mut(&child) {
            member.cut = false;
            member.clog_ms = 0;
            member.bytes_a_second = None;
            member.deaf = None;
            member.full = false;
            member.slow_ms = 0;
        }
    }

    /// From now on what goes one way over the link of a node to its parent vanishes, and nobody can dial. Whoever hears
    /// nothing gives the connection up first; the other one hears nothing from then on.
    pub fn deafen(&mut self, child: NodeId, to_parent: bool) {
        self.count(Fault::OneWay);
        if let Some(member) = self.members.get_mut(&child) {
            member.deaf = Some(to_parent);
        }
        let idle = self.settings.idle_ms;
        let lines: Vec<_> = self.connections.iter().filter(|(_, c)| c.child == child).map(|(id, _)| *id).collect();
        for connection in lines {
            if let Some(line) = self.connections.get_mut(&connection) {
                line.deaf.get_or_insert(to_parent);
            }
            self.at(idle, Event::GiveUp { connection, by_parent: to_parent });
            self.at(idle.saturating_mul(2), Event::GiveUp { connection, by_parent: !to_parent });
        }
    }

    /// One bit of the next bundle over the link of a node to its parent, in either direction, turns over.
    pub fn flip(&mut self, child: NodeId) {
        if let Some(member) = self.members.get_mut(&child) {
            member.damage = true;
        }
    }

    /// The disk of a node is full until it is mended: commits fail.
    pub fn fill_disk(&mut self, node: NodeId) {
        if let Some(member) = self.members.get_mut(&node) {
            member.full = true;
        }
    }

    /// The disk of a node needs so much longer for each commit until it is mended.
    pub fn slow_disk(&mut self, node: NodeId, by_ms: u64) {
        self.count(Fault::Slow);
        if let Some(member) = self.members.get_mut(&node) {
            member.slow_ms = by_ms;
        }
    }

    /// What the writer does when a transaction fails: nothing of it is kept, links close, and the core is made anew from
    /// what the disk has.
    pub(super) fn not_stored(&mut self, node: NodeId) {
        self.count(Fault::Full);
        self.stop(node);
        self.at(FULL_AGAIN_MS, Event::Restart { node });
    }

    /// A node stops in the middle of a commit, if one is under way: all of it is on disk and nobody knows, or nothing is.
    pub fn tear(&mut self, node: NodeId, back_after_ms: u64) -> bool {
        let lucky = self.below(2) == 0;
        let halves = self.settings.halves;
        let Some(member) = self.members.get_mut(&node) else { return false };
        let Some(live) = member.live.as_mut().filter(|live| !live.is_idle()) else { return false };
        if (lucky || halves) && !live.torn(&mut member.disk, !halves) {
            return false;
        }
        self.count(Fault::Torn);
        self.stop(node);
        self.at(back_after_ms, Event::Restart { node });
        true
    }

    /// A second machine runs a copy of a node's disk, under the same identity, for a while. Both dial the parent. False for
    /// the top, which dials nobody, and while there is one already.
    pub fn clone_node(&mut self, node: NodeId, for_ms: u64) -> bool {
        let twin = twin_of(node);
        let Some(member) = self.members.get(&node).filter(|m| m.identity.parent.is_some()) else { return false };
        if self.members.contains_key(&twin) || member.hostile_until.is_some() {
            return false;
        }
        let copy = Member::new(member.identity.clone(), member.disk.clone());
        self.count(Fault::Clone);
        self.members.insert(twin, copy);
        if let Some(member) = self.members.get_mut(&node) {
            member.copied = true;
        }
        self.start(twin);
        self.at(for_ms, Event::Unplug { twin });
        true
    }

    /// The key of a node's copy, while there is one.
    pub fn twin(&self, node: NodeId) -> Option<NodeId> {
        Some(twin_of(node)).filter(|twin| self.members.contains_key(twin))
    }

    /// A copy is found and switched off for good: what only it had is gone.
    pub(super) fn unplug(&mut self, twin: NodeId) {
        self.stop(twin);
        self.members.remove(&twin);
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

    pub(super) fn stop(&mut self, node: NodeId) {
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
            member.copied = true;
        }
        self.at(back_after_ms, Event::Restart { node });
        true
    }

    /// A node comes back as its last copy and is told so, as the restore command does: it begins new runs of numbers.
    pub fn restore_told(&mut self, node: NodeId, back_after_ms: u64) -> bool {
        let nonce = self.below(u64::MAX);
        let restored = self.restore(node, back_after_ms);
        if let Some(member) = self.members.get_mut(&node).filter(|_| restored) {
            for link in member.disk.links.values_mut() {
                let counter = link.incarnation.counter.saturating_add(1);
                link.incarnation = Incarnation { counter, nonce };
            }
            self.count(Fault::RestoreTold);
        }
        restored
    }

    /// Everything heals: links are whole and quick, clocks go on as they are, nodes come back, copies are switched off.
    pub fn heal(&mut self) {
        let nodes: Vec<_> = self.nodes().collect();
        for node in nodes {
            if self.members.get(&node).is_some_and(|member| member.identity.node != node) {
                self.unplug(node);
                continue;
            }
            self.mend(node);
            self.end_hostility(node);
            self.start(node);
        }
        self.remind_top();
    }
}

/// The key of a node's copy: no node of a tree has it.
fn twin_of(node: NodeId) -> NodeId {
    NodeId::from_bytes(node.as_bytes().map(|byte| !byte))
}
