//! The same figures in plain SQL: a ledger of the owners' cases and of what was done to them.
//!
//! What the owners' databases hold is copied, case by case and header by header, into a scratch database, where each
//! definition is written again as a statement. It reads `case_file` and `case_event` alone and knows nothing of facts.

use std::collections::BTreeMap;

use protocol::division::Level;
use protocol::event::{Header, TermKind};
use protocol::id::{CaseId, NodeId};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{AssertSqlSafe, Row, SqlitePool};
use wuji::oversight::{Dimension, Kind, Measure, Period};

use super::Cells;
use super::life::{TODAY, Year};
use super::post::OWNERS;
use super::rows::Beside;

const TABLES: &str = "
    CREATE TABLE matter (
        id BLOB PRIMARY KEY, owner INTEGER, matter TEXT, category INTEGER, place INTEGER, grid_kind TEXT, source TEXT,
        step TEXT, outcome TEXT, unit INTEGER, people INTEGER, reported_at INTEGER, amount INTEGER);
    CREATE TABLE act (
        id BLOB, number INTEGER, act TEXT, minute INTEGER, day INTEGER, level INTEGER, due INTEGER,
        PRIMARY KEY (id, number)) WITHOUT ROWID";

/// The ledger.
pub(crate) struct Ledger(SqlitePool);

type FileRow = (Vec<u8>, String, i64, i64, String, String, String, Option<String>, i64, i64, i64);

impl Ledger {
    /// Copies what the owners have.
    pub(crate) async fn of(year: &Year) -> Self {
        let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.expect("a database");
        let ledger = Self(pool);
        for statement in TABLES.split(';') {
            ledger.run(statement).await;
        }
        ledger.run("BEGIN").await;
        for owner in &year.post.members[..OWNERS] {
            let division = i64::try_from(owner.me.division.number()).expect("a code");
            let files = "SELECT case_id, matter, category, place, grid_kind, source, step, outcome, unit_code, people, \
                         reported_at FROM case_file WHERE node = $1 AND mine = 1 AND void = 0";
            for row in owner.beside.rows::<FileRow>(owner.me.node, files).await {
                let id = CaseId::from_bytes(row.0.clone().try_into().expect("an id"));
                ledger.note_case(division, row, year.amounts.get(&id).copied()).await;
            }
            let acts = "SELECT e.header, e.act FROM case_event e JOIN case_file f ON f.node = e.node \
                        AND f.case_id = e.case_id WHERE e.node = $1 AND f.mine = 1 AND f.void = 0";
            for (header, act) in owner.beside.rows::<(Vec<u8>, String)>(owner.me.node, acts).await {
                ledger.note_act(&header, &act).await;
            }
        }
        ledger.run("COMMIT").await;
        ledger
    }

    async fn run(&self, text: &str) {
        sqlx::query(AssertSqlSafe(text.to_owned())).execute(&self.0).await.expect("done");
    }

