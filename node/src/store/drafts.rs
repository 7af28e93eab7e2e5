//! Drafts: what people have begun to write and not sent. Only their author reads them.

use protocol::id::CaseId;
use protocol::time::UnixMillis;

use super::person_parts::sealed_with;
use super::sql::{Row, sql};
use super::{Store, StoreError, WriteStore, id16};
use crate::person::vault::Vault;

/// Rows that are sealed anew with one call.
const RESEALED: i64 = 64;

/// A draft as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftRow {
    /// Its id, made by its author: that of the case that it is to be, for a report.
    pub id: CaseId,
    /// When it last changed.
    pub at: UnixMillis,
    /// What it holds.
    pub content: Vec<u8>,
}

/// A change of somebody's drafts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftChange {
    /// It is kept as it is now.
    Put {
        /// The user.
        name: String,
        /// Which.
        id: CaseId,
        /// What it holds.
        content: Vec<u8>,
        /// How many a user may keep.
        of_user: u32,
    },
    /// It was sent, or given up.
    Drop {
        /// The user.
        name: String,
        /// Which.
        id: CaseId,
    },
}

/// What a draft is sealed for.
fn place(node: &[u8], name: &str, draft: &[u8]) -> Vec<u8> {
    [b"draft".as_slice(), node, draft, name.as_bytes()].concat()
}

fn opened(vault: &Vault, node: &[u8], name: &str, row: &Row) -> Result<DraftRow, StoreError> {
    let (id, at, content): (Vec<u8>, i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let content = vault.open(&place(node, name, &id), &content)?;
    Ok(DraftRow { id: CaseId::from_bytes(id16("person_draft", &id)?), at: UnixMillis(at), content })
}

impl WriteStore {
    /// Keeps a draft, or lets one go. One too many is not kept: whoever asks looks whether it is there.
    pub async fn change_draft(&mut self, change: &DraftChange, now: UnixMillis) -> Result<(), StoreError> {
        match change {
            DraftChange::Put { name, id, content, of_user } => {
                let place = place(self.node.as_bytes(), name, id.as_bytes());
                let sealed = sealed_with(self.vault.as_ref())?.seal(&place, content)?;
                let text = "INSERT INTO person_draft (node, name, draft, at, content) SELECT $1, $2, $3, $4, $5 \
                     WHERE (SELECT count(*) FROM person_draft WHERE node = $1 AND name = $2 AND draft <> $3) < $6 \
                     ON CONFLICT (node, name, draft) DO UPDATE SET at = excluded.at, content = excluded.content";
                let query = sql(text).bind(self.me()).bind(name.clone()).bind(id.as_bytes().to_vec()).bind(now.0);
                let query = query.bind(sealed).bind(i64::from(*of_user));
                query.execute(self.connection().await?).await?;
            }
            DraftChange::Drop { name, id } => {
                let query = sql("DELETE FROM person_draft WHERE node = $1 AND name = $2 AND draft = $3");
                let query = query.bind(self.me()).bind(name.clone()).bind(id.as_bytes().to_vec());
                query.execute(self.connection().await?).await?;
            }
        }
        Ok(())
    }

    /// Drops what nobody has changed since a moment.
    pub async fn prune_drafts(&mut self, before: UnixMillis) -> Result<(), StoreError> {
        let query = sql("DELETE FROM person_draft WHERE node = $1 AND at < $2").bind(self.me()).bind(before.0);
        query.execute(self.connection().await?).await?;
        Ok(())
    }

    /// Seals drafts with the vault's present key; 0: nothing is left.
    pub async fn reseal_drafts(&mut self) -> Result<u32, StoreError> {
        let current = vec![sealed_with(self.vault.as_ref())?.current()];
        let text = "SELECT draft, at, content, name FROM person_draft WHERE node = $1 AND substr(content, 2, 1) <> $2 LIMIT $3";
        let query = sql(text).bind(self.me()).bind(current).bind(RESEALED);
        let rows = query.fetch_all(self.connection().await?).await?;
        for row in &rows {
            let name: String = row.try_get(3)?;
            let vault = sealed_with(self.vault.as_ref())?;
            let draft = opened(vault, self.node.as_bytes(), &name, row)?;
            let sealed = vault.seal(&place(self.node.as_bytes(), &name, draft.id.as_bytes()), &draft.content)?;
            let query = sql("UPDATE person_draft SET content = $4 WHERE node = $1 AND name = $2 AND draft = $3");
            let query = query.bind(self.me()).bind(name).bind(draft.id.as_bytes().to_vec()).bind(sealed);
            query.execute(self.connection().await?).await?;
        }
        Ok(u32::try_from(rows.len()).unwrap_or(u32::MAX))
    }
}

impl Store {
    /// The drafts of a user, the latest first.
    pub async fn drafts(&self, name: &str) -> Result<Vec<DraftRow>, StoreError> {
        let text = "SELECT draft, at, content FROM person_draft WHERE node = $1 AND name = $2 ORDER BY at DESC, draft";
        let query = sql(text).bind(self.me()).bind(name.to_owned());
        let rows = query.fetch_all(&mut self.read().await?).await?;
        let vault = sealed_with(self.vault.as_ref())?;
        rows.iter().map(|row| opened(vault, self.node.as_bytes(), name, row)).collect()
    }

    /// One of them.
    pub async fn draft(&self, name: &str, id: CaseId) -> Result<Option<DraftRow>, StoreError> {
        let text = "SELECT draft, at, content FROM person_draft WHERE node = $1 AND name = $2 AND draft = $3";
        let query = sql(text).bind(self.me()).bind(name.to_owned()).bind(id.as_bytes().to_vec());
        let row = query.fetch_optional(&mut self.read().await?).await?;
        let vault = sealed_with(self.vault.as_ref())?;
        row.map(|row| opened(vault, self.node.as_bytes(), name, &row)).transpose()
    }
}
