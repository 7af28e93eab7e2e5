//! A registered child that breaks the rules of the streams: it is cut off, and nothing else suffers.

use std::time::Duration;

use protocol::wire::codec;
use protocol::wire::control::{Control, Verdict};
use protocol::wire::frame::{FRAME_HEAD_BYTES, FrameHead, FrameKind, LinkSeq};
use quinn::{Connection, ConnectionError, SendStream};
use quinn_proto::ConnectionIdGenerator;

use super::{End, above, loopback, settings, setup};
use crate::driver::event::Event;
use crate::driver::host::Endpoint;
use crate::driver::quic::{is_busy, socket};
use crate::driver::settings::{HostSettings, Transport};
use crate::trust::tests::{Member, directory, member, now};
use crate::trust::tls::above::link_config;
use crate::trust::tls::{Believed, Credentials, OVER_QUIC};
use crate::trust::{Authority, tls_name};

struct Raw {
    parent: End,
    connection: Connection,
}

/// What a child dials with.
fn client(top: &Member, low: &Member) -> quinn::ClientConfig {
    let believed = Believed::new(&[low.chain().root]).unwrap();
    let credentials = Credentials::new(&low.keys, &low.chain(), believed).unwrap();
    let tls = link_config(&credentials, top.node, None, settings().time, &OVER_QUIC).unwrap();
    socket::client(tls, &settings()).unwrap()
}

async fn connect(handshake: Duration) -> Raw {
    let mut authority = Authority::found("x", now()).unwrap();
    let (top, low): (Member, Member) = (member(&mut authority, 1, None), member(&mut authority, 2, Some(1)));
    let top_setup = setup(&top, &directory(&authority, &[&top, &low]), None);
    top_setup.registry.admit(low.keys.tls_spki_sha256(), low.node);
    let parent = End::bind_with(loopback(), HostSettings { handshake, ..settings() }, top_setup);
    let quic = quinn::Endpoint::client(loopback()).unwrap();
    let connection =
        quic.connect_with(client(&top, &low), parent.address(), &tls_name(top.node)).unwrap().await.unwrap();
    Raw { parent, connection }
}

impl Raw {
    async fn lane(&self, index: u8) -> SendStream {
        let (mut send, mut receive) = self.connection.open_bi().await.unwrap();
        send.write_all(&[index]).await.unwrap();
        // Keeps the other direction open: dropping it would tell the parent to stop.
        tokio::spawn(async move { receive.read_to_end(1 << 20).await });
        send
    }

    async fn lanes(&mut self) -> Vec<SendStream> {
        let mut lanes = Vec::new();
        for index in 0..4 {
            lanes.push(self.lane(index).await);
        }
        self.parent.opened().await;
        lanes
    }

    async fn cut_off(&self) {
        let end = tokio::time::timeout(Duration::from_secs(10), self.connection.closed()).await;
        assert!(matches!(end, Ok(ConnectionError::ApplicationClosed(_))), "{end:?}");
    }
}

#[tokio::test]
async fn lanes_that_are_unknown_or_doubled_are_not_opened() {
    for lanes in [vec![4], vec![255], vec![0, 0], vec![1, 2, 3, 1]] {
        let mut raw = connect(Duration::from_secs(5)).await;
        let mut held = Vec::new();
        for index in lanes {
            held.push(raw.lane(index).await);
        }
        raw.cut_off().await;
        raw.parent.silent().await;
    }
}

#[tokio::test]
async fn a_child_that_opens_nothing_is_cut_off_in_time() {
    let mut raw = connect(Duration::from_millis(500)).await;
    let _one = raw.lane(0).await;
    raw.cut_off().await;
    raw.parent.silent().await;
}

