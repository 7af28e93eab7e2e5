//! By which words cases are found, and what is read of them to look for more than words.

use std::collections::BTreeMap;

use casework::{Case, Known};
use protocol::id::{CaseId, NodeId};
use protocol::time::UnixMillis;
use protocol::unit::UnitCode;
use sqlx::AssertSqlSafe;

use super::cases::read_records;
use super::person_parts::sealed_with;
use super::sql::{Connection, Row, sql};
use super::{IDS_A_STATEMENT, Store, StoreError, WriteStore, case_id, division, id16, pieces, values};
use crate::finding::{self, MADE, SearchKey};

/// Ranks of the levels that this version knows: the list of cases is kept in their order.
const RANKS: [i64; 4] = [0, 1, 2, 3];
const COLUMNS: &str = "f.case_id, f.owner, f.mine, f.matter, f.source, f.step, f.outcome, f.category, f.place, f.level, \
                       f.unit_code, f.void, f.escalated, f.reported_day, f.reported_at, f.changed_at, f.due_day, f.due_open, \
                       s.made, s.shown, s.hidden";

fn small<T: TryFrom<i64>>(value: i64) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| StoreError::damaged("case_file", "a number out of range"))
}

fn row_of(row: &Row) -> Result<finding::Row, StoreError> {
    let (owner, due): (Vec<u8>, Option<i64>) = (row.try_get(1)?, row.try_get(16)?);
    let open: bool = row.try_get(17)?;
    let signature = match row.try_get::<Option<i64>>(18)? {
        Some(made) => Some((made, finding::read(&row.try_get::<Vec<u8>>(19)?, &row.try_get::<Vec<u8>>(20)?))),
        None => None,
    };
    Ok(finding::Row {
        case: case_id(row)?,
        owner: NodeId::from_bytes(id16("case_file", &owner)?),
        mine: row.try_get(2)?,
        words: [
            row.try_get(3)?,
            row.try_get(4)?,
            row.try_get(5)?,
            row.try_get::<Option<String>>(6)?.unwrap_or_default(),
        ],
        category: small(row.try_get(7)?)?,
        place: division("case_file", row.try_get(8)?)?,
        level: small(row.try_get(9)?)?,
        unit: UnitCode(small(row.try_get(10)?)?),
        void: row.try_get(11)?,
        escalated: row.try_get(12)?,
        reported_day: small(row.try_get(13)?)?,
        reported_at: row.try_get(14)?,
        changed_at: row.try_get(15)?,
        due: due.map(|day| Ok::<_, StoreError>((small(day)?, open))).transpose()?,
        signature,
    })
}

impl WriteStore {
    /// Makes cases findable by the words that are here of them.
    pub async fn put_search(&mut self, cases: &[&Case]) -> Result<(), StoreError> {
        if cases.is_empty() {
            return Ok(());
        }
        let key = sealed_with(self.vault.as_ref())?.search_key();
        for chunk in pieces(cases) {
            let text = format!(
                "INSERT INTO case_search (node, case_id, made, shown, hidden) VALUES {} ON CONFLICT (node, case_id) \
                 DO UPDATE SET made = excluded.made, shown = excluded.shown, hidden = excluded.hidden",
                values(chunk.len(), 5)
            );
            let mut query = sql(AssertSqlSafe(text));
            for case in chunk {
                let (shown, hidden) = finding::written(case, &key);
                query = query
                    .bind(self.node.as_bytes().to_vec())
                    .bind(case.id.as_bytes().to_vec())
                    .bind(MADE)
                    .bind(shown)
                    .bind(hidden);
            }
            self.later(query).await?;
        }
        Ok(())
    }

    /// Notes the terms of cases that were stored before lists could tell them. They count as unchanged.
    pub async fn put_due(&mut self, cases: &[&Case]) -> Result<(), StoreError> {
        for case in cases {
            let term = case.above().next_term;
            let query = sql("UPDATE case_file SET due_day = $3, due_open = $4 WHERE node = $1 AND case_id = $2")
                .bind(self.me())
                .bind(case.id.as_bytes().to_vec())
                .bind(term.map(|term| i64::from(term.day.number())))
                .bind(term.is_some_and(|term| term.provisional));
            self.later(query).await?;
        }
        Ok(())
    }

    /// Lets the words of a case go.
    pub(super) async fn drop_search(&mut self, case: CaseId) -> Result<(), StoreError> {
        let query = sql("DELETE FROM case_search WHERE node = $1 AND case_id = $2")
            .bind(self.me())
            .bind(case.as_bytes().to_vec());
        self.later(query).await
    }

