//! A new key for the names of a node.

use axum::http::StatusCode;
use serde_json::json;
use wuji::folder::Folder;
use wuji::ops::backup::Progress;
use wuji::ops::rekey::rekey;

use crate::harness::{Node, PASSWORD, PHONE};
use crate::log_in::code_of;

struct Silent;

impl Progress for Silent {
    fn begins(&mut self, _: u64) {}
    fn row(&mut self) {}
    fn now(&mut self, _: &str) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_second_factors_open_with_a_new_key_and_the_old_one_is_gone_from_the_node() {
    let node = Node::found().await;
    let case = node.case(51, false).await;
    let cookie = node.person("leader", "supervisor").await;
    let begun = node.with(&cookie, "POST", "/api/v1/me/second-factor", Some(&json!({ "password": PASSWORD }))).await;
    let uri = begun.json()["uri"].as_str().expect("an address").to_owned();
    let code = json!({ "code": code_of(&uri, &node, 0) });
    let confirmed = node.with(&cookie, "POST", "/api/v1/me/second-factor/confirm", Some(&code)).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
    let draft = format!("/api/v1/drafts/{case}");
    let typed = json!({ "kind": "progress", "title": "走访", "content": { "note": "张三不在家" } });
    assert_eq!(node.with(&cookie, "PUT", &draft, Some(&typed)).await.status, StatusCode::OK);
    let folder = Folder::new(node.root.path().join("city"));
    let old_key = node.root.path().join("old.key");
    let running = rekey(&folder, &old_key, &mut Silent).await.expect_err("a node that runs");
    assert!(format!("{running:#}").contains("stop the node"), "{running:#}");
    let root = node.stopped().await;

    let before = std::fs::read(folder.keys().join("persons.key")).expect("a key file");
    let done = rekey(&folder, &old_key, &mut Silent).await.expect("sealed anew");
    assert_eq!((done.key, done.parts, done.drafts, done.factors), (2, 1, 1, 1));
    assert_eq!(std::fs::read(&old_key).expect("kept"), before);
    let key = std::fs::read_to_string(folder.keys().join("persons.key")).expect("a key file");
    assert!(key.contains("\n2 = ") && !key.contains("\n1 = "), "the old key is gone");

    let node = Node::started(root).await;
    let cookie = node.session("leader", 60_000).await;
    let kept = node.with(&cookie, "GET", &draft, None).await.json();
    assert_eq!(kept["content"]["note"], "张三不在家");
    let reason = json!({ "reason": "电话回访" });
    let shown = node.with(&cookie, "POST", &format!("/api/v1/cases/{case}/reveal"), Some(&reason)).await;
    assert!(shown.text.contains(PHONE), "{}", shown.text);
    let logged_in = node.log_in("leader", PASSWORD, Some(&code_of(&uri, &node, 1))).await;
    assert_eq!(logged_in.status, StatusCode::OK, "{}", logged_in.text);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_keys_that_broke_off_goes_on_with_the_next_call() {
    let node = Node::found().await;
    node.case(52, false).await;
    let folder = Folder::new(node.root.path().join("city"));
    let root = node.stopped().await;
    // As after a crash behind the first step: the file holds both keys, and nothing is sealed anew yet.
    let mut vault = wuji::person::vault::Vault::load(&folder.keys()).expect("a key");
    vault.rotate(&folder.keys()).expect("a second key");
    let node = Node::started(root).await;
    let root = node.stopped().await;
    let old_key = root.path().join("old.key");
    let done = rekey(&folder, &old_key, &mut Silent).await.expect("sealed anew");
    assert_eq!((done.key, done.parts), (2, 1), "no third key");
    Node::started(root).await.stop().await;
}
