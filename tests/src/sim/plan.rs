//! One seed: the city, what its people do, what goes wrong.

use std::collections::BTreeMap;
use std::rc::Rc;

use casework::Mutant;
use federation::core::Limits;
use federation::sim::{Counters, Settings, World};
use protocol::id::NodeId;

use super::app::CityApp;
use super::figures::HEARTBEAT_MS;
use super::harm::{go_wrong, upgrade_all};
use super::oracle;
use super::people::People;
use super::program::{Program, later_than};
use super::shape::{Shape, tree};

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Everything in it follows from this.
    pub seed: u64,
    /// The city.
    pub shape: Shape,
    /// A safeguard of the link that is off.
    pub link_mutant: Option<federation::core::Mutant>,
    /// A safeguard of casework that is off.
    pub case_mutant: Option<Mutant>,
    /// Whether levels compare the figures that they hold with what their owners state.
    pub compares_figures: bool,
    /// Whether some nodes begin with an older program.
    pub versions: bool,
    /// Whether programs forget what they could not read.
    pub forgets_unread: bool,
    /// Whether parents act upon what they know of a revocation.
    pub bars_revoked: bool,
}

/// What a run came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Nodes.
    pub nodes: usize,
    /// Things that people did and that were not refused.
    pub done: u64,
    /// Headers at the top.
    pub events: u64,
    /// Milliseconds of virtual time.
    pub virtual_ms: u64,
    /// What the world counted.
    pub counters: Counters,
    /// What is wrong.
    pub wrong: Vec<String>,
}

/// Virtual time in which something urgent goes up on a line that is whole.
const PROGRESS_MS: u64 = 30_000;
/// Virtual time in which a healed city must drain: back-off waits included.
const DRAIN_MS: u64 = 900_000;

impl Run {
    /// An ordinary run.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            shape: Shape::default(),
            link_mutant: None,
            case_mutant: None,
            compares_figures: true,
            versions: true,
            forgets_unread: false,
            bars_revoked: true,
        }
    }

    /// Runs it.
    pub fn go(&self) -> Report {
        let tree = tree(&self.shape);
        let divisions: Rc<BTreeMap<_, _>> =
            Rc::new(tree.iter().map(|(node, division, _)| (*node, *division)).collect());
        let limits = Limits {
            retry_min_ms: 200,
            retry_max_ms: 5_000,
            unbelieved_again_ms: 20_000,
            mutant: self.link_mutant,
            ..Limits::default()
        };
        let settings =
            Settings { limits, latency_ms: (1, 40), forgets_revoked: !self.bars_revoked, ..Settings::default() };
        let mut world = World::new(self.seed, settings, &tree, |node, division| {
            let later = if self.versions { later_than(self.seed, node) } else { Vec::new() };
            CityApp::new(node, division, divisions.clone(), self.case_mutant, self.compares_figures)
                .run_by(Program::before(later, self.forgets_unread))
        });
        let top = tree.first().map_or(NodeId::from_bytes([0; 16]), |(node, ..)| *node);
        world.run_until(5_000);
        let mut people = People::of(&tree);
        self.live(&mut people, &mut world);
        let somebody = people.anybody(&mut world);
        world.check_progress(somebody, PROGRESS_MS);
        upgrade_all(&people, &mut world);
        world.heal();
        let mut report = Report { nodes: tree.len(), done: people.done, ..Report::default() };
        // Then everybody states their figures once more, and what is missing is asked for.
        let settled = world.drain(DRAIN_MS).and_then(|()| people.inherit(&mut world, DRAIN_MS)).and_then(|()| {
            world.run_until(world.now_ms() + HEARTBEAT_MS + 180_000);
            world.drain(DRAIN_MS)
        });
        if let Err(stuck) = settled {
            report.wrong.push(format!("not drained: {}", stuck.0));
        } else {
            report.wrong.extend(oracle::check(&world, top, &people.restored, &people.revoked));
        }
        world.check_delivery();
        report.wrong.append(&mut world.counters.violations);
        report.events = world
            .app(top)
            .map_or(0, |app| app.cases().filter_map(|known| Some(u64::from(known.case()?.head.number))).sum());
        report.virtual_ms = world.now_ms();
        report.counters = world.counters.clone();
        report
    }

    /// People act and things go wrong.
    fn live(&self, people: &mut People<'_>, world: &mut World<CityApp>) {
        let mut faults_left = count(self.shape.faults);
        for commands_left in (1..=count(self.shape.commands)).rev() {
            let pause = 1 + world.below(self.shape.pause_ms);
            world.run_until(world.now_ms() + pause);
            if world.below(commands_left) < faults_left {
                faults_left -= 1;
                go_wrong(people, world, self.shape.burst);
            }
            people.somebody_acts(world, self.shape.burst);
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
