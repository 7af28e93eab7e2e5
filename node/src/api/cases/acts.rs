//! What is done to a case: one endpoint for each act, all through the writer.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use casework::Command;
use protocol::id::CaseId;

use super::bodies::{
    ArchiveBody, AssessBody, AssignBody, Commanded, ContributeBody, FeedBackBody, FileBody, OfferBody, ProgressBody,
    RecallBody, RegradeBody, ResolveBody, ReturnBody, TakeOverBody, VoidBody,
};
use super::detail::{case_of, must_see};
use super::view::CaseView;
use crate::api::caller::Caller;
use crate::api::extract::{Body, id};
use crate::api::problem::{Problem, ProblemBody};
use crate::api::state::ApiState;

/// Acts on a case, and answers with the case as it stands afterwards. A case that the caller may not see is answered as
/// an absent one, before the writer is asked.
pub(crate) async fn act(
    state: &ApiState,
    caller: &Caller,
    case: &str,
    command: Result<Command, Problem>,
) -> Result<Json<CaseView>, Problem> {
    caller.must_see_cases()?;
    let id: CaseId = id(case)?;
    must_see(state, caller, id).await?;
    state.port.act(id, command?, caller.actor()).await?;
    Ok(Json(case_of(state, caller, case).await?))
}

/// Step 2: verified and filed.
#[utoipa::path(post, path = "/api/v1/cases/{id}/file", tag = "cases", params(("id" = String, Path)),
    request_body = FileBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn file(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<FileBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(body.command())).await
}

/// Sends the report back for completion.
#[utoipa::path(post, path = "/api/v1/cases/{id}/return", tag = "cases", params(("id" = String, Path)),
    request_body = ReturnBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn send_back(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<ReturnBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(body.command())).await
}

/// Step 3: gives the case to a unit.
#[utoipa::path(post, path = "/api/v1/cases/{id}/assign", tag = "cases", params(("id" = String, Path)),
    request_body = AssignBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn assign(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<AssignBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(body.command())).await
}

/// Step 4: notes work on the case.
#[utoipa::path(post, path = "/api/v1/cases/{id}/progress", tag = "cases", params(("id" = String, Path)),
    request_body = ProgressBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn progress(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<ProgressBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(body.command())).await
}

/// Ends step 4: settled or not.
#[utoipa::path(post, path = "/api/v1/cases/{id}/resolve", tag = "cases", params(("id" = String, Path)),
    request_body = ResolveBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn resolve(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<ResolveBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(body.command())).await
}

/// Step 5: who asked was told.
#[utoipa::path(post, path = "/api/v1/cases/{id}/feed-back", tag = "cases", params(("id" = String, Path)),
    request_body = FeedBackBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn feed_back(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<FeedBackBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(body.command())).await
}

/// Step 6: assesses the case.
#[utoipa::path(post, path = "/api/v1/cases/{id}/assess", tag = "cases", params(("id" = String, Path)),
    request_body = AssessBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn assess(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<AssessBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(body.command())).await
}

/// Archives the case.
#[utoipa::path(post, path = "/api/v1/cases/{id}/archive", tag = "cases", params(("id" = String, Path)),
    request_body = ArchiveBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn archive(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<ArchiveBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(body.command())).await
}

/// Strikes the case through: entered by mistake.
#[utoipa::path(post, path = "/api/v1/cases/{id}/void", tag = "cases", params(("id" = String, Path)),
    request_body = VoidBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn void(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<VoidBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(body.command())).await
}

/// Raises, lowers or cancels the level; what needs approval is asked for above.
#[utoipa::path(post, path = "/api/v1/cases/{id}/regrade", tag = "cases", params(("id" = String, Path)),
    request_body = RegradeBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn regrade(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<RegradeBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(body.command())).await
}

/// Offers ownership to another node.
#[utoipa::path(post, path = "/api/v1/cases/{id}/offer", tag = "cases", params(("id" = String, Path)),
    request_body = OfferBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn offer(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<OfferBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(body.command())).await
}

/// Takes an offer back.
#[utoipa::path(post, path = "/api/v1/cases/{id}/recall", tag = "cases", params(("id" = String, Path)),
    request_body = RecallBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn recall(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<RecallBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(body.command())).await
}

/// Takes the case over from an owner that is lost.
#[utoipa::path(post, path = "/api/v1/cases/{id}/take-over", tag = "cases", params(("id" = String, Path)),
    request_body = TakeOverBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn take_over(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<TakeOverBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(body.command())).await
}

/// Sends a note to the owner of a case that is followed here.
#[utoipa::path(post, path = "/api/v1/cases/{id}/contribute", tag = "cases", params(("id" = String, Path)),
    request_body = ContributeBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn contribute(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<ContributeBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(body.command())).await
}
