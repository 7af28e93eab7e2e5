//! Attachments in rows: written part by part, bounded, encrypted with a key of their own, gone with their case.

use std::sync::Arc;

use casework::{Lapse, Record};
use protocol::attachment::{Attachment, Media, PART_BYTES_MAX, Sha256};
use protocol::bounded::{List, Text};
use protocol::erase::Erase;
use protocol::id::{AttachmentId, CaseId, EventId, OrderId};
use protocol::time::{ClockReading, UnixMillis};
use wuji::attachment::whole::Verdict;
use wuji::person::vault::Vault;
use wuji::store::attachments::{Bounds, Change, Held, State, Sum};
use wuji::store::{Place, Store, StoreError, WriteStore};

use crate::base::{Base, NOW, case_id, node};
use crate::on_both;

on_both!(
    an_upload_comes_in_any_order_and_is_read_back_whole,
    a_part_that_is_here_stays_as_it_is,
    what_is_beyond_a_bound_is_not_begun,
    an_upload_that_is_not_right_is_dropped_and_one_that_was_begun_anew_is_not,
    an_upload_past_its_life_goes_and_what_is_attached_stays,
    an_erased_case_keeps_no_byte_of_its_attachments,
    bytes_of_a_case_that_went_on_stay_until_its_names_have_gone_and_its_owner_has_them,
    what_comes_has_its_turn_and_is_here_when_all_of_it_is,
    a_new_key_of_the_vault_opens_what_was_encrypted_before,
    one_node_sees_nothing_of_what_another_in_its_database_has,
    what_is_copied_from_the_database_opens_nowhere_else,
);

const BOUNDS: Bounds = Bounds { of_user: 3, of_case: 3, case_bytes: 4 * PART_BYTES_MAX as u64 };
const USER: &str = "grid-3";

/// A voice message, as long as that.
fn sound(bytes: usize) -> Vec<u8> {
    b"#!AMR\n".iter().copied().chain((0..).map(|n: u32| (n % 251) as u8)).take(bytes).collect()
}

fn attachment(n: u8, bytes: &[u8]) -> Attachment {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    Attachment {
        id: AttachmentId::from_bytes([n; 16]),
        sha256: Sha256(digest.as_ref().try_into().expect("32 bytes")),
        bytes: u32::try_from(bytes.len()).expect("small"),
        media: Media::named("audio/amr").expect("known"),
        name: Text::cut("周慧敏.amr"),
        caption: Text::cut("门口的争吵"),
    }
}

async fn change(write: &mut WriteStore, change: Change, at: UnixMillis) {
    write.begin().await.expect("begun");
    write.change_attachments(&[change], at).await.expect("changed");
    write.commit().await.expect("committed");
}

async fn begin(write: &mut WriteStore, case: CaseId, attachment: &Attachment) {
    let (attachment, by) = (attachment.clone(), USER.to_owned());
    change(write, Change::Begin { case, attachment, by, bounds: BOUNDS }, NOW).await;
}

async fn held(store: &Store, case: CaseId, attachment: &Attachment) -> Held {
    store.attachment(case, attachment.id).await.expect("read").expect("there")
}

async fn put(store: &Store, write: &mut WriteStore, case: CaseId, attachment: &Attachment, number: u16, bytes: &[u8]) {
    let held = held(store, case, attachment).await;
    let sealed = held.secret.seal(number, bytes.to_vec()).expect("sealed");
    change(write, Change::Part { id: held.id(), number, sealed }, NOW).await;
}

/// All parts of one, the last first.
async fn put_all(store: &Store, write: &mut WriteStore, case: CaseId, attachment: &Attachment, bytes: &[u8]) {
    for (number, part) in bytes.chunks(PART_BYTES_MAX).enumerate().collect::<Vec<_>>().into_iter().rev() {
        put(store, write, case, attachment, u16::try_from(number).expect("few"), part).await;
    }
}

async fn attach(store: &Store, write: &mut WriteStore, case: CaseId, attachment: &Attachment, bytes: &[u8]) {
    begin(write, case, attachment).await;
    put_all(store, write, case, attachment, bytes).await;
    let whole = held(store, case, attachment).await;
    change(write, Change::Whole(Box::new(whole)), NOW).await;
    change(write, Change::Attached((case, attachment.id)), NOW).await;
}

