//! All that `year` shows, with the rows of all its nodes on a PostgreSQL server.

#[path = "year.rs"]
mod year;
