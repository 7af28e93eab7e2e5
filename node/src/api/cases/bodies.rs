//! Bodies of what is done to a case. Bounds are those of the types: a text that is too long is refused by name.

use casework::Command;
use casework::calendar::Date;
use protocol::bounded::Text;
use protocol::event::{DeclineGround, Outcome, PauseGround};
use protocol::grading::Answers;
use protocol::id::NodeId;
use protocol::unit::UnitCode;
use protocol::warning::Warning;
use serde::Deserialize;
use utoipa::ToSchema;

/// Words about an act.
pub type Note = Text<4000>;

/// Verified and filed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileBody {}

/// Sent back for completion.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnBody {
    /// What is missing.
    #[schema(value_type = String)]
    pub note: Note,
}

/// Given to a unit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignBody {
    /// Code of the unit in the unit directory; 0: the node itself.
    #[schema(value_type = u16)]
    pub unit: UnitCode,
    /// Words to it.
    #[serde(default)]
    #[schema(value_type = String)]
    pub note: Note,
}

/// Work on it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgressBody {
    /// What was done.
    #[schema(value_type = String)]
    pub note: Note,
}

/// Settled or not.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveBody {
    /// `successful`, `unsuccessful` or `other`.
    #[schema(value_type = String)]
    pub outcome: Outcome,
    /// What was agreed, or why nothing was.
    #[schema(value_type = String)]
    pub terms: Note,
    /// Sum involved, in fen.
    #[serde(default)]
    pub amount_fen: Option<u64>,
}

/// Who asked was told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedBackBody {
    /// How, and what they said.
    #[schema(value_type = String)]
    pub note: Note,
}

/// Assessed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessBody {
    /// 1 (bad) to 5 (good).
    pub score: u8,
    /// Why.
    #[serde(default)]
    #[schema(value_type = String)]
    pub note: Note,
}

/// The term stands still.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseBody {
    /// `assessment`, `hearing`, `party_absent`, `decision`, or `other` with a note.
    #[schema(value_type = String)]
    pub ground: PauseGround,
    /// The first day that does not count, as `YYYY-MM-DD`: today, where it is absent, or earlier.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub on: Option<Date>,
    /// Why, in words.
    #[serde(default)]
    #[schema(value_type = String)]
    pub note: Note,
}

/// The term goes on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeBody {
    /// The first day that counts again, as `YYYY-MM-DD`: today, where it is absent, or earlier.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub on: Option<Date>,
    /// What has happened.
    #[serde(default)]
    #[schema(value_type = String)]
    pub note: Note,
}

/// Not taken on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectBody {
    /// `pending`, `other_procedure`, `petitioned`, `discipline`, `refused`, `other_place` or `unfounded`.
    #[schema(value_type = String)]
    pub ground: DeclineGround,
    /// Where to turn instead, and what was said.
    #[serde(default)]
    #[schema(value_type = String)]
    pub note: Note,
}

/// No longer asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawBody {
    /// How that was said.
    #[schema(value_type = String)]
    pub note: Note,
}

/// Settled elsewhere.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferBody {
    /// The code of a channel that the category admits, as `court`.
    #[schema(value_type = String)]
    pub channel: Text<40>,
    /// To whom, and what was said.
    #[schema(value_type = String)]
    pub note: Note,
}

/// Open again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenBody {
    /// Why.
    #[schema(value_type = String)]
    pub reason: Note,
}

/// Archived.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveBody {}

/// Struck through.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidBody {
    /// Why it was a mistake.
    #[schema(value_type = String)]
    pub reason: Note,
}

/// Another level.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegradeBody {
    /// The answers of the grade panel: `signs`, `violence`, `petition_talk`, `people`, `disturbs`, `effort`.
    #[schema(value_type = Object)]
    pub answers: Answers,
    /// `orange`, `red`, `yellow`, or null for none.
    #[schema(value_type = Option<String>)]
    pub level: Option<Warning>,
    /// Why.
    #[serde(default)]
    #[schema(value_type = String)]
    pub reason: Note,
}

/// Ownership is offered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferBody {
    /// The node.
    #[schema(value_type = String)]
    pub to: NodeId,
}

/// The open offer is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallBody {}

/// The owner is lost.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeOverBody {
    /// How that is known.
    #[schema(value_type = String)]
    pub reason: Note,
}

/// A note to the owner.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributeBody {
    /// The note.
    #[schema(value_type = String)]
    pub text: Note,
}

/// A body as a command.
pub trait Commanded {
    /// The command that it asks for.
    fn command(self) -> Command;
}

impl Commanded for FileBody {
    fn command(self) -> Command {
        Command::File
    }
}

impl Commanded for ReturnBody {
    fn command(self) -> Command {
        Command::Return { note: self.note }
    }
}

impl Commanded for AssignBody {
    fn command(self) -> Command {
        Command::Assign { unit: self.unit, note: self.note }
    }
}

impl Commanded for ProgressBody {
    fn command(self) -> Command {
        Command::Progress { note: self.note }
    }
}

impl Commanded for ResolveBody {
    fn command(self) -> Command {
        Command::Resolve { outcome: self.outcome, terms: self.terms, amount_fen: self.amount_fen }
    }
}

impl Commanded for FeedBackBody {
    fn command(self) -> Command {
        Command::FeedBack { note: self.note }
    }
}

impl Commanded for AssessBody {
    fn command(self) -> Command {
        Command::Assess { score: self.score, note: self.note }
    }
}

impl Commanded for PauseBody {
    fn command(self) -> Command {
        Command::Pause { ground: self.ground, on: self.on.map(|day| day.0), note: self.note }
    }
}

impl Commanded for ResumeBody {
    fn command(self) -> Command {
        Command::Resume { on: self.on.map(|day| day.0), note: self.note }
    }
}

impl Commanded for RejectBody {
    fn command(self) -> Command {
        Command::Reject { ground: self.ground, note: self.note }
    }
}

impl Commanded for WithdrawBody {
    fn command(self) -> Command {
        Command::Withdraw { note: self.note }
    }
}

impl Commanded for ReferBody {
    fn command(self) -> Command {
        Command::Refer { channel: self.channel, note: self.note }
    }
}

impl Commanded for ReopenBody {
    fn command(self) -> Command {
        Command::Reopen { reason: self.reason }
    }
}

impl Commanded for ArchiveBody {
    fn command(self) -> Command {
        Command::Archive
    }
}

impl Commanded for VoidBody {
    fn command(self) -> Command {
        Command::Void { reason: self.reason }
    }
}

impl Commanded for RegradeBody {
    fn command(self) -> Command {
        Command::Regrade { answers: self.answers, level: self.level, reason: self.reason }
    }
}

impl Commanded for OfferBody {
    fn command(self) -> Command {
        Command::Offer { to: self.to }
    }
}

impl Commanded for RecallBody {
    fn command(self) -> Command {
        Command::Recall
    }
}

impl Commanded for TakeOverBody {
    fn command(self) -> Command {
        Command::TakeOver { reason: self.reason }
    }
}

impl Commanded for ContributeBody {
    fn command(self) -> Command {
        Command::Contribute { text: self.text }
    }
}
