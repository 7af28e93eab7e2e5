//! The vocabulary of Wuji and its wire format.
//!
//! Everything that two nodes must agree on lives here: division codes, ids, warning levels, two-part events and their
//! chains, orders, receipts, transfers, facts, and how they are laid out in bundles and frames. The crate does no I/O and
//! has neither clock nor randomness: time, random bytes and keys come in as values.
//!
//! A type that derives `Encode`/`Decode` is a *frozen body of schema 1* once its golden vector stops being a draft:
//! no field is ever added to it, a changed shape is a new schema beside it (see [`wire`]).
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod attachment;
pub mod audit;
pub mod bounded;
pub mod chain;
pub mod digest;
pub mod directory;
pub mod division;
pub mod erase;
pub mod event;
pub mod fact;
pub mod grading;
pub mod id;
pub mod moving;
pub mod order;
pub mod publication;
pub mod receipt;
pub mod sealed;
pub mod time;
pub mod transfer;
pub mod unit;
pub mod warning;
pub mod wire;
