//! The link as a pure state machine: numbers, greetings, acknowledgements, routing, reconciliation.
//!
//! **One rule: after every [`Core::handle`], work off all outputs in order before the next input.** Time, random seed and
//! storage come in as values; the core never waits and never reads a clock. A write that the core asks for belongs into the
//! transaction that is being gathered; [`Input::Committed`] tells that it is durable, and only then do acknowledgements and
//! frames that depend on it come out. After a failed transaction the core is made anew from the store.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod alarm;
mod backoff;
mod greeting;
mod input;
mod intake;
mod limits;
mod link;
mod links;
mod moves;
mod outlet;
mod output;
mod reconcile;
mod verdict;
mod verified;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use protocol::directory::{Ancestor, SignedEntry};
use protocol::division::DivisionCode;
use protocol::id::{BundleId, NodeId};
use protocol::wire::bundle::Bundle;
use protocol::wire::control::{Control, Position};
use protocol::wire::frame::{Lane, LinkSeq};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

pub use alarm::{Alarm, Closing};
pub use input::{ConnectionId, Input, Now, Page, Uptime};
pub use limits::Limits;
#[cfg(feature = "mutants")]
pub use limits::Mutant;
pub use link::{KeptLane, KeptLink};
pub use output::{Deliver, FrameOut, Output, Query, Ticket, Write};
pub use verdict::judge_lane;
pub use verified::Verified;

use backoff::Backoff;
use link::{Link, Session};
use links::Links;

/// Who this node is on its links.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The node.
    pub node: NodeId,
    /// Where it hangs.
    pub division: DivisionCode,
    /// SHA-256 of the public key of the root that the greeting names.
    pub root: [u8; 32],
    /// Of further roots that a peer's greeting may name.
    pub roots: Vec<[u8; 32]>,
    /// Its directory entry.
    pub entry: SignedEntry,
    /// The node above; none at the top.
    pub parent: Option<NodeId>,
}

/// What the store kept of the links.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Numbering of each link.
    pub links: Vec<KeptLink>,
    /// Direct children that may connect.
    pub children: Vec<NodeId>,
    /// Nodes below, and the direct child each is reached through.
    pub routes: Vec<(NodeId, NodeId)>,
    /// Nodes that moved, and a child through which each was reached before; this node itself for one that was not below it.
    pub former: Vec<(NodeId, NodeId)>,
    /// The line above, nearest first.
    pub ancestors: Vec<Ancestor>,
    /// Seed of the core's own randomness (nonces, jitter).
    pub seed: [u8; 32],
}

/// What waits for a commit or an answer.
#[derive(Debug)]
enum Pending {
    /// An arrival; acknowledged once durable.
    Arrival { peer: NodeId, lane: Lane, position: Position, bundle: Option<BundleId> },
    /// An arrival whose number no longer counts, or that came without one.
    Unnumbered { bundle: BundleId },
    /// A numbered bundle; sent once durable.
    Outbox { peer: NodeId, lane: Lane, seq: LinkSeq, bundle: Bundle },
    /// Nothing depends on it.
    Plain,
    /// The chain hash that a greeting asked for.
    Hash { peer: NodeId, connection: ConnectionId, lane: Lane },
    /// Frames to send next.
    Frames { peer: NodeId, connection: ConnectionId, lane: Lane },
    /// A page of an own inventory.
    Inventory { peer: NodeId, connection: ConnectionId },
    /// What is lacking of the peer's page.
    Unseen { peer: NodeId, connection: ConnectionId, last: bool },
    /// Bundles that the peer lacks.
    Wanted { peer: NodeId, connection: ConnectionId },
}

impl Pending {
    /// The numbering of a neighbour's link begins again. What is being stored is kept, but its numbers mean nothing any more.
    fn renumbered(&mut self, neighbour: NodeId) {
        match self {
            Self::Arrival { peer, bundle: Some(bundle), .. } if *peer == neighbour => {
                *self = Self::Unnumbered { bundle: *bundle };
            }
            Self::Arrival { peer, .. } | Self::Outbox { peer, .. } | Self::Frames { peer, .. }
                if *peer == neighbour =>
            {
                *self = Self::Plain;
            }
            _ => {}
        }
    }
}

