//! How each type of the vocabulary is made. A field or variant that is added must be added here, or nothing compiles.

use protocol::attachment::{Attachment, AttachmentAsked, AttachmentHeld, AttachmentPart, Media, Sha256};
use protocol::audit::AuditHead;
use protocol::bounded::List;
use protocol::chain::{Epoch, Hash, Head, Signature, TenureSeal};
use protocol::directory::{
    Ancestor, Entry, KeyId, Mandate, Revocation, RevocationReason, Role, SealingKey, SignedEntry, SignedMandate,
    SignedRevocation, SigningKey,
};
use protocol::division::GridKind;
use protocol::erase::Erase;
use protocol::event::{
    Act, AgreementForm, Being, Brief, Category, Commitment, Confirmation, Content, Contentment, DeclineGround, DueTerm,
    Ending, Header, Instalment, Kept, Mark, Matter, MediationEnd, MediationSource, Outcome, PaperNumber, Participant,
    Party, PartySide, PauseGround, Private, PrivatePart, RestrictionGround, Said, Salt, SessionKind, Sex, Signatory,
    Source, Standing, Step, TermKind, ToldBy, WideAct, WideContent, Wider, Withheld,
};
use protocol::fact::{CaseFact, Channel, FiguresWanted, LevelChange, Measure, StepReached, Tally, Watermark};
use protocol::grading::{Answers, Grading, Known, Rule};
use protocol::id::{
    AttachmentId, BundleId, CaseId, CaseKey, ContributionId, EventId, MessageId, NodeId, OfferId, OrderId, TokenId,
};
use protocol::moving::{Move, MoveAsked, MoveRefused, SignedMove};
use protocol::order::{Answer, Asked, Contribution, Directive, Order, OrderAnswer, OrderWithdrawn, WideAsked, Wish};
use protocol::publication::{HeldVersion, Holdings, Publication, PublicationKind, Published};
use protocol::receipt::{Progress, Receipt, Subject};
use protocol::sealed::Sealed;
use protocol::time::ClockReading;
use protocol::transfer::{Accept, Decline, Ground, Handover, History, Offer, Recall};
use protocol::unit::UnitCode;
use protocol::warning::Warning;
use protocol::wire::bundle::{BundleHead, Message, Urgency};
use protocol::wire::control::{
    Brings, Control, Delivered, Doubt, Enrol, EnrolRefused, Enrolled, Hello, Incarnation, JoinRequest, LaneState,
    Position, Refused, Renewal, RevokeAsked, SignedRenewal, Subtree, Verdict,
};
use protocol::wire::frame::{Lane, LinkSeq};
use protocol::wire::kind::{Body, Kind};
use protocol::wire::later::{Foreign, NotUnderstood};

use super::build::{Arb, Gen, Variants, fields, ids, variants, wrapped};

ids!(AttachmentId, BundleId, CaseId, CaseKey, ContributionId, EventId, MessageId, NodeId, OfferId, OrderId, TokenId);
wrapped!(
    Hash,
    Signature,
    KeyId,
    SealingKey,
    SigningKey,
    Category,
    Channel,
    Measure,
    Commitment,
    Salt,
    LinkSeq,
    Media,
    Sha256,
    PublicationKind,
    UnitCode
);

