//! What the core wants done.

use std::sync::Arc;

use protocol::directory::Ancestor;
use protocol::id::{BundleId, NodeId};
use protocol::wire::bundle::Bundle;
use protocol::wire::control::{Control, Delivered, Position};
use protocol::wire::frame::{Lane, LinkSeq};

use super::KeptLink;
use super::alarm::{Alarm, Closing};
use super::input::ConnectionId;

/// Numbers a write or a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// One thing to do, in order.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "made and worked off at once; a box each would cost more than it saves")]
pub enum Output {
    /// Dial the parent.
    Dial,
    /// Send a frame. Whatever had to be durable before it is.
    Send {
        /// On this connection.
        connection: ConnectionId,
        /// The frame.
        frame: FrameOut,
    },
    /// Store this in the transaction that is being gathered, and say `Committed` with the ticket once it is durable.
    Persist {
        /// The ticket.
        ticket: Ticket,
        /// What to store.
        write: Write,
    },
    /// Look this up once the transaction that is being gathered is durable.
    Fetch {
        /// The ticket.
        ticket: Ticket,
        /// What to look up.
        query: Query,
    },
    /// Seal this terminal receipt and hand it back as `Outgoing` in the same transaction.
    Tell {
        /// The origin of the bundles.
        to: NodeId,
        /// The receipt.
        delivered: Delivered,
    },
    /// Close a connection.
    Close {
        /// The connection.
        connection: ConnectionId,
        /// Why.
        why: Closing,
    },
    /// Tell the operator.
    Raise(Alarm),
    /// The link with this peer is up: both greetings agree.
    LinkUp {
        /// The peer.
        peer: NodeId,
    },
    /// The link with this peer is down.
    LinkDown {
        /// The peer.
        peer: NodeId,
    },
    /// The line above, nearest first, as the parent told it.
    LearnAncestors(Vec<Ancestor>),
    /// How far the parent's clock is ahead of this node's.
    ClockOffset {
        /// Milliseconds.
        ms: i64,
    },
}

/// A frame on its way out.
#[derive(Debug, Clone)]
pub enum FrameOut {
    /// On the control lane.
    Control(Control),
    /// A numbered bundle.
    Bundle {
        /// The lane.
        lane: Lane,
        /// Its number.
        seq: LinkSeq,
        /// Its bytes.
        bytes: Arc<[u8]>,
        /// Who sealed it: the driver introduces the key first.
        origin: NodeId,
    },
}

/// What becomes of an arrived bundle at this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deliver {
    /// It is for this node: keep and apply.
    Apply,
    /// It is for elsewhere: keep, and pass on.
    Relay,
    /// It is for elsewhere, and this node applies it too.
    RelayAndKeep,
    /// It was given back after a restore: keep and apply, do not pass on.
    Returned,
    /// It is known: nothing but its number counts.
    Duplicate,
}

/// Something to store.
#[derive(Debug)]
pub enum Write {
    /// A bundle that arrived.
    Arrival {
        /// From whom.
        from: NodeId,
        /// On which lane.
        lane: Lane,
        /// Its position; where the lane stands, when it came in a parcel and has none.
        position: Position,
        /// The bundle.
        bundle: Bundle,
        /// What becomes of it.
        deliver: Deliver,
    },
    /// A bundle for a neighbour, with its number. The bundle itself may be in the store already.
    Outbox {
        /// The neighbour.
        peer: NodeId,
        /// The lane.
        lane: Lane,
        /// Its position.
        position: Position,
        /// The bundle.
        bundle: Bundle,
    },
    /// A bundle of this node that has no way yet: kept, and offered when a reconciliation asks.
    Unrouted {
        /// The bundle.
        bundle: Bundle,
    },
    /// The numbering of a link.
    Link(KeptLink),
    /// A neighbour has acknowledged up to here: rows below may go.
    Acked {
        /// The neighbour.
        peer: NodeId,
        /// The lane.
        lane: Lane,
        /// Up to and including.
        upto: LinkSeq,
    },
    /// The numbering of a link starts again: its outbox rows go. What was on its way and nobody here waits for, as a
    /// receipt, is handed in again as `Rerouted` in the same transaction: nothing else would bring it.
    Renumber {
        /// The neighbour.
        peer: NodeId,
    },
    /// These bundles are durable at their destination. An id that is not in the store must be remembered: after a restore
    /// a receipt may come back before its bundle, which is then to be kept as receipted from the start.
    Receipted {
        /// Who says so: only its own bundles count, those that are for it.
        by: NodeId,
        /// Ids.
        bundles: Vec<BundleId>,
    },
    /// A bundle that could not be accepted.
    Quarantine {
        /// From whom.
        from: NodeId,
        /// The bundle.
        bundle: Bundle,
        /// Why.
        reason: String,
    },
}

/// Something to look up.
#[derive(Debug, Clone)]
pub enum Query {
    /// Frames of an outbox after a number.
    Outbox {
        /// The neighbour.
        peer: NodeId,
        /// The lane.
        lane: Lane,
        /// After this number.
        after: LinkSeq,
        /// So many at most.
        count: usize,
        /// Bytes, roughly.
        bytes: usize,
    },
    /// The chain hash of an outbox row.
    HashAt {
        /// The neighbour.
        peer: NodeId,
        /// The lane.
        lane: Lane,
        /// The number.
        seq: LinkSeq,
    },
    /// Ids of the bundles that passed between a neighbour's side and the rest, after one.
    Inventory {
        /// The neighbour.
        peer: NodeId,
        /// After this one.
        after: Option<BundleId>,
        /// So many at most.
        count: usize,
    },
    /// Which of these are not in the store.
    Unseen {
        /// Ids.
        ids: Vec<BundleId>,
    },
    /// Bundles by id.
    Bundles {
        /// Ids.
        ids: Vec<BundleId>,
    },
}
