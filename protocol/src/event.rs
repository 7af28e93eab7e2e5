//! Events of a case, in two parts: a header that may be seen above, and a private part that stays with the owner and
//! those it is sealed to.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::bounded::{List, Text};
use crate::chain::{Epoch, Hash};
use crate::division::{DivisionCode, GridKind};
use crate::grading::Grading;
use crate::id::{CaseId, ContributionId, EventId, NodeId, OfferId, OrderId};
use crate::time::{CivilDay, ClockReading};
use crate::unit::UnitCode;
use crate::warning::Warning;
use crate::wire::codec;

mod mediation;
mod party;
mod said;
pub(crate) mod wide;

pub use self::mediation::{
    AgreementForm, Confirmation, Instalment, Kept, Mark, MediationEnd, MediationSource, PaperNumber, Parties,
    SessionKind,
};
pub use self::party::{Being, Participant, Party, PartySide, Sex, Standing};
pub use self::said::{
    Contentment, INSTALMENTS_MAX, MEDIATORS_MAX, PARTIES_AT_ONCE_MAX, SAID_BYTES_MAX, Said, ToldBy, WideContent,
    Withheld,
};
pub use self::wide::{DeclineGround, PauseGround, RestrictionGround, WIDE_BYTES_MAX, WideAct, Wider};

/// What a matter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// 纠纷: graded and mediated.
    Dispute,
    /// 民生诉求
    Request,
    /// 咨询
    Consultation,
}

impl Matter {
    /// All of them, in the order of the wire.
    pub const ALL: [Self; 3] = [Self::Dispute, Self::Request, Self::Consultation];
}

/// Where a matter came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A window of the centre.
    Window,
    /// A grid worker.
    Grid,
    /// A home visit.
    Visit,
    /// The citizens' hotline 12345.
    Hotline12345,
    /// The police number 110.
    Police110,
    /// The legal-service line 12348.
    Legal12348,
    /// A petition.
    Petition,
    /// A superior level.
    Superior,
    /// A department.
    Department,
    /// The public, by itself.
    Public,
}

impl Source {
    /// All of them, in the order of the wire.
    pub const ALL: [Self; 10] = [
        Self::Window,
        Self::Grid,
        Self::Visit,
        Self::Hotline12345,
        Self::Police110,
        Self::Legal12348,
        Self::Petition,
        Self::Superior,
        Self::Department,
        Self::Public,
    ];
}

/// The category of a matter: the four digits of the GB/T 31000 list, e.g. 0402. Codes that this version does not know are
/// carried and shown as such, never refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Category(pub u16);

impl std::fmt::Display for Category {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

/// The six steps of the closed loop, and the archive after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// 信息上报
    Reported,
    /// 核实立案
    Filed,
    /// 分流交办
    Assigned,
    /// 跟踪处理
    InProgress,
    /// 事件反馈
    FedBack,
    /// 考核评价
    Assessed,
    /// 归档
    Archived,
}

impl Step {
    /// All of them, in the order of the wire.
    pub const ALL: [Self; 7] =
        [Self::Reported, Self::Filed, Self::Assigned, Self::InProgress, Self::FedBack, Self::Assessed, Self::Archived];
}

/// How a matter ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Settled.
    Successful,
    /// Handled to the end without a settlement.
    Unsuccessful,
    /// Ended for a reason that is neither (withdrawn, transferred to a court, answered).
    Other,
}

impl Outcome {
    /// All of them, in the order of the wire.
    pub const ALL: [Self; 3] = [Self::Successful, Self::Unsuccessful, Self::Other];
}

/// A term that is running: what is due and on which day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct DueTerm {
    /// What is due.
    pub kind: TermKind,
    /// The day from which it runs, which is not counted itself.
    pub since: CivilDay,
    /// The last day on which it is met; of a provisional one the last day that the owner's calendar knew.
    pub day: CivilDay,
    /// It ends after `day`, beyond the owner's calendar: nobody has told yet which days are worked.
    pub provisional: bool,
}

