//! The trouble that is made.

use std::collections::BTreeMap;
use std::time::Duration;

use super::one_of;
use crate::disk::Disk;
use crate::draw::Draw;
use crate::line::FiveLevels;

/// So many milliseconds, one or another.
fn moment(draw: &mut Draw, from: u64, to: u64) -> Duration {
    Duration::from_millis(from + draw.below(to - from))
}

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// kill -9, and again while it starts.
    Kill,
    /// The process stands still for a while.
    Stop,
    /// A line is cut for a while.
    Cut,
    /// A line is slow, and loses packets.
    Lossy,
    /// The disk of the township is full for a while.
    Disk,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 5] = [Self::Kill, Self::Stop, Self::Cut, Self::Lossy, Self::Disk];

    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "killed",
            Self::Stop => "stood still",
            Self::Cut => "line cut",
            Self::Lossy => "line slow and lossy",
            Self::Disk => "disk full",
        }
    }
}

/// The levels, and what was done to them.
#[derive(Debug)]
pub(super) struct Game {
    levels: FiveLevels,
    disk: Option<Disk>,
    played: BTreeMap<Fault, u64>,
    memory_max: u64,
}

impl Game {
    pub(super) fn new(levels: FiveLevels, disk: Option<Disk>) -> Self {
        Self { levels, disk, played: BTreeMap::new(), memory_max: 0 }
    }

    /// One fault, from its beginning to its end, and a moment of rest.
    pub(super) async fn play(&mut self, draw: &mut Draw) {
        let kinds = if self.disk.is_some() { Fault::ALL.as_slice() } else { &Fault::ALL[..4] };
        let fault = draw.of(kinds);
        *self.played.entry(fault).or_default() += 1;
        let whom = draw.number();
        match fault {
            Fault::Kill => self.kill(whom, draw).await,
            Fault::Stop => self.stop(whom, draw).await,
            Fault::Cut | Fault::Lossy => self.trouble_a_line(fault, whom, draw).await,
            Fault::Disk => self.fill_the_disk(draw).await,
        }
        tokio::time::sleep(moment(draw, 100, 2_000)).await;
    }

    async fn kill(&mut self, whom: u64, draw: &mut Draw) {
        self.weigh();
        let (_, node) = one_of(&mut self.levels.nodes, whom);
        node.kill();
        tokio::time::sleep(moment(draw, 20, 3_000)).await;
        node.start_with(&[]);
        tokio::time::sleep(moment(draw, 0, 300)).await;
        node.kill();
        node.start().await;
    }

    async fn stop(&mut self, whom: u64, draw: &mut Draw) {
        let (_, node) = one_of(&mut self.levels.nodes, whom);
        node.signal("STOP");
        tokio::time::sleep(moment(draw, 200, 10_000)).await;
        node.signal("CONT");
    }

    async fn trouble_a_line(&mut self, fault: Fault, whom: u64, draw: &mut Draw) {
        let relays = &self.levels.relays;
        let relay = &relays[usize::try_from(whom).unwrap_or(0) % relays.len()];
        if fault == Fault::Cut {
            relay.cut(true);
        } else {
            relay.lose(draw.below(200));
            relay.delay(moment(draw, 1, 300));
        }
        tokio::time::sleep(moment(draw, 200, 10_000)).await;
        relay.cut(false);
        relay.lose(0);
        relay.delay(Duration::ZERO);
    }

    async fn fill_the_disk(&mut self, draw: &mut Draw) {
        let Some(disk) = &self.disk else { return };
        disk.leave(draw.below(32 * 1024 * 1024)).await;
        tokio::time::sleep(moment(draw, 500, 8_000)).await;
        disk.make_room().await;
    }

    /// Takes in how much memory each process has needed: a new one begins anew.
    fn weigh(&mut self) {
        let most = self.levels.nodes.iter().map(crate::process::Node::memory_max).max();
        self.memory_max = self.memory_max.max(most.unwrap_or(0));
    }

    /// Each fault has ended by itself; the processes are looked at once more.
    pub(super) fn over(mut self) -> (FiveLevels, BTreeMap<Fault, u64>, u64) {
        self.weigh();
        (self.levels, self.played, self.memory_max)
    }
}
