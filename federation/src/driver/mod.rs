//! Moves frames over QUIC, or over TCP where UDP is blocked, and decides nothing. What is said on a link is the core's
//! matter, who may speak is [`crate::trust`]'s; here are sockets, lanes, queues and limits.
//!
//! [`host`] holds the nodes and whom they admit, `link` the frames of a connection; both are written over `connection`, which
//! `quic` and `tcp` carry.
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
mod connection;
mod dial;
pub mod event;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing {
    pub(crate) use super::tcp::fuzzing::records;
}
pub mod host;
pub mod join;
mod link;
pub mod network;
mod quic;
pub mod settings;
mod tcp;

#[cfg(test)]
mod tests;

pub use ask::{AskError, Question, ask};
pub use event::{Ask, AskKind, Event, JoinAsk, JoinRefusal, JoinReply};
pub use host::{BindError, Endpoint, Gauge, Host, NotLetIn};
pub use join::{JoinError, join};
pub use settings::{HostSettings, Parent, Setup, Transport};