/// What a term limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermKind {
    /// Verify and file.
    File,
    /// Assign to a unit.
    Assign,
    /// Resolve (people's mediation: one month, 人民调解工作若干规定 art. 33).
    Resolve,
    /// Feed back to who asked.
    FeedBack,
    /// Assess.
    Assess,
    /// Answer an order.
    Answer,
    /// Sign for an offer.
    Accept,
}

/// What may be seen of a case above: facts and a summary without names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Brief {
    /// What the matter is.
    pub matter: Matter,
    /// Where it came from.
    pub source: Source,
    /// Its category.
    pub category: Category,
    /// Where it happened.
    pub place: DivisionCode,
    /// The kind of grid there.
    pub grid_kind: GridKind,
    /// People involved, 0 while not known.
    pub head_count: u32,
    /// Level, with the answers and the rule that fired.
    pub grading: Grading,
    /// Step of the loop.
    pub step: Step,
    /// The node that owns the case after this event.
    pub owner: NodeId,
    /// The unit that answers for it.
    pub unit: UnitCode,
    /// The term that ends next.
    pub next_term: Option<DueTerm>,
    /// A summary written for above, without names.
    pub summary: Text<120>,
    /// The node up to which this case is reported; set when it rises to red, kept until the archive.
    pub ceiling: Option<NodeId>,
    /// How it ended, once resolved.
    pub outcome: Option<Outcome>,
    /// Entered by mistake: struck through, and out of every figure.
    pub void: bool,
}

impl Brief {
    /// The warning level.
    pub fn level(&self) -> Option<Warning> {
        self.grading.level
    }
}

/// How reporting ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The reporting node keeps the case to its archive.
    SettleHere,
    /// Ownership is offered to the intake level above.
    Submit,
}

/// What happened, as far as it may be seen above. The state after it is in the header's brief.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "act")]
pub enum Act {
    /// Step 1. Always number 1 of a chain.
    Reported {
        /// How reporting ended.
        ending: Ending,
    },
    /// Step 2: verified and filed.
    Filed,
    /// Returned to the reporter for completion.
    Returned,
    /// Step 3: given to a unit.
    Assigned,
    /// Step 4: work on it.
    Progressed,
    /// Step 4 ends: settled or not.
    Resolved,
    /// Step 5: who asked was told.
    FedBack,
    /// Step 6: assessed.
    Assessed {
        /// 1 (bad) to 5 (good).
        score: u8,
    },
    /// Archived: the chain ends here.
    Archived,
    /// Entered by mistake.
    Voided,
    /// The level rose.
    Raised {
        /// The level before.
        from: Option<Warning>,
    },
    /// The level fell, with the approval it needs.
    Lowered {
        /// The level before.
        from: Option<Warning>,
        /// The approval order, when the role that approves sits above.
        approval: Option<OrderId>,
    },
    /// The level was cancelled, with the approval it needs.
    Cancelled {
        /// The level before.
        from: Option<Warning>,
        /// The approval order, when the role that approves sits above.
        approval: Option<OrderId>,
    },
    /// Approval to lower or cancel was asked of a level above; the higher level stands meanwhile.
    ApprovalAsked {
        /// The approval order.
        order: OrderId,
        /// The level that is wanted.
        wanted: Option<Warning>,
    },
    /// Approval was refused.
    ApprovalRefused {
        /// The approval order.
        order: OrderId,
    },
    /// Ownership was offered.
    Offered {
        /// The offer.
        offer: OfferId,
        /// To whom.
        to: NodeId,
    },
    /// The offer was recalled or ran out.
    OfferEnded {
        /// The offer.
        offer: OfferId,
    },
    /// The receiver declined.
    OfferDeclined {
        /// The offer.
        offer: OfferId,
        /// Whom it proposes instead.
        proposed: Option<NodeId>,
    },
    /// The last event of an epoch: ownership goes.
    Released {
        /// The accepted offer.
        offer: OfferId,
        /// The next owner.
        to: NodeId,
        /// Its epoch.
        next: Epoch,
    },
    /// The first event of an epoch after a release.
    Taken {
        /// Hash of the release.
        release: Hash,
    },
    /// The first event of an epoch without consent: the owner is lost.
    TakenOver {
        /// The owner before.
        from: NodeId,
    },
    /// An order about the case arrived.
    OrderReceived {
        /// The order.
        order: OrderId,
    },
    /// An order was answered.
    OrderAnswered {
        /// The order.
        order: OrderId,
    },
    /// Somebody else's note was appended.
    Contributed {
        /// Its id.
        contribution: ContributionId,
        /// Whose.
        from: NodeId,
    },
    /// The line above reaches further up than it did, or the policy does, and a red or orange case goes with it.
    CeilingRaised,
    /// An act that came after the first version.
    Wider(Wider),
}

