//! An archive holds all that a node holds, can be trusted or is refused, and makes the node again.

#[expect(unreachable_pub, dead_code, reason = "the same file is a module of other tests, which use more of it")]
#[path = "support/postgres.rs"]
mod postgres;

use std::path::Path;

use casework::{Grant, Role};
use protocol::id::TokenId;
use protocol::time::UnixMillis;
use wuji::config::Config;
use wuji::folder::Folder;
use wuji::node::{self, Plan};
use wuji::ops::backup::{self, Progress, Wanted};
use wuji::ops::lock::{self, LockWith, OpenWith};
use wuji::ops::restore;
use wuji::person::change::{Change, PutUser};
use wuji::store::dump::Cell;
use wuji::store::trust::KeptToken;
use wuji::store::{self, Database, Store};
use zeroize::Zeroizing;

const PASSPHRASE: &str = "correct horse battery staple";

struct Silent;

impl Progress for Silent {
    fn begins(&mut self, _: u64) {}
    fn row(&mut self) {}
    fn now(&mut self, _: &str) {}
}

/// A city with a user, a token that waits, and text of every kind that a column takes.
async fn city(root: &Path) -> (Folder, Config) {
    let folder = Folder::new(root.join("city"));
    let plan = Plan {
        division: "330600000000".parse().expect("a code"),
        name: "绍兴市".into(),
        link: "127.0.0.1:0".parse().expect("an address"),
        advertise: "127.0.0.1:7440".into(),
        http: "127.0.0.1:0".parse().expect("an address"),
        database: None,
    };
    let config = node::found(&folder, &plan).await.expect("founded");
    let (_, mut write) = store::open(&config.place(&folder), config.node.id).await.expect("a database");
    let user = PutUser {
        name: "li".into(),
        shown: "李 \u{0}'\"; DROP TABLE meta".replace('\u{0}', " "),
        password: Some("$argon2id$".into()),
        must_change: false,
        disabled: false,
        grants: Some(vec![Grant::everywhere(Role::Clerk)]),
    };
    write.change_people(config.node.id, &Change::PutUser(user), UnixMillis(1)).await.expect("a user");
    write.set_meta("empty", "").await.expect("an empty value");
    let token = KeptToken {
        secret: [7; 32],
        division: "330602000000".parse().expect("a code"),
        expires: UnixMillis(i64::MAX),
        request: None,
        answer: None,
    };
    write.put_token(TokenId::from_bytes([1; 16]), &token).await.expect("a token");
    (folder, config)
}

/// All rows of a node by table, in an order of their own.
async fn rows(folder: &Folder, config: &Config) -> Vec<(String, Vec<String>)> {
    let store = Store::read_only(&config.place(folder), config.node.id).expect("a database");
    let mut snapshot = store.snapshot().await.expect("a moment");
    let mut all = Vec::new();
    for table in snapshot.tables.clone() {
        let mut rows = Vec::new();
        let look = |row: Vec<Cell>| {
            rows.push(format!("{row:?}"));
            Ok::<_, store::StoreError>(())
        };
        snapshot.rows(&table, look).await.expect("rows");
        rows.sort();
        all.push((table.name, rows));
    }
    snapshot.end().await.expect("an end");
    all
}

fn passphrase() -> LockWith {
    LockWith::Passphrase(Zeroizing::new(PASSPHRASE.to_owned()))
}

fn opens() -> OpenWith {
    OpenWith { passphrase: Some(Zeroizing::new(PASSPHRASE.to_owned())), identity: None }
}

fn why(result: anyhow::Result<impl Sized>) -> String {
    format!("{:#}", result.err().expect("it is refused"))
}

/// The rows of a restored node, without the one that tells its books where to go on.
fn restored(mut rows: Vec<(String, Vec<String>)>) -> Vec<(String, Vec<String>)> {
    let meta = rows.iter_mut().find(|(table, _)| table == "meta").expect("a table");
    let before = meta.1.len();
    meta.1.retain(|row| !row.contains("numbers_restored"));
    assert_eq!(meta.1.len() + 1, before, "it is there");
    rows
}