#[tokio::test]
async fn frames_that_no_honest_peer_sends() {
    let head = |kind, length| FrameHead { kind, seq: LinkSeq(1), length }.to_bytes().to_vec();
    let with = |mut head: Vec<u8>, body: &[u8]| {
        head.extend_from_slice(body);
        head
    };
    for (what, bytes, finished) in [
        ("an unknown kind", vec![9; FRAME_HEAD_BYTES], false),
        ("a length above the limit", head(FrameKind::Control, 64 * 1024 + 1), false),
        ("four gigabytes", head(FrameKind::Bundle, u32::MAX), false),
        ("a control frame that is none", with(head(FrameKind::Control, 3), &[200, 1, 1]), false),
        ("a frame of a later version", with(head(FrameKind::Preview, 1), &[1]), false),
        ("a head cut short", vec![1, 0, 0], true),
        ("a body cut short", with(head(FrameKind::Bundle, 100), &[1; 50]), true),
    ] {
        let mut raw = connect(Duration::from_secs(5)).await;
        let mut lanes = raw.lanes().await;
        let cases = &mut lanes[1];
        cases.write_all(&bytes).await.unwrap();
        if finished {
            cases.finish().unwrap();
        }
        assert!(matches!(raw.parent.next().await, Event::Misbehaved { .. }), "{what}");
        assert!(matches!(raw.parent.next().await, Event::Closed { .. }), "{what}");
        raw.cut_off().await;
    }
}

#[tokio::test]
async fn a_bundle_that_overtakes_the_verdict_is_told_after_it() {
    let mut raw = connect(Duration::from_secs(5)).await;
    let mut lanes = raw.lanes().await;
    // No bundle, and so told as a bad one: what counts is when.
    let head = FrameHead { kind: FrameKind::Bundle, seq: LinkSeq(1), length: 1 }.to_bytes();
    lanes[1].write_all(&[&head[..], &[0]].concat()).await.unwrap();
    raw.parent.silent().await;
    let verdict = codec::encode_unbounded(&Control::Verdict(Verdict::Resume));
    let length = u32::try_from(verdict.len()).unwrap();
    let head = FrameHead { kind: FrameKind::Control, seq: LinkSeq(0), length }.to_bytes();
    lanes[0].write_all(&[&head[..], &verdict].concat()).await.unwrap();
    assert!(matches!(raw.parent.events.recv().await, Some(Event::Control { frame: Control::Verdict(_), .. })));
    assert!(matches!(raw.parent.next().await, Event::BadBundle { .. }));
}

#[tokio::test]
async fn a_link_with_a_bundle_that_waits_for_a_verdict_ends_with_its_connection() {
    let mut raw = connect(Duration::from_secs(5)).await;
    let mut lanes = raw.lanes().await;
    let head = FrameHead { kind: FrameKind::Bundle, seq: LinkSeq(1), length: 1 }.to_bytes();
    lanes[1].write_all(&[&head[..], &[0]].concat()).await.unwrap();
    raw.parent.silent().await;
    raw.connection.close(0_u32.into(), b"gone");
    assert!(matches!(raw.parent.next().await, Event::Closed { .. }));
}

#[tokio::test]
async fn a_lane_that_ends_takes_the_link_with_it() {
    let mut raw = connect(Duration::from_secs(5)).await;
    let mut lanes = raw.lanes().await;
    lanes[3].finish().unwrap();
    assert!(matches!(raw.parent.next().await, Event::Closed { .. }));
    raw.cut_off().await;
}

#[tokio::test]
async fn noise_on_every_lane_never_brings_the_endpoint_down() {
    let mut raw = connect(Duration::from_secs(5)).await;
    let mut state = 1_u32;
    for round in 0..20_usize {
        let mut lanes = raw.lanes().await;
        let noise: Vec<u8> = (0..500)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0] % 18
            })
            .collect();
        lanes[round % 4].write_all(&noise).await.unwrap();
        lanes[round % 4].finish().unwrap();
        raw.parent.closed().await;
        let mut fresh = connect(Duration::from_secs(5)).await;
        std::mem::swap(&mut raw, &mut fresh);
    }
}

