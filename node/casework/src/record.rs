//! The closed list of what a node stores of cases. Each record is an upsert by its natural key, [`Record::key`].

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::bounded::Text;
use protocol::chain::{Epoch, Hash, TenureSeal};
use protocol::division::DivisionCode;
use protocol::erase::Erase;
use protocol::event::{Brief, Header, Private, Salt};
use protocol::fact::{CaseFact, Measure, Tally, Watermark};
use protocol::grading::Answers;
use protocol::id::{CaseId, CaseKey, ContributionId, EventId, NodeId, OfferId, OrderId};
use protocol::order::Order;
use protocol::receipt::{Progress, Receipt, Subject};
use protocol::time::{CivilDay, ClockReading};
use protocol::transfer::{Ground, Offer};
use serde::{Deserialize, Serialize};

use crate::restricted::Reader;

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A header with its private part, if that is held, and the node that is proven to have written it. Key: event and
    /// header hash, because a restored owner mints one event again behind another. `private` none leaves a stored one.
    Event {
        /// The header.
        header: Arc<Header>,
        /// Its private part.
        private: Option<(Salt, Private)>,
        /// Who wrote it.
        origin: NodeId,
    },
    /// The end of a tenure. Key: case, epoch and hash of its last header.
    Seal(TenureSeal),
    /// The key of a case in the figures. Key: case.
    Key {
        /// The case.
        case: CaseId,
        /// Its key.
        key: CaseKey,
        /// The division that registered it.
        registered_by: DivisionCode,
    },
    /// An order as issuer or receiver holds it. Key: order.
    Order(OrderFile),
    /// An offer as owner or receiver holds it. Key: offer.
    Offer(OfferFile),
    /// A receipt. Key: subject without its number, giver, progress.
    Receipt(Receipt),
    /// A case fact. Key: case key; replaced by a higher rank only.
    Fact(CaseFact),
    /// A tally. Key: node, day, measure; replaced by a higher version only.
    Tally(Tally),
    /// A watermark. Key: node; replaced by a later one only.
    Watermark(Watermark),
    /// Somebody who holds something of a case: the page "what left this node". Key: case, node, class.
    Follower(Follower),
    /// A contribution that was sent or received. Key: contribution.
    Contribution(ContributionFile),
    /// Private parts that are gone, and stay refused when somebody gives them back. Key: case and order.
    Erasure(Erase),
    /// Private parts that went from this node on their day. Key: case. Once they are given again, a record without them replaces it.
    Lapse(Lapse),
    /// Somebody who may read a restricted case here. Key: case and user.
    Reader(Reader),
}

/// The natural key of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKey {
    /// Of an event.
    Event(CaseId, EventId, Hash),
    /// Of a seal. A restored owner may have ended the same tenure twice, in two ways: which one holds the chain says.
    Seal(CaseId, Epoch, Hash),
    /// Of a case key.
    Key(CaseId),
    /// Of an order.
    Order(OrderId),
    /// Of an offer.
    Offer(OfferId),
    /// Of a receipt.
    Receipt(Subject, NodeId, Progress),
    /// Of a fact.
    Fact(CaseKey),
    /// Of a tally.
    Tally(NodeId, CivilDay, Measure),
    /// Of a watermark.
    Watermark(NodeId),
    /// Of a follower.
    Follower(CaseId, NodeId, FollowerClass),
    /// Of a contribution.
    Contribution(ContributionId),
    /// Of an erasure.
    Erasure(CaseId, OrderId),
    /// Of what went on its day.
    Lapse(CaseId),
    /// Of a reader: a hash of the user id.
    Reader(CaseId, Hash),
}

impl Record {
    /// Its natural key.
    pub fn key(&self) -> RecordKey {
        match self {
            Self::Event { header, .. } => RecordKey::Event(header.case, header.id, header.hash()),
            Self::Seal(seal) => RecordKey::Seal(seal.case, seal.head.epoch, seal.head.hash),
            Self::Key { case, .. } => RecordKey::Key(*case),
            Self::Order(file) => RecordKey::Order(file.order.id),
            Self::Offer(file) => RecordKey::Offer(file.offer.id),
            Self::Receipt(receipt) => RecordKey::Receipt(numberless(receipt.subject), receipt.by, receipt.progress),
            Self::Fact(fact) => RecordKey::Fact(fact.key),
            Self::Tally(tally) => RecordKey::Tally(tally.node, tally.day, tally.measure),
            Self::Watermark(mark) => RecordKey::Watermark(mark.node),
            Self::Follower(follower) => RecordKey::Follower(follower.case, follower.node, follower.class),
            Self::Contribution(file) => RecordKey::Contribution(file.id),
            Self::Erasure(erase) => RecordKey::Erasure(erase.case, erase.id),
            Self::Lapse(lapse) => RecordKey::Lapse(lapse.case),
            Self::Reader(reader) => RecordKey::Reader(reader.case, Hash::of(reader.user.as_bytes())),
        }
    }

    /// The case it belongs to. None for records of the figures that name no case.
    pub fn case(&self) -> Option<CaseId> {
        match self {
            Self::Event { header, .. } => Some(header.case),
            Self::Seal(seal) => Some(seal.case),
            Self::Key { case, .. } => Some(*case),
            Self::Order(file) => Some(file.order.case),
            Self::Offer(file) => Some(file.offer.case),
            Self::Receipt(receipt) => Some(match receipt.subject {
                Subject::Case { case, .. } | Subject::Order { case, .. } | Subject::Offer { case, .. } => case,
            }),
            Self::Fact(fact) => fact.case,
            Self::Tally(_) | Self::Watermark(_) => None,
            Self::Follower(follower) => Some(follower.case),
            Self::Contribution(file) => Some(file.case),
            Self::Erasure(erase) => Some(erase.case),
            Self::Lapse(lapse) => Some(lapse.case),
            Self::Reader(reader) => Some(reader.case),
        }
    }

