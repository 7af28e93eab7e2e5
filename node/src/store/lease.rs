//! Which process writes a node whose rows are on a server.
//!
//! A row says who: its number is checked by every transaction of the writer, inside the transaction, so a process whose
//! lease was taken over can commit nothing, whatever it believes. The row is renewed once a second by the clock of the
//! server; no clock of a process counts. A second process may take the lease when it was not renewed for
//! [`LEASE_MS`], or sooner when the session of its holder is gone, which the server knows at once after a kill: the holder's
//! session keeps an advisory lock for as long as it lives.
//!
//! A transaction locks its row `FOR KEY SHARE`. Renewing does not disturb that and never waits for it; taking over locks
//! `FOR UPDATE`, so it waits until the last transaction under the old number has ended. One that will never end, because
//! its process was stopped in the middle, is ended by the server after `IDLE_IN_TRANSACTION_MS`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as Plain, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use protocol::id::NodeId;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Row as _};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::StoreError;

/// A lease that was not renewed for so long may be taken, milliseconds of the server's clock.
pub const LEASE_MS: i64 = 5_000;
/// How long a transaction may stand still before the server ends it, milliseconds.
pub(super) const IDLE_IN_TRANSACTION_MS: i64 = 3_000;
/// A living holder renews well within this, milliseconds: until then a lost session may be one that is coming back.
const RENEWED_LATELY_MS: i64 = 2_000;
/// How often a lease is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(1);
/// How often one who waits looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The longest that one look or renewal may take before its connection is given up.
const ANSWER_MAX: Duration = Duration::from_secs(4);

/// What to do when another process holds the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Refuse, once it is clear that the other lives.
    Refuse,
    /// Wait until it is free.
    StandBy,
}

/// A lease that is held. It is given back when dropped.
#[derive(Debug)]
pub(super) struct Lease {
    node: NodeId,
    pub(super) number: i64,
    lost: CancellationToken,
    keeper: Arc<Keeper>,
}

impl Lease {
    /// Ends when another process has taken over.
    pub(super) fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// The statements that begin a transaction under this lease, in one message: no row means that the lease is lost.
    /// Sent as text, because that saves a round trip; what is in it are digits alone.
    pub(super) fn begin_text(&self) -> String {
        let (node, number) = (self.node, self.number);
        format!("BEGIN; SELECT 1 FROM lease WHERE node = '\\x{node}' AND number = {number} FOR KEY SHARE")
    }

    /// Gives it back, so that another can have it at once.
    pub(super) async fn release(self) -> Result<(), StoreError> {
        self.keeper.held().remove(&self.node);
        self.keeper.give_back(self.node, self.number).await
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let was_held = self.keeper.held().remove(&self.node).is_some();
        if let (true, Ok(runtime)) = (was_held, tokio::runtime::Handle::try_current()) {
            let (keeper, node, number) = (self.keeper.clone(), self.node, self.number);
            runtime.spawn(async move {
                if let Err(error) = keeper.give_back(node, number).await {
                    tracing::debug!(%error, "a lease was not given back and will run out");
                }
            });
        }
    }
}

/// The statements that begin a transaction beside the holder of a lease, which keeps it, and waits.
pub(super) fn begin_beside_text(node: NodeId) -> String {
    format!("BEGIN; SELECT 1 FROM lease WHERE node = '\\x{node}' FOR UPDATE")
}

/// The row of a lease.
struct Found {
    number: i64,
    holder: String,
    session: i64,
    renewed_at: i64,
    /// Since it was renewed, by the server's clock.
    age_ms: i64,
}

const FIND: &str = "SELECT number, holder, session, renewed_at, \
     CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) - renewed_at FROM lease WHERE node = $1";

/// Keeps the leases of a process: one session for all its nodes on one server.
#[derive(Debug)]
pub(super) struct Keeper {
    options: PgConnectOptions,
    /// The advisory lock of this process.
    session: i64,
    connection: Mutex<Option<PgConnection>>,
    held: Plain<BTreeMap<NodeId, CancellationToken>>,
    renewing: std::sync::OnceLock<()>,
}

