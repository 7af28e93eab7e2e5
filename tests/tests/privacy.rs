//! `docs/privacy.md` names every field that can leave a node. The fields are read out of the source of the messages, so
//! that a new one without a row there, or a row without its field, is found.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use protocol::wire::kind::KINDS;

/// Types that are laid out by hand instead of derived, and still travel.
const BY_HAND: [&str; 3] = ["BundleHead", "Message", "FrameHead"];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("the source of the messages") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `Type.field` for each named field of a struct or of a variant, `Type.Variant` for each variant that holds something
/// without naming it.
fn fields(source: &str, into: &mut BTreeSet<String>) {
    let mut derives = false;
    let mut within: Option<(String, bool)> = None;
    for line in source.lines() {
        let words = line.trim();
        match &within {
            None => {
                derives = if words.starts_with("#[derive(") { words.contains("Encode") } else { derives };
                let (is_enum, rest) = match (words.strip_prefix("pub struct "), words.strip_prefix("pub enum ")) {
                    (Some(rest), _) => (false, rest),
                    (_, Some(rest)) => (true, rest),
                    _ => continue,
                };
                let name = rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
                let travels = std::mem::take(&mut derives) || BY_HAND.contains(&name);
                if travels && words.ends_with('{') {
                    within = Some((name.to_owned(), is_enum));
                }
            }
            Some(_) if line == "}" => within = None,
            Some((name, is_enum)) => {
                let field = words.strip_prefix("pub ").unwrap_or(words).split_once(": ").map(|(field, _)| field);
                if let Some(field) = field.filter(|field| is_name(field)) {
                    into.insert(format!("{name}.{field}"));
                } else if let Some(variant) = words.split_once('(').map(|(variant, _)| variant)
                    && *is_enum
                    && is_name(variant)
                {
                    into.insert(format!("{name}.{variant}"));
                }
            }
        }
    }
}

fn that_travel() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/src"), &mut files);
    let mut all = BTreeSet::new();
    for file in files {
        fields(&std::fs::read_to_string(&file).expect("a source file"), &mut all);
    }
    all
}

/// What stands between back quotes.
fn quoted(text: &str) -> BTreeSet<String> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/privacy.md")).expect("the page")
}

#[test]
fn the_privacy_page_names_every_field_that_can_leave_a_node_and_no_other() {
    let (travel, named) = (that_travel(), quoted(&page()));
    assert!(travel.len() > 150 && travel.contains("Party.phone"), "the fields are found: {}", travel.len());
    let missing: Vec<_> = travel.difference(&named).collect();
    assert!(missing.is_empty(), "docs/privacy.md does not say what these are: {missing:?}");
    let of_a_type = |name: &&String| name.split_once('.').is_some_and(|(t, f)| is_name(t) && is_name(f) && t != "link");
    let stale: Vec<_> =
        named.difference(&travel).filter(of_a_type).filter(|n| n.starts_with(char::is_uppercase)).collect();
    assert!(stale.is_empty(), "docs/privacy.md names fields that are gone: {stale:?}");
}

#[test]
fn the_privacy_page_says_of_every_kind_of_message_who_gets_it() {
    let page = page();
    let table = page.split("## The fields").next().expect("the table of kinds");
    let named = quoted(table);
    let missing: Vec<_> = KINDS.iter().map(|(_, _, name)| *name).filter(|name| !named.contains(*name)).collect();
    assert!(missing.is_empty(), "docs/privacy.md does not say who gets these: {missing:?}");
}
