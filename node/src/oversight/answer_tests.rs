use protocol::event::{Matter, Outcome, Step};
use protocol::fact::{CaseFact, LevelChange, StepReached};
use protocol::time::Minute;
use protocol::warning::Warning;

use super::*;
use crate::oversight::question::Filter;
use crate::oversight::sample::{MORNING, archived, fact, resolved};

const DAY: i32 = 20_000;

fn table(facts: impl IntoIterator<Item = CaseFact>) -> Table {
    let mut table = Table::default();
    facts.into_iter().for_each(|fact| table.put(&fact));
    table
}

fn question(measure: Measure, by: &[Dimension]) -> Question {
    Question {
        measure,
        by: by.to_vec(),
        within: "330600000000".parse().unwrap(),
        days: (DAY, DAY + 365),
        filter: Filter::default(),
        today: DAY + 10,
        judicial: Default::default(),
        places: Default::default(),
    }
}

#[test]
fn a_success_rate_is_cut_and_never_flatters() {
    assert_eq!(rate(9_996, 10_000), Some(999));
    assert_eq!(rate(1, 1), Some(1_000));
    assert_eq!(rate(2, 3), Some(666));
    assert_eq!(rate(0, 0), None);
    // 2,500 disputes, five of them without a settlement: the 99.8 % of the report.
    let facts = (0..2_500_u32).map(|n| {
        let outcome = if n < 5 { Outcome::Unsuccessful } else { Outcome::Successful };
        let mut fact = resolved(0, outcome, n);
        fact.key = CaseKey::from_bytes(u128::from(n).to_be_bytes());
        fact
    });
    let figure = answer(&table(facts), &question(Measure::SuccessRate, &[])).total;
    assert_eq!(figure, Figure { tenths: Some(998), numerator: 2_495, denominator: 2_500 });
}

#[test]
fn only_disputes_that_ended_with_or_without_a_settlement_are_in_the_rate() {
    let mut question_matter = resolved(4, Outcome::Successful, 9);
    question_matter.matter = Matter::Consultation;
    let mut void = resolved(5, Outcome::Unsuccessful, 9);
    void.void = true;
    let facts = [
        fact(1),
        resolved(2, Outcome::Successful, 9),
        resolved(3, Outcome::Other, 9),
        question_matter,
        void,
        resolved(6, Outcome::Unsuccessful, 9),
    ];
    let figure = answer(&table(facts), &question(Measure::SuccessRate, &[])).total;
    assert_eq!((figure.numerator, figure.denominator, figure.tenths), (1, 2, Some(500)));
}

#[test]
fn a_median_is_exact_for_odd_and_even_counts() {
    assert_eq!(median_tenths(&mut []), None);
    assert_eq!(median_tenths(&mut [7]), Some(70));
    assert_eq!(median_tenths(&mut [9, 1, 4]), Some(40));
    assert_eq!(median_tenths(&mut [9, 1, 4, 5]), Some(45));
    assert_eq!(median_tenths(&mut [4, 4, 9, 1]), Some(40));
    let facts = [30, 10, 20].into_iter().zip(1..).map(|(after, n)| resolved(n, Outcome::Other, after));
    let figure = answer(&table(facts), &question(Measure::TimeToResolve, &[])).total;
    assert_eq!(figure, Figure { tenths: Some(200), numerator: 20, denominator: 3 });
}

#[test]
fn a_case_counts_in_the_period_in_which_it_happened_and_not_where_it_was_reported() {
    let mut late = resolved(1, Outcome::Successful, 40 * 24 * 60);
    late.level = Some(Warning::Red);
    let table = table([late]);
    let mut asked = question(Measure::Concluded, &[Dimension::Time(Period::Day)]);
    asked.days = (DAY, DAY + 39);
    assert_eq!(answer(&table, &asked).total.numerator, 0);
    asked.days = (DAY + 40, DAY + 40);
    let counted = answer(&table, &asked);
    assert_eq!(counted.lines, [([20_040, 0], Figure { tenths: Some(10), numerator: 1, denominator: 1 })]);
    asked.measure = Measure::Reported;
    assert_eq!(answer(&table, &asked).total.numerator, 0);
}

#[test]
fn occupancy_is_what_came_less_what_went() {
    let mut asked = question(Measure::Occupancy, &[]);
    asked.days = (DAY - 1, DAY + 3);
    let counted = answer(&table([fact(1), archived(2, 2), archived(3, 0), archived(4, 9)]), &asked);
    let held: Vec<_> = counted.lines.iter().map(|(_, figure)| figure.numerator).collect();
    assert_eq!(held, [0, 3, 3, 2, 2]);
    assert_eq!(counted.total.numerator, 2);
    // From within: those that were there already count on the first day.
    asked.days = (DAY + 1, DAY + 2);
    let counted = answer(&table([fact(1), archived(2, 2), archived(4, 9)]), &asked);
    let held: Vec<_> = counted.lines.iter().map(|(_, figure)| figure.numerator).collect();
    assert_eq!(held, [3, 2]);
    let nothing = answer(&Table::default(), &asked);
    assert_eq!(nothing.lines.len(), 2, "a day without a case says so");
}

/// A yellow case that rose to orange five days after its report.
fn risen(n: u8) -> CaseFact {
    let mut fact = fact(n);
    fact.level = Some(Warning::Orange);
    let at = Minute(MORNING + 5 * 24 * 60);
    fact.level_changes.push(LevelChange { at, level: Some(Warning::Orange) }).unwrap();
    fact
}

