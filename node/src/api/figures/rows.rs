//! GET figures/rows: the cases behind a number, without names.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use protocol::event::DueTerm;
use protocol::time::{Minute, UnixMillis};
use serde::Serialize;
use utoipa::ToSchema;

use super::ask::DefinitionView;
use super::query::FigureQuery;
use super::words::level_name;
use crate::api::caller::Caller;
use crate::api::extract::Params;
use crate::api::problem::{Problem, ProblemBody};
use crate::api::stamp;
use crate::api::state::ApiState;
use crate::store::figures::FactRow;

/// One case behind a number.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RowView {
    /// Its key in the figures.
    pub key: String,
    /// The case, where this node holds it.
    pub case: Option<String>,
    /// Where it happened.
    pub place: String,
    /// Name of that.
    pub place_name: String,
    /// The owner's division.
    pub owner: String,
    /// Name of that.
    pub owner_name: String,
    /// Name of the unit that answers for it; empty: the owner itself.
    pub unit: String,
    /// What the matter is.
    #[schema(value_type = String)]
    pub matter: protocol::event::Matter,
    /// Where it came from.
    #[schema(value_type = String)]
    pub source: protocol::event::Source,
    /// The kind of grid there.
    #[schema(value_type = String)]
    pub grid_kind: protocol::division::GridKind,
    /// Its category.
    pub category: String,
    /// Name of that.
    pub category_name: String,
    /// People involved.
    pub head_count: u32,
    /// Level now.
    pub level: String,
    /// Step of the loop.
    #[schema(value_type = String)]
    pub step: protocol::event::Step,
    /// How it ended.
    #[schema(value_type = Option<String>)]
    pub outcome: Option<protocol::event::Outcome>,
    /// When it was reported.
    pub registered_at: String,
    /// When it was settled how it ended.
    pub resolved_at: Option<String>,
    /// The last day of the term that ends next.
    pub due: Option<String>,
    /// Sum involved, in fen.
    pub amount_fen: Option<u64>,
}

/// A page of rows.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RowsView {
    /// The definition of the number that they are behind.
    pub definition: DefinitionView,
    /// The cases.
    pub rows: Vec<RowView>,
    /// The key to go on after; none: there are no more.
    pub next: Option<String>,
}

fn at(minute: Minute) -> String {
    stamp::rfc3339(UnixMillis(i64::from(minute.0) * 60_000))
}

fn view(state: &ApiState, row: FactRow) -> RowView {
    let FactRow { fact, case } = row;
    let due = fact.running_terms().map(|DueTerm { day, .. }| day.number()).min();
    RowView {
        key: fact.key.to_string(),
        case: case.map(|case| case.to_string()),
        place: fact.place.to_string(),
        place_name: state.division_name(fact.place),
        owner: fact.owner.to_string(),
        owner_name: state.division_name(fact.owner),
        unit: state.in_force().units.name(fact.unit, true),
        matter: fact.matter,
        source: fact.source,
        grid_kind: fact.grid_kind,
        category: fact.category.to_string(),
        category_name: state.in_force().categories.name(fact.category, true),
        head_count: fact.head_count,
        level: level_name(fact.level.map_or(0, |level| level.rank())),
        step: fact.step(),
        outcome: fact.outcome,
        registered_at: at(fact.registered_at),
        resolved_at: fact.resolved_at.map(at),
        due: due.map(stamp::day),
        amount_fen: fact.amount_fen,
    }
}

/// The cases behind a number: the same question, and with `line` one line of its answer. As many as the line says.
#[utoipa::path(get, path = "/api/v1/figures/rows", tag = "figures", params(FigureQuery),
    responses((status = 200, body = RowsView), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(in crate::api) async fn rows(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Params(query): Params<FigureQuery>,
) -> Result<Json<RowsView>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    let question = query.question(&state)?;
    let (counted, after, limit) = query.page()?;
    let line = query.line(&question)?;
    let definition = question.measure.definition().into();
    let mut rows = state.oversight.rows(question, line, counted, after, limit + 1).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let rows: Vec<RowView> = rows.into_iter().map(|row| view(&state, row)).collect();
    let next = rows.last().filter(|_| more).map(|row| row.key.clone());
    Ok(Json(RowsView { definition, rows, next }))
}
