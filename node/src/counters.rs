//! What a node counts since its start. Nothing decides by it; the metrics tell it.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How far it is.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that was looked up last, if it ever was.
#[derive(Debug)]
pub struct Gauge(AtomicU64);

impl Gauge {
    const UNKNOWN: u64 = u64::MAX;

    pub(crate) fn set(&self, now: u64) {
        self.0.store(now, Ordering::Relaxed);
    }

    /// What it was.
    pub fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|number| *number != Self::UNKNOWN)
    }
}

impl Default for Gauge {
    fn default() -> Self {
        Self(AtomicU64::new(Self::UNKNOWN))
    }
}

/// Times, by how long they were.
#[derive(Debug, Default)]
pub struct Times {
    below: [Counter; Self::BOUNDS_US.len()],
    all: Counter,
    sum_us: Counter,
}

impl Times {
    /// Bounds that are told apart, microseconds.
    pub const BOUNDS_US: [u64; 10] =
        [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000];

    pub(crate) fn add(&self, took_us: u64) {
        for (bound, below) in Self::BOUNDS_US.iter().zip(&self.below) {
            below.add(usize::from(took_us <= *bound));
        }
        self.all.add(1);
        self.sum_us.add(usize::try_from(took_us).unwrap_or(usize::MAX));
    }

    /// How many took so long at most, by bound.
    pub fn below(&self) -> impl Iterator<Item = (u64, u64)> {
        Self::BOUNDS_US.into_iter().zip(self.below.iter().map(Counter::get))
    }

    /// How many there were, and how long together, microseconds.
    pub fn all(&self) -> (u64, u64) {
        (self.all.get(), self.sum_us.get())
    }
}

/// What went one way over the links.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Bundles.
    pub bundles: Counter,
    /// Their bytes.
    pub bytes: Counter,
    /// Frames of the control lane.
    pub control: Counter,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Counters {
    /// What came.
    pub came: Traffic,
    /// What went.
    pub went: Traffic,
    /// Times that a link came up.
    pub links_up: Counter,
    /// Requests that the writer has taken in.
    pub requests: Counter,
    /// Transactions that were stored.
    pub commits: Times,
    /// Transactions that were not.
    pub not_stored: Counter,
    /// Bytes free on the disk of the rows.
    pub free: Gauge,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_below_every_bound_that_it_does_not_exceed() {
        let times = Times::default();
        [900, 1_000, 1_001, 6_000_000].into_iter().for_each(|took| times.add(took));
        let below: Vec<_> = times.below().map(|(_, count)| count).collect();
        assert_eq!(below, [2, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
        assert_eq!(times.all(), (4, 6_002_901));
    }

    #[test]
    fn what_was_never_looked_up_is_not_told_as_nothing() {
        let gauge = Gauge::default();
        assert_eq!(gauge.get(), None);
        gauge.set(0);
        assert_eq!(gauge.get(), Some(0));
    }
}
