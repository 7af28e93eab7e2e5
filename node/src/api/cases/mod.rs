//! Cases: lists, one case, the report, reports in numbers, and what is done to a case.

pub mod acts;
pub(crate) mod attachments;
pub mod bodies;
pub mod detail;
pub mod dossier;
mod held;
pub mod hints;
mod holders;
pub mod import;
pub mod list;
pub mod measures;
pub mod mediation;
pub mod papers;
pub(crate) mod pieces;
pub mod report;
pub mod restricted;
pub mod similar;
pub mod task_link;
pub mod tasks;
pub mod view;
