//! What a transaction of the writer changes of attachments, and how they go.

use protocol::attachment::Attachment;
use protocol::id::{AttachmentId, CaseId};
use protocol::time::UnixMillis;

use super::super::person_parts::sealed_with;
use super::super::sql::sql;
use super::super::{StoreError, WriteStore, id16};
use super::{Held, Id, State, ids, place};
use crate::attachment::key::Secret;

/// Rows that are sealed anew in one transaction.
const RESEALED: i64 = 200;

/// What may be uploaded at most.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Uploads of one user that are not attached.
    pub of_user: u32,
    /// Attachments of one case.
    pub of_case: u32,
    /// Their bytes.
    pub case_bytes: u64,
}

/// A change to attachments, as a transaction of the writer makes it.
#[derive(Debug)]
pub enum Change {
    /// Begins an upload, if it is the first of its id and within the bounds.
    Begin {
        /// The case.
        case: CaseId,
        /// What is to come.
        attachment: Attachment,
        /// Who uploads.
        by: String,
        /// What may be uploaded at most.
        bounds: Bounds,
    },
    /// Stores a part of an upload, or of one that comes. A part that is here stays as it is.
    Part {
        /// Which.
        id: (CaseId, AttachmentId),
        /// Which part.
        number: u16,
        /// Its bytes, encrypted with the attachment's key.
        sealed: Vec<u8>,
    },
    /// All parts of an upload are here and right.
    Whole(Box<Held>),
    /// An upload is of no use.
    Drop(Box<Held>),
    /// An event of the case names it.
    Attached((CaseId, AttachmentId)),
    /// Of an event of a case that came from elsewhere: its bytes are wanted, unless they are here.
    Wanted(CaseId, Attachment),
    /// One that comes is asked of another former owner.
    Turned {
        /// Which.
        id: (CaseId, AttachmentId),
        /// Of which former owner.
        source: usize,
        /// Its place among those that come.
        at: UnixMillis,
    },
    /// All parts of one that was coming are here and right.
    Arrived((CaseId, AttachmentId)),
    /// What came of it was wrong; it comes again.
    Again((CaseId, AttachmentId)),
    /// Nobody has it any more.
    Lost((CaseId, AttachmentId)),
    /// A later owner has all of it.
    Passed((CaseId, AttachmentId)),
}

impl WriteStore {
    /// Makes changes, in their order.
    pub async fn change_attachments(&mut self, changes: &[Change], now: UnixMillis) -> Result<(), StoreError> {
        for change in changes {
            match change {
                Change::Begin { case, attachment, by, bounds } => {
                    self.begin_upload(*case, attachment, by, *bounds, now).await?
                }
                Change::Part { id, number, sealed } => self.put_part(*id, *number, sealed).await?,
                Change::Whole(held) => self.set_state(held.id(), "open", &held.seal, State::Whole).await?,
                Change::Drop(held) => self.drop_upload(held).await?,
                Change::Attached(id) => self.attached(*id).await?,
                Change::Wanted(case, attachment) => self.want(*case, attachment, now).await?,
                Change::Turned { id, source, at } => self.turned(*id, *source, *at).await?,
                Change::Arrived(id) => self.come(*id, State::Here).await?,
                Change::Again(id) => self.drop_parts(*id).await?,
                Change::Lost(id) => {
                    self.drop_parts(*id).await?;
                    self.come(*id, State::Lost).await?;
                }
                Change::Passed(id) => self.passed(*id, now).await?,
            }
        }
        Ok(())
    }

    fn sealed_secret(&self, case: CaseId, attachment: &Attachment) -> Result<Vec<u8>, StoreError> {
        let place = place(self.node.as_bytes(), case.as_bytes(), attachment.id.as_bytes());
        let secret = Secret::fresh(attachment.clone());
        Ok(sealed_with(self.vault.as_ref())?.seal(&place, &secret.to_bytes())?)
    }