/// The link core of one node.
#[derive(Debug)]
pub struct Core {
    me: Identity,
    limits: Limits,
    random: ChaCha8Rng,
    links: Links,
    connections: BTreeMap<ConnectionId, NodeId>,
    children: BTreeSet<NodeId>,
    routes: BTreeMap<NodeId, NodeId>,
    /// Ways of nodes that moved, as they were before.
    former: BTreeSet<(NodeId, NodeId)>,
    ancestors: Vec<Ancestor>,
    pending: BTreeMap<Ticket, Pending>,
    /// Bundles that were taken in and are not durable yet, and whether each waits for a receipt.
    arriving: BTreeMap<BundleId, bool>,
    next_ticket: u64,
    backoff: Backoff,
}

impl Core {
    /// Goes on from what the store kept.
    pub fn resume(me: Identity, kept: Kept, limits: Limits) -> Self {
        let mut random = ChaCha8Rng::from_seed(kept.seed);
        let mut links: Links = kept.links.into_iter().map(Link::resumed).collect();
        for peer in kept.children.iter().copied().chain(me.parent) {
            links.get_or_make(peer, || Link::fresh(peer, random.next_u64()));
        }
        Self {
            backoff: Backoff::new(&limits, me.parent.is_some()),
            me,
            limits,
            random,
            links,
            connections: BTreeMap::new(),
            children: kept.children.into_iter().collect(),
            routes: kept.routes.into_iter().collect(),
            former: kept.former.into_iter().collect(),
            ancestors: kept.ancestors,
            pending: BTreeMap::new(),
            arriving: BTreeMap::new(),
            next_ticket: 0,
        }
    }

    /// Who this node is.
    pub fn identity(&self) -> &Identity {
        &self.me
    }

    /// Its limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The direct child through which a node below is reached.
    pub fn route(&self, node: NodeId) -> Option<NodeId> {
        if self.children.contains(&node) { Some(node) } else { self.routes.get(&node).copied() }
    }

    /// The direct children that may connect.
    pub fn children(&self) -> Vec<NodeId> {
        self.children.iter().copied().collect()
    }

    /// Frames, and bytes of frames, that the fullest lane holds in memory.
    pub fn in_memory(&self) -> (usize, usize) {
        let sessions = self.links.iter().filter_map(|(_, link)| link.session.as_ref());
        let lanes = sessions.flat_map(|session| session.lanes.values());
        lanes.fold((0, 0), |(frames, bytes), lane| (lane.window.len().max(frames), lane.window_bytes.max(bytes)))
    }

    /// What waits for a commit or an answer: nothing, once both have come.
    pub fn waiting(&self) -> usize {
        self.pending.len().saturating_add(self.arriving.len())
    }