async fn state(store: &Store, case: CaseId, attachment: &Attachment) -> Option<State> {
    store.attachment(case, attachment.id).await.expect("read").map(|held| held.state)
}

async fn read(store: &Store, case: CaseId, attachment: &Attachment) -> Vec<u8> {
    let held = held(store, case, attachment).await;
    let mut bytes = Vec::new();
    for number in 0..attachment.parts() {
        bytes.extend(store.attachment_part(&held, number).await.expect("read").expect("a part"));
    }
    bytes
}

async fn an_upload_comes_in_any_order_and_is_read_back_whole(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let bytes = sound(2 * PART_BYTES_MAX + 7);
    let (case, one) = (case_id(1), attachment(1, &bytes));
    begin(&mut write, case, &one).await;
    put(&store, &mut write, case, &one, 2, &bytes[2 * PART_BYTES_MAX..]).await;
    let upload = store.upload(USER, one.id).await.expect("read").expect("there");
    assert_eq!(upload.missing(&store.attachment_parts(&upload).await.expect("read")), [0, 1]);
    assert_eq!(store.attachment_verdict(&upload).await.expect("read"), Verdict::OtherBytes, "not all is here");
    put_all(&store, &mut write, case, &one, &bytes).await;
    assert_eq!(store.attachment_verdict(&upload).await.expect("read"), Verdict::Whole);
    assert_eq!(read(&store, case, &one).await, bytes);
    assert!(store.upload("grid-4", one.id).await.expect("read").is_none(), "an upload is its user's alone");
}

async fn a_part_that_is_here_stays_as_it_is(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let bytes = sound(100);
    let (case, one) = (case_id(1), attachment(1, &bytes));
    begin(&mut write, case, &one).await;
    put(&store, &mut write, case, &one, 0, &bytes).await;
    put(&store, &mut write, case, &one, 0, &[9; 100]).await;
    assert_eq!(read(&store, case, &one).await, bytes);
    // Nor does any come to what is attached.
    let whole = held(&store, case, &one).await;
    change(&mut write, Change::Whole(Box::new(whole)), NOW).await;
    put(&store, &mut write, case, &one, 1, &[9; 100]).await;
    assert_eq!(store.attachment_parts(&held(&store, case, &one).await).await.expect("read"), [0]);
}

async fn what_is_beyond_a_bound_is_not_begun(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let small = sound(10);
    for n in 1..=4 {
        begin(&mut write, case_id(n), &attachment(n, &small)).await;
    }
    assert_eq!(store.uploads_of(USER).await.expect("read"), 3, "one user has so many at once");
    for n in 1..=3 {
        change(&mut write, Change::Drop(Box::new(held(&store, case_id(n), &attachment(n, &small)).await)), NOW).await;
    }
    let case = case_id(9);
    for n in 11..=13 {
        attach(&store, &mut write, case, &attachment(n, &small), &small).await;
    }
    begin(&mut write, case, &attachment(14, &small)).await;
    assert_eq!(store.attached_to(case).await.expect("read"), Sum { count: 3, bytes: 30 }, "a case has so many");
    let large = sound(3 * PART_BYTES_MAX);
    begin(&mut write, case_id(8), &attachment(21, &large)).await;
    begin(&mut write, case_id(8), &attachment(22, &large)).await;
    assert_eq!(store.attached_to(case_id(8)).await.expect("read").count, 1, "and so many bytes");
}

async fn an_upload_that_is_not_right_is_dropped_and_one_that_was_begun_anew_is_not(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let bytes = sound(100);
    let (case, one) = (case_id(1), attachment(1, &bytes));
    begin(&mut write, case, &one).await;
    put(&store, &mut write, case, &one, 0, &[7; 100]).await;
    let wrong = held(&store, case, &one).await;
    assert_eq!(store.attachment_verdict(&wrong).await.expect("read"), Verdict::OtherBytes);
    change(&mut write, Change::Drop(Box::new(wrong.clone())), NOW).await;
    assert_eq!(state(&store, case, &one).await, None);
    begin(&mut write, case, &one).await;
    assert_eq!(store.attachment_parts(&held(&store, case, &one).await).await.expect("read"), [0_u16; 0]);
    put(&store, &mut write, case, &one, 0, &bytes).await;
    // Somebody who had looked at the first has his say now.
    change(&mut write, Change::Drop(Box::new(wrong.clone())), NOW).await;
    change(&mut write, Change::Whole(Box::new(wrong)), NOW).await;
    assert_eq!(state(&store, case, &one).await, Some(State::Open));
    assert_eq!(read(&store, case, &one).await, bytes);
}