    /// Whether it may replace a stored record of the same key: versions only ever rise.
    pub fn replaces(&self, stored: &Self) -> bool {
        match (self, stored) {
            (Self::Fact(new), Self::Fact(old)) => new.rank() >= old.rank(),
            (Self::Tally(new), Self::Tally(old)) => new.version >= old.version,
            (Self::Watermark(new), Self::Watermark(old)) => new.version >= old.version,
            (Self::Receipt(new), Self::Receipt(old)) => new.subject >= old.subject,
            (Self::Event { private: None, .. }, Self::Event { private: Some(_), .. }) => false,
            _ => true,
        }
    }
}

/// Receipts about a case are cumulative: the number is no part of the key.
fn numberless(subject: Subject) -> Subject {
    match subject {
        Subject::Case { case, .. } => Subject::Case { case, epoch: Epoch::default(), number: 0 },
        other => other,
    }
}

/// How an order was answered, as it is kept. A sealed copy is not kept as such: what it held is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum AnswerKind {
    /// Words.
    Reply {
        /// The words.
        text: Text<1000>,
    },
    /// A view was granted.
    Copy,
    /// Yes.
    Yes {
        /// Why.
        text: Text<400>,
    },
    /// No.
    No {
        /// Why.
        text: Text<400>,
    },
    /// The case has left for another owner; the order was sent on.
    Moved {
        /// The owner then named.
        owner: NodeId,
        /// Its epoch.
        epoch: Epoch,
    },
    /// The node never had the case.
    Unknown,
    /// Assessed.
    Scored {
        /// 1 (bad) to 5 (good).
        score: u8,
        /// Why.
        text: Text<400>,
    },
}

/// An answer with who gave it and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Who answered.
    pub by: NodeId,
    /// When.
    pub at: ClockReading,
    /// What.
    pub kind: AnswerKind,
}

/// An order (指令) as held here: the same shape at issuer and receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFile {
    /// The order.
    pub order: Order,
    /// The node that it is with now.
    pub to: NodeId,
    /// How often it was sent on to another owner.
    pub hops: u8,
    /// When it became durable at the receiver; set there.
    pub delivered: Option<ClockReading>,
    /// When a person there opened it; set there.
    pub read: Option<ClockReading>,
    /// The last day to answer; set at the receiver.
    pub due: Option<CivilDay>,
    /// Its answer.
    pub answered: Option<Answered>,
    /// No longer asked.
    pub withdrawn: bool,
    /// Of an approval that this node asks: the answers of the grade panel that go with the wanted level.
    pub answers: Option<Answers>,
}

impl OrderFile {
    /// Whether somebody still waits for its answer.
    pub fn open(&self) -> bool {
        self.answered.is_none() && !self.withdrawn
    }
}

/// How far an offer (移交) has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OfferState {
    /// Waits for an answer (待签收).
    Open,
    /// Taken on by the receiver; the case has not moved yet.
    Accepted,
    /// Declined.
    Declined {
        /// Why.
        ground: Ground,
        /// Words.
        text: Text<400>,
        /// Whom the receiver proposes.
        proposed: Option<NodeId>,
    },
    /// Recalled by the owner.
    Recalled,
    /// Ran out.
    Expired,
    /// The case has moved.
    Done,
}

/// An offer as held here: the same shape at owner and receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferFile {
    /// The offer.
    #[serde(with = "OfferShape")]
    pub offer: Offer,
    /// To whom.
    pub to: NodeId,
    /// How far.
    pub state: OfferState,
    /// Since when.
    pub since: ClockReading,
}

/// [`Offer`] for serde: the protocol's own type knows the wire only.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Offer")]
struct OfferShape {
    id: OfferId,
    case: CaseId,
    from: NodeId,
    brief: Brief,
    head: Hash,
    at: ClockReading,
    expires: ClockReading,
}

/// How much somebody holds of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowerClass {
    /// Headers.
    Brief,
    /// Names and documents of a task, or of its own report.
    Working,
    /// Everything.
    Full,
}

/// Somebody who holds something of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follower {
    /// The case.
    pub case: CaseId,
    /// Who.
    pub node: NodeId,
    /// How much.
    pub class: FollowerClass,
    /// Since when.
    pub since: ClockReading,
    /// Until which day; none: to the archive.
    pub until: Option<CivilDay>,
    /// Why, as a fixed word: `ceiling`, `offer`, `released`, `former-owner`, `view`, `owner`.
    pub why: Text<40>,
}

/// What went from this node because the day had passed until which it might hold it (到期). Not refused for good as what
/// was erased is: a new view, or the case itself, brings it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lapse {
    /// The case.
    pub case: CaseId,
    /// When.
    pub at: ClockReading,
    /// Whose private parts; a contribution stands under the id of its event.
    pub events: BTreeSet<EventId>,
}

/// A contribution (补充情况) as held here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContributionFile {
    /// Its id.
    pub id: ContributionId,
    /// The case.
    pub case: CaseId,
    /// Whose.
    pub from: NodeId,
    /// When.
    pub at: ClockReading,
    /// What it says, where that is held.
    pub private: Option<Private>,
    /// In the chain of the case, as far as this node knows.
    pub appended: bool,
}
