//! A week in the life of a city: eleven nodes, real links, seven days of casework drawn from a seed, and one county that is
//! cut off for two of them. The county goes on working; the city says what it does not know; afterwards nothing is missing.
//!
//! `WUJI_WEEK_SEED` lives another week; `week_on_postgres` lives it with all nodes on a server.

#[path = "support/again.rs"]
mod again;
#[path = "week/city.rs"]
mod city;
#[path = "week/plain.rs"]
mod plain;
#[path = "week/plan.rs"]
mod plan;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/postgres.rs"]
#[expect(dead_code, unreachable_pub, reason = "a public module of other tests, of which this needs a database")]
mod postgres;
#[path = "../../tests/src/relay.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "a file of the crate of whole-system tests, which count and delay packets too"
)]
mod relay;
#[path = "support/rows.rs"]
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use city::{CITY, CUT, City, GRIDS, HEARTBEAT, LINKED, above, all, division, until};
use plan::People;
use protocol::chain::Hash;
use protocol::fact::Measure;
use protocol::id::{CaseId, NodeId};
use protocol::time::UnixMillis;
use wuji::oversight::{Completeness, Missing, Why};

const SEED: u64 = 20_260_101;

#[tokio::test(flavor = "multi_thread")]
async fn a_county_that_is_cut_off_for_two_days_of_a_week_is_missed_and_then_whole() {
    let seed = std::env::var("WUJI_WEEK_SEED").map_or(SEED, |seed| seed.parse().expect("WUJI_WEEK_SEED is a number"));
    // As a task of its own, so that whatever fails in it can be told together with the seed.
    let tasks = tokio::task::LocalSet::new();
    let lived = tasks.run_until(async { tokio::task::spawn_local(week(seed)).await }).await;
    if let Err(error) = lived {
        panic!("WUJI_WEEK_SEED={seed}: {error}");
    }
}

async fn week(seed: u64) {
    let database = (env!("CARGO_CRATE_NAME") == "week_on_postgres").then(postgres::TestDatabase::new);
    let (mut city, mut people) = (City::raise(database).await, People::new(seed));
    for _ in 1..=2 {
        a_linked_day(&city, &mut people).await;
    }
    let cut = cut_off(&city, &people).await;
    a_day_apart(&city, &mut people, &cut).await;
    // Power fails at the county as well: for the second day it knows that it is alone, instead of waiting for answers.
    city.stop(CUT[0]).await;
    city.start(CUT[0]).await;
    a_day_apart(&city, &mut people, &cut).await;
    city.next_day();
    city.relay.cut(false);
    for day in 5..=7 {
        if day > 5 {
            city.next_day();
        }
        people.live(&city).await;
        assert_whole(&city, &people).await;
    }
    // The week had what it is to show.
    assert!(people.handed_over >= 7 * 4 && people.voided == 7, "{} {}", people.handed_over, people.voided);
    assert_digests_equal(&mut city).await;
    assert_names_go(&mut city).await;
}

/// What was so when the link was cut.
struct Cut {
    at: UnixMillis,
    marks: BTreeMap<NodeId, Option<UnixMillis>>,
    before: BTreeSet<CaseId>,
}

/// Cuts the link, and waits until the city has taken in what had passed it.
async fn cut_off(city: &City, people: &People) -> Cut {
    city.relay.cut(true);
    let marks = until("something still comes from the county", async || {
        let last = marks(city).await;
        tokio::time::sleep(2 * HEARTBEAT).await;
        (last == marks(city).await).then_some(last)
    })
    .await;
    Cut { at: city.clock.wall(), marks, before: people.of_the_cut() }
}

/// As of when the city has the figures of each node of the county.
async fn marks(city: &City) -> BTreeMap<NodeId, Option<UnixMillis>> {
    let county = CUT.map(|at| city.id(at));
    let marks = city.marks(CITY).await.into_iter().filter(|mark| county.contains(&mark.member));
    marks.map(|mark| (mark.member, mark.as_of)).collect()
}

