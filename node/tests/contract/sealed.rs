//! Bundles with sealed private parts lose their bytes when the case is erased.

use federation::trust::NodeKeys;
use federation::trust::seal;
use protocol::bounded::List;
use protocol::chain::Signature;
use protocol::erase::Erase;
use protocol::id::{BundleId, ContributionId, EventId, MessageId, NodeId, OrderId};
use protocol::order::Contribution;
use protocol::sealed::Sealed;
use protocol::time::ClockReading;
use protocol::wire::bundle::{Bundle, BundleHead, Message, Urgency};
use protocol::wire::frame::{Lane, LinkSeq};
use protocol::wire::kind::Body;
use wuji::store::link::{KeepBundle, OutboxRow};
use wuji::store::trust::Route;
use wuji::store::{Place, WriteStore};

use crate::base::{Base, NOW, case_id, division, node};
use crate::on_both;

on_both!(
    no_stored_bundle_of_an_erased_case_can_be_opened,
    a_sealed_bundle_keeps_its_bytes_until_its_receipt,
    a_sealed_bundle_keeps_its_bytes_while_it_may_be_sent,
    what_only_passes_through_is_left_to_its_ends,
    a_day_that_has_passed_empties_what_this_node_could_open,
);

const ME: u8 = 1;
const OTHER: u8 = 2;
const THIRD: u8 = 3;

/// More than one page of the database.
fn words() -> String {
    "张三丰来访。".repeat(1_000)
}

/// A note about case 1, sealed to some keys, in a bundle.
fn note(id: u8, from: NodeId, to: NodeId, keys: &NodeKeys) -> (Bundle, Sealed) {
    let sealed = seal::seal(keys.sealing_key(), &[], words().as_bytes()).expect("sealed");
    let body = Body::Contribution(Contribution {
        id: ContributionId::from_bytes([id; 16]),
        case: case_id(1),
        from,
        sealed: sealed.clone(),
        at: ClockReading::exact(NOW),
    });
    let head = BundleHead {
        id: BundleId::from_bytes([id; 16]),
        origin: from,
        key: protocol::directory::KeyId([1; 8]),
        to,
        urgency: Urgency::Routine,
        receipted: true,
    };
    let (kind, schema) = body.kind();
    let message =
        Message { id: MessageId::from_bytes([id; 16]), kind, schema, body: body.encode().expect("a small one") };
    (Bundle::seal(head, vec![message], |_| Signature([7; 64])).expect("a bundle"), sealed)
}

async fn keep(write: &mut WriteStore, bundle: &Bundle, done: bool) {
    let keep = KeepBundle { bundle: bundle.clone(), via: None, done };
    write.keep_bundles(&[keep], NOW).await.expect("kept");
}

/// Erases case 1 as a transaction of the writer does.
async fn erase(write: &mut WriteStore) {
    let events = List::new(Vec::new()).expect("none");
    let id = OrderId::from_bytes([9; 16]);
    let erase = Erase { id, case: case_id(1), by: node(ME), at: ClockReading::exact(NOW), events };
    write.put_records(&[casework::Record::Erasure(erase)]).await.expect("erased");
    write.empty_sealed().await.expect("emptied");
}

async fn held(write: &mut WriteStore, bundle: &Bundle) -> bool {
    !write.bundles(&[bundle.head().id]).await.expect("read").is_empty()
}

async fn no_stored_bundle_of_an_erased_case_can_be_opened(base: Base) {
    let keys = NodeKeys::generate().expect("keys");
    let (store, mut write) = base.open(node(ME)).await;
    write
        .put_route(Route { member: node(OTHER), via: node(OTHER), division: division("330602000000") })
        .await
        .expect("a route");
    let (received, inside) = note(1, node(OTHER), node(ME), &keys);
    assert_eq!(seal::open(&keys, &[], &inside).expect("opens"), words().as_bytes(), "the key would open it");
    let (aside, beside) = note(2, node(OTHER), node(ME), &keys);
    keep(&mut write, &received, true).await;
    write.put_quarantine(node(OTHER), &[(&aside, "unknown-case")], NOW).await.expect("kept aside");
    assert!(held(&mut write, &received).await);
    erase(&mut write).await;
    assert!(!held(&mut write, &received).await);
    let id = received.head().id;
    assert_eq!(write.unseen(&[id]).await.expect("looked"), [], "a neighbour that has it is not asked for it");
    assert_eq!(write.inventory(node(OTHER), false, None, 9).await.expect("a page"), [], "nor is it offered");
    assert_eq!(store.waiting().await.expect("counted").quarantined, 1, "that something was refused is still told");
    if let Place::File(path) = &base.place {
        let pool = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(path)).await;
        let fold = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
        fold.fetch_one(&pool.expect("opened")).await.expect("the log is in the file");
        let bytes = std::fs::read(path).expect("the file");
        let found = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(found(node(OTHER).as_bytes()), "the rows are in the file");
        for sealed in [inside, beside] {
            let pages = sealed.ciphertext.chunks_exact(32);
            assert!(!pages.into_iter().step_by(40).any(found), "nor does a free page hold the cipher text");
        }
    }
}

