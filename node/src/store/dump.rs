//! All rows of one node, table by table, out of either database and into either: what a backup is made of.
//!
//! Tables and columns are read from the schema, so that a new table is in the next backup without being named here. What
//! goes into a database is checked against its own schema first: no name out of an archive becomes part of a statement.

use protocol::id::NodeId;
use sqlx::AssertSqlSafe;

use super::database::Database;
use super::sql::{Connection, Row, Value, sql};
use super::{Store, StoreError, WriteStore, values};

/// Tables that are of no use after a restore: sessions and answers of the moment, who holds the database, and what is made anew
/// from the cases.
const LEFT_OUT: [&str; 4] = ["person_session", "answered", "lease", "case_search"];

/// Rows of a node begin with it.
const NODE: &str = "node";
/// Rows of people begin with their realm: a node alone is one, and a pack is one whose rows one of its nodes keeps.
const REALM: &str = "realm";

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// Whole numbers.
    Int,
    /// Bytes.
    Bytes,
    /// Text.
    Text,
}

/// A table that holds rows of nodes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Rows begin with the realm of people instead of the node.
    pub people: bool,
    /// Its columns, without the node, which every row of a backup shares.
    pub columns: Vec<(String, Holds)>,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A number.
    Int(i64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Text.
    Text(String),
}

fn holds(table: &str, column: &str, kind: &str) -> Result<Holds, StoreError> {
    match kind.to_ascii_uppercase().as_str() {
        "INTEGER" | "BIGINT" => Ok(Holds::Int),
        "BLOB" | "BYTEA" => Ok(Holds::Bytes),
        "TEXT" => Ok(Holds::Text),
        other => Err(StoreError::damaged("schema", format!("{table}.{column} is of the unknown type {other}"))),
    }
}

/// The tables whose rows belong to nodes.
async fn tables(connection: &mut Connection) -> Result<Vec<Table>, StoreError> {
    let text = match connection {
        Connection::Sqlite(_) => {
            "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' ORDER BY m.name, c.cid"
        }
        Connection::Postgres(_) => {
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(data_type AS TEXT) \
             FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"
        }
    };
    let mut all: Vec<Table> = Vec::new();
    let mut current: Option<(String, bool)> = None;
    for row in sql(text).fetch_all(connection).await? {
        let (table, column, kind): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let new = current.as_ref().is_none_or(|(name, _)| *name != table);
        if new {
            // The first column says whether the rows belong to nodes.
            let people = column == REALM;
            let of_nodes = (people || column == NODE) && !LEFT_OUT.contains(&table.as_str());
            current = Some((table.clone(), of_nodes));
            if of_nodes {
                let columns = if people { vec![(column, Holds::Bytes)] } else { Vec::new() };
                all.push(Table { name: table, people, columns });
            }
        } else if current.as_ref().is_some_and(|(_, of_nodes)| *of_nodes)
            && let Some(last) = all.last_mut()
        {
            let kind = holds(&table, &column, &kind)?;
            last.columns.push((column, kind));
        }
    }
    Ok(all)
}

fn cell(row: &Row, index: usize, kind: Holds) -> Result<Cell, StoreError> {
    Ok(match kind {
        Holds::Int => row.try_get::<Option<i64>>(index)?.map_or(Cell::Null, Cell::Int),
        Holds::Bytes => row.try_get::<Option<Vec<u8>>>(index)?.map_or(Cell::Null, Cell::Bytes),
        Holds::Text => row.try_get::<Option<String>>(index)?.map_or(Cell::Null, Cell::Text),
    })
}

fn value(cell: &Cell, kind: Holds) -> Result<Value, StoreError> {
    Ok(match (cell, kind) {
        (Cell::Null, Holds::Int) => Value::Int(None),
        (Cell::Null, Holds::Bytes) => Value::Bytes(None),
        (Cell::Null, Holds::Text) => Value::Text(None),
        (Cell::Int(number), Holds::Int) => Value::Int(Some(*number)),
        (Cell::Bytes(bytes), Holds::Bytes) => Value::Bytes(Some(bytes.clone())),
        (Cell::Text(text), Holds::Text) => Value::Text(Some(text.clone())),
        _ => return Err(StoreError::damaged("archive", "a value of another kind than its column")),
    })
}

/// Which rows of a table a node's backup holds. People of a pack go with each node that shares their database: whichever
/// of them is restored, they are there.
fn of_the_node(table: &Table) -> &'static str {
    if table.people { "realm = $1 OR NOT EXISTS (SELECT 1 FROM meta m WHERE m.node = realm)" } else { "node = $1" }
}

/// One moment of a node's rows, whatever is written meanwhile.
#[derive(Debug)]
pub struct Snapshot {
    node: NodeId,
    connection: Connection,
    /// The version of the schema.
    pub schema: i64,
    /// The tables.
    pub tables: Vec<Table>,
}

impl Store {
    /// Takes a moment of this node's rows. It is held by a transaction that only reads; the node goes on writing.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut connection = self.read().await?;
        // It must not go back into the pool with its transaction open.
        connection.close_on_drop();
        let begin = match &connection {
            Connection::Sqlite(_) => "BEGIN",
            Connection::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        sql(begin).execute(&mut connection).await?;
        let schema = schema_version(&mut connection).await?;
        let tables = tables(&mut connection).await?;
        Ok(Snapshot { node: self.node, connection, schema, tables })
    }
}

