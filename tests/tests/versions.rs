//! Nodes of two versions: today's program, and that of the last release (whose source is in `tests/released`, and which
//! `scripts/released.sh` builds), beside each other and one after the other on the same folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::id::NodeId;
use protocol::wire::later::Foreign;
use serde_json::{Value, json};
use wuji_tests::hostile::Hostile;
use wuji_tests::line::{CITY, COUNTY, HEALED, PATH, TOWNSHIP, case_id, parent_up, report, standing};
use wuji_tests::process::{Node, program, released, within};

/// A city and a county, each by its program.
async fn pair(root: &Path, above: PathBuf, below: PathBuf) -> (Node, Node) {
    let mut city = Node::found_by(above, root, PATH[CITY]);
    city.start().await;
    let mut county = Node::join_by(below, root, PATH[COUNTY], &city);
    county.start().await;
    within(HEALED, "the link is not up", async || parent_up(&county).await.filter(|up| *up)).await;
    (city, county)
}

/// The two of today's program with a township below, which is not a node of this program but speaks as a newer or an older one.
async fn above_another(root: &Path) -> (Node, Node, Hostile) {
    let (city, county) = pair(root, program(), program()).await;
    let township = Node::join(root, PATH[TOWNSHIP], &county, county.link);
    (city, county, Hostile::of(&township.folder))
}

/// The id of a node.
async fn id(node: &Node) -> NodeId {
    let status = node.get("/status").await.expect("a status");
    status["node"].as_str().and_then(|id| id.parse().ok()).expect("an id")
}

/// A red case, filed at the county.
async fn red(county: &Node) -> String {
    let case = case_id();
    let mut red = report(&case, 5, "settle_here");
    red["place"] = json!(PATH[COUNTY]);
    county.post("/cases", &red).await.expect("the report is filed");
    case
}

async fn at_the_city(city: &Node, county: &Node, case: &str) {
    within(HEALED, "the case is not at the city as at its owner", async || {
        (standing(city, case).await? == standing(county, case).await?).then_some(())
    })
    .await;
}

/// An order from above, and its answer.
async fn is_ordered_and_answers(city: &Node, county: &Node, case: &str) {
    let path = format!("/cases/{case}");
    let directive = json!({ "form": "supervise", "text": "请两日内报告。", "term_days": 2 });
    city.post(&format!("{path}/directives"), &directive).await.expect("a directive");
    let order = within(HEALED, "the directive is not at the county", async || {
        Some(county.get(&path).await?.pointer("/orders/0/id")?.as_str()?.to_owned())
    })
    .await;
    let answer = json!({ "text": "已组织调解。" });
    county.post(&format!("{path}/orders/{order}/answer"), &answer).await.expect("answered");
    within(HEALED, "the city does not see the answer", async || {
        let told = city.get(&path).await?.pointer("/orders/0/answer_text")?.as_str()?.to_owned();
        (told == "已组织调解。").then_some(())
    })
    .await;
}

/// Nothing was kept aside, on either side.
async fn nothing_was_refused(nodes: [&Node; 2]) {
    for node in nodes {
        let status = node.get("/status").await.expect("a status");
        assert_eq!(status["quarantined"], 0, "{}: {status}", node.division);
    }
}

