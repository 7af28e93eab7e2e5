//! `doctor` sees what is wrong, says so by its grade, and changes nothing.

#[path = "support/ports.rs"]
mod ports;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use protocol::bounded::{List, Text};
use protocol::chain::Signature;
use protocol::directory::{self, Ancestor, SealingKey, SignedEntry, SigningKey};
use protocol::id::NodeId;
use protocol::moving::{Move, SignedMove};
use protocol::time::UnixMillis;
use sqlx::{Connection, SqliteConnection};
use wuji::config::{Config, ParentSection, Transport};
use wuji::folder::Folder;
use wuji::node::{self, Plan, Running};
use wuji::ops::doctor::{self, Finding, Grade};
use wuji::person::audit::Entry;

async fn found(root: &Path, name: &str) -> Folder {
    let folder = Folder::new(root.join(name));
    let plan = Plan {
        division: "330600000000".parse().expect("a code"),
        name: "绍兴市".into(),
        link: "127.0.0.1:0".parse().expect("an address"),
        advertise: "127.0.0.1:7440".into(),
        http: "127.0.0.1:0".parse().expect("an address"),
        database: None,
    };
    node::found(&folder, &plan).await.expect("founded");
    folder
}

async fn look(folder: &Folder, check: &str) -> Finding {
    let findings = doctor::examine(folder.clone(), true).await;
    let shown = format!("{findings:?}");
    findings.into_iter().find(|finding| finding.check == check).unwrap_or_else(|| panic!("no {check} in {shown}"))
}

/// Says that the node hangs below an address.
fn hang_below(folder: &Folder, address: &str) {
    hang_below_over(folder, address, Transport::Quic);
}

fn hang_below_over(folder: &Folder, address: &str, transport: Transport) {
    let mut config = Config::load(folder.path()).expect("a configuration");
    config.parent = Some(ParentSection { id: config.node.id, address: address.to_owned(), transport });
    config.save(folder.path()).expect("saved");
}

#[tokio::test]
async fn a_new_node_is_in_order_but_for_its_backup_and_what_the_machine_lacks() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = found(root.path(), "city").await;
    for check in
        ["configuration", "permissions", "keys", "certificate", "root certificate", "authority", "database", "schema"]
            .into_iter()
            .chain(["persons key"])
    {
        assert_eq!(look(&folder, check).await.grade, Grade::Ok, "{check}");
    }
    assert_eq!(look(&folder, "backup").await.grade, Grade::Warn);
    assert!(doctor::worst(&doctor::examine(folder, false).await) < Grade::Fail);
}

#[tokio::test]
async fn a_key_that_others_can_read_and_one_that_is_gone_are_failures() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = found(root.path(), "city").await;
    let key = folder.keys().join("signing.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    let finding = look(&folder, "permissions").await;
    assert!(finding.grade == Grade::Fail && finding.says.contains("signing.key"), "{finding:?}");
    std::fs::remove_file(&key).expect("removed");
    assert_eq!(look(&folder, "keys").await.grade, Grade::Fail);
    std::fs::remove_dir_all(folder.authority()).expect("removed");
    assert_eq!(look(&folder, "authority").await.grade, Grade::Fail, "the top without its authority");
}

#[tokio::test]
async fn a_key_file_that_is_gone_or_of_another_database_is_a_failure() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = found(root.path(), "city").await;
    Running::start(folder.clone()).await.expect("a node that runs").stop().await.expect("stopped");
    let (file, away) = (folder.keys().join("persons.key"), root.path().join("away"));
    assert_eq!(look(&folder, "persons key").await.grade, Grade::Ok);
    std::fs::rename(&file, &away).expect("moved away");
    let finding = look(&folder, "persons key").await;
    assert!(finding.grade == Grade::Fail && finding.todo.is_some(), "{finding:?}");
    assert!(!file.exists(), "a look makes no keys");
    wuji::person::vault::Vault::create(&folder.keys()).expect("another one");
    let finding = look(&folder, "persons key").await;
    assert!(finding.grade == Grade::Fail && finding.says.contains("of another database"), "{finding:?}");
}

