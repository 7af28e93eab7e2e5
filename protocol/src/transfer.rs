//! Change of ownership: offer, accept or decline, release with the handover of the private parts, take.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::bounded::{List, Text};
use crate::chain::{Hash, TenureSeal};
use crate::event::{Brief, Header};
use crate::id::{CaseId, NodeId, OfferId};
use crate::sealed::Sealed;
use crate::time::ClockReading;

/// Headers that one message carries at most.
pub const HEADERS_MAX: usize = 512;
/// Tenures of one case at most.
pub const TENURES_MAX: usize = 64;

/// Ownership is offered. Nothing changes hands yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Offer {
    /// The offer.
    pub id: OfferId,
    /// The case.
    pub case: CaseId,
    /// The owner.
    pub from: NodeId,
    /// The case as it stands.
    pub brief: Brief,
    /// Hash of the last header at the time of the offer.
    pub head: Hash,
    /// When it was made.
    pub at: ClockReading,
    /// When it runs out.
    pub expires: ClockReading,
}

/// The receiver takes it on: durable there, but nothing is owned until the handover arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Accept {
    /// The offer.
    pub offer: OfferId,
    /// The case.
    pub case: CaseId,
    /// The receiver.
    pub by: NodeId,
    /// When.
    pub at: ClockReading,
}

/// Why an offer is declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Not the place's or the unit's competence.
    NotCompetent,
    /// Something is missing in the report.
    Incomplete,
    /// Already handled under another number.
    Duplicate,
    /// The level below can settle it.
    SettleBelow,
}

/// The receiver declines, with a ground and, if it can, the node that should own the case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Decline {
    /// The offer.
    pub offer: OfferId,
    /// The case.
    pub case: CaseId,
    /// The receiver.
    pub by: NodeId,
    /// The ground.
    pub ground: Ground,
    /// Words without names.
    pub text: Text<400>,
    /// Who should own it.
    pub proposed: Option<NodeId>,
    /// When.
    pub at: ClockReading,
}

/// The owner takes its offer back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Recall {
    /// The offer.
    pub offer: OfferId,
    /// The case.
    pub case: CaseId,
}

/// The case itself, from the owner that released it: all headers, the seals of all tenures, and the private parts
/// (a `List<PrivatePart, 512>`) sealed to the receiver.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Handover {
    /// The accepted offer.
    pub offer: OfferId,
    /// The case.
    pub case: CaseId,
    /// Key of the case in the figures, so that a change of owner moves no figure.
    pub key: crate::id::CaseKey,
    /// The division that registered it.
    pub registered_by: crate::division::DivisionCode,
    /// All headers from the first to the release.
    pub headers: List<Header, HEADERS_MAX>,
    /// One seal for each ended tenure, oldest first.
    pub seals: List<TenureSeal, TENURES_MAX>,
    /// The private parts.
    pub private: Sealed,
}

/// Earlier headers of a case for a level that begins to follow it: a case that rose after it had changed hands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct History {
    /// The case.
    pub case: CaseId,
    /// Headers from the first.
    pub headers: List<Header, HEADERS_MAX>,
    /// One seal for each ended tenure among them, oldest first.
    pub seals: List<TenureSeal, TENURES_MAX>,
}

impl Handover {
    /// Whether programs of the first version cannot read it.
    pub fn is_wide(&self) -> bool {
        self.headers.iter().any(Header::is_wide)
    }
}

impl History {
    /// Whether programs of the first version cannot read it.
    pub fn is_wide(&self) -> bool {
        self.headers.iter().any(Header::is_wide)
    }
}
