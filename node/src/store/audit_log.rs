//! The audit: entries in their chain, and the heads that were anchored.

use protocol::audit::AuditHead;
use protocol::id::NodeId;
use protocol::time::UnixMillis;

use super::sql::{Row, sql};
use super::{Store, StoreError, WriteStore, hash32, id16, pieces, values};
use crate::person::audit::{Broken, Chained, Checker, Entry, Head};

/// Entries that are read at once when a chain is checked.
const PAGE: u32 = 1_000;
/// Heads of one node that are kept; the oldest beyond go: each later one vouches for all before it.
const ANCHORS_MAX: i64 = 400;

const COLUMNS: &str = "number, at, who, roles, via, action, object, outcome, reason, hash";

/// A head as somebody kept it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// Whose.
    pub member: NodeId,
    /// Where its audit stood.
    pub head: Head,
    /// When.
    pub at: UnixMillis,
}

fn number(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::damaged("audit_log", "a number below 0"))
}

fn chained(row: &Row) -> Result<Chained, StoreError> {
    let hash: Vec<u8> = row.try_get(9)?;
    Ok(Chained {
        number: number(row.try_get(0)?)?,
        at: UnixMillis(row.try_get(1)?),
        entry: Entry {
            who: row.try_get(2)?,
            roles: row.try_get(3)?,
            via: row.try_get(4)?,
            action: row.try_get(5)?,
            object: row.try_get(6)?,
            outcome: row.try_get(7)?,
            reason: row.try_get(8)?,
        },
        hash: hash32("audit_log", &hash)?,
    })
}

fn anchor(row: &Row) -> Result<Anchor, StoreError> {
    let (member, hash): (Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(2)?);
    Ok(Anchor {
        member: NodeId::from_bytes(id16("audit_anchor", &member)?),
        head: Head { number: number(row.try_get(1)?)?, hash: hash32("audit_anchor", &hash)? },
        at: UnixMillis(row.try_get(3)?),
    })
}

impl WriteStore {
    /// Appends entries. The head is read in the same transaction, so that whoever writes next stands on these.
    pub async fn append_audit(&mut self, entries: &[Entry], now: UnixMillis) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut head = self.audit_head().await?;
        let mut chain = Vec::with_capacity(entries.len());
        for entry in entries {
            let next = head.then(now, entry.clone());
            head = Head { number: next.number, hash: next.hash };
            chain.push(next);
        }
        for chunk in pieces(&chain) {
            let text = format!("INSERT INTO audit_log (node, {COLUMNS}) VALUES {}", values(chunk.len(), 11));
            let mut query = sql(sqlx::AssertSqlSafe(text));
            for Chained { number, at, entry, hash } in chunk {
                query = query
                    .bind(self.node.as_bytes().to_vec())
                    .bind(i64::try_from(*number).unwrap_or(i64::MAX))
                    .bind(at.0)
                    .bind(entry.who.as_str())
                    .bind(entry.roles.as_str())
                    .bind(entry.via.as_str())
                    .bind(entry.action.as_str())
                    .bind(entry.object.as_str())
                    .bind(entry.outcome.as_str())
                    .bind(entry.reason.as_str())
                    .bind(hash.0.to_vec());
            }
            self.later(query).await?;
        }
        Ok(())
    }

    /// Where the audit stands.
    pub async fn audit_head(&mut self) -> Result<Head, StoreError> {
        let row = sql("SELECT number, hash FROM audit_log WHERE node = $1 ORDER BY number DESC LIMIT 1")
            .bind(self.me())
            .fetch_optional(self.connection().await?)
            .await?;
        let Some(row) = row else { return Ok(Head::START) };
        let hash: Vec<u8> = row.try_get(1)?;
        Ok(Head { number: number(row.try_get(0)?)?, hash: hash32("audit_log", &hash)? })
    }

    /// Keeps a head.
    pub async fn put_anchor(&mut self, head: &AuditHead) -> Result<(), StoreError> {
        sql("INSERT INTO audit_anchor (node, member, number, hash, at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (node, member, number) DO UPDATE SET at = excluded.at WHERE audit_anchor.hash = excluded.hash")
        .bind(self.me())
        .bind(head.node.as_bytes().to_vec())
        .bind(i64::try_from(head.count).unwrap_or(i64::MAX))
        .bind(head.hash.0.to_vec())
        .bind(head.at.corrected().0)
        .execute(self.connection().await?)
        .await?;
        sql("DELETE FROM audit_anchor WHERE node = $1 AND member = $2 AND number < (SELECT number FROM audit_anchor \
             WHERE node = $1 AND member = $2 ORDER BY number DESC LIMIT 1 OFFSET $3)")
        .bind(self.me())
        .bind(head.node.as_bytes().to_vec())
        .bind(ANCHORS_MAX - 1)
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// The last head that was kept of a node.
    pub async fn last_anchor(&mut self, member: NodeId) -> Result<Option<Anchor>, StoreError> {
        let row = sql("SELECT member, number, hash, at FROM audit_anchor WHERE node = $1 AND member = $2 \
             ORDER BY number DESC LIMIT 1")
        .bind(self.me())
        .bind(member.as_bytes().to_vec())
        .fetch_optional(self.connection().await?)
        .await?;
        row.as_ref().map(anchor).transpose()
    }
}

impl Store {
    /// Entries before a number, the latest first.
    pub async fn audit_page(&self, before: Option<u64>, count: u32) -> Result<Vec<Chained>, StoreError> {
        let text =
            format!("SELECT {COLUMNS} FROM audit_log WHERE node = $1 AND number < $2 ORDER BY number DESC LIMIT $3");
        let rows = sql(sqlx::AssertSqlSafe(text))
            .bind(self.me())
            .bind(before.map_or(i64::MAX, |n| i64::try_from(n).unwrap_or(i64::MAX)))
            .bind(i64::from(count))
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.iter().map(chained).collect()
    }

    /// The heads that were kept, of one node or of all.
    pub async fn anchors(&self, member: Option<NodeId>) -> Result<Vec<Anchor>, StoreError> {
        let rows =
            sql("SELECT member, number, hash, at FROM audit_anchor WHERE node = $1 AND ($2 = 1 OR member = $3) \
             ORDER BY member, number")
            .bind(self.me())
            .bind(member.is_none())
            .bind(member.map_or_else(Vec::new, |m| m.as_bytes().to_vec()))
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.iter().map(anchor).collect()
    }

    /// Works every hash out anew, against the heads that were sent up and those given. The inner error is what is wrong.
    pub async fn check_audit(&self, further: Vec<Head>) -> Result<Result<Head, Broken>, StoreError> {
        let mut anchors: Vec<Head> = self.anchors(Some(self.node)).await?.into_iter().map(|a| a.head).collect();
        anchors.extend(further);
        let mut checker = Checker::new(anchors);
        let mut after = 0_i64;
        let text = format!("SELECT {COLUMNS} FROM audit_log WHERE node = $1 AND number > $2 ORDER BY number LIMIT $3");
        loop {
            let rows = sql(sqlx::AssertSqlSafe(text.clone()))
                .bind(self.me())
                .bind(after)
                .bind(i64::from(PAGE))
                .fetch_all(&mut self.read().await?)
                .await?;
            for row in &rows {
                after = row.try_get(0)?;
                if let Err(broken) = checker.next(&chained(row)?) {
                    return Ok(Err(broken));
                }
            }
            if rows.len() < PAGE as usize {
                return Ok(checker.end());
            }
        }
    }
}
