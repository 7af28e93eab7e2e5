//! Lists of cases.

#![expect(unused_qualifications, reason = "utoipa spells the path of query types out")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::CaseLine;
use crate::api::caller::Caller;
use crate::api::extract::Params;
use crate::api::problem::{Problem, ProblemBody};
use crate::api::state::ApiState;
use crate::store::lists::{After, CaseFilter};

/// Cases on a page without a wish.
const COUNT: u32 = 50;
/// Cases on a page at most.
const COUNT_MAX: u32 = 200;

/// Which cases, and where the page begins.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `orange`, `red`, `yellow` or `none`.
    level: Option<String>,
    /// Step of the loop.
    step: Option<String>,
    /// Owned here (true) or followed only (false).
    mine: Option<bool>,
    /// Escalated ones only.
    #[serde(default)]
    escalated: bool,
    /// Struck-through ones too.
    #[serde(default)]
    void: bool,
    /// Archived ones too.
    #[serde(default)]
    archived: bool,
    /// Cases on the page, 1 to 200.
    count: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A page of cases, highest level first, then the latest change.
#[derive(Debug, Serialize, ToSchema)]
pub struct CasePage {
    /// The cases.
    pub cases: Vec<CaseLine>,
    /// Cursor of the next page, if there is one.
    pub next: Option<String>,
}

fn rank(level: &str) -> Result<u8, Problem> {
    match level {
        "orange" => Ok(3),
        "red" => Ok(2),
        "yellow" => Ok(1),
        "none" => Ok(0),
        _ => Err(Problem::malformed("level is orange, red, yellow or none")),
    }
}

fn cursor_of(line: &CaseLine) -> String {
    format!("{}.{}.{}", line.rank, line.changed_ms, line.id)
}

fn parse_cursor(text: &str) -> Result<After, Problem> {
    let mut parts = text.splitn(3, '.');
    let after = (|| {
        let (level, changed_at, case) = (parts.next()?, parts.next()?, parts.next()?);
        Some(After { level: level.parse().ok()?, changed_at: changed_at.parse().ok()?, case: case.parse().ok()? })
    })();
    after.ok_or_else(|| Problem::malformed("the cursor is none of this list"))
}

/// A page of cases, for the API and the page.
pub(crate) async fn page_of(
    state: &ApiState,
    caller: &Caller,
    mut filter: CaseFilter,
    after: Option<After>,
    count: u32,
) -> Result<CasePage, Problem> {
    filter.scopes = caller.scopes();
    let mut rows = state.store.case_list(&filter, after, count.saturating_add(1)).await?;
    let more = rows.len() > count as usize;
    rows.truncate(count as usize);
    let cases: Vec<_> = rows.into_iter().map(|row| CaseLine::of(state, row)).collect();
    let next = cases.last().filter(|_| more).map(cursor_of);
    Ok(CasePage { cases, next })
}

/// Cases owned or followed here.
#[utoipa::path(get, path = "/api/v1/cases", tag = "cases", params(ListQuery),
    responses((status = 200, body = CasePage), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
pub(crate) async fn list(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Params(query): Params<ListQuery>,
) -> Result<Json<CasePage>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    // A step that is asked for by name is shown even if it is the archive.
    let archived = query.archived || query.step.as_deref() == Some("archived");
    let filter = CaseFilter {
        mine: query.mine,
        escalated: query.escalated,
        level: query.level.as_deref().map(rank).transpose()?,
        step: query.step,
        void: query.void,
        archived,
        scopes: None,
    };
    let after = query.cursor.as_deref().map(parse_cursor).transpose()?;
    let count = query.count.unwrap_or(COUNT).clamp(1, COUNT_MAX);
    Ok(Json(page_of(&state, &caller, filter, after, count).await?))
}
