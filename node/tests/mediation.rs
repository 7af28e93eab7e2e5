//! A mediation through the API: from the consent of the parties to an agreement with its number, signed and confirmed; and the
//! books of the committee, which neither repeat nor leave out a number.

#[path = "support/ports.rs"]
mod ports;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;

use axum::http::StatusCode;
use protocol::unit::UnitCode;
use serde_json::{Value, json};

use served::{Node, case_id, red_report};

async fn done(node: &mut Node, case: &str, act: &str, body: Value) -> Value {
    let (status, answer) = node.clerk("POST", &format!("/cases/{case}/{act}"), Some(&body)).await;
    assert_eq!(status, StatusCode::OK, "{act}: {answer}");
    answer
}

async fn refused(node: &mut Node, case: &str, act: &str, body: Value) -> String {
    let (status, answer) = node.clerk("POST", &format!("/cases/{case}/{act}"), Some(&body)).await;
    assert!(status.is_client_error(), "{act}: {answer}");
    answer["code"].as_str().expect("a code").to_owned()
}

/// A case with two parties that is under mediation and to which both agree.
async fn mediated(node: &mut Node, number: u8) -> String {
    let case = case_id(number);
    let mut report = red_report(&case);
    report["place"] = json!(served::CITY);
    report["parties"] = json!([
        { "side": "applicant", "name": "张三", "phone": "13800138000" },
        { "side": "respondent", "name": "李四" }
    ]);
    let (status, answer) = node.clerk("POST", "/cases", Some(&report)).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    done(node, &case, "file", json!({})).await;
    done(node, &case, "assign", json!({ "unit": 1 })).await;
    done(node, &case, "open-mediation", json!({ "source": "application", "committee": 1, "mediators": ["王调解"] }))
        .await;
    done(node, &case, "consent", json!({ "parties": [1, 2], "agree": true })).await;
    case
}

