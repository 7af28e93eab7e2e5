//! What lists and pages read of cases, without names.

use std::collections::BTreeMap;

use casework::Scope;
use protocol::chain::{Epoch, Hash};
use protocol::division::DivisionCode;
use protocol::event::Category;
use protocol::id::{CaseId, NodeId};
use protocol::unit::UnitCode;
use protocol::wire::codec;
use sqlx::AssertSqlSafe;

use super::cases::READER;
use super::figures::inside;
use super::sql::{Row, Statement, sql};
use super::trust::{LINK_BYTES_MAX, StoredLink};
use super::{IDS_A_STATEMENT, Store, StoreError, case_id, division, hash32, id16, list};

/// One row of a case list.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseRow {
    /// The case.
    pub case: CaseId,
    /// Its owner.
    pub owner: NodeId,
    /// Owned here.
    pub mine: bool,
    /// Epoch of its last event.
    pub epoch: Epoch,
    /// Number of its last event.
    pub number: u32,
    /// Hash of its last event.
    pub head: Hash,
    /// Matter, as in the API.
    pub matter: String,
    /// Category.
    pub category: u16,
    /// Where it happened.
    pub place: DivisionCode,
    /// Rank of the level, 0 for none.
    pub level: u8,
    /// Step, as in the API.
    pub step: String,
    /// Outcome, as in the API.
    pub outcome: Option<String>,
    /// The unit that answers for it.
    pub unit: UnitCode,
    /// The summary without names.
    pub summary: String,
    /// People involved.
    pub people: u32,
    /// Struck through.
    pub void: bool,
    /// Reported above.
    pub escalated: bool,
    /// When it was reported, Unix milliseconds.
    pub reported_at: i64,
    /// When it last changed, Unix milliseconds.
    pub changed_at: i64,
}

impl CaseRow {
    /// Whether it is what lists hold of a restricted case.
    pub(crate) fn is_restricted(&self) -> bool {
        casework::restricted::are_told(Category(self.category), &self.summary)
    }
}

/// Which cases a list shows.
#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    /// Owned here (true), followed only (false), or both.
    pub mine: Option<bool>,
    /// Escalated ones only.
    pub escalated: bool,
    /// This rank of level only.
    pub level: Option<u8>,
    /// This step only.
    pub step: Option<String>,
    /// Struck-through ones too.
    pub void: bool,
    /// Ended (archived) ones too.
    pub archived: bool,
    /// Within one of these scopes only; none: all.
    pub scopes: Option<Vec<Scope>>,
}

/// Where a page of a list begins: after this row.
#[derive(Debug, Clone, Copy)]
pub struct After {
    /// Its rank.
    pub level: u8,
    /// When it last changed.
    pub changed_at: i64,
    /// The case.
    pub case: CaseId,
}

const COLUMNS: &str = "case_id, owner, mine, takeovers, moves, number, head, matter, category, place, level, step, \
                       outcome, unit_code, summary, people, void, escalated, reported_at, changed_at";

fn small<T: TryFrom<i64>>(value: i64) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| StoreError::damaged("case_file", "a number out of range"))
}

fn case_row(row: &Row) -> Result<CaseRow, StoreError> {
    let (case, owner, head): (Vec<u8>, Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(6)?);
    Ok(CaseRow {
        case: CaseId::from_bytes(id16("case_file", &case)?),
        owner: NodeId::from_bytes(id16("case_file", &owner)?),
        mine: row.try_get(2)?,
        epoch: Epoch { takeovers: small(row.try_get(3)?)?, moves: small(row.try_get(4)?)? },
        number: small(row.try_get(5)?)?,
        head: hash32("case_file", &head)?,
        matter: row.try_get(7)?,
        category: small(row.try_get(8)?)?,
        place: division("case_file", row.try_get(9)?)?,
        level: small(row.try_get(10)?)?,
        step: row.try_get(11)?,
        outcome: row.try_get(12)?,
        unit: UnitCode(small(row.try_get(13)?)?),
        summary: row.try_get(14)?,
        people: small(row.try_get(15)?)?,
        void: row.try_get(16)?,
        escalated: row.try_get(17)?,
        reported_at: row.try_get(18)?,
        changed_at: row.try_get(19)?,
    })
}

