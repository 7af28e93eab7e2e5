//! Who calls. Everything behind [`guard`] is refused before its handler runs, so no endpoint is open by accident.

use std::sync::Arc;

use axum::extract::{Extension, FromRequestParts, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use casework::{Actor, Grant, Role, Scope};
use data_encoding::HEXLOWER;
use protocol::bounded::Text;
use protocol::chain::Hash;
use protocol::time::UnixMillis;

use super::metrics;
use super::problem::{Code, Problem};
use super::rights::{self, Right};
use super::state::ApiState;
use super::{drafts, uploads};
use crate::door::Client;
use crate::person::audit::{self, Entry};
use crate::person::change::Change;
use crate::person::{roles, session};
use crate::store::people::UserRow;

/// Name under which the operator's token acts.
const OPERATOR: &str = "operator";

/// What a caller has to do before anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Choose a password of their own.
    Password,
    /// Set up a second factor.
    SecondFactor,
}

/// A person, a machine, or the operator's token, that is logged in.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Log-in name; `token:NAME` for a machine.
    pub name: String,
    /// Name as shown.
    pub shown: String,
    /// Roles with their scopes, as they hold now.
    pub grants: Vec<Grant>,
    /// Hash of the session's token; none for tokens.
    pub session: Option<[u8; 32]>,
    /// What the audit says of the session or token.
    pub via: String,
    /// What is due first.
    pub due: Option<Due>,
    /// All of this node: where it hangs, with all below.
    pub home: Scope,
    /// The last event of a case that they had before them when they decided to act on it (`If-Match`); none: they do not say.
    pub seen: Option<Hash>,
}

impl Caller {
    /// As the rules of cases know them.
    pub fn actor(&self) -> Actor {
        Actor { user: Text::cut(&self.name), name: Text::cut(&self.shown), grants: self.grants.clone() }
    }

    /// Names of their roles, each once.
    pub fn role_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.grants.iter().map(|grant| roles::name(grant.role)).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Whether they may know of cases at all: whoever only administers does not.
    pub fn sees_cases(&self) -> bool {
        self.grants.iter().any(|grant| grant.role.sees_cases())
    }

    /// Refuses whoever may not know of cases, in the words in which an absent case is refused.
    pub fn must_see_cases(&self) -> Result<(), Problem> {
        if self.sees_cases() { Ok(()) } else { Err(Problem::not_found()) }
    }

    /// Where they may see cases; none: everywhere.
    pub fn scopes(&self) -> Option<Vec<Scope>> {
        let scopes: Vec<Scope> =
            self.grants.iter().filter(|grant| grant.role.sees_cases()).map(|grant| grant.scope).collect();
        if scopes.contains(&Scope::EVERYWHERE) { None } else { Some(scopes) }
    }

    /// Whether they administer all of a scope.
    pub fn administers(&self, scope: &Scope) -> bool {
        self.grants.iter().any(|grant| grant.role == Role::Administrator && grant.scope.includes(scope))
    }

    /// Refuses whoever does not administer all of the node: what concerns all of it is not for a part of it to decide.
    pub fn must_administer(&self) -> Result<(), Problem> {
        if self.administers(&self.home) { Ok(()) } else { Err(Problem::forbidden()) }
    }

    /// Refuses whoever may not read the audit of all of the node.
    pub fn must_audit(&self) -> Result<(), Problem> {
        let may = |grant: &Grant| {
            matches!(grant.role, Role::Administrator | Role::Auditor) && grant.scope.includes(&self.home)
        };
        if self.grants.iter().any(may) { Ok(()) } else { Err(Problem::forbidden()) }
    }

