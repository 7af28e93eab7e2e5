//! A thousand agreements at once get the next numbers of their committee, without a gap and without a repeat, on both databases.

#[path = "support/again.rs"]
mod again;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/postgres.rs"]
#[expect(dead_code, unreachable_pub, reason = "a public module of other tests, of which this needs a database")]
mod postgres;

use casework::{Actor, Command, Draw, Intake, OpenMediation, Role};
use protocol::bounded::{List, Text};
use protocol::event::{AgreementForm, MediationSource};
use protocol::id::CaseId;
use protocol::time::UnixMillis;
use protocol::unit::UnitCode;
use serde_json::json;
use tokio::task::JoinSet;
use wuji::folder::Folder;
use wuji::node::{self, Plan, Running};

const CITY: &str = "330600000000";
const COMMITTEE: UnitCode = UnitCode(1);
const AGREEMENTS: u16 = 1_000;

fn by() -> Actor {
    Actor::everywhere("mediator", "王秀兰", &[Role::GridWorker, Role::Clerk, Role::Mediator])
}

fn case_id(number: u16) -> CaseId {
    let mut rest = [0; 10];
    rest[8..].copy_from_slice(&number.to_be_bytes());
    CaseId::new(UnixMillis(1_790_000_000_000), rest)
}

async fn running(root: &tempfile::TempDir, database: Option<String>) -> Running {
    let link = ports::free_address();
    let plan = Plan {
        division: CITY.parse().expect("a code"),
        name: "绍兴市".into(),
        link,
        advertise: link.to_string(),
        http: "127.0.0.1:0".parse().expect("an address"),
        database,
    };
    let folder = root.path().join(CITY);
    node::found(&Folder::new(&folder), &plan).await.expect("founded");
    again::started(async || Running::start(Folder::new(&folder)).await).await
}

/// A dispute of two that is under mediation, to which both agree.
async fn mediated(node: &Running, case: CaseId) {
    let intake: Intake = serde_json::from_value(json!({
        "case": case.to_string(), "matter": "dispute", "source": "window", "category": 201, "place": CITY,
        "grid_kind": "basic", "title": "通道之争", "ending": "settle_here",
        "parties": [{ "side": "applicant", "name": "张三" }, { "side": "respondent", "name": "李四" }],
    }))
    .expect("an intake");
    node.port.report(intake, by()).await.expect("reported");
    let parties = List::new(vec![1, 2]).expect("two");
    let open = OpenMediation {
        source: MediationSource::Application,
        committee: COMMITTEE,
        on: None,
        mediators: List::default(),
        chosen: false,
        closed: false,
        note: Text::default(),
    };
    let before = [
        Command::File,
        Command::Assign { unit: COMMITTEE, note: Text::default() },
        open.into(),
        Command::Consent { parties, agree: true, on: None, note: Text::default() },
    ];
    for command in before {
        node.port.act(case, command, by()).await.expect("allowed");
    }
}

fn agreement() -> Command {
    Draw {
        form: AgreementForm::Oral,
        parties: List::new(vec![1, 2]).expect("two"),
        on: None,
        facts: Text::default(),
        issue: Text::default(),
        terms: Text::cut("李四让出通道一米"),
        manner: Text::default(),
        amount_fen: None,
        plan: List::default(),
        electronic: false,
        mediator: Text::cut("王秀兰"),
    }
    .into()
}

/// Does something for every case at once.
async fn at_once<F: Future<Output = ()> + Send + 'static>(work: impl Fn(CaseId) -> F) {
    let mut tasks: JoinSet<()> = (1..=AGREEMENTS).map(|number| work(case_id(number))).collect();
    while let Some(done) = tasks.join_next().await {
        done.expect("it went well");
    }
}

async fn a_thousand(database: Option<String>) {
    let root = tempfile::tempdir().expect("a folder");
    let node = std::sync::Arc::new(running(&root, database).await);
    at_once(|case| {
        let node = node.clone();
        async move { mediated(&node, case).await }
    })
    .await;
    at_once(|case| {
        let port = node.port.clone();
        async move { drop(port.act(case, agreement(), by()).await.expect("drawn up")) }
    })
    .await;
    let year = node.clock.reading().day();
    let year = casework::calendar::Date(year).year();
    let book = node.store.book(COMMITTEE, year).await.expect("a book");
    let numbers: Vec<u32> = book.iter().map(|line| line.number.number).collect();
    assert_eq!(numbers, (1..=u32::from(AGREEMENTS)).collect::<Vec<_>>());
    let cases: std::collections::BTreeSet<_> = book.iter().filter_map(|line| line.case).collect();
    assert_eq!(cases.len(), usize::from(AGREEMENTS), "each number is of a case of its own");
    let node = std::sync::Arc::into_inner(node).expect("nobody else holds it");
    node.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_agreements_are_numbered_at_once_on_a_file() {
    Box::pin(a_thousand(None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_agreements_are_numbered_at_once_on_a_server() {
    let database = postgres::TestDatabase::new();
    Box::pin(a_thousand(Some(database.url.clone()))).await;
}
