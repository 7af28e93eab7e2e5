//! Moves as the writer knows them.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::{BundleId, NodeId};
use protocol::moving::{Move, Moves, SignedMove};

use crate::store::moves::REROUTES;
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
    /// Bundles that still have to be given the way which their destination has now.
    pub(super) rerouting: Option<Rerouting>,
}

/// How far the bundles that wait here have been given the ways of after a move.
#[derive(Debug, Default)]
pub(super) struct Rerouting {
    /// All that goes upward is concerned: this node hangs elsewhere.
    pub(super) rehung: bool,
    /// Nodes to which the way has changed.
    pub(super) members: BTreeSet<NodeId>,
    /// The last bundle that was looked at.
    pub(super) after: Option<BundleId>,
}

/// Says that escalated cases have still to be told to a new line from the first.
const RETELLS: &str = "retells";

impl Moving {
    /// From what is stored; `former` are the ways of nodes before they moved, which the link core is given too.
    pub(crate) async fn load(store: &mut WriteStore, former: &[(NodeId, NodeId)]) -> Result<Self, StoreError> {
        let latest = store.moves().await?.into_iter().map(|signed| (signed.order.node(), signed)).collect();
        let gone = former.iter().filter(|(member, via)| member == via).map(|(member, _)| *member).collect();
        let retells = store.meta(RETELLS).await?.is_some_and(|waits| waits == "1");
        // It broke off: which nodes it was for does not matter, for what goes twice takes effect once.
        let rerouting = store.meta(REROUTES).await?.filter(|what| what != "none").map(|what| Rerouting {
            rehung: what == "above",
            members: former.iter().map(|(member, _)| *member).collect(),
            after: None,
        });
        Ok(Self { latest, gone, told: BTreeSet::new(), retells, rerouting })
    }

    /// Bundles have to be given other ways, from the first on.
    pub(super) fn reroute(&mut self, rehung: bool, members: BTreeSet<NodeId>, batch: &mut Batch) {
        let rerouting = self.rerouting.get_or_insert_default();
        rerouting.rehung |= rehung;
        rerouting.members.extend(members);
        rerouting.after = None;
        let what = if rerouting.rehung { "above" } else { "below" };
        batch.trust.metas.push((REROUTES, what.to_owned()));
    }

    /// So many have been given theirs, or all.
    pub(super) fn rerouted(&mut self, last: Option<BundleId>, batch: &mut Batch) {
        match (&mut self.rerouting, last) {
            (Some(rerouting), Some(_)) => rerouting.after = last,
            _ => {
                self.rerouting = None;
                batch.trust.metas.push((REROUTES, "none".to_owned()));
            }
        }
    }

    /// Whether bundles have still to be given other ways.
    pub(in crate::writer) fn is_rerouting(&self) -> bool {
        self.rerouting.is_some()
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
