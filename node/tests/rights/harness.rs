//! A founded node with its API, and short ways to ask it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use protocol::id::CaseId;
use protocol::time::UnixMillis;
use serde_json::{Value, json};
use tower::Service;
use wuji::api::{ApiState, router};
use wuji::folder::Folder;
use wuji::names::Table;
use wuji::node::{self, Plan, Running};
use wuji::person::change::{Change, OpenSession, PutUser};
use wuji::person::{password, roles, session};

pub(crate) const CITY: &str = "330600000000";
pub(crate) const COUNTY: &str = "330602000000";
pub(crate) const OTHER_COUNTY: &str = "330603000000";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const PARTY: &str = "周慧敏";
pub(crate) const PHONE: &str = "13857512345";

/// A founded node and its API. Being alone, it is the city and owns what is reported to it.
pub(crate) struct Node {
    router: Router,
    operator: String,
    pub(crate) state: Arc<ApiState>,
    pub(crate) running: Running,
    pub(crate) root: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn cookie(&self) -> String {
        let set = self.headers.get(header::SET_COOKIE).expect("a cookie").to_str().expect("text");
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict"), "{set}");
        set.split(';').next().expect("a pair").to_owned()
    }
}

pub(crate) fn plan(division: &str) -> Plan {
    let link = crate::ports::free_address();
    Plan {
        division: division.parse().expect("a code"),
        name: "绍兴市".into(),
        link,
        advertise: link.to_string(),
        http: "127.0.0.1:0".parse().expect("an address"),
        database: None,
    }
}

impl Node {
    pub(crate) async fn found() -> Self {
        Self::found_with(|_| {}).await
    }

    pub(crate) async fn found_with(change: impl FnOnce(&mut wuji::config::Config)) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::new(root.path().join("city"));
        let mut config = node::found(&folder, &plan(CITY)).await.expect("founded");
        change(&mut config);
        Self::of(root, folder, config).await
    }

    /// The same node again.
    pub(crate) async fn started(root: tempfile::TempDir) -> Self {
        let folder = Folder::new(root.path().join("city"));
        let config = wuji::config::Config::load(folder.path()).expect("a configuration");
        Self::of(root, folder, config).await
    }

    async fn of(root: tempfile::TempDir, folder: Folder, config: wuji::config::Config) -> Self {
        let operator = folder.operator_token().expect("a token");
        let running = Running::start_with(folder, config).await.expect("started");
        let names = Arc::new(Table::shipped().expect("the table"));
        let state = Arc::new(ApiState::new(&running, names).expect("the state"));
        let (router, _) = router::build(state.clone());
        Self { router, operator, state, running, root }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().call(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, text, bytes: bytes.to_vec() }
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).expect("a method")).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).expect("a request")).await
    }

    pub(crate) async fn with(&self, cookie: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.ask(method, path, &[("cookie", cookie)], body).await
    }

    pub(crate) async fn bearer(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.ask(method, path, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    pub(crate) async fn operator(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.bearer(&self.operator, method, path, body).await
    }

    pub(crate) async fn log_in(&self, name: &str, password: &str, code: Option<&str>) -> Answer {
        let body = json!({ "user": name, "password": password, "code": code });
        self.ask("POST", "/api/v1/session", &[], Some(&body)).await
    }

    /// Makes a user with grants, straight in the realm.
    pub(crate) async fn user(&self, name: &str, grants: &str) {
        let user = PutUser {
            name: name.to_owned(),
            shown: "测试员".to_owned(),
            password: Some(password::hash(PASSWORD.to_owned()).await.expect("a hash")),
            must_change: false,
            disabled: false,
            grants: Some(roles::grants(grants).expect("grants")),
        };
        self.state.realm.change(Change::PutUser(user)).await.expect("a user");
    }

    /// A session of a user that ends so many milliseconds from now.
    pub(crate) async fn session(&self, name: &str, ends_in_ms: i64) -> String {
        let opened = session::Opened::new(self.state.clock.wall());
        let open = OpenSession {
            token: opened.hash,
            name: name.to_owned(),
            expires: UnixMillis(self.state.clock.wall().0 + ends_in_ms),
            address: "test".to_owned(),
            agent: "test".to_owned(),
            totp_step: None,
            recovery: None,
        };
        self.state.realm.change(Change::OpenSession(open)).await.expect("a session");
        format!("{}={}", session::cookie_name(self.state.realm.id()), opened.token)
    }

    /// Makes a user with grants, and a session of theirs.
    pub(crate) async fn person(&self, name: &str, grants: &str) -> String {
        self.user(name, grants).await;
        self.session(name, 3_600_000).await
    }

    /// Files a report in the county and closes the case when that is wanted.
    pub(crate) async fn case(&self, n: u8, void: bool) -> String {
        let id = CaseId::new(UnixMillis(1_780_000_000_000), [n; 10]).to_string();
        let filed = self.operator("POST", "/api/v1/cases", Some(&report(&id))).await;
        assert_eq!(filed.status, StatusCode::CREATED, "{}", filed.text);
        if void {
            let body = json!({ "reason": format!("{PARTY}要求") });
            let done = self.operator("POST", &format!("/api/v1/cases/{id}/void"), Some(&body)).await;
            assert_eq!(done.status, StatusCode::OK, "{}", done.text);
        }
        id
    }

    pub(crate) async fn stop(self) {
        drop(self.stopped().await);
    }

    /// Stops it; its folder stays.
    pub(crate) async fn stopped(self) -> tempfile::TempDir {
        drop((self.router, self.state));
        self.running.stop().await.expect("stopped");
        self.root
    }
}

pub(crate) fn report(case: &str) -> Value {
    json!({
        "case": case, "matter": "dispute", "source": "window", "category": 402, "place": COUNTY, "grid_kind": "basic",
        "title": format!("{PARTY}家漏水"), "narrative": format!("{PARTY}称楼上漏水,电话{PHONE}。"),
        "parties": [{ "side": "applicant", "name": PARTY, "phone": PHONE, "address": "城南新村3幢",
            "identity": "330602199001011234" }],
        "answers": { "signs": 0, "violence": "no", "petition_talk": "no", "people": 2, "disturbs": "yes", "effort": "unknown" },
        "head_count": 2, "ending": "settle_here",
    })
}
