//! What reads bytes that somebody else wrote. Each target takes any bytes; it fails by a panic: the decoder's own, or because
//! what it accepted is not what encoding gives again (one value has one form, so one message has one hash).
//!
//! `make test` replays the corpus through the same functions (`node/casework/tests/corpus.rs`).

use casework::publish;
use protocol::directory::{SignedEntry, SignedMandate, SignedRevocation};
use protocol::division::DivisionCode;
use protocol::id::{CaseId, NodeId};
use protocol::publication::PublicationKind;
use protocol::wire::bundle::Bundle;
use protocol::wire::codec;
use protocol::wire::control::{Control, Enrol, Enrolled, JoinRequest, SignedRenewal, Subtree};
use protocol::wire::frame::{FRAME_HEAD_BYTES, FrameHead};
use protocol::wire::kind::{Body, KINDS, Kind};
use protocol::wire::later::{NotUnderstood, Vocabulary};
use protocol::wire::limits::{BODY_BYTES_MAX, CONTROL_BYTES_MAX};
use protocol::wire::parcel::{self, RecordKind, SignedHead};

/// A target and its name.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const TARGETS: &[Target] = &[
    ("bundle", bundle),
    ("body", body),
    ("control", control),
    ("frame", frame),
    ("join", join),
    ("parcel", parcel),
    ("publication", publication),
    ("text", text),
];

/// Reads a value of this type; what was accepted must be what encoding gives.
macro_rules! one_form {
    ($of:ty, $bytes:expr, $max:expr) => {
        if let Ok(value) = codec::decode::<$of>($bytes, $max) {
            assert_eq!(codec::encode(&value, $max).as_deref(), Ok($bytes), "a second form was accepted");
        }
    };
}

/// A bundle, and the bodies of its messages.
fn bundle(bytes: &[u8]) {
    let Ok(bundle) = Bundle::parse(bytes.into()) else { return };
    let signature = bundle.signed().1;
    let again = Bundle::seal(*bundle.head(), bundle.messages().to_vec(), |_| signature);
    assert_eq!(again.as_ref().map(|again| &**again.bytes()), Ok(bytes), "a second form was accepted");
    for message in bundle.messages() {
        one_body(message.kind, message.schema, &message.body);
    }
    later(&bundle);
}

/// What stays unread of a bundle where it ends, and the refusal that goes back.
fn later(bundle: &Bundle) {
    let (id, to) = (bundle.head().id, bundle.head().to);
    let unread = Vocabulary::default().unread(bundle, to, false);
    assert!(unread.kept.iter().all(|place| *place < bundle.messages().len()));
    assert!(unread.kept.len() + unread.refused.len() <= bundle.messages().len());
    let count = unread.refused.len();
    let refusal = NotUnderstood::of(id, unread.refused);
    assert_eq!(refusal.is_some(), count > 0, "a refusal was not told");
    assert!(refusal.is_none_or(|refusal| refusal.fits(to, bundle)), "a refusal that nobody believes");
}

fn one_body(kind: Kind, schema: u16, bytes: &[u8]) {
    if let Ok(Some(body)) = Body::decode(kind, schema, bytes) {
        assert_eq!(body.encode().as_deref(), Ok(bytes), "a second form was accepted");
    }
}

/// A body of each kind: the first byte chooses.
fn body(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    if let Some((kind, schema, _)) = KINDS.get(usize::from(*which)) {
        one_body(Kind(*kind), *schema, bytes);
    }
}

/// Control frames.
fn control(bytes: &[u8]) {
    one_form!(Control, bytes, CONTROL_BYTES_MAX);
}

/// What stands before a frame.
fn frame(bytes: &[u8]) {
    let Some(head) = bytes.first_chunk::<FRAME_HEAD_BYTES>() else { return };
    if let Ok(read) = FrameHead::from_bytes(head) {
        assert_eq!(read.to_bytes(), *head, "a second form was accepted");
    }
}

/// What is said at the door, before anything is proven: the first byte chooses.
fn join(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which {
        0 => one_form!(JoinRequest, bytes, CONTROL_BYTES_MAX),
        1 => one_form!(Enrol, bytes, BODY_BYTES_MAX),
        2 => one_form!(Enrolled, bytes, BODY_BYTES_MAX),
        3 => one_form!(SignedRenewal, bytes, BODY_BYTES_MAX),
        4 => one_form!(Subtree, bytes, BODY_BYTES_MAX),
        5 => one_form!(SignedEntry, bytes, BODY_BYTES_MAX),
        6 => one_form!(SignedMandate, bytes, BODY_BYTES_MAX),
        7 => one_form!(SignedRevocation, bytes, BODY_BYTES_MAX),
        _ => {}
    }
}

/// A file in place of a link: its head and its records.
fn parcel(bytes: &[u8]) {
    let Ok((head, mut rest)) = SignedHead::parse(bytes) else { return };
    assert_eq!(&*head.to_bytes(), bytes.get(..parcel::HEAD_BYTES).unwrap_or_default());
    let mut tally = parcel::Tally::of(&head.head);
    while let Ok((kind, record, behind)) = parcel::first_record(rest) {
        assert!(record.len() <= kind.bytes_max() && behind.len() < rest.len());
        if kind == RecordKind::Introduction && parcel::introduced(record).is_ok() {
            one_form!(SignedEntry, record, parcel::INTRODUCTION_BYTES_MAX);
        }
        if tally.count(kind, record).is_err() {
            return;
        }
        rest = behind;
    }
    let _ = tally.finish();
}

/// The content of a publication: the first byte chooses its kind.
fn publication(bytes: &[u8]) {
    let Some((which, content)) = bytes.split_first() else { return };
    let _ = publish::read(PublicationKind(u16::from(*which)), content);
}

/// What people write into addresses, tables and settings.
fn text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(code) = text.parse::<DivisionCode>() {
        assert_eq!(code.to_string().parse::<DivisionCode>().ok(), Some(code));
    }
    if let Ok(id) = text.parse::<NodeId>() {
        assert_eq!(id.to_string().parse::<NodeId>().ok(), Some(id));
    }
    if let Ok(id) = text.parse::<CaseId>() {
        assert_eq!(id.to_string().parse::<CaseId>().ok(), Some(id));
    }
}
