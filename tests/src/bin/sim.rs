//! `make sim`: seeded cities in virtual time. A failing seed prints the one command that replays it.

use std::collections::BTreeMap;
use std::process::ExitCode;

use federation::sim::Raised;
use wuji_tests::sim::{Report, Run, Shape, fault_name};

/// A fifth of a run goes into giving memory out and taking it back; this one takes the least time for it.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn argument(name: &str, default: u64) -> u64 {
    let mut words = std::env::args().skip_while(|word| word != name);
    words.nth(1).and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn size(name: &str, default: usize) -> usize {
    usize::try_from(argument(name, u64::try_from(default).unwrap_or(0))).unwrap_or(default)
}

/// What all seeds came to.
#[derive(Default)]
struct Sum {
    nodes: usize,
    done: u64,
    events: u64,
    bundles: u64,
    virtual_ms: u64,
    reconciled: u64,
    failed: u64,
    faults: BTreeMap<&'static str, u64>,
}

impl Sum {
    fn add(&mut self, report: Report) {
        self.nodes += report.nodes;
        self.done += report.done;
        self.events += report.events;
        self.bundles += report.counters.bundles;
        self.virtual_ms += report.virtual_ms;
        self.reconciled += report.counters.raised(Raised::Reconciled);
        self.failed += u64::from(!report.wrong.is_empty());
        for (fault, count) in report.counters.faults {
            *self.faults.entry(fault_name(fault)).or_insert(0) += count;
        }
    }
}

#[expect(clippy::print_stdout, reason = "the report of a run belongs on standard output")]
fn main() -> ExitCode {
    let (from, seeds) = (argument("--from", 1), argument("--seeds", 40));
    let shape = Shape::of(size("--nodes", 31));
    let shape = Shape {
        faults: size("--faults", shape.faults),
        commands: size("--commands", shape.commands),
        pause_ms: argument("--pause", shape.pause_ms),
        burst: size("--burst", shape.burst),
        ..shape
    };
    let mut sum = Sum::default();
    for seed in from..from + seeds {
        let report = Run { shape, ..Run::new(seed) }.go();
        if !report.wrong.is_empty() {
            for what in report.wrong.iter().take(5) {
                println!("seed {seed}: {what}");
            }
            let given: Vec<_> = std::env::args().skip(1).collect();
            println!("replay: make sim SEEDS=1 ARGS=\"--from {seed} {}\"", others(&given).join(" "));
        }
        sum.add(report);
    }
    let spent = cpu_seconds();
    println!(
        "{seeds} seeds, {} nodes, {} commands, {} events at the top, {} bundles, {:.1} virtual hours in {spent:.1} s of \
         one core, {:.0} events at the top a second, {} reconciliations",
        sum.nodes,
        sum.done,
        sum.events,
        sum.bundles,
        float(sum.virtual_ms) / 3_600_000.0,
        float(sum.events) / spent.max(0.001),
        sum.reconciled
    );
    let kinds: Vec<_> = sum.faults.iter().map(|(fault, count)| format!("{fault} {count}")).collect();
    let faults: u64 = sum.faults.values().sum();
    let rate = float(faults * 1_000) / float(sum.done.max(1));
    println!("faults: {}; {rate:.0} to a thousand commands", kinds.join(", "));
    println!("{} passed, {} failed", seeds - sum.failed, sum.failed);
    if sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What was given on the command line besides the seeds: it belongs to a replay too.
fn others(given: &[String]) -> Vec<String> {
    let pairs = given.chunks(2).filter(|pair| !matches!(pair[0].as_str(), "--seeds" | "--from"));
    pairs.flatten().cloned().collect()
}

/// Time that this process had a core: others on the machine do not count.
fn cpu_seconds() -> f64 {
    let counted = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let ns = counted.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
    float(ns) / 1_000_000_000.0
}

#[expect(clippy::cast_precision_loss, reason = "a few digits are printed")]
fn float(number: u64) -> f64 {
    number as f64
}