    async fn begin_upload(
        &mut self,
        case: CaseId,
        attachment: &Attachment,
        by: &str,
        bounds: Bounds,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let secret = self.sealed_secret(case, attachment)?;
        let text = "INSERT INTO case_attachment (node, case_id, attachment, state, bytes, secret, by_user, at, source) \
             SELECT $1, $2, $3, 'open', $4, $5, $6, $7, 0 \
             WHERE (SELECT count(*) FROM case_attachment WHERE node = $1 AND by_user = $6 \
             AND state IN ('open', 'whole')) < $8 \
             AND (SELECT count(*) FROM case_attachment WHERE node = $1 AND case_id = $2) < $9 \
             AND (SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM case_attachment WHERE node = $1 AND case_id = $2) \
             + $4 <= $10 ON CONFLICT (node, case_id, attachment) DO NOTHING";
        sql(text)
            .bind(self.me())
            .bind_each(ids((case, attachment.id)))
            .bind(i64::from(attachment.bytes))
            .bind(secret)
            .bind(by)
            .bind(now.0)
            .bind(i64::from(bounds.of_user))
            .bind(i64::from(bounds.of_case))
            .bind(i64::try_from(bounds.case_bytes).unwrap_or(i64::MAX))
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    async fn put_part(&mut self, id: Id, number: u16, sealed: &[u8]) -> Result<(), StoreError> {
        let text = "INSERT INTO case_attachment_part (node, case_id, attachment, number, content) SELECT $1, $2, $3, $4, $5 \
             WHERE EXISTS (SELECT 1 FROM case_attachment WHERE node = $1 AND case_id = $2 AND attachment = $3 \
             AND state IN ('open', 'coming')) ON CONFLICT (node, case_id, attachment, number) DO NOTHING";
        let query = sql(text).bind(self.me()).bind_each(ids(id)).bind(i64::from(number)).bind(sealed);
        query.execute(self.connection().await?).await?;
        Ok(())
    }

    async fn set_state(&mut self, id: Id, from: &str, seal: &[u8], to: State) -> Result<(), StoreError> {
        let text = "UPDATE case_attachment SET state = $4 WHERE node = $1 AND case_id = $2 AND attachment = $3 AND state = $5 \
             AND secret = $6";
        let query = sql(text).bind(self.me()).bind_each(ids(id)).bind(to.word()).bind(from).bind(seal);
        query.execute(self.connection().await?).await?;
        Ok(())
    }

    async fn drop_upload(&mut self, held: &Held) -> Result<(), StoreError> {
        let text = "DELETE FROM case_attachment WHERE node = $1 AND case_id = $2 AND attachment = $3 AND secret = $4 \
             AND state IN ('open', 'whole')";
        let query = sql(text).bind(self.me()).bind_each(ids(held.id())).bind(held.seal.clone());
        if query.execute(self.connection().await?).await? > 0 {
            self.drop_parts(held.id()).await?;
        }
        Ok(())
    }

    async fn drop_parts(&mut self, id: Id) -> Result<(), StoreError> {
        let text = "DELETE FROM case_attachment_part WHERE node = $1 AND case_id = $2 AND attachment = $3";
        sql(text).bind(self.me()).bind_each(ids(id)).execute(self.connection().await?).await?;
        Ok(())
    }

    async fn attached(&mut self, id: Id) -> Result<(), StoreError> {
        let text = "UPDATE case_attachment SET state = 'here' WHERE node = $1 AND case_id = $2 \
             AND attachment = $3 AND state = 'whole'";
        sql(text).bind(self.me()).bind_each(ids(id)).execute(self.connection().await?).await?;
        Ok(())
    }

    /// One that is here already, since the case comes back, is this node's again.
    async fn want(&mut self, case: CaseId, attachment: &Attachment, now: UnixMillis) -> Result<(), StoreError> {
        let secret = self.sealed_secret(case, attachment)?;
        let text = "INSERT INTO case_attachment (node, case_id, attachment, state, bytes, secret, at, source) \
             VALUES ($1, $2, $3, 'coming', $4, $5, $6, 0) ON CONFLICT (node, case_id, attachment) DO UPDATE SET \
             passed_at = NULL, source = 0, \
             state = CASE WHEN case_attachment.state = 'lost' THEN 'coming' ELSE case_attachment.state END";
        sql(text)
            .bind(self.me())
            .bind_each(ids((case, attachment.id)))
            .bind(i64::from(attachment.bytes))
            .bind(secret)
            .bind(now.0)
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    async fn turned(&mut self, id: Id, source: usize, at: UnixMillis) -> Result<(), StoreError> {
        let text = "UPDATE case_attachment SET source = $4, at = $5 WHERE node = $1 AND case_id = $2 AND attachment = $3 \
             AND state = 'coming'";
        let source = i64::try_from(source).unwrap_or(0);
        sql(text).bind(self.me()).bind_each(ids(id)).bind(source).bind(at.0).execute(self.connection().await?).await?;
        Ok(())
    }

    async fn come(&mut self, id: Id, to: State) -> Result<(), StoreError> {
        let text = "UPDATE case_attachment SET state = $4 WHERE node = $1 AND case_id = $2 AND attachment = $3 \
             AND state = 'coming'";
        sql(text).bind(self.me()).bind_each(ids(id)).bind(to.word()).execute(self.connection().await?).await?;
        Ok(())
    }

    async fn passed(&mut self, id: Id, now: UnixMillis) -> Result<(), StoreError> {
        let text = "UPDATE case_attachment SET passed_at = $4 WHERE node = $1 AND case_id = $2 AND attachment = $3";
        sql(text).bind(self.me()).bind_each(ids(id)).bind(now.0).execute(self.connection().await?).await?;
        self.let_attachments_go(id.0).await
    }

    /// Lets those of a case go whose names have lapsed here and which a later owner has.
    pub(in crate::store) async fn let_attachments_go(&mut self, case: CaseId) -> Result<(), StoreError> {
        self.drop_those(
            "SELECT attachment FROM case_attachment WHERE node = $1 AND case_id = $2 AND passed_at IS NOT NULL AND EXISTS \
             (SELECT 1 FROM case_paper p WHERE p.node = $1 AND p.case_id = $2 AND p.kind = 'lapse' AND p.open = 1)",
            case,
        )
        .await
    }

    /// Erases all of a case, uploads among them.
    pub(in crate::store) async fn erase_attachments(&mut self, case: CaseId) -> Result<(), StoreError> {
        self.drop_those("SELECT attachment FROM case_attachment WHERE node = $1 AND case_id = $2", case).await
    }

    async fn drop_those(&mut self, which: &'static str, case: CaseId) -> Result<(), StoreError> {
        let query = sql(which).bind(self.me()).bind(case.as_bytes().to_vec());
        for row in query.fetch_all(self.connection().await?).await? {
            let id = AttachmentId::from_bytes(id16("case_attachment", &row.try_get::<Vec<u8>>(0)?)?);
            self.drop_one((case, id)).await?;
        }
        Ok(())
    }

    async fn drop_one(&mut self, id: Id) -> Result<(), StoreError> {
        self.drop_parts(id).await?;
        let text = "DELETE FROM case_attachment WHERE node = $1 AND case_id = $2 AND attachment = $3";
        sql(text).bind(self.me()).bind_each(ids(id)).execute(self.connection().await?).await?;
        Ok(())
    }

    /// Drops uploads that were begun before a moment and never attached; how many.
    pub async fn prune_uploads(&mut self, before: UnixMillis) -> Result<u64, StoreError> {
        let text = "SELECT case_id, attachment FROM case_attachment WHERE node = $1 AND state IN ('open', 'whole') AND at < $2 \
                    ORDER BY at LIMIT 64";
        let rows = sql(text).bind(self.me()).bind(before.0).fetch_all(self.connection().await?).await?;
        for row in &rows {
            let (case, id): (Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            let case = CaseId::from_bytes(id16("case_attachment", &case)?);
            self.drop_one((case, AttachmentId::from_bytes(id16("case_attachment", &id)?))).await?;
        }
        Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
    }

    /// Keys of attachments; 0: nothing is left. Their parts stay as they are.
    pub async fn reseal_attachments(&mut self) -> Result<u32, StoreError> {
        let current = vec![sealed_with(self.vault.as_ref())?.current()];
        let text = "SELECT case_id, attachment, secret FROM case_attachment WHERE node = $1 AND substr(secret, 2, 1) <> $2 \
                    LIMIT $3";
        let query = sql(text).bind(self.me()).bind(current).bind(RESEALED);
        let rows = query.fetch_all(self.connection().await?).await?;
        for row in &rows {
            let (case, id, sealed): (Vec<u8>, Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let (vault, place) = (sealed_with(self.vault.as_ref())?, place(self.node.as_bytes(), &case, &id));
            let sealed = vault.seal(&place, &vault.open(&place, &sealed)?)?;
            let text = "UPDATE case_attachment SET secret = $4 WHERE node = $1 AND case_id = $2 AND attachment = $3";
            let query = sql(text).bind(self.me()).bind(case).bind(id).bind(sealed);
            query.execute(self.connection().await?).await?;
        }
        Ok(u32::try_from(rows.len()).unwrap_or(u32::MAX))
    }
}
