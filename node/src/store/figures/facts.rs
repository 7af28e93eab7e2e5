//! Facts as they are read: all of them in pages, those that changed since, and those behind a line of a figure.

use protocol::division::DivisionCode;
use protocol::fact::{CaseFact, Measure};
use protocol::id::{CaseId, CaseKey};
use protocol::time::CivilDay;
use sqlx::AssertSqlSafe;

use super::put::{fact_of, key_of};
use super::{counted, stored};
use crate::store::sql::sql;
use crate::store::{IDS_A_STATEMENT, Store, StoreError, division, id16, list};

/// A fact for people, with this node's own link to the case.
#[derive(Debug, Clone)]
pub struct FactRow {
    /// The fact.
    pub fact: CaseFact,
    /// The case, where this node holds it.
    pub case: Option<CaseId>,
}

/// Tallies of one division and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TallyCount {
    /// Where the node hangs.
    pub division: DivisionCode,
    /// The day, counted from 1970-01-01.
    pub day: i32,
    /// How many.
    pub value: u64,
}

impl Store {
    /// The number of the last transaction that changed a fact here.
    pub async fn facts_changed(&self) -> Result<i64, StoreError> {
        let row = sql("SELECT coalesce(max(changed), 0) FROM fact WHERE node = $1")
            .bind(self.me())
            .fetch_one(&mut self.read().await?)
            .await?;
        row.try_get(0)
    }

    /// Facts held here.
    pub async fn facts_held(&self) -> Result<u64, StoreError> {
        let row =
            sql("SELECT count(*) FROM fact WHERE node = $1").bind(self.me()).fetch_one(&mut self.read().await?).await?;
        Ok(counted(row.try_get(0)?))
    }

    /// The facts behind a key, in order of their keys.
    pub async fn facts_page(&self, after: Option<CaseKey>, count: u32) -> Result<Vec<CaseFact>, StoreError> {
        let rows = sql("SELECT body FROM fact WHERE node = $1 AND key > $2 ORDER BY key LIMIT $3")
            .bind(self.me())
            .bind(after.map_or(Vec::new(), |key| key.as_bytes().to_vec()))
            .bind(i64::from(count))
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.iter().map(|row| fact_of(&row.try_get::<Vec<u8>>(0)?)).collect()
    }

    /// The facts that transactions behind one changed, in their order, with the position to go on from.
    pub async fn facts_since(
        &self,
        (changed, key): (i64, Option<CaseKey>),
        count: u32,
    ) -> Result<Vec<(i64, CaseFact)>, StoreError> {
        // All of a transaction lie behind the highest key of the one before.
        let behind = key.map_or(vec![0xFF; 17], |key| key.as_bytes().to_vec());
        let rows = sql("SELECT changed, body FROM fact WHERE node = $1 AND (changed, key) > ($2, $3) \
             ORDER BY changed, key LIMIT $4")
        .bind(self.me())
        .bind(changed)
        .bind(behind)
        .bind(i64::from(count))
        .fetch_all(&mut self.read().await?)
        .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, fact_of(&row.try_get::<Vec<u8>>(1)?)?))).collect()
    }

    /// The facts of some keys, in order of their keys; with the case where this node holds it.
    pub async fn facts_of(&self, keys: &[CaseKey]) -> Result<Vec<FactRow>, StoreError> {
        let mut found = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(IDS_A_STATEMENT) {
            let (marks, ids) = list(2, chunk);
            let text = format!(
                "SELECT f.key, f.body, c.case_id FROM fact f LEFT JOIN case_file c ON c.node = f.node \
                 AND c.case_id = f.case_id WHERE f.node = $1 AND f.key IN ({marks}) ORDER BY f.key"
            );
            let query = sql(AssertSqlSafe(text)).bind(self.me()).bind_each(ids.map(|key| &key.as_bytes()[..]));
            for row in query.fetch_all(&mut self.read().await?).await? {
                let case: Option<Vec<u8>> = row.try_get(2)?;
                let case = case.map(|id| id16("fact", &id).map(CaseId::from_bytes)).transpose()?;
                key_of(&row.try_get::<Vec<u8>>(0)?)?;
                found.push(FactRow { fact: fact_of(&row.try_get::<Vec<u8>>(1)?)?, case });
            }
        }
        Ok(found)
    }

    /// A tally of this node itself; 0 for one that was never counted.
    pub async fn own_tally(&self, day: CivilDay, measure: Measure) -> Result<u64, StoreError> {
        let row = sql("SELECT value FROM tally WHERE node = $1 AND member = $1 AND day = $2 AND measure = $3")
            .bind(self.me())
            .bind(i64::from(day.number()))
            .bind(i64::from(measure.0))
            .fetch_optional(&mut self.read().await?)
            .await?;
        row.map_or(Ok(0), |row| Ok(counted(row.try_get(0)?)))
    }

    /// Tallies of a measure inside a division, from day to day.
    pub async fn tallied(
        &self,
        measure: Measure,
        within: DivisionCode,
        days: (i32, i32),
    ) -> Result<Vec<TallyCount>, StoreError> {
        let ranges = self.places().await?.ranges(within);
        let inside = (0..ranges.len()).map(|n| format!("division >= ${} AND division < ${}", 5 + 2 * n, 6 + 2 * n));
        let text = format!(
            "SELECT division, day, CAST(sum(value) AS BIGINT) FROM tally WHERE node = $1 AND measure = $2 \
             AND day >= $3 AND day <= $4 AND ({}) GROUP BY division, day ORDER BY division, day",
            inside.chain(["1 = 0".to_owned()]).collect::<Vec<_>>().join(" OR ")
        );
        let mut query = sql(AssertSqlSafe(text))
            .bind(self.me())
            .bind(i64::from(measure.0))
            .bind(i64::from(days.0))
            .bind(i64::from(days.1));
        for (from, to) in ranges {
            query = query.bind(stored(from)).bind(stored(to));
        }
        let rows = query.fetch_all(&mut self.read().await?).await?;
        rows.iter()
            .map(|row| {
                Ok(TallyCount {
                    division: division("tally", row.try_get(0)?)?,
                    day: i32::try_from(row.try_get::<i64>(1)?).unwrap_or(i32::MAX),
                    value: counted(row.try_get(2)?),
                })
            })
            .collect()
    }
}
