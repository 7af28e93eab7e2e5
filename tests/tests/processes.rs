//! Five real processes under kill -9, cut links and an old backup: nothing is lost, nothing is doubled.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wuji_tests::line::{CITY, FiveLevels, GRID, HEALED, PATH, TOWNSHIP, case_id, parent_up, report, standing};
use wuji_tests::namespace::alone;
use wuji_tests::process::{Node, within, wuji};

async fn file(node: &Node, case: &str, people: u32, ending: &str) {
    node.post("/cases", &report(case, people, ending)).await.expect("the report is filed");
}

/// The city's mirror stands where the owner stands.
async fn same_at_the_city(levels: &FiveLevels, owner: usize, case: &str) {
    within(HEALED, &format!("case {case} is not at the city as at its owner"), async || {
        let below = standing(&levels.nodes[owner], case).await?;
        (standing(&levels.nodes[CITY], case).await? == below).then_some(())
    })
    .await;
}

/// How many cases the city's figures hold.
async fn counted(node: &Node) -> Option<i64> {
    node.get("/figures/totals").await?.get("cases")?.as_i64()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_node_is_killed_in_turn_under_load_and_nothing_is_lost_or_doubled() {
    let root = tempfile::tempdir().expect("a folder");
    let mut levels = FiveLevels::raise(root.path()).await;
    let mut cases = Vec::new();
    for victim in [TOWNSHIP, 1, 3, CITY] {
        for n in 0..10 {
            if n == 3 {
                levels.nodes[victim].kill();
            }
            if n == 8 {
                levels.nodes[victim].start().await;
            }
            let case = case_id();
            file(&levels.nodes[GRID], &case, 20, "settle_here").await;
            cases.push(case);
        }
    }
    // The grid itself: what it answered for is on its disk.
    let case = case_id();
    file(&levels.nodes[GRID], &case, 5, "settle_here").await;
    cases.push(case);
    levels.nodes[GRID].kill();
    levels.nodes[GRID].start().await;
    levels.all_up().await;
    for case in &cases {
        same_at_the_city(&levels, GRID, case).await;
    }
    levels.settled().await;
    let expected = i64::try_from(cases.len()).expect("few cases");
    within(HEALED, "the figures of the city are not those of the grid", async || {
        (counted(&levels.nodes[CITY]).await? == expected).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_cut_for_a_while_delivers_everything_once_it_is_back() {
    let root = tempfile::tempdir().expect("a folder");
    let levels = FiveLevels::raise(root.path()).await;
    levels.relays[TOWNSHIP].cut(true);
    let cases: Vec<_> = (0..20).map(|_| case_id()).collect();
    for case in &cases {
        file(&levels.nodes[GRID], case, 20, "settle_here").await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(standing(&levels.nodes[CITY], &cases[0]).await.is_none(), "nothing passes a cut link");
    levels.relays[TOWNSHIP].cut(false);
    for case in &cases {
        same_at_the_city(&levels, GRID, case).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_milliseconds_a_hop_make_at_least_two_hundred_to_the_city() {
    let root = tempfile::tempdir().expect("a folder");
    let levels = FiveLevels::raise(root.path()).await;
    for relay in &levels.relays {
        relay.delay(Duration::from_millis(50));
    }
    let case = case_id();
    let began = Instant::now();
    file(&levels.nodes[GRID], &case, 20, "settle_here").await;
    within(HEALED, "the case is not at the city", async || standing(&levels.nodes[CITY], &case).await).await;
    assert!(
        began.elapsed() >= Duration::from_millis(200),
        "faster than four hops of 50 ms: it did not travel the links"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_taken_on_ordered_about_answered_and_archived_with_receipts() {
    let root = tempfile::tempdir().expect("a folder");
    let levels = FiveLevels::raise(root.path()).await;
    let case = case_id();
    file(&levels.nodes[GRID], &case, 20, "submit").await;
    let (city, township) = (&levels.nodes[CITY], &levels.nodes[TOWNSHIP]);
    let path = format!("/cases/{case}");
    let offer = within(HEALED, "the offer is not at the township", async || {
        let seen = township.get(&path).await?;
        Some(seen.pointer("/offers/0/id")?.as_str()?.to_owned())
    })
    .await;
    township.post(&format!("{path}/offers/{offer}/accept"), &json!({})).await.expect("accepted");
    within(HEALED, "the township does not own the case", async || {
        (township.get(&path).await?.get("mine")?.as_bool()?).then_some(())
    })
    .await;
    let seen = township.get(&path).await.expect("the case");
    assert!(!seen.to_string().contains("周慧敏"), "names are masked");
    let revealed = township.post(&format!("{path}/reveal"), &json!({ "reason": "核对" })).await.expect("revealed");
    assert!(revealed.to_string().contains("周慧敏"), "names come with the case");
    city.post(&format!("{path}/directives"), &json!({ "form": "supervise", "text": "请两日内报告。", "term_days": 2 }))
        .await
        .expect("a directive");
    let order = within(HEALED, "the directive is not at the township", async || {
        Some(township.get(&path).await?.pointer("/orders/0/id")?.as_str()?.to_owned())
    })
    .await;
    township.post(&format!("{path}/orders/{order}/read"), &json!({})).await.expect("read");
    township
        .post(&format!("{path}/orders/{order}/answer"), &json!({ "text": "已组织调解。" }))
        .await
        .expect("answered");
    for (step, body) in [
        ("file", json!({})),
        ("assign", json!({ "unit": 1, "note": "请上门。" })),
        ("progress", json!({ "note": "已到场。" })),
        ("resolve", json!({ "outcome": "successful", "terms": "达成一致。", "amount_fen": null })),
        ("feed-back", json!({ "note": "已告知。" })),
        ("assess", json!({ "score": 5, "note": "好。" })),
        ("archive", json!({})),
    ] {
        township.post(&format!("{path}/{step}"), &body).await.unwrap_or_else(|why| panic!("{step}: {why}"));
    }
    same_at_the_city(&levels, TOWNSHIP, &case).await;
    within(HEALED, "the city does not see the answer", async || {
        let orders = city.get(&path).await?.get("orders")?.to_string();
        (orders.contains("已组织调解") && orders.contains("done")).then_some(())
    })
    .await;
    let refused = levels.nodes[GRID].post(&format!("{path}/progress"), &json!({ "note": "仍在跟进" })).await;
    assert!(refused.expect_err("the former owner may not act").contains("not-owner"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lowered_and_void_cases_leave_the_list_of_the_city_and_move_its_figures() {
    let root = tempfile::tempdir().expect("a folder");
    let levels = FiveLevels::raise(root.path()).await;
    let (city, grid) = (&levels.nodes[CITY], &levels.nodes[GRID]);
    let (kept, void) = (case_id(), case_id());
    file(grid, &kept, 20, "settle_here").await;
    file(grid, &void, 20, "settle_here").await;
    same_at_the_city(&levels, GRID, &kept).await;
    same_at_the_city(&levels, GRID, &void).await;
    let oranges = async || Some(city.get("/cases?level=orange").await?.get("cases")?.as_array()?.len());
    within(HEALED, "two orange cases at the city", async || (oranges().await? == 2).then_some(())).await;
    grid.post(&format!("/cases/{void}/void"), &json!({ "reason": "误录" })).await.expect("struck out");
    within(HEALED, "a void case leaves the list", async || (oranges().await? == 1).then_some(())).await;
    within(HEALED, "a void case leaves the figures", async || (counted(city).await? == 1).then_some(())).await;
    let answers =
        json!({ "signs": 0, "violence": "no", "petition_talk": "no", "people": 2, "disturbs": "yes", "effort": "no" });
    grid.post(
        &format!("/cases/{kept}/regrade"),
        &json!({ "answers": answers, "level": "yellow", "reason": "人员已散" }),
    )
    .await
    .expect("asked to lower");
    assert_eq!(oranges().await, Some(1), "until it is approved the higher level stands");
    let order = within(HEALED, "the approval is not asked at the city", async || {
        Some(city.get(&format!("/cases/{kept}")).await?.pointer("/orders/0/id")?.as_str()?.to_owned())
    })
    .await;
    city.post(&format!("/cases/{kept}/orders/{order}/answer"), &json!({ "approve": true, "text": "同意" }))
        .await
        .expect("approved");
    within(HEALED, "a lowered case leaves the list", async || (oranges().await? == 0).then_some(())).await;
    same_at_the_city(&levels, GRID, &kept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_township_restored_from_an_old_copy_loses_nothing_that_it_had_sent_or_relayed() {
    let root = tempfile::tempdir().expect("a folder");
    let mut levels = FiveLevels::raise(root.path()).await;
    let early = case_id();
    file(&levels.nodes[GRID], &early, 20, "settle_here").await;
    same_at_the_city(&levels, GRID, &early).await;
    levels.nodes[TOWNSHIP].kill();
    let backup = root.path().join("backup");
    levels.nodes[TOWNSHIP].back_up(&backup);
    levels.nodes[TOWNSHIP].start().await;
    levels.all_up().await;
    let late: Vec<_> = (0..5).map(|_| case_id()).collect();
    for case in &late {
        file(&levels.nodes[GRID], case, 20, "settle_here").await;
    }
    for case in &late {
        same_at_the_city(&levels, GRID, case).await;
    }
    levels.nodes[TOWNSHIP].kill();
    levels.nodes[TOWNSHIP].restore(&backup);
    levels.nodes[TOWNSHIP].start().await;
    let after = case_id();
    file(&levels.nodes[GRID], &after, 20, "settle_here").await;
    levels.all_up().await;
    for case in late.iter().chain([&early, &after]) {
        same_at_the_city(&levels, GRID, case).await;
        within(HEALED, "the restored township has its mirror back", async || {
            let above = standing(&levels.nodes[CITY], case).await?;
            (standing(&levels.nodes[TOWNSHIP], case).await? == above).then_some(())
        })
        .await;
    }
    levels.settled().await;
    assert_eq!(counted(&levels.nodes[CITY]).await, Some(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grid_restored_from_an_old_copy_gets_its_cases_back_from_above() {
    let root = tempfile::tempdir().expect("a folder");
    let mut levels = FiveLevels::raise(root.path()).await;
    levels.nodes[GRID].kill();
    let backup = root.path().join("backup");
    levels.nodes[GRID].back_up(&backup);
    levels.nodes[GRID].start().await;
    levels.all_up().await;
    let case = case_id();
    file(&levels.nodes[GRID], &case, 20, "settle_here").await;
    same_at_the_city(&levels, GRID, &case).await;
    levels.settled().await;
    levels.nodes[GRID].kill();
    levels.nodes[GRID].restore(&backup);
    levels.nodes[GRID].start().await;
    within(HEALED, "the case is back at the grid", async || {
        let seen = levels.nodes[GRID].get(&format!("/cases/{case}")).await?;
        (seen.get("mine")?.as_bool()?).then_some(())
    })
    .await;
    levels.nodes[GRID].post(&format!("/cases/{case}/file"), &json!({})).await.expect("work goes on");
    same_at_the_city(&levels, GRID, &case).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_token_and_one_for_elsewhere_are_refused() {
    let root = tempfile::tempdir().expect("a folder");
    let mut city = Node::found(root.path(), PATH[CITY]);
    city.start().await;
    let token = city.token(PATH[1]);
    let join = |name: &str| {
        let folder = root.path().join(name);
        let folder = folder.to_str().expect("a plain name").to_owned();
        wuji(&["join", "--folder", &folder, "--token", &token, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"])
    };
    join("first").expect("the first use");
    let second = join("second").expect_err("the second use");
    assert!(second.contains("used"), "{second}");
    assert!(!root.path().join("second/wuji.toml").exists(), "nothing half-made stays");
    let elsewhere =
        wuji(&["token", "--folder", city.folder.to_str().expect("a plain name"), "--division", "330700000000"]);
    assert!(elsewhere.expect_err("a division elsewhere").contains("not below"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_phone_or_narrative_is_found_at_the_city_nor_in_what_reached_it() {
    let root = tempfile::tempdir().expect("a folder");
    let mut levels = FiveLevels::raise(root.path()).await;
    levels.nodes[1].kill();
    let frames = root.path().join("frames.bin");
    let file_name = levels.nodes[1].folder.join("wuji.toml");
    let text = std::fs::read_to_string(&file_name).expect("a configuration");
    let text = text.replace("[link]", &format!("[link]\ncapture = {:?}", frames.to_str().expect("a plain name")));
    std::fs::write(&file_name, text).expect("a configuration");
    levels.nodes[1].start().await;
    levels.all_up().await;
    for (people, ending) in [(20, "submit"), (5, "settle_here"), (2, "submit")] {
        file(&levels.nodes[GRID], &case_id(), people, ending).await;
    }
    within(HEALED, "three facts at the city", async || (counted(&levels.nodes[CITY]).await? == 3).then_some(())).await;
    levels.settled().await;
    levels.nodes[CITY].kill();
    let mut searched = vec![("the frames".to_owned(), std::fs::read(&frames).expect("captured frames"))];
    for name in ["node.db", "node.db-wal", "node.log"] {
        if let Ok(bytes) = std::fs::read(levels.nodes[CITY].folder.join(name)) {
            searched.push((name.to_owned(), bytes));
        }
    }
    assert!(searched.len() >= 3 && searched[0].1.len() > 1_000, "there is something to search");
    for (place, bytes) in &searched {
        for secret in ["周慧敏", "鲍德海", "13857512345", "争执"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {place}");
        }
    }
    let listed = levels.nodes[GRID].get("/cases").await.map_or(Value::Null, |v| v);
    assert!(
        listed.to_string().contains("物业") || listed.to_string().contains("0402"),
        "the grid itself has its cases"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn links_stay_down_where_a_firewall_drops_udp() {
    if !alone("links_stay_down_where_a_firewall_drops_udp", &["--net"]) {
        return;
    }
    let root = tempfile::tempdir().expect("a folder");
    let levels = FiveLevels::raise(root.path()).await;
    let rule = format!("udp dport {} drop", levels.nodes[CITY].link.port());
    nft("add table inet wuji");
    nft("add chain inet wuji input { type filter hook input priority 0; }");
    nft(&format!("add rule inet wuji input {rule}"));
    let mut levels = levels;
    levels.nodes[1].kill();
    levels.nodes[1].start().await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(parent_up(&levels.nodes[1]).await, Some(false), "the link is down while UDP is dropped");
    nft("delete table inet wuji");
    levels.all_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_firewall_drops_udp_nodes_join_and_cases_arrive_over_tcp() {
    if !alone("where_a_firewall_drops_udp_nodes_join_and_cases_arrive_over_tcp", &["--net"]) {
        return;
    }
    nft("add table inet wuji");
    nft("add chain inet wuji input { type filter hook input priority 0; }");
    nft("add rule inet wuji input meta l4proto udp drop");
    let root = tempfile::tempdir().expect("a folder");
    let mut levels = FiveLevels::raise_over_tcp(root.path()).await;
    for node in &levels.nodes[1..] {
        let links = node.get("/links").await.expect("its links");
        let over = links.as_array().expect("a list").iter().map(|link| link["transport"].clone());
        assert!(over.clone().count() > 0 && over.clone().all(|by| by == "tcp"), "{links}");
    }
    let case = case_id();
    file(&levels.nodes[GRID], &case, 20, "settle_here").await;
    same_at_the_city(&levels, GRID, &case).await;
    levels.nodes[TOWNSHIP].kill();
    let case = case_id();
    file(&levels.nodes[GRID], &case, 20, "settle_here").await;
    levels.nodes[TOWNSHIP].start().await;
    same_at_the_city(&levels, GRID, &case).await;
}

fn nft(words: &str) {
    let done = std::process::Command::new("nft").arg(words).status().expect("nft is installed");
    assert!(done.success(), "nft {words}");
}
