//! Facts, tallies, watermarks, and what is counted over them.

use std::collections::BTreeMap;

use protocol::digest::SetDigest;
use protocol::fact::{CaseFact, Measure, Tally, Watermark};
use protocol::id::{BundleId, CaseId, CaseKey, NodeId};
use protocol::time::{CivilDay, ClockReading, UnixMillis};
use wuji::oversight::{Dimension, Filter, Oversight, Period, Question};
use wuji::store::WriteStore;
use wuji::store::figures::{DueTally, FiguresNews, NewFigures, WatchChange};
use wuji::store::trust::Route;

use crate::base::{Base, CITY, GRID, NOW, case_id, division, file, node};
use crate::on_both;

on_both!(
    counts_are_cut_by_each_dimension_and_add_up,
    what_lies_outside_the_place_or_the_days_is_not_counted,
    a_county_holds_its_facts_before_anybody_asks_and_a_township_does_not,
    an_older_fact_stays_out_and_moves_no_digest,
    a_member_is_equal_once_its_facts_are_those_that_it_states,
    what_waits_is_kept_by_key_until_it_is_sent,
    a_watched_escalation_is_told_once_and_once_more_when_it_came,
    tallies_are_summed_by_division_and_day,
);

const DAY_MS: i64 = 86_400_000;

fn question(by: Dimension, place: &str, days: (i32, i32)) -> Question {
    Question {
        measure: wuji::oversight::Measure::Reported,
        by: vec![by],
        within: division(place),
        days,
        filter: Filter::default(),
        today: days.1,
        judicial: Default::default(),
        places: Default::default(),
    }
}

#[derive(Default)]
struct Put {
    facts: Vec<CaseFact>,
    tallies: Vec<Tally>,
    marks: Vec<Watermark>,
    watched: BTreeMap<CaseKey, CaseId>,
}

impl Put {
    async fn into(self, write: &mut WriteStore, now: i64) -> Vec<FiguresNews> {
        let (cases, proofs) = (BTreeMap::new(), BTreeMap::from([(node(2), BundleId::from_bytes([1; 16]))]));
        let new = NewFigures {
            facts: self.facts.iter().collect(),
            cases: &cases,
            watched: &self.watched,
            tallies: self.tallies.iter().collect(),
            marks: self.marks.iter().collect(),
            proofs: &proofs,
        };
        write.put_figures(&new, UnixMillis(now)).await.expect("stored")
    }
}

fn fact_of(records: &[casework::Record]) -> CaseFact {
    let fact = records.iter().find_map(|record| match record {
        casework::Record::Fact(fact) => Some(fact.clone()),
        _ => None,
    });
    fact.expect("a fact")
}

fn mark(of: NodeId, version: u64, set: &SetDigest) -> Watermark {
    let as_of = ClockReading::exact(NOW);
    Watermark { node: of, version, as_of, facts: set.facts(), tallies: set.tallies(), digest: set.hash() }
}

fn day(number: i32) -> CivilDay {
    CivilDay::from_number(number).expect("a day")
}

async fn counts_are_cut_by_each_dimension_and_add_up(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    for n in 1..=12_u8 {
        let when = UnixMillis(NOW.0 + i64::from(n % 2) * DAY_MS);
        file(&mut write, node(1), case_id(n), [20, 5, 2][usize::from(n % 3)], when).await;
    }
    let oversight = Oversight::new(store);
    let cut = async |by| {
        let answer = oversight.ask(question(by, CITY, (0, 80_000))).await.expect("counted");
        assert_eq!(answer.total.numerator, 12);
        answer.lines.into_iter().map(|(keys, figure)| (keys[0], figure.numerator)).collect::<Vec<_>>()
    };
    assert_eq!(cut(Dimension::Level).await, [(1, 4), (2, 4), (3, 4)]);
    assert_eq!(cut(Dimension::Category).await, [(402, 12)]);
    assert_eq!(cut(Dimension::Place(protocol::division::Level::Grid)).await, [(division(GRID).number(), 12)]);
    assert_eq!(cut(Dimension::GridKind).await, [(1, 12)]);
    assert_eq!(cut(Dimension::Step).await, [(0, 12)]);
    assert_eq!(cut(Dimension::Time(Period::Day)).await.iter().map(|(_, cases)| *cases).collect::<Vec<_>>(), [6, 6]);
}

