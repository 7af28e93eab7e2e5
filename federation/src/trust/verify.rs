//! The one way by which bytes become a [`Verified`] bundle.

use std::sync::Arc;

use protocol::wire::bundle::{Bundle, NotABundle};
use protocol::wire::parcel::SignedHead;

use super::directory::{Directory, Signer, verified};

pub use crate::core::Verified;

/// Why a bundle is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The bytes are no bundle.
    #[error(transparent)]
    NotABundle(#[from] NotABundle),
    /// No entry for its origin.
    #[error("the origin is not in the directory")]
    UnknownOrigin,
    /// The origin has no key with this id.
    #[error("the origin has no such key")]
    UnknownKey,
    /// Sealed after the origin's key was revoked.
    #[error("the origin's key was revoked before it sealed this")]
    Revoked,
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
    let key = match directory.signer(head.origin, head.key, head.id.millis()) {
        Signer::Key(key) => key,
        Signer::Revoked => return Err(VerifyError::Revoked),
        Signer::UnknownKey => return Err(VerifyError::UnknownKey),
        Signer::UnknownNode => return Err(VerifyError::UnknownOrigin),
    };
    let (bytes, signature) = bundle.signed();
    if !verified(key, bytes, &signature) {
        return Err(VerifyError::Signature);
    }
    Ok(Verified::assertion(bundle))
}

/// Checks that the node which a parcel names made it. Whoever was revoked may not come by a file either, whenever the file
/// was made: a link would be refused now.
pub fn parcel(signed: &SignedHead, directory: &Directory) -> Result<(), VerifyError> {
    let head = &signed.head;
    let key = match directory.signer(head.from, head.key, u64::MAX) {
        Signer::Key(key) => key,
        Signer::Revoked => return Err(VerifyError::Revoked),
        Signer::UnknownKey => return Err(VerifyError::UnknownKey),
        Signer::UnknownNode => return Err(VerifyError::UnknownOrigin),
    };
    if verified(key, &head.signed_bytes(), &signed.signature) { Ok(()) } else { Err(VerifyError::Signature) }
}
