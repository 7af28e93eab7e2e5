//! A year of cases at several owners, made by the rules of casework and kept in their databases; their facts at the city.
//! What the city answers must equal a count in plain SQL over the owners' case tables and headers, for each measure and
//! each cut. The count shares nothing with facts: it reads `case_file` and `case_event` alone.

#[path = "year/life.rs"]
mod life;
#[path = "year/plain.rs"]
mod plain;

use std::collections::BTreeMap;

use life::{FIRST_DAY, TODAY, Year};
use protocol::division::Level;
use wuji::oversight::{Dimension, Filter, Measure, Oversight, Period, Question};

type Cells = BTreeMap<[u64; 2], (u64, u64)>;

const WITHIN: &str = "330600000000";

fn question(measure: Measure, by: &[Dimension], within: &str, days: (i32, i32)) -> Question {
    Question {
        measure,
        by: by.to_vec(),
        within: within.parse().expect("a code"),
        days,
        filter: Filter::default(),
        today: TODAY,
        judicial: Default::default(),
    }
}

async fn cells(city: &std::sync::Arc<Oversight>, question: Question) -> Cells {
    let answer = city.ask(question).await.expect("an answer");
    answer.lines.into_iter().map(|(keys, figure)| (keys, (figure.numerator, figure.denominator))).collect()
}

/// The dimensions by which counts of reported cases are compared, with the SQL that says the same of a case's row.
fn cuts() -> Vec<(Dimension, &'static str)> {
    vec![
        (Dimension::Level, "level"),
        (Dimension::Category, "category"),
        (Dimension::Class, "category / 100"),
        (Dimension::Place(Level::County), "place / 1000000000 * 1000000000"),
        (Dimension::Place(Level::Township), "place / 1000000 * 1000000"),
        (Dimension::Place(Level::Community), "place / 1000 * 1000"),
        (Dimension::Place(Level::Grid), "place"),
        (Dimension::GridKind, "CASE grid_kind WHEN 'responsibility' THEN 0 WHEN 'basic' THEN 1 ELSE 2 END"),
        (
            Dimension::Source,
            "CASE source WHEN 'window' THEN 0 WHEN 'grid' THEN 1 WHEN 'visit' THEN 2 WHEN 'hotline12345' THEN 3 \
             WHEN 'police110' THEN 4 WHEN 'legal12348' THEN 5 WHEN 'petition' THEN 6 WHEN 'superior' THEN 7 \
             WHEN 'department' THEN 8 ELSE 9 END",
        ),
        (Dimension::Matter, "CASE matter WHEN 'dispute' THEN 0 WHEN 'request' THEN 1 ELSE 2 END"),
        (Dimension::Unit, "unit_code"),
        (
            Dimension::Step,
            "CASE step WHEN 'reported' THEN 0 WHEN 'filed' THEN 1 WHEN 'assigned' THEN 2 WHEN 'in_progress' THEN 3 \
             WHEN 'fed_back' THEN 4 WHEN 'assessed' THEN 5 ELSE 6 END",
        ),
        (
            Dimension::Outcome,
            "CASE outcome WHEN 'successful' THEN 1 WHEN 'unsuccessful' THEN 2 WHEN 'other' THEN 3 ELSE 0 END",
        ),
        (
            Dimension::People,
            "CASE WHEN people < 50 THEN 0 WHEN people < 100 THEN 1 WHEN people < 500 THEN 2 ELSE 3 END",
        ),
        (Dimension::Time(Period::Day), "reported_day"),
    ]
}

