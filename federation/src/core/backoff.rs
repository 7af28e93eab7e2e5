//! When the parent is dialled: full jitter, reset by success, the parent's own word first.

use rand_core::RngCore;

use super::input::Uptime;
use super::limits::Limits;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is no parent.
    Never,
    /// A connection stands.
    Connected,
    /// A dial is under way since.
    Dialling(Uptime),
    /// Dial at.
    Waiting(Uptime),
}

/// The longest pause that a parent may ask for: what is said by mistake must not part two nodes for weeks.
const PAUSE_MAX_MS: u32 = 3_600_000;

/// Waits between dials.
#[derive(Debug)]
pub(super) struct Backoff {
    state: State,
    ceiling_ms: u64,
    min_ms: u64,
    max_ms: u64,
}

impl Backoff {
    pub(super) fn new(limits: &Limits, has_parent: bool) -> Self {
        let state = if has_parent { State::Waiting(Uptime(0)) } else { State::Never };
        Self { state, ceiling_ms: limits.retry_min_ms, min_ms: limits.retry_min_ms, max_ms: limits.retry_max_ms }
    }

    pub(super) fn connected(&mut self) {
        self.state = State::Connected;
    }

    /// A connection is lost. A link that was up begins with the shortest wait again.
    pub(super) fn lost(&mut self, now: Uptime, was_up: bool, random: &mut impl RngCore) {
        if was_up {
            self.ceiling_ms = self.min_ms;
        }
        if self.state == State::Connected {
            self.wait(now, random);
        }
    }

    pub(super) fn failed(&mut self, now: Uptime, random: &mut impl RngCore) {
        if matches!(self.state, State::Dialling(_)) {
            self.wait(now, random);
        }
    }

    /// The parent says when to come back.
    pub(super) fn told(&mut self, now: Uptime, after_ms: u32) {
        if self.state != State::Never {
            self.state = State::Waiting(Uptime(now.0.saturating_add(u64::from(after_ms.min(PAUSE_MAX_MS)))));
        }
    }

    fn wait(&mut self, now: Uptime, random: &mut impl RngCore) {
        let jitter = random.next_u64().checked_rem(self.ceiling_ms.saturating_add(1)).unwrap_or(0);
        // A tenth of the ceiling is never undercut, so that a loop of refusals stays gentle.
        let wait = jitter.max(self.ceiling_ms.checked_div(10).unwrap_or(0));
        self.state = State::Waiting(Uptime(now.0.saturating_add(wait)));
        self.ceiling_ms = self.ceiling_ms.saturating_mul(2).clamp(self.min_ms, self.max_ms);
    }

    /// Whether to dial; from then on a dial is under way.
    pub(super) fn dial_now(&mut self, now: Uptime, limits: &Limits, random: &mut impl RngCore) -> bool {
        if let State::Dialling(since) = self.state
            && now.0.saturating_sub(since.0) >= limits.dial_ms
        {
            self.wait(now, random);
        }
        match self.state {
            State::Waiting(at) if at <= now => {
                self.state = State::Dialling(now);
                true
            }
            _ => false,
        }
    }

    pub(super) fn next_timeout(&self, limits: &Limits) -> Option<Uptime> {
        match self.state {
            State::Never | State::Connected => None,
            State::Dialling(since) => Some(Uptime(since.0.saturating_add(limits.dial_ms))),
            State::Waiting(at) => Some(at),
        }
    }
}
