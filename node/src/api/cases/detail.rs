//! One case.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use casework::{Known, Refusal};
use protocol::id::CaseId;

use super::dossier;
use super::pieces::Shown;
use super::view::CaseView;
use crate::api::caller::Caller;
use crate::api::extract::id;
use crate::api::problem::{Problem, ProblemBody};
use crate::api::state::ApiState;

/// A case for somebody who may see it; the same answer for one they may not see and one that is not here.
pub(crate) async fn case_of(state: &ApiState, caller: &Caller, text: &str) -> Result<CaseView, Problem> {
    caller.must_see_cases()?;
    let case: CaseId = id(text)?;
    dossier::view(state, caller, case, Shown::Masked).await?.ok_or_else(Problem::not_found)
}

/// Refuses a case outside of the caller's scopes like one that is not here. Of a restricted one whoever is not named as its reader has what
/// a level above has.
pub(crate) async fn must_see(state: &ApiState, caller: &Caller, case: CaseId) -> Result<Known, Problem> {
    caller.must_see_cases()?;
    if !state.store.holds_case(case).await? {
        return Err(Problem::not_found());
    }
    let known = dossier::known(state, case).await?;
    match known.seen_by(&caller.actor()) {
        None => Err(Problem::not_found()),
        Some(Cow::Owned(masked)) => Ok(masked),
        Some(Cow::Borrowed(_)) => Ok(known),
    }
}

/// The same, and refuses a restricted case to whoever is not named as its reader.
pub(crate) async fn must_read(state: &ApiState, caller: &Caller, case: CaseId) -> Result<Known, Problem> {
    let known = must_see(state, caller, case).await?;
    if known.is_read_by(&caller.actor()) { Ok(known) } else { Err(Problem::from(Refusal::Restricted)) }
}

/// One case with its events, ladder, orders and offers.
#[utoipa::path(get, path = "/api/v1/cases/{id}", tag = "cases", params(("id" = String, Path)),
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(crate) async fn detail(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(text): Path<String>,
) -> Result<Json<CaseView>, Problem> {
    Ok(Json(case_of(&state, &caller, &text).await?))
}
