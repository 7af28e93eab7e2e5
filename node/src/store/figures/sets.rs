//! The digests of what each member owns.

use std::collections::{BTreeMap, BTreeSet};

use protocol::digest::SetDigest;
use protocol::division::DivisionCode;
use protocol::fact::{CaseFact, Measure, Tally};
use protocol::id::{CaseKey, NodeId};
use protocol::time::CivilDay;
use sqlx::AssertSqlSafe;

use super::put::{fact_of, key_of};
use super::{counted, stored};
use crate::store::sql::sql;
use crate::store::{IDS_A_STATEMENT, StoreError, WriteStore, division, id16, list, pieces, values};

/// Digests by member.
pub(super) type Sets = BTreeMap<NodeId, SetDigest>;

/// Facts of one page of a recount.
const PAGE: i64 = 2_000;

impl WriteStore {
    /// The digests of members; of one that owns nothing that of the empty set.
    pub(super) async fn sets(&mut self, members: &BTreeSet<NodeId>) -> Result<Sets, StoreError> {
        let mut sets: Sets = members.iter().map(|member| (*member, SetDigest::default())).collect();
        let members: Vec<NodeId> = members.iter().copied().collect();
        for chunk in members.chunks(IDS_A_STATEMENT) {
            let (marks, ids) = list(2, chunk);
            let text =
                format!("SELECT member, facts, tallies, sum FROM figure_set WHERE node = $1 AND member IN ({marks})");
            let query = sql(AssertSqlSafe(text)).bind(self.me()).bind_each(ids.map(|member| &member.as_bytes()[..]));
            for row in query.fetch_all(self.connection().await?).await? {
                let member = NodeId::from_bytes(id16("figure_set", &row.try_get::<Vec<u8>>(0)?)?);
                let (facts, tallies) = (counted(row.try_get(1)?), counted(row.try_get(2)?));
                let set = SetDigest::stored(facts, tallies, &row.try_get::<Vec<u8>>(3)?)
                    .ok_or_else(|| StoreError::damaged("figure_set", "a sum of another length"))?;
                sets.insert(member, set);
            }
        }
        Ok(sets)
    }

    /// The digest of what a member owns, as it is held here.
    pub async fn figure_set(&mut self, member: NodeId) -> Result<SetDigest, StoreError> {
        let mut sets = self.sets(&BTreeSet::from([member])).await?;
        Ok(sets.remove(&member).unwrap_or_default())
    }

    pub(super) async fn put_sets(&mut self, sets: &Sets) -> Result<(), StoreError> {
        let sets: Vec<_> = sets.iter().collect();
        for chunk in pieces(&sets) {
            let text = format!(
                "INSERT INTO figure_set (node, member, facts, tallies, sum) VALUES {} ON CONFLICT (node, member) \
                 DO UPDATE SET facts = excluded.facts, tallies = excluded.tallies, sum = excluded.sum",
                values(chunk.len(), 5)
            );
            let mut query = sql(AssertSqlSafe(text));
            for (member, set) in chunk {
                query = query
                    .bind(self.me())
                    .bind(&member.as_bytes()[..])
                    .bind(stored(set.facts()))
                    .bind(stored(set.tallies()))
                    .bind(set.bytes());
            }
            self.later(query).await?;
        }
        Ok(())
    }

    /// Every fact of a member's own cases, page by page.
    pub(in crate::store) async fn each_fact_of(
        &mut self,
        member: NodeId,
        mut take: impl FnMut(CaseFact),
    ) -> Result<(), StoreError> {
        let mut after: Option<CaseKey> = None;
        loop {
            let rows = sql("SELECT key, body FROM fact WHERE node = $1 AND owner = $2 AND released = 0 AND key > $3 \
                 ORDER BY key LIMIT $4")
            .bind(self.me())
            .bind(&member.as_bytes()[..])
            .bind(after.map_or(Vec::new(), |key| key.as_bytes().to_vec()))
            .bind(PAGE)
            .fetch_all(self.connection().await?)
            .await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(key_of(&last.try_get::<Vec<u8>>(0)?)?);
            for row in &rows {
                take(fact_of(&row.try_get::<Vec<u8>>(1)?)?);
            }
        }
    }

    /// The records of a member's own cases that happened in a division, by its code.
    pub async fn facts_owned_in(&mut self, member: NodeId, within: DivisionCode) -> Result<Vec<CaseKey>, StoreError> {
        let mut keys = Vec::new();
        self.each_fact_of(member, |fact| keys.extend(within.contains(fact.place).then_some(fact.key))).await?;
        Ok(keys)
    }

    /// Makes the digest of a member anew from the rows: a sum that goes along with changes cannot see a row that was
    /// altered behind its back. Reads every fact of the member.
    pub async fn recount(&mut self, member: NodeId) -> Result<SetDigest, StoreError> {
        let mut set = SetDigest::default();
        self.each_fact_of(member, |fact| set.add_fact(&fact)).await?;
        for tally in self.tallies_of(member).await? {
            set.add_tally(&tally);
        }
        self.put_sets(&Sets::from([(member, set.clone())])).await?;
        Ok(set)
    }

    async fn tallies_of(&mut self, member: NodeId) -> Result<Vec<Tally>, StoreError> {
        let rows = sql("SELECT day, measure, division, value, version FROM tally WHERE node = $1 AND member = $2")
            .bind(self.me())
            .bind(&member.as_bytes()[..])
            .fetch_all(self.connection().await?)
            .await?;
        let bad = |what: &str| StoreError::damaged("tally", what);
        rows.iter()
            .map(|row| {
                let day = i32::try_from(row.try_get::<i64>(0)?).ok().and_then(CivilDay::from_number);
                let measure = u16::try_from(row.try_get::<i64>(1)?).map_err(|_| bad("a measure out of range"))?;
                Ok(Tally {
                    node: member,
                    division: division("tally", row.try_get(2)?)?,
                    day: day.ok_or_else(|| bad("a day out of range"))?,
                    measure: Measure(measure),
                    value: counted(row.try_get(3)?),
                    version: u32::try_from(row.try_get::<i64>(4)?).map_err(|_| bad("a version out of range"))?,
                })
            })
            .collect()
    }
}
