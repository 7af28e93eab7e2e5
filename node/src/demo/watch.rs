//! How long an escalated case takes from the commit at its grid to the commit at the top.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use protocol::id::CaseId;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::shared::Shared;

#[derive(Debug, Default)]
struct Seen {
    below: HashMap<CaseId, u64>,
    top: HashMap<CaseId, u64>,
}

/// Watches the commits of the grids and of the top.
pub(super) struct Watch {
    seen: Arc<Mutex<Seen>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Watch {
    /// Begins to watch.
    pub(super) fn begin(top: &Arc<Shared>, grids: &[Arc<Shared>], clock: &Clock) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut tasks = vec![follow(top, clock, seen.clone(), true)];
        tasks.extend(grids.iter().map(|grid| follow(grid, clock, seen.clone(), false)));
        Self { seen, tasks }
    }

    /// Times in milliseconds, in order, of the cases that reached the top.
    pub(super) fn latencies_ms(&self) -> Vec<f64> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut times: Vec<f64> = seen
            .top
            .iter()
            .filter_map(|(case, at)| seen.below.get(case).map(|from| millis(at.saturating_sub(*from))))
            .collect();
        times.sort_by(f64::total_cmp);
        times
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a demo stay far below 2^52")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn follow(node: &Arc<Shared>, clock: &Clock, seen: Arc<Mutex<Seen>>, top: bool) -> JoinHandle<()> {
    let mut changes = node.changes();
    let clock = clock.clone();
    tokio::spawn(async move {
        loop {
            match changes.recv().await {
                Ok(case) => {
                    let at = clock.uptime_us();
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    let times = if top { &mut seen.top } else { &mut seen.below };
                    times.entry(case).or_insert(at);
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    })
}

/// The value below which a share of a sorted list lies.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index into a list of a demo's cases"
    )]
    let index = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(index).copied().unwrap_or(0.0)
}
