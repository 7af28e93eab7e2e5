//! Twenty-one real mediations retold: each goes through the API of five nodes from its report to the archive, by the path of owners and
//! the turns that were reported of it (`retold/cases.json`: facts alone, in our own words). What came out is `docs/retold.md`.

#[path = "support/ports.rs"]
mod ports;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;
#[path = "retold/turns.rs"]
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use tower::Service;

use served::Node;
use turns::{Teller, patiently};

/// The nodes, from the top down.
const LEVELS: [(&str, &str); 5] = [
    ("city", "330600000000"),
    ("county", "330602000000"),
    ("township", "330602001000"),
    ("community", "330602001001"),
    ("grid", "330602001001001"),
];
/// What their divisions are called; the table that ships names none below the township.
const NAMES: [&str; 5] = ["绍兴市", "越城区", "塔山街道", "330602001001", "330602001001001"];
/// 立卷归档, as it stands in an address.
const REASON: &str = "reason=%E7%AB%8B%E5%8D%B7%E5%BD%92%E6%A1%A3";

/// A case as it is retold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Retold {
    id: String,
    title: String,
    category: u16,
    source: String,
    /// Who entrusted the mediation; absent: the parties asked for it.
    #[serde(default)]
    entrusted: Option<String>,
    parties: usize,
    start: String,
    /// So many cases of one employer, one after the other.
    #[serde(default)]
    batch: Option<usize>,
    turns: Vec<String>,
    terms: Vec<String>,
    #[serde(default)]
    amount: Option<u64>,
    ending: String,
}

impl Retold {
    /// Through which nodes it goes.
    fn path(&self) -> Vec<&str> {
        let moves = self.turns.iter().filter_map(|turn| turn.strip_prefix("move:"));
        std::iter::once(self.start.as_str()).chain(moves).collect()
    }
}

struct City(BTreeMap<&'static str, Node>);

impl City {
    async fn raise(root: &tempfile::TempDir) -> Self {
        let mut nodes = BTreeMap::new();
        let mut above: Option<&'static str> = None;
        for (level, division) in LEVELS {
            let node = match above.and_then(|above| nodes.get(above)) {
                None => Node::found(root).await,
                Some(above) => Node::join(root, above, division).await,
            };
            nodes.insert(level, node);
            above = Some(level);
        }
        Self(nodes)
    }

    fn at(&self, level: &str) -> &Node {
        self.0.get(level).unwrap_or_else(|| panic!("no node is called {level}"))
    }

    /// The level of a node by its name: each knows itself by the name that it was given, and others by their divisions.
    fn level_of(&self, name: &str) -> &'static str {
        let named = LEVELS.iter().zip(NAMES).find(|((_, code), known)| *code == name || *known == name);
        named.map_or("?", |((level, _), _)| level)
    }
}

/// What is told of a case once it is archived.
struct Told {
    path: Vec<&'static str>,
    kinds: BTreeSet<String>,
    terms: usize,
    slots: (usize, usize),
    pages: usize,
}

