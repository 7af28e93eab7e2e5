//! Administering users: within one's own scope, with work that passes on; and tokens of machines.

use axum::http::StatusCode;
use serde_json::json;

use crate::harness::{COUNTY, Node, OTHER_COUNTY, PASSWORD};

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_of_a_part_knows_of_its_users_only_and_gives_no_more_than_that() {
    let node = Node::found().await;
    let admin = node.person("part", &format!("administrator@{COUNTY}")).await;
    node.user("inside", &format!("clerk@{COUNTY}")).await;
    node.user("outside", &format!("clerk@{OTHER_COUNTY}")).await;
    let names: Vec<_> = node
        .with(&admin, "GET", "/api/v1/users", None)
        .await
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|u| u["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["inside", "part"]);
    let outside = node.with(&admin, "GET", "/api/v1/users/outside", None).await;
    let nobody = node.with(&admin, "GET", "/api/v1/users/nobody", None).await;
    assert_eq!((outside.status, &outside.text), (StatusCode::NOT_FOUND, &nobody.text));
    let put =
        |name: &str, role: String| json!({ "name": name, "shown": "某人", "roles": [role], "password": PASSWORD });
    for (body, status) in [
        (put("new", format!("clerk@{COUNTY}")), StatusCode::OK),
        (put("new2", "supervisor".to_owned()), StatusCode::UNPROCESSABLE_ENTITY),
        (put("inside", format!("clerk@{OTHER_COUNTY}")), StatusCode::UNPROCESSABLE_ENTITY),
        (put("outside", format!("clerk@{COUNTY}")), StatusCode::NOT_FOUND),
    ] {
        let answer = node.with(&admin, "POST", "/api/v1/users", Some(&body)).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_passes_to_a_stand_in_for_its_days_and_to_a_successor_for_good() {
    let node = Node::found().await;
    let case = node.case(11, false).await;
    node.user("wang", &format!("supervisor@{COUNTY}")).await;
    let li = node.person("li", &format!("viewer@{OTHER_COUNTY}")).await;
    let seen = format!("/api/v1/cases/{case}");
    assert_eq!(node.with(&li, "GET", &seen, None).await.status, StatusCode::NOT_FOUND);
    let pass = async |body| node.operator("POST", "/api/v1/users/wang/hand-over", Some(&body)).await;
    let away = json!({ "to": "li", "until": "2099-12-31", "reason": "病假" });
    assert_eq!(pass(away).await.status, StatusCode::OK);
    assert_eq!(node.with(&li, "GET", &seen, None).await.status, StatusCode::OK);
    // A later hand-over replaces it; this one has not begun.
    let later = json!({ "to": "li", "from": "2099-01-01", "until": "2099-12-31", "reason": "休假" });
    assert_eq!(pass(later).await.status, StatusCode::OK);
    assert_eq!(node.with(&li, "GET", &seen, None).await.status, StatusCode::NOT_FOUND);
    for wrong in [
        json!({ "to": "wang", "reason": "x" }),
        json!({ "to": "li", "reason": " " }),
        json!({ "to": "li", "until": "2000-01-01", "reason": "x" }),
        json!({ "to": "li", "until": "2099-01-01", "leaves": true, "reason": "x" }),
    ] {
        assert_eq!(pass(wrong.clone()).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    // Wang is the last supervisor there while a case is open.
    let off = json!({ "name": "wang", "shown": "王芳", "roles": [format!("supervisor@{COUNTY}")], "disabled": true });
    let refused = node.operator("POST", "/api/v1/users", Some(&off)).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "successor-needed"));
    let leaves = pass(json!({ "to": "li", "leaves": true, "reason": "调离" })).await;
    assert_eq!(leaves.status, StatusCode::OK, "{}", leaves.text);
    assert_eq!(node.with(&li, "GET", &seen, None).await.status, StatusCode::OK);
    assert_eq!(node.log_in("wang", PASSWORD, None).await.status, StatusCode::UNAUTHORIZED);
    let audit = node.operator("GET", "/api/v1/audit?count=20", None).await.json();
    let passed =
        audit["entries"].as_array().unwrap().iter().find(|e| e["reason"] == "调离").expect("it is in the audit");
    assert_eq!((&passed["object"], &passed["outcome"]), (&json!("users/wang to users/li"), &json!("done")));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_does_what_its_token_says_and_its_secret_is_shown_once() {
    let node = Node::found().await;
    let made = node
        .ask(
            "POST",
            "/api/v1/tokens",
            &[("cookie", &node.person("admin", "administrator").await), ("idempotency-key", "k1")],
            Some(&json!({ "name": "12345热线", "role": "hotline", "days": 30 })),
        )
        .await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let report = crate::harness::report(&node.case(12, false).await);
    assert_eq!(node.bearer(&token, "GET", "/api/v1/cases", None).await.status, StatusCode::OK);
    assert_eq!(
        node.bearer(&token, "POST", "/api/v1/cases", Some(&report)).await.status,
        StatusCode::CREATED,
        "the same again"
    );
    assert_eq!(node.bearer(&token, "GET", "/api/v1/users", None).await.status, StatusCode::FORBIDDEN);
    let listed = node.operator("GET", "/api/v1/tokens", None).await;
    assert!(!listed.text.contains(&token) && listed.text.contains("12345热线"));
    let bytes = std::fs::read(node.root.path().join("city/node.db")).unwrap();
    let wal = std::fs::read(node.root.path().join("city/node.db-wal")).unwrap_or_default();
    let held = |haystack: &[u8]| haystack.windows(token.len()).any(|w| w == token.as_bytes());
    assert!(!held(&bytes) && !held(&wal), "the database holds no token, not even in a kept answer");
    for wrong in [
        json!({ "name": "", "role": "hotline", "days": 30 }),
        json!({ "name": "x", "role": "hotline", "days": 0 }),
        json!({ "name": "x", "role": "emperor", "days": 1 }),
    ] {
        let answer = node.operator("POST", "/api/v1/tokens", Some(&wrong)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    node.stop().await;
}
