//! Measures of `make bench`, each in a file of its own with what it makes up and what it is held against.

pub mod child;
pub mod cost;
pub mod crowd;
pub mod curve;
pub mod dossier;
pub mod drain;
pub mod events;
pub mod facts;
pub mod figures;
pub mod four_hops;
pub mod full_city;
pub mod links;
pub mod made;
pub mod outbox;
pub mod priority;
mod results;
pub mod search;
pub mod storm;
pub mod write;

pub use results::{Results, tell};

/// Why something could not be measured.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
