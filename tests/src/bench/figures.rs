//! How long questions take over the facts of a year, as the facts grow: on SQLite, and on PostgreSQL where one is given.

use std::fmt::Write;
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

use super::made::{DAYS, Seed, fact, grid};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Grids, which own the facts.
const GRIDS: u64 = 6_000;
/// Facts at which questions are asked.
pub const SIZES: [usize; 3] = [100_000, 300_000, 1_000_000];
/// Facts of one transaction.
const TOGETHER: usize = 5_000;
/// Questions at each size.
const QUESTIONS: usize = 400;
/// Most milliseconds for 95 of 100 questions at the largest size.
pub const REACH_MS: [(&str, f64); 2] = [("sqlite", 800.0), ("postgres", 300.0)];

/// What was measured at one size.
#[derive(Debug, Clone)]
pub struct Point {
    /// `sqlite` or `postgres`.
    pub database: &'static str,
    /// Facts.
    pub facts: usize,
    /// Milliseconds of a question, half of them and 95 of 100.
    pub p50_ms: f64,
    /// 95 of 100.
    pub p95_ms: f64,
    /// Milliseconds of the slowest.
    pub max_ms: f64,
    /// Milliseconds of the first question, which loads the table.
    pub cold_ms: f64,
    /// Bytes that the table holds.
    pub table_bytes: usize,
    /// Facts stored a second, up to this size.
    pub stored_a_second: f64,
}

/// Measures on one database.
pub async fn run(database: &'static str, place: &Place) -> Result<Vec<Point>, Failure> {
    let (store, mut write) = store::open(place, NodeId::from_bytes([7; 16])).await?;
    let mut seed = Seed(7);
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
            max_ms: percentile(&times, 1.0),
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
fn question(seed: &mut Seed, n: usize) -> Question {
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
    let pick = |seed: &mut Seed| dimensions[usize::try_from(seed.below(dimensions.len() as u64)).unwrap_or(0)];
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
    }
}

/// What a curve shows, how it is dashed, and its height at a point.
type Curve = (&'static str, &'static str, fn(&Point) -> f64);

/// Draws the growth curve.
pub fn draw(points: &[Point], to: &Path) -> Result<(), Failure> {
    const W: u32 = 640;
    const H: u32 = 360;
    let x = |facts: f64| 70.0 + (facts.log10() - 5.0) * 500.0;
    let y = |ms: f64| 310.0 - ms.max(1.0).log10() * 70.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {W} {H}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"70\" y=\"20\" font-size=\"14\">Questions over a year's facts: milliseconds, by facts held</text>\n"
    );
    for ms in [1.0, 10.0, 100.0, 1_000.0, 10_000.0] {
        writeln!(
            svg,
            "<line x1=\"70\" x2=\"600\" y1=\"{0:.0}\" y2=\"{0:.0}\" stroke=\"#ddd\"/><text x=\"62\" y=\"{1:.0}\" \
             text-anchor=\"end\">{ms}</text>",
            y(ms),
            y(ms) + 4.0
        )?;
    }
    for size in SIZES {
        let at = x(f64::from(u32::try_from(size)?));
        writeln!(svg, "<text x=\"{at:.0}\" y=\"330\" text-anchor=\"middle\">{size}</text>")?;
    }
    for (n, (database, colour)) in (0..).zip([("sqlite", "#1b6ca8"), ("postgres", "#b8541a")]) {
        let curves: [Curve; 2] =
            [("p95", "", |p| p.p95_ms), ("first question, loading", " stroke-dasharray=\"5 4\"", |p| p.cold_ms)];
        for (m, (what, dash, value)) in (0..).zip(curves) {
            let mut line = String::new();
            for point in points.iter().filter(|point| point.database == database) {
                let facts = f64::from(u32::try_from(point.facts)?);
                write!(line, "{:.1},{:.1} ", x(facts), y(value(point)))?;
            }
            if line.is_empty() {
                continue;
            }
            let at = 42 + 16 * (2 * n + m);
            writeln!(
                svg,
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash} points=\"{}\"/>\n\
                 <line x1=\"80\" x2=\"110\" y1=\"{at}\" y2=\"{at}\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>\
                 <text x=\"118\" y=\"{}\">{database}, {what}</text>",
                line.trim_end(),
                at + 4
            )?;
        }
    }
    svg.push_str("</svg>\n");
    std::fs::write(to, svg)?;
    Ok(())
}
