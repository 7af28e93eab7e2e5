//! One statement, two databases: a text with its values, run on whichever connection it is given.
//!
//! sqlx types a query by its database. Writing each statement behind a macro that repeats it for both would compile and
//! check every body twice; here the values are gathered in a small enum first, and only the four ways to run a statement
//! know both databases.

use futures_util::TryStreamExt;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Postgres, SqlSafeStr, SqlStr, Sqlite};

use super::StoreError;

/// A connection out of a pool; it goes back when dropped.
#[derive(Debug)]
pub enum Connection {
    /// To a file.
    Sqlite(PoolConnection<Sqlite>),
    /// To a server.
    Postgres(PoolConnection<Postgres>),
}

impl Connection {
    /// Lets it be closed instead of given back.
    pub(crate) fn close_on_drop(&mut self) {
        match self {
            Self::Sqlite(connection) => connection.close_on_drop(),
            Self::Postgres(connection) => connection.close_on_drop(),
        }
    }
}

/// A value that is bound to a statement. The type of a null counts on PostgreSQL.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// `INTEGER`, `BIGINT`; truth is 0 or 1.
    Int(Option<i64>),
    /// `BLOB`, `BYTEA`.
    Bytes(Option<Vec<u8>>),
    /// `TEXT`.
    Text(Option<String>),
}

macro_rules! values {
    ($($from:ty, $variant:ident, |$v:ident| $convert:expr;)+) => {$(
        impl From<$from> for Value {
            fn from($v: $from) -> Self {
                Self::$variant(Some($convert))
            }
        }
        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$variant(value.map(|$v| $convert))
            }
        }
    )+};
}

values! {
    i64, Int, |v| v;
    bool, Int, |v| i64::from(v);
    Vec<u8>, Bytes, |v| v;
    &[u8], Bytes, |v| v.to_vec();
    String, Text, |v| v;
    &str, Text, |v| v.to_owned();
}

/// A statement with its values, in the order of `$1`, `$2` and so on.
#[derive(Debug)]
pub(crate) struct Statement {
    text: SqlStr,
    values: Vec<Value>,
}

/// A statement. A text put together at run time must be wrapped in `AssertSqlSafe`: never with anything that came from
/// outside.
pub(crate) fn sql(text: impl SqlSafeStr) -> Statement {
    Statement { text: text.into_sql_str(), values: Vec::new() }
}

/// Runs several statements without values in one message to a server; gives the number of rows that they returned.
/// Nothing that came from outside may be in the text.
pub(crate) async fn several(text: String, connection: &mut Connection) -> Result<usize, StoreError> {
    let text = sqlx::raw_sql(AssertSqlSafe(text));
    let rows = match connection {
        Connection::Sqlite(connection) => text.fetch_all(&mut **connection).await?.len(),
        Connection::Postgres(connection) => text.fetch_all(&mut **connection).await?.len(),
    };
    Ok(rows)
}

/// The text with other words for its places, `$1`, `$2` and so on; none when `word` has none for one of them.
fn with_places(text: &str, mut word: impl FnMut(usize) -> Option<String>) -> Option<String> {
    let mut changed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, behind) = after.split_at(digits);
        changed.push_str(before);
        changed.push_str(&word(number.parse().ok()?)?);
        rest = behind;
    }
    changed.push_str(rest);
    Some(changed)
}

/// The text with `?` for its places, when these are `$1`, `$2` and so on in their order. SQLite keeps the names of places in
/// a list and looks each through for every value that is bound: what a statement of a thousand values costs is mostly that.
fn nameless(text: &str, values: usize) -> Option<String> {
    let mut places = 0_usize;
    let nameless = with_places(text, |number| {
        places += 1;
        (number == places).then(|| "?".to_owned())
    });
    nameless.filter(|_| places == values)
}

/// From how many values on it is worth another text.
const MANY_VALUES: usize = 16;

impl Statement {
    /// As SQLite runs it fastest.
    fn for_sqlite(self) -> Self {
        if self.values.len() < MANY_VALUES {
            return self;
        }
        match nameless(self.text.as_str(), self.values.len()) {
            // Only names of places have changed.
            Some(text) => Self { text: AssertSqlSafe(text).into_sql_str(), ..self },
            None => self,
        }
    }
}

macro_rules! bound {
    ($database:ty, $statement:expr) => {{
        let statement: Statement = $statement;
        let mut query = sqlx::query::<$database>(statement.text);
        for value in statement.values {
            query = match value {
                Value::Int(v) => query.bind(v),
                Value::Bytes(v) => query.bind(v),
                Value::Text(v) => query.bind(v),
            };
        }
        query
    }};
}

macro_rules! run {
    ($statement:ident, $connection:ident, |$query:ident, $c:ident| $run:expr) => {
        match $connection {
            Connection::Sqlite(connection) => {
                let ($query, $c) = (bound!(Sqlite, $statement.for_sqlite()), &mut **connection);
                $run
            }
            Connection::Postgres(connection) => {
                let ($query, $c) = (bound!(Postgres, $statement), &mut **connection);
                $run
            }
        }
    };
}

