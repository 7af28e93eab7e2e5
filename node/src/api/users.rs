//! Users of this node: an administrator's work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use super::state::ApiState;
use crate::person::password::{self, PasswordError};
use crate::person::roles;
use crate::store::persons::UserRow;
use crate::writer::port::Ask;

/// Longest log-in name, in bytes.
const NAME_BYTES_MAX: usize = 40;
/// Longest name as shown, in characters.
const SHOWN_CHARS_MAX: usize = 20;

/// A user to be made or changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutUser {
    /// Log-in name: letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// Name as shown.
    pub shown: String,
    /// Role names.
    pub roles: Vec<String>,
    /// A new password; without it an existing one stays.
    #[serde(default)]
    pub password: Option<String>,
    /// May not log in.
    #[serde(default)]
    pub disabled: bool,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    name: String,
    shown: String,
    roles: Vec<String>,
    disabled: bool,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            name: row.name,
            shown: row.shown,
            roles: row.roles.split_whitespace().map(str::to_owned).collect(),
            disabled: row.disabled,
        }
    }
}

fn check(user: &PutUser) -> Result<String, Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if user.name.is_empty() || user.name.len() > NAME_BYTES_MAX || !user.name.chars().all(plain) {
        return Err(Problem::invalid(format!("a log-in name has 1 to {NAME_BYTES_MAX} letters, digits, dots, _ or -")));
    }
    if user.shown.trim().is_empty() || user.shown.chars().count() > SHOWN_CHARS_MAX {
        return Err(Problem::invalid(format!("the name as shown has 1 to {SHOWN_CHARS_MAX} characters")));
    }
    let roles = user
        .roles
        .iter()
        .map(|name| roles::parse(name).ok_or_else(|| Problem::invalid(format!("there is no role {name:?}"))));
    Ok(roles::to_text(&roles.collect::<Result<Vec<_>, _>>()?))
}

/// The users of this node.
#[utoipa::path(get, path = "/api/v1/users", tag = "users",
    responses((status = 200, body = Vec<User>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(super) async fn list(State(state): State<Arc<ApiState>>, caller: Caller) -> Result<Json<Vec<User>>, Problem> {
    caller.must_administer()?;
    Ok(Json(state.store.users().await?.into_iter().map(User::from).collect()))
}

/// Makes a user, or changes the one with this name.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = PutUser,
    responses((status = 200, body = User), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(super) async fn put(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(user): Body<PutUser>,
) -> Result<(StatusCode, Json<User>), Problem> {
    caller.must_administer()?;
    let roles = check(&user)?;
    let password = match user.password {
        Some(password) => password::hash(password).await.map_err(|e| match e {
            PasswordError::Length => Problem::invalid(e.to_string()),
            PasswordError::Failed => Problem::internal(),
        })?,
        None => match state.store.user(&user.name).await? {
            Some(known) => known.password,
            None => return Err(Problem::invalid("a new user needs a password")),
        },
    };
    let row =
        UserRow { name: user.name, shown: user.shown.trim().to_owned(), roles, password, disabled: user.disabled };
    state.port.ask(Ask::PutUser(row.clone())).await?;
    Ok((StatusCode::OK, Json(row.into())))
}
