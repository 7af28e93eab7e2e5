//! The one place that calls bincode: bounded, exact in length, canonical.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::{Decode, Encode};

use super::limits::DECODE_BYTES_MAX;

/// Why bytes are not a value of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// More bytes than this kind may have.
    #[error("{got} bytes are more than the {max} allowed")]
    TooLarge {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Bytes that do not decode.
    #[error("not a value of its kind: {0}")]
    Undecodable(String),
    /// Bytes after the value.
    #[error("{0} bytes follow the value")]
    Trailing(usize),
    /// The value could be written in another way, which would give one message two hashes.
    #[error("not in canonical form")]
    NotCanonical,
}

const fn config() -> Configuration<LittleEndian, Varint, Limit<DECODE_BYTES_MAX>> {
    bincode::config::standard().with_limit::<DECODE_BYTES_MAX>()
}

/// Encodes a value whose type bounds its size; hashes and signatures are made over this form.
pub fn encode_unbounded<T: Encode>(value: &T) -> Vec<u8> {
    // Encoding into a vector fails only where a type refuses itself, which none of ours does.
    bincode::encode_to_vec(value, bincode::config::standard()).unwrap_or_default()
}

/// Encodes a body and refuses what a receiver could not read back.
pub fn encode<T: Encode>(value: &T, max: usize) -> Result<Vec<u8>, Malformed> {
    let bytes = encode_unbounded(value);
    if bytes.len() > max {
        return Err(Malformed::TooLarge { got: bytes.len(), max });
    }
    Ok(bytes)
}

/// Decodes exactly one value from `bytes`: bounded in size and memory, nothing after it, and in the one form that
/// encoding gives.
pub fn decode<T: Decode<()> + Encode>(bytes: &[u8], max: usize) -> Result<T, Malformed> {
    if bytes.len() > max {
        return Err(Malformed::TooLarge { got: bytes.len(), max });
    }
    let (value, used): (T, usize) =
        bincode::decode_from_slice(bytes, config()).map_err(|e| Malformed::Undecodable(e.to_string()))?;
    if used != bytes.len() {
        return Err(Malformed::Trailing(bytes.len().saturating_sub(used)));
    }
    if encode_unbounded(&value) != bytes {
        return Err(Malformed::NotCanonical);
    }
    Ok(value)
}
