//! `search`: how long a page of found cases takes, filtered and sorted, as the cases of a node grow; beside it a page of the list and one
//! case as it is opened. On SQLite, and on PostgreSQL where one is given.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use casework::publish::InForce;
use casework::{Actor, Case, Decision, Grant, Intake, Keys, Known, Me, Record, Role, World};
use protocol::chain::Signature;
use protocol::division::DivisionCode;
use protocol::event::{DueTerm, Outcome, Step, TermKind};
use protocol::id::{CaseId, NodeId};
use protocol::time::{ClockReading, UnixMillis};
use protocol::unit::UnitCode;
use serde_json::json;
use wuji::clock::Clock;
use wuji::demo::percentile;
use wuji::finding::{Asked, Finder, Sort, Terms, Viewer, Wanted};
use wuji::names::Table;
use wuji::person::vault::Vault;
use wuji::store::lists::CaseFilter;
use wuji::store::{self, Place, Store, WriteStore};

use super::curve::{self, Chart, Line};
use super::made::{DAYS, grid};
use super::{Failure, Results};
use crate::draw::Draw;
use crate::postgres::{self, TestDatabase};

/// Cases at which questions are asked.
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// Cases of one transaction.
const TOGETHER: usize = 500;
/// Questions at each size.
const QUESTIONS: usize = 400;
/// Most milliseconds for 95 of 100 questions at the largest size.
const REACH_MS: f64 = 200.0;
/// The same for a page of the list, and for one case, on the way to the screen.
const LIST_REACH_MS: f64 = 300.0;
const VIEW_REACH_MS: f64 = 400.0;
const CITY: &str = "330600000000";
const ME: NodeId = NodeId::from_bytes([7; 16]);
const DAY_MS: i64 = 86_400_000;

/// The curves in the documents.
pub const CHART: Chart = Chart {
    title: "A page of found cases: milliseconds, by cases held",
    picture: "docs/images/search-growth.svg",
    lines: &[
        line("sqlite, p95", ("search_sqlite_", "_p95"), SQLITE, false),
        line("sqlite, first question, loading", ("search_sqlite_", "_first"), SQLITE, true),
        line("postgres, p95", ("search_postgres_", "_p95"), POSTGRES, false),
        line("postgres, first question, loading", ("search_postgres_", "_first"), POSTGRES, true),
    ],
};
const SQLITE: &str = "#1b6ca8";
const POSTGRES: &str = "#b8541a";

const fn line(label: &'static str, named: (&'static str, &'static str), colour: &'static str, dashed: bool) -> Line {
    Line { label, measures: &["search"], named, colour, dashed }
}

