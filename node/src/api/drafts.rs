//! Drafts: what a person has begun to write and not sent, kept at the node so that another device goes on with it. Nobody but its
//! author sees one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use protocol::bounded::Text;
use protocol::id::CaseId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::caller::Caller;
use super::extract::{Body, id};
use super::problem::{Problem, ProblemBody};
use super::stamp;
use super::state::ApiState;
use crate::store::drafts::{DraftChange, DraftRow};
use crate::writer::port::Ask;

/// Where a draft is put: the audit does not say of each key that somebody strikes.
pub(super) const PATH: &str = "/api/v1/drafts/{id}";
/// Bytes of one, as JSON.
const BYTES_MAX: usize = 64 * 1024;
/// Drafts that a user keeps.
const OF_USER_MAX: u32 = 50;

/// A draft, as its author puts it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// What it is to be: `report`, or the name of an act.
    #[schema(value_type = String)]
    pub kind: Text<40>,
    /// The case that it is about; of a report its own id.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub case: Option<CaseId>,
    /// What its author calls it, for the list.
    #[serde(default)]
    #[schema(value_type = String)]
    pub title: Text<120>,
    /// What was typed, in whatever shape the form has.
    #[schema(value_type = Object)]
    pub content: Map<String, Value>,
}

/// A draft with its id.
#[derive(Debug, Serialize, ToSchema)]
pub struct DraftView {
    /// Its id.
    pub id: String,
    /// When it last changed.
    pub at: String,
    /// What it is to be.
    pub kind: String,
    /// The case that it is about.
    pub case: Option<String>,
    /// What its author calls it.
    pub title: String,
    /// What was typed.
    #[schema(value_type = Object)]
    pub content: Map<String, Value>,
}

fn view(row: &DraftRow) -> Result<DraftView, Problem> {
    let draft: Draft = serde_json::from_slice(&row.content).map_err(|_| Problem::internal())?;
    Ok(DraftView {
        id: row.id.to_string(),
        at: stamp::rfc3339(row.at),
        kind: draft.kind.to_string(),
        case: draft.case.map(|case| case.to_string()),
        title: draft.title.to_string(),
        content: draft.content,
    })
}

/// The caller's drafts, the latest first.
#[utoipa::path(get, path = "/api/v1/drafts", tag = "drafts",
    responses((status = 200, body = Vec<DraftView>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(super) async fn list(State(state): State<Arc<ApiState>>, caller: Caller) -> Result<Json<Vec<DraftView>>, Problem> {
    let rows = state.store.drafts(&caller.name).await?;
    Ok(Json(rows.iter().map(view).collect::<Result<_, _>>()?))
}

/// One of the caller's drafts.
#[utoipa::path(get, path = "/api/v1/drafts/{id}", tag = "drafts", params(("id" = String, Path)),
    responses((status = 200, body = DraftView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(super) async fn detail(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(draft): Path<String>,
) -> Result<Json<DraftView>, Problem> {
    let row = state.store.draft(&caller.name, id(&draft)?).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(view(&row)?))
}

/// Keeps a draft as it is now: 64 KiB at most, 50 for each user, until thirty days after its last change. The id is made by its
/// author; that of a report is the id of the case that it is to be, and goes when that is filed.
#[utoipa::path(put, path = "/api/v1/drafts/{id}", tag = "drafts", params(("id" = String, Path)), request_body = Draft,
    responses((status = 200, body = DraftView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn put(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(draft): Path<String>,
    Body(body): Body<Draft>,
) -> Result<Json<DraftView>, Problem> {
    let id: CaseId = id(&draft)?;
    if body.kind.trim().is_empty() {
        return Err(Problem::field("kind", "say what it is to be", "请说明草稿用途"));
    }
    let content = serde_json::to_vec(&body).map_err(|_| Problem::internal())?;
    if content.len() > BYTES_MAX {
        let (en, zh) = (format!("a draft has {BYTES_MAX} bytes at most"), format!("草稿不得超过 {BYTES_MAX} 字节"));
        return Err(Problem::field("content", &en, &zh));
    }
    let change = DraftChange::Put { name: caller.name.clone(), id, content: content.clone(), of_user: OF_USER_MAX };
    state.port.ask(Ask::Draft(change)).await?;
    match state.store.draft(&caller.name, id).await? {
        Some(row) => Ok(Json(view(&row)?)),
        None => Err(Problem::drafts_full(OF_USER_MAX)),
    }
}

/// Gives a draft up; one that is gone already stays so.
#[utoipa::path(delete, path = "/api/v1/drafts/{id}", tag = "drafts", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(super) async fn give_up(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(draft): Path<String>,
) -> Result<StatusCode, Problem> {
    drop_draft(&state, &caller, id(&draft)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a draft go that was sent.
pub(super) async fn drop_draft(state: &ApiState, caller: &Caller, id: CaseId) -> Result<(), Problem> {
    if state.store.draft(&caller.name, id).await?.is_some() {
        state.port.ask(Ask::Draft(DraftChange::Drop { name: caller.name.clone(), id })).await?;
    }
    Ok(())
}
