//! What a process answers that only reads, when it is asked to write.

use std::sync::Arc;

use axum::Extension;
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::caller;
use super::problem::Problem;
use super::state::ApiState;

/// Lets reading through. Whoever is logged in is told which process writes.
pub async fn guard(Extension(state): Extension<Arc<ApiState>>, request: Request, next: Next) -> Response {
    if !state.reads_only || matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let writer = match caller::identify(&state, request.headers()).await {
        Ok(Some(_)) => state.store.writer().await.ok().flatten(),
        _ => None,
    };
    Problem::reads_only(writer.as_deref()).into_response()
}
