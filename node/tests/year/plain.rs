//! The same figures in plain SQL over the owners' case tables and headers.

use protocol::id::NodeId;
use sqlx::Row;
use wuji::oversight::Measure;
use wuji::store::Store;

use super::Cells;
use super::life::Year;

/// Milliseconds that UTC+8 is ahead.
const UTC8: i64 = 8 * 3_600_000;

async fn rows(store: &Store, text: String) -> Vec<Vec<i64>> {
    let pool = pool(store).await;
    let rows = sqlx::query(sqlx::AssertSqlSafe(text)).fetch_all(&pool).await.expect("rows");
    rows.iter().map(|row| (0..row.len()).map(|at| row.get::<i64, _>(at)).collect()).collect()
}

/// The file of a node, opened beside the program.
async fn pool(store: &Store) -> sqlx::SqlitePool {
    match store.database() {
        wuji::store::Database::File { read, .. } => read.clone(),
        wuji::store::Database::Server(_) => panic!("a file"),
    }
}

fn number(n: i64) -> u64 {
    u64::try_from(n).expect("a count")
}

fn inside(within: &str) -> String {
    let digits = within.trim_end_matches('0');
    let digits = if digits.len() % 2 == 1 && digits.len() < 6 { format!("{digits}0") } else { digits.to_owned() };
    // The fifteen-digit number, as text, begins with the digits of the division.
    format!("CAST(place AS TEXT) LIKE '{digits}%'")
}

/// Cases reported in a period, cut by a column.
pub(crate) async fn count(year: &Year, column: &str, within: &str, days: (i32, i32)) -> Cells {
    let mut cells = Cells::new();
    let within = inside(within);
    for owner in &year.owners {
        let text = format!(
            "SELECT {column}, count(*) FROM case_file WHERE mine = 1 AND void = 0 AND {within} \
             AND reported_day BETWEEN {} AND {} GROUP BY 1",
            days.0, days.1
        );
        for row in rows(&owner.store, text).await {
            let cell = cells.entry([number(row[0]), 0]).or_default();
            *cell = (cell.0 + number(row[1]), cell.1 + number(row[1]));
        }
    }
    cells
}

/// Cases reported in a period, by month, quarter or half-year; keyed by the first day of each.
pub(crate) async fn by_period(year: &Year, period: &str, days: (i32, i32)) -> Cells {
    let months = match period {
        "month" => 1,
        "quarter" => 3,
        _ => 6,
    };
    let mut cells = Cells::new();
    for owner in &year.owners {
        let text = format!(
            "SELECT CAST(julianday(strftime('%Y', d) || '-' || substr('0' || \
             ((CAST(strftime('%m', d) AS INTEGER) - 1) / {months} * {months} + 1), -2) || '-01') - 2440587.5 AS INTEGER), \
             count(*) FROM (SELECT date(reported_day * 86400, 'unixepoch') d FROM case_file WHERE mine = 1 AND void = 0 \
             AND reported_day BETWEEN {} AND {}) GROUP BY 1",
            days.0, days.1
        );
        for row in rows(&owner.store, text).await {
            let cell = cells.entry([number(row[0]), 0]).or_default();
            *cell = (cell.0 + number(row[1]), cell.1 + number(row[1]));
        }
    }
    cells
}

