//! Cases as the API and the page show them.

use protocol::event::{Brief, Category};
use protocol::id::{CaseId, NodeId};
use protocol::order::Order;
use protocol::time::{ClockReading, UnixMillis};
use protocol::transfer::Offer;
use protocol::warning::Warning;
use serde::Serialize;
use utoipa::ToSchema;

use super::attachments::view::AttachmentView;
use super::measures::{MeasureView, SponsorView};
use super::mediation::{AgreementView, MediationView};
use super::pieces;
use super::restricted::RestrictedView;
use super::tasks::{ObjectionView, TaskView};
use crate::api::stamp;
use crate::api::state::ApiState;
use crate::store::lists::CaseRow;

/// One case in a list. Nothing in it names a party.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CaseLine {
    /// The case.
    pub id: String,
    /// The node that owns it.
    pub owner: String,
    /// Name of that node.
    pub owner_name: String,
    /// Owned here.
    pub mine: bool,
    /// `orange`, `red`, `yellow` or `none`; `level_` and its rank for one of a later version.
    pub level: String,
    /// 3, 2, 1 or 0; more for a level of a later version.
    pub rank: u8,
    /// Step of the loop.
    pub step: String,
    /// How it ended.
    pub outcome: Option<String>,
    /// `dispute`, `request` or `consultation`.
    pub matter: String,
    /// Four digits of the category.
    pub category: String,
    /// Its name in Chinese; a code that is not in the list in force is shown as unknown.
    pub category_name: String,
    /// The same in English.
    pub category_name_en: String,
    /// Division where it happened.
    pub place: String,
    /// Its name.
    pub place_name: String,
    /// Code of the unit that answers for it; 0: the node itself.
    pub unit: u16,
    /// Its name in Chinese; a code that is not in the unit directory is shown as unknown. Empty for the node itself.
    pub unit_name: String,
    /// The same in English.
    pub unit_name_en: String,
    /// Summary without names.
    pub summary: String,
    /// People involved, 0 while not known.
    pub people: u32,
    /// Struck through.
    pub void: bool,
    /// Reported above.
    pub escalated: bool,
    /// When it was reported.
    pub reported_at: String,
    /// When it last changed.
    pub changed_at: String,
    /// The same, Unix milliseconds.
    pub changed_ms: i64,
    /// Changes of ownership: takeovers and moves, `t.m`.
    pub epoch: String,
    /// Number of the last event.
    pub number: u32,
    /// Hash of the last event.
    pub head: String,
    /// Why it was found, in the answer to a search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<FoundView>,
}

/// Why a case was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FoundView {
    /// `number`, `agreement` (its number), `place`, `text` (title, narrative or summary) and `party`, as far as they hold what
    /// was asked for.
    pub by: Vec<String>,
    /// Its title with names and numbers masked, where its report is held and was read.
    pub title: String,
}

impl CaseLine {
    /// A row as it is shown.
    pub fn of(state: &ApiState, row: CaseRow) -> Self {
        let holds = state.in_force();
        Self {
            id: row.case.to_string(),
            owner: row.owner.to_string(),
            owner_name: state.node_name(row.owner),
            mine: row.mine,
            level: pieces::level(Warning::from_rank(row.level)),
            rank: row.level,
            step: row.step,
            outcome: row.outcome,
            matter: row.matter,
            category: format!("{:04}", row.category),
            category_name: holds.categories.name(Category(row.category), true),
            category_name_en: holds.categories.name(Category(row.category), false),
            place: row.place.to_string(),
            place_name: state.division_name(row.place),
            unit: row.unit.0,
            unit_name: holds.units.name(row.unit, true),
            unit_name_en: holds.units.name(row.unit, false),
            summary: row.summary,
            people: row.people,
            void: row.void,
            escalated: row.escalated,
            reported_at: stamp::rfc3339(UnixMillis(row.reported_at)),
            changed_at: stamp::rfc3339(UnixMillis(row.changed_at)),
            changed_ms: row.changed_at,
            epoch: format!("{}.{}", row.epoch.takeovers, row.epoch.moves),
            number: row.number,
            head: row.head.to_string(),
            found: None,
        }
    }
}

impl CaseLine {
    /// What is withheld of a restricted case from lists, for who may read it.
    pub(super) fn retold(&mut self, state: &ApiState, brief: &Brief) {
        let holds = state.in_force();
        self.category = brief.category.to_string();
        self.category_name = holds.categories.name(brief.category, true);
        self.category_name_en = holds.categories.name(brief.category, false);
        self.place = brief.place.to_string();
        self.place_name = state.division_name(brief.place);
        self.summary = brief.summary.to_string();
        self.people = brief.head_count;
    }

    /// A case of which nothing but an offer is here.
    pub fn offered(state: &ApiState, offer: &Offer) -> Self {
        Self { head: offer.head.to_string(), ..Self::told(state, offer.case, offer.from, offer.at, &offer.brief) }
    }

