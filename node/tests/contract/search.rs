//! Cases are found by their words: what is stored for it, how it follows changes, and what is made anew.

use std::sync::{Arc, LazyLock};

use casework::{Case, Grant, Known, Record, Role, Scope};
use protocol::bounded::List;
use protocol::erase::Erase;
use protocol::id::{CaseId, OrderId};
use protocol::time::{ClockReading, UnixMillis};
use protocol::unit::UnitCode;
use protocol::warning::Warning;
use wuji::clock::Clock;
use wuji::finding::{Asked, By, Finder, Page, Sort, Terms, Viewer, Wanted};
use wuji::names::Table;
use wuji::store::{Store, WriteStore};

use crate::base::{Base, CITY, NOW, case_id, division, file, node, reported};
use crate::on_both;

on_both!(
    a_case_is_found_by_its_words_its_names_and_their_initials,
    who_reads_names_masked_finds_by_masked_words_alone,
    a_case_without_private_parts_is_found_by_what_is_known_of_it,
    a_case_out_of_scope_is_not_found,
    what_changes_is_found_as_it_then_is,
    what_was_erased_is_found_no_more_and_its_row_is_gone,
    cases_without_words_are_made_findable_page_by_page,
    a_table_that_lacked_words_has_them_once_they_are_made,
    pages_follow_each_other_without_gap_or_double,
    two_nodes_in_one_database_find_their_own,
    the_list_that_is_kept_sorted_and_the_one_in_memory_are_the_same,
);

const ME: u8 = 1;

static NAMES: LazyLock<Arc<Table>> = LazyLock::new(|| Arc::new(Table::shipped().expect("names")));

fn asked(q: &str, role: Role) -> Asked {
    Asked {
        wanted: Wanted { archived: true, ..Wanted::default() },
        terms: Terms::read(q).expect("a search"),
        sort: Sort::Level,
        after: None,
        count: 50,
        viewer: Viewer { grants: vec![Grant::everywhere(role)], can_be_noted: true },
        names: NAMES.clone(),
        home: division(CITY),
    }
}

async fn ask(finder: &Arc<Finder>, asked: Asked) -> Page {
    finder.ask(asked).await.expect("a page")
}

async fn found(finder: &Arc<Finder>, q: &str, role: Role) -> Vec<CaseId> {
    ask(finder, asked(q, role)).await.hits.into_iter().map(|hit| hit.case).collect()
}

fn finder(store: &Store) -> Arc<Finder> {
    Finder::new(store.clone(), Clock::default())
}

/// Reports a case and makes it findable, as the writer does.
async fn filed(write: &mut WriteStore, case: CaseId, people: u32, when: UnixMillis) -> Vec<Record> {
    let records = file(write, node(ME), case, people, when).await;
    let (case, _) = reported(node(ME), case, people, when);
    put(write, &case).await;
    records
}

async fn put(write: &mut WriteStore, case: &Case) {
    write.begin().await.expect("begun");
    write.put_search(&[case]).await.expect("put");
    write.commit().await.expect("committed");
}

async fn a_case_is_found_by_its_words_its_names_and_their_initials(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    filed(&mut write, case_id(1), 20, NOW).await;
    let finder = finder(&store);
    for (q, by) in
        [("周慧敏", By::Party), ("zhm", By::Party), ("通道之争", By::Text), ("tdzz", By::Text), ("争吵", By::Text)]
    {
        let page = ask(&finder, asked(q, Role::Clerk)).await;
        assert_eq!(page.hits.iter().map(|hit| hit.case).collect::<Vec<_>>(), [case_id(1)], "{q}");
        assert!(page.hits[0].by.contains(&by), "{q}: {:?}", page.hits[0]);
    }
    for q in ["周敏", "zcq", "漏水", "周慧敏 漏水"] {
        assert_eq!(found(&finder, q, Role::Clerk).await, [], "{q}");
    }
}

async fn who_reads_names_masked_finds_by_masked_words_alone(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    filed(&mut write, case_id(1), 20, NOW).await;
    let finder = finder(&store);
    for role in [Role::Viewer, Role::Hotline] {
        for q in ["周慧敏", "慧敏", "zhm", "慧"] {
            assert_eq!(found(&finder, q, role).await, [], "{q}");
        }
        let page = ask(&finder, asked("通道", role)).await;
        assert!(page.hits.len() == 1 && !page.hits[0].by_hidden);
    }
    let by_name = ask(&finder, asked("慧敏", Role::Clerk)).await;
    assert!(by_name.hits[0].by_hidden, "that a name was read is to be noted");
    let noted_nowhere = Viewer { grants: vec![Grant::everywhere(Role::Clerk)], can_be_noted: false };
    let page = ask(&finder, Asked { viewer: noted_nowhere, ..asked("慧敏", Role::Clerk) }).await;
    assert_eq!(page.hits, []);
}

