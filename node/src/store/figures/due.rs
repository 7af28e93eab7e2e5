//! What waits to be sent: keys only. What is sent is read when it goes, so a fact that changed three times goes once.

use protocol::fact::{CaseFact, Measure};
use protocol::id::{CaseKey, NodeId};
use protocol::time::CivilDay;

use super::put::{fact_of, key_of};
use crate::store::sql::sql;
use crate::store::{Store, StoreError, WriteStore, id16, pieces, values};
use sqlx::AssertSqlSafe;

/// A fact that waits.
#[derive(Debug, Clone)]
pub struct DueFact {
    /// For whom.
    pub reader: NodeId,
    /// Its key.
    pub key: CaseKey,
    /// As it is now.
    pub fact: CaseFact,
}

/// A tally that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueTally {
    /// For whom.
    pub reader: NodeId,
    /// The day.
    pub day: CivilDay,
    /// What is counted.
    pub measure: Measure,
}

impl WriteStore {
    /// Facts that wait, up to a number.
    pub async fn facts_due(&mut self, count: usize) -> Result<Vec<DueFact>, StoreError> {
        let rows =
            sql("SELECT d.reader, d.key, f.body FROM fact_due d JOIN fact f ON f.node = d.node AND f.key = d.key \
             WHERE d.node = $1 ORDER BY d.reader, d.key LIMIT $2")
            .bind(self.me())
            .bind(i64::try_from(count).unwrap_or(i64::MAX))
            .fetch_all(self.connection().await?)
            .await?;
        rows.iter()
            .map(|row| {
                let reader = NodeId::from_bytes(id16("fact_due", &row.try_get::<Vec<u8>>(0)?)?);
                let key = key_of(&row.try_get::<Vec<u8>>(1)?)?;
                Ok(DueFact { reader, key, fact: fact_of(&row.try_get::<Vec<u8>>(2)?)? })
            })
            .collect()
    }

    /// Tallies that wait, up to a number.
    pub async fn tallies_due(&mut self, count: usize) -> Result<Vec<DueTally>, StoreError> {
        let rows =
            sql("SELECT reader, day, measure FROM tally_due WHERE node = $1 ORDER BY reader, day, measure LIMIT $2")
                .bind(self.me())
                .bind(i64::try_from(count).unwrap_or(i64::MAX))
                .fetch_all(self.connection().await?)
                .await?;
        let bad = || StoreError::damaged("tally_due", "a value out of range");
        rows.iter()
            .map(|row| {
                let reader = NodeId::from_bytes(id16("tally_due", &row.try_get::<Vec<u8>>(0)?)?);
                let day = i32::try_from(row.try_get::<i64>(1)?).ok().and_then(CivilDay::from_number);
                let measure = u16::try_from(row.try_get::<i64>(2)?).map_err(|_| bad())?;
                Ok(DueTally { reader, day: day.ok_or_else(bad)?, measure: Measure(measure) })
            })
            .collect()
    }

    /// Facts that wait no more: they are in the outbox.
    pub async fn drop_facts_due(&mut self, sent: &[(NodeId, CaseKey)]) -> Result<(), StoreError> {
        for chunk in pieces(sent) {
            let pairs = (0..chunk.len()).map(|i| format!("(${}, ${})", 2 * i + 2, 2 * i + 3)).collect::<Vec<_>>();
            let text =
                format!("DELETE FROM fact_due WHERE node = $1 AND (reader, key) IN (VALUES {})", pairs.join(","));
            let mut query = sql(AssertSqlSafe(text)).bind(self.me());
            for (reader, key) in chunk {
                query = query.bind(&reader.as_bytes()[..]).bind(&key.as_bytes()[..]);
            }
            self.later(query).await?;
        }
        Ok(())
    }

    /// Tallies that wait no more.
    pub async fn drop_tallies_due(&mut self, sent: &[DueTally]) -> Result<(), StoreError> {
        for due in sent {
            sql("DELETE FROM tally_due WHERE node = $1 AND reader = $2 AND day = $3 AND measure = $4")
                .bind(self.me())
                .bind(&due.reader.as_bytes()[..])
                .bind(i64::from(due.day.number()))
                .bind(i64::from(due.measure.0))
                .execute(self.connection().await?)
                .await?;
        }
        Ok(())
    }

    /// Lets facts wait for their readers.
    pub async fn put_facts_due(&mut self, due: &[(NodeId, CaseKey)]) -> Result<(), StoreError> {
        for chunk in pieces(due) {
            let text = format!(
                "INSERT INTO fact_due (node, reader, key) VALUES {} ON CONFLICT (node, reader, key) DO NOTHING",
                values(chunk.len(), 3)
            );
            let mut query = sql(AssertSqlSafe(text));
            for (reader, key) in chunk {
                query = query.bind(self.me()).bind(&reader.as_bytes()[..]).bind(&key.as_bytes()[..]);
            }
            self.later(query).await?;
        }
        Ok(())
    }

    /// Lets tallies wait for their readers.
    pub async fn put_tallies_due(&mut self, due: &[DueTally]) -> Result<(), StoreError> {
        for due in due {
            sql("INSERT INTO tally_due (node, reader, day, measure) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (node, reader, day, measure) DO NOTHING")
            .bind(self.me())
            .bind(&due.reader.as_bytes()[..])
            .bind(i64::from(due.day.number()))
            .bind(i64::from(due.measure.0))
            .execute(self.connection().await?)
            .await?;
        }
        Ok(())
    }

    /// Lets everything that this node owns wait for a reader.
    pub async fn all_due(&mut self, reader: NodeId) -> Result<(), StoreError> {
        sql("INSERT INTO fact_due (node, reader, key) SELECT $1, $2, key FROM fact \
             WHERE node = $1 AND owner = $1 AND released = 0 ON CONFLICT (node, reader, key) DO NOTHING")
        .bind(self.me())
        .bind(&reader.as_bytes()[..])
        .execute(self.connection().await?)
        .await?;
        sql("INSERT INTO tally_due (node, reader, day, measure) SELECT $1, $2, day, measure FROM tally \
             WHERE node = $1 AND member = $1 ON CONFLICT (node, reader, day, measure) DO NOTHING")
        .bind(self.me())
        .bind(&reader.as_bytes()[..])
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }
}

impl Store {
    /// Facts and tallies that wait to be sent.
    pub async fn figures_waiting(&self) -> Result<i64, StoreError> {
        let row = sql("SELECT (SELECT count(*) FROM fact_due WHERE node = $1) + \
             (SELECT count(*) FROM tally_due WHERE node = $1)")
        .bind(self.me())
        .fetch_one(&mut self.read().await?)
        .await?;
        row.try_get(0)
    }
}
