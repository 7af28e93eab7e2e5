//! The simulated city: the real link core and the real casework, seeded, with faults.
//!
//! Each seed makes a city of five levels, lets its people file, submit, accept, order, answer, lower, strike out and
//! archive while everything goes wrong that [`federation::sim::Fault`] knows; then everything heals
//! and must drain, and the levels must agree.

mod app;
mod oracle;
mod plan;

pub use app::CityApp;
pub use plan::{Report, Run, Shape, fault_name};
