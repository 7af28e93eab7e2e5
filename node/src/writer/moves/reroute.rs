//! Bundles whose way has changed.

use std::collections::{BTreeMap, BTreeSet};

use federation::core::Input;
use protocol::id::{BundleId, NodeId};
use protocol::wire::bundle::Bundle;

use crate::store::StoreError;
use crate::writer::Writer;
use crate::writer::batch::Batch;

/// Bundles whose way is looked at in one transaction: so much of a backlog is in memory at once.
const REROUTE_PAGE_MAX: u32 = 64;

/// Bundles by id.
type Held = BTreeMap<BundleId, Bundle>;

impl Writer {
    /// Bundles that wait for a receipt get a number on the way that their destination has now: at a node that hangs
    /// elsewhere all that go upward, elsewhere those for the nodes that moved. Behind the letters of the same transaction,
    /// so that the move goes ahead of them. A backlog takes several transactions, each with a page of it.
    pub(in crate::writer) async fn reroute(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let mut held = self.unawaited(batch).await?;
        let (rehung, members) = (std::mem::take(&mut batch.rehung), std::mem::take(&mut batch.rerouted));
        if rehung || !members.is_empty() {
            self.moving.reroute(rehung, members, batch);
            self.came_meanwhile(batch, &mut held);
        }
        if !held.is_empty() {
            self.number_again(held, batch);
        }
        let Some(rerouting) = &self.moving.rerouting else { return Ok(()) };
        let page = self.store.open_bundles(rerouting.after, REROUTE_PAGE_MAX).await?;
        let let_go: Vec<_> = page.iter().filter(|o| self.is_passed(o.from, o.to)).map(|open| open.id).collect();
        let ids: Vec<_> = page.iter().filter(|open| self.is_concerned(open.to)).map(|open| open.id).collect();
        let held = by_id(self.store.bundles(&ids).await?);
        self.let_go(let_go, batch);
        self.number_again(held, batch);
        let full = page.len() >= usize::try_from(REROUTE_PAGE_MAX).unwrap_or(usize::MAX);
        self.moving.rerouted(page.last().map(|open| open.id).filter(|_| full), batch);
        Ok(())
    }

    /// Whether the way to a node has changed.
    fn is_concerned(&self, to: NodeId) -> bool {
        self.moving.rerouting.as_ref().is_some_and(|rerouting| {
            rerouting.members.contains(&to) || (rerouting.rehung && to != self.me.node && self.core.route(to).is_none())
        })
    }

    /// Whether this node no longer lies between both ends, so that the receipt goes another way. The origin keeps the bundle
    /// until then, and what waits in an outbox still goes.
    fn is_passed(&self, from: NodeId, to: NodeId) -> bool {
        let side = |node: NodeId| if node == self.me.node { Some(node) } else { self.core.route(node) };
        let moved = |node: NodeId| self.moving.rerouting.as_ref().is_some_and(|r| r.members.contains(&node));
        (moved(from) || moved(to)) && side(from) == side(to)
    }

    /// The numbering to a neighbour begins again: what was on its way there and nobody here waits for goes once more, by the
    /// way that its destination has now. That is a receipt, or what its origin asks once more.
    async fn unawaited(&mut self, batch: &mut Batch) -> Result<Held, StoreError> {
        let mut to_whom = std::mem::take(&mut batch.unsent);
        for peer in &batch.renumbered {
            to_whom.extend(self.store.unawaited(*peer).await?.into_iter().map(|id| (*peer, id)));
        }
        let to_whom: BTreeMap<_, _> = to_whom.into_iter().map(|(peer, id)| (id, peer)).collect();
        let ids: Vec<_> = to_whom.keys().copied().collect();
        let mut held = by_id(self.store.bundles(&ids).await?);
        let kept = batch.keep.iter().map(|keep| &keep.bundle).filter(|bundle| to_whom.contains_key(&bundle.head().id));
        held.extend(by_id(kept.cloned()));
        // What was given back to a neighbour goes that way alone.
        held.retain(|id, bundle| {
            let to = bundle.head().to;
            let next = self.core.route(to).or(self.core.identity().parent);
            batch.rerouted.contains(&to)
                || batch.rehung && self.core.route(to).is_none()
                || next.is_some() && next == to_whom.get(id).copied()
        });
        Ok(held)
    }

    /// What came in this very transaction, by the way before.
    fn came_meanwhile(&self, batch: &mut Batch, held: &mut Held) {
        let mut let_go = Vec::new();
        for keep in batch.keep.iter().filter(|keep| !keep.done) {
            let head = keep.bundle.head();
            if self.is_passed(head.origin, head.to) {
                let_go.push(head.id);
            }
            if self.is_concerned(head.to) {
                held.insert(head.id, keep.bundle.clone());
            }
        }
        self.let_go(let_go, batch);
    }

    fn let_go(&self, bundles: Vec<BundleId>, batch: &mut Batch) {
        if !bundles.is_empty() {
            batch.receipted.entry(self.me.node).or_default().extend(bundles);
        }
    }

    /// What has its number on the new way already is left out.
    fn number_again(&mut self, mut held: Held, batch: &Batch) {
        let parent = self.core.identity().parent;
        let numbered: BTreeSet<(NodeId, BundleId)> = batch.outbox.iter().map(|row| (row.peer, row.bundle)).collect();
        held.retain(|id, bundle| {
            let next = self.core.route(bundle.head().to).or(parent);
            next.is_some_and(|next| !numbered.contains(&(next, *id)))
        });
        self.feed(Input::Rerouted { bundles: held.into_values().collect() });
    }
}

fn by_id(bundles: impl IntoIterator<Item = Bundle>) -> Held {
    bundles.into_iter().map(|bundle| (bundle.head().id, bundle)).collect()
}