async fn a_linked_day(city: &City, people: &mut People) {
    city.next_day();
    people.live(city).await;
    assert_whole(city, people).await;
}

/// A day on which the county lives alone, and the city without it.
async fn a_day_apart(city: &City, people: &mut People, cut: &Cut) {
    city.next_day();
    people.live(city).await;
    city.settled(CITY, &LINKED).await;
    city.settled(CUT[0], &CUT[1..]).await;
    assert_missing(city, cut).await;
    // The county is whole in itself, and counts as its owners do.
    assert_eq!(complete(city, CUT[0]).await.expected, CUT.len());
    let county = plain::owned(city, &CUT).await;
    plain::assert_answers(city, CUT[0], &county).await;
    let today = i64::from(city.today().number());
    assert!(county.keys().any(|keys| keys[0] == today), "the county works");
    assert_nothing_leaks(city, people, cut, today).await;
}

/// Waits until nobody is missed in the area of a node. On a busy machine one is late at times.
async fn complete(city: &City, at: usize) -> Completeness {
    until(&format!("the figures of {} do not become complete", division(at)), async || {
        Some(city.whole(at).await).filter(|whole| whole.missing.is_empty() && whole.complete == whole.expected)
    })
    .await
}

/// The city names the nodes of the county and no other, and does not pretend to know them any later than it does.
async fn assert_missing(city: &City, cut: &Cut) {
    let county = CUT.map(|at| (city.id(at), Why::Silent));
    let whole = until("the city misses others than the county", async || {
        let whole = city.whole(CITY).await;
        let named: Vec<_> = whole.missing.iter().map(|missing| (missing.member, missing.why)).collect();
        // Others may be late for a moment; of these it never says that they are complete.
        assert!(county.iter().all(|missing| named.contains(missing)), "{whole:?}");
        (named == county).then_some(whole)
    })
    .await;
    assert_eq!((whole.expected, whole.complete), (1 + CUT.len() + LINKED.len(), 1 + LINKED.len()));
    let since = |missing: &Missing| missing.since.is_some_and(|at| at <= cut.at);
    assert!(whole.missing.iter().all(since), "{whole:?} {:?}", cut.at);
    assert_eq!(marks(city).await, cut.marks);
}

/// What the county has since the cut is with the county, and not at the city.
async fn assert_nothing_leaks(city: &City, people: &People, cut: &Cut, today: i64) {
    let since: BTreeSet<CaseId> = people.of_the_cut().difference(&cut.before).copied().collect();
    let urgent: BTreeSet<CaseId> = since.intersection(&people.escalated).copied().collect();
    assert!(urgent.len() >= 2, "each of its grids reports one a day");
    until("the county does not have its own urgent cases", async || {
        let held: BTreeSet<CaseId> = plain::cases(city, CUT[0], false).await.into_keys().collect();
        urgent.is_subset(&held).then_some(())
    })
    .await;
    let held: BTreeSet<CaseId> = plain::cases(city, CITY, false).await.into_keys().collect();
    assert!(held.is_disjoint(&since), "cases of the county at the city during the cut");
    assert!(plain::with_headers(city, CITY).await.is_disjoint(&since));
    let told = plain::told(city, CITY).await;
    let county = [CUT[3], CUT[4]].map(|grid| i64::try_from(division(grid).number()).expect("a code"));
    assert!(
        told.keys().all(|keys| keys[0] != today || !county.contains(&keys[3])),
        "figures of the county at the city"
    );
    assert!(told.keys().any(|keys| keys[0] == today), "the other county is counted");
}

