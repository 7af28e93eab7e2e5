//! Files the cases of a demo through the API, as the grid workers would.

use std::collections::BTreeMap;
use std::io::BufReader;

use anyhow::Context;
use protocol::division::DivisionCode;
use protocol::id::CaseId;
use serde_json::{Value, json};

use crate::clock::{Clock, random_bytes};

use super::city::City;
use super::client::Client;
use super::complaints::{self, RefusedLine};
use super::options::DemoOptions;
use super::screen::Screen;
use super::stories::Stories;

/// Reports under way at once at one grid: a grid worker's phone sends one after the other, a demo need not.
const AT_ONCE: usize = 16;

/// A case that was filed.
#[derive(Debug, Clone)]
pub(super) struct FiledCase {
    pub(super) case: CaseId,
    pub(super) grid: DivisionCode,
    pub(super) submitted: bool,
    pub(super) level: Option<String>,
}

/// What came of the filing.
#[derive(Debug, Default)]
pub(super) struct Filing {
    pub(super) read: usize,
    pub(super) filed: Vec<FiledCase>,
    pub(super) refused: Vec<RefusedLine>,
}

/// Files all cases that the options ask for.
pub(super) async fn all(options: &DemoOptions, city: &City, password: &str, screen: &Screen) -> anyhow::Result<Filing> {
    let mut filing = Filing::default();
    let reports = reports(options, city, &mut filing)?;
    let progress = screen.progress("cases", reports.values().map(Vec::len).sum());
    let mut tasks = tokio::task::JoinSet::new();
    for (grid, bodies) in reports {
        let member = city.at(grid).context("a report for a grid without a node")?;
        let client = Client::log_in(&member.address, &city.log_in_name(member.code, "worker"), password).await?;
        let progress = progress.clone();
        tasks.spawn(async move {
            let mut results = Vec::with_capacity(bodies.len());
            for chunk in bodies.chunks(AT_ONCE) {
                let mut at_once = tokio::task::JoinSet::new();
                for (line, body) in chunk.iter().cloned() {
                    let (client, progress) = (client.clone(), progress.clone());
                    at_once.spawn(async move {
                        let answer = client.post("/cases", &body).await;
                        progress.inc(1);
                        (line, body, answer)
                    });
                }
                results.extend(at_once.join_all().await);
            }
            (grid, results)
        });
    }
    for (grid, results) in tasks.join_all().await {
        for (line, body, answer) in results {
            match answer.and_then(|case| filed(grid, &body, &case)) {
                Ok(case) => filing.filed.push(case),
                Err(error) => filing.refused.push(RefusedLine { line, why: format!("{error:#}") }),
            }
        }
    }
    progress.finish_and_clear();
    filing.refused.sort_by_key(|r| r.line);
    filing.filed.sort_by_key(|f| f.case);
    for refused in &filing.refused {
        screen.say(&format!("line {}: {}", refused.line, refused.why));
    }
    Ok(filing)
}

type Reports = BTreeMap<DivisionCode, Vec<(usize, Value)>>;

fn reports(options: &DemoOptions, city: &City, filing: &mut Filing) -> anyhow::Result<Reports> {
    let grids: Vec<DivisionCode> = city.grids().map(|g| g.code).collect();
    let mut reports = Reports::new();
    if let Ok(count) = options.cases.parse::<usize>() {
        let mut stories = Stories::new(options.seed);
        let clock = Clock::default();
        for index in 0..count {
            let grid = *grids.get(index % grids.len().max(1)).context("a demo without a grid")?;
            let case = CaseId::new(clock.wall(), random_bytes());
            let report = of_its_kind(city, grid, stories.report(index, grid, &case.to_string()));
            reports.entry(grid).or_default().push((index + 1, report));
        }
        filing.read = count;
        return Ok(reports);
    }
    let source = std::fs::File::open(&options.cases)
        .with_context(|| format!("--cases {}: neither a number nor a file that can be read", options.cases))?;
    let (complaints, refused) = complaints::read(BufReader::new(source), &grids)?;
    filing.read = complaints.len() + refused.len();
    filing.refused = refused;
    for (index, complaint) in complaints.into_iter().enumerate() {
        let report = of_its_kind(city, complaint.place, complaint.body);
        reports.entry(complaint.place).or_default().push((index + 1, report));
    }
    Ok(reports)
}

/// A report with the kind of the grid that it comes from.
fn of_its_kind(city: &City, grid: DivisionCode, mut report: Value) -> Value {
    let kind = city.at(grid).and_then(|member| member.running.config.node.grid_kind);
    if let (Some(kind), Some(report)) = (kind, report.as_object_mut()) {
        report.insert("grid_kind".to_owned(), json!(kind));
    }
    report
}

fn filed(grid: DivisionCode, body: &Value, answer: &Value) -> anyhow::Result<FiledCase> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(FiledCase {
        case: text(body, "case").context("a report without an id")?.parse()?,
        grid,
        submitted: text(body, "ending").as_deref() == Some("submit"),
        level: text(answer, "level").or_else(|| answer.get("brief").and_then(|brief| text(brief, "level"))),
    })
}
