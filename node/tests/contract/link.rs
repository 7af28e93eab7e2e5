//! Bundles, outboxes and receipts.

use std::collections::BTreeMap;

use protocol::chain::Hash;
use protocol::id::BundleId;
use protocol::time::UnixMillis;
use protocol::wire::bundle::Bundle;
use protocol::wire::frame::{Lane, LinkSeq};
use wuji::store::WriteStore;
use wuji::store::link::{KeepBundle, OutboxRow};
use wuji::store::parcel::Waiting;
use wuji::store::trust::Route;

use crate::base::{Base, NOW, bundle, division, node};
use crate::on_both;

on_both!(
    a_bundle_is_kept_once_and_comes_back_byte_for_byte,
    an_outbox_is_read_in_the_order_of_its_numbers_from_any_of_them,
    a_page_ends_at_its_size_but_holds_one_frame,
    what_is_acknowledged_goes_and_the_last_number_stays,
    an_outbox_row_that_is_put_again_holds_the_new_bundle,
    a_receipt_that_passed_before_its_bundle_is_remembered,
    a_receipt_ahead_counts_only_from_the_destination,
    receipts_ahead_go_after_their_time,
    pruning_takes_what_was_receipted_long_ago_and_lies_in_no_outbox,
    the_inventory_of_a_side_holds_what_crosses_its_border_in_order,
    many_ids_are_asked_for_at_once,
    a_parcel_takes_what_waits_and_is_not_at_its_destination_yet,
);

const ME: u8 = 1;
const CHILD: u8 = 2;
const GRANDCHILD: u8 = 3;
const PARENT: u8 = 9;

fn kept(bundle: &Bundle) -> KeepBundle {
    KeepBundle { bundle: bundle.clone(), via: None, done: false }
}

async fn keep(write: &mut WriteStore, bundles: &[Bundle], at: UnixMillis) {
    let rows: Vec<_> = bundles.iter().map(kept).collect();
    write.keep_bundles(&rows, at).await.expect("kept");
}

fn out(seq: u64, bundle: &Bundle) -> OutboxRow {
    OutboxRow {
        peer: node(CHILD),
        lane: Lane::Cases,
        seq: LinkSeq(seq),
        hash: Hash::of(&seq.to_be_bytes()),
        bundle: bundle.head().id,
    }
}

fn ids(bundles: &[Bundle]) -> Vec<BundleId> {
    bundles.iter().map(|b| b.head().id).collect()
}

fn many(count: u16) -> Vec<Bundle> {
    (0..count).map(|n| bundle(n, node(ME), node(CHILD), true)).collect()
}

async fn a_bundle_is_kept_once_and_comes_back_byte_for_byte(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    let bundle = bundle(1, node(ME), node(CHILD), true);
    keep(&mut write, std::slice::from_ref(&bundle), NOW).await;
    let again = KeepBundle { bundle: bundle.clone(), via: Some(node(CHILD)), done: true };
    write.keep_bundles(&[again], NOW).await.expect("nothing new");
    let id = bundle.head().id;
    assert_eq!(write.known_bundles(&[id]).await.expect("known"), BTreeMap::from([(id, true)]), "it stays as it was");
    let found = write.bundles(&[id]).await.expect("found");
    assert_eq!(found.iter().map(Bundle::bytes).collect::<Vec<_>>(), [bundle.bytes()]);
}

async fn an_outbox_is_read_in_the_order_of_its_numbers_from_any_of_them(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    let bundles = many(333);
    keep(&mut write, &bundles, NOW).await;
    let mut rows: Vec<_> = bundles.iter().zip(1..).map(|(b, seq)| out(seq, b)).collect();
    rows.reverse();
    write.put_outbox(&rows).await.expect("put");
    let mut seen = Vec::new();
    loop {
        let after = seen.last().copied().unwrap_or(0);
        let page = write.outbox_page(node(CHILD), Lane::Cases, LinkSeq(after), 50, usize::MAX).await.expect("a page");
        if page.is_empty() {
            break;
        }
        for (seq, hash, origin, bytes) in page {
            assert_eq!((hash, origin), (Hash::of(&seq.0.to_be_bytes()), node(ME)));
            let index = usize::try_from(seq.0).expect("few") - 1;
            assert_eq!(&bytes, bundles[index].bytes());
            seen.push(seq.0);
        }
    }
    assert_eq!(seen, (1..=333).collect::<Vec<_>>());
    let other = write.outbox_page(node(CHILD), Lane::Bulk, LinkSeq(0), 50, usize::MAX).await.expect("a page");
    assert!(other.is_empty(), "a lane has its own numbers");
}

