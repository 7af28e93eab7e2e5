//! A move as text, for where the link by which it should have come is down. It holds no secret, and is believed for the
//! authority's signature, whoever brings it.

use data_encoding::BASE64URL_NOPAD;
use protocol::moving::{MOVE_BYTES_MAX, SignedMove};
use protocol::wire::codec;

const PREFIX: &str = "wuji-move1.";

/// The text is no move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an order to move, or not the whole of it")]
pub struct NotAMove;

/// The text form.
pub fn to_text(signed: &SignedMove) -> String {
    format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&codec::encode_unbounded(signed)))
}

/// Reads the text form. Whether it is believed is another question.
pub fn from_text(text: &str) -> Result<SignedMove, NotAMove> {
    let text = text.trim().strip_prefix(PREFIX).ok_or(NotAMove)?;
    if text.len() > MOVE_BYTES_MAX.saturating_mul(2) {
        return Err(NotAMove);
    }
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| NotAMove)?;
    codec::decode(&bytes, MOVE_BYTES_MAX).map_err(|_| NotAMove)
}
