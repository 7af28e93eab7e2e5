//! Papers of a case over the API: for whom, for what reason, and what they look like when they arrive.

use std::process::Command;

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::harness::{Answer, Node, PARTY};

/// 立卷归档, as it stands in an address.
const REASON: &str = "reason=%E7%AB%8B%E5%8D%B7%E5%BD%92%E6%A1%A3";

async fn get(node: &Node, cookie: &str, path: &str) -> Answer {
    node.with(cookie, "GET", path, None).await
}

/// What a reader finds on each page.
fn pages(answer: &Answer) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("paper.pdf");
    std::fs::write(&path, &answer.bytes).expect("written");
    let told = Command::new("pdftotext").arg("-layout").arg(&path).arg("-").output();
    let text = String::from_utf8(told.expect("pdftotext; make setup-test").stdout).expect("text");
    text.split('\u{c}').map(|page| page.split_whitespace().collect()).collect()
}

async fn acted(node: &Node, case: &str, acts: &[(&str, Value)]) {
    for (act, body) in acts {
        let answer = node.operator("POST", &format!("/api/v1/cases/{case}/{act}"), Some(body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{act}: {}", answer.text);
    }
}

/// From the report to the assessment.
async fn worked(node: &Node, case: &str, note: &str, terms: &str) {
    let acts = [
        ("file", json!({})),
        ("assign", json!({ "unit": 1 })),
        ("progress", json!({ "note": note })),
        ("resolve", json!({ "outcome": "successful", "terms": terms, "amount_fen": 350_000 })),
        ("feed-back", json!({ "note": "已电话告知" })),
        ("assess", json!({ "score": 5, "note": "及时" })),
    ];
    acted(node, case, &acts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paper_is_printed_for_a_reason_and_that_is_in_the_audit() {
    let node = Node::found().await;
    let case = node.case(81, false).await;
    let (clerk, viewer) = (node.person("clerk", "clerk").await, node.person("viewer", "viewer").await);
    let path = format!("/api/v1/cases/{case}/papers/registration.pdf");
    let none = get(&node, &clerk, &path).await;
    assert_eq!((none.status, none.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid"));
    let with_reason = format!("{path}?{REASON}");
    assert_eq!(get(&node, &viewer, &with_reason).await.status, StatusCode::FORBIDDEN);
    let printed = get(&node, &clerk, &with_reason).await;
    assert_eq!(printed.status, StatusCode::OK, "{}", printed.text);
    let told = |name| printed.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!(told(header::CONTENT_TYPE), "application/pdf");
    assert_eq!(told(header::CONTENT_DISPOSITION), format!("inline; filename=\"{case}-registration.pdf\""));
    assert_eq!(told(header::CACHE_CONTROL), "no-store");
    let page = pages(&printed).concat();
    assert!(
        page.contains("人民调解受理登记表") && page.contains(PARTY) && page.contains("330602199001011234"),
        "{page}"
    );
    let audit = node.operator("GET", "/api/v1/audit?count=50", None).await.json();
    let of_it = |e: &&Value| e["object"] == json!(format!("cases/{case}/papers/registration.pdf"));
    let outcomes: Vec<_> = audit["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(of_it)
        .map(|e| (&e["who"], &e["outcome"], &e["reason"]))
        .collect();
    assert_eq!(outcomes[0], (&json!("clerk"), &json!("done"), &json!("立卷归档")));
    assert_eq!(outcomes[1], (&json!("viewer"), &json!("role-missing"), &json!("")));
    assert_eq!((outcomes[2].1, outcomes.len()), (&json!("invalid"), 3));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_case_gives_the_same_bytes() {
    let node = Node::found().await;
    let case = node.case(82, false).await;
    let (clerk, other) = (node.person("clerk", "clerk").await, node.person("other", "mediator").await);
    for paper in ["papers/registration.pdf", "papers/application.pdf", "papers/identity.pdf", "dossier.pdf"] {
        let path = format!("/api/v1/cases/{case}/{paper}?{REASON}");
        let (first, second) = (get(&node, &clerk, &path).await, get(&node, &other, &path).await);
        assert!(first.bytes.starts_with(b"%PDF") && first.bytes == second.bytes, "{paper}: {}", first.status);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paper_that_the_case_has_not_come_to_is_refused_with_the_reason() {
    let node = Node::found().await;
    let case = node.case(83, false).await;
    let clerk = node.person("clerk", "clerk").await;
    let path = |paper: &str| format!("/api/v1/cases/{case}/papers/{paper}?{REASON}");
    for (paper, zh) in [("visit.pdf", "尚未办理到该环节"), ("referral.pdf", "没有该情形")] {
        let refused = get(&node, &clerk, &path(paper)).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "no-such-paper"));
        assert!(refused.json()["detail_zh"].as_str().is_some_and(|said| said.contains(zh)), "{}", refused.text);
    }
    for paper in ["novel.pdf", "registration", "registration.doc", ".pdf"] {
        assert_eq!(get(&node, &clerk, &path(paper)).await.status, StatusCode::NOT_FOUND, "{paper}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dossier_is_bound_with_cover_index_numbered_pages_and_back() {
    let node = Node::found().await;
    let case = node.case(84, false).await;
    worked(&node, &case, "双方到场陈述", "楼上负责维修").await;
    let clerk = node.person("clerk", "clerk").await;
    let bound = get(&node, &clerk, &format!("/api/v1/cases/{case}/dossier.pdf?{REASON}")).await;
    assert_eq!(bound.status, StatusCode::OK, "{}", bound.text);
    let pages = pages(&bound);
    assert!(pages[0].contains("人民调解卷宗") && pages[0].contains(PARTY), "{}", pages[0]);
    for paper in ["人民调解申请书", "当事人权利义务告知书", "人民调解记录", "人民调解口头协议登记表", "卷宗情况说明"]
    {
        assert!(pages[1].contains(paper), "{paper}: {}", pages[1]);
    }
    assert!(pages[2].contains("—1—"), "{}", pages[2]);
    assert!(pages.iter().any(|page| page.contains("楼上负责维修") && page.contains("3500元")), "{pages:?}");
    assert!(pages.iter().any(|page| page.contains("卷宗备考表")), "{pages:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sees_a_case_sees_what_its_dossier_lacks_and_nobodys_name() {
    let node = Node::found().await;
    let case = node.case(85, false).await;
    let viewer = node.person("viewer", "viewer").await;
    let told = get(&node, &viewer, &format!("/api/v1/cases/{case}/dossier")).await;
    assert!(!told.text.contains(PARTY), "{}", told.text);
    let told = told.json();
    assert_eq!(
        (&told["way"], &told["edition"], &told["printable"]),
        (&json!("people_mediation"), &json!(1), &json!(false))
    );
    let slots = told["slots"].as_array().unwrap();
    assert_eq!(slots.len(), 13);
    let slot = |word: &str| slots.iter().find(|slot| slot["slot"] == word).expect("a slot");
    assert_eq!((&slot("opening")["state"], &slot("record")["why"]), (&json!("made"), &json!("not_yet")));
    assert_eq!(slot("opening")["papers"][0]["paper"], "application");
    assert_eq!(told["complete"], false);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_says_what_the_dossier_lacks_and_takes_the_case_when_it_is_there() {
    let node = Node::found().await;
    let case = node.case(86, false).await;
    worked(&node, &case, " ", " ").await;
    let archive = format!("/api/v1/cases/{case}/archive");
    let refused = node.operator("POST", &archive, Some(&json!({}))).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::CONFLICT, "dossier-incomplete"),
        "{}",
        refused.text
    );
    let errors = refused.json()["errors"].clone();
    let fields: Vec<_> = errors.as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["record", "result"]);
    assert!(errors[0]["detail_zh"].as_str().unwrap().contains("重新办理"), "{errors}");
    let again = [
        ("reopen", json!({ "reason": "补记" })),
        ("progress", json!({ "note": "双方到场陈述" })),
        ("resolve", json!({ "outcome": "successful", "terms": "楼上负责维修" })),
        ("feed-back", json!({ "note": "已再次告知" })),
        ("assess", json!({ "score": 4 })),
        ("archive", json!({})),
    ];
    acted(&node, &case, &again).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_fonts_says_which_package_brings_them() {
    let empty = tempfile::tempdir().unwrap();
    let fonts = Some(empty.path().to_owned());
    let node = Node::found_with(|config| config.papers.fonts = fonts).await;
    let case = node.case(87, false).await;
    let clerk = node.person("clerk", "clerk").await;
    let refused = get(&node, &clerk, &format!("/api/v1/cases/{case}/papers/rights.pdf?{REASON}")).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "no-font"));
    assert!(refused.json()["detail_zh"].as_str().unwrap().contains("fonts-noto-cjk"), "{}", refused.text);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_the_slots_and_offers_to_print_to_whoever_may() {
    let node = Node::found().await;
    let case = node.case(88, false).await;
    let (clerk, viewer) = (node.person("clerk", "clerk").await, node.person("viewer", "viewer").await);
    let page = get(&node, &clerk, &format!("/cases/{case}")).await.text;
    let button = format!("formaction=\"/api/v1/cases/{case}/papers/registration.pdf\"");
    assert!(page.contains("一案一卷") && page.contains(&button) && page.contains("缺少必备材料"), "{page}");
    let english = get(&node, &clerk, &format!("/cases/{case}?lang=en")).await.text;
    assert!(english.contains("Dossier") && english.contains("Notice of rights and duties"), "{english}");
    let masked = get(&node, &viewer, &format!("/cases/{case}")).await.text;
    assert!(masked.contains("一案一卷") && !masked.contains("formaction"), "{masked}");
    node.stop().await;
}
