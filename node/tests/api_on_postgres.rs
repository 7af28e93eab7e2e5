//! All that `api` shows, with the rows of the node on a PostgreSQL server.

#[path = "api.rs"]
mod api;