    /// Of the next `look` cases those that are not found by their words, `count` at most, and where to go on; none: nowhere.
    pub async fn unfindable_after(
        &mut self,
        after: CaseId,
        look: u32,
        count: usize,
    ) -> Result<(Vec<CaseId>, Option<CaseId>), StoreError> {
        let rows = sql("SELECT f.case_id, s.made FROM case_file f LEFT JOIN case_search s ON s.node = f.node \
             AND s.case_id = f.case_id WHERE f.node = $1 AND f.case_id > $2 ORDER BY f.case_id LIMIT $3")
        .bind(self.me())
        .bind(after.as_bytes().to_vec())
        .bind(i64::from(look))
        .fetch_all(self.connection().await?)
        .await?;
        let (mut found, mut last) = (Vec::new(), None);
        for row in &rows {
            let case = case_id(row)?;
            if row.try_get::<Option<i64>>(1)? != Some(MADE) {
                found.push(case);
            }
            last = Some(case);
            if found.len() == count {
                return Ok((found, last));
            }
        }
        let whole = rows.len() == usize::try_from(look).unwrap_or(usize::MAX);
        Ok((found, last.filter(|_| whole)))
    }

    /// When any case last changed, by what its row says.
    pub async fn latest_change(&mut self) -> Result<UnixMillis, StoreError> {
        let me = self.me();
        latest_change(me, self.connection().await?).await.map(UnixMillis)
    }
}

async fn latest_change(me: Vec<u8>, connection: &mut Connection) -> Result<i64, StoreError> {
    let row = sql("SELECT coalesce(max(changed_at), 0) FROM case_file WHERE node = $1")
        .bind(me)
        .fetch_one(connection)
        .await?;
    row.try_get(0)
}

impl Store {
    /// The key under which words of cases are found here.
    pub fn search_key(&self) -> Result<SearchKey, StoreError> {
        Ok(sealed_with(self.vault.as_ref())?.search_key())
    }

    /// When any case last changed, by what its row says, Unix milliseconds.
    pub async fn latest_change(&self) -> Result<i64, StoreError> {
        latest_change(self.me(), &mut self.read().await?).await
    }

    /// The cases behind one, in the order of their ids.
    pub async fn search_page(&self, after: Option<CaseId>, count: u32) -> Result<Vec<finding::Row>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM case_file f LEFT JOIN case_search s ON s.node = f.node AND s.case_id = f.case_id \
             WHERE f.node = $1 AND f.case_id > $2 ORDER BY f.case_id LIMIT $3"
        );
        let rows = sql(AssertSqlSafe(text))
            .bind(self.me())
            .bind(after.map_or(Vec::new(), |case| case.as_bytes().to_vec()))
            .bind(i64::from(count))
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.iter().map(row_of).collect()
    }

    /// Cases that changed at a moment or later.
    ///
    /// Asked level by level, for the list of cases is kept in that order: an index of its own would cost every change a page.
    pub async fn search_since(&self, changed_at: i64) -> Result<Vec<finding::Row>, StoreError> {
        let mut found = Vec::new();
        let mut connection = self.read().await?;
        let later = RANKS.last().copied().unwrap_or(0);
        let one = RANKS.map(|rank| ("f.level = $2", rank));
        for (levels, rank) in one.into_iter().chain([("f.level > $2", later)]) {
            let text = format!(
                "SELECT {COLUMNS} FROM case_file f LEFT JOIN case_search s ON s.node = f.node AND s.case_id = f.case_id \
                 WHERE f.node = $1 AND {levels} AND f.changed_at >= $3"
            );
            let rows =
                sql(AssertSqlSafe(text)).bind(self.me()).bind(rank).bind(changed_at).fetch_all(&mut connection).await?;
            for row in &rows {
                found.push(row_of(row)?);
            }
        }
        Ok(found)
    }

    /// All that is held of some cases.
    pub async fn known_of(&self, cases: &[CaseId]) -> Result<BTreeMap<CaseId, Known>, StoreError> {
        let mut found = BTreeMap::new();
        let mut connection = self.read().await?;
        for chunk in cases.chunks(IDS_A_STATEMENT) {
            let read = read_records(&mut connection, self.node, self.vault.as_ref(), chunk).await?;
            found.extend(read.into_iter().map(|(case, records)| (case, Known::assemble(case, records))));
        }
        Ok(found)
    }

    /// Cases whose words are kept for the search.
    pub async fn findable(&self) -> Result<u64, StoreError> {
        let row = sql("SELECT count(*) FROM case_search WHERE node = $1 AND made = $2")
            .bind(self.me())
            .bind(MADE)
            .fetch_one(&mut self.read().await?)
            .await?;
        Ok(u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0))
    }
}
