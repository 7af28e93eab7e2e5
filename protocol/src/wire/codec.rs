//! The one place that calls bincode: bounded, exact in length, canonical.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
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

/// What nearly every value fits in.
const ROOM: usize = 512;

/// Encodes a value whose type bounds its size; hashes and signatures are made over this form. In one pass, with room to
/// spare: what is kept is made by [`encode`].
pub fn encode_unbounded<T: Encode>(value: &T) -> Vec<u8> {
    let mut bytes = Growing(Vec::with_capacity(ROOM));
    // Encoding into a vector fails only where a type refuses itself, which none of ours does.
    match bincode::encode_into_writer(value, &mut bytes, bincode::config::standard()) {
        Ok(()) => bytes.0,
        Err(_) => Vec::new(),
    }
}

struct Growing(Vec<u8>);

impl Writer for Growing {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Encodes a body and refuses what a receiver could not read back.
pub fn encode<T: Encode>(value: &T, max: usize) -> Result<Vec<u8>, Malformed> {
    let bytes = bincode::encode_to_vec(value, bincode::config::standard()).unwrap_or_default();
    if bytes.len() > max {
        return Err(Malformed::TooLarge { got: bytes.len(), max });
    }
    Ok(bytes)
}

/// Whether encoding a value gives exactly these bytes. They are compared as they come, and no copy is made.
fn is_written_as<T: Encode>(value: &T, bytes: &[u8]) -> bool {
    let mut rest = Expecting(bytes);
    bincode::encode_into_writer(value, &mut rest, bincode::config::standard()).is_ok() && rest.0.is_empty()
}

struct Expecting<'b>(&'b [u8]);

impl Writer for Expecting<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0 = self.0.strip_prefix(bytes).ok_or(EncodeError::Other("other bytes"))?;
        Ok(())
    }
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
    if !is_written_as(&value, bytes) {
        return Err(Malformed::NotCanonical);
    }
    Ok(value)
}
