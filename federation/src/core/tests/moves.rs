//! Nodes that hang elsewhere from some moment on: what was under way, and what neighbours of before know of each other.

use protocol::wire::control::Doubt;

use super::*;

/// LEAF moves from below LEFT to below RIGHT.
fn leaf_goes_right(rig: &mut Rig) -> Vec<Output> {
    rig.feed(Input::Relocated { members: vec![(LEAF, Some(LEFT), Some(RIGHT))] })
}

/// What becomes of a bundle from a neighbour, and where it goes from here.
fn placed(out: &[Output]) -> (Option<Deliver>, Vec<NodeId>) {
    let deliver = out.iter().find_map(|output| match output {
        Output::Persist { write: Write::Arrival { deliver, .. }, .. } => Some(*deliver),
        _ => None,
    });
    let onward = out.iter().filter_map(|output| match output {
        Output::Persist { write: Write::Outbox { peer, .. }, .. } => Some(*peer),
        _ => None,
    });
    (deliver, onward.collect())
}

#[test]
fn what_was_under_way_when_an_end_of_its_way_moved_goes_on() {
    use Deliver::{Apply, Duplicate, Relay};
    let table = [
        // LEAF had sent it by its old parent, or its old parent holds it for LEAF.
        (LEFT, LEAF, ME, Some(Apply), vec![]),
        (LEFT, LEAF, TOP, Some(Relay), vec![TOP]),
        (LEFT, LEAF, RIGHT, Some(Relay), vec![RIGHT]),
        (LEFT, TOP, LEAF, Some(Relay), vec![RIGHT]),
        // It went up to where both ends are known to be elsewhere by now, and comes down again.
        (TOP, LEAF, LEFT, Some(Relay), vec![LEFT]),
        (TOP, LEFT, LEAF, Some(Relay), vec![RIGHT]),
        // Who sent it sends it by the new way, below this node.
        (RIGHT, RIGHT, LEAF, Some(Duplicate), vec![]),
        (RIGHT, LEAF, RIGHT, Some(Duplicate), vec![]),
        // A node that moved itself holds what LEAF had left there.
        (RIGHT, LEAF, FAR, Some(Relay), vec![TOP]),
        // Who never moved comes by one way only.
        (LEFT, RIGHT, ME, None, vec![]),
        (LEFT, TOP, FAR, None, vec![]),
    ];
    for (peer, origin, to, deliver, onward) in table {
        let mut rig = Rig::new();
        leaf_goes_right(&mut rig);
        rig.up(1, hello(peer, run(1, 1)));
        let out = rig.arrive(1, 1, bundle(1, origin, to, ORDER, true), None);
        assert_eq!(placed(&out), (deliver, onward), "from {peer}: {origin} to {to}");
    }
}

#[test]
fn who_no_longer_lies_between_both_ends_passes_a_bundle_on_and_waits_for_no_receipt() {
    for (to, waits) in [(TOP, true), (RIGHT, false)] {
        let mut rig = Rig::new();
        leaf_goes_right(&mut rig);
        rig.up(1, hello(LEFT, run(1, 1)));
        let out = rig.arrive(1, 1, bundle(1, LEAF, to, ORDER, true), None);
        let let_go = out.iter().any(|o| matches!(o, Output::Persist { write: Write::Receipted { .. }, .. }));
        assert_eq!(let_go, !waits, "to {to}");
    }
}

/// A bundle of LEAF comes from RIGHT before the node has heard that LEAF hangs there.
fn ahead_of_the_news(rig: &mut Rig) -> Vec<Output> {
    rig.up(1, hello(RIGHT, run(1, 1)));
    let early = rig.arrive(1, 1, bundle(1, LEAF, ME, ORDER, true), None);
    assert!(alarms(&early).iter().any(|alarm| matches!(alarm, Alarm::Misrouted { .. })), "{early:?}");
    rig.commit(&early)
}

#[test]
fn what_came_ahead_of_the_news_of_a_move_is_asked_for_again_when_the_node_hears_of_it() {
    let mut rig = Rig::new();
    ahead_of_the_news(&mut rig);
    leaf_goes_right(&mut rig);
    rig.now = Limits::default().reoffer_ms;
    let out = rig.feed(Input::Timeout);
    assert!(controls(&out).iter().any(|control| matches!(control, Control::GoAway { retry_after_ms: 0 })), "{out:?}");
}

#[test]
fn what_came_ahead_of_the_news_is_asked_for_again_after_a_crash_too() {
    let mut rig = Rig::new();
    let before = rig.open(RIGHT, 9).incarnation;
    ahead_of_the_news(&mut rig);
    let mut rig = Rig::with(Limits::default(), rig.links.values().cloned().collect());
    rig.open(RIGHT, 1);
    let settled = Hello { peer_incarnation: Some(before), ..hello(RIGHT, run(1, 1)) };
    let out = rig.control(1, Control::Hello(Box::new(settled)));
    assert!(matches!(verdicts(&out)[..], [Verdict::Reconcile { .. }]), "{out:?}");
}

#[test]
fn a_node_that_comes_back_to_a_parent_of_before_takes_no_number_of_before_for_granted() {
    let mut rig = Rig::new();
    rig.up(1, hello(TOP, run(1, 1)));
    let before = rig.links[&TOP].clone();
    let sent = rig.feed(Input::Outgoing { bundles: vec![bundle(1, ME, TOP, ORDER, true)] });
    rig.commit(&sent);
    let out = rig.feed(Input::Identity(Box::new(identity(ME, Some(FAR)))));
    let dropped = |o: &Output| matches!(o, Output::Persist { write: Write::Renumber { peer: TOP }, .. });
    assert!(out.iter().any(dropped), "what waits for the parent of before goes another way: {out:?}");
    rig.commit(&out);
    assert_eq!(rig.links[&TOP].lane(Lane::Cases).last, Position::START);
    rig.feed(Input::Identity(Box::new(identity(ME, Some(TOP)))));
    rig.open(TOP, 2);
    let back = Hello { peer_incarnation: Some(before.incarnation), ..hello(TOP, run(1, 1)) };
    let out = rig.control(2, Control::Hello(Box::new(back)));
    assert!(matches!(verdicts(&out)[..], [Verdict::Reconcile { doubt: Doubt::UnknownIncarnation, .. }]), "{out:?}");
}

#[test]
fn a_child_that_moved_away_and_comes_back_is_reconciled() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    let before = rig.links[&LEFT].incarnation;
    let out = rig.feed(Input::Relocated { members: vec![(LEFT, Some(LEFT), None)] });
    assert_eq!(closed(&out), [Closing::NotAdmitted]);
    rig.commit(&out);
    rig.feed(Input::Relocated { members: vec![(LEFT, None, Some(LEFT))] });
    rig.open(LEFT, 2);
    let back = Hello { peer_incarnation: Some(before), ..hello(LEFT, run(1, 1)) };
    let out = rig.control(2, Control::Hello(Box::new(back)));
    assert!(matches!(verdicts(&out)[..], [Verdict::Reconcile { .. }]), "{out:?}");
}
