//! The metrics: who may see them, and what they tell.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use axum::http::{StatusCode, header};

use crate::harness::Node;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn put_token(root: &Path, token: &str) {
    let file = root.join("city/keys/metrics.token");
    std::fs::write(&file, format!("{token}\n")).expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("made private");
}

/// The number of a line.
fn number(page: &str, line: &str) -> Option<f64> {
    page.lines().find_map(|told| told.strip_prefix(line)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_are_for_administrators_and_for_their_own_token_which_opens_nothing_else() {
    let root = Node::found().await.stopped().await;
    put_token(root.path(), TOKEN);
    let node = Node::started(root).await;
    assert_eq!(node.bearer(TOKEN, "GET", "/metrics", None).await.status, StatusCode::OK);
    assert_eq!(node.operator("GET", "/metrics", None).await.status, StatusCode::OK);
    let wrong = TOKEN.replace('0', "1");
    assert_eq!(node.bearer(&wrong, "GET", "/metrics", None).await.status, StatusCode::UNAUTHORIZED);
    for path in ["/api/v1/status", "/api/v1/links", "/api/v1/cases", "/api/v1/me", "/api/v1/audit"] {
        let answer = node.bearer(TOKEN, "GET", path, None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}: {}", answer.text);
    }
    assert_eq!(node.bearer(TOKEN, "GET", "/", None).await.status, StatusCode::SEE_OTHER, "the page asks for a log-in");
    let part = node.person("part", "administrator@330602000000").await;
    assert_eq!(node.with(&part, "GET", "/metrics", None).await.status, StatusCode::FORBIDDEN, "of a part of it alone");

    let root = node.stopped().await;
    put_token(root.path(), &TOKEN[1..]);
    let folder = wuji::folder::Folder::new(root.path().join("city"));
    let why = folder.metrics_token().expect_err("it is short").to_string();
    assert!(why.contains("32 or more random letters and digits"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_are_in_the_format_that_they_name_and_count_what_is_done() {
    let node = Node::found().await;
    let before = node.operator("GET", "/metrics", None).await;
    let media = before.headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
    assert_eq!(media, Some("text/plain; version=0.0.4; charset=utf-8"));
    node.case(1, false).await;
    let after = node.operator("GET", "/metrics", None).await.text;
    let mut families = std::collections::BTreeSet::new();
    for line in after.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            assert!(families.insert(family.split(' ').next().expect("a name")), "told twice: {family}");
        } else if !line.starts_with("# HELP ") {
            let (name, number) = line.rsplit_once(' ').expect("a name and a number");
            assert!(number.parse::<f64>().is_ok(), "{line}");
            let name = name.split('{').next().expect("a name");
            let of = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            assert!(families.contains(of) || families.contains(name), "its family is not told before it: {line}");
        }
    }
    assert!(families.len() >= 20, "{families:?}");
    let grown = |line: &str| number(&after, line).expect("told") - number(&before.text, line).expect("told");
    assert!(grown("wuji_requests_total") >= 1.0 && grown("wuji_commit_seconds_count") >= 1.0);
    assert!(number(&after, "wuji_disk_free_bytes").is_some_and(|free| free > 0.0));
    assert_eq!(number(&after, "wuji_queue_places{queue=\"links\"}"), Some(4096.0));
    assert_eq!(
        number(&after, "wuji_alarms_total{kind=\"cut-off\"}"),
        Some(0.0),
        "a kind that was never raised is told too"
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn log_ins_that_come_too_often_are_counted() {
    let node = Node::found().await;
    let mut refused = 0.0;
    for _ in 0..30 {
        let answer = node.log_in("nobody", "a wrong password", None).await;
        refused += f64::from(u8::from(answer.status == StatusCode::TOO_MANY_REQUESTS));
    }
    let page = node.operator("GET", "/metrics", None).await.text;
    assert!(refused > 0.0);
    let counted = |of| number(&page, &format!("wuji_rate_limited_total{{of=\"{of}\"}}")).expect("told");
    assert_eq!(counted("log-ins") + counted("locked-out"), refused, "{page}");
    node.stop().await;
}
