//! Messages of a later version: which of them a node keeps to read after an upgrade, and which it refuses.

use std::collections::BTreeSet;

use bincode::{Decode, Encode};

use crate::bounded::List;
use crate::id::{BundleId, MessageId, NodeId};

use super::bundle::{Bundle, BundleHead, Message};
use super::codec::Malformed;
use super::kind::{Body, KINDS, Kind};
use super::limits::BUNDLE_MESSAGES_MAX;

/// A message that a node must understand and does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Foreign {
    /// The message.
    pub message: MessageId,
    /// Its kind.
    pub kind: Kind,
    /// Its schema.
    pub schema: u16,
}

/// To the origin of a bundle: these of its messages were refused, for the program here does not know them. They have no
/// effect here, now or later.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct NotUnderstood {
    /// The bundle.
    pub bundle: BundleId,
    /// The messages.
    pub messages: List<Foreign, BUNDLE_MESSAGES_MAX>,
}

/// The kinds that a program reads: all of this version, unless it plays an earlier one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    unknown: BTreeSet<(Kind, u16)>,
}

/// What a program does not read of a bundle that came to its node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread {
    /// Places of the messages that it keeps until it knows their kinds.
    pub kept: Vec<usize>,
    /// Those that it refuses.
    pub refused: Vec<Foreign>,
}

impl Vocabulary {
    /// That of a program from before these kinds.
    pub fn before(later: impl IntoIterator<Item = (Kind, u16)>) -> Self {
        Self { unknown: later.into_iter().collect() }
    }

    /// Whether messages of this kind and schema are read.
    pub fn knows(&self, kind: Kind, schema: u16) -> bool {
        KINDS.iter().any(|(known, at, _)| (Kind(*known), *at) == (kind, schema))
            && !self.unknown.contains(&(kind, schema))
    }

    /// Reads a message. `Ok(None)`: one of a later version.
    pub fn read(&self, message: &Message) -> Result<Option<Body>, Malformed> {
        if self.unknown.contains(&(message.kind, message.schema)) {
            return Ok(None);
        }
        Body::decode(message.kind, message.schema, &message.body)
    }

    /// What of a bundle that came to this node, and was not known, stays unread. What only passes does not count; nor is
    /// anything refused that was given back, for this node had sent it itself.
    pub fn unread(&self, bundle: &Bundle, me: NodeId, returned: bool) -> Unread {
        let mut unread = Unread::default();
        for (place, message) in bundle.messages().iter().enumerate() {
            let Message { id, kind, schema, .. } = *message;
            if self.knows(kind, schema) || !is_read(bundle.head(), kind, me, returned) {
                continue;
            }
            if kind.must_be_understood() && !returned {
                unread.refused.push(Foreign { message: id, kind, schema });
            } else {
                unread.kept.push(place);
            }
        }
        unread
    }
}

/// Whether a message of this kind is for this node too, by what every version knows of it.
fn is_read(head: &BundleHead, kind: Kind, me: NodeId, returned: bool) -> bool {
    head.to == me || kind.kept_on_the_way() || (returned && head.origin == me)
}

impl NotUnderstood {
    /// What is to be told of a bundle; none: nothing of it was refused.
    pub fn of(bundle: BundleId, refused: Vec<Foreign>) -> Option<Self> {
        let messages = List::new(refused).ok().filter(|messages| !messages.is_empty())?;
        Some(Self { bundle, messages })
    }

    /// Whether a node may say this of a bundle: it was for that node, and holds these messages.
    pub fn fits(&self, by: NodeId, bundle: &Bundle) -> bool {
        let holds = |foreign: &Foreign| {
            bundle.messages().iter().any(|message| {
                (message.id, message.kind, message.schema) == (foreign.message, foreign.kind, foreign.schema)
            })
        };
        bundle.head().id == self.bundle && bundle.head().to == by && self.messages.iter().all(holds)
    }
}