async fn what_lies_outside_the_place_or_the_days_is_not_counted(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    file(&mut write, node(1), case_id(1), 20, NOW).await;
    let day = i32::try_from((NOW.0 + 8 * 3_600_000) / DAY_MS).expect("a day");
    let oversight = Oversight::new(store);
    let cases = async |place, days| {
        oversight.ask(question(Dimension::Level, place, days)).await.expect("counted").total.numerator
    };
    assert_eq!(cases(CITY, (day, day)).await, 1);
    assert_eq!(cases(GRID, (day, day)).await, 1);
    assert_eq!(cases("330603000000", (day, day)).await, 0);
    assert_eq!(cases(CITY, (day + 1, day + 9)).await, 0);
}

async fn a_county_holds_its_facts_before_anybody_asks_and_a_township_does_not(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    file(&mut write, node(1), case_id(1), 20, NOW).await;
    let below = Oversight::at(division("330602001000"), store.clone());
    let county = Oversight::at(division("330602000000"), store);
    for _ in 0..500 {
        if county.held() == 1 {
            assert_eq!(below.held(), 0);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the county has not loaded its facts");
}

async fn an_older_fact_stays_out_and_moves_no_digest(base: Base) {
    let (_, mut write) = base.open(node(1)).await;
    let records = file(&mut write, node(1), case_id(1), 20, NOW).await;
    let (old, owner) = (fact_of(&records), node(1));
    let newer = CaseFact { version: old.version + 1, head_count: 9, ..old.clone() };
    for fact in [&newer, &old, &newer] {
        Put { facts: vec![fact.clone()], ..Put::default() }.into(&mut write, 0).await;
        let mut only = SetDigest::default();
        only.add_fact(&newer);
        assert_eq!(write.figure_set(owner).await.expect("a digest"), only);
    }
    let given_away = CaseFact { released: true, ..newer };
    Put { facts: vec![given_away], ..Put::default() }.into(&mut write, 0).await;
    assert_eq!(write.figure_set(owner).await.expect("a digest").facts(), 0);
    assert_eq!(write.recount(owner).await.expect("a digest").hash(), SetDigest::default().hash());
}

async fn a_member_is_equal_once_its_facts_are_those_that_it_states(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    write.put_route(Route { member: node(2), via: node(2), division: division(GRID) }).await.expect("a route");
    let mut fact = fact_of(&file(&mut write, node(1), case_id(1), 20, NOW).await);
    fact.owner_node = node(2);
    fact.version += 1;
    let mut stated = SetDigest::default();
    stated.add_fact(&fact);
    let marks = vec![mark(node(2), 5, &stated)];
    let news = Put { marks, ..Put::default() }.into(&mut write, 100).await;
    assert_eq!(news, [FiguresNews::Differs(node(2))]);
    let members = store.members(division(CITY)).await.expect("members");
    assert_eq!((members.len(), members[0].unequal_since), (1, Some(UnixMillis(100))));
    let ms = UnixMillis;
    assert!(write.gaps(ms(100), ms(0), ms(0), 9).await.expect("gaps").is_empty(), "not yet");
    let gaps = write.gaps(ms(101), ms(0), ms(0), 9).await.expect("gaps");
    assert_eq!((gaps.len(), gaps[0].member, gaps[0].asked, gaps[0].stated), (1, node(2), 0, 1));
    assert!(write.gaps(ms(101), ms(100), ms(0), 9).await.expect("gaps").is_empty(), "it is silent");
    write.asked_again(node(2), ms(200)).await.expect("noted");
    assert!(write.gaps(ms(101), ms(0), ms(200), 9).await.expect("gaps").is_empty(), "it was just asked");
    assert!(write.anything_amiss().await.expect("looked"));
    let news = Put { facts: vec![fact], ..Put::default() }.into(&mut write, 300).await;
    assert_eq!(news, [FiguresNews::Agreed(node(2))]);
    // An older statement that comes late does not count.
    let marks = vec![mark(node(2), 4, &SetDigest::default())];
    assert!(Put { marks, ..Put::default() }.into(&mut write, 400).await.is_empty());
    let members = store.members(division(CITY)).await.expect("members");
    assert_eq!((members[0].unequal_since, members[0].received_at), (None, Some(UnixMillis(100))));
    assert!(!write.anything_amiss().await.expect("looked"));
}

async fn what_waits_is_kept_by_key_until_it_is_sent(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let fact = fact_of(&file(&mut write, node(1), case_id(1), 2, NOW).await);
    let due = DueTally { reader: node(9), day: day(20_000), measure: Measure::VISITS };
    for _ in 0..2 {
        write.put_facts_due(&[(node(9), fact.key), (node(8), fact.key)]).await.expect("noted");
        write.put_tallies_due(&[due]).await.expect("noted");
    }
    assert_eq!(store.figures_waiting().await.expect("counted"), 3);
    let newer = CaseFact { version: fact.version + 1, ..fact.clone() };
    Put { facts: vec![newer.clone()], ..Put::default() }.into(&mut write, 0).await;
    let waiting = write.facts_due(9).await.expect("facts");
    assert!(waiting.iter().all(|due| due.fact == newer), "it goes as it is when it goes");
    assert_eq!(write.tallies_due(9).await.expect("tallies"), [due]);
    write.drop_facts_due(&[(node(8), fact.key)]).await.expect("sent");
    write.drop_tallies_due(&[due]).await.expect("sent");
    assert_eq!(store.figures_waiting().await.expect("counted"), 1);
    write.all_due(node(7)).await.expect("noted");
    assert_eq!(store.figures_waiting().await.expect("counted"), 2);
}

async fn a_watched_escalation_is_told_once_and_once_more_when_it_came(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let fact = fact_of(&file(&mut write, node(2), case_id(1), 20, NOW).await);
    let ahead = CaseFact { version: fact.version + 1, ..fact.clone() };
    let watched = BTreeMap::from([(ahead.key, case_id(1))]);
    Put { facts: vec![ahead.clone()], watched: watched.clone(), ..Put::default() }.into(&mut write, 100).await;
    let look =
        async |write: &mut WriteStore, before| write.look_at_escalations(UnixMillis(before)).await.expect("looked");
    assert!(look(&mut write, 100).await.is_empty(), "not yet");
    assert!(
        matches!(look(&mut write, 101).await[..], [WatchChange::Missing(d)] if d.case == case_id(1) && d.level == 3)
    );
    assert!(look(&mut write, 101).await.is_empty(), "it is told once");
    assert_eq!(store.dropped_escalations().await.expect("a list").len(), 1);
    // The headers that are here reach as far as this fact.
    let back = CaseFact { version: 0, epoch: protocol::chain::Epoch::default().taken_over(), ..ahead };
    Put { facts: vec![CaseFact { version: fact.version, epoch: fact.epoch.taken_over(), ..back }], ..Put::default() }
        .into(&mut write, 200)
        .await;
    assert!(store.dropped_escalations().await.expect("a list").is_empty(), "nobody watches it any more");
}

async fn tallies_are_summed_by_division_and_day(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let tally = |n: u8, day_number: i32, value| Tally {
        node: node(n),
        division: division(GRID),
        day: day(day_number),
        measure: Measure::VISITS,
        value,
        version: 1,
    };
    let tallies = vec![tally(1, 20_000, 3), tally(2, 20_000, 4), tally(2, 20_001, 5)];
    Put { tallies, ..Put::default() }.into(&mut write, 0).await;
    let sums = store.tallied(Measure::VISITS, division(CITY), (20_000, 20_001)).await.expect("sums");
    assert_eq!(sums.iter().map(|sum| (sum.day, sum.value)).collect::<Vec<_>>(), [(20_000, 7), (20_001, 5)]);
    assert_eq!(store.own_tally(day(20_000), Measure::VISITS).await.expect("a tally"), 3);
    assert!(store.tallied(Measure::CALLS, division(CITY), (0, 80_000)).await.expect("sums").is_empty());
    assert_eq!(write.figure_set(node(2)).await.expect("a digest").tallies(), 2);
}
