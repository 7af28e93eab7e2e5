//! POST and GET tallies: what is counted and is no case.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use protocol::fact::Measure;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ask::KeyView;
use super::completeness::{WholeView, whole_of};
use super::{query, words};
use crate::api::caller::Caller;
use crate::api::extract::{Body, Params};
use crate::api::problem::{Problem, ProblemBody};
use crate::api::stamp;
use crate::api::state::ApiState;
use crate::oversight::{Dimension, cut_place};
use crate::writer::port::Ask;

/// The measures by their words.
const MEASURES: [(&str, Measure); 5] = [
    ("visits", Measure::VISITS),
    ("calls", Measure::CALLS),
    ("bookings", Measure::BOOKINGS),
    ("screenings", Measure::SCREENINGS),
    ("education", Measure::EDUCATION),
];
/// What one request may add or take away.
const ADD_MAX: i64 = 1_000_000;

fn measure(text: &str) -> Result<Measure, Problem> {
    let found = MEASURES.iter().find(|(word, _)| *word == text).map(|(_, measure)| *measure);
    found.ok_or_else(|| Problem::invalid(format!("there is no tally {text:?}")))
}

/// What is counted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddBody {
    /// `visits`, `calls`, `bookings`, `screenings` or `education`.
    measure: String,
    /// The day in UTC+8, YYYY-MM-DD; today without it, never a later one.
    day: Option<String>,
    /// How many more; less than 0 takes back what was counted by mistake.
    add: i64,
}

/// A tally of this node as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TallyView {
    /// What is counted.
    pub measure: String,
    /// The day.
    pub day: String,
    /// How many.
    pub value: u64,
}

/// Counts what is no case: visits, calls, bookings and the like of this node.
#[utoipa::path(post, path = "/api/v1/tallies", tag = "figures", request_body = AddBody,
    responses((status = 200, body = TallyView), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(in crate::api) async fn add(
    State(state): State<Arc<ApiState>>,
    _: Caller,
    Body(body): Body<AddBody>,
) -> Result<Json<TallyView>, Problem> {
    let what = measure(&body.measure)?;
    let today = protocol::time::CivilDay::of(state.clock.wall());
    let day = match body.day.as_deref() {
        None => today,
        Some(text) => stamp::parse_day(text).ok_or_else(|| Problem::invalid("day is a day YYYY-MM-DD"))?,
    };
    if day > today {
        return Err(Problem::invalid("day lies in the future"));
    }
    if body.add == 0 || body.add.abs() > ADD_MAX {
        return Err(Problem::invalid(format!("add is a number from 1 to {ADD_MAX}, or less than 0 to take back")));
    }
    state.port.ask(Ask::Count { day, measure: what, add: body.add }).await?;
    let value = state.store.own_tally(day, what).await?;
    Ok(Json(TallyView { measure: body.measure, day: stamp::day(day.number()), value }))
}

/// Which tallies are summed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TallyQuery {
    /// `visits`, `calls`, `bookings`, `screenings` or `education`.
    measure: String,
    /// How they are cut: `place` (one level below the area), `county`, `township`, `community`, `grid`, `day`, `week`,
    /// `month`, `quarter`, `half`, `year`.
    by: Option<String>,
    /// Division code; without it everything here and below.
    within: Option<String>,
    /// First day in UTC+8, YYYY-MM-DD.
    from: Option<String>,
    /// Last day in UTC+8, YYYY-MM-DD.
    to: Option<String>,
}

/// A sum of tallies.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TallyLineView {
    /// By what it is cut.
    #[serde(flatten)]
    pub key: KeyView,
    /// How many.
    pub count: u64,
}

/// Sums of tallies.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TalliesView {
    /// What is counted.
    pub measure: String,
    /// The division that it counts.
    pub within: String,
    /// Whose figures are in it, and as of when.
    #[serde(flatten)]
    pub whole: WholeView,
    /// Over everything.
    pub total: u64,
    /// Its lines.
    pub lines: Vec<TallyLineView>,
}

/// Sums tallies of this node and of all below.
#[utoipa::path(get, path = "/api/v1/tallies", tag = "figures", params(TallyQuery),
    responses((status = 200, body = TalliesView), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(in crate::api) async fn tallied(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Params(query): Params<TallyQuery>,
) -> Result<Json<TalliesView>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    let within = query::within(&state, query.within.as_deref())?;
    let days = query::days(query.from.as_deref(), query.to.as_deref())?;
    let dimension = match query.by.as_deref() {
        None => None,
        Some(word) => match words::dimension(word, within) {
            Some(by @ (Dimension::Place(_) | Dimension::Time(_))) => Some(by),
            _ => return Err(Problem::malformed(format!("tallies cannot be cut by {word:?}"))),
        },
    };
    let counts = state.store.tallied(measure(&query.measure)?, within, days).await?;
    let in_force = state.in_force();
    let places = &in_force.places;
    let mut lines: BTreeMap<u64, u64> = BTreeMap::new();
    let total = counts.iter().map(|count| count.value).fold(0, u64::saturating_add);
    if let Some(dimension) = dimension {
        for count in &counts {
            let key = match dimension {
                Dimension::Time(period) => u64::try_from(period.first_day(count.day)).unwrap_or(0),
                Dimension::Place(level) => cut_place(places, count.division.number(), level),
                _ => 0,
            };
            let line = lines.entry(key).or_default();
            *line = line.saturating_add(count.value);
        }
    }
    let lines = lines.into_iter().zip(dimension.into_iter().cycle()).map(|((key, count), dimension)| {
        let (value, name) = words::value(&state, dimension, key);
        TallyLineView { key: KeyView { value, name }, count }
    });
    let lines = lines.collect();
    let whole = whole_of(&state, within, 20).await?;
    Ok(Json(TalliesView { measure: query.measure, within: within.to_string(), whole, total, lines }))
}
