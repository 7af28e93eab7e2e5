//! A node hangs elsewhere from some moment on. Each node hears of it at a moment of its own, as over links or by hand.

use std::collections::BTreeSet;
use std::rc::Rc;

use protocol::id::NodeId;
use protocol::wire::bundle::BundleHead;

use crate::core::Input;

use super::{Application, World, tree};

impl<A: Application> World<A> {
    /// A node hears that another, with all below it, hangs below `to` from now on. False while it is down or busy: then it
    /// has heard nothing.
    pub fn hears_of_move(&mut self, at: NodeId, moving: NodeId, to: NodeId) -> bool {
        let idle = self.members.get(&at).is_some_and(|m| m.live.as_ref().is_some_and(|live| !live.is_busy()));
        if !idle {
            return false;
        }
        if at == moving {
            self.rehangs(at, to)
        } else {
            self.finds_ways(at, moving, to)
        }
        true
    }

    /// The node that moves, with all below it.
    fn at_and_below(&self, node: NodeId) -> BTreeSet<NodeId> {
        let below = |at: NodeId| {
            std::iter::successors(Some(at), |at| self.members.get(at).and_then(|m| m.identity.parent))
                .any(|n| n == node)
        };
        self.nodes().filter(|at| below(*at)).collect()
    }

    fn finds_ways(&mut self, at: NodeId, moving: NodeId, to: NodeId) {
        let subtree = self.at_and_below(moving);
        let Some(member) = self.members.get_mut(&at) else { return };
        let disk = &mut member.disk;
        let via = if to == at { Some(moving) } else { disk.routes.get(&to).copied() };
        let ways: Vec<_> = subtree.iter().map(|node| (*node, disk.routes.get(node).copied(), via)).collect();
        let routes = Rc::make_mut(&mut disk.routes);
        for (node, from, via) in &ways {
            if from != via {
                disk.former.insert((*node, from.unwrap_or(at)));
            }
            match via {
                Some(via) => routes.insert(*node, *via),
                None => routes.remove(node),
            };
        }
        // Where this node no longer lies between both ends, the receipt goes another way.
        let side = |node: NodeId| if node == at { Some(at) } else { disk.routes.get(&node).copied() };
        let passed = |head: &BundleHead| {
            let moved = subtree.contains(&head.origin) || subtree.contains(&head.to);
            moved && side(head.origin) == side(head.to)
        };
        let gone = disk.open.iter().filter(|id| disk.bundles.get(id).is_some_and(|s| passed(s.bundle.head())));
        for id in gone.copied().collect::<Vec<_>>() {
            disk.open.remove(&id);
            if let Some(stored) = disk.bundles.get_mut(&id) {
                stored.done = true;
            }
        }
        disk.children.retain(|child| *child != moving);
        if to == at {
            disk.children.push(moving);
        }
        self.input(at, Input::Relocated { members: ways });
        self.goes_again(at, |destination| subtree.contains(&destination));
    }

    fn rehangs(&mut self, node: NodeId, to: NodeId) {
        let Some(member) = self.members.get_mut(&node) else { return };
        let former = member.identity.parent.replace(to);
        member.identity.entry = tree::entry(node, member.identity.division, Some(to));
        member.disk.parent = Some(to);
        member.disk.outbox.retain(|(peer, ..), _| Some(*peer) != former);
        let (identity, routes) = (member.identity.clone(), member.disk.routes.clone());
        self.input(node, Input::Identity(Box::new(identity)));
        self.goes_again(node, |destination| destination != node && !routes.contains_key(&destination));
    }

    /// What waits for a receipt and is for these gets a number on the way that they have now.
    fn goes_again(&mut self, at: NodeId, concerns: impl Fn(NodeId) -> bool) {
        let Some(member) = self.members.get(&at) else { return };
        let open = member.disk.open.iter().filter_map(|id| member.disk.bundles.get(id));
        let open = open.filter(|stored| concerns(stored.bundle.head().to));
        let from = |origin: NodeId| {
            let below = member.disk.routes.get(&origin).copied();
            below.or(member.disk.parent).filter(|_| origin != at)
        };
        let bundles = open.map(|stored| ((*stored.bundle).clone(), from(stored.bundle.head().origin))).collect();
        self.input(at, Input::Rerouted { bundles });
    }
}

#[cfg(test)]
mod tests {
    use protocol::id::{BundleId, NodeId};
    use protocol::wire::bundle::Urgency;

    use super::super::tests::Toy;
    use super::super::{Settings, World, tree};

    const CITY: usize = 0;
    const COUNTY: usize = 1;
    const OLD: usize = 2;
    const NEW: usize = 3;
    const COMMUNITY: usize = 4;
    const GRID: usize = 6;

    struct Stage {
        world: World<Toy>,
        nodes: Vec<NodeId>,
        sent: Vec<(usize, BundleId)>,
    }

    impl Stage {
        /// A city, a county, two townships, each with a community and a grid.
        fn new(seed: u64) -> Self {
            let places = tree(&[1, 2, 1, 1]);
            let world = World::new(seed, Settings::default(), &places, |_, _| Toy::default());
            let mut stage = Self { world, nodes: places.iter().map(|(node, ..)| *node).collect(), sent: Vec::new() };
            stage.pass(3_000);
            stage
        }

