//! Certificates, roots, the parent and the children change while links are up.

use std::time::Duration;

use protocol::wire::bundle::Urgency;
use protocol::wire::frame::{Lane, LinkSeq};
use rustls_pki_types::CertificateDer;

use super::{End, above, loopback, setup};
use crate::core::FrameOut;
use crate::driver::event::Event;
use crate::driver::settings::Transport;
use crate::trust::tests::{Member, directory, member, node, now};
use crate::trust::tls::TlsError;
use crate::trust::{Authority, Registry, name};

over_both! {
    a_new_certificate_is_shown_on_new_links_while_the_old_one_lives,
    a_parent_shows_its_new_certificate_to_new_links_while_the_old_one_lives,
    a_certificate_for_another_node_or_another_key_is_not_presented,
    one_root_follows_another_with_both_valid_in_between,
    a_child_dials_its_new_parent,
    the_link_of_a_revoked_child_is_down_within_a_second_though_the_child_does_not_answer,
    nothing_that_a_revoked_child_said_is_queued_after_the_cut,
}

struct Pair {
    authority: Authority,
    top: Member,
    low: Member,
    parent: End,
    child: End,
    registry: Registry,
}

fn pair(over: Transport) -> Pair {
    let mut authority = Authority::found("x", now()).unwrap();
    let (top, low) = (member(&mut authority, 1, None), member(&mut authority, 2, Some(1)));
    let knows = directory(&authority, &[&top, &low]);
    let top_setup = setup(&top, &knows, None);
    let registry = top_setup.registry.clone();
    registry.admit(low.keys.tls_spki_sha256(), low.node);
    let parent = End::bind(loopback(), top_setup);
    let child = End::bind(loopback(), setup(&low, &knows, Some(above(over, &top, parent.address()))));
    Pair { authority, top, low, parent, child, registry }
}

impl Pair {
    /// One more link; both ends' numbers.
    async fn open(&mut self) -> (u64, u64) {
        self.child.endpoint.dial();
        let up = self.child.opened().await.0;
        (up, self.parent.opened().await.0)
    }

