//! Bundles whose way has changed.

use std::collections::{BTreeMap, BTreeSet};

use federation::core::Input;
use protocol::id::{BundleId, NodeId};
use protocol::wire::bundle::Bundle;

use crate::store::StoreError;
use crate::writer::Writer;
use crate::writer::batch::Batch;

/// Bundles whose way is looked at in one page.
const OPEN_PAGE: u32 = 512;

impl Writer {
    /// Bundles that wait for a receipt get a number on the way that their destination has now: at a node that hangs
    /// elsewhere all that go upward, elsewhere those for the nodes that moved. Behind the letters of the same transaction,
    /// so that the move goes ahead of them.
    pub(in crate::writer) async fn reroute(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let (rehung, rerouted) = (std::mem::take(&mut batch.rehung), std::mem::take(&mut batch.rerouted));
        if !rehung && rerouted.is_empty() {
            return Ok(());
        }
        let concerned = |writer: &Self, to: NodeId| {
            rerouted.contains(&to) || (rehung && to != writer.me.node && writer.core.route(to).is_none())
        };
        // Where this node no longer lies between both ends, the receipt goes another way. The origin keeps the bundle until
        // then, and what waits in an outbox still goes.
        let passed = |writer: &Self, from: NodeId, to: NodeId| {
            let side = |node: NodeId| if node == writer.me.node { Some(node) } else { writer.core.route(node) };
            (rerouted.contains(&from) || rerouted.contains(&to)) && side(from) == side(to)
        };
        let mut let_go = Vec::new();
        let mut bundles: BTreeMap<BundleId, (Bundle, Option<NodeId>)> = BTreeMap::new();
        let mut after = None;
        loop {
            let page = self.store.open_bundles(after, OPEN_PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            let_go.extend(page.iter().filter(|o| passed(self, o.from, o.to)).map(|open| open.id));
            let here: BTreeMap<_, _> =
                page.iter().filter(|open| concerned(self, open.to)).map(|open| (open.id, open.via)).collect();
            let ids: Vec<BundleId> = here.keys().copied().collect();
            for bundle in self.store.bundles(&ids).await? {
                let id = bundle.head().id;
                bundles.insert(id, (bundle, here.get(&id).copied().flatten()));
            }
        }
        // What came in this very transaction, by the way before.
        for keep in batch.keep.iter().filter(|keep| !keep.done) {
            let head = keep.bundle.head();
            if passed(self, head.origin, head.to) {
                let_go.push(head.id);
            } else if concerned(self, head.to) {
                bundles.insert(head.id, (keep.bundle.clone(), keep.via));
            }
        }
        let parent = self.core.identity().parent;
        let numbered: BTreeSet<(NodeId, BundleId)> = batch.outbox.iter().map(|row| (row.peer, row.bundle)).collect();
        bundles.retain(|id, (bundle, _)| {
            let next = self.core.route(bundle.head().to).or(parent);
            next.is_some_and(|next| !numbered.contains(&(next, *id)))
        });
        if !let_go.is_empty() {
            batch.receipted.entry(self.me.node).or_default().extend(let_go);
        }
        let bundles = bundles.into_values().collect();
        self.feed(Input::Rerouted { bundles });
        Ok(())
    }
}
