//! The whole URL space on one page. What is not in `open` is behind the guard.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension};
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse, Response};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};
use tower_http::trace::TraceLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::{MEDIA_TYPE, Problem};
use super::state::ApiState;
use super::{
    audit, caller, cases, drafts, due, duty, elsewhere, factor, figures, health, idempotency, links, metrics, offers,
    orders, parcels, persons, publications, quarantine, rules, session, spec, tasks, tokens, trust, uploads, users,
};
use crate::page;

/// Largest body of a request.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Longest that a request may take.
const REQUEST_MAX: Duration = Duration::from_secs(30);
/// Longest pause between two pieces of a body.
const BODY_PAUSE_MAX: Duration = Duration::from_secs(10);

/// What answers without log-in: whether the process lives, and the door.
fn open() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(health::healthz)) // GET  /healthz
        .routes(routes!(session::log_in)) // POST /api/v1/session
}

/// Everything else of the API, below /api/v1.
fn guarded() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(session::log_out)) // DELETE session
        .routes(routes!(session::me)) // GET me
        .merge(people())
        .routes(routes!(cases::list::list, cases::report::report)) // GET, POST cases
        .routes(routes!(cases::import::import)) // POST cases/import
        .routes(routes!(cases::similar::similar)) // POST cases/similar
        .routes(routes!(cases::detail::detail)) // GET cases/{id}
        .routes(routes!(cases::similar::concluded)) // GET cases/{id}/similar
        .merge(papers())
        .merge(acts())
        .merge(attachments())
        .routes(routes!(offers::list)) // GET offers
        .routes(routes!(offers::accept)) // POST cases/{id}/offers/{offer}/accept
        .routes(routes!(offers::decline)) // POST cases/{id}/offers/{offer}/decline
        .routes(routes!(orders::list)) // GET orders
        .routes(routes!(orders::issue_directive)) // POST cases/{id}/directives
        .routes(routes!(orders::issue_view)) // POST cases/{id}/views
        .routes(routes!(orders::answer)) // POST cases/{id}/orders/{order}/answer
        .routes(routes!(orders::read)) // POST cases/{id}/orders/{order}/read
        .routes(routes!(orders::withdraw)) // POST cases/{id}/orders/{order}/withdraw
        .routes(routes!(figures::cut)) // GET figures
        .routes(routes!(figures::rows)) // GET figures/rows
        .routes(routes!(figures::totals)) // GET figures/totals
        .routes(routes!(figures::whole)) // GET figures/completeness
        .routes(routes!(figures::definitions)) // GET figures/definitions
        .routes(routes!(figures::tallied, figures::add)) // GET, POST tallies
        .routes(routes!(publications::list, publications::publish)) // GET, POST publications
        .routes(routes!(publications::get)) // GET publications/{kind}/{name}
        .routes(routes!(links::links)) // GET links
        .routes(routes!(links::status)) // GET status
        .routes(routes!(quarantine::list)) // GET quarantine
        .routes(routes!(quarantine::clear)) // POST quarantine/{id}/clear
        .routes(routes!(trust::view, trust::act)) // GET, POST trust
        .routes(routes!(parcels::introduce)) // POST parcels/introductions
        .routes(routes!(parcels::sign)) // POST parcels/sign
        .routes(routes!(spec::openapi)) // GET openapi.json
}

/// What takes larger bodies than the rest of the API.
fn large() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new().routes(routes!(parcels::take)) // POST parcels/take
}

/// What may have a caller that is nobody.
fn watched() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new().routes(routes!(metrics::metrics)) // GET  /metrics
}

/// People, their log-ins, and what is written down of them.
fn people() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(session::change_password)) // POST me/password
        .routes(routes!(session::sessions)) // GET me/sessions
        .routes(routes!(session::end_session)) // DELETE me/sessions/{id}
        .routes(routes!(factor::begin)) // POST me/second-factor
        .routes(routes!(factor::confirm)) // POST me/second-factor/confirm
        .routes(routes!(factor::end)) // POST me/second-factor/end
        .routes(routes!(users::list, users::put)) // GET, POST users
        .routes(routes!(users::detail)) // GET users/{name}
        .routes(routes!(users::unlock)) // POST users/{name}/unlock
        .routes(routes!(users::end_sessions)) // POST users/{name}/end-sessions
        .routes(routes!(users::reset_factor)) // POST users/{name}/reset-second-factor
        .routes(routes!(users::hand_over)) // POST users/{name}/hand-over
        .routes(routes!(tokens::list, tokens::make)) // GET, POST tokens
        .routes(routes!(tokens::end)) // DELETE tokens/{id}
        .routes(routes!(audit::list)) // GET audit
        .routes(routes!(audit::check)) // GET audit/check
        .routes(routes!(audit::anchor)) // POST audit/anchor
        .routes(routes!(persons::reveal)) // POST cases/{id}/reveal
        .routes(routes!(persons::erase)) // POST cases/{id}/erase
        .routes(routes!(persons::find)) // POST persons/find
}

