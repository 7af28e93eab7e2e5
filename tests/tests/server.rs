//! Real processes whose rows are on a PostgreSQL server: a path of five levels in one database, and a writer with a standby
//! and readers.

use std::time::{Duration, Instant};

use serde_json::json;
use wuji_tests::line::{CITY, COUNTY, FiveLevels, GRID, HEALED, PATH, TOWNSHIP, case_id, parent_up, report, standing};
use wuji_tests::postgres::TestDatabase;
use wuji_tests::process::{Node, within};

/// A writer is gone: so long until another must serve.
const TAKEN_OVER: Duration = Duration::from_secs(10);
/// A process that lives answers within this.
const ANSWERED: Duration = Duration::from_secs(3);

/// Files a report; a process that does not answer soon counts as gone.
async fn file(node: &Node, case: &str) -> Result<(), String> {
    let body = report(case, 20, "settle_here");
    match tokio::time::timeout(ANSWERED, node.post("/cases", &body)).await {
        Ok(answer) => answer.map(|_| ()),
        Err(_) => Err("no answer".to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_levels_in_one_database_carry_a_case_to_the_city_through_kills() {
    let root = tempfile::tempdir().expect("a folder");
    let database = TestDatabase::new();
    let mut levels = FiveLevels::raise_on(root.path(), Some(&database.url)).await;
    let mut cases = Vec::new();
    for victim in [TOWNSHIP, CITY] {
        for n in 0..6 {
            if n == 2 {
                levels.nodes[victim].kill();
            }
            if n == 4 {
                levels.nodes[victim].start().await;
            }
            let case = case_id();
            file(&levels.nodes[GRID], &case).await.expect("the report is filed");
            cases.push(case);
        }
    }
    levels.all_up().await;
    for case in &cases {
        within(HEALED, &format!("case {case} is not at the city as at its owner"), async || {
            let below = standing(&levels.nodes[GRID], case).await?;
            (standing(&levels.nodes[CITY], case).await? == below).then_some(())
        })
        .await;
    }
    levels.settled().await;
    let counted = levels.nodes[CITY].get("/figures/totals").await.expect("figures");
    assert_eq!(counted["cases"].as_u64(), u64::try_from(cases.len()).ok());
    assert!(!levels.nodes[CITY].folder.join("node.db").exists(), "no row is in a file");
}

/// A city with a user of load: files cases at whichever of these answers, until told to stop; gives what was answered for.
async fn load(nodes: [&Node; 2], until: &std::sync::atomic::AtomicBool) -> Vec<String> {
    let mut done = Vec::new();
    while !until.load(std::sync::atomic::Ordering::Relaxed) {
        let case = case_id();
        for node in nodes {
            // The same report under the same id: sent again where the answer was lost.
            if file(node, &case).await.is_ok() {
                done.push(case);
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    done
}

#[expect(clippy::print_stdout, reason = "what was measured belongs into the output of the test")]
fn tell(what: &str, took: Duration) {
    println!("{what}: {:.2} s", took.as_secs_f64());
}

struct Pair {
    writer: Node,
    standby: Node,
    _root: tempfile::TempDir,
    _database: TestDatabase,
}

/// A writer that serves, and a standby in a copy of its folder that waits.
async fn pair() -> Pair {
    let root = tempfile::tempdir().expect("a folder");
    let database = TestDatabase::new();
    let mut writer = Node::found_on(root.path(), PATH[CITY], Some(&database.url));
    let mut standby = writer.copy(&root.path().join("standby"));
    writer.start().await;
    standby.start_with(&["--standby"]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(standby.get("/status").await.is_none(), "a standby does not serve");
    Pair { writer, standby, _root: root, _database: database }
}

/// The same before the standby runs, and so that nodes below find it where they found the writer: an address that moves.
async fn pair_at_one_address() -> Pair {
    let root = tempfile::tempdir().expect("a folder");
    let database = TestDatabase::new();
    let mut writer = Node::found_on(root.path(), PATH[CITY], Some(&database.url));
    writer.start().await;
    let mut standby = writer.copy(&root.path().join("standby"));
    standby.configure(&standby.link.to_string(), &writer.link.to_string());
    standby.link = writer.link;
    Pair { writer, standby, _root: root, _database: database }
}

/// Files cases while something happens to the writer; afterwards the standby serves all that was answered for, in time.
async fn fails_over(pair: &mut Pair, what: &str, happen: impl FnOnce(&mut Node)) {
    let stop = std::sync::atomic::AtomicBool::new(false);
    let victim = pair.writer.alike();
    let (done, took) = tokio::join!(load([&victim, &pair.standby], &stop), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        happen(&mut pair.writer);
        let began = Instant::now();
        within(TAKEN_OVER, "the standby does not serve", async || pair.standby.get("/status").await).await;
        let took = began.elapsed();
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        took
    });
    tell(what, took);
    assert!(done.len() > 20, "only {} cases were filed", done.len());
    for case in &done {
        assert!(standing(&pair.standby, case).await.is_some(), "case {case} was answered for and is lost");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_writer_is_followed_by_its_standby_and_nothing_is_lost() {
    let mut pair = pair().await;
    fails_over(&mut pair, "kill -9 of the writer until the standby serves", Node::kill).await;
    let refused = {
        pair.writer.start_with(&[]);
        pair.writer.ended(Duration::from_secs(20)).await
    };
    assert!(refused.contains("is written by"), "a second writer is refused and told why: {refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_below_a_killed_writer_finds_its_standby_at_the_same_address_and_what_was_under_way_arrives() {
    let Pair { mut writer, mut standby, _root: root, _database } = pair_at_one_address().await;
    let mut county = Node::join(root.path(), PATH[COUNTY], &writer, writer.link);
    county.start().await;
    within(HEALED, "the link is not up", async || parent_up(&county).await.filter(|up| *up)).await;
    standby.start_with(&["--standby"]);
    let mut cases = Vec::new();
    for n in 0..9 {
        if n == 3 {
            writer.kill();
        }
        let case = case_id();
        file(&county, &case).await.expect("the county files, whoever serves above");
        cases.push(case);
    }
    within(TAKEN_OVER, "the standby does not serve", async || standby.get("/status").await).await;
    for case in &cases {
        within(HEALED, &format!("case {case} is not at the standby as at its owner"), async || {
            let below = standing(&county, case).await?;
            (standing(&standby, case).await? == below).then_some(())
        })
        .await;
    }
    within(HEALED, "the figures are not whole", async || {
        let told = standby.get("/figures/completeness").await?;
        let cases = standby.get("/figures/totals").await?["cases"].as_u64();
        (told["missing"].as_array()?.is_empty() && cases == Some(9)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_writer_that_comes_back_commits_nothing_and_ends_with_a_clear_word() {
    let mut pair = pair().await;
    fails_over(&mut pair, "SIGSTOP of the writer until the standby serves", |node| node.signal("STOP")).await;
    let late = case_id();
    let old = pair.writer.alike();
    let asked = tokio::spawn({
        let late = late.clone();
        async move { old.post("/cases", &report(&late, 20, "settle_here")).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    pair.writer.signal("CONT");
    let word = pair.writer.ended(Duration::from_secs(20)).await;
    assert!(word.contains("another process has taken over this node"), "{word}");
    assert!(asked.await.expect("no panic").is_err(), "nothing is answered for");
    assert!(standing(&pair.standby, &late).await.is_none(), "and nothing was committed");
    file(&pair.standby, &late).await.expect("the standby goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_beside_the_writer_serve_what_it_commits_and_say_where_to_write() {
    let root = tempfile::tempdir().expect("a folder");
    let database = TestDatabase::new();
    let mut writer = Node::found_on(root.path(), PATH[CITY], Some(&database.url));
    writer.start().await;
    let mut readers: Vec<Node> = (0..2).map(|n| writer.copy(&root.path().join(format!("reader-{n}")))).collect();
    for reader in &mut readers {
        reader.start_with(&["--read-only"]);
        within(Duration::from_secs(30), "a reader does not answer", async || reader.get("/status").await).await;
    }
    let case = case_id();
    file(&writer, &case).await.expect("filed");
    for reader in &readers {
        assert_eq!(standing(reader, &case).await, standing(&writer, &case).await);
        let refused = file(reader, &case_id()).await.expect_err("a reader does not write");
        assert!(refused.contains("reads-only") && refused.contains(&writer.http.to_string()), "{refused}");
        // Whoever prints is written down, which a reader cannot do.
        let unprinted = reader.refusal(&format!("/cases/{case}/dossier.pdf?reason=inspection")).await;
        assert!(unprinted.is_some_and(|told| told.contains("reads-only")));
    }
    writer.kill();
    assert!(standing(&readers[0], &case).await.is_some(), "readers need no writer");
    let counted = readers[1].get("/figures/totals").await.expect("figures");
    assert_eq!(counted["cases"], json!(1));
}
