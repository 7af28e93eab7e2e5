//! The node's database. All SQL of the product is below this module.
//!
//! A [`Store`] is a handle (database, node): every statement binds the node first, so no caller can read another node's
//! rows. A [`WriteStore`] is the writing side, owned by the node's writer: it holds one connection for a turn of work.

pub mod audit;
pub mod cases;
pub mod database;
pub mod dump;
pub mod figures;
pub mod link;
pub mod lists;
pub mod loss;
pub mod persons;
pub mod publications;
pub mod sql;
pub mod trust;

use protocol::id::NodeId;

pub use self::database::{Database, Place};
use self::sql::{Connection, Row, sql};

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

/// The reading side of a node's rows; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) node: NodeId,
    pub(crate) database: Database,
}

/// The writing side: one a node, owned by its writer.
#[derive(Debug)]
pub struct WriteStore {
    pub(crate) node: NodeId,
    database: Database,
    held: Option<Connection>,
    /// A transaction is open on the connection that is held.
    open: bool,
}

/// Opens the database of a node, made and migrated when need be.
pub async fn open(place: &Place, node: NodeId) -> Result<(Store, WriteStore), StoreError> {
    let database = Database::open(place).await?;
    Ok((database.store(node), database.write_store(node)))
}

impl Database {
    /// The reading side of one node.
    pub fn store(&self, node: NodeId) -> Store {
        Store { node, database: self.clone() }
    }

    /// The writing side of one node.
    pub fn write_store(&self, node: NodeId) -> WriteStore {
        WriteStore { node, database: self.clone(), held: None, open: false }
    }
}

impl Store {
    /// Opens an existing database for reading only.
    pub fn read_only(place: &Place, node: NodeId) -> Result<Self, StoreError> {
        Ok(Database::open_read_only(place)?.store(node))
    }

    /// The database that the rows are in.
    pub(crate) fn database(&self) -> &Database {
        &self.database
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

    /// The connection of this turn, taken when it is first needed.
    pub(crate) async fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        let held = match self.held.take() {
            Some(held) => held,
            None => self.database.write().await?,
        };
        Ok(self.held.insert(held))
    }

    /// Begins the writer's transaction.
    pub async fn begin(&mut self) -> Result<(), StoreError> {
        let text = match &self.database {
            Database::File { .. } => "BEGIN IMMEDIATE",
            Database::Server(_) => "BEGIN",
        };
        sql(text).execute(self.connection().await?).await?;
        self.open = true;
        Ok(())
    }

    /// Commits it: what it wrote is on disk when this returns.
    pub async fn commit(&mut self) -> Result<(), StoreError> {
        sql("COMMIT").execute(self.connection().await?).await?;
        self.open = false;
        Ok(())
    }

    /// Gives it up.
    pub async fn rollback(&mut self) -> Result<(), StoreError> {
        if self.open {
            sql("ROLLBACK").execute(self.connection().await?).await?;
            self.open = false;
        }
        Ok(())
    }

    /// Ends a turn of work: the connection goes back. One with an unfinished transaction is closed instead.
    pub fn rest(&mut self) {
        let unfinished = std::mem::take(&mut self.open);
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
