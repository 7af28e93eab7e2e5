//! Logging in: second factors, slow guessing, sessions, other sites.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use wuji::person::totp;

use crate::harness::{Node, PASSWORD};

pub(crate) fn code_of(uri: &str, node: &Node, later: i64) -> String {
    let secret = uri.split("secret=").nth(1).and_then(|s| s.split('&').next()).expect("a secret");
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = secret.chars().map(|c| format!("{:05b}", alphabet.find(c).expect("base 32"))).collect();
    let bytes: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|b| u8::from_str_radix(std::str::from_utf8(b).unwrap(), 2).unwrap())
        .collect();
    format!("{:06}", totp::code(&bytes, totp::step_of(node.state.clock.wall()) + later))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_asked_for_and_no_code_is_taken_twice() {
    let node = Node::found().await;
    let cookie = node.person("leader", "supervisor").await;
    let begun = node.with(&cookie, "POST", "/api/v1/me/second-factor", Some(&json!({ "password": PASSWORD }))).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text);
    let uri = begun.json()["uri"].as_str().expect("an address").to_owned();
    assert_eq!(
        node.log_in("leader", PASSWORD, None).await.status,
        StatusCode::OK,
        "not asked for before it is confirmed"
    );
    let path = "/api/v1/me/second-factor/confirm";
    let wrong = node.with(&cookie, "POST", path, Some(&json!({ "code": "000000" }))).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let first = code_of(&uri, &node, 0);
    let confirmed = node.with(&cookie, "POST", path, Some(&json!({ "code": first }))).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
    let without = node.log_in("leader", PASSWORD, None).await;
    assert_eq!((without.status, without.code().as_str()), (StatusCode::UNAUTHORIZED, "code-required"));
    assert_eq!(node.log_in("leader", PASSWORD, Some(&first)).await.code(), "log-in-failed", "used to confirm");
    let next = code_of(&uri, &node, 1);
    assert_eq!(node.log_in("leader", PASSWORD, Some(&next)).await.status, StatusCode::OK);
    assert_eq!(node.log_in("leader", PASSWORD, Some(&next)).await.code(), "log-in-failed", "used to log in");
    let recovery = confirmed.json()["recovery_codes"][0].as_str().expect("a code").to_owned();
    assert_eq!(node.log_in("leader", PASSWORD, Some(&recovery)).await.status, StatusCode::OK);
    assert_eq!(node.log_in("leader", PASSWORD, Some(&recovery)).await.code(), "log-in-failed", "gone");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_operator_asks_for_it_strong_roles_set_a_second_factor_up_first() {
    let node = Node::found_with(|config| config.people.second_factor = true).await;
    let leader = node.person("leader", "supervisor").await;
    let refused = node.with(&leader, "GET", "/api/v1/cases", None).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "second-factor-required"));
    assert_eq!(node.with(&leader, "GET", "/api/v1/me", None).await.json()["due"], "second-factor");
    let clerk = node.person("clerk", "clerk").await;
    assert_eq!(node.with(&clerk, "GET", "/api/v1/cases", None).await.status, StatusCode::OK);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_gets_slower_alike_for_names_that_exist_and_names_that_do_not() {
    let node = Node::found().await;
    node.user("clerk", "clerk").await;
    let mut answers = Vec::new();
    for name in ["clerk", "nobody"] {
        for _ in 0..5 {
            let answer = node.log_in(name, "wrong password", None).await;
            assert_eq!(answer.code(), "log-in-failed");
        }
        let answer = node.log_in(name, PASSWORD, None).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        let wait: u64 = answer.headers[header::RETRY_AFTER].to_str().unwrap().parse().expect("seconds");
        assert!((1..=15).contains(&wait), "{wait}");
        answers.push(answer.text);
    }
    assert_eq!(answers[0], answers[1]);
    let unlocked = node.operator("POST", "/api/v1/users/clerk/unlock", None).await;
    assert_eq!(unlocked.status, StatusCode::NO_CONTENT, "{}", unlocked.text);
    assert_eq!(node.log_in("clerk", PASSWORD, None).await.status, StatusCode::OK);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_somebody_else_set_is_changed_first_and_a_change_ends_other_sessions() {
    let node = Node::found().await;
    let user = json!({ "name": "clerk", "shown": "受理员", "roles": ["clerk"], "password": PASSWORD });
    assert_eq!(node.operator("POST", "/api/v1/users", Some(&user)).await.status, StatusCode::OK);
    let logged_in = node.log_in("clerk", PASSWORD, None).await;
    assert_eq!(logged_in.json()["due"], "password");
    let (cookie, other) = (logged_in.cookie(), node.log_in("clerk", PASSWORD, None).await.cookie());
    assert_eq!(node.with(&cookie, "GET", "/api/v1/cases", None).await.code(), "password-change-required");
    let path = "/api/v1/me/password";
    for (new, status) in [
        ("clerk-clerk-clerk", StatusCode::UNPROCESSABLE_ENTITY),
        ("1234567890", StatusCode::UNPROCESSABLE_ENTITY),
        (PASSWORD, StatusCode::UNPROCESSABLE_ENTITY),
        ("another horse battery", StatusCode::NO_CONTENT),
    ] {
        let answer = node.with(&cookie, "POST", path, Some(&json!({ "old": PASSWORD, "new": new }))).await;
        assert_eq!(answer.status, status, "{new}: {}", answer.text);
    }
    assert_eq!(node.with(&cookie, "GET", "/api/v1/cases", None).await.status, StatusCode::OK);
    assert_eq!(node.with(&other, "GET", "/api/v1/me", None).await.status, StatusCode::UNAUTHORIZED);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_sessions_are_listed_and_ended_one_by_one() {
    let node = Node::found().await;
    let here = node.person("clerk", "clerk").await;
    let there = node.session("clerk", 3_600_000).await;
    let sessions = node.with(&here, "GET", "/api/v1/me/sessions", None).await.json();
    let other = sessions.as_array().unwrap().iter().find(|s| s["current"] == false).expect("the other one");
    let path = format!("/api/v1/me/sessions/{}", other["id"].as_str().unwrap());
    let stranger = node.person("stranger", "clerk").await;
    assert_eq!(node.with(&stranger, "DELETE", &path, None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(node.with(&here, "DELETE", &path, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(node.with(&there, "GET", "/api/v1/me", None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(node.with(&here, "GET", "/api/v1/me", None).await.status, StatusCode::OK);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_site_sends_is_not_done() {
    let node = Node::found().await;
    let cookie = node.person("leader", "supervisor").await;
    let case = node.case(7, false).await;
    let path = format!("/api/v1/cases/{case}/void");
    let body = json!({ "reason": "x" });
    for foreign in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        let headers = [("cookie", cookie.as_str()), ("host", "node.example"), foreign];
        let answer = node.ask("POST", &path, &headers, Some(&body)).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "cross-site"), "{foreign:?}");
    }
    let own = [("cookie", cookie.as_str()), ("host", "node.example"), ("origin", "https://node.example")];
    assert_eq!(node.ask("POST", &path, &own, Some(&body)).await.status, StatusCode::OK);
    node.stop().await;
}

/// A browser that is told `no-referrer` sends even our own form with `Origin: null`, which is refused as another site's.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_lets_a_browser_say_that_its_form_is_our_own() {
    let node = Node::found().await;
    node.user("li", "clerk").await;
    for page in ["/login", "/healthz"] {
        let answer = node.ask("GET", page, &[], None).await;
        assert_eq!(answer.headers[header::REFERRER_POLICY], "same-origin", "{page}");
    }
    let form = Request::post("/login")
        .header(header::HOST, "wuji.example")
        .header(header::ORIGIN, "https://wuji.example")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("user=li&password={}&code=", PASSWORD.replace(' ', "+"))))
        .expect("a request");
    let answer = node.send(form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert!(answer.headers.contains_key(header::SET_COOKIE), "logged in");
    node.stop().await;
}
