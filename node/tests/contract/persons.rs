//! Users, sessions and answered requests.

use std::collections::BTreeSet;
use std::sync::Arc;

use casework::{ContributionFile, Grant, Known, Lapse, Record, Role, Scope};
use protocol::audit::AuditHead;
use protocol::bounded::List;
use protocol::chain::Hash;
use protocol::erase::Erase;
use protocol::event::Content;
use protocol::id::{ContributionId, OrderId};
use protocol::time::{ClockReading, UnixMillis};
use protocol::unit::UnitCode;
use wuji::person::audit::Entry;
use wuji::person::change::{Change, Granted, NewToken, OpenSession, PutUser};
use wuji::person::lockout::Subject;
use wuji::person::vault::{Vault, VaultError};
use wuji::store::StoreError;
use wuji::store::persons::AnsweredRow;

use crate::base::{Base, GRID, NOW, case_id, division, file, node, reported};
use crate::on_both;

on_both!(
    a_user_is_changed_and_found_by_name,
    users_are_listed_in_the_order_of_their_bytes,
    a_session_ends_at_its_time_and_with_its_user,
    failures_are_counted_and_forgotten,
    a_token_is_found_by_its_hash_and_ends,
    work_passes_on_and_a_later_hand_over_replaces_an_earlier,
    the_audit_is_a_chain_and_keeps_heads,
    what_is_private_is_sealed_anew_and_erased,
    what_went_on_its_day_comes_again_when_it_is_given_again,
    what_an_earlier_key_sealed_opens_with_the_latest_alone_once_it_is_sealed_anew,
    a_vault_is_tried_on_what_is_stored_of_this_node,
    the_first_answer_to_a_request_stands_until_its_time_is_over,
);

fn user(name: &str) -> PutUser {
    PutUser {
        name: name.to_owned(),
        shown: "测试员".to_owned(),
        password: Some("x".to_owned()),
        must_change: false,
        disabled: false,
        grants: Some(vec![Grant::everywhere(Role::Clerk)]),
    }
}

fn session(token: u8, name: &str, expires: UnixMillis) -> Change {
    Change::OpenSession(OpenSession {
        token: [token; 32],
        name: name.to_owned(),
        expires,
        address: "10.0.0.1".to_owned(),
        agent: "x".to_owned(),
        totp_step: Some(7),
        recovery: Some([9; 32]),
    })
}

fn later(ms: i64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
}

async fn a_user_is_changed_and_found_by_name(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let people = store.people(node(7));
    write.change_people(node(7), &Change::PutUser(user("a")), NOW).await.expect("put");
    let scope = Scope { division: Some(division(GRID)), unit: Some(UnitCode(3)) };
    let grants = vec![Grant { role: Role::Viewer, scope }, Grant::everywhere(Role::Auditor)];
    let changed = PutUser { password: None, disabled: true, grants: Some(grants.clone()), ..user("a") };
    write.change_people(node(7), &Change::PutUser(changed), NOW).await.expect("put again");
    let found = people.user("a").await.expect("read").expect("there");
    assert_eq!((found.password.as_str(), found.disabled), ("x", true), "the password stays");
    let held: Vec<_> = people.grants("a").await.expect("read").into_iter().map(|g| g.grant).collect();
    assert_eq!(held.iter().collect::<BTreeSet<_>>(), grants.iter().collect::<BTreeSet<_>>());
    assert_eq!(people.user("A").await.expect("read"), None, "capitals count");
    assert_eq!(store.people(node(8)).user("a").await.expect("read"), None, "another realm");
}

async fn users_are_listed_in_the_order_of_their_bytes(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let names = ["B", "Zoe", "_", "a", "a b", "ab", "zoe", "Ä", "中", "𠀀"];
    for name in names.iter().rev() {
        write.change_people(node(1), &Change::PutUser(user(name)), NOW).await.expect("put");
    }
    let listed: Vec<_> = store.people(node(1)).users().await.expect("read").into_iter().map(|u| u.name).collect();
    assert_eq!(listed, names);
}

