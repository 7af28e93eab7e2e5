//! Keys, certificates, tokens, the key directory: who may speak, and how it is proven.
//!
//! One authority at the top issues a certificate and a signed directory entry to each node. A link is admitted by the
//! registry of children (above) and by the pinned parent (below); a bundle is admitted by its origin's directory entry.
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

pub mod anchors;
pub mod authority;
pub mod directory;
pub mod enrolment;
pub mod files;
pub mod keys;
pub mod moving;
pub mod name;
pub mod registry;
pub mod renewal;
pub mod seal;
pub mod time;
pub mod tls;
pub mod token;
pub mod verify;

pub use anchors::Anchors;
pub use authority::Authority;
pub use directory::Directory;
pub use keys::NodeKeys;
pub use name::tls_name;
pub use registry::Registry;
pub use token::Token;

#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod tests_middle;
#[cfg(test)]
mod tests_over_time;

use ring::rand::{SecureRandom, SystemRandom};

/// The system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref()) {
        *to = *from;
    }
    hash
}
