//! What a simulated node knows of who hangs where.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use protocol::directory::Ancestor;
use protocol::id::NodeId;
use protocol::moving::SignedMove;

/// Where a node hangs, what lies below it, and the moves that it has heard of.
#[derive(Debug, Clone)]
pub(super) struct Ways {
    pub(super) me: NodeId,
    pub(super) parent: Option<NodeId>,
    pub(super) children: Vec<NodeId>,
    pub(super) routes: Rc<BTreeMap<NodeId, NodeId>>,
    /// Ways of nodes that moved, as they were before.
    pub(super) former: BTreeSet<(NodeId, NodeId)>,
    /// The parent of each node, as far as this one has heard.
    pub(super) parents: Rc<BTreeMap<NodeId, NodeId>>,
    /// The latest move of each node.
    pub(super) moves: BTreeMap<NodeId, SignedMove>,
}

/// What a move is to the node that hears of it.
pub(super) enum Heard {
    /// It is known, or a later one is.
    Known,
    /// The node itself hangs below another one now.
    Follows,
    /// Nodes are reached in another way: through which child before, and now.
    Elsewhere(Vec<(NodeId, Option<NodeId>, Option<NodeId>)>),
    /// It changes no way from here.
    Above,
}

impl Ways {
    /// A move that this node hears of, with the line that it sees above itself.
    pub(super) fn hear(&mut self, signed: &SignedMove, line: &[Ancestor]) -> Heard {
        let (node, serial) = (signed.order.node(), signed.order.serial());
        let is_news = self.moves.get(&node).is_none_or(|known| known.order.serial() < serial);
        let Some(to) = signed.order.to().filter(|_| is_news) else { return Heard::Known };
        // Before the entry counts: what lies below the node does not depend on where it hangs.
        let members = self.at_and_below(node);
        Rc::make_mut(&mut self.parents).insert(node, to.node);
        self.moves.insert(node, signed.clone());
        if node == self.me {
            self.parent = Some(to.node);
            return Heard::Follows;
        }
        if line.iter().any(|above| above.node == node) {
            return Heard::Above;
        }
        let via = if to.node == self.me { Some(node) } else { self.routes.get(&to.node).copied() };
        let ways: Vec<_> = members.iter().map(|node| (*node, self.routes.get(node).copied(), via)).collect();
        let routes = Rc::make_mut(&mut self.routes);
        for (member, from, via) in &ways {
            if from != via {
                self.former.insert((*member, from.unwrap_or(self.me)));
            }
            match via {
                Some(via) => routes.insert(*member, *via),
                None => routes.remove(member),
            };
        }
        self.children.retain(|child| *child != node);
        if to.node == self.me {
            self.children.push(node);
        }
        Heard::Elsewhere(ways)
    }

    /// A node, and all that hang below it.
    pub(super) fn at_and_below(&self, node: NodeId) -> BTreeSet<NodeId> {
        let is_below = |at: &NodeId| self.line_of(*at).contains(&node);
        self.parents.keys().copied().filter(is_below).chain([node]).collect()
    }

    /// A node and those above it, nearest first.
    pub(super) fn line_of(&self, node: NodeId) -> Vec<NodeId> {
        // No order of nodes is longer, should moves that are heard in any order make a circle for a while.
        std::iter::successors(Some(node), |at| self.parents.get(at).copied()).take(16).collect()
    }

    /// The order for a node that was a child here, and went.
    pub(super) fn gone(&self, node: NodeId) -> Option<&SignedMove> {
        self.moves.get(&node).filter(|_| self.former.contains(&(node, node)) && !self.children.contains(&node))
    }
}