        fn pass(&mut self, ms: u64) {
            self.world.run_until(self.world.now_ms() + ms);
        }

        fn send(&mut self, from: usize, to: usize, urgency: Urgency) {
            let (node, goal) = (self.nodes[from], self.nodes[to]);
            let before: Vec<_> = self.world.disk(node).unwrap().bundles.keys().copied().collect();
            while self.world.act(node, |toy, _, _| ((), vec![toy.draft(node, goal, urgency)])).is_none() {
                self.pass(20);
            }
            self.pass(60);
            let held = &self.world.disk(node).unwrap().bundles;
            let is =
                |head: &protocol::wire::bundle::BundleHead| head.origin == node && head.to == goal && head.receipted;
            let new = held.iter().find(|(id, stored)| !before.contains(id) && is(stored.bundle.head()));
            self.sent.push((to, *new.expect("it was stored").0));
        }

        /// Over a link the order goes ahead of what follows it; here the lower node hears first.
        fn hears(&mut self, at: usize) {
            let (at, moving, to) = (self.nodes[at], self.nodes[COMMUNITY], self.nodes[NEW]);
            while !self.world.hears_of_move(at, moving, to) {
                self.pass(20);
            }
        }

        fn cut(&mut self, child: usize) {
            self.world.cut(self.nodes[child]);
        }

        fn ends_well(mut self) -> World<Toy> {
            self.world.heal();
            for _ in 0..2 {
                self.world.drain(120_000).unwrap_or_else(|stuck| panic!("{}", stuck.0));
                self.pass(20_000);
            }
            self.world.check_delivery();
            assert!(self.world.counters.violations.is_empty(), "{:?}", self.world.counters.violations);
            assert_eq!(
                self.world.counters.raised(crate::sim::Raised::Misrouted),
                0,
                "nothing that is under way is kept aside"
            );
            for (to, id) in &self.sent {
                let taken = self.world.disk(self.nodes[*to]).unwrap().bundles.get(id).map(|stored| stored.applied);
                assert_eq!(taken, Some(1), "{id} to {}", self.nodes[*to]);
            }
            let line: Vec<NodeId> = self.world.disk(self.nodes[GRID]).unwrap().line.iter().map(|a| a.node).collect();
            let expected: Vec<NodeId> = [COMMUNITY, NEW, COUNTY, CITY].iter().map(|at| self.nodes[*at]).collect();
            assert_eq!(line, expected, "the grid sees the new line");
            self.world
        }
    }

    /// What is under way in both directions when the community moves: its escalations wait at the old township, which is
    /// cut off, and orders wait at the county and at the township itself.
    fn under_way(stage: &mut Stage) {
        stage.cut(OLD);
        for urgency in [Urgency::Orange, Urgency::Routine, Urgency::Statistics] {
            stage.send(GRID, CITY, urgency);
            stage.send(COMMUNITY, COUNTY, urgency);
        }
        stage.send(CITY, GRID, Urgency::Orange);
        stage.send(COUNTY, COMMUNITY, Urgency::Bulk);
        stage.cut(COMMUNITY);
        stage.send(OLD, GRID, Urgency::Routine);
        stage.send(5, GRID, Urgency::Routine);
    }

    #[test]
    fn scenario_14_a_community_moves_while_its_old_township_is_cut_off() {
        for seed in 0..20 {
            let mut stage = Stage::new(seed);
            under_way(&mut stage);
            [NEW, COUNTY].into_iter().for_each(|at| stage.hears(at));
            stage.pass(500);
            stage.world.mend_after(stage.nodes[COMMUNITY], 0);
            stage.hears(COMMUNITY);
            stage.pass(10_000);
            stage.send(CITY, GRID, Urgency::Routine);
            stage.send(GRID, CITY, Urgency::Routine);
            stage.pass(8_000);
            let (last, id) = *stage.sent.last().unwrap();
            assert!(
                stage.world.disk(stage.nodes[last]).unwrap().bundles.contains_key(&id),
                "seed {seed}: by the new way"
            );
            // The old township comes back and hears of it, ahead of what nodes that moved send it by the new way. What was on
            // its way before comes as well, in both directions.
            stage.world.mend_after(stage.nodes[OLD], 0);
            stage.hears(OLD);
            stage.send(OLD, GRID, Urgency::Routine);
            stage.ends_well();
        }
    }

    #[test]
    fn scenario_14_the_community_hears_of_it_last_and_works_on_under_the_old_township() {
        for seed in 0..20 {
            let mut stage = Stage::new(seed);
            stage.send(CITY, GRID, Urgency::Routine);
            stage.cut(OLD);
            [NEW, COUNTY].into_iter().for_each(|at| stage.hears(at));
            stage.send(CITY, GRID, Urgency::Orange);
            stage.send(GRID, CITY, Urgency::Orange);
            stage.send(GRID, OLD, Urgency::Routine);
            stage.world.mend_after(stage.nodes[OLD], 0);
            stage.pass(5_000);
            stage.hears(OLD);
            stage.pass(2_000);
            stage.hears(COMMUNITY);
            stage.send(GRID, CITY, Urgency::Statistics);
            stage.ends_well();
        }
    }
}
