//! The HTTP API and the page, on one listener.

pub mod audit;
pub mod caller;
pub mod cases;
pub mod drafts;
pub mod due;
pub mod duty;
pub mod elsewhere;
pub mod extract;
pub mod factor;
pub mod figures;
pub mod health;
pub mod idempotency;
pub mod links;
pub mod metrics;
pub mod offers;
pub mod orders;
pub mod parcels;
pub mod persons;
pub mod problem;
mod problem_attachments;
pub mod publications;
pub mod quarantine;
pub mod rights;
pub mod router;
pub mod rules;
pub mod session;
pub mod spec;
pub mod stamp;
pub mod state;
pub mod stored;
pub mod tasks;
pub mod tokens;
pub mod trust;
pub mod uploads;
pub mod users;

pub use state::ApiState;
