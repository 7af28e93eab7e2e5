//! What the core is told.

use std::sync::Arc;

use protocol::chain::Hash;
use protocol::id::{BundleId, NodeId};
use protocol::wire::bundle::Bundle;
use protocol::wire::control::Control;
use protocol::wire::frame::{Lane, LinkSeq};

use super::output::Ticket;
use super::verified::Verified;

/// Numbers a connection of the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// Milliseconds since the process started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uptime(pub u64);

/// The two times of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For waiting: never goes back.
    pub uptime: Uptime,
    /// For people: may be years wrong.
    pub wall: protocol::time::UnixMillis,
}

/// One thing that happened.
#[derive(Debug)]
pub enum Input {
    /// A connection whose peer is proven stands.
    LinkOpened {
        /// The peer.
        peer: NodeId,
        /// The connection.
        connection: ConnectionId,
        /// Whether this side dialled.
        dialled: bool,
    },
    /// A connection is gone.
    LinkClosed {
        /// The connection.
        connection: ConnectionId,
    },
    /// The parent was not reached.
    DialFailed,
    /// A control frame.
    Control {
        /// The connection.
        connection: ConnectionId,
        /// The frame.
        frame: Control,
    },
    /// A bundle whose origin is proven.
    Arrived {
        /// The connection.
        connection: ConnectionId,
        /// Its lane.
        lane: Lane,
        /// Its number.
        seq: LinkSeq,
        /// The bundle.
        bundle: Verified<Bundle>,
        /// It is in the store already. What came earlier in the transaction that is being gathered must not count: the core
        /// may have passed over it, and remembers itself what it has taken in.
        seen: bool,
        /// If so: it still waits for its terminal receipt here.
        held_unreceipted: bool,
    },
    /// A bundle whose origin is proven, in a parcel that this neighbour made: it has no number and moves none.
    Carried {
        /// The neighbour.
        from: NodeId,
        /// The bundle.
        bundle: Verified<Bundle>,
        /// As of [`Input::Arrived`].
        seen: bool,
        /// As of [`Input::Arrived`].
        held_unreceipted: bool,
    },
    /// A bundle that is not believed: its number is used up, the lane goes on.
    Unbelieved {
        /// The connection.
        connection: ConnectionId,
        /// Its lane.
        lane: Lane,
        /// Its number.
        seq: LinkSeq,
        /// What came.
        bytes: Arc<[u8]>,
    },
    /// The application could not accept a bundle and has kept it aside.
    Rejected {
        /// The bundle.
        bundle: BundleId,
        /// From whom it came.
        from: NodeId,
        /// Why.
        reason: String,
    },
    /// The peer broke the framing.
    Misbehaved {
        /// The connection.
        connection: ConnectionId,
        /// What it did.
        what: String,
    },
    /// Bundles that this node sealed, to be numbered and stored in the transaction that is being gathered.
    Outgoing {
        /// The bundles.
        bundles: Vec<Bundle>,
    },
    /// A node below was enrolled, or has moved.
    Registered {
        /// The node.
        node: NodeId,
        /// The direct child it is reached through.
        via: NodeId,
    },
    /// A node moved, and some nodes are reached in another way from now on: through another child, or no longer below this
    /// node. What they sent by the way before may still come on it.
    Relocated {
        /// The nodes, each with the child that it was reached through and the one that it is reached through now.
        members: Vec<(NodeId, Option<NodeId>, Option<NodeId>)>,
    },
    /// Bundles that are kept here and whose way has changed: numbered anew. May come several times, with a part each.
    Rerouted {
        /// The bundles.
        bundles: Vec<Bundle>,
    },
    /// A child may no longer connect.
    Revoked {
        /// The child.
        peer: NodeId,
    },
    /// This node has another certificate, trusts other roots, or hangs below another node.
    Identity(Box<super::Identity>),
    /// These writes are durable.
    Committed {
        /// Their tickets, in order.
        tickets: Vec<Ticket>,
    },
    /// The answer to a query.
    Page {
        /// The query's ticket.
        ticket: Ticket,
        /// The answer.
        page: Page,
    },
    /// Time has passed.
    Timeout,
}

/// An answer of the store.
#[derive(Debug)]
pub enum Page {
    /// Frames of an outbox, in order: number, chain hash, origin, bytes.
    Outbox(Vec<(LinkSeq, Hash, NodeId, Arc<[u8]>)>),
    /// The chain hash at a number, if that row is still there.
    Hash(Option<Hash>),
    /// Ids, in order.
    Inventory(Vec<BundleId>),
    /// Ids that are not in the store.
    Unseen(Vec<BundleId>),
    /// Bundles.
    Bundles(Vec<Bundle>),
}
