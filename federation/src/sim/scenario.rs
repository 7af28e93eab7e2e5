//! One run from a seed: a phase in which anything may go wrong, then healing, draining and judging.

use std::collections::BTreeMap;
use std::fmt;

use protocol::division::DivisionCode;
use protocol::id::NodeId;

use super::alarms::Raised;
use super::fault::Fault;
use super::tree::{Place, tree};
use super::world::{Settings, World};
use super::{Application, Draft, Random};

/// Which faults may happen, as chances in a thousand at each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// A connection breaks.
    pub loss: u64,
    /// A link is cut for a while.
    pub cut: u64,
    /// A link becomes slow for a while.
    pub clog: u64,
    /// A link carries few bytes a second for a while.
    pub narrow: u64,
    /// A node crashes.
    pub crash: u64,
    /// A node is copied; every third copy is then brought back in place of the node, told or not.
    pub restore: u64,
    /// A clock jumps by up to ten years.
    pub clock: u64,
    /// What goes one way over a link vanishes for a while.
    pub one_way: u64,
    /// The disk of a node runs twice for a while.
    pub clone: u64,
    /// A disk is full for a while.
    pub full: u64,
    /// A disk is slow for a while.
    pub slow: u64,
    /// A node stops in the middle of a commit.
    pub torn: u64,
    /// A bit of the next bundle over a link turns over.
    pub flip: u64,
    /// A node is hostile to its parent for a while.
    pub hostile: u64,
    /// A node that has none below it is revoked.
    pub revoke: u64,
    /// A township, a community or a grid is moved below another parent of the same level.
    pub moves: u64,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        loss: 0,
        cut: 0,
        clog: 0,
        narrow: 0,
        crash: 0,
        restore: 0,
        clock: 0,
        one_way: 0,
        clone: 0,
        full: 0,
        slow: 0,
        torn: 0,
        flip: 0,
        hostile: 0,
        revoke: 0,
        moves: 0,
    };
    /// All of it.
    pub const ALL: Self = Self {
        loss: 60,
        cut: 30,
        clog: 30,
        narrow: 20,
        crash: 40,
        restore: 40,
        clock: 10,
        one_way: 30,
        clone: 15,
        full: 15,
        slow: 20,
        torn: 100,
        flip: 30,
        hostile: 8,
        revoke: 1,
        moves: 5,
    };
}

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Everything follows from it.
    pub seed: u64,
    /// Branches of each level, from the city down.
    pub branches: Vec<u64>,
    /// Steps of the first phase; at each one a node acts and something may go wrong.
    pub steps: u64,
    /// Longest time between two steps, milliseconds.
    pub pause_ms: u64,
    /// What may go wrong.
    pub faults: Faults,
    /// How the world behaves when nothing is wrong.
    pub settings: Settings,
    /// On a line that is whole something urgent reaches the top within this virtual time, milliseconds: a connection that
    /// died in silence is given up before.
    pub progress_ms: u64,
    /// Within this virtual time everything must have drained, milliseconds.
    pub drain_ms: u64,
}

/// What a run was like.
#[derive(Debug, Clone)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// Nodes.
    pub nodes: usize,
    /// Bundles that links carried.
    pub bundles: u64,
    /// Commits.
    pub commits: u64,
    /// Alarms, those of a reconciliation on both sides.
    pub alarms: BTreeMap<Raised, u64>,
    /// Bundles that arrived damaged.
    pub unbelieved: u64,
    /// Faults by kind.
    pub faults: BTreeMap<Fault, u64>,
    /// Virtual milliseconds until everything had drained.
    pub drained_ms: u64,
}

/// A run that broke a promise. The seed alone brings it back.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// What was broken, in words.
    pub what: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}", self.seed, self.what.join("; "))
    }
}

impl std::error::Error for Failure {}

impl Scenario {
    /// A small tree of five levels under every fault.
    pub fn small(seed: u64) -> Self {
        Self {
            seed,
            branches: vec![2, 1, 2, 1],
            steps: 120,
            pause_ms: 400,
            faults: Faults::ALL,
            settings: Settings::default(),
            progress_ms: 30_000,
            drain_ms: 600_000,
        }
    }