fields! {
    Withheld { ground, against, category, place, grid_kind, head_count, answers, fired, summary }
    Epoch { takeovers, moves }
    Head { epoch, number, hash }
    TenureSeal { case, head, by, signature }
    Ancestor { node, division }
    Entry { node, division, parent, signing, sealing, tls_spki_sha256, serial, issued }
    SignedEntry { entry, signature }
    Revocation { node, serial, reason }
    SignedRevocation { revocation, signature }
    Mandate { root, authority, role, serial }
    SignedMandate { mandate, by, signature }
    ClockReading { wall, offset_ms }
    DueTerm { kind, since, day, provisional }
    Brief {
        matter, source, category, place, grid_kind, head_count, grading, step, owner, unit, next_term, summary, ceiling,
        outcome, void,
    }
    Header { id, case, epoch, number, previous, at, act, brief, commitment }
    Party { side, name, phone, address, identity }
    PaperNumber { committee, year, number }
    Instalment { by, due, amount_fen, what }
    Participant {
        side, standing, speaks_for, being, name, phone, address, identity, sex, born, ethnicity, occupation,
    }
    Signatory { name, user }
    Private { by, content }
    PrivatePart { event, salt, private }
    Answers { signs, violence, petition_talk, people, disturbs, effort }
    Grading { rules, answers, fired, level }
    LevelChange { at, level }
    StepReached { step, at }
    CaseFact {
        key, case, ceiling, epoch, version, released, place, grid_kind, registered_by, registered_at, owner, owner_node,
        unit, source, matter, category, category_list, channel, head_count, level, level_changes, steps, outcome,
        resolved_at, score, open_terms, paused_minutes, paused_since, amount_fen, void,
    }
    Tally { node, division, day, measure, value, version }
    Watermark { node, version, as_of, facts, tallies, digest }
    FiguresWanted { of, by, version, digest }
    Order { id, case, from, asked, text, term_days, at }
    OrderAnswer { order, case, by, answer, at }
    OrderWithdrawn { order, case }
    Contribution { id, case, from, sealed, at }
    Publication { kind, name, version, issuer, from, content }
    Published { publication, signature }
    HeldVersion { kind, name, issuer, version }
    Holdings { held }
    Receipt { subject, by, progress, at }
    AuditHead { node, count, hash, at, erasures }
    Erase { id, case, by, at, events }
    Sealed { suite, encapsulated, ciphertext }
    Offer { id, case, from, brief, head, at, expires }
    Accept { offer, case, by, at }
    Decline { offer, case, by, ground, text, proposed, at }
    Recall { offer, case }
    Handover { offer, case, key, registered_by, headers, seals, private }
    History { case, headers, seals }
    Attachment { id, sha256, bytes, media, name, caption }
    AttachmentAsked { case, attachment, numbers }
    AttachmentPart { case, attachment, number, sealed }
    AttachmentHeld { case, attachment }
    Incarnation { counter, nonce }
    Position { seq, hash }
    LaneState { lane, received, last }
    Hello {
        versions, node, division, root, incarnation, peer_incarnation, peer_counter_seen, lanes, ancestors, clock, entry,
    }
    Delivered { bundles }
    Brings { root, signature }
    JoinRequest { token, node, division, csr, signing, sealing, brings }
    Enrol { request, parent, replaces }
    Enrolled { entry, certificates, authority, mandates, ancestors }
    EnrolRefused { token, node, reason }
    Renewal { node, after, csr, signing, sealing }
    SignedRenewal { renewal, signature }
    RevokeAsked { node, reason }
    Subtree { entries }
    Move { entry, from, line, address, by }
    SignedMove { order, signature }
    MoveAsked { node, to, address }
    MoveRefused { node, reason }
    Foreign { message, kind, schema }
    NotUnderstood { bundle, messages }
    BundleHead { id, origin, key, to, urgency, receipted }
}

/// An enum of variants without fields.
macro_rules! plain {
    ($($name:ident { $($variant:ident),+ $(,)? })+) => {
        variants! { _g; $($name { $($name::$variant => $name::$variant),+ })+ }
    };
}