async fn a_session_ends_at_its_time_and_with_its_user(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let (me, people) = (node(1), store.people(node(1)));
    write.change_people(me, &Change::PutUser(user("a")), NOW).await.expect("put");
    let secret =
        Change::SetTotp { name: "a".into(), secret: Some(vec![1]), on: true, last: 3, recovery: vec![[9; 32]] };
    write.change_people(me, &secret, NOW).await.expect("a second factor");
    assert!(people.recovery("a", [9; 32]).await.expect("read"));
    write.change_people(me, &session(1, "a", later(100)), NOW).await.expect("opened");
    assert!(!people.recovery("a", [9; 32]).await.expect("read"), "used");
    assert_eq!(people.user("a").await.expect("read").expect("there").totp_last, 7);
    let before = later(-1);
    let name = async |token, at| people.session(token, at, before).await.expect("read").map(|s| s.name);
    assert_eq!(name([1; 32], later(99)).await.as_deref(), Some("a"));
    assert_eq!(name([1; 32], later(100)).await, None, "its time is over");
    assert_eq!(people.session([1; 32], later(1), NOW).await.expect("read"), None, "not used since");
    write.change_people(me, &Change::SeenSession([1; 32]), later(5)).await.expect("seen");
    assert!(people.session([1; 32], later(6), NOW).await.expect("read").is_some());
    write.change_people(me, &session(2, "a", later(300)), later(200)).await.expect("opened");
    assert_eq!(name([1; 32], NOW).await, None, "an ended one goes when another is opened");
    let off = PutUser { password: None, disabled: true, ..user("a") };
    write.change_people(me, &Change::PutUser(off), NOW).await.expect("put");
    assert_eq!(name([2; 32], NOW).await, None, "its user may not log in");
}

async fn failures_are_counted_and_forgotten(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let (me, people) = (node(1), store.people(node(1)));
    let failed = |name: &str| Change::Failed { name: name.into(), address: "10.0.0.1".into() };
    for name in ["a", "a", "b"] {
        write.change_people(me, &failed(name), NOW).await.expect("counted");
    }
    let count = async |kind, text| people.failures(kind, text).await.expect("read").count;
    assert_eq!(count(Subject::Name, "a").await, 2);
    assert_eq!(count(Subject::Address, "10.0.0.1").await, 3);
    write.change_people(me, &Change::Unlock("a".into()), NOW).await.expect("unlocked");
    assert_eq!(count(Subject::Name, "a").await, 0);
    write.change_people(me, &failed("c"), later(2 * 86_400_000)).await.expect("counted");
    assert_eq!(count(Subject::Name, "b").await, 0, "yesterday's");
}

async fn a_token_is_found_by_its_hash_and_ends(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let (me, people) = (node(1), store.people(node(1)));
    let grant = Grant::everywhere(Role::Hotline);
    let new = NewToken {
        id: [1; 16],
        token: [2; 32],
        name: "热线".into(),
        grant,
        made_by: "admin".into(),
        expires: later(100),
    };
    write.change_people(me, &Change::PutToken(new), NOW).await.expect("made");
    write.change_people(me, &Change::SeenToken([2; 32]), later(1)).await.expect("used");
    let found = people.token([2; 32]).await.expect("read").expect("there");
    assert_eq!((found.grant, found.used_at, found.revoked_at), (Some(grant), Some(later(1)), None));
    write.change_people(me, &Change::RevokeToken([1; 16]), later(2)).await.expect("ended");
    assert_eq!(people.tokens().await.expect("read")[0].revoked_at, Some(later(2)));
    assert_eq!(people.token([3; 32]).await.expect("read"), None);
}

async fn work_passes_on_and_a_later_hand_over_replaces_an_earlier(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let (me, people) = (node(1), store.people(node(1)));
    for name in ["a", "b", "c"] {
        write.change_people(me, &Change::PutUser(user(name)), NOW).await.expect("put");
    }
    let pass = |to: &str| Change::StandIn {
        name: to.into(),
        instead_of: "a".into(),
        grants: vec![Granted {
            grant: Grant::everywhere(Role::Supervisor),
            instead_of: "a".into(),
            since: NOW,
            until: Some(later(10)),
        }],
    };
    write.change_people(me, &pass("b"), NOW).await.expect("passed");
    write.change_people(me, &pass("c"), NOW).await.expect("passed again");
    let standing = async |name| people.grants(name).await.expect("read").iter().filter(|g| g.holds(later(9))).count();
    assert_eq!((standing("b").await, standing("c").await), (1, 2), "one of their own each");
    assert!(people.grants("c").await.expect("read").iter().filter(|g| g.holds(later(10))).count() == 1, "its last day");
    write.change_people(me, &Change::Leave("a".into()), NOW).await.expect("left");
    assert!(
        people.user("a").await.expect("read").expect("there").disabled
            && people.grants("a").await.expect("read").is_empty()
    );
}

