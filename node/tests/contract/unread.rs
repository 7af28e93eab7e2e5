//! Bundles with messages of a later version: noted as they come, kept so long, read in order, and their bound.

use federation::trust::{NodeKeys, seal};
use protocol::bounded::List;
use protocol::chain::Signature;
use protocol::erase::Erase;
use protocol::id::{BundleId, ContributionId, MessageId, OrderId};
use protocol::order::Contribution;
use protocol::time::{ClockReading, UnixMillis};
use protocol::wire::bundle::{Bundle, BundleHead, Message, Urgency};
use protocol::wire::kind::{Body, Kind};
use protocol::wire::later::{Foreign, NotUnderstood};
use wuji::store::WriteStore;
use wuji::store::link::KeepBundle;
use wuji::store::unread::{Noted, Refusals, UNREAD_MAX, Unread};

use crate::base::{Base, NOW, case_id, node};
use crate::on_both;

on_both!(
    what_is_not_read_stays_until_it_is,
    what_was_noted_is_read_in_the_order_in_which_it_came_and_by_pages,
    of_a_bundle_that_is_read_in_part_the_rest_stays_noted,
    a_neighbour_at_its_bound_is_not_noted_any_more_and_others_are,
    what_was_erased_before_it_could_be_read_is_not_read,
    what_is_read_later_is_looked_into_for_sealed_parts,
    refusals_are_counted_by_node_once_and_go_after_their_time,
);

const ME: u8 = 1;
const CHILD: u8 = 2;
const OTHER: u8 = 3;
/// Two kinds of a later version.
const LATER: (Kind, u16) = (Kind(30_000), 1);
const LATEST: (Kind, u16) = (Kind(30_001), 2);
const LATER_THAN_ALL: UnixMillis = UnixMillis(i64::MAX);

fn sealed_by(from: u8, id: u16, receipted: bool, messages: Vec<Message>) -> Bundle {
    let mut bytes = [from; 16];
    bytes[..2].copy_from_slice(&id.to_be_bytes());
    let (id, origin, key) = (BundleId::from_bytes(bytes), node(from), protocol::directory::KeyId([1; 8]));
    let head = BundleHead { id, origin, key, to: node(ME), urgency: Urgency::Routine, receipted };
    Bundle::seal(head, messages, |_| Signature([7; 64])).expect("a bundle")
}

fn message(place: usize, (kind, schema): (Kind, u16)) -> Message {
    let place = u8::try_from(place).expect("few");
    Message { id: MessageId::from_bytes([place; 16]), kind, schema, body: vec![place; 50] }
}

/// A bundle of these kinds, none of which is known.
fn unread(from: u8, id: u16, kinds: &[(Kind, u16)]) -> Unread {
    let messages: Vec<Message> = kinds.iter().enumerate().map(|(place, kind)| message(place, *kind)).collect();
    let places = (0..messages.len()).collect();
    Unread { bundle: sealed_by(from, id, true, messages), peer: node(from), returned: false, places }
}

/// Keeps and notes, as a transaction of the writer does.
async fn came(write: &mut WriteStore, all: &[Unread]) -> Vec<protocol::id::NodeId> {
    let keep = |unread: &Unread| KeepBundle { bundle: unread.bundle.clone(), via: Some(unread.peer), done: true };
    write.keep_bundles(&all.iter().map(keep).collect::<Vec<_>>(), NOW).await.expect("kept");
    write.note_unread(all).await.expect("noted")
}

async fn page(write: &mut WriteStore, after: i64, kinds: &[(Kind, u16)], count: u32) -> Vec<Noted> {
    write.unread_after(after, kinds, count).await.expect("a page")
}

fn ids(noted: &[Noted]) -> Vec<BundleId> {
    noted.iter().map(|noted| noted.id).collect()
}

async fn what_is_not_read_stays_until_it_is(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let asks = unread(CHILD, 1, &[LATER]);
    let mut tells = unread(CHILD, 2, &[LATER]);
    tells.bundle = sealed_by(CHILD, 2, false, vec![message(0, LATER)]);
    let read_already = KeepBundle { bundle: sealed_by(CHILD, 3, true, vec![message(0, LATER)]), via: None, done: true };
    assert_eq!(came(&mut write, &[asks, tells]).await, [], "all of it has a place");
    write.keep_bundles(&[read_already], NOW).await.expect("kept");
    assert_eq!(store.waiting().await.expect("counted").unread, 2);
    let pruned = async |write: &mut WriteStore| {
        let unanswered = write.prune_unanswered(LATER_THAN_ALL).await.expect("pruned");
        unanswered + write.prune_bundles(LATER_THAN_ALL).await.expect("pruned")
    };
    assert_eq!(pruned(&mut write).await, 1, "only what was read goes when its time has come");
    let noted = page(&mut write, 0, &[LATER], 9).await;
    assert!(noted.iter().all(|noted| noted.bundle.is_some() && noted.peer == node(CHILD) && !noted.returned));
    assert!(!write.unread_was_read(&noted).await.expect("read"), "nothing in it was sealed");
    assert_eq!(store.waiting().await.expect("counted").unread, 0);
    assert_eq!(write.unread_kinds().await.expect("kinds"), []);
    assert_eq!(pruned(&mut write).await, 2);
}

