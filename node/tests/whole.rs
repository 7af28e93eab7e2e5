//! Whether a level has the figures below it: city, county and grid as real nodes over real links, at a quick pace.

#[path = "support/again.rs"]
mod again;
#[path = "support/ports.rs"]
mod ports;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use casework::{Actor, Command, Intake, Role};
use protocol::bounded::Text;
use protocol::fact::Measure;
use protocol::id::{CaseId, NodeId};
use protocol::time::{CivilDay, UnixMillis};
use protocol::unit::UnitCode;
use protocol::wire::bundle::Bundle;
use serde_json::json;
use wuji::config::{Config, FiguresSection};
use wuji::folder::Folder;
use wuji::node::{Plan, Running, found, give_token, join};
use wuji::oversight::{Completeness, Why, completeness};
use wuji::writer::port::Ask;

const PATH: [&str; 3] = ["330600000000", "330602000000", "330602001001001"];
const PACE: FiguresSection = FiguresSection { every_ms: 50, heartbeat_ms: 600, grace_ms: 400, brief_grace_ms: 400 };
const LONG: Duration = Duration::from_secs(60);

struct Three {
    nodes: Vec<Option<Running>>,
    ids: Vec<NodeId>,
    root: tempfile::TempDir,
    made: u8,
}

async fn start(root: &Path, at: usize) -> Running {
    let folder = Folder::new(root.join(PATH[at]));
    let mut config = Config::load(folder.path()).expect("a configuration");
    config.figures = PACE;
    config.link.retry_min_ms = 50;
    config.link.retry_max_ms = 500;
    again::started(async || Running::start_with(folder.clone(), config.clone()).await).await
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    tokio::time::timeout(LONG, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("{what}"))
}

impl Three {
    fn none() -> Self {
        Self { nodes: Vec::new(), ids: Vec::new(), root: tempfile::tempdir().expect("a folder"), made: 0 }
    }

    async fn raise() -> Self {
        let mut three = Self::none();
        for at in 0..PATH.len() {
            three.enrol(at).await;
            three.start(at).await;
        }
        three.complete().await;
        three
    }

    /// Makes the next node, which does not run yet.
    async fn enrol(&mut self, at: usize) {
        let link = ports::free_address();
        let plan = Plan {
            division: PATH[at].parse().expect("a code"),
            name: PATH[at].to_owned(),
            link,
            advertise: link.to_string(),
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            database: None,
        };
        let folder = Folder::new(self.root.path().join(PATH[at]));
        let config = if at == 0 {
            found(&folder, &plan).await.expect("founded")
        } else {
            let token = give_token(&self.node(at - 1).folder, plan.division, 3_600_000).await.expect("a token");
            join(&folder, &plan, &token).await.expect("joined")
        };
        self.ids.push(config.node.id);
        self.nodes.push(None);
    }

    fn node(&self, at: usize) -> &Running {
        self.nodes[at].as_ref().expect("it runs")
    }

    async fn stop(&mut self, at: usize) {
        self.nodes[at].take().expect("it runs").stop().await.expect("stopped");
    }

    async fn start(&mut self, at: usize) {
        self.nodes[at] = Some(start(self.root.path(), at).await);
    }

    async fn whole(&self) -> Completeness {
        let city = self.node(0);
        let members = city.store.members(city.config.node.division).await.expect("members");
        completeness(&members, city.clock.wall(), PACE.pace().stale_ms())
    }

    async fn complete(&self) {
        until("the figures of the city do not become complete", async || {
            let whole = self.whole().await;
            (whole.complete == PATH.len() && self.node(2).store.figures_waiting().await.ok()? == 0).then_some(())
        })
        .await;
    }

