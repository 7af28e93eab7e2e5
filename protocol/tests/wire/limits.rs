//! A test at each limit: the largest thing allowed passes, one more is refused on both sides.

use protocol::attachment::{AttachmentAsked, PARTS_ASKED_MAX};
use protocol::bounded::{Blob, List, Text};
use protocol::chain::{Epoch, Signature};
use protocol::directory::Ancestor;
use protocol::division::DivisionCode;
use protocol::erase::{ERASED_MAX, Erase};
use protocol::event::{Act, Category, DueTerm, Header, Outcome, TermKind};
use protocol::id::{AttachmentId, BundleId, CaseId, EventId, NodeId, OrderId};
use protocol::publication::{
    HeldVersion, Holdings, PUBLICATION_BYTES_MAX, PUBLICATIONS_MAX, Publication, PublicationKind, Published,
};
use protocol::sealed::{SEALED_BYTES_MAX, Sealed};
use protocol::time::{CivilDay, ClockReading, UnixMillis};
use protocol::transfer::{HEADERS_MAX, Handover, TENURES_MAX};
use protocol::unit::UnitCode;
use protocol::warning::Warning;
use protocol::wire::bundle::{Bundle, BundleHead, Message, NotABundle};
use protocol::wire::codec;
use protocol::wire::control::{Control, Hello};
use protocol::wire::frame::{BadFrame, FrameHead, FrameKind, LinkSeq};
use protocol::wire::kind::{Body, Kind};
use protocol::wire::limits::{
    ANCESTORS_MAX, BODY_BYTES_MAX, BUNDLE_BYTES_MAX, BUNDLE_MESSAGES_MAX, CONTROL_BYTES_MAX, INVENTORY_PAGE_MAX,
};

use super::build::{Arb, Gen};

fn full<T: Arb, const MAX: usize>(g: &mut Gen) -> List<T, MAX> {
    List::new((0..MAX).map(|_| g.make()).collect()).unwrap()
}

fn seal(messages: Vec<Message>) -> Result<Bundle, NotABundle> {
    let mut g = Gen::new(1, 1);
    let head: BundleHead = g.make();
    Bundle::seal(head, messages, |_| Signature([7; 64]))
}

fn message(length: usize) -> Message {
    Message { id: Gen::new(1, 1).make(), kind: Kind(60_000), schema: 1, body: vec![9; length] }
}

#[test]
fn a_text_counts_characters_not_bytes() {
    assert!(Text::<4>::new("纠纷调解").is_ok());
    assert!(Text::<4>::new("纠纷调解。").is_err());
    let longest = codec::encode_unbounded(&"𠮷".repeat(4));
    assert_eq!(codec::decode::<Text<4>>(&longest, 64).unwrap().chars().count(), 4);
    for longer in ["𠮷".repeat(5), "aaaaa".to_owned()] {
        assert!(codec::decode::<Text<4>>(&codec::encode_unbounded(&longer), 64).is_err(), "{longer}");
    }
    assert_eq!(Text::<4>::cut("a\u{202E}bcdef").as_str(), "abcd");
}

#[test]
fn a_list_and_a_blob_stop_at_their_limit() {
    assert!(codec::decode::<List<u8, 3>>(&[3, 1, 2, 3], 64).is_ok());
    assert!(codec::decode::<List<u8, 3>>(&[4, 1, 2, 3, 4], 64).is_err());
    assert!(codec::decode::<Blob<3>>(&[3, 1, 2, 3], 64).is_ok());
    assert!(codec::decode::<Blob<3>>(&[4, 1, 2, 3, 4], 64).is_err());
    let mut list = List::<u8, 1>::default();
    assert_eq!((list.push(1), list.push(2)), (Ok(()), Err(2)));
}

