//! How long questions take over the facts of a year, as the facts grow: on SQLite, and on PostgreSQL where one is given.

use std::path::Path;
use std::time::Instant;

use protocol::division::Level;
use protocol::id::NodeId;
use protocol::time::UnixMillis;
use wuji::demo::percentile;
use wuji::oversight::{DEFINITIONS, Dimension, Filter, Oversight, Period, Question, completeness};
use wuji::store::figures::NewFigures;
use wuji::store::trust::Route;
use wuji::store::{self, Place};

use super::curve::{self, Chart, Line};
use super::made::{DAYS, fact, grid};
use super::{Failure, Results};
use crate::draw::Draw;
use crate::postgres::{self, TestDatabase};

/// Grids, which own the facts.
const GRIDS: u64 = 6_000;
/// Facts at which questions are asked.
const SIZES: [usize; 3] = [100_000, 300_000, 1_000_000];
/// Facts of one transaction.
const TOGETHER: usize = 5_000;
/// Questions at each size.
const QUESTIONS: usize = 400;
/// Most milliseconds for 95 of 100 questions at the largest size.
const REACH_MS: [(&str, f64); 2] = [("sqlite", 800.0), ("postgres", 300.0)];

/// Facts to be taken in each second: 600,000 in a minute.
const TAKEN_IN: f64 = 10_000.0;
/// The curves in the documents.
pub const CHART: Chart = Chart {
    title: "Questions over a year's facts: milliseconds, by facts held",
    picture: "docs/images/figures-growth.svg",
    lines: &[
        line("sqlite, p95", ("figures_sqlite_", "_p95"), SQLITE, false),
        line("sqlite, first question, loading", ("figures_sqlite_", "_first"), SQLITE, true),
        line("postgres, p95", ("figures_postgres_", "_p95"), POSTGRES, false),
        line("postgres, first question, loading", ("figures_postgres_", "_first"), POSTGRES, true),
    ],
};
const SQLITE: &str = "#1b6ca8";
const POSTGRES: &str = "#b8541a";

const fn line(label: &'static str, named: (&'static str, &'static str), colour: &'static str, dashed: bool) -> Line {
    Line { label, measures: &["figures"], named, colour, dashed }
}

/// What was measured at one size.
struct Point {
    /// `sqlite` or `postgres`.
    database: &'static str,
    /// Facts.
    facts: usize,
    /// Milliseconds of a question, half of them and 95 of 100.
    p50_ms: f64,
    /// 95 of 100.
    p95_ms: f64,
    /// Milliseconds of the first question, which loads the table.
    cold_ms: f64,
    /// Bytes that the table holds.
    table_bytes: usize,
    /// Facts stored a second, up to this size.
    stored_a_second: f64,
}

/// Questions over the facts of a year, as they grow, on SQLite and, beside a server, on PostgreSQL.
pub async fn measure(root: &Path, results: &mut Results) -> Result<(), Failure> {
    let mut points = run("sqlite", &root.join("figures.db").into()).await?;
    let beside_a_server = std::env::var(postgres::SERVER).is_ok();
    if beside_a_server {
        let database = TestDatabase::new();
        points.extend(run("postgres", &Place::Server(database.url.clone())).await?);
    }
    let largest = SIZES.into_iter().max().unwrap_or(0);
    for point in &points {
        let reach = REACH_MS.iter().find(|(name, _)| *name == point.database).map_or(0.0, |(_, ms)| *ms);
        let name = |what: &str| format!("figures_{}_{}_{what}", point.database, point.facts);
        match point.facts >= largest {
            true => results.at_most(&name("p95"), point.p95_ms, "ms", reach)?,
            false => results.line(&name("p95"), point.p95_ms, "ms", "reach at the largest size", reach)?,
        }
        results.line(&name("p50"), point.p50_ms, "ms", "p95", point.p95_ms)?;
        results.line(&name("first"), point.cold_ms, "ms", "p95", point.p95_ms)?;
        #[expect(clippy::cast_precision_loss, reason = "some hundred millions")]
        let bytes_a_case = point.table_bytes as f64 / point.facts as f64;
        results.line(&name("memory"), bytes_a_case, "B/case", "a row with its key", 88.0)?;
        results.at_least(&name("stored"), point.stored_a_second, "facts/s", TAKEN_IN)?;
    }
    if beside_a_server {
        curve::draw(&CHART)?;
        return Ok(());
    }
    let picture = CHART.picture;
    results.missed.push(format!("not measured: figures on PostgreSQL, so {picture} stays; `make bench` has a server"));
    Ok(())
}

