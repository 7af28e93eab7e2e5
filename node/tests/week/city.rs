//! A city of eleven nodes in one process, over real links. The link of one county passes a relay that can be cut.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use casework::{Case, Command, Intake, Known};
use futures_util::future::join_all;
use protocol::division::DivisionCode;
use protocol::id::{CaseId, NodeId};
use protocol::time::{CivilDay, UnixMillis};
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use wuji::clock::Clock;
use wuji::config::{Config, FiguresSection};
use wuji::folder::Folder;
use wuji::node::{Plan, Running, found, give_token, join};
use wuji::oversight::{Completeness, completeness};
use wuji::store::figures::MarkRow;
use wuji::store::{Place, Store};
use wuji::writer::port::Failed;

use super::again;
use super::plan::everybody;
use super::postgres::TestDatabase;
use super::relay::Relay;
use super::rows::Beside;

/// Each node with the place of the one above it.
const TREE: [(&str, Option<usize>); 11] = [
    ("330600000000", None),
    ("330602000000", Some(0)),
    ("330602001000", Some(1)),
    ("330602001001", Some(2)),
    ("330602001001001", Some(3)),
    ("330602001001002", Some(3)),
    ("330603000000", Some(0)),
    ("330603005000", Some(6)),
    ("330603005002", Some(7)),
    ("330603005002001", Some(8)),
    ("330603005002002", Some(8)),
];
pub(crate) const CITY: usize = 0;
/// The county that is cut off, with all below it.
pub(crate) const CUT: [usize; 5] = [1, 2, 3, 4, 5];
/// The county that is not.
pub(crate) const LINKED: [usize; 5] = [6, 7, 8, 9, 10];
pub(crate) const GRIDS: [usize; 4] = [4, 5, 9, 10];

pub(crate) const HEARTBEAT: Duration = Duration::from_millis(400);
/// Within a day nobody asks for figures again: what is lost on the way stays lost, and is seen.
const PATIENT_MS: u64 = 3_600_000;
const PACE: FiguresSection = FiguresSection {
    every_ms: 50,
    heartbeat_ms: HEARTBEAT.as_millis() as u64,
    grace_ms: PATIENT_MS,
    brief_grace_ms: PATIENT_MS,
};
const LONG: Duration = Duration::from_secs(30);
const DAY_MS: i64 = 86_400_000;
/// Noon in UTC+8 is four hours into the day of UTC.
const NOON_MS: i64 = 4 * 3_600_000;

/// The nodes, the clock that they all go by, and the relay.
pub(crate) struct City {
    nodes: Vec<Option<Running>>,
    ids: Vec<NodeId>,
    pub(crate) clock: Clock,
    pub(crate) relay: Relay,
    root: tempfile::TempDir,
    /// The one of all nodes, and a way into it, where they are on a server.
    database: Option<(TestDatabase, sqlx::PgPool)>,
}

/// Looks until there is something to see.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    tokio::time::timeout(LONG, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("{what}"))
}

/// The place of a node in the tree.
pub(crate) fn division(at: usize) -> DivisionCode {
    TREE[at].0.parse().expect("a code")
}

/// The nodes above one, the nearest first.
pub(crate) fn above(at: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(TREE[at].1, |above| TREE[*above].1)
}

pub(crate) fn all() -> impl Iterator<Item = usize> {
    0..TREE.len()
}

impl City {
    /// Raises all nodes level by level, each with what it needs from the one above.
    pub(crate) async fn raise(database: Option<TestDatabase>) -> Self {
        let links: Vec<SocketAddr> = all().map(|_| super::ports::free_address()).collect();
        let relay = Relay::before(links[CITY]).await.expect("a relay");
        let root = tempfile::tempdir().expect("a folder");
        let nodes = all().map(|_| None).collect();
        let database = match database {
            Some(database) => {
                let pool = sqlx::PgPool::connect(&database.url).await.expect("a server");
                Some((database, pool))
            }
            None => None,
        };
        let mut city = Self { nodes, ids: Vec::new(), clock: Clock::default(), relay, root, database };
        for level in 0..5 {
            let level: Vec<usize> = all().filter(|at| above(*at).count() == level).collect();
            join_all(level.iter().map(|at| city.enrol(*at, links[*at]))).await;
            for at in level {
                city.start(at).await;
            }
        }
        city.ids = all().map(|at| city.node(at).config.node.id).collect();
        city.settled(CITY, &[&CUT[..], &LINKED[..]].concat()).await;
        city
    }

    async fn enrol(&self, at: usize, link: SocketAddr) {
        let plan = Plan {
            division: division(at),
            name: TREE[at].0.to_owned(),
            link,
            advertise: link.to_string(),
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            database: self.database.as_ref().map(|(database, _)| database.url.clone()),
        };
        match TREE[at].1 {
            None => found(&self.folder(at), &plan).await.map(|_| ()).expect("founded"),
            Some(above) => {
                let token = give_token(&self.folder(above), plan.division, 3_600_000).await.expect("a token");
                join(&self.folder(at), &plan, &token).await.map(|_| ()).expect("joined");
            }
        }
    }

