//! The one way by which bytes become a [`Verified`] bundle.

use std::sync::Arc;

use protocol::wire::bundle::{Bundle, NotABundle};

use super::directory::{Directory, verified};

pub use crate::core::Verified;

/// Why a bundle is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The bytes are no bundle.
    #[error(transparent)]
    NotABundle(#[from] NotABundle),
    /// No entry for its origin, or a revoked one.
    #[error("the origin is not in the directory")]
    UnknownOrigin,
    /// The origin has no key with this id.
    #[error("the origin has no such key")]
    UnknownKey,
    /// The signature does not hold: altered on the way, or forged.
    #[error("the signature does not hold")]
    Signature,
    /// It came on another lane than its signed urgency says.
    #[error("not the lane of its urgency")]
    WrongLane,
}

/// Parses a bundle and checks its origin's signature over its exact bytes.
pub fn bundle(bytes: Arc<[u8]>, directory: &Directory) -> Result<Verified<Bundle>, VerifyError> {
    let bundle = Bundle::parse(bytes)?;
    let head = bundle.head();
    let Some(key) = directory.signing_key_by_id(head.origin, head.key) else {
        let known = directory.knows(head.origin);
        return Err(if known { VerifyError::UnknownKey } else { VerifyError::UnknownOrigin });
    };
    let (bytes, signature) = bundle.signed();
    if !verified(key, bytes, &signature) {
        return Err(VerifyError::Signature);
    }
    Ok(Verified::assertion(bundle))
}
