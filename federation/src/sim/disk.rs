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
    pub(super) me: NodeId,
    pub(super) parent: Option<NodeId>,
    pub(super) children: Vec<NodeId>,
    pub(super) routes: Rc<BTreeMap<NodeId, NodeId>>,
    /// Ways of nodes that moved, as they were before.
    pub(super) former: BTreeSet<(NodeId, NodeId)>,
}

/// Where a node hangs, as its disk has it.
pub(crate) struct Hung {
    pub(crate) me: NodeId,
    pub(crate) parent: Option<NodeId>,
    pub(crate) children: Vec<NodeId>,
    pub(crate) routes: BTreeMap<NodeId, NodeId>,
}

impl<A: Clone> Disk<A> {
    /// A disk on which nothing has happened.
    pub(crate) fn new(Hung { me, parent, children, routes }: Hung, app: A) -> Self {
        Self {
            bundles: BTreeMap::new(),
            outbox: BTreeMap::new(),
            links: BTreeMap::new(),
            quarantine: BTreeMap::new(),
            open: BTreeSet::new(),
            receipted_early: BTreeSet::new(),
            line: Vec::new(),
            app,
            me,
            parent,
            children,
            routes: Rc::new(routes),
            former: BTreeSet::new(),
        }
    }

    pub(super) fn kept(&self, seed: [u8; 32]) -> Kept {
        Kept {
            links: self.links.values().cloned().collect(),
            children: self.children.clone(),
            routes: self.routes.iter().map(|(node, via)| (*node, *via)).collect(),
            former: self.former.iter().copied().collect(),
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
                let done = !bundle.head().receipted || bundle.head().to == self.me || deliver == Deliver::Returned;
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

    /// Whether this node lies on the way of a bundle, its ends among it.
    pub(super) fn lies_between(&self, head: &BundleHead) -> bool {
        // It lay on the way of those that moved.
        let before = self.former.iter().any(|(node, _)| *node == head.origin || *node == head.to);
        before || self.parent.iter().chain(&self.children).any(|neighbour| self.parts(*neighbour, head))
    }

    /// Whether a bundle passes the link to a neighbour: one end on its side, the other not.
    fn passes(&self, peer: NodeId, bundle: &Bundle) -> bool {
        self.parts(peer, bundle.head())
    }

    /// Whether the link to a neighbour parts the ends of a bundle.
    fn parts(&self, peer: NodeId, head: &BundleHead) -> bool {
        let on_its_side = |node: NodeId| {
            if self.parent == Some(peer) {
                node != self.me && !self.routes.contains_key(&node)
            } else {
                self.routes.get(&node) == Some(&peer)
            }
        };
        on_its_side(head.origin) != on_its_side(head.to)
    }
}