    pub(crate) fn folder(&self, at: usize) -> Folder {
        Folder::new(self.root.path().join(TREE[at].0))
    }

    pub(crate) fn node(&self, at: usize) -> &Running {
        self.nodes[at].as_ref().expect("it runs")
    }

    pub(crate) fn id(&self, at: usize) -> NodeId {
        self.ids[at]
    }

    /// The place in the tree of a node.
    pub(crate) fn place(&self, id: NodeId) -> usize {
        self.ids.iter().position(|known| *known == id).expect("a node of this city")
    }

    pub(crate) async fn start(&mut self, at: usize) {
        let mut config = Config::load(self.folder(at).path()).expect("a configuration");
        config.figures = PACE;
        (config.link.retry_min_ms, config.link.retry_max_ms) = (50, 500);
        if at == CUT[0] {
            config.parent.as_mut().expect("a node above").address = self.relay.address.to_string();
        }
        let start = async || Running::start_by(self.folder(at), config.clone(), self.clock.clone()).await;
        let running = again::started(start).await;
        self.nodes[at] = Some(running);
    }

    pub(crate) async fn stop(&mut self, at: usize) {
        self.nodes[at].take().expect("it runs").stop().await.expect("stopped");
    }

    pub(crate) async fn stop_all(&mut self) {
        let running: Vec<Running> = self.nodes.iter_mut().filter_map(Option::take).collect();
        for stopped in join_all(running.into_iter().map(Running::stop)).await {
            stopped.expect("stopped");
        }
    }

    /// It is noon of the next day, at all nodes at once.
    pub(crate) fn next_day(&self) {
        let tomorrow = i64::from(self.today().number() + 1) * DAY_MS + NOON_MS;
        self.clock.move_on(tomorrow - self.clock.wall().0);
    }

    /// It is a month later, for whoever runs.
    pub(crate) fn next_month(&self) {
        self.clock.move_on(31 * DAY_MS);
    }

    pub(crate) fn today(&self) -> CivilDay {
        CivilDay::of(self.clock.wall())
    }

    /// Rows of a node, beside the program; `$1` is the node.
    pub(crate) async fn rows<T>(&self, at: usize, text: &str) -> Vec<T>
    where
        T: Send + Unpin + for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    {
        self.beside(&self.node(at).store).rows(self.id(at), text).await
    }

    /// A second way into the database of a store.
    pub(crate) fn beside(&self, store: &Store) -> Beside {
        Beside::of(store, self.database.as_ref().map(|(_, pool)| pool.clone()))
    }

    /// The database of a node.
    pub(crate) fn database(&self, at: usize) -> Place {
        match &self.database {
            Some((database, _)) => Place::Server(database.url.clone()),
            None => self.folder(at).database().into(),
        }
    }

    pub(crate) async fn report(&self, at: usize, intake: Intake) -> Case {
        self.node(at).port.report(intake, everybody()).await.expect("filed")
    }

    pub(crate) async fn act(&self, at: usize, case: CaseId, command: Command) -> Result<Option<Case>, Failed> {
        self.node(at).port.act(case, command, everybody()).await
    }

    /// A case as a node knows it.
    pub(crate) async fn case(&self, at: usize, case: CaseId) -> Option<Case> {
        let records = self.node(at).store.records(case).await.expect("records");
        Known::assemble(case, records).case().cloned()
    }

    /// What the members below a node last stated to it.
    pub(crate) async fn marks(&self, at: usize) -> Vec<MarkRow> {
        self.node(at).store.members(division(at)).await.expect("members")
    }

    /// How whole a node says that the figures of its area are.
    pub(crate) async fn whole(&self, at: usize) -> Completeness {
        completeness(&self.marks(at).await, self.clock.wall(), PACE.pace().stale_ms())
    }

    /// Waits until these members have stated at a node what they have by now, and it is there.
    pub(crate) async fn settled(&self, at: usize, members: &[usize]) {
        let now: UnixMillis = self.clock.wall();
        let names: Vec<&str> = members.iter().map(|member| TREE[*member].0).collect();
        let members: Vec<NodeId> = members.iter().map(|member| self.ids[*member]).collect();
        until(&format!("the figures of all of {names:?} do not come to {}", TREE[at].0), async || {
            let marks = self.marks(at).await;
            let there = marks.iter().filter(|mark| {
                members.contains(&mark.member) && mark.unequal_since.is_none() && mark.as_of > Some(now)
            });
            (there.count() == members.len()).then_some(())
        })
        .await;
    }
}
