//! Which rows of a table get a node, and below which.

use std::collections::BTreeMap;

use protocol::division::{DivisionCode, GridKind};

use crate::names::{Division, Table};

/// Names of rows that head a list of the table and are no government of their own.
const HEADINGS: [&str; 8] = [
    "市辖区",
    "县",
    "省直辖县级行政区划",
    "省直辖县级行政单位",
    "省直辖行政单位",
    "自治区直辖县级行政区划",
    "自治区直辖县级行政单位",
    "兵团直辖县级行政区划",
];
/// Rows that are named as other choices.
const NAMED_MAX: usize = 8;

/// A division that gets a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its code.
    pub code: DivisionCode,
    /// Its name.
    pub name: String,
    /// The site it hangs below; none for the top.
    pub parent: Option<DivisionCode>,
    /// On what it hangs, if it is a grid.
    pub grid_kind: Option<GridKind>,
}

/// A row that gets no node, although it is in the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line}: {code} {name} heads a list and is no government, so it gets no node; what lies below hangs on {above}"
)]
pub struct PassedBy {
    /// Line of the file.
    pub line: u64,
    /// Its code.
    pub code: DivisionCode,
    /// Its name.
    pub name: String,
    /// Where the rows below it hang instead.
    pub above: DivisionCode,
}

/// The sites of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sites {
    /// Parents before their children; the first is the top.
    pub sites: Vec<Site>,
    /// Rows without a node.
    pub passed_by: Vec<PassedBy>,
}

/// Why a table has no sites.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSites {
    /// The code that was asked for is no row.
    #[error("{0} is no row of the table")]
    Unknown(DivisionCode),
    /// Several rows without a parent.
    #[error("the table has several rows at the top; choose one with --city: {}", .0.join(", "))]
    SeveralTops(Vec<String>),
    /// The top is a mere heading.
    #[error("line {line}: {code} {name} heads a list and is no government, so it cannot be the top; choose a row below it with --city: {}", .below.join(", "))]
    Heading {
        /// Line of the file.
        line: u64,
        /// Its code.
        code: DivisionCode,
        /// Its name.
        name: String,
        /// Some of the rows below it.
        below: Vec<String>,
    },
    /// No rows at all.
    #[error("the table has no rows")]
    Empty,
}

/// Whether a row heads a list and is no government: nobody works there, so there is nothing to run.
pub fn is_heading(division: &Division) -> bool {
    HEADINGS.contains(&division.name.as_str())
}

fn named(division: &Division) -> String {
    format!("{} {}", division.code, division.name)
}

/// The row at the top of a federation: the one that was asked for, or the only one without a parent.
pub fn top(table: &Table, asked: Option<DivisionCode>) -> Result<&Division, NoSites> {
    let top = match asked {
        Some(code) => table.get(code).ok_or(NoSites::Unknown(code))?,
        None => {
            let mut tops = table.tops();
            let first = tops.next().ok_or(NoSites::Empty)?;
            if tops.next().is_some() {
                return Err(NoSites::SeveralTops(table.tops().take(NAMED_MAX).map(named).collect()));
            }
            first
        }
    };
    if is_heading(top) {
        let below = table.children(top.code).take(NAMED_MAX).map(named).collect();
        return Err(NoSites::Heading { line: top.line, code: top.code, name: top.name.clone(), below });
    }
    Ok(top)
}

/// The sites of a table: every row from the top down that is a government.
pub fn sites(table: &Table, asked: Option<DivisionCode>) -> Result<Sites, NoSites> {
    let top = top(table, asked)?;
    let mut found = Sites::default();
    // Where the rows below a row hang: on itself, or above a heading.
    let mut hangs_on = BTreeMap::new();
    for row in table.within(top.code) {
        let parent = if row.code == top.code { None } else { row.parent.and_then(|p| hangs_on.get(&p).copied()) };
        if let (true, Some(above)) = (is_heading(row), parent) {
            hangs_on.insert(row.code, above);
            found.passed_by.push(PassedBy { line: row.line, code: row.code, name: row.name.clone(), above });
            continue;
        }
        hangs_on.insert(row.code, row.code);
        found.sites.push(Site { code: row.code, name: row.name.clone(), parent, grid_kind: None });
    }
    Ok(found)
}
