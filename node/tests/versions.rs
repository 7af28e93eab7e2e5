//! A node whose program is older than those around it, with real nodes and links in one process: what it does not know is
//! carried on, kept, and read after its upgrade. An older program is played by one that does not read some kinds.

#[path = "support/ports.rs"]
mod ports;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;

use axum::http::StatusCode;
use protocol::wire::kind::Kind;
use protocol::wire::later::Vocabulary;
use serde_json::{Value, json};

use served::{Node, case_id, red_report, three, until};

const HEADER: (Kind, u16) = (Kind(1), 1);
const ORDER: (Kind, u16) = (Kind(10), 1);
const WITHDRAWN: (Kind, u16) = (Kind(12), 1);

impl Node {
    /// The same node, by a program from before these kinds.
    async fn aged(self, later: &[(Kind, u16)]) -> Self {
        let path = self.stop().await;
        Self::start_reading(path, Vocabulary::before(later.iter().copied())).await
    }

    /// The same node, by today's program.
    async fn upgraded(self) -> Self {
        self.aged(&[]).await
    }

    async fn case(&self, case: &str) -> Value {
        self.get(&format!("/cases/{case}")).await
    }

    async fn number(&self, case: &str) -> Option<u64> {
        self.case(case).await.get("number")?.as_u64()
    }

    async fn unread(&self) -> i64 {
        self.running.store.waiting().await.expect("counted").unread
    }

    async fn reports(&self, case: &str) {
        let (status, answer) = self.post("/cases", &red_report(case)).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    }

    async fn directs(&self, case: &str, text: &str) {
        let directive = json!({ "form": "supervise", "text": text, "term_days": 2 });
        let (status, answer) = self.post(&format!("/cases/{case}/directives"), &directive).await;
        assert!(status.is_success(), "{answer}");
    }

    /// The texts of the orders about a case, in their order.
    async fn orders(&self, case: &str) -> Vec<String> {
        let case = self.case(case).await;
        let orders = case["orders"].as_array().cloned().unwrap_or_default();
        let mut texts: Vec<_> = orders.iter().filter_map(|order| Some(order["text"].as_str()?.to_owned())).collect();
        texts.sort();
        texts
    }

    /// How many orders about a case wait for their answer.
    async fn open_orders(&self, case: &str) -> usize {
        let case = self.case(case).await;
        let orders = case["orders"].as_array().cloned().unwrap_or_default();
        orders.iter().filter(|order| order["open"] == json!(true)).count()
    }

    async fn nothing_is_kept_aside(&self) {
        assert_eq!(self.running.store.waiting().await.expect("counted").quarantined, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_09_what_the_middle_does_not_know_passes_it_unchanged_and_is_read_there_after_its_upgrade() {
    let root = tempfile::tempdir().expect("a folder");
    let (city, county, grid) = three(&root).await;
    let county = county.aged(&[HEADER]).await;
    let case = case_id(1);
    grid.reports(&case).await;
    until("the case is at the city", || async { city.number(&case).await == grid.number(&case).await }).await;
    assert_eq!(county.number(&case).await, None, "the program of the county does not know what a header is");
    assert!(county.unread().await > 0);

    let county = county.upgraded().await;
    until("the county has read what passed it", || async { county.number(&case).await == grid.number(&case).await })
        .await;
    assert_eq!(county.unread().await, 0);
    assert_eq!(county.case(&case).await["level"], city.case(&case).await["level"]);
    for node in [&city, &county, &grid] {
        node.nothing_is_kept_aside().await;
    }

    // What was read is not read again.
    let alarms = county.get("/status").await["alarms"].clone();
    let county = county.upgraded().await;
    assert_eq!((county.unread().await, alarms), (0, json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_came_to_an_older_program_are_there_after_its_upgrade_and_one_withdrawn_meanwhile_is_settled() {
    let root = tempfile::tempdir().expect("a folder");
    let (city, county, grid) = three(&root).await;
    let case = case_id(2);
    grid.reports(&case).await;
    until("the case is at the city", || async { city.number(&case).await.is_some() }).await;
    let grid = grid.aged(&[ORDER]).await;
    city.directs(&case, "一，请报告。").await;
    city.directs(&case, "二，请报告。").await;
    until("both orders are at the grid", || async { grid.unread().await == 2 }).await;
    let order = city.case(&case).await["orders"][0]["id"].as_str().expect("an id").to_owned();
    let (status, answer) = city.post(&format!("/cases/{case}/orders/{order}/withdraw"), &json!({})).await;
    assert!(status.is_success(), "{answer}");
    // The withdrawal is of a kind that the older program knows: it is there before the order.
    until("the link is idle", || async { city.get("/status").await["unreceipted"] == json!(0) }).await;
    assert_eq!(grid.orders(&case).await, [""; 0]);

    let grid = grid.upgraded().await;
    until("both orders are read", || async { grid.unread().await == 0 && grid.orders(&case).await.len() == 2 }).await;
    until("the withdrawn one is not open there", || async { grid.open_orders(&case).await == 1 }).await;
    for node in [&city, &county, &grid] {
        node.nothing_is_kept_aside().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_that_knows_some_of_what_waits_reads_that_and_leaves_the_rest() {
    let root = tempfile::tempdir().expect("a folder");
    let (city, _county, grid) = three(&root).await;
    let case = case_id(3);
    grid.reports(&case).await;
    until("the case is at the city", || async { city.number(&case).await.is_some() }).await;
    let grid = grid.aged(&[ORDER, WITHDRAWN]).await;
    city.directs(&case, "请报告。").await;
    let order = city.case(&case).await["orders"][0]["id"].as_str().expect("an id").to_owned();
    city.post(&format!("/cases/{case}/orders/{order}/withdraw"), &json!({})).await;
    until("both are at the grid", || async { grid.unread().await == 2 }).await;
    let grid = grid.aged(&[WITHDRAWN]).await;
    until("the order is read", || async { grid.orders(&case).await.len() == 1 }).await;
    assert!(grid.unread().await > 0, "the withdrawal waits for a still later program");
    assert_eq!(grid.open_orders(&case).await, 1);
    let grid = grid.upgraded().await;
    until("all is read", || async { grid.unread().await == 0 && grid.open_orders(&case).await == 0 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_one_transaction_takes_is_read_to_its_end() {
    let root = tempfile::tempdir().expect("a folder");
    let (city, _county, grid) = three(&root).await;
    let case = case_id(4);
    grid.reports(&case).await;
    until("the case is at the city", || async { city.number(&case).await.is_some() }).await;
    let grid = grid.aged(&[ORDER]).await;
    for number in 0..20 {
        city.directs(&case, &format!("请报告（{number}）。")).await;
    }
    until("all orders are at the grid", || async { grid.unread().await == 20 }).await;
    let grid = grid.upgraded().await;
    until("all are read", || async { grid.unread().await == 0 && grid.orders(&case).await.len() == 20 }).await;
    grid.nothing_is_kept_aside().await;
}