    /// Takes one thing in. The only mutation.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::LinkOpened { peer, connection, dialled } => self.opened(now, peer, connection, dialled, out),
            Input::LinkClosed { connection } => self.closed(now, connection, out),
            Input::DialFailed => self.backoff.failed(now.uptime, &mut self.random),
            Input::Control { connection, frame } => self.control(now, connection, frame, out),
            Input::Arrived { connection, lane, seq, bundle, seen, held_unreceipted } => {
                self.arrived(now, connection, (lane, seq), bundle.into_inner(), (seen, held_unreceipted), out);
            }
            Input::Carried { from, bundle, seen, held_unreceipted } => {
                self.carried(now, from, bundle.into_inner(), (seen, held_unreceipted), out);
            }
            Input::Unbelieved { connection, lane, seq, bytes } => {
                self.unbelieved(now, connection, lane, seq, &bytes, out)
            }
            Input::Rejected { bundle, from, reason } => self.rejected(bundle, from, &reason, out),
            Input::Misbehaved { connection, .. } => self.close(now, connection, Closing::Misbehaved, out),
            Input::Outgoing { bundles } => bundles.into_iter().for_each(|bundle| self.outgoing(bundle, out)),
            Input::Registered { node, via } => self.registered(node, via),
            Input::Relocated { members } => self.relocated(now, members, out),
            Input::Rerouted { bundles } => bundles.into_iter().for_each(|bundle| self.again(bundle, out)),
            Input::Revoked { peer } => self.revoked(now, peer, out),
            Input::Identity(me) => self.reidentified(now, *me, out),
            Input::Committed { tickets } => self.committed(now, tickets, out),
            Input::Page { ticket, page } => self.page(now, ticket, page, out),
            Input::Timeout => self.timeout(now, out),
        }
    }

    /// Whether a node is the parent, or a child that may connect.
    pub fn is_neighbour(&self, node: NodeId) -> bool {
        self.me.parent == Some(node) || self.children.contains(&node)
    }

    /// When [`Input::Timeout`] is wanted next.
    pub fn next_timeout(&self) -> Option<Uptime> {
        let links = self.links.next_timeout(&self.limits);
        links.into_iter().chain(self.backoff.next_timeout(&self.limits)).min()
    }

    fn ticket(&mut self, pending: Pending) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket = self.next_ticket.saturating_add(1);
        self.pending.insert(ticket, pending);
        ticket
    }

    fn persist(&mut self, pending: Pending, write: Write, out: &mut Vec<Output>) {
        let ticket = self.ticket(pending);
        out.push(Output::Persist { ticket, write });
    }

    fn fetch(&mut self, pending: Pending, query: Query, out: &mut Vec<Output>) {
        let ticket = self.ticket(pending);
        out.push(Output::Fetch { ticket, query });
    }

    /// The numbering of a link goes into the transaction.
    fn keep_link(&mut self, peer: NodeId, out: &mut Vec<Output>) {
        if let Some(link) = self.links.get(&peer) {
            let kept = link.kept.clone();
            self.persist(Pending::Plain, Write::Link(kept), out);
        }
    }

    fn say(connection: ConnectionId, frame: Control, out: &mut Vec<Output>) {
        out.push(Output::Send { connection, frame: FrameOut::Control(frame) });
    }

    fn opened(&mut self, now: Now, peer: NodeId, connection: ConnectionId, dialled: bool, out: &mut Vec<Output>) {
        let admitted = if dialled { self.me.parent == Some(peer) } else { self.children.contains(&peer) };
        if !admitted {
            out.push(Output::Close { connection, why: Closing::NotAdmitted });
            return;
        }
        let nonce = self.random.next_u64();
        let link = self.links.get_or_make(peer, || Link::fresh(peer, nonce));
        if !dialled && link.session.as_ref().is_some_and(Session::is_up) {
            if let Some((older, _)) = link.newcomer.replace((connection, now.uptime)) {
                self.connections.remove(&older);
                out.push(Output::Close { connection: older, why: Closing::Replaced });
            }
        } else {
            let old = link.open(connection, now.uptime);
            self.replaced(peer, old, out);
        }
        self.connections.insert(connection, peer);
        if dialled {
            self.backoff.connected();
        }
        self.greet(now, peer, connection, out);
    }

    /// A session that another one took the place of.
    fn replaced(&mut self, peer: NodeId, old: Option<Session>, out: &mut Vec<Output>) {
        let Some(old) = old else { return };
        self.connections.remove(&old.connection);
        out.push(Output::Close { connection: old.connection, why: Closing::Replaced });
        if old.is_up() {
            out.push(Output::LinkDown { peer });
        }
    }

    fn closed(&mut self, now: Now, connection: ConnectionId, out: &mut Vec<Output>) {
        let Some(peer) = self.connections.remove(&connection) else { return };
        let Some(link) = self.links.get_mut(&peer) else { return };
        let Some(session) = link.close(connection) else { return };
        if session.is_up() {
            out.push(Output::LinkDown { peer });
        }
        if self.me.parent == Some(peer) {
            self.backoff.lost(now.uptime, session.is_up(), &mut self.random);
        }
    }

    /// Closes a connection from this side.
    fn close(&mut self, now: Now, connection: ConnectionId, why: Closing, out: &mut Vec<Output>) {
        if self.connections.contains_key(&connection) {
            out.push(Output::Close { connection, why });
            self.closed(now, connection, out);
        }
    }

    fn registered(&mut self, node: NodeId, via: NodeId) {
        self.routes.insert(node, via);
        if node == via && self.children.insert(node) {
            let nonce = self.random.next_u64();
            self.links.get_or_make(node, || Link::fresh(node, nonce));
        }
    }

    fn revoked(&mut self, now: Now, peer: NodeId, out: &mut Vec<Output>) {
        self.children.remove(&peer);
        let newcomer = self.links.get(&peer).and_then(|link| link.newcomer).map(|(connection, _)| connection);
        let live = self.links.get(&peer).and_then(|link| link.session.as_ref()).map(|s| s.connection);
        for connection in live.into_iter().chain(newcomer) {
            self.close(now, connection, Closing::NotAdmitted, out);
        }
    }

    fn control(&mut self, now: Now, connection: ConnectionId, frame: Control, out: &mut Vec<Output>) {
        let Some(peer) = self.connections.get(&connection).copied() else { return };
        if !matches!(frame, Control::Hello(_)) && !self.links.get(&peer).is_some_and(|link| link.is_live(connection)) {
            return self.close(now, connection, Closing::Misbehaved, out);
        }
        match frame {
            Control::Hello(hello) => self.hello(now, peer, connection, *hello, out),
            Control::Verdict(verdict) => self.their_verdict(now, peer, connection, verdict, out),
            Control::Ack { lane, upto, credit } => self.acknowledged(now, peer, lane, upto, credit, out),
            Control::Inventory { page, last } => {
                self.their_inventory(now, peer, connection, page.into_vec(), last, out)
            }
            Control::Want { page, .. } => self.they_want(now, peer, connection, page.into_vec(), out),
            Control::Quarantined { bundle, .. } => out.push(Output::Raise(Alarm::QuarantinedThere { peer, bundle })),
            Control::GoAway { retry_after_ms } => {
                self.close(now, connection, Closing::GoAway, out);
                // Only the parent has a say in when the parent is dialled.
                if self.me.parent == Some(peer) {
                    self.backoff.told(now.uptime, retry_after_ms);
                }
            }
            // The driver has put the entry into the directory, and the node reads for itself where it hangs now.
            Control::Introduce(_) | Control::Moved(_) => {}
        }
    }

    fn page(&mut self, now: Now, ticket: Ticket, page: Page, out: &mut Vec<Output>) {
        match (self.pending.remove(&ticket), page) {
            (Some(Pending::Hash { peer, connection, lane }), Page::Hash(hash)) => {
                self.judged(now, peer, (connection, lane), hash, out);
            }
            (Some(Pending::Frames { peer, connection, lane }), Page::Outbox(rows)) => {
                self.frames(now, peer, connection, lane, rows, out);
            }
            (Some(Pending::Inventory { peer, connection }), Page::Inventory(ids)) => {
                self.own_inventory(peer, connection, ids, out);
            }
            (Some(Pending::Unseen { peer, connection, last }), Page::Unseen(ids)) => {
                self.lacking(peer, connection, ids, last, out);
            }
            (Some(Pending::Wanted { peer, connection }), Page::Bundles(bundles)) => {
                self.give(peer, connection, bundles, out);
            }
            // An answer to a question of a connection that is gone.
            _ => {}
        }
    }

    fn committed(&mut self, now: Now, tickets: Vec<Ticket>, out: &mut Vec<Output>) {
        let mut acks = BTreeMap::new();
        let mut lanes = BTreeSet::new();
        for ticket in tickets {
            match self.pending.remove(&ticket) {
                Some(Pending::Unnumbered { bundle }) => {
                    self.arriving.remove(&bundle);
                }
                Some(Pending::Arrival { peer, lane, position, bundle }) => {
                    if let Some(bundle) = bundle {
                        self.arriving.remove(&bundle);
                    }
                    if let Some(link) = self.links.get_mut(&peer) {
                        link.received.insert(lane, position);
                    }
                    acks.insert((peer, lane), position.seq);
                }
                Some(Pending::Outbox { peer, lane, seq, bundle }) => {
                    self.durable(peer, lane, seq, &bundle);
                    lanes.insert((peer, lane));
                }
                _ => {}
            }
        }
        for ((peer, lane), upto) in acks {
            let live = self.links.get(&peer).and_then(|link| link.session.as_ref()).filter(|s| s.is_up());
            if let Some(connection) = live.map(|s| s.connection) {
                Self::say(connection, Control::Ack { lane, upto, credit: self.limits.credit }, out);
            }
        }
        for (peer, lane) in lanes {
            self.pump(now, peer, lane, out);
        }
    }

    fn timeout(&mut self, now: Now, out: &mut Vec<Output>) {
        let slow: Vec<_> =
            self.links.waiting().filter_map(|(_, link)| link.too_slow(now.uptime, &self.limits)).collect();
        for connection in slow {
            self.close(now, connection, Closing::GreetingTooSlow, out);
        }
        let due: Vec<_> =
            self.links.waiting().filter(|(_, l)| l.drop_due(now.uptime, &self.limits)).map(|(p, _)| p).collect();
        for peer in due {
            self.drop_acknowledged(peer, out);
        }
        self.reoffer(now, out);
        self.links.rest(&self.limits);
        if self.backoff.dial_now(now.uptime, &self.limits, &mut self.random) {
            out.push(Output::Dial);
        }
    }
}
