//! Twelve ways in which a federated case system of others failed its users, as its public tracker tells (SORMAS; the numbers are
//! those of its issues), asked of three nodes of ours over real links.

#[path = "support/ports.rs"]
mod ports;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;

use axum::http::StatusCode;
use serde_json::{Value, json};

use served::{Node, case_id, red_report, three, until};

/// A county and a grid below it that share cases, and the city above both.
struct Line {
    city: Node,
    county: Node,
    grid: Node,
    _root: tempfile::TempDir,
}

impl Line {
    async fn raise() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let (city, county, grid) = three(&root).await;
        Self { city, county, grid, _root: root }
    }

    /// A case at the grid; a calm one is known nowhere else.
    async fn file(&self, number: u8, violence: &str) -> String {
        let case = case_id(number);
        let mut report = red_report(&case);
        report["answers"]["violence"] = json!(violence);
        report["parties"] = json!([
            { "side": "applicant", "name": "周慧敏", "phone": "13857512345", "address": "塔山街道1号" },
            { "side": "respondent", "name": "鲍德海", "identity": "330602198001011234" }
        ]);
        let (status, answer) = self.grid.post("/cases", &report).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        case
    }
}

fn id(node: &Node) -> String {
    node.running.config.node.id.to_string()
}

async fn act(node: &Node, case: &str, act: &str, body: Value) -> (StatusCode, Value) {
    node.post(&format!("/cases/{case}/{act}"), &body).await
}

async fn done(node: &Node, case: &str, what: &str, body: Value) -> Value {
    let (status, answer) = act(node, case, what, body).await;
    assert_eq!(status, StatusCode::OK, "{what}: {answer}");
    answer
}

async fn refused(node: &Node, case: &str, what: &str, body: Value) -> String {
    let (status, answer) = act(node, case, what, body).await;
    assert!(status.is_client_error(), "{what}: {status} {answer}");
    answer["code"].as_str().unwrap_or_default().to_owned()
}

async fn seen(node: &Node, case: &str) -> Value {
    node.get(&format!("/cases/{case}")).await
}

/// Offers a case, and waits until the offer is there: its id.
async fn offer(from: &Node, to: &Node, case: &str) -> String {
    done(from, case, "offer", json!({ "to": id(to) })).await;
    until("the offer arrives", || async { open_offer(to, case).await.is_some() }).await;
    open_offer(to, case).await.expect("it has arrived")
}

async fn open_offer(at: &Node, case: &str) -> Option<String> {
    let offers = at.get("/offers").await;
    let of_it = |offer: &&Value| offer["case"] == json!(case) && offer["open"] == json!(true);
    offers.as_array()?.iter().find(of_it)?["id"].as_str().map(str::to_owned)
}

async fn accept(at: &Node, case: &str, offer: &str) {
    done(at, case, &format!("offers/{offer}/accept"), json!({})).await;
    until("the case has moved", || async { seen(at, case).await["mine"] == json!(true) }).await;
}

async fn hand_over(from: &Node, to: &Node, case: &str) {
    let offered = offer(from, to, case).await;
    accept(to, case, &offered).await;
    until("who gave it knows", || async { seen(from, case).await["mine"] == json!(false) }).await;
}

fn progress(words: &str) -> Value {
    json!({ "note": words })
}

