//! What nobody honest sends. Each decoder answers with a value or an error, never with a panic, and what it accepts is
//! exactly what encoding that value gives: one value has one form, so one message has one hash.

use std::sync::Arc;

use bincode::{Decode, Encode};
use proptest::prelude::*;

use protocol::bounded::List;
use protocol::directory::Entry;
use protocol::event::{Header, PrivatePart};
use protocol::wire::bundle::{Bundle, NotABundle};
use protocol::wire::codec::{self, Malformed};
use protocol::wire::control::{Control, JoinRequest};
use protocol::wire::kind::{Body, KINDS, Kind};
use protocol::wire::limits::{BODY_BYTES_MAX, BUNDLE_BYTES_MAX, CONTROL_BYTES_MAX};

use super::build::{Gen, Variants};
use super::round_trip::some_bundle;

/// Decodes and, when that succeeds, gives the bytes that encoding makes of the value.
type Reader = Box<dyn Fn(&[u8]) -> Option<Vec<u8>>>;

fn value<T: Decode<()> + Encode>(max: usize) -> Reader {
    Box::new(move |bytes| codec::decode::<T>(bytes, max).ok().map(|value| codec::encode(&value, max).unwrap()))
}

fn body(kind: Kind, schema: u16) -> Reader {
    Box::new(move |bytes| {
        Body::decode(kind, schema, bytes).ok().map(|body| body.expect("a known kind").encode().unwrap())
    })
}

fn bundle() -> Reader {
    Box::new(|bytes| {
        Bundle::parse(bytes.into()).ok().map(|bundle| {
            let signature = bundle.signed().1;
            let again = Bundle::seal(*bundle.head(), bundle.messages().to_vec(), |_| signature).unwrap();
            again.bytes().to_vec()
        })
    })
}

/// Every decoder of the crate that reads what a peer sent, with a valid sample.
fn decoders(seed: u64, size: usize) -> Vec<(String, Reader, Vec<u8>)> {
    let mut g = Gen::new(seed, size);
    let mut all = Vec::new();
    for sample in Body::each(&mut g) {
        let (kind, schema) = sample.kind();
        all.push((format!("body {kind:?}"), body(kind, schema), sample.encode().unwrap()));
    }
    for sample in Control::each(&mut g) {
        let bytes = codec::encode(&sample, CONTROL_BYTES_MAX).unwrap();
        all.push(("control".to_owned(), value::<Control>(CONTROL_BYTES_MAX), bytes));
    }
    let join = codec::encode_unbounded(&g.make::<JoinRequest>());
    all.push(("join request".to_owned(), value::<JoinRequest>(BODY_BYTES_MAX), join));
    let entry = codec::encode_unbounded(&g.make::<Entry>());
    all.push(("entry".to_owned(), value::<Entry>(BODY_BYTES_MAX), entry));
    let parts = codec::encode_unbounded(&g.make::<List<PrivatePart, 512>>());
    all.push(("private parts".to_owned(), value::<List<PrivatePart, 512>>(BODY_BYTES_MAX), parts));
    all.push(("bundle".to_owned(), bundle(), some_bundle(&mut g).bytes().to_vec()));
    all
}

/// The rule of the whole file.
fn one_form(name: &str, read: &Reader, bytes: &[u8]) {
    if let Some(again) = read(bytes) {
        assert_eq!(again, bytes, "{name} accepted a second form");
    }
}

#[test]
fn a_cut_value_is_refused_at_every_byte() {
    for seed in 0..8 {
        for (name, read, bytes) in decoders(seed, 3) {
            assert!(read(&bytes).is_some(), "{name}: the sample itself");
            for end in 0..bytes.len() {
                assert!(read(&bytes[..end]).is_none(), "{name} of {} bytes was read from {end}", bytes.len());
            }
        }
    }
}

#[test]
fn bytes_after_a_value_are_refused() {
    for seed in 0..8 {
        for (name, read, bytes) in decoders(seed, 3) {
            for tail in [&[0_u8][..], &[1], &[255; 64], &bytes] {
                assert!(read(&[&bytes, tail].concat()).is_none(), "{name} with {} more bytes", tail.len());
            }
        }
    }
}

#[test]
fn an_integer_has_one_form() {
    // 251, 252, 253, 254 announce two, four, eight and sixteen bytes, least significant first.
    let forms: [&[u8]; 4] =
        [&[251, 7, 0], &[252, 7, 0, 0, 0], &[253, 7, 0, 0, 0, 0, 0, 0, 0], &[253, 251, 0, 0, 0, 0, 0, 0, 0]];
    for form in forms {
        assert_eq!(codec::decode::<u64>(form, 16), Err(Malformed::NotCanonical), "{form:?}");
    }
    assert_eq!(codec::decode::<u64>(&[7], 16), Ok(7));
    assert_eq!(codec::decode::<u64>(&[251, 251, 0], 16), Ok(251));
    assert!(codec::decode::<u32>(&[253, 0, 0, 0, 0, 1, 0, 0, 0], 16).is_err(), "above the type");
    assert!(codec::decode::<u64>(&[255], 16).is_err(), "a mark that means nothing");
}

