//! Is everything above as it is below? Counted over the databases alone, whether the nodes run or not.

use std::collections::{BTreeMap, BTreeSet};

use protocol::division::Level;
use protocol::id::CaseId;
use serde::Serialize;

use crate::store::audit::{Cell, Standing};
use crate::store::{Store, StoreError};

/// The result of a count.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Verdict {
    /// Cases by level, as their owners have them.
    pub cases: ByLevel,
    /// Escalated cases at their owners and at the top.
    pub escalations: Escalations,
    /// Escalated cases whose last event at the top is not the owner's last event.
    pub lost: usize,
    /// Cases with two owners, events and facts that are there twice.
    pub duplicated: usize,
    /// Whether the figures of the top equal the owners' case tables in every cell.
    pub totals_equal: bool,
    /// What is wrong, in words, for the first few.
    pub findings: Vec<String>,
}

/// Cases by level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ByLevel {
    /// 一级
    pub orange: i64,
    /// 二级
    pub red: i64,
    /// 三级
    pub yellow: i64,
    /// Without a level.
    pub none: i64,
}

/// Escalated cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Escalations {
    /// At their owners.
    pub expected: usize,
    /// Of these, at the top.
    pub present: usize,
}

const FINDINGS_MAX: usize = 10;

/// Counts over the databases of all nodes, the top among them.
pub async fn count(stores: &[(Level, Store)]) -> Result<Verdict, StoreError> {
    let mut verdict = Verdict::default();
    let Some(top) = stores.iter().min_by_key(|(level, _)| *level).map(|(_, store)| store) else {
        return Ok(verdict);
    };
    let mut owned: BTreeMap<Cell, i64> = BTreeMap::new();
    let mut escalated: BTreeMap<CaseId, Standing> = BTreeMap::new();
    for (_, store) in stores {
        for (cell, cases) in store.owned_cells().await? {
            *owned.entry(cell).or_default() += cases;
        }
        for (case, standing) in store.owned_escalated().await? {
            if escalated.insert(case, standing).is_some() {
                verdict.duplicated += 1;
                verdict.find(format!("case {case} has two owners"));
            }
        }
        verdict.duplicated += usize::try_from(store.doubled().await?).unwrap_or(usize::MAX);
    }
    for ((level, ..), cases) in &owned {
        match level {
            3 => verdict.cases.orange += cases,
            2 => verdict.cases.red += cases,
            1 => verdict.cases.yellow += cases,
            _ => verdict.cases.none += cases,
        }
    }
    verdict.compare_mirror(&escalated, &top.all_standings().await?);
    verdict.compare_figures(&owned, &top.fact_cells().await?);
    Ok(verdict)
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.totals_equal
    }

    fn find(&mut self, what: String) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(what);
        }
    }

    fn compare_mirror(&mut self, escalated: &BTreeMap<CaseId, Standing>, top: &BTreeMap<CaseId, Standing>) {
        self.escalations.expected = escalated.len();
        for (case, below) in escalated {
            match top.get(case) {
                Some(above) if above == below => self.escalations.present += 1,
                Some(above) => {
                    self.escalations.present += 1;
                    self.lost += 1;
                    self.find(format!(
                        "case {case} stands at number {} below and {} above",
                        below.number, above.number
                    ));
                }
                None => {
                    self.lost += 1;
                    self.find(format!("case {case} is not at the top"));
                }
            }
        }
    }

    fn compare_figures(&mut self, owned: &BTreeMap<Cell, i64>, top: &BTreeMap<Cell, i64>) {
        self.totals_equal = owned == top;
        let cells: BTreeSet<&Cell> = owned.keys().chain(top.keys()).collect();
        for cell in cells {
            let (below, above) = (owned.get(cell).copied().unwrap_or(0), top.get(cell).copied().unwrap_or(0));
            if below != above {
                let (level, category, place, day) = cell;
                self.find(format!(
                    "level {level}, category {category:04}, place {place}, day {day}: {below} below, {above} above"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::chain::{Epoch, Hash};

    use super::*;

    fn case(n: u8) -> CaseId {
        CaseId::from_bytes([n; 16])
    }

    fn standing(number: i64) -> Standing {
        Standing { epoch: Epoch::default(), number, head: Hash::of(&number.to_be_bytes()) }
    }

    #[test]
    fn a_case_that_is_missing_or_behind_at_the_top_is_lost() {
        let below = BTreeMap::from([(case(1), standing(3)), (case(2), standing(5)), (case(3), standing(2))]);
        let top = BTreeMap::from([(case(1), standing(3)), (case(2), standing(4))]);
        let mut verdict = Verdict::default();
        verdict.compare_mirror(&below, &top);
        assert_eq!((verdict.escalations.expected, verdict.escalations.present, verdict.lost), (3, 2, 2));
        assert_eq!(verdict.findings.len(), 2);
    }

    #[test]
    fn a_cell_that_differs_is_named() {
        let below = BTreeMap::from([((3, 402, 330_602_001_001_001, 20_000), 2)]);
        let top = BTreeMap::from([((3, 402, 330_602_001_001_001, 20_000), 1)]);
        let mut verdict = Verdict::default();
        verdict.compare_figures(&below, &top);
        assert!(!verdict.totals_equal && !verdict.is_whole());
        assert!(verdict.findings[0].contains("2 below, 1 above"), "{:?}", verdict.findings);
        verdict.compare_figures(&below, &below.clone());
        assert!(verdict.totals_equal);
    }
}
