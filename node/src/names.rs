//! Divisions by code: their names and what hangs below what.

use std::collections::BTreeMap;
use std::io::Read;

use protocol::division::{DivisionCode, Level};

use crate::divisions::{self, Refused};

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// Its code.
    pub code: DivisionCode,
    /// Its name.
    pub name: String,
    /// The row above, as the table says; none for the first.
    pub parent: Option<DivisionCode>,
    /// Its line in the file, the heading being line 1.
    pub line: u64,
}

impl Division {
    /// The level that its digits tell.
    pub fn level(&self) -> Level {
        self.code.level()
    }
}

/// A division table. See [`crate::divisions`] for how one is read and checked.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: BTreeMap<DivisionCode, Division>,
    below: BTreeMap<DivisionCode, Vec<DivisionCode>>,
    /// Names that go before those of the rows.
    shown: BTreeMap<DivisionCode, String>,
}

/// The table that ships with the program.
const SHIPPED: &str = include_str!("../data/divisions.csv");

impl Table {
    /// The table that ships with the program: Shaoxing, 2023.
    pub fn shipped() -> Result<Self, Refused> {
        Self::read(SHIPPED.as_bytes())
    }

    /// Reads a table; refuses it whole, with the lines, when a row does not fit.
    pub fn read(source: impl Read) -> Result<Self, Refused> {
        divisions::read(source)
    }

    /// A table of rows that fit each other.
    pub(crate) fn of(rows: BTreeMap<DivisionCode, Division>) -> Self {
        let mut below: BTreeMap<DivisionCode, Vec<DivisionCode>> = BTreeMap::new();
        for row in rows.values() {
            if let Some(parent) = row.parent {
                below.entry(parent).or_default().push(row.code);
            }
        }
        Self { rows, below, shown: BTreeMap::new() }
    }

    /// The first row without a parent.
    pub fn top(&self) -> Option<&Division> {
        self.tops().next()
    }

    /// All rows without a parent.
    pub fn tops(&self) -> impl Iterator<Item = &Division> {
        self.rows.values().filter(|d| d.parent.is_none())
    }

    /// The row of a code.
    pub fn get(&self, code: DivisionCode) -> Option<&Division> {
        self.rows.get(&code)
    }

    /// A row and all that lie inside it, parents before their children.
    pub fn within(&self, code: DivisionCode) -> impl Iterator<Item = &Division> {
        self.rows.range(code..).map(|(_, row)| row).take_while(move |row| code.contains(row.code))
    }

    /// The rows directly below one.
    pub fn children(&self, of: DivisionCode) -> impl Iterator<Item = &Division> {
        self.below.get(&of).into_iter().flatten().filter_map(|code| self.rows.get(code))
    }

    /// The same rows, with names that go before theirs and may name what is no row.
    #[must_use]
    pub fn naming(mut self, names: impl IntoIterator<Item = (DivisionCode, String)>) -> Self {
        self.shown.extend(names);
        self
    }

    /// The name of every row.
    pub fn all_names(&self) -> impl Iterator<Item = (DivisionCode, String)> {
        self.rows.values().map(|row| (row.code, row.name.clone()))
    }

    fn shown_as(&self, code: DivisionCode) -> Option<&str> {
        self.shown.get(&code).or_else(|| self.rows.get(&code).map(|row| &row.name)).map(String::as_str)
    }

    /// The name of a division; a grid is named after what it hangs on.
    pub fn name(&self, code: DivisionCode) -> Option<String> {
        if let Some(name) = self.shown_as(code) {
            return Some(name.to_owned());
        }
        let above = self.shown_as(code.parent()?)?;
        (code.level() == Level::Grid).then(|| format!("{above}第{}网格", code.number() % 1_000))
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
        assert_eq!(table.within(top.code).count(), 2_278);
    }

    #[test]
    fn a_grid_that_is_no_row_is_named_after_what_it_hangs_on() {
        let table = Table::shipped().unwrap();
        let community = table.within(table.top().unwrap().code).find(|d| d.level() == Level::Community).unwrap();
        assert_eq!(table.name(community.code.grid(3).unwrap()), Some(format!("{}第3网格", community.name)));
    }

    #[test]
    fn a_name_that_is_given_goes_before_that_of_the_row_and_names_what_is_no_row() {
        let code = |text: &str| -> DivisionCode { text.parse().unwrap() };
        let jinhua = [(code("330702000000"), "婺城区".to_owned()), (code("330602000000"), "越城".to_owned())];
        let table = Table::shipped().unwrap().naming(jinhua);
        assert_eq!(table.name(code("330702000000")).as_deref(), Some("婺城区"));
        assert_eq!(table.name(code("330602000000")).as_deref(), Some("越城"));
        assert_eq!(table.name(code("330600000000")).as_deref(), Some("绍兴市"));
        assert_eq!(table.name(code("330703000000")), None);
    }
}