#[tokio::test]
async fn a_node_restored_from_its_archive_has_every_row_and_every_key() {
    let root = tempfile::tempdir().expect("a folder");
    let (folder, config) = city(root.path()).await;
    let to = root.path().join("city.wuji");
    let wanted = Wanted { to: to.clone(), keys: true, lock: passphrase() };
    let (head, parts) = backup::make(&folder, &wanted, &mut Silent).await.expect("a backup");
    assert!(head.keys && parts.iter().any(|part| part.name == "authority/root.key"));
    let bytes = std::fs::read(&to).expect("the archive");
    for secret in ["李", "argon2id", "wuji.toml"] {
        assert!(
            !bytes.windows(secret.len()).any(|w| w == secret.as_bytes()),
            "{secret} is readable in a locked archive"
        );
    }
    let other = Folder::new(root.path().join("other"));
    let wanted = restore::Wanted { from: to, open: opens(), keys: None, database: None };
    restore::restore(&other, &wanted, &mut Silent).await.expect("restored");
    let (mut was, is) = (rows(&folder, &config).await, restored(rows(&other, &config).await));
    for (table, rows) in &mut was {
        if table == "token" {
            assert_eq!(rows.len(), 1, "the token was in the backup");
            rows.clear();
        }
    }
    assert_eq!(was, is, "all rows but the unused token, which may have been used after the backup");
    for file in ["keys/signing.key", "keys/enrolled.bin", "authority/root.key"] {
        let read = |folder: &Folder| std::fs::read(folder.path().join(file)).expect(file);
        assert_eq!(read(&folder), read(&other), "{file}");
    }
    let running = node::Running::start(other).await.expect("the restored node starts");
    running.stop().await.expect("and stops");
}

#[tokio::test]
async fn keys_go_into_a_locked_archive_only_and_without_them_a_copy_is_asked_for() {
    let root = tempfile::tempdir().expect("a folder");
    let (folder, _) = city(root.path()).await;
    let to = root.path().join("city.wuji");
    let open = |keys| Wanted { to: to.clone(), keys, lock: LockWith::Nothing };
    let refused = why(backup::make(&folder, &open(true), &mut Silent).await);
    assert!(refused.contains("locked archive"), "{refused}");
    assert!(!to.exists(), "nothing is left behind");
    backup::make(&folder, &open(false), &mut Silent).await.expect("a backup without keys");
    let mut wanted = restore::Wanted { from: to, open: OpenWith::default(), keys: None, database: None };
    let other = Folder::new(root.path().join("other"));
    let refused = why(restore::restore(&other, &wanted, &mut Silent).await);
    assert!(refused.contains("--keys"), "{refused}");
    assert!(!other.path().exists(), "nothing half-made stays");
    wanted.keys = Some(folder.path().to_owned());
    restore::restore(&other, &wanted, &mut Silent).await.expect("restored with the copy of the keys");
}

/// Starts a node and stops it: its database then knows which key file belongs to it.
async fn started_once(folder: &Folder) {
    let running = node::Running::start(folder.clone()).await.expect("a node that runs");
    running.stop().await.expect("stopped");
}

#[tokio::test]
async fn an_archive_with_keys_is_refused_when_the_key_of_the_names_is_gone_and_one_without_is_made() {
    let root = tempfile::tempdir().expect("a folder");
    let (folder, _) = city(root.path()).await;
    started_once(&folder).await;
    std::fs::remove_file(folder.keys().join("persons.key")).expect("removed");
    let to = root.path().join("city.wuji");
    let wanted = Wanted { to: to.clone(), keys: true, lock: passphrase() };
    let refused = why(backup::make(&folder, &wanted, &mut Silent).await);
    assert!(refused.contains("keys/persons.key") && refused.contains("cannot be read"), "{refused}");
    assert!(!to.exists(), "nothing says that it is enough");
    let wanted = Wanted { to, keys: false, lock: passphrase() };
    backup::make(&folder, &wanted, &mut Silent).await.expect("the rows can be saved still");
}

