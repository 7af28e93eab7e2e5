//! The statements of the store, as they stand in its source.

use std::path::Path;

/// A text literal and where it stands.
#[derive(Debug)]
pub(crate) struct Literal {
    pub(crate) place: String,
    /// Blanks and line breaks as one blank.
    pub(crate) text: String,
    /// What follows it in the source.
    pub(crate) after: String,
}

/// All text literals of the store's source, its unit tests left out.
pub(crate) fn literals() -> Vec<Literal> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut found = Vec::new();
    let (mut files, mut folders) = (Vec::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the source") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ext| ext == "rs")) {
        let source = std::fs::read_to_string(file).expect("a source file");
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        let name = file.file_name().expect("a name").to_string_lossy();
        literals_in(&name, source, &mut found);
    }
    found
}

fn literals_in(file: &str, source: &str, found: &mut Vec<Literal>) {
    let mut rest = source;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let here = &rest[at..];
        if here.starts_with("//") {
            rest = here.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(body) = here.strip_prefix('"') {
            let (text, after) = text(body);
            let line = source[..source.len() - body.len()].lines().count();
            found.push(Literal { place: format!("{file}:{line}"), text, after: after.to_owned() });
            rest = after;
        } else {
            // A quote character is no quote.
            rest = here.strip_prefix("'\"'").unwrap_or(&here[1..]);
        }
    }
}

/// The text up to its closing quote, and what follows.
fn text(body: &str) -> (String, &str) {
    let mut text = String::new();
    let mut escaped = false;
    for (at, sign) in body.char_indices() {
        match (escaped, sign) {
            (true, _) => {
                escaped = false;
                text.push(if sign == '\n' { ' ' } else { sign });
            }
            (false, '\\') => escaped = true,
            (false, '"') => {
                return (text.split_whitespace().collect::<Vec<_>>().join(" "), &body[at + 1..]);
            }
            (false, _) => text.push(sign),
        }
    }
    (text, "")
}

/// The statements among them, by the word that they begin with.
pub(crate) fn statements() -> Vec<Literal> {
    let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", "BEGIN; "];
    literals().into_iter().filter(|literal| verbs.iter().any(|verb| literal.text.starts_with(verb))).collect()
}
