//! Bundles that could not be accepted, kept aside with their bytes, and how much of that one neighbour may cause.
//!
//! At the bound what comes now is not kept, only counted. The first that came show how it began, and whoever sends more
//! cannot push them out. Nothing is lost by it that was anybody's only copy: what came by a wrong way has no terminal receipt,
//! so its origin keeps it and offers it again; what could not be read here stays in `bundle` for its thirty days. And the link
//! stays up: behind it are others of that subtree, who did nothing.

use protocol::id::NodeId;
use protocol::time::UnixMillis;
use protocol::wire::bundle::Bundle;

use super::sql::sql;
use super::{Store, StoreError, WriteStore, id16};

/// Bundles of one neighbour that are kept aside at most.
pub const KEPT_MAX: i64 = 1_000;
/// Their bytes together.
pub const KEPT_BYTES_MAX: i64 = 64 * 1024 * 1024;

/// How much of one neighbour is kept aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// Bundles that are here.
    pub kept: i64,
    /// Their bytes, as they came.
    pub kept_bytes: i64,
    /// Bundles that came when there was no place left.
    pub refused: i64,
    /// Their bytes.
    pub refused_bytes: i64,
}

impl Account {
    /// Whether so much more still has a place.
    fn takes(&self, bytes: i64) -> bool {
        self.kept < KEPT_MAX && self.kept_bytes.saturating_add(bytes) <= KEPT_BYTES_MAX
    }
}

impl WriteStore {
    /// Keeps bundles of a neighbour aside, each with the reason, as far as there is a place for them. How much of the
    /// neighbour is aside then.
    pub async fn put_quarantine(
        &mut self,
        peer: NodeId,
        bundles: &[(&Bundle, &str)],
        now: UnixMillis,
    ) -> Result<Account, StoreError> {
        let mut account = self.quarantine_account(peer).await?;
        let mut kept = Vec::new();
        for (bundle, reason) in bundles {
            let bytes = i64::try_from(bundle.bytes().len()).unwrap_or(i64::MAX);
            if !account.takes(bytes) {
                account.refused = account.refused.saturating_add(1);
                account.refused_bytes = account.refused_bytes.saturating_add(bytes);
            } else if self.put_aside(peer, bundle, reason, now).await? {
                account.kept += 1;
                account.kept_bytes += bytes;
                kept.push(*bundle);
            }
        }
        self.note_sealed(kept.into_iter()).await?;
        sql("INSERT INTO quarantine_account (node, peer, kept, kept_bytes, refused, refused_bytes) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (node, peer) DO UPDATE SET kept = excluded.kept, \
             kept_bytes = excluded.kept_bytes, refused = excluded.refused, refused_bytes = excluded.refused_bytes")
        .bind(self.me())
        .bind(peer.as_bytes().to_vec())
        .bind(account.kept)
        .bind(account.kept_bytes)
        .bind(account.refused)
        .bind(account.refused_bytes)
        .execute(self.connection().await?)
        .await?;
        Ok(account)
    }

    /// Whether it is new here.
    async fn put_aside(
        &mut self,
        peer: NodeId,
        bundle: &Bundle,
        reason: &str,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let rows = sql("INSERT INTO quarantine (node, id, peer, reason, at, bytes) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (node, id) DO NOTHING")
        .bind(self.me())
        .bind(bundle.head().id.as_bytes().to_vec())
        .bind(peer.as_bytes().to_vec())
        .bind(reason.to_owned())
        .bind(now.0)
        .bind(bundle.bytes().to_vec())
        .execute(self.connection().await?)
        .await?;
        Ok(rows > 0)
    }

    async fn quarantine_account(&mut self, peer: NodeId) -> Result<Account, StoreError> {
        let row = sql(
            "SELECT kept, kept_bytes, refused, refused_bytes FROM quarantine_account WHERE node = $1 AND peer = $2",
        )
        .bind(self.me())
        .bind(peer.as_bytes().to_vec())
        .fetch_optional(self.connection().await?)
        .await?;
        let Some(row) = row else { return Ok(Account::default()) };
        Ok(Account {
            kept: row.try_get(0)?,
            kept_bytes: row.try_get(1)?,
            refused: row.try_get(2)?,
            refused_bytes: row.try_get(3)?,
        })
    }

    /// Lets go of what was kept aside of a neighbour: somebody has looked at it.
    pub async fn clear_quarantine(&mut self, peer: NodeId) -> Result<(), StoreError> {
        for text in [
            "DELETE FROM quarantine WHERE node = $1 AND peer = $2",
            "DELETE FROM quarantine_account WHERE node = $1 AND peer = $2",
        ] {
            sql(text).bind(self.me()).bind(peer.as_bytes().to_vec()).execute(self.connection().await?).await?;
        }
        Ok(())
    }
}

impl Store {
    /// How much of each neighbour is kept aside.
    pub async fn quarantine(&self) -> Result<Vec<(NodeId, Account)>, StoreError> {
        let rows =
            sql("SELECT peer, kept, kept_bytes, refused, refused_bytes FROM quarantine_account WHERE node = $1 \
             ORDER BY peer")
            .bind(self.me())
            .fetch_all(&mut self.read().await?)
            .await?;
        let account = |row: &super::sql::Row| {
            let peer: Vec<u8> = row.try_get(0)?;
            let (kept, kept_bytes) = (row.try_get(1)?, row.try_get(2)?);
            let (refused, refused_bytes) = (row.try_get(3)?, row.try_get(4)?);
            Ok((
                NodeId::from_bytes(id16("quarantine_account", &peer)?),
                Account { kept, kept_bytes, refused, refused_bytes },
            ))
        };
        rows.iter().map(account).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_has_so_many_bundles_and_so_many_bytes_aside_at_most() {
        let account = |kept, kept_bytes| Account { kept, kept_bytes, ..Account::default() };
        assert!(account(KEPT_MAX - 1, KEPT_BYTES_MAX - 100).takes(100));
        assert!(!account(KEPT_MAX, 0).takes(1));
        assert!(!account(1, KEPT_BYTES_MAX - 100).takes(101));
    }
}
