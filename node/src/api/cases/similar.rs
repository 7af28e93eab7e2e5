//! Cases that are like a report before it is filed, and concluded ones that are like a case.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use casework::duplicate::DAYS_BACK;
use casework::restricted::suggested;
use protocol::bounded::{List, Text};
use protocol::division::DivisionCode;
use protocol::event::{Category, Party, PartySide};
use protocol::id::CaseId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::detail::must_see;
use super::list::viewer;
use super::pieces;
use super::view::CaseLine;
use crate::api::caller::Caller;
use crate::api::extract::{Body, id};
use crate::api::problem::{Problem, ProblemBody};
use crate::api::state::ApiState;
use crate::api::stored::NotKept;
use crate::finding::{Drafted, PartyHistory};
use crate::person::{audit, session};

/// A report before it is filed, as far as it is filled in.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimilarBody {
    /// Division where it happened.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub place: Option<DivisionCode>,
    /// Category as a number, e.g. 402 for 0402.
    #[serde(default)]
    #[schema(value_type = Option<u16>)]
    pub category: Option<Category>,
    /// Title.
    #[serde(default)]
    #[schema(value_type = String)]
    pub title: Text<120>,
    /// Narrative: only for whether the report should be restricted.
    #[serde(default)]
    #[schema(value_type = String)]
    pub narrative: Text<8000>,
    /// Phone of whoever asks, before there is a party to write it to.
    #[serde(default)]
    #[schema(value_type = String)]
    pub phone: Text<30>,
    /// Parties, as in a report.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub parties: List<Party, 64>,
}

/// An earlier case that may be the same matter.
#[derive(Debug, Serialize, ToSchema)]
pub struct CandidateView {
    /// The case.
    pub case: CaseLine,
    /// Its title with names and numbers masked, where its report is held.
    pub title: String,
    /// `phone`, `party`, `place`, `category` and `title`, as far as they are the same or much alike, the strongest first.
    pub reasons: Vec<String>,
    /// The heavier, the likelier it is the same matter.
    pub weight: u32,
}

/// In how many earlier cases of this node the phone or the document of a party stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryView {
    /// The party, counted from 0 as in the report; one past the last: whoever has `phone`.
    pub party: usize,
    /// Cases that are worked on.
    pub open: usize,
    /// Cases that have ended.
    pub concluded: usize,
}

/// What may be the same matter.
#[derive(Debug, Serialize, ToSchema)]
pub struct SimilarView {
    /// Cases of the last 180 days in this node's area that the caller may see, the likeliest first, ten at most.
    pub candidates: Vec<CandidateView>,
    /// What is known of its parties, as counts; nothing for whoever may not see parties.
    pub history: Vec<HistoryView>,
    /// The ground on which its words suggest that it be restricted: `minors`, `domestic_violence` or `sexual_harm`. Without another wish it is.
    pub restrict: Option<String>,
}

/// A concluded case in outline: no name and no word of what was agreed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConcludedView {
    /// The case.
    pub case: CaseLine,
    /// How much it is alike, of a hundred.
    pub alike: u32,
    /// `successful`, `unsuccessful` or `other`.
    pub outcome: String,
    /// `handled`, `declined`, `withdrawn` or `referred`.
    pub method: String,
    /// Code of the channel by which it was settled, where that is recorded.
    pub channel: Option<u16>,
    /// Days from the report until it was settled.
    pub days: u32,
    /// `under10k`, `from10k`, `from50k`, `from100k` or `from500k` yuan, where a sum was named.
    pub sum: Option<String>,
    /// How often it was opened again.
    pub reopened: u16,
}

/// Concluded cases that are like one.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConcludedPage {
    /// Those that the caller may see, the likest first, ten at most.
    pub concluded: Vec<ConcludedView>,
}

