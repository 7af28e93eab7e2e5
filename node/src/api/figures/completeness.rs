//! GET figures/completeness: whose figures are here, and which escalations lack their brief.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use protocol::division::DivisionCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{query, words};
use crate::api::caller::Caller;
use crate::api::extract::Params;
use crate::api::problem::{Problem, ProblemBody};
use crate::api::stamp;
use crate::api::state::ApiState;
use crate::oversight::{Why, completeness};

/// Of which area.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WholeQuery {
    /// Division code; without it everything here and below.
    within: Option<String>,
}

/// A node whose figures are not here as it states them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MissingView {
    /// The node.
    pub node: String,
    /// Where it hangs.
    pub division: String,
    /// Its name.
    pub name: String,
    /// `never` stated any, `silent` for too long, or `unequal` to what it states.
    pub why: &'static str,
    /// Since when; none when it was never heard of.
    pub since: Option<String>,
}

/// Whose figures are in a figure, and as of when.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct WholeView {
    /// When it was counted.
    pub counted_at: String,
    /// The earliest moment as of which a complete node states its figures.
    pub as_of: String,
    /// Nodes whose figures belong in it.
    pub expected_nodes: usize,
    /// Of these, those whose figures are here as they state them: their digests are equal and they were heard of lately.
    pub complete_nodes: usize,
    /// The others, the first of them.
    pub missing: Vec<MissingView>,
}

/// An escalated case whose brief is not here.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct DroppedView {
    /// The case.
    pub case: String,
    /// Name of its owner.
    pub owner: String,
    /// Its level.
    pub level: String,
    /// When its fact came.
    pub since: String,
}

/// How whole the figures are.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CompletenessView {
    /// The division.
    pub within: String,
    /// Whose figures are here.
    #[serde(flatten)]
    pub whole: WholeView,
    /// Dropped escalations: red and orange facts whose brief has been missing for too long.
    pub dropped: Vec<DroppedView>,
}

/// Judges an area, naming so many of the missing.
pub(super) async fn whole_of(state: &ApiState, within: DivisionCode, named: usize) -> Result<WholeView, Problem> {
    let members = state.store.members(within).await?;
    let now = state.clock.wall();
    let whole = completeness(&members, now, state.config.figures.pace().stale_ms());
    let missing = whole.missing.iter().take(named).map(|missing| MissingView {
        node: missing.member.to_string(),
        division: missing.division.to_string(),
        name: state.division_name(missing.division),
        why: match missing.why {
            Why::Never => "never",
            Why::Silent => "silent",
            Why::Unequal => "unequal",
        },
        since: missing.since.map(stamp::rfc3339),
    });
    Ok(WholeView {
        counted_at: stamp::rfc3339(now),
        as_of: stamp::rfc3339(whole.as_of),
        expected_nodes: whole.expected,
        complete_nodes: whole.complete,
        missing: missing.collect(),
    })
}

/// Whose figures are here and whose are not, and which escalations lack their brief.
#[utoipa::path(get, path = "/api/v1/figures/completeness", tag = "figures", params(WholeQuery),
    responses((status = 200, body = CompletenessView), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(in crate::api) async fn whole(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Params(query): Params<WholeQuery>,
) -> Result<Json<CompletenessView>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    let within = query::within(&state, query.within.as_deref())?;
    let dropped = state.store.dropped_escalations().await?;
    let dropped = dropped.into_iter().map(|dropped| DroppedView {
        case: dropped.case.to_string(),
        owner: state.node_name(dropped.owner),
        level: words::level_name(dropped.level),
        since: stamp::rfc3339(dropped.since),
    });
    Ok(Json(CompletenessView {
        within: within.to_string(),
        whole: whole_of(&state, within, usize::MAX).await?,
        dropped: dropped.collect(),
    }))
}