#[test]
fn every_widened_integer_is_refused() {
    // Any byte below 251 might be a varint. Where it is one, the wider form must not be read; where it is not, the bytes
    // are simply others.
    let mut refused = 0_usize;
    for (name, read, bytes) in decoders(3, 3) {
        for at in 0..bytes.len() {
            let byte = bytes[at];
            for mark in [251_u8, 252, 253] {
                let zeros = vec![0_u8; (1 << (mark - 250)) - 1];
                let widened = [&bytes[..at], &[mark, byte], &zeros, &bytes[at + 1..]].concat();
                one_form(&name, &read, &widened);
                refused += usize::from(read(&widened).is_none());
            }
        }
    }
    assert!(refused > 1_000, "only {refused} were refused");
}

#[test]
fn a_huge_length_costs_nothing() {
    for (name, read, bytes) in decoders(5, 3) {
        for at in 0..bytes.len() {
            for claim in [&[253, 255, 255, 255, 255, 255, 255, 255, 255][..], &[252, 255, 255, 255, 127], &[254; 17]] {
                one_form(&name, &read, &[&bytes[..at], claim, &bytes[at + 1..]].concat());
                one_form(&name, &read, &[&bytes[..at], claim].concat());
            }
        }
    }
}

#[test]
fn each_byte_may_be_anything() {
    for (name, read, mut bytes) in decoders(7, 2) {
        for at in 0..bytes.len() {
            let kept = bytes[at];
            for other in [0, 1, 2, 127, 128, 250, 251, 252, 253, 254, 255, kept ^ 1, kept.wrapping_add(1)] {
                bytes[at] = other;
                one_form(&name, &read, &bytes);
            }
            bytes[at] = kept;
        }
    }
}

#[test]
fn truth_values_and_choices_have_one_form() {
    assert!(codec::decode::<bool>(&[2], 16).is_err());
    assert!(codec::decode::<Option<u8>>(&[2, 0], 16).is_err());
    assert!(codec::decode::<Control>(&[8], 16).is_err(), "no such frame");
    assert!(Body::decode(Kind(1), 1, &[]).is_err());
    assert_eq!(Body::decode(Kind(999), 1, &[1, 2, 3]), Ok(None), "an unknown kind is not an error");
}

#[test]
fn flags_of_a_later_version_are_not_guessed_at() {
    let bundle = some_bundle(&mut Gen::new(1, 2));
    // format, algorithm, then after the four ids: urgency, flags.
    for (at, value) in [(0, 2), (1, 0), (1, 2), (58, 5), (58, 255), (59, 2), (59, 3)] {
        let mut bytes = bundle.bytes().to_vec();
        bytes[at] = value;
        assert_eq!(Bundle::parse(Arc::from(bytes)), Err(NotABundle::Unsupported), "byte {at} = {value}");
    }
}

#[test]
fn text_that_is_no_text_is_refused() {
    use protocol::bounded::Text;
    for hidden in ["\u{202E}", "\u{2066}", "\u{0}", "\u{1b}", "\u{85}", "\r"] {
        let bytes = codec::encode_unbounded(&hidden.to_owned());
        assert!(codec::decode::<Text<8>>(&bytes, 64).is_err(), "{hidden:?}");
    }
    assert!(codec::decode::<Text<8>>(&[2, 0xC3, 0x28], 64).is_err(), "not UTF-8");
    assert!(codec::decode::<Text<8>>(&[2, 0xC0, 0x80], 64).is_err(), "an overlong NUL");
    assert!(codec::decode::<Text<8>>(&[3, 0xED, 0xA0, 0x80], 64).is_err(), "half a surrogate pair");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn random_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for (kind, schema, name) in KINDS {
            one_form(name, &body(Kind(*kind), *schema), &bytes);
        }
        one_form("control", &value::<Control>(CONTROL_BYTES_MAX), &bytes);
        one_form("bundle", &bundle(), &bytes);
        // Most random bytes fail at the first; these begin as a bundle does.
        one_form("bundle", &bundle(), &[&[1, 1], &bytes[..]].concat());
        one_form("join request", &value::<JoinRequest>(BODY_BYTES_MAX), &bytes);
        one_form("private parts", &value::<List<PrivatePart, 512>>(BODY_BYTES_MAX), &bytes);
    }

    #[test]
    fn mutated_bytes_are_survived(seed: u64, edits in prop::collection::vec((any::<u16>(), any::<u8>(), 0_u8..3), 1..6)) {
        for (name, read, mut bytes) in decoders(seed, 3) {
            for (at, value, how) in &edits {
                let at = usize::from(*at) % bytes.len().max(1);
                match how {
                    0 => bytes[at] = *value,
                    1 => bytes.insert(at, *value),
                    _ if bytes.len() > 1 => drop(bytes.remove(at)),
                    _ => {}
                }
            }
            one_form(&name, &read, &bytes);
        }
    }
}

#[test]
fn more_bytes_than_allowed_are_refused_unread() {
    let header = codec::encode_unbounded(&Gen::new(1, 3).make::<Header>());
    let max = header.len() - 1;
    let refused = Malformed::TooLarge { got: header.len(), max };
    assert_eq!(codec::decode::<Header>(&header, max), Err(refused.clone()));
    assert_eq!(codec::encode(&Gen::new(1, 3).make::<Header>(), max), Err(refused));
    assert_eq!(Bundle::parse(vec![1; BUNDLE_BYTES_MAX + 1].into()), Err(NotABundle::TooLarge));
}
