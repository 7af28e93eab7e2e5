//! A question asked without a certificate: for a renewal.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;

use super::{End, above, loopback, settings, setup};
use crate::driver::ask::{AskError, Question, REPLY_BYTES_MAX, REQUEST_BYTES_MAX, ask};
use crate::driver::event::{Ask, AskKind, Event};
use crate::driver::host::Host;
use crate::driver::settings::{HostSettings, Transport};
use crate::trust::authority::LEAF_LIFE;
use crate::trust::directory::verified;
use crate::trust::tests::{Member, directory, member, node, now};
use crate::trust::tls::Anchor;
use crate::trust::tls::above::EXPIRED_PARENT_MAX;
use crate::trust::{Authority, NodeKeys};

over_both! {
    a_renewal_is_asked_for_and_answered_without_a_certificate,
    after_both_certificates_have_ended_no_link_opens_and_a_renewal_can_be_asked_for,
    a_child_with_an_ended_certificate_is_refused_by_a_parent_with_a_good_one,
    a_parents_certificate_that_ended_is_accepted_for_a_renewal_only_and_for_a_time_only,
    an_ended_certificate_must_be_the_parents_in_all_else,
    an_asker_without_an_answer_is_told_to_come_again,
    requests_and_answers_have_their_limits,
    a_node_without_a_parent_has_nobody_to_ask,
    a_question_reaches_the_node_of_the_host_that_it_names,
}

/// A clock that a test sets: so many seconds from the machine's.
#[derive(Debug, Default)]
struct Steered(AtomicI64);

impl TimeProvider for Steered {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = now().0.div_euclid(1000) + self.0.load(Ordering::Relaxed);
        Some(UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap())))
    }
}

struct Pair {
    over: Transport,
    top: Member,
    low: Member,
    parent: End,
    child: End,
    clock: Arc<Steered>,
}

/// Parent and child under one clock.
fn pair(over: Transport) -> Pair {
    let mut authority = Authority::found("x", now()).unwrap();
    let (top, low) = (member(&mut authority, 1, None), member(&mut authority, 2, Some(1)));
    let clock = Arc::new(Steered::default());
    let timed = HostSettings { time: clock.clone(), ..settings() };
    let knows = directory(&authority, &[&top, &low]);
    let top_setup = setup(&top, &knows, None);
    top_setup.registry.admit(low.keys.tls_spki_sha256(), low.node);
    let parent = End::bind_with(loopback(), timed.clone(), top_setup);
    let low_setup = setup(&low, &knows, Some(above(over, &top, parent.address())));
    let child = End::bind_with(loopback(), timed, low_setup);
    Pair { over, top, low, parent, child, clock }
}

impl Pair {
    fn let_pass(&self, time: Duration) {
        self.clock.0.fetch_add(i64::try_from(time.as_secs()).unwrap(), Ordering::Relaxed);
    }

    fn beyond_the_leafs(&self) {
        self.let_pass(LEAF_LIFE.unsigned_abs() + Duration::from_secs(60));
    }

    fn question(&self, anchor: Anchor) -> Question {
        let parent = above(self.over, &self.top, self.parent.address());
        Question { kind: AskKind::Renew, parent, anchor }
    }

    async fn asked(&mut self) -> Ask {
        match self.parent.next().await {
            Event::Ask(ask) => ask,
            other => panic!("{other:?}"),
        }
    }
}

/// A proof as a renewal has one: the node's signature over what only the two ends of the connection know.
fn signed(keys: &NodeKeys, exporter: &[u8; 32]) -> Vec<u8> {
    keys.sign(exporter).0.to_vec()
}

