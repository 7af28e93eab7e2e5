//! Bundles, outboxes and link numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::chain::Hash;
use protocol::id::{BundleId, NodeId};
use protocol::time::UnixMillis;
use protocol::wire::bundle::Bundle;
use protocol::wire::frame::{Lane, LinkSeq};
use sqlx::AssertSqlSafe;

use super::sql::sql;
use super::{IDS_A_STATEMENT, StoreError, WriteStore, hash32, id16, list, pieces, rows_of_ids, values};

/// A bundle to be kept.
#[derive(Debug, Clone)]
pub struct KeepBundle {
    /// The bundle.
    pub bundle: Bundle,
    /// The neighbour it came from; none: sealed here.
    pub via: Option<NodeId>,
    /// Its terminal receipt is known already.
    pub done: bool,
}

/// A row of an outbox.
#[derive(Debug, Clone, Copy)]
pub struct OutboxRow {
    /// To whom.
    pub peer: NodeId,
    /// On which lane.
    pub lane: Lane,
    /// Its number.
    pub seq: LinkSeq,
    /// The chain up to it.
    pub hash: Hash,
    /// The bundle.
    pub bundle: BundleId,
}

/// What an outbox gives back.
pub type StoredFrame = (LinkSeq, Hash, NodeId, Arc<[u8]>);

