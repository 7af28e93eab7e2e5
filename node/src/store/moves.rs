//! Nodes that moved: the order for each, the ways before, and the bundles whose way has changed.

use protocol::id::{BundleId, NodeId};
use protocol::moving::{MOVE_BYTES_MAX, Moves, SignedMove};
use protocol::time::UnixMillis;
use protocol::wire::codec;

use super::sql::{Row, sql};
use super::{Store, StoreError, WriteStore, id16};

/// Says that bundles which wait here are given other ways: for some nodes, or for all above.
pub(crate) const REROUTES: &str = "reroutes";

/// Between whom a bundle is under way that lacks its terminal receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenBundle {
    /// The bundle.
    pub id: BundleId,
    /// Its origin.
    pub from: NodeId,
    /// Its destination.
    pub to: NodeId,
}

fn move_of(row: &Row) -> Result<SignedMove, StoreError> {
    let body: Vec<u8> = row.try_get(0)?;
    codec::decode(&body, MOVE_BYTES_MAX).map_err(|e| StoreError::damaged("relocation", e))
}

impl WriteStore {
    /// Keeps a move; an earlier one of the same node never replaces a later one.
    pub async fn put_move(&mut self, signed: &SignedMove, now: UnixMillis) -> Result<(), StoreError> {
        sql("INSERT INTO relocation (node, member, serial, body, at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (node, member) DO UPDATE SET serial = excluded.serial, body = excluded.body, at = excluded.at \
             WHERE excluded.serial > relocation.serial")
        .bind(self.me())
        .bind(signed.order.node().as_bytes().to_vec())
        .bind(i64::try_from(signed.order.serial()).unwrap_or(i64::MAX))
        .bind(codec::encode_unbounded(signed))
        .bind(now.0)
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// The latest move of each node that ever moved.
    pub async fn moves(&mut self) -> Result<Vec<SignedMove>, StoreError> {
        let rows = sql("SELECT body FROM relocation WHERE node = $1 ORDER BY member")
            .bind(self.me())
            .fetch_all(self.connection().await?)
            .await?;
        rows.iter().map(move_of).collect()
    }

    /// Remembers through which child a node was reached before it moved.
    pub async fn put_former_way(&mut self, member: NodeId, via: NodeId) -> Result<(), StoreError> {
        sql(
            "INSERT INTO former_way (node, member, via) VALUES ($1, $2, $3) ON CONFLICT (node, member, via) DO NOTHING",
        )
        .bind(self.me())
        .bind(member.as_bytes().to_vec())
        .bind(via.as_bytes().to_vec())
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// All ways of nodes before they moved.
    pub async fn former_ways(&mut self) -> Result<Vec<(NodeId, NodeId)>, StoreError> {
        let rows = sql("SELECT member, via FROM former_way WHERE node = $1")
            .bind(self.me())
            .fetch_all(self.connection().await?)
            .await?;
        let id = |bytes: Vec<u8>| id16("former_way", &bytes).map(NodeId::from_bytes);
        rows.iter().map(|row| Ok((id(row.try_get(0)?)?, id(row.try_get(1)?)?))).collect()
    }

    /// Bundles on their way to a neighbour that nobody here waits for: receipts, and what was asked for once more.
    pub async fn unawaited(&mut self, peer: NodeId) -> Result<Vec<BundleId>, StoreError> {
        let rows = sql("SELECT DISTINCT o.bundle FROM outbox o JOIN bundle b ON b.node = o.node AND b.id = o.bundle \
             WHERE o.node = $1 AND o.peer = $2 AND (b.receipted = 0 OR b.done_at IS NOT NULL) ORDER BY o.bundle")
        .bind(self.me())
        .bind(peer.as_bytes().to_vec())
        .fetch_all(self.connection().await?)
        .await?;
        rows.iter().map(|row| Ok(BundleId::from_bytes(id16("outbox", &row.try_get::<Vec<u8>>(0)?)?))).collect()
    }

    /// Bundles for elsewhere that lack their terminal receipt and still have their bytes, in order, after one.
    pub async fn open_bundles(&mut self, after: Option<BundleId>, count: u32) -> Result<Vec<OpenBundle>, StoreError> {
        let rows =
            sql("SELECT id, origin, destination FROM bundle WHERE node = $1 AND receipted = 1 AND done_at IS NULL \
             AND destination <> $1 AND length(bytes) > 0 AND id > $2 ORDER BY id LIMIT $3")
            .bind(self.me())
            .bind(after.map_or(vec![], |id| id.as_bytes().to_vec()))
            .bind(i64::from(count))
            .fetch_all(self.connection().await?)
            .await?;
        rows.iter()
            .map(|row| {
                let (id, from, to): (Vec<u8>, Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                Ok(OpenBundle {
                    id: BundleId::from_bytes(id16("bundle", &id)?),
                    from: NodeId::from_bytes(id16("bundle", &from)?),
                    to: NodeId::from_bytes(id16("bundle", &to)?),
                })
            })
            .collect()
    }
}

impl Store {
    /// Whether bundles that wait here have still to be given the way of after a move.
    pub async fn reroutes(&self) -> Result<bool, StoreError> {
        Ok(self.meta(REROUTES).await?.is_some_and(|what| what != "none"))
    }

    /// Which divisions hang elsewhere than their codes say.
    pub async fn places(&self) -> Result<Moves, StoreError> {
        let moves = self.moves().await?;
        Ok(Moves::of(moves.iter().map(|(signed, _)| &signed.order)))
    }

    /// The latest move of each node that ever moved, the latest first, with when it became known here.
    pub async fn moves(&self) -> Result<Vec<(SignedMove, UnixMillis)>, StoreError> {
        let rows = sql("SELECT body, at FROM relocation WHERE node = $1 ORDER BY serial DESC")
            .bind(self.me())
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.iter().map(|row| Ok((move_of(row)?, UnixMillis(row.try_get(1)?)))).collect()
    }
}
