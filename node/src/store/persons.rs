//! What is changed of people, their sessions and tokens; and answered requests.

use casework::Grant;
use protocol::id::NodeId;
use protocol::time::UnixMillis;

use super::sql::sql;
use super::{StoreError, WriteStore, division_number};
use crate::person::change::{Change, Granted, NewToken, OpenSession, PutUser};
use crate::person::lockout::{Failures, MEMORY_MS, REMEMBERED_MAX, Subject};
use crate::person::roles;

/// Longest name or address that failures are counted for, in characters.
const SUBJECT_CHARS_MAX: usize = 60;

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

/// A subject of failures as it stands in its column.
pub(super) fn subject(text: &str) -> String {
    text.chars().take(SUBJECT_CHARS_MAX).collect()
}

pub(super) fn realm(realm: NodeId) -> Vec<u8> {
    realm.as_bytes().to_vec()
}

impl WriteStore {
    /// Makes one change to the people of a realm. Each kind of change is a future of its own on the heap: together they would
    /// make the writer's turn too large for a stack.
    pub async fn change_people(&mut self, of: NodeId, change: &Change, now: UnixMillis) -> Result<(), StoreError> {
        match change {
            Change::PutUser(user) => Box::pin(self.put_user(of, user, now)).await,
            Change::SetPassword { name, password, must_change, keep } => {
                sql("UPDATE person_account SET password = $3, must_change = $4 WHERE realm = $1 AND name = $2")
                    .bind(realm(of))
                    .bind(name.as_str())
                    .bind(password.as_str())
                    .bind(*must_change)
                    .execute(self.connection().await?)
                    .await?;
                self.drop_sessions(of, name, *keep).await
            }
            Change::SetTotp { name, secret, on, last, recovery } => {
                Box::pin(self.set_totp(of, name, secret.as_deref(), (*on, *last), recovery)).await
            }
            Change::OpenSession(session) => Box::pin(self.open_session(of, session, now)).await,
            Change::SeenSession(token) => {
                sql("UPDATE person_session SET seen_at = $3 WHERE realm = $1 AND token = $2")
                    .bind(realm(of))
                    .bind(token.to_vec())
                    .bind(now.0)
                    .execute(self.connection().await?)
                    .await?;
                Ok(())
            }
            Change::DropSession(token) => {
                sql("DELETE FROM person_session WHERE realm = $1 AND token = $2")
                    .bind(realm(of))
                    .bind(token.to_vec())
                    .execute(self.connection().await?)
                    .await?;
                Ok(())
            }
            Change::DropSessions(name) => Box::pin(self.drop_sessions(of, name, None)).await,
            Change::Failed { name, address } => {
                self.count_failure(of, Subject::Name, name, now).await?;
                if !address.is_empty() {
                    self.count_failure(of, Subject::Address, address, now).await?;
                }
                self.forget_failures(of, now, REMEMBERED_MAX).await
            }
            Change::Unlock(name) => Box::pin(self.unlock(of, name)).await,
            Change::PutToken(token) => Box::pin(self.put_machine_token(of, token, now)).await,
            Change::SeenToken(token) => {
                sql("UPDATE person_token SET used_at = $3 WHERE realm = $1 AND token = $2")
                    .bind(realm(of))
                    .bind(token.to_vec())
                    .bind(now.0)
                    .execute(self.connection().await?)
                    .await?;
                Ok(())
            }
            Change::RevokeToken(id) => {
                sql("UPDATE person_token SET revoked_at = $3 WHERE realm = $1 AND id = $2 AND revoked_at IS NULL")
                    .bind(realm(of))
                    .bind(id.to_vec())
                    .bind(now.0)
                    .execute(self.connection().await?)
                    .await?;
                Ok(())
            }
            Change::StandIn { name, instead_of, grants } => Box::pin(self.stand_in(of, name, instead_of, grants)).await,
            Change::Leave(name) => Box::pin(self.leave(of, name)).await,
        }
    }

    async fn put_user(&mut self, of: NodeId, user: &PutUser, now: UnixMillis) -> Result<(), StoreError> {
        // A user without a password has an empty hash, which nothing fits.
        sql("INSERT INTO person_account (realm, name, shown, password, must_change, disabled, totp, totp_on, totp_last, \
             created_at, log_in_at) VALUES ($1, $2, $3, $4, $5, $6, NULL, 0, 0, $7, NULL) \
             ON CONFLICT (realm, name) DO UPDATE SET shown = excluded.shown, disabled = excluded.disabled")
        .bind(realm(of))
        .bind(user.name.as_str())
        .bind(user.shown.as_str())
        .bind(user.password.clone().unwrap_or_default())
        .bind(user.must_change)
        .bind(user.disabled)
        .bind(now.0)
        .execute(self.connection().await?)
        .await?;
        if let Some(password) = &user.password {
            sql("UPDATE person_account SET password = $3, must_change = $4 WHERE realm = $1 AND name = $2")
                .bind(realm(of))
                .bind(user.name.as_str())
                .bind(password.as_str())
                .bind(user.must_change)
                .execute(self.connection().await?)
                .await?;
        }
        if user.disabled || user.password.is_some() {
            self.drop_sessions(of, &user.name, None).await?;
        }
        if let Some(grants) = &user.grants {
            sql("DELETE FROM person_grant WHERE realm = $1 AND name = $2 AND instead_of = ''")
                .bind(realm(of))
                .bind(user.name.as_str())
                .execute(self.connection().await?)
                .await?;
            for grant in grants {
                self.put_grant(of, &user.name, &Granted::own(*grant)).await?;
            }
        }
        Ok(())
    }

