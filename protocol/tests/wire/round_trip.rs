//! Every value reads back as it was written, in the one form that encoding gives.

use std::sync::Arc;

use proptest::prelude::*;

use protocol::bounded::{Blob, List, Text};
use protocol::chain::Signature;
use protocol::division::DivisionCode;
use protocol::event::{
    Act, Content, Header, INSTALMENTS_MAX, Instalment, MEDIATORS_MAX, PARTIES_AT_ONCE_MAX, Participant, PauseGround,
    PrivatePart, Said, WideAct, WideContent, Wider,
};
use protocol::time::{CivilDay, ClockReading, Minute, UnixMillis};
use protocol::wire::bundle::{Bundle, BundleHead};
use protocol::wire::codec::{self, Malformed};
use protocol::wire::control::{Control, JoinRequest};
use protocol::wire::frame::{FRAME_HEAD_BYTES, FrameHead, FrameKind, LinkSeq};
use protocol::wire::kind::{Body, KINDS, Kind};
use protocol::wire::limits::{BODY_BYTES_MAX, BUNDLE_BYTES_MAX, CONTROL_BYTES_MAX};

use super::build::{Gen, Variants};
use super::values::messages;

pub(crate) fn some_bundle(g: &mut Gen) -> Bundle {
    let head: BundleHead = g.make();
    let (messages, signature) = (messages(g), g.make::<Signature>());
    Bundle::seal(head, messages, |_| signature).unwrap()
}

#[test]
fn every_kind_can_be_made() {
    let made: Vec<_> = Body::each(&mut Gen::new(0, 2)).iter().map(Body::kind).collect();
    let known: Vec<_> = KINDS.iter().map(|(kind, schema, _)| (Kind(*kind), *schema)).collect();
    assert_eq!(made, known);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn bodies_read_back(seed: u64, size in 0_usize..24) {
        for body in Body::each(&mut Gen::new(seed, size)) {
            let (kind, schema) = body.kind();
            let bytes = body.encode().unwrap();
            prop_assert_eq!(Body::decode(kind, schema, &bytes).unwrap(), Some(body));
            prop_assert_eq!(Body::decode(kind, schema + 2, &bytes).unwrap(), None, "a later schema is not guessed at");
        }
    }

    #[test]
    fn control_frames_read_back(seed: u64, size in 0_usize..64) {
        for control in Control::each(&mut Gen::new(seed, size)) {
            let bytes = codec::encode(&control, CONTROL_BYTES_MAX).unwrap();
            prop_assert_eq!(codec::decode::<Control>(&bytes, CONTROL_BYTES_MAX).unwrap(), control);
        }
    }

    #[test]
    fn what_travels_inside_other_things_reads_back(seed: u64, size in 0_usize..64) {
        let mut g = Gen::new(seed, size);
        let parts: List<PrivatePart, 512> = g.make();
        let bytes = codec::encode(&parts, BODY_BYTES_MAX).unwrap();
        prop_assert_eq!(codec::decode::<List<PrivatePart, 512>>(&bytes, BODY_BYTES_MAX).unwrap(), parts);
        let join: JoinRequest = g.make();
        let bytes = codec::encode(&join, BODY_BYTES_MAX).unwrap();
        prop_assert_eq!(codec::decode::<JoinRequest>(&bytes, BODY_BYTES_MAX).unwrap(), join);
    }

    #[test]
    fn bundles_read_back_byte_for_byte(seed: u64) {
        let bundle = some_bundle(&mut Gen::new(seed, 12));
        let parsed = Bundle::parse(Arc::clone(bundle.bytes())).unwrap();
        prop_assert_eq!(&parsed, &bundle);
        let (signed, signature) = parsed.signed();
        let again = Bundle::seal(*parsed.head(), parsed.messages().to_vec(), |bytes| {
            assert_eq!(bytes, signed, "the signature covers all but itself");
            signature
        })
        .unwrap();
        prop_assert_eq!(again.bytes(), bundle.bytes());
    }

    #[test]
    fn frame_heads_read_back(seq in 1_u64.., length in 0_u32..=BUNDLE_BYTES_MAX as u32, preview: bool) {
        let kind = if preview { FrameKind::Preview } else { FrameKind::Bundle };
        let numbered = FrameHead { kind, seq: LinkSeq(if preview { 0 } else { seq }), length };
        prop_assert_eq!(FrameHead::from_bytes(&numbered.to_bytes()), Ok(numbered));
        let length = length % (CONTROL_BYTES_MAX as u32 + 1);
        let control = FrameHead { kind: FrameKind::Control, seq: LinkSeq(0), length };
        prop_assert_eq!(FrameHead::from_bytes(&control.to_bytes()), Ok(control));
    }

    #[test]
    fn frame_heads_have_one_form(bytes: [u8; FRAME_HEAD_BYTES], kind in prop::sample::select(vec![0_u8, 1, 2, 3, 16])) {
        let mut bytes = bytes;
        bytes[0] = kind;
        bytes[9] = 0;
        if let Ok(head) = FrameHead::from_bytes(&bytes) {
            prop_assert_eq!(head.to_bytes(), bytes);
        }
    }

    #[test]
    fn a_header_hashes_alike_on_every_node(seed: u64) {
        let header: Header = Gen::new(seed, 40).make();
        let body = Body::header(header.clone());
        let read = Body::decode(body.kind().0, body.kind().1, &body.encode().unwrap()).unwrap();
        let Some(Body::Header(read) | Body::WideHeader(read)) = read else { panic!("no header") };
        prop_assert_eq!(read.hash(), header.hash());
        let other = Header { number: header.number ^ 1, ..header.clone() };
        prop_assert_ne!(other.hash(), header.hash());
    }

    #[test]
    fn a_commitment_binds_part_and_salt(seed: u64) {
        let part: PrivatePart = Gen::new(seed, 40).make();
        let mut other = part.salt;
        other.0[0] ^= 1;
        prop_assert_ne!(part.private.commit(part.salt), part.private.commit(other));
    }

    #[test]
    fn time_never_wraps(wall: i64, offset_ms: i64) {
        let reading = ClockReading { wall: UnixMillis(wall), offset_ms };
        let day = reading.day();
        prop_assert_eq!(CivilDay::from_number(day.number()), Some(day));
        let later = ClockReading { wall: UnixMillis(wall.saturating_add(86_400_000)), offset_ms };
        prop_assert!(later.day() >= day);
        prop_assert!(later.minute() >= reading.minute());
    }

    #[test]
    fn text_form_and_wire_form_of_a_division_agree(seed: u64) {
        let code: DivisionCode = Gen::new(seed, 1).make();
        prop_assert_eq!(code.to_string().parse::<DivisionCode>(), Ok(code));
        let bytes = codec::encode_unbounded(&code);
        prop_assert_eq!(codec::decode::<DivisionCode>(&bytes, 16).unwrap(), code);
    }
}

