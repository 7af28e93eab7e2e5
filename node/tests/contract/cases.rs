//! Headers, private parts, papers, facts, and the lists of cases.

use std::collections::BTreeSet;

use casework::{Known, Record};
use protocol::id::CaseId;
use protocol::time::UnixMillis;
use wuji::store::lists::{After, CaseFilter, CaseRow};
use wuji::store::{Store, WriteStore};

use crate::base::{Base, NOW, case_id, file, node, put, reported};
use crate::on_both;

on_both!(
    the_records_of_a_case_come_back_as_they_were_put,
    records_that_are_put_twice_are_there_once,
    more_rows_than_one_statement_takes_are_all_there,
    an_older_fact_never_replaces_a_newer,
    a_list_is_ordered_by_level_then_change_then_case,
    a_list_is_read_page_by_page_without_gap_or_double,
    a_filter_keeps_what_it_says,
    a_case_is_held_when_anything_of_it_is,
    the_count_of_the_owners_equals_that_of_the_facts,
);

const ME: u8 = 1;

/// Records as a set, however they are ordered.
fn set(records: &[Record]) -> BTreeSet<String> {
    records.iter().map(|record| format!("{record:?}")).collect()
}

fn fact_of(records: &[Record]) -> &protocol::fact::CaseFact {
    let fact = records.iter().find_map(|record| if let Record::Fact(fact) = record { Some(fact) } else { None });
    fact.expect("a fact")
}

async fn the_records_of_a_case_come_back_as_they_were_put(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let records = file(&mut write, node(ME), case_id(1), 20, NOW).await;
    file(&mut write, node(ME), case_id(2), 5, NOW).await;
    let found = store.records(case_id(1)).await.expect("read");
    assert_eq!(set(&found), set(&records));
    assert_eq!(set(&write.records(case_id(1)).await.expect("read")), set(&records));
    let known = Known::assemble(case_id(1), found);
    let title = known.case().and_then(|case| case.report.as_ref()).map(|report| report.title.to_string());
    assert_eq!(title.as_deref(), Some("通道之争"));
}

async fn records_that_are_put_twice_are_there_once(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let records = file(&mut write, node(ME), case_id(1), 20, NOW).await;
    let before = store.volume().await.expect("counted");
    let mut twice = records.clone();
    twice.extend(records.clone());
    put(&mut write, &twice).await;
    assert_eq!(store.volume().await.expect("counted"), before);
    assert_eq!(store.doubled().await.expect("counted"), 0);
    assert_eq!(set(&store.records(case_id(1)).await.expect("read")), set(&records));
}

async fn more_rows_than_one_statement_takes_are_all_there(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let all: Vec<Record> = (0..=180).flat_map(|n| reported(node(ME), case_id(n), 5, NOW).1).collect();
    write.begin().await.expect("begun");
    put(&mut write, &all).await;
    write.commit().await.expect("committed");
    let mut found = Vec::new();
    for n in 0..=180 {
        found.extend(store.records(case_id(n)).await.expect("read"));
    }
    assert_eq!(set(&found), set(&all));
}

async fn an_older_fact_never_replaces_a_newer(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let records = file(&mut write, node(ME), case_id(1), 20, NOW).await;
    let fact = fact_of(&records).clone();
    for (moves, version, people, stands) in [
        (0, fact.version + 3, 30, 30),
        (0, fact.version + 2, 31, 30),
        (1, fact.version, 32, 32),
        (0, fact.version + 9, 33, 32),
        (1, fact.version, 34, 34),
    ] {
        let mut other = fact.clone();
        (other.epoch.moves, other.version, other.head_count) = (moves, version, people);
        put(&mut write, &[Record::Fact(other)]).await;
        let found = store.records(case_id(1)).await.expect("read");
        assert_eq!(fact_of(&found).head_count, stands, "after move {moves}, version {version}");
    }
}