/// Measures on one database.
async fn run(database: &'static str, place: &Place) -> Result<Vec<Point>, Failure> {
    let (store, mut write) = store::open(place, NodeId::from_bytes([7; 16])).await?;
    let mut seed = Draw(7);
    let mut points = Vec::new();
    let mut held = 0;
    write.begin().await?;
    for number in 0..GRIDS {
        let via = NodeId::from_bytes([9; 16]);
        write.put_route(Route { member: owner(number), via, division: grid(number) }).await?;
    }
    write.commit().await?;
    for size in SIZES {
        let (began, before) = (Instant::now(), held);
        while held < size {
            let count = TOGETHER.min(size - held);
            let facts: Vec<_> = (0..count)
                .map(|_| {
                    let number = seed.below(GRIDS);
                    fact(&mut seed, grid(number), owner(number))
                })
                .collect();
            write.begin().await?;
            write.put_figures(&NewFigures::of_facts(&facts), UnixMillis(0)).await?;
            write.commit().await?;
            held += count;
        }
        write.rest();
        let stored_a_second = rate(held - before, began.elapsed().as_secs_f64());
        let oversight = Oversight::new(store.clone());
        let began = Instant::now();
        let loaded = oversight.refresh().await?;
        let cold_ms = began.elapsed().as_secs_f64() * 1_000.0;
        let mut times = Vec::with_capacity(QUESTIONS);
        for n in 0..QUESTIONS {
            let question = question(&mut seed, n);
            let began = Instant::now();
            let answer = oversight.ask(question.clone()).await?;
            // What an answer says beside its lines: whose figures are in it.
            completeness(&store.members(question.within).await?, UnixMillis(0), 1);
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
            if answer.lines.is_empty() && !question.by.is_empty() && n < DEFINITIONS.len() {
                return Err(format!("{question:?} has no answer").into());
            }
        }
        times.sort_by(f64::total_cmp);
        points.push(Point {
            database,
            facts: loaded.cases,
            p50_ms: percentile(&times, 0.5),
            p95_ms: percentile(&times, 0.95),
            cold_ms,
            table_bytes: loaded.bytes,
            stored_a_second,
        });
    }
    Ok(points)
}

#[expect(clippy::cast_precision_loss, reason = "some millions")]
fn rate(count: usize, seconds: f64) -> f64 {
    count as f64 / seconds
}

fn owner(number: u64) -> NodeId {
    let mut bytes = [3; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    NodeId::from_bytes(bytes)
}

/// Every measure in turn, cut by up to two things, over the city or a part of it, over the year or a part of it.
fn question(seed: &mut Draw, n: usize) -> Question {
    let dimensions = [
        Dimension::Level,
        Dimension::Category,
        Dimension::Class,
        Dimension::Place(Level::County),
        Dimension::Place(Level::Township),
        Dimension::Place(Level::Grid),
        Dimension::GridKind,
        Dimension::Source,
        Dimension::Unit,
        Dimension::People,
        Dimension::Step,
        Dimension::Time(Period::Month),
        Dimension::Time(Period::Week),
        Dimension::Time(Period::Day),
    ];
    let pick = |seed: &mut Draw| seed.of(&dimensions);
    let measure = DEFINITIONS[n % DEFINITIONS.len()].measure;
    let daily = measure == wuji::oversight::Measure::Occupancy;
    let mut by = vec![pick(seed)];
    if seed.below(2) == 0 {
        let second = pick(seed);
        if second != by[0] {
            by.push(second);
        }
    }
    if daily {
        by.retain(|dimension| !matches!(dimension, Dimension::Time(_) | Dimension::Place(Level::Grid)));
        by.truncate(1);
    }
    let within = match seed.below(4) {
        0 | 1 => "330600000000".to_owned(),
        2 => format!("33060{}000000", 2 + seed.below(6)),
        _ => format!("33060{}{:03}000", 2 + seed.below(6), 1 + seed.below(20)),
    };
    let filter = if seed.below(3) == 0 { Filter { matter: Some(0), ..Filter::default() } } else { Filter::default() };
    Question {
        measure,
        by,
        within: within.parse().unwrap_or_else(|e| panic!("{within}: {e}")),
        days: DAYS,
        filter,
        today: DAYS.1 + 1,
        judicial: Default::default(),
        places: Default::default(),
    }
}
