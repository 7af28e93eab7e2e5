//! The tasks that wait for a caller's units.

#![expect(unused_qualifications, reason = "utoipa spells the path of query types out")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::extract::Params;
use super::problem::{Problem, ProblemBody};
use super::stamp;
use super::state::ApiState;

/// Tasks that one answer lists.
const COUNT_MAX: u32 = 200;

/// How many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TaskQuery {
    /// Tasks in the answer, 1 to 200.
    count: Option<u32>,
}

/// A task in a list: nothing in it names a party. Its words are with the case.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskLine {
    /// The case.
    pub case: String,
    /// The task's number in it.
    pub task: u16,
    /// Code of the unit.
    pub unit: u16,
    /// Name of the unit.
    pub unit_name: String,
    /// `orange`, `red`, `yellow` or `none`: the level of the case.
    pub level: String,
    /// `given`, `accepted`, `reported` or `sent_back`.
    pub state: String,
    /// It waits for a task before it.
    pub waits: bool,
    /// What the case is about, without names.
    pub summary: String,
    /// The last day.
    pub due: String,
    /// That day has passed.
    pub overdue: bool,
}

/// Tasks that have not ended, of the units for which the caller answers, what is due first.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "cases", params(TaskQuery),
    responses((status = 200, body = Vec<TaskLine>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Params(query): Params<TaskQuery>,
) -> Result<Json<Vec<TaskLine>>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    let count = query.count.unwrap_or(COUNT_MAX).clamp(1, COUNT_MAX);
    let rows = state.store.tasks(caller.scopes().as_deref(), count).await?;
    let (units, today) = (state.in_force().units.clone(), state.clock.reading().day());
    let line = |row: crate::store::tasks::TaskRow| TaskLine {
        case: row.case.to_string(),
        task: row.task,
        unit: row.unit.0,
        unit_name: units.name(row.unit, true),
        level: protocol::warning::Warning::from_rank(row.level).map_or_else(|| "none".to_owned(), |it| it.to_string()),
        state: row.state,
        waits: row.waits,
        summary: row.summary,
        due: stamp::day(row.due.number()),
        overdue: row.due < today,
    };
    Ok(Json(rows.into_iter().map(line).collect()))
}
