//! Statements of a transaction that nobody waits for one by one.
//!
//! To SQLite every statement goes to a thread of its own and its answer comes back: two wake-ups, which cost several times
//! what a row costs. So what only writes is gathered here and goes along with the next statement that is waited for, most
//! often with the commit. A server takes each at once: its protocol has no way to send several with values.

use super::database::Database;
use super::sql::{Connection, Statement, sql};
use super::{StoreError, WriteStore};

/// Values after which what was gathered goes.
const TOGETHER_VALUES: usize = 256;
/// A statement of more values goes by itself.
const SMALL_VALUES: usize = 64;

/// The transaction of the writer.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    /// It is open on the connection that is held.
    pub(super) open: bool,
    /// What goes along with the next statement, its beginning first when it is not open.
    waiting: Vec<Statement>,
    values: usize,
}

impl Transaction {
    /// Lets it begin with the first statement that is waited for.
    pub(super) fn begin(&mut self) {
        self.waiting.push(sql("BEGIN IMMEDIATE"));
    }

    /// Ends it when it has not begun: nothing was to be stored. Whether it has.
    pub(super) fn is_left_out(&mut self) -> bool {
        let left_out = !self.open && self.waiting.len() == 1;
        if left_out {
            self.forget();
        }
        left_out
    }

    /// Whether anything waits.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Drops what waits.
    pub(super) fn forget(&mut self) {
        self.waiting.clear();
        self.values = 0;
    }

    fn put(&mut self, statement: Statement) {
        self.values += statement.values();
        self.waiting.push(statement);
    }

    /// Runs what waits.
    pub(super) async fn run(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        let together = Statement::together(std::mem::take(&mut self.waiting));
        self.values = 0;
        // From its first word on, whatever becomes of the rest.
        self.open = true;
        together.execute(connection).await?;
        Ok(())
    }
}

impl WriteStore {
    /// Runs a statement before the next one that is waited for. What goes wrong with it is told by that one, and by the
    /// commit at the latest; nothing of the transaction is kept then, as with any statement.
    pub(super) async fn later(&mut self, statement: Statement) -> Result<(), StoreError> {
        let begun = self.transaction.open || self.transaction.waits();
        let waits = begun && matches!(self.database, Database::File { .. });
        if !waits || statement.values() > SMALL_VALUES {
            return Box::pin(self.at_once(statement)).await;
        }
        self.transaction.put(statement);
        if self.transaction.values > TOGETHER_VALUES {
            self.connection().await?;
        }
        Ok(())
    }

    async fn at_once(&mut self, statement: Statement) -> Result<(), StoreError> {
        statement.execute(self.connection().await?).await?;
        Ok(())
    }

    /// Commits a transaction on a file together with what waits.
    pub(super) async fn commit_file(&mut self) -> Result<(), StoreError> {
        if self.transaction.is_left_out() {
            return Ok(());
        }
        self.transaction.put(sql("COMMIT"));
        self.connection().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::id::NodeId;

    async fn opened(folder: &std::path::Path) -> WriteStore {
        let place = super::super::Place::File(folder.join("node.db"));
        super::super::open(&place, NodeId::from_bytes([7; 16])).await.expect("a database").1
    }

    /// Lets a value wait.
    async fn put(store: &mut WriteStore, value: &str) {
        let statement = sql("INSERT INTO meta (node, name, value) VALUES ($1, 'name', $2) \
             ON CONFLICT (node, name) DO UPDATE SET value = excluded.value");
        let statement = statement.bind(store.me()).bind(value);
        store.later(statement).await.expect("it waits");
    }

    async fn value(store: &mut WriteStore) -> Option<String> {
        store.meta("name").await.expect("read")
    }

    #[tokio::test]
    async fn what_waits_is_done_in_its_order_before_what_is_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = opened(folder.path()).await;
        store.begin().await.expect("begun");
        for value in ["first", "second", "third"] {
            put(&mut store, value).await;
        }
        assert_eq!(value(&mut store).await.as_deref(), Some("third"));
        put(&mut store, "fourth").await;
        store.commit().await.expect("committed");
        assert_eq!(value(&mut store).await.as_deref(), Some("fourth"));
    }

    #[tokio::test]
    async fn a_statement_that_fails_while_it_waits_fails_the_commit_and_nothing_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = opened(folder.path()).await;
        store.begin().await.expect("begun");
        put(&mut store, "value").await;
        let bad = sql("INSERT INTO meta (node, name, value) VALUES ($1, NULL, NULL)").bind(vec![1]);
        store.later(bad).await.expect("it waits");
        assert!(store.commit().await.is_err());
        store.rollback().await.expect("rolled back");
        store.rest();
        assert_eq!(value(&mut store).await, None);
        store.begin().await.expect("begun again");
        put(&mut store, "again").await;
        store.commit().await.expect("committed");
        assert_eq!(value(&mut store).await.as_deref(), Some("again"));
    }

    #[tokio::test]
    async fn a_transaction_that_is_given_up_leaves_nothing_behind_that_waits() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = opened(folder.path()).await;
        store.begin().await.expect("begun");
        put(&mut store, "value").await;
        store.rollback().await.expect("given up");
        store.begin().await.expect("begun");
        store.commit().await.expect("nothing to store");
        assert_eq!(value(&mut store).await, None);
    }
}