#[test]
fn times_out_of_range_stop_at_the_ends() {
    let first = CivilDay::from_number(-25_567).unwrap();
    let last = CivilDay::from_number(84_005).unwrap();
    assert_eq!(CivilDay::of(UnixMillis(i64::MIN)), first);
    assert_eq!(CivilDay::of(UnixMillis(i64::MAX)), last);
    assert_eq!(first.plus(i32::MIN), first);
    assert_eq!(last.plus(i32::MAX), last);
    assert_eq!(CivilDay::from_number(84_006), None);
    assert_eq!(Minute::of(UnixMillis(-1)), Minute(0));
    assert_eq!(Minute::of(UnixMillis(i64::MAX)), Minute(u32::MAX));
}

#[test]
fn a_day_begins_at_sixteen_hours_utc() {
    assert_eq!(CivilDay::of(UnixMillis(57_599_999)).number(), 0);
    assert_eq!(CivilDay::of(UnixMillis(57_600_000)).number(), 1);
}

#[test]
fn a_header_has_one_schema() {
    let mut g = Gen::new(7, 3);
    let paused = WideAct::Paused { ground: PauseGround::Hearing, on: g.make() };
    for (act, schema) in [(Act::CeilingRaised, 1), (Act::Wider(paused.widen()), 2)] {
        let body = Body::header(Header { act, ..g.make() });
        let bytes = body.encode().unwrap();
        assert_eq!(body.kind(), (Kind(1), schema));
        assert_eq!(Body::decode(Kind(1), schema, &bytes), Ok(Some(body)));
        assert_eq!(Body::decode(Kind(1), 3 - schema, &bytes), Err(Malformed::NotCanonical));
    }
}

#[test]
fn a_content_that_came_later_is_read_where_its_code_and_body_are_known() {
    let mut g = Gen::new(9, 3);
    for content in WideContent::each(&mut g) {
        let Ok(Content::Wider(said)) = content.widen() else { panic!("{content:?} is too long") };
        assert!(WideContent::CODES.contains(&said.code));
        assert_eq!(said.read(), Some(content));
        let longer = Blob::new([&*said.body, &[0]].concat()).unwrap();
        assert_eq!(Said { body: longer, ..said.clone() }.read(), None, "nothing may follow");
        assert_eq!(Said { code: 9_999, ..said }.read(), None, "of a later version");
    }
}

#[test]
fn as_many_parties_as_one_event_names_fit_with_the_longest_words() {
    let long = |chars: usize| "\u{2070E}".repeat(chars);
    let party = Participant {
        name: Text::new(long(60)).unwrap(),
        phone: Text::new(long(30)).unwrap(),
        address: Text::new(long(200)).unwrap(),
        identity: Text::new(long(30)).unwrap(),
        ethnicity: Text::new(long(20)).unwrap(),
        occupation: Text::new(long(60)).unwrap(),
        ..Gen::new(10, 3).make()
    };
    let people = List::new(vec![party; PARTIES_AT_ONCE_MAX]).unwrap();
    assert!(WideContent::Participants { people }.widen().is_ok());
    let amendment = WideContent::Amendment {
        title: Some(Text::new(long(120)).unwrap()),
        narrative: Some(Text::new(long(8000)).unwrap()),
        reason: Text::new(long(1000)).unwrap(),
    };
    assert!(amendment.widen().is_ok());
}

#[test]
fn lists_of_a_mediation_have_their_limits() {
    assert!(List::<u8, MEDIATORS_MAX>::new(vec![0; MEDIATORS_MAX + 1]).is_err());
    let part = |g: &mut Gen| g.make::<Instalment>();
    let mut g = Gen::new(11, 3);
    let plan: Vec<_> = (0..=INSTALMENTS_MAX).map(|_| part(&mut g)).collect();
    assert!(List::<_, INSTALMENTS_MAX>::new(plan.clone()).is_err());
    assert!(List::<_, INSTALMENTS_MAX>::new(plan[1..].to_vec()).is_ok());
}

#[test]
fn an_act_that_came_later_is_read_where_its_code_and_body_are_known() {
    let mut g = Gen::new(8, 3);
    for act in WideAct::each(&mut g) {
        let wide = act.widen();
        assert!(WideAct::CODES.contains(&wide.code));
        assert_eq!(wide.read(), Some(act));
        let longer = Blob::new([&*wide.body, &[0]].concat()).unwrap();
        assert_eq!(Wider { body: longer, ..wide.clone() }.read(), None, "nothing may follow");
        assert_eq!(Wider { code: 9_999, ..wide }.read(), None, "of a later version");
    }
}