async fn a_renewal_is_asked_for_and_answered_without_a_certificate(over: Transport) {
    let mut pair = pair(over);
    let (endpoint, keys) = (pair.child.endpoint.clone(), pair.low.keys.clone());
    let asking = tokio::spawn(async move { endpoint.ask(|exporter| signed(&keys, exporter)).await });
    let ask = pair.asked().await;
    assert_eq!(ask.kind, AskKind::Renew);
    let proof = protocol::chain::Signature(ask.request.clone().try_into().unwrap());
    assert!(verified(pair.low.keys.signing_key(), &ask.exporter, &proof), "both ends have the same exporter value");
    ask.reply.send(b"a certificate".to_vec()).unwrap();
    assert_eq!(asking.await.unwrap().unwrap(), b"a certificate");

    let (endpoint, keys) = (pair.child.endpoint.clone(), pair.low.keys.clone());
    tokio::spawn(async move { endpoint.ask(|exporter| signed(&keys, exporter)).await });
    assert_ne!(pair.asked().await.exporter, ask.exporter, "a proof is good for one connection");
}

async fn after_both_certificates_have_ended_no_link_opens_and_a_renewal_can_be_asked_for(over: Transport) {
    let mut pair = pair(over);
    pair.beyond_the_leafs();
    pair.child.endpoint.dial();
    assert!(matches!(pair.child.next().await, Event::DialFailed { .. }));
    pair.parent.silent().await;
    let endpoint = pair.child.endpoint.clone();
    let asking = tokio::spawn(async move { endpoint.ask(|_| b"renew".to_vec()).await });
    pair.asked().await.reply.send(b"renewed".to_vec()).unwrap();
    assert_eq!(asking.await.unwrap().unwrap(), b"renewed");
}

