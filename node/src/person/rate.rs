//! Rate limits: the generic cell rate algorithm (ITU-T I.371), one number for each caller.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Callers that are remembered at once; beyond it those at rest go, then everybody starts anew.
const CALLERS_MAX: usize = 50_000;

/// So many at once, and then one every so often.
#[derive(Debug)]
pub struct Rate<K> {
    every_ms: u64,
    burst: u64,
    /// When each caller would be at rest, on the node's uptime in milliseconds.
    at_rest: Mutex<HashMap<K, u64>>,
    refused: AtomicU64,
}

impl<K: Eq + Hash> Rate<K> {
    /// A limit of `burst` requests at once and one every `every_ms` milliseconds.
    pub fn new(burst: u32, every_ms: u32) -> Self {
        Self {
            every_ms: u64::from(every_ms).max(1),
            burst: u64::from(burst).max(1),
            at_rest: Mutex::default(),
            refused: AtomicU64::new(0),
        }
    }

    /// How often somebody was refused.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Counts one request at `now_ms`; refused: milliseconds to wait.
    pub fn take(&self, caller: K, now_ms: u64) -> Result<(), u64> {
        let mut at_rest = self.at_rest.lock().unwrap_or_else(PoisonError::into_inner);
        if at_rest.len() >= CALLERS_MAX {
            at_rest.retain(|_, rest| *rest > now_ms);
            if at_rest.len() >= CALLERS_MAX {
                at_rest.clear();
            }
        }
        let slot = at_rest.entry(caller).or_insert(now_ms);
        let rest = (*slot).max(now_ms);
        let allowed_from = rest.saturating_sub((self.burst - 1) * self.every_ms);
        if allowed_from > now_ms {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(allowed_from - now_ms);
        }
        *slot = rest + self.every_ms;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let rate = Rate::new(3, 1_000);
        assert!((0..3).all(|_| rate.take("a", 0).is_ok()));
        assert_eq!(rate.take("a", 0), Err(1_000));
        assert_eq!(rate.take("a", 999), Err(1));
        assert_eq!(rate.take("a", 1_000), Ok(()));
        assert_eq!(rate.take("a", 1_000), Err(1_000));
        assert_eq!(rate.take("b", 1_000), Ok(()), "callers do not pay for each other");
        assert_eq!(rate.refused(), 3);
        assert!((0..3).all(|_| rate.take("a", 60_000).is_ok()), "rest gives the burst back");
    }

    #[test]
    fn memory_is_bounded() {
        let rate = Rate::new(1, 1_000);
        for caller in 0..(CALLERS_MAX + 10) {
            let _ = rate.take(caller, 0);
        }
        assert!(rate.at_rest.lock().unwrap().len() <= CALLERS_MAX);
    }
}
