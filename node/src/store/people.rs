//! What is read of the people of a realm.

use casework::{Grant, Role, Scope};
use protocol::id::NodeId;
use protocol::time::UnixMillis;
use protocol::unit::UnitCode;

use super::persons::{AnsweredRow, subject};
use super::sql::{Row, sql};
use super::{Store, StoreError, division, id16};
use crate::person::change::Granted;
use crate::person::lockout::{Failures, Subject};
use crate::person::roles;

/// The reading side of a realm: the people who log in to a node, or to all nodes of a pack.
#[derive(Debug, Clone)]
pub struct People {
    realm: NodeId,
    store: Store,
}

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Log-in name.
    pub name: String,
    /// Name as shown to others.
    pub shown: String,
    /// Argon2id hash in PHC form.
    pub password: String,
    /// The next log-in asks for a new password first.
    pub must_change: bool,
    /// May not log in.
    pub disabled: bool,
    /// Secret of the second factor, sealed.
    pub totp: Option<Vec<u8>>,
    /// The second factor is asked for.
    pub totp_on: bool,
    /// Step of the last code taken.
    pub totp_last: i64,
    /// The last log-in.
    pub log_in_at: Option<UnixMillis>,
}

/// A session as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Hash of its token.
    pub token: Vec<u8>,
    /// The user.
    pub name: String,
    /// When it was opened.
    pub opened_at: UnixMillis,
    /// When it was last used, to the minute.
    pub seen_at: UnixMillis,
    /// When it ends at the latest.
    pub expires_at: UnixMillis,
    /// Where it was opened from.
    pub address: String,
    /// What it was opened with.
    pub agent: String,
}

/// A machine's token as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id.
    pub id: [u8; 16],
    /// Name as shown.
    pub name: String,
    /// What it may do, and where; none: a role that this version does not know.
    pub grant: Option<Grant>,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: UnixMillis,
    /// When it ends.
    pub expires_at: UnixMillis,
    /// When it was last used, to the minute.
    pub used_at: Option<UnixMillis>,
    /// When it was ended.
    pub revoked_at: Option<UnixMillis>,
}

const USER: &str = "name, shown, password, must_change, disabled, totp, totp_on, totp_last, log_in_at";

fn user_of(row: &Row) -> Result<UserRow, StoreError> {
    let log_in_at: Option<i64> = row.try_get(8)?;
    Ok(UserRow {
        name: row.try_get(0)?,
        shown: row.try_get(1)?,
        password: row.try_get(2)?,
        must_change: row.try_get(3)?,
        disabled: row.try_get(4)?,
        totp: row.try_get(5)?,
        totp_on: row.try_get(6)?,
        totp_last: row.try_get(7)?,
        log_in_at: log_in_at.map(UnixMillis),
    })
}

/// A role and its scope; a role that this version does not know gives no right.
fn grant_of(row: &Row, at: usize, table: &'static str) -> Result<Option<Grant>, StoreError> {
    let (role, place, unit): (String, i64, i64) = (row.try_get(at)?, row.try_get(at + 1)?, row.try_get(at + 2)?);
    let place = if place == 0 { None } else { Some(division(table, place)?) };
    let unit = u16::try_from(unit).map_err(|_| StoreError::damaged(table, "a number that is no unit"))?;
    let scope = Scope { division: place, unit: (unit != 0).then_some(UnitCode(unit)) };
    Ok(roles::parse(&role).map(|role: Role| Grant { role, scope }))
}

fn session_of(row: &Row) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        token: row.try_get(0)?,
        name: row.try_get(1)?,
        opened_at: UnixMillis(row.try_get(2)?),
        seen_at: UnixMillis(row.try_get(3)?),
        expires_at: UnixMillis(row.try_get(4)?),
        address: row.try_get(5)?,
        agent: row.try_get(6)?,
    })
}

fn token_of(row: &Row) -> Result<TokenRow, StoreError> {
    let id: Vec<u8> = row.try_get(0)?;
    let (used, revoked): (Option<i64>, Option<i64>) = (row.try_get(8)?, row.try_get(9)?);
    Ok(TokenRow {
        id: id16("person_token", &id)?,
        name: row.try_get(1)?,
        grant: grant_of(row, 2, "person_token")?,
        made_by: row.try_get(5)?,
        made_at: UnixMillis(row.try_get(6)?),
        expires_at: UnixMillis(row.try_get(7)?),
        used_at: used.map(UnixMillis),
        revoked_at: revoked.map(UnixMillis),
    })
}

const TOKEN: &str = "id, name, role, division, unit, made_by, made_at, expires_at, used_at, revoked_at";

impl Store {
    /// The people of a realm whose tables are in this database.
    pub fn people(&self, realm: NodeId) -> People {
        People { realm, store: self.clone() }
    }

    /// The answer given to an earlier request with this key.
    pub async fn answered(&self, name: &str, key: &str) -> Result<Option<AnsweredRow>, StoreError> {
        let row = sql("SELECT request, status, body FROM answered WHERE node = $1 AND name = $2 AND key = $3")
            .bind(self.me())
            .bind(name)
            .bind(key)
            .fetch_optional(&mut self.read().await?)
            .await?;
        row.map(|r| {
            let status: i64 = r.try_get(1)?;
            Ok(AnsweredRow {
                request: r.try_get(0)?,
                status: u16::try_from(status).unwrap_or(500),
                body: r.try_get(2)?,
            })
        })
        .transpose()
    }
}

