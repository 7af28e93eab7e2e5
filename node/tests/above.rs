//! What a grid asks of the node above it, through the API of both: an assessment, and more time for a case that is not reported there.

#[path = "support/ports.rs"]
mod ports;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;

use axum::http::StatusCode;
use serde_json::{Value, json};

use served::{Node, case_id, red_report, three, until};

async fn all(node: &mut Node, case: &str, acts: &[(&str, Value)]) {
    for (act, body) in acts {
        let (status, answer) = node.clerk("POST", &format!("/cases/{case}/{act}"), Some(body)).await;
        assert_eq!(status, StatusCode::OK, "{act}: {answer}");
    }
}

/// The order that waits at a node.
async fn waiting(node: &mut Node, case: &str) -> Value {
    node.clerk("GET", "/orders", None).await;
    let of_it = |orders: &Value| {
        let mut waiting = orders["to_answer"].as_array().into_iter().flatten();
        waiting.find(|order| order["case"] == case).cloned()
    };
    until("the order is there", async || of_it(&node.as_clerk("GET", "/orders", None).await.1).is_some()).await;
    of_it(&node.as_clerk("GET", "/orders", None).await.1).expect("an order")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_county_assesses_a_red_case_that_a_grid_settled_by_itself() {
    let root = tempfile::tempdir().expect("a folder");
    let (_city, mut county, mut grid) = three(&root).await;
    let case = case_id(1);
    assert_eq!(grid.clerk("POST", "/cases", Some(&red_report(&case))).await.0, StatusCode::CREATED);
    let acts = [
        ("file", json!({})),
        ("assign", json!({ "unit": 0 })),
        ("progress", json!({ "note": "走访" })),
        ("take-measure", json!({ "measure": 2, "note": "已报告派出所" })),
        ("resolve", json!({ "outcome": "successful", "terms": "和好" })),
        ("feed-back", json!({ "note": "已告知" })),
    ];
    all(&mut grid, &case, &acts).await;
    let (status, refused) = grid.clerk("POST", &format!("/cases/{case}/assess"), Some(&json!({ "score": 5 }))).await;
    assert_eq!((status, &refused["code"]), (StatusCode::CONFLICT, &json!("assessed-above")), "{refused}");
    let order = waiting(&mut county, &case).await;
    assert_eq!(order["asks"], "assess");
    let path = format!("/cases/{case}/orders/{}/answer", order["id"].as_str().expect("an id"));
    let (status, answer) = county.clerk("POST", &path, Some(&json!({ "score": 4, "text": "处置及时" }))).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let seen = format!("/cases/{case}");
    until("assessed", async || grid.as_clerk("GET", &seen, None).await.1["step"] == "assessed").await;
    let (_, told) = grid.as_clerk("GET", &seen, None).await;
    let last = told["events"].as_array().and_then(|events| events.last()).expect("an event");
    assert_eq!((&last["act"]["score"], &last["said"]), (&json!(4), &json!("处置及时")), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_above_gives_time_for_a_case_of_which_nothing_else_is_there() {
    let root = tempfile::tempdir().expect("a folder");
    let (_city, mut county, mut grid) = three(&root).await;
    let case = case_id(2);
    let mut report = red_report(&case);
    report["answers"]["violence"] = json!("no");
    assert_eq!(grid.clerk("POST", "/cases", Some(&report)).await.0, StatusCode::CREATED);
    let acts = [
        ("file", json!({})),
        ("assign", json!({ "unit": 0 })),
        ("ask-extension", json!({ "days": 10, "reason": "等待鉴定" })),
    ];
    all(&mut grid, &case, &acts).await;
    let order = waiting(&mut county, &case).await;
    assert_eq!(
        (&order["asks"], &order["wanted"], &order["text"]),
        (&json!("extend"), &json!("10"), &json!("等待鉴定"))
    );
    let (status, told) = county.clerk("GET", &format!("/cases/{case}"), None).await;
    assert_eq!((status, &told["level"], &told["mine"]), (StatusCode::OK, &json!("yellow"), &json!(false)), "{told}");
    let path = format!("/cases/{case}/orders/{}/answer", order["id"].as_str().expect("an id"));
    let (status, answer) = county.clerk("POST", &path, Some(&json!({ "approve": true, "text": "同意" }))).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let seen = format!("/cases/{case}");
    until("extended", async || grid.as_clerk("GET", &seen, None).await.1["extended_days"] == 10).await;
}