    /// One of which nothing but an order is here, which its owner gave with what may be seen of it.
    pub fn asked(state: &ApiState, order: &Order, brief: &Brief) -> Self {
        Self::told(state, order.case, order.from, order.at, brief)
    }

    fn told(state: &ApiState, case: CaseId, from: NodeId, at: ClockReading, brief: &Brief) -> Self {
        let holds = state.in_force();
        Self {
            id: case.to_string(),
            owner: from.to_string(),
            owner_name: state.node_name(from),
            mine: false,
            level: pieces::level(brief.level()),
            rank: brief.level().map_or(0, Warning::rank),
            step: pieces::word(brief.step),
            outcome: brief.outcome.map(pieces::word),
            matter: pieces::word(brief.matter),
            category: brief.category.to_string(),
            category_name: holds.categories.name(brief.category, true),
            category_name_en: holds.categories.name(brief.category, false),
            place: brief.place.to_string(),
            place_name: state.division_name(brief.place),
            unit: brief.unit.0,
            unit_name: holds.units.name(brief.unit, true),
            unit_name_en: holds.units.name(brief.unit, false),
            summary: brief.summary.to_string(),
            people: brief.head_count,
            void: brief.void,
            escalated: false,
            reported_at: stamp::rfc3339(at.corrected()),
            changed_at: stamp::rfc3339(at.corrected()),
            changed_ms: at.corrected().0,
            epoch: String::new(),
            number: 0,
            head: String::new(),
            found: None,
        }
    }
}

/// A party. Only where the private part is held.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartyView {
    /// Its number in the case, from 1; nobody else there ever has it.
    pub number: u16,
    /// `applicant`, `respondent` or `other`.
    pub side: String,
    /// `party`, `representative`, `guardian`, `spokesperson`, `involved` or `witness`.
    pub standing: String,
    /// The number of the party for whom they speak.
    pub speaks_for: Option<u16>,
    /// `person` or `body`.
    pub being: String,
    /// Name.
    pub name: String,
    /// Phone.
    pub phone: String,
    /// Address.
    pub address: String,
    /// Number of an identity document.
    pub identity: String,
    /// `male` or `female`, where it is known.
    pub sex: Option<String>,
    /// The year of birth, where it is known.
    pub born: Option<u16>,
    /// Ethnicity.
    pub ethnicity: String,
    /// Occupation and employer.
    pub occupation: String,
    /// No longer in the case.
    pub left: bool,
}

/// What is private in a case. Only where it is held; masked until somebody gives a reason.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PrivateView {
    /// Title of the report.
    pub title: String,
    /// Narrative.
    pub narrative: String,
    /// Parties.
    pub parties: Vec<PartyView>,
    /// Names and numbers are masked.
    pub masked: bool,
}

/// One of the six steps, or the archive after them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StepView {
    /// Which.
    pub step: String,
    /// `done`, `current` or `open`.
    pub state: &'static str,
    /// When it was reached.
    pub at: Option<String>,
    /// By whom, where that is held.
    pub by: Option<String>,
}

/// A term that runs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TermView {
    /// `file`, `assign`, `resolve`, `feed_back`, `assess`.
    pub kind: String,
    /// The day from which it runs.
    pub since: String,
    /// The last day on which it is met.
    pub day: String,
    /// It ends after that day, beyond the calendar of the owner: nobody has told yet which days are worked.
    pub provisional: bool,
    /// The article behind it, by the table of terms that is in force here; none: the policy sets it.
    pub law: Option<String>,
    /// The same in English.
    pub law_en: Option<String>,
}

/// Why a case has its level.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GradingView {
    /// Version of the rules.
    pub rules: u16,
    /// The rule that fired.
    pub fired: String,
    /// The answers.
    #[schema(value_type = Object)]
    pub answers: serde_json::Value,
}

/// One event.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventView {
    /// The event.
    pub id: String,
    /// Number in the case.
    pub number: u32,
    /// Changes of ownership, `t.m`.
    pub epoch: String,
    /// When.
    pub at: String,
    /// What happened, with its details.
    #[schema(value_type = Object)]
    pub act: serde_json::Value,
    /// Level after it.
    pub level: String,
    /// Step after it.
    pub step: String,
    /// The owner that wrote it.
    pub owner_name: String,
    /// Hash of its header.
    pub hash: String,
    /// Who did it, where that is held.
    pub by: Option<String>,
    /// What was said, where that is held.
    pub said: Option<String>,
}

/// How far something has come, with its time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReceiptView {
    /// `queued`, `sent`, `delivered`, `read`, `accepted` or `done`.
    pub progress: String,
    /// When.
    pub at: Option<String>,
    /// Who gave it.
    pub by_name: String,
}