/// Nothing is missing: completeness, totals, tallies, and the urgent cases one by one.
async fn assert_whole(city: &City, people: &People) {
    let everybody: Vec<usize> = all().collect();
    city.settled(CITY, &everybody[1..]).await;
    assert_eq!(complete(city, CITY).await.expected, all().count());
    let owned = plain::owned(city, &everybody).await;
    assert_eq!(plain::told(city, CITY).await, owned);
    plain::assert_answers(city, CITY, &owned).await;
    let cases = usize::try_from(owned.values().sum::<u64>()).expect("a count");
    assert_eq!(cases, people.reported.len() - people.voided, "no case counts twice, and none is lost");
    let today = city.today().number();
    let visits = city.node(CITY).store.tallied(Measure::VISITS, division(CITY), (today - 30, today)).await;
    let visits: BTreeMap<_, _> =
        visits.expect("sums").into_iter().map(|count| ((count.division, count.day), count.value)).collect();
    assert_eq!(visits, people.visits);
    assert_urgent_cases_are_here(city, people).await;
}

/// The city has each case that was ever reported above, once and as its owner has it, and no other.
async fn assert_urgent_cases_are_here(city: &City, people: &People) {
    let mut owned = BTreeMap::new();
    for at in all() {
        for (case, standing) in plain::cases(city, at, true).await {
            assert_eq!(owned.insert(case, standing), None, "{case} has two owners");
        }
    }
    assert_eq!(owned.len(), people.reported.len());
    owned.retain(|case, _| people.escalated.contains(case));
    until("the urgent cases do not all come to the city as they are", async || {
        (plain::cases(city, CITY, false).await == owned).then_some(())
    })
    .await;
    assert_eq!(plain::with_headers(city, CITY).await, people.escalated);
}

/// The digest of a member over the rows of a node, and the one that the member stated to it.
async fn digests(city: &City, at: usize, member: usize) -> (Hash, Hash, Hash) {
    let (store, mut write) = wuji::store::open(&city.database(at), city.id(at)).await.expect("a database");
    let moved_along = write.figure_set(city.id(member)).await.expect("a digest").hash();
    let counted = write.recount(city.id(member)).await.expect("a digest").hash();
    write.rest();
    let marks = "SELECT member, digest FROM watermark WHERE node = $1";
    let marks = city.beside(&store).rows::<(Vec<u8>, Vec<u8>)>(city.id(at), marks).await;
    let (_, stated) = marks.into_iter().find(|mark| mark.0 == city.id(member).as_bytes()).expect("a watermark");
    (moved_along, counted, Hash(stated.try_into().expect("a hash")))
}

/// For each node, the digest of what it owns is the same at itself and at every level above, and is what it stated last.
async fn assert_digests_equal(city: &mut City) {
    for at in all() {
        let below: Vec<usize> = all().filter(|member| above(*member).any(|above| above == at)).collect();
        city.settled(at, &below).await;
    }
    let mut empty = 0;
    city.stop_all().await;
    for member in all().skip(1) {
        let (own, counted, stated) = digests(city, member, member).await;
        assert_eq!((own, own), (counted, stated), "{} of itself", division(member));
        empty += usize::from(own == protocol::digest::SetDigest::default().hash());
        for at in above(member) {
            assert_eq!(digests(city, at, member).await, (own, own, own), "{} at {}", division(member), division(at));
        }
    }
    // Grids and townships own something; counties and communities may not.
    assert!(empty <= 4, "{empty} nodes own nothing");
}

/// A month on, a grid no longer holds the names of what it gave away, and those of its own cases it does.
async fn assert_names_go(city: &mut City) {
    const NAMED: &str = "SELECT count(DISTINCT p.case_id) FROM case_private p JOIN case_file f ON f.node = p.node \
                         AND f.case_id = p.case_id WHERE p.node = $1 AND f.mine = ";
    let named = async |city: &City, mine: i64| {
        let counted = city.rows::<(i64,)>(GRIDS[0], &format!("{NAMED}{mine}")).await;
        counted.first().expect("a count").0
    };
    city.start(GRIDS[0]).await;
    let (given, kept) = (named(city, 0).await, named(city, 1).await);
    assert!(given > 0 && kept > 0, "the week had both: {given} and {kept}");
    city.stop(GRIDS[0]).await;
    city.next_month();
    city.start(GRIDS[0]).await;
    until("names are held a month later", async || (named(city, 0).await == 0).then_some(())).await;
    assert_eq!(named(city, 1).await, kept);
}
