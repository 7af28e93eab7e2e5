//! `make sim`: seeded cities in virtual time. A failing seed prints the one command that replays it.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use wuji_tests::sim::{Run, fault_name};

fn argument(name: &str, default: u64) -> u64 {
    let mut words = std::env::args().skip_while(|word| word != name);
    words.nth(1).and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[expect(clippy::print_stdout, reason = "the report of a run belongs on standard output")]
fn main() -> ExitCode {
    let (from, seeds) = (argument("--from", 1), argument("--seeds", 40));
    let began = Instant::now();
    let (mut nodes, mut done, mut events, mut bundles, mut virtual_ms, mut failed) = (0, 0, 0, 0, 0, 0);
    let (mut reconciled, mut faults) = (0, BTreeMap::new());
    for seed in from..from + seeds {
        let mut run = Run::new(seed);
        run.shape.faults = usize::try_from(argument("--faults", 20)).unwrap_or(20);
        run.shape.commands = usize::try_from(argument("--commands", 300)).unwrap_or(300);
        let report = run.go();
        nodes += report.nodes;
        done += report.done;
        events += report.events;
        bundles += report.counters.bundles;
        virtual_ms += report.virtual_ms;
        reconciled += report.counters.reconciled;
        for (fault, count) in report.counters.faults {
            *faults.entry(fault_name(fault)).or_insert(0) += count;
        }
        if !report.wrong.is_empty() {
            failed += 1;
            for what in report.wrong.iter().take(5) {
                println!("seed {seed}: {what}");
            }
            println!("replay: make sim SEEDS=1 ARGS=\"--from {seed}\"");
        }
    }
    println!(
        "{seeds} seeds, {nodes} nodes, {done} commands, {events} events at the top, {bundles} bundles, \
         {:.1} virtual hours in {:.1} s, {reconciled} reconciliations",
        hours(virtual_ms),
        began.elapsed().as_secs_f64()
    );
    let kinds: Vec<_> = faults.iter().map(|(fault, count)| format!("{fault} {count}")).collect();
    println!("faults: {}", kinds.join(", "));
    println!("{} passed, {failed} failed", seeds - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::cast_precision_loss, reason = "hours to one digit")]
fn hours(ms: u64) -> f64 {
    ms as f64 / 3_600_000.0
}
