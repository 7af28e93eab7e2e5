//! One node of the five-level linkage.
//!
//! One writer task owns the database and the link core; the API, the page and the driver send it work.

pub mod alarms;
pub mod api;
pub mod attachment;
pub mod cli;
pub mod clock;
pub mod config;
pub mod counters;
pub mod demo;
pub mod divisions;
pub mod documents;
pub mod door;
pub mod finding;
pub mod folder;
mod invite;
pub mod metrics;
pub mod names;
pub mod node;
pub mod ops;
pub mod oversight;
pub mod pack;
pub mod page;
pub mod person;
pub mod reader;
mod several;
pub mod shared;
pub mod store;
pub mod trust;
pub mod writer;
