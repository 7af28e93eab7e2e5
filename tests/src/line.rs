//! Five processes, one below the other, each link through a relay, and the work that tests give them.

use std::path::Path;
use std::time::Duration;

use protocol::id::CaseId;
use protocol::time::UnixMillis;
use serde_json::{Value, json};

use crate::process::{Node, within};
use crate::relay::Relay;

/// City, county, township, community, grid.
pub const PATH: [&str; 5] = ["330600000000", "330602000000", "330602001000", "330602001001", "330602001001001"];
/// Index of the city in [`PATH`].
pub const CITY: usize = 0;
/// Index of the county in [`PATH`].
pub const COUNTY: usize = 1;
/// Index of the township in [`PATH`].
pub const TOWNSHIP: usize = 2;
/// Index of the community in [`PATH`].
pub const COMMUNITY: usize = 3;
/// Index of the grid in [`PATH`].
pub const GRID: usize = 4;
/// How long something may take to arrive after trouble has ended.
pub const HEALED: Duration = Duration::from_secs(60);

/// Five nodes and the relays between them.
#[derive(Debug)]
pub struct FiveLevels {
    /// From the city down.
    pub nodes: Vec<Node>,
    /// `relays[i]` stands before `nodes[i]`; the grid has none.
    pub relays: Vec<Relay>,
}

impl FiveLevels {
    /// Founds, joins and starts all five.
    pub async fn raise(root: &Path) -> Self {
        Self::raise_on(root, None).await
    }

    /// The same with the rows of all five in one database on a server.
    pub async fn raise_on(root: &Path, database: Option<&str>) -> Self {
        let mut nodes = vec![Node::found_on(root, PATH[CITY], database)];
        let mut relays = Vec::new();
        nodes[CITY].start().await;
        for division in &PATH[1..] {
            let above = nodes.last().expect("a parent");
            let relay = Relay::before(above.link).await.expect("a relay");
            let mut node = Node::join(root, division, above, relay.address);
            relays.push(relay);
            node.start().await;
            nodes.push(node);
        }
        let levels = Self { nodes, relays };
        levels.all_up().await;
        levels
    }

    /// The same with every link over TCP, and no relays.
    pub async fn raise_over_tcp(root: &Path) -> Self {
        let mut nodes: Vec<Node> = Vec::new();
        for division in PATH {
            let mut node = match nodes.last() {
                None => Node::found(root, division),
                Some(above) => Node::join_over_tcp(root, division, above),
            };
            node.listen_on_tcp();
            node.start().await;
            nodes.push(node);
        }
        let levels = Self { nodes, relays: Vec::new() };
        levels.all_up().await;
        levels
    }

    /// Waits until every link is up.
    pub async fn all_up(&self) {
        for node in &self.nodes[1..] {
            within(HEALED, &format!("the link of {} is not up", node.division), async || {
                parent_up(node).await.filter(|up| *up)
            })
            .await;
        }
    }

    /// Waits until nothing is on its way any more.
    pub async fn settled(&self) {
        within(HEALED, "something is still on its way", async || {
            for node in &self.nodes {
                let status = node.get("/status").await?;
                // Facts are sent a little later than what they are about.
                if status.get("figures_waiting")?.as_i64()? + status.get("unreceipted")?.as_i64()? > 0 {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }
}

/// Whether a node's link to its parent is up.
pub async fn parent_up(node: &Node) -> Option<bool> {
    let status = node.get("/status").await?;
    let links = status.get("links")?.as_array()?;
    Some(links.iter().any(|l| {
        l.get("parent").and_then(Value::as_bool) == Some(true) && l.get("up").and_then(Value::as_bool) == Some(true)
    }))
}

/// A fresh case id.
pub fn case_id() -> String {
    let mut random = [0; 10];
    getrandom::fill(&mut random).expect("randomness");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
    CaseId::new(UnixMillis(i64::try_from(now.as_millis()).expect("a clock before year 292277026")), random).to_string()
}

/// A report of a dispute in which people speak of petitioning: twenty or more make it orange, five or more red.
pub fn report(case: &str, people: u32, ending: &str) -> Value {
    json!({
        "case": case, "matter": "dispute", "source": "grid", "category": 402, "place": PATH[GRID], "grid_kind": "basic",
        "title": "物业纠纷", "narrative": "业主周慧敏与物业经理鲍德海争执，电话13857512345。",
        "parties": [
            { "side": "applicant", "name": "周慧敏", "phone": "13857512345", "address": "" },
            { "side": "respondent", "name": "鲍德海", "phone": "", "address": "" },
        ],
        "answers": { "signs": 0, "violence": "no", "petition_talk": "yes", "people": people, "disturbs": "yes", "effort": "unknown" },
        "head_count": people, "ending": ending,
    })
}

/// What a node shows of where a case stands: epoch, number and head.
pub async fn standing(node: &Node, case: &str) -> Option<Value> {
    let seen = node.get(&format!("/cases/{case}")).await?;
    Some(json!([seen.get("epoch")?, seen.get("number")?, seen.get("head")?]))
}
