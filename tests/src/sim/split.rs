//! Who owns a case when nobody can reach everybody: the eleventh of the fifteen nastiest scenarios, in a city of one line.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use casework::{Command, OfferState, Refusal};
use federation::sim::{Settings, World};
use protocol::bounded::Text;
use protocol::event::{Ending, Outcome};
use protocol::id::{CaseId, NodeId};
use protocol::transfer::Ground;
use protocol::unit::UnitCode;

use super::app::CityApp;
use super::figures::HEARTBEAT_MS;
use super::oracle;
use super::people::intake;
use super::revoked::Revoked;
use super::shape::{Shape, Tree, tree};

const CITY: usize = 0;
const COUNTY: usize = 1;
const TOWN: usize = 2;
const GRID: usize = 4;

/// A city, a county, a township, a community and a grid, and one case.
struct Scene {
    tree: Tree,
    world: World<CityApp>,
    case: CaseId,
}

impl Scene {
    /// The grid has reported a case that every level follows, and keeps it.
    fn new(seed: u64) -> Self {
        let tree = tree(&Shape { width: [1; 4], ..Shape::default() });
        let divisions: Rc<BTreeMap<_, _>> = Rc::new(tree.iter().map(|(node, code, _)| (*node, *code)).collect());
        let world = World::new(seed, Settings::default(), &tree, |node, division| {
            CityApp::new(node, division, divisions.clone(), None, true)
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

    fn node(&self, at: usize) -> NodeId {
        self.tree[at].0
    }

    fn pass(&mut self, ms: u64) {
        let until = self.world.now_ms() + ms;
        self.world.run_until(until);
    }

    /// Somebody acts there, as soon as the node is not busy.
    fn act(&mut self, at: usize, command: &Command) -> Result<(), Refusal> {
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

    fn owns(&self, at: usize) -> bool {
        let (node, case) = (self.node(at), self.case);
        self.world.app(node).is_some_and(|app| app.known(case).case().is_some_and(|case| case.owned_by(node)))
    }

    /// The open offer that a node has of the case.
    fn offered(&mut self, at: usize) -> protocol::id::OfferId {
        self.pass(10_000);
        let (node, case) = (self.node(at), self.case);
        let known = self.world.app(node).expect("it runs").known(case);
        let open = known.offers().find(|file| file.to == node && file.state == OfferState::Open);
        open.expect("an open offer").offer.id
    }

    /// All heals and drains, and the levels agree.
    fn ends_well(mut self, restored: &[usize]) -> Self {
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

/// What the grid does while nobody reaches it: an agreement is reached and printed.
fn settle_alone(scene: &mut Scene) {
    let note = Text::cut("已见面");
    for command in [
        Command::File,
        Command::Assign { unit: UnitCode(1), note: note.clone() },
        Command::Progress { note: note.clone() },
        Command::Resolve { outcome: Outcome::Successful, terms: note, amount_fen: None },
    ] {
        assert_eq!(scene.act(GRID, &command), Ok(()));
    }
}

/// The county takes the case over while the grid is cut off and settles it alone; then the grid is back.
fn taken_over(seed: u64) -> Scene {
    let mut scene = Scene::new(seed);
    let grid = scene.node(GRID);
    scene.world.cut(grid);
    settle_alone(&mut scene);
    let county = scene.node(COUNTY);
    scene.world.back_up(county);
    assert_eq!(scene.act(COUNTY, &Command::TakeOver { reason: Text::cut("原承办节点失联") }), Ok(()));
    scene.pass(5_000);
    assert!(scene.owns(COUNTY) && scene.owns(GRID), "neither knows of the other");
    scene.world.mend_after(grid, 0);
    scene.pass(15_000);
    assert!(scene.owns(COUNTY) && !scene.owns(GRID), "the later epoch counts");
    assert_eq!(scene.act(GRID, &Command::File), Err(Refusal::NotOwner));
    scene
}

#[test]
fn scenario_11_what_a_grid_wrote_alone_reaches_whoever_took_its_case_over() {
    for seed in 0..5 {
        let scene = taken_over(seed).ends_well(&[]);
        let known = scene.world.app(scene.node(COUNTY)).unwrap().known(scene.case);
        assert!(known.contributions().count() >= 3, "what it wrote is there for people to read");
    }
}

#[test]
fn scenario_11_a_transfer_declined_and_made_again_survives_an_owner_restored_from_before_it() {
    for seed in 0..5 {
        let mut scene = taken_over(seed);
        let to = scene.node(TOWN);
        assert_eq!(scene.act(COUNTY, &Command::Offer { to }), Ok(()));
        let offer = scene.offered(TOWN);
        let decline =
            Command::DeclineOffer { offer, ground: Ground::NotCompetent, text: Text::cut("请再核"), proposed: None };
        assert_eq!(scene.act(TOWN, &decline), Ok(()));
        scene.pass(10_000);
        assert!(scene.owns(COUNTY) && !scene.owns(TOWN));
        assert_eq!(scene.act(COUNTY, &Command::Offer { to }), Ok(()));
        let offer = scene.offered(TOWN);
        assert_eq!(scene.act(TOWN, &Command::AcceptOffer { offer }), Ok(()));
        scene.pass(10_000);
        assert!(scene.owns(TOWN) && !scene.owns(COUNTY));
        // The county comes back as it was before it took the case over, and takes it over again before it is linked.
        let county = scene.node(COUNTY);
        scene.world.cut(county);
        scene.world.cut(to);
        assert!(scene.world.restore(county, 10));
        scene.pass(100);
        assert_eq!(scene.act(COUNTY, &Command::TakeOver { reason: Text::cut("原承办节点失联") }), Ok(()));
        assert!(scene.owns(COUNTY) && scene.owns(TOWN), "neither knows of the other");
        let scene = scene.ends_well(&[COUNTY]);
        assert!(scene.owns(TOWN) && !scene.owns(COUNTY) && !scene.owns(GRID));
    }
}