/// A condition for `count` scopes, bound from `$first` on by [`bind_scope`]. Without any scope nothing is within.
pub(super) fn within(count: usize, first: usize) -> String {
    let one = |n: usize| {
        let (from, to, unit) = (first + 3 * n, first + 3 * n + 1, first + 3 * n + 2);
        format!("(place >= ${from} AND place < ${to} AND (${unit} = 0 OR unit_code = ${unit}))")
    };
    let any = (0..count).map(one).collect::<Vec<_>>().join(" OR ");
    if any.is_empty() { "AND 1 = 0".to_owned() } else { format!("AND ({any})") }
}

pub(super) fn bind_scope(query: Statement, scope: &Scope) -> Statement {
    let (from, to) = scope.division.map_or((0, i64::MAX), inside);
    query.bind(from).bind(to).bind(scope.unit.map_or(0, |unit| i64::from(unit.0)))
}

impl Store {
    /// Whether a case that is owned here and not closed lies in a scope.
    pub async fn has_open_case(&self, scope: &Scope) -> Result<bool, StoreError> {
        let text = format!(
            "SELECT 1 FROM case_file WHERE node = $1 {} AND mine = 1 AND void = 0 AND step <> 'archived' LIMIT 1",
            within(1, 2)
        );
        let row =
            bind_scope(sql(AssertSqlSafe(text)).bind(self.me()), scope).fetch_optional(&mut self.read().await?).await?;
        Ok(row.is_some())
    }

    /// A page of cases: highest level first, then the latest change first.
    pub async fn case_list(
        &self,
        filter: &CaseFilter,
        after: Option<After>,
        count: u32,
    ) -> Result<Vec<CaseRow>, StoreError> {
        let scopes = filter.scopes.as_deref();
        let within = scopes.map(|scopes| within(scopes.len(), 13)).unwrap_or_default();
        // The level as a range: the index is entered at it, and what stands above is not walked through.
        let lowest = filter.level.unwrap_or(0);
        let highest = filter.level.unwrap_or(u8::MAX).min(after.map_or(u8::MAX, |row| row.level));
        let text = format!(
            "SELECT {COLUMNS} FROM case_file WHERE node = $1 {within} \
             AND ($2 IS NULL OR mine = $2) AND ($3 = 0 OR escalated = 1) AND level >= $4 AND level <= $5 \
             AND ($6 IS NULL OR step = $6) AND ($7 = 1 OR void = 0) AND ($8 = 1 OR step <> 'archived') \
             AND ($9 IS NULL OR level < $9 OR (level = $9 AND (changed_at < $10 OR (changed_at = $10 AND case_id > $11)))) \
             ORDER BY level DESC, changed_at DESC, case_id LIMIT $12"
        );
        let mut query = sql(AssertSqlSafe(text))
            .bind(self.me())
            .bind(filter.mine)
            .bind(filter.escalated)
            .bind(i64::from(lowest))
            .bind(i64::from(highest))
            .bind(filter.step.clone())
            .bind(filter.void)
            .bind(filter.archived)
            .bind(after.map(|a| i64::from(a.level)))
            .bind(after.map_or(0, |a| a.changed_at))
            .bind(after.map_or(vec![], |a| a.case.as_bytes().to_vec()))
            .bind(i64::from(count));
        for scope in scopes.unwrap_or_default() {
            query = bind_scope(query, scope);
        }
        let rows = query.fetch_all(&mut self.read().await?).await?;
        rows.iter().map(case_row).collect()
    }

