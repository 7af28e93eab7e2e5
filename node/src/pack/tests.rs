use casework::{Grant, Role};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use protocol::division::Level;

use super::*;
use crate::config::{HttpSection, LinkSection};
use crate::divisions::{self, Site};
use crate::names::Table;
use crate::person::change::PutUser;

const CITY: &str = "code,name,level,parent_code\n330600000000,绍兴市,city,\n330602000000,越城区,county,330600000000\n\
                    330602001000,府山街道,township,330602000000\n330602001001,甲社区,village,330602001000\n\
                    330602001002,乙社区,village,330602001000\n";

fn sites() -> Vec<Site> {
    divisions::sites(&Table::read(CITY.as_bytes()).unwrap(), None).unwrap().sites
}

/// A free UDP address on this machine.
fn link() -> LinkSection {
    let listen = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    LinkSection { listen, advertise: listen.to_string(), retry_min_ms: 50, retry_max_ms: 1_000, capture: None }
}

fn user(site: &Site) -> PutUser {
    PutUser {
        name: "clerk".to_owned(),
        shown: format!("{}受理员", site.name),
        password: None,
        must_change: false,
        disabled: false,
        grants: Some(vec![Grant::everywhere(Role::Clerk)]),
    }
}

fn order<'a>(into: &'a Path, sites: &'a [Site], database: PackDatabase) -> Order<'a> {
    Order {
        into,
        sites,
        link: link(),
        http: HttpSection::plain("127.0.0.1:0".parse().unwrap()),
        database,
        users: Arc::new(|site| vec![user(site)]),
    }
}

async fn start(folder: &Path) -> Pack {
    let file = PackFile::load(&folder.join(FILE_NAME)).unwrap();
    // A socket of the run before closes a moment after its last user.
    for _ in 0..100 {
        if std::net::UdpSocket::bind(file.link.listen).is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Pack::start(folder, &file, |_| {}).await.unwrap()
}

/// Waits until every node but the top has its link to its parent.
async fn all_up(pack: &Pack) {
    let up = |pack: &Pack| {
        pack.nodes.iter().all(|node| match &node.config.parent {
            None => true,
            Some(parent) => node.shared.links().get(&parent.id).is_some_and(|link| link.up),
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
async fn a_pack_made_from_a_table_comes_up_with_all_its_links_and_again_after_a_restart() {
    for database in [PackDatabase::default(), PackDatabase { file: Some("pack.db".into()), url: None }] {
        let root = tempfile::tempdir().unwrap();
        let (into, sites) = (root.path().join("city"), sites());
        let made = make(order(&into, &sites, database), |_| {}).await.unwrap();
        assert_eq!(made.nodes, 5);
        for _ in 0..2 {
            let pack = start(&into).await;
            assert!(pack.failures.is_empty() && pack.nodes.len() == 5);
            all_up(&pack).await;
            let top = pack.nodes.iter().find(|n| n.config.node.division.level() == Level::City).unwrap();
            assert_eq!(top.store.routes().await.unwrap().len(), 4, "the top knows the way to everybody");
            assert_eq!(top.store.children().await.unwrap().len(), 1);
            assert_eq!(top.store.people(top.config.node.id).users().await.unwrap()[0].shown, "绍兴市受理员");
            pack.stop().await.unwrap();
        }
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
    assert!(descriptors_needed(4_446) < 20_000);
    let why = raise_descriptors(usize::MAX / 2).unwrap_err().to_string();
    assert!(why.contains("LimitNOFILE=") && why.contains("ulimit -n"), "{why}");
}