#[tokio::test]
async fn a_damaged_database_is_a_failure_and_a_missing_one_too() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = found(root.path(), "city").await;
    let file = folder.database();
    // All that a founded node holds is in the file, not in a log beside it.
    let mut bytes = std::fs::read(&file).expect("a file");
    let (from, to) = (8 * 1024, 24 * 1024);
    bytes[from..to].fill(0x5a);
    std::fs::write(&file, bytes).expect("written");
    let finding = look(&folder, "database").await;
    assert!(finding.grade == Grade::Fail && finding.todo.is_some(), "{finding:?}");
    std::fs::remove_file(&file).expect("removed");
    assert_eq!(look(&folder, "database").await.grade, Grade::Fail);
    assert!(!file.exists(), "a look makes no database");
}

#[tokio::test]
async fn bundles_that_wait_for_their_way_of_after_a_move_are_told_of() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = found(root.path(), "city").await;
    let config = Config::load(folder.path()).expect("a configuration");
    let (_store, mut write) = wuji::store::open(&config.place(&folder), config.node.id).await.expect("a database");
    assert_eq!(look(&folder, "moves").await.grade, Grade::Ok);
    for (what, grade) in [("below", Grade::Warn), ("none", Grade::Ok)] {
        write.begin().await.expect("begun");
        write.set_meta("reroutes", what).await.expect("written");
        write.commit().await.expect("stored");
        assert_eq!(look(&folder, "moves").await.grade, grade, "{what}");
    }
}

/// The order that a node hangs below another one.
fn order(node: NodeId, to: NodeId) -> SignedMove {
    let placed = |node: u8, code: &str| Ancestor {
        node: NodeId::from_bytes([node; 16]),
        division: code.parse().expect("a code"),
    };
    let entry = directory::Entry {
        node,
        division: "330602001001".parse().expect("a code"),
        parent: Some(to),
        signing: SigningKey([0; 32]),
        sealing: SealingKey([0; 32]),
        tls_spki_sha256: [0; 32],
        serial: 2,
        issued: UnixMillis(0),
    };
    let order = Move {
        entry: SignedEntry { entry, signature: Signature([0; 64]) },
        from: placed(8, "330602001000"),
        line: List::new(vec![Ancestor { node: to, ..placed(9, "330602002000") }]).expect("a line"),
        address: Text::cut("new.example:7443"),
        by: NodeId::from_bytes([7; 16]),
    };
    SignedMove { order, signature: Signature([0; 64]) }
}

#[tokio::test]
async fn a_move_of_the_node_is_told_of_until_it_sees_its_new_parent() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = found(root.path(), "community").await;
    let config = Config::load(folder.path()).expect("a configuration");
    let (_store, mut write) = wuji::store::open(&config.place(&folder), config.node.id).await.expect("a database");
    let signed = order(config.node.id, NodeId::from_bytes([9; 16]));
    write.begin().await.expect("begun");
    write.put_move(&signed, UnixMillis(1)).await.expect("written");
    write.commit().await.expect("stored");
    let finding = look(&folder, "moves").await;
    assert!(finding.grade == Grade::Warn && finding.says.contains("330602002000"), "{finding:?}");
    write.begin().await.expect("begun");
    write.set_ancestors(&signed.order.line).await.expect("written");
    write.commit().await.expect("stored");
    assert_eq!(look(&folder, "moves").await.grade, Grade::Ok);
}

