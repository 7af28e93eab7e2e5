//! Parties: masked, revealed with a reason, encrypted at rest, found by number, erased.

use axum::http::StatusCode;
use serde_json::json;
use wuji::folder::Folder;
use wuji::node::Running;

use crate::harness::{Node, PARTY, PHONE};

/// All bytes of a node's database, as somebody who stole the disk reads them.
fn disk(node: &Node) -> Vec<u8> {
    let mut all = Vec::new();
    for file in ["node.db", "node.db-wal"] {
        all.extend(std::fs::read(node.root.path().join("city").join(file)).unwrap_or_default());
    }
    assert!(all.len() > 10_000);
    all
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_is_masked_until_somebody_gives_a_reason_and_that_is_in_the_audit() {
    let node = Node::found().await;
    let case = node.case(21, false).await;
    let clerk = node.person("clerk", "clerk").await;
    let path = format!("/api/v1/cases/{case}");
    let masked = node.with(&clerk, "GET", &path, None).await;
    assert!(!masked.text.contains(PARTY) && !masked.text.contains(PHONE), "{}", masked.text);
    let party = &masked.json()["private"]["parties"][0];
    assert_eq!(
        (&party["name"], &party["phone"], &party["identity"], &party["address"]),
        (&json!("周**"), &json!("138****2345"), &json!("3306**********1234"), &json!("****"))
    );
    let reveal = format!("{path}/reveal");
    let none = node.with(&clerk, "POST", &reveal, Some(&json!({ "reason": " " }))).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    let viewer = node.person("viewer", "viewer").await;
    assert_eq!(
        node.with(&viewer, "POST", &reveal, Some(&json!({ "reason": "好奇" }))).await.status,
        StatusCode::FORBIDDEN
    );
    let headers = [("cookie", clerk.as_str()), ("idempotency-key", "once")];
    let plain = node.ask("POST", &reveal, &headers, Some(&json!({ "reason": "电话回访" }))).await;
    assert_eq!(plain.json()["case"]["private"]["parties"][0]["phone"], PHONE, "{}", plain.text);
    assert!(plain.text.contains(PARTY));
    let audit = node.operator("GET", "/api/v1/audit?count=50", None).await.json();
    let entry = audit["entries"].as_array().unwrap().iter().find(|e| e["reason"] == "电话回访").expect("an entry");
    assert_eq!(
        (&entry["who"], &entry["object"], &entry["outcome"]),
        (&json!("clerk"), &json!(format!("cases/{case}/reveal")), &json!("done"))
    );
    assert!(!audit.to_string().contains(PARTY) && !audit.to_string().contains(PHONE), "the audit holds no content");
    assert!(!holds(&disk(&node), PHONE), "not even in a kept answer");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_alone_tells_nobody() {
    let node = Node::found().await;
    let case = node.case(22, false).await;
    for secret in [PARTY, PHONE, "330602199001011234", "城南新村"] {
        assert!(!holds(&disk(&node), secret), "{secret} stands in the database");
    }
    let key = node.root.path().join("city/keys/persons.key");
    let folder = Folder::new(node.root.path().join("city"));
    let Node { running, root, state, .. } = node;
    drop(state);
    running.stop().await.unwrap();
    // Without its key file, or with another, the node does not start, and says which file it misses.
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let missing = Running::start(folder.clone()).await.err().expect("no start");
    assert!(format!("{missing:#}").contains("persons.key"), "{missing:#}");
    wuji::person::vault::Vault::create(&root.path().join("city/keys")).unwrap();
    let other = Running::start(folder.clone()).await.err().expect("no start");
    assert!(format!("{other:#}").contains("does not belong"), "{other:#}");
    std::fs::write(&key, kept).unwrap();
    let running = Running::start(folder).await.expect("with its own key it starts");
    let records = running.store.records(case.parse().unwrap()).await.unwrap();
    assert!(format!("{records:?}").contains(PARTY));
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_is_found_by_number_in_the_cases_that_one_may_see() {
    let node = Node::found().await;
    let (first, second) = (node.case(23, false).await, node.case(24, false).await);
    let find = |number: &str| json!({ "number": number, "reason": "核对历史" });
    let clerk = node.person("clerk", "clerk").await;
    let found = node.with(&clerk, "POST", "/api/v1/persons/find", Some(&find("138-5751-2345"))).await;
    let mut cases: Vec<_> =
        found.json()["cases"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
    cases.sort();
    let mut both = vec![first.clone(), second];
    both.sort();
    assert_eq!(cases, both, "{}", found.text);
    let elsewhere = node.person("elsewhere", "clerk@330603000000").await;
    let none = node.with(&elsewhere, "POST", "/api/v1/persons/find", Some(&find(PHONE))).await;
    assert_eq!(none.json()["cases"], json!([]));
    let plain =
        node.with(&clerk, "POST", &format!("/api/v1/cases/{first}/reveal"), Some(&json!({ "reason": "回访" }))).await;
    assert_eq!(plain.json()["history"][0]["other_cases"], 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_is_gone_and_the_case_still_counts() {
    let node = Node::found().await;
    let open = node.case(25, false).await;
    let closed = node.case(26, true).await;
    let leader = node.person("leader", "supervisor").await;
    let erase = async |case: &str, reason: &str| {
        node.with(&leader, "POST", &format!("/api/v1/cases/{case}/erase"), Some(&json!({ "reason": reason }))).await
    };
    assert_eq!(erase(&open, "当事人申请").await.status, StatusCode::CONFLICT, "work goes on");
    assert_eq!(erase(&closed, "").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = erase(&closed, "当事人申请").await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert_eq!(done.json()["private"], json!(null));
    let events = done.json()["events"].as_array().unwrap().len();
    assert_eq!(events, 2, "headers stay");
    let records = node.state.store.records(closed.parse().unwrap()).await.unwrap();
    assert!(!format!("{records:?}").contains(PARTY));
    let find = json!({ "number": PHONE, "reason": "核对" });
    let found = node.with(&leader, "POST", "/api/v1/persons/find", Some(&find)).await;
    assert_eq!(found.json()["cases"], json!([open]), "{}", found.text);
    assert_eq!(erase(&closed, "再次").await.status, StatusCode::UNPROCESSABLE_ENTITY, "nothing is left");
    node.stop().await;
}
