//! A node whose certificate is revoked: its parent knows it, the node itself does not care.

use std::collections::BTreeSet;

use protocol::id::NodeId;

use crate::core::Input;

use super::Application;
use super::fault::Fault;
use super::world::World;

impl<A: Application> World<A> {
    /// The parent of a node learns that the node is revoked. From then on whatever the node sends changes nothing
    /// there. False while the parent is down, for the top, and for a node that is revoked already.
    pub fn revoke(&mut self, node: NodeId) -> bool {
        let parent = self.members.get(&node).and_then(|member| member.identity.parent);
        let Some(parent) = parent.filter(|parent| self.members.get(parent).is_some_and(|m| m.live.is_some())) else {
            return false;
        };
        if !self.revoked.insert(node) {
            return false;
        }
        self.count(Fault::Revoke);
        self.strike(parent);
        self.input(parent, Input::Revoked { peer: node });
        true
    }

    /// A node that starts, perhaps as an old copy of itself, is told again by those above.
    pub(super) fn strike(&mut self, parent: NodeId) {
        if let Some(member) = self.members.get_mut(&parent).filter(|_| !self.settings.forgets_revoked) {
            member.disk.ways.children.retain(|child| !self.revoked.contains(child));
        }
    }

    /// Nodes that nobody can reach any more: those that are revoked, and all below them.
    pub(super) fn cut_off(&self) -> BTreeSet<NodeId> {
        let below = self.revoked.iter().filter_map(|n| self.members.get(n)).flat_map(|m| m.disk.ways.routes.keys());
        self.revoked.iter().chain(below).copied().collect()
    }
}
