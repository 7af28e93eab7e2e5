//! The node's database. All SQL of the product is below this module.
//!
//! A [`Store`] is a handle (database, node): every statement binds the node first, so no caller can read another node's
//! rows. A [`WriteStore`] is the writing side, owned by the node's writer: it holds one connection for a turn of work.

pub mod attachments;
pub mod audit;
pub mod audit_log;
pub mod cases;
pub mod clocks;
pub mod database;
mod dialect;
pub mod drafts;
pub mod dump;
pub mod duty;
pub mod figures;
mod graded;
mod later;
pub mod lease;
pub mod link;
pub mod lists;
pub mod loss;
pub mod moves;
pub mod papers;
pub mod parcel;
pub mod people;
pub mod person_parts;
pub mod persons;
pub mod publications;
pub mod quarantine;
mod reseal;
mod sealed;
pub mod search;
pub mod sql;
pub mod standing;
pub mod tasks;
pub mod trust;
pub mod unread;

use std::sync::Arc;

use protocol::id::NodeId;
use sqlx::migrate::MigrateError;

use crate::person::vault::{Vault, VaultError};

pub use self::database::{Database, Place};
pub(crate) use self::dialect::{IDS_A_STATEMENT, list, pieces, rows_of_ids, values};
use self::later::Transaction;
use self::lease::Lease;
pub use self::lease::Patience;
use self::sql::{Connection, Row, sql};

/// Why the database did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or failed.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// The disk of the database is full. What was committed stays, and can be read.
    #[error("the disk is full")]
    NoRoom(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database could not be brought to this version")]
    Migrate(#[source] MigrateError),
    /// A newer program has been here.
    #[error(
        "the database holds version {found}, and this program knows {known} at most: nothing was changed. Install the newer \
         program again, or with this one restore a backup from before the upgrade"
    )]
    Newer {
        /// A version that it holds.
        found: i64,
        /// The newest of this program.
        known: i64,
    },
    /// What is private was to be read or written without the keys for it.
    #[error("the keys for what is private are not at hand")]
    NoVault,
    /// What is private does not open.
    #[error("what is private does not open")]
    Vault(#[from] VaultError),
    /// A row that this program did not write so.
    #[error("damaged row in {table}: {what}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// Another process writes this node.
    #[error("the node is written by {holder}, which is alive; nothing was changed")]
    Held {
        /// Machine, process and address.
        holder: String,
    },
    /// Another process writes this node by now.
    #[error("another process has taken over this node: what was committed is safe, nothing more is written here")]
    LeaseLost,
    /// The database is at another version than this program.
    #[error("the database is at version {found}, this program reads version {known}: run the program of the writer")]
    Version {
        /// Of the database.
        found: i64,
        /// Of this program.
        known: i64,
    },
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let full = error.as_database_error().and_then(|said| said.code()).is_some_and(|code| dialect::is_full(&code));
        if full { Self::NoRoom(error) } else { Self::Database(error) }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(found) => Self::Newer { found, known: Database::newest_schema() },
            error => Self::Migrate(error),
        }
    }
}

impl StoreError {
    /// A damaged row.
    pub fn damaged(table: &'static str, what: impl std::fmt::Display) -> Self {
        Self::Damaged { table, what: what.to_string() }
    }
}

/// The reading side of a node's rows; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) node: NodeId,
    pub(crate) database: Database,
    pub(crate) vault: Option<Arc<Vault>>,
}

/// The writing side: one a node, owned by its writer.
#[derive(Debug)]
pub struct WriteStore {
    pub(crate) node: NodeId,
    database: Database,
    pub(crate) vault: Option<Arc<Vault>>,
    held: Option<Connection>,
    transaction: Transaction,
    /// On a server: the right to write.
    lease: Option<Lease>,
}

/// Opens the database of a node, made and migrated when need be.
pub async fn open(place: &Place, node: NodeId) -> Result<(Store, WriteStore), StoreError> {
    let database = Database::open(place).await?;
    Ok((database.store(node), database.write_store(node)))
}

