//! The API and the page against a real node. `api_on_postgres` runs the same on a server.

#[expect(unreachable_pub, dead_code, reason = "the file serves other tests as well")]
#[path = "support/postgres.rs"]
mod postgres;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use protocol::id::CaseId;
use protocol::time::UnixMillis;
use serde_json::{Value, json};
use tower::Service;
use wuji::api::{ApiState, router};
use wuji::folder::Folder;
use wuji::names::Table;
use wuji::node::{self, Plan, Running};

use postgres::TestDatabase;

const CITY: &str = "330600000000";
const PASSWORD: &str = "correct horse battery";
const OPEN: [(&str, &str); 2] = [("get", "/healthz"), ("post", "/api/v1/session")];
const HOSTILE: &str = "<script>alert(1)</script>\"onload='x'";
const TURNED: &str = "\u{202e}gpj.exe";

/// A founded node and its API. Being alone, it is the city and owns what is reported to it.
struct Node {
    router: Router,
    operator: String,
    running: Running,
    _root: tempfile::TempDir,
    _database: Option<TestDatabase>,
}

/// An answer.
struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    fn cookie(&self) -> String {
        let set = self.headers.get(header::SET_COOKIE).expect("a cookie").to_str().expect("text");
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict"), "{set}");
        set.split(';').next().expect("a pair").to_owned()
    }
}

impl Node {
    async fn found() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let database = (env!("CARGO_CRATE_NAME") == "api_on_postgres").then(TestDatabase::new);
        let folder = Folder::new(root.path().join("city"));
        let plan = Plan {
            division: CITY.parse().expect("a code"),
            name: "绍兴市".into(),
            link: "127.0.0.1:0".parse().expect("an address"),
            advertise: "127.0.0.1:1".into(),
            http: "127.0.0.1:0".parse().expect("an address"),
            database: database.as_ref().map(|database| database.url.clone()),
        };
        node::found(&folder, &plan).await.expect("founded");
        let operator = folder.operator_token().expect("a token");
        let running = Running::start(folder).await.expect("started");
        let names = Arc::new(Table::shipped().expect("the table"));
        let state = ApiState::new(&running, names).expect("the state");
        let (router, _) = router::build(Arc::new(state));
        Self { router, operator, running, _root: root, _database: database }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().call(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    async fn ask(&self, method: &str, path: &str, auth: Option<(&str, &str)>, body: Option<&Value>) -> Answer {
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).expect("a method")).uri(path);
        if let Some((name, value)) = auth {
            request = request.header(name, value);
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

    async fn operator(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let bearer = format!("Bearer {}", self.operator);
        self.ask(method, path, Some(("authorization", &bearer)), body).await
    }

    /// Makes a user and logs them in.
    async fn person(&self, name: &str, roles: &[&str]) -> String {
        let user =
            json!({ "name": name, "shown": "测试员", "roles": roles, "password": PASSWORD, "must_change": false });
        let made = self.operator("POST", "/api/v1/users", Some(&user)).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text);
        let log_in = json!({ "user": name, "password": PASSWORD });
        let answer = self.ask("POST", "/api/v1/session", None, Some(&log_in)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.cookie()
    }

    async fn with(&self, cookie: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.ask(method, path, Some(("cookie", cookie)), body).await
    }

    async fn keyed(&self, cookie: &str, key: &str, path: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("cookie", cookie)
            .header("idempotency-key", key)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()));
        self.send(request.expect("a request")).await
    }
}

fn case_id(n: u8) -> String {
    CaseId::new(UnixMillis(1_780_000_000_000), [n; 10]).to_string()
}