async fn the_audit_is_a_chain_and_keeps_heads(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let entry = Entry { who: "a".into(), action: "x".into(), ..Entry::default() };
    write.append_audit(&vec![entry.clone(); 60], NOW).await.expect("appended");
    write.append_audit(&[entry], later(1)).await.expect("appended");
    let head = store.check_audit(vec![]).await.expect("read").expect("whole");
    assert_eq!((head.number, write.audit_head().await.expect("read")), (61, head));
    let page: Vec<_> = store.audit_page(Some(61), 2).await.expect("read").into_iter().map(|e| e.number).collect();
    assert_eq!(page, [60, 59]);
    let sent = |count, hash, at| AuditHead { node: node(3), count, hash, at: ClockReading::exact(at), erasures: 0 };
    write.put_anchor(&sent(5, head.hash, NOW)).await.expect("kept");
    write.put_anchor(&sent(5, Hash::ZERO, later(1))).await.expect("not taken");
    write.put_anchor(&sent(5, head.hash, later(2))).await.expect("again");
    let kept = write.last_anchor(node(3)).await.expect("read").expect("there");
    assert_eq!((kept.head.hash, kept.at), (head.hash, later(2)));
    assert_eq!(store.anchors(None).await.expect("read"), [kept]);
    assert_eq!(store.anchors(Some(node(4))).await.expect("read"), []);
    // Of one node the last 400 stay.
    for count in 6..=406 {
        write.put_anchor(&sent(count, head.hash, later(3))).await.expect("kept");
    }
    let mut counts: Vec<u64> = store.anchors(None).await.expect("read").iter().map(|kept| kept.head.number).collect();
    counts.sort_unstable();
    assert_eq!((counts.len(), counts[0]), (400, 7));
}

async fn what_is_private_is_sealed_anew_and_erased(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let records = file(&mut write, node(1), case_id(1), 20, NOW).await;
    let phone = records.iter().find_map(|record| match record {
        Record::Event { private: Some((_, private)), .. } => match &private.content {
            Content::Report { parties, .. } => parties.first().map(|p| p.phone.to_string()),
            _ => None,
        },
        _ => None,
    });
    let phone = phone.expect("a party with a phone");
    assert_eq!(store.cases_of_number(&phone, 9).await.expect("read"), [case_id(1)]);
    assert_eq!(write.reseal_parts().await.expect("read"), 0, "sealed with the latest key already");
    let events = records.iter().filter_map(|record| match record {
        Record::Event { header, .. } => Some(header.id),
        _ => None,
    });
    let events = List::new(events.collect()).expect("few");
    let erase =
        Erase { id: OrderId::from_bytes([1; 16]), case: case_id(1), by: node(1), at: ClockReading::exact(NOW), events };
    write.put_records(&[Record::Erasure(erase.clone())]).await.expect("erased");
    let left = store.records(case_id(1)).await.expect("read");
    assert!(left.iter().all(|record| !matches!(record, Record::Event { private: Some(_), .. })));
    assert_eq!(left.len(), records.len() + 1, "headers stay, and what was erased is remembered");
    assert_eq!(store.cases_of_number(&phone, 9).await.expect("read"), []);
    assert_eq!(write.erasures_by(node(1)).await.expect("read"), [erase]);
    assert_eq!(store.unsealed().await.expect("read"), 0);
}

async fn what_went_on_its_day_comes_again_when_it_is_given_again(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let before = case_id(0);
    let (case, records) = reported(node(2), case_id(1), 20, NOW);
    write.put_records(&records).await.expect("put");
    write.put_case_files(node(1), &[&case], NOW).await.expect("another node's case");
    file(&mut write, node(1), case_id(2), 20, NOW).await;
    assert_eq!(write.others_cases_with_names_after(before, 9).await.expect("read"), [case_id(1)]);
    assert_eq!(write.others_cases_with_names_after(case_id(1), 9).await.expect("read"), []);
    let event = records.iter().find(|record| matches!(record, Record::Event { private: Some(_), .. }));
    let Some(Record::Event { header, .. }) = event else { panic!("a report") };
    let lapse = |events| Record::Lapse(Lapse { case: case_id(1), at: ClockReading::exact(NOW), events });
    write.put_records(&[lapse(BTreeSet::from([header.id]))]).await.expect("gone");
    let left = store.records(case_id(1)).await.expect("read");
    assert!(left.iter().all(|record| !matches!(record, Record::Event { private: Some(_), .. })));
    assert!(Known::assemble(case_id(1), left).is_gone(header.id), "which is remembered");
    assert_eq!(write.others_cases_with_names_after(before, 9).await.expect("read"), []);
    write.put_records(&[lapse(BTreeSet::new()), event.expect("a report").clone()]).await.expect("given again");
    let known = Known::assemble(case_id(1), store.records(case_id(1)).await.expect("read"));
    assert!(known.private(header.id).is_some());
}

