//! Two nodes in one database never meet.

use casework::{Grant, Role};
use protocol::chain::Hash;
use protocol::directory::Ancestor;
use protocol::fact::Measure;
use protocol::id::TokenId;
use protocol::time::UnixMillis;
use protocol::wire::frame::{Lane, LinkSeq};
use wuji::person::audit::Entry;
use wuji::person::change::{Change, OpenSession, PutUser};
use wuji::store::link::{KeepBundle, OutboxRow};
use wuji::store::lists::CaseFilter;
use wuji::store::persons::AnsweredRow;
use wuji::store::trust::{Child, KeptToken, Route};
use wuji::store::{Store, WriteStore};

use crate::base::{Base, CITY, GRID, NOW, bundle, case_id, division, file, node};
use crate::on_both;

on_both!(
    a_node_sees_no_row_of_another_in_the_same_database,
    the_same_ids_at_two_nodes_are_two_rows,
    pruning_and_dropping_at_one_node_leave_the_other_as_it_was,
);

const TOKEN: TokenId = TokenId::from_bytes([5; 16]);

fn open(token: [u8; 32], expires: UnixMillis) -> Change {
    Change::OpenSession(OpenSession {
        token,
        name: "a".into(),
        expires,
        address: String::new(),
        agent: String::new(),
        totp_step: None,
        recovery: None,
    })
}

/// Puts something into every table.
async fn fill(write: &mut WriteStore, me: u8, word: &str) {
    file(write, node(me), case_id(1), 20, NOW).await;
    let bundle = bundle(1, node(me), node(8), true);
    write.keep_bundles(&[KeepBundle { bundle: bundle.clone(), via: None, done: false }], NOW).await.expect("kept");
    let (hash, id) = (Hash::of(word.as_bytes()), bundle.head().id);
    write
        .put_outbox(&[OutboxRow { peer: node(8), lane: Lane::Cases, seq: LinkSeq(1), hash, bundle: id }])
        .await
        .expect("put");
    write.put_quarantine(node(8), &[(&bundle, word)], NOW).await.expect("kept aside");
    write.set_meta("word", word).await.expect("set");
    write.put_child(Child { node: node(8), division: division(GRID), spki: [me; 32] }).await.expect("put");
    write.put_route(Route { member: node(8), via: node(8), division: division(GRID) }).await.expect("put");
    write.set_ancestors(&[Ancestor { node: node(9), division: division(CITY) }]).await.expect("set");
    let token = KeptToken { secret: [me; 32], division: division(GRID), expires: NOW, request: None, answer: None };
    write.put_token(TOKEN, &token).await.expect("put");
    let user = PutUser {
        name: "a".into(),
        shown: word.into(),
        password: Some("x".into()),
        must_change: false,
        disabled: false,
        grants: Some(vec![Grant::everywhere(Role::Clerk)]),
    };
    write.change_people(node(me), &Change::PutUser(user), NOW).await.expect("put");
    write.change_people(node(me), &open([1; 32], UnixMillis(NOW.0 + 1)), NOW).await.expect("opened");
    write.append_audit(&[Entry { who: word.into(), ..Entry::default() }], NOW).await.expect("appended");
    let answer = AnsweredRow { request: vec![1], status: 200, body: word.as_bytes().to_vec() };
    write.put_answered("a", "k", &answer, NOW, NOW).await.expect("kept");
}

