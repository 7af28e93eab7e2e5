//! A count of its own over the tables of several nodes: are all escalated cases above as they are below, and do the
//! figures of the top equal the case tables of the owners? Shares nothing with the making of facts.

use std::collections::BTreeMap;

use protocol::chain::{Epoch, Hash};
use protocol::id::CaseId;

use super::sql::sql;
use super::{Store, StoreError, hash32, id16};

/// A cell of the count: rank of the level, category, place, day.
pub type Cell = (i64, i64, i64, i64);

/// Where a case stands in one node's case table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Epoch of its last event.
    pub epoch: Epoch,
    /// Number of its last event.
    pub number: i64,
    /// Hash of its last event.
    pub head: Hash,
}

async fn cells(store: &Store, text: &'static str) -> Result<BTreeMap<Cell, i64>, StoreError> {
    let rows = sql(text).bind(store.me()).fetch_all(&mut store.read().await?).await?;
    rows.iter().map(|r| Ok(((r.try_get(0)?, r.try_get(1)?, r.try_get(2)?, r.try_get(3)?), r.try_get(4)?))).collect()
}

async fn standings(store: &Store, text: &'static str) -> Result<BTreeMap<CaseId, Standing>, StoreError> {
    let rows = sql(text).bind(store.me()).fetch_all(&mut store.read().await?).await?;
    rows.iter()
        .map(|r| {
            let (case, takeovers, moves, head): (Vec<u8>, i64, i64, Vec<u8>) =
                (r.try_get(0)?, r.try_get(1)?, r.try_get(2)?, r.try_get(4)?);
            let part = |n: i64| u16::try_from(n).map_err(|_| StoreError::damaged("case_file", "an epoch out of range"));
            let standing = Standing {
                epoch: Epoch { takeovers: part(takeovers)?, moves: part(moves)? },
                number: r.try_get(3)?,
                head: hash32("case_file", &head)?,
            };
            Ok((CaseId::from_bytes(id16("case_file", &case)?), standing))
        })
        .collect()
}

impl Store {
    /// Cases that this node owns, counted by cell; void ones left out.
    pub async fn owned_cells(&self) -> Result<BTreeMap<Cell, i64>, StoreError> {
        cells(
            self,
            "SELECT level, category, place, reported_day, count(*) FROM case_file WHERE node = $1 AND mine = 1 AND void = 0 \
             GROUP BY level, category, place, reported_day",
        )
        .await
    }

    /// Facts that this node holds, counted by cell; void ones left out.
    pub async fn fact_cells(&self) -> Result<BTreeMap<Cell, i64>, StoreError> {
        cells(
            self,
            "SELECT level, category, place, day, count(*) FROM fact WHERE node = $1 AND void = 0 \
             GROUP BY level, category, place, day",
        )
        .await
    }

    /// Cases that this node owns and that went up, as they stand here.
    pub async fn owned_escalated(&self) -> Result<BTreeMap<CaseId, Standing>, StoreError> {
        standings(
            self,
            "SELECT case_id, takeovers, moves, number, head FROM case_file WHERE node = $1 AND mine = 1 AND escalated = 1",
        )
        .await
    }

    /// All cases of which this node has the whole chain, every event from the first to the one it stands at.
    pub async fn all_standings(&self) -> Result<BTreeMap<CaseId, Standing>, StoreError> {
        standings(
            self,
            "SELECT f.case_id, f.takeovers, f.moves, f.number, f.head FROM case_file f WHERE f.node = $1 \
             AND EXISTS (SELECT 1 FROM case_event e WHERE e.node = f.node AND e.case_id = f.case_id AND e.hash = f.head) \
             AND (SELECT count(DISTINCT e.number) FROM case_event e WHERE e.node = f.node AND e.case_id = f.case_id \
                  AND e.number <= f.number) = f.number",
        )
        .await
    }

    /// Things that are here twice: two events under one number of one epoch, one case under two keys in the figures, one
    /// order received twice into a case.
    pub async fn doubled(&self) -> Result<i64, StoreError> {
        let row = sql("SELECT (SELECT count(*) FROM (SELECT 1 FROM case_event WHERE node = $1 \
               GROUP BY case_id, takeovers, moves, number HAVING count(*) > 1) AS twice) + \
             (SELECT count(*) FROM (SELECT 1 FROM fact WHERE node = $1 AND case_id IS NOT NULL \
               GROUP BY case_id HAVING count(*) > 1) AS twice)")
        .bind(self.me())
        .fetch_one(&mut self.read().await?)
        .await?;
        row.try_get(0)
    }

    /// Cases, events and messages in this node's tables.
    pub async fn volume(&self) -> Result<(i64, i64, i64), StoreError> {
        let row = sql(
            "SELECT (SELECT count(*) FROM case_file WHERE node = $1), (SELECT count(*) FROM case_event WHERE node = $1), \
             (SELECT count(*) FROM bundle WHERE node = $1)",
        )
        .bind(self.me())
        .fetch_one(&mut self.read().await?)
        .await?;
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
    }
}