plain! {
    GridKind { Responsibility, Basic, Dedicated }
    Matter { Dispute, Request, Consultation }
    Source { Window, Grid, Visit, Hotline12345, Police110, Legal12348, Petition, Superior, Department, Public }
    Step { Reported, Filed, Assigned, InProgress, FedBack, Assessed, Archived }
    Outcome { Successful, Unsuccessful, Other }
    TermKind { File, Assign, Resolve, FeedBack, Assess, Answer, Accept }
    Ending { SettleHere, Submit }
    PartySide { Applicant, Respondent, Other }
    Standing { Party, Representative, Guardian, Spokesperson, Involved, Witness }
    Being { Person, Body }
    Sex { Male, Female }
    ToldBy { InPerson, Phone, Letter, Message }
    Contentment { Content, Mostly, NotContent, NotReached }
    MediationSource { Application, Initiative, Court, Procuratorate, Police, Petitions, Department }
    SessionKind { Mediation, Investigation, NoticeOfRights, JointSession, Visit, Call }
    AgreementForm { Written, Oral }
    Mark { Signature, Seal, Fingerprint, Electronic }
    MediationEnd { Refused, NoAgreement, Absent, OutOfTime, NotAdmissible }
    Kept { NotDue, Fully, Partly, Not }
    Confirmation { Confirmed, Refused, Withdrawn }
    PauseGround { Assessment, Hearing, PartyAbsent, Decision, Other }
    RestrictionGround { Minors, DomesticViolence, SexualHarm, OwnPeople, Other }
    DeclineGround { Pending, OtherProcedure, Petitioned, Discipline, Refused, OtherPlace, Unfounded }
    Known { Unknown, No, Yes }
    Rule {
        SignOfOutbreak, LargeGroupPetition, Violence, GroupPetition, Disturbance, AnyDispute, NotADispute, Person,
    }
    Directive { Supervise, Assign, Instruct, Remind, Notify }
    RevocationReason { Lost, Replaced, Decommissioned, Operator }
    Progress { Queued, Sent, Delivered, Read, Accepted, Done }
    Ground { NotCompetent, Incomplete, Duplicate, SettleBelow }
    Doubt { Forked, RolledBack, Pruned, Empty, UnknownIncarnation }
    Refused { Unknown, Revoked, OtherRoot, NoCommonVersion, DoubleIdentity, Contradiction }
    Lane { Control, Cases, Statistics, Bulk }
    Urgency { Bulk, Statistics, Routine, Red, Orange }
}

