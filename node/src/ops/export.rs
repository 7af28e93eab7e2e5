//! Rows of a node as tables for people: cases, the records behind the figures, the audit. One moment, row by row.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value};

use crate::api::stamp;
use crate::store::Store;
use crate::store::dump::{Cell, Table};

use super::backup::Progress;
use super::lock::to_hex;

/// What can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// The cases that are held here, without names and narrative.
    Cases,
    /// One nameless record a case, of here and of all below: what every figure is made of.
    Figures,
    /// What was done, and whose data was read.
    Audit,
}

impl What {
    fn table(self) -> &'static str {
        match self {
            Self::Cases => "case_file",
            Self::Figures => "fact",
            Self::Audit => "audit_log",
        }
    }
}

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// Comma-separated, with a line of names (UTF-8 with a mark, as spreadsheets want it).
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// Columns that are of use to a program alone.
const LEFT_OUT: [&str; 4] = ["head", "body", "position", "bytes"];
/// Columns that hold moments, Unix milliseconds.
const MOMENTS: [&str; 4] = ["at", "reported_at", "changed_at", "registered_at"];
/// Columns that hold days, counted from 1970-01-01.
const DAYS: [&str; 3] = ["day", "reported_day", "due_day"];
/// Columns that hold division codes as numbers of fifteen digits.
const DIVISIONS: [&str; 2] = ["place", "division"];
/// The mark by which spreadsheets know UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Writes one table of a node. Gives the number of rows.
pub async fn export(
    store: &Store,
    what: What,
    form: Form,
    to: &Path,
    progress: &mut dyn Progress,
) -> anyhow::Result<u64> {
    ensure!(!to.exists(), "{} is there already; nothing was changed", to.display());
    let mut snapshot = store.snapshot().await?;
    let table = snapshot.tables.iter().find(|table| table.name == what.table()).cloned();
    let Some(table) = table else { bail!("this version keeps no {}", what.table()) };
    progress.begins(u64::try_from(snapshot.count(&table).await?).unwrap_or(0));
    progress.now(what.table());
    let shown: Vec<usize> = shown(&table);
    let fresh = to.with_extension("part");
    let mut out =
        Out::create(&fresh, form, shown.iter().filter_map(|i| table.columns.get(*i)).map(|(n, _)| n.as_str()))?;
    let mut rows = 0_u64;
    let written = snapshot
        .rows(&table, |row| {
            rows += 1;
            progress.row();
            let cells = shown.iter().filter_map(|i| Some((table.columns.get(*i)?.0.as_str(), row.get(*i)?)));
            out.row(cells.map(|(name, cell)| (name, value(name, cell))))
        })
        .await;
    let finished = match written {
        Ok(()) => out.finish(),
        Err(error) => Err(error),
    };
    if let Err(error) = finished {
        // Half a table must not pass for a whole one.
        let _ = std::fs::remove_file(&fresh);
        return Err(error);
    }
    snapshot.end().await?;
    std::fs::rename(&fresh, to).with_context(|| format!("{} cannot be renamed", fresh.display()))?;
    Ok(rows)
}

fn shown(table: &Table) -> Vec<usize> {
    let of_use = |(_, (name, _)): &(usize, &(String, _))| !LEFT_OUT.contains(&name.as_str());
    table.columns.iter().enumerate().filter(of_use).map(|(index, _)| index).collect()
}

/// A cell as people read it.
fn value(name: &str, cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) if MOMENTS.contains(&name) => stamp::rfc3339(protocol::time::UnixMillis(*number)).into(),
        Cell::Int(number) if DAYS.contains(&name) => stamp::day(i32::try_from(*number).unwrap_or(0)).into(),
        // Codes begin with the province, never with a zero; grids have three digits more.
        Cell::Int(number) if DIVISIONS.contains(&name) => crate::store::division("export", *number)
            .map_or_else(|_| number.to_string(), |division| division.to_string())
            .into(),
        Cell::Int(number) => (*number).into(),
        Cell::Bytes(bytes) => to_hex(bytes).into(),
        Cell::Text(text) => text.as_str().into(),
    }
}

enum Out {
    Csv(Box<csv::Writer<BufWriter<File>>>),
    Jsonl(BufWriter<File>),
}

impl Out {
    fn create<'a>(path: &Path, form: Form, names: impl Iterator<Item = &'a str>) -> anyhow::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        let mut file = BufWriter::new(file.with_context(|| format!("{} cannot be made", path.display()))?);
        Ok(match form {
            Form::Csv => {
                file.write_all(MARK)?;
                let mut out = csv::Writer::from_writer(file);
                out.write_record(names)?;
                Self::Csv(Box::new(out))
            }
            Form::Jsonl => Self::Jsonl(file),
        })
    }

    fn row<'a>(&mut self, cells: impl Iterator<Item = (&'a str, Value)>) -> anyhow::Result<()> {
        match self {
            Self::Csv(out) => Ok(out.write_record(cells.map(|(_, value)| in_csv(&value)))?),
            Self::Jsonl(out) => {
                let object: Map<String, Value> = cells.map(|(name, value)| (name.to_owned(), value)).collect();
                serde_json::to_writer(&mut *out, &object)?;
                Ok(out.write_all(b"\n")?)
            }
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        let out = match self {
            Self::Csv(out) => out.into_inner().map_err(|e| anyhow::anyhow!("{e}"))?,
            Self::Jsonl(out) => out,
        };
        Ok(out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?)
    }
}

/// A text that a spreadsheet would take for a formula is marked as text: somebody else wrote it.
fn in_csv(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_looks_like_a_formula_is_marked_and_numbers_stay_numbers() {
        for (value, written) in [
            (Value::from("=cmd|'/c calc'!A1"), "'=cmd|'/c calc'!A1"),
            (Value::from("@x"), "'@x"),
            (Value::from("物业纠纷"), "物业纠纷"),
            (Value::from(-3), "-3"),
            (Value::Null, ""),
        ] {
            assert_eq!(in_csv(&value), written);
        }
    }

    #[test]
    fn moments_days_and_divisions_are_written_for_people() {
        assert_eq!(value("at", &Cell::Int(0)), "1970-01-01T08:00:00.000+08:00");
        assert_eq!(value("day", &Cell::Int(1)), "1970-01-02");
        assert_eq!(value("place", &Cell::Int(330_602_001_001_001)), "330602001001001");
        assert_eq!(value("people", &Cell::Int(5)), 5);
        assert_eq!(value("key", &Cell::Bytes(vec![1, 255])), "01ff");
    }
}
