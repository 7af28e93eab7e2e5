//! All that `week` shows, with the rows of all its nodes on a PostgreSQL server.

#[path = "week.rs"]
mod week;
