//! Logging in and out, one's own sessions and password.

use std::sync::Arc;

use axum::Json;
use axum::RequestExt;
use axum::extract::{Path, Request, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::time::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Caller, Due, address_of, audited, in_session, is_https, must_be_same_site};
use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use super::stamp;
use super::state::ApiState;
use crate::person::audit::Entry;
use crate::person::change::{Change, OpenSession};
use crate::person::lockout::Subject;
use crate::person::password::PasswordError;
use crate::person::{password, roles, session, totp};
use crate::store::people::UserRow;

/// Longest name of a browser that is kept, in characters.
const AGENT_CHARS_MAX: usize = 120;

/// Name, password and, where a second factor is set up, its code.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// Log-in name.
    pub user: String,
    /// Password.
    pub password: String,
    /// Six digits of the authenticator, or a recovery code.
    #[serde(default)]
    pub code: Option<String>,
}

/// Who is logged in, and where.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// Log-in name.
    name: String,
    /// Name as shown.
    shown: String,
    /// Role names, each once.
    roles: Vec<String>,
    /// Roles with their scopes: `clerk`, `clerk@330602001000`, `handler#12`.
    grants: Vec<String>,
    /// What has to be done first: `password`, `second-factor` or nothing.
    due: Option<&'static str>,
    /// The node.
    node: String,
    /// Name of the node.
    node_name: String,
    /// Where the node hangs.
    division: String,
}

/// One's own session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// First digits of its hash, which name it and do not open it.
    id: String,
    /// This one.
    current: bool,
    /// When it was opened.
    opened_at: String,
    /// When it was last used, to the minute.
    seen_at: String,
    /// When it ends at the latest.
    expires_at: String,
    /// Where it was opened from.
    address: String,
    /// What it was opened with.
    agent: String,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The password until now.
    pub old: String,
    /// The new one: 10 characters at least, not the log-in name, not one that everybody tries first.
    pub new: String,
}

fn me_of(state: &ApiState, caller: &Caller) -> Me {
    Me {
        name: caller.name.clone(),
        shown: caller.shown.clone(),
        roles: caller.role_names(),
        grants: caller.grants.iter().map(roles::grant_text).collect(),
        due: caller.due.map(|due| match due {
            Due::Password => "password",
            Due::SecondFactor => "second-factor",
        }),
        node: state.me().to_string(),
        node_name: state.config.node.name.clone(),
        division: state.config.node.division.to_string(),
    }
}

/// Where a log-in comes from.
pub(crate) struct From {
    address: String,
    agent: String,
    pub(crate) https: bool,
}

impl From {
    /// Out of a request.
    pub(crate) fn of(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        Self {
            address: address_of(extensions),
            agent: agent.chars().take(AGENT_CHARS_MAX).collect(),
            https: is_https(extensions),
        }
    }
}

/// Milliseconds that a name or an address has to wait; the same for names that exist and names that do not.
async fn wait(state: &ApiState, name: &str, address: &str) -> Result<i64, Problem> {
    let now = state.clock.wall();
    let mut longest = 0;
    for (subject, text) in [(Subject::Name, name), (Subject::Address, address)] {
        longest = longest.max(state.realm.people.failures(subject, text).await?.wait_ms(subject, now));
    }
    Ok(longest)
}

/// Which code was given, if one is needed and it is right.
async fn second_factor(
    state: &ApiState,
    user: &UserRow,
    given: Option<&str>,
) -> Result<(Option<i64>, Option<[u8; 32]>), Problem> {
    let Some(sealed) = user.totp.as_ref().filter(|_| user.totp_on) else { return Ok((None, None)) };
    let Some(given) = given.map(str::trim).filter(|code| !code.is_empty()) else {
        return Err(Problem::code_required());
    };
    let secret = state.realm.vault.open(&state.realm.totp_place(&user.name), sealed).map_err(|error| {
        tracing::error!(%error, "the secret of a second factor does not open");
        Problem::internal()
    })?;
    if let Some(step) = totp::verify(&secret, given, state.clock.wall(), user.totp_last) {
        return Ok((Some(step), None));
    }
    let hash = totp::recovery_hash(given);
    if state.realm.people.recovery(&user.name, hash).await? {
        return Ok((None, Some(hash)));
    }
    Err(Problem::log_in_failed())
}