async fn schema_version(connection: &mut Connection) -> Result<i64, StoreError> {
    sql("SELECT max(version) FROM _sqlx_migrations").fetch_one(connection).await?.try_get(0)
}

impl Snapshot {
    /// How many rows of this node a table holds.
    pub async fn count(&mut self, table: &Table) -> Result<i64, StoreError> {
        let text = format!("SELECT count(*) FROM {} WHERE {}", table.name, of_the_node(table));
        let row = sql(AssertSqlSafe(text)).bind(self.node.as_bytes().to_vec()).fetch_one(&mut self.connection).await?;
        row.try_get(0)
    }

    /// Hands every row of this node in a table to `each`, one after another: a table may be larger than memory.
    pub async fn rows<E: From<StoreError>>(
        &mut self,
        table: &Table,
        mut each: impl FnMut(Vec<Cell>) -> Result<(), E>,
    ) -> Result<(), E> {
        let names: Vec<_> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
        let text = format!("SELECT {} FROM {} WHERE {}", names.join(", "), table.name, of_the_node(table));
        sql(AssertSqlSafe(text))
            .bind(self.node.as_bytes().to_vec())
            .for_each(&mut self.connection, |row| {
                let cells = table.columns.iter().enumerate().map(|(index, (_, kind))| cell(row, index, *kind));
                each(cells.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Lets the moment go.
    pub async fn end(mut self) -> Result<(), StoreError> {
        sql("COMMIT").execute(&mut self.connection).await?;
        Ok(())
    }
}

impl Store {
    /// Whether the file or server finds its own structures whole; what it says when not.
    pub async fn integrity(&self, thorough: bool) -> Result<Vec<String>, StoreError> {
        let mut connection = self.read().await?;
        let text = match (&connection, thorough) {
            (Connection::Sqlite(_), true) => "PRAGMA integrity_check(20)",
            (Connection::Sqlite(_), false) => "PRAGMA quick_check(20)",
            // A server checks its pages itself (data checksums); that it answers is what can be asked here.
            (Connection::Postgres(_), _) => "SELECT 'ok'",
        };
        let rows = sql(text).fetch_all(&mut connection).await?;
        let said = rows.iter().map(|row| row.try_get::<String>(0)).collect::<Result<Vec<_>, _>>()?;
        Ok(said.into_iter().filter(|line| line != "ok").collect())
    }

    /// The version of the schema in the database.
    pub async fn schema(&self) -> Result<i64, StoreError> {
        schema_version(&mut self.read().await?).await
    }
}

impl WriteStore {
    /// The tables of the database that is written to.
    pub async fn tables(&mut self) -> Result<Vec<Table>, StoreError> {
        tables(self.connection().await?).await
    }

    /// Whether the database holds rows of this node already.
    pub async fn holds_node(&mut self) -> Result<bool, StoreError> {
        let row = sql("SELECT EXISTS (SELECT 1 FROM meta WHERE node = $1)")
            .bind(self.me())
            .fetch_one(self.connection().await?)
            .await?;
        row.try_get(0)
    }

    /// Whose people the database holds already, as they stand in the first column of their tables.
    pub async fn realms(&mut self, tables: &[Table]) -> Result<Vec<Cell>, StoreError> {
        let mut here = Vec::new();
        for table in tables.iter().filter(|table| table.people) {
            let text = format!("SELECT DISTINCT realm FROM {}", table.name);
            for row in sql(AssertSqlSafe(text)).fetch_all(self.connection().await?).await? {
                let realm = Cell::Bytes(row.try_get(0)?);
                if !here.contains(&realm) {
                    here.push(realm);
                }
            }
        }
        Ok(here)
    }

    /// Puts rows of a backup into a table of this database, as rows of this node.
    pub async fn put_rows(&mut self, table: &Table, rows: &[Vec<Cell>]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
        let (before, width) = if table.people { ("", names.len()) } else { ("node, ", names.len() + 1) };
        // People of a pack may be here already, out of the backup of another of its nodes.
        let twice = if table.people { " ON CONFLICT DO NOTHING" } else { "" };
        let values = values(rows.len(), width);
        let text = format!("INSERT INTO {} ({before}{}) VALUES {values}{twice}", table.name, names.join(", "));
        let mut query = sql(AssertSqlSafe(text));
        for row in rows {
            if !table.people {
                query = query.bind(self.me());
            }
            if row.len() != table.columns.len() {
                return Err(StoreError::damaged("archive", "a row of another width than its table"));
            }
            for (cell, (_, kind)) in row.iter().zip(&table.columns) {
                query = query.bind(value(cell, *kind)?);
            }
        }
        self.later(query).await?;
        Ok(())
    }

    /// After a restore: join tokens that were not used are void, since one may have been used after the backup.
    pub async fn void_tokens(&mut self) -> Result<u64, StoreError> {
        sql("DELETE FROM token WHERE node = $1 AND request IS NULL")
            .bind(self.me())
            .execute(self.connection().await?)
            .await
    }
}

impl Database {
    /// Opens a database that may be new and brings it to one version of the schema, not further: rows of an old backup are
    /// put in as they were, and the later migrations then treat them like everybody's. None: the newest.
    pub async fn open_at(place: &super::Place, schema: i64) -> Result<Self, StoreError> {
        let database = Self::open_unmigrated(place)?;
        database.migrate_to(Some(schema)).await?;
        Ok(database)
    }
}
