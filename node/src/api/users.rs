//! Users of this realm: an administrator's work, within the scopes that they administer.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use casework::{Grant, Scope};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use super::session::refused_password;
use super::stamp;
use super::state::ApiState;
use crate::person::audit;
use crate::person::change::{Change, Granted, PutUser as Put};
use crate::person::import::check_names;
use crate::person::lockout::Subject;
use crate::person::{password, roles};
use crate::store::people::UserRow;

/// A user to be made or changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutUser {
    /// Log-in name: letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// Name as shown.
    pub shown: String,
    /// Roles with their scopes: `clerk`, `clerk@330602001000`, `handler#12`, `handler@330602001000#12`.
    pub roles: Vec<String>,
    /// A new password; without it an existing one stays.
    #[serde(default)]
    pub password: Option<String>,
    /// The next log-in asks for a new password first; looked at together with `password`.
    #[serde(default = "yes")]
    pub must_change: bool,
    /// May not log in.
    #[serde(default)]
    pub disabled: bool,
}

fn yes() -> bool {
    true
}

/// A grant in somebody's place.
#[derive(Debug, Serialize, ToSchema)]
pub struct StandIn {
    /// Role with its scope.
    grant: String,
    /// Whose work it is.
    instead_of: String,
    /// From when.
    since: String,
    /// Until when; null: for good.
    until: Option<String>,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    /// Log-in name.
    name: String,
    /// Name as shown.
    shown: String,
    /// Roles with their scopes.
    roles: Vec<String>,
    /// Roles in somebody's place.
    stands_in: Vec<StandIn>,
    /// May not log in.
    disabled: bool,
    /// The next log-in asks for a new password first.
    must_change: bool,
    /// A second factor is asked for.
    second_factor: bool,
    /// Seconds until the next log-in is looked at, after failures.
    locked_s: i64,
    /// The last log-in.
    log_in_at: Option<String>,
}

fn user_of(row: UserRow, granted: Vec<Granted>, locked_ms: i64) -> User {
    let (own, others): (Vec<_>, Vec<_>) = granted.into_iter().partition(|g| g.instead_of.is_empty());
    User {
        name: row.name,
        shown: row.shown,
        roles: own.iter().map(|g| roles::grant_text(&g.grant)).collect(),
        stands_in: others
            .into_iter()
            .map(|g| StandIn {
                grant: roles::grant_text(&g.grant),
                instead_of: g.instead_of,
                since: stamp::rfc3339(g.since),
                until: g.until.map(stamp::rfc3339),
            })
            .collect(),
        disabled: row.disabled,
        must_change: row.must_change,
        second_factor: row.totp_on,
        locked_s: locked_ms.div_euclid(1_000),
        log_in_at: row.log_in_at.map(stamp::rfc3339),
    }
}

/// Whether a caller administers all that somebody may do.
fn within(caller: &Caller, grants: &[Granted]) -> bool {
    let outside = |granted: &&Granted| !caller.administers(&granted.grant.scope);
    let knows_all = caller.administers(&Scope::EVERYWHERE);
    knows_all || (!grants.is_empty() && grants.iter().find(outside).is_none())
}

/// A user whom the caller administers; the same answer for others and for none.
async fn theirs(state: &ApiState, caller: &Caller, name: &str) -> Result<(UserRow, Vec<Granted>), Problem> {
    let user = state.realm.people.user(name).await?.ok_or_else(Problem::not_found)?;
    let grants = state.realm.people.grants(name).await?;
    if within(caller, &grants) { Ok((user, grants)) } else { Err(Problem::not_found()) }
}

async fn shown(state: &ApiState, name: &str) -> Result<User, Problem> {
    let user = state.realm.people.user(name).await?.ok_or_else(Problem::not_found)?;
    let granted = state.realm.people.grants(name).await?;
    let failures = state.realm.people.failures(Subject::Name, name).await?;
    Ok(user_of(user, granted, failures.wait_ms(Subject::Name, state.clock.wall())))
}

