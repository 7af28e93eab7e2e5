//! The writer's port: how the API, the command line and the demo ask it for work.

use casework::{Actor, Case, Command, Intake, Refusal};
use protocol::bounded::{Blob, Text};
use protocol::chain::Hash;
use protocol::fact::Measure;
use protocol::id::{CaseId, NodeId};
use protocol::publication::{PUBLICATION_BYTES_MAX, PublicationKind};
use protocol::time::{CivilDay, UnixMillis};
use tokio::sync::{mpsc, oneshot};

use crate::person::audit::{self, Entry};
use crate::person::change::Change;
use crate::store::attachments::Change as AttachmentChange;
use crate::store::drafts::DraftChange;
use crate::store::duty::DutyList;
use crate::store::persons::AnsweredRow;

use super::parcels::{ParcelAsk, ParcelRefused};
use super::trust::TrustAct;

/// Work that waits for the writer at most; beyond it a caller waits.
pub const WORK_QUEUE_MAX: usize = 4_096;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Trust does not allow it; the text says why and what to do.
    #[error("{0}")]
    Trust(String),
    /// A parcel was not made, or not taken in.
    #[error(transparent)]
    Parcel(#[from] ParcelRefused),
    /// The database failed; nothing of the request was kept.
    #[error("nothing was saved: the database failed")]
    Store,
    /// The disk is full, or nearly; nothing of the request was kept.
    #[error("nothing was saved: the disk is full")]
    NoRoom,
    /// A tally cannot fall below zero.
    #[error("nothing was counted: fewer were counted so far than are to be taken back")]
    TallyOutOfRange,
    /// The node is stopping; nothing of the request was kept.
    #[error("nothing was saved: the node is stopping")]
    Stopping,
}

/// What is to be published here.
#[derive(Debug, Clone)]
pub struct NewPublication {
    /// What it is.
    pub kind: PublicationKind,
    /// Its name.
    pub name: Text<60>,
    /// From when it holds; none: from now on.
    pub from: Option<UnixMillis>,
    /// Its content, which the caller has read already; empty to withdraw.
    pub content: Blob<PUBLICATION_BYTES_MAX>,
    /// Who publishes it.
    pub by: String,
}

/// What the writer is asked.
#[derive(Debug)]
pub enum Ask {
    /// Publish something from here down.
    Publish(Box<NewPublication>),
    /// File a report.
    Report {
        /// The report.
        intake: Box<Intake>,
        /// Who files it.
        by: Actor,
    },
    /// Say whether a report would be filed, and keep nothing.
    Try {
        /// The report.
        intake: Box<Intake>,
        /// Who would file it.
        by: Actor,
    },
    /// Do something to a case.
    Act {
        /// The case.
        case: CaseId,
        /// What.
        command: Box<Command>,
        /// Who does it.
        by: Actor,
        /// The last event of it that they have seen; none: they do not say.
        seen: Option<Hash>,
    },
    /// Put the duty list of a day.
    Duty(DutyList),
    /// Keep somebody's draft, or let it go.
    Draft(DraftChange),
    /// Change an attachment that is being uploaded.
    Attachment(Box<AttachmentChange>),
    /// Make a parcel, or take one in.
    Parcel(ParcelAsk),
    /// Change whom this node trusts.
    Trust(Box<TrustAct>),
    /// Count what is no case, at this node.
    Count {
        /// The day.
        day: CivilDay,
        /// What is counted.
        measure: Measure,
        /// How many more, or fewer.
        add: i64,
    },
    /// Change the people of a realm whose tables are in this node's database.
    Person {
        /// The realm.
        realm: NodeId,
        /// What changes.
        change: Box<Change>,
    },
    /// Store nothing but the request's entry in the audit: somebody read a person, or was refused.
    Note,
    /// Send the head of the audit to the parent now.
    Anchor,
    /// Let go of what was kept aside of a neighbour.
    ClearQuarantine {
        /// The neighbour.
        of: NodeId,
    },
    /// Keep an answer to a request with an idempotency key.
    PutAnswered {
        /// The user.
        name: String,
        /// The key.
        key: String,
        /// The answer.
        answer: AnsweredRow,
    },
}

