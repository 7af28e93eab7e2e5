//! What each member states of its own figures, and whether they are here.

use std::collections::{BTreeMap, BTreeSet};

use protocol::chain::Hash;
use protocol::division::DivisionCode;
use protocol::fact::Watermark;
use protocol::id::{BundleId, NodeId};
use protocol::time::UnixMillis;
use sqlx::AssertSqlSafe;

use super::{FiguresNews, counted, moment, stored};
use crate::store::sql::{Row, sql};
use crate::store::{IDS_A_STATEMENT, Store, StoreError, WriteStore, division, hash32, id16, list, pieces, values};

/// A member as this node expects it, with what it last stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkRow {
    /// The member.
    pub member: NodeId,
    /// Where it hangs.
    pub division: DivisionCode,
    /// As of when it last stated its figures, by its corrected clock; none: it never did.
    pub as_of: Option<UnixMillis>,
    /// When that came here.
    pub received_at: Option<UnixMillis>,
    /// Since when what is held is not what it states.
    pub unequal_since: Option<UnixMillis>,
}

/// A member whose figures are not here as it states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The member.
    pub member: NodeId,
    /// Version of its watermark.
    pub version: u64,
    /// Facts that it states.
    pub stated: u64,
    /// Since when.
    pub since: UnixMillis,
    /// How often everything was asked for again.
    pub asked: u32,
}

impl WriteStore {
    pub(super) async fn put_marks(
        &mut self,
        marks: &[&Watermark],
        proofs: &BTreeMap<NodeId, BundleId>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        for chunk in pieces(marks) {
            let text = format!(
                "INSERT INTO watermark (node, member, version, as_of, facts, tallies, digest, bundle, received_at, asked) \
                 VALUES {} ON CONFLICT (node, member) DO UPDATE SET version = excluded.version, as_of = excluded.as_of, \
                 facts = excluded.facts, tallies = excluded.tallies, digest = excluded.digest, bundle = excluded.bundle, \
                 received_at = excluded.received_at WHERE excluded.version > watermark.version",
                values(chunk.len(), 10)
            );
            let mut query = sql(AssertSqlSafe(text));
            for mark in chunk {
                query = query
                    .bind(self.me())
                    .bind(&mark.node.as_bytes()[..])
                    .bind(stored(mark.version))
                    .bind(mark.as_of.corrected().0)
                    .bind(stored(mark.facts))
                    .bind(stored(mark.tallies))
                    .bind(&mark.digest.0[..])
                    .bind(proofs.get(&mark.node).map(|bundle| bundle.as_bytes().to_vec()))
                    .bind(now.0)
                    .bind(0_i64);
            }
            self.later(query).await?;
        }
        Ok(())
    }

    /// Notes for members whether what is held equals what they state. One without a watermark states nothing yet.
    pub(super) async fn compare(
        &mut self,
        members: &BTreeSet<NodeId>,
        now: UnixMillis,
    ) -> Result<Vec<FiguresNews>, StoreError> {
        let mut news = Vec::new();
        let others: Vec<NodeId> = members.iter().copied().filter(|member| *member != self.node).collect();
        for chunk in others.chunks(IDS_A_STATEMENT) {
            let sets = self.sets(&chunk.iter().copied().collect()).await?;
            for (member, digest, unequal, asked) in self.stated(chunk).await? {
                let equal = sets.get(&member).is_some_and(|set| set.hash() == digest);
                if equal == unequal {
                    self.turn(member, (!equal).then_some(now)).await?;
                    if !equal {
                        news.push(FiguresNews::Differs(member));
                    } else if asked {
                        news.push(FiguresNews::Agreed(member));
                    }
                }
            }
        }
        Ok(news)
    }

    /// Digest, whether it was found unequal, and whether figures were asked for since.
    async fn stated(&mut self, members: &[NodeId]) -> Result<Vec<(NodeId, Hash, bool, bool)>, StoreError> {
        let (marks, ids) = list(2, members);
        let text = format!(
            "SELECT member, digest, unequal_since, asked FROM watermark WHERE node = $1 AND member IN ({marks})"
        );
        let query = sql(AssertSqlSafe(text)).bind(self.me()).bind_each(ids.map(|member| &member.as_bytes()[..]));
        let rows = query.fetch_all(self.connection().await?).await?;
        rows.iter()
            .map(|row| {
                let digest = hash32("watermark", &row.try_get::<Vec<u8>>(1)?)?;
                let unequal = row.try_get::<Option<i64>>(2)?.is_some();
                Ok((member_of(row)?, digest, unequal, row.try_get::<i64>(3)? > 0))
            })
            .collect()
    }