#[tokio::test(flavor = "multi_thread")]
async fn c01_4423_what_is_offered_is_previewed_and_nothing_of_it_stays_when_it_is_declined_or_recalled() {
    let line = Line::raise().await;
    let case = line.file(1, "no").await;
    let offered = offer(&line.grid, &line.county, &case).await;
    let preview = line.county.get("/offers").await;
    assert!(preview[0]["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{preview}");
    assert!(!preview.to_string().contains("周慧敏"), "a preview names nobody");
    let body = json!({ "ground": "not_competent", "text": "不属本级" });
    let (status, _) = act(&line.county, &case, &format!("offers/{offered}/decline"), body).await;
    assert_eq!(status, StatusCode::OK);
    until("the grid hears of it", || async {
        seen(&line.grid, &case).await["offers"][0]["state"] == json!("declined")
    })
    .await;
    let found = line.county.get(&format!("/cases/{case}")).await;
    assert!(found["events"].as_array().is_none_or(Vec::is_empty), "no event of it stays: {found}");
    assert_eq!(found["private"], Value::Null);

    let again = offer(&line.grid, &line.county, &case).await;
    done(&line.grid, &case, "recall", json!({})).await;
    until("the county hears of it", || async { open_offer(&line.county, &case).await.is_none() }).await;
    assert_eq!(refused(&line.county, &case, &format!("offers/{again}/accept"), json!({})).await, "no-open-offer");
    assert_eq!(seen(&line.grid, &case).await["mine"], json!(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn c02_8576_a_case_has_one_open_offer_and_one_writer() {
    let line = Line::raise().await;
    let case = line.file(2, "no").await;
    offer(&line.grid, &line.county, &case).await;
    let second = json!({ "to": id(&line.city) });
    assert_eq!(refused(&line.grid, &case, "offer", second).await, "offer-open");
    let people = json!({ "people": [{ "side": "respondent", "name": "王五" }] });
    done(&line.grid, &case, "join", people.clone()).await;
    assert_eq!(refused(&line.county, &case, "join", people).await, "not-found", "to whom it is offered writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn c03_6941_what_is_written_at_a_former_owner_is_refused_and_moves_nothing() {
    let line = Line::raise().await;
    let case = line.file(3, "no").await;
    hand_over(&line.grid, &line.county, &case).await;
    let people = json!({ "people": [{ "side": "respondent", "name": "王五" }] });
    assert_eq!(refused(&line.grid, &case, "join", people).await, "not-owner");
    assert_eq!(refused(&line.grid, &case, "progress", progress("补记")).await, "not-owner");
    done(&line.grid, &case, "contribute", json!({ "text": "邻居另有说法" })).await;
    until("the owner has the note", || async {
        let events = seen(&line.county, &case).await["events"].clone();
        events.as_array().is_some_and(|events| events.iter().any(|event| event["act"]["act"] == "contributed"))
    })
    .await;
    assert_eq!(seen(&line.county, &case).await["mine"], json!(true), "a contribution moves nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn c04_6684_a_case_is_graded_by_its_next_owner_as_by_the_one_before() {
    let line = Line::raise().await;
    let case = line.file(4, "yes").await;
    let before = seen(&line.grid, &case).await;
    hand_over(&line.grid, &line.county, &case).await;
    let after = seen(&line.county, &case).await;
    assert_eq!((&after["grading"], &after["level"]), (&before["grading"], &before["level"]));
    let same = json!({ "answers": before["grading"]["answers"], "level": before["level"], "reason": "复核" });
    assert_eq!(refused(&line.county, &case, "regrade", same).await, "nothing-changes");
}

#[tokio::test(flavor = "multi_thread")]
async fn c05_9771_what_was_added_between_offer_and_acceptance_arrives() {
    let line = Line::raise().await;
    let case = line.file(5, "no").await;
    let offered = offer(&line.grid, &line.county, &case).await;
    let people = json!({ "people": [{ "side": "respondent", "name": "王五", "phone": "13900139000" }] });
    done(&line.grid, &case, "join", people).await;
    accept(&line.county, &case, &offered).await;
    let (_, shown) = act(&line.county, &case, "reveal", json!({ "reason": "核对移交内容" })).await;
    let names = shown["case"]["private"]["parties"].to_string();
    assert!(names.contains("王五"), "{names}");
}

#[tokio::test(flavor = "multi_thread")]
async fn c06_11423_a_case_that_was_struck_out_meanwhile_is_refused_cleanly() {
    let line = Line::raise().await;
    let case = line.file(6, "no").await;
    let offered = offer(&line.grid, &line.county, &case).await;
    done(&line.grid, &case, "void", json!({ "reason": "误录" })).await;
    until("the offer is over", || async { open_offer(&line.county, &case).await.is_none() }).await;
    let code = refused(&line.county, &case, &format!("offers/{offered}/accept"), json!({})).await;
    assert_eq!(code, "no-open-offer");
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_6067_a_case_that_was_declined_again_and_again_is_taken_on_at_last() {
    let line = Line::raise().await;
    let case = line.file(7, "no").await;
    for round in 0..3 {
        let offered = offer(&line.grid, &line.county, &case).await;
        let body = json!({ "ground": "incomplete", "text": format!("第{round}次退回") });
        let (status, answer) = act(&line.county, &case, &format!("offers/{offered}/decline"), body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        until("the grid may offer again", || async {
            seen(&line.grid, &case).await["next_actions"].to_string().contains("\"offer\"")
        })
        .await;
    }
    hand_over(&line.grid, &line.county, &case).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_9955_a_round_trip_needs_nobody_but_the_two_nodes() {
    let line = Line::raise().await;
    let case = line.file(8, "yes").await;
    let Line { city, county, grid, _root } = line;
    city.stop().await;
    hand_over(&grid, &county, &case).await;
    hand_over(&county, &grid, &case).await;
    done(&grid, &case, "file", json!({})).await;
    assert_eq!(seen(&grid, &case).await["epoch"], "0.2");
}

#[tokio::test(flavor = "multi_thread")]
async fn c09_11886_10932_a_mirror_says_up_to_which_event_it_is_and_the_status_how_much_waits() {
    let line = Line::raise().await;
    let case = line.file(9, "yes").await;
    until("the city follows", || async { seen(&line.city, &case).await["number"] == json!(1) }).await;
    let Line { city, county, grid, _root } = line;
    let above = county.stop().await;
    for words in ["file", "assign"] {
        let body = if words == "file" { json!({}) } else { json!({ "unit": 1 }) };
        done(&grid, &case, words, body).await;
    }
    let waiting = || async {
        let links = grid.get("/links").await;
        links[0]["waiting"].as_u64().unwrap_or(0)
    };
    until("what waits is told", || async { waiting().await > 0 }).await;
    let behind = seen(&city, &case).await;
    assert_eq!(behind["number"], json!(1), "the city says which event it has");
    assert!(behind["changed_at"].is_string(), "and of when it is");
    let county = Node::start(above).await;
    until("the city has caught up", || async { seen(&city, &case).await["number"] == json!(3) }).await;
    until("the owner knows it", || async {
        let ladder = seen(&grid, &case).await["ladder"].clone();
        ladder.as_array().is_some_and(|rungs| rungs.iter().any(|rung| rung["level"] == "city" && rung["upto"] == 3))
    })
    .await;
    drop(county);
}

#[tokio::test(flavor = "multi_thread")]
async fn c10_3817_9803_no_field_is_forgotten_on_the_way_and_back() {
    let line = Line::raise().await;
    let case = line.file(10, "yes").await;
    done(&line.grid, &case, "file", json!({})).await;
    done(&line.grid, &case, "take-measure", json!({ "measure": 2, "note": "已报告派出所" })).await;
    done(&line.grid, &case, "sponsor", json!({ "name": "周建国", "office": "副镇长" })).await;
    done(&line.grid, &case, "assign", json!({ "unit": 1 })).await;
    let opened = json!({ "source": "application", "committee": 1, "mediators": ["王秀兰"] });
    done(&line.grid, &case, "open-mediation", opened).await;
    done(&line.grid, &case, "consent", json!({ "parties": [1, 2], "agree": true })).await;
    let agreement = json!({ "form": "written", "parties": [1, 2], "facts": "通道", "terms": "让出一米", "amount_fen": 5,
        "plan": [{ "by": 2, "due": "2099-01-31", "amount_fen": 5, "what": "转账" }] });
    done(&line.grid, &case, "draw", agreement).await;
    let whole = async |node: &Node| {
        let (status, shown) = act(node, &case, "reveal", json!({ "reason": "核对移交内容" })).await;
        assert_eq!(status, StatusCode::OK, "{shown}");
        shown["case"].clone()
    };
    let before = whole(&line.grid).await;
    hand_over(&line.grid, &line.county, &case).await;
    let after = whole(&line.county).await;
    // What says where the case is, how far it is and when differs, as it must.
    let moved = [
        "owner",
        "owner_name",
        "mine",
        "epoch",
        "number",
        "head",
        "changed_at",
        "changed_ms",
        "events",
        "ladder",
        "holders",
        "offers",
        "next_actions",
        "next_term",
        "unit",
        "unit_name",
        "unit_name_en",
    ];
    let kept = |case: &Value| {
        let fields = case.as_object().expect("a case").iter().filter(|(name, _)| !moved.contains(&name.as_str()));
        fields.map(|(name, value)| (name.clone(), value.clone())).collect::<serde_json::Map<_, _>>()
    };
    assert_eq!(kept(&after), kept(&before));
    let events = |case: &Value| case["events"].as_array().expect("events").clone();
    let (first, then) = (events(&before), events(&after));
    for (one, other) in first.iter().zip(&then) {
        assert_eq!((&one["hash"], &one["said"], &one["by"]), (&other["hash"], &other["said"], &other["by"]));
    }
    assert!(then.len() > first.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn c11_3213_who_answers_for_a_case_moves_with_it() {
    let line = Line::raise().await;
    let case = line.file(11, "yes").await;
    done(&line.grid, &case, "file", json!({})).await;
    done(&line.grid, &case, "assign", json!({ "unit": 3 })).await;
    hand_over(&line.grid, &line.county, &case).await;
    until("the city knows the owner", || async { seen(&line.city, &case).await["owner"] == json!(id(&line.county)) })
        .await;
    let (below, above) = (seen(&line.county, &case).await, seen(&line.city, &case).await);
    assert_eq!((&below["unit"], &above["unit"]), (&json!(0), &json!(0)), "no unit of the former owner answers for it");
    done(&line.county, &case, "progress", progress("县级接手后走访")).await;
    let again = done(&line.county, &case, "assign", json!({ "unit": 2 })).await;
    assert_eq!(
        (&again["unit"], &again["step"]),
        (&json!(2), &json!("in_progress")),
        "its desk gives it to a unit of its own"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn c12_300_of_two_who_save_at_once_none_loses_what_they_wrote() {
    let line = Line::raise().await;
    let case = line.file(12, "no").await;
    let head = format!("\"{}\"", seen(&line.grid, &case).await["head"].as_str().expect("a head"));
    let bearer = format!("Bearer {}", line.grid.operator);
    let path = format!("/api/v1/cases/{case}/amend");
    let save = |words: &'static str| {
        let (bearer, head, path, grid) = (&bearer, &head, &path, &line.grid);
        async move {
            let headers = [("authorization", bearer.as_str()), ("if-match", head.as_str())];
            let body = json!({ "narrative": words, "reason": "核实" });
            grid.ask_with("POST", path, &headers, Some(&body)).await.0
        }
    };
    let (one, other) = tokio::join!(save("甲的说法"), save("乙的说法"));
    let mut statuses = [one, other];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::OK, StatusCode::PRECONDITION_FAILED], "one is saved and the other told");
    let notes = ["甲补记", "乙补记"];
    done(&line.grid, &case, "file", json!({})).await;
    done(&line.grid, &case, "assign", json!({ "unit": 1 })).await;
    let (one, other) = (
        act(&line.grid, &case, "progress", progress(notes[0])),
        act(&line.grid, &case, "progress", progress(notes[1])),
    );
    let (one, other) = tokio::join!(one, other);
    assert_eq!((one.0, other.0), (StatusCode::OK, StatusCode::OK));
    let events = seen(&line.grid, &case).await["events"].to_string();
    assert!(notes.iter().all(|note| events.contains(note)), "notes of both are in the chain");
}