/// What is printed of a case: GET cases/{id}/...
fn papers() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(cases::papers::dossier)) // dossier
        .routes(routes!(cases::papers::bound)) // dossier.pdf
        .routes(routes!(cases::papers::paper)) // papers/{paper}
}

/// What is done to a case: POST cases/{id}/...
fn acts() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(cases::acts::file)) // file
        .routes(routes!(cases::acts::send_back)) // return
        .routes(routes!(cases::acts::assign)) // assign
        .routes(routes!(cases::acts::progress)) // progress
        .routes(routes!(cases::acts::resolve)) // resolve
        .routes(routes!(cases::acts::feed_back)) // feed-back
        .routes(routes!(cases::acts::assess)) // assess
        .routes(routes!(cases::acts::pause)) // pause
        .routes(routes!(cases::acts::resume)) // resume
        .routes(routes!(cases::acts::ask_extension)) // ask-extension
        .routes(routes!(cases::acts::extend)) // extend
        .routes(routes!(cases::acts::refuse_extension)) // refuse-extension
        .routes(routes!(cases::acts::reject)) // reject
        .routes(routes!(cases::acts::withdraw)) // withdraw
        .routes(routes!(cases::acts::refer)) // refer
        .routes(routes!(cases::acts::reopen)) // reopen
        .routes(routes!(cases::acts::join)) // join
        .routes(routes!(cases::acts::amend_party)) // amend-party
        .routes(routes!(cases::acts::leave)) // leave
        .routes(routes!(cases::acts::amend)) // amend
        .routes(routes!(cases::acts::turn)) // turn
        .routes(routes!(cases::acts::link)) // link
        .routes(routes!(cases::acts::archive)) // archive
        .merge(mediation())
        .merge(tasks())
        .routes(routes!(cases::acts::void)) // void
        .routes(routes!(cases::acts::regrade)) // regrade
        .routes(routes!(cases::acts::offer)) // offer
        .routes(routes!(cases::acts::recall)) // recall
        .routes(routes!(cases::acts::take_over)) // take-over
        .routes(routes!(cases::acts::contribute)) // contribute
}

/// Joint handling: GET tasks, POST cases/{id}/...
fn tasks() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(tasks::list)) // GET tasks
        .routes(routes!(duty::list)) // GET duty
        .routes(routes!(duty::put)) // PUT duty/{day}
        .routes(routes!(duty::calls)) // GET duty/calls
        .routes(routes!(rules::trial)) // rules/trial
        .routes(routes!(due::list)) // GET due
        .routes(routes!(cases::acts::give_task)) // give-task
        .routes(routes!(cases::task_link::make)) // task-links
        .routes(routes!(cases::acts::accept_task)) // accept-task
        .routes(routes!(cases::acts::report_task)) // report-task
        .routes(routes!(cases::acts::send_back_task)) // send-back-task
        .routes(routes!(cases::acts::close_task)) // close-task
        .routes(routes!(cases::acts::cancel_task)) // cancel-task
        .routes(routes!(cases::acts::merge)) // merge
        .routes(routes!(cases::acts::object)) // object
        .routes(routes!(cases::acts::refuse_objection)) // refuse-objection
        .routes(routes!(cases::acts::rule)) // rule
        .routes(routes!(cases::acts::restrict)) // restrict
        .routes(routes!(cases::acts::lift_restriction)) // lift-restriction
        .routes(routes!(cases::restricted::name_reader)) // name-reader
        .routes(routes!(cases::restricted::drop_reader)) // drop-reader
        .routes(routes!(cases::restricted::list)) // GET restricted
        .routes(routes!(cases::acts::sponsor)) // sponsor
        .routes(routes!(cases::acts::take_measure)) // take-measure
        .routes(routes!(cases::acts::place)) // place
        .routes(routes!(cases::acts::excuse_slot)) // excuse-slot
}

/// What is done in a mediation: POST cases/{id}/...
fn mediation() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(cases::acts::open_mediation)) // open-mediation
        .routes(routes!(cases::acts::consent)) // consent
        .routes(routes!(cases::acts::hold)) // hold
        .routes(routes!(cases::hints::hints_before)) // agreement-hints
        .routes(routes!(cases::acts::draw)) // draw
        .routes(routes!(cases::acts::sign)) // sign
        .routes(routes!(cases::acts::drop_agreement)) // drop-agreement
        .routes(routes!(cases::acts::perform)) // perform
        .routes(routes!(cases::acts::visit_again)) // visit-again
        .routes(routes!(cases::acts::seek_confirmation)) // seek-confirmation
        .routes(routes!(cases::acts::note_confirmation)) // note-confirmation
        .routes(routes!(cases::acts::end_mediation)) // end-mediation
}

