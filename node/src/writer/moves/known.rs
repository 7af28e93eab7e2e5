//! Moves as the writer knows them.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::NodeId;
use protocol::moving::{Move, Moves, SignedMove};

use crate::store::{StoreError, WriteStore};
use crate::writer::batch::Batch;

/// Moves as the writer knows them.
#[derive(Debug, Default)]
pub(crate) struct Moving {
    /// The latest of each node.
    pub(super) latest: BTreeMap<NodeId, SignedMove>,
    /// Nodes that were children here before they moved.
    pub(super) gone: BTreeSet<NodeId>,
    /// Neighbours that were told of all of them in this run.
    pub(super) told: BTreeSet<NodeId>,
    /// The line above is another one: escalated cases have still to be told from the first.
    pub(super) retells: bool,
}

/// Says that escalated cases have still to be told to a new line from the first.
const RETELLS: &str = "retells";

impl Moving {
    /// From what is stored; `former` are the ways of nodes before they moved, which the link core is given too.
    pub(crate) async fn load(store: &mut WriteStore, former: &[(NodeId, NodeId)]) -> Result<Self, StoreError> {
        let latest = store.moves().await?.into_iter().map(|signed| (signed.order.node(), signed)).collect();
        let gone = former.iter().filter(|(member, via)| member == via).map(|(member, _)| *member).collect();
        let retells = store.meta(RETELLS).await?.is_some_and(|waits| waits == "1");
        Ok(Self { latest, gone, told: BTreeSet::new(), retells })
    }

    /// Escalated cases are to be told from the first, or all of them were.
    pub(in crate::writer) fn retell(&mut self, wanted: bool, batch: &mut Batch) {
        if self.retells != wanted {
            self.retells = wanted;
            batch.trust.metas.push((RETELLS, u8::from(wanted).to_string()));
        }
    }

    /// Whether escalated cases are to be told from the first.
    pub(in crate::writer) fn retells(&self) -> bool {
        self.retells
    }

    /// All orders that count.
    pub(crate) fn orders(&self) -> impl Iterator<Item = &Move> {
        self.latest.values().map(|signed| &signed.order)
    }

    /// What lies where.
    pub(crate) fn places(&self) -> Moves {
        Moves::of(self.orders())
    }

    /// The orders for nodes that were children here, and went.
    pub(crate) fn gone(&self) -> impl Iterator<Item = &SignedMove> {
        self.gone.iter().filter_map(|node| self.latest.get(node))
    }

    /// Whether a node was a child here, and went.
    pub(in crate::writer) fn has_gone(&self, node: NodeId) -> bool {
        self.gone.contains(&node)
    }

    /// Whether a node hung below another before its latest move.
    pub(in crate::writer) fn hung_below(&self, node: NodeId, parent: NodeId) -> bool {
        self.latest.get(&node).is_some_and(|signed| signed.order.from.node == parent)
    }
}
