//! What city-wide tests share: nodes as processes, relays between them, and the simulated city.

pub mod bench;
pub mod disk;
pub mod draw;
pub mod hostile;
pub mod ledger;
pub mod line;
pub mod namespace;
#[path = "../../node/tests/support/postgres.rs"]
pub mod postgres;
pub mod process;
pub mod relay;
pub mod sim;
pub mod soak;