/// One level of the ladder of a case.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RungView {
    /// `city`, `county`, `township`, `community`, `grid`.
    pub level: String,
    /// The node.
    pub node: String,
    /// Its name.
    pub name: String,
    /// `owner`, `here`, `reporter`, `follower` or `none`: what it has to do with the case.
    pub part: &'static str,
    /// This node.
    pub here: bool,
    /// How far the case has come there.
    pub receipt: Option<ReceiptView>,
    /// Up to which event.
    pub upto: Option<u32>,
}

/// Somebody who holds something of a case, as far as this node knows.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HolderView {
    /// The node.
    pub node: String,
    /// Its name.
    pub name: String,
    /// `full`: names and narrative; `working`: those of its own report or note; `brief`: headers, no names.
    pub class: String,
    /// The last day of a view that was granted up to a day.
    pub until: Option<String>,
    /// Why: `owner`, `former-owner`, `reporter`, `contribution`, `view`, `ceiling`, `offer` or `approval`.
    pub why: String,
}

/// An order about a case.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrderView {
    /// The order.
    pub id: String,
    /// The case.
    pub case: String,
    /// Name of the node that asks.
    pub from_name: String,
    /// Name of the node that it is with.
    pub to_name: String,
    /// Asked by this node.
    pub issued_here: bool,
    /// `directive`, `view` or `approve_level`.
    pub asks: String,
    /// Form of a directive.
    pub form: Option<String>,
    /// Level wanted by an approval, day of a view, days of an extension.
    pub wanted: Option<String>,
    /// Words.
    pub text: String,
    /// Days to answer.
    pub term_days: Option<u16>,
    /// The last day to answer, at the receiver.
    pub due: Option<String>,
    /// When it was issued.
    pub at: String,
    /// Receipts, in order.
    pub receipts: Vec<ReceiptView>,
    /// `reply`, `copy`, `yes`, `no`, `moved` or `unknown`.
    pub answer: Option<String>,
    /// Words of the answer.
    pub answer_text: Option<String>,
    /// When it was answered.
    pub answered_at: Option<String>,
    /// No longer asked.
    pub withdrawn: bool,
    /// Waits for its answer.
    pub open: bool,
}

/// An offer of ownership.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OfferView {
    /// The offer.
    pub id: String,
    /// The case.
    pub case: String,
    /// Name of the node that offers.
    pub from_name: String,
    /// Name of the node to which it is offered.
    pub to_name: String,
    /// To this node.
    pub incoming: bool,
    /// `open`, `accepted`, `declined`, `recalled`, `expired` or `moved_to`.
    pub state: String,
    /// Waits for the other side's word.
    pub open: bool,
    /// Why it was declined.
    pub reason: Option<String>,
    /// Level of the case.
    pub level: String,
    /// Summary without names.
    pub summary: String,
    /// When it was made.
    pub at: String,
    /// When it runs out.
    pub expires: String,
    /// Receipts, in order.
    pub receipts: Vec<ReceiptView>,
}

/// Everything of a case that may be shown here.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CaseView {
    /// As in a list.
    #[serde(flatten)]
    pub line: CaseLine,
    /// What is private, where it is held.
    pub private: Option<PrivateView>,
    /// When what was private of it went from here: erased by its owner, or past the day up to which this node might hold it.
    pub names_gone_at: Option<String>,
    /// Why it has its level.
    pub grading: GradingView,
    /// Its mediations, one after the other.
    pub mediations: Vec<MediationView>,
    /// What was agreed in them.
    pub agreements: Vec<AgreementView>,
    /// What units do of it.
    pub tasks: Vec<TaskView>,
    /// Other cases that it belongs with.
    pub linked: Vec<String>,
    /// The case into which it went.
    pub merged_into: Option<String>,
    /// That only named readers may read it.
    pub restricted: Option<RestrictedView>,
    /// The objection of the unit that leads it, where one waits.
    pub objection: Option<ObjectionView>,
    /// Who stands for it.
    pub sponsor: Option<SponsorView>,
    /// What its level asks for at once, and how far that has come.
    pub measures: Vec<MeasureView>,
    /// The term that ends next.
    pub next_term: Option<TermView>,
    /// Calendar days by which the term to resolve was extended.
    pub extended_days: u16,
    /// Days by which somebody asks that it be extended.
    pub extension_asked: Option<u16>,
    /// The six steps and the archive.
    pub steps: Vec<StepView>,
    /// Events, oldest first.
    pub events: Vec<EventView>,
    /// Photos, voice and papers, oldest first, as far as what events say of them is held.
    pub attachments: Vec<AttachmentView>,
    /// The levels, from the top down.
    pub ladder: Vec<RungView>,
    /// Who holds what of it, whoever holds most first.
    pub holders: Vec<HolderView>,
    /// Orders, newest first.
    pub orders: Vec<OrderView>,
    /// Offers, newest first.
    pub offers: Vec<OfferView>,
    /// What the caller may do next.
    pub next_actions: Vec<String>,
}
