//! Numbers, acknowledgements, credit, and what a crash leaves of them.

use super::*;

#[test]
fn what_is_not_durable_is_not_acknowledged() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    let mut out = rig.arrive(1, 1, bundle(1, LEAF, TOP, ORDER, true), None);
    out.extend(rig.arrive(1, 2, bundle(2, LEAF, TOP, ORDER, true), None));
    assert!(acks(&out).is_empty() && sent(&out).is_empty(), "{out:?}");
    assert_eq!(acks(&rig.commit(&out)), [(Lane::Cases, 2)], "one acknowledgement for both");
}

#[test]
fn a_missing_number_ends_the_connection() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    assert_eq!(closed(&rig.arrive(1, 2, bundle(1, LEAF, ME, ORDER, true), None)), [Closing::Gap]);
}

#[test]
fn a_bundle_before_the_greeting_is_over_ends_the_connection() {
    let mut rig = Rig::new();
    rig.open(LEFT, 1);
    assert_eq!(closed(&rig.arrive(1, 1, bundle(1, LEAF, ME, ORDER, true), None)), [Closing::Gap]);
}

#[test]
fn a_bundle_that_is_not_believed_uses_its_number_up() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    let bytes = bundle(1, LEAF, ME, ORDER, true).bytes().clone();
    let (connection, lane, seq) = (ConnectionId(1), Lane::Cases, LinkSeq(1));
    let out = rig.feed(Input::Unbelieved { connection, lane, seq, bytes });
    assert_eq!(acks(&rig.commit(&out)), [(Lane::Cases, 1)]);
    let next = rig.arrive(1, 2, bundle(2, LEAF, ME, ORDER, true), None);
    assert!(closed(&next).is_empty());
}

/// Queues bundles for LEFT and makes them durable.
fn queue(rig: &mut Rig, ids: std::ops::Range<u8>) -> Vec<Output> {
    let bundles = ids.map(|id| bundle(id, ME, LEFT, ORDER, true)).collect();
    let out = rig.feed(Input::Outgoing { bundles });
    assert!(sent(&out).is_empty(), "nothing goes before it is durable");
    rig.commit(&out)
}

fn ack(upto: u64, credit: u32) -> Control {
    Control::Ack { lane: Lane::Cases, upto: LinkSeq(upto), credit }
}

#[test]
fn no_more_is_under_way_than_the_peer_gives_credit_for() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    assert!(sent(&queue(&mut rig, 1..6)).is_empty(), "the peer has not said that it is ready");
    assert_eq!(sent(&rig.control(1, ack(0, 2))), [1, 2]);
    assert_eq!(sent(&rig.control(1, ack(1, 2))), [3]);
    assert_eq!(sent(&rig.control(1, ack(3, 0))), [0_u64; 0]);
    assert_eq!(sent(&rig.control(1, ack(3, 9))), [4, 5]);
}

#[test]
fn an_acknowledgement_of_what_was_never_sent_ends_the_connection() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    assert_eq!(closed(&rig.control(1, ack(1, 2))), [Closing::Misbehaved]);
}

#[test]
fn what_is_beyond_the_window_is_read_from_the_outbox() {
    let mut rig = Rig::with(Limits { window_frames: 2, ..Limits::default() }, Vec::new());
    rig.up(1, hello(LEFT, run(1, 1)));
    queue(&mut rig, 1..8);
    assert_eq!(rig.core.in_memory().0, 2);
    let out = rig.control(1, ack(0, 100));
    assert_eq!(sent(&out), [1, 2]);
    let (ticket, after) = asked(&out).expect("it asks for more");
    assert_eq!(after, 2);
    assert_eq!(sent(&rig.feed(Input::Page { ticket, page: rows(3..8) })), [3, 4, 5, 6, 7]);
}

/// The page of the outbox that is asked for: the ticket, and after which number.
fn asked(out: &[Output]) -> Option<(Ticket, u64)> {
    out.iter().find_map(|o| match o {
        Output::Fetch { ticket, query: Query::Outbox { after, .. } } => Some((*ticket, after.0)),
        _ => None,
    })
}

fn rows(numbers: std::ops::Range<u8>) -> Page {
    let row = |seq: u8| {
        let bundle = bundle(seq, ME, LEFT, ORDER, true);
        (LinkSeq(u64::from(seq)), Hash::ZERO, ME, bundle.bytes().clone())
    };
    Page::Outbox(numbers.map(row).collect())
}

#[test]
fn what_was_acknowledged_before_it_was_sent_again_keeps_its_row_and_stops_nothing() {
    let mut rig = Rig::with(Limits { window_frames: 2, ..Limits::default() }, Vec::new());
    rig.up(1, hello(LEFT, run(1, 1)));
    queue(&mut rig, 1..8);
    let out = rig.control(1, ack(0, 2));
    assert_eq!(sent(&out), [1, 2]);
    let (ticket, _) = asked(&out).expect("it asks for more");
    // Two more came over an earlier connection and were being stored when this one was greeted.
    rig.control(1, ack(4, 2));
    rig.now = Limits::default().drop_ms;
    let dropped = |o: &Output| match o {
        Output::Persist { write: Write::Acked { upto, .. }, .. } => Some(upto.0),
        _ => None,
    };
    assert_eq!(rig.feed(Input::Timeout).iter().find_map(dropped), Some(2));
    assert_eq!(sent(&rig.feed(Input::Page { ticket, page: rows(3..8) })), [3, 4, 5, 6]);
}

