//! Bodies of what is done to a case. Bounds are those of the types: a text that is too long is refused by name.

use casework::calendar::Date;
use casework::dossier::Slot;
use casework::{Amendment, Command, GiveTask, Place};
use protocol::bounded::{List, Text};
use protocol::division::{DivisionCode, GridKind};
use protocol::event::{
    Category, Contentment, DeclineGround, Matter, Outcome, PARTIES_AT_ONCE_MAX, Participant, PauseGround, Source,
    ToldBy,
};
use protocol::grading::Answers;
use protocol::id::{AttachmentId, CaseId, NodeId};
use protocol::time::CivilDay;
use protocol::unit::UnitCode;
use protocol::warning::Warning;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

mod lead;
mod mediation;

pub use lead::{LiftRestrictionBody, ObjectBody, RefuseObjectionBody, RestrictBody, RuleBody};
pub use mediation::{
    ConsentBody, DrawBody, DropAgreementBody, EndMediationBody, HoldBody, InstalmentBody, NoteConfirmationBody,
    OpenMediationBody, PerformBody, SeekConfirmationBody, SignAgreementBody, VisitAgainBody,
};

/// Words about an act.
pub type Note = Text<4000>;

/// A body as a command.
pub trait Commanded {
    /// The command that it asks for.
    fn command(self) -> Command;
}

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident => $command:ident { $($(#[$about:meta])* $field:ident: $type:ty),* $(,)? }),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$about])* pub $field: $type,)*
        }

        impl Commanded for $name {
            fn command(self) -> Command {
                Command::$command { $($field: self.$field),* }
            }
        }
    )+};
}

/// The same, where what is asked is a type of its own.
macro_rules! whole {
    ($($(#[$doc:meta])* $name:ident => $asked:ident { $($(#[$about:meta])* $field:ident: $type:ty),* $(,)? }),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$about])* pub $field: $type,)*
        }

        impl Commanded for $name {
            fn command(self) -> Command {
                $asked { $($field: self.$field),* }.into()
            }
        }
    )+};
}

use bodies;
use whole;

