//! Links that wait for nothing cost a turn nothing, and are there when something happens on them.

use super::*;

fn waiting(rig: &Rig) -> Vec<NodeId> {
    rig.core.links.waiting().map(|(peer, _)| peer).collect()
}

#[test]
fn links_that_are_silent_are_passed_over_until_something_happens_on_one() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    rig.up(2, hello(RIGHT, run(1, 2)));
    rig.feed(Input::Timeout);
    assert_eq!(waiting(&rig), []);
    let out = rig.feed(Input::Outgoing { bundles: vec![bundle(1, ME, RIGHT, ORDER, true)] });
    rig.commit(&out);
    assert_eq!(waiting(&rig), [RIGHT]);
}

#[test]
fn a_greeting_that_stops_half_way_is_ended_beside_links_that_are_passed_over() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    rig.feed(Input::Timeout);
    rig.open(RIGHT, 2);
    rig.feed(Input::Timeout);
    rig.now = Limits::default().greeting_ms;
    assert_eq!(closed(&rig.feed(Input::Timeout)), [Closing::GreetingTooSlow]);
}

#[test]
fn rows_are_dropped_in_time_on_a_link_that_was_passed_over() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    let out = rig.feed(Input::Outgoing { bundles: vec![bundle(1, ME, LEFT, ORDER, true)] });
    rig.commit(&out);
    rig.feed(Input::Timeout);
    assert_eq!(waiting(&rig), []);
    rig.control(1, Control::Ack { lane: Lane::Cases, upto: LinkSeq(1), credit: 1 });
    rig.feed(Input::Timeout);
    rig.now = Limits::default().drop_ms;
    let out = rig.feed(Input::Timeout);
    let dropped = |output: &Output| matches!(output, Output::Persist { write: Write::Acked { peer: LEFT, .. }, .. });
    assert!(out.iter().any(dropped), "{out:?}");
}