    async fn turn(&mut self, member: NodeId, unequal_since: Option<UnixMillis>) -> Result<(), StoreError> {
        sql("UPDATE watermark SET unequal_since = $3, asked = 0, asked_at = NULL WHERE node = $1 AND member = $2")
            .bind(self.me())
            .bind(&member.as_bytes()[..])
            .bind(unequal_since.map(|at| at.0))
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// Compares again after the digest of a member was made anew.
    pub async fn compare_again(&mut self, member: NodeId, now: UnixMillis) -> Result<Vec<FiguresNews>, StoreError> {
        self.compare(&BTreeSet::from([member]), now).await
    }

    /// Members that have been unequal since before a moment, were heard of after another, and were not asked after a third.
    pub async fn gaps(
        &mut self,
        unequal_before: UnixMillis,
        heard_after: UnixMillis,
        asked_before: UnixMillis,
        count: u32,
    ) -> Result<Vec<Gap>, StoreError> {
        let rows = sql("SELECT member, version, facts, unequal_since, asked FROM watermark WHERE node = $1 \
             AND unequal_since IS NOT NULL AND unequal_since < $2 AND received_at > $3 \
             AND (asked_at IS NULL OR asked_at < $4) ORDER BY unequal_since LIMIT $5")
        .bind(self.me())
        .bind(unequal_before.0)
        .bind(heard_after.0)
        .bind(asked_before.0)
        .bind(i64::from(count))
        .fetch_all(self.connection().await?)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Gap {
                    member: member_of(row)?,
                    version: counted(row.try_get(1)?),
                    stated: counted(row.try_get(2)?),
                    since: UnixMillis(row.try_get(3)?),
                    asked: u32::try_from(row.try_get::<i64>(4)?).unwrap_or(u32::MAX),
                })
            })
            .collect()
    }

    /// Whether any member is unequal or any escalation is watched: whether there is anything to look after.
    pub async fn anything_amiss(&mut self) -> Result<bool, StoreError> {
        let row = sql("SELECT (SELECT count(*) FROM watermark WHERE node = $1 AND unequal_since IS NOT NULL) + \
             (SELECT count(*) FROM escalation_watch WHERE node = $1)")
        .bind(self.me())
        .fetch_one(self.connection().await?)
        .await?;
        Ok(row.try_get::<i64>(0)? > 0)
    }

    /// Notes that everything of a member was asked for again.
    pub async fn asked_again(&mut self, member: NodeId, now: UnixMillis) -> Result<(), StoreError> {
        sql("UPDATE watermark SET asked = asked + 1, asked_at = $3 WHERE node = $1 AND member = $2")
            .bind(self.me())
            .bind(&member.as_bytes()[..])
            .bind(now.0)
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// The version of the last watermark of this node itself; 0 before the first.
    pub async fn own_mark(&mut self) -> Result<u64, StoreError> {
        let row = sql("SELECT version FROM watermark WHERE node = $1 AND member = $1")
            .bind(self.me())
            .fetch_optional(self.connection().await?)
            .await?;
        row.map_or(Ok(0), |row| Ok(counted(row.try_get(0)?)))
    }
}

impl Store {
    /// The members inside a division and on the way to it from here, with what they last stated.
    pub async fn members(&self, within: DivisionCode) -> Result<Vec<MarkRow>, StoreError> {
        let places = self.places().await?;
        let rows = sql(
            "SELECT r.member, r.division, w.as_of, w.received_at, w.unequal_since FROM route r LEFT JOIN watermark w \
             ON w.node = r.node AND w.member = r.member WHERE r.node = $1 ORDER BY r.division, r.member",
        )
        .bind(self.me())
        .fetch_all(&mut self.read().await?)
        .await?;
        let mut members = Vec::with_capacity(rows.len());
        for row in &rows {
            let hangs = division("route", row.try_get(1)?)?;
            if !places.contains(within, hangs) && !places.contains(hangs, within) {
                continue;
            }
            members.push(MarkRow {
                member: member_of(row)?,
                division: hangs,
                as_of: moment(row.try_get(2)?),
                received_at: moment(row.try_get(3)?),
                unequal_since: moment(row.try_get(4)?),
            });
        }
        Ok(members)
    }

    /// The bundle that proves the watermark of a member: whoever doubts it can check its signature.
    pub async fn proof(&self, member: NodeId) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sql("SELECT b.bytes FROM watermark w JOIN bundle b ON b.node = w.node AND b.id = w.bundle \
             WHERE w.node = $1 AND w.member = $2")
        .bind(self.me())
        .bind(&member.as_bytes()[..])
        .fetch_optional(&mut self.read().await?)
        .await?;
        row.map(|row| row.try_get(0)).transpose()
    }
}

fn member_of(row: &Row) -> Result<NodeId, StoreError> {
    Ok(NodeId::from_bytes(id16("watermark", &row.try_get::<Vec<u8>>(0)?)?))
}
