//! Links that are admitted.

use std::sync::Arc;
use std::time::Duration;

use protocol::wire::bundle::{Bundle, Urgency};
use protocol::wire::control::{Control, Refused, Verdict};
use protocol::wire::frame::{Lane, LinkSeq};

use super::{End, above, loopback, setup};
use crate::core::FrameOut;
use crate::driver::event::Event;
use crate::driver::settings::{EVENTS_MAX, HostSettings, Transport};
use crate::trust::tests::{Member, directory, member, node, now};
use crate::trust::verify::VerifyError;
use crate::trust::{Authority, Directory};

over_both! {
    an_urgent_frame_does_not_wait_for_bulk_that_was_sent_before,
    a_silent_link_stays_up_by_its_signs_of_life,
    both_sides_say_what_carries_the_link,
    two_nodes_exchange_frames_on_all_lanes_in_both_directions,
    what_is_said_last_arrives_before_the_end,
    a_peer_that_does_not_read_is_closed_all_the_same,
    a_key_is_introduced_ahead_of_its_first_bundle_even_after_a_renewal,
    bad_bundles_are_told_and_the_lane_goes_on,
    an_oversize_frame_ends_the_connection,
    a_bundle_on_the_control_lane_ends_the_connection,
    an_entry_that_the_authority_did_not_sign_ends_the_connection,
    a_child_comes_back_to_a_parent_that_was_killed,
    a_parent_that_died_without_a_word_tells_its_children_when_it_is_back,
    a_name_with_several_addresses_is_tried_through,
    a_removed_child_is_cut_off_and_stays_out,
    a_full_event_queue_slows_the_sender_and_loses_nothing,
    what_is_sent_can_be_captured,
}

struct Pair {
    authority: Authority,
    top: Member,
    low: Member,
    parent: End,
    child: End,
    /// What the parent knows.
    above: Directory,
}

fn frame(bundle: &Bundle, seq: u64) -> FrameOut {
    let head = bundle.head();
    let (bytes, origin) = (bundle.bytes().clone(), head.origin);
    FrameOut::Bundle { lane: head.urgency.lane(), seq: LinkSeq(seq), bytes, origin }
}

/// The parent knows itself only: every other key must be introduced.
fn pair(over: Transport) -> Pair {
    let mut authority = Authority::found("x", now()).unwrap();
    let (top, low) = (member(&mut authority, 1, None), member(&mut authority, 2, Some(1)));
    let above_knows = directory(&authority, &[&top]);
    let parent_setup = setup(&top, &above_knows, None);
    parent_setup.registry.admit(low.keys.tls_spki_sha256(), low.node);
    let parent = End::bind(loopback(), parent_setup);
    let child_knows = directory(&authority, &[&low]);
    let child = End::bind(loopback(), setup(&low, &child_knows, Some(above(over, &top, parent.address()))));
    Pair { authority, top, low, parent, child, above: above_knows }
}

async fn open(pair: &mut Pair) -> (u64, u64) {
    pair.child.endpoint.dial();
    let (up, peer) = pair.child.opened().await;
    assert_eq!(peer, pair.top.node);
    let (down, peer) = pair.parent.opened().await;
    assert_eq!(peer, pair.low.node);
    (up, down)
}

