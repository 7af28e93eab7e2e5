//! The cases that the writer has at hand.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use casework::Known;
use protocol::fact::CaseFact;
use protocol::id::CaseId;

/// Cases of one generation at most.
const GENERATION_MAX: usize = 1_000;

/// Cases as they stand after the last decision, in two generations: what was not asked for while a whole generation came in
/// goes.
#[derive(Debug, Default)]
pub(super) struct CaseCache {
    young: HashMap<CaseId, Arc<Known>>,
    old: HashMap<CaseId, Arc<Known>>,
}

impl CaseCache {
    /// What is at hand of a case.
    pub(super) fn get(&mut self, case: CaseId) -> Option<Arc<Known>> {
        if let Some(known) = self.old.remove(&case) {
            self.put(known);
        }
        self.young.get(&case).cloned()
    }

    /// Puts a case here as it stands.
    pub(super) fn put(&mut self, known: Arc<Known>) {
        let case = known.id();
        self.old.remove(&case);
        if self.young.len() >= GENERATION_MAX && !self.young.contains_key(&case) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(case, known);
    }

    /// A fact of a case came by itself: what is at hand of the case knows it too.
    pub(super) fn counted(&mut self, case: CaseId, fact: &CaseFact) {
        if let Some(known) = self.young.get_mut(&case).or_else(|| self.old.get_mut(&case)) {
            Arc::make_mut(known).counted(fact);
        }
    }

    /// Of these cases, those that are not at hand, each once.
    pub(super) fn missing(&self, cases: impl Iterator<Item = CaseId>) -> Vec<CaseId> {
        let at_hand = |case: &CaseId| self.young.contains_key(case) || self.old.contains_key(case);
        let missing: BTreeSet<CaseId> = cases.filter(|case| !at_hand(case)).collect();
        missing.into_iter().collect()
    }

    /// Forgets everything: the disk may know less.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(number: usize) -> CaseId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
        CaseId::from_bytes(bytes)
    }

    fn known(number: usize) -> Arc<Known> {
        Arc::new(Known::assemble(case(number), Vec::new()))
    }

    #[test]
    fn what_is_asked_for_stays_and_memory_has_an_end() {
        let mut cache = CaseCache::default();
        for number in 0..10 * GENERATION_MAX {
            cache.put(known(number));
            assert!(cache.get(case(0)).is_some(), "asked for at {number}");
            assert!(cache.young.len() + cache.old.len() <= 2 * GENERATION_MAX);
        }
        assert_eq!(cache.missing([case(0), case(1), case(1)].into_iter()), [case(1)]);
    }
}