async fn a_page_ends_at_its_size_but_holds_one_frame(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    let bundles = many(4);
    keep(&mut write, &bundles, NOW).await;
    let rows: Vec<_> = bundles.iter().zip(1..).map(|(b, seq)| out(seq, b)).collect();
    write.put_outbox(&rows).await.expect("put");
    let size = bundles[0].bytes().len();
    for (bytes, frames) in [(1, 1), (size, 1), (2 * size, 2), (2 * size + 1, 2), (4 * size, 4)] {
        let page = write.outbox_page(node(CHILD), Lane::Cases, LinkSeq(0), 50, bytes).await.expect("a page");
        assert_eq!(page.len(), frames, "{bytes} bytes");
    }
}

async fn what_is_acknowledged_goes_and_the_last_number_stays(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    let bundles = many(5);
    keep(&mut write, &bundles, NOW).await;
    let rows: Vec<_> = bundles.iter().zip(1..).map(|(b, seq)| out(seq, b)).collect();
    write.put_outbox(&rows).await.expect("put");
    write.drop_acknowledged(node(CHILD), Lane::Cases, LinkSeq(3)).await.expect("dropped");
    let mut there = Vec::new();
    for seq in 1..=5 {
        if write.outbox_hash(node(CHILD), Lane::Cases, LinkSeq(seq)).await.expect("looked").is_some() {
            there.push(seq);
        }
    }
    assert_eq!(there, [3, 4, 5]);
    write.drop_outbox(node(CHILD)).await.expect("dropped");
    assert_eq!(write.outbox_hash(node(CHILD), Lane::Cases, LinkSeq(5)).await.expect("looked"), None);
}

async fn an_outbox_row_that_is_put_again_holds_the_new_bundle(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    let bundles = many(2);
    keep(&mut write, &bundles, NOW).await;
    write.put_outbox(&[out(1, &bundles[0])]).await.expect("put");
    write.put_outbox(&[out(1, &bundles[1])]).await.expect("put again");
    let page = write.outbox_page(node(CHILD), Lane::Cases, LinkSeq(0), 9, usize::MAX).await.expect("a page");
    assert_eq!(page.iter().map(|(.., bytes)| bytes).collect::<Vec<_>>(), [bundles[1].bytes()]);
}

async fn a_receipt_that_passed_before_its_bundle_is_remembered(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let bundles = many(2);
    write.mark_receipted(node(CHILD), &ids(&bundles[..1]), NOW).await.expect("marked");
    keep(&mut write, &bundles, NOW).await;
    let known = write.known_bundles(&ids(&bundles)).await.expect("known");
    assert_eq!(known.into_values().collect::<Vec<_>>(), [false, true], "the first lacks its receipt no more");
    assert_eq!(store.waiting().await.expect("counted").unreceipted, 1);
}

async fn a_receipt_ahead_counts_only_from_the_destination(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    let bundles = many(1);
    write.mark_receipted(node(GRANDCHILD), &ids(&bundles), NOW).await.expect("marked");
    keep(&mut write, &bundles, NOW).await;
    assert_eq!(write.known_bundles(&ids(&bundles)).await.expect("known").into_values().collect::<Vec<_>>(), [true]);
}

async fn receipts_ahead_go_after_their_time(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    let bundles = many(2);
    write.mark_receipted(node(CHILD), &ids(&bundles[..1]), NOW).await.expect("marked");
    write.mark_receipted(node(CHILD), &ids(&bundles[1..]), UnixMillis(NOW.0 + 10)).await.expect("marked");
    write.prune_receipts_ahead(UnixMillis(NOW.0 + 10)).await.expect("pruned");
    keep(&mut write, &bundles, NOW).await;
    let known = write.known_bundles(&ids(&bundles)).await.expect("known");
    assert_eq!(known.into_values().collect::<Vec<_>>(), [true, false], "the older receipt is forgotten");
}