/// Cases of three levels, some of them changed at one moment.
async fn filled(base: &Base) -> (Store, WriteStore) {
    let (store, mut write) = base.open(node(ME)).await;
    for n in 1..=40_u8 {
        let people = [20, 5, 2][usize::from(n % 3)];
        file(&mut write, node(ME), case_id(n), people, UnixMillis(NOW.0 + i64::from(n / 8))).await;
    }
    (store, write)
}

fn place(row: &CaseRow) -> (std::cmp::Reverse<u8>, std::cmp::Reverse<i64>, CaseId) {
    (std::cmp::Reverse(row.level), std::cmp::Reverse(row.changed_at), row.case)
}

async fn a_list_is_ordered_by_level_then_change_then_case(base: Base) {
    let (store, _write) = filled(&base).await;
    let list = store.case_list(&CaseFilter::default(), None, 1_000).await.expect("a list");
    assert_eq!(list.len(), 40);
    assert!(list.is_sorted_by_key(place));
    assert_eq!(list.iter().map(|row| row.level).collect::<BTreeSet<_>>().len(), 3);
    assert!(list.iter().all(|row| row.mine && row.step == "reported" && !row.void));
    assert_eq!(
        store.case_row(case_id(7)).await.expect("read").as_ref(),
        list.iter().find(|row| row.case == case_id(7))
    );
}

async fn a_list_is_read_page_by_page_without_gap_or_double(base: Base) {
    let (store, _write) = filled(&base).await;
    let whole = store.case_list(&CaseFilter::default(), None, 1_000).await.expect("a list");
    for size in [1, 7, 39, 40] {
        let mut pages: Vec<CaseRow> = Vec::new();
        loop {
            let after = pages.last().map(|row| After { level: row.level, changed_at: row.changed_at, case: row.case });
            let page = store.case_list(&CaseFilter::default(), after, size).await.expect("a page");
            if page.is_empty() {
                break;
            }
            pages.extend(page);
        }
        assert_eq!(pages, whole, "pages of {size}");
    }
}

async fn a_filter_keeps_what_it_says(base: Base) {
    let (store, _write) = filled(&base).await;
    let count = async |filter: CaseFilter| store.case_list(&filter, None, 1_000).await.expect("a list").len();
    assert_eq!(count(CaseFilter { mine: Some(false), ..CaseFilter::default() }).await, 0);
    assert_eq!(count(CaseFilter { mine: Some(true), ..CaseFilter::default() }).await, 40);
    assert_eq!(count(CaseFilter { level: Some(3), ..CaseFilter::default() }).await, 13);
    assert_eq!(count(CaseFilter { escalated: true, ..CaseFilter::default() }).await, 27);
    assert_eq!(count(CaseFilter { step: Some("archived".into()), archived: true, ..CaseFilter::default() }).await, 0);
    assert_eq!(count(CaseFilter { step: Some("reported".into()), void: true, ..CaseFilter::default() }).await, 40);
}

async fn a_case_is_held_when_anything_of_it_is(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let (_, records) = reported(node(ME), case_id(1), 20, NOW);
    assert!(!store.holds_case(case_id(1)).await.expect("looked"));
    put(&mut write, &records).await;
    assert!(store.holds_case(case_id(1)).await.expect("looked"), "papers without a row in the list");
    assert_eq!(store.cases_with_paper("key", 10).await.expect("read"), [case_id(1)]);
    assert_eq!(store.cases_with_open("offer", 10).await.expect("read"), []);
    assert_eq!(write.cases_with_open_offers().await.expect("read"), []);
}

async fn the_count_of_the_owners_equals_that_of_the_facts(base: Base) {
    let (store, _write) = filled(&base).await;
    let cells = store.owned_cells().await.expect("counted");
    assert_eq!(cells.values().sum::<i64>(), 40);
    assert_eq!(cells, store.fact_cells().await.expect("counted"));
    let escalated = store.owned_escalated().await.expect("read");
    let all = store.all_standings().await.expect("read");
    assert_eq!((escalated.len(), all.len()), (27, 40));
    assert!(escalated.iter().all(|(case, standing)| all.get(case) == Some(standing)));
}
