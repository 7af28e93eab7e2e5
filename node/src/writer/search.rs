//! Cases are found by their words: which changes touch those, and what is made anew after an upgrade or a restore.

use casework::{Case, Known};
use protocol::time::UnixMillis;

use super::Writer;
use super::batch::Batch;
use crate::store::StoreError;

/// Cases that are looked at in one turn.
const LOOK_MAX: u32 = 1_024;
/// Cases that are made findable in one turn.
const MAKE_MAX: usize = 64;

/// Whether a change touched the words by which a case is found. Most do not, and leave its row alone.
pub(super) fn other_words(before: Option<&Known>, after: &Case) -> bool {
    let same = |before: &Case| before.report == after.report && before.brief.summary == after.brief.summary;
    !before.and_then(Known::case).is_some_and(same)
}

impl Writer {
    /// Makes the next cases findable whose words are not in the search: after a restore, or an upgrade that makes them another
    /// way. Some at a time, beside the work of the day; until it is done answers say how many cases are not in yet.
    pub(super) async fn make_findable(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let Some(after) = self.findable else { return Ok(()) };
        let (missing, next) = self.store.unfindable_after(after, LOOK_MAX, MAKE_MAX).await?;
        // What this turn changes has its words from there.
        let read = missing.iter().copied().filter(|case| !batch.cases.contains_key(case)).collect::<Vec<_>>();
        batch.worded.extend(missing.iter().copied().filter(|case| batch.cases.contains_key(case)));
        for (case, records) in self.store.records_of(&read).await? {
            batch.remade.extend(Known::assemble(case, records).case().cloned());
        }
        if !missing.is_empty() {
            self.made_findable += missing.len();
            tracing::info!(cases = self.made_findable, "cases are made findable by their words");
        }
        self.findable = next;
        Ok(())
    }

    /// The moment that rows of lists say a case changed at: never before that of an earlier change, for whoever keeps the list
    /// in memory asks for what is later than the latest that it has.
    pub(super) async fn listed_at(&mut self, now: UnixMillis) -> Result<UnixMillis, StoreError> {
        let latest = match self.listed {
            Some(latest) => latest,
            None => self.store.latest_change().await?,
        };
        let listed = latest.max(now);
        self.listed = Some(listed);
        Ok(listed)
    }
}
