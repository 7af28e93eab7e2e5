//! A new node joins with a token.

use std::sync::Arc;

use protocol::bounded::List;
use protocol::directory::Ancestor;
use protocol::wire::control::Enrolled;
use protocol::wire::limits::ANCESTORS_MAX;

use super::{End, above, loopback, setup, way};
use crate::driver::event::{Event, JoinAsk, JoinRefusal, JoinReply};
use crate::driver::join::{JoinError, join};
use crate::driver::settings::{HostSettings, Transport};
use crate::trust::tests::{Member, directory, division, member, node, now};
use crate::trust::tls::{Anchor, OVER_QUIC, ask_config};
use crate::trust::{Authority, NodeKeys, Registry, Token, enrolment};

over_both! {
    a_node_joins_after_waiting_and_then_links,
    a_wrong_secret_is_refused_without_having_travelled,
    the_pinned_root_and_the_parents_name_are_checked_before_anything_is_said,
    an_answer_for_other_keys_or_another_place_is_not_accepted,
    joins_above_the_cap_are_turned_away,
}

fn invite(top: &Member, end: &End) -> Token {
    let root = top.chain().root_spki_sha256().unwrap();
    Token::new(top.node, division(), &end.address().to_string(), root, now(), 60_000).unwrap()
}

fn top() -> (Authority, Member, End) {
    let (authority, top, end, _) = top_with_registry();
    (authority, top, end)
}

fn top_with_registry() -> (Authority, Member, End, Registry) {
    let mut authority = Authority::found("x", now()).unwrap();
    let top = member(&mut authority, 1, None);
    let top_setup = setup(&top, &directory(&authority, &[&top]), None);
    let registry = top_setup.registry.clone();
    (authority, top, End::bind(loopback(), top_setup), registry)
}

async fn asked(end: &mut End) -> JoinAsk {
    match end.next().await {
        Event::Join(ask) => ask,
        other => panic!("{other:?}"),
    }
}

/// A parent at the top of its federation.
fn line(parent: u8) -> List<Ancestor, ANCESTORS_MAX> {
    List::new(vec![Ancestor { node: node(parent), division: division().parent().unwrap() }]).unwrap()
}

fn answer(token: &Token, authority: &mut Authority, ask: &JoinAsk, parent: u8) -> JoinReply {
    match enrolment::check(token, &ask.request, &ask.mac, &ask.exporter, now()) {
        Ok(()) => {
            let enrolled = authority.issue(&ask.request, Some(node(parent)), now()).unwrap();
            JoinReply::Enrolled(Box::new(Enrolled { ancestors: line(parent), ..enrolled }))
        }
        Err(_) => JoinReply::Refused(JoinRefusal::Token),
    }
}

async fn a_node_joins_after_waiting_and_then_links(over: Transport) {
    let (mut authority, top, mut end, registry) = top_with_registry();
    let token = invite(&top, &end);
    let keys = Arc::new(NodeKeys::generate().unwrap());
    let joining = {
        let (token, keys) = (token.to_string().parse::<Token>().unwrap(), keys.clone());
        tokio::spawn(async move { join(&token, &keys, node(2), way(over)).await })
    };
    let first = asked(&mut end).await;
    first.reply.send(JoinReply::Pending).unwrap();
    let second = asked(&mut end).await;
    assert_ne!(first.exporter, second.exporter, "a proof is good for one connection");
    let stale = enrolment::check(&token, &second.request, &first.mac, &second.exporter, now());
    assert_eq!(stale, Err(enrolment::Unproven::Proof));
    let reply = answer(&token, &mut authority, &second, 1);
    second.reply.send(reply).unwrap();
    let enrolled = joining.await.unwrap().unwrap();
    let low = Member { node: node(2), keys, enrolled };
    assert_eq!(low.enrolled.authority, authority.authority_key());

    // The registry applies at once.
    registry.admit(low.keys.tls_spki_sha256(), low.node);
    let parent_is = above(over, &top, end.address());
    let mut child = End::bind(loopback(), setup(&low, &directory(&authority, &[&low]), Some(parent_is)));
    child.endpoint.dial();
    child.opened().await;
    assert_eq!(end.opened().await.1, node(2));
}

async fn a_wrong_secret_is_refused_without_having_travelled(over: Transport) {
    let (mut authority, top, mut end) = top();
    let token = invite(&top, &end);
    let guessed = Token { secret: [0; 32], ..token.clone() };
    let keys = NodeKeys::generate().unwrap();
    let joining = tokio::spawn(async move { join(&guessed, &keys, node(2), way(over)).await });
    let ask = asked(&mut end).await;
    let reply = answer(&token, &mut authority, &ask, 1);
    ask.reply.send(reply).unwrap();
    assert!(matches!(joining.await.unwrap(), Err(JoinError::Refused(JoinRefusal::Token))));
}

