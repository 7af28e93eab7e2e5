//! Attachments of cases in rows: what is known of each, and its bytes part by part.

mod change;

use std::sync::Arc;

use protocol::id::{AttachmentId, CaseId};

use super::person_parts::sealed_with;
use super::sql::{Connection, Row, sql};
use super::{Store, StoreError, WriteStore, id16};
use crate::attachment::key::Secret;
use crate::attachment::whole::{Check, Verdict};
use crate::person::vault::Vault;

pub use self::change::{Bounds, Change};

/// How far an attachment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Parts are being uploaded.
    Open,
    /// All parts are here and right; it waits for its case.
    Whole,
    /// Of an event of its case, and here.
    Here,
    /// Of an event of its case, and on its way from a former owner.
    Coming,
    /// Nobody who had the case has it any more.
    Lost,
}

impl State {
    /// The word of the column and of the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Whole => "whole",
            Self::Here => "here",
            Self::Coming => "coming",
            Self::Lost => "lost",
        }
    }

    fn of(word: &str) -> Result<Self, StoreError> {
        let all = [Self::Open, Self::Whole, Self::Here, Self::Coming, Self::Lost];
        let found = all.into_iter().find(|state| state.word() == word);
        found.ok_or_else(|| StoreError::damaged("case_attachment", format!("unknown state {word}")))
    }
}

/// An attachment as its row tells it.
#[derive(Debug, Clone)]
pub struct Held {
    /// Its case.
    pub case: CaseId,
    /// What it is, with its key.
    pub secret: Secret,
    /// The secret as it is sealed: another upload under the same id has another.
    pub seal: Vec<u8>,
    /// How far it is.
    pub state: State,
    /// Who uploads it.
    pub by: Option<String>,
    /// Which former owner is asked.
    pub source: usize,
}

/// What a case has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// Attachments.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What a secret is sealed for.
fn place(node: &[u8], case: &[u8], attachment: &[u8]) -> Vec<u8> {
    [b"attachment".as_slice(), node, case, attachment].concat()
}

/// One attachment.
type Id = (CaseId, AttachmentId);

fn ids((case, attachment): Id) -> [Vec<u8>; 2] {
    [case.as_bytes().to_vec(), attachment.as_bytes().to_vec()]
}

/// Looks at a node's attachments, within the writer's transaction or beside it.
struct Look<'c> {
    connection: &'c mut Connection,
    me: Vec<u8>,
    vault: Option<Arc<Vault>>,
}