/// Opens the database of a node for the process that runs it. On a server the lease of the node comes first, and the
/// schema is brought up to date only under it: no newer program changes tables under an older one that still writes.
/// `address` tells people where this process takes requests.
pub async fn open_to_run(
    place: &Place,
    node: NodeId,
    patience: Patience,
    address: &str,
) -> Result<(Store, WriteStore), StoreError> {
    let database = Database::open_unmigrated(place)?;
    if database.has_no_lease().await? {
        // Then nobody can hold one.
        database.migrate_to(None).await?;
    }
    let mut write = database.write_store(node);
    write.take_lease(patience, address).await?;
    database.migrate_to(None).await?;
    Ok((database.store(node), write))
}

/// Opens a database for a process that only reads, if it is at this program's version.
pub async fn open_to_read(place: &Place) -> Result<Database, StoreError> {
    let database = Database::open_read_only(place)?;
    database.must_be_current().await?;
    Ok(database)
}

impl Database {
    /// The reading side of one node.
    pub fn store(&self, node: NodeId) -> Store {
        Store { node, database: self.clone(), vault: None }
    }

    /// The writing side of one node.
    pub fn write_store(&self, node: NodeId) -> WriteStore {
        WriteStore {
            node,
            database: self.clone(),
            vault: None,
            held: None,
            transaction: Transaction::default(),
            lease: None,
        }
    }
}

impl Store {
    /// Opens an existing database for reading only.
    pub fn read_only(place: &Place, node: NodeId) -> Result<Self, StoreError> {
        Ok(Database::open_read_only(place)?.store(node))
    }

    /// The database that the rows are in.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The rows of one node for a process that only reads, if they are at this program's version.
    pub async fn reader(place: &Place, node: NodeId) -> Result<Self, StoreError> {
        Ok(open_to_read(place).await?.store(node))
    }

    /// Which process writes this node, in words; none where a file's folder says so.
    pub async fn writer(&self) -> Result<Option<String>, StoreError> {
        let row = sql("SELECT holder FROM lease WHERE node = $1 AND renewed_at > 0")
            .bind(self.me())
            .fetch_optional(&mut self.read().await?)
            .await?;
        row.map(|r| r.try_get(0)).transpose()
    }

    /// The same with the keys for what is private.
    pub fn with_vault(self, vault: Arc<Vault>) -> Self {
        Self { vault: Some(vault), ..self }
    }

    /// A connection to read with, for the length of a statement.
    pub(crate) async fn read(&self) -> Result<Connection, StoreError> {
        self.database.read().await
    }

    pub(crate) fn me(&self) -> Vec<u8> {
        self.node.as_bytes().to_vec()
    }
}

impl WriteStore {
    pub(crate) fn me(&self) -> Vec<u8> {
        self.node.as_bytes().to_vec()
    }

    /// Gives it the keys for what is private.
    pub fn open_vault(&mut self, vault: Arc<Vault>) {
        self.vault = Some(vault);
    }

