//! Rows of a node, read beside the program by a test's own statements, from whichever database it has.

use protocol::id::NodeId;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow, PgPool, SqlitePool};
use wuji::store::{Database, Store};

/// A second way into a node's database.
pub(crate) enum Beside {
    File(SqlitePool),
    Server(PgPool),
}

impl Beside {
    /// Into the file of a store, or into the server that it is on.
    pub(crate) fn of(store: &Store, server: Option<PgPool>) -> Self {
        match (store.database(), server) {
            (Database::File { read, .. }, _) => Self::File(read.clone()),
            (Database::Server(_), Some(pool)) => Self::Server(pool),
            (Database::Server(_), None) => panic!("a store on a server, and no way into it"),
        }
    }

    /// What a statement gives in which `$1` is the node.
    pub(crate) async fn rows<T>(&self, node: NodeId, text: &str) -> Vec<T>
    where
        T: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    {
        let (node, text) = (node.as_bytes().to_vec(), AssertSqlSafe(text.to_owned()));
        match self {
            Self::File(pool) => sqlx::query_as(text).bind(node).fetch_all(pool).await,
            Self::Server(pool) => sqlx::query_as(text).bind(node).fetch_all(pool).await,
        }
        .expect("rows")
    }
}