    async fn note_case(&self, owner: i64, row: FileRow, amount: Option<i64>) {
        let (id, matter, category, place, grid_kind, source, step, outcome, unit, people, reported_at) = row;
        sqlx::query("INSERT INTO matter VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
            .bind(id)
            .bind(owner)
            .bind(matter)
            .bind(category)
            .bind(place)
            .bind(grid_kind)
            .bind(source)
            .bind(step)
            .bind(outcome)
            .bind(unit)
            .bind(people)
            .bind(reported_at)
            .bind(amount)
            .execute(&self.0)
            .await
            .expect("one owner a case");
    }

    async fn note_act(&self, header: &[u8], act: &str) {
        let limit = protocol::wire::limits::BODY_BYTES_MAX;
        let header: Header = protocol::wire::codec::decode(header, limit).expect("a header");
        let at = header.at.corrected().0;
        let of_loop = |kind| !matches!(kind, TermKind::Answer | TermKind::Accept);
        let due = header.brief.next_term.filter(|term| of_loop(term.kind) && !term.provisional);
        sqlx::query("INSERT INTO act VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(header.case.as_bytes().to_vec())
            .bind(i64::from(header.number))
            .bind(act)
            .bind(at / 60_000)
            .bind((at + 8 * 3_600_000) / 86_400_000)
            .bind(header.brief.level().map_or(0, |level| i64::from(level.rank())))
            .bind(due.map(|term| i64::from(term.day.number())))
            .execute(&self.0)
            .await
            .expect("each act once");
    }

    /// All cases as they stood at the end of a day: the table `stood`.
    pub(crate) async fn stand(&self, day: i32) {
        self.run("DROP TABLE IF EXISTS stood").await;
        let first =
            |act: &str, what: &str| format!("(SELECT min({what}) FROM act a WHERE a.id = m.id AND act = '{act}')");
        let last = |what: &str| {
            format!("(SELECT {what} FROM act a WHERE a.id = m.id AND day <= {day} ORDER BY number DESC LIMIT 1)")
        };
        let days = ["reported", "filed", "assigned", "resolved", "fed_back", "archived"]
            .map(|act| format!("{} AS {act}_day, {} AS {act}_minute", first(act, "day"), first(act, "minute")));
        self.run(&format!(
            "CREATE TABLE stood AS SELECT m.*, {}, {} AS level, {} AS due, \
             (SELECT max(level) FROM act a WHERE a.id = m.id AND day <= {day}) AS peak FROM matter m",
            days.join(", "),
            last("level"),
            last("due"),
        ))
        .await;
    }

    /// What a measure is over a period, at whose end the cases were made to stand; cut by some things.
    pub(crate) async fn count(&self, measure: Measure, by: &[Dimension], within: &str, days: (i32, i32)) -> Cells {
        let (day, part, adds) = definition(measure, days.1);
        let cut = |at: usize| by.get(at).map_or_else(|| "0".to_owned(), |dimension| column(*dimension, day));
        let text = format!(
            "SELECT coalesce({}, 0), coalesce({}, 0), {adds} FROM stood WHERE {} AND {day} BETWEEN {} AND {} AND {part}",
            cut(0),
            cut(1),
            inside(within),
            days.0,
            days.1
        );
        let mut lines: BTreeMap<[u64; 2], Vec<u64>> = BTreeMap::new();
        for row in sqlx::query(AssertSqlSafe(text)).fetch_all(&self.0).await.expect("rows") {
            let [first, second, adds] = [0, 1, 2].map(|at| number(row.get(at)));
            lines.entry([first, second]).or_default().push(adds);
        }
        let cells = lines.into_iter().map(|(keys, adds)| (keys, cell(measure.definition().kind, adds)));
        cells.collect()
    }
}

fn cell(kind: Kind, mut adds: Vec<u64>) -> (u64, u64) {
    let cases = adds.len() as u64;
    if kind != Kind::Median {
        return (adds.iter().sum(), cases);
    }
    adds.sort_unstable();
    let middle = adds.len() / 2;
    let twice = if adds.len() % 2 == 1 { adds[middle] * 2 } else { adds[middle - 1] + adds[middle] };
    (twice * 5, cases)
}

fn number(n: i64) -> u64 {
    u64::try_from(n).expect("no negative number")
}

/// Of a measure: the day on which a case counts, which cases have part in it, and what each adds.
fn definition(measure: Measure, to: i32) -> (&'static str, String, &'static str) {
    let dispute = "matter = 'dispute'";
    let ended = "outcome IN ('successful', 'unsuccessful')";
    let all = || "1 = 1".to_owned();
    let in_hand = format!("(archived_day IS NULL OR archived_day > {to})");
    match measure {
        Measure::Reported => ("reported_day", all(), "1"),
        Measure::InHand => ("reported_day", in_hand, "1"),
        Measure::Concluded => ("resolved_day", all(), "1"),
        Measure::Successful => ("resolved_day", format!("{dispute} AND outcome = 'successful'"), "1"),
        // On its last day a term can still be met, so today's has not run out; that of a day that is over has.
        Measure::Overdue => ("reported_day", format!("{in_hand} AND due <= {}", to.min(TODAY - 1)), "1"),
        Measure::People => ("reported_day", all(), "people"),
        Measure::Amount => ("resolved_day", format!("{dispute} AND outcome = 'successful'"), "coalesce(amount, 0)"),
        Measure::SuccessRate => ("resolved_day", format!("{dispute} AND {ended}"), "outcome = 'successful'"),
        Measure::HandlingRate => {
            ("reported_day", dispute.to_owned(), "coalesce(outcome IN ('successful', 'unsuccessful'), 0)")
        }
        Measure::TimeToFile => ("filed_day", all(), "filed_minute - reported_minute"),
        Measure::TimeToAssign => ("assigned_day", all(), "assigned_minute - reported_minute"),
        Measure::TimeToResolve => ("resolved_day", all(), "resolved_minute - reported_minute"),
        Measure::TimeToFeedBack => ("fed_back_day", all(), "fed_back_minute - reported_minute"),
        // One day at a time: all that were ever reported.
        Measure::Occupancy => ("reported_day", in_hand, "1"),
    }
}

/// How the judicial line sorts the categories of the year.
pub(crate) const JUDICIAL: [(u16, u16); 4] = [(101, 3), (201, 1), (299, 1), (701, 9)];

/// What a case is cut by, as a number.
fn column(dimension: Dimension, day: &str) -> String {
    let words = |column: &str, words: &[&str]| {
        let places = (0..).zip(words).map(|(at, word)| format!("WHEN '{word}' THEN {at}"));
        format!("CASE {column} {} END", places.collect::<Vec<_>>().join(" "))
    };
    match dimension {
        Dimension::Level => "level".to_owned(),
        Dimension::Peak => "peak".to_owned(),
        Dimension::Category => "category".to_owned(),
        Dimension::Class => "category / 100".to_owned(),
        Dimension::Judicial => {
            let types = JUDICIAL.map(|(category, of)| format!("WHEN {category} THEN {of}"));
            format!("CASE category {} ELSE 0 END", types.join(" "))
        }
        Dimension::Place(level) => {
            let span = match level {
                Level::Province | Level::City => panic!("the year is of one city"),
                Level::County => 1_000_000_000,
                Level::Township => 1_000_000,
                Level::Community => 1_000,
                Level::Grid => 1,
            };
            format!("place / {span} * {span}")
        }
        Dimension::Owner => "owner".to_owned(),
        Dimension::GridKind => words("grid_kind", &["responsibility", "basic", "dedicated"]),
        Dimension::Source => words(
            "source",
            &[
                "window",
                "grid",
                "visit",
                "hotline12345",
                "police110",
                "legal12348",
                "petition",
                "superior",
                "department",
                "public",
            ],
        ),
        Dimension::Matter => words("matter", &["dispute", "request", "consultation"]),
        Dimension::Unit => "unit".to_owned(),
        Dimension::Step => {
            words("step", &["reported", "filed", "assigned", "in_progress", "fed_back", "assessed", "archived"])
        }
        Dimension::Outcome => words("outcome", &["", "successful", "unsuccessful", "other"]),
        // No act records yet how a matter is settled.
        Dimension::Channel => "0".to_owned(),
        Dimension::People => {
            "CASE WHEN people < 50 THEN 0 WHEN people < 100 THEN 1 WHEN people < 500 THEN 2 ELSE 3 END".to_owned()
        }
        Dimension::Time(period) => first_day(period, day),
    }
}

/// The first day of the period of a day.
fn first_day(period: Period, day: &str) -> String {
    let at = format!("date({day} * 86400, 'unixepoch')");
    let month = |back: &str| format!("CAST(julianday({at}, 'start of month', {back}) - 2440587.5 AS INTEGER)");
    let back = |months: u8| format!("'-' || ((strftime('%m', {at}) - 1) % {months}) || ' months'");
    match period {
        Period::Day => day.to_owned(),
        // Day 0 was a Thursday.
        Period::Week => format!("{day} - ({day} + 3) % 7"),
        Period::Month => month("'+0 months'"),
        Period::Quarter => month(&back(3)),
        Period::Half => month(&back(6)),
        Period::Year => format!("CAST(julianday({at}, 'start of year') - 2440587.5 AS INTEGER)"),
    }
}

fn inside(within: &str) -> String {
    let digits = within.trim_end_matches('0');
    let digits = if digits.len() % 2 == 1 && digits.len() < 6 { format!("{digits}0") } else { digits.to_owned() };
    // The fifteen-digit number, as text, begins with the digits of the division.
    format!("CAST(place AS TEXT) LIKE '{digits}%'")
}

/// Alters a row of the city's as somebody with the database alone could.
pub(crate) async fn alter_one_fact(year: &Year, owner: NodeId) {
    let city = year.post.city();
    let facts = "SELECT key, owner, body FROM fact WHERE node = $1 ORDER BY key";
    let rows = city.beside.rows::<(Vec<u8>, Vec<u8>, Vec<u8>)>(city.me.node, facts).await;
    let (key, _, body) = rows.into_iter().find(|row| row.1 == owner.as_bytes()).expect("a fact");
    let mut fact: protocol::fact::CaseFact =
        protocol::wire::codec::decode(&body, protocol::wire::limits::BODY_BYTES_MAX).expect("a fact");
    fact.head_count += 1;
    let (node, body) = (city.me.node.as_bytes().to_vec(), protocol::wire::codec::encode_unbounded(&fact));
    let text = "UPDATE fact SET body = $1 WHERE node = $2 AND key = $3";
    let done = match (&city.beside, city.store.database()) {
        (Beside::Server(pool), _) => {
            sqlx::query(text).bind(body).bind(node).bind(key).execute(pool).await.expect("altered").rows_affected()
        }
        (_, wuji::store::Database::File { write, .. }) => {
            sqlx::query(text).bind(body).bind(node).bind(key).execute(write).await.expect("altered").rows_affected()
        }
        _ => panic!("a file, or a server"),
    };
    assert_eq!(done, 1);
}
