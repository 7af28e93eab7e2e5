//! The simulated city: the real link core and the real casework, seeded, with faults.
//!
//! Each seed makes a city of five levels, lets its people file, submit, accept, order, answer, lower, strike out and
//! archive while everything goes wrong that [`federation::sim::Fault`] knows; then everything heals
//! and must drain, and the levels must agree.

mod app;
mod figures;
mod harm;
mod ledger;
mod oracle;
mod people;
mod plan;
mod program;
mod revoked;
#[cfg(test)]
mod scene;
mod shape;

#[cfg(test)]
mod split;
#[cfg(test)]
mod versions;

pub use app::CityApp;
pub use harm::fault_name;
pub use plan::{Report, Run};
pub use shape::Shape;