async fn what_was_noted_is_read_in_the_order_in_which_it_came_and_by_pages(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    // By its ids the last came first: the clocks of their origins differ.
    let all: Vec<Unread> = (1..=5).rev().map(|id| unread(CHILD, id, &[LATER])).collect();
    for part in [&all[..2], &all[2..]] {
        came(&mut write, part).await;
    }
    came(&mut write, &[unread(CHILD, 9, &[LATEST])]).await;
    assert_eq!(write.unread_kinds().await.expect("kinds").len(), 2);
    let first = page(&mut write, 0, &[LATER], 3).await;
    let after = first.last().expect("a page").number;
    let second = page(&mut write, after, &[LATER], 3).await;
    let in_order: Vec<BundleId> = all.iter().map(|unread| unread.bundle.head().id).collect();
    assert_eq!([ids(&first), ids(&second)].concat(), in_order, "and what is still not known is not among them");
}

async fn of_a_bundle_that_is_read_in_part_the_rest_stays_noted(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    came(&mut write, &[unread(CHILD, 1, &[LATER, LATEST, LATER])]).await;
    let mut noted = page(&mut write, 0, &[LATER], 9).await;
    assert_eq!(noted[0].places, [0, 1, 2]);
    noted[0].places = vec![0, 2];
    write.unread_was_read(&noted).await.expect("read");
    assert_eq!(ids(&page(&mut write, 0, &[LATER], 9).await), []);
    assert_eq!(page(&mut write, 0, &[LATEST], 9).await[0].places, [1]);
    assert_eq!(store.waiting().await.expect("counted").unread, 1);
}

async fn a_neighbour_at_its_bound_is_not_noted_any_more_and_others_are(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let most = u16::try_from(UNREAD_MAX).expect("some");
    let all: Vec<Unread> = (0..most + 2).map(|id| unread(CHILD, id, &[LATER])).collect();
    let (first, late) = all.split_at(usize::from(most));
    write.begin().await.expect("begun");
    assert_eq!(came(&mut write, first).await, []);
    assert_eq!(came(&mut write, late).await, [node(CHILD)], "whose turn it was is told, once");
    assert_eq!(came(&mut write, &[unread(OTHER, 1, &[LATER])]).await, []);
    write.commit().await.expect("committed");
    assert_eq!(store.waiting().await.expect("counted").unread, UNREAD_MAX + 1);
    let beyond: Vec<_> = late.iter().map(|unread| unread.bundle.head().id).collect();
    assert_eq!(
        write.known_bundles(&beyond).await.expect("known").len(),
        2,
        "what was not noted is kept like any other"
    );
    let last = page(&mut write, UNREAD_MAX - 1, &[LATER], 9).await;
    assert_eq!(last.iter().map(|noted| noted.peer).collect::<Vec<_>>(), [node(CHILD), node(OTHER)]);
    write.unread_was_read(&last[..1]).await.expect("read");
    assert_eq!(came(&mut write, &late[..1]).await, [], "what was read makes room");
}

/// A note about case 1 beside a message of a later version.
fn with_a_note(keys: &NodeKeys) -> Unread {
    let sealed = seal::seal(keys.sealing_key(), &[], "张三丰来访。".as_bytes()).expect("sealed");
    let body = Body::Contribution(Contribution {
        id: ContributionId::from_bytes([1; 16]),
        case: case_id(1),
        from: node(CHILD),
        sealed,
        at: ClockReading::exact(NOW),
    });
    let (kind, schema) = body.kind();
    let note = Message { body: body.encode().expect("a small one"), ..message(0, (kind, schema)) };
    let bundle = sealed_by(CHILD, 1, true, vec![note, message(1, LATER)]);
    Unread { bundle, peer: node(CHILD), returned: false, places: vec![1] }
}

/// Erases case 1.
async fn erase(write: &mut WriteStore) {
    let (id, events) = (OrderId::from_bytes([9; 16]), List::new(Vec::new()).expect("none"));
    let erase = Erase { id, case: case_id(1), by: node(ME), at: ClockReading::exact(NOW), events };
    write.put_records(&[casework::Record::Erasure(erase)]).await.expect("erased");
    write.empty_sealed().await.expect("emptied");
}

async fn what_was_erased_before_it_could_be_read_is_not_read(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    came(&mut write, &[with_a_note(&NodeKeys::generate().expect("keys"))]).await;
    erase(&mut write).await;
    let noted = page(&mut write, 0, &[LATER], 9).await;
    assert!(noted[0].bundle.is_none(), "names go although something beside them was not read yet");
    write.unread_was_read(&noted).await.expect("read");
    assert_eq!(write.unread_kinds().await.expect("kinds"), []);
}

async fn what_is_read_later_is_looked_into_for_sealed_parts(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    let unread = with_a_note(&NodeKeys::generate().expect("keys"));
    came(&mut write, std::slice::from_ref(&unread)).await;
    let noted = page(&mut write, 0, &[LATER], 9).await;
    assert!(write.unread_was_read(&noted).await.expect("read"), "the transaction must empty it if its case was erased");
}

async fn refusals_are_counted_by_node_once_and_go_after_their_time(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let foreign = |n: u8| Foreign { message: MessageId::from_bytes([n; 16]), kind: LATER.0, schema: 1 };
    let told = |bundle: u8, messages: &[u8]| NotUnderstood {
        bundle: BundleId::from_bytes([bundle; 16]),
        messages: List::new(messages.iter().map(|n| foreign(*n)).collect()).expect("few"),
    };
    let later = UnixMillis(NOW.0 + 5);
    for _ in 0..2 {
        write.put_not_understood(node(CHILD), &told(1, &[1, 2, 3]), NOW).await.expect("put");
    }
    write.put_not_understood(node(CHILD), &told(2, &[1]), later).await.expect("put");
    let refusals = |messages, at| Refusals { by: node(CHILD), messages, at };
    assert_eq!(store.not_understood().await.expect("told"), [refusals(4, later)]);
    write.prune_not_understood(later).await.expect("pruned");
    assert_eq!(store.not_understood().await.expect("told"), [refusals(1, later)]);
}
