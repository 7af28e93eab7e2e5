//! Identifiers. All are 128 bits; those of things that happen are time-ordered (UUID version 7), which keeps database
//! indexes compact. None is ever reused.

use std::fmt;
use std::str::FromStr;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::UnixMillis;

/// The text is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier: 32 hexadecimal digits are expected, with or without hyphens")]
pub struct NotAnId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 16]);

        impl $name {
            /// A time-ordered id from a moment and ten random bytes.
            pub fn new(at: UnixMillis, random: [u8; 10]) -> Self {
                let millis = u64::try_from(at.0).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into_bytes())
            }

            /// The moment that it was made from, in Unix milliseconds, as whoever made it says.
            pub fn millis(&self) -> u64 {
                self.0.iter().take(6).fold(0, |millis, byte| (millis << 8) | u64::from(*byte))
            }

            /// The id with exactly these bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The sixteen bytes of the id.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&Uuid::from_bytes(self.0).simple(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Uuid::parse_str(text).map(|id| Self(id.into_bytes())).map_err(|_| NotAnId)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;
            fn try_from(text: String) -> Result<Self, NotAnId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    )+};
}

ids! {
    /// A node: fixed for life, whatever division it hangs on.
    NodeId,
    /// A case. Given by whoever files it, so that a retried report is the same case.
    CaseId,
    /// One event in the chain of a case.
    EventId,
    /// What one node asks of another about a case.
    OrderId,
    /// An offer of ownership.
    OfferId,
    /// A bundle as its origin sealed it. The unit of de-duplication on every link.
    BundleId,
    /// One addressed message inside a bundle. For a case header it equals the event id.
    MessageId,
    /// The key of a case in the figures: the minute of the report and chance, linked to the case id only once the case
    /// has escalated. The minute stands in the fact as well, so the order of keys tells nothing more.
    CaseKey,
    /// A contribution of somebody who is not the owner.
    ContributionId,
    /// An attachment, given by whoever uploads it, so that what is sent again is the same.
    AttachmentId,
    /// A join token.
    TokenId,
}

impl From<EventId> for MessageId {
    fn from(id: EventId) -> Self {
        Self::from_bytes(*id.as_bytes())
    }
}