variants! { g;
    Act {
        Act::Reported { .. } => Act::Reported { ending: g.make() },
        Act::Filed => Act::Filed,
        Act::Returned => Act::Returned,
        Act::Assigned => Act::Assigned,
        Act::Progressed => Act::Progressed,
        Act::Resolved => Act::Resolved,
        Act::FedBack => Act::FedBack,
        Act::Assessed { .. } => Act::Assessed { score: g.make() },
        Act::Archived => Act::Archived,
        Act::Voided => Act::Voided,
        Act::Raised { .. } => Act::Raised { from: g.make() },
        Act::Lowered { .. } => Act::Lowered { from: g.make(), approval: g.make() },
        Act::Cancelled { .. } => Act::Cancelled { from: g.make(), approval: g.make() },
        Act::ApprovalAsked { .. } => Act::ApprovalAsked { order: g.make(), wanted: g.make() },
        Act::ApprovalRefused { .. } => Act::ApprovalRefused { order: g.make() },
        Act::Offered { .. } => Act::Offered { offer: g.make(), to: g.make() },
        Act::OfferEnded { .. } => Act::OfferEnded { offer: g.make() },
        Act::OfferDeclined { .. } => Act::OfferDeclined { offer: g.make(), proposed: g.make() },
        Act::Released { .. } => Act::Released { offer: g.make(), to: g.make(), next: g.make() },
        Act::Taken { .. } => Act::Taken { release: g.make() },
        Act::TakenOver { .. } => Act::TakenOver { from: g.make() },
        Act::OrderReceived { .. } => Act::OrderReceived { order: g.make() },
        Act::OrderAnswered { .. } => Act::OrderAnswered { order: g.make() },
        Act::Contributed { .. } => Act::Contributed { contribution: g.make(), from: g.make() },
        Act::CeilingRaised => Act::CeilingRaised,
        Act::Wider(_) => Act::Wider(g.make()),
    }
    Warning {
        Warning::Yellow => Warning::Yellow,
        Warning::Red => Warning::Red,
        Warning::Orange => Warning::Orange,
        Warning::Later(_) => Warning::from_rank(4 + g.make::<u8>() % 250).unwrap(),
    }
    Content {
        Content::Nothing => Content::Nothing,
        Content::Report { .. } => Content::Report { title: g.make(), narrative: g.make(), parties: g.make() },
        Content::Note { .. } => Content::Note { text: g.make() },
        Content::Resolution { .. } => Content::Resolution { terms: g.make(), amount_fen: g.make() },
        Content::Wider(_) => Content::Wider(g.make()),
    }
    Asked {
        Asked::Directive { .. } => Asked::Directive { form: g.make() },
        Asked::View { .. } => Asked::View { until: g.make() },
        Asked::ApproveLevel { .. } => Asked::ApproveLevel { wanted: g.make(), brief: g.make() },
        Asked::Wider(_) => Asked::Wider(g.make()),
    }
    Answer {
        Answer::Reply(_) => Answer::Reply(g.make()),
        Answer::Copy(_) => Answer::Copy(g.make()),
        Answer::Yes(_) => Answer::Yes(g.make()),
        Answer::No(_) => Answer::No(g.make()),
        Answer::Moved { .. } => Answer::Moved { owner: g.make(), epoch: g.make() },
        Answer::Unknown => Answer::Unknown,
        Answer::Scored { .. } => Answer::Scored { score: g.make(), text: g.make() },
    }
    Subject {
        Subject::Case { .. } => Subject::Case { case: g.make(), epoch: g.make(), number: g.make() },
        Subject::Order { .. } => Subject::Order { order: g.make(), case: g.make() },
        Subject::Offer { .. } => Subject::Offer { offer: g.make(), case: g.make() },
    }
    Verdict {
        Verdict::Resume => Verdict::Resume,
        Verdict::Reconcile { .. } => Verdict::Reconcile { doubt: g.make(), incarnation: g.make() },
        Verdict::Refuse(_) => Verdict::Refuse(g.make()),
    }
    Role {
        Role::Successor { .. } => Role::Successor { cross: g.make() },
        Role::Predecessor => Role::Predecessor,
        Role::Within(_) => Role::Within(g.make()),
        Role::Retired => Role::Retired,
    }
    Control {
        Control::Hello(_) => Control::Hello(g.make()),
        Control::Verdict(_) => Control::Verdict(g.make()),
        Control::Ack { .. } => Control::Ack { lane: g.make(), upto: g.make(), credit: g.make() },
        Control::Quarantined { .. } => Control::Quarantined { bundle: g.make(), reason: g.make() },
        Control::Inventory { .. } => Control::Inventory { page: g.make(), last: g.make() },
        Control::Want { .. } => Control::Want { page: g.make(), last: g.make() },
        Control::Introduce(_) => Control::Introduce(g.make()),
        Control::GoAway { .. } => Control::GoAway { retry_after_ms: g.make() },
        Control::Moved(_) => Control::Moved(g.make()),
    }
    Body {
        Body::Header(_) => Body::Header(narrow(g.make())),
        Body::WideHeader(_) => Body::WideHeader(wide(g)),
        Body::History(_) => Body::History(narrow_history(g.make())),
        Body::WideHistory(_) => Body::WideHistory(History { headers: some_wide(g), ..g.make() }),
        Body::Fact(_) => Body::Fact(g.make()),
        Body::Tally(_) => Body::Tally(g.make()),
        Body::Watermark(_) => Body::Watermark(g.make()),
        Body::AuditHead(_) => Body::AuditHead(g.make()),
        Body::FiguresWanted(_) => Body::FiguresWanted(g.make()),
        Body::Order(_) => Body::Order(narrow_order(g.make())),
        Body::WideOrder(_) => Body::WideOrder(Order { asked: Asked::Wider(g.make()), ..g.make() }),
        Body::OrderAnswer(_) => Body::OrderAnswer(g.make()),
        Body::OrderWithdrawn(_) => Body::OrderWithdrawn(g.make()),
        Body::Receipt(_) => Body::Receipt(g.make()),
        Body::Contribution(_) => Body::Contribution(g.make()),
        Body::Erase(_) => Body::Erase(g.make()),
        Body::Offer(_) => Body::Offer(g.make()),
        Body::WideOffer(_) => Body::WideOffer(g.make()),
        Body::Accept(_) => Body::Accept(g.make()),
        Body::Decline(_) => Body::Decline(g.make()),
        Body::Recall(_) => Body::Recall(g.make()),
        Body::Handover(_) => Body::Handover(narrow_handover(g.make())),
        Body::WideHandover(_) => Body::WideHandover(Handover { headers: some_wide(g), ..g.make() }),
        Body::AttachmentAsked(_) => Body::AttachmentAsked(g.make()),
        Body::AttachmentPart(_) => Body::AttachmentPart(g.make()),
        Body::AttachmentHeld(_) => Body::AttachmentHeld(g.make()),
        Body::Published(_) => Body::Published(g.make()),
        Body::Holdings(_) => Body::Holdings(g.make()),
        Body::Delivered(_) => Body::Delivered(g.make()),
        Body::Enrol(_) => Body::Enrol(g.make()),
        Body::Enrolled(_) => Body::Enrolled(g.make()),
        Body::Entry(_) => Body::Entry(g.make()),
        Body::Renew(_) => Body::Renew(g.make()),
        Body::Mandate(_) => Body::Mandate(g.make()),
        Body::Revoked(_) => Body::Revoked(g.make()),
        Body::RevokeAsked(_) => Body::RevokeAsked(g.make()),
        Body::Subtree(_) => Body::Subtree(g.make()),
        Body::EnrolRefused(_) => Body::EnrolRefused(g.make()),
        Body::Moved(_) => Body::Moved(g.make()),
        Body::MoveAsked(_) => Body::MoveAsked(g.make()),
        Body::MoveRefused(_) => Body::MoveRefused(g.make()),
        Body::NotUnderstood(_) => Body::NotUnderstood(g.make()),
    }
}

