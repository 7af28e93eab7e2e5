//! Figures, counted over the facts that this node holds of itself and of all below.

use protocol::division::DivisionCode;
use sqlx::AssertSqlSafe;

use super::sql::sql;
use super::{Store, StoreError, division_number};

/// By what a count is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Warning level, by rank.
    Level,
    /// Category code.
    Category,
    /// Place, as the fifteen-digit number.
    Place,
    /// Day of the report, counted from 1970-01-01.
    Day,
    /// Kind of grid.
    GridKind,
    /// Step.
    Step,
}

impl By {
    fn column(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Category => "category",
            Self::Place => "place",
            Self::Day => "day",
            Self::GridKind => "grid_kind",
            Self::Step => "step",
        }
    }
}

/// One line of a count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The value by which it is cut, as text.
    pub value: String,
    /// Cases that are not void.
    pub cases: i64,
    /// Of these, in hand: not archived.
    pub in_hand: i64,
}

/// Totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Cases that are not void.
    pub cases: i64,
    /// Of these, in hand: not archived.
    pub in_hand: i64,
    /// Disputes that ended with a settlement.
    pub successful: i64,
    /// Disputes that ended without one.
    pub unsuccessful: i64,
}

/// The weight below which digits of a code do not matter: everything inside a division has numbers from the code's own up
/// to that plus the weight.
pub(crate) fn range(within: DivisionCode) -> (i64, i64) {
    let from = division_number(within);
    let span = [1, 1_000, 1_000_000, 1_000_000_000, 100_000_000_000, 10_000_000_000_000]
        .into_iter()
        .rev()
        .find(|span| from % span == 0)
        .unwrap_or(1);
    (from, from + span)
}

impl Store {
    /// Counts cases inside a division, reported from day to day, cut by one dimension.
    pub async fn count_by(&self, by: By, within: DivisionCode, days: (i32, i32)) -> Result<Vec<Count>, StoreError> {
        let column = by.column();
        let (from, to) = range(within);
        let text = format!(
            "SELECT CAST({column} AS TEXT), count(*), count(*) FILTER (WHERE step <> 'archived') FROM fact WHERE node = $1 AND void = 0 \
             AND place >= $2 AND place < $3 AND day BETWEEN $4 AND $5 GROUP BY {column} ORDER BY {column}"
        );
        let rows = sql(AssertSqlSafe(text))
            .bind(self.me())
            .bind(from)
            .bind(to)
            .bind(i64::from(days.0))
            .bind(i64::from(days.1))
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.iter().map(|r| Ok(Count { value: r.try_get(0)?, cases: r.try_get(1)?, in_hand: r.try_get(2)? })).collect()
    }

    /// Totals inside a division, reported from day to day.
    pub async fn totals(&self, within: DivisionCode, days: (i32, i32)) -> Result<Totals, StoreError> {
        let (from, to) = range(within);
        let row = sql("SELECT count(*), count(*) FILTER (WHERE step <> 'archived'), \
             count(*) FILTER (WHERE matter = 'dispute' AND outcome = 'successful'), \
             count(*) FILTER (WHERE matter = 'dispute' AND outcome = 'unsuccessful') \
             FROM fact WHERE node = $1 AND void = 0 AND place >= $2 AND place < $3 AND day BETWEEN $4 AND $5")
        .bind(self.me())
        .bind(from)
        .bind(to)
        .bind(i64::from(days.0))
        .bind(i64::from(days.1))
        .fetch_one(&mut self.read().await?)
        .await?;
        Ok(Totals {
            cases: row.try_get(0)?,
            in_hand: row.try_get(1)?,
            successful: row.try_get(2)?,
            unsuccessful: row.try_get(3)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_division_ranges_over_all_it_contains() {
        for (within, inside, outside) in [
            ("330600000000", "330602001002003", "330700000000"),
            ("330602000000", "330602999999999", "330603000000"),
            ("330602001000", "330602001000001", "330602002000"),
            ("330602001002", "330602001002999", "330602001003"),
            ("330602001002001", "330602001002001", "330602001002002"),
        ] {
            let (from, to) = range(within.parse().unwrap());
            let inside = division_number(inside.parse().unwrap());
            let outside = division_number(outside.parse().unwrap());
            assert!(from <= inside && inside < to, "{within}");
            assert!(outside >= to, "{within}");
        }
    }
}
