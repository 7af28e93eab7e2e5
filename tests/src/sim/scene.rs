//! A city of one line, in which a scenario is played by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use casework::{Command, OfferState, Refusal};
use federation::sim::{Settings, World};
use protocol::event::Ending;
use protocol::id::{CaseId, NodeId};
use protocol::wire::kind::Kind;

use super::app::CityApp;
use super::figures::HEARTBEAT_MS;
use super::oracle;
use super::people::intake;
use super::program::Program;
use super::revoked::Revoked;
use super::shape::{Shape, Tree, tree};

pub(super) const CITY: usize = 0;
pub(super) const COUNTY: usize = 1;
pub(super) const TOWN: usize = 2;
pub(super) const GRID: usize = 4;

/// A city, a county, a township, a community and a grid, and one case.
pub(super) struct Scene {
    tree: Tree,
    pub(super) world: World<CityApp>,
    pub(super) case: CaseId,
}

impl Scene {
    /// The grid has reported a case that every level follows, and keeps it.
    pub(super) fn new(seed: u64) -> Self {
        Self::with(seed, |_| Vec::new())
    }

    /// The same, where the program of each node is from before some kinds.
    pub(super) fn with(seed: u64, later: impl Fn(usize) -> Vec<(Kind, u16)>) -> Self {
        let tree = tree(&Shape { width: [1; 4], ..Shape::default() });
        let divisions: Rc<BTreeMap<_, _>> = Rc::new(tree.iter().map(|(node, code, _)| (*node, *code)).collect());
        let world = World::new(seed, Settings::default(), &tree, |node, division| {
            let at = tree.iter().position(|(other, ..)| *other == node).unwrap_or(CITY);
            CityApp::new(node, division, divisions.clone(), None, true).run_by(Program::before(later(at), false))
        });
        let mut scene = Self { tree, world, case: CaseId::from_bytes([5; 16]) };
        scene.pass(5_000);
        let (grid, place) = (scene.node(GRID), scene.tree[GRID].1);
        let intake = intake(scene.case, place, 25, Ending::SettleHere);
        let opened = scene.world.act(grid, |app, now, random| app.open(intake, now, random));
        assert_eq!(opened, Some(Ok(())));
        scene.pass(10_000);
        scene
    }

    pub(super) fn node(&self, at: usize) -> NodeId {
        self.tree[at].0
    }

    pub(super) fn pass(&mut self, ms: u64) {
        let until = self.world.now_ms() + ms;
        self.world.run_until(until);
    }

    /// Somebody acts there, as soon as the node is not busy.
    pub(super) fn act(&mut self, at: usize, command: &Command) -> Result<(), Refusal> {
        let (node, case) = (self.node(at), self.case);
        for _ in 0..100 {
            let done = self.world.act(node, |app, now, random| app.act(case, command.clone(), now, random));
            self.pass(200);
            if let Some(done) = done {
                return done;
            }
        }
        panic!("{node} is busy for ever");
    }

    pub(super) fn owns(&self, at: usize) -> bool {
        let (node, case) = (self.node(at), self.case);
        self.world.app(node).is_some_and(|app| app.known(case).case().is_some_and(|case| case.owned_by(node)))
    }

    /// The open offer that a node has of the case.
    pub(super) fn offered(&mut self, at: usize) -> protocol::id::OfferId {
        self.pass(10_000);
        let (node, case) = (self.node(at), self.case);
        let known = self.world.app(node).expect("it runs").known(case);
        let open = known.offers().find(|file| file.to == node && file.state == OfferState::Open);
        open.expect("an open offer").offer.id
    }

    /// All heals and drains, and the levels agree.
    pub(super) fn ends_well(mut self, restored: &[usize]) -> Self {
        self.world.heal();
        for _ in 0..2 {
            self.world.drain(600_000).unwrap_or_else(|stuck| panic!("{}", stuck.0));
            self.pass(HEARTBEAT_MS + 180_000);
        }
        self.world.drain(600_000).unwrap_or_else(|stuck| panic!("{}", stuck.0));
        self.world.check_delivery();
        assert!(self.world.counters.violations.is_empty(), "{:?}", self.world.counters.violations);
        let restored: BTreeSet<_> = restored.iter().map(|at| self.node(*at)).collect();
        let wrong = oracle::check(&self.world, self.node(CITY), &restored, &Revoked::default());
        assert!(wrong.is_empty(), "{wrong:?}");
        self
    }
}
