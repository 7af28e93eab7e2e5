//! What is to be done by when: the list that a person's day goes by, and that reminders are made of.

#![expect(unused_qualifications, reason = "utoipa spells the path of query types out")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use protocol::time::{Minute, UnixMillis};
use protocol::warning::Warning;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::extract::Params;
use super::problem::{Problem, ProblemBody};
use super::stamp;
use super::state::ApiState;
use crate::store::clocks::{DueFilter, DueRow};

/// Lines of one answer.
const COUNT_MAX: u32 = 200;
/// Hours that it looks ahead: ten years.
const HOURS_MAX: u32 = 10 * 366 * 24;
/// What may be asked for.
const KINDS: [&str; 11] = [
    "file",
    "assign",
    "resolve",
    "feed_back",
    "assess",
    "measure",
    "task",
    "instalment",
    "confirmation",
    "offer",
    "order",
];

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DueQuery {
    /// One kind only: `file`, `assign`, `resolve`, `feed_back`, `assess`, `measure`, `task`, `instalment`, `confirmation`, `offer`,
    /// `order`.
    kind: Option<String>,
    /// What is overdue, or due within so many hours; absent: all.
    within_hours: Option<u32>,
    /// Lines of the answer, 1 to 200.
    count: Option<u32>,
}

/// Something to be done. Nothing in it names a party.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueLine {
    /// The case.
    pub case: String,
    /// What is to be done, by its kind.
    pub kind: String,
    /// Its number: of the measure, task, agreement or order; 0 where there is one only.
    pub number: u16,
    /// Of an instalment: which part of the plan.
    pub part: u16,
    /// Of a measure: its name.
    pub name: Option<String>,
    /// The same in English.
    pub name_en: Option<String>,
    /// Code of the unit that is to do it; 0: the node itself.
    pub unit: u16,
    /// Name of the unit.
    pub unit_name: String,
    /// `orange`, `red`, `yellow` or `none`: the level of the case.
    pub level: String,
    /// What the case is about, without names.
    pub summary: String,
    /// The last minute for it.
    pub due: String,
    /// That minute has passed.
    pub overdue: bool,
}

impl DueQuery {
    fn filter(self, caller: &Caller, now: Minute) -> Result<DueFilter, Problem> {
        if self.kind.as_deref().is_some_and(|kind| !KINDS.contains(&kind)) {
            return Err(Problem::field("kind", &format!("one of: {}", KINDS.join(", ")), "没有该类时限"));
        }
        let hours = self.within_hours.map(|hours| hours.min(HOURS_MAX));
        Ok(DueFilter {
            scopes: caller.scopes(),
            kind: self.kind,
            until: hours.map(|hours| Minute(now.0.saturating_add(hours.saturating_mul(60)))),
            count: self.count.unwrap_or(COUNT_MAX).clamp(1, COUNT_MAX),
        })
    }
}

/// What waits in the caller's scopes and is due, the first first: steps of cases, what a level asks for, tasks, parts of agreements,
/// offers and orders. What stands still, and what is provisional, is due at no known moment and is not in it.
#[utoipa::path(get, path = "/api/v1/due", tag = "cases", params(DueQuery),
    responses((status = 200, body = Vec<DueLine>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(super) async fn list(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Params(query): Params<DueQuery>,
) -> Result<Json<Vec<DueLine>>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    let now = state.clock.reading().minute();
    let rows = state.store.due(&query.filter(&caller, now)?, now).await?;
    Ok(Json(rows.into_iter().map(|row| line(&state, row, now)).collect()))
}

fn line(state: &ApiState, row: DueRow, now: Minute) -> DueLine {
    let held = state.in_force();
    let measure = held.measures.get(row.number).filter(|_| row.kind == "measure");
    DueLine {
        case: row.case.to_string(),
        number: row.number,
        part: row.part,
        name: measure.map(|measure| measure.name.to_string()),
        name_en: measure.map(|measure| measure.name_en.to_string()),
        unit: row.unit.0,
        unit_name: held.units.name(row.unit, true),
        level: Warning::from_rank(row.level).map_or_else(|| "none".to_owned(), |level| level.to_string()),
        summary: row.summary,
        due: stamp::rfc3339(UnixMillis(i64::from(row.due.0) * 60_000)),
        overdue: row.due < now,
        kind: row.kind,
    }
}
