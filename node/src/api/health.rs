//! Whether the process answers.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// It does.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    ok: bool,
}

/// Says that the process answers, and nothing else.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    Json(Health { ok: true })
}
