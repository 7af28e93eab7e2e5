//! Tables of divisions: read from a file, checked row by row, and turned into the places that get a node.
//!
//! Real tables are odd: a city has no counties, a county is a zone, a row is a mere heading of the list. Each oddity either
//! runs or is refused with its line and a reason; a table is taken whole or not at all.

mod check;
mod fault;
mod grids;
mod read;
mod sites;

#[cfg(test)]
mod tests;

pub use fault::{Fault, Reason, Refused};
pub use grids::{grid, with_grids};
pub use read::read;
pub use sites::{NoSites, PassedBy, Site, Sites, is_heading, sites, top};
