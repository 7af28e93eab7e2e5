//! `make bench`: what the product costs on this machine, beside what it is to reach or what the machine itself takes.
//!
//! Words on the command line run some measures alone; those that run only when they are named take longer, or are the
//! reference of another. Each keeps its own file, `target/bench/MEASURE.jsonl`, one JSON object a line: `measure`, `value`,
//! `unit`, `reference`, `reference_value`, `ratio`. What is beyond its reach is named at the end; with `--strict` the exit
//! code is then 1.

use std::path::Path;
use std::process::ExitCode;

use wuji_tests::bench::{Failure, Results, curve, facts, figures, four_hops, full_city, tell, write};

/// The measures that run when none is named.
const ALL: [&str; 5] = ["full_city", "facts", "figures", "write", "four_hops"];
/// Run when they are named.
const NAMED: [&str; 2] = ["small_city", CURVES];
/// Draws the pictures of the documents from the files of the measures, and measures nothing.
const CURVES: &str = "curves";

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
    let mut missed = Vec::new();
    for measure in asked {
        missed.append(&mut run(measure, root.path()).await?);
    }
    missed.iter().for_each(|what| tell(what));
    let failed = !missed.is_empty() && !options.is_empty();
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
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
        "write" => write::measure(root, &mut results).await?,
        _ => four_hops::measure(root, &mut results).await?,
    }
    Ok(results.missed)
}

/// Draws what can be drawn; which pictures stay as they are.
fn draw() -> Result<Vec<String>, Failure> {
    let mut stayed = Vec::new();
    for chart in [&figures::CHART] {
        if !curve::draw(chart)? {
            stayed.push(format!("{} stays: it was not measured here", chart.picture));
        }
    }
    Ok(stayed)
}