impl Keeper {
    pub(super) fn new(options: PgConnectOptions) -> Arc<Self> {
        Arc::new(Self {
            options,
            session: i64::from_le_bytes(crate::clock::random_bytes()),
            connection: Mutex::default(),
            held: Plain::default(),
            renewing: std::sync::OnceLock::new(),
        })
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<NodeId, CancellationToken>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lease of a node.
    pub(super) async fn take(
        self: &Arc<Self>,
        node: NodeId,
        holder: &str,
        patience: Patience,
    ) -> Result<Lease, StoreError> {
        let mut first_seen = None;
        loop {
            match self.look(node, holder).await {
                Ok(Look::Taken(number)) => return Ok(self.keep(node, number)),
                Ok(Look::Held { holder, renewed_at }) => {
                    let alive = *first_seen.get_or_insert(renewed_at) != renewed_at;
                    if alive && patience == Patience::Refuse {
                        return Err(StoreError::Held { holder });
                    }
                }
                // A server that is away for a while is no reason to stop standing by.
                Err(error) if patience == Patience::StandBy => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the lease cannot be looked at");
                    tokio::time::sleep(RENEW_EVERY).await;
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn keep(self: &Arc<Self>, node: NodeId, number: i64) -> Lease {
        let lost = CancellationToken::new();
        self.held().insert(node, lost.clone());
        if self.renewing.set(()).is_ok() {
            tokio::spawn(renew_forever(Arc::downgrade(self)));
        }
        Lease { node, number, lost, keeper: self.clone() }
    }

    async fn look(&self, node: NodeId, holder: &str) -> Result<Look, StoreError> {
        self.with_session(async |connection, session| {
            let found = find(connection, node).await?;
            let Some(found) = found else { return insert(connection, node, holder, session).await };
            if !is_free(connection, &found, session).await? {
                return Ok(Look::Held { holder: found.holder, renewed_at: found.renewed_at });
            }
            take_over(connection, node, holder, session, &found).await
        })
        .await
    }

    /// Renews all leases of this process at once; those that are another's now are lost.
    async fn renew(&self) -> Result<(), StoreError> {
        let nodes: Vec<NodeId> = self.held().keys().copied().collect();
        if nodes.is_empty() {
            return Ok(());
        }
        let ids: Vec<Vec<u8>> = nodes.iter().map(|node| node.as_bytes().to_vec()).collect();
        let renewed: Vec<Vec<u8>> = self
            .with_session(async |connection, session| {
                let rows = sqlx::query(
                    "UPDATE lease SET renewed_at = CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) \
                     WHERE node = ANY($1) AND session = $2 AND renewed_at > 0 RETURNING node",
                )
                .bind(ids)
                .bind(session)
                .fetch_all(connection)
                .await?;
                Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
            })
            .await?;
        for node in nodes {
            if !renewed.iter().any(|kept| kept == node.as_bytes())
                && let Some(lost) = self.held().remove(&node)
            {
                lost.cancel();
            }
        }
        Ok(())
    }

    async fn give_back(&self, node: NodeId, number: i64) -> Result<(), StoreError> {
        self.with_session(async |connection, session| {
            sqlx::query("UPDATE lease SET renewed_at = 0 WHERE node = $1 AND number = $2 AND session = $3")
                .bind(node.as_bytes().to_vec())
                .bind(number)
                .bind(session)
                .execute(connection)
                .await?;
            Ok(())
        })
        .await
    }

    /// Does something in the session of this process, opened when need be. One that fails or does not answer is closed.
    async fn with_session<T>(
        &self,
        act: impl AsyncFnOnce(&mut PgConnection, i64) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut slot = self.connection.lock().await;
        let act = async {
            let mut connection = match slot.take() {
                Some(connection) => connection,
                None => self.connect().await?,
            };
            let done = act(&mut connection, self.session).await?;
            Ok::<_, StoreError>((connection, done))
        };
        let (connection, done) =
            tokio::time::timeout(ANSWER_MAX, act).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        *slot = Some(connection);
        Ok(done)
    }

    /// Leases need no disk of their own: one that was renewed and is forgotten by a crash is taken again.
    async fn connect(&self) -> Result<PgConnection, StoreError> {
        let options = self.options.clone().options([("synchronous_commit", "off")]);
        let mut connection = PgConnection::connect_with(&options).await?;
        // Not granted while a session of ours that broke off is still open at the server: then time decides alone.
        let granted: bool =
            sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(self.session).fetch_one(&mut connection).await?;
        if !granted {
            tracing::debug!("an earlier session of this process is still open at the server");
        }
        Ok(connection)
    }
}

enum Look {
    Taken(i64),
    Held { holder: String, renewed_at: i64 },
}

async fn find(connection: &mut PgConnection, node: NodeId) -> Result<Option<Found>, StoreError> {
    let row = sqlx::query(FIND).bind(node.as_bytes().to_vec()).fetch_optional(connection).await?;
    Ok(row
        .map(|row| {
            Ok::<_, sqlx::Error>(Found {
                number: row.try_get(0)?,
                holder: row.try_get(1)?,
                session: row.try_get(2)?,
                renewed_at: row.try_get(3)?,
                age_ms: row.try_get(4)?,
            })
        })
        .transpose()?)
}

async fn insert(connection: &mut PgConnection, node: NodeId, holder: &str, session: i64) -> Result<Look, StoreError> {
    let made = sqlx::query(
        "INSERT INTO lease (node, number, holder, session, taken_at, renewed_at) \
         SELECT $1, 1, $2, $3, t, t FROM (SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS t) AS clock \
         ON CONFLICT (node) DO NOTHING",
    )
    .bind(node.as_bytes().to_vec())
    .bind(holder)
    .bind(session)
    .execute(connection)
    .await?;
    // Somebody was a moment sooner: the next look says who.
    let other = || Look::Held { holder: String::new(), renewed_at: 0 };
    Ok(if made.rows_affected() == 1 { Look::Taken(1) } else { other() })
}

async fn is_free(connection: &mut PgConnection, found: &Found, session: i64) -> Result<bool, StoreError> {
    if found.renewed_at == 0 || found.session == session || found.age_ms > LEASE_MS {
        return Ok(true);
    }
    if found.age_ms <= RENEWED_LATELY_MS {
        return Ok(false);
    }
    let gone: bool =
        sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(found.session).fetch_one(&mut *connection).await?;
    if gone {
        sqlx::query("SELECT pg_advisory_unlock($1)").bind(found.session).execute(connection).await?;
    }
    Ok(gone)
}

/// Waits for the last transaction under the old number, and takes the next number if nothing has changed meanwhile.
async fn take_over(
    connection: &mut PgConnection,
    node: NodeId,
    holder: &str,
    session: i64,
    seen: &Found,
) -> Result<Look, StoreError> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT 1 FROM lease WHERE node = $1 FOR UPDATE")
        .bind(node.as_bytes().to_vec())
        .execute(&mut *transaction)
        .await?;
    let now = find(&mut transaction, node).await?;
    if now.is_none_or(|now| now.number != seen.number || now.renewed_at != seen.renewed_at) {
        transaction.rollback().await?;
        return Ok(Look::Held { holder: seen.holder.clone(), renewed_at: seen.renewed_at });
    }
    sqlx::query(
        "UPDATE lease SET number = number + 1, holder = $2, session = $3, taken_at = t, renewed_at = t \
         FROM (SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS t) AS clock WHERE node = $1",
    )
    .bind(node.as_bytes().to_vec())
    .bind(holder)
    .bind(session)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Look::Taken(seen.number + 1))
}

async fn renew_forever(keeper: Weak<Keeper>) {
    let mut pulse = tokio::time::interval(RENEW_EVERY);
    pulse.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        pulse.tick().await;
        let Some(keeper) = keeper.upgrade() else { return };
        if let Err(error) = keeper.renew().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the leases could not be renewed");
        }
    }
}