    /// The connection of this turn, taken when it is first needed. What waits has been run on it.
    pub(crate) async fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        let held = match self.held.take() {
            Some(held) => held,
            // Seldom, and so on the heap, as what waits is: every statement would else carry the state of this beside its own.
            None => Box::pin(self.database.write()).await?,
        };
        let held = self.held.insert(held);
        if self.transaction.waits() {
            Box::pin(self.transaction.run(held)).await?;
        }
        Ok(held)
    }

    /// Takes the right to write this node, where several processes could. A file needs none: its folder is locked.
    pub async fn take_lease(&mut self, patience: Patience, address: &str) -> Result<(), StoreError> {
        if let (Database::Server(server), None) = (&self.database, &self.lease) {
            self.lease = Some(server.keeper.take(self.node, &holder(address), patience).await?);
        }
        Ok(())
    }

    /// Whether the rows are on a disk of this machine.
    pub(crate) fn is_a_file(&self) -> bool {
        self.database.is_a_file()
    }

    /// Ends when another process has taken over; never where there is no lease.
    pub fn lost(&self) -> tokio_util::sync::CancellationToken {
        self.lease.as_ref().map(Lease::lost).unwrap_or_default()
    }

    /// Gives the lease back, so that another process can have it at once.
    pub async fn release(&mut self) -> Result<(), StoreError> {
        self.rest();
        match self.lease.take() {
            Some(lease) => lease.release().await,
            None => Ok(()),
        }
    }

    /// Begins the writer's transaction. On a server it begins under the lease of the node, taken here when it was not
    /// before, and only if that is still ours.
    pub async fn begin(&mut self) -> Result<(), StoreError> {
        self.take_lease(Patience::Refuse, "").await?;
        let Some(lease) = &self.lease else {
            self.transaction.begin();
            return Ok(());
        };
        let text = lease.begin_text();
        self.connection().await?;
        self.transaction.open = true;
        match sql::several(text, self.connection().await?).await? {
            0 => {
                self.rollback().await?;
                Err(StoreError::LeaseLost)
            }
            _ => Ok(()),
        }
    }

    /// Begins a command's transaction beside the process that writes this node, whether one runs or not: the writer's next
    /// transaction waits until this one has ended, as it would at a file.
    pub async fn begin_beside(&mut self) -> Result<(), StoreError> {
        if let (Database::File { .. }, _) | (_, Some(_)) = (&self.database, &self.lease) {
            return self.begin().await;
        }
        // A node that has never run has no row that could be locked.
        sql("INSERT INTO lease (node, number, holder, session, taken_at, renewed_at) VALUES ($1, 1, '', 0, 0, 0) \
             ON CONFLICT (node) DO NOTHING")
        .bind(self.me())
        .execute(self.connection().await?)
        .await?;
        let text = lease::begin_beside_text(self.node);
        self.transaction.open = true;
        sql::several(text, self.connection().await?).await?;
        Ok(())
    }

    /// Commits it: what it wrote is on disk when this returns.
    pub async fn commit(&mut self) -> Result<(), StoreError> {
        match &self.database {
            Database::File { .. } => self.commit_file().await?,
            // To commit a transaction that failed before is no error to a server: it rolls back and says so in passing.
            // A statement in front fails then.
            Database::Server(_) => {
                sql::several("SELECT 1; COMMIT".to_owned(), self.connection().await?).await?;
            }
        }
        self.transaction.open = false;
        Ok(())
    }

    /// Gives it up. A connection that cannot even do that is closed.
    pub async fn rollback(&mut self) -> Result<(), StoreError> {
        self.transaction.forget();
        if self.transaction.open {
            if let Err(error) = sql("ROLLBACK").execute(self.connection().await?).await {
                self.rest();
                return Err(error);
            }
            self.transaction.open = false;
        }
        Ok(())
    }

    /// Ends a turn of work: the connection goes back. One with an unfinished transaction is closed instead.
    pub fn rest(&mut self) {
        self.transaction.forget();
        let unfinished = std::mem::take(&mut self.transaction.open);
        if let Some(mut held) = self.held.take()
            && unfinished
        {
            held.close_on_drop();
        }
    }
}

impl Drop for WriteStore {
    fn drop(&mut self) {
        self.rest();
    }
}

/// This process in words, for people on another machine.
fn holder(address: &str) -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine = if machine.trim().is_empty() { "this machine" } else { machine.trim() };
    let process = std::process::id();
    if address.is_empty() {
        format!("{machine}, process {process}")
    } else {
        format!("{machine}, process {process}, {address}")
    }
}

/// A 16-byte id out of a row.
pub(crate) fn id16(table: &'static str, bytes: &[u8]) -> Result<[u8; 16], StoreError> {
    bytes.try_into().map_err(|_| StoreError::damaged(table, "an id of another length than 16"))
}

/// The case that a row begins with.
pub(crate) fn case_id(row: &Row) -> Result<protocol::id::CaseId, StoreError> {
    let id: Vec<u8> = row.try_get(0)?;
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
