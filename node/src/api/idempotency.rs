//! `Idempotency-Key`: a request that is sent again is answered again, not done again.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Extension, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::caller::Caller;
use super::problem::{self, Problem};
use super::router::BODY_BYTES_MAX;
use super::state::ApiState;
use super::stored::DoNotKeep;
use crate::store::persons::AnsweredRow;
use crate::writer::port::Ask;

/// The header that carries the key.
pub const HEADER: &str = "idempotency-key";
/// The header that says that an answer was given before.
pub const REPLAYED: &str = "idempotency-replayed";
/// Longest key.
const KEY_BYTES_MAX: usize = 128;

/// Keeps the answers to POSTs with a key, and gives them again.
pub async fn keep(
    Extension(state): Extension<Arc<ApiState>>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    let Some(key) = request.headers().get(HEADER).filter(|_| request.method() == Method::POST) else {
        return next.run(request).await;
    };
    let key = match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= KEY_BYTES_MAX => key.to_owned(),
        _ => {
            return Problem::malformed(format!("an idempotency key has 1 to {KEY_BYTES_MAX} visible characters"))
                .into_response();
        }
    };
    answer(&state, &caller, &key, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(
    state: &Arc<ApiState>,
    caller: &Caller,
    key: &str,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| Problem::too_large())?;
    let digest = digest(state, parts.uri.path(), &body);
    let _taken = state.take_key(&caller.name, key).ok_or_else(Problem::key_in_use)?;
    if let Some(before) = state.store.answered(&caller.name, key).await? {
        if before.request != digest {
            return Err(Problem::key_reused());
        }
        return Ok(replay(before));
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    // What is shown once is not kept; such a request that is sent again is done again, or refused by its own rules.
    if response.status().is_server_error() || response.extensions().get::<DoNotKeep>().is_some() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|_| Problem::internal())?;
    let row = AnsweredRow { request: digest, status: parts.status.as_u16(), body: body.to_vec() };
    let put = Ask::PutAnswered { name: caller.name.clone(), key: key.to_owned(), answer: row };
    if let Err(error) = state.port.ask(put).await {
        // What was asked is done, and it would be wrong to say that nothing was saved. Sent again it meets its own rules.
        tracing::warn!(%error, "an answer was not kept under its key");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// Keyed: a body may hold a password, and a plain hash in the database would let it be guessed.
fn digest(state: &ApiState, path: &str, body: &Bytes) -> Vec<u8> {
    let mut hasher = state.keyed_hasher();
    hasher.update(&(path.len() as u64).to_le_bytes()).update(path.as_bytes()).update(body);
    hasher.finalize().as_bytes().to_vec()
}

fn replay(row: AnsweredRow) -> Response {
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let media = if status.is_success() { "application/json" } else { problem::MEDIA_TYPE };
    let headers = [(header::CONTENT_TYPE.as_str(), media), (REPLAYED, "true")];
    let mut response = (status, row.body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
