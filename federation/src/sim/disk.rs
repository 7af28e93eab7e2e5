//! What a simulated node has on disk. Only commits change it; a crash leaves it as the last commit made it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use protocol::chain::Hash;
use protocol::directory::Ancestor;
use protocol::id::{BundleId, NodeId};
use protocol::wire::bundle::{Bundle, BundleHead};
use protocol::wire::frame::{Lane, LinkSeq};

use crate::core::{Deliver, Kept, KeptLink, Page, Query, Write};

use super::ways::Ways;

/// A bundle as it is kept.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The bundle.
    pub bundle: Rc<Bundle>,
    /// Its terminal receipt has passed, or it wants none.
    pub done: bool,
    /// How often the application took it in. More than once is a duplicate.
    pub applied: u32,
}

/// A disk.
#[derive(Debug, Clone)]
pub struct Disk<A> {
    /// Bundles by id.
    pub bundles: BTreeMap<BundleId, Stored>,
    /// Outboxes.
    pub outbox: BTreeMap<(NodeId, Lane, LinkSeq), (Hash, BundleId)>,
    /// Numbering of links.
    pub links: BTreeMap<NodeId, KeptLink>,
    /// Bundles kept aside.
    pub quarantine: BTreeMap<BundleId, String>,
    /// Those of `bundles` that still wait for their terminal receipt.
    pub(super) open: BTreeSet<BundleId>,
    /// Bundles whose terminal receipt came before they did, as happens when a restored node is given back both.
    pub receipted_early: BTreeSet<(BundleId, NodeId)>,
    /// The line above.
    pub line: Vec<Ancestor>,
    /// The application's state.
    pub app: A,
    pub(super) ways: Ways,
}

/// Where a node hangs, as its disk has it.
pub(crate) struct Hung {
    pub(crate) me: NodeId,
    pub(crate) parent: Option<NodeId>,
    pub(crate) children: Vec<NodeId>,
    pub(crate) routes: BTreeMap<NodeId, NodeId>,
    /// The parent of each node.
    pub(crate) parents: Rc<BTreeMap<NodeId, NodeId>>,
}

impl<A: Clone> Disk<A> {
    /// A disk on which nothing has happened.
    pub(crate) fn new(hung: Hung, app: A) -> Self {
        let Hung { me, parent, children, routes, parents } = hung;
        let (routes, former, moves) = (Rc::new(routes), BTreeSet::new(), BTreeMap::new());
        Self {
            bundles: BTreeMap::new(),
            outbox: BTreeMap::new(),
            links: BTreeMap::new(),
            quarantine: BTreeMap::new(),
            open: BTreeSet::new(),
            receipted_early: BTreeSet::new(),
            line: Vec::new(),
            app,
            ways: Ways { me, parent, children, routes, former, parents, moves },
        }
    }

    pub(super) fn kept(&self, seed: [u8; 32]) -> Kept {
        Kept {
            links: self.links.values().cloned().collect(),
            children: self.ways.children.clone(),
            routes: self.ways.routes.iter().map(|(node, via)| (*node, *via)).collect(),
            former: self.ways.former.iter().copied().collect(),
            ancestors: self.line.clone(),
            seed,
        }
    }

    /// Whether a bundle is known, and still waits for its receipt.
    pub(super) fn known(&self, id: BundleId) -> Option<bool> {
        self.bundles.get(&id).map(|stored| !stored.done)
    }

    fn keep(&mut self, bundle: Bundle, done: bool, applied: bool) {
        let id = bundle.head().id;
        let done = done || self.receipted_early.contains(&(id, bundle.head().to));
        if !done && bundle.head().receipted && !self.bundles.contains_key(&id) {
            self.open.insert(id);
        }
        let stored = self.bundles.entry(id).or_insert_with(|| Stored { bundle: Rc::new(bundle), done, applied: 0 });
        stored.applied = stored.applied.saturating_add(u32::from(applied));
    }

