//! The description of the API, walked with every role, with none, and with log-ins that ended. What is expected stands in
//! `matrix.txt`, which was written from the design and shares nothing with the table that the guard asks: an operation that
//! is not in both fails, and so does one that they judge differently.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use casework::Role;
use protocol::id::CaseId;
use protocol::time::UnixMillis;
use serde_json::{Value, json};
use wuji::api::rights;
use wuji::api::router;
use wuji::person::roles;

use crate::harness::{Answer, Node, OTHER_COUNTY};

/// An operation of the description.
struct Operation {
    method: String,
    path: String,
    /// Whom the matrix lets in.
    lets_in: BTreeSet<String>,
    described: Value,
}

/// Whoever has not logged in, as the matrix calls them.
const NOBODY: &str = "nobody";

/// Of each operation, by method and path, whom the matrix lets in.
fn matrix() -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut lines = include_str!("matrix.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let columns: Vec<&str> = lines.next().expect("a heading").split_whitespace().skip(1).collect();
    let mut matrix = BTreeMap::new();
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (operation, marks) = words.split_at(2);
        assert_eq!(marks.len(), columns.len(), "{line}");
        assert!(marks.iter().all(|mark| ["x", "."].contains(mark)), "{line}");
        let lets_in = columns.iter().zip(marks).filter(|(_, mark)| **mark == "x").map(|(who, _)| (*who).to_owned());
        let twice = matrix.insert((operation[0].to_owned(), operation[1].to_owned()), lets_in.collect());
        assert_eq!(twice, None, "{line}");
    }
    let roles: BTreeSet<String> = Role::ALL.map(roles::name).into_iter().chain([NOBODY.to_owned()]).collect();
    assert_eq!(columns.iter().map(|who| (*who).to_owned()).collect::<BTreeSet<_>>(), roles, "every role has a column");
    matrix
}

fn description() -> Value {
    serde_json::to_value(router::description()).expect("json")
}

fn operations() -> Vec<Operation> {
    let (description, mut matrix) = (description(), matrix());
    let mut found = Vec::new();
    for (path, item) in description["paths"].as_object().expect("paths") {
        for (method, described) in item.as_object().expect("operations") {
            let method = method.to_uppercase();
            let lets_in = matrix.remove(&(method.clone(), path.clone()));
            let lets_in = lets_in.unwrap_or_else(|| panic!("{method} {path} has no line in the matrix"));
            found.push(Operation { method, path: path.clone(), lets_in, described: described.clone() });
        }
    }
    assert_eq!(matrix.keys().next(), None, "a line of the matrix is about no operation");
    found
}

impl Operation {
    fn open(&self) -> bool {
        self.lets_in.contains(NOBODY)
    }

    fn of_a_case(&self) -> bool {
        self.path.starts_with("/api/v1/cases/{id}")
    }

    fn address(&self, case: &str) -> String {
        let other = CaseId::new(UnixMillis(1_780_000_000_000), [99; 10]).to_string();
        let id = if self.of_a_case() { case } else { &other };
        self.path
            .replace("{id}", id)
            .replace("{offer}", &other)
            .replace("{attachment}", &other)
            .replace("{order}", &other)
            .replace("{name}", "nobody")
            .replace("{day}", "2026-12-01")
            .replace("{paper}", "registration.pdf")
    }

