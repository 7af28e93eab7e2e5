//! The facts as questions need them: one row of fixed width a case, side by side in memory.
//!
//! A question that cuts a year of a city by anything walks over all rows once, which takes some ten milliseconds for a
//! million of them. Counting cells prepared ahead by grid, day and category would nearly all hold the value 1, would be as
//! many as the cases, and could give neither medians nor occupancy.

use std::borrow::Cow;
use std::collections::HashMap;

use protocol::event::{Outcome, Step};
use protocol::fact::CaseFact;
use protocol::id::CaseKey;
use protocol::time::Minute;

use super::calendar::day_of;
use super::past::Past;

/// A step that was not reached, a term that does not run.
pub(super) const NEVER: u32 = 0;

/// One case. Minutes are as in [`Minute`], days are counted from 1970-01-01; 0 stands for "not".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) place: u64,
    pub(super) owner: u64,
    pub(super) amount_fen: u64,
    pub(super) registered: u32,
    pub(super) filed: u32,
    pub(super) assigned: u32,
    pub(super) resolved: u32,
    pub(super) fed_back: u32,
    pub(super) archived: u32,
    pub(super) due_day: u32,
    pub(super) head_count: u32,
    pub(super) category: u16,
    pub(super) unit: u16,
    pub(super) channel: u16,
    pub(super) level: u8,
    pub(super) peak: u8,
    pub(super) matter: u8,
    pub(super) source: u8,
    pub(super) grid_kind: u8,
    pub(super) step: u8,
    /// 0 none, else [`outcome_code`].
    pub(super) outcome: u8,
    pub(super) void: bool,
    /// On another day it stood otherwise: its [`Past`] says how.
    pub(super) changed: bool,
    /// On the day for which it is shown, a term had run out that was met later.
    pub(super) late: bool,
}

/// An outcome as a row holds it.
pub(super) fn outcome_code(outcome: Option<Outcome>) -> u8 {
    match outcome {
        None => 0,
        Some(Outcome::Successful) => 1,
        Some(Outcome::Unsuccessful) => 2,
        Some(Outcome::Other) => 3,
    }
}

impl Row {
    /// The row of a fact.
    pub(super) fn of(fact: &CaseFact) -> Self {
        let at = |step: Step| fact.reached(step).map_or(NEVER, |minute| minute.0);
        let level = fact.level.map_or(0, |level| level.rank());
        let peak = fact.level_changes.iter().filter_map(|change| change.level).map(|level| level.rank()).max();
        // Of a provisional term nobody knows yet on which day it ends.
        let due = fact.running_terms().filter(|term| !term.provisional).map(|term| term.day.number()).min();
        Self {
            place: fact.place.number(),
            owner: fact.owner.number(),
            amount_fen: fact.amount_fen.unwrap_or(0),
            registered: fact.registered_at.0,
            filed: at(Step::Filed),
            assigned: at(Step::Assigned),
            resolved: fact.resolved_at.map_or(NEVER, |minute| minute.0),
            fed_back: at(Step::FedBack),
            archived: at(Step::Archived),
            due_day: due.and_then(|day| u32::try_from(day).ok()).unwrap_or(NEVER),
            head_count: fact.head_count,
            category: fact.category.0,
            unit: fact.unit.0,
            channel: fact.channel.map_or(0, |channel| channel.0),
            level,
            peak: peak.unwrap_or(0).max(level),
            matter: fact.matter as u8,
            source: fact.source as u8,
            grid_kind: fact.grid_kind as u8,
            step: fact.step() as u8,
            outcome: outcome_code(fact.outcome),
            void: fact.void,
            changed: false,
            late: false,
        }
    }

    /// The day on which the term that runs now began: whatever was done last began it.
    pub(super) fn term_began(&self) -> Option<i32> {
        let minutes = [self.registered, self.filed, self.assigned, self.resolved, self.fed_back];
        Self::day(minutes.into_iter().max().unwrap_or(NEVER))
    }

    /// The day of a minute in this row; none for a step that was not reached.
    pub(super) fn day(minute: u32) -> Option<i32> {
        (minute != NEVER).then(|| day_of(Minute(minute)))
    }
}

/// All facts of a node, its own and those of all below.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
    /// The key of each row; sorted as far as the table was loaded in one go.
    keys: Vec<CaseKey>,
    sorted: usize,
    /// Where those are that came later.
    late: HashMap<CaseKey, usize>,
    /// Of the rows that once stood otherwise, how.
    pasts: HashMap<usize, Past>,
}