/// The users whom the caller administers.
#[utoipa::path(get, path = "/api/v1/users", tag = "users",
    responses((status = 200, body = Vec<User>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(super) async fn list(State(state): State<Arc<ApiState>>, caller: Caller) -> Result<Json<Vec<User>>, Problem> {
    let mut granted: std::collections::HashMap<String, Vec<Granted>> = std::collections::HashMap::new();
    for (name, grant) in state.realm.people.all_grants().await? {
        granted.entry(name).or_default().push(grant);
    }
    let users = state.realm.people.users().await?.into_iter().filter_map(|user| {
        let grants = granted.remove(&user.name).unwrap_or_default();
        within(&caller, &grants).then(|| user_of(user, grants, 0))
    });
    Ok(Json(users.collect()))
}

/// One user.
#[utoipa::path(get, path = "/api/v1/users/{name}", tag = "users", params(("name" = String, Path)),
    responses((status = 200, body = User), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(super) async fn detail(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<User>, Problem> {
    theirs(&state, &caller, &name).await?;
    Ok(Json(shown(&state, &name).await?))
}

/// Makes a user, or changes the one with this name.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = PutUser,
    responses((status = 200, body = User), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn put(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(user): Body<PutUser>,
) -> Result<Json<User>, Problem> {
    audit::note(Some(&format!("users/{}", user.name)), None);
    check_names(&user.name, &user.shown).map_err(Problem::invalid)?;
    let grants = user.roles.iter().map(|text| roles::grant(text)).collect::<Result<Vec<Grant>, _>>();
    let grants = grants.map_err(|e| Problem::invalid(e.to_string()))?;
    if let Some(beyond) = grants.iter().find(|grant| !caller.administers(&grant.scope)) {
        return Err(Problem::invalid(format!("{} reaches beyond what you administer", roles::grant_text(beyond))));
    }
    match state.realm.people.user(&user.name).await? {
        Some(known) => {
            theirs(&state, &caller, &user.name).await?;
            if user.disabled && !known.disabled {
                must_not_be_missed(&state, &user.name).await?;
            }
        }
        None if user.password.is_none() => return Err(Problem::invalid("a new user needs a password")),
        None => {}
    }
    let password = match user.password {
        Some(password) => {
            password::choose(&password, &user.name).map_err(refused_password)?;
            Some(password::hash(password).await.map_err(refused_password)?)
        }
        None => None,
    };
    let name = user.name.clone();
    let put = Put {
        name: user.name,
        shown: user.shown.trim().to_owned(),
        password,
        must_change: user.must_change,
        disabled: user.disabled,
        grants: Some(grants),
    };
    state.realm.change(Change::PutUser(put)).await?;
    Ok(Json(shown(&state, &name).await?))
}

/// Refuses to let somebody go who is the last one with a role that open cases wait for.
async fn must_not_be_missed(state: &ApiState, name: &str) -> Result<(), Problem> {
    let now = state.clock.wall();
    let disabled: Vec<String> =
        state.realm.people.users().await?.into_iter().filter(|u| u.disabled).map(|u| u.name).collect();
    let all = state.realm.people.all_grants().await?;
    let holds = |granted: &Granted| granted.holds(now) && granted.grant.role.works();
    let (theirs, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .filter(|(who, granted)| holds(granted) && !disabled.contains(who))
        .partition(|(who, _)| who == name);
    for (_, granted) in theirs {
        let Grant { role, scope } = granted.grant;
        let followed = others.iter().any(|(_, g)| g.grant.role == role && g.grant.scope.includes(&scope));
        if !followed && state.store.has_open_case(&scope).await? {
            return Err(Problem::successor_needed(format!(
                "{name} is the last one with {} while cases there are open: hand over first",
                roles::grant_text(&granted.grant)
            )));
        }
    }
    Ok(())
}

/// Lets a user try again after failed log-ins.
#[utoipa::path(post, path = "/api/v1/users/{name}/unlock", tag = "users", params(("name" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(super) async fn unlock(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    theirs(&state, &caller, &name).await?;
    state.realm.change(Change::Unlock(name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all sessions of a user.
#[utoipa::path(post, path = "/api/v1/users/{name}/end-sessions", tag = "users", params(("name" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(super) async fn end_sessions(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    theirs(&state, &caller, &name).await?;
    state.realm.change(Change::DropSessions(name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user's second factor away, after a lost phone. Their sessions end.
#[utoipa::path(post, path = "/api/v1/users/{name}/reset-second-factor", tag = "users", params(("name" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(super) async fn reset_factor(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let (user, _) = theirs(&state, &caller, &name).await?;
    let last = user.totp_last;
    state.realm.change(Change::SetTotp { name: name.clone(), secret: None, on: false, last, recovery: vec![] }).await?;
    state.realm.change(Change::DropSessions(name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Passes a user's work to another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// Who stands in, or follows.
    pub to: String,
    /// The first day, `YYYY-MM-DD`; now when left out.
    #[serde(default)]
    pub from: Option<String>,
    /// The last day; for good when left out.
    #[serde(default)]
    pub until: Option<String>,
    /// The user leaves: no log-in from now on, and the work passes for good.
    #[serde(default)]
    pub leaves: bool,
    /// Why.
    pub reason: String,
}

/// Passes a user's work to another: for some days while they are away, or for good when they leave. A later hand-over
/// replaces an earlier one of the same user.
#[utoipa::path(post, path = "/api/v1/users/{name}/hand-over", tag = "users", params(("name" = String, Path)),
    request_body = HandOver,
    responses((status = 200, body = User), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn hand_over(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(name): Path<String>,
    Body(body): Body<HandOver>,
) -> Result<Json<User>, Problem> {
    audit::note(Some(&format!("users/{name} to users/{}", body.to)), Some(&body.reason));
    let (_, granted) = theirs(&state, &caller, &name).await?;
    let (to, _) = theirs(&state, &caller, &body.to).await?;
    if to.name == name || to.disabled {
        return Err(Problem::invalid("work passes to another user who may log in"));
    }
    if body.reason.trim().is_empty() {
        return Err(Problem::invalid("a reason is needed"));
    }
    if body.leaves && (body.from.is_some() || body.until.is_some()) {
        return Err(Problem::invalid("who leaves hands over now and for good: leave from and until out"));
    }
    let day = |text: &Option<String>, next: i32| match text {
        Some(text) => stamp::start_of_day(text, next)
            .map(Some)
            .ok_or_else(|| Problem::invalid("from and until are days YYYY-MM-DD")),
        None => Ok(None),
    };
    let (since, until) = (day(&body.from, 0)?.unwrap_or(state.clock.wall()), day(&body.until, 1)?);
    if until.is_some_and(|until| until.0 <= since.0.max(state.clock.wall().0)) {
        return Err(Problem::invalid("the last day lies before the first, or in the past"));
    }
    // What they only stand in for does not pass on: whoever it belongs to decides that.
    let own = granted.into_iter().filter(|g| g.instead_of.is_empty());
    let grants = own.map(|g| Granted { instead_of: name.clone(), since, until, ..g }).collect();
    state.realm.change(Change::StandIn { name: to.name.clone(), instead_of: name.clone(), grants }).await?;
    if body.leaves {
        state.realm.change(Change::Leave(name)).await?;
    }
    Ok(Json(shown(&state, &to.name).await?))
}
