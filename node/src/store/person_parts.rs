//! Private parts at rest: sealed with the node's vault, each for its own row; found by the keyed hash of a number; gone
//! when they are erased, or past their day.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::event::{Content, Header, Private, Salt, WideContent};
use protocol::id::{CaseId, EventId};
use protocol::wire::codec;
use protocol::wire::limits::BODY_BYTES_MAX;
use sqlx::AssertSqlSafe;

use super::sql::{Row, sql};
use super::{Store, StoreError, WriteStore, case_id, id16, pieces, values};
use crate::person::vault::Vault;

const SALT_BYTES: usize = 16;

/// What a private part is sealed for: its node, case and event.
fn place(node: &[u8], case: &[u8], event: &[u8]) -> Vec<u8> {
    [b"private".as_slice(), node, case, event].concat()
}

/// What a paper is sealed for.
fn paper_place(node: &[u8], case: CaseId, key: &[u8]) -> Vec<u8> {
    [b"paper".as_slice(), node, case.as_bytes(), key].concat()
}

pub(super) fn sealed_with(vault: Option<&Arc<Vault>>) -> Result<&Vault, StoreError> {
    vault.map(Arc::as_ref).ok_or(StoreError::NoVault)
}

/// A private part with its salt, out of a row. One that was stored before there was a vault has its salt in the open.
pub(super) fn opened(
    vault: Option<&Arc<Vault>>,
    node: &[u8],
    header: &Header,
    salt: &[u8],
    content: &[u8],
) -> Result<(Salt, Private), StoreError> {
    let damaged = |e: &dyn std::fmt::Display| StoreError::damaged("case_private", e);
    let read = |bytes: &[u8]| codec::decode(bytes, BODY_BYTES_MAX).map_err(|e| damaged(&e));
    if salt.len() == SALT_BYTES {
        return Ok((Salt(id16("case_private", salt)?), read(content)?));
    }
    let place = place(node, header.case.as_bytes(), header.id.as_bytes());
    let plain = sealed_with(vault)?.open(&place, content)?;
    let (salt, content) =
        plain.split_at_checked(SALT_BYTES).ok_or_else(|| damaged(&"sealed content without a salt"))?;
    Ok((Salt(id16("case_private", salt)?), read(content)?))
}

/// A paper with words of people in it, as it is stored.
pub(super) fn seal_paper(
    vault: Option<&Arc<Vault>>,
    node: &[u8],
    case: CaseId,
    key: &[u8],
    content: &[u8],
) -> Result<Vec<u8>, StoreError> {
    Ok(sealed_with(vault)?.seal(&paper_place(node, case, key), content)?)
}

/// The same out of its row. One that was stored before there was a vault is plain JSON.
pub(super) fn open_paper(
    vault: Option<&Arc<Vault>>,
    node: &[u8],
    case: CaseId,
    key: &[u8],
    content: Vec<u8>,
) -> Result<Vec<u8>, StoreError> {
    if content.first() == Some(&b'{') {
        return Ok(content);
    }
    Ok(sealed_with(vault)?.open(&paper_place(node, case, key), &content)?)
}

impl WriteStore {
    /// Stores private parts, and where their parties' numbers are found.
    pub(super) async fn put_privates(&mut self, privates: &[(&Header, &(Salt, Private))]) -> Result<(), StoreError> {
        let node = self.me();
        for chunk in pieces(privates) {
            let text = format!(
                "INSERT INTO case_private (node, case_id, event, salt, content) VALUES {} \
                 ON CONFLICT (node, case_id, event) DO UPDATE SET salt = excluded.salt, content = excluded.content",
                values(chunk.len(), 5)
            );
            let mut query = sql(AssertSqlSafe(text));
            for (header, (salt, private)) in chunk {
                let mut plain = salt.0.to_vec();
                plain.extend_from_slice(&codec::encode_unbounded(private));
                let place = place(&node, header.case.as_bytes(), header.id.as_bytes());
                query = query
                    .bind(self.node.as_bytes().to_vec())
                    .bind(header.case.as_bytes().to_vec())
                    .bind(header.id.as_bytes().to_vec())
                    .bind(Vec::new())
                    .bind(sealed_with(self.vault.as_ref())?.seal(&place, &plain)?);
            }
            self.later(query).await?;
        }
        let found: BTreeSet<_> = privates
            .iter()
            .flat_map(|(header, (_, private))| self.numbers(private).into_iter().map(|hash| (header.case, hash)))
            .collect();
        for chunk in pieces(&found.into_iter().collect::<Vec<_>>()) {
            let text = format!(
                "INSERT INTO person_index (node, hash, case_id) VALUES {} ON CONFLICT (node, hash, case_id) DO NOTHING",
                values(chunk.len(), 3)
            );
            let mut query = sql(AssertSqlSafe(text));
            for (case, hash) in chunk {
                query = query.bind(self.node.as_bytes().to_vec()).bind(hash.to_vec()).bind(case.as_bytes().to_vec());
            }
            self.later(query).await?;
        }
        Ok(())
    }

