//! Joint handling through the API: a unit of the node sees its tasks in a list of its own, the case behind each, and nothing else.

#[path = "support/ports.rs"]
mod ports;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;

use axum::http::StatusCode;
use serde_json::{Value, json};

use served::{CITY, Node, case_id, red_report};

/// A case that the mediation committee leads.
async fn led(node: &mut Node, number: u8) -> String {
    let case = case_id(number);
    let mut report = red_report(&case);
    report["place"] = json!(CITY);
    let filed = [("", report), ("/file", json!({})), ("/assign", json!({ "unit": 1 }))];
    for (act, body) in filed {
        let path = if act.is_empty() { "/cases".to_owned() } else { format!("/cases/{case}{act}") };
        let (status, answer) = node.clerk("POST", &path, Some(&body)).await;
        assert!(status.is_success(), "{act}: {answer}");
    }
    case
}

fn task(unit: u16, due: &str) -> Value {
    json!({ "unit": unit, "title": "核实现场", "text": "到场核实并回告", "due": due })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_of_a_unit_finds_its_tasks_does_them_and_sees_no_other_case() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let (with, without) = (led(&mut node, 1).await, led(&mut node, 2).await);
    for (unit, due) in [(3, "2099-02-01"), (8, "2099-01-01")] {
        let (status, answer) = node.clerk("POST", &format!("/cases/{with}/give-task"), Some(&task(unit, due))).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let police = node.person("police", &["handler#3"]).await;
    let (_, listed) = node.ask("GET", "/api/v1/tasks", ("cookie", &police), None).await;
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    let line =
        (&listed[0]["case"], &listed[0]["task"], &listed[0]["unit_name"], &listed[0]["state"], &listed[0]["overdue"]);
    assert_eq!(line, (&json!(with), &json!(1), &json!("派出所"), &json!("given"), &json!(false)));

    let path = format!("/api/v1/cases/{with}");
    let (status, seen) = node.ask("GET", &path, ("cookie", &police), None).await;
    assert_eq!((status, &seen["tasks"][0]["title"]), (StatusCode::OK, &json!("核实现场")), "{seen}");
    let may: Vec<_> = seen["next_actions"].as_array().expect("actions").iter().filter_map(Value::as_str).collect();
    assert_eq!(may, ["accept_task", "report_task", "attach"]);
    let other = format!("/api/v1/cases/{without}");
    assert_eq!(node.ask("GET", &other, ("cookie", &police), None).await.0, StatusCode::NOT_FOUND);

    let report = json!({ "task": 1, "note": "已到场" });
    let (status, told) = node.ask("POST", &format!("{path}/report-task"), ("cookie", &police), Some(&report)).await;
    assert_eq!((status, &told["tasks"][0]["state"]), (StatusCode::OK, &json!("reported")), "{told}");
    let (_, closed) = node.clerk("POST", &format!("/cases/{with}/close-task"), Some(&json!({ "task": 1 }))).await;
    assert_eq!(closed["tasks"][0]["state"], "closed");
    let (_, listed) = node.ask("GET", "/api/v1/tasks", ("cookie", &police), None).await;
    assert_eq!(listed, json!([]));
    let (_, all) = node.clerk("GET", "/tasks", None).await;
    assert_eq!(all.as_array().map(Vec::len), Some(1), "the other unit's is open still: {all}");
}