#[tokio::test]
async fn handshakes_above_the_cap_are_refused_at_once() {
    let mut authority = Authority::found("x", now()).unwrap();
    let (top, low) = (member(&mut authority, 1, None), member(&mut authority, 2, Some(1)));
    let full = HostSettings { handshakes_max: 0, ..settings() };
    let parent = End::bind_with(loopback(), full, setup(&top, &directory(&authority, &[&top, &low]), None));
    let quic = quinn::Endpoint::client(loopback()).unwrap();
    let dial = quic.connect_with(client(&top, &low), parent.address(), &tls_name(top.node)).unwrap();
    let refused = tokio::time::timeout(Duration::from_secs(2), dial).await.expect("at once").unwrap_err();
    assert!(is_busy(&refused), "{refused}");
}

#[tokio::test]
async fn a_child_that_is_refused_for_the_crowd_asks_again_within_the_same_dial() {
    let mut authority = Authority::found("x", now()).unwrap();
    let (top, low) = (member(&mut authority, 1, None), member(&mut authority, 2, Some(1)));
    let knows = directory(&authority, &[&top, &low]);
    let full = HostSettings { handshakes_max: 0, ..settings() };
    let parent = End::bind_with(loopback(), full, setup(&top, &knows, None));
    let address = parent.address();
    let mut child = End::bind(loopback(), setup(&low, &knows, Some(above(Transport::Quic, &top, address))));
    child.endpoint.dial();
    child.silent().await;
    let counted = parent.endpoint.gauge().not_let_in();
    assert!(counted.full > 0 && counted.failed == 0, "{counted:?}");
    parent.endpoint.shutdown().await;
    drop(parent);
    let top_setup = setup(&top, &knows, None);
    top_setup.registry.admit(low.keys.tls_spki_sha256(), low.node);
    // The system frees the port a moment later.
    let mut again = Endpoint::bind(address, settings(), top_setup.clone());
    for _ in 0..100 {
        if again.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            again = Endpoint::bind(address, settings(), top_setup.clone());
        }
    }
    let _parent = again.unwrap();
    child.opened().await;
}

#[tokio::test]
async fn under_load_an_address_is_proven_first_and_then_admitted() {
    let mut authority = Authority::found("x", now()).unwrap();
    let (top, low) = (member(&mut authority, 1, None), member(&mut authority, 2, Some(1)));
    let knows = directory(&authority, &[&top, &low]);
    // With one place, every handshake is one above half.
    let tight = HostSettings { handshakes_max: 1, ..settings() };
    let top_setup = setup(&top, &knows, None);
    top_setup.registry.admit(low.keys.tls_spki_sha256(), low.node);
    let mut parent = End::bind_with(loopback(), tight, top_setup);
    let mut child = End::bind(loopback(), setup(&low, &knows, Some(above(Transport::Quic, &top, parent.address()))));
    child.endpoint.dial();
    child.opened().await;
    parent.opened().await;
}

#[tokio::test]
async fn all_who_speak_at_once_on_connections_from_before_a_restart_are_told() {
    const CHILDREN: usize = 32;
    const PACKET_BYTES: usize = 60;
    let mut authority = Authority::found("x", now()).unwrap();
    let top = member(&mut authority, 1, None);
    let kept = HostSettings { secret: Some([7; 32]), ..settings() };
    let parent = End::bind_with(loopback(), kept, setup(&top, &directory(&authority, &[&top]), None));
    let mut ids = socket::connection_ids(&[7; 32]);
    let children = tokio::net::UdpSocket::bind(loopback()).await.unwrap();
    for _ in 0..CHILDREN {
        // The short head of a packet of a connection that stands, as far as the child knows.
        let mut packet = vec![0x40];
        packet.extend_from_slice(&ids.generate_cid());
        packet.resize(PACKET_BYTES, 0);
        children.send_to(&packet, parent.address()).await.unwrap();
    }
    for told in 0..CHILDREN {
        let answer = tokio::time::timeout(Duration::from_secs(5), children.recv(&mut [0; 1_500])).await;
        let bytes = answer.unwrap_or_else(|_| panic!("{told} of {CHILDREN} were told")).unwrap();
        assert!(bytes < PACKET_BYTES, "{bytes}");
    }
}
