//! A restricted case through the API and on pages: lists, searches, numbers and papers tell whoever is no reader of it nothing but a
//! level and a number, and its readers find all of it.

#[path = "support/ports.rs"]
mod ports;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;

use axum::http::StatusCode;
use serde_json::{Value, json};

use served::{CITY, GRID, Node, case_id, red_report, three, until};

const NAME: &str = "钱小梅";
const PHONE: &str = "13912345678";
/// What only readers may see.
const WITHHELD: [&str; 5] = ["钱小梅", "13912345678", "孩子被欺凌", "教室里", "邻里纠纷"];

fn report(n: u8) -> Value {
    let mut report = red_report(&case_id(n));
    report["place"] = json!(CITY);
    report["title"] = json!("孩子被欺凌");
    report["narrative"] = json!("钱小梅称孩子在教室里被打。");
    report["parties"] = json!([{ "side": "applicant", "name": NAME, "phone": PHONE, "address": "", "identity": "" }]);
    report["restricted"] = json!({ "ground": "minors" });
    report
}

async fn filed(node: &Node, cookie: &str, n: u8) -> String {
    let (status, answer) = node.ask("POST", "/api/v1/cases", ("cookie", cookie), Some(&report(n))).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    case_id(n)
}

async fn get(node: &Node, cookie: &str, path: &str) -> (StatusCode, Value) {
    node.ask("GET", &format!("/api/v1{path}"), ("cookie", cookie), None).await
}

async fn post(node: &Node, cookie: &str, path: &str, body: &Value) -> (StatusCode, Value) {
    node.ask("POST", &format!("/api/v1{path}"), ("cookie", cookie), Some(body)).await
}