async fn two_nodes_exchange_frames_on_all_lanes_in_both_directions(over: Transport) {
    let mut pair = pair(over);
    let (up, down) = open(&mut pair).await;
    let urgencies = [Urgency::Bulk, Urgency::Statistics, Urgency::Orange];
    for (endpoint, connection, from, to) in
        [(&pair.child.endpoint, up, &pair.low, &pair.top), (&pair.parent.endpoint, down, &pair.top, &pair.low)]
    {
        endpoint.send(connection, FrameOut::Control(Control::GoAway { retry_after_ms: 7 }));
        for urgency in urgencies {
            for n in 1..=50_u8 {
                let bundle = from.bundle(n, to.node, urgency, 20_000);
                endpoint.send(connection, frame(&bundle, n.into()));
            }
        }
    }
    for (end, origin) in [(&mut pair.parent, pair.low.node), (&mut pair.child, pair.top.node)] {
        let (mut control, mut last) = (0, [0_u64; 4]);
        while control < 1 || last != [0, 50, 50, 50] {
            match end.next().await {
                Event::Control { frame, .. } => {
                    assert_eq!(frame, Control::GoAway { retry_after_ms: 7 });
                    control += 1;
                }
                Event::Bundle { lane, seq, bundle, .. } => {
                    assert_eq!(bundle.head().origin, origin);
                    assert_eq!(seq.0, last[usize::from(lane.index())] + 1, "in order on {lane:?}");
                    last[usize::from(lane.index())] = seq.0;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    pair.child.endpoint.send(99, FrameOut::Control(Control::GoAway { retry_after_ms: 0 }));
    pair.child.endpoint.close(up, "done for today");
    assert_eq!(pair.child.closed().await, "done for today");
    assert!(pair.parent.closed().await.contains("done for today"));
}

async fn both_sides_say_what_carries_the_link(over: Transport) {
    let mut pair = pair(over);
    pair.child.endpoint.dial();
    for end in [&mut pair.child, &mut pair.parent] {
        assert!(matches!(end.next().await, Event::Opened { transport, .. } if transport == over));
    }
}

async fn an_urgent_frame_does_not_wait_for_bulk_that_was_sent_before(over: Transport) {
    let mut pair = pair(over);
    let (up, _) = open(&mut pair).await;
    let bulk = pair.low.bundle(1, node(1), Urgency::Bulk, 100_000);
    for seq in 1..=100 {
        pair.child.endpoint.send(up, frame(&bulk, seq));
    }
    assert!(matches!(pair.parent.next().await, Event::Bundle { .. }));
    pair.child.endpoint.send(up, frame(&pair.low.bundle(2, node(1), Urgency::Red, 100), 1));
    let mut before = 0;
    while !matches!(pair.parent.next().await, Event::Bundle { lane: Lane::Cases, .. }) {
        before += 1;
    }
    assert!(before < 20, "{before} of 100 went first");
}

async fn a_silent_link_stays_up_by_its_signs_of_life(over: Transport) {
    let mut pair = pair(over);
    let brisk = HostSettings {
        idle: Duration::from_millis(1_500),
        keep_alive: Duration::from_millis(300),
        ..super::settings()
    };
    let knows = directory(&pair.authority, &[&pair.low]);
    let low_setup = setup(&pair.low, &knows, Some(above(over, &pair.top, pair.parent.address())));
    pair.child = End::bind_with(loopback(), brisk, low_setup);
    open(&mut pair).await;
    let event = tokio::time::timeout(Duration::from_secs(3), pair.child.next()).await;
    assert!(event.is_err(), "{event:?}");
}

async fn what_is_said_last_arrives_before_the_end(over: Transport) {
    for n in 0..20 {
        let mut pair = pair(over);
        let (_, down) = open(&mut pair).await;
        let refusal = Control::Verdict(Verdict::Refuse(Refused::Revoked));
        if n % 2 == 0 {
            pair.parent.endpoint.send(down, FrameOut::Control(refusal.clone()));
            pair.parent.endpoint.close(down, "refused");
        } else {
            pair.parent.endpoint.send(down, FrameOut::Control(refusal.clone()));
            pair.parent.endpoint.shutdown().await;
        }
        assert!(matches!(pair.child.next().await, Event::Control { frame, .. } if frame == refusal));
        let why = pair.child.closed().await;
        assert!(why.contains("refused") || why.contains("shutting down"), "{why}");
        let why = pair.parent.closed().await;
        assert!(why == "refused" || why == "shutting down", "{why}");
    }
}

async fn a_peer_that_does_not_read_is_closed_all_the_same(over: Transport) {
    let mut pair = pair(over);
    let (up, _) = open(&mut pair).await;
    // More than the event queue and the windows hold.
    for _ in 0..60_000 {
        pair.child.endpoint.send(up, FrameOut::Control(Control::GoAway { retry_after_ms: u32::MAX }));
    }
    pair.child.endpoint.close(up, "enough");
    assert_eq!(pair.child.closed().await, "enough");
}

async fn a_key_is_introduced_ahead_of_its_first_bundle_even_after_a_renewal(over: Transport) {
    let mut pair = pair(over);
    let grid = member(&mut pair.authority, 3, Some(2));
    let child_directory = directory(&pair.authority, &[&pair.low, &grid]);
    pair.child =
        End::bind(loopback(), setup(&pair.low, &child_directory, Some(above(over, &pair.top, pair.parent.address()))));
    let (up, _) = open(&mut pair).await;
    pair.child.endpoint.send(up, frame(&grid.bundle(1, node(1), Urgency::Red, 10), 1));
    assert!(matches!(pair.parent.next().await, Event::Bundle { bundle, .. } if bundle.head().origin == node(3)));
    let renewed = member(&mut pair.authority, 3, Some(2));
    child_directory.insert(renewed.enrolled.entry).unwrap();
    for (n, who) in [(2, &renewed), (3, &grid)] {
        pair.child.endpoint.send(up, frame(&who.bundle(n, node(1), Urgency::Red, 10), n.into()));
        assert!(matches!(pair.parent.next().await, Event::Bundle { .. }));
    }
    assert_eq!(pair.above.signing_key(node(3)), Some(renewed.keys.signing_key()));
}

async fn bad_bundles_are_told_and_the_lane_goes_on(over: Transport) {
    let mut pair = pair(over);
    let (up, _) = open(&mut pair).await;
    let good = pair.low.bundle(1, node(1), Urgency::Red, 10);
    let mut bytes = good.bytes().to_vec();
    bytes[100] ^= 1;
    let send = |lane, seq, bytes: Arc<[u8]>, origin| {
        pair.child.endpoint.send(up, FrameOut::Bundle { lane, seq: LinkSeq(seq), bytes, origin });
    };
    send(Lane::Cases, 1, bytes.into(), pair.low.node);
    let forged = pair.low.bundle_with_key(2, node(1), Urgency::Red, 10, pair.top.keys.signing_key().id());
    send(Lane::Cases, 2, forged.bytes().clone(), pair.low.node);
    let stranger = member(&mut Authority::found("y", now()).unwrap(), 7, None);
    send(Lane::Cases, 3, stranger.bundle(3, node(1), Urgency::Red, 10).bytes().clone(), stranger.node);
    send(Lane::Cases, 4, pair.low.bundle(4, node(1), Urgency::Bulk, 10).bytes().clone(), pair.low.node);
    send(Lane::Cases, 5, vec![1, 2, 3].into(), pair.low.node);
    send(Lane::Cases, 6, good.bytes().clone(), pair.low.node);
    let mut whys = Vec::new();
    for n in 1..=5 {
        match pair.parent.next().await {
            Event::BadBundle { lane: Lane::Cases, seq, why, bytes, .. } => {
                assert_eq!(seq, LinkSeq(n));
                assert!(!bytes.is_empty());
                whys.push(why);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        whys[..4],
        [VerifyError::Signature, VerifyError::UnknownKey, VerifyError::UnknownOrigin, VerifyError::WrongLane]
    );
    assert!(matches!(whys[4], VerifyError::NotABundle(_)));
    assert!(matches!(pair.parent.next().await, Event::Bundle { seq: LinkSeq(6), .. }));
}

async fn an_oversize_frame_ends_the_connection(over: Transport) {
    let mut pair = pair(over);
    let (up, _) = open(&mut pair).await;
    let bytes = vec![0; protocol::wire::limits::BUNDLE_BYTES_MAX + 1].into();
    let frame = FrameOut::Bundle { lane: Lane::Bulk, seq: LinkSeq(1), bytes, origin: pair.low.node };
    pair.child.endpoint.send(up, frame);
    assert!(matches!(pair.parent.next().await, Event::Misbehaved { what, .. } if what.contains("limit")));
    assert!(pair.parent.closed().await.contains("limit"));
    assert!(pair.child.closed().await.contains("limit"));
}

async fn a_bundle_on_the_control_lane_ends_the_connection(over: Transport) {
    let mut pair = pair(over);
    let (up, _) = open(&mut pair).await;
    let bytes = pair.low.bundle(1, node(1), Urgency::Red, 10).bytes().clone();
    let frame = FrameOut::Bundle { lane: Lane::Control, seq: LinkSeq(1), bytes, origin: pair.low.node };
    pair.child.endpoint.send(up, frame);
    assert!(matches!(pair.parent.next().await, Event::Misbehaved { .. }));
    pair.parent.closed().await;
}

async fn an_entry_that_the_authority_did_not_sign_ends_the_connection(over: Transport) {
    let mut pair = pair(over);
    let (up, _) = open(&mut pair).await;
    let mut forged = pair.low.enrolled.entry;
    forged.entry.serial += 1;
    pair.child.endpoint.send(up, FrameOut::Control(Control::Introduce(Box::new(forged))));
    assert!(matches!(pair.parent.next().await, Event::Misbehaved { .. }));
    pair.parent.closed().await;
}

async fn a_child_comes_back_to_a_parent_that_was_killed(over: Transport) {
    let mut pair = pair(over);
    let (_, down) = open(&mut pair).await;
    let address = pair.parent.address();
    pair.parent.endpoint.shutdown().await;
    pair.child.closed().await;
    drop(pair.parent);
    pair.child.endpoint.dial();
    assert!(matches!(pair.child.next().await, Event::DialFailed { .. }));
    let knows = directory(&pair.authority, &[&pair.top]);
    let again = setup(&pair.top, &knows, None);
    again.registry.admit(pair.low.keys.tls_spki_sha256(), pair.low.node);
    pair.parent = End::bind(address, again);
    let (up, _) = open(&mut pair).await;
    assert!(down > 0);
    pair.child.endpoint.send(up, frame(&pair.low.bundle(1, node(1), Urgency::Red, 10), 1));
    assert!(matches!(pair.parent.next().await, Event::Bundle { .. }));
}

/// Binds a parent on a runtime of its own, which can be torn down without a farewell.
fn parent_apart(listen: std::net::SocketAddr, pair: &Pair) -> (tokio::runtime::Runtime, End) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let guard = runtime.enter();
    let top_setup = setup(&pair.top, &directory(&pair.authority, &[&pair.top]), None);
    top_setup.registry.admit(pair.low.keys.tls_spki_sha256(), pair.low.node);
    let end = End::bind(listen, top_setup);
    drop(guard);
    (runtime, end)
}

async fn a_parent_that_died_without_a_word_tells_its_children_when_it_is_back(over: Transport) {
    let mut pair = pair(over);
    let (runtime, mut parent) = parent_apart(loopback(), &pair);
    let address = parent.address();
    let knows = directory(&pair.authority, &[&pair.low]);
    let child_setup = setup(&pair.low, &knows, Some(above(over, &pair.top, address)));
    pair.child = End::bind(loopback(), child_setup);
    pair.child.endpoint.dial();
    let (up, _) = pair.child.opened().await;
    parent.opened().await;
    drop(parent);
    tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(5))).await.unwrap();
    let (runtime, mut parent) = parent_apart(address, &pair);
    pair.child.endpoint.send(up, frame(&pair.low.bundle(1, node(1), Urgency::Red, 10), 1));
    let why = tokio::time::timeout(Duration::from_secs(10), pair.child.closed()).await;
    let why = why.expect("long before the idle time-out");
    // Of a process that ends, the kernel closes what is TCP.
    assert!(why == "reset by peer" || (over == Transport::Tcp && why == "the peer hung up"), "{why}");
    pair.child.endpoint.dial();
    pair.child.opened().await;
    parent.opened().await;
    runtime.shutdown_background();
}

async fn a_name_with_several_addresses_is_tried_through(over: Transport) {
    let pair = pair(over);
    let (top, low, mut parent) = (pair.top, pair.low, pair.parent);
    let knows = directory(&pair.authority, &[&low]);
    let mut parent_is = above(over, &top, parent.address());
    // On many hosts this is ::1 first, where nobody listens.
    parent_is.address = format!("localhost:{}", parent.address().port());
    let Ok(v6) = std::net::UdpSocket::bind("[::]:0") else { return };
    drop(v6);
    let mut child = End::bind("[::]:0".parse().unwrap(), setup(&low, &knows, Some(parent_is)));
    child.endpoint.dial();
    child.opened().await;
    parent.opened().await;
}

async fn a_removed_child_is_cut_off_and_stays_out(over: Transport) {
    let mut pair = pair(over);
    let top_setup = setup(&pair.top, &pair.above, None);
    let registry = top_setup.registry.clone();
    registry.admit(pair.low.keys.tls_spki_sha256(), pair.low.node);
    pair.parent = End::bind(loopback(), top_setup);
    let knows = directory(&pair.authority, &[&pair.low]);
    pair.child = End::bind(loopback(), setup(&pair.low, &knows, Some(above(over, &pair.top, pair.parent.address()))));
    open(&mut pair).await;
    registry.remove(pair.low.node);
    pair.parent.endpoint.disconnect(pair.low.node, "revoked");
    assert!(pair.child.closed().await.contains("revoked"));
    assert_eq!(pair.parent.closed().await, "revoked");
    pair.child.endpoint.dial();
    assert!(matches!(pair.child.next().await, Event::DialFailed { .. } | Event::Opened { .. }));
    pair.parent.silent().await;
}

async fn a_full_event_queue_slows_the_sender_and_loses_nothing(over: Transport) {
    let mut pair = pair(over);
    let (up, _) = open(&mut pair).await;
    let total = 6_000_u64;
    let bundle = pair.low.bundle(1, node(1), Urgency::Statistics, 200);
    for seq in 1..=total {
        pair.child.endpoint.send(up, frame(&bundle, seq));
    }
    let most = EVENTS_MAX;
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if pair.parent.events.len() == most {
            break;
        }
    }
    assert_eq!(pair.parent.events.len(), most);
    for expected in 1..=total {
        match pair.parent.next().await {
            Event::Bundle { seq, .. } => assert_eq!(seq.0, expected),
            other => panic!("{other:?}"),
        }
    }
}

async fn what_is_sent_can_be_captured(over: Transport) {
    let dir = tempfile::tempdir().unwrap();
    let mut pair = pair(over);
    let knows = directory(&pair.authority, &[&pair.low]);
    let low_setup = setup(&pair.low, &knows, Some(above(over, &pair.top, pair.parent.address())));
    let captured = HostSettings { capture: Some(dir.path().join("sent")), ..super::settings() };
    pair.child = End::bind_with(loopback(), captured, low_setup);
    let (up, _) = open(&mut pair).await;
    let bundle = pair.low.bundle(0xab, node(1), Urgency::Red, 100);
    pair.child.endpoint.send(up, frame(&bundle, 1));
    assert!(matches!(pair.parent.next().await, Event::Bundle { .. }));
    let sent = std::fs::read(dir.path().join("sent")).unwrap();
    assert!(sent.windows(100).any(|w| w == [0xab; 100]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: run with --release --ignored --nocapture"]
#[expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement is taken and printed")]
async fn bundles_a_second_over_one_link() {
    for over in [Transport::Quic, Transport::Tcp] {
        let mut pair = pair(over);
        let (up, _) = open(&mut pair).await;
        let bundle = pair.low.bundle(1, node(1), Urgency::Red, 2_000);
        let (total, began) = (50_000_u64, std::time::Instant::now());
        for seq in 1..=total {
            pair.child.endpoint.send(up, frame(&bundle, seq));
        }
        for _ in 0..total {
            assert!(matches!(pair.parent.next().await, Event::Bundle { .. }));
        }
        let rate = f64::from(u32::try_from(total).unwrap()) / began.elapsed().as_secs_f64();
        println!("{over:?}: {rate:.0} bundles of 2 kB a second, each verified");
    }
}
