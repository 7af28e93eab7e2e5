//! Children, routes, the line above, directory entries, tokens, and what a node knows about itself.

use protocol::bounded::{Blob, List};
use protocol::chain::{Hash, Signature};
use protocol::directory::{
    Ancestor, Entry, Mandate, Revocation, RevocationReason, Role, SealingKey, SignedEntry, SignedMandate,
    SignedRevocation, SigningKey,
};
use protocol::id::TokenId;
use protocol::wire::control::{Incarnation, Position};
use protocol::wire::frame::LinkSeq;
use wuji::store::trust::{Child, KeptToken, Route};

use crate::base::{Base, CITY, GRID, NOW, division, node};
use crate::on_both;

on_both!(
    a_value_about_itself_is_replaced,
    directory_entries_stay_beside_the_newest_and_the_oldest_go,
    what_authorities_say_of_each_other_keeps_its_order,
    a_revocation_of_a_lower_serial_never_replaces_a_higher,
    an_earlier_key_of_a_child_goes_with_its_revocation,
    the_line_above_is_replaced_as_a_whole_and_keeps_its_order,
    a_child_is_changed_and_a_route_moves,
    a_token_remembers_the_request_that_used_it,
    the_numbering_of_a_link_comes_back_as_it_was,
);

fn entry(serial: u64, issued: i64) -> SignedEntry {
    let entry = Entry {
        node: node(2),
        division: division(GRID),
        parent: Some(node(1)),
        signing: SigningKey([1; 32]),
        sealing: SealingKey([2; 32]),
        tls_spki_sha256: [3; 32],
        serial,
        issued: protocol::time::UnixMillis(issued),
    };
    SignedEntry { entry, signature: Signature([4; 64]) }
}

async fn a_value_about_itself_is_replaced(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    assert_eq!(write.meta("division").await.expect("read"), None);
    write.set_meta("division", CITY).await.expect("set");
    write.set_meta("division", "绍兴市").await.expect("set again");
    assert_eq!(write.meta("division").await.expect("read").as_deref(), Some("绍兴市"));
    assert_eq!(store.meta("division").await.expect("read").as_deref(), Some("绍兴市"));
}

async fn directory_entries_stay_beside_the_newest_and_the_oldest_go(base: Base) {
    let (_, mut write) = base.open(node(1)).await;
    for (serial, issued, stand) in
        [(5, 50, vec![50]), (4, 40, vec![40, 50]), (5, 51, vec![40, 50]), (6, 60, vec![40, 50, 60])]
    {
        write.put_entry(&entry(serial, issued)).await.expect("put");
        let found = write.entries().await.expect("read");
        assert_eq!(found.iter().map(|e| e.entry.issued.0).collect::<Vec<_>>(), stand, "after serial {serial}");
    }
    for serial in 7..40 {
        write.put_entry(&entry(serial, 0)).await.expect("put");
    }
    let found = write.entries().await.expect("read");
    assert_eq!(found.iter().map(|e| e.entry.serial).collect::<Vec<_>>(), (28..40).collect::<Vec<_>>());
}

fn mandate(serial: u64) -> SignedMandate {
    let mandate = Mandate { root: Blob::default(), authority: SigningKey([1; 32]), role: Role::Predecessor, serial };
    SignedMandate { mandate, by: SigningKey([2; 32]), signature: Signature([3; 64]) }
}

async fn what_authorities_say_of_each_other_keeps_its_order(base: Base) {
    let (_, mut write) = base.open(node(1)).await;
    for (position, serial) in [(0, 9), (1, 3), (2, 7)] {
        write.put_mandate(position, &mandate(serial)).await.expect("put");
    }
    let found = write.mandates().await.expect("read");
    assert_eq!(found, [mandate(9), mandate(3), mandate(7)]);
}

