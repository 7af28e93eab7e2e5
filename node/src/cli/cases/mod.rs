//! `wuji import cases`: files the cases of an older system at a running node, each as a report like any other. All rows are
//! checked first, here and by the node's rules; what is in already stays as it is, so a run that broke off is run again.

mod columns;
mod rejects;
mod table;

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::api::cases::import::REPORTS_MAX;
use crate::clock::Clock;

use super::asking::Node;
use super::{FolderArgument, say};
use table::{Fault, Origin, Row};

/// Faults that are shown; beyond them only their number is told.
const SHOWN_MAX: usize = 50;
/// Bytes of reports in one request, well below what the node takes.
const BYTES_MAX: usize = 512 * 1024;
/// Exit code when rows were set aside.
const SET_ASIDE: u8 = 6;

/// `wuji import cases`.
#[derive(Debug, Args)]
pub(super) struct Cases {
    /// The table: CSV in UTF-8, its first line naming the columns.
    #[arg(value_name = "FILE")]
    table: PathBuf,
    #[command(flatten)]
    folder: FolderArgument,
    /// Only say what is wrong with it.
    #[arg(long, conflicts_with = "skip_bad")]
    check: bool,
    /// File the good rows, and write the others with their reasons into a file.
    #[arg(long)]
    skip_bad: bool,
    /// Where the others go; beside the table, as NAME.rejects.csv, when left out.
    #[arg(long, value_name = "FILE", requires = "skip_bad")]
    rejects: Option<PathBuf>,
    /// Name of the older system, where two of them gave out the same numbers; always the same for one table.
    #[arg(long, value_name = "NAME", default_value = "")]
    system: String,
}

impl Cases {
    pub(super) async fn run(self) -> anyhow::Result<u8> {
        let file = File::open(&self.table).with_context(|| format!("{} cannot be read", self.table.display()))?;
        let node = Node::of(self.folder.folder.clone())?;
        let origin = Origin { node: node.config.node.division, system: &self.system, today: today()? };
        let mut cases = table::read(BufReader::new(file), &origin);
        let mut judged = Count::default();
        send(&node, &cases, true, &mut judged).await.context("nothing was imported")?;
        cases.mark(judged.faults);
        show(&cases);
        let bad = cases.bad();
        // What is no row cannot be set aside: a heading, or a line that cannot be read.
        let rows_only = bad.iter().all(|line| cases.rows.iter().any(|row| row.line == *line));
        let may_go_on = bad.is_empty() || self.skip_bad && rows_only;
        if !may_go_on {
            let right = judged.filed + judged.there;
            bail!("nothing was imported: {} lines are wrong, {right} rows are right", bad.len());
        }
        if self.check {
            say(&format!("{} rows can be imported, {} are in already", judged.filed, judged.there));
            return Ok(0);
        }
        self.file(&node, cases).await
    }

    async fn file(&self, node: &Node, mut cases: table::Cases) -> anyhow::Result<u8> {
        let mut done = Count::default();
        let sent = send(node, &cases, false, &mut done).await;
        let so_far = format!("{} cases were filed, {} were in already", done.filed, done.there);
        sent.with_context(|| format!("{so_far}; run the same command again to go on, nothing is filed twice"))?;
        // What the rules refused now and not before changed in between, as when somebody published another policy.
        let late = !done.faults.is_empty();
        cases.mark(done.faults);
        let set_aside = cases.bad().len();
        if late {
            show(&cases);
        }
        if set_aside == 0 {
            say(&so_far);
            return Ok(0);
        }
        if !self.skip_bad {
            bail!(
                "{so_far}, {set_aside} were refused while they were filed; mend these rows and run the command again"
            );
        }
        let rejects = self.rejects.clone().unwrap_or_else(|| self.table.with_extension("rejects.csv"));
        rejects::write(&rejects, &cases).with_context(|| {
            format!("{so_far}; the {set_aside} others could not be written to {}", rejects.display())
        })?;
        say(&format!("{so_far}, {set_aside} were set aside in {}", rejects.display()));
        Ok(SET_ASIDE)
    }
}

/// The day in the time of the places that the cases are from.
fn today() -> anyhow::Result<chrono::NaiveDate> {
    let day = protocol::time::CivilDay::of(Clock::default().wall());
    chrono::NaiveDate::from_epoch_days(day.number()).context("the clock of this machine stands outside the calendar")
}

/// What became of rows.
#[derive(Debug, Default)]
struct Count {
    filed: usize,
    there: usize,
    faults: Vec<Fault>,
}

/// Sends the rows without a fault, as many at once as a request may hold.
async fn send(node: &Node, cases: &table::Cases, check: bool, count: &mut Count) -> anyhow::Result<()> {
    let good: Vec<(&Row, &Value)> = cases.good().collect();
    let bar = ProgressBar::new(u64::try_from(good.len()).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{prefix:>10} {bar:30} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    let bar = bar.with_prefix(if check { "checked" } else { "filed" });
    let mut rest = good.as_slice();
    while !rest.is_empty() {
        let (some, others) = rest.split_at(fitting(rest));
        rest = others;
        let reports: Vec<&Value> = some.iter().map(|(_, report)| *report).collect();
        let answer = node.post("/cases/import", &json!({ "check": check, "reports": reports })).await?;
        let answers = answer.as_array().filter(|answers| answers.len() == some.len());
        let answers = answers.context("the node's answer does not fit: is it of another version?")?;
        for ((row, _), answer) in some.iter().zip(answers) {
            match answer.get("outcome").and_then(Value::as_str) {
                Some("filed") => count.filed += 1,
                Some("there") => count.there += 1,
                _ => count.faults.extend(refused(row.line, answer)),
            }
        }
        bar.inc(u64::try_from(some.len()).unwrap_or(u64::MAX));
    }
    bar.finish_and_clear();
    Ok(())
}

/// How many of the rows fit into one request; at least one.
fn fitting(rows: &[(&Row, &Value)]) -> usize {
    let mut bytes = 0;
    let fits = rows.iter().take(REPORTS_MAX).take_while(|(_, report)| {
        bytes += report.to_string().len();
        bytes <= BYTES_MAX
    });
    fits.count().max(1)
}

/// Why the node refused a row: a fault for each field, or one for the whole row.
fn refused(line: u64, answer: &Value) -> Vec<Fault> {
    let Some(problem) = answer.get("problem") else {
        return vec![Fault::new(line, "", "refused without a reason", "被拒绝,未说明原因")];
    };
    let fault = |of: &Value, column: &str| {
        let part = |name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default();
        Fault::new(line, column, part("detail"), part("detail_zh"))
    };
    match problem.get("errors").and_then(Value::as_array).filter(|errors| !errors.is_empty()) {
        Some(errors) => errors.iter().map(|error| fault(error, column_of(error))).collect(),
        None => vec![fault(problem, "")],
    }
}

/// The column of a field of the report.
fn column_of(error: &Value) -> &str {
    let field = error.get("field").and_then(Value::as_str).unwrap_or_default();
    match field.strip_prefix("answers.").unwrap_or(field) {
        "confirmed_level" => "level",
        column => column,
    }
}

fn show(cases: &table::Cases) {
    for fault in cases.faults.iter().take(SHOWN_MAX) {
        tell(&format!("line {}: {}", fault.line, cases.reason(fault)));
    }
    if let more @ 1.. = cases.faults.len().saturating_sub(SHOWN_MAX) {
        tell(&format!("and {more} faults more"));
    }
}

#[expect(clippy::print_stderr, reason = "what is wrong with a table is for the person at the terminal")]
fn tell(text: &str) {
    eprintln!("wuji: {text}");
}