#[tokio::test]
async fn a_node_whose_names_would_stay_closed_is_not_restored_until_their_key_is_given() {
    let root = tempfile::tempdir().expect("a folder");
    let (folder, _) = city(root.path()).await;
    started_once(&folder).await;
    let to = root.path().join("city.wuji");
    let wanted = Wanted { to: to.clone(), keys: false, lock: LockWith::Nothing };
    backup::make(&folder, &wanted, &mut Silent).await.expect("a backup without keys");
    let (file, away) = (folder.keys().join("persons.key"), root.path().join("away"));
    std::fs::rename(&file, &away).expect("moved away");
    let keys = Some(folder.path().to_owned());
    let wanted = restore::Wanted { from: to, open: OpenWith::default(), keys, database: None };
    let other = Folder::new(root.path().join("other"));
    let refused = why(restore::restore(&other, &wanted, &mut Silent).await);
    assert!(refused.contains("nothing was restored") && refused.contains("FOLDER/keys/persons.key"), "{refused}");
    assert!(!other.path().exists());
    std::fs::rename(&away, &file).expect("put back");
    restore::restore(&other, &wanted, &mut Silent).await.expect("restored with the right key file");
    started_once(&other).await;
}

#[tokio::test]
async fn a_sealed_archive_opens_with_the_private_key_of_its_recipient_alone() {
    let root = tempfile::tempdir().expect("a folder");
    let (folder, _) = city(root.path()).await;
    let (right, wrong) = (root.path().join("right.key"), root.path().join("wrong.key"));
    let public = lock::new_recipient(&right).expect("a recipient");
    lock::new_recipient(&wrong).expect("another");
    let to = root.path().join("city.wuji");
    let lock = LockWith::Recipient(lock::recipient(&public).expect("a public key"));
    backup::make(&folder, &Wanted { to: to.clone(), keys: true, lock }, &mut Silent).await.expect("a backup");
    let with = |file: &Path| OpenWith { passphrase: None, identity: Some(lock::identity(file).expect("a key")) };
    let refused = why(backup::check(&to, &with(&wrong), &mut Silent));
    assert!(refused.contains("does not open"), "{refused}");
    let refused = why(backup::check(&to, &OpenWith::default(), &mut Silent));
    assert!(refused.contains("--identity"), "{refused}");
    backup::check(&to, &with(&right), &mut Silent).expect("it opens");
}

#[tokio::test]
async fn an_archive_altered_in_any_byte_cut_short_or_lengthened_is_refused() {
    let root = tempfile::tempdir().expect("a folder");
    let (folder, _) = city(root.path()).await;
    let (open, locked) = (root.path().join("open.wuji"), root.path().join("locked.wuji"));
    let wanted = Wanted { to: open.clone(), keys: false, lock: LockWith::Nothing };
    backup::make(&folder, &wanted, &mut Silent).await.expect("a backup");
    backup::make(&folder, &Wanted { to: locked.clone(), keys: true, lock: passphrase() }, &mut Silent)
        .await
        .expect("a backup");
    let refused = why(backup::check(
        &locked,
        &OpenWith { passphrase: Some(Zeroizing::new("another passphrase".into())), identity: None },
        &mut Silent,
    ));
    assert!(refused.contains("not the passphrase"), "{refused}");
    let bytes = std::fs::read(&open).expect("the archive");
    let bad = root.path().join("bad.wuji");
    let refuses = |bytes: &[u8], what: &str| {
        std::fs::write(&bad, bytes).expect("a file");
        assert!(backup::check(&bad, &OpenWith::default(), &mut Silent).is_err(), "{what} is not noticed");
    };
    // Every byte would take long; a prime step meets head, lengths, bodies and tags.
    for at in (0..bytes.len()).step_by(97) {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        refuses(&altered, &format!("a changed byte at {at}"));
    }
    for length in (0..bytes.len()).step_by(997) {
        refuses(&bytes[..length], &format!("an end after {length}"));
    }
    refuses(&[bytes.as_slice(), b"x"].concat(), "a byte too many");
    let locked_bytes = std::fs::read(&locked).expect("the archive");
    let (half, mut altered) = (locked_bytes.len() / 2, locked_bytes.clone());
    altered[half] ^= 1;
    std::fs::write(&bad, altered).expect("a file");
    let refused = why(backup::check(&bad, &opens(), &mut Silent));
    assert!(refused.contains("damaged"), "{refused}");
}

