//! Instead of signatures: a sum over the bytes, which finds what was damaged as `trust::verify` would, in no time.

use std::sync::Arc;

use protocol::chain::Signature;
use protocol::wire::bundle::Bundle;

use crate::core::Verified;

/// What stands where a signature would.
pub(super) fn sign(bytes: &[u8]) -> Signature {
    // FNV-1a: each step is a bijection, so that one changed byte always changes the sum.
    let sum = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let mut signature = [0; 64];
    for (place, byte) in signature.iter_mut().zip(sum.to_be_bytes()) {
        *place = byte;
    }
    Signature(signature)
}

/// A bundle as its origin made it.
pub(super) fn believe(bytes: Arc<[u8]>) -> Option<Verified<Bundle>> {
    let bundle = Bundle::parse(bytes).ok()?;
    let (signed, signature) = bundle.signed();
    let good = sign(signed) == signature;
    good.then(|| Verified::assertion(bundle))
}
