//! Figures of this node and of all below.

#![expect(unused_qualifications, reason = "utoipa spells the path of query types out")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use protocol::division::DivisionCode;
use protocol::event::Category;
use protocol::warning::Warning;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::extract::{Params, field};
use super::problem::{Problem, ProblemBody};
use super::stamp;
use super::state::ApiState;
use crate::store::figures::{By, Count};

/// The definition by which the totals are counted.
pub const DEFINITION: &str = "disputes-successful/1";
/// All days that the calendar type knows.
pub(crate) const ALL_DAYS: (i32, i32) = (-25_567, 84_005);

/// How a count is cut.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// Warning level.
    Level,
    /// Category.
    Category,
    /// Place.
    Place,
    /// Day of the report.
    Day,
    /// Kind of grid.
    GridKind,
    /// Step.
    Step,
}

impl Cut {
    fn by(self) -> By {
        match self {
            Self::Level => By::Level,
            Self::Category => By::Category,
            Self::Place => By::Place,
            Self::Day => By::Day,
            Self::GridKind => By::GridKind,
            Self::Step => By::Step,
        }
    }
}

/// What is counted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CutQuery {
    /// How the count is cut.
    by: Cut,
    /// Division code; without it everything here and below.
    within: Option<String>,
    /// First day of report, YYYY-MM-DD.
    from: Option<String>,
    /// Last day of report, YYYY-MM-DD.
    to: Option<String>,
}

/// What is totalled.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TotalsQuery {
    /// Division code; without it everything here and below.
    within: Option<String>,
    /// First day of report, YYYY-MM-DD.
    from: Option<String>,
    /// Last day of report, YYYY-MM-DD.
    to: Option<String>,
}

/// One line of a count.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CountView {
    /// The value by which it is cut: a level's name or `none`, a code, a day, a step.
    pub value: String,
    /// A name for it, where there is one.
    pub name: Option<String>,
    /// Cases that are not void.
    pub cases: i64,
    /// Of these, not archived.
    pub in_hand: i64,
}

/// A count.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CutView {
    /// The division that it counts.
    pub within: String,
    /// When it was counted.
    pub as_of: String,
    /// Its lines.
    pub lines: Vec<CountView>,
}

/// Totals with the success rate and what it is made of.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TotalsView {
    /// The division that they count.
    pub within: String,
    /// When they were counted.
    pub as_of: String,
    /// The definition by which they are counted.
    pub definition: &'static str,
    /// Cases that are not void.
    pub cases: i64,
    /// Of these, not archived.
    pub in_hand: i64,
    /// Disputes that ended with a settlement.
    pub numerator: i64,
    /// Disputes that ended, with or without a settlement.
    pub denominator: i64,
    /// Success rate in per cent with one decimal, cut off and not rounded up; none while nothing has ended.
    pub success_rate: Option<String>,
}

/// Name of a rank as the API writes it.
pub(crate) fn level_name(rank: u8) -> &'static str {
    match Warning::from_rank(rank) {
        Some(Warning::Orange) => "orange",
        Some(Warning::Red) => "red",
        Some(Warning::Yellow) => "yellow",
        Some(Warning::Later(_)) => "unknown",
        None => "none",
    }
}

fn parse_within(state: &ApiState, within: Option<&str>) -> Result<DivisionCode, Problem> {
    within.map_or(Ok(state.config.node.division), |code| field("within", code))
}

fn parse_days(from: Option<&str>, to: Option<&str>) -> Result<(i32, i32), Problem> {
    let day = |name: &str, text: Option<&str>, default: i32| match text {
        None => Ok(default),
        Some(text) => stamp::parse_day(text)
            .map(protocol::time::CivilDay::number)
            .ok_or_else(|| Problem::malformed(format!("{name} is a day YYYY-MM-DD"))),
    };
    Ok((day("from", from, ALL_DAYS.0)?, day("to", to, ALL_DAYS.1)?))
}

fn line(state: &ApiState, by: Cut, count: Count) -> CountView {
    let number = count.value.parse::<u64>().ok();
    let (value, name) = match by {
        Cut::Level => (level_name(number.and_then(|n| u8::try_from(n).ok()).unwrap_or(0)).to_owned(), None),
        Cut::Category => {
            let code = Category(number.and_then(|n| u16::try_from(n).ok()).unwrap_or(0));
            (code.to_string(), Some(state.in_force().categories.name(code, true)))
        }
        Cut::Place => match number.and_then(|n| DivisionCode::from_number(n).ok()) {
            Some(code) => (code.to_string(), Some(state.division_name(code))),
            None => (count.value, None),
        },
        Cut::Day => (count.value.parse().map(stamp::day).unwrap_or_default(), None),
        Cut::GridKind | Cut::Step => (count.value, None),
    };
    CountView { value, name, cases: count.cases, in_hand: count.in_hand }
}

/// Counts, for the API and the page.
pub(crate) async fn count(
    state: &ApiState,
    by: Cut,
    within: DivisionCode,
    days: (i32, i32),
) -> Result<Vec<CountView>, Problem> {
    let counts = state.store.count_by(by.by(), within, days).await?;
    Ok(counts.into_iter().map(|count| line(state, by, count)).collect())
}

/// Per cent with one decimal, cut off: 99.96 % is not 100.0 %.
fn rate(numerator: i64, denominator: i64) -> Option<String> {
    let tenths = numerator.checked_mul(1_000)?.checked_div(denominator)?;
    Some(format!("{}.{}", tenths / 10, tenths % 10))
}

/// Totals, for the API and the page.
pub(crate) async fn total(state: &ApiState, within: DivisionCode, days: (i32, i32)) -> Result<TotalsView, Problem> {
    let totals = state.store.totals(within, days).await?;
    let denominator = totals.successful + totals.unsuccessful;
    Ok(TotalsView {
        within: within.to_string(),
        as_of: stamp::rfc3339(state.clock.wall()),
        definition: DEFINITION,
        cases: totals.cases,
        in_hand: totals.in_hand,
        numerator: totals.successful,
        denominator,
        success_rate: rate(totals.successful, denominator),
    })
}

/// Counts cases by one dimension.
#[utoipa::path(get, path = "/api/v1/figures", tag = "figures", params(CutQuery),
    responses((status = 200, body = CutView), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
pub(super) async fn cut(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Params(query): Params<CutQuery>,
) -> Result<Json<CutView>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    let within = parse_within(&state, query.within.as_deref())?;
    let days = parse_days(query.from.as_deref(), query.to.as_deref())?;
    let as_of = stamp::rfc3339(state.clock.wall());
    let lines = count(&state, query.by, within, days).await?;
    Ok(Json(CutView { within: within.to_string(), as_of, lines }))
}

/// Totals with the success rate.
#[utoipa::path(get, path = "/api/v1/figures/totals", tag = "figures", params(TotalsQuery),
    responses((status = 200, body = TotalsView), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
pub(super) async fn totals(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Params(query): Params<TotalsQuery>,
) -> Result<Json<TotalsView>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    let within = parse_within(&state, query.within.as_deref())?;
    let days = parse_days(query.from.as_deref(), query.to.as_deref())?;
    Ok(Json(total(&state, within, days).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_rate_is_cut_and_never_flatters() {
        assert_eq!(rate(9_996, 10_000).as_deref(), Some("99.9"));
        assert_eq!(rate(1, 1).as_deref(), Some("100.0"));
        assert_eq!(rate(2, 3).as_deref(), Some("66.6"));
        assert_eq!(rate(0, 0), None);
    }
}