impl Ask {
    /// Whether it adds to what the node keeps for good: refused when the disk is nearly full, while people can still log in
    /// and look, and links still deliver.
    pub(super) fn adds(&self) -> bool {
        match self {
            Self::Attachment(change) => {
                matches!(**change, AttachmentChange::Begin { .. } | AttachmentChange::Part { .. })
            }
            Self::Draft(change) => matches!(change, DraftChange::Put { .. }),
            _ => matches!(self, Self::Report { .. } | Self::Act { .. } | Self::Publish(_) | Self::Count { .. }),
        }
    }

    /// Whether the audit says of it. What only keeps count of itself would drown the rest, and a failed log-in is written
    /// down with its own outcome.
    fn is_audited(&self) -> bool {
        let counts =
            |change: &Change| matches!(change, Change::SeenSession(_) | Change::SeenToken(_) | Change::Failed { .. });
        match self {
            Self::PutAnswered { .. } | Self::Try { .. } | Self::Draft(_) | Self::Parcel(ParcelAsk::Introduce(..)) => {
                false
            }
            Self::Person { change, .. } => !counts(change),
            // One entry says that it began and one that it ended.
            Self::Attachment(change) => !matches!(**change, AttachmentChange::Part { .. }),
            _ => true,
        }
    }
}

/// The answer: the case after a report or an act, nothing otherwise.
pub type Answer = Result<Option<Case>, Failed>;

/// A request with the way back.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) ask: Ask,
    /// Its entry in the audit; the outcome is added when it is known.
    pub(crate) entry: Option<Entry>,
    pub(crate) reply: oneshot::Sender<Answer>,
}

/// A handle to a node's writer; cheap to clone.
#[derive(Debug, Clone)]
pub struct Port {
    pub(crate) sender: mpsc::Sender<Request>,
}

impl Port {
    /// A port without a writer: whatever is asked, nothing is saved.
    pub(crate) fn closed() -> Self {
        Self { sender: mpsc::channel(1).0 }
    }

    /// Requests that wait, and how many can.
    pub fn waiting(&self) -> (usize, usize) {
        let places = self.sender.max_capacity();
        (places.saturating_sub(self.sender.capacity()), places)
    }

    /// Asks, and waits until the answer is durable.
    pub async fn ask(&self, ask: Ask) -> Answer {
        let entry = if ask.is_audited() { audit::stamp() } else { None };
        self.send(ask, entry).await
    }

    /// Stores an entry by itself.
    pub async fn note(&self, entry: Entry) -> Result<(), Failed> {
        self.send(Ask::Note, Some(entry)).await.map(|_| ())
    }

    async fn send(&self, ask: Ask, entry: Option<Entry>) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.sender.send(Request { ask, entry, reply }).await.map_err(|_| Failed::Stopping)?;
        answer.await.map_err(|_| Failed::Stopping)?
    }

    /// Changes whom this node trusts.
    pub async fn trust(&self, act: TrustAct) -> Result<(), Failed> {
        self.ask(Ask::Trust(Box::new(act))).await.map(|_| ())
    }

    /// Files a report. The case as it stands afterwards; the same for a retried report.
    pub async fn report(&self, intake: Intake, by: Actor) -> Result<Case, Failed> {
        self.ask(Ask::Report { intake: Box::new(intake), by }).await?.ok_or(Failed::Store)
    }

    /// Refuses what [`Self::report`] would refuse, and an id that is used already. Nothing is kept.
    pub async fn try_report(&self, intake: Intake, by: Actor) -> Result<(), Failed> {
        self.ask(Ask::Try { intake: Box::new(intake), by }).await.map(|_| ())
    }

    /// Acts on a case. The case as it stands afterwards, none when only an order or an offer changed.
    pub async fn act(&self, case: CaseId, command: Command, by: Actor) -> Result<Option<Case>, Failed> {
        self.ask(Ask::Act { case, command: Box::new(command), by, seen: None }).await
    }

    /// The same, unless the case has gone on since somebody saw it.
    pub async fn act_on(
        &self,
        case: CaseId,
        command: Command,
        by: Actor,
        seen: Option<Hash>,
    ) -> Result<Option<Case>, Failed> {
        self.ask(Ask::Act { case, command: Box::new(command), by, seen }).await
    }
}
