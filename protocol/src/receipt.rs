//! Receipts that people see at both ends: how far something sent has come.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::chain::Epoch;
use crate::id::{CaseId, NodeId, OfferId, OrderId};
use crate::time::ClockReading;

/// How far it has come. Each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// In the sender's outbox.
    Queued,
    /// On its way.
    Sent,
    /// Durable at the node that gives the receipt.
    Delivered,
    /// Opened by a person.
    Read,
    /// Taken on (签收).
    Accepted,
    /// Answered or finished.
    Done,
}

/// What a receipt is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Subject {
    /// A case, up to this header: cumulative.
    Case {
        /// The case.
        case: CaseId,
        /// Epoch of the last header held.
        epoch: Epoch,
        /// Number of the last header held without a gap.
        number: u32,
    },
    /// An order.
    Order {
        /// The order.
        order: OrderId,
        /// Its case.
        case: CaseId,
    },
    /// An offer.
    Offer {
        /// The offer.
        offer: OfferId,
        /// Its case.
        case: CaseId,
    },
}

/// One receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Receipt {
    /// About what.
    pub subject: Subject,
    /// Who gives it.
    pub by: NodeId,
    /// How far.
    pub progress: Progress,
    /// When, by the giver's clock.
    pub at: ClockReading,
}
