//! A world in which a scenario is played by hand.

use protocol::bounded::{Blob, List};
use protocol::id::{BundleId, CaseId, CaseKey, NodeId, OfferId};
use protocol::sealed::Sealed;
use protocol::transfer::Handover;
use protocol::wire::bundle::Urgency;
use protocol::wire::kind::Body;

use super::tests::Toy;
use super::{Draft, Settings, World, tree};

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
        self.send_draft(key, node, to, |toy| toy.draft(node, to, urgency))
    }

    /// Sealed parts of a hundred thousand bytes on the bulk lane, as an attachment would be.
    pub(super) fn send_bulk(&mut self, from: usize, to: usize) -> BundleId {
        let (node, to) = (self.nodes[from], self.nodes[to]);
        self.send_draft(node, node, to, |_| bulk(to))
    }

    fn send_draft(
        &mut self,
        key: NodeId,
        node: NodeId,
        to: NodeId,
        mut draft: impl FnMut(&mut Toy) -> Draft,
    ) -> BundleId {
        let before: Vec<_> = self.world.disk(key).unwrap().bundles.keys().copied().collect();
        let mut acted = false;
        for _ in 0..1_000 {
            acted = acted || self.world.act(key, |toy, _, _| ((), vec![draft(toy)])).is_some();
            self.pass(40);
            let held = &self.world.disk(key).unwrap().bundles;
            if let Some((id, _)) = held.iter().find(|(id, s)| !before.contains(id) && is(s.bundle.head(), node, to)) {
                return *id;
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

    /// Whether a node knows that what it sent is durable at its destination.
    pub(super) fn receipted(&self, node: usize, id: BundleId) -> bool {
        self.world.disk(self.nodes[node]).unwrap().bundles.get(&id).is_some_and(|stored| stored.done)
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

fn bulk(to: NodeId) -> Draft {
    let private = Sealed { suite: 1, encapsulated: [0; 32], ciphertext: Blob::new(vec![7; 100_000]).unwrap() };
    let handover = Handover {
        offer: OfferId::from_bytes([1; 16]),
        case: CaseId::from_bytes([2; 16]),
        key: CaseKey::from_bytes([3; 16]),
        registered_by: "330600000000".parse().unwrap(),
        headers: List::default(),
        seals: List::default(),
        private,
    };
    Draft { id: None, to, urgency: Urgency::Bulk, receipted: true, body: Body::Handover(handover) }
}
