//! A community hangs below another township from now on, with real nodes and links in one process: nothing under way is lost
//! or doubled, no level counts it twice or not at all, and nobody orders it who is not above both places.

#[path = "support/ports.rs"]
mod ports;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use wuji::config::Config;

use served::{COUNTY, GRID, Node, case_id, red_report, until};

const OLD: &str = "330602001000";
const NEW: &str = "330602002000";
const COMMUNITY: &str = "330602001001";
const OTHER_COUNTY: &str = "330603000000";
const FAR: &str = "330603001000";

impl Node {
    /// The same node, which sends its figures without waiting.
    async fn quick(self) -> Self {
        let path = self.stop().await;
        let mut config = Config::load(&path).expect("a configuration");
        (config.figures.every_ms, config.figures.heartbeat_ms) = (100, 2_000);
        config.save(&path).expect("saved");
        Self::start(path).await
    }

    async fn below(root: &TempDir, above: &Self, division: &str) -> Self {
        Self::join(root, above, division).await.quick().await
    }

    async fn report(&self, case: &str) {
        let (status, answer) = self.post("/cases", &red_report(case)).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    }

    async fn holds(&self, case: &str) -> bool {
        self.running.store.holds_case(case.parse().expect("an id")).await.expect("read")
    }

    fn line(&self) -> Vec<String> {
        self.running.shared.line().iter().map(|above| above.division.to_string()).collect()
    }

    fn linked_up(&self) -> bool {
        let shared = &self.running.shared;
        shared.line().first().is_some_and(|parent| shared.is_up(parent.node))
    }

    async fn linked(&self) {
        until("the link to the parent is up", || async { self.linked_up() }).await;
    }

    async fn order_move(&self, node: &str, to: &Self) -> (StatusCode, Value) {
        let below = to.running.config.node.division.to_string();
        let address = to.running.config.link.advertise.clone();
        self.post("/trust", &json!({ "act": "move", "node": node, "below": below, "address": address })).await
    }

    async fn moves(&self) -> Vec<Value> {
        self.get("/trust").await["moves"].as_array().cloned().unwrap_or_default()
    }

    /// How many cases this node counts, in all, or in one division.
    async fn counted(&self, within: Option<&str>) -> u64 {
        let within = within.map(|code| format!("?within={code}")).unwrap_or_default();
        self.get(&format!("/figures{within}")).await["total"]["numerator"].as_u64().unwrap_or(0)
    }

    /// How many cases this node counts for each township below it.
    async fn by_township(&self) -> Vec<(String, u64)> {
        let answer = self.get("/figures?by=township").await;
        let line = |line: &Value| {
            (line["keys"][0]["value"].as_str().unwrap_or_default().to_owned(), line["numerator"].as_u64().unwrap_or(0))
        };
        answer["lines"].as_array().map(|lines| lines.iter().map(line).collect()).unwrap_or_default()
    }

    async fn kept_aside(&self) -> i64 {
        self.get("/status").await["quarantined"].as_i64().unwrap_or(-1)
    }

    async fn unreceipted(&self) -> i64 {
        self.get("/status").await["unreceipted"].as_i64().unwrap_or(-1)
    }
}

/// A city with a county of two townships; a community with a grid hangs below the first.
struct City {
    city: Node,
    county: Node,
    old: Node,
    new: Node,
    community: Node,
    grid: Node,
}

impl City {
    async fn build(root: &TempDir) -> Self {
        let city = Node::found(root).await.quick().await;
        let county = Node::below(root, &city, COUNTY).await;
        county.linked().await;
        let old = Node::below(root, &county, OLD).await;
        let new = Node::below(root, &county, NEW).await;
        old.linked().await;
        let community = Node::below(root, &old, COMMUNITY).await;
        community.linked().await;
        let grid = Node::below(root, &community, GRID).await;
        grid.linked().await;
        Self { city, county, old, new, community, grid }
    }

    fn all(&self) -> [&Node; 6] {
        [&self.city, &self.county, &self.old, &self.new, &self.community, &self.grid]
    }

    async fn nothing_is_kept_aside(&self) {
        for node in self.all() {
            assert_eq!(node.kept_aside().await, 0, "{}: {}", node.running.config.node.name, node.get("/status").await);
        }
    }
}

