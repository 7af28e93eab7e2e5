//! `write`: cases filed a second at one node, by one client and by 64, on each database, beside what single-row commits of
//! that database cost before and after.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Instant;

use casework::{Actor, Intake, Role};
use wuji::folder::Folder;
use wuji::node::{Plan, Running, found};
use wuji::store::{self, Place};

use super::{Failure, Results};
use crate::line::{PATH, case_id, report};
use crate::postgres::TestDatabase;

/// Single-row commits of a measurement.
const COMMITS: u32 = 1_000;
/// Cases that one client files, and that 64 file together.
const CASES: [(usize, usize); 2] = [(1, 1_000), (64, 6_400)];

/// A rate with its database's own.
struct Rate {
    /// Which, as in `write_sqlite_64_clients`.
    measure: String,
    /// Cases a second.
    cases: f64,
    /// What it stands beside.
    reference: String,
    /// Single-row commits a second, the mean of before and after.
    commits: f64,
}

/// Measures both databases.
pub async fn measure(root: &Path, results: &mut Results) -> Result<(), Failure> {
    let database = TestDatabase::new();
    for (name, server) in [("sqlite", None), ("postgres", Some(database.url.as_str()))] {
        for rate in on(name, root, server).await? {
            results.line(&rate.measure, rate.cases, "cases/s", &rate.reference, rate.commits)?;
        }
    }
    Ok(())
}

async fn on(name: &str, root: &Path, database: Option<&str>) -> Result<Vec<Rate>, Failure> {
    let folder = Folder::new(root.join(format!("write-{name}")));
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let plan = Plan {
        division: PATH[0].parse()?,
        name: name.to_owned(),
        link: any,
        advertise: "127.0.0.1:1".to_owned(),
        http: any,
        database: database.map(str::to_owned),
    };
    found(&folder, &plan).await?;
    let bare = match database {
        Some(url) => Place::Server(url.to_owned()),
        None => Place::File(root.join("write-bare.db")),
    };
    let node = Running::start(folder).await?;
    let mut rates = Vec::new();
    for (clients, cases) in CASES {
        let before = commits_a_second(&bare).await?;
        let filed = filed_a_second(&node, clients, cases).await?;
        let after = commits_a_second(&bare).await?;
        rates.push(Rate {
            measure: format!("write_{name}_{clients}_client{}", if clients == 1 { "" } else { "s" }),
            cases: filed,
            reference: format!("single-row commits/s, {before:.0} before and {after:.0} after, mean"),
            commits: f64::midpoint(before, after),
        });
    }
    node.stop().await?;
    Ok(rates)
}

/// Commits of one row each, through the product's own settings, under a node of their own. Each row holds a value that was
/// never there before: SQLite writes nothing, and waits for no disk, where a row stays as it was.
async fn commits_a_second(place: &Place) -> Result<f64, Failure> {
    let (_, mut store) = store::open(place, protocol::id::NodeId::from_bytes([9; 16])).await?;
    let began = Instant::now();
    for n in 0..COMMITS {
        store.begin().await?;
        store.set_meta(&format!("row {n}"), &case_id()).await?;
        store.commit().await?;
    }
    let elapsed = began.elapsed().as_secs_f64();
    store.release().await?;
    Ok(f64::from(COMMITS) / elapsed)
}

/// From the first call until the last answer, which comes after the commit.
async fn filed_a_second(node: &Running, clients: usize, cases: usize) -> Result<f64, Failure> {
    let by = Actor::everywhere("bench", "bench", &[Role::GridWorker]);
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (port, by) = (node.port.clone(), by.clone());
        tasks.spawn(async move {
            for _ in 0..cases / clients {
                let intake: Intake = serde_json::from_value(report(&case_id(), 20, "settle_here"))?;
                port.report(intake, by.clone()).await?;
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand cases")]
    Ok(cases as f64 / began.elapsed().as_secs_f64())
}
