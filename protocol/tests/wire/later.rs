//! What becomes of messages of a later version: read after an upgrade, refused, or passed on.

use protocol::bounded::List;
use protocol::chain::Signature;
use protocol::id::{MessageId, NodeId};
use protocol::wire::bundle::{Bundle, BundleHead, Message};
use protocol::wire::kind::{Body, KINDS, Kind};
use protocol::wire::later::{Foreign, NotUnderstood, Vocabulary};
use protocol::wire::limits::{BODY_BYTES_MAX, BUNDLE_MESSAGES_MAX};

use super::build::Gen;

const ME: NodeId = NodeId::from_bytes([1; 16]);
const OTHER: NodeId = NodeId::from_bytes([2; 16]);
const LATER: Kind = Kind(30_000);

fn message(number: u8, kind: Kind, schema: u16) -> Message {
    Message { id: MessageId::from_bytes([number; 16]), kind, schema, body: vec![number] }
}

fn bundle(from: NodeId, to: NodeId, messages: Vec<Message>) -> Bundle {
    let head = BundleHead { origin: from, to, ..Gen::new(3, 1).make() };
    Bundle::seal(head, messages, |_| Signature([7; 64])).unwrap()
}

#[test]
fn a_program_reads_its_kinds_and_one_from_before_a_kind_does_not_read_that_one() {
    let today = Vocabulary::default();
    assert!(KINDS.iter().all(|(kind, schema, _)| today.knows(Kind(*kind), *schema)));
    assert!(!today.knows(Kind(1), 3) && !today.knows(LATER, 1));
    let mut g = Gen::new(5, 2);
    let fact = g.make::<Message>();
    let before = Vocabulary::before([(fact.kind, fact.schema)]);
    assert!(today.read(&fact).unwrap().is_some());
    assert_eq!(before.read(&fact), Ok(None));
    assert!(!before.knows(fact.kind, fact.schema));
}

#[test]
fn of_this_version_only_an_order_and_an_offer_of_what_came_later_must_be_understood() {
    let asked = KINDS.iter().map(|(kind, ..)| Kind(*kind)).filter(|kind| kind.must_be_understood());
    assert_eq!(asked.collect::<Vec<_>>(), [10, 20].map(|kind| Kind(kind).understood_or_refused()));
    let asked = Kind(11).understood_or_refused();
    assert!(asked.must_be_understood() && asked != Kind(11));
    assert_eq!(Body::decode(asked, 1, &[1, 2, 3]), Ok(None), "whoever does not look at the bit keeps the message");
}

#[test]
fn a_later_kind_is_kept_where_it_ends_and_a_later_schema_on_its_way_too() {
    let today = Vocabulary::default();
    let messages = vec![message(1, Kind(1), 3), message(2, Kind(13), 1), message(3, LATER, 1)];
    let ends = today.unread(&bundle(OTHER, ME, messages.clone()), ME, false);
    assert_eq!((ends.kept, ends.refused), (vec![0, 2], vec![]));
    let passes = today.unread(&bundle(ME, OTHER, messages), NodeId::from_bytes([3; 16]), false);
    assert_eq!(passes.kept, [0], "a relay keeps the kinds that every version keeps on the way, and no other");
}

#[test]
fn what_must_be_understood_is_refused_where_it_ends_and_nowhere_else() {
    let asked = LATER.understood_or_refused();
    let messages = vec![message(1, LATER, 1), message(2, asked, 4)];
    let today = Vocabulary::default();
    let ends = today.unread(&bundle(OTHER, ME, messages.clone()), ME, false);
    let foreign = Foreign { message: MessageId::from_bytes([2; 16]), kind: asked, schema: 4 };
    assert_eq!((ends.kept, ends.refused), (vec![0], vec![foreign]));
    let passes = today.unread(&bundle(OTHER, ME, messages.clone()), OTHER, false);
    assert_eq!((passes.kept, passes.refused), (vec![], vec![]));
    let own = today.unread(&bundle(ME, OTHER, messages), ME, true);
    assert_eq!((own.kept, own.refused), (vec![0, 1], vec![]), "a node that is given back what it sent refuses nothing");
}

#[test]
fn a_refusal_names_what_was_in_a_bundle_for_its_speaker() {
    let asked = LATER.understood_or_refused();
    let sent = bundle(ME, OTHER, vec![message(1, asked, 1), message(2, LATER, 1)]);
    let refused = Vocabulary::default().unread(&sent, OTHER, false).refused;
    assert_eq!(NotUnderstood::of(sent.head().id, Vec::new()), None);
    let told = NotUnderstood::of(sent.head().id, refused.clone()).unwrap();
    assert!(told.fits(OTHER, &sent));
    assert!(!told.fits(ME, &sent), "it was not for that node");
    assert!(!told.fits(OTHER, &bundle(ME, OTHER, vec![message(3, asked, 1)])), "no such message is in it");
    let other = refused.into_iter().map(|foreign| Foreign { schema: 9, ..foreign }).collect();
    assert!(!NotUnderstood::of(sent.head().id, other).unwrap().fits(OTHER, &sent), "it was of another schema");
}

#[test]
fn a_refusal_of_a_full_bundle_fits_and_one_message_more_is_not_read() {
    let mut g = Gen::new(8, 1);
    let full: Vec<Foreign> = (0..BUNDLE_MESSAGES_MAX).map(|_| g.make()).collect();
    let told = NotUnderstood { bundle: g.make(), messages: List::new(full.clone()).unwrap() };
    let (body, bytes) = (Body::NotUnderstood(told), Body::NotUnderstood(g.make()));
    let encoded = body.encode().unwrap();
    assert!(encoded.len() < BODY_BYTES_MAX);
    assert_eq!(Body::decode(Kind(53), 1, &encoded), Ok(Some(body)));
    assert!(bytes.encode().is_ok());
    assert!(List::<Foreign, BUNDLE_MESSAGES_MAX>::new([full, vec![g.make()]].concat()).is_err());
}
