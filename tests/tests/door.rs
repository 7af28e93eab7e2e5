//! Limits of the front door, met by callers of a real node.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wuji_tests::ledger;
use wuji_tests::line::{CITY, PATH, case_id};
use wuji_tests::process::Node;

const MIB: usize = 1024 * 1024;
/// Connections that the door takes at once.
const CONNECTIONS_MAX: usize = 1_024;

async fn city(root: &std::path::Path) -> Node {
    let mut city = Node::found(root, PATH[CITY]);
    city.start().await;
    city
}

/// Sends as it stands and reads until the other side closes.
async fn converse(stream: &mut TcpStream, bytes: &[u8]) -> String {
    let mut answer = Vec::new();
    // A door that has said no may close before all was sent.
    let _ = stream.write_all(bytes).await;
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_above_the_limit_is_refused_in_both_languages_and_one_below_it_is_read() {
    let root = tempfile::tempdir().expect("a folder");
    let city = city(root.path()).await;
    let said = |bytes: usize| json!({ "case": case_id(), "narrative": "a".repeat(bytes) });
    let refused = city.post("/cases", &said(MIB)).await.expect_err("too large");
    let problem: Value = serde_json::from_str(&refused).unwrap_or_else(|e| panic!("{e}: {refused}"));
    assert_eq!((&problem["code"], &problem["status"]), (&json!("too-large"), &json!(413)), "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|said| said.contains("1 MiB")), "{problem}");
    assert!(problem["detail_zh"].as_str().is_some_and(|said| said.contains("超过 1 MiB")), "{problem}");
    let read = city.post("/cases", &said(MIB / 2)).await.expect_err("fields are missing");
    assert!(!read.contains("too-large"), "it was read: {read}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stops_half_way_is_given_up() {
    let root = tempfile::tempdir().expect("a folder");
    let city = city(root.path()).await;
    let mut slow = TcpStream::connect(city.http).await.expect("a connection");
    let head = "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"user\"";
    let began = Instant::now();
    let answer = tokio::time::timeout(Duration::from_secs(30), converse(&mut slow, head.as_bytes())).await;
    let answer = answer.expect("the node does not wait for ever");
    assert!(began.elapsed() > Duration::from_secs(5), "it was given time: {:?} {answer}", began.elapsed());
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    assert!(city.get("/status").await.is_some(), "others are served");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_says_nothing_is_closed() {
    let root = tempfile::tempdir().expect("a folder");
    let city = city(root.path()).await;
    let mut silent = TcpStream::connect(city.http).await.expect("a connection");
    let closed =
        tokio::time::timeout(Duration::from_secs(45), converse(&mut silent, b"GET /healthz HTTP/1.1\r\n")).await;
    assert!(closed.is_ok(), "a connection without a whole head stays open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_too_many_waits_for_a_place_and_is_served_then() {
    let root = tempfile::tempdir().expect("a folder");
    let city = city(root.path()).await;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        held.push(TcpStream::connect(city.http).await.expect("a connection"));
    }
    let mut late = TcpStream::connect(city.http).await.expect("the system takes it into its queue");
    late.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.expect("sent");
    let mut answer = Vec::new();
    let early = tokio::time::timeout(Duration::from_secs(2), late.read_to_end(&mut answer)).await;
    assert!(early.is_err() && answer.is_empty(), "there is no place for it");
    held.truncate(CONNECTIONS_MAX / 2);
    let served = tokio::time::timeout(Duration::from_secs(10), late.read_to_end(&mut answer)).await;
    assert!(served.is_ok() && answer.starts_with(b"HTTP/1.1 "), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_no_more_lines_than_its_limit() {
    let root = tempfile::tempdir().expect("a folder");
    let city = city(root.path()).await;
    for _ in 0..201 {
        ledger::file(&city, &case_id(), 2).await.expect("filed");
    }
    let page = city.get("/cases?count=100000").await.expect("a page");
    assert_eq!(page["cases"].as_array().map(Vec::len), Some(200));
    let next = page["next"].as_str().expect("there is more");
    let rest = city.get(&format!("/cases?count=100000&cursor={next}")).await.expect("a page");
    assert_eq!(rest["cases"].as_array().map(Vec::len), Some(1));
}
