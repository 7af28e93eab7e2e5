//! The one place that reads the clock and the random source; everything else gets values.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use federation::trust::Token;
use federation::trust::time::JoinTime;
use protocol::time::{ClockReading, UnixMillis};

/// Process start, from which uptime counts.
static START: LazyLock<Instant> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "this module is the clock")]
    Instant::now()
});

/// The node's clock: the machine's wall clock, and how far it is from the parent's.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
    wrong_by_ms: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that is wrong by so much, for tests.
    pub fn wrong_by(ms: i64) -> Self {
        let clock = Self::default();
        clock.wrong_by_ms.store(ms, Ordering::Relaxed);
        clock
    }

    /// From now on this clock and all its clones are ahead by so much more: a test lives through days without waiting.
    pub fn move_on(&self, ms: i64) {
        self.wrong_by_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// The machine's wall clock.
    pub fn wall(&self) -> UnixMillis {
        #[expect(clippy::disallowed_methods, reason = "this module is the clock")]
        let now = SystemTime::now();
        let millis = match now.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        };
        UnixMillis(millis.saturating_add(self.wrong_by_ms.load(Ordering::Relaxed)))
    }

    /// What an event is stamped with.
    pub fn reading(&self) -> ClockReading {
        ClockReading { wall: self.wall(), offset_ms: self.offset_ms.load(Ordering::Relaxed) }
    }

    /// Milliseconds since the process started; never goes back.
    pub fn uptime_ms(&self) -> u64 {
        u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Microseconds since the process started; for measuring.
    pub fn uptime_us(&self) -> u64 {
        u64::try_from(START.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// The time by which somebody who joins with a token judges certificates.
    pub fn joining(&self, token: &Token) -> Arc<JoinTime> {
        let clock = self.clone();
        Arc::new(JoinTime::new(Box::new(move || (clock.wall(), clock.uptime_ms())), token.clone()))
    }

    /// The link measured how far the parent's clock is ahead. Small differences are transit time and stay out.
    pub fn corrected_by(&self, offset_ms: i64) {
        const TRANSIT_MS: i64 = 5_000;
        self.offset_ms.store(if offset_ms.abs() > TRANSIT_MS { offset_ms } else { 0 }, Ordering::Relaxed);
    }
}

/// Fills a buffer from the system's random source.
pub fn random(buffer: &mut [u8]) {
    // Without a random source there are no keys, no salts and no ids: nothing safe is left to do but stop.
    #[expect(clippy::expect_used, reason = "a machine without randomness cannot run a node")]
    getrandom::fill(buffer).expect("the system's random source");
}

/// Random bytes.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    random(&mut bytes);
    bytes
}
