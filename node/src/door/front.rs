//! Which node a request is for: `/<division>/...` names it, and a node that is alone needs no name.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use protocol::division::DivisionCode;
use tower::ServiceExt;

use super::conduct::{Base, Reached, finish};
use crate::api::problem::Problem;
use crate::api::{ApiState, router};
use crate::config::Door;
use crate::page::entrance::{self, Entry};

/// The nodes behind one listener. One router serves all of them: it is given the node with the request, so a node that
/// nobody looks at costs no routes.
pub struct Front {
    routes: Router<Arc<ApiState>>,
    nodes: RwLock<BTreeMap<DivisionCode, Arc<ApiState>>>,
    pack: bool,
    closed: AtomicBool,
    reached: Reached,
}

impl Front {
    /// The front of a node that is alone in its process.
    pub fn alone(node: Arc<ApiState>, door: &Door) -> Self {
        let front = Self::new(door, false);
        front.admit(node);
        front
    }

    /// The front of a pack; its nodes come as they start.
    pub fn pack(door: &Door) -> Self {
        Self::new(door, true)
    }

    fn new(door: &Door, pack: bool) -> Self {
        let reached = match door {
            Door::Loopback => Reached::Plain,
            Door::Proxy { trusted } => Reached::Proxied(trusted.clone()),
            Door::Files { .. } | Door::Own { .. } => Reached::Https,
        };
        Self { routes: router::routes(), nodes: RwLock::default(), pack, closed: AtomicBool::new(false), reached }
    }

    /// Answers everybody that nothing can be done for now: who they are cannot be found out.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Lets requests through to a node from now on.
    pub fn admit(&self, node: Arc<ApiState>) {
        let division = node.config.node.division;
        self.nodes.write().unwrap_or_else(PoisonError::into_inner).insert(division, node);
    }

    /// Lets no more requests through to a node.
    pub fn dismiss(&self, division: DivisionCode) {
        self.nodes.write().unwrap_or_else(PoisonError::into_inner).remove(&division);
    }

    fn node(&self, division: DivisionCode) -> Option<Arc<ApiState>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner).get(&division).cloned()
    }

    fn only(&self) -> Option<Arc<ApiState>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner).values().next().cloned()
    }

    /// Answers a request that came over a connection with `peer`.
    pub async fn answer(&self, mut request: Request<Body>, peer: SocketAddr) -> Response {
        let client = self.reached.client(peer, request.headers());
        let (to, base) = match self.choose(request.uri()) {
            Choice::Node(to, base) => (to, base),
            Choice::Entrance => {
                let mut response = self.entrance(request.uri(), request.headers());
                finish(response.headers_mut(), client, &Base::default());
                return response;
            }
            Choice::Answer(mut response) => {
                finish(response.headers_mut(), client, &Base::default());
                return response;
            }
        };
        if !base.0.is_empty() {
            *request.uri_mut() = below(request.uri(), &base);
        }
        let extensions = request.extensions_mut();
        extensions.insert(client);
        extensions.insert(base.clone());
        extensions.insert(ConnectInfo(peer));
        extensions.insert(to.clone());
        let Ok(mut response) = self.routes.clone().with_state(to).oneshot(request).await;
        finish(response.headers_mut(), client, &base);
        response
    }

    fn choose(&self, uri: &Uri) -> Choice {
        let path = uri.path().trim_start_matches('/');
        if self.closed.load(Ordering::Relaxed) && path != "healthz" {
            return Choice::Answer(Problem::people_away().into_response());
        }
        let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
        if let Ok(division) = first.parse::<DivisionCode>() {
            return match (self.node(division), rest) {
                (Some(node), Some(_)) => Choice::Node(node, Base(format!("/{division}"))),
                // Links of a page are relative to the folder it is in.
                (Some(_), None) => Choice::Answer(Redirect::permanent(&format!("/{division}/")).into_response()),
                (None, _) => Choice::Answer(Problem::not_found().into_response()),
            };
        }
        if !self.pack {
            return match self.only() {
                Some(node) => Choice::Node(node, Base::default()),
                None => Choice::Answer(StatusCode::SERVICE_UNAVAILABLE.into_response()),
            };
        }
        match path {
            "" => Choice::Entrance,
            "healthz" => Choice::Answer(axum::Json(serde_json::json!({ "ok": true })).into_response()),
            _ => Choice::Answer(Problem::not_found().into_response()),
        }
    }

    /// The first page of a pack: the way to its nodes, by name.
    fn entrance(&self, uri: &Uri, headers: &HeaderMap) -> Response {
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        let entries = nodes.iter().map(|(division, node)| Entry { division: *division, name: &node.config.node.name });
        entrance::entrance(uri, headers, entries)
    }
}

enum Choice {
    Entrance,
    Node(Arc<ApiState>, Base),
    Answer(Response),
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").field("pack", &self.pack).field("reached", &self.reached).finish_non_exhaustive()
    }
}

/// The address without what stands before the node's own paths.
fn below(uri: &Uri, base: &Base) -> Uri {
    let whole = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    // More than one slash before the division is one to us.
    let trimmed = whole.trim_start_matches('/');
    let rest = trimmed.get(base.0.len().saturating_sub(1)..).filter(|rest| rest.starts_with('/')).unwrap_or("/");
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = rest.parse().ok();
    Uri::from_parts(parts).unwrap_or_else(|_| Uri::from_static("/"))
}
