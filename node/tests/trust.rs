//! Trust over time, with real nodes and real links in one process.

#[path = "support/again.rs"]
mod again;
#[path = "support/ports.rs"]
mod ports;

use std::time::Duration;

use casework::{Actor, Intake, Role};
use protocol::directory::RevocationReason;
use protocol::id::{CaseId, NodeId};
use protocol::time::UnixMillis;
use serde_json::json;
use tokio::time::Instant;
use wuji::clock::Clock;
use wuji::config::Config;
use wuji::folder::Folder;
use wuji::node::{self, Plan, Running, Wanted};
use wuji::writer::port::Failed;
use wuji::writer::trust::TrustAct;

const CITY: &str = "330600000000";
const COUNTY: &str = "330602000000";
const TOWNSHIP: &str = "330602001000";
const OTHER_TOWNSHIP: &str = "330602002000";
const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;
/// How long something may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// One node with its folder.
struct Site {
    folder: Folder,
    clock: Clock,
    running: Option<Running>,
}

fn plan(division: &str) -> Plan {
    let link = ports::free_address();
    Plan {
        division: division.parse().expect("a code"),
        name: division.to_owned(),
        link,
        advertise: link.to_string(),
        http: "127.0.0.1:0".parse().expect("an address"),
        database: None,
    }
}

/// Dials often, so that a test need not wait.
fn quicken(folder: &Folder) {
    let mut config = Config::load(folder.path()).expect("a configuration");
    (config.link.retry_min_ms, config.link.retry_max_ms) = (50, 400);
    config.save(folder.path()).expect("saved");
}

impl Site {
    async fn found(root: &tempfile::TempDir, division: &str) -> Self {
        let folder = Folder::new(root.path().join(division));
        node::found(&folder, &plan(division)).await.expect("founded");
        quicken(&folder);
        Self::begin(folder, Clock::default()).await
    }

    async fn join(root: &tempfile::TempDir, above: &Site, division: &str) -> Self {
        Self::join_by(root, above, division, Clock::default()).await
    }

    async fn join_by(root: &tempfile::TempDir, above: &Site, division: &str, clock: Clock) -> Self {
        let folder = Folder::new(root.path().join(division));
        let token = node::give_token(&above.folder, division.parse().expect("a code"), HOUR).await.expect("a token");
        node::join_by(&folder, &plan(division), &token, &clock).await.expect("joined");
        quicken(&folder);
        let site = Self::begin(folder, clock).await;
        site.linked().await;
        site
    }

    async fn begin(folder: Folder, clock: Clock) -> Self {
        let mut site = Self { folder, clock, running: None };
        site.start().await;
        site
    }

    async fn start(&mut self) {
        let config = Config::load(self.folder.path()).expect("a configuration");
        let start = async || Running::start_by(self.folder.clone(), config.clone(), self.clock.clone()).await;
        let running = again::started(start).await;
        self.running = Some(running);
    }

    async fn stop(&mut self) {
        self.running.take().expect("it runs").stop().await.expect("stopped");
    }

