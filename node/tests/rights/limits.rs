//! What one request may hold at most: one more is refused in words, and as much is taken.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::harness::Node;

/// A request above a limit: method, path, body, and what the refusal says.
fn too_much(case: &str) -> Vec<(&'static str, String, Option<Value>, &'static str)> {
    let origins = vec!["019e0000000070008000000000000001"; 10_001];
    let reveal = |reason: String| Some(json!({ "reason": reason }));
    let token = |name: String, days: u32| Some(json!({ "name": name, "role": "viewer", "days": days }));
    vec![
        (
            "POST",
            "/api/v1/cases/import".into(),
            Some(json!({ "reports": vec![Value::Null; 101] })),
            "at most 100 reports",
        ),
        ("POST", "/api/v1/parcels/introductions".into(), Some(json!({ "origins": origins })), "at most 10000 origins"),
        ("POST", format!("/api/v1/cases/{case}/reveal"), reveal("x".into()), "2 to 200 characters"),
        ("POST", format!("/api/v1/cases/{case}/reveal"), reveal("x".repeat(201)), "2 to 200 characters"),
        ("POST", "/api/v1/tokens".into(), token("x".repeat(41), 1), "1 to 40 characters"),
        ("POST", "/api/v1/tokens".into(), token("x".into(), 731), "1 to 730 days"),
        ("GET", "/api/v1/figures?by=level,place,month".into(), None, "at most 2 words"),
        ("GET", "/api/v1/figures/rows?limit=201".into(), None, "from 1 to 200"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_more_than_its_limit_is_refused_and_says_how_much_it_may_hold() {
    let node = Node::found().await;
    let case = node.case(1, false).await;
    let all: Vec<_> = casework::Role::ALL.map(wuji::person::roles::name).to_vec();
    let cookie = node.person("everybody", &all.join(" ")).await;
    for (method, path, body, said) in too_much(&case) {
        let answer = node.with(&cookie, method, &path, body.as_ref()).await;
        let refused = matches!(answer.status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused && answer.text.contains(said), "{method} {path}: {} {}", answer.status, answer.text);
        assert!(answer.json()["detail_zh"].as_str().is_some_and(|zh| !zh.is_empty()), "{}", answer.text);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_as_much_as_its_limit_is_taken() {
    let node = Node::found().await;
    let case = node.case(1, false).await;
    let cookie = node.person("everybody", "clerk administrator").await;
    let token = json!({ "name": "x".repeat(40), "role": "viewer", "days": 730 });
    for (method, path, body) in [
        ("POST", format!("/api/v1/cases/{case}/reveal"), Some(json!({ "reason": "x".repeat(200) }))),
        ("POST", "/api/v1/tokens".into(), Some(token)),
        ("GET", "/api/v1/figures?by=level,month".into(), None),
        ("GET", "/api/v1/figures/rows?limit=200".into(), None),
    ] {
        let answer = node.with(&cookie, method, &path, body.as_ref()).await;
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.text);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_has_128_bytes_at_most() {
    let node = Node::found().await;
    let cookie = node.person("desk", "clerk").await;
    for (length, taken) in [(128, true), (129, false), (0, false)] {
        let key = "k".repeat(length);
        let headers = [("cookie", cookie.as_str()), ("idempotency-key", key.as_str())];
        let answer = node.ask("POST", "/api/v1/cases", &headers, Some(&json!({}))).await;
        assert_eq!(answer.text.contains("an idempotency key has 1 to 128"), !taken, "{length}: {}", answer.text);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_of_a_parcel_is_larger_than_any_other_body_and_has_its_own_limit() {
    const PIECE_BYTES_MAX: usize = (1024 + 64) * 1024;
    let node = Node::found().await;
    let cookie = node.person("keeper", "administrator").await;
    for (bytes, too_large) in [(PIECE_BYTES_MAX, false), (PIECE_BYTES_MAX + 1, true)] {
        let request = Request::post("/api/v1/parcels/take")
            .header("cookie", &cookie)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, bytes)
            .body(Body::from(vec![0; bytes]))
            .expect("a request");
        let answer = node.send(request).await;
        assert_eq!(answer.status == StatusCode::PAYLOAD_TOO_LARGE, too_large, "{bytes}: {}", answer.text);
    }
    node.stop().await;
}