#[test]
fn a_bundle_holds_so_many_messages_of_such_a_size() {
    let most = seal(vec![message(0); BUNDLE_MESSAGES_MAX]).unwrap();
    assert!(Bundle::parse(most.bytes().clone()).is_ok());
    assert_eq!(seal(vec![message(0); BUNDLE_MESSAGES_MAX + 1]), Err(NotABundle::TooLarge));
    assert_eq!(seal(vec![]), Err(NotABundle::Empty));
    assert!(seal(vec![message(BODY_BYTES_MAX)]).is_ok());
    assert_eq!(seal(vec![message(BODY_BYTES_MAX + 1)]), Err(NotABundle::TooLarge));

    let overhead = seal(vec![message(0), message(0)]).unwrap().bytes().len();
    let rest = BUNDLE_BYTES_MAX - overhead - BODY_BYTES_MAX;
    let largest = seal(vec![message(BODY_BYTES_MAX), message(rest)]).unwrap();
    assert_eq!(largest.bytes().len(), BUNDLE_BYTES_MAX);
    assert!(Bundle::parse(largest.bytes().clone()).is_ok());
    assert_eq!(seal(vec![message(BODY_BYTES_MAX), message(rest + 1)]), Err(NotABundle::TooLarge));
}

#[test]
fn a_bundle_that_claims_more_than_the_limit_is_refused() {
    let bytes = seal(vec![message(0)]).unwrap().bytes().to_vec();
    // The count of messages stands after 60 bytes, the length of the first body after 20 more.
    for (at, claim, why) in [
        (60, vec![0, 0], NotABundle::Empty),
        (60, vec![1, 1], NotABundle::TooLarge),
        (60, vec![255, 255], NotABundle::TooLarge),
        (60, vec![0, 2], NotABundle::Short),
        (82, vec![255, 255, 255, 255], NotABundle::TooLarge),
        (82, vec![0, 14, 0, 1], NotABundle::TooLarge),
        (82, vec![0, 14, 0, 0], NotABundle::Short),
    ] {
        let mut bytes = bytes.clone();
        bytes[at..at + claim.len()].copy_from_slice(&claim);
        assert_eq!(Bundle::parse(bytes.into()), Err(why), "{claim:?} at {at}");
    }
}

#[test]
fn a_frame_states_no_more_than_its_kind_allows() {
    for (kind, seq, max) in [
        (FrameKind::Bundle, 1, BUNDLE_BYTES_MAX),
        (FrameKind::Preview, 0, BUNDLE_BYTES_MAX),
        (FrameKind::Control, 0, CONTROL_BYTES_MAX),
    ] {
        let seq = LinkSeq(seq);
        let length = u32::try_from(max).unwrap();
        assert!(FrameHead::from_bytes(&FrameHead { kind, seq, length }.to_bytes()).is_ok());
        for length in [length + 1, u32::MAX] {
            let bytes = FrameHead { kind, seq, length }.to_bytes();
            assert_eq!(FrameHead::from_bytes(&bytes), Err(BadFrame::Length(length)));
        }
    }
    for kind in [0, 3, 15, 17, 255] {
        let mut bytes = FrameHead { kind: FrameKind::Bundle, seq: LinkSeq(1), length: 0 }.to_bytes();
        bytes[0] = kind;
        assert_eq!(FrameHead::from_bytes(&bytes), Err(BadFrame::Kind(kind)));
    }
}

#[test]
fn only_bundles_are_numbered() {
    for (kind, seq) in [(FrameKind::Bundle, 0), (FrameKind::Control, 1), (FrameKind::Preview, u64::MAX)] {
        let bytes = FrameHead { kind, seq: LinkSeq(seq), length: 0 }.to_bytes();
        assert_eq!(FrameHead::from_bytes(&bytes), Err(BadFrame::Number(seq)), "{kind:?}");
    }
}

#[test]
fn a_full_page_of_an_inventory_fits_into_a_control_frame() {
    let mut g = Gen::new(2, 4);
    let page: List<BundleId, INVENTORY_PAGE_MAX> = full(&mut g);
    let frame = Control::Inventory { page, last: false };
    let bytes = codec::encode(&frame, CONTROL_BYTES_MAX).unwrap();
    assert_eq!(codec::decode::<Control>(&bytes, CONTROL_BYTES_MAX).unwrap(), frame);
}

#[test]
fn the_longest_greeting_fits_into_a_control_frame() {
    let mut g = Gen::new(3, 4);
    let hello = Hello { lanes: full(&mut g), ancestors: full::<Ancestor, ANCESTORS_MAX>(&mut g), ..g.make() };
    assert!(codec::encode(&Control::Hello(Box::new(hello)), CONTROL_BYTES_MAX).is_ok());
}