async fn pdf(node: &Node, case: &str) -> Vec<u8> {
    let path = format!("/api/v1/cases/{case}/dossier.pdf?{REASON}");
    loop {
        let request = Request::get(&path).header(header::AUTHORIZATION, format!("Bearer {}", node.operator));
        let response =
            node.router.clone().call(request.body(Body::empty()).expect("a request")).await.expect("an answer");
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body").to_vec();
        if status == StatusCode::OK {
            return bytes;
        }
        // Printing is bounded for each caller.
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{}", String::from_utf8_lossy(&bytes));
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
}

/// The text of each page, without blanks.
fn pages(pdf: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dossier.pdf");
    std::fs::write(&path, pdf).expect("written");
    let told = Command::new("pdftotext").arg("-layout").arg(&path).arg("-").output();
    let text = String::from_utf8(told.expect("pdftotext; make setup-test").stdout).expect("text");
    let mut pages: Vec<String> = text.split('\u{c}').map(|page| page.split_whitespace().collect()).collect();
    pages.pop();
    pages
}

/// Looks at an archived case and its bound dossier.
async fn look(city: &City, retold: &Retold, case: &str, level: &str) -> Told {
    let node = city.at(level);
    let seen = patiently(node, "GET", &format!("/cases/{case}"), None).await.1;
    assert_eq!((&seen["step"], &seen["void"]), (&"archived".into(), &false.into()), "{}: {seen}", retold.id);
    let events = seen["events"].as_array().expect("events");
    let mut path: Vec<&'static str> = Vec::new();
    for event in events {
        let level = city.level_of(event["owner_name"].as_str().unwrap_or_default());
        if path.last() != Some(&level) {
            path.push(level);
        }
    }
    let kinds = events.iter().filter_map(|event| event["act"]["act"].as_str().map(str::to_owned)).collect();
    let dossier = patiently(node, "GET", &format!("/cases/{case}/dossier"), None).await.1;
    let slots = dossier["slots"].as_array().expect("slots");
    let filled =
        slots.iter().filter(|slot| matches!(slot["state"].as_str(), Some("made" | "signed" | "brought"))).count();
    let missing: Vec<_> = slots.iter().filter(|slot| slot["must"] == true && slot["holds_up"] == true).collect();
    assert!(missing.is_empty(), "{}: {missing:?}", retold.id);
    let (first, second) = (pdf(node, case).await, pdf(node, case).await);
    assert!(first == second, "{}: two runs differ", retold.id);
    let pages = pages(&first);
    let text = pages.concat();
    for term in &retold.terms {
        assert!(text.contains(term.as_str()), "{}: {term} is not in the dossier", retold.id);
    }
    assert!(!text.contains('\u{fffd}'), "{}: a character could not be printed", retold.id);
    Told { path, kinds, terms: met(&seen), slots: (filled, slots.len()), pages: pages.len() }
}

/// How many steps of the loop were reached, each within its term: none is left open.
fn met(seen: &Value) -> usize {
    assert_eq!(seen["next_term"], Value::Null, "{seen}");
    seen["steps"].as_array().expect("steps").iter().filter(|step| step["state"] == "done").count()
}

fn row(page: &mut String, retold: &Retold, told: &Told) {
    let kinds: Vec<&str> = told.kinds.iter().map(String::as_str).collect();
    let cases = retold.batch.unwrap_or(1);
    let (filled, all) = told.slots;
    let line = writeln!(
        page,
        "| {} | {} | {cases} | {} | {} | {} | {filled} of {all} | {} |",
        retold.id,
        retold.title,
        told.path.join(" → "),
        kinds.join(", "),
        told.terms,
        told.pages
    );
    line.expect("a string");
}

const HEAD: &str = "# Twenty-one mediations, retold

Real mediations that were reported in public, told again with the program: who had the case, what was done, how it ended. Names and places
are invented; the words are ours. `node/tests/retold.rs` goes through each over the API of five nodes, from the report to the archive, and
compares this page with what came out. For each: its cases, the path of its owners, the kinds of its events, the steps that it reached
within their terms, the slots of its dossier that are filled, and the pages of the bound file. Where a report does not say how a matter ended,
it ends here without an agreement, by a referral or as not settled.

| case | matter | cases | owners | events | steps | slots | pages |
|---|---|---|---|---|---|---|---|
";

#[tokio::test(flavor = "multi_thread")]
async fn each_case_goes_the_way_that_was_reported_of_it_and_its_file_holds_what_was_agreed() {
    let root = tempfile::tempdir().expect("a folder");
    let city = City::raise(&root).await;
    let all: Vec<Retold> = serde_json::from_str(include_str!("retold/cases.json")).expect("cases");
    assert_eq!(all.len(), 21);
    let (mut page, mut number) = (HEAD.to_owned(), 0);
    for retold in &all {
        let mut first: Option<String> = None;
        for _ in 0..retold.batch.unwrap_or(1) {
            number += 1;
            let mut teller = Teller::file(&city, retold, number).await;
            if let Some(first) = &first {
                teller.link(first).await;
            }
            teller.tell().await;
            first.get_or_insert_with(|| teller.case.clone());
        }
        let case = first.expect("a case");
        let told = look(&city, retold, &case, retold.path().last().expect("a node")).await;
        assert_eq!(told.path, retold.path(), "{}", retold.id);
        row(&mut page, retold, &told);
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/retold.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(file, &page).expect("written");
    }
    assert_eq!(page, std::fs::read_to_string(file).expect("docs/retold.md; UPDATE_GOLDEN=1 writes it"));
}
