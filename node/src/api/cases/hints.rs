//! Where an agreement could not be confirmed or enforced: told while it is written, and with it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use casework::Command;
use casework::hints::{Hint, Words, hints};
use serde::Serialize;
use utoipa::ToSchema;

use super::bodies::{Commanded, DrawBody};
use super::detail::must_see;
use crate::api::caller::Caller;
use crate::api::extract::{Body, id};
use crate::api::problem::{Problem, ProblemBody};
use crate::api::state::ApiState;

/// Where an agreement could not be confirmed or enforced; nothing is refused for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HintView {
    /// `who`, `when`, `how_much`, `sums_differ`, `how`, `vague`, `status` or `title`.
    pub hint: &'static str,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// The article.
    pub law: &'static str,
    /// The same in English.
    pub law_en: &'static str,
}

impl HintView {
    pub(super) fn of(hint: Hint) -> Self {
        let (law, law_en) = hint.law();
        Self { hint: hint.word(), zh: hint.chinese(), en: hint.english(), law, law_en }
    }
}

/// The hints for an agreement that is being written. Nothing is kept.
#[utoipa::path(post, path = "/api/v1/cases/{id}/agreement-hints", tag = "cases", params(("id" = String, Path)),
    request_body = DrawBody,
    responses((status = 200, body = Vec<HintView>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn hints_before(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<DrawBody>,
) -> Result<Json<Vec<HintView>>, Problem> {
    let known = must_see(&state, &caller, id(&case)?).await?;
    let Command::Draw { asked, .. } = body.command() else { return Err(Problem::internal()) };
    let words = Words { terms: &asked.terms, manner: &asked.manner, amount_fen: asked.amount_fen, plan: &asked.plan };
    Ok(Json(hints(words, known.names()).into_iter().map(HintView::of).collect()))
}
