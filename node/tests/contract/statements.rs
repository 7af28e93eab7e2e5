//! Every statement binds its node: read from the source of the store, so that none can be left out.

use std::collections::BTreeMap;

use crate::migrations::tables;
use crate::source::{Literal, statements};

/// What the first value of a statement may be: the node of the handle.
const NODE_VALUES: [&str; 9] = [
    "self.me()",
    "store.me()",
    "me",
    "me.clone()",
    "node",
    "self.node.as_bytes().to_vec()",
    "node.as_bytes().to_vec()",
    // People belong to a realm, which is a node or a pack.
    "realm(of)",
    // The keeper of leases renews those of all its nodes at once.
    "ids",
];
/// Tables whose rows belong to a realm: the people of a node, or of a pack.
const REALMS: [&str; 6] =
    ["person_account", "person_failure", "person_grant", "person_recovery", "person_session", "person_token"];
/// Conditions that tie a table to a node.
const TIES: [&str; 3] = ["$1", "ANY($1)", "'\\x{node}'"];

/// The words of a statement, brackets and commas apart.
fn words(text: &str) -> Vec<&str> {
    text.split([' ', ',', '(', ')', ';']).filter(|word| !word.is_empty()).collect()
}

/// The tables that a statement touches, each with the name that it goes by.
fn touched(text: &str) -> Vec<(String, String)> {
    let tables = tables("sqlite");
    let words = words(text);
    let mut touched = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| words.get(at)).copied().unwrap_or_default();
        if !["FROM", "JOIN", "UPDATE", "INTO"].contains(&before) || !tables.contains_key(*word) {
            continue;
        }
        let next = words.get(at + 1).copied().unwrap_or_default();
        let alias = if next == "AS" { words.get(at + 2).copied().unwrap_or_default() } else { next };
        let has_alias = alias.len() <= 2 && alias.chars().all(|c| c.is_ascii_lowercase()) && !alias.is_empty();
        touched.push(((*word).to_owned(), if has_alias { alias.to_owned() } else { String::new() }));
    }
    touched
}

/// How often a name is held to a node: by a condition of its own, or by equality with one that is.
fn ties(text: &str, name: &str) -> usize {
    let own = direct(text, name);
    if own > 0 || name.is_empty() {
        return own;
    }
    let tied = touched(text).into_iter().any(|(table, other)| {
        let called = if other.is_empty() { &table } else { &other };
        let pair = |a: &str, b: &str| text.contains(&format!("{a}.node = {b}.node"));
        called != name && (pair(name, called) || pair(called, name)) && direct(text, &other) > 0
    });
    usize::from(tied)
}

/// Conditions that hold a name, or no name at all, to a node.
fn direct(text: &str, name: &str) -> usize {
    let prefix = if name.is_empty() { String::new() } else { format!("{name}.") };
    TIES.iter().map(|tie| count(text, &format!("{prefix}node = {tie}"), name.is_empty())).sum()
}

/// How often a condition stands in a text; `bare`: not behind a name and a dot.
fn count(text: &str, condition: &str, bare: bool) -> usize {
    text.match_indices(condition).filter(|(at, _)| !bare || !text[..*at].ends_with('.')).count()
}

fn first_value(statement: &Literal) -> String {
    let Some((_, call)) = statement.after.split_once(".bind(") else { return String::new() };
    let mut depth = 1;
    let end = call.find(|c| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    call[..end.unwrap_or(0)].split_whitespace().collect()
}

#[test]
fn every_statement_binds_the_node_first() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for statement in statements() {
        if touched(&statement.text).is_empty() || statement.text.starts_with("BEGIN") {
            continue;
        }
        seen += 1;
        let value = first_value(&statement);
        if !NODE_VALUES.contains(&value.as_str()) {
            wrong.push(format!("{}: the first value is {value:?}: {}", statement.place, statement.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 60, "only {seen} statements were read");
}

#[test]
fn every_table_of_every_statement_is_held_to_the_node() {
    let mut wrong = Vec::new();
    for statement in statements() {
        // What belongs to a realm is held to it as the rest is to a node.
        let text = &statement.text.replace("realm", "node");
        let mut bare = 0;
        for (table, name) in touched(text) {
            let insert = format!("INSERT INTO {table} (node, ");
            if text.contains(&format!("INSERT INTO {table} (")) {
                let first = text.contains("VALUES ($1") || text.contains("VALUES {}") || text.contains("SELECT $1");
                if !text.contains(&insert) || !first {
                    wrong.push(format!("{}: {table} is written without the node first: {text}", statement.place));
                }
                continue;
            }
            if name.is_empty() {
                bare += 1;
            } else if ties(text, &name) == 0 {
                wrong.push(format!("{}: {table} {name} is not held to a node: {text}", statement.place));
            }
        }
        if ties(text, "") < bare {
            wrong.push(format!("{}: {bare} tables, {} held to a node: {text}", statement.place, ties(text, "")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_readers_of_statements_see_a_missing_node() {
    let held = "SELECT a FROM case_file WHERE node = $1 AND case_id = $2";
    assert_eq!((touched(held).len(), ties(held, "")), (1, 1));
    let open = "SELECT a FROM case_file WHERE case_id = $1";
    assert_eq!((touched(open).len(), ties(open, "")), (1, 0));
    let joined = "SELECT a FROM case_event e JOIN case_private p ON p.node = e.node WHERE e.node = $1";
    assert_eq!((ties(joined, "e"), ties(joined, "p")), (1, 1));
    let loose = "SELECT a FROM case_event e JOIN case_private p ON p.event = e.event WHERE e.node = $1";
    assert_eq!(ties(loose, "p"), 0);
    let inner = "SELECT a FROM bundle WHERE node = $1 AND id IN (SELECT id FROM outbox WHERE peer = $2)";
    assert_eq!((touched(inner).len(), ties(inner, "")), (2, 1));
}

#[test]
fn the_node_is_the_first_column_of_every_key() {
    let mut keys = BTreeMap::new();
    for folder in ["sqlite", "postgres"] {
        for (table, definition) in tables(folder) {
            let first = if REALMS.contains(&table.as_str()) { "realm" } else { "node" };
            assert_eq!(definition.key.first().map(String::as_str), Some(first), "{folder}: {table}");
            keys.entry(table).or_insert_with(Vec::new).push(definition.key);
        }
    }
    for (table, both) in keys {
        assert_eq!(both.first(), both.last(), "{table} has two keys");
    }
}