impl Look<'_> {
    fn opened(&self, row: &Row) -> Result<Held, StoreError> {
        let damaged = |what: &str| StoreError::damaged("case_attachment", what);
        let (case, attachment): (Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        let seal: Vec<u8> = row.try_get(3)?;
        let plain = sealed_with(self.vault.as_ref())?.open(&place(&self.me, &case, &attachment), &seal)?;
        Ok(Held {
            case: CaseId::from_bytes(id16("case_attachment", &case)?),
            secret: Secret::from_bytes(&plain).ok_or_else(|| damaged("a secret that is none"))?,
            seal,
            state: State::of(&row.try_get::<String>(2)?)?,
            by: row.try_get(4)?,
            source: usize::try_from(row.try_get::<i64>(5)?).unwrap_or(0),
        })
    }

    async fn one(&mut self, id: Id) -> Result<Option<Held>, StoreError> {
        let me = self.me.clone();
        let text = "SELECT case_id, attachment, state, secret, by_user, source FROM case_attachment \
                    WHERE node = $1 AND case_id = $2 AND attachment = $3";
        let row = sql(text).bind(me).bind_each(ids(id)).fetch_optional(self.connection).await?;
        row.map(|row| self.opened(&row)).transpose()
    }

    async fn of_case(&mut self, case: CaseId) -> Result<Vec<Held>, StoreError> {
        let me = self.me.clone();
        let text = "SELECT case_id, attachment, state, secret, by_user, source FROM case_attachment \
                    WHERE node = $1 AND case_id = $2 ORDER BY at, attachment";
        let rows = sql(text).bind(me).bind(case.as_bytes().to_vec()).fetch_all(self.connection).await?;
        rows.iter().map(|row| self.opened(row)).collect()
    }

    /// The parts that are here.
    async fn numbers(&mut self, id: Id) -> Result<Vec<u16>, StoreError> {
        let me = self.me.clone();
        let text = "SELECT number FROM case_attachment_part WHERE node = $1 AND case_id = $2 AND attachment = $3 \
                    ORDER BY number";
        let rows = sql(text).bind(me).bind_each(ids(id)).fetch_all(self.connection).await?;
        rows.iter().map(|row| Ok(u16::try_from(row.try_get::<i64>(0)?).unwrap_or(u16::MAX))).collect()
    }

    async fn part(&mut self, held: &Held, number: u16) -> Result<Option<Vec<u8>>, StoreError> {
        let me = self.me.clone();
        let text = "SELECT content FROM case_attachment_part WHERE node = $1 AND case_id = $2 AND attachment = $3 \
                    AND number = $4";
        let query = sql(text).bind(me).bind_each(ids(held.id())).bind(i64::from(number));
        let Some(row) = query.fetch_optional(self.connection).await? else { return Ok(None) };
        Ok(Some(held.secret.open(number, &row.try_get::<Vec<u8>>(0)?)?))
    }

    async fn verdict(&mut self, held: &Held) -> Result<Verdict, StoreError> {
        let mut check = Check::of(&held.secret.attachment);
        for number in 0..held.secret.attachment.parts() {
            match self.part(held, number).await? {
                Some(part) => check.take(&part),
                None => return Ok(Verdict::OtherBytes),
            }
        }
        Ok(check.end())
    }
}

impl Held {
    /// Which it is.
    pub fn id(&self) -> (CaseId, AttachmentId) {
        (self.case, self.secret.attachment.id)
    }

    /// The parts that are not among some that are here.
    pub fn missing(&self, here: &[u16]) -> Vec<u16> {
        (0..self.secret.attachment.parts()).filter(|number| here.binary_search(number).is_err()).collect()
    }
}

impl Store {
    /// One attachment, whatever its state.
    pub async fn attachment(&self, case: CaseId, id: AttachmentId) -> Result<Option<Held>, StoreError> {
        let mut connection = self.read().await?;
        self.look(&mut connection).one((case, id)).await
    }

    /// All of a case, uploads among them, and how many of the parts of each are here.
    pub async fn attachments(&self, case: CaseId) -> Result<Vec<(Held, u16)>, StoreError> {
        let mut connection = self.read().await?;
        let mut look = self.look(&mut connection);
        let mut all = Vec::new();
        for held in look.of_case(case).await? {
            let here = match held.state {
                State::Open | State::Coming => u16::try_from(look.numbers(held.id()).await?.len()).unwrap_or(u16::MAX),
                State::Whole | State::Here => held.secret.attachment.parts(),
                State::Lost => 0,
            };
            all.push((held, here));
        }
        Ok(all)
    }

    /// The parts of one that are here, in order.
    pub async fn attachment_parts(&self, held: &Held) -> Result<Vec<u16>, StoreError> {
        let mut connection = self.read().await?;
        self.look(&mut connection).numbers(held.id()).await
    }

    /// A part of one as it was, if it is here.
    pub async fn attachment_part(&self, held: &Held, number: u16) -> Result<Option<Vec<u8>>, StoreError> {
        let mut connection = self.read().await?;
        self.look(&mut connection).part(held, number).await
    }

    /// Whether all parts of one are here and what they should be.
    pub async fn attachment_verdict(&self, held: &Held) -> Result<Verdict, StoreError> {
        let mut connection = self.read().await?;
        self.look(&mut connection).verdict(held).await
    }

