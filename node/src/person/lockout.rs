//! Guessing passwords: failures are counted for each name and each address, and every one makes the next wait longer. The
//! wait is told alike for names that exist and names that do not, so it tells nothing of either.

use protocol::time::UnixMillis;

/// Failures of one name that cost no wait: people mistype.
const NAME_FREE: u32 = 4;
/// Failures from one address that cost no wait: an office shares one.
const ADDRESS_FREE: u32 = 20;
/// The first wait.
const WAIT_MIN_MS: i64 = 15_000;
/// The longest wait: nobody is locked out of their work for good by somebody else's guessing.
pub const WAIT_MAX_MS: i64 = 15 * 60_000;
/// Failures older than this no longer count.
pub const MEMORY_MS: i64 = 24 * 3_600_000;
/// Names and addresses that are remembered at once; beyond it the oldest go.
pub const REMEMBERED_MAX: u32 = 10_000;

/// What failures are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A log-in name, whether it exists or not.
    Name,
    /// An address.
    Address,
}

impl Subject {
    /// As it stands in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
        }
    }

    fn free(self) -> u32 {
        match self {
            Self::Name => NAME_FREE,
            Self::Address => ADDRESS_FREE,
        }
    }
}

/// Failures of one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// When the last one was.
    pub last: UnixMillis,
}

impl Failures {
    /// One more.
    pub fn and(self, now: UnixMillis) -> Self {
        let stale = now.0.saturating_sub(self.last.0) > MEMORY_MS;
        Self { count: if stale { 1 } else { self.count.saturating_add(1) }, last: now }
    }

    /// Milliseconds until the next attempt is looked at; 0: now.
    pub fn wait_ms(self, subject: Subject, now: UnixMillis) -> i64 {
        let passed = now.0.saturating_sub(self.last.0);
        // A clock that went back does not lock anybody out: the wait is counted anew from now, and it is bounded.
        if !(0..=MEMORY_MS).contains(&passed) {
            return 0;
        }
        let beyond = self.count.saturating_sub(subject.free());
        if beyond == 0 {
            return 0;
        }
        let wait = WAIT_MIN_MS.checked_shl(beyond - 1).filter(|ms| *ms > 0).unwrap_or(WAIT_MAX_MS).min(WAIT_MAX_MS);
        wait.saturating_sub(passed).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(count: u32) -> Failures {
        (0..count).fold(Failures::default(), |failures, _| failures.and(UnixMillis(1_000_000)))
    }

    #[test]
    fn every_further_failure_waits_longer_up_to_a_bound() {
        let now = UnixMillis(1_000_000);
        let waits: Vec<_> = (0..80).map(|n| after(n).wait_ms(Subject::Name, now)).collect();
        assert_eq!(&waits[..8], &[0, 0, 0, 0, 0, 15_000, 30_000, 60_000]);
        assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(waits.last(), Some(&WAIT_MAX_MS));
    }

    #[test]
    fn the_wait_runs_down_and_a_day_forgets() {
        let failures = after(6);
        assert_eq!(failures.wait_ms(Subject::Name, UnixMillis(1_010_000)), 20_000);
        assert_eq!(failures.wait_ms(Subject::Name, UnixMillis(1_030_000)), 0);
        assert_eq!(failures.and(UnixMillis(1_000_000 + MEMORY_MS + 1)).count, 1);
        assert_eq!(failures.wait_ms(Subject::Name, UnixMillis(0)), 0, "a clock that went back locks nobody out");
    }

    #[test]
    fn an_office_may_mistype_more_often_than_a_person() {
        assert_eq!(after(10).wait_ms(Subject::Address, UnixMillis(1_000_000)), 0);
        assert!(after(21).wait_ms(Subject::Address, UnixMillis(1_000_000)) > 0);
    }
}
