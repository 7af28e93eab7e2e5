//! The time by which certificates are judged, on machines whose clock may be years wrong.
//!
//! A box without a battery wakes in 1970; a mistyped date puts another into 2090. Neither may cut a node off: its own
//! certificate says before when it cannot be, and its parent has told it the time.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use protocol::time::UnixMillis;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;

use super::token::{TOKEN_LIFE_MAX_MS, Token};

/// What the parent told, and when in this run of the process that was. A time from an earlier run counts as told at the
/// start: it cannot be earlier than that now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The parent's time.
    pub at: UnixMillis,
    /// Milliseconds since the process started.
    pub uptime_ms: u64,
}

/// What is known of the time besides the machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Begin of the own certificate: it is later now.
    pub not_before: UnixMillis,
    /// End of the own certificate.
    pub not_after: UnixMillis,
    /// The last word of the parent.
    pub told: Option<Told>,
}

/// The time by which certificates are judged.
///
/// Never before the own certificate began or the parent's last word. When the clock alone says that the own certificate
/// ended there are two stories: the clock is wrong, or this machine was off for long. `clock_is_right` tells which of them
/// is tried; whoever finds no peer with one tries the other.
pub fn judged_by(local: UnixMillis, uptime_ms: u64, known: &Known, clock_is_right: bool) -> UnixMillis {
    // A parent that is years ahead itself must not end the certificate; time that passed since its word may.
    let told = known.told.filter(|told| told.at <= known.not_after).map(|told| {
        let since = i64::try_from(uptime_ms.saturating_sub(told.uptime_ms)).unwrap_or(i64::MAX);
        UnixMillis(told.at.0.saturating_add(since))
    });
    let floor = told.map_or(known.not_before, |told| told.max(known.not_before));
    let in_doubt = local > known.not_after && told.is_some();
    if in_doubt && !clock_is_right { floor } else { floor.max(local) }
}

/// The time by which somebody who joins judges the certificates of the parent: within the life that its token can have.
pub fn joining(local: UnixMillis, token: &Token) -> UnixMillis {
    let earliest = UnixMillis(token.expires.0.saturating_sub(TOKEN_LIFE_MAX_MS));
    local.max(earliest).min(token.expires.max(earliest))
}

fn unix(at: UnixMillis) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(at.0).unwrap_or(0)))
}

/// Reads the machine's wall clock, and the milliseconds since the process started.
pub type Clock = Box<dyn Fn() -> (UnixMillis, u64) + Send + Sync>;

/// [`judged_by`] for rustls.
pub struct NodeTime {
    clock: Clock,
    known: RwLock<Known>,
    clock_is_right: AtomicBool,
}

impl NodeTime {
    /// With what is known at the start.
    pub fn new(clock: Clock, known: Known) -> Self {
        Self { clock, known: RwLock::new(known), clock_is_right: AtomicBool::new(false) }
    }

    /// What is known.
    pub fn known(&self) -> Known {
        *self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The parent told its time just now.
    pub fn told(&self, at: UnixMillis) {
        let (_, uptime_ms) = (self.clock)();
        self.known.write().unwrap_or_else(PoisonError::into_inner).told = Some(Told { at, uptime_ms });
        self.clock_is_right.store(false, Ordering::Relaxed);
    }

    /// No peer was found by the time as it was judged so far: the other story is tried.
    pub fn doubted(&self) {
        self.clock_is_right.fetch_xor(true, Ordering::Relaxed);
    }

    /// The node has another certificate.
    pub fn renewed(&self, not_before: UnixMillis, not_after: UnixMillis) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        (known.not_before, known.not_after) = (not_before, not_after);
    }

    /// The time by which certificates are judged now.
    pub fn now(&self) -> UnixMillis {
        let (local, uptime_ms) = (self.clock)();
        judged_by(local, uptime_ms, &self.known(), self.clock_is_right.load(Ordering::Relaxed))
    }
}

impl TimeProvider for NodeTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix(self.now()))
    }
}

impl fmt::Debug for NodeTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeTime").field("known", &self.known()).finish_non_exhaustive()
    }
}

/// [`joining`] for rustls.
pub struct JoinTime {
    clock: Clock,
    token: Token,
}

impl JoinTime {
    /// For one token.
    pub fn new(clock: Clock, token: Token) -> Self {
        Self { clock, token }
    }
}

impl TimeProvider for JoinTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix(joining((self.clock)().0, &self.token)))
    }
}

impl fmt::Debug for JoinTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinTime").field("token", &self.token).finish_non_exhaustive()
    }
}