pub(super) fn seq_number(seq: LinkSeq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

pub(super) fn parse(bytes: Vec<u8>) -> Result<Bundle, StoreError> {
    Bundle::parse(bytes.into()).map_err(|e| StoreError::damaged("bundle", e))
}

impl WriteStore {
    /// Of these ids, those that are known, and whether each still lacks its terminal receipt.
    pub async fn known_bundles(&mut self, ids: &[BundleId]) -> Result<BTreeMap<BundleId, bool>, StoreError> {
        let mut known = BTreeMap::new();
        for chunk in ids.chunks(IDS_A_STATEMENT) {
            let (marks, places) = list(2, chunk);
            let text =
                format!("SELECT id, receipted = 1 AND done_at IS NULL FROM bundle WHERE node = $1 AND id IN ({marks})");
            let query = sql(AssertSqlSafe(text)).bind(self.me()).bind_each(places.map(|id| &id.as_bytes()[..]));
            for row in query.fetch_all(self.connection().await?).await? {
                let id: Vec<u8> = row.try_get(0)?;
                known.insert(BundleId::from_bytes(id16("bundle", &id)?), row.try_get(1)?);
            }
        }
        Ok(known)
    }

    /// Keeps bundles; one that is here already stays as it is. Whether one that came from elsewhere holds sealed parts.
    pub async fn keep_bundles(&mut self, bundles: &[KeepBundle], now: UnixMillis) -> Result<bool, StoreError> {
        for chunk in pieces(bundles) {
            let text = format!(
                "INSERT INTO bundle (node, id, origin, destination, via, receipted, done_at, bytes) VALUES {} \
                 ON CONFLICT (node, id) DO NOTHING",
                values(chunk.len(), 8)
            );
            let mut query = sql(AssertSqlSafe(text));
            for keep in chunk {
                let head = keep.bundle.head();
                query = query
                    .bind(self.node.as_bytes().to_vec())
                    .bind(head.id.as_bytes().to_vec())
                    .bind(head.origin.as_bytes().to_vec())
                    .bind(head.to.as_bytes().to_vec())
                    .bind(keep.via.map(|v| v.as_bytes().to_vec()))
                    .bind(head.receipted)
                    .bind(keep.done.then_some(now.0))
                    .bind(keep.bundle.bytes().to_vec());
            }
            self.later(query).await?;
        }
        let sealed = self.note_sealed(bundles.iter().map(|keep| &keep.bundle)).await?;
        if !bundles.is_empty() {
            // Nearly always none waits: to begin with them costs one look into a table without rows.
            let ahead = sql("UPDATE bundle SET done_at = $2 WHERE node = $1 AND done_at IS NULL \
                 AND id IN (SELECT bundle FROM receipt_ahead WHERE node = $1) \
                 AND EXISTS (SELECT 1 FROM receipt_ahead r WHERE r.node = $1 AND r.bundle = bundle.id AND r.giver = bundle.destination)");
            let ahead = ahead.bind(self.me()).bind(now.0);
            self.later(ahead).await?;
        }
        Ok(bundles.iter().any(|keep| keep.via.is_some() && sealed.contains(&keep.bundle.head().id)))
    }

    /// Marks bundles as delivered at their destination, which alone can say so. A receipt whose bundle is not here is
    /// remembered.
    pub async fn mark_receipted(&mut self, by: NodeId, ids: &[BundleId], now: UnixMillis) -> Result<(), StoreError> {
        for chunk in ids.chunks(IDS_A_STATEMENT) {
            let (_, places) = list(4, chunk);
            let text = format!(
                "INSERT INTO receipt_ahead (node, bundle, giver, at) SELECT $1, named.column1, $2, $3 FROM (VALUES {}) AS named \
                 WHERE NOT EXISTS (SELECT 1 FROM bundle b WHERE b.node = $1 AND b.id = named.column1) \
                 ON CONFLICT (node, bundle, giver) DO NOTHING",
                rows_of_ids(4, chunk.len().next_power_of_two())
            );
            let unknown = sql(AssertSqlSafe(text)).bind(self.me()).bind(by.as_bytes().to_vec()).bind(now.0);
            self.later(unknown.bind_each(places.map(|id| &id.as_bytes()[..]))).await?;
            let (marks, places) = list(3, chunk);
            let text =
                format!("UPDATE bundle SET done_at = $2 WHERE node = $1 AND done_at IS NULL AND id IN ({marks})");
            let delivered = sql(AssertSqlSafe(text)).bind(self.me()).bind(now.0);
            self.later(delivered.bind_each(places.map(|id| &id.as_bytes()[..]))).await?;
        }
        Ok(())
    }

    /// Puts rows into outboxes.
    pub async fn put_outbox(&mut self, rows: &[OutboxRow]) -> Result<(), StoreError> {
        for chunk in pieces(rows) {
            let text = format!(
                "INSERT INTO outbox (node, peer, lane, seq, hash, bundle) VALUES {} ON CONFLICT (node, peer, lane, seq) \
                 DO UPDATE SET hash = excluded.hash, bundle = excluded.bundle",
                values(chunk.len(), 6)
            );
            let mut query = sql(AssertSqlSafe(text));
            for row in chunk {
                query = query
                    .bind(self.node.as_bytes().to_vec())
                    .bind(row.peer.as_bytes().to_vec())
                    .bind(i64::from(row.lane.index()))
                    .bind(seq_number(row.seq))
                    .bind(row.hash.0.to_vec())
                    .bind(row.bundle.as_bytes().to_vec());
            }
            self.later(query).await?;
        }
        Ok(())
    }

    /// Drops what a neighbour has acknowledged. The row of the last acknowledged number stays: its hash answers a greeting.
    pub async fn drop_acknowledged(&mut self, peer: NodeId, lane: Lane, upto: LinkSeq) -> Result<(), StoreError> {
        let acknowledged = sql("DELETE FROM outbox WHERE node = $1 AND peer = $2 AND lane = $3 AND seq < $4")
            .bind(self.me())
            .bind(peer.as_bytes().to_vec())
            .bind(i64::from(lane.index()))
            .bind(seq_number(upto));
        self.later(acknowledged).await
    }

    /// Drops the whole outbox to a neighbour: its numbering starts again.
    pub async fn drop_outbox(&mut self, peer: NodeId) -> Result<(), StoreError> {
        sql("DELETE FROM outbox WHERE node = $1 AND peer = $2")
            .bind(self.me())
            .bind(peer.as_bytes().to_vec())
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// The frames after a number, in order, up to a count and roughly up to a size.
    pub async fn outbox_page(
        &mut self,
        peer: NodeId,
        lane: Lane,
        after: LinkSeq,
        count: usize,
        bytes: usize,
    ) -> Result<Vec<StoredFrame>, StoreError> {
        let rows = sql(
            "SELECT o.seq, o.hash, b.origin, b.bytes FROM outbox o JOIN bundle b ON b.node = o.node AND b.id = o.bundle \
             WHERE o.node = $1 AND o.peer = $2 AND o.lane = $3 AND o.seq > $4 ORDER BY o.seq LIMIT $5",
        )
        .bind(self.me())
        .bind(peer.as_bytes().to_vec())
        .bind(i64::from(lane.index()))
        .bind(seq_number(after))
        .bind(i64::try_from(count).unwrap_or(i64::MAX))
        .fetch_all(self.connection().await?)
        .await?;
        let mut page = Vec::with_capacity(rows.len());
        let mut held = 0;
        for row in rows {
            let (seq, hash, origin, body): (i64, Vec<u8>, Vec<u8>, Vec<u8>) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
            held += body.len();
            if held > bytes && !page.is_empty() {
                break;
            }
            let seq = LinkSeq(u64::try_from(seq).unwrap_or(0));
            page.push((seq, hash32("outbox", &hash)?, NodeId::from_bytes(id16("bundle", &origin)?), body.into()));
        }
        Ok(page)
    }

    /// The chain hash of one outbox number, if the row is still here.
    pub async fn outbox_hash(&mut self, peer: NodeId, lane: Lane, seq: LinkSeq) -> Result<Option<Hash>, StoreError> {
        let row = sql("SELECT hash FROM outbox WHERE node = $1 AND peer = $2 AND lane = $3 AND seq = $4")
            .bind(self.me())
            .bind(peer.as_bytes().to_vec())
            .bind(i64::from(lane.index()))
            .bind(seq_number(seq))
            .fetch_optional(self.connection().await?)
            .await?;
        row.map(|r| hash32("outbox", &r.try_get::<Vec<u8>>(0)?)).transpose()
    }

    /// Ids after one, in order, that concern a neighbour: through it, from its side or to its side. `members` are the nodes
    /// on its side (none: everything is, the neighbour is the parent). What has lost its bytes is not offered.
    pub async fn inventory(
        &mut self,
        peer: NodeId,
        parent: bool,
        after: Option<BundleId>,
        count: usize,
    ) -> Result<Vec<BundleId>, StoreError> {
        let side = "SELECT member FROM route WHERE node = $1 AND via = $2";
        let text = if parent {
            // What passed between this side and the rest of the federation: one end here or below, the other not.
            "SELECT id FROM bundle WHERE node = $1 AND id > $3 AND length(bytes) > 0 AND (\
               (destination <> $1 AND destination NOT IN (SELECT member FROM route WHERE node = $1)) OR \
               (origin <> $1 AND origin NOT IN (SELECT member FROM route WHERE node = $1))) AND $2 <> $1 ORDER BY id LIMIT $4"
                .to_owned()
        } else {
            format!(
                "SELECT id FROM bundle WHERE node = $1 AND id > $3 AND length(bytes) > 0 AND \
                 ((destination IN ({side}) AND origin NOT IN ({side})) OR (origin IN ({side}) AND destination NOT IN ({side}))) \
                 ORDER BY id LIMIT $4"
            )
        };
        let rows = sql(AssertSqlSafe(text))
            .bind(self.me())
            .bind(peer.as_bytes().to_vec())
            .bind(after.map_or(vec![], |id| id.as_bytes().to_vec()))
            .bind(i64::try_from(count).unwrap_or(i64::MAX))
            .fetch_all(self.connection().await?)
            .await?;
        rows.iter().map(|r| Ok(BundleId::from_bytes(id16("bundle", &r.try_get::<Vec<u8>>(0)?)?))).collect()
    }

    /// Of these ids, those that are not here.
    pub async fn unseen(&mut self, ids: &[BundleId]) -> Result<Vec<BundleId>, StoreError> {
        let known: BTreeSet<_> = self.known_bundles(ids).await?.into_keys().collect();
        Ok(ids.iter().copied().filter(|id| !known.contains(id)).collect())
    }

    /// The bundles of these ids that are here, with their bytes.
    pub async fn bundles(&mut self, ids: &[BundleId]) -> Result<Vec<Bundle>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(IDS_A_STATEMENT) {
            let (marks, places) = list(2, chunk);
            let text = format!(
                "SELECT bytes FROM bundle WHERE node = $1 AND length(bytes) > 0 AND id IN ({marks}) ORDER BY id"
            );
            let query = sql(AssertSqlSafe(text)).bind(self.me()).bind_each(places.map(|id| &id.as_bytes()[..]));
            for row in query.fetch_all(self.connection().await?).await? {
                found.push(parse(row.try_get(0)?)?);
            }
        }
        Ok(found)
    }

    /// Bundles on the bulk lane for one node that its neighbour has not acknowledged, and the last that it has.
    pub async fn unsent_bulk(&mut self, to: NodeId) -> Result<u64, StoreError> {
        let text = "SELECT count(*) FROM outbox o JOIN bundle b ON b.node = o.node AND b.id = o.bundle \
                    WHERE o.node = $1 AND o.lane = $2 AND b.destination = $3";
        let query = sql(text).bind(self.me()).bind(i64::from(Lane::Bulk.index())).bind(to.as_bytes().to_vec());
        let row = query.fetch_one(self.connection().await?).await?;
        Ok(u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0))
    }

    /// Drops receipts that have waited for their bundle since before a moment.
    pub async fn prune_receipts_ahead(&mut self, before: UnixMillis) -> Result<(), StoreError> {
        sql("DELETE FROM receipt_ahead WHERE node = $1 AND at < $2")
            .bind(self.me())
            .bind(before.0)
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// Drops bundles without a terminal receipt that are older than a moment: the next watermark says as much, and a receipt
    /// is given again to whoever asks. Those that an outbox holds, those that prove a watermark, and those that are not read
    /// yet, stay.
    pub async fn prune_unanswered(&mut self, before: UnixMillis) -> Result<u64, StoreError> {
        sql("DELETE FROM bundle WHERE node = $1 AND receipted = 0 AND done_at IS NOT NULL AND done_at < $2 \
             AND id NOT IN (SELECT bundle FROM outbox WHERE node = $1) \
             AND id NOT IN (SELECT bundle FROM unread WHERE node = $1) \
             AND id NOT IN (SELECT bundle FROM watermark WHERE node = $1 AND bundle IS NOT NULL)")
        .bind(self.me())
        .bind(before.0)
        .execute(self.connection().await?)
        .await
    }

    /// Drops bundles whose terminal receipt is older than a moment, that no outbox holds, and that were read. Returns how many
    /// went.
    pub async fn prune_bundles(&mut self, before: UnixMillis) -> Result<u64, StoreError> {
        let done = sql("DELETE FROM bundle WHERE node = $1 AND done_at IS NOT NULL AND done_at < $2 \
             AND id NOT IN (SELECT bundle FROM unread WHERE node = $1) AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.node = bundle.node AND o.bundle = bundle.id)")
        .bind(self.me())
        .bind(before.0)
        .execute(self.connection().await?)
        .await?;
        Ok(done)
    }
}