#[test]
fn the_largest_publication_fits_into_a_body() {
    let content = Blob::new(vec![b' '; PUBLICATION_BYTES_MAX]).unwrap();
    let publication = Publication { content, ..Gen::new(4, 4).make() };
    let published = Published { publication, signature: Signature([7; 64]) };
    assert!(Body::Published(published).encode().is_ok());
}

/// A header of which no field can be longer.
fn longest_header(g: &mut Gen) -> Header {
    let mut header: Header = g.make();
    header.epoch = Epoch { takeovers: u16::MAX, moves: u16::MAX };
    header.number = u32::MAX;
    header.at = ClockReading { wall: UnixMillis(i64::MIN), offset_ms: i64::MIN };
    header.act = Act::Released { offer: g.make(), to: g.make(), next: header.epoch };
    let brief = &mut header.brief;
    brief.category = Category(u16::MAX);
    brief.place = DivisionCode::from_number(999_999_999_999_999).unwrap();
    brief.head_count = u32::MAX;
    brief.grading.rules = u16::MAX;
    brief.grading.answers.people = Some(u32::MAX);
    brief.grading.level = Some(Warning::Orange);
    brief.unit = UnitCode(u16::MAX);
    brief.summary = Text::new("𠮷".repeat(120)).unwrap();
    let last = CivilDay::from_number(84_005).unwrap();
    brief.next_term = Some(DueTerm { kind: TermKind::File, since: last, day: last, provisional: true });
    brief.ceiling = Some(g.make());
    brief.outcome = Some(Outcome::Other);
    header
}

#[test]
fn the_largest_handover_fits_into_a_body_and_a_bundle() {
    let mut g = Gen::new(5, 4);
    let mut handover: Handover = g.make();
    handover.headers = List::new(vec![longest_header(&mut g); HEADERS_MAX]).unwrap();
    handover.seals = full::<_, TENURES_MAX>(&mut g);
    handover.private = Sealed { ciphertext: Blob::new(vec![0; SEALED_BYTES_MAX]).unwrap(), ..g.make() };
    let body = Body::Handover(handover);
    let bytes = body.encode().unwrap();
    let read = Body::decode(Kind(24), 1, &bytes).unwrap();
    assert_eq!(read, Some(body), "decoding may claim the memory that it needs");
    assert!(seal(vec![Message { id: g.make(), kind: Kind(24), schema: 1, body: bytes }]).is_ok());
}

/// Of a field: whether it holds so many, and one more.
macro_rules! holds {
    ($field:expr, $one:expr, $most:expr) => {{
        let list = |count: usize| List::new(vec![$one; count]);
        let full = list($most).map($field).is_ok();
        (full, list($most + 1).map($field).is_ok())
    }};
}

#[test]
fn lists_that_come_from_others_hold_so_many_and_no_more() {
    let event = EventId::from_bytes([1; 16]);
    let erased = |events| Erase { events, ..erase() };
    assert_eq!(holds!(erased, event, ERASED_MAX), (true, false), "events of an erasure");
    let asked = |numbers| AttachmentAsked {
        case: CaseId::from_bytes([1; 16]),
        attachment: AttachmentId::from_bytes([1; 16]),
        numbers,
    };
    assert_eq!(holds!(asked, 7_u16, PARTS_ASKED_MAX), (true, false), "parts of one question");
    let version =
        HeldVersion { kind: PublicationKind(1), name: Text::cut("x"), issuer: NodeId::from_bytes([1; 16]), version: 1 };
    assert_eq!(holds!(|held| Holdings { held }, version.clone(), PUBLICATIONS_MAX), (true, false), "editions held");
}

fn erase() -> Erase {
    let at = ClockReading { wall: UnixMillis(0), offset_ms: 0 };
    let (case, id) = (CaseId::from_bytes([1; 16]), OrderId::from_bytes([1; 16]));
    Erase { id, case, by: NodeId::from_bytes([1; 16]), at, events: List::default() }
}

#[test]
fn days_run_from_1900_to_2199() {
    let is_a_day = |number| CivilDay::from_number(number).is_some();
    assert_eq!([-25_568, -25_567, 84_005, 84_006].map(is_a_day), [false, true, true, false]);
    assert_eq!(CivilDay::of(UnixMillis(i64::MAX)).number(), 84_005, "what is later is that day");
    assert_eq!(CivilDay::of(UnixMillis(i64::MIN)).number(), -25_567);
}
