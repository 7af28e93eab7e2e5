//! The books of committees: what each number is, and where a restored node goes on.

use protocol::event::PaperNumber;
use protocol::unit::UnitCode;
use wuji::store::WriteStore;

use crate::base::{Base, NOW, case_id, node};
use crate::on_both;

on_both!(
    each_committee_counts_each_year_by_itself_and_each_node_has_its_own_books,
    a_restored_book_goes_on_behind_a_hundred_and_shows_the_gap,
    a_number_that_was_given_stays_with_its_case,
);

const ME: u8 = 1;
const OTHER: u8 = 2;
const YEAR: u16 = 2026;

fn paper(committee: u16, year: u16, number: u32) -> PaperNumber {
    PaperNumber { committee: UnitCode(committee), year, number }
}

async fn give(write: &mut WriteStore, paper: PaperNumber, case: u8) {
    write.begin().await.expect("begun");
    write.put_paper_numbers(&[(paper, case_id(case))], NOW).await.expect("entered");
    write.commit().await.expect("stored");
}

async fn each_committee_counts_each_year_by_itself_and_each_node_has_its_own_books(base: Base) {
    let (mut me, mut other) = (base.open(node(ME)).await.1, base.open(node(OTHER)).await.1);
    give(&mut me, paper(1, YEAR, 1), 1).await;
    give(&mut me, paper(1, YEAR, 2), 2).await;
    for (committee, year, last) in [(1, YEAR, 2), (1, YEAR + 1, 0), (17, YEAR, 0)] {
        let found = me.last_paper_number(UnitCode(committee), year).await.expect("a number");
        assert_eq!(found, last, "{committee} in {year}");
    }
    assert_eq!(other.last_paper_number(UnitCode(1), YEAR).await.expect("a number"), 0);
}

async fn a_restored_book_goes_on_behind_a_hundred_and_shows_the_gap(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    give(&mut write, paper(1, YEAR, 1), 1).await;
    write.skip_paper_numbers(YEAR, NOW).await.expect("skipped");
    for committee in [1, 2] {
        let last = write.last_paper_number(UnitCode(committee), YEAR).await.expect("a number");
        assert_eq!(last, 100, "also of a committee of which the backup knew nothing: {committee}");
    }
    assert_eq!(write.last_paper_number(UnitCode(2), YEAR + 1).await.expect("a number"), 0, "the next year begins anew");
    let book = store.book(UnitCode(1), YEAR).await.expect("a book");
    let lines: Vec<_> = book.iter().map(|line| (line.number.number, line.case)).collect();
    assert_eq!(lines, [(1, Some(case_id(1))), (100, None)]);
}

async fn a_number_that_was_given_stays_with_its_case(base: Base) {
    let (store, mut write) = base.open(node(ME)).await;
    give(&mut write, paper(1, YEAR, 1), 1).await;
    give(&mut write, paper(1, YEAR, 1), 2).await;
    let book = store.book(UnitCode(1), YEAR).await.expect("a book");
    assert_eq!(book.iter().map(|line| line.case).collect::<Vec<_>>(), [Some(case_id(1))]);
}