    /// What a user uploads under an id, or has uploaded.
    pub async fn upload(&self, user: &str, id: AttachmentId) -> Result<Option<Held>, StoreError> {
        let text = "SELECT case_id, attachment, state, secret, by_user, source FROM case_attachment \
                    WHERE node = $1 AND by_user = $2 AND attachment = $3 ORDER BY at LIMIT 1";
        let mut connection = self.read().await?;
        let query = sql(text).bind(self.me()).bind(user).bind(id.as_bytes().to_vec());
        let row = query.fetch_optional(&mut connection).await?;
        row.map(|row| self.look(&mut connection).opened(&row)).transpose()
    }

    /// What a user uploads that is not attached.
    pub async fn uploads_of(&self, user: &str) -> Result<u64, StoreError> {
        let text = "SELECT count(*) FROM case_attachment WHERE node = $1 AND by_user = $2 \
                    AND state IN ('open', 'whole')";
        let row = sql(text).bind(self.me()).bind(user).fetch_one(&mut self.read().await?).await?;
        Ok(u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0))
    }

    /// What a case has, uploads among it.
    pub async fn attached_to(&self, case: CaseId) -> Result<Sum, StoreError> {
        let text = "SELECT count(*), CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM case_attachment \
                    WHERE node = $1 AND case_id = $2";
        let query = sql(text).bind(self.me()).bind(case.as_bytes().to_vec());
        sum(&query.fetch_one(&mut self.read().await?).await?)
    }

    /// How many there are in a state, and their bytes: for an operator.
    pub async fn attachments_in(&self, state: State) -> Result<Sum, StoreError> {
        let text = "SELECT count(*), CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM case_attachment \
                    WHERE node = $1 AND state = $2";
        let query = sql(text).bind(self.me()).bind(state.word());
        sum(&query.fetch_one(&mut self.read().await?).await?)
    }

    fn look<'c>(&self, connection: &'c mut Connection) -> Look<'c> {
        Look { connection, me: self.me(), vault: self.vault.clone() }
    }
}

fn sum(row: &Row) -> Result<Sum, StoreError> {
    let number = |at| Ok::<_, StoreError>(u64::try_from(row.try_get::<i64>(at)?).unwrap_or(0));
    Ok(Sum { count: number(0)?, bytes: number(1)? })
}

impl WriteStore {
    async fn look(&mut self) -> Result<Look<'_>, StoreError> {
        let (me, vault) = (self.me(), self.vault.clone());
        Ok(Look { connection: self.connection().await?, me, vault })
    }

    /// One attachment, whatever its state.
    pub async fn attachment(&mut self, case: CaseId, id: AttachmentId) -> Result<Option<Held>, StoreError> {
        self.look().await?.one((case, id)).await
    }

    /// The parts of one that are here, in order.
    pub async fn attachment_parts(&mut self, held: &Held) -> Result<Vec<u16>, StoreError> {
        self.look().await?.numbers(held.id()).await
    }

    /// A part of one as it was, if it is here.
    pub async fn attachment_part(&mut self, held: &Held, number: u16) -> Result<Option<Vec<u8>>, StoreError> {
        self.look().await?.part(held, number).await
    }

    /// Whether all parts of one are here and what they should be.
    pub async fn attachment_verdict(&mut self, held: &Held) -> Result<Verdict, StoreError> {
        self.look().await?.verdict(held).await
    }

    /// Of those that come the one whose turn it is.
    pub async fn next_coming(&mut self) -> Result<Option<Held>, StoreError> {
        let text = "SELECT case_id, attachment, state, secret, by_user, source FROM case_attachment \
                    WHERE node = $1 AND state = 'coming' ORDER BY at, case_id, attachment LIMIT 1";
        let look = self.look().await?;
        let me = look.me.clone();
        let row = sql(text).bind(me).fetch_optional(&mut *look.connection).await?;
        row.map(|row| look.opened(&row)).transpose()
    }
}