/// The part of an event that may be seen above, signed and chained.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Header {
    /// The event.
    pub id: EventId,
    /// Its case.
    pub case: CaseId,
    /// Epoch of the owner that wrote it.
    pub epoch: Epoch,
    /// Number in the case, from 1, going on over epochs.
    pub number: u32,
    /// Hash of the header before, [`Hash::ZERO`] for the first.
    pub previous: Hash,
    /// When, by the owner's clock.
    pub at: ClockReading,
    /// What happened.
    pub act: Act,
    /// The state after it.
    pub brief: Brief,
    /// Binds the private part without telling it.
    pub commitment: Commitment,
}

impl Header {
    /// The hash by which the next header names this one. Over the canonical encoding, which is what travels too.
    pub fn hash(&self) -> Hash {
        Hash::of(&codec::encode_unbounded(self))
    }

    /// Whether programs of the first version cannot read it.
    pub fn is_wide(&self) -> bool {
        matches!(self.act, Act::Wider(_))
    }
}

/// `BLAKE3(salt ‖ encoded private part)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Commitment(pub [u8; 32]);

/// The random salt of a private part: without it a commitment could be guessed from a short text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Salt(pub [u8; 16]);

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// Who did something, as a person: private too.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Signatory {
    /// Name as shown.
    pub name: Text<60>,
    /// User id at the node.
    pub user: Text<40>,
}

/// What an event says privately.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Content {
    /// Nothing but who did it.
    Nothing,
    /// The report itself.
    Report {
        /// Title.
        title: Text<120>,
        /// Narrative.
        narrative: Text<8000>,
        /// Parties on all sides.
        parties: List<Party, 64>,
    },
    /// A note, a reason, an answer.
    Note {
        /// The text.
        text: Text<4000>,
    },
    /// How it was resolved.
    Resolution {
        /// What was agreed, or why nothing was.
        terms: Text<4000>,
        /// Sum involved, in fen.
        amount_fen: Option<u64>,
    },
    /// What came after the first version.
    Wider(Said),
}

/// The private part of an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Private {
    /// Who did it; absent when the node itself did.
    pub by: Option<Signatory>,
    /// What it says.
    pub content: Content,
}

impl Private {
    /// Whether programs of the first version cannot read it.
    pub fn is_wide(&self) -> bool {
        matches!(self.content, Content::Wider(_))
    }

    /// The commitment to this private part.
    pub fn commit(&self, salt: Salt) -> Commitment {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&salt.0).update(&codec::encode_unbounded(self));
        Commitment(*hasher.finalize().as_bytes())
    }
}

/// A private part on its way to somebody who may read it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct PrivatePart {
    /// The event it belongs to.
    pub event: EventId,
    /// Its salt.
    pub salt: Salt,
    /// The part.
    pub private: Private,
}

/// An event as its owner holds it. Followers hold the header alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CaseEvent {
    /// The part that may be seen above.
    pub header: Header,
    /// The part that may not, if it is here.
    pub private: Option<(Salt, Private)>,
}