fn folder() -> TempDir {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("WUJI_LOG") {
        // Another test of this process may have begun it.
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    }
    tempfile::tempdir().expect("a folder")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_community_moves_with_its_grid_its_cases_and_an_order_that_was_under_way() {
    let root = folder();
    let mut all = City::build(&root).await;
    let (early, late) = (case_id(1), case_id(2));
    all.grid.report(&early).await;
    until("the city holds the case", || all.city.holds(&early)).await;
    until("the old township counts it", || async { all.old.counted(None).await == 1 }).await;

    // An order waits at the old township for a community that is off.
    let path = all.community.stop().await;
    let order = json!({ "form": "supervise", "text": "请三日内报告进展。", "term_days": 3 });
    let (status, answer) = all.city.clerk("POST", &format!("/cases/{early}/directives"), Some(&order)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    until("the order waits there", || async { all.old.unreceipted().await > 0 }).await;

    let (status, answer) = all.county.order_move(COMMUNITY, &all.new).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    for node in [&all.city, &all.county, &all.old, &all.new] {
        until("everybody hears of the move", || async { node.moves().await.len() == 1 }).await;
    }
    all.community = Node::start(path).await;

    until("the grid sees the new line", || async { all.grid.line() == [COMMUNITY, NEW, COUNTY, served::CITY] }).await;
    all.community.linked().await;
    until("the order is there", || async {
        all.grid.get("/orders").await["to_answer"].as_array().is_some_and(|orders| orders.len() == 1)
    })
    .await;
    until("the new township follows the case from the first", || all.new.holds(&early)).await;
    assert!(all.old.holds(&early).await, "what the old township saw stays readable there");
    until("nothing waits for a receipt", || async {
        all.city.unreceipted().await == 0 && all.county.unreceipted().await == 0 && all.grid.unreceipted().await == 0
    })
    .await;

    all.grid.report(&late).await;
    until("the city holds the later case", || all.city.holds(&late)).await;
    assert!(all.new.holds(&late).await);
    assert!(!all.old.holds(&late).await, "the old township sees nothing new");
    until("the new township counts both", || async { all.new.counted(None).await == 2 }).await;
    assert_eq!(all.old.counted(None).await, 0, "the old one counts neither");
    assert_eq!(all.old.counted(Some(COMMUNITY)).await, 1, "and shows what it held, to whoever asks for the community");
    for above in [&all.city, &all.county] {
        until("all is counted once above", || async { above.counted(None).await == 2 }).await;
        assert_eq!(above.by_township().await, [(NEW.to_owned(), 2)]);
        assert_eq!(above.counted(Some(OLD)).await, 0);
    }
    all.nothing_is_kept_aside().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_parent_that_was_cut_off_does_no_harm_when_it_comes_back() {
    let root = folder();
    let mut all = City::build(&root).await;
    let (caught, later) = (case_id(1), case_id(2));
    // The old township has a case that it could not pass on, and then is gone itself.
    let county = all.county.stop().await;
    all.grid.report(&caught).await;
    until("the old township holds the case", || all.old.holds(&caught)).await;
    let old = all.old.stop().await;
    all.county = Node::start(county).await;
    all.county.linked().await;
    all.new.linked().await;
    let (status, answer) = all.county.order_move(COMMUNITY, &all.new).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    until("the new township knows", || async { all.new.moves().await.len() == 1 }).await;
    assert!(all.community.moves().await.is_empty(), "no link brings the order");

    let text = all.county.moves().await[0]["order"].as_str().expect("the order").to_owned();
    let (status, answer) = all.community.post("/trust", &json!({ "act": "follow", "order": text })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    until("the grid sees the new line", || async { all.grid.line() == [COMMUNITY, NEW, COUNTY, served::CITY] }).await;
    until("what the old township had not passed on is there", || all.city.holds(&caught)).await;
    all.grid.report(&later).await;
    until("and so is what came later", || all.city.holds(&later)).await;

    all.old = Node::start(old).await;
    all.old.linked().await;
    until("it learns that the community is gone", || async { all.old.moves().await.len() == 1 }).await;
    until("and has given away what it still held", || async { all.old.unreceipted().await == 0 }).await;
    let peers = all.old.get("/links").await;
    assert_eq!(peers.as_array().map(Vec::len), Some(1), "only its parent is left: {peers}");
    assert!(!all.old.holds(&later).await);
    until("all is counted once", || async { all.city.counted(None).await == 2 && all.new.counted(None).await == 2 })
        .await;
    assert_eq!(all.city.by_township().await, [(NEW.to_owned(), 2)]);
    all.nothing_is_kept_aside().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_that_takes_several_transactions_goes_by_the_new_way_as_a_whole() {
    const BACKLOG: u8 = 80;
    let root = folder();
    let all = City::build(&root).await;
    all.old.stop().await;
    let cases: Vec<String> = (1..=BACKLOG).map(case_id).collect();
    for case in &cases {
        all.grid.report(case).await;
    }
    until("the community holds the last", || all.community.holds(&cases[cases.len() - 1])).await;
    assert!(all.community.unreceipted().await >= i64::from(BACKLOG), "more than one transaction looks at");
    let (status, answer) = all.county.order_move(COMMUNITY, &all.new).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    until("the new township knows", || async { all.new.moves().await.len() == 1 }).await;
    let text = all.county.moves().await[0]["order"].as_str().expect("the order").to_owned();
    let (status, answer) = all.community.post("/trust", &json!({ "act": "follow", "order": text })).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    for case in &cases {
        until("the city holds the case", || all.city.holds(case)).await;
    }
    until("nothing waits for a receipt", || async { all.community.unreceipted().await == 0 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_is_above_both_places_moves_a_node_and_a_restart_changes_nothing_of_it() {
    let root = folder();
    let mut all = City::build(&root).await;
    let far_county = Node::below(&root, &all.city, OTHER_COUNTY).await;
    far_county.linked().await;
    let far = Node::below(&root, &far_county, FAR).await;
    far.linked().await;
    for (who, by) in [("the new parent", &all.new), ("the old parent", &all.old), ("the community", &all.community)] {
        let (status, answer) = by.order_move(COMMUNITY, &all.new).await;
        assert_eq!(status, StatusCode::CONFLICT, "{who}: {answer}");
    }
    let (status, _) = all.county.order_move(COMMUNITY, &far).await;
    assert_eq!(status, StatusCode::CONFLICT, "a county gives nothing away to another");
    let (status, _) = all.city.order_move(COMMUNITY, &all.grid).await;
    assert_eq!(status, StatusCode::CONFLICT, "nobody hangs below themselves");
    let (status, _) = all.city.order_move(NEW, &all.community).await;
    assert_eq!(status, StatusCode::CONFLICT, "a township does not hang below a community");
    for node in all.all() {
        assert!(node.moves().await.is_empty());
    }

    let (status, answer) = all.city.order_move(COMMUNITY, &far).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let far_line = [COMMUNITY, FAR, OTHER_COUNTY, served::CITY];
    until("the grid sees the other county", || async { all.grid.line() == far_line }).await;
    let forged =
        all.community.moves().await[0]["order"].as_str().expect("the order").replace("wuji-move1.A", "wuji-move1.B");
    let (status, _) = all.community.post("/trust", &json!({ "act": "follow", "order": forged })).await;
    assert_ne!(status, StatusCode::OK, "an altered order is not believed");

    let case = case_id(1);
    all.community = Node::start(all.community.stop().await).await;
    let far = Node::start(far.stop().await).await;
    all.old = Node::start(all.old.stop().await).await;
    all.community.linked().await;
    all.grid.report(&case).await;
    until("the city holds the case", || all.city.holds(&case)).await;
    assert!(far.holds(&case).await && far_county.holds(&case).await);
    assert!(!all.county.holds(&case).await && !all.old.holds(&case).await);
    until("the other county counts it", || async { far_county.counted(None).await == 1 }).await;
    assert_eq!(all.county.counted(None).await, 0);
    let (status, _) = far_county.order_move(GRID, &far).await;
    assert_eq!(status, StatusCode::OK, "who is above both now may move what came");
    until("the grid hangs on its township", || async { all.grid.line() == [FAR, OTHER_COUNTY, served::CITY] }).await;
    all.nothing_is_kept_aside().await;
}