async fn what_an_earlier_key_sealed_opens_with_the_latest_alone_once_it_is_sealed_anew(base: Base) {
    let keys = tempfile::tempdir().expect("a folder");
    Vault::create(keys.path()).expect("a key file");
    let mut vault = Vault::load(keys.path()).expect("a key");
    let in_use = || Arc::new(Vault::load(keys.path()).expect("keys"));
    let (store, mut write) = base.open(node(1)).await;
    write.open_vault(in_use());
    let (_, records) = reported(node(1), case_id(1), 20, NOW);
    write.put_records(&records).await.expect("put");
    let paper = ContributionFile {
        id: ContributionId::from_bytes([5; 16]),
        case: case_id(1),
        from: node(2),
        at: ClockReading::exact(NOW),
        private: None,
        appended: false,
    };
    write.put_records(&[Record::Contribution(paper.clone())]).await.expect("put");
    write.change_people(node(1), &Change::PutUser(user("a")), NOW).await.expect("put");
    let place = [b"totp".as_slice(), node(1).as_bytes(), b"a"].concat();
    let secret = vault.seal(&place, b"a secret").expect("sealed");
    let factor = Change::SetTotp { name: "a".into(), secret: Some(secret), on: true, last: 0, recovery: vec![] };
    write.change_people(node(1), &factor, NOW).await.expect("put");

    vault.rotate(keys.path()).expect("a new key");
    write.open_vault(in_use());
    assert_eq!(write.reseal_parts().await.expect("read"), 1);
    assert_eq!(write.reseal_papers().await.expect("read"), 1);
    assert_eq!(write.reseal_factors(node(1)).await.expect("read"), 1);
    vault.retire(keys.path()).expect("the old key goes");
    write.open_vault(in_use());
    assert_eq!(write.reseal_parts().await.expect("read"), 0);
    assert_eq!(write.reseal_papers().await.expect("read"), 0);
    assert_eq!(write.reseal_factors(node(1)).await.expect("read"), 0);
    let store = store.with_vault(in_use());
    let read = store.records(case_id(1)).await.expect("all of it opens");
    let sealed = |record: &&Record| matches!(record, Record::Event { private: Some(_), .. });
    assert!(records.iter().filter(sealed).all(|record| read.contains(record)));
    assert!(read.contains(&Record::Contribution(paper)));
    let sealed = store.people(node(1)).user("a").await.expect("read").expect("there").totp.expect("a secret");
    assert_eq!(in_use().open(&place, &sealed).expect("opened"), b"a secret");
}

async fn a_vault_is_tried_on_what_is_stored_of_this_node(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let (beside, _) = base.open(node(2)).await;
    let other = || Arc::new(Vault::fresh().expect("keys"));
    store.clone().with_vault(other()).try_vault().await.expect("nothing is stored that it could not open");
    file(&mut write, node(1), case_id(1), 20, NOW).await;
    store.try_vault().await.expect("it opens what it sealed");
    let closed = store.clone().with_vault(other()).try_vault().await;
    assert!(matches!(closed, Err(StoreError::Vault(VaultError::Altered))), "{closed:?}");
    beside.with_vault(other()).try_vault().await.expect("rows of another node are not its own");
}

async fn the_first_answer_to_a_request_stands_until_its_time_is_over(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let answer = |status, body: &str| AnsweredRow { request: vec![1], status, body: body.as_bytes().to_vec() };
    write.put_answered("a", "k", &answer(200, "first"), NOW, NOW).await.expect("kept");
    write.put_answered("a", "k", &answer(409, "second"), later(1), NOW).await.expect("not kept");
    assert_eq!(store.answered("a", "k").await.expect("read"), Some(answer(200, "first")));
    assert_eq!(store.answered("b", "k").await.expect("read"), None, "another user's key is another key");
    write.put_answered("a", "l", &answer(200, "third"), later(9), later(1)).await.expect("kept");
    assert_eq!(store.answered("a", "k").await.expect("read"), None, "too old");
}