fn report(case: &str, title: &str) -> Value {
    json!({
        "case": case, "matter": "dispute", "source": "window", "category": 402, "place": CITY, "grid_kind": "basic",
        "title": title, "narrative": HOSTILE,
        "parties": [{ "side": "applicant", "name": "周慧敏", "phone": "13857512345", "address": HOSTILE }],
        "answers": { "signs": 0, "violence": "no", "petition_talk": "no", "people": 2, "disturbs": "yes", "effort": "unknown" },
        "head_count": 2, "ending": "settle_here",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_endpoint_is_open() {
    let node = Node::found().await;
    let description = serde_json::to_value(router::description()).expect("json");
    let mut walked = 0;
    for (path, item) in description["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let open = OPEN.contains(&(method.as_str(), path.as_str()));
            assert_eq!(operation["security"] == json!([]), open, "{method} {path} is described wrongly");
            if open {
                continue;
            }
            let address =
                path.replace("{id}", &case_id(1)).replace("{offer}", &case_id(2)).replace("{order}", &case_id(3));
            for auth in [None, Some(("authorization", "Bearer wrong")), Some(("cookie", "wuji_session=wrong"))] {
                let answer = node.ask(&method.to_uppercase(), &address, auth, Some(&json!({}))).await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
                assert_eq!(answer.code(), "not-logged-in");
                assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
            }
            walked += 1;
        }
    }
    assert!(walked >= 35, "only {walked} operations were walked");
    for page in ["/", "/cases/1"] {
        let answer = node.ask("GET", page, None, None).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::SEE_OTHER, ""), "{page}");
    }
    assert_eq!(node.ask("GET", "/healthz", None, None).await.text, "{\"ok\":true}");
    node.running.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_an_unknown_name_and_a_disabled_user_get_the_same_answer() {
    let node = Node::found().await;
    node.person("clerk", &["clerk"]).await;
    let off = json!({ "name": "gone", "shown": "离职", "roles": ["clerk"], "password": PASSWORD, "disabled": true });
    node.operator("POST", "/api/v1/users", Some(&off)).await;
    let mut answers = Vec::new();
    for (user, password) in [("clerk", "wrong password"), ("nobody", PASSWORD), ("gone", PASSWORD)] {
        let answer =
            node.ask("POST", "/api/v1/session", None, Some(&json!({ "user": user, "password": password }))).await;
        answers.push((answer.status, answer.text));
    }
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
    assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
    node.running.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_the_log_out() {
    let node = Node::found().await;
    let cookie = node.person("clerk", &["clerk"]).await;
    assert_eq!(node.with(&cookie, "GET", "/api/v1/me", None).await.json()["name"], "clerk");
    assert_eq!(node.with(&cookie, "GET", "/api/v1/users", None).await.status, StatusCode::FORBIDDEN);
    assert_eq!(node.with(&cookie, "DELETE", "/api/v1/session", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(node.with(&cookie, "GET", "/api/v1/me", None).await.status, StatusCode::UNAUTHORIZED);
    node.running.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_from_the_report_to_the_archive() {
    let node = Node::found().await;
    let clerk = node.person("clerk", &["clerk", "supervisor", "grid_worker"]).await;
    let case = case_id(4);
    let filed = node.with(&clerk, "POST", "/api/v1/cases", Some(&report(&case, "物业纠纷"))).await;
    assert_eq!(filed.status, StatusCode::CREATED, "{}", filed.text);
    assert_eq!((&filed.json()["id"], &filed.json()["level"]), (&json!(case), &json!("yellow")));
    for (act, body, step) in [
        ("file", json!({}), "filed"),
        ("assign", json!({ "unit": 1, "note": "请上门" }), "assigned"),
        ("progress", json!({ "note": "已到场" }), "in_progress"),
        ("resolve", json!({ "outcome": "successful", "terms": "达成一致", "amount_fen": 120_000 }), "in_progress"),
        ("feed-back", json!({ "note": "已告知" }), "fed_back"),
        ("assess", json!({ "score": 5, "note": "好" }), "assessed"),
        ("archive", json!({}), "archived"),
    ] {
        let answer = node.with(&clerk, "POST", &format!("/api/v1/cases/{case}/{act}"), Some(&body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{act}: {}", answer.text);
        assert_eq!(answer.json()["step"], step, "{act}");
    }
    let again =
        node.with(&clerk, "POST", &format!("/api/v1/cases/{case}/progress"), Some(&json!({ "note": "x" }))).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::CONFLICT, "is-archived"));
    let totals = node.with(&clerk, "GET", "/api/v1/figures/totals", None).await.json();
    assert_eq!(
        (&totals["numerator"], &totals["denominator"], &totals["success_rate"]),
        (&json!(1), &json!(1), &json!("100.0"))
    );
    let cut = node.with(&clerk, "GET", "/api/v1/figures?by=level", None).await.json();
    assert_eq!(cut["lines"][0]["keys"][0]["value"], "yellow");
    assert_eq!((&cut["complete_nodes"], &cut["expected_nodes"]), (&json!(1), &json!(1)));
    let rows = node.with(&clerk, "GET", "/api/v1/figures/rows?by=level&line=yellow", None).await.json();
    assert_eq!(rows["rows"][0]["case"].as_str(), Some(case.replace('-', "").as_str()), "a number opens its rows");
    let shown = node.with(&clerk, "GET", &format!("/api/v1/cases/{case}"), None).await.json();
    assert_eq!(shown["private"]["parties"][0]["name"], "周**");
    assert_eq!(shown["steps"].as_array().map(Vec::len), Some(7));
    let holder = &shown["holders"][0];
    assert_eq!((&holder["class"], &holder["why"], &holder["until"]), (&json!("full"), &json!("owner"), &Value::Null));
    node.running.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_again_is_answered_again() {
    let node = Node::found().await;
    let clerk = node.person("clerk", &["clerk", "grid_worker", "supervisor"]).await;
    let case = case_id(5);
    node.with(&clerk, "POST", "/api/v1/cases", Some(&report(&case, "题"))).await;
    let path = format!("/api/v1/cases/{case}/file");
    let first = node.keyed(&clerk, "k1", &path, &json!({})).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    let second = node.keyed(&clerk, "k1", &path, &json!({})).await;
    assert_eq!((second.status, &second.text), (first.status, &first.text));
    assert_eq!(second.headers["idempotency-replayed"], "true");
    let other = node.keyed(&clerk, "k1", &path, &json!({ "x": 1 })).await;
    assert_eq!((other.status, other.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused"));
    assert_eq!(node.keyed(&clerk, "k2", &path, &json!({})).await.status, StatusCode::CONFLICT, "done once only");
    node.running.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_case_is_answered_as_an_absent_one() {
    let node = Node::found().await;
    let clerk = node.person("clerk", &["clerk", "grid_worker", "supervisor"]).await;
    let admin = node.person("admin", &["administrator"]).await;
    let (here, absent) = (case_id(6), case_id(7));
    node.with(&clerk, "POST", "/api/v1/cases", Some(&report(&here, "题"))).await;
    for (method, tail, body) in [("GET", "", None), ("POST", "/file", Some(json!({})))] {
        let mut answers = Vec::new();
        for case in [&here, &absent] {
            let path = format!("/api/v1/cases/{case}{tail}");
            let answer = node.with(&admin, method, &path, body.as_ref()).await;
            answers.push((answer.status, answer.text));
        }
        let path = format!("/api/v1/cases/{absent}{tail}");
        let answer = node.with(&clerk, method, &path, body.as_ref()).await;
        answers.push((answer.status, answer.text));
        assert_eq!(answers[0].0, StatusCode::NOT_FOUND);
        assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
    }
    node.running.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_is_shown_and_does_nothing() {
    let node = Node::found().await;
    let clerk = node.person("clerk", &["clerk", "grid_worker", "supervisor"]).await;
    let case = case_id(8);
    let turned = node.with(&clerk, "POST", "/api/v1/cases", Some(&report(&case, TURNED))).await;
    assert_eq!((turned.status, turned.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"));
    let filed = node.with(&clerk, "POST", "/api/v1/cases", Some(&report(&case, HOSTILE))).await;
    assert_eq!(filed.status, StatusCode::CREATED, "{}", filed.text);
    for page in ["/".to_owned(), "/?lang=en".to_owned(), format!("/cases/{case}"), format!("/cases/{case}?lang=en")] {
        let answer = node.with(&clerk, "GET", &page, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{page}: {}", answer.text);
        assert!(!answer.text.contains("<script"), "{page}");
        assert!(!answer.text.contains('\u{202e}'), "{page}");
        assert!(!answer.text.contains("http://") && !answer.text.contains("https://"), "{page} refers elsewhere");
        let policy = answer.headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(answer.text.contains(if page.contains("lang=en") {
            "<html lang=\"en\""
        } else {
            "<html lang=\"zh-CN\""
        }));
    }
    let shown = node.with(&clerk, "GET", &format!("/cases/{case}"), None).await;
    assert!(shown.text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    node.running.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_case_is_counted_by_those_who_do_it_and_never_below_zero() {
    let node = Node::found().await;
    let worker = node.person("worker", &["grid_worker"]).await;
    let leader = node.person("leader", &["supervisor"]).await;
    let day = "2026-01-05";
    let add = |n: i64| json!({ "measure": "visits", "day": day, "add": n });
    let refused = node.with(&leader, "POST", "/api/v1/tallies", Some(&add(1))).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
    for (n, value) in [(3, 3), (2, 5), (-4, 1)] {
        let answer = node.with(&worker, "POST", "/api/v1/tallies", Some(&add(n))).await;
        assert_eq!((answer.status, &answer.json()["value"]), (StatusCode::OK, &json!(value)), "{}", answer.text);
    }
    for bad in [
        add(-2),
        add(0),
        json!({ "measure": "luck", "add": 1 }),
        json!({ "measure": "visits", "day": "2199-01-01", "add": 1 }),
    ] {
        let answer = node.with(&worker, "POST", "/api/v1/tallies", Some(&bad)).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"), "{bad}");
    }
    let sums = node.with(&leader, "GET", "/api/v1/tallies?measure=visits&by=month", None).await.json();
    assert_eq!((&sums["total"], &sums["lines"][0]["value"]), (&json!(1), &json!("2026-01")));
    node.running.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_a_problem_and_not_a_page() {
    let node = Node::found().await;
    let clerk = node.person("clerk", &["clerk"]).await;
    for (method, path, body, status, code) in [
        ("GET", "/api/v1/nothing", None, StatusCode::NOT_FOUND, "not-found"),
        ("PUT", "/api/v1/me", None, StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"),
        ("GET", "/api/v1/figures?by=hair", None, StatusCode::BAD_REQUEST, "malformed"),
        ("GET", "/api/v1/figures?by=level,place,month", None, StatusCode::BAD_REQUEST, "malformed"),
        ("GET", "/api/v1/figures?by=level,level", None, StatusCode::BAD_REQUEST, "malformed"),
        ("GET", "/api/v1/figures?measure=luck", None, StatusCode::BAD_REQUEST, "malformed"),
        ("GET", "/api/v1/figures?category=402", None, StatusCode::BAD_REQUEST, "malformed"),
        ("GET", "/api/v1/figures?from=2026-02-30", None, StatusCode::BAD_REQUEST, "malformed"),
        ("GET", "/api/v1/figures?from=2026-02-02&to=2026-02-01", None, StatusCode::BAD_REQUEST, "malformed"),
        ("GET", "/api/v1/figures?measure=occupancy", None, StatusCode::BAD_REQUEST, "malformed"),
        // A day more than ten years and a week.
        (
            "GET",
            "/api/v1/figures?measure=occupancy&from=2010-01-01&to=2020-01-09",
            None,
            StatusCode::BAD_REQUEST,
            "malformed",
        ),
        ("GET", "/api/v1/figures?limit=3", None, StatusCode::BAD_REQUEST, "malformed"),
        ("GET", "/api/v1/figures?colour=red", None, StatusCode::BAD_REQUEST, "malformed"),
        ("GET", "/api/v1/figures/rows?limit=201", None, StatusCode::BAD_REQUEST, "malformed"),
        ("GET", "/api/v1/figures/rows?by=level&line=yellow,red", None, StatusCode::BAD_REQUEST, "malformed"),
        ("GET", "/api/v1/tallies?measure=visits&by=level", None, StatusCode::BAD_REQUEST, "malformed"),
        ("GET", "/api/v1/cases?cursor=x", None, StatusCode::BAD_REQUEST, "malformed"),
        ("GET", "/api/v1/cases/not-an-id", None, StatusCode::NOT_FOUND, "not-found"),
        ("POST", "/api/v1/cases", Some(json!({ "case": "x" })), StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        ("POST", "/api/v1/session", Some(json!({ "user": 1 })), StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
    ] {
        let answer = node.with(&clerk, method, path, body.as_ref()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {path}: {}", answer.text);
    }
    node.running.stop().await.expect("stopped");
}
