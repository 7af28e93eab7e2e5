//! Orders: what one node asks of another about a case, and the answers.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::bounded::Text;
use crate::chain::Epoch;
use crate::event::Brief;
use crate::id::{CaseId, ContributionId, NodeId, OrderId};
use crate::sealed::Sealed;
use crate::time::{CivilDay, ClockReading};
use crate::warning::Warning;

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
