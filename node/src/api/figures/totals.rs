//! GET figures/totals, and the counts that the page shows.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use protocol::division::{DivisionCode, Level};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ask::decimal;
use super::completeness::{WholeView, whole_of};
use super::{query, words};
use crate::api::caller::Caller;
use crate::api::extract::Params;
use crate::api::problem::{Problem, ProblemBody};
use crate::api::state::ApiState;
use crate::oversight::{Answer, Dimension, Filter, Measure, Period, Question};

/// How the page cuts a count.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cut {
    /// Warning level.
    Level,
    /// Category.
    Category,
    /// Place.
    Place,
    /// Day of the report.
    Day,
}

/// What is totalled.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TotalsQuery {
    /// Division code; without it everything here and below.
    within: Option<String>,
    /// First day of the period in UTC+8, YYYY-MM-DD.
    from: Option<String>,
    /// Last day of the period in UTC+8, YYYY-MM-DD.
    to: Option<String>,
}

/// One line of a count.
#[derive(Debug, Clone)]
pub(crate) struct CountView {
    /// The value by which it is cut: a level's name or `none`, a code, a day.
    pub(crate) value: String,
    /// A name for it, where there is one.
    pub(crate) name: Option<String>,
    /// Cases that are not void.
    pub(crate) cases: i64,
    /// Of these, not archived.
    pub(crate) in_hand: i64,
}

/// Totals with the success rate and what it is made of.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TotalsView {
    /// The division that they count.
    pub within: String,
    /// Whose figures are in them, and as of when.
    #[serde(flatten)]
    pub whole: WholeView,
    /// The definition by which the rate is counted.
    pub definition: String,
    /// Cases reported in the period that are not void.
    pub cases: i64,
    /// Of these, not archived at its end.
    pub in_hand: i64,
    /// Disputes that ended with a settlement in the period.
    pub numerator: i64,
    /// Disputes that ended, with or without a settlement, in the period.
    pub denominator: i64,
    /// Success rate in per cent with one decimal, cut off and not rounded up; none while nothing has ended.
    pub success_rate: Option<String>,
}

async fn asked(
    state: &ApiState,
    measure: Measure,
    by: &[Dimension],
    within: DivisionCode,
    days: (i32, i32),
) -> Result<Answer, Problem> {
    let today = protocol::time::CivilDay::of(state.clock.wall()).number();
    let (by, filter, judicial) = (by.to_vec(), Filter::default(), state.judicial());
    let places = state.in_force().places.clone();
    Ok(state.oversight.ask(Question { measure, by, within, days, filter, today, judicial, places }).await?)
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Counts for the page.
pub(crate) async fn count(
    state: &ApiState,
    by: Cut,
    within: DivisionCode,
    days: (i32, i32),
) -> Result<Vec<CountView>, Problem> {
    let dimension = match by {
        Cut::Level => Dimension::Level,
        Cut::Category => Dimension::Category,
        Cut::Place => Dimension::Place(Level::Grid),
        Cut::Day => Dimension::Time(Period::Day),
    };
    let cases = asked(state, Measure::Reported, &[dimension], within, days).await?;
    let in_hand = asked(state, Measure::InHand, &[dimension], within, days).await?;
    let lines = cases.lines.into_iter().map(|(keys, figure)| {
        let held = in_hand.lines.iter().find(|(other, _)| *other == keys);
        let (value, name) = words::value(state, dimension, keys[0]);
        let in_hand = held.map_or(0, |(_, held)| number(held.numerator));
        CountView { value, name, cases: number(figure.numerator), in_hand }
    });
    Ok(lines.collect())
}

/// Totals, for the API and the page.
pub(crate) async fn total(state: &ApiState, within: DivisionCode, days: (i32, i32)) -> Result<TotalsView, Problem> {
    let cases = asked(state, Measure::Reported, &[], within, days).await?.total;
    let in_hand = asked(state, Measure::InHand, &[], within, days).await?.total;
    let rate = asked(state, Measure::SuccessRate, &[], within, days).await?.total;
    let definition = Measure::SuccessRate.definition();
    Ok(TotalsView {
        within: within.to_string(),
        whole: whole_of(state, within, 20).await?,
        definition: format!("{}/{}", definition.id, definition.version),
        cases: number(cases.numerator),
        in_hand: number(in_hand.numerator),
        numerator: number(rate.numerator),
        denominator: number(rate.denominator),
        success_rate: rate.tenths.map(decimal),
    })
}

/// Totals with the success rate.
#[utoipa::path(get, path = "/api/v1/figures/totals", tag = "figures", params(TotalsQuery),
    responses((status = 200, body = TotalsView), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(in crate::api) async fn totals(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Params(query): Params<TotalsQuery>,
) -> Result<Json<TotalsView>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    let within = query::within(&state, query.within.as_deref())?;
    let days = query::days(query.from.as_deref(), query.to.as_deref())?;
    Ok(Json(total(&state, within, days).await?))
}