bodies! {
    /// Verified and filed.
    FileBody => File {},
    /// Sent back for completion.
    ReturnBody => Return {
        /// What is missing.
        #[schema(value_type = String)]
        note: Note,
    },
    /// Given to a unit.
    AssignBody => Assign {
        /// Code of the unit in the unit directory; 0: the node itself.
        #[schema(value_type = u16)]
        unit: UnitCode,
        /// Words to it.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
    /// Work on it.
    ProgressBody => Progress {
        /// What was done.
        #[schema(value_type = String)]
        note: Note,
    },
    /// Settled or not.
    ResolveBody => Resolve {
        /// `successful`, `unsuccessful` or `other`.
        #[schema(value_type = String)]
        outcome: Outcome,
        /// What was agreed, or why nothing was.
        #[schema(value_type = String)]
        terms: Note,
        /// Sum involved, in fen.
        #[serde(default)]
        amount_fen: Option<u64>,
    },
    /// Who asked was told.
    FeedBackBody => FeedBack {
        /// What they said, and anything else.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
        /// `in_person`, `phone`, `letter` or `message`: how they were told.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        by: Option<ToldBy>,
        /// The day, as `YYYY-MM-DD`: today, where it is absent, or earlier.
        #[serde(default, with = "casework::calendar::day")]
        #[schema(value_type = Option<String>)]
        on: Option<CivilDay>,
        /// `content`, `mostly`, `not_content` or `not_reached`; absent: not asked.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        content: Option<Contentment>,
    },
    /// Assessed.
    AssessBody => Assess {
        /// 1 (bad) to 5 (good).
        score: u8,
        /// Why.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
    /// The term stands still.
    PauseBody => Pause {
        /// `assessment`, `hearing`, `party_absent`, `decision`, or `other` with a note.
        #[schema(value_type = String)]
        ground: PauseGround,
        /// The first day that does not count, as `YYYY-MM-DD`: today, where it is absent, or earlier.
        #[serde(default, with = "casework::calendar::day")]
        #[schema(value_type = Option<String>)]
        on: Option<CivilDay>,
        /// Why, in words.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
    /// The term goes on.
    ResumeBody => Resume {
        /// The first day that counts again, as `YYYY-MM-DD`: today, where it is absent, or earlier.
        #[serde(default, with = "casework::calendar::day")]
        #[schema(value_type = Option<String>)]
        on: Option<CivilDay>,
        /// What has happened.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
    /// More time is asked for.
    AskExtensionBody => AskExtension {
        /// Calendar days.
        days: u16,
        /// Why.
        #[schema(value_type = String)]
        reason: Note,
    },
    /// More time is given.
    ExtendBody => Extend {
        /// Calendar days.
        days: u16,
        /// Why.
        #[schema(value_type = String)]
        reason: Note,
    },
    /// None is given.
    RefuseExtensionBody => RefuseExtension {
        /// Why.
        #[schema(value_type = String)]
        reason: Note,
    },
    /// Not taken on.
    RejectBody => Reject {
        /// `pending`, `other_procedure`, `petitioned`, `discipline`, `refused`, `other_place` or `unfounded`.
        #[schema(value_type = String)]
        ground: DeclineGround,
        /// Where to turn instead, and what was said.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
    /// No longer asked for.
    WithdrawBody => Withdraw {
        /// How that was said.
        #[schema(value_type = String)]
        note: Note,
    },
    /// Settled elsewhere.
    ReferBody => Refer {
        /// The code of a channel that the category admits, as `court`.
        #[schema(value_type = String)]
        channel: Text<40>,
        /// To whom, and what was said.
        #[schema(value_type = String)]
        note: Note,
    },
    /// Open again.
    ReopenBody => Reopen {
        /// Why.
        #[schema(value_type = String)]
        reason: Note,
    },
    /// Parties and others who join.
    JoinBody => Join {
        /// One to 16 of them, each with `side` (`applicant`, `respondent`, `other`) and `name`, and where it is known `standing`
        /// (`party`, `representative`, `guardian`, `spokesperson`, `involved`, `witness`), `speaks_for` (a party's number),
        /// `being` (`person`, `body`), `phone`, `address`, `identity`, `sex` (`male`, `female`), `born` (a year),
        /// `ethnicity`, `occupation`.
        #[schema(value_type = Vec<Object>)]
        people: List<Participant, PARTIES_AT_ONCE_MAX>,
    },
    /// What is known of one of them.
    AmendPartyBody => AmendParty {
        /// Their number.
        party: u16,
        /// The entry as it is from now on, whole.
        #[schema(value_type = Object)]
        entry: Participant,
    },
    /// One of them leaves.
    LeaveBody => Leave {
        /// Their number.
        party: u16,
        /// Why.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
    /// Another kind of matter.
    TurnBody => Turn {
        /// `request` or `dispute`.
        #[schema(value_type = String)]
        into: Matter,
        /// Its category as a number, where that changes.
        #[serde(default)]
        #[schema(value_type = Option<u16>)]
        category: Option<Category>,
        /// The answers of the grade panel, for a dispute.
        #[serde(default)]
        #[schema(value_type = Object)]
        answers: Answers,
        /// Why.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
    /// A link to another case.
    LinkBody => Link {
        /// Id of the other case.
        #[schema(value_type = String)]
        to: CaseId,
        /// Why.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
    /// It goes into another case.
    MergeBody => Merge {
        /// Id of the case that goes on.
        #[schema(value_type = String)]
        into: CaseId,
        /// Why they are one.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
    /// Who stands for it.
    SponsorBody => Sponsor {
        /// Name.
        #[schema(value_type = String)]
        name: Text<60>,
        /// Office.
        #[serde(default)]
        #[schema(value_type = String)]
        office: Text<120>,
        /// What is asked of them.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Text<1000>,
    },
    /// What the level of the case asks for was done.
    TakeMeasureBody => TakeMeasure {
        /// Which, by its number in the table of measures.
        measure: u16,
        /// What was done, whom it was told to.
        #[schema(value_type = String)]
        note: Note,
    },
    /// An attachment gets its place in the dossier.
    PlaceBody => Place {
        /// Id of the attachment.
        #[schema(value_type = String)]
        attachment: AttachmentId,
        /// `{"slot": "identity"}` for a slot of the dossier, or `{"sheet": "WJ1…"}` with the code that is printed on a sheet.
        #[schema(value_type = Object)]
        place: Place,
    },
    /// A slot stays empty.
    ExcuseSlotBody => ExcuseSlot {
        /// The word of the slot, as the dossier gives it.
        #[schema(value_type = String)]
        slot: Slot,
        /// Why.
        #[schema(value_type = String)]
        reason: Note,
    },
    /// A task is signed for.
    AcceptTaskBody => AcceptTask {
        /// The task, by its number in the case.
        task: u16,
    },
    /// What was done.
    ReportTaskBody => ReportTask {
        /// The task, by its number in the case.
        task: u16,
        /// What.
        #[schema(value_type = String)]
        note: Note,
    },
    /// A report is sent back.
    SendBackTaskBody => SendBackTask {
        /// The task, by its number in the case.
        task: u16,
        /// What is missing.
        #[schema(value_type = String)]
        note: Note,
    },
    /// A task is done.
    CloseTaskBody => CloseTask {
        /// The task, by its number in the case.
        task: u16,
        /// Anything to be noted.
        #[serde(default)]
        #[schema(value_type = String)]
        note: Note,
    },
    /// A task is no longer asked.
    CancelTaskBody => CancelTask {
        /// The task, by its number in the case.
        task: u16,
        /// Why.
        #[schema(value_type = String)]
        note: Note,
    },
    /// Archived.
    ArchiveBody => Archive {},
    /// Struck through.
    VoidBody => Void {
        /// Why it was a mistake.
        #[schema(value_type = String)]
        reason: Note,
    },
    /// Another level.
    RegradeBody => Regrade {
        /// The answers of the grade panel: `signs`, `violence`, `petition_talk`, `people`, `disturbs`, `effort`.
        #[schema(value_type = Object)]
        answers: Answers,
        /// `orange`, `red`, `yellow`, or null for none; it must be said.
        #[serde(deserialize_with = "Option::deserialize")]
        #[schema(value_type = Option<String>)]
        level: Option<Warning>,
        /// Why.
        #[serde(default)]
        #[schema(value_type = String)]
        reason: Note,
    },
    /// Ownership is offered.
    OfferBody => Offer {
        /// The node.
        #[schema(value_type = String)]
        to: NodeId,
    },
    /// The open offer is taken back.
    RecallBody => Recall {},
    /// The owner is lost.
    TakeOverBody => TakeOver {
        /// How that is known.
        #[schema(value_type = String)]
        reason: Note,
    },
    /// A note to the owner.
    ContributeBody => Contribute {
        /// The note.
        #[schema(value_type = String)]
        text: Note,
    },
}

whole! {
    /// What is put right of a report; what is absent stays as it is.
    AmendBody => Amendment {
        /// Where it came from.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        source: Option<Source>,
        /// Its category as a number.
        #[serde(default)]
        #[schema(value_type = Option<u16>)]
        category: Option<Category>,
        /// Division code where it happened.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        place: Option<DivisionCode>,
        /// `responsibility`, `basic` or `dedicated`.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        grid_kind: Option<GridKind>,
        /// People involved.
        #[serde(default)]
        head_count: Option<u32>,
        /// New answers of the grade panel; a level that rises by them rises at once.
        #[serde(default)]
        #[schema(value_type = Option<Object>)]
        answers: Option<Answers>,
        /// A summary for above, without names.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        summary: Option<Text<120>>,
        /// Title.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        title: Option<Text<120>>,
        /// Narrative.
        #[serde(default)]
        #[schema(value_type = Option<String>)]
        narrative: Option<Text<8000>>,
        /// Why.
        #[serde(default)]
        #[schema(value_type = String)]
        reason: Text<1000>,
    },
    /// A part of the case for a unit.
    GiveTaskBody => GiveTask {
        /// Code of a unit of this node in the unit directory.
        #[schema(value_type = u16)]
        unit: UnitCode,
        /// Title, as its list shows it to the unit.
        #[schema(value_type = String)]
        title: Text<120>,
        /// What is to be done.
        #[serde(default)]
        #[schema(value_type = String)]
        text: Text<2000>,
        /// The last day, as `YYYY-MM-DD`: today or later.
        #[serde(deserialize_with = "due")]
        #[schema(value_type = String)]
        due: CivilDay,
        /// The task that must be closed before this one begins.
        #[serde(default)]
        after: Option<u16>,
    },
}

fn due<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CivilDay, D::Error> {
    Ok(Date::deserialize(deserializer)?.0)
}