    /// Applies one write of a commit.
    pub(super) fn write(&mut self, write: Write) {
        match write {
            Write::Arrival { bundle, deliver, .. } => {
                let done = !bundle.head().receipted || bundle.head().to == self.ways.me || deliver == Deliver::Returned;
                match deliver {
                    Deliver::Duplicate => {}
                    Deliver::Relay => self.keep(bundle, done, false),
                    Deliver::Apply | Deliver::RelayAndKeep | Deliver::Returned => self.keep(bundle, done, true),
                }
            }
            Write::Outbox { peer, lane, position, bundle } => {
                let (id, done) = (bundle.head().id, !bundle.head().receipted);
                self.keep(bundle, done, false);
                self.outbox.insert((peer, lane, position.seq), (position.hash, id));
            }
            Write::Unrouted { bundle } => self.keep(bundle, false, false),
            Write::Link(link) => {
                self.links.insert(link.peer, link);
            }
            Write::Acked { peer, lane, upto } => {
                self.drop_rows((peer, lane, LinkSeq(0)), (peer, lane, upto));
            }
            Write::Renumber { peer } => {
                for lane in Lane::NUMBERED {
                    self.drop_rows((peer, lane, LinkSeq(0)), (peer, lane, LinkSeq(u64::MAX)));
                }
            }
            Write::Receipted { by, bundles } => {
                for id in bundles {
                    match self.bundles.get_mut(&id) {
                        Some(stored) if stored.bundle.head().to == by => {
                            stored.done = true;
                            self.open.remove(&id);
                        }
                        Some(_) => {}
                        None => {
                            self.receipted_early.insert((id, by));
                        }
                    }
                }
            }
            Write::Quarantine { bundle, reason, .. } => {
                self.quarantine.insert(bundle.head().id, reason);
            }
        }
    }

    /// Rows of an outbox go: from the first place up to, and without, the second.
    fn drop_rows(&mut self, from: (NodeId, Lane, LinkSeq), to: (NodeId, Lane, LinkSeq)) {
        let gone: Vec<_> = self.outbox.range(from..to).map(|(place, _)| *place).collect();
        for place in gone {
            self.outbox.remove(&place);
        }
    }

    pub(super) fn look_up(&self, query: Query) -> Page {
        match query {
            Query::Outbox { peer, lane, after, count, .. } => {
                let rows = self.outbox.range((peer, lane, after.next())..=(peer, lane, LinkSeq(u64::MAX))).take(count);
                let frames = rows.filter_map(|((_, _, seq), (hash, id))| {
                    let bundle = &self.bundles.get(id)?.bundle;
                    let bytes: Arc<[u8]> = bundle.bytes().clone();
                    Some((*seq, *hash, bundle.head().origin, bytes))
                });
                Page::Outbox(frames.collect())
            }
            Query::HashAt { peer, lane, seq } => Page::Hash(self.outbox.get(&(peer, lane, seq)).map(|(hash, _)| *hash)),
            Query::Inventory { peer, after, count } => {
                let after = after.unwrap_or(BundleId::from_bytes([0; 16]));
                let ids = self.bundles.range(after..).filter(|(id, _)| **id > after);
                let ids = ids.filter(|(_, stored)| self.passes(peer, &stored.bundle)).map(|(id, _)| *id);
                Page::Inventory(ids.take(count).collect())
            }
            Query::Unseen { ids } => {
                Page::Unseen(ids.into_iter().filter(|id| !self.bundles.contains_key(id)).collect())
            }
            Query::Bundles { ids } => {
                let held = ids.iter().filter_map(|id| self.bundles.get(id));
                Page::Bundles(held.map(|stored| (*stored.bundle).clone()).collect())
            }
        }
    }

    /// This node no longer lies between both ends of a bundle: its receipt goes another way.
    pub(super) fn let_go(&mut self, id: BundleId) {
        self.open.remove(&id);
        if let Some(stored) = self.bundles.get_mut(&id) {
            stored.done = true;
        }
    }

    /// Whether this node lies on the way of a bundle, its ends among it.
    pub(super) fn lies_between(&self, head: &BundleHead) -> bool {
        let Ways { parent, children, former, .. } = &self.ways;
        // It lay on the way of those that moved.
        let before = former.iter().any(|(node, _)| *node == head.origin || *node == head.to);
        before || parent.iter().chain(children).any(|neighbour| self.parts(*neighbour, head))
    }

    /// Whether a neighbour is offered a bundle: it passes the link, or it lies between the parent's side and a node that
    /// moved away from here.
    fn passes(&self, peer: NodeId, bundle: &Bundle) -> bool {
        let Ways { me, parent, routes, .. } = &self.ways;
        let outside = |node: NodeId| node != *me && !routes.contains_key(&node);
        let head = bundle.head();
        if *parent == Some(peer) { outside(head.origin) || outside(head.to) } else { self.parts(peer, head) }
    }

    /// Whether the link to a neighbour parts the ends of a bundle.
    fn parts(&self, peer: NodeId, head: &BundleHead) -> bool {
        let Ways { me, parent, routes, .. } = &self.ways;
        let on_its_side = |node: NodeId| {
            if *parent == Some(peer) {
                node != *me && !routes.contains_key(&node)
            } else {
                routes.get(&node) == Some(&peer)
            }
        };
        on_its_side(head.origin) != on_its_side(head.to)
    }
}
