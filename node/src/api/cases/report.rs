//! A report, which becomes a case.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use casework::Intake;
use serde::Deserialize;
use utoipa::ToSchema;

use super::detail::case_of;
use super::view::CaseView;
use crate::api::caller::Caller;
use crate::api::drafts::drop_draft;
use crate::api::extract::Body;
use crate::api::problem::{Problem, ProblemBody};
use crate::api::state::ApiState;
use crate::api::uploads::attach_waiting;
use crate::person::audit;

/// A report, as it is described; what reads it are the rules of cases.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ReportBody {
    /// Id of the case, a UUID that the caller makes: the same report sent again is the same case.
    pub case: String,
    /// `dispute`, `request` or `consultation`.
    pub matter: String,
    /// `window`, `grid`, `visit`, `hotline12345`, `police110`, `legal12348`, `petition`, `superior`, `department`, `public`.
    pub source: String,
    /// Category of GB/T 31000 as a number, e.g. 402 for 0402.
    pub category: u16,
    /// Division code where it happened.
    pub place: String,
    /// `responsibility`, `basic` or `dedicated`.
    pub grid_kind: String,
    /// Title, at most 120 bytes.
    pub title: String,
    /// Narrative, at most 8000 bytes.
    pub narrative: String,
    /// Parties: `side` (`applicant`, `respondent`, `other`), `name`, `phone`, `address`, `identity`.
    #[schema(value_type = Vec<Object>)]
    pub parties: Vec<serde_json::Value>,
    /// Answers of the grade panel: `signs` (bits), `violence`, `petition_talk`, `disturbs`, `effort` (`yes`, `no`,
    /// `unknown`), `people`.
    #[schema(value_type = Object)]
    pub answers: serde_json::Value,
    /// People involved, 0 while not known.
    pub head_count: u32,
    /// A summary for above, without names, at most 120 bytes; made by rule when left out.
    #[serde(default)]
    pub summary: Option<String>,
    /// `settle_here` or `submit`.
    pub ending: String,
    /// The level that a person confirmed: `orange`, `red`, `yellow`; the proposal of the rules when left out. Never below it.
    #[serde(default)]
    pub confirmed_level: Option<String>,
    /// Restricted to named readers from the first: `ground` (`minors`, `domestic_violence`, `sexual_harm`, `own_people`, `other`),
    /// `against` (id of the node whose people it is about), `note`. Null: not restricted; left out: as its words suggest.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub restricted: Option<serde_json::Value>,
}

/// Files a report. The answer is the case as it stands.
#[utoipa::path(post, path = "/api/v1/cases", tag = "cases", request_body = ReportBody,
    responses((status = 201, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn report(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(intake): Body<Intake>,
) -> Result<(StatusCode, [(header::HeaderName, String); 1], Json<CaseView>), Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    let id = intake.case.to_string();
    audit::note(Some(&format!("cases/{id}")), None);
    let case = intake.case;
    state.port.report(intake, caller.actor()).await?;
    attach_waiting(&state, &caller, case).await?;
    drop_draft(&state, &caller, case).await?;
    let location = [(header::LOCATION, format!("/api/v1/cases/{id}"))];
    Ok((StatusCode::CREATED, location, Json(case_of(&state, &caller, &id).await?)))
}
