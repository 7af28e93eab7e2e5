//! What is to be done by when: the list is in order, within scopes, and holds what waits now and nothing of before.

use casework::clocks::{Clock, Of};
use casework::{Case, Scope};
use protocol::event::TermKind;
use protocol::time::Minute;
use protocol::unit::UnitCode;
use wuji::store::clocks::{ClockRows, DueFilter, DueRow};
use wuji::store::{Store, WriteStore};

use crate::base::{Base, CITY, GRID, NOW, case_id, node, reported};
use crate::on_both;

on_both!(
    what_is_due_first_comes_first_and_what_was_done_is_gone,
    a_list_keeps_to_scopes_kinds_and_hours,
    a_case_without_a_clock_is_found_once_and_one_of_another_node_never,
);

const ME: u8 = 1;
const LATER: u32 = 1_000;
const UNIT: UnitCode = UnitCode(3);

fn clock(of: Of, unit: UnitCode, due: u32) -> Clock {
    Clock { of, unit, due: Minute(due) }
}

fn rows(case: u8, place: &str, clocks: Vec<Clock>) -> ClockRows {
    ClockRows { case: case_id(case), place: place.parse().expect("a division"), level: 2, clocks }
}

async fn put(write: &mut WriteStore, all: &[ClockRows]) {
    write.begin().await.expect("begun");
    write.put_case_clocks(&all.iter().collect::<Vec<_>>()).await.expect("written");
    write.commit().await.expect("stored");
}

async fn due(store: &Store, filter: DueFilter) -> Vec<(u8, String, u16, u16)> {
    let rows = store.due(&DueFilter { count: 10, ..filter }, Minute(LATER)).await.expect("a list");
    let line = |row: DueRow| (row.case.as_bytes()[0], row.kind, row.number, row.part);
    rows.into_iter().map(line).collect()
}

fn line(case: u8, kind: &str, number: u16, part: u16) -> (u8, String, u16, u16) {
    (case, kind.to_owned(), number, part)
}

async fn what_is_due_first_comes_first_and_what_was_done_is_gone(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let instalment = |part| Of::Instalment { agreement: 1, part };
    let first = rows(1, GRID, vec![clock(instalment(1), UNIT, 5), clock(instalment(2), UNIT, 7)]);
    let second = rows(2, GRID, vec![clock(Of::Term(TermKind::File), UNIT, 6), clock(Of::Confirmation(1), UNIT, 4)]);
    put(&mut write, &[first, second]).await;
    let all = [line(1, "instalment", 1, 1), line(2, "file", 0, 0), line(1, "instalment", 1, 2)];
    assert_eq!(due(&store, DueFilter::default()).await, all, "what can be asked of a court no longer is not told");
    put(&mut write, &[rows(1, GRID, vec![clock(instalment(2), UNIT, 7)]), rows(2, GRID, Vec::new())]).await;
    assert_eq!(due(&store, DueFilter::default()).await, all[2..]);
}

async fn a_list_keeps_to_scopes_kinds_and_hours(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let here = rows(1, GRID, vec![clock(Of::Task(1), UNIT, 5), clock(Of::Task(2), UnitCode(4), 6)]);
    let elsewhere = rows(2, CITY, vec![clock(Of::Measure(5), UNIT, 7)]);
    put(&mut write, &[here, elsewhere]).await;
    let (_, mut other) = base.open(node(2)).await;
    put(&mut other, &[rows(3, GRID, vec![clock(Of::Offer, UNIT, 1)])]).await;
    let scopes = |division: Option<&str>, unit| {
        let division = division.map(|code| code.parse().expect("a division"));
        DueFilter { scopes: Some(vec![Scope { division, unit }]), ..DueFilter::default() }
    };
    assert_eq!(due(&store, scopes(Some(GRID), None)).await, [line(1, "task", 1, 0), line(1, "task", 2, 0)]);
    assert_eq!(due(&store, scopes(None, Some(UNIT))).await, [line(1, "task", 1, 0), line(2, "measure", 5, 0)]);
    assert_eq!(due(&store, DueFilter { scopes: Some(Vec::new()), ..DueFilter::default() }).await, []);
    let measures = DueFilter { kind: Some("measure".to_owned()), ..DueFilter::default() };
    assert_eq!(due(&store, measures).await, [line(2, "measure", 5, 0)]);
    let soon = DueFilter { until: Some(Minute(5)), ..DueFilter::default() };
    assert_eq!(due(&store, soon).await, [line(1, "task", 1, 0)]);
}

async fn a_case_without_a_clock_is_found_once_and_one_of_another_node_never(base: Base) {
    let (_, mut write) = base.open(node(ME)).await;
    let cases: Vec<Case> = [1, 2].map(|n| reported(node(ME), case_id(n), 1, NOW).0).to_vec();
    write.begin().await.expect("begun");
    write.put_case_files(node(ME), &cases.iter().collect::<Vec<_>>(), NOW).await.expect("written");
    write.put_case_clocks(&[&rows(1, GRID, vec![clock(Of::Task(1), UNIT, 5)])]).await.expect("written");
    write.commit().await.expect("stored");
    let none = protocol::id::CaseId::from_bytes([0; 16]);
    assert_eq!(write.clockless_after(none, 9).await.expect("a list"), [case_id(2)]);
    assert_eq!(write.clockless_after(case_id(2), 9).await.expect("a list"), []);
    assert_eq!(write.clocks_counted_by().await.expect("a note"), None);
    write.begin().await.expect("begun");
    write.drop_clocks("another table").await.expect("dropped");
    write.commit().await.expect("stored");
    assert_eq!(write.clocks_counted_by().await.expect("a note").as_deref(), Some("another table"));
    assert_eq!(write.clockless_after(none, 9).await.expect("a list").len(), 2);
}
