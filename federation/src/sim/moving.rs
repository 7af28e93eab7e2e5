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

    use super::super::Raised;
    use super::super::stage::Stage;

    const CITY: usize = 0;
    const COUNTY: usize = 1;
    const OLD: usize = 2;
    const NEW: usize = 3;
    const COMMUNITY: usize = 4;
    const GRID: usize = 6;

    /// The scene, and what was sent in it: to whom, and which bundle.
    struct Play {
        stage: Stage,
        sent: Vec<(usize, BundleId)>,
    }

    impl Play {
        /// A city, a county, two townships, each with a community and a grid.
        fn new(seed: u64) -> Self {
            Self { stage: Stage::seeded(seed, &[1, 2, 1, 1]), sent: Vec::new() }
        }

        fn send(&mut self, from: usize, to: usize, urgency: Urgency) {
            let id = self.stage.send(from, to, urgency);
            self.sent.push((to, id));
        }

        /// Over a link the order goes ahead of what follows it; here the lower node hears first.
        fn hears(&mut self, at: usize) {
            let nodes = &self.stage.nodes;
            let (at, moving, to) = (nodes[at], nodes[COMMUNITY], nodes[NEW]);
            while !self.stage.world.hears_of_move(at, moving, to) {
                self.stage.pass(20);
            }
        }

        fn cut(&mut self, child: usize) {
            self.stage.world.cut(self.stage.nodes[child]);
        }

        fn mend(&mut self, child: usize) {
            self.stage.world.mend_after(self.stage.nodes[child], 0);
        }

        fn ends_well(self) {
            let nodes = self.stage.nodes.clone();
            let world = self.stage.ends_well(&self.sent);
            assert_eq!(world.counters.raised(Raised::Misrouted), 0, "nothing that is under way is kept aside");
            let line: Vec<NodeId> = world.disk(nodes[GRID]).unwrap().line.iter().map(|a| a.node).collect();
            let expected: Vec<NodeId> = [COMMUNITY, NEW, COUNTY, CITY].iter().map(|at| nodes[*at]).collect();
            assert_eq!(line, expected, "the grid sees the new line");
        }
    }

    /// What is under way in both directions when the community moves: its escalations wait at the old township, which is
    /// cut off, and orders wait at the county and at the township itself.
    fn under_way(play: &mut Play) {
        play.cut(OLD);
        for urgency in [Urgency::Orange, Urgency::Routine, Urgency::Statistics] {
            play.send(GRID, CITY, urgency);
            play.send(COMMUNITY, COUNTY, urgency);
        }
        play.send(CITY, GRID, Urgency::Orange);
        play.send(COUNTY, COMMUNITY, Urgency::Bulk);
        play.cut(COMMUNITY);
        play.send(OLD, GRID, Urgency::Routine);
        play.send(5, GRID, Urgency::Routine);
    }

    #[test]
    fn scenario_14_a_community_moves_while_its_old_township_is_cut_off() {
        for seed in 0..20 {
            let mut play = Play::new(seed);
            under_way(&mut play);
            [NEW, COUNTY].into_iter().for_each(|at| play.hears(at));
            play.stage.pass(500);
            play.mend(COMMUNITY);
            play.hears(COMMUNITY);
            play.stage.pass(10_000);
            play.send(CITY, GRID, Urgency::Routine);
            play.send(GRID, CITY, Urgency::Routine);
            play.stage.pass(8_000);
            let (last, id) = *play.sent.last().unwrap();
            assert!(
                play.stage.world.disk(play.stage.nodes[last]).unwrap().bundles.contains_key(&id),
                "seed {seed}: by the new way"
            );
            // The old township comes back and hears of it, ahead of what nodes that moved send it by the new way. What was on
            // its way before comes as well, in both directions.
            play.mend(OLD);
            play.hears(OLD);
            play.send(OLD, GRID, Urgency::Routine);
            play.ends_well();
        }
    }

    #[test]
    fn scenario_14_the_community_hears_of_it_last_and_works_on_under_the_old_township() {
        for seed in 0..20 {
            let mut play = Play::new(seed);
            play.send(CITY, GRID, Urgency::Routine);
            play.cut(OLD);
            [NEW, COUNTY].into_iter().for_each(|at| play.hears(at));
            play.send(CITY, GRID, Urgency::Orange);
            play.send(GRID, CITY, Urgency::Orange);
            play.send(GRID, OLD, Urgency::Routine);
            play.mend(OLD);
            play.stage.pass(5_000);
            play.hears(OLD);
            play.stage.pass(2_000);
            play.hears(COMMUNITY);
            play.send(GRID, CITY, Urgency::Statistics);
            play.ends_well();
        }
    }
}
