//! People and their rights, against a real node: every operation with every role and with none; log-ins and what
//! makes guessing slow; tokens; hand-over; parties masked, revealed and erased; the audit and what was done to it.

mod audit;
mod due;
mod harness;
mod limits;
mod log_in;
mod metrics;
mod papers;
mod persons;
#[path = "../support/ports.rs"]
mod ports;
mod rekey;
mod users;
mod walk;