/// Everything that can be read, in words.
async fn all(me: u8, store: &Store, write: &mut WriteStore) -> Vec<String> {
    let (id, me) = (bundle(1, node(1), node(8), true).head().id, node(me));
    let mut found = Vec::new();
    macro_rules! read {
        ($($read:expr),+ $(,)?) => {$(found.push(format!("{:?}", Box::pin($read).await.expect("read")));)+};
    }
    let days = (0, i32::MAX);
    let people = store.people(me);
    read!(
        store.records(case_id(1)),
        store.case_list(&CaseFilter::default(), None, 9),
        store.case_row(case_id(1)),
        store.holds_case(case_id(1)),
        store.quarantine(),
        store.cases_with_paper("key", 9),
        store.cases_with_open("order", 9),
        store.facts_page(None, 9),
        store.facts_since((0, None), 9),
        store.facts_held(),
        store.facts_changed(),
        store.tallied(Measure::VISITS, division(CITY), days),
        store.members(division(CITY)),
        store.proof(node(1)),
        store.figures_waiting(),
        store.dropped_escalations(),
        store.owned_cells(),
        store.fact_cells(),
        store.owned_escalated(),
        store.all_standings(),
        store.volume(),
        store.doubled(),
        store.waiting(),
        store.outbox_counts(),
        store.meta("word"),
        store.children(),
        store.routes(),
        store.ancestors(),
        people.users(),
        people.user("a"),
        people.all_grants(),
        people.session([1; 32], NOW, UnixMillis(0)),
        store.audit_page(None, 9),
        store.anchors(None),
        store.answered("a", "k"),
        store.publications(),
        write.known_bundles(&[id]),
        write.bundles(&[id]),
        write.outbox_page(node(8), Lane::Cases, LinkSeq(0), 9, 1_000),
        write.outbox_hash(node(8), Lane::Cases, LinkSeq(1)),
        write.inventory(node(8), false, None, 9),
        write.inventory(node(8), true, None, 9),
        write.facts_due(9),
        write.tallies_due(9),
        write.anything_amiss(),
        write.own_mark(),
        write.figure_set(node(1)),
        write.token(TOKEN),
        write.entries(),
        write.links(),
        write.children(),
        write.routes(),
        write.ancestors(),
        write.records(case_id(1)),
        write.meta("word"),
    );
    found
}

async fn a_node_sees_no_row_of_another_in_the_same_database(base: Base) {
    let (empty_store, mut empty_write) = base.open(node(2)).await;
    let before = Box::pin(all(2, &empty_store, &mut empty_write)).await;
    empty_write.rest();
    let (store, mut write) = base.open(node(1)).await;
    Box::pin(fill(&mut write, 1, "first")).await;
    assert_ne!(Box::pin(all(1, &store, &mut write)).await, before, "something was put");
    write.rest();
    assert_eq!(Box::pin(all(2, &empty_store, &mut empty_write)).await, before);
}

async fn the_same_ids_at_two_nodes_are_two_rows(base: Base) {
    let (first_store, mut first) = base.open(node(1)).await;
    let (second_store, mut second) = base.open(node(2)).await;
    Box::pin(fill(&mut first, 1, "first")).await;
    first.rest();
    let before = Box::pin(all(1, &first_store, &mut first)).await;
    first.rest();
    Box::pin(fill(&mut second, 2, "second")).await;
    second.rest();
    assert_eq!(Box::pin(all(1, &first_store, &mut first)).await, before);
    assert_eq!(second_store.meta("word").await.expect("read").as_deref(), Some("second"));
    assert_eq!(second_store.people(node(2)).users().await.expect("read")[0].shown, "second");
}

async fn pruning_and_dropping_at_one_node_leave_the_other_as_it_was(base: Base) {
    let (first_store, mut first) = base.open(node(1)).await;
    let (_, mut second) = base.open(node(2)).await;
    Box::pin(fill(&mut first, 1, "first")).await;
    first.rest();
    Box::pin(fill(&mut second, 2, "second")).await;
    second.rest();
    let before = Box::pin(all(1, &first_store, &mut first)).await;
    first.rest();
    let id = bundle(1, node(2), node(8), true).head().id;
    second.drop_outbox(node(8)).await.expect("dropped");
    second.clear_quarantine(node(8)).await.expect("cleared");
    second.drop_acknowledged(node(8), Lane::Cases, LinkSeq(9)).await.expect("dropped");
    second.mark_receipted(node(8), &[id], NOW).await.expect("marked");
    assert_eq!(second.prune_bundles(UnixMillis(NOW.0 + 1)).await.expect("pruned"), 1);
    second.prune_receipts_ahead(UnixMillis(i64::MAX)).await.expect("pruned");
    second.set_ancestors(&[]).await.expect("set");
    second.change_people(node(2), &Change::DropSession([1; 32]), NOW).await.expect("ended");
    second.use_token(TOKEN, [3; 32]).await.expect("used");
    let last = UnixMillis(i64::MAX);
    second.change_people(node(2), &open([2; 32], last), last).await.expect("opened");
    let answer = AnsweredRow { request: vec![1], status: 200, body: Vec::new() };
    let last = UnixMillis(i64::MAX);
    second.put_answered("a", "z", &answer, last, last).await.expect("kept");
    second.rest();
    assert_eq!(Box::pin(all(1, &first_store, &mut first)).await, before);
}
