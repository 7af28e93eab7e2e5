//! A fact of a red or orange case without its brief is a dropped escalation: it must not go unnoticed.

use protocol::fact::CaseFact;
use protocol::id::{CaseId, CaseKey, NodeId};
use protocol::time::UnixMillis;
use sqlx::AssertSqlSafe;

use crate::store::sql::{Row, sql};
use crate::store::{IDS_A_STATEMENT, Store, StoreError, WriteStore, id16, list, pieces, values};

/// Rows of one look at most.
const LOOK_MAX: i64 = 200;

/// An escalated case whose brief is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// The case.
    pub case: CaseId,
    /// Its owner.
    pub owner: NodeId,
    /// Rank of its level.
    pub level: u8,
    /// When its fact came.
    pub since: UnixMillis,
}

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchChange {
    /// Its brief has not come for too long.
    Missing(Dropped),
    /// It has come after all.
    Came(Dropped),
}

/// The headers of the case reach as far as the fact.
const HERE: &str = "EXISTS (SELECT 1 FROM case_file c WHERE c.node = $1 \
    AND c.case_id = escalation_watch.case_id AND (c.takeovers, c.moves, c.number) >= \
    (escalation_watch.takeovers, escalation_watch.moves, escalation_watch.version))";

impl WriteStore {
    pub(super) async fn watch(&mut self, facts: &[(&CaseFact, CaseId)], now: UnixMillis) -> Result<(), StoreError> {
        for chunk in pieces(facts) {
            let text = format!(
                "INSERT INTO escalation_watch (node, key, case_id, owner, level, takeovers, moves, version, since, alarmed) \
                 VALUES {} ON CONFLICT (node, key) DO UPDATE SET owner = excluded.owner, level = excluded.level, \
                 takeovers = excluded.takeovers, moves = excluded.moves, version = excluded.version",
                values(chunk.len(), 10)
            );
            let mut query = sql(AssertSqlSafe(text));
            for (fact, case) in chunk {
                query = query
                    .bind(self.me())
                    .bind(&fact.key.as_bytes()[..])
                    .bind(&case.as_bytes()[..])
                    .bind(&fact.owner_node.as_bytes()[..])
                    .bind(fact.level.map_or(0, |level| i64::from(level.rank())))
                    .bind(i64::from(fact.epoch.takeovers))
                    .bind(i64::from(fact.epoch.moves))
                    .bind(i64::from(fact.version))
                    .bind(now.0)
                    .bind(false);
            }
            self.later(query).await?;
        }
        Ok(())
    }

    pub(super) async fn unwatch(&mut self, keys: &[CaseKey]) -> Result<(), StoreError> {
        for chunk in keys.chunks(IDS_A_STATEMENT) {
            let (marks, places) = list(2, chunk);
            let text = format!("DELETE FROM escalation_watch WHERE node = $1 AND key IN ({marks})");
            self.later(sql(AssertSqlSafe(text)).bind(self.me()).bind_each(places.map(|key| &key.as_bytes()[..])))
                .await?;
        }
        Ok(())
    }

    /// Looks at what is watched: those that came are watched no more, those that have been missing since before a moment
    /// are told once.
    pub async fn look_at_escalations(&mut self, before: UnixMillis) -> Result<Vec<WatchChange>, StoreError> {
        let came = sql(AssertSqlSafe(format!(
            "SELECT case_id, owner, level, since FROM escalation_watch WHERE node = $1 AND alarmed = 1 AND {HERE}"
        )))
        .bind(self.me())
        .fetch_all(self.connection().await?)
        .await?;
        let mut changes = came.iter().map(|r| dropped(r).map(WatchChange::Came)).collect::<Result<Vec<_>, _>>()?;
        sql(AssertSqlSafe(format!("DELETE FROM escalation_watch WHERE node = $1 AND {HERE}")))
            .bind(self.me())
            .execute(self.connection().await?)
            .await?;
        let missing = sql("SELECT case_id, owner, level, since FROM escalation_watch WHERE node = $1 AND alarmed = 0 \
             AND since < $2 ORDER BY since, key LIMIT $3")
        .bind(self.me())
        .bind(before.0)
        .bind(LOOK_MAX)
        .fetch_all(self.connection().await?)
        .await?;
        for row in &missing {
            let dropped = dropped(row)?;
            sql("UPDATE escalation_watch SET alarmed = 1 WHERE node = $1 AND case_id = $2")
                .bind(self.me())
                .bind(&dropped.case.as_bytes()[..])
                .execute(self.connection().await?)
                .await?;
            changes.push(WatchChange::Missing(dropped));
        }
        Ok(changes)
    }
}

impl Store {
    /// Escalated cases whose brief is missing, the longest first.
    pub async fn dropped_escalations(&self) -> Result<Vec<Dropped>, StoreError> {
        let rows = sql("SELECT case_id, owner, level, since FROM escalation_watch WHERE node = $1 AND alarmed = 1 \
             ORDER BY since, key LIMIT $2")
        .bind(self.me())
        .bind(LOOK_MAX)
        .fetch_all(&mut self.read().await?)
        .await?;
        rows.iter().map(dropped).collect()
    }
}

fn dropped(row: &Row) -> Result<Dropped, StoreError> {
    Ok(Dropped {
        case: CaseId::from_bytes(id16("escalation_watch", &row.try_get::<Vec<u8>>(0)?)?),
        owner: NodeId::from_bytes(id16("escalation_watch", &row.try_get::<Vec<u8>>(1)?)?),
        level: u8::try_from(row.try_get::<i64>(2)?).unwrap_or(0),
        since: UnixMillis(row.try_get(3)?),
    })
}
