#[path = "../../tests/support/ports.rs"]
mod ports;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use protocol::division::Level;

use super::*;
use crate::config::{HttpSection, LinkSection, Transport};
use crate::divisions::{self, Site};
use crate::folder::Folder;
use crate::names::Table;
use crate::node;
use crate::person::change::PutUser;

const CITY: &str = "code,name,level,parent_code\n330600000000,绍兴市,city,\n330602000000,越城区,county,330600000000\n\
                    330602001000,府山街道,township,330602000000\n330602001001,甲社区,village,330602001000\n\
                    330602001002,乙社区,village,330602001000\n";

fn sites() -> Vec<Site> {
    divisions::sites(&Table::read(CITY.as_bytes()).unwrap(), None).unwrap().sites
}

/// A free UDP address on this machine.
fn link() -> LinkSection {
    let listen = ports::free_address();
    LinkSection { retry_min_ms: 50, retry_max_ms: 1_000, ..LinkSection::new(listen, listen.to_string()) }
}

fn user(name: &str, grants: &str) -> PutUser {
    PutUser {
        name: name.to_owned(),
        shown: name.to_owned(),
        password: None,
        must_change: false,
        disabled: false,
        grants: Some(crate::person::roles::grants(grants).unwrap()),
    }
}

fn order<'a>(into: &'a Path, sites: &'a [Site], database: PackDatabase) -> Order<'a> {
    Order {
        into,
        sites,
        link: link(),
        http: HttpSection::plain("127.0.0.1:0".parse().unwrap()),
        database,
        users: vec![user("clerk", "clerk"), user("second", "clerk@330602001002")],
        table: None,
    }
}

async fn start(folder: &Path) -> Pack {
    let file = PackFile::load(&folder.join(FILE_NAME)).unwrap();
    Pack::start(folder, &file, |_| {}).await.unwrap()
}

