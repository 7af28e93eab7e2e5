//! Who hangs on whom.

use std::collections::BTreeMap;

use protocol::chain::Signature;
use protocol::directory::{Entry, SealingKey, SignedEntry, SigningKey};
use protocol::division::DivisionCode;
use protocol::id::NodeId;
use protocol::time::UnixMillis;

/// A place in a tree: the node, where it hangs, and the node above.
pub type Place = (NodeId, DivisionCode, Option<NodeId>);

/// A tree whose levels branch as given, from the city down: `[2, 3]` is a city, two counties and six townships. At most five
/// levels and 99 branches each; nodes are numbered in order, parents before their children.
pub fn tree(branches: &[u64]) -> Vec<Place> {
    /// What one more at each level adds to the code of a division.
    const STEPS: [u64; 4] = [10_000_000_000, 10_000_000, 10_000, 1];
    let mut places = Vec::new();
    let mut level: Vec<(Option<NodeId>, u64)> = vec![(None, 330_600_000_000_000)];
    let mut branches = branches.iter().zip(STEPS);
    while !level.is_empty() {
        let step = branches.next();
        let mut below = Vec::new();
        for (parent, number) in level {
            let Ok(division) = DivisionCode::from_number(number) else { continue };
            let node = NodeId::from_bytes((places.len() as u128).saturating_add(1).to_be_bytes());
            places.push((node, division, parent));
            for branch in 1..=step.map_or(0, |(count, _)| *count) {
                let offset = step.map_or(0, |(_, step)| step.saturating_mul(branch));
                below.push((Some(node), number.saturating_add(offset)));
            }
        }
        level = below;
    }
    places
}

/// For each node that has others below it: through which child each of them is reached.
pub(super) fn routes(tree: &[Place]) -> BTreeMap<NodeId, BTreeMap<NodeId, NodeId>> {
    let parents: BTreeMap<NodeId, Option<NodeId>> = tree.iter().map(|(node, _, parent)| (*node, *parent)).collect();
    let mut routes: BTreeMap<NodeId, BTreeMap<NodeId, NodeId>> = BTreeMap::new();
    for (below, ..) in tree {
        let mut at = *below;
        while let Some(Some(parent)) = parents.get(&at) {
            routes.entry(*parent).or_default().insert(*below, at);
            at = *parent;
        }
    }
    routes
}

/// The children of each node that has any.
pub(super) fn children(tree: &[Place]) -> BTreeMap<NodeId, Vec<NodeId>> {
    let mut children: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for (node, _, parent) in tree {
        if let Some(parent) = parent {
            children.entry(*parent).or_default().push(*node);
        }
    }
    children
}

pub(crate) fn entry(node: NodeId, division: DivisionCode, parent: Option<NodeId>) -> SignedEntry {
    let entry = Entry {
        node,
        division,
        parent,
        signing: SigningKey([0; 32]),
        sealing: SealingKey([0; 32]),
        tls_spki_sha256: [0; 32],
        serial: 1,
        issued: UnixMillis(0),
    };
    SignedEntry { entry, signature: Signature([0; 64]) }
}
