//! Who calls. Everything behind [`guard`] is refused before its handler runs, so no endpoint is open by accident.

use std::sync::Arc;

use axum::extract::{Extension, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use casework::{Actor, Role};

use super::problem::Problem;
use super::state::ApiState;
use crate::person::{roles, session};

/// Name under which the operator's token acts.
const OPERATOR: &str = "operator";

/// A person, or the operator's token, that is logged in.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Log-in name.
    pub name: String,
    /// Name as shown.
    pub shown: String,
    /// Roles.
    pub roles: Vec<Role>,
    /// Hash of the session's token; none for the operator's token.
    pub session: Option<[u8; 32]>,
}

impl Caller {
    /// As the rules of cases know them.
    pub fn actor(&self) -> Actor {
        Actor::everywhere(&self.name, &self.shown, &self.roles)
    }

    /// Whether they have a role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether they may know of cases at all: whoever only administers does not.
    pub fn sees_cases(&self) -> bool {
        self.roles.iter().any(|role| *role != Role::Administrator)
    }

    /// Refuses whoever may not know of cases, in the words in which an absent case is refused.
    pub fn must_see_cases(&self) -> Result<(), Problem> {
        if self.sees_cases() { Ok(()) } else { Err(Problem::not_found()) }
    }

    /// Refuses whoever does not administer.
    pub fn must_administer(&self) -> Result<(), Problem> {
        if self.has(Role::Administrator) { Ok(()) } else { Err(Problem::forbidden()) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    /// The caller that [`guard`] found. A route that is not behind it has none and answers 401.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthorized)
    }
}

/// Finds out who calls.
pub async fn identify(state: &ApiState, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
    let text = |name| headers.get(name).and_then(|v: &axum::http::HeaderValue| v.to_str().ok());
    if let Some(token) = text(header::AUTHORIZATION).and_then(|v| v.strip_prefix("Bearer ")) {
        return Ok(state.is_operator(token.trim()).then(|| Caller {
            name: OPERATOR.to_owned(),
            shown: OPERATOR.to_owned(),
            roles: vec![Role::Administrator, Role::Supervisor],
            session: None,
        }));
    }
    let Some(token) = text(header::COOKIE).and_then(|v| session::token_in(state.me(), v)) else { return Ok(None) };
    let hash = session::hash(token);
    let user = state.store.session(hash, state.clock.wall()).await?;
    Ok(user.map(|user| Caller {
        roles: roles::of_text(&user.roles),
        name: user.name,
        shown: user.shown,
        session: Some(hash),
    }))
}

/// Lets only those through who are logged in.
pub async fn guard(Extension(state): Extension<Arc<ApiState>>, mut request: Request, next: Next) -> Response {
    match identify(&state, request.headers()).await {
        Ok(Some(caller)) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Ok(None) => Problem::unauthorized().into_response(),
        Err(problem) => problem.into_response(),
    }
}
