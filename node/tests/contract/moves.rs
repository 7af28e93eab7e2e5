//! Nodes that moved: orders, ways before, bundles whose way has changed, and figures of what hangs elsewhere than its code says.

use protocol::bounded::{List, Text};
use protocol::chain::{Hash, Signature};
use protocol::directory::{Ancestor, Entry, SealingKey, SignedEntry, SigningKey};
use protocol::moving::{Move, SignedMove};
use protocol::time::UnixMillis;
use protocol::wire::bundle::Bundle;
use protocol::wire::frame::{Lane, LinkSeq};
use wuji::store::link::{KeepBundle, OutboxRow};
use wuji::store::moves::OpenBundle;
use wuji::store::trust::Route;

use crate::base::{Base, GRID, NOW, bundle, division, node};
use crate::on_both;

on_both!(
    of_the_moves_of_a_node_the_latest_counts,
    a_way_before_is_remembered_once_and_by_its_own_node,
    bundles_that_wait_for_a_receipt_are_found_with_both_ends,
    what_nobody_waits_for_on_its_way_to_a_neighbour_is_found,
    a_member_that_moved_is_expected_below_its_new_parent,
);

const ME: u8 = 1;
const MOVED: u8 = 2;
const COMMUNITY: &str = "330602001001";
const OLD: &str = "330602001000";
const NEW: &str = "330602002000";

fn order(serial: u64, to: &str) -> SignedMove {
    let parent = Ancestor { node: node(8), division: division(to) };
    let entry = Entry {
        node: node(MOVED),
        division: division(COMMUNITY),
        parent: Some(parent.node),
        signing: SigningKey([1; 32]),
        sealing: SealingKey([2; 32]),
        tls_spki_sha256: [3; 32],
        serial,
        issued: UnixMillis(0),
    };
    let order = Move {
        entry: SignedEntry { entry, signature: Signature([4; 64]) },
        from: Ancestor { node: node(7), division: division(OLD) },
        line: List::new(vec![parent]).expect("one"),
        address: Text::cut("township.example:7440"),
        by: node(9),
    };
    SignedMove { order, signature: Signature([5; 64]) }
}

async fn of_the_moves_of_a_node_the_latest_counts(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    for serial in [5, 9, 7] {
        write.put_move(&order(serial, NEW), NOW).await.expect("kept");
    }
    assert_eq!(write.moves().await.expect("read"), [order(9, NEW)]);
    assert_eq!(store.moves().await.expect("read"), [(order(9, NEW), NOW)]);
    let (other, _) = base.open(node(3)).await;
    assert!(other.moves().await.expect("read").is_empty(), "another node of the database has its own");
}

async fn a_way_before_is_remembered_once_and_by_its_own_node(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    for (member, via) in [(MOVED, MOVED), (4, MOVED), (MOVED, MOVED)] {
        write.put_former_way(node(member), node(via)).await.expect("kept");
    }
    let mut ways = write.former_ways().await.expect("read");
    ways.sort_unstable();
    assert_eq!(ways, [(node(MOVED), node(MOVED)), (node(4), node(MOVED))]);
    let (_, mut other) = base.open(node(3)).await;
    assert!(other.former_ways().await.expect("read").is_empty());
}

async fn bundles_that_wait_for_a_receipt_are_found_with_both_ends(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    let (waits, here) = (bundle(1, node(MOVED), node(9), true), bundle(2, node(9), node(ME), true));
    let (done, unanswered) = (bundle(3, node(MOVED), node(9), true), bundle(4, node(MOVED), node(9), false));
    let keep = |bundle, done| KeepBundle { bundle, via: Some(node(MOVED)), done };
    let rows = [keep(waits.clone(), false), keep(here, false), keep(done, true), keep(unanswered, true)];
    write.keep_bundles(&rows, NOW).await.expect("kept");
    let found = write.open_bundles(None, 10).await.expect("read");
    let wanted = OpenBundle { id: waits.head().id, from: node(MOVED), to: node(9) };
    assert_eq!(found, [wanted], "neither what is for this node, nor what is done");
    assert!(write.open_bundles(Some(wanted.id), 10).await.expect("read").is_empty(), "behind the last comes nothing");
}

async fn what_nobody_waits_for_on_its_way_to_a_neighbour_is_found(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    let (waits, asked, receipt) =
        (bundle(1, node(4), node(9), true), bundle(2, node(4), node(9), true), bundle(3, node(4), node(9), false));
    let keep = |bundle, done| KeepBundle { bundle, via: Some(node(4)), done };
    let kept = [keep(waits.clone(), false), keep(asked.clone(), true), keep(receipt.clone(), true)];
    write.keep_bundles(&kept, NOW).await.expect("kept");
    let row = |peer, seq, bundle: &Bundle| OutboxRow {
        peer: node(peer),
        lane: Lane::Cases,
        seq: LinkSeq(seq),
        hash: Hash::ZERO,
        bundle: bundle.head().id,
    };
    let rows = [row(9, 1, &waits), row(9, 2, &asked), row(9, 3, &receipt), row(9, 4, &receipt)];
    write.put_outbox(&rows).await.expect("kept");
    let found = write.unawaited(node(9)).await.expect("read");
    assert_eq!(found, [asked.head().id, receipt.head().id], "each once, and not what waits for its receipt");
    assert!(write.unawaited(node(4)).await.expect("read").is_empty(), "another neighbour has its own");
}

async fn a_member_that_moved_is_expected_below_its_new_parent(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    for (member, code) in [(MOVED, COMMUNITY), (4, GRID)] {
        let route = Route { member: node(member), via: node(MOVED), division: division(code) };
        write.put_route(route).await.expect("kept");
    }
    let members = async |within| store.members(division(within)).await.expect("read").len();
    assert_eq!((members(OLD).await, members(NEW).await), (2, 0));
    write.put_move(&order(5, NEW), NOW).await.expect("kept");
    assert_eq!((members(OLD).await, members(NEW).await), (0, 2));
    assert_eq!(members("330602000000").await, 2, "the county expects them all the same");
}
