//! The rules of cases between several nodes that store records in a map and exchange real bytes.

mod dossier;
mod erase;
mod exits;
mod figures;
mod keep;

mod levels;
mod mirror;
mod net;
mod orders;
mod property;
mod restored;
mod steps;
mod transfer;
