//! Bytes at the TCP listener that no honest peer sends: what they cost is bounded, and nothing else suffers.

use std::sync::Arc;
use std::time::Duration;

use protocol::wire::frame::{FRAME_HEAD_BYTES, FrameHead, FrameKind, LinkSeq};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{End, above, loopback, settings, setup};
use crate::driver::event::Event;
use crate::driver::settings::{HostSettings, Transport};
use crate::trust::tests::{Member, directory, member, now};
use crate::trust::tls::above::link_config;
use crate::trust::tls::{Anchor, Believed, Credentials, OVER_QUIC, OVER_TCP, Protocols, ask_config};
use crate::trust::{Authority, Directory, tls_name};

struct Pair {
    top: Member,
    low: Member,
    knows: Directory,
    parent: End,
}

fn pair(settings: HostSettings) -> Pair {
    let mut authority = Authority::found("x", now()).unwrap();
    let (top, low) = (member(&mut authority, 1, None), member(&mut authority, 2, Some(1)));
    let knows = directory(&authority, &[&top, &low]);
    let top_setup = setup(&top, &knows, None);
    top_setup.registry.admit(low.keys.tls_spki_sha256(), low.node);
    let parent = End::bind_with(loopback(), settings, top_setup);
    Pair { top, low, knows, parent }
}

impl Pair {
    async fn plain(&self) -> TcpStream {
        TcpStream::connect(self.parent.address()).await.unwrap()
    }

    async fn tls(&self, config: rustls::ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
        let name = tls_name(self.top.node).try_into().unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, self.plain().await).await
    }

    /// A registered child whose records are the test's.
    async fn raw(&self, spoken: &Protocols) -> std::io::Result<TlsStream<TcpStream>> {
        let believed = Believed::new(&[self.low.chain().root]).unwrap();
        let credentials = Credentials::new(&self.low.keys, &self.low.chain(), believed).unwrap();
        self.tls(link_config(&credentials, self.top.node, None, settings().time, spoken).unwrap()).await
    }

    /// An honest child is let in.
    async fn admits(&mut self) {
        let parent = above(Transport::Tcp, &self.top, self.parent.address());
        let mut child = End::bind(loopback(), setup(&self.low, &self.knows, Some(parent)));
        child.endpoint.dial();
        child.opened().await;
        self.parent.opened().await;
    }
}

/// Reads until the other side has hung up, in this time at most.
async fn hung_up(stream: &mut (impl tokio::io::AsyncRead + Unpin), within: Duration) -> Vec<u8> {
    let mut said = Vec::new();
    // A reset is an end too.
    let _ = tokio::time::timeout(within, stream.read_to_end(&mut said)).await.expect("hung up in time");
    said
}

fn record(kind: u8, lane: u8, body: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, lane, high, low], body].concat()
}

