//! What a restored node asks its tables: where every case stands, which events came back, and what is known of a case by
//! its nameless record alone.

use std::collections::BTreeSet;

use protocol::chain::Epoch;
use protocol::division::DivisionCode;
use protocol::id::{CaseId, CaseKey};
use protocol::wire::codec;
use protocol::wire::limits::BODY_BYTES_MAX;

use super::sql::{Row, sql};
use super::{Store, StoreError, case_id, division, id16};

/// An event as the loss report looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRow {
    /// Its case.
    pub case: CaseId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its number.
    pub number: i64,
    /// When it was written, by its writer's clock.
    pub at: i64,
    /// Its private part is here.
    pub private: bool,
    /// The case is owned here.
    pub mine: bool,
}

/// A case of this node of which only the nameless record is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactRow {
    /// Where it happened.
    pub place: DivisionCode,
    /// Category.
    pub category: i64,
    /// Rank of its level.
    pub level: i64,
    /// Day of the report, counted from 1970-01-01.
    pub day: i64,
}

fn epoch(row: &Row, first: usize) -> Result<Epoch, StoreError> {
    let part = |n: i64| u16::try_from(n).map_err(|_| StoreError::damaged("case_event", "an epoch out of range"));
    Ok(Epoch { takeovers: part(row.try_get(first)?)?, moves: part(row.try_get(first + 1)?)? })
}

impl Store {
    /// Where every case stands, in the order of their ids.
    pub async fn standings(&self) -> Result<Vec<(CaseId, Epoch, i64)>, StoreError> {
        let mut all = Vec::new();
        sql("SELECT case_id, takeovers, moves, number FROM case_file WHERE node = $1 ORDER BY case_id")
            .bind(self.me())
            .for_each(&mut self.read().await?, |row| {
                all.push((case_id(row)?, epoch(row, 1)?, row.try_get(3)?));
                Ok::<_, StoreError>(())
            })
            .await?;
        Ok(all)
    }

    /// Looks at every event, one after another.
    pub async fn each_event(&self, mut look: impl FnMut(EventRow)) -> Result<(), StoreError> {
        sql("SELECT e.case_id, e.takeovers, e.moves, e.number, e.at, \
             CAST(CASE WHEN p.event IS NULL THEN 0 ELSE 1 END AS BIGINT), COALESCE(f.mine, 0) FROM case_event e \
             LEFT JOIN case_private p ON p.node = e.node AND p.case_id = e.case_id AND p.event = e.event \
             LEFT JOIN case_file f ON f.node = e.node AND f.case_id = e.case_id WHERE e.node = $1")
        .bind(self.me())
        .for_each(&mut self.read().await?, |row| {
            look(EventRow {
                case: case_id(row)?,
                epoch: epoch(row, 1)?,
                number: row.try_get(3)?,
                at: row.try_get(4)?,
                private: row.try_get(5)?,
                mine: row.try_get(6)?,
            });
            Ok::<_, StoreError>(())
        })
        .await
    }

    /// How many events there are: when that rests, nothing is coming in.
    pub async fn arrivals(&self) -> Result<i64, StoreError> {
        sql("SELECT (SELECT count(*) FROM case_event WHERE node = $1) + (SELECT count(*) FROM bundle WHERE node = $1)")
            .bind(self.me())
            .fetch_one(&mut self.read().await?)
            .await?
            .try_get(0)
    }

    /// Facts of cases that this node owned and of which it has nothing else.
    pub async fn facts_alone(&self) -> Result<Vec<FactRow>, StoreError> {
        let mut connection = self.read().await?;
        let mut at_hand = BTreeSet::new();
        sql("SELECT content FROM case_paper WHERE node = $1 AND kind = 'key'")
            .bind(self.me())
            .for_each(&mut connection, |row| {
                let (key, _): (CaseKey, DivisionCode) = codec::decode(&row.try_get::<Vec<u8>>(0)?, BODY_BYTES_MAX)
                    .map_err(|e| StoreError::damaged("case_paper", e))?;
                at_hand.insert(key);
                Ok::<_, StoreError>(())
            })
            .await?;
        let mut alone = Vec::new();
        sql("SELECT f.key, f.place, f.category, f.level, f.day FROM fact f WHERE f.node = $1 AND f.owner = $1 \
             AND NOT EXISTS (SELECT 1 FROM case_file c WHERE c.node = f.node AND c.case_id = f.case_id) ORDER BY f.key")
        .bind(self.me())
        .for_each(&mut connection, |row| {
            let key = CaseKey::from_bytes(id16("fact", &row.try_get::<Vec<u8>>(0)?)?);
            if !at_hand.contains(&key) {
                alone.push(FactRow {
                    place: division("fact", row.try_get(1)?)?,
                    category: row.try_get(2)?,
                    level: row.try_get(3)?,
                    day: row.try_get(4)?,
                });
            }
            Ok::<_, StoreError>(())
        })
        .await?;
        Ok(alone)
    }
}
