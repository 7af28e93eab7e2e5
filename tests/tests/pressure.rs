//! Pressure on real nodes: a backlog beside what is urgent, and a neighbour with good certificates that breaks the rules.
//! Memory stays bounded, others are served meanwhile, and an alarm says who it was.

use std::time::Duration;

use wuji_tests::hostile::Hostile;
use wuji_tests::ledger::Ledger;
use wuji_tests::line::{CITY, COMMUNITY, COUNTY, FiveLevels, GRID, HEALED, PATH, TOWNSHIP, parent_up, standing};
use wuji_tests::process::{Node, within, wuji};

/// Memory that a neighbour can make a node hold beyond what it holds anyway.
const MEMORY_MORE_MAX: u64 = 96 * 1024 * 1024;
/// A second township below the county.
const HOSTILE: &str = "330602002000";

#[tokio::test(flavor = "multi_thread")]
async fn a_red_case_passes_the_backlog_of_figures_that_waits_on_the_same_narrow_link() {
    let root = tempfile::tempdir().expect("a folder");
    let levels = FiveLevels::raise(root.path()).await;
    let mut ledger = Ledger::default();
    levels.relays[COUNTY].cut(true);
    for _ in 0..300 {
        ledger.file(COMMUNITY, &levels.nodes[COMMUNITY], 2).await.expect("filed");
    }
    let waiting =
        format!("wuji_link_waiting_frames{{peer=\"{}\",side=\"parent\"}}", parent_of(&levels.nodes[TOWNSHIP]).await);
    within(HEALED, "the metrics do not tell the backlog", async || {
        (levels.nodes[TOWNSHIP].metric(&waiting).await? >= 2.0).then_some(())
    })
    .await;
    levels.relays[COUNTY].narrow(8 * 1024);
    levels.relays[COUNTY].cut(false);
    within(HEALED, "the link is not up", async || parent_up(&levels.nodes[TOWNSHIP]).await.filter(|up| *up)).await;
    let red = ledger.file(GRID, &levels.nodes[GRID], 5).await.expect("filed");
    within(HEALED, "the red case is not at the city", async || standing(&levels.nodes[CITY], &red).await).await;
    let counted = levels.nodes[CITY].get("/figures/totals").await.expect("figures")["cases"].as_u64();
    assert!(counted < Some(300), "the red case came behind the backlog: {counted:?}");
    ledger.holds(&levels).await;
}

/// The node above, by its id.
async fn parent_of(node: &Node) -> String {
    let links = node.get("/links").await.expect("links");
    let parent = links.as_array().and_then(|links| links.iter().find(|link| link["parent"] == true));
    parent.and_then(|link| link["peer"].as_str()).expect("a parent").to_owned()
}

/// How often an alarm of a node that says this was raised.
async fn raised(node: &Node, what: &str) -> Option<u64> {
    let status = node.get("/status").await?;
    let alarms = status["alarms"].as_array()?;
    alarms
        .iter()
        .filter(|alarm| alarm["what"].as_str().is_some_and(|said| said.contains(what)))
        .map(|a| a["times"].as_u64())
        .sum()
}