/// Checks name, password and code, and opens a session. Unknown, disabled and mistyped take the same work and get the same
/// answer, and all of them count as failures.
pub(crate) async fn open(state: &ApiState, log_in: LogIn, from: &From) -> Result<(UserRow, session::Opened), Problem> {
    let rate = &state.realm.log_in_rate;
    rate.take(from.address.clone(), state.clock.uptime_ms()).map_err(Problem::too_many)?;
    let waits = wait(state, &log_in.user, &from.address).await?;
    if waits > 0 {
        state.realm.locked_out.add(1);
        return Err(Problem::too_many(u64::try_from(waits).unwrap_or(0)));
    }
    let user = state.realm.people.user(&log_in.user).await?.filter(|user| !user.disabled);
    let phc = user.as_ref().map(|u| u.password.clone()).filter(|phc| !phc.is_empty());
    let fits = password::verify(log_in.password.clone(), phc).await;
    let Some(user) = user.filter(|_| fits) else { return Err(failed(state, &log_in, from).await) };
    // From here on one at a time: a code that was looked at is written down as used before the next one is looked at.
    let _one = state.realm.log_ins.lock().await;
    let user = state.realm.people.user(&user.name).await?.ok_or_else(Problem::log_in_failed)?;
    let (totp_step, recovery) = match second_factor(state, &user, log_in.code.as_deref()).await {
        Ok(used) => used,
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED && log_in.code.is_some() => {
            return Err(failed(state, &log_in, from).await);
        }
        Err(problem) => return Err(problem),
    };
    let opened = session::Opened::new(state.clock.wall());
    let open = OpenSession {
        token: opened.hash,
        name: user.name.clone(),
        expires: opened.expires,
        address: from.address.clone(),
        agent: from.agent.clone(),
        totp_step,
        recovery,
    };
    state.realm.change(Change::OpenSession(open)).await?;
    Ok((user, opened))
}

async fn failed(state: &ApiState, log_in: &LogIn, from: &From) -> Problem {
    tracing::warn!(address = from.address, "a log-in failed");
    let change = Change::Failed { name: log_in.user.clone(), address: from.address.clone() };
    match state.realm.change(change).await {
        Ok(()) => Problem::log_in_failed(),
        // A failure that cannot be counted would be a free guess.
        Err(error) => error.into(),
    }
}

/// The entry of a log-in: the name only if somebody has it, because people type passwords where names belong.
pub(crate) async fn log_in_entry(state: &ApiState, user: &str, from: &From) -> Result<Entry, Problem> {
    let known = state.realm.people.user(user).await?.is_some();
    Ok(Entry {
        who: if known { user.to_owned() } else { "unknown".to_owned() },
        via: from.address.clone(),
        action: "POST /api/v1/session".to_owned(),
        object: "session".to_owned(),
        ..Entry::default()
    })
}

/// Ends the caller's session.
pub(crate) async fn close(state: &ApiState, caller: &Caller) -> Result<(), Problem> {
    if let Some(hash) = caller.session {
        state.realm.change(Change::DropSession(hash)).await?;
    }
    Ok(())
}

/// Logs in: the answer sets a cookie that lasts twelve hours, or an hour without use.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = LogIn,
    responses((status = 200, body = Me), (status = 401, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn log_in(State(state): State<Arc<ApiState>>, request: Request) -> Result<Response, Problem> {
    must_be_same_site(request.headers())?;
    let from = From::of(request.headers(), request.extensions());
    let Body(body) = request.extract::<Body<LogIn>, _>().await?;
    let entry = log_in_entry(&state, &body.user, &from).await?;
    let run = async {
        let opened = open(&state, body, &from).await;
        let answer = async {
            let (user, opened) = opened?;
            let caller = in_session(&state, user, opened.hash).await?;
            let cookie = session::set_cookie(state.realm.id(), &opened.token, from.https);
            Ok::<_, Problem>(([(header::SET_COOKIE, cookie)], Json(me_of(&state, &caller))).into_response())
        };
        answer.await.unwrap_or_else(IntoResponse::into_response)
    };
    Ok(audited(&state, entry, run).await)
}

/// Logs out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session",
    responses((status = 204), (status = 401, body = ProblemBody)))]
