//! The cases that the writer has at hand, as the records they are made of.

use std::collections::{BTreeMap, HashMap};

use casework::{Known, Record, RecordKey};
use protocol::id::CaseId;

/// Cases at hand at most; the whole cache goes when it is full, which costs a read for each case that comes back.
const CASES_MAX: usize = 2_000;

/// Records of cases by their keys.
#[derive(Debug, Default)]
pub(super) struct CaseCache {
    cases: HashMap<CaseId, BTreeMap<RecordKey, Record>>,
}

impl CaseCache {
    /// What is at hand of a case.
    pub(super) fn get(&self, case: CaseId) -> Option<Known> {
        self.cases.get(&case).map(|rows| Known::assemble(case, rows.values().cloned().collect()))
    }

    /// Puts a case here as it was read.
    pub(super) fn put(&mut self, case: CaseId, rows: Vec<Record>) {
        if self.cases.len() >= CASES_MAX {
            self.cases.clear();
        }
        self.cases.insert(case, rows.into_iter().map(|row| (row.key(), row)).collect());
    }

    /// Follows what a decision stored.
    pub(super) fn follow(&mut self, case: CaseId, rows: &[Record]) {
        if rows.iter().any(|row| matches!(row, Record::Erasure(_) | Record::Lapse(_))) {
            // What is gone does not live on in memory.
            self.cases.remove(&case);
            return;
        }
        if let Some(held) = self.cases.get_mut(&case) {
            for row in rows {
                let key = row.key();
                if held.get(&key).is_none_or(|stored| row.replaces(stored)) {
                    held.insert(key, row.clone());
                }
            }
        }
    }

    /// Forgets everything: the disk may know less.
    pub(super) fn forget(&mut self) {
        self.cases.clear();
    }
}
