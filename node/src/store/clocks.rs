//! What is to be done of cases by when: rows for the list of what is due.

use casework::Scope;
use casework::clocks::Clock;
use protocol::division::DivisionCode;
use protocol::id::CaseId;
use protocol::time::Minute;
use protocol::unit::UnitCode;
use sqlx::AssertSqlSafe;

use super::lists::{bind_scope, within};
use super::sql::{Row, sql};
use super::{Store, StoreError, WriteStore, case_id, division_number, values};

/// The name of what clocks are counted by, among what a node knows about itself.
const COUNTED_BY: &str = "clocks counted by";

/// The clocks of a case, with what a list is narrowed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockRows {
    /// The case.
    pub case: CaseId,
    /// Where it happened.
    pub place: DivisionCode,
    /// Rank of its level, 0 for none.
    pub level: u8,
    /// Its clocks.
    pub clocks: Vec<Clock>,
}

/// Something due, in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRow {
    /// The case.
    pub case: CaseId,
    /// What is to be done.
    pub kind: String,
    /// Its number in the case.
    pub number: u16,
    /// The part of that.
    pub part: u16,
    /// The unit that is to do it.
    pub unit: UnitCode,
    /// Rank of the level of the case, 0 for none.
    pub level: u8,
    /// The last minute.
    pub due: Minute,
    /// What the case is about, without names.
    pub summary: String,
}

/// Which of what is due a list shows.
#[derive(Debug, Clone, Default)]
pub struct DueFilter {
    /// Within one of these scopes only; none: all.
    pub scopes: Option<Vec<Scope>>,
    /// One kind only.
    pub kind: Option<String>,
    /// What is due by this minute.
    pub until: Option<Minute>,
    /// How many.
    pub count: u32,
}

fn small<T: TryFrom<i64>>(value: i64) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| StoreError::damaged("case_clock", "a number out of range"))
}

fn due_row(row: &Row) -> Result<DueRow, StoreError> {
    Ok(DueRow {
        case: case_id(row)?,
        kind: row.try_get(1)?,
        number: small(row.try_get(2)?)?,
        part: small(row.try_get(3)?)?,
        unit: UnitCode(small(row.try_get(4)?)?),
        level: small(row.try_get(5)?)?,
        due: Minute(small(row.try_get(6)?)?),
        summary: row.try_get(7)?,
    })
}

impl WriteStore {
    /// Writes the clocks of cases anew.
    pub async fn put_case_clocks(&mut self, cases: &[&ClockRows]) -> Result<(), StoreError> {
        for rows in cases {
            let gone = sql("DELETE FROM case_clock WHERE node = $1 AND case_id = $2")
                .bind(self.me())
                .bind(rows.case.as_bytes().to_vec());
            self.later(gone).await?;
            if rows.clocks.is_empty() {
                continue;
            }
            let text = format!(
                "INSERT INTO case_clock (node, case_id, kind, number, part, place, unit_code, level, due) VALUES {}",
                values(rows.clocks.len(), 9)
            );
            let mut query = sql(AssertSqlSafe(text));
            for clock in &rows.clocks {
                let (number, part) = clock.of.numbers();
                query = query
                    .bind(self.me())
                    .bind(rows.case.as_bytes().to_vec())
                    .bind(clock.of.word())
                    .bind(i64::from(number))
                    .bind(i64::from(part))
                    .bind(division_number(rows.place))
                    .bind(i64::from(clock.unit.0))
                    .bind(i64::from(rows.level))
                    .bind(i64::from(clock.due.0));
            }
            self.later(query).await?;
        }
        Ok(())
    }

    /// Forgets all clocks, and notes by what they are counted from now on.
    pub async fn drop_clocks(&mut self, by: &str) -> Result<(), StoreError> {
        let query = sql("DELETE FROM case_clock WHERE node = $1").bind(self.me());
        self.later(query).await?;
        self.set_meta(COUNTED_BY, by).await
    }

    /// By what the clocks are counted; none: by what a program before this note had.
    pub async fn clocks_counted_by(&mut self) -> Result<Option<String>, StoreError> {
        self.meta(COUNTED_BY).await
    }

    /// The next cases of this node that are handled and have no clock: after an upgrade, or after [`Self::drop_clocks`]. Those
    /// whose term stands still have none, and are among them.
    pub async fn clockless_after(&mut self, after: CaseId, count: u32) -> Result<Vec<CaseId>, StoreError> {
        let rows = sql("SELECT f.case_id FROM case_file f WHERE f.node = $1 AND f.case_id > $2 AND f.mine = $3 \
             AND f.void = $4 AND f.step <> $5 AND NOT EXISTS \
             (SELECT 1 FROM case_clock c WHERE c.node = f.node AND c.case_id = f.case_id) ORDER BY f.case_id LIMIT $6")
        .bind(self.me())
        .bind(after.as_bytes().to_vec())
        .bind(true)
        .bind(false)
        .bind("archived")
        .bind(i64::from(count))
        .fetch_all(self.connection().await?)
        .await?;
        rows.iter().map(case_id).collect()
    }
}

impl Store {
    /// What is due, the first first. What can be asked of a court no longer is not told.
    pub async fn due(&self, filter: &DueFilter, now: Minute) -> Result<Vec<DueRow>, StoreError> {
        let scopes = filter.scopes.as_deref();
        let inside = scopes.map(|scopes| within(scopes.len(), 7)).unwrap_or_default();
        let text = format!(
            "SELECT c.case_id, c.kind, c.number, c.part, c.unit_code, c.level, c.due, coalesce(f.summary, '') \
             FROM (SELECT * FROM case_clock WHERE node = $1 {inside} AND ($2 = '' OR kind = $2) AND due <= $3 \
             AND (kind <> $4 OR due >= $5) ORDER BY due, case_id, kind, number, part LIMIT $6) c \
             LEFT JOIN case_file f ON f.node = $1 AND f.case_id = c.case_id \
             ORDER BY c.due, c.case_id, c.kind, c.number, c.part"
        );
        let mut query = sql(AssertSqlSafe(text))
            .bind(self.me())
            .bind(filter.kind.clone().unwrap_or_default())
            .bind(filter.until.map_or(i64::from(u32::MAX), |until| i64::from(until.0)))
            .bind("confirmation")
            .bind(i64::from(now.0))
            .bind(i64::from(filter.count));
        for scope in scopes.unwrap_or_default() {
            query = bind_scope(query, scope);
        }
        let rows = query.fetch_all(&mut self.read().await?).await?;
        rows.iter().map(due_row).collect()
    }
}