    /// Runs it. `act` is what a node does of its own accord; `check` is the application's own judgement at the end.
    pub fn run<A: Application>(
        &self,
        app: impl FnMut(NodeId, DivisionCode) -> A,
        mut act: impl FnMut(&mut A, NodeId, &[Place], Random<'_>) -> Vec<Draft>,
        check: impl Fn(&World<A>) -> Result<(), String>,
    ) -> Result<Report, Failure> {
        let places = tree(&self.branches);
        let mut world = World::new(self.seed, self.settings, &places, app);
        for _ in 0..self.steps {
            let pause = world.below(self.pause_ms).saturating_add(1);
            world.run_until(world.now_ms().saturating_add(pause));
            if let Some(node) = pick(&mut world, &places) {
                // Of two machines with one identity either may be the one that people work at.
                let at = world.twin(node).filter(|_| world.below(2) == 0).unwrap_or(node);
                world.act(at, |app, _, random| ((), act(app, node, &places, random)));
            }
            self.harm(&mut world, &places);
        }
        if let Some(node) = pick(&mut world, &places) {
            world.check_progress(node, self.progress_ms);
        }
        world.heal();
        let healed = world.now_ms();
        let mut what = Vec::new();
        // What was damaged on its way to a node that had once given the receipt for it comes again without anybody waiting.
        let drained = world.drain(self.drain_ms).and_then(|()| {
            world.run_until(world.now_ms().saturating_add(self.settings.limits.unbelieved_again_ms.saturating_mul(2)));
            world.drain(self.drain_ms)
        });
        if let Err(stuck) = drained {
            what.push(format!("did not drain: {}", stuck.0));
        } else {
            world.check_delivery();
            what.extend(check(&world).err());
        }
        what.append(&mut world.counters.violations);
        if !what.is_empty() {
            return Err(Failure { seed: self.seed, what });
        }
        Ok(Report {
            seed: self.seed,
            nodes: places.len(),
            bundles: world.counters.bundles,
            commits: world.counters.commits,
            alarms: world.counters.alarms.clone(),
            unbelieved: world.counters.unbelieved,
            faults: world.counters.faults.clone(),
            drained_ms: world.now_ms().saturating_sub(healed),
        })
    }

    /// Perhaps something goes wrong now.
    fn harm<A: Application>(&self, world: &mut World<A>, places: &[Place]) {
        let Some(node) = pick(world, places) else { return };
        let for_ms = world.below(8_000).saturating_add(200);
        let mut dice = world.below(1_000);
        let mut hit = |chance: u64| {
            let hit = dice < chance;
            dice = dice.saturating_sub(chance);
            if hit {
                dice = u64::MAX;
            }
            hit
        };
        if hit(self.faults.loss) {
            world.lose(node);
        } else if hit(self.faults.cut) {
            world.cut(node);
            world.mend_after(node, for_ms);
        } else if hit(self.faults.clog) {
            world.clog(node, for_ms);
            world.mend_after(node, for_ms);
        } else if hit(self.faults.narrow) {
            let rate = world.below(20_000).saturating_add(1_000);
            world.narrow(node, rate);
            world.mend_after(node, for_ms);
        } else if hit(self.faults.crash) {
            world.crash(node, for_ms);
        } else if hit(self.faults.restore) {
            let _ = match world.below(6) {
                0 => world.restore(node, for_ms),
                1 => world.restore_told(node, for_ms),
                _ => {
                    world.back_up(node);
                    true
                }
            };
        } else if hit(self.faults.clock) {
            let years = i64::try_from(world.below(20)).unwrap_or(0).saturating_sub(10);
            world.set_clock(node, years.saturating_mul(365 * 86_400_000));
        } else if hit(self.faults.one_way) {
            let to_parent = world.below(2) == 0;
            world.deafen(node, to_parent);
            world.mend_after(node, for_ms);
        } else if hit(self.faults.clone) {
            world.clone_node(node, for_ms);
        } else if hit(self.faults.full) {
            world.fill_disk(node);
            world.mend_after(node, for_ms);
        } else if hit(self.faults.slow) {
            world.slow_disk(node, for_ms.min(4_000));
            world.mend_after(node, for_ms);
        } else if hit(self.faults.torn) {
            world.tear(node, for_ms);
        } else if hit(self.faults.flip) {
            world.flip(node);
        } else if hit(self.faults.hostile) {
            world.turn_hostile(node, for_ms);
        } else if hit(self.faults.revoke) && places.iter().all(|(_, _, parent)| *parent != Some(node)) {
            world.revoke(node);
        } else if hit(self.faults.moves) {
            let to = pick(world, places);
            let _ = to.is_some_and(|to| world.order_move(node, to));
        }
    }
}

fn pick<A: Application>(world: &mut World<A>, places: &[Place]) -> Option<NodeId> {
    let index = usize::try_from(world.below(places.len() as u64)).ok()?;
    places.get(index).map(|(node, ..)| *node)
}