fn narrow_order(order: Order) -> Order {
    if order.is_wide() { Order { asked: Asked::Directive { form: Directive::Remind }, ..order } } else { order }
}

impl Arb for Wish {
    fn arb(g: &mut Gen) -> Self {
        if g.make() {
            return g.make::<WideAsked>().widen();
        }
        // Of a later version.
        Self { code: g.make(), body: g.make() }
    }
}

impl Arb for Wider {
    fn arb(g: &mut Gen) -> Self {
        if g.make() {
            return g.make::<WideAct>().widen();
        }
        // Of a later version.
        Self { code: g.make(), body: g.make() }
    }
}

impl Arb for Said {
    fn arb(g: &mut Gen) -> Self {
        if g.make()
            && let Ok(Content::Wider(said)) = g.make::<WideContent>().widen()
        {
            return said;
        }
        // Of a later version.
        Self { code: g.make(), body: g.make() }
    }
}

/// A header without acts that came after the first version.
fn narrow(header: Header) -> Header {
    let act = if header.is_wide() { Act::CeilingRaised } else { header.act };
    Header { act, ..header }
}

fn narrowed<const MAX: usize>(headers: List<Header, MAX>) -> List<Header, MAX> {
    List::new(headers.into_iter().map(narrow).collect()).unwrap()
}

fn narrow_history(history: History) -> History {
    History { headers: narrowed(history.headers), ..history }
}

fn narrow_handover(handover: Handover) -> Handover {
    Handover { headers: narrowed(handover.headers), ..handover }
}

/// A header with one.
fn wide(g: &mut Gen) -> Header {
    Header { act: Act::Wider(g.make()), ..g.make() }
}

fn some_wide<const MAX: usize>(g: &mut Gen) -> List<Header, MAX> {
    List::new(vec![narrow(g.make()), wide(g)]).unwrap()
}

impl Arb for Message {
    fn arb(g: &mut Gen) -> Self {
        let body = g.make::<Body>();
        let (kind, schema) = body.kind();
        Self { id: g.make(), kind, schema, body: body.encode().unwrap() }
    }
}

impl Arb for Kind {
    fn arb(g: &mut Gen) -> Self {
        Self(g.make())
    }
}

/// One to four messages, some of a kind that this version does not know.
pub(crate) fn messages(g: &mut Gen) -> Vec<Message> {
    let mut messages: Vec<Message> = (0..=g.below(3)).map(|_| g.make()).collect();
    if g.make() {
        let body = g.bytes(9);
        messages.push(Message { id: g.make(), kind: Kind(60_000), schema: g.make(), body });
    }
    messages
}