async fn a_case_without_private_parts_is_found_by_what_is_known_of_it(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let (_, records) = reported(node(2), case_id(1), 20, NOW);
    let bare = records.into_iter().map(|record| match record {
        Record::Event { header, origin, .. } => Record::Event { header, private: None, origin },
        other => other,
    });
    let bare: Vec<Record> = bare.collect();
    let known = Known::assemble(case_id(1), bare.clone());
    let case = known.case().expect("a case");
    write.begin().await.expect("begun");
    write.put_records(&bare).await.expect("records");
    write.put_case_files(node(ME), &[case], NOW).await.expect("a row");
    write.put_search(&[case]).await.expect("put");
    write.commit().await.expect("committed");
    let finder = finder(&store);
    let summary: String = case.brief.summary.chars().take(4).collect();
    for q in ["0101", "越城", summary.as_str()] {
        assert_eq!(found(&finder, q, Role::Clerk).await, [case_id(1)], "{q}");
    }
    assert_eq!(found(&finder, "周慧敏", Role::Clerk).await, []);
    let other = Wanted { category: Some((402, 402)), mine: Some(false), ..Wanted::default() };
    assert_eq!(ask(&finder, Asked { wanted: other, ..asked("", Role::Clerk) }).await.hits.len(), 1);
}

async fn a_case_out_of_scope_is_not_found(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    filed(&mut write, case_id(1), 20, NOW).await;
    let finder = finder(&store);
    let scopes = [
        Scope { division: Some(division("330603000000")), unit: None },
        Scope { division: None, unit: Some(UnitCode(7)) },
    ];
    for scope in scopes {
        let viewer = Viewer { grants: vec![Grant { role: Role::Clerk, scope }], can_be_noted: true };
        for q in ["周慧敏", "通道", "0101", ""] {
            let page = ask(&finder, Asked { viewer: viewer.clone(), ..asked(q, Role::Clerk) }).await;
            assert_eq!(page.hits, [], "{q}");
        }
    }
    // Names masked at one place, and seen at another.
    let grants = vec![
        Grant::everywhere(Role::Viewer),
        Grant { role: Role::Clerk, scope: Scope { division: Some(division("330603000000")), unit: None } },
    ];
    let page =
        ask(&finder, Asked { viewer: Viewer { grants, can_be_noted: true }, ..asked("慧敏", Role::Clerk) }).await;
    assert_eq!(page.hits, []);
}

async fn what_changes_is_found_as_it_then_is(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    filed(&mut write, case_id(1), 20, NOW).await;
    let finder = finder(&store);
    let orange = || Asked { wanted: Wanted { level: Some(3), ..Wanted::default() }, ..asked("", Role::Clerk) };
    assert_eq!(ask(&finder, orange()).await.hits.len(), 1);
    let (mut case, _) = reported(node(ME), case_id(1), 20, NOW);
    for level in [Some(Warning::Yellow), None, Warning::from_rank(7)] {
        case.brief.grading.level = level;
        write.put_case_files(node(ME), &[&case], UnixMillis(NOW.0 + 1)).await.expect("changed");
        let rank = level.map_or(0, Warning::rank);
        let wanted = Wanted { level: Some(rank), ..Wanted::default() };
        assert_eq!(ask(&finder, Asked { wanted, ..asked("周慧敏", Role::Clerk) }).await.hits.len(), 1, "{rank}");
        assert_eq!(ask(&finder, orange()).await.hits.len(), 0, "{rank}");
    }
}

