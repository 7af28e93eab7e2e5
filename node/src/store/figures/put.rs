//! Storing figures, and moving the digests of their owners along.

use std::collections::{BTreeMap, BTreeSet};

use casework::figures;
use protocol::fact::{CaseFact, Tally};
use protocol::id::{CaseKey, NodeId};
use protocol::time::UnixMillis;
use protocol::wire::codec;
use protocol::wire::limits::BODY_BYTES_MAX;
use sqlx::AssertSqlSafe;

use super::{FiguresNews, NewFigures, counted, stored};
use crate::store::sql::sql;
use crate::store::{IDS_A_STATEMENT, StoreError, WriteStore, division, division_number, id16, list, pieces, values};

impl WriteStore {
    /// Stores facts, tallies and watermarks; older ones than are held stay out.
    pub async fn put_figures(&mut self, new: &NewFigures<'_>, now: UnixMillis) -> Result<Vec<FiguresNews>, StoreError> {
        if new.facts.is_empty() && new.tallies.is_empty() && new.marks.is_empty() {
            return Ok(Vec::new());
        }
        let facts = self.newer_facts(&new.facts).await?;
        let tallies = self.newer_tallies(&new.tallies).await?;
        let mut members: BTreeSet<NodeId> = BTreeSet::new();
        for (fact, old) in &facts {
            members.extend(figures::owned(fact).then_some(fact.owner_node));
            members.extend(old.as_ref().filter(|old| figures::owned(old)).map(|old| old.owner_node));
        }
        members.extend(tallies.iter().map(|(tally, _)| tally.node));
        let mut sets = self.sets(&members).await?;
        facts.iter().for_each(|(fact, old)| figures::move_fact(&mut sets, fact, old.as_ref()));
        tallies.iter().for_each(|(tally, old)| figures::move_tally(&mut sets, tally, old.as_ref()));
        self.write_facts(&facts, new).await?;
        self.write_tallies(&tallies).await?;
        self.put_sets(&sets).await?;
        self.put_watched(&facts, new.watched, now).await?;
        self.put_marks(&new.marks, new.proofs, now).await?;
        members.extend(new.marks.iter().map(|mark| mark.node));
        self.compare(&members, now).await
    }

    /// The facts that replace what is held, with what they replace.
    async fn newer_facts<'a>(
        &mut self,
        facts: &[&'a CaseFact],
    ) -> Result<Vec<(&'a CaseFact, Option<CaseFact>)>, StoreError> {
        let mut newer = Vec::with_capacity(facts.len());
        for chunk in facts.chunks(IDS_A_STATEMENT) {
            let mut held: BTreeMap<CaseKey, CaseFact> = BTreeMap::new();
            let (marks, ids) = list(2, chunk);
            let text = format!("SELECT body FROM fact WHERE node = $1 AND key IN ({marks})");
            let query = sql(AssertSqlSafe(text)).bind(self.me()).bind_each(ids.map(|fact| &fact.key.as_bytes()[..]));
            for row in query.fetch_all(self.connection().await?).await? {
                let fact = fact_of(&row.try_get::<Vec<u8>>(0)?)?;
                held.insert(fact.key, fact);
            }
            for fact in chunk {
                let old = held.remove(&fact.key);
                if figures::replaces(fact, old.as_ref()) {
                    newer.push((*fact, old));
                }
            }
        }
        Ok(newer)
    }

    async fn newer_tallies<'a>(
        &mut self,
        tallies: &[&'a Tally],
    ) -> Result<Vec<(&'a Tally, Option<Tally>)>, StoreError> {
        let mut newer = Vec::with_capacity(tallies.len());
        for tally in tallies {
            let old = self.tally(tally.node, tally.day, tally.measure).await?;
            if old.is_none_or(|old| tally.version >= old.version && old != **tally) {
                newer.push((*tally, old));
            }
        }
        Ok(newer)
    }

