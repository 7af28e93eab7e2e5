//! What the API and the page may look at without asking the writer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use casework::InForce;
use protocol::directory::Ancestor;
use protocol::division::DivisionCode;
use protocol::id::{CaseId, NodeId};
use protocol::time::UnixMillis;
use tokio::sync::broadcast;

use crate::alarms::{Alarm, AlarmKind, Alarms};
use crate::config::{ParentSection, Transport};
use crate::counters::Counters;
use crate::trust::TrustStatus;

/// Changes that a slow listener may lag behind.
const CHANGES_MAX: usize = 1_024;

/// A link as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkState {
    /// Whether it is up.
    pub up: bool,
    /// Since when.
    pub since: UnixMillis,
}

/// A node in or above the subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Where it hangs.
    pub division: DivisionCode,
    /// The direct child it is reached through, if it is below.
    pub via: Option<NodeId>,
}

#[derive(Debug, Default)]
struct State {
    links: BTreeMap<NodeId, LinkState>,
    carriers: BTreeMap<NodeId, Transport>,
    places: BTreeMap<NodeId, Place>,
    line: Vec<Ancestor>,
    /// The parent, when it is another one than the configuration named at the start.
    parent: Option<ParentSection>,
    alarms: Alarms,
    dial_failed: Option<String>,
    seen: BTreeSet<(NodeId, u64)>,
    trust: TrustStatus,
}

/// Shared between the writer, which changes it, and those that look.
#[derive(Debug)]
pub struct Shared {
    state: Mutex<State>,
    /// There while somebody listens: a channel holds room for all its messages from the start, and most nodes of a pack
    /// have no listener.
    changes: Mutex<Option<broadcast::Sender<CaseId>>>,
    in_force: Mutex<Arc<InForce>>,
    /// What is counted since the start.
    pub counters: Counters,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            changes: Mutex::default(),
            in_force: Mutex::new(InForce::shipped()),
            counters: Counters::default(),
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists, rules, policy, calendar and units that are in force.
    pub fn in_force(&self) -> Arc<InForce> {
        self.in_force.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn put_in_force(&self, in_force: Arc<InForce>) {
        *self.in_force.lock().unwrap_or_else(PoisonError::into_inner) = in_force;
    }

    /// Cases as they change, after the commit.
    pub fn changes(&self) -> broadcast::Receiver<CaseId> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.get_or_insert_with(|| broadcast::channel(CHANGES_MAX).0).subscribe()
    }

    /// All links that were ever up in this run.
    pub fn links(&self) -> BTreeMap<NodeId, LinkState> {
        self.state().links.clone()
    }

    /// What carries the link to each peer, or did the last time, in this run.
    pub fn carriers(&self) -> BTreeMap<NodeId, Transport> {
        self.state().carriers.clone()
    }

    pub(crate) fn carried(&self, peer: NodeId, by: Transport) {
        self.state().carriers.insert(peer, by);
    }

    /// Whether the link to a peer is up.
    pub fn is_up(&self, peer: NodeId) -> bool {
        self.state().links.get(&peer).is_some_and(|link| link.up)
    }

    /// The line above, nearest first.
    pub fn line(&self) -> Vec<Ancestor> {
        self.state().line.clone()
    }

    /// The parent, when it is another one than the configuration named at the start.
    pub fn parent(&self) -> Option<ParentSection> {
        self.state().parent.clone()
    }

    pub(crate) fn set_parent(&self, parent: ParentSection) {
        self.state().parent = Some(parent);
    }

    /// Where a node hangs, if it is above or below.
    pub fn place(&self, node: NodeId) -> Option<Place> {
        self.state().places.get(&node).copied()
    }

    /// All nodes above and below.
    pub fn places(&self) -> BTreeMap<NodeId, Place> {
        self.state().places.clone()
    }

    /// The latest alarms, newest first.
    pub fn alarms(&self) -> Vec<Alarm> {
        self.state().alarms.latest()
    }

