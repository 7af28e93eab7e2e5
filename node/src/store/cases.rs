//! What casework keeps: headers, private parts, papers, facts, and the row of each case for lists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use casework::{Case, ContributionFile, Follower, Lapse, OfferFile, OfferState, OrderFile, Reader, Record, RecordKey};
use protocol::chain::TenureSeal;
use protocol::erase::Erase;
use protocol::event::{Act, Header, Private, Salt};
use protocol::fact::CaseFact;
use protocol::id::{CaseId, CaseKey, NodeId};
use protocol::receipt::Receipt;
use protocol::time::UnixMillis;
use protocol::warning::Warning;
use protocol::wire::codec;
use protocol::wire::limits::BODY_BYTES_MAX;
use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::person_parts::{open_paper, opened, seal_paper};
use super::sql::{Connection, Row, Statement, sql};
use super::{
    IDS_A_STATEMENT, Store, StoreError, WriteStore, case_id, division_number, id16, list, pieces, rows_of_ids, values,
};
use crate::person::vault::Vault;

/// The kinds of papers, as they are named in the table.
const SEAL: &str = "seal";
const KEY: &str = "key";
const ORDER: &str = "order";
const OFFER: &str = "offer";
const RECEIPT: &str = "receipt";
const FOLLOWER: &str = "follower";
pub(super) const CONTRIBUTION: &str = "contribution";
const ERASURE: &str = "erasure";
const LAPSE: &str = "lapse";
pub(super) const READER: &str = "reader";

/// A header with its private part, if that is here, and its writer.
type EventRow<'a> = (&'a Header, Option<&'a (Salt, Private)>, NodeId);

/// A paper of a case on its way into the table.
struct Paper {
    case: CaseId,
    kind: &'static str,
    key: Vec<u8>,
    content: Vec<u8>,
    /// Somebody still waits for something.
    open: bool,
}

