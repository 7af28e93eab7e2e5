//! A world in which a scenario is played by hand.

use protocol::id::{BundleId, NodeId};
use protocol::wire::bundle::Urgency;

use super::tests::Toy;
use super::{Settings, World, tree};

/// A world, and the nodes of it in the order of the tree.
pub(super) struct Stage {
    pub(super) world: World<Toy>,
    pub(super) nodes: Vec<NodeId>,
}

impl Stage {
    pub(super) fn new(branches: &[u64]) -> Self {
        Self::seeded(15, branches)
    }

    pub(super) fn seeded(seed: u64, branches: &[u64]) -> Self {
        let places = tree(branches);
        let world = World::new(seed, Settings::default(), &places, |_, _| Toy::default());
        let mut stage = Self { world, nodes: places.iter().map(|(node, ..)| *node).collect() };
        stage.pass(3_000);
        stage
    }

    pub(super) fn pass(&mut self, ms: u64) {
        self.world.run_until(self.world.now_ms() + ms);
    }

    /// A node sends something; the bundle that it becomes.
    pub(super) fn send_from(&mut self, key: NodeId, from: usize, to: usize, urgency: Urgency) -> BundleId {
        let (node, to) = (self.nodes[from], self.nodes[to]);
        let before: Vec<_> = self.world.disk(key).unwrap().bundles.keys().copied().collect();
        for _ in 0..1_000 {
            let done = self.world.act(key, |toy, _, _| ((), vec![toy.draft(node, to, urgency)]));
            self.pass(40);
            if done.is_some() {
                let held = &self.world.disk(key).unwrap().bundles;
                let new = held.iter().find(|(id, s)| !before.contains(id) && is(s.bundle.head(), node, to));
                return *new.expect("it was stored").0;
            }
        }
        panic!("{key} is busy for ever");
    }

    pub(super) fn send(&mut self, from: usize, to: usize, urgency: Urgency) -> BundleId {
        self.send_from(self.nodes[from], from, to, urgency)
    }

    pub(super) fn has(&self, node: usize, id: BundleId) -> bool {
        self.world.disk(self.nodes[node]).unwrap().bundles.get(&id).is_some_and(|stored| stored.applied == 1)
    }

    /// Everything heals; then nothing is lost, doubled or still on its way, and this was taken in there.
    pub(super) fn ends_well(mut self, arrived: &[(usize, BundleId)]) -> World<Toy> {
        self.world.heal();
        for _ in 0..2 {
            self.world.drain(120_000).unwrap_or_else(|stuck| panic!("{}", stuck.0));
            self.pass(20_000);
        }
        self.world.check_delivery();
        assert!(self.world.counters.violations.is_empty(), "{:?}", self.world.counters.violations);
        for (node, id) in arrived {
            assert!(self.has(*node, *id), "{id} never came to {}", self.nodes[*node]);
        }
        self.world
    }
}

fn is(head: &protocol::wire::bundle::BundleHead, from: NodeId, to: NodeId) -> bool {
    head.origin == from && head.to == to && head.receipted
}
