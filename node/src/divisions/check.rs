//! Checks the rows of a table against each other.

use std::collections::BTreeMap;

use protocol::division::{DivisionCode, Level};

use super::fault::{Fault, Reason, Refused};
use super::read::Row;
use crate::names::{Division, Table};

/// A table, when every row fits the others.
pub(super) fn whole(rows: Vec<Row>) -> Result<Table, Refused> {
    let mut faults = Vec::new();
    let mut known: BTreeMap<DivisionCode, Division> = BTreeMap::new();
    for Row { level, division } in rows {
        let Division { code, line, .. } = division;
        if !fits(code, level) {
            faults.push(Fault { line, why: Reason::Level { code, said: level, told: code.level() } });
        }
        match known.get(&code) {
            Some(first) => faults.push(Fault { line, why: Reason::Twice { code, first: first.line } }),
            None => {
                known.insert(code, division);
            }
        }
    }
    for division in known.values() {
        if let Some(why) = parent_fault(&known, division) {
            faults.push(Fault { line: division.line, why });
        }
    }
    if known.is_empty() {
        faults.push(Fault { line: 1, why: Reason::Empty });
    }
    if !faults.is_empty() {
        faults.sort_by_key(|fault| fault.line);
        return Err(Refused { faults });
    }
    Ok(Table::of(known))
}

/// Whether a row's level fits its digits. Where the county level is missing, some tables call the townships counties and
/// the villages townships: the list has one level less. The digits are plain, so such rows run at the level they tell.
fn fits(code: DivisionCode, said: Level) -> bool {
    let told = code.level();
    let without_county = (code.number() / 1_000_000_000).is_multiple_of(100);
    said == told
        || without_county
            && matches!((told, said), (Level::Township, Level::County) | (Level::Community, Level::Township))
}

/// The row that contains a division most closely.
fn nearest(known: &BTreeMap<DivisionCode, Division>, code: DivisionCode) -> Option<&Division> {
    std::iter::successors(code.parent(), |above| above.parent()).find_map(|above| known.get(&above))
}

fn parent_fault(known: &BTreeMap<DivisionCode, Division>, division: &Division) -> Option<Reason> {
    let code = division.code;
    if let Some(parent) = division.parent {
        if parent == code || !parent.contains(code) {
            return Some(Reason::ParentElsewhere { code, parent });
        }
        if !known.contains_key(&parent) {
            return Some(Reason::ParentMissing { code, parent });
        }
    }
    let nearest = nearest(known, code)?;
    (division.parent != Some(nearest.code)).then_some(Reason::ParentNotNearest {
        code,
        nearest: nearest.code,
        line: nearest.line,
    })
}