    /// A body that the operation can read.
    fn body(&self) -> Option<Value> {
        self.described.get("requestBody")?;
        let tail = self.path.rsplit('/').next().unwrap_or_default();
        Some(match tail {
            "return" | "progress" | "feed-back" => json!({ "note": "x" }),
            "pause" => json!({ "ground": "hearing" }),
            "ask-extension" | "extend" => json!({ "days": 5, "reason": "x" }),
            "refuse-extension" => json!({ "reason": "x" }),
            "reject" => json!({ "ground": "unfounded" }),
            "withdraw" if !self.path.contains("/orders/") => json!({ "note": "x" }),
            "refer" => json!({ "channel": "court", "note": "x" }),
            "open-mediation" => json!({ "source": "application", "committee": 1 }),
            "consent" => json!({ "parties": [1], "agree": true }),
            "hold" => json!({ "kind": "visit", "record": "x" }),
            "draw" | "agreement-hints" => json!({ "form": "oral", "parties": [1, 2], "terms": "x" }),
            "sign" => json!({ "agreement": 1, "mediator": true, "mark": "signature" }),
            "drop-agreement" => json!({ "agreement": 1, "note": "x" }),
            "perform" => json!({ "agreement": 1 }),
            "visit-again" => json!({ "agreement": 1, "kept": "fully" }),
            "seek-confirmation" => json!({ "agreement": 1, "court": "x" }),
            "note-confirmation" => json!({ "agreement": 1, "result": "confirmed" }),
            "end-mediation" => json!({ "ground": "no_agreement" }),
            "give-task" => json!({ "unit": 3, "title": "x", "due": "2099-01-01" }),
            "{day}" => json!({ "people": [] }),
            "task-links" => json!({ "task": 1 }),
            "trial" => {
                json!({ "content": { "schema": 1, "rules": [{ "level": "yellow", "fires": "any_dispute", "when": {} }] } })
            }
            "merge" => json!({ "into": "019e0000000070008000000000000001" }),
            "object" | "refuse-objection" => json!({ "reason": "x" }),
            "rule" => json!({ "unit": 1, "reason": "x" }),
            "restrict" => json!({ "ground": "own_people" }),
            "lift-restriction" => json!({ "reason": "x" }),
            "name-reader" | "drop-reader" => json!({ "user": "somebody" }),
            "sponsor" => json!({ "name": "周领导" }),
            "take-measure" => json!({ "measure": 1, "note": "x" }),
            "place" => json!({ "attachment": "019e0000000070008000000000000001", "place": { "slot": "identity" } }),
            "excuse-slot" => json!({ "slot": "identity", "reason": "x" }),
            "accept-task" | "close-task" => json!({ "task": 1 }),
            "report-task" | "send-back-task" | "cancel-task" => json!({ "task": 1, "note": "x" }),
            "join" => json!({ "people": [{ "side": "respondent", "name": "王五" }] }),
            "amend-party" => json!({ "party": 1, "entry": { "side": "respondent", "name": "王五" } }),
            "leave" => json!({ "party": 1 }),
            "amend" => json!({ "head_count": 3, "reason": "x" }),
            "turn" => json!({ "into": "dispute" }),
            "link" => json!({ "to": "019e0000000070008000000000000001" }),
            "reopen" => json!({ "reason": "核实情况" }),
            "assign" => json!({ "unit": 1 }),
            "resolve" => json!({ "outcome": "other", "terms": "x" }),
            "assess" => json!({ "score": 3 }),
            "void" | "take-over" | "reveal" | "erase" | "ticket" => json!({ "reason": "核实情况" }),
            "contribute" => json!({ "text": "x" }),
            "regrade" => json!({ "answers": { "signs": 0, "violence": "no", "petition_talk": "no", "people": 2,
                "disturbs": "yes", "effort": "unknown" }, "level": "yellow" }),
            "offer" => json!({ "to": "019e0000000070008000000000000001" }),
            "decline" => json!({ "ground": "incomplete", "text": "x" }),
            "directives" => json!({ "form": "remind", "text": "x" }),
            "views" => json!({ "until": "2099-01-01", "text": "x" }),
            "answer" => json!({ "text": "x" }),
            _ => json!({}),
        })
    }
}

async fn call(node: &Node, auth: &[(&str, &str)], operation: &Operation, case: &str) -> Answer {
    let body = operation.body();
    node.ask(&operation.method, &operation.address(case), auth, body.as_ref()).await
}

