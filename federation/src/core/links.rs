//! All links of a node, and which of them may be waiting for a moment. A parent of thousands is woken many times a second,
//! and nearly all of its links wait for nothing: what it does for each of them, it must not do at each turn.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::NodeId;

use super::input::Uptime;
use super::limits::Limits;
use super::link::Link;

/// The links, by neighbour.
#[derive(Debug, Default)]
pub(super) struct Links {
    all: BTreeMap<NodeId, Link>,
    /// Every link that waits for a moment is among these: whoever may change a link puts it here.
    waiting: BTreeSet<NodeId>,
}

impl Links {
    pub(super) fn get(&self, peer: &NodeId) -> Option<&Link> {
        self.all.get(peer)
    }

    pub(super) fn get_mut(&mut self, peer: &NodeId) -> Option<&mut Link> {
        let link = self.all.get_mut(peer)?;
        self.waiting.insert(*peer);
        Some(link)
    }

    /// The link to a peer, made when there is none.
    pub(super) fn get_or_make(&mut self, peer: NodeId, make: impl FnOnce() -> Link) -> &mut Link {
        self.waiting.insert(peer);
        self.all.entry(peer).or_insert_with(make)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&NodeId, &Link)> {
        self.all.iter()
    }

    /// Those whose next greeting reconciles. From now on they wait for it.
    pub(super) fn doubted(&mut self) -> impl Iterator<Item = &mut Link> {
        self.waiting.extend(self.all.iter().filter(|(_, link)| link.doubted).map(|(peer, _)| *peer));
        self.all.values_mut().filter(|link| link.doubted)
    }

    /// Those that may be waiting for a moment.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (NodeId, &Link)> {
        self.waiting.iter().filter_map(|peer| Some((*peer, self.all.get(peer)?)))
    }

    /// Passes over those that wait for nothing, until somebody may have changed them.
    pub(super) fn rest(&mut self, limits: &Limits) {
        let all = &self.all;
        self.waiting.retain(|peer| all.get(peer).is_some_and(|link| link.next_timeout(limits).is_some()));
    }

    /// When the first of them wants to be looked at.
    pub(super) fn next_timeout(&self, limits: &Limits) -> Option<Uptime> {
        self.waiting().filter_map(|(_, link)| link.next_timeout(limits)).min()
    }
}

impl FromIterator<Link> for Links {
    fn from_iter<T: IntoIterator<Item = Link>>(links: T) -> Self {
        let all: BTreeMap<_, _> = links.into_iter().map(|link| (link.kept.peer, link)).collect();
        Self { waiting: all.keys().copied().collect(), all }
    }
}
