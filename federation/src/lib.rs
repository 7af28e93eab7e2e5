//! The link between nodes.
//!
//! [`core`] is the protocol as a pure state machine; [`trust`] is keys, certificates and who may speak;
//! [`driver`] moves bytes over QUIC and decides nothing; [`sim`] runs many cores in virtual time.

pub mod core;
pub mod driver;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod sim;
pub mod trust;
