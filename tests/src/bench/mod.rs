//! Measures of `make bench` that need more than a few lines.

pub mod facts;
pub mod figures;
pub mod full_city;
pub mod made;
pub mod write;