    fn run(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    fn id(&self) -> NodeId {
        self.run().config.node.id
    }

    async fn act(&self, act: TrustAct) -> Result<(), String> {
        self.run().port.trust(act).await.map_err(|failed| match failed {
            Failed::Trust(why) => why,
            other => panic!("{other}"),
        })
    }

    fn up(&self, peer: NodeId) -> bool {
        self.run().shared.is_up(peer)
    }

    fn parent_up(&self) -> bool {
        self.run().shared.line().first().is_some_and(|parent| self.up(parent.node))
    }

    async fn linked(&self) {
        until("the link to the parent is up", || self.parent_up()).await;
    }

    fn serial(&self) -> u64 {
        self.run().shared.trust().serial
    }

    /// Waits until the certificate is newer than a serial and proven by a link.
    async fn renewed_after(&self, serial: u64) {
        until("the certificate is renewed and proven", || {
            let trust = self.run().shared.trust();
            trust.serial > serial && !trust.unproven && self.parent_up()
        })
        .await;
    }

    async fn report(&self, n: u8, violence: &str) -> CaseId {
        let case = CaseId::new(UnixMillis(1_780_000_000_000), [n; 10]);
        let intake: Intake = serde_json::from_value(json!({
            "case": case.to_string(), "matter": "dispute", "source": "window", "category": 402,
            "place": self.run().config.node.division.to_string(), "grid_kind": "basic", "title": "邻里纠纷",
            "parties": [{ "side": "applicant", "name": "周慧敏", "phone": "13857512345", "address": "城东" }],
            "answers": { "signs": 0, "violence": violence, "petition_talk": "no", "people": 2, "disturbs": "yes",
                "effort": "unknown" },
            "head_count": 2, "ending": "settle_here",
        }))
        .expect("an intake");
        let by = Actor::everywhere("clerk", "测试员", &[Role::GridWorker, Role::Clerk]);
        self.run().port.report(intake, by).await.expect("reported");
        case
    }

    async fn holds(&self, case: CaseId) -> bool {
        self.run().store.holds_case(case).await.expect("read")
    }
}

/// The log of the nodes, for whoever looks for the cause of a failure: `WUJI_LOG=info`.
fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("WUJI_LOG");
    if let Ok(filter) = filter {
        // Another test of this process may have begun it.
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    }
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn held(site: &Site, case: CaseId) {
    let begun = Instant::now();
    while !site.holds(case).await {
        assert!(begun.elapsed() < PATIENCE, "the case did not arrive");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn folder() -> tempfile::TempDir {
    log();
    tempfile::tempdir().expect("a folder")
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_renewed_while_links_are_up_and_hold_over_a_restart() {
    let root = folder();
    let city = Site::found(&root, CITY).await;
    let county = Site::join(&root, &city, COUNTY).await;
    let mut township = Site::join(&root, &county, TOWNSHIP).await;
    let serials = [city.serial(), county.serial(), township.serial()];
    let before = township.folder.enrolled().expect("a certificate");
    for site in [&city, &county, &township] {
        site.act(TrustAct::Renew).await.expect("asked");
    }
    until("the city has renewed its own", || city.serial() > serials[0]).await;
    county.renewed_after(serials[1]).await;
    township.renewed_after(serials[2]).await;
    let after = township.folder.enrolled().expect("a certificate");
    assert_ne!(after.entry.entry.tls_spki_sha256, before.entry.entry.tls_spki_sha256);
    assert_eq!(after.entry.entry.signing, before.entry.entry.signing, "what it signs stays signed by one key");
    township.stop().await;
    township.start().await;
    township.linked().await;
    let children = county.run().store.children().await.expect("read");
    assert_eq!(children[0].spki, after.entry.entry.tls_spki_sha256, "the parent admits the new key");
    let case = township.report(1, "yes").await;
    held(&city, case).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_off_beyond_the_end_of_its_certificate_comes_back_without_a_person() {
    let root = folder();
    let mut city = Site::found(&root, CITY).await;
    let mut county = Site::join(&root, &city, COUNTY).await;
    let (serial, top) = (county.serial(), city.serial());
    county.stop().await;
    city.stop().await;
    for site in [&mut city, &mut county] {
        site.clock = Clock::wrong_by(100 * DAY);
    }
    city.start().await;
    until("the city has renewed its own", || city.serial() > top).await;
    county.start().await;
    county.renewed_after(serial).await;
    assert!(county.run().shared.trust().not_after > city.clock.wall().0 + 80 * DAY);
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_grace_a_node_is_told_to_join_again() {
    let root = folder();
    let mut city = Site::found(&root, CITY).await;
    let mut county = Site::join(&root, &city, COUNTY).await;
    county.stop().await;
    city.stop().await;
    for site in [&mut city, &mut county] {
        site.clock = Clock::wrong_by(280 * DAY);
    }
    city.start().await;
    until("the city has renewed its own", || city.run().shared.trust().not_after > city.clock.wall().0).await;
    county.start().await;
    let told = || county.run().shared.alarms().iter().any(|alarm| alarm.what.contains("token from the node above"));
    until("the operator is told", told).await;
    assert!(!county.parent_up());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_years_wrong_keeps_no_node_out() {
    for wrong in [-56 * 365 * DAY, 64 * 365 * DAY] {
        let root = folder();
        let city = Site::found(&root, CITY).await;
        let mut county = Site::join_by(&root, &city, COUNTY, Clock::wrong_by(wrong)).await;
        let judged = county.run().shared.trust();
        assert!(judged.not_before < judged.not_after);
        county.stop().await;
        county.start().await;
        county.linked().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "what was measured belongs into the report of the test")]
async fn a_revoked_child_is_off_within_a_second_and_stays_off() {
    let root = folder();
    let city = Site::found(&root, CITY).await;
    let county = Site::join(&root, &city, COUNTY).await;
    let township = Site::join(&root, &county, TOWNSHIP).await;
    let (county_id, township_id) = (county.id(), township.id());
    // By a grandparent that is the authority.
    let begun = Instant::now();
    city.act(TrustAct::Revoke { node: township_id, reason: RevocationReason::Lost }).await.expect("revoked");
    until("the parent cut the link", || !county.up(township_id)).await;
    let by_grandparent = begun.elapsed();
    // By the parent.
    until("the city sees the county", || city.up(county_id)).await;
    let begun = Instant::now();
    city.act(TrustAct::Revoke { node: county_id, reason: RevocationReason::Operator }).await.expect("revoked");
    until("the link is down", || !city.up(county_id)).await;
    let by_parent = begun.elapsed();
    println!("link down after revocation: by the parent {by_parent:?}, by the grandparent {by_grandparent:?}");
    // The word of a grandparent takes a hop and a commit more.
    assert!(by_parent < Duration::from_secs(1) && by_grandparent < Duration::from_secs(1));
    until("the county dials in vain", || county.run().shared.last_dial_failure().is_some()).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!city.up(county_id) && !county.up(township_id), "re-dialled and let in");
    assert_eq!(city.run().store.revoked().await.expect("read").len(), 2);
    let again = city.act(TrustAct::Revoke { node: county_id, reason: RevocationReason::Lost }).await;
    assert!(again.is_err_and(|why| why.contains("no node that is trusted")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_cuts_a_child_off_by_itself_and_the_authority_follows() {
    let root = folder();
    let city = Site::found(&root, CITY).await;
    let county = Site::join(&root, &city, COUNTY).await;
    let township = Site::join(&root, &county, TOWNSHIP).await;
    let revoke = |node| TrustAct::Revoke { node, reason: RevocationReason::Lost };
    let upward = township.act(revoke(county.id())).await;
    assert!(upward.is_err_and(|why| why.contains("not below")), "nobody revokes upward");
    assert!(county.act(revoke(county.id())).await.is_err(), "nobody revokes itself");
    county.act(revoke(township.id())).await.expect("revoked");
    until("the link is down", || !county.up(township.id())).await;
    let begun = Instant::now();
    while city.run().store.revoked().await.expect("read").is_empty() {
        assert!(begun.elapsed() < PATIENCE, "the authority did not follow");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_rolls_over_under_three_levels_one_of_which_was_asleep() {
    let root = folder();
    let mut city = Site::found(&root, CITY).await;
    let mut county = Site::join(&root, &city, COUNTY).await;
    let mut township = Site::join(&root, &county, TOWNSHIP).await;
    let old = township.run().shared.trust().authority;
    township.stop().await;
    city.act(TrustAct::RollOver).await.expect("rolled over");
    until("city and county are under the new root", || {
        [&city, &county].iter().all(|site| {
            let trust = site.run().shared.trust();
            trust.current && trust.authority != old && !trust.unproven
        })
    })
    .await;
    let early = city.act(TrustAct::RetireOld { force: false }).await.expect_err("one node has not renewed");
    assert!(early.starts_with("1 nodes"), "{early}");
    township.start().await;
    until("the township is under the new root too", || {
        let trust = township.run().shared.trust();
        trust.current && trust.authority != old && !trust.unproven && township.parent_up()
    })
    .await;
    until("the city knows", || city.run().shared.trust().issues.is_some_and(|i| i.current == 3)).await;
    city.act(TrustAct::RetireOld { force: false }).await.expect("retired");
    until("everybody heard", || {
        [&city, &county, &township].iter().all(|site| site.run().shared.trust().earlier_authorities == 0)
    })
    .await;
    for site in [&mut city, &mut county, &mut township] {
        site.stop().await;
        site.start().await;
    }
    county.linked().await;
    township.linked().await;
    let late = Site::join(&root, &county, OTHER_TOWNSHIP).await;
    let case = late.report(2, "yes").await;
    held(&city, case).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_county_that_ran_alone_comes_below_a_city_with_its_nodes_and_cases() {
    let root = folder();
    let mut county = Site::found(&root, COUNTY).await;
    let township = Site::join(&root, &county, TOWNSHIP).await;
    let (county_id, earlier) = (county.id(), township.report(1, "yes").await);
    held(&county, earlier).await;
    let city = Site::found(&root, CITY).await;
    let token = node::give_token(&city.folder, COUNTY.parse().expect("a code"), HOUR).await.expect("a token");
    let run = county.run();
    let over = wuji::config::Transport::Quic;
    let adopted = wuji::trust::adopt::adopt(&county.folder, &run.config, &run.port, &run.clock, &token, over).await;
    adopted.expect("adopted");
    county.linked().await;
    until("the township sees the city above", || township.run().shared.line().len() == 2).await;
    held(&city, earlier).await;
    assert_eq!(county.id(), county_id);
    assert!(county.holds(earlier).await, "its cases stay");
    let later = township.report(2, "yes").await;
    held(&city, later).await;
    until("all renew under the city", || {
        [&county, &township].iter().all(|site| site.run().shared.trust().current && !site.run().shared.trust().unproven)
    })
    .await;
    until("the city knows", || city.run().shared.trust().issues.is_some_and(|i| i.current == 3)).await;
    city.act(TrustAct::RetireOld { force: false }).await.expect("the county's authority is retired");
    county.stop().await;
    county.start().await;
    county.linked().await;
    let new = Site::join(&root, &county, OTHER_TOWNSHIP).await;
    held(&city, new.report(3, "yes").await).await;
    let twice = node::give_token(&city.folder, COUNTY.parse().expect("a code"), HOUR).await;
    assert!(twice.is_err_and(|why| why.to_string().contains("--replace")));
}

#[tokio::test(flavor = "multi_thread")]
async fn new_hardware_takes_the_place_of_the_old_under_the_same_id() {
    let root = folder();
    let city = Site::found(&root, CITY).await;
    let mut county = Site::join(&root, &city, COUNTY).await;
    let (id, case) = (county.id(), county.report(1, "yes").await);
    held(&city, case).await;
    county.stop().await;
    let division = COUNTY.parse().expect("a code");
    let wanted = Wanted { division, replaces: Some(id), skip_levels: false };
    let token = node::give_token_for(&city.folder, wanted, HOUR).await.expect("a token");
    let elsewhere = Folder::new(root.path().join("new"));
    node::join(&elsewhere, &plan(COUNTY), &token).await.expect("joined");
    quicken(&elsewhere);
    let new = Site::begin(elsewhere, Clock::default()).await;
    new.linked().await;
    assert_eq!(new.id(), id);
    held(&new, case).await;
    let later = new.report(2, "yes").await;
    held(&city, later).await;
    // The thief of the old machine.
    county.start().await;
    until("the old keys are refused", || county.run().shared.last_dial_failure().is_some()).await;
    assert!(!county.parent_up(), "the old keys open no link");
    assert!(new.parent_up());
    let used = node::join(&Folder::new(root.path().join("third")), &plan(COUNTY), &token).await;
    assert!(used.is_err_and(|why| format!("{why:#}").contains("used already")));
    assert!(!root.path().join("third").exists(), "a refused join leaves no folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_closed_only_when_nothing_hangs_on_it() {
    let root = folder();
    let city = Site::found(&root, CITY).await;
    let county = Site::join(&root, &city, COUNTY).await;
    let township = Site::join(&root, &county, TOWNSHIP).await;
    let close = |node| TrustAct::Decommission { node };
    let below = city.act(close(county.id())).await.expect_err("a node hangs below");
    assert!(below.contains(TOWNSHIP), "{below}");
    let case = township.report(1, "yes").await;
    held(&city, case).await;
    let owns = city.act(close(township.id())).await.expect_err("it owns a case");
    assert!(owns.contains("1 open cases") && owns.contains(&case.to_string()), "it says which: {owns}");
    assert!(county.up(township.id()), "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_node_loses_its_link_and_its_way() {
    let root = folder();
    let city = Site::found(&root, CITY).await;
    let county = Site::join(&root, &city, COUNTY).await;
    city.act(TrustAct::Decommission { node: county.id() }).await.expect("closed");
    until("the link is down", || !city.up(county.id())).await;
    assert!(city.run().store.routes().await.expect("read").is_empty());
    assert_eq!(city.run().store.revoked().await.expect("read")[0].reason, "decommissioned");
    let again = Site::join(&tempfile::tempdir().expect("a folder"), &city, COUNTY).await;
    assert_ne!(again.id(), county.id(), "the division is free for another node");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_refused_where_its_node_would_hang_wrong() {
    let root = folder();
    let city = Site::found(&root, CITY).await;
    let _county = Site::join(&root, &city, COUNTY).await;
    let ask = async |division: &str, skip_levels| {
        let wanted = Wanted { division: division.parse().expect("a code"), replaces: None, skip_levels };
        node::give_token_for(&city.folder, wanted, HOUR).await.map_err(|e| e.to_string())
    };
    for (division, skip, says) in [
        ("330700000000", false, "is not below"),
        (COUNTY, false, "has the node"),
        (TOWNSHIP, true, "give the token out there"),
        ("330603001000", false, "lies between and has no node"),
    ] {
        let refused = ask(division, skip).await.expect_err(division);
        assert!(refused.contains(says), "{division}: {refused}");
    }
    ask("330603001000", true).await.expect("said so");
    ask("330604000000", false).await.expect("a county below its city");
}
