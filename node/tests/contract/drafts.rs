//! Drafts: each is its author's alone, sealed, bounded, and gone when it is sent or forgotten.

use protocol::id::CaseId;
use protocol::time::UnixMillis;
use wuji::store::drafts::DraftChange;
use wuji::store::{Store, WriteStore};

use crate::base::{Base, NOW, case_id, node};
use crate::on_both;

on_both!(
    a_draft_is_its_authors_and_its_nodes_alone_and_the_latest_comes_first,
    one_draft_too_many_is_not_kept_and_those_that_are_there_still_change,
    a_draft_that_nobody_changes_goes,
);

const ME: u8 = 1;

fn put(name: &str, id: CaseId, words: &str, of_user: u32) -> DraftChange {
    DraftChange::Put { name: name.to_owned(), id, content: words.as_bytes().to_vec(), of_user }
}

async fn change(write: &mut WriteStore, change: DraftChange, at: i64) {
    write.begin().await.expect("begun");
    write.change_draft(&change, UnixMillis(NOW.0 + at)).await.expect("changed");
    write.commit().await.expect("stored");
}

async fn of(store: &Store, name: &str) -> Vec<String> {
    let drafts = store.drafts(name).await.expect("drafts");
    drafts.into_iter().map(|draft| String::from_utf8(draft.content).expect("text")).collect()
}

async fn a_draft_is_its_authors_and_its_nodes_alone_and_the_latest_comes_first(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let (other_store, mut other) = base.open(node(2)).await;
    change(&mut write, put("wang", case_id(1), "一", 9), 0).await;
    change(&mut write, put("wang", case_id(2), "二", 9), 1).await;
    change(&mut write, put("li", case_id(1), "李的", 9), 2).await;
    change(&mut other, put("wang", case_id(1), "别处", 9), 3).await;
    change(&mut write, put("wang", case_id(1), "一改", 9), 4).await;
    assert_eq!(of(&store, "wang").await, ["一改", "二"]);
    assert_eq!((of(&store, "li").await, of(&other_store, "wang").await), (vec!["李的".into()], vec!["别处".into()]));
    change(&mut write, DraftChange::Drop { name: "wang".to_owned(), id: case_id(1) }, 5).await;
    assert_eq!((of(&store, "wang").await, of(&store, "li").await), (vec!["二".into()], vec!["李的".into()]));
    assert_eq!(store.draft("wang", case_id(1)).await.expect("looked"), None);
}

async fn one_draft_too_many_is_not_kept_and_those_that_are_there_still_change(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    for n in 1..=3 {
        change(&mut write, put("wang", case_id(n), "旧", 2), i64::from(n)).await;
    }
    assert_eq!(of(&store, "wang").await.len(), 2);
    change(&mut write, put("wang", case_id(1), "新", 2), 9).await;
    assert_eq!(of(&store, "wang").await, ["新", "旧"]);
}

async fn a_draft_that_nobody_changes_goes(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    change(&mut write, put("wang", case_id(1), "旧", 9), 0).await;
    change(&mut write, put("wang", case_id(2), "新", 9), 10).await;
    write.begin().await.expect("begun");
    write.prune_drafts(UnixMillis(NOW.0 + 5)).await.expect("pruned");
    write.commit().await.expect("stored");
    assert_eq!(of(&store, "wang").await, ["新"]);
}