async fn pruning_takes_what_was_receipted_long_ago_and_lies_in_no_outbox(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    let bundles = many(4);
    keep(&mut write, &bundles, NOW).await;
    write.put_outbox(&[out(1, &bundles[0])]).await.expect("put");
    write.mark_receipted(node(CHILD), &ids(&bundles[..2]), NOW).await.expect("marked");
    write.mark_receipted(node(CHILD), &ids(&bundles[2..3]), UnixMillis(NOW.0 + 5)).await.expect("marked");
    assert_eq!(write.prune_bundles(UnixMillis(NOW.0 + 5)).await.expect("pruned"), 1);
    let left = write.known_bundles(&ids(&bundles)).await.expect("known");
    let expected = [0, 2, 3].map(|n: usize| bundles[n].head().id);
    assert_eq!(left.into_keys().collect::<Vec<_>>(), expected, "in an outbox, too young, without a receipt");
}

async fn the_inventory_of_a_side_holds_what_crosses_its_border_in_order(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    for member in [CHILD, GRANDCHILD] {
        let route = Route { member: node(member), via: node(CHILD), division: division("330602000000") };
        write.put_route(route).await.expect("a route");
    }
    let ends = [(ME, CHILD), (GRANDCHILD, CHILD), (GRANDCHILD, PARENT), (PARENT, ME), (ME, PARENT), (PARENT, CHILD)];
    // The later in this list, the lower the id.
    let bundles: Vec<_> =
        ends.into_iter().zip((0..6).rev()).map(|((from, to), id)| bundle(id, node(from), node(to), true)).collect();
    keep(&mut write, &bundles, NOW).await;
    for (peer, parent, crossing) in [(CHILD, false, vec![5, 2, 0]), (PARENT, true, vec![5, 4, 3, 2])] {
        let expected: Vec<_> = crossing.into_iter().map(|n: usize| bundles[n].head().id).collect();
        let mut found = Vec::new();
        loop {
            let page = write.inventory(node(peer), parent, found.last().copied(), 2).await.expect("a page");
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, expected, "the side of {peer}");
    }
}

async fn many_ids_are_asked_for_at_once(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    let bundles = many(700);
    keep(&mut write, &bundles[..600], NOW).await;
    assert_eq!(write.unseen(&ids(&bundles)).await.expect("looked"), ids(&bundles[600..]));
    assert_eq!(write.bundles(&ids(&bundles)).await.expect("found").len(), 600);
    write.mark_receipted(node(CHILD), &ids(&bundles), NOW).await.expect("marked");
    let lacking =
        write.known_bundles(&ids(&bundles)).await.expect("known").into_values().filter(|lacks| *lacks).count();
    assert_eq!(lacking, 0);
}

async fn a_parcel_takes_what_waits_and_is_not_at_its_destination_yet(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let (first, done, receipt) = (
        bundle(1, node(ME), node(CHILD), true),
        bundle(2, node(ME), node(CHILD), true),
        bundle(3, node(ME), node(CHILD), false),
    );
    let further = bundle(4, node(PARENT), node(GRANDCHILD), true);
    let all = [first.clone(), done.clone(), receipt.clone(), further.clone()];
    keep(&mut write, &all, NOW).await;
    let rows: Vec<_> = all.iter().zip(1..).map(|(b, seq)| out(seq, b)).collect();
    write.put_outbox(&rows).await.expect("put");
    write.mark_receipted(node(CHILD), &ids(&[done, receipt.clone()]), NOW).await.expect("marked");
    let there =
        |after, upto| Waiting { peer: node(CHILD), lane: Lane::Cases, after: LinkSeq(after), upto: LinkSeq(upto) };
    let taken = |page: Vec<(LinkSeq, Vec<u8>)>| page.into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
    let bytes = |bundles: &[&Bundle]| bundles.iter().map(|b| b.bytes().to_vec()).collect::<Vec<_>>();
    let page = store.waiting_bundles(&there(0, 4), None).await.expect("a page");
    assert_eq!(taken(page), bytes(&[&first, &receipt, &further]), "in the order of the lane");
    let page = store.waiting_bundles(&there(1, 3), None).await.expect("a page");
    assert_eq!(taken(page), bytes(&[&receipt]), "between the numbers that wait");
    let page = store.waiting_bundles(&there(0, 4), Some(node(GRANDCHILD))).await.expect("a page");
    assert_eq!(taken(page), bytes(&[&further]), "for one destination");
    let origins = store.waiting_origins(&there(0, 4), None).await.expect("origins");
    assert_eq!(origins, BTreeMap::from([(node(ME), 2), (node(PARENT), 1)]));
}