    async fn write_facts(
        &mut self,
        facts: &[(&CaseFact, Option<CaseFact>)],
        new: &NewFigures<'_>,
    ) -> Result<(), StoreError> {
        if facts.is_empty() {
            return Ok(());
        }
        let changed = self.change().await? + 1;
        for chunk in pieces(facts) {
            let text = format!(
                "INSERT INTO fact (node, key, changed, case_id, owner, released, place, category, level, day, void, body) \
                 VALUES {} ON CONFLICT (node, key) DO UPDATE SET changed = excluded.changed, \
                 case_id = coalesce(excluded.case_id, fact.case_id), owner = excluded.owner, \
                 released = excluded.released, place = excluded.place, category = excluded.category, \
                 level = excluded.level, day = excluded.day, void = excluded.void, body = excluded.body",
                values(chunk.len(), 12)
            );
            let mut query = sql(AssertSqlSafe(text));
            for (fact, _) in chunk {
                let case = fact.case.or_else(|| new.cases.get(&fact.key).copied());
                query = query
                    .bind(self.me())
                    .bind(&fact.key.as_bytes()[..])
                    .bind(changed)
                    .bind(case.map(|case| case.as_bytes().to_vec()))
                    .bind(&fact.owner_node.as_bytes()[..])
                    .bind(fact.released)
                    .bind(division_number(fact.place))
                    .bind(i64::from(fact.category.0))
                    .bind(fact.level.map_or(0, |level| i64::from(level.rank())))
                    .bind(i64::from(fact.registered_at.day().number()))
                    .bind(fact.void)
                    .bind(codec::encode_unbounded(*fact));
            }
            self.later(query).await?;
        }
        Ok(())
    }

    async fn write_tallies(&mut self, tallies: &[(&Tally, Option<Tally>)]) -> Result<(), StoreError> {
        for chunk in pieces(tallies) {
            let text = format!(
                "INSERT INTO tally (node, member, day, measure, division, value, version) VALUES {} \
                 ON CONFLICT (node, member, day, measure) DO UPDATE SET division = excluded.division, \
                 value = excluded.value, version = excluded.version",
                values(chunk.len(), 7)
            );
            let mut query = sql(AssertSqlSafe(text));
            for (tally, _) in chunk {
                query = query
                    .bind(self.me())
                    .bind(&tally.node.as_bytes()[..])
                    .bind(i64::from(tally.day.number()))
                    .bind(i64::from(tally.measure.0))
                    .bind(division_number(tally.division))
                    .bind(stored(tally.value))
                    .bind(i64::from(tally.version));
            }
            self.later(query).await?;
        }
        Ok(())
    }

    /// The number of the last transaction that changed a fact.
    async fn change(&mut self) -> Result<i64, StoreError> {
        let row = sql("SELECT coalesce(max(changed), 0) FROM fact WHERE node = $1")
            .bind(self.me())
            .fetch_one(self.connection().await?)
            .await?;
        row.try_get(0)
    }

    /// The tally of a node, day and measure.
    pub async fn tally(
        &mut self,
        node: NodeId,
        day: protocol::time::CivilDay,
        measure: protocol::fact::Measure,
    ) -> Result<Option<Tally>, StoreError> {
        let row = sql("SELECT division, value, version FROM tally \
             WHERE node = $1 AND member = $2 AND day = $3 AND measure = $4")
        .bind(self.me())
        .bind(&node.as_bytes()[..])
        .bind(i64::from(day.number()))
        .bind(i64::from(measure.0))
        .fetch_optional(self.connection().await?)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let version = u32::try_from(row.try_get::<i64>(2)?)
            .map_err(|_| StoreError::damaged("tally", "a version out of range"))?;
        let (division, value) = (division("tally", row.try_get(0)?)?, counted(row.try_get(1)?));
        Ok(Some(Tally { node, division, day, measure, value, version }))
    }

    /// Watches escalated facts until their brief is here, and forgets those that need none any more.
    async fn put_watched(
        &mut self,
        facts: &[(&CaseFact, Option<CaseFact>)],
        watched: &BTreeMap<CaseKey, protocol::id::CaseId>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let facts = facts.iter().map(|(fact, _)| *fact);
        let (mut waiting, mut settled) = (Vec::new(), Vec::new());
        for fact in facts {
            match watched.get(&fact.key) {
                Some(case) => waiting.push((fact, *case)),
                None if fact.case.is_some() => settled.push(fact.key),
                None => {}
            }
        }
        self.watch(&waiting, now).await?;
        self.unwatch(&settled).await
    }
}

/// A fact out of its row.
pub(super) fn fact_of(body: &[u8]) -> Result<CaseFact, StoreError> {
    codec::decode(body, BODY_BYTES_MAX).map_err(|e| StoreError::damaged("fact", e))
}

/// The key that a row begins with.
pub(super) fn key_of(bytes: &[u8]) -> Result<CaseKey, StoreError> {
    Ok(CaseKey::from_bytes(id16("fact", bytes)?))
}