/// Serde names of unit variants, as columns hold them: `"in_progress"` without its quotes.
pub(super) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The word of an act.
fn word_of(act: &Act) -> String {
    casework::told(act).get("act").and_then(|word| word.as_str()).unwrap_or_default().to_owned()
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn paper(record: &Record) -> Option<Paper> {
    let case = record.case()?;
    let (kind, key, content, open) = match record {
        Record::Seal(seal) => {
            (SEAL, codec::encode_unbounded(&(seal.head.epoch, seal.head.hash)), codec::encode_unbounded(seal), false)
        }
        Record::Key { key, registered_by, .. } => {
            (KEY, Vec::new(), codec::encode_unbounded(&(*key, *registered_by)), false)
        }
        Record::Order(file) => (ORDER, file.order.id.as_bytes().to_vec(), json(file), file.open()),
        Record::Offer(file) => (
            OFFER,
            file.offer.id.as_bytes().to_vec(),
            json(file),
            matches!(file.state, OfferState::Open | OfferState::Accepted),
        ),
        Record::Receipt(receipt) => {
            let RecordKey::Receipt(subject, by, progress) = record.key() else { return None };
            (RECEIPT, codec::encode_unbounded(&(subject, by, progress)), codec::encode_unbounded(receipt), false)
        }
        Record::Follower(follower) => {
            let mut key = follower.node.as_bytes().to_vec();
            key.extend_from_slice(word(&follower.class).as_bytes());
            (FOLLOWER, key, json(follower), false)
        }
        Record::Contribution(file) => (CONTRIBUTION, file.id.as_bytes().to_vec(), json(file), false),
        Record::Erasure(erase) => (ERASURE, erase.id.as_bytes().to_vec(), json(erase), false),
        Record::Lapse(lapse) => (LAPSE, Vec::new(), json(lapse), !lapse.events.is_empty()),
        Record::Reader(reader) => (READER, reader.user.as_bytes().to_vec(), json(reader), reader.until.is_none()),
        Record::Event { .. } | Record::Fact(_) | Record::Tally(_) | Record::Watermark(_) => return None,
    };
    Some(Paper { case, kind, key, content, open })
}

fn record_of(case: CaseId, kind: &str, content: &[u8]) -> Result<Record, StoreError> {
    let bad = |e: &dyn std::fmt::Display| StoreError::damaged("case_paper", e);
    fn text<T: serde::de::DeserializeOwned>(content: &[u8]) -> Result<T, StoreError> {
        serde_json::from_slice(content).map_err(|e| StoreError::damaged("case_paper", e))
    }
    Ok(match kind {
        SEAL => Record::Seal(codec::decode::<TenureSeal>(content, BODY_BYTES_MAX).map_err(|e| bad(&e))?),
        KEY => {
            let (key, registered_by) = codec::decode(content, BODY_BYTES_MAX).map_err(|e| bad(&e))?;
            Record::Key { case, key, registered_by }
        }
        ORDER => Record::Order(text::<OrderFile>(content)?),
        OFFER => Record::Offer(text::<OfferFile>(content)?),
        RECEIPT => Record::Receipt(codec::decode::<Receipt>(content, BODY_BYTES_MAX).map_err(|e| bad(&e))?),
        FOLLOWER => Record::Follower(text::<Follower>(content)?),
        CONTRIBUTION => Record::Contribution(text::<ContributionFile>(content)?),
        ERASURE => Record::Erasure(text::<Erase>(content)?),
        LAPSE => Record::Lapse(text::<Lapse>(content)?),
        READER => Record::Reader(text::<Reader>(content)?),
        other => return Err(StoreError::damaged("case_paper", format!("unknown kind {other}"))),
    })
}

/// The latest of each record, so that one statement never meets a key twice.
pub(crate) fn latest(records: &[Record]) -> Vec<&Record> {
    let mut latest: BTreeMap<RecordKey, &Record> = BTreeMap::new();
    for record in records {
        let slot = latest.entry(record.key()).or_insert(record);
        if record.replaces(slot) {
            *slot = record;
        }
    }
    latest.into_values().collect()
}

impl WriteStore {
    /// Stores the records of cases, each under its key. Those of the figures are [`WriteStore::put_figures`]'s.
    pub async fn put_records(&mut self, records: &[Record]) -> Result<(), StoreError> {
        let (mut events, mut papers) = (Vec::new(), Vec::new());
        let latest = latest(records);
        for record in &latest {
            match record {
                Record::Event { header, private, origin } => events.push((&**header, private.as_ref(), *origin)),
                other => papers.extend(paper(other)),
            }
        }
        self.put_events(&events).await?;
        self.put_papers(&papers).await?;
        for record in latest {
            match record {
                Record::Erasure(erase) => {
                    self.drop_privates(erase.case, erase.events.iter()).await?;
                    self.erase_attachments(erase.case).await?;
                }
                Record::Lapse(lapse) => {
                    self.drop_privates(lapse.case, lapse.events.iter()).await?;
                    self.let_attachments_go(lapse.case).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn put_events(&mut self, events: &[EventRow<'_>]) -> Result<(), StoreError> {
        for chunk in pieces(events) {
            let text = format!(
                "INSERT INTO case_event (node, case_id, event, takeovers, moves, number, hash, origin, act, at, header) \
                 VALUES {} ON CONFLICT (node, case_id, event, hash) DO NOTHING",
                values(chunk.len(), 11)
            );
            let mut query = sql(AssertSqlSafe(text));
            for (header, _, origin) in chunk {
                query = query
                    .bind(self.node.as_bytes().to_vec())
                    .bind(header.case.as_bytes().to_vec())
                    .bind(header.id.as_bytes().to_vec())
                    .bind(i64::from(header.epoch.takeovers))
                    .bind(i64::from(header.epoch.moves))
                    .bind(i64::from(header.number))
                    .bind(header.hash().0.to_vec())
                    .bind(origin.as_bytes().to_vec())
                    .bind(word_of(&header.act))
                    .bind(header.at.corrected().0)
                    .bind(codec::encode_unbounded(*header));
            }
            self.later(query).await?;
        }
        let privates: Vec<_> = events.iter().filter_map(|(header, private, _)| private.map(|p| (*header, p))).collect();
        self.put_privates(&privates).await
    }

    async fn put_papers(&mut self, papers: &[Paper]) -> Result<(), StoreError> {
        for chunk in pieces(papers) {
            let text = format!(
                "INSERT INTO case_paper (node, case_id, kind, paper, content, open) VALUES {} \
                 ON CONFLICT (node, case_id, kind, paper) DO UPDATE SET content = excluded.content, open = excluded.open",
                values(chunk.len(), 6)
            );
            let mut query = sql(AssertSqlSafe(text));
            for paper in chunk {
                let content = match paper.kind {
                    CONTRIBUTION => {
                        seal_paper(self.vault.as_ref(), &self.me(), paper.case, &paper.key, &paper.content)?
                    }
                    _ => paper.content.clone(),
                };
                query = query
                    .bind(self.node.as_bytes().to_vec())
                    .bind(paper.case.as_bytes().to_vec())
                    .bind(paper.kind)
                    .bind(paper.key.clone())
                    .bind(content)
                    .bind(paper.open);
            }
            self.later(query).await?;
        }
        Ok(())
    }

    /// Stores the rows of cases for lists and counts.
    pub async fn put_case_files(&mut self, me: NodeId, cases: &[&Case], now: UnixMillis) -> Result<(), StoreError> {
        for chunk in pieces(cases) {
            let text = format!(
                "INSERT INTO case_file (node, case_id, owner, mine, takeovers, moves, number, head, matter, category, place, \
                 grid_kind, source, level, step, outcome, unit_code, summary, people, void, escalated, reported_day, \
                 reported_at, changed_at, due_day, due_open) VALUES {} ON CONFLICT (node, case_id) DO UPDATE SET owner = excluded.owner, \
                 mine = excluded.mine, takeovers = excluded.takeovers, moves = excluded.moves, number = excluded.number, \
                 head = excluded.head, matter = excluded.matter, category = excluded.category, place = excluded.place, \
                 grid_kind = excluded.grid_kind, source = excluded.source, level = excluded.level, step = excluded.step, \
                 outcome = excluded.outcome, unit_code = excluded.unit_code, summary = excluded.summary, \
                 people = excluded.people, void = excluded.void, escalated = excluded.escalated, \
                 reported_day = excluded.reported_day, reported_at = excluded.reported_at, changed_at = excluded.changed_at, \
                 due_day = excluded.due_day, due_open = excluded.due_open",
                values(chunk.len(), 26)
            );
            let query = chunk.iter().fold(sql(AssertSqlSafe(text)), |query, case| self.case_row(query, me, case, now));
            self.later(query).await?;
        }
        Ok(())
    }

    fn case_row(&self, query: Statement, me: NodeId, case: &Case, now: UnixMillis) -> Statement {
        // Lists are for everybody: of a restricted case they hold what a level above has of it.
        let brief = case.above();
        query
            .bind(self.node.as_bytes().to_vec())
            .bind(case.id.as_bytes().to_vec())
            .bind(case.owner().as_bytes().to_vec())
            .bind(case.owned_by(me))
            .bind(i64::from(case.head.epoch.takeovers))
            .bind(i64::from(case.head.epoch.moves))
            .bind(i64::from(case.head.number))
            .bind(case.head.hash.0.to_vec())
            .bind(word(&brief.matter))
            .bind(i64::from(brief.category.0))
            .bind(division_number(brief.place))
            .bind(word(&brief.grid_kind))
            .bind(word(&brief.source))
            .bind(brief.level().map_or(0, |level| i64::from(level.rank())))
            .bind(word(&brief.step))
            .bind(brief.outcome.map(|outcome| word(&outcome)))
            .bind(i64::from(brief.unit.0))
            .bind(brief.summary.to_string())
            .bind(i64::from(brief.head_count))
            .bind(brief.void)
            .bind(case.escalated())
            .bind(i64::from(case.reported_at.day().number()))
            .bind(case.reported_at.corrected().0)
            .bind(now.0)
            .bind(brief.next_term.map(|term| i64::from(term.day.number())))
            .bind(brief.next_term.is_some_and(|term| term.provisional))
    }

    /// Everything that is held of a case.
    pub async fn records(&mut self, case: CaseId) -> Result<Vec<Record>, StoreError> {
        let (node, vault) = (self.node, self.vault.clone());
        if self.is_new(case).await? {
            return Ok(Vec::new());
        }
        let mut read = read_records(self.connection().await?, node, vault.as_ref(), &[case]).await?;
        Ok(read.remove(&case).unwrap_or_default())
    }

    /// Whether nothing at all is held of a case: what is asked most often of one that is not in memory, and in one look.
    async fn is_new(&mut self, case: CaseId) -> Result<bool, StoreError> {
        let row = sql("SELECT EXISTS (SELECT 1 FROM case_event WHERE node = $1 AND case_id = $2) \
             OR EXISTS (SELECT 1 FROM case_paper WHERE node = $1 AND case_id = $2) \
             OR EXISTS (SELECT 1 FROM fact WHERE node = $1 AND case_id = $2)")
        .bind(self.me())
        .bind(case.as_bytes().to_vec())
        .fetch_one(self.connection().await?)
        .await?;
        row.try_get::<bool>(0).map(|held| !held)
    }

    /// Everything that is held of some cases, for each of them.
    pub async fn records_of(&mut self, cases: &[CaseId]) -> Result<BTreeMap<CaseId, Vec<Record>>, StoreError> {
        let (node, vault) = (self.node, self.vault.clone());
        let mut all = BTreeMap::new();
        for chunk in cases.chunks(IDS_A_STATEMENT) {
            all.extend(read_records(self.connection().await?, node, vault.as_ref(), chunk).await?);
        }
        Ok(all)
    }

    /// Erasures that a node ordered, as they are kept here.
    pub async fn erasures_by(&mut self, by: NodeId) -> Result<Vec<Erase>, StoreError> {
        let rows = sql("SELECT content FROM case_paper WHERE node = $1 AND kind = $2")
            .bind(self.me())
            .bind(ERASURE)
            .fetch_all(self.connection().await?)
            .await?;
        let read = |row: &Row| -> Result<Erase, StoreError> {
            serde_json::from_slice(&row.try_get::<Vec<u8>>(0)?).map_err(|e| StoreError::damaged("case_paper", e))
        };
        let all = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(all.into_iter().filter(|erase| erase.by == by).collect())
    }

    /// Red and orange cases of this node that are not closed, after `after` in the order of their ids.
    pub async fn escalated_cases_after(&mut self, after: CaseId, count: u32) -> Result<Vec<CaseId>, StoreError> {
        let rows = sql("SELECT case_id FROM case_file WHERE node = $1 AND level >= $2 AND mine = 1 AND void = 0 \
             AND step <> 'archived' AND case_id > $3 ORDER BY case_id LIMIT $4")
        .bind(self.me())
        .bind(i64::from(Warning::Red.rank()))
        .bind(after.as_bytes().to_vec())
        .bind(i64::from(count))
        .fetch_all(self.connection().await?)
        .await?;
        rows.iter().map(case_id).collect()
    }

    /// Cases of this node whose term is provisional, after `after` in the order of their ids.
    pub async fn provisional_cases_after(&mut self, after: CaseId, count: u32) -> Result<Vec<CaseId>, StoreError> {
        let rows = sql("SELECT case_id FROM case_file WHERE node = $1 AND mine = 1 AND void = 0 AND due_open = 1 \
             AND step <> 'archived' AND case_id > $2 ORDER BY case_id LIMIT $3")
        .bind(self.me())
        .bind(after.as_bytes().to_vec())
        .bind(i64::from(count))
        .fetch_all(self.connection().await?)
        .await?;
        rows.iter().map(case_id).collect()
    }

    /// Cases of other nodes of which private parts are here, after `after` in the order of their ids.
    pub async fn others_cases_with_names_after(
        &mut self,
        after: CaseId,
        count: u32,
    ) -> Result<Vec<CaseId>, StoreError> {
        let rows = sql("SELECT f.case_id FROM case_file f WHERE f.node = $1 AND f.mine = 0 AND f.case_id > $2 AND EXISTS \
             (SELECT 1 FROM case_private p WHERE p.node = f.node AND p.case_id = f.case_id) ORDER BY f.case_id LIMIT $3")
        .bind(self.me())
        .bind(after.as_bytes().to_vec())
        .bind(i64::from(count))
        .fetch_all(self.connection().await?)
        .await?;
        rows.iter().map(case_id).collect()
    }

    /// Cases in which an offer waits for an answer.
    pub async fn cases_with_open_offers(&mut self) -> Result<Vec<CaseId>, StoreError> {
        let rows = sql("SELECT DISTINCT case_id FROM case_paper WHERE node = $1 AND kind = $2 AND open = 1")
            .bind(self.me())
            .bind(OFFER)
            .fetch_all(self.connection().await?)
            .await?;
        rows.iter().map(case_id).collect()
    }
}

impl Store {
    /// Everything that is held of a case.
    pub async fn records(&self, case: CaseId) -> Result<Vec<Record>, StoreError> {
        let mut connection = self.read().await?;
        let mut read = read_records(&mut connection, self.node, self.vault.as_ref(), &[case]).await?;
        Ok(read.remove(&case).unwrap_or_default())
    }

    /// Cases with an open paper of a kind (`offer`, `order`), the latest first.
    pub async fn cases_with_open(&self, kind: &str, count: u32) -> Result<Vec<CaseId>, StoreError> {
        let rows = sql(
            "SELECT case_id FROM (SELECT case_id, paper, row_number() OVER (PARTITION BY case_id ORDER BY paper DESC) AS place \
             FROM case_paper WHERE node = $1 AND kind = $2 AND open = 1) AS latest WHERE place = 1 \
             ORDER BY paper DESC LIMIT $3",
        )
        .bind(self.me())
        .bind(kind.to_owned())
        .bind(i64::from(count))
        .fetch_all(&mut self.read().await?)
        .await?;
        rows.iter().map(case_id).collect()
    }
}

/// For each of some cases, few enough for one statement, everything that is held of it.
pub(super) async fn read_records(
    connection: &mut Connection,
    node: NodeId,
    vault: Option<&Arc<Vault>>,
    cases: &[CaseId],
) -> Result<BTreeMap<CaseId, Vec<Record>>, StoreError> {
    let me = node.as_bytes().to_vec();
    let mut records: BTreeMap<CaseId, Vec<Record>> = cases.iter().map(|case| (*case, Vec::new())).collect();
    let mut keys = BTreeMap::new();
    let (marks, places) = list(2, cases);
    let text = format!(
        "SELECT e.case_id, e.header, e.origin, p.salt, p.content FROM case_event e LEFT JOIN case_private p \
         ON p.node = e.node AND p.case_id = e.case_id AND p.event = e.event WHERE e.node = $1 AND e.case_id IN ({marks})"
    );
    let query = sql(AssertSqlSafe(text)).bind(me.clone()).bind_each(places.map(|case| &case.as_bytes()[..]));
    for row in query.fetch_all(connection).await? {
        records.entry(case_id(&row)?).or_default().push(event_of(&row, &me, vault)?);
    }
    let (marks, places) = list(2, cases);
    let text = format!("SELECT case_id, kind, content, paper FROM case_paper WHERE node = $1 AND case_id IN ({marks})");
    let query = sql(AssertSqlSafe(text)).bind(me.clone()).bind_each(places.map(|case| &case.as_bytes()[..]));
    for row in query.fetch_all(connection).await? {
        let (case, kind, content): (_, String, Vec<u8>) = (case_id(&row)?, row.try_get(1)?, row.try_get(2)?);
        let content = match kind.as_str() {
            CONTRIBUTION => open_paper(vault, &me, case, &row.try_get::<Vec<u8>>(3)?, content)?,
            _ => content,
        };
        let record = record_of(case, &kind, &content)?;
        if let Record::Key { key, .. } = &record {
            keys.insert(*key, case);
        }
        records.entry(case).or_default().push(record);
    }
    for (case, fact) in read_facts(connection, &me, cases, &keys).await? {
        records.entry(case).or_default().push(Record::Fact(fact));
    }
    Ok(records)
}

/// The facts of cases: by their keys, and where no key is known by the case that the fact names. Whoever never owned a case
/// knows its key from its fact alone, and goes on with that key when it takes the case over.
async fn read_facts(
    connection: &mut Connection,
    me: &[u8],
    cases: &[CaseId],
    keys: &BTreeMap<CaseKey, CaseId>,
) -> Result<Vec<(CaseId, CaseFact)>, StoreError> {
    let fact = |row: &Row| -> Result<CaseFact, StoreError> {
        codec::decode(&row.try_get::<Vec<u8>>(0)?, BODY_BYTES_MAX).map_err(|e| StoreError::damaged("fact", e))
    };
    let mut facts = Vec::new();
    let keyed: Vec<CaseKey> = keys.keys().copied().collect();
    for chunk in keyed.chunks(IDS_A_STATEMENT) {
        let (marks, places) = list(2, chunk);
        let text = format!("SELECT body FROM fact WHERE node = $1 AND key IN ({marks})");
        let query = sql(AssertSqlSafe(text)).bind(me).bind_each(places.map(|key| &key.as_bytes()[..]));
        for row in query.fetch_all(connection).await? {
            let fact = fact(&row)?;
            facts.extend(keys.get(&fact.key).map(|case| (*case, fact)));
        }
    }
    let owned: BTreeSet<&CaseId> = keys.values().collect();
    let others: Vec<CaseId> = cases.iter().filter(|case| !owned.contains(case)).copied().collect();
    if !others.is_empty() {
        // Told to begin with the ids: it would else look through all facts of the node.
        let text = format!(
            "SELECT f.body, f.case_id FROM (VALUES {}) AS wanted CROSS JOIN fact f \
             WHERE f.node = $1 AND f.case_id = wanted.column1",
            rows_of_ids(2, others.len())
        );
        let query = sql(AssertSqlSafe(text)).bind(me).bind_each(others.iter().map(|case| &case.as_bytes()[..]));
        for row in query.fetch_all(connection).await? {
            let case = CaseId::from_bytes(id16("fact", &row.try_get::<Vec<u8>>(1)?)?);
            facts.push((case, fact(&row)?));
        }
    }
    Ok(facts)
}

fn event_of(row: &Row, node: &[u8], vault: Option<&Arc<Vault>>) -> Result<Record, StoreError> {
    let (header, origin): (Vec<u8>, Vec<u8>) = (row.try_get(1)?, row.try_get(2)?);
    let (salt, content): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.try_get(3)?, row.try_get(4)?);
    let header: Header = codec::decode(&header, BODY_BYTES_MAX).map_err(|e| StoreError::damaged("case_event", e))?;
    let private = match (salt, content) {
        (Some(salt), Some(content)) => Some(opened(vault, node, &header, &salt, &content)?),
        _ => None,
    };
    Ok(Record::Event { header: Arc::new(header), private, origin: NodeId::from_bytes(id16("case_event", &origin)?) })
}
