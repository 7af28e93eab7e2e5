//! What a node reads of a bundle that only passes it: what every level keeps, and nothing that is for the other end alone.

#[path = "support/ports.rs"]
mod ports;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;

use axum::http::StatusCode;
use serde_json::{Value, json};

use served::{Node, case_id, red_report, three, until};

async fn case_at(node: &Node, case: &str) -> Value {
    node.get(&format!("/cases/{case}")).await
}

fn orders(case: &Value) -> usize {
    case["orders"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_passes_a_county_in_one_bundle_with_a_header_is_asked_of_the_city_alone() {
    let root = tempfile::tempdir().expect("a folder");
    let (city, county, grid) = three(&root).await;
    let case = case_id(1);
    let mut report = red_report(&case);
    report["answers"]["violence"] = json!("no");
    (report["answers"]["petition_talk"], report["answers"]["people"]) = (json!("yes"), json!(25));
    let (status, answer) = grid.post("/cases", &report).await;
    assert_eq!((status, &answer["level"]), (StatusCode::CREATED, &json!("orange")), "{answer}");
    let lower = json!({ "answers": { "signs": 0, "violence": "no", "petition_talk": "no", "people": 2, "disturbs": "yes",
        "effort": "no" }, "level": "yellow", "reason": "人员已散" });
    let (status, answer) = grid.post(&format!("/cases/{case}/regrade"), &lower).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    until("the city is asked", || async { orders(&case_at(&city, &case).await) == 1 }).await;
    let last = case_at(&grid, &case).await["number"].clone();
    until("the county has the header", || async { case_at(&county, &case).await["number"] == last }).await;
    assert_eq!(orders(&case_at(&county, &case).await), 0, "nobody asked it");
}
