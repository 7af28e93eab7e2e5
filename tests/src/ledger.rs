//! What nodes answered for while trouble was made, and whether afterwards all of it is where it belongs, each case once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::line::{CITY, FiveLevels, HEALED, case_id, report, standing};
use crate::process::{Node, within};

/// A process that lives answers within this.
const ANSWERED: Duration = Duration::from_secs(3);
/// People of the reports, in turn: a yellow, a red and an orange case.
const PEOPLE: [u32; 3] = [2, 5, 20];

/// Cases whose filing was answered with success.
#[derive(Debug, Default)]
pub struct Ledger {
    filed: Vec<(usize, String)>,
}

/// Files one report; a process that does not answer soon counts as gone.
pub async fn file(node: &Node, case: &str, people: u32) -> Result<(), String> {
    match tokio::time::timeout(ANSWERED, node.post("/cases", &report(case, people, "settle_here"))).await {
        Ok(answer) => answer.map(|_| ()),
        Err(_) => Err("no answer".to_owned()),
    }
}

impl Ledger {
    /// Files reports at nodes in turn until told to stop. What gets no answer is not sent again.
    pub async fn fill(&mut self, nodes: &[(usize, Node)], stop: &AtomicBool, pause: Duration) {
        let mut turn = 0;
        while !stop.load(Ordering::Relaxed) {
            let (at, node) = &nodes[turn % nodes.len()];
            let _ = self.file(*at, node, PEOPLE[turn / nodes.len() % PEOPLE.len()]).await;
            turn += 1;
            tokio::time::sleep(pause).await;
        }
    }

    /// Files one report and remembers it when the answer is yes.
    pub async fn file(&mut self, at: usize, node: &Node, people: u32) -> Result<String, String> {
        let case = case_id();
        file(node, &case, people).await?;
        self.filed.push((at, case.clone()));
        Ok(case)
    }

    /// Cases that were answered for.
    pub fn len(&self) -> usize {
        self.filed.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.filed.is_empty()
    }

    /// Once trouble has ended: what was answered for is at its owner and has one owner, the city holds every red and orange
    /// case as it stands there and no other, and its figures are a count over the owners.
    pub async fn holds(&self, levels: &FiveLevels) {
        levels.all_up().await;
        levels.settled().await;
        let mut owners: BTreeMap<String, usize> = BTreeMap::new();
        let mut escalated = Vec::new();
        for (at, node) in levels.nodes.iter().enumerate() {
            for line in list(node, "mine=true").await {
                let case = word(&line, "id");
                if matches!(word(&line, "level").as_str(), "red" | "orange") {
                    escalated.push(case.clone());
                }
                assert_eq!(owners.insert(case.clone(), at), None, "{case} has two owners");
            }
        }
        for (at, case) in &self.filed {
            assert_eq!(owners.get(case), Some(at), "{case} was answered for and is not at its owner");
        }
        escalated.sort();
        let city = &levels.nodes[CITY];
        within(HEALED, "the city does not list the red and orange cases of all owners, each once", async || {
            let mut listed: Vec<_> = list(city, "escalated=true").await.iter().map(|line| word(line, "id")).collect();
            listed.sort();
            (listed == escalated).then_some(())
        })
        .await;
        for case in &escalated {
            let owner = &levels.nodes[owners[case]];
            assert_eq!(standing(city, case).await, standing(owner, case).await, "{case} at the city and at its owner");
        }
        within(HEALED, "the figures of the city are not a count over the owners", async || {
            let counted = city.get("/figures/totals").await?.get("cases")?.as_u64()?;
            (usize::try_from(counted).ok()? == owners.len()).then_some(())
        })
        .await;
    }
}

fn word(line: &Value, name: &str) -> String {
    line.get(name).and_then(Value::as_str).expect("a line of the list").to_owned()
}

/// All lines of a list, over its pages.
async fn list(node: &Node, which: &str) -> Vec<Value> {
    let (mut lines, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = within(HEALED, &format!("{} does not list its cases", node.division), async || {
            node.get(&format!("/cases?count=200&{which}{cursor}")).await
        })
        .await;
        lines.extend(page.get("cases").and_then(Value::as_array).expect("a page of cases").iter().cloned());
        match page.get("next").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return lines,
        }
    }
}