async fn a_revocation_of_a_lower_serial_never_replaces_a_higher(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let revoked = |serial, reason| SignedRevocation {
        revocation: Revocation { node: node(2), serial, reason },
        signature: Signature([3; 64]),
    };
    for (serial, reason, stands) in [
        (5, RevocationReason::Lost, "lost"),
        (4, RevocationReason::Operator, "lost"),
        (6, RevocationReason::Decommissioned, "decommissioned"),
    ] {
        write.put_revocation(&revoked(serial, reason), NOW).await.expect("put");
        let found = store.revoked().await.expect("read");
        assert_eq!(found.iter().map(|row| row.reason.as_str()).collect::<Vec<_>>(), [stands], "after serial {serial}");
    }
    assert_eq!(write.revocations().await.expect("read"), [revoked(6, RevocationReason::Decommissioned)]);
}

async fn an_earlier_key_of_a_child_goes_with_its_revocation(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    write.put_child(Child { node: node(2), division: division(GRID), spki: [5; 32] }).await.expect("put");
    write.set_earlier_key(node(2), Some([4; 32])).await.expect("set");
    assert_eq!(write.earlier_keys().await.expect("read"), [(node(2), [4; 32])]);
    write.revoke_child(node(2), NOW).await.expect("revoked");
    assert!(write.earlier_keys().await.expect("read").is_empty());
    assert!(store.children().await.expect("read").is_empty());
    write.put_child(Child { node: node(2), division: division(GRID), spki: [6; 32] }).await.expect("put");
    assert_eq!(store.children().await.expect("read").len(), 1, "new keys admit it again");
}

async fn the_line_above_is_replaced_as_a_whole_and_keeps_its_order(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let long: Vec<_> = (0..12).map(|n| Ancestor { node: node(20 - n), division: division(CITY) }).collect();
    write.set_ancestors(&long).await.expect("set");
    assert_eq!(write.ancestors().await.expect("read"), long);
    write.set_ancestors(&long[3..5]).await.expect("set");
    assert_eq!(store.ancestors().await.expect("read"), long[3..5]);
}

async fn a_child_is_changed_and_a_route_moves(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    for spki in [[1; 32], [2; 32]] {
        write.put_child(Child { node: node(2), division: division(GRID), spki }).await.expect("put");
    }
    assert_eq!(store.children().await.expect("read").iter().map(|c| c.spki).collect::<Vec<_>>(), [[2; 32]]);
    for via in [node(2), node(3)] {
        write.put_route(Route { member: node(5), via, division: division(GRID) }).await.expect("put");
    }
    assert_eq!(store.routes().await.expect("read").iter().map(|r| r.via).collect::<Vec<_>>(), [node(3)]);
    assert_eq!(write.children().await.expect("read"), store.children().await.expect("read"));
    assert_eq!(write.routes().await.expect("read"), store.routes().await.expect("read"));
}

async fn a_token_remembers_the_request_that_used_it(base: Base) {
    let (_, mut write) = base.open(node(1)).await;
    let id = TokenId::from_bytes([8; 16]);
    let token = KeptToken { secret: [6; 32], division: division(GRID), expires: NOW, request: None, answer: None };
    write.put_token(id, &token).await.expect("put");
    assert!(write.put_token(id, &token).await.is_err(), "an id is given out once");
    write.use_token(id, [9; 32]).await.expect("used");
    let found = write.token(id).await.expect("read").expect("a token");
    assert_eq!((found.secret, found.expires, found.request), ([6; 32], NOW, Some([9; 32])));
    assert!(found.answer.is_none());
    assert!(write.token(TokenId::from_bytes([7; 16])).await.expect("read").is_none());
}

async fn the_numbering_of_a_link_comes_back_as_it_was(base: Base) {
    let (store, mut write) = base.open(node(1)).await;
    let incarnation = Incarnation { counter: 3, nonce: u64::MAX };
    let at = |seq| Position { seq: LinkSeq(seq), hash: Hash::of(b"x") };
    let lanes = List::new(vec![(at(1), at(9), LinkSeq(4)); 3]).expect("three lanes");
    let state = (incarnation, None, 7, lanes);
    write.put_link(node(2), &state).await.expect("put");
    assert_eq!(write.links().await.expect("read"), [(node(2), state)]);
    let waiting = store.outbox_counts().await.expect("counted");
    assert_eq!(waiting.into_iter().collect::<Vec<_>>(), [(node(2), 15)]);
}