/// Joined below the county, and never run: this test speaks for it.
fn intruder(root: &std::path::Path, levels: &FiveLevels) -> Hostile {
    let county = &levels.nodes[COUNTY];
    Hostile::of(&Node::join(root, HOSTILE, county, county.link).folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_greets_without_end_or_leaves_gaps_is_cut_off_each_time_and_named_in_one_alarm_that_counts() {
    let root = tempfile::tempdir().expect("a folder");
    let levels = FiveLevels::raise(root.path()).await;
    let county = &levels.nodes[COUNTY];
    let mut hostile = intruder(root.path(), &levels);
    let before = county.memory_max();
    for round in 0..60 {
        let link = hostile.greet().await;
        if round % 2 == 0 {
            hostile.greet_again(&link);
        } else {
            hostile.leave_a_gap(&link);
        }
        hostile.cut_off().await;
    }
    let name = hostile.node().to_string();
    within(HEALED, "the alarms do not count thirty of each", async || {
        let gaps = raised(county, &format!("{name} was cut off: a bundle is missing in the sequence")).await?;
        let greetings = raised(county, &format!("{name} was cut off: the peer broke the protocol")).await?;
        (gaps == 30 && greetings == 30).then_some(())
    })
    .await;
    let grown = county.memory_max() - before;
    assert!(grown < MEMORY_MORE_MAX, "the county holds {grown} bytes more");
    assert_eq!(parent_up(county).await, Some(true), "its other links stand");
    assert_eq!(county.metric("wuji_alarms_total{kind=\"cut-off\"}").await, Some(60.0));
    assert_eq!(raised(county, &format!("{name} connects again and again")).await, Some(1));
    assert_eq!(county.metric("wuji_alarms_total{kind=\"restless\"}").await, Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_announces_a_huge_length_is_cut_off_before_it_costs_memory_and_is_named() {
    let root = tempfile::tempdir().expect("a folder");
    let mut city = Node::found(root.path(), PATH[CITY]);
    city.start().await;
    let mut hostile = Hostile::of(&Node::join(root.path(), PATH[COUNTY], &city, city.link).folder);
    let before = city.memory_max();
    for _ in 0..20 {
        let link = hostile.greet().await;
        hostile.send_too_much(&link);
        hostile.cut_off().await;
    }
    let said = format!("{} was cut off: a frame of 1048577 bytes is above the limit", hostile.node());
    within(HEALED, "the alarm does not count twenty", async || (raised(&city, &said).await? == 20).then_some(())).await;
    assert_eq!(city.metric("wuji_alarms_total{kind=\"cut-off\"}").await, Some(20.0));
    let grown = city.memory_max() - before;
    assert!(grown < MEMORY_MORE_MAX, "the city holds {grown} bytes more");
}

/// Bytes of all files in a folder.
fn size(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    let of_one = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => size(&entry.path()),
        Ok(data) => data.len(),
        // The log of the database comes and goes.
        Err(_) => 0,
    };
    entries.map(of_one).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_sends_what_goes_nowhere_fills_its_share_of_the_disk_and_no_more_and_is_told_of() {
    const MIB: u64 = 1024 * 1024;
    let root = tempfile::tempdir().expect("a folder");
    let levels = FiveLevels::raise(root.path()).await;
    let county = &levels.nodes[COUNTY];
    let mut hostile = intruder(root.path(), &levels);
    let link = hostile.greet().await;
    let before = size(&county.folder);
    hostile.send_astray(&link, 900, 80 * 1024).await;
    let name = hostile.node().to_string();
    let aside = async |of: &str| county.metric(&format!("wuji_quarantine_{of}{{peer=\"{name}\"}}")).await;
    within(HEALED, "not all of it is counted", async || {
        (aside("bundles").await? + aside("refused").await? == 900.0).then_some(())
    })
    .await;
    let bytes = aside("bytes").await.expect("told");
    assert!((60.0..=64.0).contains(&(bytes / (1024.0 * 1024.0))), "{bytes} bytes are kept aside");
    assert!(raised(county, &format!("{name}: so much of it is kept aside")).await >= Some(1));
    assert!(raised(county, &format!("{name}: bundles were kept aside that cannot come from there")).await == Some(900));
    let grown = size(&county.folder).saturating_sub(before);
    assert!(grown < (64 + 32) * MIB, "the folder of the county grew by {grown} bytes");
    let up = format!("wuji_link_up{{peer=\"{name}\",side=\"child\"}}");
    assert_eq!(county.metric(&up).await, Some(1.0), "the link of that subtree stands");
    let folder = county.folder.to_str().expect("a plain name");
    let left = wuji(&["quarantine", "--folder", folder, "--clear", &name]).expect("cleared");
    assert_eq!(left, "nothing is kept aside");
    let mut ledger = Ledger::default();
    ledger.file(GRID, &levels.nodes[GRID], 20).await.expect("filed");
    ledger.holds(&levels).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_sends_more_of_a_later_version_than_is_noted_is_told_of_and_its_link_stands() {
    let root = tempfile::tempdir().expect("a folder");
    let levels = FiveLevels::raise(root.path()).await;
    let county = &levels.nodes[COUNTY];
    let mut hostile = intruder(root.path(), &levels);
    let link = hostile.greet().await;
    let name = hostile.node().to_string();
    let up = format!("wuji_link_up{{peer=\"{name}\",side=\"child\"}}");
    let is_up = async || (county.metric(&up).await == Some(1.0)).then_some(());
    within(HEALED, "the link is up on one side only", is_up).await;
    hostile.send_later(&link, 1_003).await;
    let full = format!("{name}: so much of what came from there waits for a newer program");
    within(HEALED, "nobody is told", async || (raised(county, &full).await? >= 1).then_some(())).await;
    assert_eq!(county.metric("wuji_unread_bundles").await, Some(1_000.0));
    assert!(county.metric("wuji_alarms_total{kind=\"version\"}").await >= Some(1.0));
    assert_eq!(county.metric(&up).await, Some(1.0), "the link of that subtree stands");
    let mut ledger = Ledger::default();
    ledger.file(GRID, &levels.nodes[GRID], 20).await.expect("filed");
    ledger.holds(&levels).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_tiny_frames_of_one_child_neither_fill_the_memory_nor_keep_the_case_of_another_from_the_city() {
    const BOUND: Duration = Duration::from_secs(20);
    let root = tempfile::tempdir().expect("a folder");
    let levels = FiveLevels::raise(root.path()).await;
    let county = &levels.nodes[COUNTY];
    let mut hostile = intruder(root.path(), &levels);
    let link = hostile.greet().await;
    let before = county.memory_max();
    let mut ledger = Ledger::default();
    tokio::join!(hostile.acknowledge_nothing(&link, 1_000_000), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let orange = ledger.file(GRID, &levels.nodes[GRID], 20).await.expect("filed");
        within(BOUND, "the orange case is not at the city", async || standing(&levels.nodes[CITY], &orange).await)
            .await;
    });
    let grown = county.memory_max() - before;
    assert!(grown < MEMORY_MORE_MAX, "the county holds {grown} bytes more");
    ledger.holds(&levels).await;
    assert!(raised(county, &format!("{} sends more than 50000 control frames", hostile.node())).await >= Some(1));
    assert!(county.metric("wuji_alarms_total{kind=\"restless\"}").await >= Some(1.0));
    assert!(county.metric("wuji_control_frames_total{way=\"in\"}").await >= Some(50_000.0));
}
