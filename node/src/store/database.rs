//! Where rows are: a SQLite file or a PostgreSQL server. A handle is cheap to clone; connections are opened on use and
//! closed when idle, so that a node that sleeps costs no thread and no descriptor.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _};

use super::StoreError;
use super::lease::{IDLE_IN_TRANSACTION_MS, Keeper};
use super::sql::{Connection, sql};

static SQLITE_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");

/// How long a reader waits for a lock before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections to a file that read at once.
const FILE_READERS_MAX: u32 = 4;
/// Connections to a server, for all nodes of this process together.
const SERVER_CONNECTIONS_MAX: u32 = 32;
/// How long a connection that nobody uses stays open.
const IDLE: Duration = Duration::from_secs(60);
/// A connection to a server that lay idle for longer is tried before it is used: the server may have been restarted.
const TRUSTED: Duration = Duration::from_secs(2);
/// Statements that a connection keeps prepared; multi-row ones have a text for each number of rows, and what goes to a file
/// together one for each thing that is done.
const STATEMENTS_MAX: usize = 256;
/// Pages of the log after which they are folded into the file. Rows of many cases lie on few pages that are written again and
/// again, and each is folded once however often it stands in the log.
const LOG_PAGES: &str = "4096";
/// Page cache of a connection, KiB (negative means KiB to SQLite).
const CACHE_KIB: &str = "-4096";

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL URL.
    Server(String),
}

impl From<PathBuf> for Place {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

/// A database.
#[derive(Debug, Clone)]
pub enum Database {
    /// A SQLite file: one connection writes, a few read.
    File {
        /// The connection that writes.
        write: SqlitePool,
        /// Those that read.
        read: SqlitePool,
    },
    /// A PostgreSQL server.
    Server(Server),
}

/// Connections to a PostgreSQL server, and what this process may write there.
#[derive(Debug, Clone)]
pub struct Server {
    pool: PgPool,
    pub(super) keeper: Arc<Keeper>,
}

fn file(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("cache_size", CACHE_KIB)
        .pragma("wal_autocheckpoint", LOG_PAGES)
        // What is deleted is overwritten: names that were erased are not to be found in free pages.
        .pragma("secure_delete", "ON")
        .statement_cache_capacity(STATEMENTS_MAX)
        .disable_statement_logging()
}

fn file_pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(IDLE)
        .max_lifetime(None)
        .test_before_acquire(false)
}

impl Database {
    /// Opens a database, made and migrated when need be.
    pub async fn open(place: &Place) -> Result<Self, StoreError> {
        let database = Self::open_unmigrated(place)?;
        database.migrate_to(None).await?;
        Ok(database)
    }

    /// A handle to a database that may be new: its schema is as it was found.
    pub(crate) fn open_unmigrated(place: &Place) -> Result<Self, StoreError> {
        match place {
            Place::File(path) => {
                let write = file_pool(1).connect_lazy_with(file(path).create_if_missing(true));
                let read = file_pool(FILE_READERS_MAX).connect_lazy_with(file(path).read_only(true));
                Ok(Self::File { write, read })
            }
            Place::Server(url) => Self::server(url, "off"),
        }
    }

    /// Whether this is a server whose tables are older than leases, or not made yet.
    pub(super) async fn has_no_lease(&self) -> Result<bool, StoreError> {
        match self {
            Self::File { .. } => Ok(false),
            Self::Server(_) => {
                sql("SELECT to_regclass('lease') IS NULL").fetch_one(&mut self.read().await?).await?.try_get(0)
            }
        }
    }

    /// Brings the schema to a version, or to the newest.
    pub async fn migrate_to(&self, version: Option<i64>) -> Result<(), StoreError> {
        match (self, version) {
            (Self::File { write, .. }, None) => SQLITE_MIGRATIONS.run(write).await?,
            (Self::File { write, .. }, Some(version)) => SQLITE_MIGRATIONS.run_to(version, write).await?,
            (Self::Server(server), None) => POSTGRES_MIGRATIONS.run(&server.pool).await?,
            (Self::Server(server), Some(version)) => POSTGRES_MIGRATIONS.run_to(version, &server.pool).await?,
        }
        Ok(())
    }