/// Attachments: what is uploaded, and what a case has.
fn attachments() -> OpenApiRouter<Arc<ApiState>> {
    use cases::attachments::{content, ticket};
    OpenApiRouter::new()
        .routes(routes!(drafts::list)) // GET drafts
        .routes(routes!(drafts::detail, drafts::put, drafts::give_up)) // GET, PUT, DELETE drafts/{id}
        .routes(routes!(uploads::begin, uploads::detail, uploads::give_up)) // PUT, GET, DELETE uploads/{id}
        .routes(routes!(uploads::part)) // PUT uploads/{id}/parts/{number}
        .routes(routes!(uploads::finish)) // POST uploads/{id}/finish
        .routes(routes!(ticket::give)) // POST cases/{id}/attachments/ticket
        .routes(routes!(content::content)) // GET cases/{id}/attachments/{attachment}/content
}

/// The page for people: it shows, and changes nothing but what concerns their own log-in.
fn pages() -> Router<Arc<ApiState>> {
    use axum::routing::{get, post};
    let inside = Router::new()
        .route("/", get(page::overview))
        .route("/cases", get(page::cases))
        .route("/cases/{id}", get(page::case))
        .route("/logout", post(page::log_out))
        .route("/password", get(page::due::password_form).post(page::due::change_password))
        .route("/second-factor", get(page::due::factor_form).post(page::due::begin_factor))
        .route("/second-factor/confirm", post(page::due::confirm_factor))
        .layer(from_fn(page::guard));
    let door = Router::new()
        .route("/grading.js", get(page::grading))
        .route("/login", get(page::log_in_form).post(page::log_in))
        .route("/task/{token}", get(page::task::show).post(page::task::act));
    inside.merge(door).layer(from_fn(page::nonce))
}

/// The description of the API, from the same routes that serve it.
pub fn description() -> OpenApi {
    let all = OpenApiRouter::with_openapi(spec::frame()).merge(open()).merge(guarded()).merge(watched()).merge(large());
    let mut api = all.into_openapi();
    spec::mark_open(&mut api, &open().into_openapi());
    spec::complete(&mut api);
    api
}

/// API and page of any node: the node itself comes with the request, as its state and, for what guards the routes, as an
/// extension. See [`crate::door::Front`].
pub fn routes() -> Router<Arc<ApiState>> {
    let guarded = guarded().layer(from_fn(idempotency::keep)).layer(from_fn(caller::guard));
    let watched = watched().layer(from_fn(caller::guard));
    let (api, _) = OpenApiRouter::new().merge(open()).merge(guarded).merge(watched).split_for_parts();
    let (large, _) = large().layer(from_fn(caller::guard)).split_for_parts();
    let router = api
        .merge(pages())
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .merge(large.layer(RequestBodyLimitLayer::new(parcels::PIECE_BYTES_MAX)))
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method() })
        .layer(from_fn(elsewhere::guard));
    around(router)
}

/// API and page of one node as one service, and the description of the API.
pub fn build(state: Arc<ApiState>) -> (Router, OpenApi) {
    (routes().layer(Extension(state.clone())).with_state(state), description())
}

/// What every answer says to a browser, unless it says otherwise itself.
pub(crate) fn to_browsers() -> [(HeaderName, &'static str); 4] {
    [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: with it a browser sends our own forms with `Origin: null`, which is another site's.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ]
}

/// What a limit answers by itself, a bare word or nothing, is no answer for people.
async fn in_words(response: Response) -> Response {
    let media = response.headers().get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    if media.starts_with(MEDIA_TYPE) || media.starts_with("text/html") {
        return response;
    }
    match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large().into_response(),
        StatusCode::SERVICE_UNAVAILABLE => Problem::too_slow().into_response(),
        _ => response,
    }
}

/// What lies around every route: limits, headers, and a log line without bodies, queries or ids of people.
fn around(router: Router<Arc<ApiState>>) -> Router<Arc<ApiState>> {
    let fixed = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    let router = router
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_MAX))
        .layer(map_response(in_words));
    to_browsers()
        .into_iter()
        .fold(router, |router, (name, value)| router.layer(fixed(name, value)))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .layer(TraceLayer::new_for_http().make_span_with(|request: &Request<_>| {
            tracing::debug_span!("http", method = %request.method(), path = request.uri().path())
        }))
}
