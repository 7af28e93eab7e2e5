//! What waits for a neighbour, as a parcel takes it along.

use std::collections::BTreeMap;

use protocol::id::NodeId;
use protocol::wire::codec;
use protocol::wire::frame::{Lane, LinkSeq};
use sqlx::AssertSqlSafe;

use super::link::seq_number;
use super::sql::{Statement, sql};
use super::trust::{LINK_BYTES_MAX, StoredLink};
use super::{Store, StoreError, id16};

/// Bundles of one page; a bundle may be large.
const PAGE: i64 = 32;

/// The numbers of one lane that a neighbour has not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The neighbour.
    pub peer: NodeId,
    /// The lane.
    pub lane: Lane,
    /// After this one.
    pub after: LinkSeq,
    /// Up to this one.
    pub upto: LinkSeq,
}

/// What waits in an outbox: `$1` to `$7`, as [`about`] binds them.
const WAITS: &str = "FROM outbox o JOIN bundle b ON b.node = o.node AND b.id = o.bundle \
    WHERE o.node = $1 AND o.peer = $2 AND o.lane = $3 AND o.seq > $4 AND o.seq <= $5 AND length(b.bytes) > 0 \
    AND (b.receipted = 0 OR b.done_at IS NULL) AND (b.destination = $6 OR $7 = 0)";

/// Binds whose outbox is meant, which numbers, and for whom, if only for one.
fn about(query: Statement, me: Vec<u8>, there: &Waiting, to: Option<NodeId>) -> Statement {
    query
        .bind(me)
        .bind(there.peer.as_bytes().to_vec())
        .bind(i64::from(there.lane.index()))
        .bind(seq_number(there.after))
        .bind(seq_number(there.upto))
        .bind(to.unwrap_or(there.peer).as_bytes().to_vec())
        .bind(to.is_some())
}

impl Store {
    /// What a neighbour has not acknowledged, by lane, as it stands now.
    pub async fn unacknowledged(&self, peer: NodeId) -> Result<Vec<Waiting>, StoreError> {
        let row = sql("SELECT state FROM link WHERE node = $1 AND peer = $2")
            .bind(self.me())
            .bind(peer.as_bytes().to_vec())
            .fetch_optional(&mut self.read().await?)
            .await?;
        let Some(row) = row else { return Ok(Vec::new()) };
        let state: Vec<u8> = row.try_get(0)?;
        let (.., lanes): StoredLink =
            codec::decode(&state, LINK_BYTES_MAX).map_err(|e| StoreError::damaged("link", e))?;
        let waiting = Lane::NUMBERED.into_iter().zip(lanes.iter());
        Ok(waiting.map(|(lane, (_, last, acked))| Waiting { peer, lane, after: *acked, upto: last.seq }).collect())
    }

    /// Who sealed what waits there, and how many bundles of each; only those for one destination, if one is given. What
    /// is at its destination already is left out.
    pub async fn waiting_origins(
        &self,
        there: &Waiting,
        to: Option<NodeId>,
    ) -> Result<BTreeMap<NodeId, u64>, StoreError> {
        let text = format!("SELECT b.origin, count(*) {WAITS} GROUP BY b.origin");
        let query = about(sql(AssertSqlSafe(text)), self.me(), there, to);
        let rows = query.fetch_all(&mut self.read().await?).await?;
        rows.iter()
            .map(|row| {
                let (origin, count): (Vec<u8>, i64) = (row.try_get(0)?, row.try_get(1)?);
                Ok((NodeId::from_bytes(id16("bundle", &origin)?), u64::try_from(count).unwrap_or(0)))
            })
            .collect()
    }

    /// The next bundles that wait there, in the order of the lane; empty at the end.
    pub async fn waiting_bundles(
        &self,
        there: &Waiting,
        to: Option<NodeId>,
    ) -> Result<Vec<(LinkSeq, Vec<u8>)>, StoreError> {
        let text = format!("SELECT o.seq, b.bytes {WAITS} ORDER BY o.seq LIMIT $8");
        let query = about(sql(AssertSqlSafe(text)), self.me(), there, to).bind(PAGE);
        let rows = query.fetch_all(&mut self.read().await?).await?;
        rows.iter()
            .map(|row| {
                let seq: i64 = row.try_get(0)?;
                Ok((LinkSeq(u64::try_from(seq).unwrap_or(0)), row.try_get(1)?))
            })
            .collect()
    }
}