async fn a_year_equals(year: Year) {
    let city = Oversight::new(year.city.clone());
    let days = (FIRST_DAY, FIRST_DAY + 364);
    for (dimension, column) in cuts() {
        for within in [WITHIN, "330602000000", "330602001000"] {
            let asked = cells(&city, question(Measure::Reported, &[dimension], within, days)).await;
            let counted = plain::count(&year, column, within, days).await;
            assert_eq!(asked, counted, "reported by {column} within {within}");
            assert!(within != WITHIN || !counted.is_empty());
        }
    }
    for (name, period) in [("month", Period::Month), ("quarter", Period::Quarter), ("half", Period::Half)] {
        let asked = cells(&city, question(Measure::Reported, &[Dimension::Time(period)], WITHIN, days)).await;
        assert_eq!(asked, plain::by_period(&year, name, days).await, "reported by {name}");
    }
    let part = (FIRST_DAY + 31, FIRST_DAY + 120);
    for measure in [Measure::Concluded, Measure::Successful, Measure::SuccessRate, Measure::HandlingRate] {
        let total = city.ask(question(measure, &[], WITHIN, part)).await.expect("an answer").total;
        let counted = plain::ended(&year, measure, part).await;
        assert_eq!((total.numerator, total.denominator), counted, "{measure:?}");
        assert!(counted.1 > 50, "{measure:?} has {counted:?}: too few to mean anything");
    }
    for (measure, act) in [
        (Measure::TimeToFile, "filed"),
        (Measure::TimeToAssign, "assigned"),
        (Measure::TimeToResolve, "resolved"),
        (Measure::TimeToFeedBack, "fed_back"),
    ] {
        let total = city.ask(question(measure, &[], WITHIN, part)).await.expect("an answer").total;
        assert_eq!((total.tenths, total.denominator), plain::median_tenths(&year, act, part).await, "{measure:?}");
    }
    let held = city.ask(question(Measure::Occupancy, &[], WITHIN, part)).await.expect("an answer");
    assert_eq!(held.lines.len(), 90);
    for (keys, figure) in held.lines {
        let day = i32::try_from(keys[0]).expect("a day");
        assert_eq!(figure.numerator, plain::held(&year, day).await, "in hand at the end of day {day}");
    }
    let in_hand = city.ask(question(Measure::InHand, &[], WITHIN, (FIRST_DAY, TODAY))).await.expect("an answer").total;
    assert_eq!(in_hand.numerator, plain::held(&year, TODAY).await);
    let people = city.ask(question(Measure::People, &[], WITHIN, days)).await.expect("an answer").total;
    assert_eq!(people.numerator, plain::people(&year, days).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_a_year_equal_a_count_over_the_owners_cases() {
    a_year_equals(Year::live(7, 1_500).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_of_a_year_agree_and_a_fact_altered_behind_their_back_is_found_by_a_recount() {
    let mut year = Year::live(11, 200).await;
    let owners: Vec<_> = year.owners.iter().map(|owner| owner.me.node).collect();
    for (at, owner) in owners.iter().enumerate() {
        let own = year.owners[at].write.figure_set(*owner).await.expect("a digest");
        let held = year.city_write.figure_set(*owner).await.expect("a digest");
        assert_eq!(held, own);
        assert!(own.facts() > 0);
        assert_eq!(year.city_write.recount(*owner).await.expect("a digest"), own, "the rows say what the sum says");
    }
    year.city_write.rest();
    plain::alter_one_fact(&year.city, owners[0]).await;
    let held = year.city_write.figure_set(owners[0]).await.expect("a digest");
    let again = year.city_write.recount(owners[0]).await.expect("a digest");
    assert_ne!(again.hash(), held.hash());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_in_memory_follows_what_is_committed_after_it_was_loaded() {
    let mut year = Year::live(3, 120).await;
    let city = Oversight::new(year.city.clone());
    let ask = |by: &[Dimension]| question(Measure::Reported, by, WITHIN, (FIRST_DAY, FIRST_DAY + 400));
    let before = city.ask(ask(&[])).await.expect("an answer").total.numerator;
    year.go_on(60).await;
    let after = city.ask(ask(&[])).await.expect("an answer").total.numerator;
    assert!(after > before);
    let fresh = Oversight::new(year.city.clone());
    for dimension in [Dimension::Step, Dimension::Level, Dimension::Place(Level::Grid)] {
        let followed = city.ask(ask(&[dimension])).await.expect("an answer");
        assert_eq!(followed, fresh.ask(ask(&[dimension])).await.expect("an answer"));
    }
    city.forget().await;
    assert_eq!(city.ask(ask(&[])).await.expect("an answer").total.numerator, after);
}
