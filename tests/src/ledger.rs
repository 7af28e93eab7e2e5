//! What nodes answered for while trouble was made, and whether afterwards all of it is where it belongs, each case once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

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
        let findings = self.settled(levels).await;
        assert!(findings.is_empty(), "{findings}");
    }

    /// The same, as what is wrong; what only takes a while is waited for.
    pub async fn settled(&self, levels: &FiveLevels) -> Findings {
        levels.all_up().await;
        levels.settled().await;
        let began = Instant::now();
        loop {
            let findings = self.look(levels).await;
            if findings.is_empty() || began.elapsed() > HEALED {
                return findings;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Compares what was answered for with what each node holds now.
    async fn look(&self, levels: &FiveLevels) -> Findings {
        let (mut owners, mut escalated) = (BTreeMap::new(), Vec::new());
        let mut findings = Findings::default();
        for (at, node) in levels.nodes.iter().enumerate() {
            for line in list(node, "mine=true").await {
                let case = word(&line, "id");
                if matches!(word(&line, "level").as_str(), "red" | "orange") {
                    escalated.push(case.clone());
                }
                if owners.insert(case.clone(), at).is_some() {
                    findings.doubled.push(case);
                }
            }
        }
        let missing = self.filed.iter().filter(|(at, case)| owners.get(case) != Some(at));
        findings.lost = missing.map(|(_, case)| case.clone()).collect();
        let city = &levels.nodes[CITY];
        let listed: Vec<_> = list(city, "escalated=true").await.iter().map(|line| word(line, "id")).collect();
        findings.unlike = differing(listed, &escalated);
        for case in &escalated {
            let owner = &levels.nodes[owners[case]];
            if standing(city, case).await != standing(owner, case).await {
                findings.unlike.push(case.clone());
            }
        }
        let totals = city.get("/figures/totals").await.unwrap_or_default();
        let counted = totals.get("cases").and_then(Value::as_u64);
        let owned = u64::try_from(owners.len()).unwrap_or(u64::MAX);
        findings.miscounted = (counted != Some(owned)).then_some((counted, owned));
        findings
    }
}

/// What stands in one list more often than in the other.
fn differing(mut listed: Vec<String>, expected: &[String]) -> Vec<String> {
    let mut missing = Vec::new();
    for case in expected {
        match listed.iter().position(|one| one == case) {
            Some(at) => drop(listed.swap_remove(at)),
            None => missing.push(case.clone()),
        }
    }
    missing.extend(listed);
    missing
}

/// What is not as it must be.
#[derive(Debug, Default)]
pub struct Findings {
    /// Cases that were answered for and are not at their owner.
    pub lost: Vec<String>,
    /// Cases that have two owners.
    pub doubled: Vec<String>,
    /// Red and orange cases that the city lists too often or not, or holds otherwise than their owner.
    pub unlike: Vec<String>,
    /// What the figures of the city say, and what the owners have.
    pub miscounted: Option<(Option<u64>, u64)>,
}

impl Findings {
    /// Whether all is as it must be.
    pub fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty() && self.unlike.is_empty() && self.miscounted.is_none()
    }
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (what, cases) in [("lost", &self.lost), ("doubled", &self.doubled), ("otherwise at the city", &self.unlike)]
        {
            let named: String = cases.iter().map(|case| format!(" {case}")).collect();
            writeln!(f, "  {what:21} {}{named}", cases.len())?;
        }
        match self.miscounted {
            None => writeln!(f, "  {:21} a count over the owners", "the city's figures"),
            Some((counted, owned)) => {
                writeln!(f, "  {:21} {counted:?}, and the owners have {owned}", "the city's figures")
            }
        }
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