    /// The entry of what they do now, before its outcome is known.
    pub(crate) fn entry(&self, method: &Method, path: &str, address: &str) -> Entry {
        Entry {
            who: self.name.clone(),
            roles: roles::grants_text(&self.grants),
            via: self.via.clone(),
            action: format!("{method} {path}"),
            object: audit::cut(address.trim_start_matches("/api/v1/")),
            ..Entry::default()
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    /// The caller that [`guard`] found. A route that is not behind it has none and answers 401.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthorized)
    }
}

/// The event that a request names as the last one of the case that its sender has read: the case's `head` as an entity tag (RFC 9110).
fn had_before_them(headers: &HeaderMap) -> Result<Option<Hash>, Problem> {
    let Some(named) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = named.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let digits = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let bytes = HEXLOWER.decode(digits.as_bytes()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.map(|bytes| Some(Hash(bytes))).ok_or_else(|| Problem::malformed("If-Match: the head of the case, in quotes"))
}

/// Where a request comes from, as far as addresses tell.
pub fn address_of(extensions: &Extensions) -> String {
    extensions.get::<Client>().map_or_else(|| "unknown".to_owned(), |client| client.address.to_string())
}

/// Whether the caller's side speaks HTTPS.
pub fn is_https(extensions: &Extensions) -> bool {
    extensions.get::<Client>().is_some_and(|client| client.https)
}

/// Refuses what a browser sends on behalf of another site. A program sends neither header.
pub fn must_be_same_site(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let other_site = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let host = text("x-forwarded-host").or_else(|| text("host"));
    let other_origin = text("origin").is_some_and(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_none() || authority != host
    });
    if other_site || other_origin { Err(Problem::cross_site()) } else { Ok(()) }
}

fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// Finds out who calls.
pub async fn identify(state: &Arc<ApiState>, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
    let text = |name| headers.get(name).and_then(|v: &axum::http::HeaderValue| v.to_str().ok());
    let now = state.clock.wall();
    if let Some(token) = bearer_of(headers) {
        return bearer(state, token, now).await;
    }
    let realm = state.realm.id();
    let Some(token) = text(header::COOKIE).and_then(|v| session::token_in(realm, v)) else { return Ok(None) };
    let hash = session::hash(token);
    let seen_after = UnixMillis(now.0.saturating_sub(session::IDLE_MS));
    let Some(row) = state.realm.people.session(hash, now, seen_after).await? else { return Ok(None) };
    let Some(user) = state.realm.people.user(&row.name).await?.filter(|user| !user.disabled) else { return Ok(None) };
    let caller = in_session(state, user, hash).await?;
    seen(state, row.seen_at, now, Change::SeenSession(hash));
    Ok(Some(caller))
}

/// A user in a session, which its hash names.
pub(super) async fn in_session(state: &ApiState, user: UserRow, hash: [u8; 32]) -> Result<Caller, Problem> {
    let grants = state.realm.grants_now(&user.name, state.clock.wall()).await?;
    let due = match () {
        () if user.must_change => Some(Due::Password),
        () if !user.totp_on && state.realm.needs_second_factor(&grants) => Some(Due::SecondFactor),
        () => None,
    };
    let (name, shown, via) = (user.name, user.shown, session::short(&hash));
    let grants = state.held_here(grants);
    Ok(Caller { name, shown, grants, session: Some(hash), via, due, home: state.home(), seen: None })
}

async fn bearer(state: &Arc<ApiState>, token: &str, now: UnixMillis) -> Result<Option<Caller>, Problem> {
    if state.is_operator(token) {
        let grants = [Role::Administrator, Role::Supervisor].map(Grant::everywhere).to_vec();
        let (name, shown, via) = (OPERATOR.to_owned(), OPERATOR.to_owned(), OPERATOR.to_owned());
        return Ok(Some(Caller { name, shown, grants, session: None, via, due: None, home: state.home(), seen: None }));
    }
    let hash = session::hash(token);
    let Some(row) = state.realm.people.token(hash).await? else { return Ok(None) };
    let Some(grant) = row.grant.filter(|_| row.revoked_at.is_none() && now.0 < row.expires_at.0) else {
        return Ok(None);
    };
    seen(state, row.used_at.unwrap_or(UnixMillis(0)), now, Change::SeenToken(hash));
    let via = session::short(&row.id);
    Ok(Some(Caller {
        name: format!("token:{}", row.name),
        shown: row.name,
        grants: state.held_here(vec![grant]),
        session: None,
        via,
        due: None,
        home: state.home(),
        seen: None,
    }))
}

/// Writes down, once a minute and beside the request, that a session or token is in use.
fn seen(state: &Arc<ApiState>, last: UnixMillis, now: UnixMillis, change: Change) {
    if state.reads_only || now.0.saturating_sub(last.0) < session::SEEN_EVERY_MS {
        return;
    }
    let state = state.clone();
    tokio::spawn(async move {
        if state.realm.change(change).await.is_err() {
            tracing::warn!("it could not be written down that a session is in use");
        }
    });
}

/// Lets only those through who are logged in and whose roles are enough. What they change goes into the audit, and so does
/// what they were refused.
pub async fn guard(Extension(state): Extension<Arc<ApiState>>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let (method, headers) = (request.method().clone(), request.headers().clone());
    if path == metrics::PATH && bearer_of(&headers).is_some_and(|token| state.is_watcher(token)) {
        // Nobody: a handler that asks for a caller would find none.
        return next.run(request).await;
    }
    let caller = match admit(&state, &headers, &path)
        .await
        .and_then(|caller| Ok(Caller { seen: had_before_them(&headers)?, ..caller }))
    {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    // Who looks at people is written down, also where nothing is changed by it; a process that only reads shows none.
    let shows_people = rights::of(method.as_str(), &path) == Some(Right::Reveal) && !state.reads_only;
    // Of an upload the audit says that it began and ended; a part in between would drown the rest.
    let parts = path == uploads::PART_PATH || path == drafts::PATH;
    let silent = parts || matches!(method, Method::GET | Method::HEAD) && !shows_people;
    let entry = caller.entry(&method, &path, request.uri().path());
    if let Err(problem) = may(&caller, &method, &headers, &path) {
        let refused = problem.into_response();
        // A process that only reads can write nothing down.
        return if state.reads_only { refused } else { audited(&state, entry, async { refused }).await };
    }
    request.extensions_mut().insert(caller);
    if silent { next.run(request).await } else { audited(&state, entry, next.run(request)).await }
}

/// Who calls, unless it is nobody, or somebody who calls too often.
async fn admit(state: &Arc<ApiState>, headers: &HeaderMap, path: &str) -> Result<Caller, Problem> {
    let caller = identify(state, headers).await?.ok_or_else(Problem::unauthorized)?;
    let uptime = state.clock.uptime_ms();
    let who = format!("{}/{}", caller.name, caller.via);
    state.realm.request_rate.take(who.clone(), uptime).map_err(Problem::too_many)?;
    let prints = path.ends_with(".pdf") || path.ends_with("/{paper}");
    let looks = ["/check", "/find", "/trial"].iter().any(|end| path.ends_with(end));
    if prints || looks || path.starts_with("/api/v1/figures") {
        state.realm.expensive_rate.take(who, uptime).map_err(Problem::too_many)?;
    }
    Ok(caller)
}

/// Refuses a caller who may not do this, or not now.
fn may(caller: &Caller, method: &Method, headers: &HeaderMap, path: &str) -> Result<(), Problem> {
    let right = rights::of(method.as_str(), path).ok_or_else(|| {
        tracing::error!(%method, path, "this operation has no row in api/rights.rs: it is closed to everybody");
        Problem::not_found()
    })?;
    if caller.session.is_some() && !matches!(*method, Method::GET | Method::HEAD) {
        must_be_same_site(headers)?;
    }
    match caller.due.filter(|_| right != Right::Own) {
        Some(Due::Password) => return Err(Problem::password_change_required()),
        Some(Due::SecondFactor) => return Err(Problem::second_factor_required()),
        None => {}
    }
    right.check(caller, path)
}

/// Runs a request under its entry. What it asked of the writer was stored with it; otherwise the entry is stored now.
pub(crate) async fn audited(state: &ApiState, entry: Entry, run: impl Future<Output = Response>) -> Response {
    let (response, entry, stored) = audit::under(entry, run).await;
    if stored {
        return response;
    }
    let outcome = match response.extensions().get::<Code>() {
        Some(Code(code)) => code.clone(),
        None if response.status().is_success() => "done".to_owned(),
        None => response.status().as_u16().to_string(),
    };
    match state.port.note(Entry { outcome, ..entry }).await {
        Ok(()) => response,
        // What cannot be written down is not given out.
        Err(_) => Problem::unavailable().into_response(),
    }
}
