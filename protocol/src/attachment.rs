//! Attachments (附件) of cases: photos, voice, papers. What they are is content of an event; their bytes are asked for in parts
//! by whoever takes the case on.

use std::fmt;
use std::str::FromStr;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::bounded::{List, Text};
use crate::id::{AttachmentId, CaseId};
use crate::sealed::Sealed;

/// Bytes of one part; the last is as long as what is left.
pub const PART_BYTES_MAX: usize = 256 * 1024;
/// Bytes of one attachment, whatever a node's settings say.
pub const ATTACHMENT_BYTES_MAX: u32 = 100 * 1024 * 1024;
/// Parts that one question asks for.
pub const PARTS_ASKED_MAX: usize = 8;

/// SHA-256 of an attachment: what a browser can compute too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256(pub [u8; 32]);

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

/// The text is no SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 is 64 hexadecimal digits")]
pub struct NotASha256;

impl FromStr for Sha256 {
    type Err = NotASha256;
    fn from_str(text: &str) -> Result<Self, NotASha256> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(NotASha256);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = pair.iter().try_fold(0_u8, |all, digit| {
                let value = char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
                value.map(|value| (all << 4) | value)
            });
            *byte = pair.ok_or(NotASha256)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Sha256 {
    type Error = NotASha256;
    fn try_from(text: String) -> Result<Self, NotASha256> {
        text.parse()
    }
}

impl From<Sha256> for String {
    fn from(hash: Sha256) -> Self {
        hash.to_string()
    }
}

/// What the bytes are, by a number of ours. One of a later version is carried and shown as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Media(pub u16);

/// The media of this version, with the names by which they are asked for and served.
const MEDIA: [(u16, &str); 14] = [
    (1, "image/jpeg"),
    (2, "image/png"),
    (3, "image/webp"),
    (4, "image/heic"),
    (11, "audio/amr"),
    (12, "audio/mp4"),
    (13, "audio/mpeg"),
    (14, "audio/ogg"),
    (15, "audio/wav"),
    (21, "video/mp4"),
    (31, "application/pdf"),
    (32, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (33, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (34, "application/ofd"),
];

impl Media {
    /// The one with this name, if it is taken in.
    pub fn named(name: &str) -> Option<Self> {
        MEDIA.iter().find(|(_, known)| *known == name).map(|(number, _)| Self(*number))
    }

    /// Its name as a media type (RFC 2046); one of a later version is bytes.
    pub fn name(self) -> &'static str {
        MEDIA.iter().find(|(number, _)| *number == self.0).map_or("application/octet-stream", |(_, name)| *name)
    }

    /// All names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        MEDIA.iter().map(|(_, name)| *name)
    }
}

/// What an attachment is: private, and no byte of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Attachment {
    /// Its id, made by whoever uploads it.
    pub id: AttachmentId,
    /// Of all its bytes.
    pub sha256: Sha256,
    /// How many they are.
    pub bytes: u32,
    /// What they are.
    pub media: Media,
    /// The name of the file.
    pub name: Text<120>,
    /// What it shows.
    #[serde(default)]
    pub caption: Text<400>,
}

impl Attachment {
    /// How many parts it has.
    pub fn parts(&self) -> u16 {
        u16::try_from(usize::try_from(self.bytes).unwrap_or(usize::MAX).div_ceil(PART_BYTES_MAX)).unwrap_or(u16::MAX)
    }

    /// Bytes of a part, counted from 0; none where there is no such part.
    pub fn part_bytes(&self, number: u16) -> Option<usize> {
        let before = usize::from(number).checked_mul(PART_BYTES_MAX)?;
        let left = usize::try_from(self.bytes).ok()?.checked_sub(before)?;
        (left > 0).then_some(left.min(PART_BYTES_MAX))
    }

    /// Whether it may be at all: it has bytes, not too many, and a name.
    pub fn is_sound(&self) -> bool {
        (1..=ATTACHMENT_BYTES_MAX).contains(&self.bytes) && !self.name.trim().is_empty()
    }
}

/// The owner of a case asks a former one for parts that it lacks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct AttachmentAsked {
    /// The case.
    pub case: CaseId,
    /// The attachment.
    pub attachment: AttachmentId,
    /// The parts, counted from 0.
    pub numbers: List<u16, PARTS_ASKED_MAX>,
}

/// A part, or that it is not here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct AttachmentPart {
    /// The case.
    pub case: CaseId,
    /// The attachment.
    pub attachment: AttachmentId,
    /// Which part, counted from 0.
    pub number: u16,
    /// Its bytes, sealed to whoever asked; none: whoever was asked does not have it.
    pub sealed: Option<Sealed>,
}

/// What is sealed with a part: it opens as that part and as no other.
pub fn part_place(case: CaseId, attachment: AttachmentId, number: u16) -> Vec<u8> {
    [b"attachment part".as_slice(), case.as_bytes(), attachment.as_bytes(), &number.to_be_bytes()].concat()
}

/// The owner has all of an attachment: a former owner need not keep it for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct AttachmentHeld {
    /// The case.
    pub case: CaseId,
    /// The attachment.
    pub attachment: AttachmentId,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: u32) -> Attachment {
        let id = AttachmentId::from_bytes([1; 16]);
        Attachment {
            id,
            sha256: Sha256([2; 32]),
            bytes,
            media: Media(1),
            name: Text::cut("a.jpg"),
            caption: Text::cut(""),
        }
    }

    #[test]
    fn parts_are_full_but_the_last() {
        let full = u32::try_from(PART_BYTES_MAX).unwrap();
        for (bytes, parts, last) in [(1, 1, 1), (full, 1, full), (full + 1, 2, 1), (full * 3 - 1, 3, full - 1)] {
            let attachment = of(bytes);
            assert_eq!(attachment.parts(), parts);
            assert_eq!(attachment.part_bytes(parts - 1), usize::try_from(last).ok());
            assert_eq!(attachment.part_bytes(parts), None);
        }
        assert_eq!(of(ATTACHMENT_BYTES_MAX).parts(), 400);
        assert_eq!(of(0).parts(), 0);
    }

    #[test]
    fn a_hash_is_written_in_digits_and_read_back() {
        let hash = Sha256([0xa7; 32]);
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_string().to_uppercase().parse(), Ok(hash));
        for wrong in ["", "a7", &"g".repeat(64), &"a".repeat(65), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<Sha256>(), Err(NotASha256), "{wrong}");
        }
    }

    #[test]
    fn a_medium_of_a_later_version_is_bytes() {
        for name in Media::names() {
            assert_eq!(Media::named(name).unwrap().name(), name);
        }
        assert_eq!(Media(999).name(), "application/octet-stream");
        assert_eq!(Media::named("text/html"), None);
    }

    #[test]
    fn an_attachment_without_bytes_or_with_too_many_is_none() {
        assert!(of(1).is_sound() && of(ATTACHMENT_BYTES_MAX).is_sound());
        assert!(!of(0).is_sound() && !of(ATTACHMENT_BYTES_MAX + 1).is_sound());
    }
}
