//! A year of cases at several owners, made by the rules of casework and kept in their databases; their facts at the city.
//! What the city answers must equal a count in plain SQL over the owners' case tables and headers, for each measure and
//! each cut. The count shares nothing with facts. `year_on_postgres` lives the same on a server.

#[path = "year/life.rs"]
mod life;
#[path = "year/plain.rs"]
mod plain;
#[path = "year/post.rs"]
mod post;
#[path = "support/postgres.rs"]
#[expect(dead_code, unreachable_pub, reason = "a public module of other tests, of which this needs a database")]
mod postgres;
#[path = "support/rows.rs"]
mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use life::{FIRST_DAY, TODAY, Year};
use plain::{JUDICIAL, Ledger};
use post::OWNERS;
use postgres::TestDatabase;
use protocol::division::Level;
use wuji::oversight::{DEFINITIONS, Dimension, Filter, Kind, Measure, Oversight, Period, Question};

/// Of each line what it says and over how many cases; of a median the tenths of a minute.
type Cells = BTreeMap<[u64; 2], (u64, u64)>;

const WITHIN: &str = "330600000000";
/// All of the year, and until now.
const WHOLE: (i32, i32) = (FIRST_DAY, TODAY);
/// February to April, asked for long afterwards.
const PART: (i32, i32) = (FIRST_DAY + 31, FIRST_DAY + 119);

const CUTS: [Dimension; 24] = [
    Dimension::Level,
    Dimension::Peak,
    Dimension::Category,
    Dimension::Class,
    Dimension::Judicial,
    Dimension::Place(Level::County),
    Dimension::Place(Level::Township),
    Dimension::Place(Level::Community),
    Dimension::Place(Level::Grid),
    Dimension::Owner,
    Dimension::GridKind,
    Dimension::Source,
    Dimension::Matter,
    Dimension::Unit,
    Dimension::Step,
    Dimension::Outcome,
    Dimension::Channel,
    Dimension::People,
    Dimension::Time(Period::Day),
    Dimension::Time(Period::Week),
    Dimension::Time(Period::Month),
    Dimension::Time(Period::Quarter),
    Dimension::Time(Period::Half),
    Dimension::Time(Period::Year),
];

/// A database on a server, where this runs on one.
fn database() -> Option<TestDatabase> {
    on_a_server().then(TestDatabase::new)
}

fn on_a_server() -> bool {
    env!("CARGO_CRATE_NAME") == "year_on_postgres"
}

/// So many cases; fewer on a server, which commits each act to disk.
fn cases(in_files: u64) -> u64 {
    if on_a_server() { in_files / 6 } else { in_files }
}

fn question(measure: Measure, by: &[Dimension], within: &str, days: (i32, i32)) -> Question {
    Question {
        measure,
        by: by.to_vec(),
        within: within.parse().expect("a code"),
        days,
        filter: Filter::default(),
        today: TODAY,
        judicial: Arc::new(JUDICIAL.into_iter().collect()),
        places: Default::default(),
    }
}

async fn cells(city: &Arc<Oversight>, question: Question) -> Cells {
    let (kind, cut) = (question.measure.definition().kind, !question.by.is_empty());
    let answer = city.ask(question).await.expect("an answer");
    let lines = if cut { answer.lines } else { vec![([0, 0], answer.total)] };
    let says = |figure: wuji::oversight::Figure| match kind {
        Kind::Median => figure.tenths.unwrap_or(0),
        _ => figure.numerator,
    };
    let some = lines.into_iter().filter(|(_, figure)| figure.denominator > 0);
    some.map(|(keys, figure)| (keys, (says(figure), figure.denominator))).collect()
}

/// Every measure but the one that is told day by day.
fn measures() -> impl Iterator<Item = Measure> {
    DEFINITIONS.iter().map(|definition| definition.measure).filter(|measure| *measure != Measure::Occupancy)
}