/// Waits until every node but the top has its link to its parent.
async fn all_up(pack: &Pack) {
    let up = |pack: &Pack| {
        pack.nodes.iter().all(|node| match &node.config.parent {
            None => true,
            Some(parent) => node.shared.is_up(parent.id),
        })
    };
    for _ in 0..600 {
        if up(pack) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("links are not up");
}

#[tokio::test]
async fn a_pack_made_from_a_table_comes_up_with_all_its_links() {
    for database in [PackDatabase::default(), PackDatabase { file: Some("pack.db".into()), url: None }] {
        let root = tempfile::tempdir().unwrap();
        let (into, sites) = (root.path().join("city"), sites());
        let made = make(order(&into, &sites, database), |_| {}).await.unwrap();
        assert_eq!(made.nodes, 5);
        let pack = start(&into).await;
        assert!(pack.failures.is_empty() && pack.nodes.len() == 5);
        all_up(&pack).await;
        let top = pack.nodes.iter().find(|n| n.config.node.division.level() == Level::City).unwrap();
        assert_eq!(top.store.routes().await.unwrap().len(), 4, "the top knows the way to everybody");
        assert_eq!(top.store.children().await.unwrap().len(), 1);
        let people = pack.realm().unwrap().people.users().await.unwrap();
        assert_eq!(people.into_iter().map(|user| user.name).collect::<Vec<_>>(), ["clerk", "second"]);
        pack.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_node_that_cannot_start_is_named_and_keeps_no_other_from_starting() {
    let root = tempfile::tempdir().unwrap();
    let (into, sites) = (root.path().join("city"), sites());
    make(order(&into, &sites, PackDatabase::default()), |_| {}).await.unwrap();
    std::fs::write(into.join("nodes/330602001002/keys/tls.key"), "damaged").unwrap();
    let pack = start(&into).await;
    assert_eq!(pack.nodes.len(), 4);
    let [failure] = pack.failures.as_slice() else { panic!("{:?}", pack.failures) };
    assert!(failure.folder.ends_with("nodes/330602001002"));
    assert!(format!("{:#}", failure.why).contains("the keys cannot be read"), "{:#}", failure.why);
    all_up(&pack).await;
    pack.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_is_made_where_something_stands_and_what_an_interrupted_run_left_is_cleared_away() {
    let root = tempfile::tempdir().unwrap();
    let (into, sites) = (root.path().join("city"), sites());
    std::fs::create_dir(&into).unwrap();
    std::fs::write(into.join("somebody's"), "").unwrap();
    let why = make(order(&into, &sites, PackDatabase::default()), |_| {}).await.unwrap_err().to_string();
    assert!(why.ends_with("holds something already; nothing was changed"), "{why}");
    std::fs::remove_file(into.join("somebody's")).unwrap();

    let partial = root.path().join("city.partial");
    std::fs::create_dir_all(partial.join("nodes/330600000000")).unwrap();
    let why = make(order(&into, &sites, PackDatabase::default()), |_| {}).await.unwrap_err().to_string();
    assert!(why.contains("city.partial is in the way and was not made here"), "{why}");
    std::fs::write(partial.join("being-made"), "").unwrap();
    make(order(&into, &sites, PackDatabase::default()), |_| {}).await.unwrap();
    assert!(!partial.exists());
    let mut left: Vec<_> =
        std::fs::read_dir(&into).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["nodes", "pack.toml"]);
}

#[tokio::test]
async fn what_cannot_be_finished_leaves_nothing_behind() {
    let root = tempfile::tempdir().unwrap();
    let mut sites = sites();
    // The same code twice: the second one finds the database of the first.
    let again = sites[4].clone();
    sites.push(again);
    let into = root.path().join("city");
    assert!(make(order(&into, &sites, PackDatabase::default()), |_| {}).await.is_err());
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_sleeping_pack_holds_no_database_open() {
    let root = tempfile::tempdir().unwrap();
    let (into, sites) = (root.path().join("city"), sites());
    make(order(&into, &sites, PackDatabase::default()), |_| {}).await.unwrap();
    let pack = start(&into).await;
    all_up(&pack).await;
    let open = |pack: &Pack| pack.nodes.iter().map(|node| node.store.database().connections()).sum::<usize>();
    for _ in 0..100 {
        if open(&pack) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(open(&pack), 0);
    assert_eq!(pack.nodes[0].store.routes().await.unwrap().len(), 4, "and opens it on use");
    pack.stop().await.unwrap();
}

#[test]
fn too_few_descriptors_are_refused_with_the_command_to_run() {
    assert!(descriptors_needed(4_446, false) < descriptors_needed(4_446, true), "each link over TCP has one more");
    assert!(descriptors_needed(4_446, true) < 20_000);
    let why = raise_descriptors(usize::MAX / 4, true).unwrap_err().to_string();
    assert!(why.contains("LimitNOFILE=") && why.contains("ulimit -n"), "{why}");
}

/// What the front of a pack answers to a GET: status, headers, body.
async fn get(front: &crate::door::Front, path: &str) -> (u16, axum::http::HeaderMap, String) {
    let request = axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap();
    let answer = front.answer(request, "127.0.0.1:9".parse().unwrap()).await;
    let (parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

fn admit_all(front: &crate::door::Front, pack: &Pack) {
    let (names, realm) = (Arc::new(Table::read(CITY.as_bytes()).unwrap()), pack.realm().unwrap());
    for node in &pack.nodes {
        front.admit(Arc::new(crate::api::ApiState::within(node, names.clone(), realm.clone()).unwrap()));
    }
}

#[tokio::test]
async fn one_listener_leads_to_every_node_by_its_division_and_keeps_links_and_redirects_below_it() {
    let root = tempfile::tempdir().unwrap();
    let (into, sites) = (root.path().join("city"), sites());
    make(order(&into, &sites, PackDatabase::default()), |_| {}).await.unwrap();
    let pack = start(&into).await;
    let front = crate::door::Front::pack(&crate::config::Door::Loopback);
    admit_all(&front, &pack);
    let (status, _, body) = get(&front, "/").await;
    assert!(status == 200 && body.contains("绍兴市") && body.contains("href=\"/330600000000/login"), "{body}");
    assert!(!body.contains("甲社区"), "what lies deeper is found by going down or by name");
    let (_, _, body) = get(&front, "/?q=%E7%94%B2").await;
    assert!(body.contains("甲社区"), "{body}");
    for node in &sites {
        let (status, _, _) = get(&front, &format!("/{}/healthz", node.code)).await;
        assert_eq!(status, 200);
    }
    let (status, headers, _) = get(&front, "/330602000000/").await;
    assert!((300..400).contains(&status), "whoever is not logged in goes to the door");
    assert_eq!(headers["location"], "/330602000000/login");
    let (_, _, body) = get(&front, "/330602000000/login").await;
    assert!(body.contains("action=\"/330602000000/login"), "{body}");
    let (status, headers, _) = get(&front, "/330602000000").await;
    assert_eq!((status, headers["location"].to_str().unwrap()), (308, "/330602000000/"));
    assert_eq!(get(&front, "/330700000000/healthz").await.0, 404, "no such node here");
    assert_eq!(get(&front, "/login").await.0, 404, "a pack has no node without its division");
    assert_eq!(get(&front, "/healthz").await.0, 200);
    let (status, _, _) = get(&front, "/330602000000/api/v1/status").await;
    assert_eq!(status, 401);
    drop(front);
    pack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_in_at_one_node_of_a_pack_works_at_every_node_where_a_role_of_theirs_holds() {
    let root = tempfile::tempdir().unwrap();
    let (into, sites) = (root.path().join("city"), sites());
    let mut order = order(&into, &sites, PackDatabase::default());
    let password = crate::person::password::hash("a long enough word".to_owned()).await.unwrap();
    order.users.iter_mut().for_each(|user| user.password = Some(password.clone()));
    make(order, |_| {}).await.unwrap();
    let pack = start(&into).await;
    let front = crate::door::Front::pack(&crate::config::Door::Loopback);
    admit_all(&front, &pack);
    for (name, closed) in [("clerk", None), ("second", Some("330602001001"))] {
        let cookie = log_in(&front, "330600000000", name).await;
        for site in &sites {
            let code = site.code.to_string();
            let request = axum::http::Request::get(format!("/{code}/api/v1/cases")).header("cookie", &cookie);
            let request = request.body(axum::body::Body::empty()).unwrap();
            let status = front.answer(request, "127.0.0.1:9".parse().unwrap()).await.status().as_u16();
            let expected = if closed == Some(code.as_str()) { 403 } else { 200 };
            assert_eq!(status, expected, "{name} at {code}");
        }
    }
    drop(front);
    pack.stop().await.unwrap();
}

/// The cookie of a new session.
async fn log_in(front: &crate::door::Front, code: &str, name: &str) -> String {
    let body = serde_json::json!({ "user": name, "password": "a long enough word" }).to_string();
    let request = axum::http::Request::post(format!("/{code}/api/v1/session"))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(body))
        .unwrap();
    let answer = front.answer(request, "127.0.0.1:9".parse().unwrap()).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn without_the_node_that_keeps_its_people_the_others_run_and_it_is_said_that_nobody_can_log_in() {
    let root = tempfile::tempdir().unwrap();
    let (into, sites) = (root.path().join("city"), sites());
    make(order(&into, &sites, PackDatabase::default()), |_| {}).await.unwrap();
    std::fs::write(into.join("nodes/330600000000/keys/tls.key"), "damaged").unwrap();
    let pack = start(&into).await;
    assert_eq!(pack.nodes.len(), 4);
    let why = pack.realm().unwrap_err().to_string();
    assert!(why.contains("nodes/330600000000 keeps the people of this pack and does not run"), "{why}");
    let front = crate::door::Front::pack(&crate::config::Door::Loopback);
    front.close();
    let (status, _, body) = get(&front, "/330602000000/login").await;
    assert!(status == 503 && body.contains("people-away"), "{status} {body}");
    assert_eq!(get(&front, "/healthz").await.0, 200, "the process itself lives");
    drop(front);
    pack.stop().await.unwrap();
}

/// Works in a runtime of its own and ends it, as an interrupted process ends with all its tasks and sockets.
fn interrupted<T: Send>(work: impl AsyncFnOnce() -> T + Send) -> T {
    let apart = || tokio::runtime::Runtime::new().unwrap().block_on(work());
    tokio::task::block_in_place(|| std::thread::scope(|scope| scope.spawn(apart).join().unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_joins_below_a_node_that_runs_elsewhere_and_an_interrupted_run_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let (above, all) = (root.path().join("city"), sites());
    make(order(&above, &all[..1], PackDatabase::default()), |_| {}).await.unwrap();
    let city = start(&above).await;
    let top = Folder::new(above.join("nodes/330600000000"));
    let token = node::give_token(&top, all[1].code, 3_600_000).await.unwrap();
    let mut below = all[1..].to_vec();
    below[0].parent = None;
    let into = root.path().join("county");

    // The first run ends when its second level stands for nothing that can join.
    let mut broken = below.clone();
    broken[2].code = "330702001001".parse().unwrap();
    let first = interrupted(async || {
        join(order(&into, &broken, PackDatabase::default()), &token, Transport::Quic, |_| {}).await
    });
    let why = format!("{:#}", first.unwrap_err());
    assert!(why.contains("330702001001 is not below 330602001000"), "{why}");
    assert!(!into.exists() && root.path().join("county.partial").exists(), "what has joined is kept beside the place");
    let why = make(order(&into, &below, PackDatabase::default()), |_| {}).await.unwrap_err().to_string();
    assert!(why.contains("holds nodes that have joined a federation"), "{why}");

    let again = interrupted(async || {
        join(order(&into, &below, PackDatabase::default()), &token, Transport::Quic, |_| {}).await
    });
    let made = again.unwrap();
    assert_eq!(made.nodes, 4);
    let county = start(&into).await;
    all_up(&county).await;
    let routes = city.nodes[0].store.routes().await.unwrap();
    assert_eq!(routes.len(), 4, "the authority knows the way to all that joined");
    county.stop().await.unwrap();
    city.stop().await.unwrap();
}
