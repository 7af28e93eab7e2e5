//! Logging in and out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use super::state::ApiState;
use crate::person::{password, roles, session};
use crate::store::persons::UserRow;
use crate::writer::port::Ask;

/// Name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// Log-in name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// Who is logged in, and where.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// Log-in name.
    name: String,
    /// Name as shown.
    shown: String,
    /// Role names.
    roles: Vec<String>,
    /// The node.
    node: String,
    /// Name of the node.
    node_name: String,
    /// Where the node hangs.
    division: String,
}

fn me_of(state: &ApiState, caller: &Caller) -> Me {
    Me {
        name: caller.name.clone(),
        shown: caller.shown.clone(),
        roles: caller.roles.iter().map(|r| roles::name(*r)).collect(),
        node: state.me().to_string(),
        node_name: state.config.node.name.clone(),
        division: state.config.node.division.to_string(),
    }
}

/// Checks name and password and opens a session. Unknown, disabled and mistyped take the same work and get the same answer.
pub(crate) async fn open(state: &ApiState, log_in: LogIn) -> Result<(UserRow, session::Opened), Problem> {
    let user = state.store.user(&log_in.user).await?.filter(|user| !user.disabled);
    let fits = password::verify(log_in.password, user.as_ref().map(|u| u.password.clone())).await;
    let Some(user) = user.filter(|_| fits) else {
        tracing::warn!("a log-in failed");
        return Err(Problem::log_in_failed());
    };
    let opened = session::Opened::new(state.clock.wall());
    let ask = Ask::PutSession { token: opened.hash, name: user.name.clone(), expires: opened.expires };
    state.port.ask(ask).await?;
    Ok((user, opened))
}

/// Ends the caller's session.
pub(crate) async fn close(state: &ApiState, caller: &Caller) -> Result<(), Problem> {
    if let Some(hash) = caller.session {
        state.port.ask(Ask::DropSession(hash)).await?;
    }
    Ok(())
}

/// Logs in: the answer sets a cookie that lasts twelve hours.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = LogIn,
    responses((status = 200, body = Me), (status = 401, body = ProblemBody)))]
pub(super) async fn log_in(State(state): State<Arc<ApiState>>, Body(body): Body<LogIn>) -> Result<Response, Problem> {
    let (user, opened) = open(&state, body).await?;
    let caller =
        Caller { roles: roles::of_text(&user.roles), name: user.name, shown: user.shown, session: Some(opened.hash) };
    let cookie = session::set_cookie(state.me(), &opened.token);
    Ok(([(header::SET_COOKIE, cookie)], Json(me_of(&state, &caller))).into_response())
}

/// Logs out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session",
    responses((status = 204), (status = 401, body = ProblemBody)))]
pub(super) async fn log_out(State(state): State<Arc<ApiState>>, caller: Caller) -> Result<Response, Problem> {
    close(&state, &caller).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, session::clear_cookie(state.me()))]).into_response())
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/v1/me", tag = "session",
    responses((status = 200, body = Me), (status = 401, body = ProblemBody)))]
pub(super) async fn me(State(state): State<Arc<ApiState>>, caller: Caller) -> Json<Me> {
    Json(me_of(&state, &caller))
}
