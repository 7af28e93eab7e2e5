//! A township whose disk fills up: a file system in memory that is made smaller while the node runs. Needs root, for a mount
//! in a namespace of its own.

use std::time::Duration;

use serde_json::Value;
use wuji_tests::disk::Disk;
use wuji_tests::ledger::{self, Ledger};
use wuji_tests::line::{CITY, FiveLevels, GRID, HEALED, PATH, TOWNSHIP, case_id, standing};
use wuji_tests::namespace::alone;
use wuji_tests::process::{Node, within};

const MIB: u64 = 1024 * 1024;

async fn alarms(node: &Node) -> Option<String> {
    Some(node.get("/status").await?.get("alarms")?.to_string())
}

/// The refusal of a filing for want of room, which says in both languages what is safe and what to do.
fn is_told_of_no_room(said: &str) {
    let problem: Value = serde_json::from_str(said).expect("a problem");
    assert_eq!((&problem["code"], &problem["status"]), (&"no-room".into(), &503.into()), "{problem}");
    let english = problem["detail"].as_str().expect("English");
    assert!(english.contains("saved before is safe") && english.contains("make room"), "{english}");
    let chinese = problem["detail_zh"].as_str().expect("Chinese");
    assert!(chinese.contains("磁盘已满") && chinese.contains("安全") && chinese.contains("腾出空间"), "{chinese}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_foretold_refuses_what_is_new_loses_nothing_and_goes_on_by_itself_when_there_is_room() {
    const TEST: &str =
        "a_full_disk_is_foretold_refuses_what_is_new_loses_nothing_and_goes_on_by_itself_when_there_is_room";
    if !alone(TEST, &["--net", "--mount", "--propagation", "private"]) {
        return;
    }
    let root = tempfile::tempdir().expect("a folder");
    let disk = Disk::mount(root.path().join(PATH[TOWNSHIP]));
    let levels = FiveLevels::raise(root.path()).await;
    let (township, grid) = (&levels.nodes[TOWNSHIP], &levels.nodes[GRID]);
    let mut ledger = Ledger::default();
    let kept = ledger.file(TOWNSHIP, township, 20).await.expect("there is room");

    disk.leave(100 * MIB).await;
    ledger.file(TOWNSHIP, township, 2).await.expect("there is still room");
    let said = alarms(township).await.expect("a status");
    assert!(said.contains("little room on the disk"), "{said}");
    let free = township.metric("wuji_disk_free_bytes").await.expect("a number");
    assert!(free <= 100.0 * 1024.0 * 1024.0, "the metrics say it too: {free}");
    assert_eq!(township.metric("wuji_alarms_total{kind=\"disk\"}").await, Some(1.0));

    disk.leave(8 * MIB).await;
    let refused = ledger.file(TOWNSHIP, township, 2).await.expect_err("nothing new is filed");
    is_told_of_no_room(&refused);
    let orange = ledger.file(GRID, grid, 20).await.expect("the grid has room");
    within(HEALED, "what others sent does not pass in the reserve", async || {
        standing(&levels.nodes[CITY], &orange).await
    })
    .await;

    disk.leave(0).await;
    within(HEALED, "the disk does not fill up", async || {
        ledger.file(GRID, grid, 20).await.expect("the grid has room");
        alarms(township).await.filter(|said| said.contains("the disk is full"))
    })
    .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(standing(township, &kept).await.is_some(), "reading goes on");
    is_told_of_no_room(&ledger::file(township, &case_id(), 2).await.expect_err("nothing new is filed"));

    disk.make_room().await;
    within(HEALED, "filing does not work again by itself", async || ledger.file(TOWNSHIP, township, 5).await.ok())
        .await;
    ledger.holds(&levels).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_started_on_a_full_disk_can_be_read() {
    const TEST: &str = "a_node_that_is_started_on_a_full_disk_can_be_read";
    if !alone(TEST, &["--net", "--mount", "--propagation", "private"]) {
        return;
    }
    let root = tempfile::tempdir().expect("a folder");
    let disk = Disk::mount(root.path().join(PATH[CITY]));
    let mut city = Node::found(root.path(), PATH[CITY]);
    city.start().await;
    let case = case_id();
    ledger::file(&city, &case, 20).await.expect("there is room");
    city.kill();
    disk.leave(0).await;
    city.start().await;
    assert!(standing(&city, &case).await.is_some(), "reading goes on");
    is_told_of_no_room(&ledger::file(&city, &case_id(), 2).await.expect_err("nothing new is filed"));
    disk.make_room().await;
    ledger::file(&city, &case_id(), 2).await.expect("it works again without hands");
}