    /// Files a report at the grid: orange with twenty people.
    async fn report(&mut self, people: u32) -> CaseId {
        self.made += 1;
        let case = CaseId::new(UnixMillis(1_780_000_000_000), [self.made; 10]);
        let intake: Intake = serde_json::from_value(json!({
            "case": case, "matter": "dispute", "source": "grid", "category": 402, "place": PATH[2], "grid_kind": "basic",
            "title": "物业纠纷", "narrative": "业主与物业争执。", "parties": [],
            "answers": { "signs": 0, "violence": "no", "petition_talk": "yes", "people": people, "disturbs": "yes", "effort": "unknown" },
            "head_count": people, "ending": "settle_here",
        }))
        .expect("an intake");
        let filed = self.node(2).port.report(intake, actor()).await.expect("filed");
        assert_eq!(filed.escalated(), people >= 5, "{filed:?}");
        case
    }

    async fn act(&self, case: CaseId, command: Command) {
        self.node(2).port.act(case, command, actor()).await.expect("done");
    }

    async fn digests(&mut self, of: usize) -> [protocol::chain::Hash; 2] {
        let mut digests = Vec::new();
        for at in [of, 0] {
            self.stop(at).await;
            let folder = Folder::new(self.root.path().join(PATH[at]));
            let (_, mut write) = wuji::store::open(&folder.database().into(), self.ids[at]).await.expect("a database");
            digests.push(write.figure_set(self.ids[of]).await.expect("a digest").hash());
            write.rest();
            self.start(at).await;
        }
        [digests[0], digests[1]]
    }
}

fn actor() -> Actor {
    let roles = [Role::GridWorker, Role::Mediator, Role::Clerk, Role::Handler, Role::Supervisor];
    Actor::everywhere("test", "测试", &roles)
}

