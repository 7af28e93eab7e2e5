//! Users, sessions and answered requests.

use protocol::time::UnixMillis;

use super::sql::{Row, sql};
use super::{Store, StoreError, WriteStore};

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Log-in name.
    pub name: String,
    /// Name as shown to others.
    pub shown: String,
    /// Role names, separated by blanks.
    pub roles: String,
    /// Argon2id hash in PHC form.
    pub password: String,
    /// May not log in.
    pub disabled: bool,
}

/// The answer that was given to a request with an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredRow {
    /// Hash of the request.
    pub request: Vec<u8>,
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

fn user_of(row: &Row) -> Result<UserRow, StoreError> {
    Ok(UserRow {
        name: row.try_get(0)?,
        shown: row.try_get(1)?,
        roles: row.try_get(2)?,
        password: row.try_get(3)?,
        disabled: row.try_get(4)?,
    })
}

impl WriteStore {
    /// Makes a user or changes one.
    pub async fn put_user(&mut self, user: &UserRow, now: UnixMillis) -> Result<(), StoreError> {
        sql(
            "INSERT INTO person_user (node, name, shown, roles, password, disabled, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (node, name) DO UPDATE SET \
             shown = excluded.shown, roles = excluded.roles, password = excluded.password, disabled = excluded.disabled",
        )
        .bind(self.me())
        .bind(user.name.clone())
        .bind(user.shown.clone())
        .bind(user.roles.clone())
        .bind(user.password.clone())
        .bind(user.disabled)
        .bind(now.0)
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// Opens a session; ended ones go at the same time.
    pub async fn put_session(
        &mut self,
        token: [u8; 32],
        name: &str,
        expires: UnixMillis,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        sql("DELETE FROM person_session WHERE node = $1 AND expires_at < $2")
            .bind(self.me())
            .bind(now.0)
            .execute(self.connection().await?)
            .await?;
        sql("INSERT INTO person_session (node, token, name, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(self.me())
            .bind(token.to_vec())
            .bind(name.to_owned())
            .bind(expires.0)
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// Ends a session.
    pub async fn drop_session(&mut self, token: [u8; 32]) -> Result<(), StoreError> {
        sql("DELETE FROM person_session WHERE node = $1 AND token = $2")
            .bind(self.me())
            .bind(token.to_vec())
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// Keeps the answer to a request; those older than `before` go at the same time.
    pub async fn put_answered(
        &mut self,
        name: &str,
        key: &str,
        answer: &AnsweredRow,
        now: UnixMillis,
        before: UnixMillis,
    ) -> Result<(), StoreError> {
        sql("DELETE FROM answered WHERE node = $1 AND at < $2")
            .bind(self.me())
            .bind(before.0)
            .execute(self.connection().await?)
            .await?;
        sql("INSERT INTO answered (node, name, key, request, status, body, at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (node, name, key) DO NOTHING")
        .bind(self.me())
        .bind(name.to_owned())
        .bind(key.to_owned())
        .bind(answer.request.clone())
        .bind(i64::from(answer.status))
        .bind(answer.body.clone())
        .bind(now.0)
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }
}

impl Store {
    /// A user by log-in name.
    pub async fn user(&self, name: &str) -> Result<Option<UserRow>, StoreError> {
        let row = sql("SELECT name, shown, roles, password, disabled FROM person_user WHERE node = $1 AND name = $2")
            .bind(self.me())
            .bind(name.to_owned())
            .fetch_optional(&mut self.read().await?)
            .await?;
        row.as_ref().map(user_of).transpose()
    }

    /// All users.
    pub async fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        let rows = sql("SELECT name, shown, roles, password, disabled FROM person_user WHERE node = $1 ORDER BY name")
            .bind(self.me())
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.iter().map(user_of).collect()
    }

    /// The user of a session that has not ended.
    pub async fn session(&self, token: [u8; 32], now: UnixMillis) -> Result<Option<UserRow>, StoreError> {
        let row = sql("SELECT u.name, u.shown, u.roles, u.password, u.disabled FROM person_session s \
             JOIN person_user u ON u.node = s.node AND u.name = s.name \
             WHERE s.node = $1 AND s.token = $2 AND s.expires_at > $3 AND u.disabled = 0")
        .bind(self.me())
        .bind(token.to_vec())
        .bind(now.0)
        .fetch_optional(&mut self.read().await?)
        .await?;
        row.as_ref().map(user_of).transpose()
    }

    /// The answer given to an earlier request with this key.
    pub async fn answered(&self, name: &str, key: &str) -> Result<Option<AnsweredRow>, StoreError> {
        let row = sql("SELECT request, status, body FROM answered WHERE node = $1 AND name = $2 AND key = $3")
            .bind(self.me())
            .bind(name.to_owned())
            .bind(key.to_owned())
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