    /// How often alarms of a kind were raised since the start.
    pub fn raised(&self, kind: AlarmKind) -> u64 {
        self.state().alarms.raised(kind)
    }

    /// How certificate and authorities stand.
    pub fn trust(&self) -> TrustStatus {
        self.state().trust.clone()
    }

    pub(crate) fn set_trust(&self, trust: TrustStatus) {
        self.state().trust = trust;
    }

    /// A node below was closed.
    pub(crate) fn closed(&self, node: NodeId) {
        self.state().places.remove(&node);
    }

    /// A node below hangs elsewhere by now. Where it hangs is still known.
    pub(crate) fn moved_away(&self, node: NodeId) {
        if let Some(place) = self.state().places.get_mut(&node) {
            place.via = None;
        }
    }

    /// Why the parent was not reached the last time, while it is not.
    pub fn last_dial_failure(&self) -> Option<String> {
        self.state().dial_failed.clone()
    }

    pub(crate) fn set_line(&self, line: &[Ancestor]) {
        let mut state = self.state();
        state.line = line.to_vec();
        for ancestor in line {
            state.places.insert(ancestor.node, Place { division: ancestor.division, via: None });
        }
    }

    pub(crate) fn registered(&self, node: NodeId, division: DivisionCode, via: NodeId) {
        self.state().places.insert(node, Place { division, via: Some(via) });
    }

    pub(crate) fn link_up(&self, peer: NodeId, since: UnixMillis) {
        let mut state = self.state();
        state.links.insert(peer, LinkState { up: true, since });
        if state.line.first().is_some_and(|parent| parent.node == peer) {
            state.dial_failed = None;
        }
    }

    pub(crate) fn link_down(&self, peer: NodeId, since: UnixMillis) {
        self.state().links.insert(peer, LinkState { up: false, since });
    }

    /// All links went down together.
    pub(crate) fn all_down(&self, since: UnixMillis) {
        for link in self.state().links.values_mut().filter(|link| link.up) {
            *link = LinkState { up: false, since };
        }
    }

    pub(crate) fn dial_failed(&self, why: String) {
        self.state().dial_failed = Some(why);
    }

    /// Raises an alarm.
    pub(crate) fn alarm(&self, kind: AlarmKind, what: String, at: UnixMillis) {
        self.state().alarms.raise(kind, what, at);
    }

    pub(crate) fn changed(&self, case: CaseId) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        // An error says that the last listener has gone.
        if changes.as_ref().is_some_and(|sender| sender.send(case).is_err()) {
            *changes = None;
        }
    }

    /// Whether this entry of a node is met for the first time in this run.
    pub(crate) fn first_sight(&self, node: NodeId, serial: u64) -> bool {
        self.state().seen.insert((node, serial))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_hears_changes_from_its_coming_on_and_costs_nothing_after_its_going() {
        let shared = Shared::default();
        let case = |n| CaseId::from_bytes([n; 16]);
        shared.changed(case(1));
        let (mut one, mut other) = (shared.changes(), shared.changes());
        shared.changed(case(2));
        assert_eq!((one.recv().await, other.recv().await), (Ok(case(2)), Ok(case(2))));
        drop((one, other));
        shared.changed(case(3));
        assert!(shared.changes.lock().unwrap().is_none());
        let mut later = shared.changes();
        shared.changed(case(4));
        assert_eq!(later.recv().await, Ok(case(4)));
    }

    #[tokio::test]
    async fn a_listener_that_lags_is_told_how_much_it_missed_and_hears_the_latest() {
        let shared = Shared::default();
        let case = |n: usize| CaseId::from_bytes((n as u128).to_be_bytes());
        let mut slow = shared.changes();
        (0..CHANGES_MAX + 3).for_each(|n| shared.changed(case(n)));
        assert_eq!(slow.recv().await, Err(broadcast::error::RecvError::Lagged(3)));
        assert_eq!(slow.recv().await, Ok(case(3)));
    }
}