fn no_note() -> Text<4000> {
    Text::default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_cut_off_is_named_as_missing_and_afterwards_digests_are_equal() {
    let mut three = Three::raise().await;
    let case = three.report(2).await;
    three.complete().await;
    // The county is gone for longer than anybody may be silent. The grid works on.
    three.stop(1).await;
    for command in [Command::File, Command::Assign { unit: UnitCode(1), note: no_note() }] {
        three.act(case, command).await;
    }
    for _ in 0..5 {
        three.report(2).await;
    }
    let missing = until("the city does not notice that half of it is silent", async || {
        let whole = three.whole().await;
        (whole.complete == 1).then_some(whole.missing)
    })
    .await;
    let named: Vec<_> = missing.iter().map(|missing| (missing.member, missing.why)).collect();
    assert_eq!(named, [(three.ids[1], Why::Silent), (three.ids[2], Why::Silent)]);
    assert!(missing.iter().all(|missing| missing.since.is_some()));
    let waiting = three.node(2).store.figures_waiting().await.expect("a count");
    assert_eq!(waiting, 6, "a case that changed twice waits once");
    three.start(1).await;
    three.complete().await;
    let [own, held] = three.digests(2).await;
    assert_eq!(own, held);
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_that_were_lost_above_are_noticed_asked_for_and_given_again() {
    let mut three = Three::raise().await;
    for _ in 0..8 {
        three.report(2).await;
    }
    three
        .node(2)
        .port
        .ask(Ask::Count { day: CivilDay::from_number(20_500).expect("a day"), measure: Measure::VISITS, add: 4 })
        .await
        .expect("counted");
    three.complete().await;
    // The city loses some of them, as a disk does: rows are gone, and its digest says what is left.
    three.stop(0).await;
    let folder = Folder::new(three.root.path().join(PATH[0]));
    let (store, mut write) = wuji::store::open(&folder.database().into(), three.ids[0]).await.expect("a database");
    let wuji::store::Database::File { write: pool, .. } = store.database() else { panic!("a file") };
    let gone = sqlx::query("DELETE FROM fact WHERE key IN (SELECT key FROM fact ORDER BY key LIMIT 3)")
        .execute(pool)
        .await
        .expect("deleted");
    assert_eq!(gone.rows_affected(), 3);
    sqlx::query("DELETE FROM tally").execute(pool).await.expect("deleted");
    write.recount(three.ids[2]).await.expect("counted");
    write.rest();
    drop((store, write));
    three.start(0).await;
    let why = until("the city does not notice that it lost figures", async || {
        three.whole().await.missing.iter().find(|missing| missing.member == three.ids[2]).map(|missing| missing.why)
    })
    .await;
    assert!(matches!(why, Why::Unequal | Why::Silent));
    until("the figures are not given again", async || {
        let held = three.node(0).store.facts_held().await.ok()?;
        (held == 8 && three.whole().await.complete == PATH.len()).then_some(())
    })
    .await;
    let alarms: Vec<String> = three.node(0).shared.alarms().into_iter().map(|alarm| alarm.what).collect();
    assert!(alarms.iter().any(|what| what.contains("asked for again")), "{alarms:?}");
    assert!(alarms.iter().any(|what| what.contains("what it states again")), "{alarms:?}");
    let visits = three.node(0).store.tallied(Measure::VISITS, PATH[0].parse().expect("a code"), (20_500, 20_500)).await;
    assert_eq!(visits.expect("a sum")[0].value, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orange_fact_without_its_brief_alarms_once_and_again_after_a_restart() {
    let mut three = Three::raise().await;
    let case = three.report(20).await;
    three.complete().await;
    assert!(three.node(0).store.dropped_escalations().await.expect("a list").is_empty());
    // The city loses the headers of the case. The next one does not fit to what is left.
    three.stop(0).await;
    let folder = Folder::new(three.root.path().join(PATH[0]));
    let (store, _) = wuji::store::open(&folder.database().into(), three.ids[0]).await.expect("a database");
    let wuji::store::Database::File { write: pool, .. } = store.database() else { panic!("a file") };
    for table in ["case_event", "case_file", "case_paper"] {
        let text = format!("DELETE FROM {table} WHERE case_id = $1");
        sqlx::query(sqlx::AssertSqlSafe(text)).bind(case.as_bytes().to_vec()).execute(pool).await.expect("deleted");
    }
    drop(store);
    three.start(0).await;
    three.act(case, Command::File).await;
    let dropped = until("nobody notices the dropped escalation", async || {
        three.node(0).store.dropped_escalations().await.ok()?.first().copied()
    })
    .await;
    assert_eq!((dropped.case, dropped.owner, dropped.level), (case, three.ids[2], 3));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let alarms = three.node(0).shared.alarms();
    let told: u64 = alarms.iter().filter(|a| a.what.contains("dropped escalation")).map(|a| a.times).sum();
    assert_eq!(told, 1, "it is told once");
    three.stop(0).await;
    three.start(0).await;
    let alarms = three.node(0).shared.alarms();
    let told: u64 = alarms.iter().filter(|a| a.what.contains("dropped escalation")).map(|a| a.times).sum();
    assert_eq!(told, 1, "and to whoever starts the city anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orange_case_of_a_node_that_never_met_its_parent_reaches_the_city() {
    let mut three = Three::none();
    for at in 0..2 {
        three.enrol(at).await;
        three.start(at).await;
    }
    three.enrol(2).await;
    three.stop(1).await;
    three.start(2).await;
    let case = three.report(20).await;
    three.start(1).await;
    until("the city does not know of the case", async || three.node(0).store.case_row(case).await.ok()?.map(|_| ()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watermark_can_be_proven_to_whoever_doubts_it() {
    let mut three = Three::raise().await;
    three.report(2).await;
    three.complete().await;
    let city = three.node(0);
    let bytes = city.store.proof(three.ids[2]).await.expect("a read").expect("a bundle");
    let bundle = Bundle::parse(bytes.into()).expect("a bundle");
    assert_eq!(bundle.head().origin, three.ids[2]);
    let keys = federation::trust::NodeKeys::load(&three.node(2).folder.keys()).expect("keys");
    let (signed, signature) = bundle.signed();
    assert!(federation::trust::directory::verified(keys.signing_key(), signed, &signature));
}
