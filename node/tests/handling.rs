//! What is done to cases besides their steps, through the API: two of one matter become one, what a level asks for is taken, a
//! leader stands for a case.

#[path = "support/ports.rs"]
mod ports;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;

use axum::http::StatusCode;
use serde_json::{Value, json};

use served::{CITY, Node, case_id, red_report};

async fn filed(node: &mut Node, number: u8, parties: &Value) -> String {
    let case = case_id(number);
    let mut report = red_report(&case);
    report["place"] = json!(CITY);
    report["parties"] = parties.clone();
    let (status, answer) = node.clerk("POST", "/cases", Some(&report)).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    case
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cases_of_one_matter_become_one_and_both_say_so() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let stays = filed(&mut node, 1, &json!([{ "side": "applicant", "name": "周慧敏" }])).await;
    let goes = filed(&mut node, 2, &json!([{ "side": "applicant", "name": "钱大伟" }])).await;
    let body = json!({ "into": stays, "note": "同一漏水点" });
    let (status, gone) = node.clerk("POST", &format!("/cases/{goes}/merge"), Some(&body)).await;
    assert_eq!((status, &gone["void"], &gone["merged_into"]), (StatusCode::OK, &json!(true), &json!(stays)), "{gone}");
    let (_, stayed) = node.clerk("GET", &format!("/cases/{stays}"), None).await;
    assert_eq!(stayed["linked"], json!([goes]));
    assert_eq!(stayed["private"]["parties"].as_array().map(Vec::len), Some(2), "{}", stayed["private"]);
    let (_, again) = node.clerk("POST", &format!("/cases/{goes}/merge"), Some(&body)).await;
    assert_eq!(again["code"], "is-void");
    let absent = json!({ "into": case_id(9) });
    let (_, refused) = node.clerk("POST", &format!("/cases/{stays}/merge"), Some(&absent)).await;
    assert_eq!(refused["code"], "other-case");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_level_asks_for_is_shown_until_it_is_taken_and_the_police_before_a_case_is_settled() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let case = filed(&mut node, 1, &json!([])).await;
    let (_, seen) = node.clerk("GET", &format!("/cases/{case}"), None).await;
    let asked: Vec<_> = seen["measures"].as_array().expect("measures").iter().map(|m| m["measure"].clone()).collect();
    assert_eq!(asked, [json!(1), json!(2), json!(3), json!(6)], "those of a red case of violence");
    for (act, body) in [("file", json!({})), ("assign", json!({ "unit": 1 })), ("progress", json!({ "note": "x" }))] {
        node.clerk("POST", &format!("/cases/{case}/{act}"), Some(&body)).await;
    }
    let settle = json!({ "outcome": "successful", "terms": "和解" });
    let (status, refused) = node.clerk("POST", &format!("/cases/{case}/resolve"), Some(&settle)).await;
    assert_eq!((status, &refused["code"]), (StatusCode::CONFLICT, &json!("measure-missing")));
    let taken = json!({ "measure": 2, "note": "已报告塔山派出所" });
    let (_, seen) = node.clerk("POST", &format!("/cases/{case}/take-measure"), Some(&taken)).await;
    let police = &seen["measures"][1];
    assert_eq!(
        (&police["name"], &police["due"], &police["overdue"]),
        (&json!("向公安机关报告"), &Value::Null, &json!(false))
    );
    let (status, settled) = node.clerk("POST", &format!("/cases/{case}/resolve"), Some(&settle)).await;
    assert_eq!((status, &settled["measures"]), (StatusCode::OK, &json!([])), "{settled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_stands_for_a_case_and_is_named_as_an_office_is() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let case = filed(&mut node, 1, &json!([])).await;
    let body = json!({ "name": "周建国", "office": "副镇长" });
    let (status, seen) = node.clerk("POST", &format!("/cases/{case}/sponsor"), Some(&body)).await;
    assert_eq!((status, &seen["sponsor"]), (StatusCode::OK, &body), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_what_is_due_follows_a_case_from_step_to_step() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let case = filed(&mut node, 1, &json!([])).await;
    let kinds = async |node: &mut Node, query: &str| {
        let (status, due) = node.clerk("GET", &format!("/due{query}"), None).await;
        assert_eq!(status, StatusCode::OK, "{due}");
        due.as_array()
            .expect("a list")
            .iter()
            .map(|line| line["kind"].as_str().unwrap_or("").to_owned())
            .collect::<Vec<_>>()
    };
    let at_first = kinds(&mut node, "").await;
    assert_eq!(at_first, ["measure", "measure", "measure", "measure", "file"], "minutes before days");
    assert_eq!(kinds(&mut node, "?within_hours=1").await.len(), 3);
    assert_eq!(kinds(&mut node, "?kind=file").await, ["file"]);
    let (status, refused) = node.clerk("GET", "/due?kind=lunch", None).await;
    assert_eq!((status, &refused["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid")), "{refused}");

    for (act, body) in [
        ("take-measure", json!({ "measure": 1, "note": "已联系报告人" })),
        ("file", json!({})),
        ("assign", json!({ "unit": 1 })),
        ("give-task", json!({ "unit": 3, "title": "核实现场", "due": "2099-01-01" })),
    ] {
        let (status, answer) = node.clerk("POST", &format!("/cases/{case}/{act}"), Some(&body)).await;
        assert_eq!(status, StatusCode::OK, "{act}: {answer}");
    }
    assert_eq!(kinds(&mut node, "").await, ["measure", "measure", "measure", "resolve", "task"]);
    let police = node.person("police", &["handler#3"]).await;
    let (_, theirs) = node.ask("GET", "/api/v1/due", ("cookie", &police), None).await;
    assert_eq!((theirs.as_array().map(Vec::len), &theirs[0]["unit_name"]), (Some(1), &json!("派出所")), "{theirs}");
    let pause = json!({ "ground": "hearing" });
    node.clerk("POST", &format!("/cases/{case}/pause"), Some(&pause)).await;
    assert!(!kinds(&mut node, "").await.contains(&"resolve".to_owned()), "what stands still is due at no known moment");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_counted_by_another_table_is_counted_anew_at_the_start() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let case = filed(&mut node, 1, &json!([])).await;
    let (_, counted) = node.clerk("GET", "/due", None).await;
    assert_eq!(counted.as_array().map(Vec::len), Some(5), "{counted}");
    let folder = node.stop().await;
    let place = format!("sqlite://{}", folder.join("node.db").display());
    let pool = sqlx::SqlitePool::connect(&place).await.expect("the database");
    for text in [
        "DELETE FROM case_clock WHERE kind = 'measure'",
        "UPDATE meta SET value = 'x' WHERE name = 'clocks counted by'",
    ] {
        let done = sqlx::query(text).execute(&pool).await.expect("done");
        assert!(done.rows_affected() > 0, "{text}");
    }
    pool.close().await;
    let node = Node::start(folder).await;
    served::until("all of them are back", async || node.get("/due").await == counted).await;
    assert_eq!(node.get(&format!("/cases/{case}")).await["step"], "reported", "nothing was written about the case");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_work_on_one_case_the_slower_is_told_and_keeps_what_they_typed() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let case = filed(&mut node, 1, &json!([])).await;
    let (_, seen) = node.clerk("GET", &format!("/cases/{case}"), None).await;
    let head = format!("\"{}\"", seen["head"].as_str().expect("a head"));
    let people = [node.person("one", &["clerk"]).await, node.person("two", &["clerk"]).await];
    let mut answers = Vec::new();
    for (cookie, words) in people.iter().zip(["甲的补充", "乙的补充"]) {
        let body = json!({ "narrative": words, "reason": "核实" });
        let path = format!("/api/v1/cases/{case}/amend");
        answers.push(node.ask_with("POST", &path, &[("cookie", cookie), ("if-match", &head)], Some(&body)).await);
    }
    assert_eq!(answers[0].0, StatusCode::OK, "{}", answers[0].1);
    assert_eq!((answers[1].0, &answers[1].1["code"]), (StatusCode::PRECONDITION_FAILED, &json!("changed")));
    let (_, now) = node.clerk("GET", &format!("/cases/{case}"), None).await;
    assert_eq!(now["private"]["narrative"], "甲的补充");

    let head = format!("\"{}\"", now["head"].as_str().expect("a head"));
    let body = json!({ "narrative": "甲的补充；乙的补充", "reason": "核实" });
    let again = [("cookie", people[1].as_str()), ("if-match", head.as_str())];
    let (status, _) = node.ask_with("POST", &format!("/api/v1/cases/{case}/amend"), &again, Some(&body)).await;
    assert_eq!(status, StatusCode::OK, "read again, it is sent again");
    let odd = [("cookie", people[1].as_str()), ("if-match", "yesterday")];
    let (status, _) = node.ask_with("POST", &format!("/api/v1/cases/{case}/amend"), &odd, Some(&body)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_there_on_another_device_and_goes_when_its_report_is_filed() {
    let root = tempfile::tempdir().expect("a folder");
    let node = Node::found(&root).await;
    let (mine, others) = (node.person("one", &["clerk"]).await, node.person("two", &["clerk"]).await);
    let case = case_id(1);
    let path = format!("/api/v1/drafts/{case}");
    let typed = json!({ "kind": "report", "case": case, "title": "楼上漏水", "content": { "narrative": "写到一半" } });
    let (status, kept) = node.ask("PUT", &path, ("cookie", &mine), Some(&typed)).await;
    assert_eq!((status, &kept["content"]), (StatusCode::OK, &typed["content"]), "{kept}");
    let (_, listed) = node.ask("GET", "/api/v1/drafts", ("cookie", &mine), None).await;
    assert_eq!((listed.as_array().map(Vec::len), &listed[0]["title"]), (Some(1), &json!("楼上漏水")));
    assert_eq!(node.ask("GET", &path, ("cookie", &others), None).await.0, StatusCode::NOT_FOUND);
    let long = json!({ "kind": "report", "content": { "narrative": "长".repeat(30_000) } });
    let (status, refused) = node.ask("PUT", &path, ("cookie", &mine), Some(&long)).await;
    assert_eq!((status, &refused["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("content")));
    assert_eq!(node.ask("GET", &path, ("cookie", &mine), None).await.1["content"], typed["content"], "it stays");

    let mut report = red_report(&case);
    report["place"] = json!(CITY);
    let (status, filed) = node.ask("POST", "/api/v1/cases", ("cookie", &mine), Some(&report)).await;
    assert_eq!(status, StatusCode::CREATED, "{filed}");
    assert_eq!(node.ask("GET", "/api/v1/drafts", ("cookie", &mine), None).await.1, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_out_of_its_time_says_where_the_case_is_and_what_is_possible() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let case = filed(&mut node, 1, &json!([])).await;
    let path = format!("/cases/{case}/resolve");
    let (status, refused) = node.clerk("POST", &path, Some(&json!({ "outcome": "other", "terms": "x" }))).await;
    assert_eq!((status, &refused["code"]), (StatusCode::CONFLICT, &json!("wrong-step")));
    let (english, chinese) = (refused["detail"].as_str().unwrap_or(""), refused["detail_zh"].as_str().unwrap_or(""));
    assert!(english.contains("at the step reported") && english.contains("file"), "{english}");
    assert!(chinese.contains("信息上报"), "{chinese}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agreement_that_no_court_could_enforce_says_why_before_and_after_it_is_drawn_up() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let parties = json!([{ "side": "applicant", "name": "周慧敏" }, { "side": "respondent", "name": "钱大伟" }]);
    let case = filed(&mut node, 1, &parties).await;
    let draft = json!({ "form": "oral", "parties": [1, 2], "terms": "钱大伟尽快赔偿", "amount_fen": 300_000,
        "plan": [{ "by": 2, "due": "2099-01-31", "amount_fen": 100_000, "what": "转账" }] });
    let of =
        |hints: &Value| hints.as_array().expect("a list").iter().map(|hint| hint["hint"].clone()).collect::<Vec<_>>();
    let (status, hints) = node.clerk("POST", &format!("/cases/{case}/agreement-hints"), Some(&draft)).await;
    assert_eq!((status, of(&hints)), (StatusCode::OK, vec![json!("sums_differ"), json!("vague")]), "{hints}");
    assert!(hints[0]["zh"].as_str().is_some_and(|zh| zh.contains("1000.00")), "{hints}");

    let before = [
        ("file", json!({})),
        ("assign", json!({ "unit": 1 })),
        ("open-mediation", json!({ "source": "application", "committee": 1 })),
        ("consent", json!({ "parties": [1, 2], "agree": true })),
        ("draw", draft),
        ("perform", json!({ "agreement": 1, "instalment": 1, "amount_fen": 60_000 })),
        ("perform", json!({ "agreement": 1, "instalment": 1, "amount_fen": 40_000 })),
    ];
    let mut seen = Value::Null;
    for (act, body) in before {
        let (status, answer) = node.clerk("POST", &format!("/cases/{case}/{act}"), Some(&body)).await;
        assert_eq!(status, StatusCode::OK, "{act}: {answer}");
        seen = answer;
    }
    let words = &seen["agreements"][0]["words"];
    assert_eq!(
        (of(&words["hints"]), &words["performed_fen"]),
        (vec![json!("sums_differ"), json!("vague")], &json!(100_000))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn other_rules_are_tried_on_the_past_year_and_change_nothing() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let case = filed(&mut node, 1, &json!([])).await;
    let advice = json!({ "matter": "consultation" });
    let mut report = red_report(&case_id(2));
    report["place"] = json!(CITY);
    report["matter"] = advice["matter"].clone();
    assert_eq!(node.clerk("POST", "/cases", Some(&report)).await.0, StatusCode::CREATED);
    let leader = node.person("leader", &["supervisor"]).await;
    let and: Value = serde_json::from_str(include_str!("../data/rules-and.json")).expect("rules");
    let (status, tried) =
        node.ask("POST", "/api/v1/rules/trial", ("cookie", &leader), Some(&json!({ "content": and }))).await;
    assert_eq!((status, &tried["disputes"]), (StatusCode::OK, &json!(1)), "{tried}");
    assert_eq!(tried["moves"], json!([{ "now": "red", "then": "yellow", "disputes": 1 }]));
    assert_eq!(tried["moved"][0]["case"], json!(case));
    let (_, seen) = node.clerk("GET", &format!("/cases/{case}"), None).await;
    assert_eq!(seen["level"], "red");
    let odd = json!({ "content": { "schema": 1, "rules": [] } });
    let (status, refused) = node.ask("POST", "/api/v1/rules/trial", ("cookie", &leader), Some(&odd)).await;
    assert_eq!(
        (status, &refused["errors"][0]["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("rules")),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_duty_list_is_put_by_who_leads_and_read_by_all_who_work() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let leader = node.person("leader", &["supervisor"]).await;
    let body = json!({ "people": [{ "name": "王芳", "phone": "0575-1", "user": "wang" }, { "name": "李强", "phone": "0575-2" }] });
    let (status, put) = node.ask("PUT", "/api/v1/duty/2099-01-02", ("cookie", &leader), Some(&body)).await;
    assert_eq!((status, &put["day"]), (StatusCode::OK, &json!("2099-01-02")), "{put}");
    let (_, listed) = node.clerk("GET", "/duty?from=2099-01-01&days=3", None).await;
    assert_eq!(
        (listed.as_array().map(Vec::len), &listed[0]["people"][1]["phone"]),
        (Some(1), &json!("0575-2")),
        "{listed}"
    );
    let nameless = json!({ "people": [{ "name": " ", "phone": "0575-1" }] });
    let (status, _) = node.ask("PUT", "/api/v1/duty/2099-01-02", ("cookie", &leader), Some(&nameless)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let none = json!({ "people": [] });
    node.ask("PUT", "/api/v1/duty/2099-01-02", ("cookie", &leader), Some(&none)).await;
    assert_eq!(node.clerk("GET", "/duty?from=2099-01-01&days=3", None).await.1, json!([]));
    let (status, calls) = node.clerk("GET", "/duty/calls", None).await;
    assert_eq!((status, calls), (StatusCode::OK, json!([])), "nothing waits for an answer");
}