/// Counts and rates of what ended.
pub(crate) async fn ended(year: &Year, measure: Measure, days: (i32, i32)) -> (u64, u64) {
    // The day on which a header says `resolved`.
    let day = format!("(e.at + {UTC8}) / 86400000 BETWEEN {} AND {}", days.0, days.1);
    let resolved = format!(
        "FROM case_file f JOIN case_event e ON e.node = f.node AND e.case_id = f.case_id AND e.act = 'resolved' \
         WHERE f.mine = 1 AND f.void = 0 AND {day}"
    );
    let reported = format!(
        "FROM case_file WHERE mine = 1 AND void = 0 AND matter = 'dispute' AND reported_day BETWEEN {} AND {}",
        days.0, days.1
    );
    let text = match measure {
        Measure::Concluded => format!("SELECT count(*), count(*) {resolved}"),
        Measure::Successful => {
            format!("SELECT count(*), count(*) {resolved} AND f.matter = 'dispute' AND f.outcome = 'successful'")
        }
        Measure::SuccessRate => format!(
            "SELECT count(*) FILTER (WHERE f.outcome = 'successful'), count(*) {resolved} AND f.matter = 'dispute' \
             AND f.outcome IN ('successful', 'unsuccessful')"
        ),
        _ => format!("SELECT count(*) FILTER (WHERE outcome IN ('successful', 'unsuccessful')), count(*) {reported}"),
    };
    let mut sum = (0, 0);
    for owner in &year.owners {
        for row in rows(&owner.store, text.clone()).await {
            sum = (sum.0 + number(row[0]), sum.1 + number(row[1]));
        }
    }
    sum
}

/// The median minutes from the report to the first act of a kind, in tenths, and of how many.
pub(crate) async fn median_tenths(year: &Year, act: &str, days: (i32, i32)) -> (Option<u64>, u64) {
    let mut minutes = Vec::new();
    for owner in &year.owners {
        let text = format!(
            "SELECT e.at / 60000 - f.reported_at / 60000 FROM case_file f JOIN (SELECT node, case_id, min(at) at \
             FROM case_event WHERE act = '{act}' GROUP BY node, case_id) e ON e.node = f.node AND e.case_id = f.case_id \
             WHERE f.mine = 1 AND f.void = 0 AND (e.at + {UTC8}) / 86400000 BETWEEN {} AND {}",
            days.0, days.1
        );
        minutes.extend(rows(&owner.store, text).await.into_iter().map(|row| number(row[0])));
    }
    minutes.sort_unstable();
    let (count, middle) = (minutes.len(), minutes.len() / 2);
    let median = match count {
        0 => None,
        n if n % 2 == 1 => Some(minutes[middle] * 10),
        _ => Some((minutes[middle - 1] + minutes[middle]) * 5),
    };
    (median, count as u64)
}

/// Cases in hand at the end of a day.
pub(crate) async fn held(year: &Year, day: i32) -> u64 {
    let mut held = 0;
    for owner in &year.owners {
        let text = format!(
            "SELECT count(*) FROM case_file f WHERE f.mine = 1 AND f.void = 0 AND f.reported_day <= {day} \
             AND NOT EXISTS (SELECT 1 FROM case_event e WHERE e.node = f.node AND e.case_id = f.case_id \
             AND e.act = 'archived' AND (e.at + {UTC8}) / 86400000 <= {day})"
        );
        held += number(rows(&owner.store, text).await[0][0]);
    }
    held
}

/// People in the cases reported in a period.
pub(crate) async fn people(year: &Year, days: (i32, i32)) -> u64 {
    let mut people = 0;
    for owner in &year.owners {
        let text = format!(
            "SELECT coalesce(sum(people), 0) FROM case_file WHERE mine = 1 AND void = 0 AND reported_day BETWEEN {} AND {}",
            days.0, days.1
        );
        people += number(rows(&owner.store, text).await[0][0]);
    }
    people
}

/// Alters a row of the city's as somebody with the database alone could.
pub(crate) async fn alter_one_fact(city: &Store, owner: NodeId) {
    let wuji::store::Database::File { write, .. } = city.database() else { panic!("a file") };
    let row = sqlx::query("SELECT key, body FROM fact WHERE owner = $1 LIMIT 1")
        .bind(owner.as_bytes().to_vec())
        .fetch_one(write)
        .await
        .expect("a fact");
    let (key, body): (Vec<u8>, Vec<u8>) = (row.get(0), row.get(1));
    let mut fact: protocol::fact::CaseFact =
        protocol::wire::codec::decode(&body, protocol::wire::limits::BODY_BYTES_MAX).expect("a fact");
    fact.head_count += 1;
    sqlx::query("UPDATE fact SET body = $2 WHERE key = $1")
        .bind(key)
        .bind(protocol::wire::codec::encode_unbounded(&fact))
        .execute(write)
        .await
        .expect("altered");
}
