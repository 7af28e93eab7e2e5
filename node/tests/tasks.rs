//! Joint handling through the API: a unit of the node sees its tasks in a list of its own, the case behind each, and nothing else.

#[path = "support/ports.rs"]
mod ports;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tower::Service;

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

/// A page as somebody without a log-in asks for it: its status and what it says.
async fn page(node: &Node, path: &str, form: Option<&str>) -> (StatusCode, String) {
    let request = Request::builder().uri(path).header(header::ACCEPT_LANGUAGE, "zh");
    let request = match form {
        None => request.body(Body::empty()),
        Some(form) => request
            .method("POST")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned())),
    };
    let response = node.router.clone().call(request.expect("a request")).await.expect("an answer");
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8(bytes.to_vec()).expect("text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_without_an_account_signs_and_reports_on_the_page_of_one_task_and_opens_nothing_else() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let case = led(&mut node, 1).await;
    node.clerk("POST", &format!("/cases/{case}/give-task"), Some(&task(3, "2099-02-01"))).await;
    let (status, link) = node.clerk("POST", &format!("/cases/{case}/task-links"), Some(&json!({ "task": 1 }))).await;
    assert_eq!(status, StatusCode::OK, "{link}");
    let path = link["path"].as_str().expect("a path").to_owned();
    let (status, shown) = page(&node, &path, None).await;
    assert_eq!(status, StatusCode::OK);
    for words in ["核实现场", "到场核实并回告", "派出所", "2099-02-01", "待签收"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let (status, shown) = page(&node, &path, Some("what=report&name=&note=%E5%B7%B2%E5%88%B0%E5%9C%BA")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(shown.contains("已到场"), "what was typed is there still: {shown}");
    let name = "name=%E7%8E%8B%E8%AD%A6%E5%AE%98";
    assert_eq!(page(&node, &path, Some(&format!("what=accept&{name}"))).await.0, StatusCode::SEE_OTHER);
    let report = format!("what=report&{name}&note=%E5%B7%B2%E5%88%B0%E5%9C%BA");
    assert_eq!(page(&node, &path, Some(&report)).await.0, StatusCode::SEE_OTHER);
    let (_, seen) = node.clerk("GET", &format!("/cases/{case}"), None).await;
    let last = seen["events"].as_array().and_then(|events| events.last()).expect("an event");
    assert_eq!((&seen["tasks"][0]["state"], &last["by"]), (&json!("reported"), &json!("王警官(派出所)")), "{last}");
    assert_eq!(page(&node, &path, Some(&report)).await.0, StatusCode::CONFLICT, "twice is said, not done");

    let other = path.replacen("-1-", "-2-", 1);
    for forged in [other, format!("{path}0"), path[..path.len() - 1].to_owned(), "/task/x".to_owned()] {
        assert_eq!(page(&node, &forged, None).await.0, StatusCode::NOT_FOUND, "{forged}");
    }
    let audit = node.get("/audit").await.to_string();
    assert!(audit.contains("POST /task") && audit.contains("\"link\""), "{audit}");
    node.clerk("POST", &format!("/cases/{case}/close-task"), Some(&json!({ "task": 1 }))).await;
    let (_, shown) = page(&node, &path, None).await;
    assert!(shown.contains("已办结") && !shown.contains("<form"), "{shown}");
    let (status, _) = node.clerk("POST", &format!("/cases/{case}/task-links"), Some(&json!({ "task": 1 }))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "a task that has ended needs none");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_case_shows_what_its_level_asks_for_who_stands_for_it_and_what_units_do() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let case = led(&mut node, 1).await;
    node.clerk("POST", &format!("/cases/{case}/give-task"), Some(&task(3, "2099-02-01"))).await;
    let sponsor = json!({ "name": "周建国", "office": "副镇长" });
    node.clerk("POST", &format!("/cases/{case}/sponsor"), Some(&sponsor)).await;
    let cookie = node.person("reader", &["clerk"]).await;
    let shown = node.page(&cookie, &format!("/cases/{case}?lang=zh")).await;
    for words in ["向公安机关报告", "人民调解法第二十五条", "周建国", "派出所", "核实现场"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_objects_to_its_case_and_a_second_time_a_leader_rules() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let case = led(&mut node, 1).await;
    let handler = node.person("handler", &["handler#1"]).await;
    let object = json!({ "reason": "不属本单位职责", "proposed": 3 });
    let path = format!("/api/v1/cases/{case}");
    let (status, told) = node.ask("POST", &format!("{path}/object"), ("cookie", &handler), Some(&object)).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    let objection = &told["objection"];
    assert_eq!(
        (&objection["proposed_name"], &objection["needs_ruling"]),
        (&json!("派出所"), &json!(false)),
        "{objection}"
    );
    assert_eq!(told["unit"], 1, "it leads on");
    let desk = node.person("desk", &["clerk"]).await;
    assert!(node.page(&desk, &format!("/cases/{case}")).await.contains("改派即为同意"));
    let refuse = json!({ "reason": "属职责范围" });
    let refused = node.ask("POST", &format!("{path}/refuse-objection"), ("cookie", &desk), Some(&refuse)).await;
    assert_eq!(refused.0, StatusCode::OK, "{}", refused.1);
    node.ask("POST", &format!("{path}/object"), ("cookie", &handler), Some(&object)).await;
    assert!(node.page(&desk, &format!("/cases/{case}")).await.contains("须由分管领导裁定"));
    let (status, no) =
        node.ask("POST", &format!("{path}/assign"), ("cookie", &desk), Some(&json!({ "unit": 3 }))).await;
    assert_eq!((status, &no["code"]), (StatusCode::CONFLICT, &json!("ruling-needed")), "{no}");
    let rule = json!({ "unit": 3, "reason": "由派出所牵头" });
    let (status, ruled) = node.clerk("POST", &format!("/cases/{case}/rule"), Some(&rule)).await;
    assert_eq!((status, &ruled["unit"], &ruled["objection"]), (StatusCode::OK, &json!(3), &Value::Null), "{ruled}");
    assert_eq!(node.ask("GET", &path, ("cookie", &handler), None).await.0, StatusCode::NOT_FOUND, "no longer its case");
}