async fn work_together(above: PathBuf, below: PathBuf) {
    let root = tempfile::tempdir().expect("a folder");
    let (city, county) = pair(root.path(), above, below).await;
    let case = red(&county).await;
    at_the_city(&city, &county, &case).await;
    is_ordered_and_answers(&city, &county, &case).await;
    at_the_city(&city, &county, &case).await;
    within(HEALED, "the figures of the city do not hold the case", async || {
        (city.get("/figures/totals").await?.get("cases")?.as_i64()? == 1).then_some(())
    })
    .await;
    nothing_was_refused([&city, &county]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_county_of_the_last_release_works_below_a_city_of_today() {
    work_together(program(), released()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_county_of_today_works_below_a_city_of_the_last_release() {
    work_together(released(), program()).await;
}

/// Every case of a node, as its list shows them, but for when its row was last touched: a receipt that comes late touches it.
async fn cases(node: &Node) -> Vec<Value> {
    let page = node.get("/cases?count=200").await.expect("a list");
    let mut cases = page["cases"].as_array().expect("cases").clone();
    for case in cases.iter_mut().filter_map(Value::as_object_mut) {
        case.retain(|field, _| !field.starts_with("changed_"));
    }
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_the_last_release_is_brought_up_with_all_that_is_in_it_and_refused_to_the_older_program_afterwards()
{
    let root = tempfile::tempdir().expect("a folder");
    let (city, mut county) = pair(root.path(), released(), released()).await;
    let before = red(&county).await;
    at_the_city(&city, &county, &before).await;
    is_ordered_and_answers(&city, &county, &before).await;
    let listed = cases(&county).await;
    county.kill();

    county.change_to(program());
    county.start().await;
    assert_eq!(cases(&county).await, listed, "what was there is there");
    within(HEALED, "the link is not up", async || parent_up(&county).await.filter(|up| *up)).await;
    let after = red(&county).await;
    at_the_city(&city, &county, &after).await;
    let listed = cases(&county).await;
    county.kill();

    county.change_to(released());
    county.start_with(&[]);
    let said = county.ended(Duration::from_secs(30)).await;
    assert!(said.contains("database") && said.contains("version") || said.contains("migration"), "{said}");

    county.change_to(program());
    county.start().await;
    assert_eq!(cases(&county).await, listed, "the older program has touched nothing");
    at_the_city(&city, &county, &after).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_newer_child_knows_is_kept_and_passed_on_by_those_above_and_nobody_raises_an_alarm() {
    let root = tempfile::tempdir().expect("a folder");
    let (city, county, mut newer) = above_another(root.path()).await;
    let mut link = newer.greet().await;
    for (seq, to) in [(1, &county), (2, &city)] {
        let node = id(to).await;
        let sent = newer.send_unknown(&link, seq, node);
        assert_eq!(
            newer.receipt(&mut link, sent).await.head().origin,
            node,
            "its destination says that it has it: {}",
            to.division
        );
    }
    for node in [&city, &county] {
        let status = node.get("/status").await.expect("a status");
        assert_eq!((&status["quarantined"], &status["alarms"]), (&json!(0), &json!([])), "{}", node.division);
    }
    for node in [&city, &county] {
        assert_eq!(unread_and_refused(node).await.0, json!(1), "it waits for a newer program: {}", node.division);
    }
    let case = red(&county).await;
    at_the_city(&city, &county, &case).await;
}

/// The number of bundles that a node cannot read whole, and the nodes that have refused what it sent.
async fn unread_and_refused(node: &Node) -> (Value, Vec<Value>) {
    let status = node.get("/status").await.expect("a status");
    let refused = status["not_understood"].as_array().expect("nodes").iter();
    (status["unread"].clone(), refused.map(|refusals| refusals["node"].clone()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_09_what_must_be_understood_comes_back_as_refused_through_those_between_and_is_not_kept() {
    let root = tempfile::tempdir().expect("a folder");
    let (city, county, mut newer) = above_another(root.path()).await;
    let mut link = newer.greet().await;
    for (seq, to) in [(1, &county), (2, &city)] {
        let node = id(to).await;
        let sent = newer.send_to_be_understood(&link, seq, node);
        let (refused, by) = newer.refusal(&mut link, sent).await;
        assert!(by == node && refused.len() == 1 && refused[0].kind.must_be_understood(), "{by}: {refused:?}");
    }
    for node in [&county, &city] {
        assert_eq!(unread_and_refused(node).await, (json!(0), vec![]), "{}", node.division);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sent_what_an_older_node_refused_is_told_by_an_alarm_and_sees_it_in_its_status() {
    let root = tempfile::tempdir().expect("a folder");
    let (_city, county, mut older) = above_another(root.path()).await;
    let mut link = older.greet().await;
    let sent = older.send_unknown(&link, 1, id(&county).await);
    let came = older.receipt(&mut link, sent).await;
    let message = came.messages()[0].clone();
    let foreign = Foreign { message: message.id, kind: message.kind, schema: message.schema };
    // It was never sent: nobody believes that it was refused.
    older.refuse(&link, 2, &came, vec![Foreign { schema: 9, ..foreign }]);
    let told = older.refuse(&link, 3, &came, vec![foreign]);
    older.receipt(&mut link, told).await;
    let status = county.get("/status").await.expect("a status");
    assert_eq!(unread_and_refused(&county).await, (json!(1), vec![json!(older.node().to_string())]), "{status}");
    assert_eq!((&status["not_understood"][0]["messages"], &status["quarantined"]), (&json!(1), &json!(1)));
    let alarms = status["alarms"].as_array().expect("alarms");
    assert!(alarms.iter().any(|alarm| alarm["what"].as_str().is_some_and(|what| what.contains("upgrade"))), "{status}");
}