#[test]
fn a_case_that_rises_today_moves_no_figure_of_a_past_day() {
    let [yellow, orange] = [Warning::Yellow, Warning::Orange].map(|level| u64::from(level.rank()));
    let table = table([risen(1), fact(2)]);
    let held = |cut| {
        let mut asked = question(Measure::Occupancy, &[cut]);
        asked.days = (DAY + 4, DAY + 5);
        answer(&table, &asked).lines.into_iter().map(|(keys, figure)| (keys, figure.numerator)).collect::<Vec<_>>()
    };
    for cut in [Dimension::Level, Dimension::Peak] {
        let told = held(cut);
        let some: Vec<_> = told.into_iter().filter(|(_, cases)| *cases > 0).collect();
        assert_eq!(some, [([20_004, yellow], 2), ([20_005, yellow], 1), ([20_005, orange], 1)]);
    }
    let mut asked = question(Measure::Reported, &[Dimension::Level]);
    for (last, lines) in [(DAY + 4, vec![([yellow, 0], 2)]), (DAY + 9, vec![([yellow, 0], 1), ([orange, 0], 1)])] {
        asked.days = (DAY, last);
        let told: Vec<_> = answer(&table, &asked).lines.iter().map(|(keys, f)| (*keys, f.numerator)).collect();
        assert_eq!(told, lines, "asked until day {last}");
    }
    let mut red_then = question(Measure::Occupancy, &[]);
    (red_then.days, red_then.filter.level) = ((DAY + 3, DAY + 6), Some(Warning::Orange.rank()));
    let told: Vec<_> = answer(&table, &red_then).lines.iter().map(|(_, figure)| figure.numerator).collect();
    assert_eq!(told, [0, 0, 1, 1], "a filter looks at the day too");
}

#[test]
fn overdue_in_a_past_period_is_what_was_overdue_at_its_end() {
    // Its term to be filed ends on the third day; it was filed on the sixth.
    let mut filed_late = fact(1);
    filed_late.steps.push(StepReached { step: Step::Filed, at: Minute(MORNING + 6 * 24 * 60) }).unwrap();
    let table = table([filed_late, fact(2)]);
    let mut asked = question(Measure::Overdue, &[]);
    for (last, overdue) in [(2, 0), (3, 2), (5, 2), (6, 1), (9, 1)] {
        asked.days = (DAY, DAY + last);
        assert_eq!(answer(&table, &asked).total.numerator, overdue, "at the end of day {last}");
        assert_eq!(behind(&table, &asked, None, false, None, usize::MAX).len() as u64, overdue);
    }
    // Today is the last day of the term: it can still be met.
    (asked.today, asked.days) = (DAY + 3, (DAY, DAY + 30));
    assert_eq!(answer(&table, &asked).total.numerator, 0);
}

#[test]
fn places_are_cut_at_a_level_and_keep_to_the_area() {
    let at = |n: u8, place: &str| CaseFact { place: place.parse().unwrap(), ..fact(n) };
    let table = table([
        at(1, "330602001001001"),
        at(2, "330602001002001"),
        at(3, "330602001000003"),
        at(4, "330602002001001"),
        at(5, "330700000000"),
    ]);
    let mut asked = question(Measure::Reported, &[Dimension::Place(Level::Community)]);
    asked.within = "330602001000".parse().unwrap();
    let counted = answer(&table, &asked);
    assert_eq!(counted.total.numerator, 3);
    let places: Vec<_> = counted.lines.iter().map(|(keys, _)| keys[0]).collect();
    assert_eq!(
        places,
        [330_602_001_000_000, 330_602_001_001_000, 330_602_001_002_000],
        "a grid on its township stays there"
    );
}

#[test]
fn every_line_opens_its_rows_and_they_are_as_many_as_it_says() {
    let mut facts = Vec::new();
    for n in 1..=60 {
        let outcome = Outcome::ALL[usize::from(n % 3)];
        let mut fact = if n % 2 == 0 { resolved(n, outcome, u32::from(n)) } else { archived(n, u32::from(n)) };
        fact.head_count = u32::from(n) * 12;
        fact.level = [None, Some(Warning::Yellow), Some(Warning::Orange)][usize::from(n % 3)];
        facts.push(fact);
    }
    facts.extend((61..70).map(risen));
    let table = table(facts);
    let by = [Dimension::People, Dimension::Level];
    for measure in [
        Measure::Reported,
        Measure::InHand,
        Measure::Concluded,
        Measure::SuccessRate,
        Measure::HandlingRate,
        Measure::Overdue,
        Measure::TimeToFile,
    ] {
        let mut asked = question(measure, &by);
        // A past day, on which some stood otherwise than now.
        asked.days.1 = DAY + 4;
        for (keys, figure) in answer(&table, &asked).lines {
            let all = behind(&table, &asked, Some(keys), false, None, usize::MAX);
            assert_eq!(all.len() as u64, figure.denominator, "{measure:?} {keys:?}");
            if measure.definition().kind == Kind::Rate {
                let counted = behind(&table, &asked, Some(keys), true, None, usize::MAX);
                assert_eq!(counted.len() as u64, figure.numerator, "{measure:?} {keys:?}");
            }
        }
    }
    let asked = question(Measure::Occupancy, &[Dimension::Level]);
    for (keys, figure) in answer(&table, &asked).lines {
        let rows = behind(&table, &asked, Some(keys), false, None, usize::MAX);
        assert_eq!(rows.len() as u64, figure.numerator, "day {}", keys[0]);
    }
}

#[test]
fn pages_of_rows_follow_each_other_without_gap_or_repeat() {
    let table = table([5, 1, 4, 2, 3].map(fact));
    let asked = question(Measure::Reported, &[]);
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let page = behind(&table, &asked, None, false, after, 2);
        let Some(last) = page.last() else { break };
        after = Some(*last);
        seen.extend(page.iter().map(|key| key.as_bytes()[15]));
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
}
