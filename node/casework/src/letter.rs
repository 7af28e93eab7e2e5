//! What goes out. Letters with private parts are sealed by the shell, to the node that they are for.

use protocol::bounded::List;
use protocol::chain::TenureSeal;
use protocol::division::DivisionCode;
use protocol::event::{Header, PrivatePart};
use protocol::id::{CaseId, CaseKey, ContributionId, NodeId, OfferId, OrderId};
use protocol::order::{Answer, Contribution, OrderAnswer};
use protocol::receipt::{Receipt, Subject};
use protocol::sealed::{SEALED_BYTES_MAX, Sealed};
use protocol::time::ClockReading;
use protocol::transfer::Handover;
use protocol::wire::bundle::Urgency;
use protocol::wire::codec::{self, Malformed};
use protocol::wire::kind::Body;

/// Private parts of one letter at most.
pub const PARTS_MAX: usize = 512;

/// A handover before its private parts are sealed.
#[derive(Debug, Clone, PartialEq)]
pub struct HandoverLetter {
    /// The accepted offer.
    pub offer: OfferId,
    /// The case.
    pub case: CaseId,
    /// Key in the figures.
    pub key: CaseKey,
    /// The division that registered it.
    pub registered_by: DivisionCode,
    /// All headers.
    pub headers: Vec<Header>,
    /// All seals.
    pub seals: Vec<TenureSeal>,
    /// All private parts that are held.
    pub private: Vec<PrivatePart>,
}

/// A message before sealing.
#[expect(
    clippy::large_enum_variant,
    reason = "the plain letter is by far the most common, and lives for one transaction"
)]
#[derive(Debug, Clone, PartialEq)]
pub enum Letter {
    /// Nothing to seal.
    Plain(Body),
    /// A case that moves.
    Handover(Box<HandoverLetter>),
    /// A view that is granted (调阅).
    Copy {
        /// The order.
        order: OrderId,
        /// The case.
        case: CaseId,
        /// Who grants.
        by: NodeId,
        /// When.
        at: ClockReading,
        /// What may be read.
        private: Vec<PrivatePart>,
    },
    /// A note to the owner.
    Contribution {
        /// Its id.
        id: ContributionId,
        /// The case.
        case: CaseId,
        /// Who contributes.
        from: NodeId,
        /// When.
        at: ClockReading,
        /// The note.
        part: Box<PrivatePart>,
    },
}

/// A letter with its address.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// The node it is for.
    pub to: NodeId,
    /// How urgent it is.
    pub urgency: Urgency,
    /// The letter.
    pub letter: Letter,
}

impl Outgoing {
    /// Whether whoever gets it answers for it with a receipt of the link, so that it is offered again after a restore
    /// however old it is by then. A receipt of a case asks for none: the next one says all that it said.
    pub fn is_answered(&self) -> bool {
        !matches!(&self.letter, Letter::Plain(Body::Receipt(Receipt { subject: Subject::Case { .. }, .. })))
    }

    /// The body that travels. None when it cannot be sealed or is above its limit.
    pub fn into_body(self, seal: &dyn Fn(NodeId, &[u8]) -> Option<Sealed>) -> Option<Body> {
        let to = self.to;
        let sealed = |parts: Vec<PrivatePart>| {
            let plain = codec::encode(&List::<PrivatePart, PARTS_MAX>::new(parts).ok()?, SEALED_BYTES_MAX).ok()?;
            seal(to, &plain)
        };
        Some(match self.letter {
            Letter::Plain(body) => body,
            Letter::Handover(letter) => Body::handover(Handover {
                offer: letter.offer,
                case: letter.case,
                key: letter.key,
                registered_by: letter.registered_by,
                headers: List::new(letter.headers).ok()?,
                seals: List::new(letter.seals).ok()?,
                private: sealed(letter.private)?,
            }),
            Letter::Copy { order, case, by, at, private } => {
                Body::OrderAnswer(OrderAnswer { order, case, by, answer: Answer::Copy(sealed(private)?), at })
            }
            Letter::Contribution { id, case, from, at, part } => {
                Body::Contribution(Contribution { id, case, from, sealed: sealed(vec![*part])?, at })
            }
        })
    }
}

/// The sealed part of a body, if it has one.
pub fn sealed_part(body: &Body) -> Option<&Sealed> {
    match body {
        Body::Handover(handover) | Body::WideHandover(handover) => Some(&handover.private),
        Body::Contribution(contribution) => Some(&contribution.sealed),
        Body::AttachmentPart(part) => part.sealed.as_ref(),
        Body::OrderAnswer(answer) => match &answer.answer {
            Answer::Copy(sealed) => Some(sealed),
            _ => None,
        },
        _ => None,
    }
}

/// The private parts in what a sealed part was opened to.
pub fn private_parts(plain: &[u8]) -> Result<Vec<PrivatePart>, Malformed> {
    codec::decode::<List<PrivatePart, PARTS_MAX>>(plain, SEALED_BYTES_MAX).map(List::into_vec)
}