async fn a_child_with_an_ended_certificate_is_refused_by_a_parent_with_a_good_one(over: Transport) {
    let mut pair = pair(over);
    // Only the parent's clock moves on, and the parent is renewed under it.
    let ahead = Arc::new(Steered::default());
    ahead.0.store(LEAF_LIFE.whole_seconds() + 60, Ordering::Relaxed);
    let knows = directory(&Authority::found("z", now()).unwrap(), &[]);
    let top_setup = setup(&pair.top, &knows, None);
    top_setup.registry.admit(pair.low.keys.tls_spki_sha256(), pair.low.node);
    let mut parent = End::bind_with(loopback(), HostSettings { time: ahead, ..settings() }, top_setup);
    pair.child.endpoint.reparent(Some(above(over, &pair.top, parent.address())));
    pair.child.endpoint.dial();
    // TLS 1.3 tells a client late.
    loop {
        match pair.child.next().await {
            Event::DialFailed { .. } | Event::Closed { .. } => break,
            Event::Opened { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    parent.silent().await;
}

async fn a_parents_certificate_that_ended_is_accepted_for_a_renewal_only_and_for_a_time_only(over: Transport) {
    let mut pair = pair(over);
    pair.beyond_the_leafs();
    let timed = HostSettings { time: pair.clock.clone(), ..settings() };
    let roots = Anchor::Roots(vec![pair.top.chain().root]);
    let join = Question { kind: AskKind::Join, ..pair.question(roots.clone()) };
    let outcome = ask(loopback(), &timed, join, |_| vec![0; 40]).await;
    assert!(matches!(&outcome, Err(AskError::Unreachable(why)) if why.contains("xpired")), "{outcome:?}");
    pair.let_pass(EXPIRED_PARENT_MAX);
    let outcome = ask(loopback(), &timed, pair.question(roots), |_| vec![0; 40]).await;
    assert!(matches!(&outcome, Err(AskError::Unreachable(why)) if why.contains("xpired")), "{outcome:?}");
    pair.parent.silent().await;
}

async fn an_ended_certificate_must_be_the_parents_in_all_else(over: Transport) {
    let mut pair = pair(over);
    pair.beyond_the_leafs();
    let timed = HostSettings { time: pair.clock.clone(), ..settings() };
    let root = pair.top.chain().root;
    let good = pair.question(Anchor::Roots(vec![root]));
    let stranger = Authority::found("y", now()).unwrap();
    let mut other_key = good.clone();
    other_key.parent.spki = Some([0; 32]);
    let mut other_name = good.clone();
    other_name.parent.node = node(9);
    let other_root = Question { anchor: Anchor::Roots(vec![stranger.root().clone()]), ..good.clone() };
    let other_pin = Question { anchor: Anchor::Pin([0; 32]), ..good.clone() };
    for wrong in [other_key, other_name, other_root, other_pin] {
        let outcome = ask(loopback(), &timed, wrong, |_| panic!("nothing is said to a stranger")).await;
        assert!(matches!(outcome, Err(AskError::Unreachable(_))), "{outcome:?}");
    }
    pair.parent.silent().await;
    let pinned = Question { anchor: Anchor::Pin(pair.top.chain().root_spki_sha256().unwrap()), ..good };
    let asking = tokio::spawn(async move { ask(loopback(), &timed, pinned, |_| vec![7]).await });
    pair.asked().await.reply.send(vec![8]).unwrap();
    assert_eq!(asking.await.unwrap().unwrap(), [8]);
}

async fn an_asker_without_an_answer_is_told_to_come_again(over: Transport) {
    let mut pair = pair(over);
    let endpoint = pair.child.endpoint.clone();
    let asking = tokio::spawn(async move { endpoint.ask(|_| vec![1]).await });
    drop(pair.asked().await);
    let outcome = asking.await.unwrap();
    assert!(matches!(&outcome, Err(AskError::Unreachable(why)) if why.contains("ask again")), "{outcome:?}");
}

async fn requests_and_answers_have_their_limits(over: Transport) {
    let mut pair = pair(over);
    let outcome = pair.child.endpoint.ask(|_| vec![0; REQUEST_BYTES_MAX + 1]).await;
    assert!(matches!(outcome, Err(AskError::Unreachable(_))), "{outcome:?}");
    pair.parent.silent().await;
    for (bytes, good) in [(REPLY_BYTES_MAX, true), (REPLY_BYTES_MAX + 1, false)] {
        let endpoint = pair.child.endpoint.clone();
        let asking = tokio::spawn(async move { endpoint.ask(|_| vec![0; REQUEST_BYTES_MAX]).await });
        let ask = pair.asked().await;
        assert_eq!(ask.request.len(), REQUEST_BYTES_MAX);
        ask.reply.send(vec![1; bytes]).unwrap();
        let outcome = asking.await.unwrap();
        assert_eq!(outcome.as_ref().map(Vec::len).ok(), good.then_some(bytes), "{outcome:?}");
    }
}

async fn a_node_without_a_parent_has_nobody_to_ask(over: Transport) {
    let pair = pair(over);
    let outcome = pair.parent.endpoint.ask(|_| panic!("there is nobody")).await;
    assert!(matches!(outcome, Err(AskError::NoParent)));
}

async fn a_question_reaches_the_node_of_the_host_that_it_names(over: Transport) {
    let mut authority = Authority::found("x", now()).unwrap();
    let (left, right) = (member(&mut authority, 1, None), member(&mut authority, 2, None));
    let knows = directory(&authority, &[&left, &right]);
    let host = Host::bind(loopback(), settings()).unwrap();
    let mut ends = [&left, &right].map(|member| End::open(&host, setup(member, &knows, None)));
    let parent = above(over, &right, host.local_addr().unwrap());
    let question = Question { kind: AskKind::Renew, parent, anchor: Anchor::Roots(vec![right.chain().root]) };
    let asker = host.clone();
    let asking = tokio::spawn(async move { asker.ask(question, |_| vec![1]).await });
    match ends[1].next().await {
        Event::Ask(ask) => ask.reply.send(vec![2]).unwrap(),
        other => panic!("{other:?}"),
    }
    assert_eq!(asking.await.unwrap().unwrap(), [2]);
    ends[0].silent().await;
}