async fn an_upload_past_its_life_goes_and_what_is_attached_stays(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let bytes = sound(100);
    let (case, open, whole, here) = (case_id(1), attachment(1, &bytes), attachment(2, &bytes), attachment(3, &bytes));
    attach(&store, &mut write, case, &here, &bytes).await;
    begin(&mut write, case, &open).await;
    begin(&mut write, case, &whole).await;
    put_all(&store, &mut write, case, &whole, &bytes).await;
    let ready = held(&store, case, &whole).await;
    change(&mut write, Change::Whole(Box::new(ready)), NOW).await;
    assert_eq!(write.prune_uploads(NOW).await.expect("pruned"), 0, "they are not older than that");
    assert_eq!(write.prune_uploads(UnixMillis(NOW.0 + 1)).await.expect("pruned"), 2);
    assert_eq!((state(&store, case, &open).await, state(&store, case, &whole).await), (None, None));
    assert_eq!(read(&store, case, &here).await, bytes);
}

async fn erase(write: &mut WriteStore, case: CaseId) {
    let (id, at) = (OrderId::from_bytes([9; 16]), ClockReading::exact(NOW));
    let events = List::new(Vec::new()).expect("none");
    write.put_records(&[Record::Erasure(Erase { id, case, by: node(1), at, events })]).await.expect("erased");
}

async fn an_erased_case_keeps_no_byte_of_its_attachments(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let bytes = sound(PART_BYTES_MAX + 1);
    let (gone, stays) = (attachment(1, &bytes), attachment(2, &bytes));
    attach(&store, &mut write, case_id(1), &gone, &bytes).await;
    attach(&store, &mut write, case_id(2), &stays, &bytes).await;
    let before = held(&store, case_id(1), &gone).await;
    erase(&mut write, case_id(1)).await;
    assert_eq!(state(&store, case_id(1), &gone).await, None);
    assert_eq!(store.attachment_part(&before, 0).await.expect("read"), None, "not even for who still has its key");
    assert_eq!(read(&store, case_id(2), &stays).await, bytes);
}

async fn lapse(write: &mut WriteStore, case: CaseId) {
    let events = [EventId::from_bytes([1; 16])].into();
    let lapse = Lapse { case, at: ClockReading::exact(NOW), events };
    write.put_records(&[Record::Lapse(lapse)]).await.expect("lapsed");
}

async fn bytes_of_a_case_that_went_on_stay_until_its_names_have_gone_and_its_owner_has_them(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let bytes = sound(100);
    let (early, late) = (attachment(1, &bytes), attachment(2, &bytes));
    attach(&store, &mut write, case_id(1), &early, &bytes).await;
    attach(&store, &mut write, case_id(2), &late, &bytes).await;
    change(&mut write, Change::Passed((case_id(1), early.id)), NOW).await;
    assert_eq!(state(&store, case_id(1), &early).await, Some(State::Here), "its names may be held here still");
    lapse(&mut write, case_id(1)).await;
    assert_eq!(state(&store, case_id(1), &early).await, None);
    lapse(&mut write, case_id(2)).await;
    assert_eq!(read(&store, case_id(2), &late).await, bytes, "nobody else has it");
    change(&mut write, Change::Passed((case_id(2), late.id)), NOW).await;
    assert_eq!(state(&store, case_id(2), &late).await, None);
}

