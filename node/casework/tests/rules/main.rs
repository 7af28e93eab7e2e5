//! The rules of cases between several nodes that store records in a map and exchange real bytes.

mod above;
mod attachments;
mod bonds;
mod clocks;
mod dossier;
mod erase;
mod exits;
mod figures;
mod filing;
mod keep;
mod levels;
mod measures;
mod mediation;
mod merge;
mod mirror;
mod net;
mod objection;
mod orders;
mod people;
mod property;
mod restored;
mod restricted;
mod steps;
mod tasks;
mod terms;
mod transfer;