async fn what_was_erased_is_found_no_more_and_its_row_is_gone(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    let records = filed(&mut write, case_id(1), 20, NOW).await;
    let finder = finder(&store);
    assert_eq!(found(&finder, "周慧敏", Role::Clerk).await, [case_id(1)]);
    let events = records.iter().filter_map(|record| match record {
        Record::Event { header, .. } => Some(header.id),
        _ => None,
    });
    let events = List::new(events.collect()).expect("few");
    let erase = Erase {
        id: OrderId::from_bytes([1; 16]),
        case: case_id(1),
        by: node(ME),
        at: ClockReading::exact(NOW),
        events,
    };
    write.begin().await.expect("begun");
    write.put_records(&[Record::Erasure(erase)]).await.expect("erased");
    write.commit().await.expect("committed");
    assert_eq!(store.findable().await.expect("counted"), 0);
    assert_eq!(found(&finder, "周慧敏", Role::Clerk).await, [], "what is in memory still is read before it is told");
}

async fn cases_without_words_are_made_findable_page_by_page(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    for n in 1..=7 {
        file(&mut write, node(ME), case_id(n), 2, NOW).await;
    }
    filed(&mut write, case_id(3), 2, NOW).await;
    let before = case_id(0);
    let (first, next) = write.unfindable_after(before, 100, 2).await.expect("read");
    assert_eq!((first, next), (vec![case_id(1), case_id(2)], Some(case_id(2))));
    let (second, next) = write.unfindable_after(case_id(2), 3, 2).await.expect("read");
    assert_eq!((second, next), (vec![case_id(4), case_id(5)], Some(case_id(5))));
    let (last, next) = write.unfindable_after(case_id(5), 100, 9).await.expect("read");
    assert_eq!((last, next), (vec![case_id(6), case_id(7)], None));
    let known = store.known_of(&[case_id(6)]).await.expect("read");
    let case = known[&case_id(6)].case().expect("a case").clone();
    put(&mut write, &case).await;
    assert_eq!(write.unfindable_after(case_id(5), 100, 9).await.expect("read").0, [case_id(7)]);
}

async fn a_table_that_lacked_words_has_them_once_they_are_made(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    file(&mut write, node(ME), case_id(1), 2, NOW).await;
    let clock = Clock::default();
    let finder = Finder::new(store.clone(), clock.clone());
    let page = ask(&finder, asked("周慧敏", Role::Clerk)).await;
    assert_eq!((page.hits.len(), page.unmade), (0, 1));
    assert_eq!(found(&finder, "0101", Role::Clerk).await, [case_id(1)], "by its number it is found");
    put(&mut write, &reported(node(ME), case_id(1), 2, NOW).0).await;
    clock.move_on(6_000);
    let page = ask(&finder, asked("周慧敏", Role::Clerk)).await;
    assert_eq!((page.hits.len(), page.unmade), (1, 0));
}

async fn pages_follow_each_other_without_gap_or_double(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    for n in 1..=40_u8 {
        let people = [20, 5, 2][usize::from(n % 3)];
        filed(&mut write, case_id(n), people, UnixMillis(NOW.0 + i64::from(n / 8))).await;
    }
    let finder = finder(&store);
    for sort in [Sort::Level, Sort::Reported, Sort::Term] {
        for q in ["", "通道", "周慧敏"] {
            let whole = ask(&finder, Asked { sort, ..asked(q, Role::Clerk) }).await;
            assert_eq!((whole.hits.len(), whole.next), (40, None));
            assert!(whole.hits.is_sorted_by_key(|hit| hit.position));
            let (mut pages, mut after) = (Vec::new(), None);
            loop {
                let page = ask(&finder, Asked { sort, after, count: 7, ..asked(q, Role::Clerk) }).await;
                pages.extend(page.hits);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(pages, whole.hits, "{q} by {sort:?}");
        }
    }
}

async fn two_nodes_in_one_database_find_their_own(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    filed(&mut write, case_id(1), 2, NOW).await;
    let (other, _other_write) = base.open(node(2)).await;
    assert_eq!(found(&finder(&other), "周慧敏", Role::Clerk).await, []);
    assert_eq!((other.findable().await.expect("counted"), store.findable().await.expect("counted")), (0, 1));
}

async fn the_list_that_is_kept_sorted_and_the_one_in_memory_are_the_same(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    for n in 1..=30_u8 {
        filed(&mut write, case_id(n), [20, 5, 2][usize::from(n % 3)], UnixMillis(NOW.0 + i64::from(n % 4))).await;
    }
    let kept = store.case_list(&Default::default(), None, 100).await.expect("a list");
    let kept: Vec<CaseId> = kept.into_iter().map(|row| row.case).collect();
    assert_eq!(found(&finder(&store), "", Role::Clerk).await, kept);
}
