//! `docs/limits.md` names every limit of the product, with its value and the test that shows it. The limits are read out of
//! the source, so that a new one without a row there, a row without its limit, or a value that was changed, is found. And
//! the tests that `docs/reliability.md` names are there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The crates of the product, as the page calls them.
const CRATES: [(&str, &str); 4] = [
    ("protocol", "../protocol/src"),
    ("federation", "../federation/src"),
    ("casework", "../node/casework/src"),
    ("node", "../node/src"),
];
/// What a command or a page shows at most is no limit of the product.
const SHOWN_ONLY: [&str; 4] = ["node/cli/", "node/demo/", "node/page/", "node/ops/doctor/"];
/// Files whose limits are the fields of a struct, as its defaults are written.
const FIELDS: [&str; 2] = ["federation/core/limits.rs", "federation/driver/settings.rs"];
/// Limits whose names do not say so.
const OTHERS: [&str; 2] = ["node/room LOW_BYTES", "node/room RESERVE_BYTES"];

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn sources(folder: &Path, name: &str, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let file = path.file_name().and_then(|file| file.to_str()).expect("a plain name");
        let name = format!("{name}/{file}");
        if path.is_dir() {
            sources(&path, &name, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.insert(name, std::fs::read_to_string(&path).expect("a source file"));
        }
    }
}

fn product() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    CRATES.iter().for_each(|(name, folder)| sources(&at(folder), name, &mut found));
    found.retain(|name, _| !SHOWN_ONLY.iter().any(|shown| name.starts_with(shown)) && !name.contains("tests"));
    found
}

/// A limit by crate, file and name: a file that moves keeps its rows.
fn named(file: &str, name: &str) -> String {
    let mut parts = file.trim_end_matches(".rs").split('/').rev().filter(|part| *part != "mod");
    let stem = parts.next().expect("a file has a name");
    format!("{}/{stem} {name}", file.split('/').next().expect("a crate"))
}

/// Whether a constant's name says that it is a limit.
fn is_limit(name: &str) -> bool {
    name.split('_').any(|word| word == "MAX" || word == "MIN")
}

/// A constant and its value, if the line declares one.
fn constant(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once("const ")?.1.split_once(": ")?;
    let of_a_constant = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let value = rest.split_once(" = ")?.1.strip_suffix(';')?;
    name.chars().all(of_a_constant).then_some((name, value))
}

/// A field and its default, if the line gives one that is a number or a time.
fn default(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.trim().strip_suffix(',')?.split_once(": ")?;
    (value.starts_with("Duration") || value.starts_with(|c: char| c.is_ascii_digit())).then_some((name, value))
}

/// Each limit, and its value as it is written.
fn in_the_source() -> BTreeMap<String, String> {
    let mut limits = BTreeMap::new();
    for (file, text) in product() {
        let text = text.split("\n#[cfg(test)]\nmod ").next().expect("the file without its tests");
        for (name, value) in text.lines().filter_map(constant) {
            if is_limit(name) || OTHERS.contains(&named(&file, name).as_str()) {
                let twice = limits.insert(named(&file, name), value.to_owned());
                assert!(twice.is_none(), "two limits are called {}", named(&file, name));
            }
        }
        if FIELDS.contains(&file.as_str()) {
            let defaults = text.split_once("impl Default for").expect("defaults").1;
            limits.extend(
                defaults.lines().filter_map(default).map(|(name, value)| (named(&file, name), value.to_owned())),
            );
        }
    }
    limits
}

/// A row of the page.
struct Row {
    limit: String,
    value: String,
    shown_by: String,
}

impl Row {
    /// The test that shows it, if one does.
    fn test(&self) -> Option<&str> {
        self.shown_by.strip_prefix('`')?.strip_suffix('`')
    }
}

fn rows() -> Vec<Row> {
    let page = std::fs::read_to_string(at("../docs/limits.md")).expect("the page");
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
    let rows = cells.map(|line| {
        let cells: Vec<_> = line.split(" | ").collect();
        let [limit, value, _, shown_by] = cells.as_slice() else { panic!("not four cells: {line}") };
        let limit = limit.trim_end_matches('`').to_owned();
        Row { limit, value: (*value).to_owned(), shown_by: (*shown_by).to_owned() }
    });
    rows.collect()
}

/// A value as the page writes it.
fn as_told(value: &str) -> String {
    match value.strip_prefix("Duration::from_secs(").and_then(|rest| rest.strip_suffix(')')) {
        Some("180 * 24 * 60 * 60") => "180 days".to_owned(),
        Some(seconds) => format!("{seconds} s"),
        None => value.to_owned(),
    }
}

#[test]
fn the_page_names_every_limit_of_the_product_with_its_value_and_no_other() {
    let limits = in_the_source();
    assert!(limits.len() > 120 && limits.contains_key("node/router BODY_BYTES_MAX"), "{}", limits.len());
    let rows = rows();
    let named: BTreeSet<_> = rows.iter().map(|row| row.limit.as_str()).collect();
    let missing: Vec<_> = limits.keys().filter(|limit| !named.contains(limit.as_str())).collect();
    assert!(missing.is_empty(), "docs/limits.md does not say what happens at these: {missing:?}");
    for row in &rows {
        let Some(value) = limits.get(&row.limit) else { panic!("docs/limits.md names what is gone: {}", row.limit) };
        assert_eq!(row.value, as_told(value), "docs/limits.md, {}", row.limit);
    }
}

#[test]
fn every_row_names_a_test_that_is_there_or_says_why_there_is_none() {
    let mut all = product();
    for (name, folder) in
        [("protocol", "../protocol"), ("federation", "../federation"), ("node", "../node"), ("tests", ".")]
    {
        sources(&at(folder), name, &mut all);
    }
    for row in rows() {
        match row.test() {
            Some(test) => assert!(is_declared(test, &all), "{}: there is no test {test}", row.limit),
            None => assert!(row.shown_by.split(' ').count() > 3, "{}: neither a test nor why there is none", row.limit),
        }
    }
    let promises = std::fs::read_to_string(at("../docs/reliability.md")).expect("the page");
    let named: Vec<_> = promises.split('`').skip(1).step_by(2).filter(|word| is_a_test(word)).collect();
    assert!(named.len() > 20, "{named:?}");
    for test in named {
        assert!(is_declared(test, &all), "docs/reliability.md: there is no test {test}");
    }
}

fn is_declared(test: &str, all: &BTreeMap<String, String>) -> bool {
    let declared = format!("fn {test}(");
    all.values().any(|text| text.contains(&declared))
}

/// Whether a word is the name of a test: a sentence.
fn is_a_test(word: &str) -> bool {
    word.matches('_').count() >= 3 && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}
