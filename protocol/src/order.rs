//! Orders: what one node asks of another about a case, and the answers.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::bounded::{Blob, Text};
use crate::chain::Epoch;
use crate::event::Brief;
use crate::event::wide::coded;
use crate::id::{CaseId, ContributionId, NodeId, OrderId};
use crate::sealed::Sealed;
use crate::time::{CivilDay, ClockReading};
use crate::warning::Warning;
use crate::wire::codec;

/// The five forms of a directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Directive {
    /// 督办
    Supervise,
    /// 交办
    Assign,
    /// 批示
    Instruct,
    /// 催办
    Remind,
    /// 通报
    Notify,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "asks")]
pub enum Asked {
    /// Do something about the case, and answer.
    Directive {
        /// Its form.
        form: Directive,
    },
    /// Let the issuer read names and documents until a day (调阅).
    View {
        /// The last day.
        until: CivilDay,
    },
    /// Approve a lower level, or its cancelling (`wanted` = none).
    ApproveLevel {
        /// The level that is wanted.
        wanted: Option<Warning>,
        /// The case as the owner sees it.
        brief: Brief,
    },
    /// What came after the first version.
    Wider(Wish),
}

impl Asked {
    /// Whether it is asked of a node itself, and does not follow the case to whoever owns it.
    pub fn is_of_a_node(&self) -> bool {
        matches!(self, Self::ApproveLevel { .. } | Self::Wider(_))
    }

    /// What an order tells of its case, to a node that may hold nothing else of it.
    pub fn told(&self) -> Option<Brief> {
        match self {
            Self::ApproveLevel { brief, .. } => Some(brief.clone()),
            Self::Wider(wish) => wish.read().map(|asked| asked.brief().clone()),
            Self::Directive { .. } | Self::View { .. } => None,
        }
    }
}

/// Bytes of the body of a wish.
pub const WISH_BYTES_MAX: usize = 1_024;

/// What is asked, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Wish {
    /// Which wish it is.
    pub code: u16,
    /// What it says, in the canonical encoding of that wish; no words and no names but those of the brief.
    pub body: Blob<WISH_BYTES_MAX>,
}

coded! {
    /// What the owner of a case asks of the node above, that came after the first version.
    WideAsked as Wish of WISH_BYTES_MAX, told by "asks";
    /// More time to resolve it (延期审批).
    Extend {
        /// Calendar days.
        days: u16,
        /// The case as it may be seen above.
        brief: Brief,
    } = 1,
    /// An assessment by another unit than the one that led it (提请考核).
    Assess {
        /// The case as it may be seen above.
        brief: Brief,
    } = 2,
}

impl WideAsked {
    /// As it travels. A brief is not long.
    pub fn widen(&self) -> Wish {
        let (code, bytes) = self.encoded();
        Wish { code, body: Blob::new(bytes).unwrap_or_default() }
    }

    /// The case as it may be seen above.
    pub fn brief(&self) -> &Brief {
        match self {
            Self::Extend { brief, .. } | Self::Assess { brief } => brief,
        }
    }
}

/// An order about a case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Order {
    /// The order.
    pub id: OrderId,
    /// The case.
    pub case: CaseId,
    /// The node that asks.
    pub from: NodeId,
    /// What is asked.
    pub asked: Asked,
    /// Words, without names of parties.
    pub text: Text<1000>,
    /// Calendar days to answer, counted from delivery.
    pub term_days: Option<u16>,
    /// When it was issued.
    pub at: ClockReading,
}

impl Order {
    /// Whether programs of the first version cannot read it.
    pub fn is_wide(&self) -> bool {
        matches!(self.asked, Asked::Wider(_))
    }
}

/// How an order was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Answer {
    /// A reply to a directive, without names of parties.
    Reply(Text<1000>),
    /// A view granted: private parts sealed to the issuer.
    Copy(Sealed),
    /// Yes, with a reason.
    Yes(Text<400>),
    /// No, with a reason.
    No(Text<400>),
    /// The case has left: ask its owner. The issuer sends the order on.
    Moved {
        /// The owner as far as this node knows.
        owner: NodeId,
        /// Its epoch.
        epoch: Epoch,
    },
    /// This node never had the case.
    Unknown,
    /// How the case is assessed: only to a node that asked for that.
    Scored {
        /// 1 (bad) to 5 (good).
        score: u8,
        /// Why, without names of parties.
        text: Text<400>,
    },
}

/// An answer on its way to the issuer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct OrderAnswer {
    /// The order.
    pub order: OrderId,
    /// The case.
    pub case: CaseId,
    /// Who answers.
    pub by: NodeId,
    /// The answer.
    pub answer: Answer,
    /// When.
    pub at: ClockReading,
}

/// The issuer no longer asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct OrderWithdrawn {
    /// The order.
    pub order: OrderId,
    /// The case.
    pub case: CaseId,
}

/// A note from somebody who does not own the case, sealed to the owner.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Contribution {
    /// Its id.
    pub id: ContributionId,
    /// The case.
    pub case: CaseId,
    /// Who contributes.
    pub from: NodeId,
    /// A [`crate::event::PrivatePart`], sealed to the owner.
    pub sealed: Sealed,
    /// When.
    pub at: ClockReading,
}
