//! A pack: many nodes in one process, behind one UDP socket and one HTTPS listener. A township's server hosts its villages
//! and grids; a whole city fits on one machine.
//!
//! Each node keeps a folder of its own with its keys and, by default, its database file, so that backup, restore and
//! hand-over of one node touch no other. What the nodes share stands in the pack's `pack.toml`.

mod enrol;
mod file;
mod head;
mod join;
mod limits;
mod make;
mod read;
mod start;
mod sweep;

#[cfg(test)]
mod tests;

pub use file::{FILE_NAME, PackDatabase, PackFile, PackPeople, PackSection, file_in};
pub use head::Head;
pub use join::join;
pub use limits::{TooFew, descriptors_needed, raise_descriptors};
pub use make::{Made, Order, make};
pub use read::{Readers, read};
pub use start::{Failure, Pack, Progress};