pub(super) async fn log_out(State(state): State<Arc<ApiState>>, caller: Caller) -> Result<Response, Problem> {
    close(&state, &caller).await?;
    let cookie = session::clear_cookie(state.realm.id(), false);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/v1/me", tag = "session",
    responses((status = 200, body = Me), (status = 401, body = ProblemBody)))]
pub(super) async fn me(State(state): State<Arc<ApiState>>, caller: Caller) -> Json<Me> {
    Json(me_of(&state, &caller))
}

/// One's own sessions, the latest first.
#[utoipa::path(get, path = "/api/v1/me/sessions", tag = "session",
    responses((status = 200, body = Vec<SessionView>), (status = 401, body = ProblemBody)))]
pub(super) async fn sessions(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
) -> Result<Json<Vec<SessionView>>, Problem> {
    let now = state.clock.wall();
    let rows = state.realm.people.sessions(&caller.name).await?;
    let lives = |seen: UnixMillis, end: UnixMillis| end.0 > now.0 && now.0 - seen.0 < session::IDLE_MS;
    let views = rows.into_iter().filter(|row| lives(row.seen_at, row.expires_at)).map(|row| SessionView {
        id: session::short(&row.token),
        current: caller.session.is_some_and(|hash| row.token == hash),
        opened_at: stamp::rfc3339(row.opened_at),
        seen_at: stamp::rfc3339(row.seen_at),
        expires_at: stamp::rfc3339(row.expires_at),
        address: row.address,
        agent: row.agent,
    });
    Ok(Json(views.collect()))
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/api/v1/me/sessions/{id}", tag = "session", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn end_session(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let rows = state.realm.people.sessions(&caller.name).await?;
    let row = rows.into_iter().find(|row| session::short(&row.token) == id).ok_or_else(Problem::not_found)?;
    let token = row.token.try_into().map_err(|_| Problem::internal())?;
    state.realm.change(Change::DropSession(token)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A password that was refused, as a problem.
pub(super) fn refused_password(error: PasswordError) -> Problem {
    match error {
        PasswordError::Length => Problem::unacceptable(error.to_string(), "密码至少 10 个字符,最多 256 个字节。"),
        PasswordError::Common => Problem::unacceptable(error.to_string(), "这个密码太常见,很容易被猜到。"),
        PasswordError::Name => Problem::unacceptable(error.to_string(), "密码不能与用户名相同。"),
        PasswordError::Failed => Problem::internal(),
    }
}

/// The caller as a user who has proven the password again; a machine has none. Failures count like those of a log-in.
pub(super) async fn proven(state: &ApiState, caller: &Caller, old: String) -> Result<UserRow, Problem> {
    if caller.session.is_none() {
        return Err(Problem::forbidden());
    }
    let now = state.clock.wall();
    let waits = state.realm.people.failures(Subject::Name, &caller.name).await?.wait_ms(Subject::Name, now);
    if waits > 0 {
        return Err(Problem::too_many(u64::try_from(waits).unwrap_or(0)));
    }
    let user = state.realm.people.user(&caller.name).await?.ok_or_else(Problem::unauthorized)?;
    if password::verify(old, Some(user.password.clone())).await {
        return Ok(user);
    }
    let change = Change::Failed { name: caller.name.clone(), address: String::new() };
    state.realm.change(change).await?;
    Err(Problem::log_in_failed())
}

/// Changes one's own password. All other sessions end.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "session", request_body = ChangePassword,
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn change_password(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<ChangePassword>,
) -> Result<StatusCode, Problem> {
    set_password(&state, &caller, body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives the caller a new password, for the old one. All other sessions end.
pub(crate) async fn set_password(state: &ApiState, caller: &Caller, body: ChangePassword) -> Result<(), Problem> {
    let same = body.old == body.new;
    let user = proven(state, caller, body.old).await?;
    if same {
        return Err(Problem::unacceptable("the new password is the old one", "新密码与原密码相同。"));
    }
    password::choose(&body.new, &user.name).map_err(refused_password)?;
    let password = password::hash(body.new).await.map_err(refused_password)?;
    let change = Change::SetPassword { name: user.name, password, must_change: false, keep: caller.session };
    Ok(state.realm.change(change).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_browser_is_cut() {
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, "x".repeat(500).parse().expect("a header"));
        assert_eq!(From::of(&headers, &Extensions::new()).agent.len(), AGENT_CHARS_MAX);
    }
}
