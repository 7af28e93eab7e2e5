//! The migrations of both databases make the same tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A table after all migrations of a folder.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// Columns: name, type in the words of SQLite, whether it must hold a value.
    pub(crate) columns: BTreeMap<String, (String, bool)>,
    pub(crate) key: Vec<String>,
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("migrations").map(|e| e.expect("an entry").path()).collect();
    files.sort();
    files
}

/// Statements without their comments.
fn statements(folder: &str) -> Vec<String> {
    let mut all = String::new();
    for file in files(folder) {
        let text = std::fs::read_to_string(file).expect("a migration");
        for line in text.lines() {
            all.push_str(line.split("--").next().unwrap_or_default());
            all.push(' ');
        }
    }
    all.split(';').map(|s| s.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|s| !s.is_empty()).collect()
}

/// Cuts at the commas that stand in no bracket.
fn parts(text: &str) -> Vec<String> {
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for sign in text.chars() {
        depth += match sign {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        match parts.last_mut() {
            Some(part) if sign != ',' || depth > 0 => part.push(sign),
            _ => parts.push(String::new()),
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

fn column(text: &str) -> (String, (String, bool)) {
    let mut words = text.split(' ');
    let name = words.next().unwrap_or_default().to_owned();
    let kind = match words.next().unwrap_or_default() {
        "BIGINT" => "INTEGER",
        "BYTEA" => "BLOB",
        other => other,
    };
    (name, (kind.to_owned(), text.contains("NOT NULL")))
}

fn create(rest: &str, tables: &mut BTreeMap<String, Table>) {
    let (name, body) = rest.split_once('(').expect("columns");
    let body = &body[..body.rfind(')').expect("a closing bracket")];
    let mut table = Table::default();
    for part in parts(body) {
        if let Some(key) = part.strip_prefix("PRIMARY KEY (") {
            table.key = parts(key.trim_end_matches(')'));
        } else {
            let (name, definition) = column(&part);
            table.columns.insert(name, definition);
        }
    }
    tables.insert(name.trim().to_owned(), table);
}

/// The tables that a folder's migrations leave behind.
pub(crate) fn tables(folder: &str) -> BTreeMap<String, Table> {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for statement in statements(folder) {
        if let Some(rest) = statement.strip_prefix("CREATE TABLE ") {
            create(rest, &mut tables);
        } else if let Some(rest) = statement.strip_prefix("ALTER TABLE ") {
            let (name, change) = rest.split_once(' ').expect("a change");
            if let Some(column_text) = change.strip_prefix("ADD COLUMN ") {
                let (column, definition) = column(column_text);
                tables.entry(name.to_owned()).or_default().columns.insert(column, definition);
            } else if let Some(gone) = change.strip_prefix("DROP COLUMN ") {
                tables.entry(name.to_owned()).or_default().columns.remove(gone);
            } else if let Some(renamed) = change.strip_prefix("RENAME TO ") {
                let table = tables.remove(name).expect("a table");
                tables.insert(renamed.to_owned(), table);
            }
        } else if let Some(name) = statement.strip_prefix("DROP TABLE ") {
            tables.remove(name);
        }
    }
    tables
}

#[test]
fn both_folders_hold_the_same_migrations() {
    let names = |folder| files(folder).iter().map(|f| f.file_name().map(|n| n.to_owned())).collect::<Vec<_>>();
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn both_folders_make_the_same_tables_and_columns() {
    let (sqlite, postgres) = (tables("sqlite"), tables("postgres"));
    assert!(sqlite.len() >= 20, "only {} tables were read", sqlite.len());
    assert_eq!(sqlite.keys().collect::<Vec<_>>(), postgres.keys().collect::<Vec<_>>());
    for (name, table) in &sqlite {
        assert_eq!(Some(table), postgres.get(name), "{name}");
    }
}

#[test]
fn text_on_a_server_is_ordered_by_its_bytes() {
    for statement in statements("postgres").iter().filter(|s| s.starts_with("CREATE TABLE") || s.contains("ADD COLUMN"))
    {
        let texts = statement.matches(" TEXT").count();
        assert_eq!(texts, statement.matches(" TEXT COLLATE \"C\"").count(), "{statement}");
    }
}

#[test]
fn both_folders_make_the_same_indices() {
    let indices = |folder| -> BTreeSet<String> {
        let made =
            statements(folder).into_iter().filter(|s| s.starts_with("CREATE INDEX") || s.starts_with("CREATE UNIQUE"));
        made.collect()
    };
    assert_eq!(indices("sqlite"), indices("postgres"));
}