#[tokio::test]
async fn records_that_no_honest_peer_sends_end_the_connection() {
    let full: Vec<u8> = std::iter::repeat_n(record(1, 3, &[0; 8_192]), 33).flatten().collect();
    for (what, bytes) in [
        ("an unknown kind", vec![9; 4]),
        ("a length above that of a record", vec![1, 0, 0xff, 0xff]),
        ("a lane that is not there", record(1, 4, &[1])),
        ("more than the credit of a lane", full),
        ("credit that was not used", record(2, 1, &[0xff; 4])),
        ("something after the end of a lane", [record(3, 2, &[]), record(1, 2, &[1])].concat()),
    ] {
        let mut narrow = pair(settings());
        let mut raw = narrow.raw(&OVER_TCP).await.unwrap();
        narrow.parent.met().await;
        // The other side may hang up before all is written.
        let _ = raw.write_all(&bytes).await;
        let _ = raw.flush().await;
        let said = hung_up(&mut raw, Duration::from_secs(5)).await;
        assert!(said.first().is_none_or(|kind| *kind == 6), "{what}: told why, or nothing: {said:?}");
        loop {
            match narrow.parent.next().await {
                Event::Closed { .. } => break,
                Event::Misbehaved { .. } => {}
                other => panic!("{what}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn frames_that_no_honest_peer_sends_end_the_connection() {
    let head = |kind, length| FrameHead { kind, seq: LinkSeq(1), length }.to_bytes().to_vec();
    for (what, bytes) in [
        ("an unknown kind", vec![9; FRAME_HEAD_BYTES]),
        ("a length above the limit", head(FrameKind::Control, 64 * 1024 + 1)),
        ("four gigabytes", head(FrameKind::Bundle, u32::MAX)),
    ] {
        let mut pair = pair(settings());
        let mut raw = pair.raw(&OVER_TCP).await.unwrap();
        pair.parent.opened().await;
        raw.write_all(&record(1, 1, &bytes)).await.unwrap();
        raw.flush().await.unwrap();
        assert!(matches!(pair.parent.next().await, Event::Misbehaved { .. }), "{what}");
        pair.parent.closed().await;
        hung_up(&mut raw, Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn a_lane_that_ends_takes_the_link_with_it() {
    let mut pair = pair(settings());
    let mut raw = pair.raw(&OVER_TCP).await.unwrap();
    pair.parent.opened().await;
    raw.write_all(&record(3, 3, &[])).await.unwrap();
    raw.flush().await.unwrap();
    pair.parent.closed().await;
}

#[tokio::test]
async fn garbage_instead_of_tls_is_hung_up_on_and_reaches_nobody() {
    let mut pair = pair(settings());
    for bytes in [vec![0; 100], vec![0xff; 70_000], b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![22, 3, 1, 0xff, 0xff]] {
        let mut stream = pair.plain().await;
        let _ = stream.write_all(&bytes).await;
        hung_up(&mut stream, Duration::from_secs(2)).await;
    }
    pair.parent.silent().await;
    pair.admits().await;
}

#[tokio::test]
async fn a_handshake_that_trickles_is_cut_off_in_time() {
    let pair = pair(HostSettings { handshake: Duration::from_millis(500), ..settings() });
    let mut stream = pair.plain().await;
    for byte in [22, 3, 1, 2, 0] {
        let _ = stream.write_all(&[byte]).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    hung_up(&mut stream, Duration::from_secs(2)).await;
}

#[tokio::test]
async fn half_open_connections_take_no_more_places_than_there_are_and_give_them_back() {
    let mut pair = pair(HostSettings { handshakes_max: 16, handshake: Duration::from_millis(1_500), ..settings() });
    let mut held = Vec::new();
    for _ in 0..300 {
        held.push(pair.plain().await);
    }
    // Those without a place are turned away long before the time of a handshake is over.
    let mut turned_away = 0;
    for stream in &mut held {
        let mut byte = [0; 1];
        if tokio::time::timeout(Duration::from_millis(20), stream.read(&mut byte)).await.is_ok() {
            turned_away += 1;
        }
    }
    assert!(turned_away >= 300 - 16, "{turned_away}");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    for stream in &mut held {
        hung_up(stream, Duration::from_secs(1)).await;
    }
    pair.admits().await;
}

#[tokio::test]
async fn a_flood_over_tcp_leaves_the_places_of_quic_alone() {
    let mut pair = pair(HostSettings { handshakes_max: 4, ..settings() });
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(pair.plain().await);
    }
    let parent = above(Transport::Quic, &pair.top, pair.parent.address());
    let mut child = End::bind(loopback(), setup(&pair.low, &pair.knows, Some(parent)));
    child.endpoint.dial();
    child.opened().await;
    pair.parent.opened().await;
}

#[tokio::test]
async fn the_protocol_of_quic_is_not_spoken_over_tcp() {
    let mut pair = pair(settings());
    assert!(pair.raw(&OVER_QUIC).await.is_err());
    pair.parent.silent().await;
}

#[tokio::test]
async fn a_link_without_a_client_certificate_is_closed() {
    let mut pair = pair(settings());
    let root = pair.top.chain().root_spki_sha256().unwrap();
    let config = ask_config(Anchor::Pin(root), pair.top.node, None, OVER_TCP.link, settings().time).unwrap();
    let mut stream = pair.tls(config).await.unwrap();
    let said = hung_up(&mut stream, Duration::from_secs(2)).await;
    assert!(String::from_utf8_lossy(&said).contains("registered child"), "{said:?}");
    pair.parent.silent().await;
}

#[tokio::test]
async fn garbage_and_too_much_of_it_as_a_question_reach_nobody() {
    let mut pair = pair(settings());
    let root = pair.top.chain().root_spki_sha256().unwrap();
    let question = |bytes: &[u8]| [record(1, 0, bytes), record(3, 0, &[])].concat();
    let much: Vec<u8> = std::iter::repeat_n(record(1, 0, &[0; 8_192]), 9).flatten().collect();
    for bytes in [question(&[0; 31]), question(&[0; 200]), much, record(1, 1, &[1])] {
        let config = ask_config(Anchor::Pin(root), pair.top.node, None, OVER_TCP.join, settings().time).unwrap();
        let mut stream = pair.tls(config).await.unwrap();
        let _ = stream.write_all(&bytes).await;
        let _ = stream.flush().await;
        hung_up(&mut stream, Duration::from_secs(2)).await;
    }
    pair.parent.silent().await;
}

#[tokio::test]
async fn a_peer_that_shows_no_sign_of_life_is_given_up_in_the_idle_time() {
    let mut pair = pair(HostSettings { idle: Duration::from_millis(700), ..settings() });
    let _raw = pair.raw(&OVER_TCP).await.unwrap();
    pair.parent.opened().await;
    let closed = tokio::time::timeout(Duration::from_secs(3), pair.parent.closed()).await;
    assert_eq!(closed.expect("in the idle time"), "nothing was heard for too long");
}

#[tokio::test]
async fn a_parent_that_does_not_listen_on_tcp_is_not_reached_over_it() {
    let mut pair = pair(HostSettings { tcp: false, ..settings() });
    let parent = above(Transport::Tcp, &pair.top, pair.parent.address());
    let mut child = End::bind(loopback(), setup(&pair.low, &pair.knows, Some(parent)));
    child.endpoint.dial();
    assert!(matches!(child.next().await, Event::DialFailed { .. }));
    pair.parent.silent().await;
}
