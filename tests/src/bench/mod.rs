//! Measures of `make bench` that need more than a few lines.

pub mod full_city;
pub mod write;
