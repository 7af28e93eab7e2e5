//! Moves frames over QUIC and decides nothing. What is said on a link is the core's matter, who may speak is
//! [`crate::trust`]'s; here are sockets, streams, queues and limits.
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

pub mod ask;
pub mod event;
pub mod join;
pub mod quic;
pub mod settings;

#[cfg(test)]
mod tests;

pub use ask::{AskError, Question, ask};
pub use event::{Ask, AskKind, Event, JoinAsk, JoinRefusal, JoinReply};
pub use join::{JoinError, join};
pub use quic::{BindError, Endpoint, Host};
pub use settings::{HostSettings, Parent, Setup};
