//! The grading rules as a browser weighs them, held to what the node says: the same script that pages load, run by Node.js, and every
//! combination of answers under the rules that ship, the other reading of the definitions, and rules made at random.

#[path = "support/ports.rs"]
mod ports;
#[path = "support/served.rs"]
#[expect(unreachable_pub, dead_code, reason = "a public module of other tests too")]
mod served;

use std::io::Write;
use std::process::{Command, Stdio};

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use casework::content::Content;
use casework::grading::{RuleSet, merge};
use protocol::event::Matter;
use protocol::grading::{Answers, Known};
use serde_json::{Value, json};
use tower::Service;

use served::Node;

/// Reads the script and the questions, and answers them.
const HARNESS: &str = r#"
    import { readFileSync } from "node:fs";
    const { script, questions } = JSON.parse(readFileSync(0, "utf8"));
    const rules = await import("data:text/javascript;base64," + Buffer.from(script).toString("base64"));
    const answer = ({ set, matter, earlier, answers }) => [rules.propose(set, matter, answers), rules.merge(earlier, answers)];
    process.stdout.write(JSON.stringify(questions.map(answer)));
"#;

fn every_answer() -> Vec<Answers> {
    let known = [Known::Unknown, Known::No, Known::Yes];
    let mut all = Vec::new();
    for signs in [0, 1, 16, 31] {
        for people in [None, Some(0), Some(4), Some(5), Some(19), Some(20)] {
            for violence in known {
                for petition_talk in known {
                    for (disturbs, effort) in known.into_iter().flat_map(|one| known.map(|other| (one, other))) {
                        all.push(Answers { signs, violence, petition_talk, people, disturbs, effort });
                    }
                }
            }
        }
    }
    all
}

/// Rules that somebody might publish, from a seed.
fn made(seed: u64) -> Value {
    let mut state = seed;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut levels: Vec<u64> = (0..next(6)).map(|_| next(3)).collect();
    levels.sort_unstable();
    let mut rules: Vec<Value> = Vec::new();
    for level in levels {
        let mut when = serde_json::Map::new();
        for field in ["any_sign", "violence", "petition_talk", "disturbs", "effort"] {
            if next(2) == 0 {
                when.insert(field.to_owned(), json!(true));
            }
        }
        if next(2) == 0 {
            when.insert("people".to_owned(), json!(next(25)));
        }
        let level = ["orange", "red", "yellow"][usize::try_from(level).expect("a level")];
        rules.push(json!({ "level": level, "fires": "violence", "when": when }));
    }
    rules.push(json!({ "level": "yellow", "fires": "any_dispute", "when": {} }));
    json!({ "schema": 1, "rules": rules })
}

fn weighed(script: &str, questions: &[Value]) -> Vec<Value> {
    let mut node = Command::new("node")
        .args(["--input-type=module", "--eval", HARNESS])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node, which scripts/setup.sh installs");
    let input = json!({ "script": script, "questions": questions }).to_string();
    node.stdin.take().expect("its input").write_all(input.as_bytes()).expect("written");
    let done = node.wait_with_output().expect("an end");
    assert!(done.status.success());
    serde_json::from_slice(&done.stdout).expect("answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_and_the_node_propose_the_same_level_by_the_same_rules() {
    let root = tempfile::tempdir().expect("a folder");
    let node = Node::found(&root).await;
    let request = Request::builder().uri("/grading.js").body(Body::empty()).expect("a request");
    let response = node.router.clone().call(request).await.expect("an answer");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
    let script = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    let script = String::from_utf8(script.to_vec()).expect("text");
    let in_force = node.get("/publications/rules/main").await["content"].clone();
    let and: Value = serde_json::from_str(include_str!("../data/rules-and.json")).expect("JSON");
    let answers = every_answer();
    let mut questions: Vec<(Value, Matter, Answers, Answers)> = Vec::new();
    for set in [&in_force, &and] {
        questions.extend(answers.iter().map(|answers| (set.clone(), Matter::Dispute, Answers::default(), *answers)));
    }
    let every = &answers;
    for (at, answers) in every.iter().enumerate() {
        // Another place in the same list, so that what was known before is told from what is known now.
        let earlier = every[at.wrapping_mul(7_919) % every.len()];
        questions.push((made(u64::try_from(at).expect("small")), Matter::ALL[at % 3], earlier, *answers));
    }
    let asked: Vec<Value> = questions
        .iter()
        .map(|(set, matter, earlier, answers)| json!({ "set": set, "matter": matter, "earlier": earlier, "answers": answers }))
        .collect();
    let told = weighed(&script, &asked);
    assert_eq!(told.len(), questions.len());
    for ((set, matter, earlier, answers), told) in questions.iter().zip(&told) {
        let rules = RuleSet::read(set.to_string().as_bytes()).expect("rules that may be published");
        let (level, fired) = rules.propose(*matter, answers);
        let merged = serde_json::to_value(merge(earlier, answers)).expect("JSON");
        assert_eq!(
            *told,
            json!([{ "level": level, "fired": fired }, merged]),
            "{set} {matter:?} {earlier:?} {answers:?}"
        );
    }
}
