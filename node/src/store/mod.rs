//! The node's database. All SQL of the product is below this module.
//!
//! A [`Store`] is a handle (database, node): every statement binds the node first, so no caller can read another node's
//! rows. One connection writes, owned by the writer task; a small pool reads.

pub mod audit;
pub mod cases;
pub mod figures;
pub mod link;
pub mod lists;
pub mod persons;
pub mod trust;

use std::path::Path;
use std::time::Duration;

use protocol::id::NodeId;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

/// Why the database did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database could not be brought to this version")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A row that this program did not write so.
    #[error("damaged row in {table}: {what}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

impl StoreError {
    /// A damaged row.
    pub fn damaged(table: &'static str, what: impl std::fmt::Display) -> Self {
        Self::Damaged { table, what: what.to_string() }
    }
}

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a reader waits for a lock before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that read at once.
const READERS_MAX: u32 = 4;
/// Page cache of a connection, KiB (negative means KiB to SQLite).
const CACHE_KIB: &str = "-4096";

/// The reading side of a node's database; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) node: NodeId,
    pub(crate) pool: SqlitePool,
}

/// The writing side: one a node, owned by its writer.
#[derive(Debug)]
pub struct WriteStore {
    pub(crate) node: NodeId,
    pub(crate) connection: SqliteConnection,
}

fn options(path: &Path) -> Result<SqliteConnectOptions, sqlx::Error> {
    Ok(SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("cache_size", CACHE_KIB)
        .disable_statement_logging())
}

/// Opens the database file of a node, made and migrated when need be.
pub async fn open(path: &Path, node: NodeId) -> Result<(Store, WriteStore), StoreError> {
    let mut connection = SqliteConnection::connect_with(&options(path)?).await?;
    MIGRATIONS.run(&mut connection).await?;
    let pool = SqlitePoolOptions::new()
        .max_connections(READERS_MAX)
        .idle_timeout(Duration::from_secs(60))
        .connect_lazy_with(options(path)?.create_if_missing(false).read_only(true));
    Ok((Store { node, pool }, WriteStore { node, connection }))
}

impl Store {
    /// Opens an existing database file for reading only.
    pub fn read_only(path: &Path, node: NodeId) -> Result<Self, StoreError> {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_lazy_with(options(path)?.create_if_missing(false).read_only(true));
        Ok(Self { node, pool })
    }

    pub(crate) fn me(&self) -> Vec<u8> {
        self.node.as_bytes().to_vec()
    }
}

impl WriteStore {
    pub(crate) fn me(&self) -> Vec<u8> {
        self.node.as_bytes().to_vec()
    }

    /// Begins the writer's transaction.
    pub async fn begin(&mut self) -> Result<(), StoreError> {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut self.connection).await?;
        Ok(())
    }

    /// Commits it: what it wrote is on disk when this returns.
    pub async fn commit(&mut self) -> Result<(), StoreError> {
        sqlx::query("COMMIT").execute(&mut self.connection).await?;
        Ok(())
    }

    /// Gives it up.
    pub async fn rollback(&mut self) -> Result<(), StoreError> {
        sqlx::query("ROLLBACK").execute(&mut self.connection).await?;
        Ok(())
    }
}

/// A 16-byte id out of a row.
pub(crate) fn id16(table: &'static str, bytes: &[u8]) -> Result<[u8; 16], StoreError> {
    bytes.try_into().map_err(|_| StoreError::damaged(table, "an id of another length than 16"))
}

/// The case that a row begins with.
pub(crate) fn case_id(row: &sqlx::sqlite::SqliteRow) -> Result<protocol::id::CaseId, StoreError> {
    let id: Vec<u8> = sqlx::Row::try_get(row, 0)?;
    Ok(protocol::id::CaseId::from_bytes(id16("case_paper", &id)?))
}

/// A hash out of a row.
pub(crate) fn hash32(table: &'static str, bytes: &[u8]) -> Result<protocol::chain::Hash, StoreError> {
    bytes
        .try_into()
        .map(protocol::chain::Hash)
        .map_err(|_| StoreError::damaged(table, "a hash of another length than 32"))
}

/// A division out of a row.
pub(crate) fn division(table: &'static str, number: i64) -> Result<protocol::division::DivisionCode, StoreError> {
    u64::try_from(number)
        .ok()
        .and_then(|n| protocol::division::DivisionCode::from_number(n).ok())
        .ok_or_else(|| StoreError::damaged(table, "a number that is no division code"))
}

/// A division as it is stored.
pub(crate) fn division_number(code: protocol::division::DivisionCode) -> i64 {
    i64::try_from(code.number()).unwrap_or(i64::MAX)
}

/// The placeholders of a multi-row insert: `rows` groups of `columns`, `($1,$2),($3,$4)`.
pub(crate) fn values(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            if column > 0 {
                text.push(',');
            }
            text.push('$');
            text.push_str(&(row * columns + column + 1).to_string());
        }
        text.push(')');
    }
    text
}

/// Rows of one multi-row statement.
pub(crate) const ROWS_A_STATEMENT: usize = 50;