impl Table {
    /// Takes a fact in. While loading, keys come in order and each once.
    pub(super) fn put(&mut self, fact: &CaseFact) {
        let past = Past::of(fact);
        let row = Row { changed: past.is_some(), ..Row::of(fact) };
        let known = self.find(fact.key);
        self.remember(known.unwrap_or(self.rows.len()), past);
        match known {
            Some(at) => {
                if let Some(slot) = self.rows.get_mut(at) {
                    *slot = row;
                }
            }
            None => {
                if self.sorted == self.keys.len() && self.keys.last().is_none_or(|last| *last < fact.key) {
                    self.sorted += 1;
                } else {
                    self.late.insert(fact.key, self.rows.len());
                }
                self.rows.push(row);
                self.keys.push(fact.key);
            }
        }
    }

    fn remember(&mut self, at: usize, past: Option<Past>) {
        match past {
            Some(past) => self.pasts.insert(at, past),
            None => self.pasts.remove(&at),
        };
    }

    /// A row as it stood at the end of a day.
    pub(super) fn on<'t>(&'t self, at: usize, row: &'t Row, day: i32) -> Cow<'t, Row> {
        let Some(past) = self.past(at, row) else { return Cow::Borrowed(row) };
        let (level, peak) = past.level_on(day).map_or((row.level, row.peak), |stood| (stood.level, stood.peak));
        Cow::Owned(Row { level, peak, late: past.late_on(day), ..*row })
    }

    /// A row as it stood from day to day: from which day on, until before which, and how.
    pub(super) fn spans(&self, at: usize, row: &Row, mut each: impl FnMut(i32, i32, &Row)) {
        let levels = self.past(at, row).map(Past::levels).unwrap_or_default();
        if levels.is_empty() {
            return each(i32::MIN, i32::MAX, row);
        }
        let until = levels.iter().skip(1).map(|next| next.from).chain([i32::MAX]);
        for (stood, until) in levels.iter().zip(until) {
            each(stood.from, until, &Row { level: stood.level, peak: stood.peak, ..*row });
        }
    }

    fn past(&self, at: usize, row: &Row) -> Option<&Past> {
        if row.changed { self.pasts.get(&at) } else { None }
    }

    fn find(&self, key: CaseKey) -> Option<usize> {
        let sorted = self.keys.get(..self.sorted).unwrap_or_default();
        // A load brings each key behind the last one.
        if sorted.last().is_none_or(|last| *last < key) {
            return self.late.get(&key).copied();
        }
        sorted.binary_search(&key).ok().or_else(|| self.late.get(&key).copied())
    }

    /// Makes room for so many rows.
    pub(super) fn reserve(&mut self, rows: usize) {
        self.rows.reserve_exact(rows);
        self.keys.reserve_exact(rows);
    }

    /// Rows.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Rows with their keys, in the order of [`Table::rows`].
    pub(super) fn keyed(&self) -> impl Iterator<Item = (CaseKey, &Row)> {
        self.keys.iter().copied().zip(&self.rows)
    }

    /// Bytes that it holds, about.
    pub(super) fn bytes(&self) -> usize {
        let pasts: usize = self.pasts.values().map(|past| past.bytes() + 16).sum();
        self.rows.capacity() * size_of::<Row>() + self.keys.capacity() * 16 + self.late.capacity() * 32 + pasts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oversight::sample::fact;

    #[test]
    fn a_row_is_no_wider_than_it_was_counted() {
        assert_eq!(size_of::<Row>(), 72);
    }

    #[test]
    fn a_fact_replaces_its_row_whether_it_was_loaded_or_came_later() {
        let mut table = Table::default();
        for n in [1, 2, 5, 9] {
            table.put(&fact(n));
        }
        assert_eq!((table.sorted, table.late.len()), (4, 0));
        for n in [3, 12, 11] {
            table.put(&fact(n));
        }
        for n in [1, 2, 3, 5, 9, 11, 12] {
            let mut changed = fact(n);
            changed.head_count = 1_000 + u32::from(n);
            table.put(&changed);
        }
        assert_eq!(table.rows().len(), 7);
        for (key, row) in table.keyed() {
            assert_eq!(row.head_count, 1_000 + u32::from(key.as_bytes()[15]));
        }
    }
}
