//! Programs of three versions in one line: the ninth of the fifteen nastiest scenarios. What is refused because it must be
//! understood, and real programs one after the other, are in `tests/tests/versions.rs` and `node/tests/versions.rs`.

use casework::{Command, Reply};
use protocol::bounded::Text;
use protocol::chain::Head;
use protocol::order::Directive;
use protocol::wire::kind::Kind;

use super::scene::{CITY, GRID, Scene, TOWN};

const HEADER: (Kind, u16) = (Kind(1), 1);
const ORDER: (Kind, u16) = (Kind(10), 1);
const ANSWER: (Kind, u16) = (Kind(11), 1);

impl Scene {
    /// Where the case stands there.
    fn head(&self, at: usize) -> Option<Head> {
        self.world.app(self.node(at))?.known(self.case).case().map(|case| case.head)
    }

    fn unread(&self, at: usize) -> usize {
        self.world.app(self.node(at)).map_or(0, |app| app.program().noted())
    }

    /// A node gets today's program.
    fn upgrade(&mut self, at: usize) {
        let node = self.node(at);
        self.world.disk(node).expect("a disk").app.program().upgrade();
        self.world.crash(node, 100);
        self.pass(5_000);
    }

    /// What reached the city of the grid's is what the grid sealed, byte for byte.
    fn passed_unchanged(&self) -> usize {
        let (city, grid) = (self.world.disk(self.node(CITY)).unwrap(), self.world.disk(self.node(GRID)).unwrap());
        let of_the_grid = |id| grid.bundles.get(id).map(|stored| stored.bundle.bytes().clone());
        let arrived = city.bundles.iter().filter(|(_, stored)| stored.bundle.head().origin == self.node(GRID));
        arrived.inspect(|(id, stored)| assert_eq!(of_the_grid(id).as_ref(), Some(stored.bundle.bytes()))).count()
    }
}

/// A township that does not know what a header is, below a city and above a grid that do.
fn older_middle(seed: u64) -> Scene {
    let scene = Scene::with(seed, |at| if at == TOWN { vec![HEADER] } else { Vec::new() });
    assert!(scene.head(GRID).is_some() && scene.head(CITY) == scene.head(GRID), "the case is at the city");
    assert_eq!(scene.head(TOWN), None, "what the township does not know has no effect there");
    assert!(scene.unread(TOWN) > 0 && scene.passed_unchanged() > 0);
    scene
}

#[test]
fn scenario_09_what_the_middle_does_not_know_passes_unchanged_and_is_read_after_its_upgrade() {
    for seed in 0..5 {
        let mut scene = older_middle(seed);
        scene.upgrade(TOWN);
        assert_eq!((scene.head(TOWN), scene.unread(TOWN)), (scene.head(GRID), 0));
        scene.ends_well(&[]);
    }
}

#[test]
fn scenario_09_a_middle_that_stops_while_it_reads_or_is_restored_from_before_reads_it_again() {
    let mut torn = 0;
    for seed in 0..6 {
        let mut scene = older_middle(seed);
        let town = scene.node(TOWN);
        scene.world.back_up(town);
        scene.world.slow_disk(town, 3_000);
        scene.world.disk(town).expect("a disk").app.program().upgrade();
        scene.world.crash(town, 100);
        scene.pass(1_500);
        torn += u32::from(scene.world.tear(town, 200));
        scene.world.mend_after(town, 0);
        scene.pass(15_000);
        assert_eq!((scene.head(TOWN), scene.unread(TOWN)), (scene.head(GRID), 0));
        assert!(scene.world.restore(town, 100));
        scene.pass(15_000);
        assert_eq!((scene.head(TOWN), scene.unread(TOWN)), (scene.head(GRID), 0));
        scene.ends_well(&[TOWN]);
    }
    assert!(torn > 0, "it was never stopped while it read");
}

#[test]
fn scenario_09_orders_and_answers_wait_at_both_ends_until_either_can_read_them() {
    for seed in 0..5 {
        let older = |at| match at {
            CITY => vec![ANSWER],
            GRID => vec![ORDER],
            _ => Vec::new(),
        };
        let mut scene = Scene::with(seed, older);
        let words = Text::cut("请报告进展");
        let directive = Command::IssueDirective { form: Directive::Supervise, text: words, term_days: Some(3) };
        assert_eq!(scene.act(CITY, &directive), Ok(()));
        scene.pass(10_000);
        let orders = |scene: &Scene, at| {
            let known = scene.world.app(scene.node(at)).expect("it runs").known(scene.case);
            known.orders().map(|file| (file.order.id, file.answered.is_some())).collect::<Vec<_>>()
        };
        assert_eq!((orders(&scene, GRID), scene.unread(GRID)), (vec![], 1));
        scene.upgrade(GRID);
        let (order, _) = orders(&scene, GRID)[0];
        let reply = Reply::Text { text: Text::cut("已办") };
        assert_eq!(scene.act(GRID, &Command::AnswerOrder { order, reply }), Ok(()));
        scene.pass(10_000);
        assert_eq!((orders(&scene, CITY), scene.unread(CITY)), (vec![(order, false)], 1), "the city cannot read it");
        scene.upgrade(CITY);
        assert_eq!((orders(&scene, CITY), scene.unread(CITY)), (vec![(order, true)], 0));
        scene.ends_well(&[]);
    }
}
