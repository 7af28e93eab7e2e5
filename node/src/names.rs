//! Names of divisions, from a table `code,name,level,parent_code`.

use std::collections::BTreeMap;
use std::io::Read;

use protocol::division::{DivisionCode, Level};

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// Its code.
    pub code: DivisionCode,
    /// Its name.
    pub name: String,
    /// The row above, as the table says; none for the first.
    pub parent: Option<DivisionCode>,
}

impl Division {
    /// The level that its digits tell.
    pub fn level(&self) -> Level {
        self.code.level()
    }
}

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Not CSV.
    #[error("line {line}: not a row of four columns code,name,level,parent_code ({what})")]
    Row {
        /// Line of the file, the heading being line 1.
        line: u64,
        /// What the reader says.
        what: String,
    },
    /// A code that is none.
    #[error("line {line}: {code:?} is no division code: {why}")]
    Code {
        /// Line of the file.
        line: u64,
        /// What stands there.
        code: String,
        /// Why it is none.
        why: protocol::division::NotADivision,
    },
    /// A code twice.
    #[error("line {line}: {code} stands in the table twice")]
    Twice {
        /// Line of the file.
        line: u64,
        /// The code.
        code: DivisionCode,
    },
    /// A row whose parent is no row, or does not contain it.
    #[error("line {line}: the parent {parent} of {code} is no row above it")]
    Parent {
        /// Line of the file.
        line: u64,
        /// The code.
        code: DivisionCode,
        /// What stands as its parent.
        parent: DivisionCode,
    },
    /// No city at the top.
    #[error("the table has no row without a parent, which would be the top")]
    NoTop,
}

/// A division table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: BTreeMap<DivisionCode, Division>,
}

/// The table that ships with the program.
const SHIPPED: &str = include_str!("../data/divisions.csv");

impl Table {
    /// The table that ships with the program: Shaoxing, 2023.
    pub fn shipped() -> Result<Self, TableError> {
        Self::read(SHIPPED.as_bytes())
    }

    /// Reads a table; refuses it whole, with the line, when a row does not fit.
    pub fn read(source: impl Read) -> Result<Self, TableError> {
        let mut reader = csv::Reader::from_reader(source);
        let mut rows = BTreeMap::new();
        let mut lines = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| TableError::Row {
                line: e.position().map_or(0, csv::Position::line),
                what: e.to_string(),
            })?;
            let line = record.position().map_or(0, csv::Position::line);
            let [code, name, _, parent] = [0, 1, 2, 3].map(|i| record.get(i).unwrap_or_default().trim());
            let parse = |text: &str| text.parse().map_err(|why| TableError::Code { line, code: text.to_owned(), why });
            let code: DivisionCode = parse(code)?;
            let parent = if parent.is_empty() { None } else { Some(parse(parent)?) };
            let division = Division { code, name: name.to_owned(), parent };
            if rows.insert(code, division).is_some() {
                return Err(TableError::Twice { line, code });
            }
            lines.push((line, code, parent));
        }
        for (line, code, parent) in lines {
            if let Some(parent) = parent.filter(|p| !rows.contains_key(p) || !p.contains(code) || *p == code) {
                return Err(TableError::Parent { line, code, parent });
            }
        }
        if !rows.values().any(|d| d.parent.is_none()) {
            return Err(TableError::NoTop);
        }
        Ok(Self { rows })
    }

    /// The first row without a parent.
    pub fn top(&self) -> Option<&Division> {
        self.rows.values().find(|d| d.parent.is_none())
    }

    /// The rows directly below one.
    pub fn children(&self, of: DivisionCode) -> impl Iterator<Item = &Division> {
        self.rows.values().filter(move |d| d.parent == Some(of))
    }

    /// The name of a division; a grid is named after what it hangs on.
    pub fn name(&self, code: DivisionCode) -> Option<String> {
        if let Some(row) = self.rows.get(&code) {
            return Some(row.name.clone());
        }
        let above = self.rows.get(&code.parent()?)?;
        (code.level() == Level::Grid).then(|| format!("{}第{}网格", above.name, code.number() % 1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_is_a_city_of_six_counties() {
        let table = Table::shipped().unwrap();
        let top = table.top().unwrap();
        assert_eq!(top.name, "绍兴市");
        assert_eq!(table.children(top.code).count(), 6);
    }

    #[test]
    fn a_bad_row_is_named_with_its_line() {
        let text = "code,name,level,parent_code\n330600000000,绍兴市,city,\n33060200000,越城区,county,330600000000\n";
        assert!(matches!(Table::read(text.as_bytes()), Err(TableError::Code { line: 3, .. })));
        let text = "code,name,level,parent_code\n330600000000,绍兴市,city,\n330702000000,婺城区,county,330600000000\n";
        assert!(matches!(Table::read(text.as_bytes()), Err(TableError::Parent { line: 3, .. })));
        let text = "code,name,level,parent_code\n330600000000,绍兴市,city,\n330600000000,绍兴市,city,\n";
        assert!(matches!(Table::read(text.as_bytes()), Err(TableError::Twice { line: 3, .. })));
    }
}
