//! What is reported.

use protocol::bounded::{List, Text};
use protocol::division::{DivisionCode, GridKind};
use protocol::event::{Category, Ending, Matter, Party, RestrictionGround, Source};
use protocol::grading::Answers;
use protocol::id::{CaseId, NodeId};
use protocol::warning::Warning;
use serde::{Deserialize, Deserializer, Serialize};

/// A report (信息上报), step 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// The case, made by whoever files it: a retried report is the same case.
    pub case: CaseId,
    /// Dispute, request or consultation.
    pub matter: Matter,
    /// Where it came from.
    pub source: Source,
    /// Its category.
    pub category: Category,
    /// Where it happened; inside this node's area.
    pub place: DivisionCode,
    /// The kind of grid there.
    pub grid_kind: GridKind,
    /// Title; private.
    pub title: Text<120>,
    /// Narrative; private.
    #[serde(default)]
    pub narrative: Text<8000>,
    /// Parties; private.
    #[serde(default)]
    pub parties: List<Party, 64>,
    /// The answers of the grade panel.
    #[serde(default)]
    pub answers: Answers,
    /// People involved, 0 while not known.
    #[serde(default)]
    pub head_count: u32,
    /// A summary for above, without names; prefilled by rule when absent.
    #[serde(default)]
    pub summary: Option<Text<120>>,
    /// Settle here (就地化解) or submit (上报).
    pub ending: Ending,
    /// The level that a person confirmed; absent: as the rules propose. Never below the proposal.
    #[serde(default, deserialize_with = "present")]
    pub confirmed_level: Option<Option<Warning>>,
    /// Restricted to named readers from the first header on, or, as null, not; absent: as its words suggest.
    #[serde(default, deserialize_with = "present")]
    pub restricted: Option<Option<Restrict>>,
}

/// How a report is restricted (受限).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restrict {
    /// Why.
    pub ground: RestrictionGround,
    /// The node whose people it is about: it passes that one by.
    #[serde(default)]
    pub against: Option<NodeId>,
    /// Why, in words.
    #[serde(default)]
    pub note: Text<1000>,
}

/// Tells "null" from "absent".
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