async fn a_sealed_bundle_keeps_its_bytes_until_its_receipt(base: Base) {
    let keys = NodeKeys::generate().expect("keys");
    let (_, mut write) = base.open(node(ME)).await;
    let (sent, _) = note(1, node(ME), node(OTHER), &keys);
    keep(&mut write, &sent, false).await;
    erase(&mut write).await;
    assert!(held(&mut write, &sent).await, "it has to arrive");
    write.mark_receipted(node(OTHER), &[sent.head().id], NOW).await.expect("marked");
    write.prune_sealed().await.expect("pruned");
    assert_eq!(write.empty_sealed().await.expect("emptied"), 1);
    assert!(!held(&mut write, &sent).await);
}

async fn a_sealed_bundle_keeps_its_bytes_while_it_may_be_sent(base: Base) {
    let keys = NodeKeys::generate().expect("keys");
    let (_, mut write) = base.open(node(ME)).await;
    let bundles = [1, 2].map(|id| note(id, node(ME), node(OTHER), &keys).0);
    for (bundle, seq) in bundles.iter().zip(1..) {
        keep(&mut write, bundle, true).await;
        let row = OutboxRow {
            peer: node(OTHER),
            lane: Lane::Cases,
            seq: LinkSeq(seq),
            hash: protocol::chain::Hash::ZERO,
            bundle: bundle.head().id,
        };
        write.put_outbox(&[row]).await.expect("put");
    }
    erase(&mut write).await;
    assert!(!held(&mut write, &bundles[0]).await, "the first of its lane has left");
    assert!(held(&mut write, &bundles[1]).await);
    write.drop_acknowledged(node(OTHER), Lane::Cases, LinkSeq(2)).await.expect("acknowledged");
    write.empty_sealed().await.expect("emptied");
    assert!(!held(&mut write, &bundles[1]).await);
}

async fn what_only_passes_through_is_left_to_its_ends(base: Base) {
    let keys = NodeKeys::generate().expect("keys");
    let (_, mut write) = base.open(node(ME)).await;
    let (passing, _) = note(1, node(OTHER), node(THIRD), &keys);
    keep(&mut write, &passing, true).await;
    erase(&mut write).await;
    assert!(held(&mut write, &passing).await, "this node cannot open it, and a restored neighbour may need it");
}

async fn a_day_that_has_passed_empties_what_this_node_could_open(base: Base) {
    let keys = NodeKeys::generate().expect("keys");
    let (_, mut write) = base.open(node(ME)).await;
    let (received, _) = note(1, node(OTHER), node(ME), &keys);
    let (sent, _) = note(2, node(ME), node(OTHER), &keys);
    keep(&mut write, &received, true).await;
    keep(&mut write, &sent, true).await;
    let lapse = |events| casework::Lapse { case: case_id(1), at: ClockReading::exact(NOW), events };
    let put = |lapse| [casework::Record::Lapse(lapse)];
    write.put_records(&put(lapse([EventId::from_bytes([3; 16])].into()))).await.expect("gone");
    assert_eq!(write.empty_sealed().await.expect("emptied"), 1);
    assert!(!held(&mut write, &received).await);
    assert!(held(&mut write, &sent).await, "its receiver may be restored and need it");
    write.put_records(&put(lapse(std::collections::BTreeSet::new()))).await.expect("given again");
    let (again, _) = note(3, node(OTHER), node(ME), &keys);
    keep(&mut write, &again, true).await;
    assert_eq!(write.empty_sealed().await.expect("emptied"), 0, "what was given again is held");
}
