//! The bytes of this version, kept in `golden/v1`: a node of today must read what a node of yesterday wrote.
//!
//! Each vector stands with the value that it means. The test reads the bytes, compares the value, and encodes it again;
//! it does not depend on how the samples were made. A new kind begins as a `draft`, which `UPDATE_GOLDEN=1 cargo test -p
//! protocol` makes anew. A `frozen` file keeps its vectors for good: the same command only appends those of new variants,
//! and a changed shape is a new schema with a file of its own.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use protocol::directory::{Mandate, Role, SignedMandate};
use protocol::event::{Act, Header, PrivatePart, WideAct};
use protocol::order::{Answer, Asked, Order, OrderAnswer, WideAsked};
use protocol::receipt::{Receipt, Subject};
use protocol::wire::bundle::Bundle;
use protocol::wire::codec;
use protocol::wire::control::{Control, JoinRequest};
use protocol::wire::frame::{FRAME_HEAD_BYTES, FrameHead, FrameKind, LinkSeq};
use protocol::wire::kind::{Body, KINDS, Kind};
use protocol::wire::limits::{BODY_BYTES_MAX, CONTROL_BYTES_MAX};

use super::build::{Gen, Variants};
use super::round_trip::some_bundle;

/// Reads bytes, and gives the value as text with the bytes that it encodes to.
type Reader = fn(&[u8]) -> (String, Vec<u8>);

/// What the first line of a file says whose vectors stay.
const FROZEN: &str = "# frozen";

/// One file: how to read its vectors, and the vectors as they are made today.
struct Golden {
    reader: Reader,
    samples: Vec<Vec<u8>>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

fn shown(value: &impl Debug) -> String {
    format!("{value:?}")
}

/// At least one value of a kind; where its heart is an enum, one for each variant.
fn bodies(kind: Kind, schema: u16, g: &mut Gen) -> Vec<Body> {
    match kind.0 {
        1 if schema == 1 => {
            let narrow = Act::each(g).into_iter().filter(|act| !matches!(act, Act::Wider(_))).collect::<Vec<_>>();
            narrow.into_iter().map(|act| Body::header(Header { act, ..g.make() })).collect()
        }
        1 => {
            let wide = WideAct::each(g).into_iter().map(|act| Act::Wider(act.widen())).collect::<Vec<_>>();
            wide.into_iter().map(|act| Body::header(Header { act, ..g.make() })).collect()
        }
        10 => {
            let narrow =
                Asked::each(g).into_iter().filter(|asked| !matches!(asked, Asked::Wider(_))).collect::<Vec<_>>();
            narrow.into_iter().map(|asked| Body::order(Order { asked, ..g.make() })).collect()
        }
        32_778 => {
            let wide = WideAsked::each(g).into_iter().map(|asked| Asked::Wider(asked.widen())).collect::<Vec<_>>();
            wide.into_iter().map(|asked| Body::order(Order { asked, ..g.make() })).collect()
        }
        11 => Answer::each(g).into_iter().map(|answer| Body::OrderAnswer(OrderAnswer { answer, ..g.make() })).collect(),
        45 => Role::each(g)
            .into_iter()
            .map(|role| {
                let signed: SignedMandate = g.make();
                Body::Mandate(SignedMandate { mandate: Mandate { role, ..signed.mandate }, ..signed })
            })
            .collect(),
        13 => Subject::each(g).into_iter().map(|subject| Body::Receipt(Receipt { subject, ..g.make() })).collect(),
        _ => Body::each(g).into_iter().filter(|body| body.kind() == (kind, schema)).collect(),
    }
}

fn read_body(kind: Kind, schema: u16, bytes: &[u8]) -> (String, Vec<u8>) {
    let body = Body::decode(kind, schema, bytes).unwrap().expect("a known kind");
    (shown(&body), body.encode().unwrap())
}

macro_rules! body_readers {
    ($($kind:literal),+) => {
        /// A reader for each (kind, schema): function pointers cannot carry the kind along.
        fn body_reader(kind: u16, schema: u16) -> Reader {
            match (kind, schema) {
                $(($kind, 1) => |bytes| read_body(Kind($kind), 1, bytes),)+
                (1, 2) => |bytes| read_body(Kind(1), 2, bytes),
                (2, 2) => |bytes| read_body(Kind(2), 2, bytes),
                (24, 2) => |bytes| read_body(Kind(24), 2, bytes),
                _ => panic!("kind {kind}, schema {schema} has no golden vectors: add it"),
            }
        }
    };
}
body_readers!(
    1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25, 26, 27, 30, 31, 40, 41, 42, 43, 44, 45, 46,
    47, 48, 49, 50, 51, 52, 53, 32_778, 32_788
);

fn all() -> BTreeMap<String, Golden> {
    let mut files = BTreeMap::new();
    for (kind, schema, name) in KINDS {
        let mut g = Gen::new(u64::from(*kind), 3);
        let samples = bodies(Kind(*kind), *schema, &mut g).iter().map(|body| body.encode().unwrap()).collect();
        let reader = body_reader(*kind, *schema);
        files.insert(format!("body-{kind:02}-{schema}-{}", name.to_lowercase()), Golden { reader, samples });
    }
    let mut g = Gen::new(100, 3);
    files.insert(
        "control".to_owned(),
        Golden {
            reader: |bytes| {
                let value: Control = codec::decode(bytes, CONTROL_BYTES_MAX).unwrap();
                (shown(&value), codec::encode(&value, CONTROL_BYTES_MAX).unwrap())
            },
            samples: Control::each(&mut g).iter().map(codec::encode_unbounded).collect(),
        },
    );
    files.insert(
        "join-request".to_owned(),
        Golden {
            reader: |bytes| {
                let value: JoinRequest = codec::decode(bytes, BODY_BYTES_MAX).unwrap();
                (shown(&value), codec::encode_unbounded(&value))
            },
            samples: vec![codec::encode_unbounded(&g.make::<JoinRequest>())],
        },
    );
    files.insert(
        "private-part".to_owned(),
        Golden {
            reader: |bytes| {
                let value: PrivatePart = codec::decode(bytes, BODY_BYTES_MAX).unwrap();
                (format!("{value:?} {:?}", value.private.commit(value.salt)), codec::encode_unbounded(&value))
            },
            samples: protocol::event::Content::each(&mut g)
                .into_iter()
                .map(|content| {
                    let mut part: PrivatePart = g.make();
                    part.private.content = content;
                    codec::encode_unbounded(&part)
                })
                .collect(),
        },
    );
    files.insert(
        "bundle".to_owned(),
        Golden {
            reader: |bytes| {
                let bundle = Bundle::parse(Arc::from(bytes)).unwrap();
                (format!("{:?} {:?}", bundle.head(), bundle.messages()), bundle.bytes().to_vec())
            },
            samples: (0..2).map(|_| some_bundle(&mut g).bytes().to_vec()).collect(),
        },
    );
    let heads = [(FrameKind::Bundle, 0x0102_0304), (FrameKind::Preview, 0), (FrameKind::Control, 0)];
    files.insert(
        "frame".to_owned(),
        Golden {
            reader: |bytes| {
                let bytes: &[u8; FRAME_HEAD_BYTES] = bytes.try_into().unwrap();
                let head = FrameHead::from_bytes(bytes).unwrap();
                (shown(&head), head.to_bytes().to_vec())
            },
            samples: heads
                .map(|(kind, seq)| FrameHead { kind, seq: LinkSeq(seq), length: 0x1234 }.to_bytes().to_vec())
                .to_vec(),
        },
    );
    files
}

fn to_hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines: Vec<&str> =
        digits.as_bytes().chunks(96).map(|line| std::str::from_utf8(line).expect("hexadecimal digits")).collect();
    lines.join("\n")
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("two digits"))
        .collect()
}

