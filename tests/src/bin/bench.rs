//! `make bench`: what the product costs on this machine, beside what it is to reach or what the machine itself takes.
//!
//! Words on the command line run some measures alone; those that run only when they are named take longer, or are the
//! reference of another. Each keeps its own file, `target/bench/MEASURE.jsonl`, one JSON object a line: `measure`, `value`,
//! `unit`, `reference`, `reference_value`, `ratio`. What is beyond its reach is named at the end; with `--strict` the exit
//! code is then 1. docs/performance.md says what each measures.

use std::path::Path;
use std::process::ExitCode;

use wuji_tests::bench::{
    Failure, Results, curve, dossier, drain, facts, figures, four_hops, full_city, links, priority, search, storm,
    tell, write,
};
use wuji_tests::namespace;

/// The measures that run when none is named.
const ALL: [&str; 11] =
    ["full_city", "facts", "figures", "search", "write", "dossier", "four_hops", "drain", "links", "storm", "priority"];
/// Run when they are named.
const NAMED: [&str; 3] = ["small_city", "drain_long", CURVES];
/// Draws the pictures of the documents from the files of the measures, and measures nothing.
const CURVES: &str = "curves";
/// Those that cut a line with the kernel's firewall.
const APART: [&str; 2] = ["drain", "drain_long"];

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    let root = tempfile::tempdir()?;
    let (options, asked): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let asked: Vec<&str> = if asked.is_empty() { ALL.to_vec() } else { asked.iter().map(String::as_str).collect() };
    let known = |name: &&str| ALL.contains(name) || NAMED.contains(name);
    if !asked.iter().all(known) || options.iter().any(|option| option != "--strict") {
        return Err(format!("usage: bench [--strict] [{}|{}]...", ALL.join("|"), NAMED.join("|")).into());
    }
    let (strict, mut failed) = (!options.is_empty(), false);
    let mut missed = Vec::new();
    for measure in asked {
        match apart(measure, strict)? {
            Some(reached) => failed |= !reached,
            None => {
                // Each founds its own nodes.
                let folder = root.path().join(measure);
                std::fs::create_dir(&folder)?;
                missed.append(&mut run(measure, &folder).await?);
            }
        }
    }
    missed.iter().for_each(|what| tell(what));
    let failed = strict && (failed || !missed.is_empty());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Runs a measure that wants a network of its own in one; whether it reached what it is to. None: it runs here.
fn apart(measure: &str, strict: bool) -> Result<Option<bool>, Failure> {
    if !APART.contains(&measure) {
        return Ok(None);
    }
    let words: &[&str] = if strict { &["--strict", measure] } else { &[measure] };
    match namespace::apart(words)? {
        // It has said why.
        Some(status) if !strict && !status.success() => Err(format!("{measure} could not be measured").into()),
        done => Ok(done.map(|status| status.success())),
    }
}

/// Runs a measure; what was not reached.
async fn run(measure: &str, root: &Path) -> Result<Vec<String>, Failure> {
    if measure == CURVES {
        return draw();
    }
    let mut results = Results::open(measure)?;
    match measure {
        "full_city" => full_city::measure(root, &mut results)?,
        "small_city" => full_city::measure_small(root, &mut results)?,
        "facts" => facts::measure(root, &mut results).await?,
        "figures" => figures::measure(root, &mut results).await?,
        "search" => search::measure(root, &mut results).await?,
        "write" => write::measure(root, &mut results).await?,
        "dossier" => dossier::measure(root, &mut results).await?,
        "drain" => drain::measure(root, &mut results).await?,
        "drain_long" => drain::measure_long(root, &mut results).await?,
        "links" => links::measure(root, &mut results).await?,
        "storm" => storm::measure(root, &mut results).await?,
        "priority" => priority::measure(root, &mut results).await?,
        _ => four_hops::measure(root, &mut results).await?,
    }
    Ok(results.missed)
}

/// Draws what can be drawn; which pictures stay as they are.
fn draw() -> Result<Vec<String>, Failure> {
    let mut stayed = Vec::new();
    for chart in [&figures::CHART, &search::CHART, &links::CHART, &drain::CHART] {
        if !curve::draw(chart)? {
            stayed.push(format!("{} stays: it was not measured here", chart.picture));
        }
    }
    Ok(stayed)
}