#[test]
fn every_operation_declares_its_right_and_every_right_belongs_to_an_operation() {
    let described: BTreeSet<_> = operations().into_iter().map(|o| (o.method, o.path)).collect();
    let declared: Vec<_> = rights::ROUTES.iter().map(|(m, p, _)| ((*m).to_owned(), (*p).to_owned())).collect();
    assert_eq!(declared.iter().cloned().collect::<BTreeSet<_>>(), described);
    assert_eq!(declared.len(), described.len(), "an operation is declared twice");
    for operation in operations() {
        let open = operation.described["security"] == json!([]);
        assert_eq!(open, operation.open(), "{} {} is described wrongly", operation.method, operation.path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_a_log_in_that_holds() {
    let node = Node::found().await;
    let case = node.case(1, false).await;
    node.user("gone", "supervisor administrator").await;
    // Somebody stays: the last supervisor could not go while a case is open.
    node.user("stays", "supervisor").await;
    let live = node.session("gone", 3_600_000).await;
    let expired = node.session("gone", -1).await;
    let made =
        node.operator("POST", "/api/v1/tokens", Some(&json!({ "name": "x", "role": "viewer", "days": 1 }))).await;
    let token = made.json();
    let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
    assert_eq!(node.ask("GET", "/api/v1/me", &[("authorization", &bearer)], None).await.status, StatusCode::OK);
    let ended = node.operator("DELETE", &format!("/api/v1/tokens/{}", token["id"].as_str().unwrap()), None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert_eq!(node.with(&live, "GET", "/api/v1/me", None).await.status, StatusCode::OK);
    let off = json!({ "name": "gone", "shown": "离职", "roles": [], "disabled": true });
    assert_eq!(node.operator("POST", "/api/v1/users", Some(&off)).await.status, StatusCode::OK);
    let none: [&[(&str, &str)]; 5] = [
        &[],
        &[("cookie", &live)],
        &[("cookie", &expired)],
        &[("authorization", &bearer)],
        &[("authorization", "Bearer wrong")],
    ];
    for operation in operations().iter().filter(|o| !o.open()) {
        for auth in none {
            let answer = call(&node, auth, operation, &case).await;
            let what = format!("{} {} with {auth:?}: {}", operation.method, operation.path, answer.text);
            assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "not-logged-in"), "{what}");
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_gets_what_the_matrix_says_and_nothing_else() {
    let node = Node::found().await;
    let (case, absent) = (node.case(2, false).await, CaseId::new(UnixMillis(5), [5; 10]).to_string());
    for role in Role::ALL {
        let name = roles::name(role).replace('_', "-");
        node.user(&name, &roles::name(role)).await;
        for operation in operations() {
            // Some operations end the session that they are asked with.
            let cookie = node.session(&name, 3_600_000).await;
            let answer = call(&node, &[("cookie", &cookie)], &operation, &case).await;
            let what = format!("{} {} as {name}: {} {}", operation.method, operation.path, answer.status, answer.text);
            let sees = role.sees_cases();
            if operation.lets_in.contains(&roles::name(role)) {
                let refused = matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
                // A password that is asked for once more is wrong here, and a session factor needs one.
                assert!(!refused || operation.path.starts_with("/api/v1/me/"), "{what}");
                let names_more =
                    ["{offer}", "{order}", "{attachment}"].iter().any(|more| operation.path.contains(more));
                assert!(!operation.of_a_case() || names_more || answer.status != StatusCode::NOT_FOUND, "{what}");
            } else if operation.of_a_case() && !sees {
                let none = call(&node, &[("cookie", &cookie)], &operation, &absent).await;
                assert_eq!((answer.status, &answer.text), (StatusCode::NOT_FOUND, &none.text), "{what}");
            } else {
                assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "role-missing"), "{what}");
            }
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_out_of_scope_is_answered_as_an_absent_one() {
    let node = Node::found().await;
    let (case, absent) = (node.case(3, false).await, CaseId::new(UnixMillis(5), [5; 10]).to_string());
    for grants in [format!("supervisor@{OTHER_COUNTY} clerk@{OTHER_COUNTY}"), "supervisor#7 clerk#7".to_owned()] {
        let cookie = node.person("elsewhere", &grants).await;
        for operation in operations().iter().filter(|o| o.of_a_case()) {
            let auth = [("cookie", cookie.as_str())];
            let there = call(&node, &auth, operation, &case).await;
            let none = call(&node, &auth, operation, &absent).await;
            let what = format!("{} {} with {grants}", operation.method, operation.path);
            assert_eq!(there.status, StatusCode::NOT_FOUND, "{what}: {}", there.text);
            assert_eq!((there.status, there.text), (none.status, none.text), "{what}");
        }
        let list = node.with(&cookie, "GET", "/api/v1/cases", None).await;
        assert_eq!(list.json()["cases"], json!([]), "{grants}");
    }
    let inside = node.person("inside", "viewer@330602000000").await;
    assert_eq!(node.with(&inside, "GET", &format!("/api/v1/cases/{case}"), None).await.status, StatusCode::OK);
    let list = node.with(&inside, "GET", "/api/v1/cases", None).await.json();
    assert_eq!(list["cases"].as_array().map(Vec::len), Some(1));
    node.stop().await;
}

/// The fields that a body takes, as its reader tells when it meets one that it does not.
fn taken(answer: &Answer) -> Option<BTreeSet<String>> {
    let detail = answer.json()["detail"].as_str()?.to_owned();
    let (_, expected) = detail.split_once("unknown field `nothing-of-this-name`, ")?;
    let expected = expected.split(" at line").next()?;
    Some(expected.split('`').skip(1).step_by(2).map(str::to_owned).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_described_as_they_are_taken() {
    let node = Node::found().await;
    let all: Vec<_> = Role::ALL.map(roles::name).to_vec();
    let cookie = node.person("everybody", &all.join(" ")).await;
    let case = node.case(4, false).await;
    let description = description();
    let mut checked = 0;
    for operation in operations() {
        let Some(schema) = operation.described.pointer("/requestBody/content/application~1json/schema") else {
            continue;
        };
        let name = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()).expect("a named schema");
        let described: BTreeSet<String> = description["components"]["schemas"][name]["properties"]
            .as_object()
            .map(|fields| fields.keys().cloned().collect())
            .unwrap_or_default();
        if description["components"]["schemas"][name].get("oneOf").is_some() {
            // One of several bodies: its reader asks first which, by a field that every one of them has.
            let answer = node.with(&cookie, &operation.method, &operation.address(&case), Some(&json!({}))).await;
            assert!(answer.text.contains("missing field"), "{} {}: {}", operation.method, operation.path, answer.text);
            continue;
        }
        let body = json!({ "nothing-of-this-name": 1 });
        let answer = node.with(&cookie, &operation.method, &operation.address(&case), Some(&body)).await;
        let what = format!("{} {}: {}", operation.method, operation.path, answer.text);
        assert_eq!(taken(&answer).unwrap_or_else(|| panic!("{what}")), described, "{what}");
        checked += 1;
    }
    assert!(checked >= 30, "only {checked} bodies were compared");
    node.stop().await;
}