#[test]
fn after_a_crash_it_says_what_was_durable_and_sends_what_was_not_acknowledged() {
    let mut rig = Rig::new();
    let theirs = run(1, 1);
    rig.up(1, hello(LEFT, theirs));
    let first = bundle(1, LEAF, ME, ORDER, false);
    let out = rig.arrive(1, 1, first.clone(), None);
    rig.commit(&out);
    queue(&mut rig, 10..12);
    // Not committed: lost.
    rig.arrive(1, 2, bundle(2, LEAF, ME, ORDER, false), None);

    let mut rig = Rig::with(Limits::default(), rig.links.values().cloned().collect());
    let mine = rig.open(LEFT, 1);
    let cases = mine.lanes.iter().find(|state| state.lane == Lane::Cases).unwrap();
    assert_eq!(cases.received, Position { seq: LinkSeq(1), hash: chain(&[first]) });
    assert_eq!(cases.last.seq, LinkSeq(2));
    assert_eq!(mine.peer_incarnation, Some(theirs));

    // The peer has received nothing of the two.
    let reply = Hello { peer_incarnation: Some(mine.incarnation), ..hello(LEFT, theirs) };
    let out = rig.control(1, Control::Hello(Box::new(reply)));
    assert_eq!(verdicts(&out), [Verdict::Resume]);
    rig.control(1, Control::Verdict(Verdict::Resume));
    let out = rig.control(1, ack(0, 100));
    let asked = |o: &Output| matches!(o, Output::Fetch { query: Query::Outbox { after, .. }, .. } if after.0 == 0);
    assert!(out.iter().any(asked), "{out:?}");
}

#[test]
fn acknowledged_rows_are_dropped_after_a_while() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    queue(&mut rig, 1..4);
    rig.control(1, ack(0, 100));
    rig.control(1, ack(3, 100));
    rig.now = Limits::default().drop_ms;
    let out = rig.feed(Input::Timeout);
    let dropped = |o: &Output| {
        matches!(o, Output::Persist { write: Write::Acked { peer: LEFT, lane: Lane::Cases, upto: LinkSeq(3) }, .. })
    };
    assert!(out.iter().any(dropped), "{out:?}");
}

#[test]
fn the_parent_is_dialled_by_one_attempt_at_a_time_with_growing_pauses() {
    let mut rig = Rig::new();
    let limits = Limits::default();
    let (mut dials, mut longest) = (Vec::new(), 0);
    for _ in 0..200 {
        rig.now = rig.now.max(rig.core.next_timeout().expect("it waits for something").0);
        if rig.feed(Input::Timeout).iter().any(|o| matches!(o, Output::Dial)) {
            assert!(!rig.feed(Input::Timeout).iter().any(|o| matches!(o, Output::Dial)), "one is under way");
            dials.push(rig.now);
            rig.feed(Input::DialFailed);
        }
    }
    for pair in dials.windows(2) {
        longest = longest.max(pair[1] - pair[0]);
    }
    assert!(longest <= limits.retry_max_ms && longest > limits.retry_max_ms / 4, "{longest}");
    assert!(dials[3] < 30_000, "the first attempts come quickly: {dials:?}");
    // An attempt without any answer counts as failed.
    rig.now = rig.core.next_timeout().unwrap().0;
    assert!(rig.feed(Input::Timeout).iter().any(|o| matches!(o, Output::Dial)));
    rig.now += limits.dial_ms;
    rig.feed(Input::Timeout);
    assert!(rig.core.next_timeout().unwrap().0 > rig.now);
}

#[test]
fn after_a_bundle_that_is_not_believed_another_greeting_is_asked_for_but_seldom() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    let limits = Limits::default();
    let damaged = |seq| Input::Unbelieved {
        connection: ConnectionId(1),
        lane: Lane::Cases,
        seq: LinkSeq(seq),
        bytes: vec![1, 2, 3].into(),
    };
    let asks = |out: &[Output]| controls(out).iter().any(|control| matches!(control, Control::GoAway { .. }));
    let out = rig.feed(damaged(1));
    assert_eq!(acks(&rig.commit(&out)), [(Lane::Cases, 1)], "its number is used up");
    rig.now += limits.reoffer_ms;
    assert!(asks(&rig.feed(Input::Timeout)));
    let out = rig.feed(damaged(2));
    rig.commit(&out);
    rig.now += limits.unbelieved_again_ms - 1;
    assert!(!asks(&rig.feed(Input::Timeout)), "what is damaged for good does not make links come and go");
    rig.now += 1;
    assert!(asks(&rig.feed(Input::Timeout)));
}

#[test]
fn another_bundle_under_a_number_that_is_being_stored_is_not_passed_over() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    rig.arrive(1, 1, bundle(1, LEFT, TOP, ORDER, true), None);
    rig.up(2, hello(LEFT, run(1, 1)));
    let again = rig.arrive(2, 1, bundle(1, LEFT, TOP, ORDER, true), None);
    assert!(again.is_empty(), "sent again over the new connection: {again:?}");
    let other = rig.arrive(2, 1, bundle(2, LEFT, TOP, ORDER, true), None);
    assert_eq!(closed(&other), [Closing::Again], "the hashes are compared anew");
}
