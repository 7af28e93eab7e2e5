//! The description of the API.

use std::sync::LazyLock;

use axum::Json;
use utoipa::OpenApi as _;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, Content, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder};

use super::problem::MEDIA_TYPE;

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Wuji node",
    description = "One node of the five-level linkage. Errors are RFC 9457 problems with stable codes. A POST with an \
                   Idempotency-Key header may be sent again: it is answered again, not done again. An act on a case with \
                   If-Match and the `head` of the case is done only if nothing has happened to it since (412 otherwise)."
))]
struct Frame;

/// The names of the two ways to log in.
const COOKIE: &str = "session";
const BEARER: &str = "operator";

static DESCRIPTION: LazyLock<OpenApi> = LazyLock::new(super::router::description);

/// The description without routes: what holds for all.
pub(super) fn frame() -> OpenApi {
    let mut api = Frame::openapi();
    let components = api.components.get_or_insert_with(Components::new);
    let cookie = ApiKeyValue::with_description(
        "wuji_session",
        "Set by POST /api/v1/session. The name ends with _ and eight digits of the node's id.",
    );
    components.add_security_scheme(COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The operator's token.")).build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    let none: [&str; 0] = [];
    api.security = Some(vec![SecurityRequirement::new(COOKIE, none), SecurityRequirement::new(BEARER, none)]);
    api
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut utoipa::openapi::path::Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch]
        .into_iter()
        .filter_map(Option::as_mut)
}

/// Says of the operations that are open that they need no log-in.
pub(super) fn mark_open(api: &mut OpenApi, open: &OpenApi) {
    for (path, item) in &open.paths.paths {
        let mut named = item.clone();
        let ids: Vec<_> = operations(&mut named).filter_map(|o| o.operation_id.clone()).collect();
        let Some(item) = api.paths.paths.get_mut(path) else { continue };
        for operation in operations(item).filter(|o| o.operation_id.as_ref().is_some_and(|id| ids.contains(id))) {
            operation.security = Some(Vec::new());
        }
    }
}

/// What may be answered before an operation is asked: by its status, whether only to what has a body, and why.
const BEFORE: [(&str, bool, &str); 7] = [
    ("400", false, "The request cannot be read."),
    ("401", false, "Log in first."),
    ("403", false, "The caller's roles do not allow it, or another site sends it."),
    ("413", true, "The body is larger than this operation takes."),
    ("415", true, "The body is of another media type."),
    ("429", false, "Too many requests; `Retry-After` says how long to wait. Nothing was changed."),
    ("503", false, "The node cannot do this now: it has no room, is busy, or only reads. Nothing was changed."),
];

/// Says of all operations what they have in common: a refusal is a problem, and some are given before an operation is asked.
pub(super) fn complete(api: &mut OpenApi) {
    for operation in api.paths.paths.values_mut().flat_map(operations) {
        for response in operation.responses.responses.values_mut() {
            if let RefOr::T(response) = response {
                as_problem(response);
            }
        }
        let (has_body, guarded) = (operation.request_body.is_some(), operation.security.is_none());
        for (status, only_bodies, why) in BEFORE {
            if (has_body || !only_bodies) && guarded {
                let missing = || RefOr::T(problem(why));
                operation.responses.responses.entry(status.to_owned()).or_insert_with(missing);
            }
        }
    }
}

fn problem_body() -> Content {
    Content::new(Some(Ref::from_schema_name("ProblemBody")))
}

fn problem(why: &str) -> Response {
    ResponseBuilder::new().description(why).content(MEDIA_TYPE, problem_body()).build()
}

/// A problem has a media type of its own.
fn as_problem(response: &mut Response) {
    let Some(RefOr::T(content)) = response.content.get("application/json") else { return };
    if matches!(&content.schema, Some(RefOr::Ref(to)) if to.ref_location.ends_with("/ProblemBody")) {
        response.content.clear();
        response.content.insert(MEDIA_TYPE.to_owned(), RefOr::T(problem_body()));
    }
}

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "operation", responses((status = 200, body = Object)))]
pub(super) async fn openapi() -> Json<OpenApi> {
    Json(DESCRIPTION.clone())
}