/// What was measured at one size.
struct Point {
    database: &'static str,
    cases: usize,
    p50_ms: f64,
    p95_ms: f64,
    /// A page of the list without words, and one case with all its events.
    list_p95_ms: f64,
    view_p95_ms: f64,
    /// The slowest of all, and what it asked for.
    slowest: (f64, &'static str),
    /// The first question, which loads the table.
    first_ms: f64,
    bytes_a_case: f64,
    /// Microseconds to make and store the words of a case, and to store all that a report stores.
    words_us: f64,
    stored_us: f64,
}

/// Questions for cases, as they grow.
pub async fn measure(root: &Path, results: &mut Results) -> Result<(), Failure> {
    let mut points = run("sqlite", &root.join("search.db").into()).await?;
    let beside_a_server = std::env::var(postgres::SERVER).is_ok();
    if beside_a_server {
        let database = TestDatabase::new();
        points.extend(run("postgres", &Place::Server(database.url.clone())).await?);
    }
    let largest = SIZES.into_iter().max().unwrap_or(0);
    for point in &points {
        let name = |what: &str| format!("search_{}_{}_{what}", point.database, point.cases);
        match point.cases >= largest {
            true => results.at_most(&name("p95"), point.p95_ms, "ms", REACH_MS)?,
            false => results.line(&name("p95"), point.p95_ms, "ms", "reach at the largest size", REACH_MS)?,
        }
        results.line(&name("p50"), point.p50_ms, "ms", "p95", point.p95_ms)?;
        let (slowest, asked) = point.slowest;
        results.line(&name("slowest"), slowest, "ms", &format!("({asked}) p95"), point.p95_ms)?;
        let of = |what: &str| format!("{what}_{}_{}_p95", point.database, point.cases);
        results.line(&of("list"), point.list_p95_ms, "ms", "reach on the screen", LIST_REACH_MS)?;
        results.line(&of("view"), point.view_p95_ms, "ms", "reach on the screen", VIEW_REACH_MS)?;
        results.line(&name("first"), point.first_ms, "ms", "p95", point.p95_ms)?;
        results.line(&name("memory"), point.bytes_a_case, "B/case", "a fact in memory", 88.0)?;
        results.line(&name("words"), point.words_us, "µs/case", "all of a report", point.stored_us)?;
    }
    if beside_a_server {
        curve::draw(&CHART)?;
        return Ok(());
    }
    let picture = CHART.picture;
    results.missed.push(format!("not measured: search on PostgreSQL, so {picture} stays; `make bench` has a server"));
    Ok(())
}

/// Measures on one database.
async fn run(database: &'static str, place: &Place) -> Result<Vec<Point>, Failure> {
    let (store, mut write) = store::open(place, ME).await?;
    let vault = Arc::new(Vault::fresh()?);
    write.open_vault(vault.clone());
    let store = store.with_vault(vault);
    let names = Arc::new(Table::shipped()?);
    let (mut seed, holds) = (Draw(11), InForce::shipped());
    let (mut points, mut people, mut held, mut ids) = (Vec::new(), Vec::new(), 0, Vec::new());
    for size in SIZES {
        let (mut words_s, mut stored_s, before) = (0.0, 0.0, held);
        while held < size {
            let count = TOGETHER.min(size - held);
            let mut cases = Vec::with_capacity(count);
            for _ in 0..count {
                let name = person(&mut seed);
                cases.push(filed(&mut seed, &holds, &name)?);
                people.push(name);
            }
            ids.extend(cases.iter().map(|(case, _, _)| case.id));
            let began = Instant::now();
            words_s += put(&mut write, cases).await?;
            stored_s += began.elapsed().as_secs_f64();
            held += count;
        }
        write.rest();
        let each_us = |seconds: f64| seconds * 1_000_000.0 / rate(held - before, 1.0);
        let finder = Finder::new(store.clone(), Clock::default());
        let began = Instant::now();
        let loaded = finder.refresh().await?;
        let first_ms = began.elapsed().as_secs_f64() * 1_000.0;
        let (mut times, mut slowest) = (Vec::with_capacity(QUESTIONS), (0.0, ""));
        for n in 0..QUESTIONS {
            let (what, asked) = question(&mut seed, n, &people, &names)?;
            let began = Instant::now();
            let page = finder.ask(asked).await?;
            store.case_rows(&page.hits.iter().map(|hit| hit.case).collect::<Vec<_>>()).await?;
            let took = began.elapsed().as_secs_f64() * 1_000.0;
            if what == "a name" && page.hits.is_empty() {
                return Err("somebody who is there was not found".into());
            }
            times.push(took);
            if took > slowest.0 {
                slowest = (took, what);
            }
        }
        times.sort_by(f64::total_cmp);
        let (list_p95_ms, view_p95_ms) = lists_and_views(&store, &mut seed, &ids).await?;
        points.push(Point {
            database,
            cases: loaded.cases,
            p50_ms: percentile(&times, 0.5),
            p95_ms: percentile(&times, 0.95),
            list_p95_ms,
            view_p95_ms,
            slowest,
            first_ms,
            bytes_a_case: rate(loaded.bytes, rate(loaded.cases, 1.0)),
            words_us: each_us(words_s),
            stored_us: each_us(stored_s),
        });
    }
    Ok(points)
}

/// The 95th percentile of a page of the list, of all levels and steps in turn, and of one case put together from its rows.
async fn lists_and_views(store: &Store, seed: &mut Draw, ids: &[CaseId]) -> Result<(f64, f64), Failure> {
    let (mut lists, mut views) = (Vec::with_capacity(QUESTIONS), Vec::with_capacity(QUESTIONS));
    let elapsed = |began: Instant| began.elapsed().as_secs_f64() * 1_000.0;
    for n in 0..QUESTIONS {
        let level = u8::try_from(n % 4)?;
        let step = (n % 3 == 0).then(|| "in_progress".to_owned());
        let filter =
            CaseFilter { mine: Some(true), level: (level > 0).then_some(level), step, ..CaseFilter::default() };
        let began = Instant::now();
        store.case_list(&filter, None, 50).await?;
        lists.push(elapsed(began));
        let case = ids[usize::try_from(seed.below(ids.len() as u64))?];
        let began = Instant::now();
        if Known::assemble(case, store.records(case).await?).case().is_none() {
            return Err("a case that is there was not put together".into());
        }
        views.push(elapsed(began));
    }
    lists.sort_by(f64::total_cmp);
    views.sort_by(f64::total_cmp);
    Ok((percentile(&lists, 0.95), percentile(&views, 0.95)))
}

/// Stores cases; seconds for their words alone.
async fn put(write: &mut WriteStore, cases: Vec<(Case, Vec<Record>, UnixMillis)>) -> Result<f64, Failure> {
    write.begin().await?;
    let records: Vec<Record> = cases.iter().flat_map(|(_, records, _)| records.clone()).collect();
    write.put_records(&records).await?;
    for (case, _, at) in &cases {
        write.put_case_files(ME, &[case], *at).await?;
    }
    let began = Instant::now();
    write.put_search(&cases.iter().map(|(case, _, _)| case).collect::<Vec<_>>()).await?;
    let words_s = began.elapsed().as_secs_f64();
    write.commit().await?;
    Ok(words_s)
}

/// Signatures are not what is measured here.
struct NoKeys;

impl Keys for NoKeys {
    fn sign(&self, _: &[u8]) -> Signature {
        Signature([0; 64])
    }
    fn verify(&self, _: NodeId, _: &[u8], _: &Signature) -> bool {
        true
    }
    fn division(&self, _: NodeId) -> Option<DivisionCode> {
        CITY.parse().ok()
    }
}

const SURNAMES: [char; 20] = [
    '王', '李', '张', '刘', '陈', '杨', '赵', '黄', '周', '吴', '徐', '孙', '胡', '朱', '高', '林', '何', '郭', '马',
    '曾',
];
const GIVEN: &str =
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红娥玲芬燕彩春菊兰凤洁梅琳素云莲真环雪荣爱妹霜香月莺媛瑞凡佳";
const MATTERS: [&str; 12] = [
    "楼上漏水墙面受损",
    "停车占道互不相让",
    "拖欠工资三个月未付",
    "宅基地边界争执",
    "噪音扰民夜间施工",
    "物业费与服务质量",
    "借款到期不还",
    "婚后财产分割",
    "赡养老人费用分担",
    "电动车楼道充电",
    "合同定金拒不退还",
    "邻居养犬伤人",
];
const SENTENCES: [&str; 10] = [
    "双方多次协商未果,情绪较为激动。",
    "社区工作人员上门了解情况,当事人称曾报警处理。",
    "对方承诺月底前解决,但一直没有兑现。",
    "现场照片和收据已经留存,金额约三千二百元。",
    "网格员走访时发现,附近住户也有类似反映。",
    "当事人年龄较大,行动不便,希望尽快调解。",
    "公司负责人表示资金周转困难,愿意分期支付。",
    "村委会此前组织过一次调解,没有达成协议。",
    "涉及住户十余家,要求统一答复。",
    "对方认为责任不在自己,要求做专业鉴定。",
];

fn person(seed: &mut Draw) -> String {
    let given: Vec<char> = GIVEN.chars().collect();
    [seed.of(&SURNAMES), seed.of(&given), seed.of(&given)].into_iter().collect()
}

/// A case that was reported at some grid on some day, and has come some way since.
fn filed(seed: &mut Draw, holds: &InForce, name: &str) -> Result<(Case, Vec<Record>, UnixMillis), Failure> {
    let (matter, other) = (seed.of(&MATTERS), person(seed));
    let sentences: String = (0..4 + seed.below(5)).map(|_| seed.of(&SENTENCES)).collect();
    let day = i64::from(DAYS.0) + i64::try_from(seed.below(365))?;
    let at = UnixMillis(day * DAY_MS + i64::try_from(seed.below(36_000_000))?);
    let case = CaseId::new(at, std::array::from_fn(|_| u8::try_from(seed.below(256)).unwrap_or(0)));
    let people = seed.of(&[2, 2, 2, 5, 20]);
    let intake: Intake = serde_json::from_value(json!({
        "case": case.to_string(), "matter": "dispute", "source": seed.of(&["grid", "window", "hotline12345", "police110"]),
        "category": seed.of(&[101, 102, 201, 402, 503, 601]), "place": grid(seed.below(6_000)).to_string(), "grid_kind": "basic",
        "title": format!("{name}与{other}{matter}"), "narrative": format!("{name}反映{matter}。{sentences}"),
        "parties": [
            { "side": "applicant", "name": name, "phone": format!("138{:08}", seed.below(100_000_000)) },
            { "side": "respondent", "name": other },
        ],
        "answers": { "signs": 0, "violence": "no", "petition_talk": "yes", "people": people, "disturbs": "yes", "effort": "no" },
        "head_count": people, "ending": "settle_here",
    }))?;
    let mut entropy =
        |buffer: &mut [u8]| buffer.iter_mut().for_each(|byte| *byte = u8::try_from(seed.below(256)).unwrap_or(0));
    let mut world = World {
        me: Me { node: ME, division: CITY.parse()? },
        line: &[],
        holds,
        now: ClockReading::exact(at),
        entropy: &mut entropy,
        keys: &NoKeys,
        mutant: None,
    };
    let by = Actor::everywhere("bench", "bench", &[Role::GridWorker]);
    let known = Known::assemble(case, Vec::new());
    let Decision { records, known, .. } =
        casework::open(intake, &by, &known, &mut world).map_err(|refusal| format!("{refusal}"))?;
    let mut case = known.case().cloned().ok_or("no case")?;
    advance(seed, &mut case);
    let records = records.into_iter().filter(|record| !matches!(record, Record::Fact(_))).collect();
    Ok((case, records, at))
}

/// What its row of lists says: its words are those of the report.
fn advance(seed: &mut Draw, case: &mut Case) {
    let steps = [Step::Reported, Step::Filed, Step::Assigned, Step::InProgress, Step::FedBack, Step::Archived];
    case.brief.step = seed.of(&steps);
    case.brief.unit = UnitCode(seed.of(&[0, 1, 2, 3, 4, 5]));
    case.brief.outcome = (case.brief.step > Step::InProgress).then_some(Outcome::Successful);
    let since = case.reported_at.day();
    let term = DueTerm { kind: TermKind::Resolve, since, day: since.plus(30), provisional: false };
    case.brief.next_term = (case.brief.step < Step::FedBack).then_some(term);
}

/// Questions as a desk asks them in a day: by a person, by words, by lists of all kinds, and for what is not there.
fn question(
    seed: &mut Draw,
    n: usize,
    people: &[String],
    names: &Arc<Table>,
) -> Result<(&'static str, Asked), Failure> {
    let wanted = Wanted { archived: true, ..Wanted::default() };
    let someone = people[usize::try_from(seed.below(people.len() as u64))?].clone();
    let open = Wanted { archived: false, ..wanted.clone() };
    let county = (330_602_000_000_000, 330_603_000_000_000);
    let matter: String = seed.of(&MATTERS).chars().take(4).collect();
    let (what, q, wanted, sort, role) = match n % 10 {
        0 | 1 => ("a name", someone, wanted, Sort::Level, Role::Clerk),
        2 => ("initials", seed.of(&["zsl", "wwf", "lxm", "cjy"]).to_owned(), wanted, Sort::Reported, Role::Clerk),
        3 => ("a common word", matter, open, Sort::Term, Role::Clerk),
        4 => ("a name and a word", format!("{someone} {}", &matter[..6]), wanted, Sort::Level, Role::Clerk),
        5 => ("nobody", format!("欧阳{}", seed.of(&["修远", "震华", "明日"])), wanted, Sort::Level, Role::Clerk),
        6 => ("words, masked", matter, Wanted { level: Some(1), ..wanted }, Sort::Level, Role::Viewer),
        7 => ("a name, masked", someone, wanted, Sort::Level, Role::Viewer),
        8 => (
            "overdue of a unit and a county",
            String::new(),
            Wanted { unit: Some(UnitCode(3)), places: Some(vec![county]), overdue_on: Some(DAYS.1), ..open },
            Sort::Term,
            Role::Clerk,
        ),
        _ => ("a place and a word", "越城区 协商未果".to_owned(), open, Sort::Reported, Role::Clerk),
    };
    let viewer = Viewer { grants: vec![Grant::everywhere(role)], can_be_noted: true };
    let asked = Asked {
        wanted,
        terms: Terms::read(&q)?,
        sort,
        after: None,
        count: 50,
        viewer,
        names: names.clone(),
        home: CITY.parse()?,
    };
    Ok((what, asked))
}

#[expect(clippy::cast_precision_loss, reason = "some hundred thousands")]
fn rate(count: usize, seconds: f64) -> f64 {
    count as f64 / seconds
}