/// The parties that are compared: the caller's phone belongs to one more.
fn parties(named: List<Party, 64>, phone: Text<30>) -> Result<List<Party, 64>, Problem> {
    if phone.is_empty() {
        return Ok(named);
    }
    let (name, address, identity) = (Text::cut(""), Text::cut(""), Text::cut(""));
    let caller = Party { side: PartySide::Other, name, phone, address, identity };
    let all = named.iter().cloned().chain([caller]).collect();
    List::new(all)
        .map_err(|_| Problem::field("parties", "63 parties at most beside a phone", "另填电话时当事人最多 63 人"))
}

/// Lets the audit tell two look-ups of one number from two of another, without telling the number.
fn note(state: &ApiState, parties: &[Party]) {
    let numbers = parties.iter().flat_map(|party| [&*party.phone, &*party.identity]);
    if let Some(hash) = numbers.filter_map(|number| state.vault().number_hash(number)).next() {
        audit::note(Some(&format!("cases/similar?number={}", session::short(&hash))), None);
    }
}

/// Earlier cases that a report may repeat. Nothing is filed, and nothing of the report is kept. Who may not see parties unmasked is
/// told what place, category and title say.
#[utoipa::path(post, path = "/api/v1/cases/similar", tag = "cases", request_body = SimilarBody,
    responses((status = 200, body = SimilarView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(crate) async fn similar(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<SimilarBody>,
) -> Result<NotKept<SimilarView>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    let parties = parties(body.parties, body.phone)?;
    note(&state, &parties);
    let restrict = suggested(&body.title, &body.narrative).map(pieces::word);
    let today = state.clock.reading().day();
    let drafted = Drafted {
        place: body.place,
        category: body.category,
        title: body.title,
        parties,
        from: today.plus(-DAYS_BACK).number(),
        home: state.config.node.division,
        places: state.in_force().places.clone(),
        viewer: viewer(&state, &caller),
    };
    let (likely, history) = state.finder.like(drafted).await?;
    let ids: Vec<_> = likely.iter().map(|one| one.case).collect();
    let mut rows = state.store.case_rows(&ids).await?;
    let candidates = likely.into_iter().filter_map(|one| {
        Some(CandidateView {
            case: CaseLine::of(&state, rows.remove(&one.case)?),
            title: one.title,
            reasons: one.likeness.reasons.iter().map(pieces::word).collect(),
            weight: one.likeness.weight,
        })
    });
    let told = |PartyHistory { party, open, concluded }| HistoryView { party, open, concluded };
    let history = history.into_iter().map(told).collect();
    Ok(NotKept(Json(SimilarView { candidates: candidates.collect(), history, restrict })))
}

/// Concluded cases of this node that are like one, by category and words, in outline.
#[utoipa::path(get, path = "/api/v1/cases/{id}/similar", tag = "cases", params(("id" = String, Path)),
    responses((status = 200, body = ConcludedPage), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(crate) async fn concluded(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(text): Path<String>,
) -> Result<Json<ConcludedPage>, Problem> {
    let case: CaseId = id(&text)?;
    let known = must_see(&state, &caller, case).await?;
    let Some(case) = known.case() else { return Ok(Json(ConcludedPage { concluded: Vec::new() })) };
    let found = state.finder.concluded_like(case, viewer(&state, &caller)).await?;
    let ids: Vec<_> = found.iter().map(|one| one.case).collect();
    let mut rows = state.store.case_rows(&ids).await?;
    let concluded = found.into_iter().filter_map(|one| {
        let outline = one.outline;
        Some(ConcludedView {
            case: CaseLine::of(&state, rows.remove(&one.case)?),
            alike: one.alike,
            outcome: pieces::word(outline.outcome),
            method: pieces::word(outline.method),
            channel: outline.channel.map(|channel| channel.0),
            days: outline.days,
            sum: outline.sum.map(pieces::word),
            reopened: outline.reopened,
        })
    });
    Ok(Json(ConcludedPage { concluded: concluded.collect() }))
}
