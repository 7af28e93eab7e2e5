//! Tokens for machines: a hotline, another system. Each has one role in one scope and an end, and is shown once.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use protocol::bounded::is_hidden_control;
use protocol::chain::Hash;
use protocol::id::TokenId;
use protocol::time::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::extract::{Body, id};
use super::problem::{Problem, ProblemBody};
use super::stamp;
use super::state::ApiState;
use super::stored::NotKept;
use crate::clock::random_bytes;
use crate::person::audit;
use crate::person::change::{Change, NewToken};
use crate::person::{roles, session};
use crate::store::people::TokenRow;

/// Longest life of a token, in days.
const DAYS_MAX: u16 = 730;
/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 40;
const DAY_MS: i64 = 86_400_000;

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeToken {
    /// What it is for, as shown.
    pub name: String,
    /// Its role with its scope: `hotline`, `viewer@330602001000`.
    pub role: String,
    /// Days that it lasts, 1 to 730.
    pub days: u16,
}

/// A token without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    /// The token's id.
    id: String,
    /// What it is for.
    name: String,
    /// Role with its scope.
    role: String,
    /// Who made it.
    made_by: String,
    /// When.
    made_at: String,
    /// When it ends.
    expires_at: String,
    /// When it was last used, to the minute.
    used_at: Option<String>,
    /// When it was ended.
    revoked_at: Option<String>,
}

/// A token that was made; the only time that it is shown.
#[derive(Serialize, ToSchema)]
pub struct MadeToken {
    /// The token's id.
    id: String,
    /// The token, for the header `Authorization: Bearer`.
    token: String,
    /// When it ends.
    expires_at: String,
}

fn view(row: TokenRow) -> TokenView {
    TokenView {
        id: TokenId::from_bytes(row.id).to_string(),
        name: row.name,
        role: row.grant.map(|grant| roles::grant_text(&grant)).unwrap_or_default(),
        made_by: row.made_by,
        made_at: stamp::rfc3339(row.made_at),
        expires_at: stamp::rfc3339(row.expires_at),
        used_at: row.used_at.map(stamp::rfc3339),
        revoked_at: row.revoked_at.map(stamp::rfc3339),
    }
}

fn theirs(caller: &Caller, row: &TokenRow) -> bool {
    row.grant.is_none_or(|grant| caller.administers(&grant.scope))
}

/// Tokens within what the caller administers, the latest first.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "users",
    responses((status = 200, body = Vec<TokenView>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(super) async fn list(State(state): State<Arc<ApiState>>, caller: Caller) -> Result<Json<Vec<TokenView>>, Problem> {
    let rows = state.realm.people.tokens().await?.into_iter();
    Ok(Json(rows.filter(|row| theirs(&caller, row)).map(view).collect()))
}

/// Makes a token.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "users", request_body = MakeToken,
    responses((status = 200, body = MadeToken), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(super) async fn make(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<MakeToken>,
) -> Result<NotKept<MadeToken>, Problem> {
    let named = !body.name.trim().is_empty() && body.name.chars().count() <= NAME_CHARS_MAX;
    if !named || body.name.chars().any(|c| c.is_control() || is_hidden_control(c)) {
        return Err(Problem::invalid(format!("a token's name has 1 to {NAME_CHARS_MAX} characters")));
    }
    if !(1..=DAYS_MAX).contains(&body.days) {
        return Err(Problem::invalid(format!("a token lasts 1 to {DAYS_MAX} days")));
    }
    let grant = roles::grant(&body.role).map_err(|e| Problem::invalid(e.to_string()))?;
    if !caller.administers(&grant.scope) {
        return Err(Problem::invalid("the role reaches beyond what you administer"));
    }
    let now = state.clock.wall();
    let token = format!("wuji_{}", Hash(random_bytes()));
    let id = TokenId::new(now, random_bytes());
    let expires = UnixMillis(now.0.saturating_add(i64::from(body.days) * DAY_MS));
    audit::note(Some(&format!("tokens/{id} {}", roles::grant_text(&grant))), None);
    let new = NewToken {
        id: *id.as_bytes(),
        token: session::hash(&token),
        name: body.name.trim().to_owned(),
        grant,
        made_by: caller.name.clone(),
        expires,
    };
    state.realm.change(Change::PutToken(new)).await?;
    Ok(NotKept(Json(MadeToken { id: id.to_string(), token, expires_at: stamp::rfc3339(expires) })))
}

/// Ends a token.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "users", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(super) async fn end(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(text): Path<String>,
) -> Result<StatusCode, Problem> {
    let token: TokenId = id(&text)?;
    let row = state.realm.people.tokens().await?.into_iter().find(|row| row.id == *token.as_bytes());
    row.filter(|row| theirs(&caller, row)).ok_or_else(Problem::not_found)?;
    state.realm.change(Change::RevokeToken(*token.as_bytes())).await?;
    Ok(StatusCode::NO_CONTENT)
}
