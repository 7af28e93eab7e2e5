//! Bodies, queries and ids of requests, with problems where axum would answer in plain text.

use std::error::Error;
use std::str::FromStr;

use axum::extract::rejection::{JsonDataError, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Json, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Problem::not_json()),
            Err(JsonRejection::JsonDataError(error)) => Err(wrong_field(&error)),
            Err(JsonRejection::JsonSyntaxError(error)) => Err(Problem::malformed(error.body_text())),
            Err(other) if other.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE => Err(Problem::too_large()),
            Err(other) => Err(Problem::malformed(other.body_text())),
        }
    }
}

/// A body that is JSON, and not the one that is wanted: which field, and what about it.
fn wrong_field(error: &JsonDataError) -> Problem {
    match located(error) {
        Some((path, what)) => named(&path, &what),
        None => Problem::invalid(error.body_text()),
    }
}

fn named(path: &str, what: &str) -> Problem {
    // The place in the text says nothing to whoever filled in a form.
    let what = what.split(" at line ").next().unwrap_or_default();
    Problem::field(path, what, &format!("内容不符合要求({what})"))
}

/// A value inside a body that is not the one that is wanted.
pub fn wrong_value(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    match error.path().iter().next() {
        Some(_) => named(&error.path().to_string(), &error.inner().to_string()),
        None => Problem::invalid(error.inner().to_string()),
    }
}

/// The path of the field that an error is about, and what the reader says of it.
fn located(error: &JsonDataError) -> Option<(String, String)> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<serde_path_to_error::Error<serde_json::Error>>() {
            let named = found.path().iter().next().is_some();
            return named.then(|| (found.path().to_string(), found.inner().to_string()));
        }
        cause = error.source();
    }
    None
}

/// Query parameters.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Query::<T>::try_from_uri(&parts.uri).map(|Query(q)| Self(q)).map_err(|e| Problem::malformed(e.body_text()))
    }
}

/// An id out of an address. One that is none names nothing, so the answer is the same as for an absent one.
pub fn id<T: FromStr>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

/// An id out of a body.
pub fn field<T: FromStr>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::invalid(format!("{name} cannot be read")))
}