fn write(name: &str, golden: &Golden) {
    let kept = fs::read_to_string(folder().join(format!("{name}.hex"))).ok().filter(|text| text.starts_with(FROZEN));
    let draft = format!("# draft: {name}, wire version 1. Each vector stands below the value that it means.\n");
    let mut text = kept.unwrap_or(draft);
    // Variants are only ever added at the end.
    let vectors = text.matches("\n= ").count();
    for sample in golden.samples.iter().skip(vectors) {
        let (value, _) = (golden.reader)(sample);
        text.push_str(&format!("\n= {value}\n{}\n", to_hex(sample)));
    }
    fs::create_dir_all(folder()).unwrap();
    fs::write(folder().join(format!("{name}.hex")), text).unwrap();
}

#[test]
fn the_bytes_of_this_version_stay() {
    let files = all();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        files.iter().for_each(|(name, golden)| write(name, golden));
    }
    for (name, golden) in &files {
        let path = folder().join(format!("{name}.hex"));
        let text =
            fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}; UPDATE_GOLDEN=1 makes it", path.display()));
        assert!(text.starts_with("# draft") || text.starts_with(FROZEN), "{name} says whether it may change");
        let mut vectors = 0;
        for vector in text.split("\n= ").skip(1) {
            let (value, hex) = vector.split_once('\n').expect("a value, then its bytes");
            let bytes = from_hex(hex);
            let (read, again) = (golden.reader)(&bytes);
            assert_eq!(read, value, "{name}: the bytes mean something else now");
            assert_eq!(again, bytes, "{name}: the value is written in another way now");
            vectors += 1;
        }
        assert_eq!(
            vectors,
            golden.samples.len(),
            "{name}: a variant came (UPDATE_GOLDEN=1 appends its vector) or went (that is a new schema)"
        );
    }
    let kept = fs::read_dir(folder()).unwrap().count();
    assert_eq!(kept, files.len(), "a vector whose kind is gone: old schemas stay readable");
}
