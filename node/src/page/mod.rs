//! The page: read-only, rendered here, without scripts and without anything from elsewhere.

mod attachments;
mod case;
mod door;
pub(crate) mod due;
pub(crate) mod entrance;
mod figures;
mod find;
mod frame;
mod history;
mod html;
mod mediation;
mod overview;
mod papers;
mod restricted;
pub(crate) mod task;
mod words;
mod work;

use std::sync::Arc;

use axum::extract::{Extension, Form, FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::api::caller::{self, Caller, audited, must_be_same_site};
use crate::api::problem::{Code, Problem};
use crate::api::session::{From, LogIn, close, log_in_entry, open};
use crate::api::{ApiState, stamp};
use crate::clock::random_bytes;
use crate::door::Base;
use crate::person::session;
use html::Html;
use words::Lang;

/// What a style sheet inside the page must carry to be believed.
#[derive(Debug, Clone)]
pub(crate) struct Nonce(String);

/// Wishes in the address of a page.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wishes {
    lang: Option<String>,
    #[serde(default)]
    pause: bool,
}

fn wishes(parts: &Parts) -> Wishes {
    Query::<Wishes>::try_from_uri(&parts.uri).map(|Query(w)| w).unwrap_or_default()
}

/// For whom a page is, and how.
pub(crate) struct View {
    state: Arc<ApiState>,
    caller: Caller,
    lang: Lang,
    paused: bool,
    /// Never loaded anew by itself.
    still: bool,
    nonce: String,
    base: String,
    now: String,
}

impl FromRequestParts<Arc<ApiState>> for View {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<ApiState>) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let Wishes { lang, pause } = wishes(parts);
        Ok(Self {
            state: state.clone(),
            caller,
            lang: Lang::of(lang.as_deref(), &parts.headers),
            paused: pause,
            still: false,
            nonce: parts.extensions.get::<Nonce>().map(|n| n.0.clone()).unwrap_or_default(),
            base: parts.extensions.get::<Base>().map(|b| b.0.clone()).unwrap_or_default(),
            now: stamp::shown(state.clock.wall()),
        })
    }
}

/// Gives every page its nonce and the policy that goes with it.
pub(crate) async fn nonce(mut request: Request, next: Next) -> Response {
    let nonce: String = protocol::chain::Hash(random_bytes()).to_string().chars().take(32).collect();
    request.extensions_mut().insert(Nonce(nonce.clone()));
    let mut response = next.run(request).await;
    bound(response.headers_mut(), &nonce);
    response
}

/// Binds a page to its own style sheet and to forms of this place.
fn bound(headers: &mut HeaderMap, nonce: &str) {
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Sends whoever is not logged in to the door, and whoever has something to do first to that. What is sent must come from
/// here, and stands in the audit.
pub(crate) async fn guard(Extension(state): Extension<Arc<ApiState>>, mut request: Request, next: Next) -> Response {
    let caller = match caller::identify(&state, request.headers()).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return Redirect::to("/login").into_response(),
        Err(problem) => return problem.into_response(),
    };
    let path = request.uri().path().to_owned();
    if let Some(first) = caller.due.map(due::place).filter(|first| !path.starts_with(first) && path != "/logout") {
        return Redirect::to(first).into_response();
    }
    let entry = caller.entry(request.method(), &path, &path);
    let sends = request.method() == Method::POST;
    if let (true, Err(problem)) = (sends, must_be_same_site(request.headers())) {
        return problem.into_response();
    }
    request.extensions_mut().insert(caller);
    if sends { audited(&state, entry, next.run(request)).await } else { next.run(request).await }
}

fn send(status: StatusCode, html: Html) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html.into_string()).into_response()
}

fn shown(view: &View, page: Result<Html, Problem>) -> Response {
    match page {
        Ok(html) => send(StatusCode::OK, html),
        Err(problem) => send(problem.status(), door::failure(view.lang, &view.nonce, &view.base, &problem)),
    }
}

/// A word of the API in Chinese; one that the page has no word for stays as it is.
pub(crate) fn chinese(word: &str) -> String {
    Lang::Zh.word(word).to_owned()
}

/// The grading rules' interpreter for forms. It holds nothing of any case, and changes with the program alone.
pub(crate) async fn grading() -> impl IntoResponse {
    const KEPT: &str = "public, max-age=3600";
    let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    ([kind, (header::CACHE_CONTROL, KEPT)], include_str!("grading.js"))
}

/// The first page.
pub(crate) async fn overview(view: View) -> Response {
    let page = overview::overview(&view).await;
    shown(&view, page)
}

/// The page of a case.
pub(crate) async fn case(view: View, Path(id): Path<String>) -> Response {
    let page = case::case(&view, &id).await;
    shown(&view, page)
}

/// Cases that hold what was typed.
pub(crate) async fn cases(mut view: View, uri: Uri) -> Response {
    view.still = true;
    let typed = Query::<find::Typed>::try_from_uri(&uri).map(|Query(typed)| typed).unwrap_or_default();
    let page = find::find(&view, &typed).await;
    shown(&view, page)
}

/// The form to log in.
pub(crate) async fn log_in_form(
    Query(wishes): Query<Wishes>,
    Extension(Nonce(nonce)): Extension<Nonce>,
    base: Option<Extension<Base>>,
    headers: HeaderMap,
) -> Response {
    let base = base.map(|Extension(base)| base).unwrap_or_default();
    send(StatusCode::OK, door::door(Lang::of(wishes.lang.as_deref(), &headers), &nonce, &base.0, None))
}

/// Logs in from the form.
pub(crate) async fn log_in(
    State(state): State<Arc<ApiState>>,
    Query(wishes): Query<Wishes>,
    Extension(Nonce(nonce)): Extension<Nonce>,
    base: Option<Extension<Base>>,
    headers: HeaderMap,
    extensions: Extensions,
    Form(form): Form<LogIn>,
) -> Response {
    let lang = Lang::of(wishes.lang.as_deref(), &headers);
    let from = From::of(&headers, &extensions);
    let run = async {
        must_be_same_site(&headers)?;
        open(&state, form.clone(), &from).await
    };
    let entry = match log_in_entry(&state, &form.user, &from).await {
        Ok(entry) => entry,
        Err(problem) => return problem.into_response(),
    };
    let run = async {
        match run.await {
            Ok((_, opened)) => {
                let cookie = session::set_cookie(state.realm.id(), &opened.token, from.https);
                ([(header::SET_COOKIE, cookie)], Redirect::to(lang.t("/?lang=zh", "/?lang=en"))).into_response()
            }
            Err(problem) => {
                let base = base.map(|Extension(base)| base).unwrap_or_default();
                let mut response = send(problem.status(), door::door(lang, &nonce, &base.0, Some(&problem)));
                response.extensions_mut().insert(Code(problem.code().to_owned()));
                response
            }
        }
    };
    audited(&state, entry, run).await
}

/// Logs out.
pub(crate) async fn log_out(State(state): State<Arc<ApiState>>, caller: Caller) -> Response {
    match close(&state, &caller).await {
        Ok(()) => ([(header::SET_COOKIE, session::clear_cookie(state.realm.id(), false))], Redirect::to("/login"))
            .into_response(),
        Err(problem) => problem.into_response(),
    }
}
