//! Bundles: what one flush of an origin holds for one destination, signed once over its exact bytes.

use std::sync::Arc;

use crate::chain::Signature;
use crate::directory::KeyId;
use crate::id::{BundleId, MessageId, NodeId};

use super::frame::Lane;
use super::kind::Kind;
use super::limits::{BODY_BYTES_MAX, BUNDLE_BYTES_MAX, BUNDLE_MESSAGES_MAX};

/// How urgent a bundle is; signed, so that no relay can slow it down unnoticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Attachments.
    Bulk,
    /// Facts, tallies, watermarks.
    Statistics,
    /// Orders, answers, receipts, offers, yellow cases.
    Routine,
    /// Red cases.
    Red,
    /// Orange cases.
    Orange,
}

impl Urgency {
    /// The lane it travels on.
    pub fn lane(self) -> Lane {
        match self {
            Self::Bulk => Lane::Bulk,
            Self::Statistics => Lane::Statistics,
            Self::Routine | Self::Red | Self::Orange => Lane::Cases,
        }
    }

    fn to_byte(self) -> u8 {
        match self {
            Self::Bulk => 0,
            Self::Statistics => 1,
            Self::Routine => 2,
            Self::Red => 3,
            Self::Orange => 4,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Bulk, Self::Statistics, Self::Routine, Self::Red, Self::Orange].get(usize::from(byte)).copied()
    }
}

/// One addressed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Its kind.
    pub kind: Kind,
    /// Schema of the body.
    pub schema: u16,
    /// The body, in bincode; opaque to nodes that do not know the kind.
    pub body: Vec<u8>,
}

/// What stands before the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleHead {
    /// The bundle: time-ordered, the unit of de-duplication.
    pub id: BundleId,
    /// Who sealed it.
    pub origin: NodeId,
    /// Its key.
    pub key: KeyId,
    /// The destination.
    pub to: NodeId,
    /// Urgency.
    pub urgency: Urgency,
    /// Whether the destination answers with a terminal receipt. Off for receipts themselves.
    pub receipted: bool,
}

/// A bundle as it travels: its bytes, and what they were parsed to. The bytes are never made anew, and a clone shares both.
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    head: BundleHead,
    messages: Arc<[Message]>,
    bytes: Arc<[u8]>,
}

/// Why bytes are no bundle, or messages make none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotABundle {
    /// Shorter than it says.
    #[error("the bundle is cut short")]
    Short,
    /// Longer than it says.
    #[error("bytes follow the bundle")]
    Trailing,
    /// Above a limit of size or number.
    #[error("the bundle is above a limit")]
    TooLarge,
    /// No message in it.
    #[error("the bundle is empty")]
    Empty,
    /// A format, algorithm, urgency or flag that this version does not know.
    #[error("a format or flag of another version")]
    Unsupported,
}

const FORMAT: u8 = 1;
/// Ed25519. SM2 gets the next number when a provider exists.
const ALGORITHM: u8 = 1;
const FLAG_RECEIPTED: u8 = 1;
const SIGNATURE_BYTES: usize = 64;

impl Bundle {
    /// Lays out and signs a bundle. `sign` gets the exact bytes that the signature covers.
    pub fn seal(
        head: BundleHead,
        messages: Vec<Message>,
        sign: impl FnOnce(&[u8]) -> Signature,
    ) -> Result<Self, NotABundle> {
        if messages.is_empty() {
            return Err(NotABundle::Empty);
        }
        let count = u16::try_from(messages.len()).map_err(|_| NotABundle::TooLarge)?;
        if messages.len() > BUNDLE_MESSAGES_MAX || messages.iter().any(|m| m.body.len() > BODY_BYTES_MAX) {
            return Err(NotABundle::TooLarge);
        }
        let mut bytes = vec![FORMAT, ALGORITHM];
        bytes.extend_from_slice(head.id.as_bytes());
        bytes.extend_from_slice(head.origin.as_bytes());
        bytes.extend_from_slice(&head.key.0);
        bytes.extend_from_slice(head.to.as_bytes());
        bytes.push(head.urgency.to_byte());
        bytes.push(if head.receipted { FLAG_RECEIPTED } else { 0 });
        bytes.extend_from_slice(&count.to_be_bytes());
        for message in &messages {
            bytes.extend_from_slice(message.id.as_bytes());
            bytes.extend_from_slice(&message.kind.0.to_be_bytes());
            bytes.extend_from_slice(&message.schema.to_be_bytes());
            let length = u32::try_from(message.body.len()).map_err(|_| NotABundle::TooLarge)?;
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(&message.body);
        }
        let signature = sign(&bytes);
        bytes.extend_from_slice(&signature.0);
        if bytes.len() > BUNDLE_BYTES_MAX {
            return Err(NotABundle::TooLarge);
        }
        Ok(Self { head, messages: messages.into(), bytes: bytes.into() })
    }