    /// The newest version of the schema that this program knows.
    pub fn newest_schema() -> i64 {
        SQLITE_MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    /// Refuses a database that is not at this program's version.
    pub(super) async fn must_be_current(&self) -> Result<(), StoreError> {
        let known = Self::newest_schema();
        let row = sql("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut self.read().await?).await?;
        let found = row.try_get::<Option<i64>>(0)?.unwrap_or(0);
        if found == known { Ok(()) } else { Err(StoreError::Version { found, known }) }
    }

    /// Opens a database that is there already, for reading only.
    pub fn open_read_only(place: &Place) -> Result<Self, StoreError> {
        match place {
            Place::File(path) => {
                let read = file_pool(1).connect_lazy_with(file(path).read_only(true));
                Ok(Self::File { write: read.clone(), read })
            }
            Place::Server(url) => Self::server(url, "on"),
        }
    }

    fn server(url: &str, read_only: &str) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse()?;
        let options = options
            .application_name("wuji")
            .statement_cache_capacity(STATEMENTS_MAX)
            .options([
                ("default_transaction_read_only", read_only),
                ("synchronous_commit", "on"),
                ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_MS.to_string().as_str()),
            ])
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(SERVER_CONNECTIONS_MAX)
            .idle_timeout(IDLE)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > TRUSTED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options.clone());
        Ok(Self::Server(Server { pool, keeper: Keeper::new(options) }))
    }

    /// A connection for reading.
    pub async fn read(&self) -> Result<Connection, StoreError> {
        Ok(match self {
            Self::File { read, .. } => Connection::Sqlite(read.acquire().await?),
            Self::Server(server) => Connection::Postgres(server.pool.acquire().await?),
        })
    }

    /// A connection for writing. To a file there is one: whoever asks next waits.
    pub async fn write(&self) -> Result<Connection, StoreError> {
        Ok(match self {
            Self::File { write, .. } => Connection::Sqlite(write.acquire().await?),
            Self::Server(server) => Connection::Postgres(server.pool.acquire().await?),
        })
    }

    /// Whether the rows are in a file, and so on a disk of this machine.
    pub(crate) fn is_a_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }

    /// Connections that are open.
    pub(crate) fn connections(&self) -> usize {
        let count = |size: u32| usize::try_from(size).unwrap_or(usize::MAX);
        match self {
            Self::File { write, read } => count(write.size()) + count(read.size()),
            Self::Server(server) => count(server.pool.size()),
        }
    }

    /// Of these, the ones that nobody uses at the moment.
    pub(crate) fn idle_connections(&self) -> usize {
        match self {
            Self::File { write, read } => write.num_idle() + read.num_idle(),
            Self::Server(server) => server.pool.num_idle(),
        }
    }

    /// Closes the connections to a file that nobody uses; the next use opens them again.
    pub(crate) async fn close_idle(&self) {
        let Self::File { write, read } = self else { return };
        // The writer last: whoever closes a file last folds its log into it.
        for pool in [read, write] {
            while let Some(connection) = pool.try_acquire() {
                if let Err(error) = connection.close().await {
                    tracing::warn!(%error, "a database was not closed as it should");
                }
            }
        }
    }

    /// Closes all connections; what was committed is on disk.
    pub async fn close(&self) {
        match self {
            Self::File { write, read } => {
                read.close().await;
                write.close().await;
            }
            Self::Server(server) => server.pool.close().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_that_a_newer_program_has_brought_up_is_refused_in_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::File(folder.path().join("node.db"));
        let database = Database::open(&place).await.expect("made");
        sql("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'x', 1, '', 0)")
            .execute(&mut database.write().await.expect("a connection"))
            .await
            .expect("written");
        database.close().await;
        let why = Database::open(&place).await.expect_err("refused").to_string();
        assert!(why.contains("holds version 9999") && why.contains("nothing was changed"), "{why}");
    }
}
