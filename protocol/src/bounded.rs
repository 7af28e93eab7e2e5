//! Text and lists with a limit in their type, checked before anything is allocated.

use std::fmt;
use std::ops::Deref;

use bincode::de::read::Reader;
use bincode::de::{BorrowDecode, BorrowDecoder, Decode, Decoder};
use bincode::enc::{Encode, Encoder};
use bincode::error::{DecodeError, EncodeError};
use serde::{Deserialize, Serialize};

/// Why a value does not fit its bounded type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutOfBounds {
    /// More items or characters than the type allows.
    #[error("{got} is more than the {max} allowed")]
    TooLong {
        /// What was given.
        got: usize,
        /// What the type allows.
        max: usize,
    },
    /// A control character that has no place in a text: it would hide or reorder what a person reads.
    #[error("the text holds a control or direction character")]
    ControlCharacter,
}

/// A text of at most `MAX` characters (Unicode scalar values) without control or bidirectional-override characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Checks length and characters.
    pub fn new(text: impl Into<String>) -> Result<Self, OutOfBounds> {
        let text = text.into();
        let got = text.chars().count();
        if got > MAX {
            return Err(OutOfBounds::TooLong { got, max: MAX });
        }
        if text.chars().any(is_hidden_control) {
            return Err(OutOfBounds::ControlCharacter);
        }
        Ok(Self(text))
    }

    /// The longest prefix of `text` that fits, hidden controls left out. For prefilled texts that a person then edits.
    pub fn cut(text: &str) -> Self {
        Self(text.chars().filter(|c| !is_hidden_control(*c)).take(MAX).collect())
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a character hides or reorders what a person reads: no text of a person holds one.
pub fn is_hidden_control(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

impl<const MAX: usize> Deref for Text<MAX> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = OutOfBounds;
    fn try_from(text: String) -> Result<Self, OutOfBounds> {
        Self::new(text)
    }
}

impl<const MAX: usize> TryFrom<&str> for Text<MAX> {
    type Error = OutOfBounds;
    fn try_from(text: &str) -> Result<Self, OutOfBounds> {
        Self::new(text)
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

impl<const MAX: usize> Encode for Text<MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.encode(encoder)
    }
}

/// Reads a length and refuses it before allocating when it is above `max`.
fn checked_length<D: Decoder>(decoder: &mut D, max: usize) -> Result<usize, DecodeError> {
    let claimed = u64::decode(decoder)?;
    match usize::try_from(claimed) {
        Ok(length) if length <= max => Ok(length),
        _ => Err(DecodeError::OtherString(format!("a length of {claimed} is above the limit of {max}"))),
    }
}

impl<C, const MAX: usize> Decode<C> for Text<MAX> {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let length = checked_length(decoder, MAX.saturating_mul(4))?;
        decoder.claim_bytes_read(length)?;
        let mut bytes = vec![0; length];
        decoder.reader().read(&mut bytes)?;
        let text = String::from_utf8(bytes).map_err(|e| DecodeError::Utf8 { inner: e.utf8_error() })?;
        Self::new(text).map_err(|e| DecodeError::OtherString(e.to_string()))
    }
}

impl<'de, C, const MAX: usize> BorrowDecode<'de, C> for Text<MAX> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

/// A list of at most `MAX` items.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(
    try_from = "Vec<T>",
    into = "Vec<T>",
    bound(serialize = "T: Serialize + Clone", deserialize = "T: Deserialize<'de>")
)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> List<T, MAX> {
    /// Checks the length.
    pub fn new(items: Vec<T>) -> Result<Self, OutOfBounds> {
        if items.len() > MAX {
            return Err(OutOfBounds::TooLong { got: items.len(), max: MAX });
        }
        Ok(Self(items))
    }

    /// Adds an item, or gives it back when the list is full.
    pub fn push(&mut self, item: T) -> Result<(), T> {
        if self.0.len() >= MAX {
            return Err(item);
        }
        self.0.push(item);
        Ok(())
    }

    /// The items as a plain vector.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> Deref for List<T, MAX> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T, const MAX: usize> IntoIterator for List<T, MAX> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T, const MAX: usize> TryFrom<Vec<T>> for List<T, MAX> {
    type Error = OutOfBounds;
    fn try_from(items: Vec<T>) -> Result<Self, OutOfBounds> {
        Self::new(items)
    }
}

impl<T, const MAX: usize> From<List<T, MAX>> for Vec<T> {
    fn from(list: List<T, MAX>) -> Self {
        list.0
    }
}

impl<T: Encode, const MAX: usize> Encode for List<T, MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        (self.0.len() as u64).encode(encoder)?;
        self.0.iter().try_for_each(|item| item.encode(encoder))
    }
}

impl<C, T: Decode<C>, const MAX: usize> Decode<C> for List<T, MAX> {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let length = checked_length(decoder, MAX)?;
        // Grown item by item: a claimed length costs nothing until the items are there.
        let mut items = Vec::new();
        for _ in 0..length {
            decoder.claim_container_read::<T>(1)?;
            items.push(T::decode(decoder)?);
        }
        Ok(Self(items))
    }
}

impl<'de, C, T: Decode<C>, const MAX: usize> BorrowDecode<'de, C> for List<T, MAX> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

/// Opaque bytes, at most `MAX` of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct Blob<const MAX: usize>(Vec<u8>);

impl<const MAX: usize> TryFrom<Vec<u8>> for Blob<MAX> {
    type Error = OutOfBounds;
    fn try_from(bytes: Vec<u8>) -> Result<Self, OutOfBounds> {
        Self::new(bytes)
    }
}

impl<const MAX: usize> From<Blob<MAX>> for Vec<u8> {
    fn from(blob: Blob<MAX>) -> Self {
        blob.0
    }
}

impl<const MAX: usize> Blob<MAX> {
    /// Checks the length.
    pub fn new(bytes: Vec<u8>) -> Result<Self, OutOfBounds> {
        if bytes.len() > MAX {
            return Err(OutOfBounds::TooLong { got: bytes.len(), max: MAX });
        }
        Ok(Self(bytes))
    }

    /// The bytes as a plain vector.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl<const MAX: usize> Deref for Blob<MAX> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<const MAX: usize> Encode for Blob<MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.encode(encoder)
    }
}

impl<C, const MAX: usize> Decode<C> for Blob<MAX> {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let length = checked_length(decoder, MAX)?;
        decoder.claim_bytes_read(length)?;
        let mut bytes = vec![0; length];
        decoder.reader().read(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl<'de, C, const MAX: usize> BorrowDecode<'de, C> for Blob<MAX> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}