fn tells_nothing(what: &str, said: &str) {
    for words in WITHHELD {
        assert!(!said.contains(words), "{what} tells {words}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_reader_finds_a_level_and_a_number_everywhere() {
    let root = tempfile::tempdir().expect("a folder");
    let node = Node::found(&root).await;
    let filer = node.person("filer", &["clerk"]).await;
    let other = node.person("other", &["clerk", "supervisor"]).await;
    let case = filed(&node, &filer, 1).await;
    // Another matter at the same place of the same person: what is like it must not lead to the restricted one.
    let mut open = report(2);
    open["restricted"] = Value::Null;
    assert_eq!(post(&node, &filer, "/cases", &open).await.0, StatusCode::CREATED);
    let like = json!({ "place": CITY, "category": 9900, "title": "孩子被欺凌", "phone": PHONE });
    let (status, similar) = post(&node, &other, "/cases/similar", &like).await;
    assert_eq!(status, StatusCode::OK, "{similar}");
    let told: Vec<&Value> =
        similar["candidates"].as_array().expect("candidates").iter().map(|c| &c["case"]["id"]).collect();
    assert_eq!(told, [&json!(case_id(2))]);
    assert_eq!(similar["history"][0]["open"], 1, "{similar}");

    let paths = ["/cases", "/cases?q=%E9%92%B1%E5%B0%8F%E6%A2%85", "/due", "/tasks", "/duty/calls", "/figures/rows"];
    for path in paths {
        let (status, listed) = get(&node, &other, path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {listed}");
        let of_it: Vec<String> =
            rows(&listed).iter().filter(|row| row.to_string().contains(&case)).map(Value::to_string).collect();
        of_it.iter().for_each(|row| tells_nothing(path, row));
        assert!(!path.contains("?q=") || of_it.is_empty(), "{path}: {of_it:?}");
    }
    let (_, by_number) = get(&node, &other, &format!("/cases?q={case}")).await;
    assert_eq!(by_number["cases"][0]["summary"], "受限案件", "{by_number}");
    let path = format!("/cases/{case}");
    let (status, seen) = get(&node, &other, &path).await;
    assert_eq!((status, &seen["level"], &seen["category"]), (StatusCode::OK, &json!("red"), &json!("9900")), "{seen}");
    tells_nothing("the case", &seen.to_string());
    assert_eq!((&seen["restricted"]["reads"], &seen["restricted"]["ground"]), (&json!(false), &Value::Null));
    assert_eq!(seen["next_actions"], json!(["name_reader", "drop_reader"]));
    let (_, found) = post(&node, &other, "/persons/find", &json!({ "number": PHONE, "reason": "核对" })).await;
    assert_eq!(found["cases"], json!([case_id(2)]), "{found}");
    for (tail, body) in
        [("reveal", json!({ "reason": "核对" })), ("file", json!({})), ("task-links", json!({ "task": 1 }))]
    {
        let (status, refused) = post(&node, &other, &format!("{path}/{tail}"), &body).await;
        assert_eq!((status, &refused["code"]), (StatusCode::FORBIDDEN, &json!("restricted")), "{tail}: {refused}");
    }
    for paper in ["papers/registration.pdf", "dossier.pdf", "dossier"] {
        let (status, refused) = get(&node, &other, &format!("{path}/{paper}?reason=%E6%A0%B8%E5%AF%B9")).await;
        assert_eq!((status, &refused["code"]), (StatusCode::FORBIDDEN, &json!("restricted")), "{paper}: {refused}");
    }
    let page = node.page(&other, &path).await;
    tells_nothing("the page", &page);
    assert!(
        page.contains("您尚未列为本案知情人") && !page.contains("一案一卷") && !page.contains("当事人与经过不在本节点")
    );
    assert!(!node.page(&other, "/").await.contains("我知情的受限案件"));
}

/// The rows of whatever is a list.
fn rows(listed: &Value) -> Vec<Value> {
    let fields = listed.as_object().into_iter().flat_map(|fields| fields.values());
    let lists = std::iter::once(listed).chain(fields).filter_map(Value::as_array);
    lists.flatten().cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn its_readers_find_it_and_a_leader_names_them() {
    let root = tempfile::tempdir().expect("a folder");
    let node = Node::found(&root).await;
    let filer = node.person("filer", &["clerk"]).await;
    let leader = node.person("leader", &["supervisor"]).await;
    let named = node.person("named", &["mediator"]).await;
    node.person("watcher", &["viewer"]).await;
    let case = filed(&node, &filer, 1).await;
    let path = format!("/cases/{case}");
    let (_, mine) = get(&node, &filer, "/restricted").await;
    let told = (&mine[0]["id"], &mine[0]["title"], &mine[0]["ground"], &mine[0]["category"]);
    assert_eq!(told, (&json!(case), &json!("孩子被欺凌"), &json!("minors"), &json!("0201")), "{mine}");
    assert_eq!(get(&node, &named, "/restricted").await.1, json!([]));
    for (user, status) in [("nobody", StatusCode::UNPROCESSABLE_ENTITY), ("watcher", StatusCode::UNPROCESSABLE_ENTITY)]
    {
        let (refused, answer) = post(&node, &leader, &format!("{path}/name-reader"), &json!({ "user": user })).await;
        assert_eq!(refused, status, "{answer}");
    }
    let (status, answer) = post(&node, &leader, &format!("{path}/name-reader"), &json!({ "user": "named" })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    tells_nothing("a leader who names another and not themselves", &answer.to_string());
    let (_, seen) = get(&node, &named, &path).await;
    assert_eq!((&seen["private"]["title"], &seen["category"]), (&json!("孩子被欺凌"), &json!("0201")), "{seen}");
    let readers: Vec<_> =
        seen["restricted"]["readers"].as_array().expect("readers").iter().map(|r| &r["user"]).collect();
    assert_eq!(readers, ["filer", "named"]);
    assert!(node.page(&named, "/").await.contains("我知情的受限案件"));
    assert!(node.page(&named, &path).await.contains("仅下列知情人"));
    let (status, _) = post(&node, &leader, &format!("{path}/drop-reader"), &json!({ "user": "named" })).await;
    assert_eq!(status, StatusCode::OK);
    tells_nothing("a reader of before", &get(&node, &named, &path).await.1.to_string());
    let audit = node.get("/audit").await.to_string();
    assert!(audit.contains("name-reader") && audit.contains("drop-reader"), "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_above_have_a_level_and_a_number_and_a_report_about_the_county_goes_to_the_city() {
    let root = tempfile::tempdir().expect("a folder");
    let (city, county, grid) = three(&root).await;
    let worker = grid.person("worker", &["grid_worker"]).await;
    let mut report = report(3);
    (report["place"], report["ending"]) = (json!(GRID), json!("submit"));
    report["restricted"] = json!({ "ground": "own_people", "against": county.running.config.node.id.to_string() });
    let (status, answer) = post(&grid, &worker, "/cases", &report).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let case = case_id(3);
    let path = format!("/cases/{case}");
    let desk = city.person("desk", &["clerk"]).await;
    until("the city is offered it", async || get(&city, &desk, "/offers").await.1[0]["id"].is_string()).await;
    let (_, offers) = get(&city, &desk, "/offers").await;
    tells_nothing("the offer", &offers.to_string());
    let offer = offers[0]["id"].as_str().expect("an id");
    let (status, answer) = post(&city, &desk, &format!("{path}/offers/{offer}/accept"), &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    until("the city has it", async || get(&city, &desk, &path).await.1["mine"] == json!(true)).await;
    let (_, seen) = get(&city, &desk, &path).await;
    assert_eq!(seen["private"]["title"], "孩子被欺凌", "whoever took it on reads it: {seen}");
    let clerk = county.person("clerk", &["clerk", "supervisor"]).await;
    until("the county follows it", async || get(&county, &clerk, &path).await.0 == StatusCode::OK).await;
    let (_, passed) = get(&county, &clerk, &path).await;
    tells_nothing("the node that it passed by", &passed.to_string());
    assert!(!passed.to_string().contains("own_people"), "nor that it is about its people: {passed}");
    let back = json!({ "to": county.running.config.node.id.to_string() });
    let (_, refused) = post(&city, &desk, &format!("{path}/offer"), &back).await;
    assert_eq!(refused["code"], "about-own-people", "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_its_readers_masks_names_as_every_list_does() {
    let root = tempfile::tempdir().expect("a folder");
    let node = Node::found(&root).await;
    let filer = node.person("filer", &["clerk"]).await;
    let mut named = report(1);
    named["title"] = json!(format!("{NAME}的孩子被欺凌"));
    assert_eq!(post(&node, &filer, "/cases", &named).await.0, StatusCode::CREATED);
    let (_, mine) = get(&node, &filer, "/restricted").await;
    assert_eq!(mine[0]["title"], "钱**的孩子被欺凌", "{mine}");
    assert!(!node.page(&filer, "/").await.contains(NAME));
}
