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
    let papers = |case: &Case| case.agreements.iter().map(|agreement| agreement.paper).collect::<Vec<_>>();
    let same = |before: &Case| {
        papers(before) == papers(after)
            && before.report == after.report
            && before.seats == after.seats
            && before.above().summary == after.above().summary
            && before.restricted == after.restricted
    };
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use casework::{Actor, InForce, Keys, Lapse, Me, Record, Role, World};
    use protocol::chain::Signature;
    use protocol::division::DivisionCode;
    use protocol::id::{CaseId, EventId, NodeId};
    use protocol::time::ClockReading;
    use serde_json::json;

    use super::*;
    use crate::person::vault::Vault;
    use crate::store::{self, Place};

    const ME: NodeId = NodeId::from_bytes([7; 16]);
    const NOW: UnixMillis = UnixMillis(1_780_000_000_000);

    /// Signatures are not what is tested here.
    struct NoKeys;

    impl Keys for NoKeys {
        fn sign(&self, _: &[u8]) -> Signature {
            Signature([0; 64])
        }
        fn verify(&self, _: NodeId, _: &[u8], _: &Signature) -> bool {
            true
        }
        fn division(&self, _: NodeId) -> Option<DivisionCode> {
            None
        }
    }

    fn reported(case: CaseId) -> (Known, Vec<Record>) {
        let intake = serde_json::from_value(json!({
            "case": case.to_string(), "matter": "dispute", "source": "grid", "category": 402, "place": "330602001001001",
            "grid_kind": "basic", "title": "通道之争", "ending": "settle_here",
        }));
        let mut entropy = |buffer: &mut [u8]| buffer.fill(5);
        let mut world = World {
            me: Me { node: ME, division: "330600000000".parse().expect("a city") },
            line: &[],
            holds: &InForce::shipped(),
            now: ClockReading::exact(NOW),
            entropy: &mut entropy,
            keys: &NoKeys,
            mutant: None,
        };
        let by = Actor::everywhere("u", "某人", &[Role::GridWorker]);
        let none = Known::assemble(case, Vec::new());
        let decision = casework::open(intake.expect("an intake"), &by, &none, &mut world).expect("reported");
        (decision.known, decision.records)
    }

    #[tokio::test]
    async fn a_case_stays_findable_when_something_of_it_lapses_by_which_it_was_not_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, mut write) =
            store::open(&Place::File(folder.path().join("node.db")), ME).await.expect("a database");
        write.open_vault(Arc::new(Vault::fresh().expect("keys")));
        let id = CaseId::from_bytes([1; 16]);
        let (known, records) = reported(id);
        let case = known.case().expect("a case").clone();
        assert!(other_words(None, &case) && !other_words(Some(&known), &case));
        let events = BTreeSet::from([EventId::from_bytes([9; 16])]);
        let lapse = Record::Lapse(Lapse { case: id, at: ClockReading::exact(NOW), events });
        for (records, worded) in [(records, BTreeSet::from([id])), (vec![lapse], BTreeSet::new())] {
            let mut batch = Batch { records, worded, ..Batch::default() };
            batch.cases.insert(id, case.clone());
            write.begin().await.expect("begun");
            batch.write(ME, &mut write, NOW).await.expect("written");
            write.commit().await.expect("committed");
            assert_eq!(store.findable().await.expect("counted"), 1);
        }
    }
}
