//! What can be read off a node and its host from outside, without holding either.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::driver::event::Event;

/// Whom a host has not let in since it was opened, for all its nodes.
#[derive(Debug, Default)]
pub(in crate::driver) struct Counts {
    full: AtomicU64,
    failed: AtomicU64,
    asks: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counts {
    /// Too many handshakes were under way.
    pub(in crate::driver) fn full(&self) {
        count(&self.full);
    }

    /// A handshake led to nobody who is let in.
    pub(in crate::driver) fn failed(&self) {
        count(&self.failed);
    }

    /// Too many requests to join or to renew were under way.
    pub(in crate::driver) fn ask(&self) {
        count(&self.asks);
    }
}

/// Whom a host has not let in since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotLetIn {
    /// Refused at once: too many handshakes were under way.
    pub full: u64,
    /// Handshakes that failed, or proved nobody who is let in.
    pub failed: u64,
    /// Requests to join or to renew that were turned away: too many were under way.
    pub asks: u64,
}

/// Reads a node and its host.
#[derive(Debug, Clone)]
pub struct Gauge {
    pub(super) events: mpsc::WeakSender<Event>,
    pub(super) counts: Arc<Counts>,
}

impl Gauge {
    /// Events that wait for the node, and how many can; none: it is closed.
    pub fn events(&self) -> Option<(usize, usize)> {
        let events = self.events.upgrade()?;
        let places = events.max_capacity();
        Some((places.saturating_sub(events.capacity()), places))
    }

    /// Whom the host has not let in.
    pub fn not_let_in(&self) -> NotLetIn {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        NotLetIn { full: read(&self.counts.full), failed: read(&self.counts.failed), asks: read(&self.counts.asks) }
    }
}