impl People {
    /// Which realm.
    pub fn realm(&self) -> NodeId {
        self.realm
    }

    fn me(&self) -> Vec<u8> {
        self.realm.as_bytes().to_vec()
    }

    /// A user by log-in name.
    pub async fn user(&self, name: &str) -> Result<Option<UserRow>, StoreError> {
        let text = format!("SELECT {USER} FROM person_account WHERE realm = $1 AND name = $2");
        let row = sql(sqlx::AssertSqlSafe(text))
            .bind(self.me())
            .bind(name)
            .fetch_optional(&mut self.store.read().await?)
            .await?;
        row.as_ref().map(user_of).transpose()
    }

    /// All users.
    pub async fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        let text = format!("SELECT {USER} FROM person_account WHERE realm = $1 ORDER BY name");
        let rows = sql(sqlx::AssertSqlSafe(text)).bind(self.me()).fetch_all(&mut self.store.read().await?).await?;
        rows.iter().map(user_of).collect()
    }

    /// The grants of a user, those of other times too.
    pub async fn grants(&self, name: &str) -> Result<Vec<Granted>, StoreError> {
        Ok(self.grant_rows(Some(name)).await?.into_iter().map(|(_, granted)| granted).collect())
    }

    /// The grants of everybody, by name.
    pub async fn all_grants(&self) -> Result<Vec<(String, Granted)>, StoreError> {
        self.grant_rows(None).await
    }

    async fn grant_rows(&self, name: Option<&str>) -> Result<Vec<(String, Granted)>, StoreError> {
        let rows = sql("SELECT name, role, division, unit, instead_of, since, until FROM person_grant \
             WHERE realm = $1 AND ($2 = '' OR name = $2) ORDER BY name, role, division, unit, instead_of")
        .bind(self.me())
        .bind(name.unwrap_or_default())
        .fetch_all(&mut self.store.read().await?)
        .await?;
        let mut found = Vec::new();
        for row in &rows {
            let Some(grant) = grant_of(row, 1, "person_grant")? else { continue };
            let until: i64 = row.try_get(6)?;
            let granted = Granted {
                grant,
                instead_of: row.try_get(4)?,
                since: UnixMillis(row.try_get(5)?),
                until: (until != 0).then_some(UnixMillis(until)),
            };
            found.push((row.try_get(0)?, granted));
        }
        Ok(found)
    }

    /// A session by the hash of its token, if it was used since `seen_after` and has not ended.
    pub async fn session(
        &self,
        token: [u8; 32],
        now: UnixMillis,
        seen_after: UnixMillis,
    ) -> Result<Option<SessionRow>, StoreError> {
        let row = sql("SELECT token, name, opened_at, seen_at, expires_at, address, agent FROM person_session \
             WHERE realm = $1 AND token = $2 AND expires_at > $3 AND seen_at > $4")
        .bind(self.me())
        .bind(token.to_vec())
        .bind(now.0)
        .bind(seen_after.0)
        .fetch_optional(&mut self.store.read().await?)
        .await?;
        row.as_ref().map(session_of).transpose()
    }

    /// The sessions of a user, the latest first.
    pub async fn sessions(&self, name: &str) -> Result<Vec<SessionRow>, StoreError> {
        let rows = sql("SELECT token, name, opened_at, seen_at, expires_at, address, agent FROM person_session \
             WHERE realm = $1 AND name = $2 ORDER BY opened_at DESC")
        .bind(self.me())
        .bind(name)
        .fetch_all(&mut self.store.read().await?)
        .await?;
        rows.iter().map(session_of).collect()
    }

    /// Whether a recovery code of a user is unused.
    pub async fn recovery(&self, name: &str, code: [u8; 32]) -> Result<bool, StoreError> {
        let row = sql("SELECT 1 FROM person_recovery WHERE realm = $1 AND name = $2 AND code = $3")
            .bind(self.me())
            .bind(name)
            .bind(code.to_vec())
            .fetch_optional(&mut self.store.read().await?)
            .await?;
        Ok(row.is_some())
    }

    /// Failures of a name or an address.
    pub async fn failures(&self, kind: Subject, text: &str) -> Result<Failures, StoreError> {
        let row = sql("SELECT count, last_at FROM person_failure WHERE realm = $1 AND kind = $2 AND subject = $3")
            .bind(self.me())
            .bind(kind.word())
            .bind(subject(text))
            .fetch_optional(&mut self.store.read().await?)
            .await?;
        let Some(row) = row else { return Ok(Failures::default()) };
        let count: i64 = row.try_get(0)?;
        Ok(Failures { count: u32::try_from(count).unwrap_or(u32::MAX), last: UnixMillis(row.try_get(1)?) })
    }

    /// A machine's token by its hash, whether it still holds or not.
    pub async fn token(&self, token: [u8; 32]) -> Result<Option<TokenRow>, StoreError> {
        let text = format!("SELECT {TOKEN} FROM person_token WHERE realm = $1 AND token = $2");
        let row = sql(sqlx::AssertSqlSafe(text))
            .bind(self.me())
            .bind(token.to_vec())
            .fetch_optional(&mut self.store.read().await?)
            .await?;
        row.as_ref().map(token_of).transpose()
    }

    /// All tokens, the latest first.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let text = format!("SELECT {TOKEN} FROM person_token WHERE realm = $1 ORDER BY made_at DESC, id");
        let rows = sql(sqlx::AssertSqlSafe(text)).bind(self.me()).fetch_all(&mut self.store.read().await?).await?;
        rows.iter().map(token_of).collect()
    }
}