#[tokio::test]
async fn an_archive_of_an_older_schema_is_brought_to_this_version_after_its_rows_are_in() {
    let root = tempfile::tempdir().expect("a folder");
    let place = store::Place::File(root.path().join("old.db"));
    let old = Database::open_at(&place, 1).await.expect("a database of the first schema");
    let id = protocol::id::NodeId::from_bytes([3; 16]);
    old.write_store(id).set_meta("division", "330600000000").await.expect("a row");
    let was = old.store(id).schema().await.expect("a version");
    old.close().await;
    let new = Database::open(&place).await.expect("opened by today's program");
    assert_eq!((was, new.store(id).schema().await.expect("a version")), (1, Database::newest_schema()));
    assert_eq!(new.store(id).meta("division").await.expect("a row").as_deref(), Some("330600000000"));
}

#[tokio::test]
async fn a_folder_that_holds_a_node_is_never_restored_over() {
    let root = tempfile::tempdir().expect("a folder");
    let (folder, _) = city(root.path()).await;
    let to = root.path().join("city.wuji");
    backup::make(&folder, &Wanted { to: to.clone(), keys: true, lock: passphrase() }, &mut Silent)
        .await
        .expect("a backup");
    let before = std::fs::read(folder.path().join("keys/operator.token")).expect("a token");
    let wanted = restore::Wanted { from: to.clone(), open: opens(), keys: None, database: None };
    let refused = why(restore::restore(&folder, &wanted, &mut Silent).await);
    assert!(refused.contains("holds a node already"), "{refused}");
    assert_eq!(std::fs::read(folder.path().join("keys/operator.token")).expect("a token"), before);
    let again = Wanted { to, keys: true, lock: passphrase() };
    let refused = why(backup::make(&folder, &again, &mut Silent).await);
    assert!(refused.contains("there already"), "a backup never overwrites another: {refused}");
}

#[tokio::test]
async fn a_node_moves_from_a_file_to_a_server_and_back_without_losing_a_row() {
    let root = tempfile::tempdir().expect("a folder");
    let (folder, config) = city(root.path()).await;
    let server = postgres::TestDatabase::new();
    let archive = |name: &str| root.path().join(name);
    let make = async |folder: &Folder, name: &str| {
        let wanted = Wanted { to: archive(name), keys: true, lock: passphrase() };
        backup::make(folder, &wanted, &mut Silent).await.expect("a backup");
    };
    let restore_to = async |name: &str, folder: &Folder, database: Option<String>| {
        let wanted = restore::Wanted { from: archive(name), open: opens(), keys: None, database };
        restore::restore(folder, &wanted, &mut Silent).await
    };
    make(&folder, "file.wuji").await;
    let on_server = Folder::new(root.path().join("server"));
    restore_to("file.wuji", &on_server, Some(server.url.clone())).await.expect("restored into a server");
    let there = Config::load(on_server.path()).expect("a configuration");
    assert_eq!(there.database.url.as_deref(), Some(server.url.as_str()));
    make(&on_server, "server.wuji").await;
    let back = Folder::new(root.path().join("back"));
    restore_to("server.wuji", &back, None).await.expect("restored into a file");
    let mut was = rows(&folder, &config).await;
    was.iter_mut().filter(|(table, _)| table == "token").for_each(|(_, rows)| rows.clear());
    let home = Config::load(back.path()).expect("a configuration");
    assert!(home.database.url.is_none(), "the server's address, which may hold a password, was not in the archive");
    assert_eq!(restored(rows(&back, &home).await), was);
    assert_eq!(restored(rows(&on_server, &there).await), was);
    let again = Folder::new(root.path().join("again"));
    let refused = why(restore_to("file.wuji", &again, Some(server.url.clone())).await);
    assert!(refused.contains("already"), "rows of a node on a server are not restored over: {refused}");
    assert!(!again.path().exists());
}
