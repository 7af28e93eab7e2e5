//! The kinds of messages and their typed bodies.

use crate::attachment::{AttachmentAsked, AttachmentHeld, AttachmentPart};
use crate::audit::AuditHead;
use crate::directory::{SignedEntry, SignedMandate, SignedRevocation};
use crate::erase::Erase;
use crate::event::Header;
use crate::fact::{CaseFact, FiguresWanted, Tally, Watermark};
use crate::moving::{MoveAsked, MoveRefused, SignedMove};
use crate::order::{Contribution, Order, OrderAnswer, OrderWithdrawn};
use crate::publication::{Holdings, Published};
use crate::receipt::Receipt;
use crate::transfer::{Accept, Decline, Handover, History, Offer, Recall};

use super::codec::{self, Malformed};
use super::control::{Delivered, Enrol, EnrolRefused, Enrolled, RevokeAsked, SignedRenewal, Subtree};
use super::later::NotUnderstood;
use super::limits::BODY_BYTES_MAX;

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident($type:ty) = $kind:literal / $schema:literal $(if $fits:path)?),+ $(,)?) => {
        /// A message body that this version understands, one variant per (kind, schema).
        #[derive(Debug, Clone, PartialEq)]
        pub enum Body {
            $($(#[$doc])* $name($type),)+
        }

        impl Body {
            /// (kind, schema) of this body.
            pub fn kind(&self) -> (Kind, u16) {
                match self { $(Self::$name(_) => (Kind($kind), $schema),)+ }
            }

            /// The bytes that travel.
            pub fn encode(&self) -> Result<Vec<u8>, Malformed> {
                match self { $(Self::$name(body) => codec::encode(body, BODY_BYTES_MAX),)+ }
            }

            /// Reads a body. `Ok(None)`: a kind or schema of a later version, to be kept and passed on byte for byte.
            pub fn decode(kind: Kind, schema: u16, bytes: &[u8]) -> Result<Option<Self>, Malformed> {
                match (kind.0, schema) {
                    $(($kind, $schema) => {
                        let body: $type = codec::decode(bytes, BODY_BYTES_MAX)?;
                        // One form for each value.
                        $(if !$fits(&body) {
                            return Err(Malformed::NotCanonical);
                        })?
                        Ok(Some(Self::$name(body)))
                    })+
                    _ => Ok(None),
                }
            }
        }

        /// All (kind, schema, name) of this version, for tests and documentation.
        pub const KINDS: &[(u16, u16, &str)] = &[$(($kind, $schema, stringify!($name))),+];
    };
}

/// The number of a kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, bincode::Encode, bincode::Decode)]
pub struct Kind(pub u16);

bodies! {
    /// One header of a case that is followed above. To the ceiling; every level on the way keeps it.
    Header(Header) = 1 / 1 if narrow,
    /// The same with an act that came after the first version.
    WideHeader(Header) = 1 / 2 if Header::is_wide,
    /// Earlier headers of a case that begins to be followed. To the ceiling; every level on the way keeps it.
    History(History) = 2 / 1 if narrow_history,
    /// The same with such an act among them.
    WideHistory(History) = 2 / 2 if History::is_wide,
    /// A case fact. To the top; every level on the way keeps it.
    Fact(CaseFact) = 3 / 1,
    /// A tally. To the top; every level on the way keeps it.
    Tally(Tally) = 4 / 1,
    /// A watermark. To the top; every level on the way keeps it.
    Watermark(Watermark) = 5 / 1,
    /// The head of a node's audit. To its parent.
    AuditHead(AuditHead) = 6 / 1,
    /// A level above lacks figures and asks their node for all of them again.
    FiguresWanted(FiguresWanted) = 7 / 1,
    /// An order about a case.
    Order(Order) = 10 / 1 if narrow_order,
    /// The same that asks what came after the first version. A program that could not answer refuses this kind.
    WideOrder(Order) = 32_778 / 1 if Order::is_wide,
    /// The answer to an order.
    OrderAnswer(OrderAnswer) = 11 / 1,
    /// An order that is no longer asked.
    OrderWithdrawn(OrderWithdrawn) = 12 / 1,
    /// A receipt for people.
    Receipt(Receipt) = 13 / 1,
    /// A note from somebody who does not own the case.
    Contribution(Contribution) = 14 / 1,
    /// Private parts that are to be gone. To the parent, and to whoever held more than a brief.
    Erase(Erase) = 15 / 1,
    /// An offer of ownership.
    Offer(Offer) = 20 / 1,
    /// The same of a case that holds what came after the first version. A program that could not take it on refuses this kind.
    WideOffer(Offer) = 32_788 / 1,
    /// An offer accepted.
    Accept(Accept) = 21 / 1,
    /// An offer declined.
    Decline(Decline) = 22 / 1,
    /// An offer taken back.
    Recall(Recall) = 23 / 1,
    /// The case itself, after its release.
    Handover(Handover) = 24 / 1 if narrow_handover,
    /// The same with an act that came after the first version among its headers.
    WideHandover(Handover) = 24 / 2 if Handover::is_wide,
    /// Parts of an attachment are wanted. To a former owner of its case.
    AttachmentAsked(AttachmentAsked) = 25 / 1,
    /// A part of an attachment, sealed. To the owner that asked.
    AttachmentPart(AttachmentPart) = 26 / 1,
    /// The owner has all of an attachment. To the former owners.
    AttachmentHeld(AttachmentHeld) = 27 / 1,
    /// Something published from above, with its issuer's proof. Handed from parent to child.
    Published(Published) = 30 / 1,
    /// What a node holds of all that was published, to its parent.
    Holdings(Holdings) = 31 / 1,
    /// Bundles that are durable at their destination: the link's own terminal receipt.
    Delivered(Delivered) = 40 / 1,
    /// A join request vouched for by a parent, to the authority.
    Enrol(Enrol) = 41 / 1,
    /// The authority's answer, to the parent that vouched; every node on the way learns the new descendant.
    Enrolled(Enrolled) = 42 / 1,
    /// A directory entry.
    Entry(SignedEntry) = 43 / 1,
    /// A request for a new certificate, to the authority.
    Renew(SignedRenewal) = 44 / 1,
    /// What an authority says of another. To one child after another.
    Mandate(SignedMandate) = 45 / 1,
    /// A node that is no longer trusted. To one child after another.
    Revoked(SignedRevocation) = 46 / 1,
    /// The wish of a node above to have one below revoked, to the authority and to the parent.
    RevokeAsked(RevokeAsked) = 47 / 1,
    /// Entries of nodes that came below with an authority of their own. To the top; every level on the way keeps them.
    Subtree(Subtree) = 48 / 1,
    /// The authority did not issue, to the parent that vouched.
    EnrolRefused(EnrolRefused) = 49 / 1,
    /// A node that hangs below another parent from now on. To one child after another.
    Moved(SignedMove) = 50 / 1,
    /// The wish of a node above two others to hang the one below the other, to the authority.
    MoveAsked(MoveAsked) = 51 / 1,
    /// The authority did not issue a move, to whoever asked.
    MoveRefused(MoveRefused) = 52 / 1,
    /// Messages that a node must understand and does not, to who sent them.
    NotUnderstood(NotUnderstood) = 53 / 1,
}

fn narrow(header: &Header) -> bool {
    !header.is_wide()
}

fn narrow_order(order: &Order) -> bool {
    !order.is_wide()
}

fn narrow_history(history: &History) -> bool {
    !history.is_wide()
}

fn narrow_handover(handover: &Handover) -> bool {
    !handover.is_wide()
}

impl Body {
    /// A header, in the schema that it needs.
    pub fn header(header: Header) -> Self {
        if header.is_wide() { Self::WideHeader(header) } else { Self::Header(header) }
    }

    /// An order, as the kind that it needs.
    pub fn order(order: Order) -> Self {
        if order.is_wide() { Self::WideOrder(order) } else { Self::Order(order) }
    }

    /// Earlier headers, in the schema that they need.
    pub fn history(history: History) -> Self {
        if history.is_wide() { Self::WideHistory(history) } else { Self::History(history) }
    }

    /// A case after its release, in the schema that it needs.
    pub fn handover(handover: Handover) -> Self {
        if handover.is_wide() { Self::WideHandover(handover) } else { Self::Handover(handover) }
    }
}

/// These numbers are [`Kind::understood_or_refused`] of 10 and of 20.
const _: () = assert!(Kind(10).understood_or_refused().0 == 32_778, "an order that must be understood");
const _: () = assert!(Kind(20).understood_or_refused().0 == 32_788, "an offer that must be understood");

/// The bit of a kind that says: understand this, or refuse it. Programs from before it read only the number, find that they do
/// not know it, and keep the message.
const MUST_BE_UNDERSTOOD: u16 = 1 << 15;

impl Kind {
    /// The same kind for a receiver that must understand it: what it does not know it refuses, and has no effect later.
    pub const fn understood_or_refused(self) -> Self {
        Self(self.0 | MUST_BE_UNDERSTOOD)
    }

    /// Whether who does not know this kind refuses it, instead of keeping it until it does.
    pub const fn must_be_understood(self) -> bool {
        self.0 & MUST_BE_UNDERSTOOD != 0
    }

    /// Kinds that every node between origin and destination keeps for itself while passing them on.
    pub fn kept_on_the_way(self) -> bool {
        matches!(self.0, 1..=5 | 42 | 48)
    }

    /// Kinds of the figures, which name no case that somebody acts on.
    pub fn is_of_the_figures(self) -> bool {
        matches!(self.0, 3..=5)
    }

    /// Kinds that may hold private parts, sealed to the node that they are for.
    pub fn may_hold_sealed(self) -> bool {
        matches!(self.0, 11 | 14 | 24 | 26)
    }

    /// Kinds that the link handles by itself, without casework.
    pub fn is_the_links(self) -> bool {
        (40..60).contains(&self.0)
    }
}
