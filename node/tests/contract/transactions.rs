//! All or nothing.

use wuji::store::Place;

use crate::base::{Base, NOW, case_id, file, node, reported};
use crate::on_both;

on_both!(
    a_rollback_leaves_nothing,
    a_dropped_transaction_leaves_nothing_and_blocks_nobody,
    nobody_sees_a_transaction_before_its_commit,
    a_rollback_without_a_transaction_is_nothing,
    what_was_committed_is_there_for_a_later_process,
);

async fn a_rollback_leaves_nothing(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let (_, records) = reported(node(1), case_id(1), 20, NOW);
    write.begin().await.expect("begun");
    write.put_records(&records).await.expect("put");
    write.rollback().await.expect("given up");
    assert_eq!(store.volume().await.expect("counted"), (0, 0, 0));
    file(&mut write, node(1), case_id(1), 20, NOW).await;
    assert_eq!(store.volume().await.expect("counted").0, 1, "the next one goes through");
}

async fn a_dropped_transaction_leaves_nothing_and_blocks_nobody(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let (_, records) = reported(node(1), case_id(1), 20, NOW);
    write.begin().await.expect("begun");
    write.put_records(&records).await.expect("put");
    drop(write);
    assert_eq!(store.volume().await.expect("counted"), (0, 0, 0));
    let (_, mut next) = base.open(node(1)).await;
    file(&mut next, node(1), case_id(2), 20, NOW).await;
    assert_eq!(store.volume().await.expect("counted").0, 1);
}

async fn nobody_sees_a_transaction_before_its_commit(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    write.begin().await.expect("begun");
    write.set_meta("a", "b").await.expect("set");
    assert_eq!(write.meta("a").await.expect("read").as_deref(), Some("b"));
    assert_eq!(store.meta("a").await.expect("read"), None);
    write.commit().await.expect("committed");
    assert_eq!(store.meta("a").await.expect("read").as_deref(), Some("b"));
}

async fn a_rollback_without_a_transaction_is_nothing(base: Base) {
    let (_, mut write) = base.open(node(1)).await;
    write.rollback().await.expect("nothing to do");
    write.set_meta("a", "b").await.expect("set");
}

async fn what_was_committed_is_there_for_a_later_process(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let records = file(&mut write, node(1), case_id(1), 20, NOW).await;
    write.release().await.expect("given back");
    drop((store, write));
    let (store, mut write) = base.open(node(1)).await;
    assert_eq!(store.records(case_id(1)).await.expect("read").len(), records.len());
    file(&mut write, node(1), case_id(2), 20, NOW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_failed_on_a_server_is_not_committed() {
    let base = Base::server();
    assert!(matches!(base.place, Place::Server(_)));
    let (store, mut write) = base.open(node(1)).await;
    write.begin().await.expect("begun");
    write.set_meta("a", "b").await.expect("set");
    write.set_meta("a", "no text holds \0").await.expect_err("a statement that fails");
    write.commit().await.expect_err("nothing to commit");
    write.rollback().await.expect("given up");
    assert_eq!(store.meta("a").await.expect("read"), None);
}