    /// Parses a bundle. The signature is not checked here: see `federation::trust::verify`.
    pub fn parse(bytes: Arc<[u8]>) -> Result<Self, NotABundle> {
        if bytes.len() > BUNDLE_BYTES_MAX {
            return Err(NotABundle::TooLarge);
        }
        let signed =
            bytes.len().checked_sub(SIGNATURE_BYTES).and_then(|end| bytes.get(..end)).ok_or(NotABundle::Short)?;
        let mut rest = Cursor(signed);
        if rest.byte()? != FORMAT || rest.byte()? != ALGORITHM {
            return Err(NotABundle::Unsupported);
        }
        let id = BundleId::from_bytes(rest.array()?);
        let origin = NodeId::from_bytes(rest.array()?);
        let key = KeyId(rest.array()?);
        let to = NodeId::from_bytes(rest.array()?);
        let urgency = Urgency::from_byte(rest.byte()?).ok_or(NotABundle::Unsupported)?;
        let receipted = match rest.byte()? {
            0 => false,
            FLAG_RECEIPTED => true,
            _ => return Err(NotABundle::Unsupported),
        };
        let count = usize::from(u16::from_be_bytes(rest.array()?));
        match count {
            0 => return Err(NotABundle::Empty),
            n if n > BUNDLE_MESSAGES_MAX => return Err(NotABundle::TooLarge),
            _ => {}
        }
        let mut messages = Vec::new();
        for _ in 0..count {
            messages.push(rest.message()?);
        }
        if !rest.0.is_empty() {
            return Err(NotABundle::Trailing);
        }
        let head = BundleHead { id, origin, key, to, urgency, receipted };
        Ok(Self { head, messages: messages.into(), bytes })
    }

    /// What stands before the messages.
    pub fn head(&self) -> &BundleHead {
        &self.head
    }

    /// The messages.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The bytes as they travel.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// The bytes that the signature covers, and the signature.
    pub fn signed(&self) -> (&[u8], Signature) {
        let end = self.bytes.len().saturating_sub(SIGNATURE_BYTES);
        let mut signature = [0; SIGNATURE_BYTES];
        for (to, from) in signature.iter_mut().zip(self.bytes.iter().skip(end)) {
            *to = *from;
        }
        (self.bytes.get(..end).unwrap_or_default(), Signature(signature))
    }
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundle")
            .field("head", &self.head)
            .field("messages", &self.messages.len())
            .finish_non_exhaustive()
    }
}

/// Reads from the front of a slice.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], NotABundle> {
        let (front, rest) = self.0.split_at_checked(n).ok_or(NotABundle::Short)?;
        self.0 = rest;
        Ok(front)
    }

    fn byte(&mut self) -> Result<u8, NotABundle> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotABundle> {
        self.take(N)?.try_into().map_err(|_| NotABundle::Short)
    }

    fn message(&mut self) -> Result<Message, NotABundle> {
        let id = MessageId::from_bytes(self.array()?);
        let kind = Kind(u16::from_be_bytes(self.array()?));
        let schema = u16::from_be_bytes(self.array()?);
        let length = usize::try_from(u32::from_be_bytes(self.array()?)).map_err(|_| NotABundle::TooLarge)?;
        if length > BODY_BYTES_MAX {
            return Err(NotABundle::TooLarge);
        }
        Ok(Message { id, kind, schema, body: self.take(length)?.to_vec() })
    }
}
