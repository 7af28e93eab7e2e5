//! What is sealed with an earlier key of the vault is sealed with its latest, some rows at a time, until nothing is left.

use std::collections::BTreeMap;

use protocol::event::Header;
use protocol::id::{EventId, NodeId};
use protocol::wire::codec;
use protocol::wire::limits::BODY_BYTES_MAX;

use super::cases::CONTRIBUTION;
use super::person_parts::{open_paper, opened, seal_paper, sealed_with};
use super::persons::realm;
use super::sql::sql;
use super::{StoreError, WriteStore, case_id};
use crate::person::realm::totp_place;

/// Rows that are sealed anew in one transaction.
const ROWS: u32 = 200;

impl WriteStore {
    /// Private parts of events; 0: nothing is left.
    pub async fn reseal_parts(&mut self) -> Result<u32, StoreError> {
        let rows = sql("SELECT p.case_id, p.event, p.salt, p.content, e.header FROM case_private p JOIN case_event e \
             ON e.node = p.node AND e.case_id = p.case_id AND e.event = p.event \
             WHERE p.node = $1 AND (length(p.salt) > 0 OR substr(p.content, 2, 1) <> $2) LIMIT $3")
        .bind(self.me())
        .bind(self.latest_key()?)
        .bind(i64::from(ROWS))
        .fetch_all(self.connection().await?)
        .await?;
        let node = self.me();
        let mut parts = Vec::new();
        for row in &rows {
            let (salt, content, header): (Vec<u8>, Vec<u8>, Vec<u8>) =
                (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
            let header: Header =
                codec::decode(&header, BODY_BYTES_MAX).map_err(|e| StoreError::damaged("case_event", e))?;
            let part = opened(self.vault.as_ref(), &node, &header, &salt, &content)?;
            parts.push((header, part));
        }
        // One event may have two headers after a restore; its private part is one.
        let once: BTreeMap<EventId, _> = parts.iter().map(|(h, part)| (h.id, (h, part))).collect();
        let once: Vec<_> = once.into_values().collect();
        self.put_privates(&once).await?;
        Ok(count(once.len()))
    }

    /// Papers with words of people in them; 0: nothing is left.
    pub async fn reseal_papers(&mut self) -> Result<u32, StoreError> {
        let rows = sql("SELECT case_id, paper, content FROM case_paper WHERE node = $1 AND kind = $2 \
             AND (substr(content, 1, 1) = $3 OR substr(content, 2, 1) <> $4) LIMIT $5")
        .bind(self.me())
        .bind(CONTRIBUTION)
        .bind(b"{".to_vec())
        .bind(self.latest_key()?)
        .bind(i64::from(ROWS))
        .fetch_all(self.connection().await?)
        .await?;
        let me = self.me();
        for row in &rows {
            let (case, paper) = (case_id(row)?, row.try_get::<Vec<u8>>(1)?);
            let plain = open_paper(self.vault.as_ref(), &me, case, &paper, row.try_get(2)?)?;
            let sealed = seal_paper(self.vault.as_ref(), &me, case, &paper, &plain)?;
            sql("UPDATE case_paper SET content = $5 WHERE node = $1 AND case_id = $2 AND kind = $3 AND paper = $4")
                .bind(me.clone())
                .bind(case.as_bytes().to_vec())
                .bind(CONTRIBUTION)
                .bind(paper)
                .bind(sealed)
                .execute(self.connection().await?)
                .await?;
        }
        Ok(count(rows.len()))
    }

    /// Secrets of the second factors of a realm that this node keeps; 0: nothing is left.
    pub async fn reseal_factors(&mut self, of: NodeId) -> Result<u32, StoreError> {
        let rows = sql("SELECT name, totp FROM person_account WHERE realm = $1 AND totp IS NOT NULL \
             AND substr(totp, 2, 1) <> $2 LIMIT $3")
        .bind(realm(of))
        .bind(self.latest_key()?)
        .bind(i64::from(ROWS))
        .fetch_all(self.connection().await?)
        .await?;
        for row in &rows {
            let (name, sealed): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            let place = totp_place(of, &name);
            let vault = sealed_with(self.vault.as_ref())?;
            let sealed = vault.seal(&place, &vault.open(&place, &sealed)?)?;
            sql("UPDATE person_account SET totp = $3 WHERE realm = $1 AND name = $2")
                .bind(realm(of))
                .bind(name)
                .bind(sealed)
                .execute(self.connection().await?)
                .await?;
        }
        Ok(count(rows.len()))
    }

    /// The number of the key that seals, as it stands in sealed bytes.
    fn latest_key(&self) -> Result<Vec<u8>, StoreError> {
        Ok(vec![sealed_with(self.vault.as_ref())?.current()])
    }
}

fn count(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}
