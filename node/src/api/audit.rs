//! The audit: who did what, and whose data was read.

#![expect(unused_qualifications, reason = "utoipa spells the path of query types out")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::extract::Params;
use super::problem::{Problem, ProblemBody};
use super::stamp;
use super::state::ApiState;
use crate::person::audit::Chained;
use crate::writer::port::Ask;

/// Entries on a page without a wish.
const COUNT: u32 = 100;
/// Entries on a page at most.
const COUNT_MAX: u32 = 500;

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Entries before this number: `next` of the page before.
    before: Option<u64>,
    /// Entries on the page, 1 to 500.
    count: Option<u32>,
}

/// One entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// From 1, without gaps.
    number: u64,
    /// When.
    at: String,
    /// Log-in name, `token:NAME`, `operator`, `cli` or `node`.
    who: String,
    /// Their roles then.
    roles: String,
    /// Session or token, by the first digits of its hash; the address of a log-in.
    via: String,
    /// Method and route.
    action: String,
    /// To what.
    object: String,
    /// `done`, or the code of the refusal.
    outcome: String,
    /// Why, where a reason was asked for.
    reason: String,
    /// Hash over the entry before and this one.
    hash: String,
}

/// A page of the audit, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditPage {
    /// The entries.
    entries: Vec<EntryView>,
    /// `before` of the next page, if there is one.
    next: Option<u64>,
}

/// What a check found.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditCheck {
    /// Every hash is right, and every anchor is met.
    whole: bool,
    /// Entries that were checked.
    entries: u64,
    /// What is wrong.
    broken: Option<String>,
    /// When the head last went to the parent.
    anchored_at: Option<String>,
    /// Entries that it vouches for.
    anchored: Option<u64>,
}

fn view(chained: Chained) -> EntryView {
    let Chained { number, at, entry, hash } = chained;
    EntryView {
        number,
        at: stamp::rfc3339(at),
        who: entry.who,
        roles: entry.roles,
        via: entry.via,
        action: entry.action,
        object: entry.object,
        outcome: entry.outcome,
        reason: entry.reason,
        hash: hash.to_string(),
    }
}

/// Entries, the latest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, body = AuditPage), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Params(query): Params<AuditQuery>,
) -> Result<Json<AuditPage>, Problem> {
    caller.must_audit()?;
    let count = query.count.unwrap_or(COUNT).clamp(1, COUNT_MAX);
    let rows = state.store.audit_page(query.before, count).await?;
    let next = rows.last().map(|last| last.number).filter(|number| *number > 1);
    Ok(Json(AuditPage { entries: rows.into_iter().map(view).collect(), next }))
}

/// Works every hash out anew, against the heads that went to the parent.
#[utoipa::path(get, path = "/api/v1/audit/check", tag = "audit",
    responses((status = 200, body = AuditCheck), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 429, body = ProblemBody)))]
pub(super) async fn check(State(state): State<Arc<ApiState>>, caller: Caller) -> Result<Json<AuditCheck>, Problem> {
    caller.must_audit()?;
    let anchor = state.store.anchors(Some(state.me())).await?.pop();
    let checked = state.store.check_audit(Vec::new()).await?;
    Ok(Json(AuditCheck {
        whole: checked.is_ok(),
        entries: checked.as_ref().map_or(0, |head| head.number),
        broken: checked.err().map(|broken| broken.to_string()),
        anchored_at: anchor.map(|a| stamp::rfc3339(a.at)),
        anchored: anchor.map(|a| a.head.number),
    }))
}

/// Sends the head to the parent now.
#[utoipa::path(post, path = "/api/v1/audit/anchor", tag = "audit",
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(super) async fn anchor(State(state): State<Arc<ApiState>>, caller: Caller) -> Result<StatusCode, Problem> {
    caller.must_audit()?;
    state.port.ask(Ask::Anchor).await?;
    Ok(StatusCode::NO_CONTENT)
}