fn agreement() -> Value {
    json!({ "form": "written", "parties": [1, 2], "facts": "通道之争", "terms": "李四让出一米通道",
        "plan": [{ "by": 2, "due": "2099-01-31", "amount_fen": 50_000 }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_is_mediated_agreed_signed_confirmed_and_settled() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let case = mediated(&mut node, 1).await;
    let record = json!({ "kind": "mediation", "present": [1, 2], "place": "调解室", "record": "张三称通道被占。" });
    done(&mut node, &case, "hold", record).await;
    let drawn = done(&mut node, &case, "draw", agreement()).await;
    let shown = &drawn["agreements"][0];
    assert_eq!(
        (&shown["form"], &shown["in_effect"], &shown["unsigned"]),
        (&json!("written"), &Value::Null, &json!([1, 2]))
    );
    assert_eq!(shown["words"]["plan"][0]["due"], "2099-01-31");
    assert_eq!(
        refused(&mut node, &case, "resolve", json!({ "outcome": "successful", "terms": "和" })).await,
        "nothing-agreed"
    );
    let all = json!({ "agreement": 1, "parties": [1, 2], "mediator": true, "committee": true, "mark": "fingerprint" });
    let signed = done(&mut node, &case, "sign", all).await;
    assert!(signed["agreements"][0]["in_effect"].is_string(), "{signed}");
    done(&mut node, &case, "seek-confirmation", json!({ "agreement": 1, "court": "越城区人民法院" })).await;
    let ruling = json!({ "agreement": 1, "result": "confirmed", "number": "(2026)浙0602民特1号" });
    let confirmed = done(&mut node, &case, "note-confirmation", ruling).await;
    assert_eq!(confirmed["agreements"][0]["confirmation"], "confirmed");
    done(&mut node, &case, "take-measure", json!({ "measure": 2, "note": "已报告派出所" })).await;
    done(&mut node, &case, "resolve", json!({ "outcome": "successful", "terms": "和解" })).await;
    done(&mut node, &case, "visit-again", json!({ "agreement": 1, "kept": "not_due" })).await;
    let told = json!({ "by": "phone", "on": "2026-11-30", "content": "mostly", "note": "已告知" });
    let told = done(&mut node, &case, "feed-back", told).await;
    let said = told["events"].as_array().and_then(|events| events.last()?["said"].as_str());
    assert_eq!(said, Some("2026年11月30日电话反馈；基本满意；已告知"), "the day is no number to be masked");
    let told: Vec<_> =
        confirmed["events"].as_array().expect("events").iter().map(|e| e["act"]["act"].clone()).collect();
    assert!(told.contains(&json!("agreement_drafted")) && told.contains(&json!("consented")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_masked_in_what_was_agreed_and_in_what_was_said() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let case = mediated(&mut node, 1).await;
    let joined =
        json!({ "people": [{ "side": "other", "standing": "witness", "name": "欧阳修", "phone": "13900139000" }] });
    done(&mut node, &case, "join", joined).await;
    done(&mut node, &case, "hold", json!({ "kind": "visit", "record": "欧阳修说张三先动手。" })).await;
    let cookie = node.person("reader", &["clerk"]).await;
    let page = node.page(&cookie, &format!("/cases/{case}?lang=zh")).await;
    assert!(page.contains("<bdi>张*</bdi>、<bdi>李*</bdi> · 同意"), "history tells who agreed");
    assert!(page.contains("<div class=\"meta\"><bdi>欧**</bdi></div>"), "and who joined");
    let shown = done(&mut node, &case, "draw", agreement()).await.to_string();
    for name in ["欧阳修", "张三", "李四", "13900139000"] {
        assert!(!shown.contains(name), "{name}: {shown}");
    }
    assert!(shown.contains("欧**"), "{shown}");
    let (_, found) =
        node.clerk("POST", "/persons/find", Some(&json!({ "number": "13900139000", "reason": "核实" }))).await;
    assert_eq!(found["cases"], json!([case]), "who joined later is found by their number");
    for words in ["%E6%AC%A7%E9%98%B3%E4%BF%AE", "oyx"] {
        let (_, page) = node.clerk("GET", &format!("/cases?q={words}"), None).await;
        assert_eq!(page["cases"][0]["id"], json!(case), "and by their name: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_agreements_neither_repeat_nor_leave_one_out() {
    let root = tempfile::tempdir().expect("a folder");
    let mut node = Node::found(&root).await;
    let mut cases = Vec::new();
    for number in 1..=8 {
        cases.push(mediated(&mut node, number).await);
    }
    done(&mut node, &cases[0], "consent", json!({ "parties": [2], "agree": false })).await;
    // All at once: one is refused, and takes no number with it.
    let (served, body) = (&node, agreement());
    let drawn =
        cases.iter().map(async |case| served.as_clerk("POST", &format!("/cases/{case}/draw"), Some(&body)).await);
    let answers = futures_util::future::join_all(drawn).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == StatusCode::OK).count(), 7);
    let mut numbers: Vec<_> = answers
        .iter()
        .filter_map(|(_, answer)| {
            answer["agreements"][0]["number"].as_str()?.split('-').next_back()?.parse::<u32>().ok()
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=7).collect::<Vec<_>>());
    let number = |answer: &Value| answer["agreements"][0]["number"].as_str().map(str::to_owned);
    let (case, number) =
        answers.iter().find_map(|(_, answer)| Some((answer["id"].clone(), number(answer)?))).expect("one was drawn up");
    let (year, count) = number.split_once('-').expect("a year and a number");
    for typed in [number.clone(), format!("%EF%BC%88{year}%EF%BC%89%E8%B0%83%E5%AD%97%E7%AC%AC{count}%E5%8F%B7")] {
        let (_, page) = node.clerk("GET", &format!("/cases?q={typed}"), None).await;
        let found: Vec<_> =
            page["cases"].as_array().expect("cases").iter().map(|line| (&line["id"], &line["found"]["by"])).collect();
        assert_eq!(found, [(&case, &json!(["agreement"]))], "{typed}");
    }
    let year = year.parse().ok();
    let book = node.running.store.book(UnitCode(1), year.expect("a year")).await.expect("a book");
    let listed: Vec<_> = book.iter().map(|line| (line.number.number, line.case.is_some())).collect();
    assert_eq!(listed, (1..=7).map(|number| (number, true)).collect::<Vec<_>>());
}
