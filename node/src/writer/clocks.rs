//! What is to be done by when: which changes of a case move one of its clocks, and what is counted anew after an upgrade or under
//! another table.

use casework::{Case, Known, clocks};
use protocol::id::CaseId;

use super::batch::Batch;
use super::{BEFORE_ALL_CASES, Writer};
use crate::store::StoreError;
use crate::store::clocks::ClockRows;

/// Cases that are counted in one turn.
const COUNT_MAX: u32 = 64;

impl Writer {
    /// Puts the clocks of a case into the transaction, where one of them moved. Most changes of a case that others own move none.
    pub(super) fn follow_clocks(&mut self, id: CaseId, known: &Known, batch: &mut Batch) {
        let before = self.cases.get(id).and_then(|before| self.clocks_of(&before));
        let after = self.clocks_of(known);
        let none = |rows: &Option<ClockRows>| rows.as_ref().is_none_or(|rows| rows.clocks.is_empty());
        // An earlier change of this transaction may have moved one that is back by now.
        if after != before && !(none(&before) && none(&after)) || batch.clocks.contains_key(&id) {
            batch.clocks.extend(after.map(|rows| (id, rows)));
        }
    }

    fn clocks_of(&self, known: &Known) -> Option<ClockRows> {
        let clocks = clocks::of(known, self.me, &self.publications.holds);
        // What is only offered has its place in the offer.
        let offered = || known.offers().map(|file| &file.offer.brief).next();
        let brief = known.case().map(Case::above).or_else(offered)?;
        let level = brief.level().map_or(0, |level| level.rank());
        Some(ClockRows { case: known.id(), place: brief.place, level, clocks })
    }

    /// By what clocks are counted: the program's way, and the measures in force.
    fn counted_by(&self) -> String {
        // A table of numbers and words becomes JSON; were it not to, its words in Rust tell it apart as well.
        let measures = self.publications.holds.measures.as_ref();
        let told = serde_json::to_string(measures).unwrap_or_else(|_| format!("{measures:?}"));
        format!("{} {}", clocks::EDITION, blake3::hash(told.as_bytes()).to_hex())
    }

    /// Counts the next cases that have no clock: after an upgrade, or when what they are counted by has changed.
    pub(super) async fn count_clocks(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        if std::mem::take(&mut self.recount) {
            let by = self.counted_by();
            if self.store.clocks_counted_by().await?.as_ref() != Some(&by) {
                batch.recount = Some(by);
                self.clockless = Some(BEFORE_ALL_CASES);
                return Ok(());
            }
        }
        let Some(after) = self.clockless else { return Ok(()) };
        let cases = self.store.clockless_after(after, COUNT_MAX).await?;
        let whole = cases.len() == usize::try_from(COUNT_MAX).unwrap_or(usize::MAX);
        self.clockless = cases.last().copied().filter(|_| whole);
        let read: Vec<CaseId> = cases.into_iter().filter(|case| !batch.cases.contains_key(case)).collect();
        for (case, records) in self.store.records_of(&read).await? {
            let rows = self.clocks_of(&Known::assemble(case, records)).filter(|rows| !rows.clocks.is_empty());
            batch.clocks.extend(rows.map(|rows| (case, rows)));
        }
        Ok(())
    }
}