    /// One case.
    pub async fn case_row(&self, case: CaseId) -> Result<Option<CaseRow>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM case_file WHERE node = $1 AND case_id = $2");
        let row = sql(AssertSqlSafe(text))
            .bind(self.me())
            .bind(case.as_bytes().to_vec())
            .fetch_optional(&mut self.read().await?)
            .await?;
        row.as_ref().map(case_row).transpose()
    }

    /// Some cases, each by its id.
    pub async fn case_rows(&self, cases: &[CaseId]) -> Result<BTreeMap<CaseId, CaseRow>, StoreError> {
        let mut found = BTreeMap::new();
        for chunk in cases.chunks(IDS_A_STATEMENT) {
            let (marks, ids) = list(2, chunk);
            let text = format!("SELECT {COLUMNS} FROM case_file WHERE node = $1 AND case_id IN ({marks})");
            let query = sql(AssertSqlSafe(text)).bind(self.me()).bind_each(ids.map(|case| &case.as_bytes()[..]));
            for row in query.fetch_all(&mut self.read().await?).await? {
                let row = case_row(&row)?;
                found.insert(row.case, row);
            }
        }
        Ok(found)
    }

    /// Whether anything of a case is held here: its headers, or an offer or an order about it.
    pub async fn holds_case(&self, case: CaseId) -> Result<bool, StoreError> {
        let row = sql("SELECT EXISTS (SELECT 1 FROM case_file WHERE node = $1 AND case_id = $2) \
             OR EXISTS (SELECT 1 FROM case_paper WHERE node = $1 AND case_id = $2)")
        .bind(self.me())
        .bind(case.as_bytes().to_vec())
        .fetch_one(&mut self.read().await?)
        .await?;
        row.try_get(0)
    }

    /// Cases, newest first, of which a paper of this kind is held.
    pub async fn cases_with_paper(&self, kind: &str, count: u32) -> Result<Vec<CaseId>, StoreError> {
        let rows =
            sql("SELECT DISTINCT case_id FROM case_paper WHERE node = $1 AND kind = $2 ORDER BY case_id DESC LIMIT $3")
                .bind(self.me())
                .bind(kind.to_owned())
                .bind(i64::from(count))
                .fetch_all(&mut self.read().await?)
                .await?;
        rows.iter().map(case_id).collect()
    }

    /// Restricted cases that somebody may read, the latest first.
    pub async fn cases_read_by(&self, user: &str, count: u32) -> Result<Vec<CaseId>, StoreError> {
        let rows = sql("SELECT case_id FROM case_paper WHERE node = $1 AND kind = $2 AND open = 1 AND paper = $3 \
             ORDER BY case_id DESC LIMIT $4")
        .bind(self.me())
        .bind(READER.to_owned())
        .bind(user.as_bytes().to_vec())
        .bind(i64::from(count))
        .fetch_all(&mut self.read().await?)
        .await?;
        rows.iter().map(case_id).collect()
    }

    /// Frames that wait for each neighbour: numbered and not acknowledged.
    pub async fn outbox_counts(&self) -> Result<BTreeMap<NodeId, u64>, StoreError> {
        let rows = sql("SELECT peer, state FROM link WHERE node = $1")
            .bind(self.me())
            .fetch_all(&mut self.read().await?)
            .await?;
        let mut counts = BTreeMap::new();
        for row in rows {
            let (peer, state): (Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            let (.., lanes): StoredLink =
                codec::decode(&state, LINK_BYTES_MAX).map_err(|e| StoreError::damaged("link", e))?;
            let waiting = lanes.iter().map(|(_, last, acked)| last.seq.0.saturating_sub(acked.0)).sum();
            counts.insert(NodeId::from_bytes(id16("link", &peer)?), waiting);
        }
        Ok(counts)
    }

    /// Bundles that still lack their terminal receipt, bundles kept aside, and those that this program cannot read whole.
    pub async fn waiting(&self) -> Result<Waiting, StoreError> {
        let row = sql(
            "SELECT (SELECT count(*) FROM bundle WHERE node = $1 AND receipted = 1 AND done_at IS NULL AND destination <> $1), \
             (SELECT count(*) FROM quarantine WHERE node = $1), (SELECT count(*) FROM unread WHERE node = $1)",
        )
        .bind(self.me())
        .fetch_one(&mut self.read().await?)
        .await?;
        Ok(Waiting { unreceipted: row.try_get(0)?, quarantined: row.try_get(1)?, unread: row.try_get(2)? })
    }
}

/// What a node still has to get rid of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Bundles for elsewhere without a terminal receipt.
    pub unreceipted: i64,
    /// Bundles kept aside.
    pub quarantined: i64,
    /// Bundles with messages that this program does not know.
    pub unread: i64,
}
