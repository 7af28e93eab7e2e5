//! The writer's port: how the API, the command line and the demo ask it for work.

use casework::{Actor, Case, Command, Intake, Refusal};
use protocol::bounded::{Blob, Text};
use protocol::id::CaseId;
use protocol::publication::{PUBLICATION_BYTES_MAX, PublicationKind};
use protocol::time::UnixMillis;
use tokio::sync::{mpsc, oneshot};

use crate::store::persons::{AnsweredRow, UserRow};

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
    /// The database failed; nothing of the request was kept.
    #[error("nothing was saved: the database failed")]
    Store,
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
    /// Do something to a case.
    Act {
        /// The case.
        case: CaseId,
        /// What.
        command: Box<Command>,
        /// Who does it.
        by: Actor,
    },
    /// Change whom this node trusts.
    Trust(Box<TrustAct>),
    /// Make or change a user.
    PutUser(UserRow),
    /// Open a session.
    PutSession {
        /// Hash of its token.
        token: [u8; 32],
        /// The user.
        name: String,
        /// When it ends.
        expires: UnixMillis,
    },
    /// End a session.
    DropSession([u8; 32]),
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

/// The answer: the case after a report or an act, nothing otherwise.
pub type Answer = Result<Option<Case>, Failed>;

/// A request with the way back.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) ask: Ask,
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

    /// Asks, and waits until the answer is durable.
    pub async fn ask(&self, ask: Ask) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.sender.send(Request { ask, reply }).await.map_err(|_| Failed::Stopping)?;
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

    /// Acts on a case. The case as it stands afterwards, none when only an order or an offer changed.
    pub async fn act(&self, case: CaseId, command: Command, by: Actor) -> Result<Option<Case>, Failed> {
        self.ask(Ask::Act { case, command: Box::new(command), by }).await
    }
}
