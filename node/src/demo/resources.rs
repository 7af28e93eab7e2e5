//! What this process costs, as the kernel tells it; 0 where it does not tell.

use std::time::Duration;

use crate::clock::Clock;

/// How long an idle process is watched.
const WATCHED: Duration = Duration::from_secs(10);

/// What a process costs that has nothing to do.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Idle {
    pub(super) resident_bytes: u64,
    /// Of one core.
    pub(super) cpu_percent: f64,
}

/// Watches this process for a while.
pub(super) async fn watch_idle(clock: &Clock) -> Idle {
    let (began, before) = (clock.uptime_us(), cpu_ticks());
    tokio::time::sleep(WATCHED).await;
    let ticks = cpu_ticks().saturating_sub(before);
    let elapsed_us = clock.uptime_us().saturating_sub(began).max(1);
    #[expect(clippy::cast_precision_loss, reason = "seconds of a demo stay far below 2^52 of anything")]
    let cpu_percent =
        ticks as f64 / rustix::param::clock_ticks_per_second() as f64 / (elapsed_us as f64 / 1_000_000.0) * 100.0;
    Idle { resident_bytes: resident_bytes(), cpu_percent }
}

/// Resident memory.
pub(super) fn resident_bytes() -> u64 {
    status("VmRSS:")
}

/// The most resident memory that there ever was.
pub(super) fn resident_peak_bytes() -> u64 {
    status("VmHWM:")
}

fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|kib| kib.parse::<u64>().ok())
        .map_or(0, |kib| kib * 1024)
}

/// Ticks of the processor in this process, its own and the kernel's for it.
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in brackets, may hold anything; the fields count from behind it.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    const USER: usize = 11;
    fields.skip(USER).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}