/// Cases of the year must be of every sort, else a comparison says nothing.
fn assert_lived(measure: Measure, cut: Dimension, counted: &Cells) {
    let (cases, few) = (counted.values().map(|(_, cases)| cases).sum::<u64>(), cases(12));
    assert!(cases > few, "{measure:?} over {cases} cases only");
    let levels = counted.keys().filter(|keys| keys[0] > 0).count();
    assert!(cut != Dimension::Level || levels >= 2, "{measure:?} knows {levels} levels only");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_a_year_equal_a_count_over_the_owners_cases() {
    let year = Year::live(11, cases(600), database()).await;
    let (city, ledger) = (Oversight::new(year.post.city().store.clone()), Ledger::of(&year).await);
    for days in [WHOLE, PART] {
        ledger.stand(days.1).await;
        for measure in measures() {
            let total = cells(&city, question(measure, &[], WITHIN, days)).await;
            assert_eq!(total, ledger.count(measure, &[], WITHIN, days).await, "{measure:?} in all, {days:?}");
            for cut in CUTS {
                let asked = cells(&city, question(measure, &[cut], WITHIN, days)).await;
                let counted = ledger.count(measure, &[cut], WITHIN, days).await;
                assert_lived(measure, cut, &counted);
                assert_eq!(asked, counted, "{measure:?} by {cut:?}, {days:?}");
            }
            let (level, month) = (Dimension::Level, Dimension::Time(Period::Month));
            for (by, within) in [([level, month], "330602000000"), ([month, Dimension::Peak], "330602001000")] {
                let asked = cells(&city, question(measure, &by, within, days)).await;
                assert_eq!(asked, ledger.count(measure, &by, within, days).await, "{measure:?} by {by:?}, {within}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_in_hand_on_each_past_day_equal_a_count_as_of_that_day() {
    let year = Year::live(5, 100, database()).await;
    let (city, ledger) = (Oversight::new(year.post.city().store.clone()), Ledger::of(&year).await);
    let timeless: Vec<Dimension> = CUTS.into_iter().filter(|cut| !matches!(cut, Dimension::Time(_))).collect();
    let mut held = BTreeMap::new();
    for cut in &timeless {
        held.insert(format!("{cut:?}"), cells(&city, question(Measure::Occupancy, &[*cut], WITHIN, PART)).await);
    }
    for day in (PART.0..=PART.1).step_by(8) {
        ledger.stand(day).await;
        for cut in &timeless {
            let counted = ledger.count(Measure::Occupancy, &[*cut], WITHIN, (FIRST_DAY - 1, day)).await;
            let of_the_day = u64::try_from(day).expect("a day");
            let told = held[&format!("{cut:?}")].iter().filter(|(keys, _)| keys[0] == of_the_day);
            let told: Cells = told.map(|(keys, cell)| ([keys[1], 0], *cell)).collect();
            assert_eq!(told, counted, "by {cut:?} on day {day}");
            assert!(counted.values().map(|(held, _)| held).sum::<u64>() > 1, "hardly a case in hand on day {day}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_changed_hands_and_levels_counts_once_and_as_its_last_owner_has_it() {
    let year = Year::live(7, 160, database()).await;
    let mut seen = BTreeMap::<String, usize>::new();
    for owner in &year.post.members[..OWNERS] {
        let acts = "SELECT e.act FROM case_event e JOIN case_file f ON f.node = e.node AND f.case_id = e.case_id \
                    WHERE e.node = $1 AND f.mine = 1";
        for (act,) in owner.beside.rows::<(String,)>(owner.me.node, acts).await {
            *seen.entry(act).or_default() += 1;
        }
    }
    for act in ["raised", "lowered", "cancelled", "approval_refused", "offer_declined", "released", "taken", "voided"] {
        assert!(seen.get(act).copied().unwrap_or(0) > 2, "{act} hardly happened: {seen:?}");
    }
    let city = Oversight::new(year.post.city().store.clone());
    let all = city.ask(question(Measure::Reported, &[], WITHIN, WHOLE)).await.expect("an answer").total;
    let voided = seen["voided"] as u64;
    assert_eq!(all.numerator + voided, seen["reported"] as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_of_a_year_agree_and_a_fact_altered_behind_their_back_is_found_by_a_recount() {
    let mut year = Year::live(11, 60, database()).await;
    let owners: Vec<_> = year.post.members[..OWNERS].iter().map(|owner| owner.me.node).collect();
    for (at, owner) in owners.iter().enumerate() {
        let own = year.post.members[at].write.figure_set(*owner).await.expect("a digest");
        let held = year.post.city_mut().write.figure_set(*owner).await.expect("a digest");
        assert_eq!(held, own);
        assert!(own.facts() > 0);
        assert_eq!(
            year.post.city_mut().write.recount(*owner).await.expect("a digest"),
            own,
            "the rows say what the sum says"
        );
    }
    year.post.rest();
    plain::alter_one_fact(&year, owners[0]).await;
    let city = &mut year.post.city_mut().write;
    let held = city.figure_set(owners[0]).await.expect("a digest");
    let again = city.recount(owners[0]).await.expect("a digest");
    assert_ne!(again.hash(), held.hash());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_in_memory_follows_what_is_committed_after_it_was_loaded() {
    let mut year = Year::live(3, 60, database()).await;
    let city = Oversight::new(year.post.city().store.clone());
    let ask = |by: &[Dimension]| question(Measure::Reported, by, WITHIN, (FIRST_DAY, FIRST_DAY + 400));
    let before = city.ask(ask(&[])).await.expect("an answer").total.numerator;
    year.go_on(60).await;
    let after = city.ask(ask(&[])).await.expect("an answer").total.numerator;
    assert!(after > before);
    let fresh = Oversight::new(year.post.city().store.clone());
    for dimension in [Dimension::Step, Dimension::Level, Dimension::Place(Level::Grid)] {
        let followed = city.ask(ask(&[dimension])).await.expect("an answer");
        assert_eq!(followed, fresh.ask(ask(&[dimension])).await.expect("an answer"));
    }
    let daily = question(Measure::Occupancy, &[Dimension::Level], WITHIN, PART);
    assert_eq!(city.ask(daily.clone()).await.expect("an answer"), fresh.ask(daily).await.expect("an answer"));
    city.forget().await;
    assert_eq!(city.ask(ask(&[])).await.expect("an answer").total.numerator, after);
}
