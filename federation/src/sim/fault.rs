//! Everything that goes wrong on purpose.

use protocol::id::NodeId;
use protocol::wire::control::Incarnation;

use super::Application;
use super::network::Connection;
use super::world::{Event, World};

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
    /// A node came back as an old copy of itself, and was told so.
    RestoreTold,
    /// A node's clock jumped.
    Clock,
}

impl<A: Application> World<A> {
    pub(super) fn count(&mut self, fault: Fault) {
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

    /// Everything heals: links are whole and quick, clocks go on as they are, nodes come back.
    pub fn heal(&mut self) {
        let nodes: Vec<_> = self.nodes().collect();
        for node in nodes {
            self.mend(node);
            self.start(node);
        }
    }
}
