//! Faults of processes, networks and machines, made to real nodes while people file cases: what was answered for is not lost,
//! nothing is doubled, and the city's figures are a count over the owners.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use wuji_tests::ledger::Ledger;
use wuji_tests::line::{CITY, COMMUNITY, COUNTY, FiveLevels, GRID, TOWNSHIP, parent_up, standing};
use wuji_tests::postgres::TestDatabase;
use wuji_tests::process::{Node, within};

/// A silent connection is given up after 36 seconds.
const SILENCE_NOTICED: Duration = Duration::from_secs(100);

/// Those at which cases are filed, by handles that stay while the processes come and go.
fn filers(levels: &FiveLevels) -> Vec<(usize, Node)> {
    [TOWNSHIP, COMMUNITY, GRID].map(|at| (at, levels.nodes[at].alike())).into()
}

/// A moment of some hundred milliseconds, another each time.
async fn a_moment() {
    let mut random = [0];
    getrandom::fill(&mut random).expect("randomness");
    tokio::time::sleep(Duration::from_millis(20 + u64::from(random[0]))).await;
}

/// Kills a node, kills it again while it starts, and starts it.
async fn kill_twice(node: &mut Node) {
    node.kill();
    a_moment().await;
    node.start_with(&[]);
    a_moment().await;
    node.kill();
    node.start().await;
}

async fn every_level_is_killed_while_cases_are_filed(mut levels: FiveLevels, rounds: usize) {
    let stop = AtomicBool::new(false);
    let filers = filers(&levels);
    let mut ledger = Ledger::default();
    tokio::join!(ledger.fill(&filers, &stop, Duration::from_millis(15)), async {
        for _ in 0..rounds {
            for victim in [GRID, CITY, TOWNSHIP, COUNTY, COMMUNITY] {
                a_moment().await;
                kill_twice(&mut levels.nodes[victim]).await;
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(ledger.len() > 50, "only {} cases were filed", ledger.len());
    ledger.holds(&levels).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_level_is_killed_again_and_again_while_cases_are_filed_and_nothing_is_lost_or_doubled() {
    let root = tempfile::tempdir().expect("a folder");
    let levels = FiveLevels::raise(root.path()).await;
    every_level_is_killed_while_cases_are_filed(levels, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_level_is_killed_while_its_rows_are_on_a_server_and_nothing_is_lost_or_doubled() {
    let root = tempfile::tempdir().expect("a folder");
    let database = TestDatabase::new();
    let levels = FiveLevels::raise_on(root.path(), Some(&database.url)).await;
    every_level_is_killed_while_cases_are_filed(levels, 1).await;
}

/// Whether a node says that a link to a child of its is down.
async fn a_child_is_down(node: &Node) -> Option<()> {
    let status = node.get("/status").await?;
    let down = |link: &Value| link["parent"] == false && link["up"] == false;
    status["links"].as_array()?.iter().any(down).then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_township_that_stands_still_is_seen_by_its_neighbours_which_work_on_and_everything_arrives_later() {
    let root = tempfile::tempdir().expect("a folder");
    let levels = FiveLevels::raise(root.path()).await;
    let mut ledger = Ledger::default();
    levels.nodes[TOWNSHIP].signal("STOP");
    for at in [COMMUNITY, GRID] {
        for people in [2, 5, 20] {
            ledger.file(at, &levels.nodes[at], people).await.expect("those below work on");
        }
    }
    within(SILENCE_NOTICED, "the community does not say that its link is down", async || {
        (!parent_up(&levels.nodes[COMMUNITY]).await?).then_some(())
    })
    .await;
    within(SILENCE_NOTICED, "the county does not say that its link is down", async || {
        a_child_is_down(&levels.nodes[COUNTY]).await
    })
    .await;
    ledger.file(GRID, &levels.nodes[GRID], 20).await.expect("those below work on");
    levels.nodes[TOWNSHIP].signal("CONT");
    ledger.holds(&levels).await;
}

/// Not by the kernel's `netem`, which many kernels lack: by the relays between the nodes.
#[tokio::test(flavor = "multi_thread")]
async fn over_slow_narrow_and_lossy_lines_an_orange_case_overtakes_what_waits_and_everything_arrives() {
    const BOUND: Duration = Duration::from_secs(30);
    let root = tempfile::tempdir().expect("a folder");
    let levels = FiveLevels::raise(root.path()).await;
    for relay in &levels.relays {
        relay.delay(Duration::from_millis(150));
        relay.lose(50);
        relay.narrow(16 * 1024);
    }
    let mut ledger = Ledger::default();
    for _ in 0..60 {
        ledger.file(GRID, &levels.nodes[GRID], 2).await.expect("filed");
    }
    let began = Instant::now();
    let orange = ledger.file(GRID, &levels.nodes[GRID], 20).await.expect("filed");
    within(BOUND, "the orange case is not at the city", async || standing(&levels.nodes[CITY], &orange).await).await;
    let lost: u64 = levels.relays.iter().map(wuji_tests::relay::Relay::lost).sum();
    tell("an orange case over four hops of 150 ms, 16 KiB a second and 5 % loss", began.elapsed(), BOUND);
    assert!(lost > 0, "the lines lost nothing");
    ledger.holds(&levels).await;
}

#[expect(clippy::print_stdout, reason = "what was measured belongs into the output of the test")]
fn tell(what: &str, took: Duration, bound: Duration) {
    println!("{what}: {:.1} s (at most {} s)", took.as_secs_f64(), bound.as_secs());
}
