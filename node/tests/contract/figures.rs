//! Counts over facts.

use protocol::time::UnixMillis;
use wuji::store::figures::By;

use crate::base::{Base, CITY, GRID, NOW, case_id, division, file, node};
use crate::on_both;

on_both!(counts_are_cut_by_each_dimension_and_add_up, what_lies_outside_the_place_or_the_days_is_not_counted);

const DAY_MS: i64 = 86_400_000;

async fn counts_are_cut_by_each_dimension_and_add_up(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    for n in 1..=12_u8 {
        let when = UnixMillis(NOW.0 + i64::from(n % 2) * DAY_MS);
        file(&mut write, node(1), case_id(n), [20, 5, 2][usize::from(n % 3)], when).await;
    }
    let cut = async |by| {
        let lines = store.count_by(by, division(CITY), (0, i32::MAX)).await.expect("counted");
        assert!(lines.iter().all(|line| line.in_hand == line.cases), "none is archived");
        lines.into_iter().map(|line| (line.value, line.cases)).collect::<Vec<_>>()
    };
    let one = |value: &str| vec![(value.to_owned(), 12)];
    assert_eq!(cut(By::Level).await, [("1".to_owned(), 4), ("2".to_owned(), 4), ("3".to_owned(), 4)]);
    assert_eq!(cut(By::Category).await, one("402"));
    assert_eq!(cut(By::Place).await, one(GRID));
    assert_eq!(cut(By::GridKind).await, one("basic"));
    assert_eq!(cut(By::Step).await, one("reported"));
    assert_eq!(cut(By::Day).await.iter().map(|(_, cases)| *cases).collect::<Vec<_>>(), [6, 6]);
}

async fn what_lies_outside_the_place_or_the_days_is_not_counted(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    file(&mut write, node(1), case_id(1), 20, NOW).await;
    let day = i32::try_from((NOW.0 + 8 * 3_600_000) / DAY_MS).expect("a day");
    let cases = async |place, days| store.totals(division(place), days).await.expect("counted").cases;
    assert_eq!(cases(CITY, (day, day)).await, 1);
    assert_eq!(cases(GRID, (day, day)).await, 1);
    assert_eq!(cases("330603000000", (day, day)).await, 0);
    assert_eq!(cases(CITY, (day + 1, day + 9)).await, 0);
    let totals = store.totals(division(CITY), (day, day)).await.expect("counted");
    assert_eq!((totals.in_hand, totals.successful, totals.unsuccessful), (1, 0, 0));
}