async fn the_pinned_root_and_the_parents_name_are_checked_before_anything_is_said(over: Transport) {
    let (_, top, mut end) = top();
    let token = invite(&top, &end);
    for wrong in [Token { root: [1; 32], ..token.clone() }, Token { parent: node(9), ..token.clone() }] {
        let keys = NodeKeys::generate().unwrap();
        let outcome = join(&wrong, &keys, node(2), way(over)).await;
        assert!(matches!(outcome, Err(JoinError::Unreachable(_))), "{outcome:?}");
    }
    end.silent().await;
}

/// A parent keeps the certificate and replaces the key for directory entries by its own.
fn slipped_under(reply: JoinReply) -> JoinReply {
    let JoinReply::Enrolled(mut enrolled) = reply else { panic!("{reply:?}") };
    let false_authority = NodeKeys::generate().unwrap();
    enrolled.entry.signature = false_authority.sign(&enrolled.entry.entry.signed_bytes());
    enrolled.authority = false_authority.signing_key();
    JoinReply::Enrolled(enrolled)
}

/// A parent that is said to hang below another node than it was asked as.
fn elsewhere(reply: JoinReply) -> JoinReply {
    let JoinReply::Enrolled(enrolled) = reply else { panic!("{reply:?}") };
    JoinReply::Enrolled(Box::new(Enrolled { ancestors: line(7), ..*enrolled }))
}

async fn an_answer_for_other_keys_or_another_place_is_not_accepted(over: Transport) {
    let (mut authority, top, mut end) = top();
    let token = invite(&top, &end);
    let stranger = member(&mut authority, 2, Some(1));
    for other in 0..5 {
        let keys = NodeKeys::generate().unwrap();
        let request = token.clone();
        let joining = tokio::spawn(async move { join(&request, &keys, node(2), way(over)).await });
        let ask = asked(&mut end).await;
        let reply = match other {
            0 => JoinReply::Enrolled(Box::new(stranger.enrolled.clone())),
            1 => answer(&token, &mut authority, &ask, 5),
            2 => slipped_under(answer(&token, &mut authority, &ask, 1)),
            3 => elsewhere(answer(&token, &mut authority, &ask, 1)),
            _ => {
                let mut federation = Authority::found("y", now()).unwrap();
                answer(&token, &mut federation, &ask, 1)
            }
        };
        ask.reply.send(reply).unwrap();
        let outcome = joining.await.unwrap();
        assert!(matches!(outcome, Err(JoinError::Answer(_) | JoinError::Certificate(_))), "{other}: {outcome:?}");
    }
}

#[tokio::test]
async fn garbage_and_too_much_of_it_reach_nobody() {
    let (_, top, mut end) = top();
    let root = top.chain().root_spki_sha256().unwrap();
    for bytes in [vec![], vec![0; 31], vec![0; 200], vec![0; 9_000]] {
        let tls = ask_config(Anchor::Pin(root), top.node, None, OVER_QUIC.join, super::settings().time).unwrap();
        let config = crate::driver::quic::socket::client(tls, &super::settings()).unwrap();
        let quic = quinn::Endpoint::client(loopback()).unwrap();
        let name = crate::trust::tls_name(top.node);
        let connection = quic.connect_with(config, end.address(), &name).unwrap().await.unwrap();
        let (mut send, _receive) = connection.open_bi().await.unwrap();
        send.write_all(&bytes).await.unwrap();
        // The other side may have closed already.
        let _ = send.finish();
        assert!(matches!(connection.closed().await, quinn::ConnectionError::ApplicationClosed(_)));
    }
    end.silent().await;
}

async fn joins_above_the_cap_are_turned_away(over: Transport) {
    let mut authority = Authority::found("x", now()).unwrap();
    let top = member(&mut authority, 1, None);
    let one_at_once = HostSettings { asks_max: 1, ..super::settings() };
    let mut end = End::bind_with(loopback(), one_at_once, setup(&top, &directory(&authority, &[&top]), None));
    let token = invite(&top, &end);
    let (one, two) = (token.clone(), token.clone());
    let first = tokio::spawn(async move { join(&one, &NodeKeys::generate().unwrap(), node(2), way(over)).await });
    let ask = asked(&mut end).await;
    let second = join(&two, &NodeKeys::generate().unwrap(), node(3), way(over)).await;
    assert!(matches!(&second, Err(JoinError::Unreachable(why)) if why.contains("too many")), "{second:?}");
    assert_eq!(end.endpoint.gauge().not_let_in().asks, 1, "it is counted");
    ask.reply.send(JoinReply::Refused(JoinRefusal::Used)).unwrap();
    assert!(matches!(first.await.unwrap(), Err(JoinError::Refused(JoinRefusal::Used))));
}