    async fn put_grant(&mut self, of: NodeId, name: &str, granted: &Granted) -> Result<(), StoreError> {
        let Grant { role, scope } = granted.grant;
        sql("INSERT INTO person_grant (realm, name, role, division, unit, instead_of, since, until) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (realm, name, role, division, unit, instead_of) \
             DO UPDATE SET since = excluded.since, until = excluded.until")
        .bind(realm(of))
        .bind(name)
        .bind(roles::name(role))
        .bind(scope.division.map_or(0, division_number))
        .bind(scope.unit.map_or(0, |unit| i64::from(unit.0)))
        .bind(granted.instead_of.as_str())
        .bind(granted.since.0)
        .bind(granted.until.map_or(0, |until| until.0))
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    async fn set_totp(
        &mut self,
        of: NodeId,
        name: &str,
        secret: Option<&[u8]>,
        (on, last): (bool, i64),
        recovery: &[[u8; 32]],
    ) -> Result<(), StoreError> {
        sql("UPDATE person_account SET totp = $3, totp_on = $4, totp_last = $5 WHERE realm = $1 AND name = $2")
            .bind(realm(of))
            .bind(name)
            .bind(secret.map(<[u8]>::to_vec))
            .bind(on)
            .bind(last)
            .execute(self.connection().await?)
            .await?;
        sql("DELETE FROM person_recovery WHERE realm = $1 AND name = $2")
            .bind(realm(of))
            .bind(name)
            .execute(self.connection().await?)
            .await?;
        for code in recovery {
            sql("INSERT INTO person_recovery (realm, name, code) VALUES ($1, $2, $3)")
                .bind(realm(of))
                .bind(name)
                .bind(code.to_vec())
                .execute(self.connection().await?)
                .await?;
        }
        Ok(())
    }

    async fn open_session(&mut self, of: NodeId, session: &OpenSession, now: UnixMillis) -> Result<(), StoreError> {
        sql("DELETE FROM person_session WHERE realm = $1 AND expires_at < $2")
            .bind(realm(of))
            .bind(now.0)
            .execute(self.connection().await?)
            .await?;
        sql("INSERT INTO person_session (realm, token, name, opened_at, seen_at, expires_at, address, agent) \
             VALUES ($1, $2, $3, $4, $4, $5, $6, $7)")
        .bind(realm(of))
        .bind(session.token.to_vec())
        .bind(session.name.as_str())
        .bind(now.0)
        .bind(session.expires.0)
        .bind(session.address.as_str())
        .bind(session.agent.as_str())
        .execute(self.connection().await?)
        .await?;
        sql(
            "UPDATE person_account SET log_in_at = $3, totp_last = CASE WHEN $4 > totp_last THEN $4 ELSE totp_last END \
             WHERE realm = $1 AND name = $2",
        )
        .bind(realm(of))
        .bind(session.name.as_str())
        .bind(now.0)
        .bind(session.totp_step.unwrap_or(0))
        .execute(self.connection().await?)
        .await?;
        if let Some(code) = session.recovery {
            sql("DELETE FROM person_recovery WHERE realm = $1 AND name = $2 AND code = $3")
                .bind(realm(of))
                .bind(session.name.as_str())
                .bind(code.to_vec())
                .execute(self.connection().await?)
                .await?;
        }
        self.unlock(of, &session.name).await
    }

    async fn drop_sessions(&mut self, of: NodeId, name: &str, keep: Option<[u8; 32]>) -> Result<(), StoreError> {
        sql("DELETE FROM person_session WHERE realm = $1 AND name = $2 AND token <> $3")
            .bind(realm(of))
            .bind(name)
            .bind(keep.map_or_else(Vec::new, |token| token.to_vec()))
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    async fn count_failure(
        &mut self,
        of: NodeId,
        kind: Subject,
        text: &str,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let row = sql("SELECT count, last_at FROM person_failure WHERE realm = $1 AND kind = $2 AND subject = $3")
            .bind(realm(of))
            .bind(kind.word())
            .bind(subject(text))
            .fetch_optional(self.connection().await?)
            .await?;
        let before = match row {
            Some(row) => {
                let count: i64 = row.try_get(0)?;
                Failures { count: u32::try_from(count).unwrap_or(u32::MAX), last: UnixMillis(row.try_get(1)?) }
            }
            None => Failures::default(),
        };
        let after = before.and(now);
        sql("INSERT INTO person_failure (realm, kind, subject, count, last_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (realm, kind, subject) DO UPDATE SET count = excluded.count, last_at = excluded.last_at")
        .bind(realm(of))
        .bind(kind.word())
        .bind(subject(text))
        .bind(i64::from(after.count))
        .bind(after.last.0)
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    /// Failures of yesterday go, and the oldest beyond the bound.
    async fn forget_failures(&mut self, of: NodeId, now: UnixMillis, most: u32) -> Result<(), StoreError> {
        sql("DELETE FROM person_failure WHERE realm = $1 AND last_at < $2")
            .bind(realm(of))
            .bind(now.0.saturating_sub(MEMORY_MS))
            .execute(self.connection().await?)
            .await?;
        sql("DELETE FROM person_failure WHERE realm = $1 AND last_at < (SELECT last_at FROM person_failure \
             WHERE realm = $1 ORDER BY last_at DESC LIMIT 1 OFFSET $2)")
        .bind(realm(of))
        .bind(i64::from(most.saturating_sub(1)))
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    async fn unlock(&mut self, of: NodeId, name: &str) -> Result<(), StoreError> {
        sql("DELETE FROM person_failure WHERE realm = $1 AND kind = $2 AND subject = $3")
            .bind(realm(of))
            .bind(Subject::Name.word())
            .bind(subject(name))
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    async fn put_machine_token(&mut self, of: NodeId, token: &NewToken, now: UnixMillis) -> Result<(), StoreError> {
        let Grant { role, scope } = token.grant;
        sql("INSERT INTO person_token (realm, id, token, name, role, division, unit, made_by, made_at, expires_at, used_at, \
             revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL, NULL)")
        .bind(realm(of))
        .bind(token.id.to_vec())
        .bind(token.token.to_vec())
        .bind(token.name.as_str())
        .bind(roles::name(role))
        .bind(scope.division.map_or(0, division_number))
        .bind(scope.unit.map_or(0, |unit| i64::from(unit.0)))
        .bind(token.made_by.as_str())
        .bind(now.0)
        .bind(token.expires.0)
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }

    async fn stand_in(
        &mut self,
        of: NodeId,
        name: &str,
        instead_of: &str,
        grants: &[Granted],
    ) -> Result<(), StoreError> {
        sql("DELETE FROM person_grant WHERE realm = $1 AND instead_of = $2")
            .bind(realm(of))
            .bind(instead_of)
            .execute(self.connection().await?)
            .await?;
        for granted in grants {
            self.put_grant(of, name, granted).await?;
        }
        Ok(())
    }

    async fn leave(&mut self, of: NodeId, name: &str) -> Result<(), StoreError> {
        sql("UPDATE person_account SET disabled = 1 WHERE realm = $1 AND name = $2")
            .bind(realm(of))
            .bind(name)
            .execute(self.connection().await?)
            .await?;
        sql("DELETE FROM person_grant WHERE realm = $1 AND name = $2")
            .bind(realm(of))
            .bind(name)
            .execute(self.connection().await?)
            .await?;
        self.drop_sessions(of, name, None).await
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
        .bind(name)
        .bind(key)
        .bind(answer.request.clone())
        .bind(i64::from(answer.status))
        .bind(answer.body.clone())
        .bind(now.0)
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_longer_than_any_is_cut_where_failures_are_counted() {
        let long = "长".repeat(SUBJECT_CHARS_MAX + 5);
        assert_eq!(subject(&long), "长".repeat(SUBJECT_CHARS_MAX));
        assert_eq!(subject("wang"), "wang");
    }

    #[tokio::test]
    async fn beyond_the_bound_the_oldest_failures_are_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = super::super::Place::File(folder.path().join("node.db"));
        let me = NodeId::from_bytes([7; 16]);
        let (store, mut write) = super::super::open(&place, me).await.expect("a database");
        for (at, name) in ["first", "second", "third"].into_iter().enumerate() {
            let now = UnixMillis(at as i64);
            write.count_failure(me, Subject::Name, name, now).await.expect("counted");
        }
        write.forget_failures(me, UnixMillis(3), 2).await.expect("forgotten");
        let people = store.people(me);
        for (name, count) in [("first", 0), ("second", 1), ("third", 1)] {
            assert_eq!(people.failures(Subject::Name, name).await.expect("read").count, count, "{name}");
        }
    }
}