    fn numbers(&self, private: &Private) -> Vec<[u8; 32]> {
        let Some(vault) = &self.vault else { return Vec::new() };
        let hashed = |numbers: [&str; 2]| -> Vec<_> {
            numbers.into_iter().filter_map(|number| vault.number_hash(number)).collect()
        };
        match &private.content {
            Content::Report { parties, .. } => parties.iter().flat_map(|p| hashed([&p.phone, &p.identity])).collect(),
            Content::Wider(said) => match said.read() {
                Some(WideContent::Participants { people }) => {
                    people.iter().flat_map(|p| hashed([&p.phone, &p.identity])).collect()
                }
                _ => Vec::new(),
            },
            Content::Nothing | Content::Note { .. } | Content::Resolution { .. } => Vec::new(),
        }
    }

    /// Deletes what is to be gone: rows with their salts, and where numbers and words were found. Notes go as papers of their
    /// own.
    pub(super) async fn drop_privates(
        &mut self,
        case: CaseId,
        events: impl Iterator<Item = &EventId>,
    ) -> Result<(), StoreError> {
        let ids: Vec<&EventId> = events.collect();
        if ids.is_empty() {
            return Ok(());
        }
        for chunk in pieces(&ids) {
            for (table, column, kind) in
                [("case_private", "event", ""), ("case_paper", "paper", "AND kind = 'contribution'")]
            {
                let list = (0..chunk.len()).map(|n| format!("${}", n + 3)).collect::<Vec<_>>().join(", ");
                let text =
                    format!("DELETE FROM {table} WHERE node = $1 AND case_id = $2 {kind} AND {column} IN ({list})");
                let query = sql(AssertSqlSafe(text)).bind(self.me()).bind(case.as_bytes().to_vec());
                self.later(query.bind_each(chunk.iter().map(|id| &id.as_bytes()[..]))).await?;
            }
        }
        sql("DELETE FROM person_index WHERE node = $1 AND case_id = $2")
            .bind(self.me())
            .bind(case.as_bytes().to_vec())
            .execute(self.connection().await?)
            .await?;
        self.drop_search(case).await
    }
}

impl Store {
    /// The vault that opens private parts, if this handle has one.
    pub fn vault(&self) -> Option<&Arc<Vault>> {
        self.vault.as_ref()
    }

    /// Cases in which a phone's or document's number stands, the latest first.
    pub async fn cases_of_number(&self, number: &str, count: u32) -> Result<Vec<CaseId>, StoreError> {
        let Some(hash) = sealed_with(self.vault.as_ref())?.number_hash(number) else { return Ok(Vec::new()) };
        let rows = sql("SELECT case_id FROM person_index WHERE node = $1 AND hash = $2 ORDER BY case_id DESC LIMIT $3")
            .bind(self.me())
            .bind(hash.to_vec())
            .bind(i64::from(count))
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.iter().map(case_id).collect::<Result<Vec<_>, _>>()
    }

    /// The same for whoever is told that there are some, and not which: nobody learns of a restricted case by a number.
    pub async fn told_cases_of_number(&self, number: &str, count: u32) -> Result<BTreeSet<CaseId>, StoreError> {
        let cases = self.cases_of_number(number, count).await?;
        let rows = self.case_rows(&cases).await?;
        Ok(cases.into_iter().filter(|case| rows.get(case).is_none_or(|row| !row.is_restricted())).collect())
    }

    /// Opens one private part for each key that any is sealed with; the first that stays closed is the error.
    pub async fn try_vault(&self) -> Result<(), StoreError> {
        let vault = sealed_with(self.vault.as_ref())?;
        let (me, mut connection) = (self.node.as_bytes().to_vec(), self.read().await?);
        let keys = sql("SELECT DISTINCT substr(content, 2, 1) FROM case_private WHERE node = $1 AND length(salt) = 0")
            .bind(me.clone())
            .fetch_all(&mut connection)
            .await?;
        for key in keys {
            let row = sql("SELECT case_id, event, content FROM case_private WHERE node = $1 AND length(salt) = 0 \
                 AND substr(content, 2, 1) = $2 ORDER BY case_id DESC, event DESC LIMIT 1")
            .bind(me.clone())
            .bind(key.try_get::<Vec<u8>>(0)?)
            .fetch_one(&mut connection)
            .await?;
            let (case, event, content): (Vec<u8>, Vec<u8>, Vec<u8>) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            vault.open(&place(&me, &case, &event), &content)?;
        }
        Ok(())
    }

    /// Private parts and papers at rest that are not sealed, for an operator who asks.
    pub async fn unsealed(&self) -> Result<u64, StoreError> {
        let row: Row = sql("SELECT count(*) FROM case_private WHERE node = $1 AND length(salt) > 0")
            .bind(self.me())
            .fetch_one(&mut self.read().await?)
            .await?;
        let count: i64 = row.try_get(0)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
