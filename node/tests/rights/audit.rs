//! The audit: what stands in it, what tampering leaves behind, and the anchor at the parent.

use std::time::Duration;

use axum::http::StatusCode;
use protocol::id::NodeId;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use wuji::folder::Folder;
use wuji::node::{self, Running};
use wuji::person::audit::{Broken, Head};
use wuji::writer::port::Ask;

use crate::harness::{CITY, COUNTY, Node, PASSWORD, plan};

async fn raw(node: &Node, text: &'static str) -> u64 {
    let path = node.root.path().join("city/node.db");
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::query(text).execute(&mut connection).await.unwrap().rows_affected()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_is_in_it_with_its_outcome_and_no_content() {
    let node = Node::found().await;
    let case = node.case(31, false).await;
    let clerk = node.person("clerk", "clerk").await;
    let act =
        async |tail: &str, body| node.with(&clerk, "POST", &format!("/api/v1/cases/{case}/{tail}"), Some(&body)).await;
    assert_eq!(act("file", json!({})).await.status, StatusCode::OK);
    assert_eq!(act("file", json!({})).await.status, StatusCode::CONFLICT);
    assert_eq!(act("progress", json!({ "note": 7 })).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(node.log_in("clerk", "wrong password", None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(node.log_in("my-password-typed-here", PASSWORD, None).await.status, StatusCode::UNAUTHORIZED);
    let read = node.with(&clerk, "GET", "/api/v1/cases", None).await;
    assert_eq!(read.status, StatusCode::OK);
    let page = node.operator("GET", "/api/v1/audit?count=5", None).await.json();
    let told: Vec<_> = page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|e| [&e["who"], &e["action"], &e["outcome"]].map(|v| v.as_str().unwrap().to_owned()))
        .collect();
    let acted = |tail: &str| format!("POST /api/v1/cases/{{id}}/{tail}");
    assert_eq!(
        told,
        [
            ["clerk".to_owned(), acted("file"), "done".to_owned()],
            ["clerk".to_owned(), acted("file"), "wrong-step".to_owned()],
            ["clerk".to_owned(), acted("progress"), "invalid".to_owned()],
            ["clerk".to_owned(), "POST /api/v1/session".to_owned(), "log-in-failed".to_owned()],
            ["unknown".to_owned(), "POST /api/v1/session".to_owned(), "log-in-failed".to_owned()],
        ]
    );
    assert_eq!(page["entries"][2]["roles"], "clerk");
    let next = page["next"].as_u64().expect("more");
    let older = node.operator("GET", &format!("/api/v1/audit?before={next}&count=500"), None).await.json();
    assert_eq!(older["entries"][0]["number"], next - 1);
    let check = node.operator("GET", "/api/v1/audit/check", None).await.json();
    assert_eq!(check["whole"], true, "{check}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_was_refused_is_in_it_whether_they_meant_to_read_or_to_write() {
    let node = Node::found().await;
    let clerk = node.person("clerk", "clerk").await;
    let body = json!({ "reason": "curious" });
    for (method, path, body) in [("GET", "/api/v1/users", None), ("POST", "/api/v1/audit/anchor", Some(&body))] {
        assert_eq!(node.with(&clerk, method, path, body).await.status, StatusCode::FORBIDDEN);
    }
    let page = node.operator("GET", "/api/v1/audit?count=2", None).await.json();
    let told = |n: usize| ["who", "action", "outcome"].map(|key| page["entries"][n][key].as_str().unwrap().to_owned());
    assert_eq!(told(1), ["clerk", "GET /api/v1/users", "role-missing"]);
    assert_eq!(told(0), ["clerk", "POST /api/v1/audit/anchor", "role-missing"]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_deleted_and_cut_off_rows_are_found() {
    let node = Node::found().await;
    for n in 41..46 {
        node.case(n, false).await;
    }
    let head = node.state.store.check_audit(vec![]).await.unwrap().expect("whole");
    assert_eq!(raw(&node, "UPDATE audit_log SET who = 'somebody' WHERE number = 3").await, 1);
    assert_eq!(node.state.store.check_audit(vec![]).await.unwrap(), Err(Broken::Altered(3)));
    raw(&node, "UPDATE audit_log SET who = 'operator' WHERE number = 3").await;
    assert!(node.state.store.check_audit(vec![]).await.unwrap().is_ok(), "put back as it was");
    assert_eq!(raw(&node, "DELETE FROM audit_log WHERE number = 4").await, 1);
    assert_eq!(node.state.store.check_audit(vec![]).await.unwrap(), Err(Broken::Missing(4)));
    assert!(raw(&node, "DELETE FROM audit_log WHERE number > 3").await > 0);
    assert!(node.state.store.check_audit(vec![]).await.unwrap().is_ok(), "a cut end does not show by itself");
    let anchored = node.state.store.check_audit(vec![head]).await.unwrap();
    assert_eq!(anchored, Err(Broken::CutOff { have: 3, anchored: head.number }));
    node.stop().await;
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..300 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parent_keeps_the_head_and_with_it_a_cut_end_shows() {
    let root = tempfile::tempdir().unwrap();
    let (above, below) = (Folder::new(root.path().join("above")), Folder::new(root.path().join("below")));
    node::found(&above, &plan(CITY)).await.unwrap();
    let city = Running::start(above.clone()).await.unwrap();
    let token = node::give_token(&above, COUNTY.parse().unwrap(), 600_000).await.unwrap();
    node::join(&below, &plan(COUNTY), &token).await.expect("joined");
    let county = Running::start(below).await.unwrap();
    let id: NodeId = county.config.node.id;
    let entry = wuji::person::audit::Entry { who: "x".into(), outcome: "done".into(), ..Default::default() };
    for _ in 0..3 {
        county.port.note(entry.clone()).await.unwrap();
    }
    until("the link is up", async || county.shared.links().values().any(|link| link.up)).await;
    county.port.ask(Ask::Anchor).await.unwrap();
    let anchors = async || city.store.anchors(Some(id)).await.unwrap();
    until("the head is at the parent", async || anchors().await.iter().any(|a| a.head.number == 3)).await;
    let heads: Vec<Head> = anchors().await.into_iter().map(|a| a.head).collect();
    assert_eq!(county.store.check_audit(heads.clone()).await.unwrap().map(|head| head.number), Ok(3));
    // Somebody empties the audit of the county and its own anchors, and writes it anew.
    let path = root.path().join("below/node.db");
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::query("DELETE FROM audit_log").execute(&mut connection).await.unwrap();
    sqlx::query("DELETE FROM audit_anchor").execute(&mut connection).await.unwrap();
    county.port.note(entry).await.unwrap();
    assert!(county.store.check_audit(vec![]).await.unwrap().is_ok(), "by itself it looks whole");
    assert_eq!(county.store.check_audit(heads).await.unwrap(), Err(Broken::CutOff { have: 1, anchored: 3 }));
    county.port.ask(Ask::Anchor).await.unwrap();
    until("the parent raises an alarm", async || city.shared.alarms().iter().any(|a| a.what.contains("audit"))).await;
    county.stop().await.unwrap();
    city.stop().await.unwrap();
}