impl Statement {
    /// Several as one, for SQLite: the places of each are numbered on from those of the one before.
    pub(super) fn together(all: Vec<Self>) -> Self {
        let (mut text, mut values) = (String::new(), Vec::new());
        for statement in all {
            let alone = statement.text.as_str();
            let numbered_on = with_places(alone, |number| Some(format!("${}", number + values.len())));
            text.push_str(numbered_on.as_deref().unwrap_or(alone));
            text.push(';');
            values.extend(statement.values);
        }
        // Of texts that may be run.
        Self { text: AssertSqlSafe(text).into_sql_str(), values }
    }

    /// How many values it has.
    pub(super) fn values(&self) -> usize {
        self.values.len()
    }

    /// Binds the next value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Binds some more, in their order.
    pub(crate) fn bind_each<V: Into<Value>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.values.extend(values.into_iter().map(Into::into));
        self
    }

    /// Runs it; gives the number of rows that it changed.
    pub(crate) async fn execute(self, connection: &mut Connection) -> Result<u64, StoreError> {
        Ok(run!(self, connection, |query, c| query.execute(c).await?.rows_affected()))
    }

    /// All rows.
    pub(crate) async fn fetch_all(self, connection: &mut Connection) -> Result<Vec<Row>, StoreError> {
        Ok(run!(self, connection, |query, c| query.fetch_all(c).await?.into_iter().map(Row::from).collect()))
    }

    /// Hands every row to `each`, one after another: there may be more of them than fit into memory.
    pub(crate) async fn for_each<E: From<StoreError>>(
        self,
        connection: &mut Connection,
        mut each: impl FnMut(&Row) -> Result<(), E>,
    ) -> Result<(), E> {
        run!(self, connection, |query, c| {
            let mut rows = query.fetch(c);
            while let Some(row) = rows.try_next().await.map_err(StoreError::from)? {
                each(&Row::from(row))?;
            }
        });
        Ok(())
    }

    /// The first row, if there is one.
    pub(crate) async fn fetch_optional(self, connection: &mut Connection) -> Result<Option<Row>, StoreError> {
        Ok(run!(self, connection, |query, c| query.fetch_optional(c).await?.map(Row::from)))
    }

    /// The one row that there must be.
    pub(crate) async fn fetch_one(self, connection: &mut Connection) -> Result<Row, StoreError> {
        Ok(run!(self, connection, |query, c| Row::from(query.fetch_one(c).await?)))
    }
}

/// A row of either database.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self::Sqlite(row)
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self::Postgres(row)
    }
}

impl Row {
    /// The value of a column, counted from 0.
    pub(crate) fn try_get<T: Column>(&self, index: usize) -> Result<T, StoreError> {
        Ok(T::of(self, index)?)
    }
}

/// What a column can be read as.
pub(crate) trait Column: Sized {
    fn of(row: &Row, index: usize) -> Result<Self, sqlx::Error>;
}

macro_rules! columns {
    ($($type:ty),+) => {$(
        impl Column for $type {
            fn of(row: &Row, index: usize) -> Result<Self, sqlx::Error> {
                match row {
                    Row::Sqlite(row) => sqlx::Row::try_get(row, index),
                    Row::Postgres(row) => sqlx::Row::try_get(row, index),
                }
            }
        }
    )+};
}

columns!(i64, Option<i64>, Vec<u8>, Option<Vec<u8>>, String, Option<String>);

impl Column for bool {
    /// A column holds 0 or 1 on both; a condition is a BOOLEAN of its own on PostgreSQL.
    fn of(row: &Row, index: usize) -> Result<Self, sqlx::Error> {
        if let Row::Postgres(row) = row
            && let Ok(condition) = sqlx::Row::try_get::<bool, _>(row, index)
        {
            return Ok(condition);
        }
        i64::of(row, index).map(|number| number != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lose_their_names_only_when_each_stands_once_and_in_order() {
        assert_eq!(
            nameless("INSERT INTO t VALUES ($1,$2),($3,$4)", 4).as_deref(),
            Some("INSERT INTO t VALUES (?,?),(?,?)")
        );
        assert_eq!(nameless("SELECT $1 WHERE a = $10", 2), None);
        assert_eq!(nameless("SELECT 1 WHERE a = $1 AND b = $1", 2), None);
        assert_eq!(nameless("SELECT 1 WHERE b = $2 AND a = $1", 2), None);
        assert_eq!(nameless("SELECT 1 WHERE a = $1", 2), None);
    }

    #[test]
    fn statements_that_go_together_are_numbered_on() {
        let begin = sql("BEGIN IMMEDIATE");
        let update = || sql("UPDATE t SET a = $2 WHERE b = $1 AND c IN ($3,$2)").bind(1_i64).bind(2_i64).bind(3_i64);
        let together = Statement::together(vec![begin, update(), update()]);
        assert_eq!(
            together.text.as_str(),
            "BEGIN IMMEDIATE;UPDATE t SET a = $2 WHERE b = $1 AND c IN ($3,$2);\
             UPDATE t SET a = $5 WHERE b = $4 AND c IN ($6,$5);"
        );
        assert_eq!(together.values(), 6);
    }
}
