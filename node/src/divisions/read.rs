//! Reads a table line by line: `code,name,level,parent_code`, UTF-8 with or without a byte order mark, either line end.

use std::io::{BufRead, BufReader, Read};

use protocol::division::{DivisionCode, Level};

use super::check;
use super::fault::{Fault, Reason, Refused};
use crate::names::{Division, Table};

/// Longest name, in characters: the longest real one has 30.
pub(super) const NAME_CHARS_MAX: usize = 100;
/// Longest line, in bytes.
const LINE_BYTES_MAX: usize = 1_024;
/// Most rows: the whole country has fewer than 700,000.
const ROWS_MAX: usize = 1_000_000;
/// Faults after which nobody reads on.
const FAULTS_MAX: usize = 1_000;
const COLUMNS: [&str; 4] = ["code", "name", "level", "parent_code"];

/// A row as it stands in the file.
pub(super) struct Row {
    pub(super) level: Level,
    pub(super) division: Division,
}

/// Reads a table; refuses it whole, with the lines, when a row does not fit.
pub fn read(source: impl Read) -> Result<Table, Refused> {
    read_at_most(source, ROWS_MAX)
}

/// Reads a table of so many rows at most.
pub(super) fn read_at_most(source: impl Read, rows_max: usize) -> Result<Table, Refused> {
    let mut faults = Vec::new();
    let mut rows = Vec::new();
    let mut lines = Lines { source: BufReader::new(source), number: 0 };
    while faults.len() < FAULTS_MAX {
        let Some(line) = lines.next_line() else { break };
        match line.and_then(|bytes| parse(lines.number, &bytes)) {
            Ok(Some(_)) if rows.len() == rows_max => {
                faults.push(Fault { line: lines.number, why: Reason::TooMany(rows_max) });
                break;
            }
            Ok(Some(row)) => rows.push(row),
            Ok(None) => {}
            Err(why) => {
                let last = matches!(why, Reason::Heading | Reason::Unreadable(_));
                faults.push(Fault { line: lines.number, why });
                if last {
                    break;
                }
            }
        }
    }
    // A row that cannot be read would show as a missing parent of others: first things first.
    if faults.is_empty() { check::whole(rows) } else { Err(Refused { faults }) }
}

struct Lines<R> {
    source: BufReader<R>,
    number: u64,
}

impl<R: Read> Lines<R> {
    /// The next line without its end; none at the end of the file.
    fn next_line(&mut self) -> Option<Result<Vec<u8>, Reason>> {
        let mut bytes = Vec::new();
        self.number += 1;
        let limit = u64::try_from(LINE_BYTES_MAX + 2).unwrap_or(u64::MAX);
        match self.source.by_ref().take(limit).read_until(b'\n', &mut bytes) {
            Err(error) => return Some(Err(Reason::Unreadable(error.kind()))),
            Ok(0) => return None,
            Ok(_) => {}
        }
        if bytes.len() > LINE_BYTES_MAX && !bytes.ends_with(b"\n") {
            return Some(self.pass_over());
        }
        while matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.pop();
        }
        Some(Ok(bytes))
    }

    /// Skips the rest of a line that is too long.
    fn pass_over(&mut self) -> Result<Vec<u8>, Reason> {
        loop {
            let chunk = self.source.fill_buf().map_err(|error| Reason::Unreadable(error.kind()))?;
            let (used, done) = match chunk.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (chunk.len(), chunk.is_empty()),
            };
            self.source.consume(used);
            if done {
                return Err(Reason::Length(LINE_BYTES_MAX));
            }
        }
    }
}

/// A row; none for the heading and for an empty line.
fn parse(line: u64, bytes: &[u8]) -> Result<Option<Row>, Reason> {
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::Encoding)?;
    let text = if line == 1 { text.trim_start_matches('\u{feff}') } else { text };
    let columns = split(text)?;
    let columns: Vec<&str> = columns.iter().map(|column| column.trim()).collect();
    if line == 1 {
        return if columns == COLUMNS { Ok(None) } else { Err(Reason::Heading) };
    }
    let [code, name, level, parent] = match columns.as_slice() {
        [""] => return Ok(None),
        [code, name, level, parent] => [*code, *name, *level, *parent],
        other => return Err(Reason::Columns(other.len())),
    };
    let code = division_code(code)?;
    let parent = if parent.is_empty() { None } else { Some(division_code(parent)?) };
    let count = name.chars().count();
    if count == 0 || count > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(Reason::Name(name.chars().take(NAME_CHARS_MAX).collect()));
    }
    let level = level_of(level)?;
    Ok(Some(Row { level, division: Division { code, name: name.to_owned(), parent, line } }))
}

fn division_code(text: &str) -> Result<DivisionCode, Reason> {
    text.parse().map_err(|why| Reason::Code { code: text.to_owned(), why })
}

fn level_of(word: &str) -> Result<Level, Reason> {
    Ok(match word {
        "province" => Level::Province,
        "city" => Level::City,
        "county" => Level::County,
        "township" => Level::Township,
        "village" | "community" => Level::Community,
        "grid" => Level::Grid,
        other => return Err(Reason::LevelWord(other.to_owned())),
    })
}

/// The columns of one line: separated by commas, in quotation marks where a column has a comma of its own.
fn split(line: &str) -> Result<Vec<String>, Reason> {
    let mut columns = Vec::new();
    let mut rest = line;
    loop {
        let (column, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_column(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (column, after) = rest.split_at(end);
                if column.contains('"') {
                    return Err(Reason::Quote);
                }
                (column.to_owned(), after)
            }
        };
        columns.push(column);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(columns),
            None => return Err(Reason::Quote),
        }
    }
}

/// The column up to its closing mark, two marks standing for one, and what follows.
fn quoted_column(text: &str) -> Result<(String, &str), Reason> {
    let mut column = String::new();
    let mut rest = text;
    loop {
        let (piece, after) = rest.split_once('"').ok_or(Reason::Quote)?;
        column.push_str(piece);
        match after.strip_prefix('"') {
            Some(more) => {
                column.push('"');
                rest = more;
            }
            None => return Ok((column, after)),
        }
    }
}
