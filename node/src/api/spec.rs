//! The description of the API.

use std::sync::LazyLock;

use axum::Json;
use utoipa::OpenApi as _;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, OpenApi, PathItem};

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Wuji node",
    description = "One node of the five-level linkage. Errors are RFC 9457 problems with stable codes. A POST with an \
                   Idempotency-Key header may be sent again: it is answered again, not done again."
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

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "operation", responses((status = 200, body = Object)))]
pub(super) async fn openapi() -> Json<OpenApi> {
    Json(DESCRIPTION.clone())
}
