//! The same figures in plain SQL: over the case tables of the owners, and over what the city was told.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::CaseId;
use wuji::oversight::{Dimension, Filter, Measure, Period, Question};

use super::city::{City, division};

/// Cases by day, level, category and place.
pub(crate) type Totals = BTreeMap<[i64; 4], u64>;
type Cells = BTreeMap<[u64; 2], u64>;

fn number(n: i64) -> u64 {
    u64::try_from(n).expect("no negative number")
}

async fn totals(city: &City, at: usize, text: &str, into: &mut Totals) {
    for (day, level, category, place, cases) in city.rows::<(i64, i64, i64, i64, i64)>(at, text).await {
        *into.entry([day, level, category, place]).or_default() += number(cases);
    }
}

/// What the owners among these nodes have.
pub(crate) async fn owned(city: &City, owners: &[usize]) -> Totals {
    let text = "SELECT reported_day, level, category, place, count(*) FROM case_file WHERE node = $1 AND mine = 1 AND void = 0 \
                GROUP BY 1, 2, 3, 4";
    let mut all = Totals::new();
    for owner in owners {
        totals(city, *owner, text, &mut all).await;
    }
    all
}

/// What a node holds as facts.
pub(crate) async fn told(city: &City, at: usize) -> Totals {
    let text =
        "SELECT day, level, category, place, count(*) FROM fact WHERE node = $1 AND void = 0 GROUP BY 1, 2, 3, 4";
    let mut all = Totals::new();
    totals(city, at, text, &mut all).await;
    all
}

/// What a node answers must be these totals, by each pair of day, level, category and place.
pub(crate) async fn assert_answers(city: &City, at: usize, totals: &Totals) {
    let cuts = [
        Dimension::Time(Period::Day),
        Dimension::Level,
        Dimension::Category,
        Dimension::Place(protocol::division::Level::Grid),
    ];
    for (first, second) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
        let mut counted = Cells::new();
        for (keys, cases) in totals {
            *counted.entry([number(keys[first]), number(keys[second])]).or_default() += cases;
        }
        let answered = reported(city, at, &[cuts[first], cuts[second]]).await;
        assert_eq!(answered, counted, "{:?} and {:?} at {}", cuts[first], cuts[second], division(at));
    }
}

async fn reported(city: &City, at: usize, by: &[Dimension]) -> Cells {
    let today = city.today().number();
    let question = Question {
        measure: Measure::Reported,
        by: by.to_vec(),
        within: division(at),
        days: (today - 30, today),
        filter: Filter::default(),
        today,
        judicial: Default::default(),
        places: Default::default(),
    };
    let answer = city.node(at).oversight.ask(question).await.expect("an answer");
    answer.lines.into_iter().map(|(keys, figure)| (keys, figure.numerator)).collect()
}

/// A case as its row says it stands: head, number of the last header, level, step, whether it is void.
pub(crate) type Standing = (Vec<u8>, i64, i64, String, i64);

/// The cases of which a node holds the row; of its own ones alone, or all.
pub(crate) async fn cases(city: &City, at: usize, own: bool) -> BTreeMap<CaseId, Standing> {
    let text = "SELECT case_id, head, number, level, step, void, mine FROM case_file WHERE node = $1";
    let mut cases = BTreeMap::new();
    type FileRow = (Vec<u8>, Vec<u8>, i64, i64, String, i64, i64);
    for (id, head, number, level, step, void, mine) in city.rows::<FileRow>(at, text).await {
        if !own || mine == 1 {
            let id: [u8; 16] = id.try_into().expect("an id");
            let standing = (head, number, level, step, void);
            let twice = cases.insert(CaseId::from_bytes(id), standing);
            assert_eq!(twice, None, "a case has one row at {}", division(at));
        }
    }
    cases
}

/// The cases of which a node holds any header; each header once.
pub(crate) async fn with_headers(city: &City, at: usize) -> BTreeSet<CaseId> {
    let text = "SELECT case_id, takeovers, moves, number, count(*) FROM case_event WHERE node = $1 GROUP BY 1, 2, 3, 4";
    let mut cases = BTreeSet::new();
    for (id, _, _, _, copies) in city.rows::<(Vec<u8>, i64, i64, i64, i64)>(at, text).await {
        assert_eq!(copies, 1, "a header is there once at {}", division(at));
        let id: [u8; 16] = id.try_into().expect("an id");
        cases.insert(CaseId::from_bytes(id));
    }
    cases
}
