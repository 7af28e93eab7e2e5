//! GET figures/definitions: what each measure means.

use axum::Json;

use super::ask::DefinitionView;
use crate::api::caller::Caller;
use crate::api::problem::{Problem, ProblemBody};
use crate::oversight::DEFINITIONS;

/// The definitions of all measures.
#[utoipa::path(get, path = "/api/v1/figures/definitions", tag = "figures",
    responses((status = 200, body = Vec<DefinitionView>), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody)))]
pub(in crate::api) async fn definitions(caller: Caller) -> Result<Json<Vec<DefinitionView>>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    Ok(Json(DEFINITIONS.iter().map(DefinitionView::from).collect()))
}
