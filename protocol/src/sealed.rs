//! Bytes that only one node can open (HPKE, base mode). How to seal and open is `federation::trust::seal`'s matter.

use bincode::{Decode, Encode};

use crate::bounded::Blob;

/// The most that a sealed message carries.
pub const SEALED_BYTES_MAX: usize = 384 * 1024;

/// An HPKE message: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Sealed {
    /// Suite: 1 is the one above; a later suite for national cryptography gets the next number.
    pub suite: u8,
    /// The encapsulated key.
    pub encapsulated: [u8; 32],
    /// Cipher text with its tag.
    pub ciphertext: Blob<SEALED_BYTES_MAX>,
}
