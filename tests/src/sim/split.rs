//! Who owns a case when nobody can reach everybody: the eleventh of the fifteen nastiest scenarios, in a city of one line.

use casework::{Command, Refusal};
use protocol::bounded::Text;
use protocol::event::Outcome;
use protocol::transfer::Ground;
use protocol::unit::UnitCode;

use super::scene::{COUNTY, GRID, Scene, TOWN};

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
