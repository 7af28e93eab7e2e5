//! What is asked with many words: what is put right of a report, and what is done in a mediation.

use protocol::bounded::{List, Text};
use protocol::division::{DivisionCode, GridKind};
use protocol::event::{
    AgreementForm, Category, Confirmation, INSTALMENTS_MAX, Instalment, MEDIATORS_MAX, Mark, MediationSource, Parties,
    SessionKind, Source,
};
use protocol::grading::Answers;
use protocol::time::CivilDay;
use protocol::unit::UnitCode;
use serde::{Deserialize, Serialize};

use super::{Command, Restrict};
use crate::document::SheetCode;
use crate::dossier::Slot;

/// What is put right of a report (补充更正); what is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Amendment {
    /// Where it came from.
    pub source: Option<Source>,
    /// Its category.
    pub category: Option<Category>,
    /// Where it happened; inside this node's area.
    pub place: Option<DivisionCode>,
    /// The kind of grid there.
    pub grid_kind: Option<GridKind>,
    /// People involved.
    pub head_count: Option<u32>,
    /// New answers of the grade panel; "not known" leaves what was known.
    pub answers: Option<Answers>,
    /// A summary for above, without names.
    pub summary: Option<Text<120>>,
    /// Title; private.
    pub title: Option<Text<120>>,
    /// Narrative; private.
    pub narrative: Option<Text<8000>>,
    /// Why.
    pub reason: Text<1000>,
}

/// A part of a case for a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GiveTask {
    /// The unit.
    pub unit: UnitCode,
    /// Title.
    pub title: Text<120>,
    /// What is to be done.
    #[serde(default)]
    pub text: Text<2000>,
    /// The last day.
    pub due: CivilDay,
    /// The task that must be closed before this one begins.
    #[serde(default)]
    pub after: Option<u16>,
}

/// What a court said about the confirmation of an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteConfirmation {
    /// The agreement.
    pub agreement: u16,
    /// What.
    pub result: Confirmation,
    /// The day; absent: today.
    #[serde(default, with = "crate::calendar::day")]
    pub on: Option<CivilDay>,
    /// Which court.
    #[serde(default)]
    pub court: Text<60>,
    /// The number of its ruling.
    #[serde(default)]
    pub number: Text<60>,
    /// What it says.
    #[serde(default)]
    pub note: Text<1000>,
}

/// A committee takes a dispute on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenMediation {
    /// How it came about.
    pub source: MediationSource,
    /// The committee: a unit of the directory.
    pub committee: UnitCode,
    /// The day; absent: today.
    #[serde(default, with = "crate::calendar::day")]
    pub on: Option<CivilDay>,
    /// Who mediates.
    #[serde(default)]
    pub mediators: List<Text<60>, MEDIATORS_MAX>,
    /// Chosen by the parties.
    #[serde(default)]
    pub chosen: bool,
    /// Not in public.
    #[serde(default)]
    pub closed: bool,
    /// What the parties ask, or why it is offered.
    #[serde(default)]
    pub note: Text<4000>,
}

/// What was held with people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// What it was.
    pub kind: SessionKind,
    /// The day; absent: today.
    #[serde(default, with = "crate::calendar::day")]
    pub on: Option<CivilDay>,
    /// From when to when, in minutes of the day.
    #[serde(default)]
    pub minutes: Option<(u16, u16)>,
    /// Where.
    #[serde(default)]
    pub place: Text<120>,
    /// Numbers of those in the case who were there.
    #[serde(default)]
    pub present: Parties,
    /// Who else was there.
    #[serde(default)]
    pub others: Text<400>,
    /// Who led it.
    #[serde(default)]
    pub led_by: Text<60>,
    /// Who wrote it down.
    #[serde(default)]
    pub recorder: Text<60>,
    /// What was said.
    pub record: Text<8000>,
    /// What came of it.
    #[serde(default)]
    pub result: Text<1000>,
}

/// An agreement, as it is drawn up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// Written or oral.
    pub form: AgreementForm,
    /// Numbers of the parties between whom it is.
    pub parties: Parties,
    /// The day; absent: today.
    #[serde(default, with = "crate::calendar::day")]
    pub on: Option<CivilDay>,
    /// The facts of the dispute.
    #[serde(default)]
    pub facts: Text<4000>,
    /// What is disputed, and who answers for what.
    #[serde(default)]
    pub issue: Text<2000>,
    /// What was agreed.
    pub terms: Text<4000>,
    /// In which manner and by when it is performed.
    #[serde(default)]
    pub manner: Text<1000>,
    /// The sum in question, in fen.
    #[serde(default)]
    pub amount_fen: Option<u64>,
    /// What is to be performed when.
    #[serde(default)]
    pub plan: List<Instalment, INSTALMENTS_MAX>,
    /// The parties agree to sign electronically, and it is about neither marriage, adoption nor inheritance.
    #[serde(default)]
    pub electronic: bool,
    /// Who mediated.
    #[serde(default)]
    pub mediator: Text<60>,
}

/// Marks under an agreement, of one sitting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// The agreement, by its number in the case.
    pub agreement: u16,
    /// Numbers of the parties who signed.
    #[serde(default)]
    pub parties: Parties,
    /// The mediator signed.
    #[serde(default)]
    pub mediator: bool,
    /// It got the seal of the committee.
    #[serde(default)]
    pub committee: bool,
    /// How.
    pub mark: Mark,
    /// The day; absent: today.
    #[serde(default, with = "crate::calendar::day")]
    pub on: Option<CivilDay>,
    /// Anything to be noted.
    #[serde(default)]
    pub note: Text<4000>,
}

/// The parties ask a court to confirm an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seek {
    /// The agreement, by its number in the case.
    pub agreement: u16,
    /// The day; absent: today.
    #[serde(default, with = "crate::calendar::day")]
    pub on: Option<CivilDay>,
    /// Which court.
    pub court: Text<60>,
    /// Anything to be noted.
    #[serde(default)]
    pub note: Text<1000>,
}

/// Where in the dossier something belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Into a slot, by its word.
    Slot(Slot),
    /// Where the sheet belongs whose code it bears.
    Sheet(SheetCode),
}

macro_rules! whole {
    ($($inner:ident => $variant:ident),+) => {$(
        impl From<$inner> for Command {
            fn from(asked: $inner) -> Self {
                Self::$variant(asked)
            }
        }
    )+};
}

whole!(Amendment => Amend, GiveTask => GiveTask, OpenMediation => OpenMediation, Hold => Hold, Sign => Sign, Seek => SeekConfirmation,
    NoteConfirmation => NoteConfirmation, Restrict => Restrict);

impl From<Draw> for Command {
    fn from(asked: Draw) -> Self {
        Self::Draw { asked, number: None }
    }
}
