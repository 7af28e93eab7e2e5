//! Answers that are given once and kept nowhere: they hold a secret, or a person unmasked.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// An answer that is not kept for a request that is sent again.
#[derive(Debug)]
pub struct NotKept<T>(pub Json<T>);

/// The mark of such an answer.
#[derive(Debug, Clone, Copy)]
pub struct DoNotKeep;

impl<T: Serialize> IntoResponse for NotKept<T> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.extensions_mut().insert(DoNotKeep);
        response
    }
}
