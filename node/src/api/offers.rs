//! Offers of ownership: what waits to be signed for (待签收), and the two answers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use casework::Command;
use protocol::bounded::Text;
use protocol::id::NodeId;
use protocol::transfer::Ground;
use serde::Deserialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::cases::acts::act;
use super::cases::dossier;
use super::cases::view::{CaseView, OfferView};
use super::extract::{Body, id};
use super::problem::{Problem, ProblemBody};
use super::state::ApiState;

/// Taken on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptBody {}

/// Declined.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclineBody {
    /// `not_competent`, `incomplete`, `duplicate` or `settle_below`.
    #[schema(value_type = String)]
    pub ground: Ground,
    /// Words without names.
    #[serde(default)]
    #[schema(value_type = String)]
    pub text: Text<400>,
    /// The node that should own it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub proposed: Option<NodeId>,
}

/// Offers to this node that wait for an answer.
#[utoipa::path(get, path = "/api/v1/offers", tag = "offers",
    responses((status = 200, body = Vec<OfferView>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(super) async fn list(State(state): State<Arc<ApiState>>, caller: Caller) -> Result<Json<Vec<OfferView>>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    Ok(Json(dossier::open_offers(&state, &caller).await?))
}

/// Takes an offered case on.
#[utoipa::path(post, path = "/api/v1/cases/{id}/offers/{offer}/accept", tag = "offers",
    params(("id" = String, Path), ("offer" = String, Path)), request_body = AcceptBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn accept(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path((case, offer)): Path<(String, String)>,
    Body(AcceptBody {}): Body<AcceptBody>,
) -> Result<Json<CaseView>, Problem> {
    let command = id(&offer).map(|offer| Command::AcceptOffer { offer });
    act(&state, &caller, &case, command).await
}

/// Declines an offered case.
#[utoipa::path(post, path = "/api/v1/cases/{id}/offers/{offer}/decline", tag = "offers",
    params(("id" = String, Path), ("offer" = String, Path)), request_body = DeclineBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn decline(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path((case, offer)): Path<(String, String)>,
    Body(DeclineBody { ground, text, proposed }): Body<DeclineBody>,
) -> Result<Json<CaseView>, Problem> {
    let command = id(&offer).map(|offer| Command::DeclineOffer { offer, ground, text, proposed });
    act(&state, &caller, &case, command).await
}
