//! Nodes that run in this process with their API, and what they are asked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use protocol::id::CaseId;
use protocol::time::UnixMillis;
use protocol::wire::later::Vocabulary;
use serde_json::{Value, json};
use tower::Service;
use wuji::api::{ApiState, router};
use wuji::config::Config;
use wuji::folder::Folder;
use wuji::names::Table;
use wuji::node::{self, Plan, Running};

use crate::ports;

#[path = "again.rs"]
mod again;

pub const CITY: &str = "330600000000";
pub const COUNTY: &str = "330602000000";
pub const GRID: &str = "330602001001001";
const PASSWORD: &str = "correct horse battery";
/// How often something on its way is looked for, and how long between two looks.
const LOOKS_MAX: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(30);

/// A node that runs, with its API.
pub struct Node {
    pub folder: PathBuf,
    pub router: Router,
    pub operator: String,
    clerk: Option<String>,
    pub running: Running,
}

fn plan(division: &str) -> Plan {
    let link = ports::free_address();
    Plan {
        division: division.parse().expect("a code"),
        name: division.into(),
        link,
        advertise: link.to_string(),
        http: "127.0.0.1:0".parse().expect("an address"),
        database: None,
    }
}

impl Node {
    pub async fn found(root: &tempfile::TempDir) -> Self {
        let folder = Folder::new(root.path().join(CITY));
        node::found(&folder, &plan(CITY)).await.expect("founded");
        Self::start(folder.path().to_path_buf()).await
    }

    pub async fn join(root: &tempfile::TempDir, above: &Self, division: &str) -> Self {
        let code = division.parse().expect("a code");
        let token = node::give_token(&Folder::new(&above.folder), code, 3_600_000).await.expect("a token");
        let folder = Folder::new(root.path().join(division));
        node::join(&folder, &plan(division), &token).await.expect("joined");
        Self::start(folder.path().to_path_buf()).await
    }

    pub async fn start(path: PathBuf) -> Self {
        Self::start_reading(path, Vocabulary::default()).await
    }

    /// With a program that reads these kinds.
    pub async fn start_reading(path: PathBuf, vocabulary: Vocabulary) -> Self {
        let folder = Folder::new(&path);
        let mut config = Config::load(&path).expect("a configuration");
        (config.link.retry_min_ms, config.link.retry_max_ms) = (50, 500);
        let operator = folder.operator_token().expect("a token");
        let start = async || Running::start_reading(Folder::new(&path), config.clone(), vocabulary.clone()).await;
        let running = again::started(start).await;
        let state = ApiState::new(&running, Arc::new(Table::shipped().expect("the table"))).expect("the state");
        let (router, _) = router::build(Arc::new(state));
        Self { folder: path, router, operator, clerk: None, running }
    }

    pub async fn stop(self) -> PathBuf {
        self.running.stop().await.expect("stopped");
        self.folder
    }

    pub async fn ask(&self, method: &str, path: &str, auth: (&str, &str), body: Option<&Value>) -> (StatusCode, Value) {
        self.ask_with(method, path, &[auth], body).await
    }

    pub async fn ask_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = match body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        let response = self.router.clone().call(request.expect("a request")).await.expect("an answer");
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub async fn get(&self, path: &str) -> Value {
        let bearer = format!("Bearer {}", self.operator);
        self.ask("GET", &format!("/api/v1{path}"), ("authorization", &bearer), None).await.1
    }

    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let bearer = format!("Bearer {}", self.operator);
        self.ask("POST", &format!("/api/v1{path}"), ("authorization", &bearer), Some(body)).await
    }

    /// A page as somebody who logged in sees it.
    pub async fn page(&self, cookie: &str, path: &str) -> String {
        let request = Request::builder().uri(path).header(header::COOKIE, cookie);
        let request = request.body(Body::empty()).expect("a request");
        let response = self.router.clone().call(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        String::from_utf8(bytes.to_vec()).expect("text")
    }

    /// As somebody who works on cases.
    pub async fn clerk(&mut self, method: &str, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        if self.clerk.is_none() {
            self.clerk = Some(self.person("clerk", &["clerk", "grid_worker", "supervisor"]).await);
        }
        self.as_clerk(method, path, body).await
    }

    /// Somebody with these roles, logged in: their cookie.
    pub async fn person(&self, name: &str, roles: &[&str]) -> String {
        let user = json!({ "name": name, "shown": name, "roles": roles, "password": PASSWORD, "must_change": false });
        assert_eq!(self.post("/users", &user).await.0, StatusCode::OK);
        let request = Request::post("/api/v1/session")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(json!({ "user": name, "password": PASSWORD }).to_string()));
        let response = self.router.clone().call(request.expect("a request")).await.expect("an answer");
        let cookie = response.headers()[header::SET_COOKIE].to_str().expect("text");
        cookie.split(';').next().expect("a pair").to_owned()
    }

    /// The same once they have logged in: several requests can be under way.
    pub async fn as_clerk(&self, method: &str, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        let cookie = self.clerk.clone().expect("logged in");
        self.ask(method, &format!("/api/v1{path}"), ("cookie", &cookie), body).await
    }
}

/// Waits for something on its way, but not for ever.
#[derive(Default)]
pub struct Patience(u32);

impl Patience {
    pub async fn wait(&mut self, what: &str) {
        self.0 += 1;
        assert!(self.0 < LOOKS_MAX, "did not come about: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until something holds at a node.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let mut patience = Patience::default();
    while !holds().await {
        patience.wait(what).await;
    }
}

pub async fn three(root: &tempfile::TempDir) -> (Node, Node, Node) {
    let city = Node::found(root).await;
    let county = Node::join(root, &city, COUNTY).await;
    let grid = Node::join(root, &county, GRID).await;
    (city, county, grid)
}

pub fn case_id(n: u8) -> String {
    CaseId::new(UnixMillis(1_790_000_000_000), [n; 10]).to_string()
}

pub fn red_report(case: &str) -> Value {
    json!({
        "case": case, "matter": "dispute", "source": "grid", "category": 201, "place": GRID, "grid_kind": "basic",
        "title": "通道之争", "narrative": "两户为通道争吵。", "answers": { "signs": 0, "violence": "yes",
        "petition_talk": "no", "people": 2, "disturbs": "yes", "effort": "unknown" }, "ending": "settle_here",
    })
}
