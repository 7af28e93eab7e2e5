//! What is kept aside of each neighbour because it could not be accepted.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use protocol::id::NodeId;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::extract::id;
use super::problem::{Problem, ProblemBody};
use super::state::ApiState;
use crate::store::quarantine::Account;
use crate::writer::port::Ask;

/// What is kept aside of one neighbour.
#[derive(Debug, Serialize, ToSchema)]
pub struct AsideView {
    /// The neighbour.
    peer: String,
    /// Its name.
    name: String,
    /// Bundles that are here, 1,000 at most.
    kept: i64,
    /// Their bytes, 64 MiB at most.
    kept_bytes: i64,
    /// Bundles that came when there was no place left: counted, and not kept.
    refused: i64,
    /// Their bytes.
    refused_bytes: i64,
}

async fn all(state: &ApiState) -> Result<Json<Vec<AsideView>>, Problem> {
    let view = |(peer, account): (NodeId, Account)| {
        let Account { kept, kept_bytes, refused, refused_bytes } = account;
        AsideView { peer: peer.to_string(), name: state.node_name(peer), kept, kept_bytes, refused, refused_bytes }
    };
    Ok(Json(state.store.quarantine().await?.into_iter().map(view).collect()))
}

/// What is kept aside, by neighbour.
#[utoipa::path(get, path = "/api/v1/quarantine", tag = "operation",
    responses((status = 200, body = Vec<AsideView>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(super) async fn list(State(state): State<Arc<ApiState>>, caller: Caller) -> Result<Json<Vec<AsideView>>, Problem> {
    caller.must_administer()?;
    all(&state).await
}

/// Lets go of what is kept aside of a neighbour: somebody has found out why it came. What is kept aside then.
#[utoipa::path(post, path = "/api/v1/quarantine/{id}/clear", tag = "operation",
    params(("id" = String, Path)),
    responses((status = 200, body = Vec<AsideView>), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn clear(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(peer): Path<String>,
) -> Result<Json<Vec<AsideView>>, Problem> {
    caller.must_administer()?;
    state.port.ask(Ask::ClearQuarantine { of: id(&peer)? }).await?;
    all(&state).await
}
