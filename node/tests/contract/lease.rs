//! Who may write a node on a server.

use std::time::Duration;

use wuji::clock::Clock;
use wuji::store::{self, Patience, Place, Store, StoreError, WriteStore};

use crate::base::{Base, NOW, case_id, file, node};
use crate::postgres::TestDatabase;

async fn run(base: &Base, patience: Patience) -> Result<(Store, WriteStore), StoreError> {
    let (store, write) = store::open_to_run(&base.place, node(1), patience, "127.0.0.1:7480").await?;
    Ok((store.with_vault(crate::base::vault()), write))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_refused_and_told_who_writes() {
    let base = Base::server();
    let (store, _first) = run(&base, Patience::Refuse).await.expect("the first");
    let refused = run(&base, Patience::Refuse).await.expect_err("the second");
    let holder = format!("process {}, 127.0.0.1:7480", std::process::id());
    assert!(refused.to_string().contains(&holder), "{refused}");
    assert!(store.writer().await.expect("read").expect("a writer").contains(&holder));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_given_back_is_taken_at_once() {
    let base = Base::server();
    let (_, mut first) = run(&base, Patience::Refuse).await.expect("the first");
    let second = tokio::spawn({
        let place = base.place.clone();
        async move { store::open_to_run(&place, node(1), Patience::StandBy, "").await }
    });
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(!second.is_finished(), "it stands by");
    let clock = Clock::default();
    first.release().await.expect("given back");
    let (_, mut second) = second.await.expect("no panic").expect("taken");
    assert!(clock.uptime_ms() < 2_000, "{} ms", clock.uptime_ms());
    file(&mut second, node(1), case_id(1), 20, NOW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_kept_by_renewing_it_for_longer_than_it_lasts() {
    let base = Base::server();
    let (_, mut first) = run(&base, Patience::Refuse).await.expect("the first");
    let second = tokio::spawn({
        let place = base.place.clone();
        async move { store::open_to_run(&place, node(1), Patience::StandBy, "").await }
    });
    tokio::time::sleep(Duration::from_millis(u64::try_from(store::lease::LEASE_MS).expect("positive") + 2_000)).await;
    assert!(!second.is_finished());
    file(&mut first, node(1), case_id(1), 20, NOW).await;
    second.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_whose_lease_was_taken_over_commits_nothing_and_hears_of_it() {
    let base = Base::server();
    let (store, mut old) = run(&base, Patience::Refuse).await.expect("the first");
    file(&mut old, node(1), case_id(1), 20, NOW).await;
    take_away(&base.place);
    let error = old.begin().await.expect_err("not ours any more");
    assert!(matches!(error, StoreError::LeaseLost), "{error}");
    tokio::time::timeout(Duration::from_secs(3), old.lost().cancelled()).await.expect("it hears of it when idle");
    assert_eq!(store.volume().await.expect("counted").0, 1, "what was committed is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_over_waits_for_a_transaction_that_runs_and_the_server_ends_one_that_stands_still() {
    let base = Base::server();
    let (store, mut old) = run(&base, Patience::Refuse).await.expect("the first");
    old.begin().await.expect("begun");
    old.set_meta("a", "b").await.expect("set");
    let clock = Clock::default();
    psql(&base.place, "SELECT number FROM lease FOR UPDATE");
    let waited = clock.uptime_ms();
    // How much longer than the server's three seconds depends on the machine; that it ends at all is what counts.
    assert!(waited >= 2_000, "{waited} ms");
    old.commit().await.expect_err("the server has ended it");
    assert_eq!(store.meta("a").await.expect("read"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn renewing_does_not_wait_for_a_transaction() {
    let base = Base::server();
    let (_, mut write) = run(&base, Patience::Refuse).await.expect("the first");
    let renewed = || psql(&base.place, "SELECT renewed_at FROM lease");
    write.begin().await.expect("begun");
    let before = renewed();
    tokio::time::sleep(Duration::from_millis(1_600)).await;
    assert_ne!(renewed(), before);
    write.commit().await.expect("still ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_of_one_database_have_leases_of_their_own() {
    let base = Base::server();
    let (_, _first) = store::open_to_run(&base.place, node(1), Patience::Refuse, "").await.expect("one");
    let (_, mut second) = store::open_to_run(&base.place, node(2), Patience::Refuse, "").await.expect("the other");
    file(&mut second, node(2), case_id(1), 20, NOW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_reads_needs_no_lease_and_cannot_write() {
    let base = Base::server();
    let (_, mut write) = run(&base, Patience::Refuse).await.expect("the writer");
    let reader = Store::reader(&base.place, node(1)).await.expect("a reader");
    file(&mut write, node(1), case_id(1), 20, NOW).await;
    assert_eq!(reader.volume().await.expect("counted").0, 1);
    let database = store::Database::open_read_only(&base.place).expect("a database");
    let error = database.write_store(node(2)).set_meta("a", "b").await.expect_err("read-only");
    assert!(format!("{error:?}").contains("read-only"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_refuses_a_database_of_another_version() {
    let base = Base::server();
    let (_, _write) = run(&base, Patience::Refuse).await.expect("the writer");
    psql(&base.place, "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)");
    let refused = Store::reader(&base.place, node(1)).await.expect_err("another version");
    assert!(matches!(refused, StoreError::Version { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_url_says_whether_the_server_must_prove_itself() {
    let base = Base::server();
    let Place::Server(url) = &base.place else { panic!("a server") };
    let root = TestDatabase::root_certificate();
    let open = async |query: &str| {
        let place = Place::Server(format!("{url}?{query}"));
        store::open(&place, node(1)).await.map(|_| ())
    };
    open(&format!("sslmode=verify-full&sslrootcert={}", root.display())).await.expect("it proves itself");
    open("sslmode=require").await.expect("encrypted");
    open("sslmode=disable").await.expect("in the clear");
    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("other.crt");
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other"])
        .args(["-keyout", "/dev/null", "-out"])
        .arg(&other)
        .output()
        .expect("openssl");
    assert!(made.status.success());
    open(&format!("sslmode=verify-full&sslrootcert={}", other.display())).await.expect_err("another authority");
}

/// What another process does that takes over.
fn take_away(place: &Place) {
    psql(place, "UPDATE lease SET number = number + 1, session = 0");
}

fn psql(place: &Place, text: &str) -> String {
    let Place::Server(url) = place else { panic!("a server") };
    crate::postgres::query(url, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_beside_the_writer_waits_for_its_transaction_and_leaves_it_the_lease() {
    let base = Base::server();
    let (_, mut writer) = run(&base, Patience::Refuse).await.expect("the writer");
    writer.begin().await.expect("begun");
    writer.set_meta("a", "of the writer").await.expect("set");
    let beside = tokio::spawn({
        let place = base.place.clone();
        async move {
            let (_, mut command) = store::open(&place, node(1)).await.expect("opened");
            command.begin_beside().await.expect("begun beside");
            command.set_meta("a", "of the command").await.expect("set");
            command.commit().await.expect("committed");
        }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!beside.is_finished(), "it waits");
    writer.commit().await.expect("committed");
    beside.await.expect("no panic");
    assert_eq!(writer.meta("a").await.expect("read").as_deref(), Some("of the command"));
    file(&mut writer, node(1), case_id(1), 20, NOW).await;
}