async fn what_comes_has_its_turn_and_is_here_when_all_of_it_is(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let bytes = sound(100);
    let (case, first, second) = (case_id(1), attachment(1, &bytes), attachment(2, &bytes));
    change(&mut write, Change::Wanted(case, first.clone()), NOW).await;
    change(&mut write, Change::Wanted(case, second.clone()), UnixMillis(NOW.0 + 1)).await;
    let next =
        async |write: &mut WriteStore| write.next_coming().await.expect("read").map(|held| (held.id().1, held.source));
    assert_eq!(next(&mut write).await, Some((first.id, 0)));
    change(&mut write, Change::Turned { id: (case, first.id), source: 1, at: UnixMillis(NOW.0 + 2) }, NOW).await;
    assert_eq!(next(&mut write).await, Some((second.id, 0)), "who waits longest is next");
    change(&mut write, Change::Lost((case, second.id)), NOW).await;
    assert_eq!(state(&store, case, &second).await, Some(State::Lost));
    assert_eq!(next(&mut write).await, Some((first.id, 1)));
    put(&store, &mut write, case, &first, 0, &bytes).await;
    let told = store.attachments(case).await.expect("read");
    let told = told.iter().map(|(held, here)| (held.id().1, *here)).collect::<Vec<_>>();
    assert_eq!(told, [(second.id, 0), (first.id, 1)], "how many parts have come is told");
    change(&mut write, Change::Arrived((case, first.id)), NOW).await;
    assert_eq!((state(&store, case, &first).await, next(&mut write).await), (Some(State::Here), None));
    // The case comes once more: what is here is not fetched, what was lost is looked for again.
    change(&mut write, Change::Wanted(case, first.clone()), NOW).await;
    change(&mut write, Change::Wanted(case, second.clone()), NOW).await;
    assert_eq!(read(&store, case, &first).await, bytes);
    assert_eq!(next(&mut write).await, Some((second.id, 0)));
}

async fn a_new_key_of_the_vault_opens_what_was_encrypted_before(base: Base) {
    let keys = tempfile::tempdir().expect("a folder");
    Vault::create(keys.path()).expect("keys");
    let in_use = || Arc::new(Vault::load(keys.path()).expect("keys"));
    let (store, mut write) = base.open(node(1)).await;
    write.open_vault(in_use());
    let old = store.clone().with_vault(in_use());
    let bytes = sound(PART_BYTES_MAX + 1);
    let (case, one) = (case_id(1), attachment(1, &bytes));
    attach(&old, &mut write, case, &one, &bytes).await;
    let mut vault = Vault::load(keys.path()).expect("keys");
    vault.rotate(keys.path()).expect("a new key");
    write.open_vault(in_use());
    assert_eq!(write.reseal_attachments().await.expect("read"), 1);
    vault.retire(keys.path()).expect("the old key goes");
    write.open_vault(in_use());
    assert_eq!(write.reseal_attachments().await.expect("read"), 0);
    assert_eq!(read(&store.with_vault(in_use()), case, &one).await, bytes, "no part was written anew");
}

async fn one_node_sees_nothing_of_what_another_in_its_database_has(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let (beside, mut others) = base.open(node(2)).await;
    let bytes = sound(100);
    let (case, one) = (case_id(1), attachment(1, &bytes));
    attach(&store, &mut write, case, &one, &bytes).await;
    assert_eq!(state(&beside, case, &one).await, None);
    assert!(beside.upload(USER, one.id).await.expect("read").is_none());
    erase(&mut others, case).await;
    assert_eq!(others.prune_uploads(UnixMillis(i64::MAX)).await.expect("pruned"), 0);
    assert_eq!(read(&store, case, &one).await, bytes);
}

async fn what_is_copied_from_the_database_opens_nowhere_else(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let bytes = sound(5_000);
    let (case, one) = (case_id(1), attachment(1, &bytes));
    attach(&store, &mut write, case, &one, &bytes).await;
    let other = store.clone().with_vault(Arc::new(Vault::fresh().expect("keys")));
    assert!(matches!(other.attachment(case, one.id).await, Err(StoreError::Vault(_))));
    if let Place::File(path) = &base.place {
        let pool = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(path)).await;
        let fold = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
        fold.fetch_one(&pool.expect("opened")).await.expect("the log is in the file");
        let file = std::fs::read(path).expect("the file");
        let found = |part: &[u8]| file.windows(part.len()).any(|window| window == part);
        assert!(found(USER.as_bytes()), "the rows are in the file");
        for hidden in [&bytes[100..132], "周慧敏".as_bytes(), "门口的争吵".as_bytes(), b"#!AMR"] {
            assert!(!found(hidden), "{hidden:?}");
        }
    }
}