#[tokio::test]
async fn an_audit_that_was_tampered_with_is_a_failure() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = found(root.path(), "city").await;
    let config = Config::load(folder.path()).expect("a configuration");
    let (_store, mut write) = wuji::store::open(&config.place(&folder), config.node.id).await.expect("a database");
    let entry = Entry { who: "wang".into(), action: "reveal".into(), outcome: "done".into(), ..Entry::default() };
    write.begin().await.expect("begun");
    write.append_audit(&[entry.clone(), entry], UnixMillis(1)).await.expect("written");
    write.commit().await.expect("stored");
    let finding = look(&folder, "audit").await;
    assert!(finding.grade == Grade::Ok && finding.says.contains("2 entries"), "{finding:?}");
    let mut raw = SqliteConnection::connect(&format!("sqlite://{}", folder.database().display())).await.expect("open");
    sqlx::query("UPDATE audit_log SET who = 'li' WHERE number = 1").execute(&mut raw).await.expect("altered");
    let finding = look(&folder, "audit").await;
    assert!(finding.grade == Grade::Fail && finding.says.contains("entry 1 was altered"), "{finding:?}");
}

#[tokio::test]
async fn a_parent_that_answers_is_told_from_one_that_does_not_and_from_what_is_no_parent() {
    let root = tempfile::tempdir().expect("a folder");
    let above = Running::start(found(root.path(), "above").await).await.expect("a node that runs");
    let folder = found(root.path(), "below").await;
    hang_below(&folder, &above.link_address().expect("an address").to_string());
    let finding = look(&folder, "node above").await;
    assert!(finding.grade == Grade::Ok && finding.says.contains("answers QUIC"), "{finding:?}");
    above.stop().await.expect("stopped");
    assert_eq!(look(&folder, "node above").await.grade, Grade::Fail, "nobody is there any more");
    let echo = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    hang_below(&folder, &echo.local_addr().expect("an address").to_string());
    tokio::spawn(async move {
        let mut bytes = [0; 2_000];
        while let Ok((length, from)) = echo.recv_from(&mut bytes).await {
            echo.send_to(&bytes[..length], from).await.expect("sent back");
        }
    });
    let finding = look(&folder, "node above").await;
    assert!(finding.grade == Grade::Fail && finding.says.contains("not QUIC"), "{finding:?}");
}

#[tokio::test]
async fn where_tcp_gets_through_and_udp_does_not_the_way_out_is_named() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = found(root.path(), "below").await;
    // A port that nobody else is given once this one has gone.
    let listener = tokio::net::TcpListener::bind(ports::free_address()).await.expect("a listener");
    let address = listener.local_addr().expect("an address").to_string();
    hang_below(&folder, &address);
    let finding = look(&folder, "node above").await;
    let todo = finding.todo.as_deref().unwrap_or_default();
    assert!(finding.grade == Grade::Fail && todo.contains("transport = \"tcp\""), "{finding:?}");
    hang_below_over(&folder, &address, Transport::Tcp);
    let finding = look(&folder, "node above").await;
    assert!(finding.grade == Grade::Ok && finding.says.contains("answers TCP"), "{finding:?}");
    drop(listener);
    assert_eq!(look(&folder, "node above").await.grade, Grade::Fail, "nobody is there any more");
}

#[tokio::test]
async fn a_folder_without_a_node_is_one_failure_and_stays_empty() {
    let root = tempfile::tempdir().expect("a folder");
    let findings = doctor::examine(Folder::new(root.path()), false).await;
    assert_eq!(findings.len(), 1);
    assert_eq!(doctor::worst(&findings), Grade::Fail);
    assert_eq!(std::fs::read_dir(root.path()).expect("a folder").count(), 0);
}

#[tokio::test]
async fn what_waits_for_a_newer_program_is_told_with_what_to_do() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = found(root.path(), "city").await;
    assert_eq!(look(&folder, "versions").await.grade, Grade::Ok);
    let node = Config::load(folder.path()).expect("a configuration").node.id;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.database());
    let mut rows = SqliteConnection::connect_with(&options).await.expect("the file");
    sqlx::query("INSERT INTO unread (node, number, bundle, peer, returned, bytes) VALUES ($1, 1, $1, $1, 0, 9)")
        .bind(node.as_bytes().to_vec())
        .execute(&mut rows)
        .await
        .expect("noted");
    rows.close().await.expect("closed");
    let finding = look(&folder, "versions").await;
    assert!(finding.grade == Grade::Warn && finding.todo.is_some_and(|todo| todo.contains("upgrade")));
}
