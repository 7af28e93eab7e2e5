//! What is kept aside, and its bound.

use protocol::wire::bundle::Bundle;
use wuji::store::quarantine::{Account, KEPT_MAX};

use crate::base::{Base, NOW, bundle, node};
use crate::on_both;

on_both!(
    what_is_kept_aside_is_counted_once,
    a_neighbour_at_its_bound_is_only_counted_and_others_are_kept,
    what_was_let_go_of_makes_room_for_that_neighbour_alone,
);

const ME: u8 = 1;
const CHILD: u8 = 2;
const OTHER: u8 = 3;
const WHY: &str = "unknown-case";

fn many(from: u8, count: u16) -> Vec<Bundle> {
    (0..count).map(|n| bundle(u16::from(from) << 12 | n, node(from), node(ME), true)).collect()
}

fn because(bundles: &[Bundle]) -> Vec<(&Bundle, &str)> {
    bundles.iter().map(|bundle| (bundle, WHY)).collect()
}

fn bytes(bundles: &[Bundle]) -> i64 {
    bundles.iter().map(|bundle| i64::try_from(bundle.bytes().len()).expect("small")).sum()
}

async fn what_is_kept_aside_is_counted_once(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let one = many(CHILD, 1);
    for _ in 0..2 {
        write.put_quarantine(node(CHILD), &because(&one), NOW).await.expect("kept aside");
    }
    assert_eq!(store.waiting().await.expect("counted").quarantined, 1);
    let account = Account { kept: 1, kept_bytes: bytes(&one), ..Account::default() };
    assert_eq!(store.quarantine().await.expect("counted"), [(node(CHILD), account)]);
}

async fn a_neighbour_at_its_bound_is_only_counted_and_others_are_kept(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let most = u16::try_from(KEPT_MAX).expect("some");
    let all = many(CHILD, most + 7);
    let (first, late) = all.split_at(usize::from(most));
    write.begin().await.expect("begun");
    write.put_quarantine(node(CHILD), &because(first), NOW).await.expect("kept aside");
    let account = write.put_quarantine(node(CHILD), &because(late), NOW).await.expect("counted");
    write.put_quarantine(node(OTHER), &because(&many(OTHER, 1)), NOW).await.expect("kept aside");
    write.commit().await.expect("committed");
    assert_eq!((account.kept, account.kept_bytes), (KEPT_MAX, bytes(first)), "the first are here");
    assert_eq!((account.refused, account.refused_bytes), (7, bytes(late)));
    assert_eq!(store.waiting().await.expect("counted").quarantined, KEPT_MAX + 1);
    let told: Vec<_> = store.quarantine().await.expect("told").into_iter().map(|(peer, a)| (peer, a.kept)).collect();
    assert_eq!(told, [(node(CHILD), KEPT_MAX), (node(OTHER), 1)]);
}

async fn what_was_let_go_of_makes_room_for_that_neighbour_alone(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    for from in [CHILD, OTHER] {
        write.put_quarantine(node(from), &because(&many(from, 3)), NOW).await.expect("kept aside");
    }
    write.clear_quarantine(node(CHILD)).await.expect("cleared");
    let left = store.quarantine().await.expect("told");
    assert_eq!(left.iter().map(|(peer, account)| (*peer, account.kept)).collect::<Vec<_>>(), [(node(OTHER), 3)]);
    assert_eq!(store.waiting().await.expect("counted").quarantined, 3);
}