    async fn not_opened(&mut self) {
        self.child.endpoint.dial();
        loop {
            match self.child.next().await {
                Event::DialFailed { .. } | Event::Closed { .. } => break,
                Event::Opened { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        self.parent.silent().await;
    }

    /// A bundle goes up on this link.
    async fn carries(&mut self, up: u64, down: u64) {
        let bytes = self.low.bundle(1, node(1), Urgency::Red, 10).bytes().clone();
        let frame = FrameOut::Bundle { lane: Lane::Cases, seq: LinkSeq(1), bytes, origin: self.low.node };
        self.child.endpoint.send(up, frame);
        assert!(matches!(self.parent.next().await, Event::Bundle { connection, .. } if connection == down));
    }
}

async fn a_new_certificate_is_shown_on_new_links_while_the_old_one_lives(over: Transport) {
    let mut pair = pair(over);
    let (up, down) = pair.open().await;
    let renewed = member(&mut pair.authority, 2, Some(1));
    pair.child.endpoint.present(&renewed.keys, &renewed.chain()).unwrap();
    // The new key is not in the registry: that the child is refused shows that it is the new one which it shows.
    pair.not_opened().await;
    pair.registry.admit(renewed.keys.tls_spki_sha256(), renewed.node);
    pair.open().await;
    pair.carries(up, down).await;
}

async fn a_parent_shows_its_new_certificate_to_new_links_while_the_old_one_lives(over: Transport) {
    let mut pair = pair(over);
    let (up, down) = pair.open().await;
    let renewed = member(&mut pair.authority, 1, None);
    let pinned = |member: &Member, pair: &Pair| {
        let mut parent = above(over, &pair.top, pair.parent.address());
        parent.spki = Some(member.keys.tls_spki_sha256());
        Some(parent)
    };
    pair.child.endpoint.reparent(pinned(&renewed, &pair));
    pair.not_opened().await;
    pair.parent.endpoint.present(&renewed.keys, &renewed.chain()).unwrap();
    pair.open().await;
    pair.child.endpoint.reparent(pinned(&pair.top, &pair));
    pair.not_opened().await;
    pair.carries(up, down).await;
}

async fn a_certificate_for_another_node_or_another_key_is_not_presented(over: Transport) {
    let mut pair = pair(over);
    let other = member(&mut pair.authority, 3, Some(1));
    let outcome = pair.child.endpoint.present(&other.keys, &other.chain());
    assert!(matches!(outcome, Err(TlsError::OtherNode)), "{outcome:?}");
    let again = member(&mut pair.authority, 2, Some(1));
    let outcome = pair.child.endpoint.present(&pair.low.keys, &again.chain());
    assert!(matches!(outcome, Err(TlsError::Rustls(_))), "{outcome:?}");
    pair.open().await;
}

fn roots(authorities: &[&Authority]) -> Vec<CertificateDer<'static>> {
    authorities.iter().map(|a| a.root().clone()).collect()
}

async fn one_root_follows_another_with_both_valid_in_between(over: Transport) {
    let mut pair = pair(over);
    let (up, down) = pair.open().await;
    let mut city = Authority::found("y", now()).unwrap();
    let (top, low) = (member(&mut city, 1, None), member(&mut city, 2, Some(1)));
    pair.registry.admit(low.keys.tls_spki_sha256(), low.node);

    pair.child.endpoint.present(&low.keys, &low.chain()).unwrap();
    pair.not_opened().await;
    let both = roots(&[&pair.authority, &city]);
    pair.parent.endpoint.trust(both.clone()).unwrap();
    pair.child.endpoint.trust(both).unwrap();
    // The child is under the new root and the parent still under the old one, then both are under the new one.
    pair.open().await;
    pair.parent.endpoint.present(&top.keys, &top.chain()).unwrap();
    pair.open().await;
    let new = roots(&[&city]);
    pair.parent.endpoint.trust(new.clone()).unwrap();
    pair.child.endpoint.trust(new).unwrap();
    pair.open().await;
    pair.carries(up, down).await;

    // What is under the old root alone is over.
    let (keys, chain) = (pair.low.keys.clone(), pair.low.chain());
    pair.child.endpoint.present(&keys, &chain).unwrap();
    pair.not_opened().await;
    assert!(matches!(pair.child.endpoint.trust(vec![]), Err(TlsError::NoRoot)));
}

async fn a_child_dials_its_new_parent(over: Transport) {
    let mut pair = pair(over);
    pair.open().await;
    let other = member(&mut pair.authority, 3, None);
    let knows = directory(&pair.authority, &[&other, &pair.low]);
    let other_setup = setup(&other, &knows, None);
    other_setup.registry.admit(pair.low.keys.tls_spki_sha256(), pair.low.node);
    let mut elsewhere = End::bind(loopback(), other_setup);
    pair.child.endpoint.reparent(Some(above(over, &other, elsewhere.address())));
    pair.child.endpoint.dial();
    assert_eq!(pair.child.opened().await.1, other.node);
    assert_eq!(elsewhere.opened().await.1, pair.low.node);
    pair.child.endpoint.disconnect(pair.top.node, "moved");
    assert_eq!(pair.child.closed().await, "moved");
    pair.child.endpoint.reparent(None);
    pair.child.endpoint.dial();
    assert!(matches!(pair.child.next().await, Event::DialFailed { why } if why.contains("no parent")));
}

async fn the_link_of_a_revoked_child_is_down_within_a_second_though_the_child_does_not_answer(over: Transport) {
    let mut pair = pair(over);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut child = {
        let _inside = runtime.enter();
        let knows = directory(&pair.authority, &[&pair.low]);
        End::bind(loopback(), setup(&pair.low, &knows, Some(above(over, &pair.top, pair.parent.address()))))
    };
    child.endpoint.dial();
    child.opened().await;
    pair.parent.opened().await;
    // The only thread of the child's runtime stands still: its kernel takes packets, and nobody answers.
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (stands, still) = tokio::sync::oneshot::channel();
    runtime.spawn(async move {
        let _ = stands.send(());
        let _ = held.recv();
    });
    still.await.unwrap();
    pair.registry.remove(pair.low.node);
    pair.parent.endpoint.disconnect(pair.low.node, "revoked");
    let closed = tokio::time::timeout(Duration::from_secs(1), pair.parent.closed()).await;
    assert_eq!(closed.expect("within a second"), "revoked");
    drop(release);
    runtime.shutdown_background();
}

async fn nothing_that_a_revoked_child_said_is_queued_after_the_cut(over: Transport) {
    let mut pair = pair(over);
    let mut narrow = setup(&pair.top, &directory(&pair.authority, &[&pair.top, &pair.low]), None);
    narrow.events_max = 1;
    narrow.registry.admit(pair.low.keys.tls_spki_sha256(), pair.low.node);
    pair.parent = End::bind(loopback(), narrow);
    pair.child.endpoint.reparent(Some(above(over, &pair.top, pair.parent.address())));
    let (up, _) = pair.open().await;
    let greeting = pair.parent.events.recv().await;
    assert!(matches!(greeting, Some(Event::Control { .. })), "{greeting:?}");
    for n in 1..=20 {
        let bytes = pair.low.bundle(n, node(1), Urgency::Red, 10).bytes().clone();
        let frame = FrameOut::Bundle { lane: Lane::Cases, seq: LinkSeq(n.into()), bytes, origin: pair.low.node };
        pair.child.endpoint.send(up, frame);
    }
    // One bundle is in the queue, the next waits for its place.
    while pair.parent.events.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    pair.parent.endpoint.disconnect(pair.low.node, "revoked");
    assert!(matches!(pair.parent.next().await, Event::Bundle { seq: LinkSeq(1), .. }));
    let next = pair.parent.next().await;
    assert!(matches!(&next, Event::Closed { why, .. } if why == "revoked"), "{next:?}");
}

#[test]
fn a_root_that_is_no_certificate_is_not_trusted() {
    let garbage = CertificateDer::from(vec![1, 2, 3]);
    assert!(name::spki_sha256(&garbage).is_err());
    assert!(crate::trust::tls::Believed::new(&[garbage]).is_err());
}
