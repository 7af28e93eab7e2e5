//! Where a bundle may come from, and what becomes of it.

use super::*;

/// What the core made of a bundle from a neighbour.
fn made_of(peer: NodeId, origin: NodeId, to: NodeId, kind: Kind) -> (Option<Deliver>, Vec<NodeId>) {
    let mut rig = Rig::new();
    rig.up(1, hello(peer, run(1, 1)));
    let out = rig.arrive(1, 1, bundle(1, origin, to, kind, true), None);
    let mut deliver = None;
    let mut onward = Vec::new();
    for output in &out {
        match output {
            Output::Persist { write: Write::Arrival { deliver: d, .. }, .. } => deliver = Some(*d),
            Output::Persist { write: Write::Outbox { peer, .. }, .. } => onward.push(*peer),
            _ => {}
        }
    }
    if deliver.is_none() {
        assert!(alarms(&out).iter().any(|alarm| matches!(alarm, Alarm::Misrouted { .. })), "{out:?}");
        assert!(out.iter().any(|o| matches!(o, Output::Persist { write: Write::Quarantine { .. }, .. })), "{out:?}");
        assert_eq!(acks(&rig.commit(&out)), [(Lane::Cases, 1)], "the lane goes on");
    }
    (deliver, onward)
}

#[test]
fn a_bundle_goes_where_it_belongs() {
    use Deliver::{Apply, Relay, RelayAndKeep, Returned};
    let table = [
        // From a child: its origin is at or below that child.
        (LEFT, LEFT, ME, ORDER, Some(Apply), vec![]),
        (LEFT, LEAF, ME, ORDER, Some(Apply), vec![]),
        (LEFT, LEAF, TOP, ORDER, Some(Relay), vec![TOP]),
        (LEFT, LEAF, TOP, TALLY, Some(RelayAndKeep), vec![TOP]),
        (LEFT, LEAF, RIGHT, ORDER, Some(Relay), vec![RIGHT]),
        (LEFT, LEAF, FAR, ORDER, Some(Relay), vec![TOP]),
        // From the parent: its destination is here or below.
        (TOP, TOP, ME, ORDER, Some(Apply), vec![]),
        (TOP, FAR, LEAF, ORDER, Some(Relay), vec![LEFT]),
        (TOP, FAR, LEAF, TALLY, Some(RelayAndKeep), vec![LEFT]),
        // Given back, by either side, and never passed on.
        (TOP, ME, FAR, ORDER, Some(Returned), vec![]),
        (TOP, LEAF, FAR, ORDER, Some(Returned), vec![]),
        (LEFT, TOP, LEAF, ORDER, Some(Returned), vec![]),
        (LEFT, ME, LEFT, ORDER, Some(Returned), vec![]),
        // Everything else is a lie.
        (LEFT, RIGHT, ME, ORDER, None, vec![]),
        (LEFT, TOP, FAR, ORDER, None, vec![]),
        (LEFT, ME, TOP, ORDER, None, vec![]),
        (LEFT, LEAF, LEFT, ORDER, None, vec![]),
        (TOP, FAR, TOP, ORDER, None, vec![]),
        (TOP, LEFT, RIGHT, ORDER, None, vec![]),
    ];
    for (peer, origin, to, kind, deliver, onward) in table {
        let made = made_of(peer, origin, to, kind);
        assert_eq!(made, (deliver, onward), "from {peer}: {origin} to {to}, {kind:?}");
    }
}

#[test]
fn a_known_bundle_for_here_is_only_receipted_again() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    let out = rig.arrive(1, 1, bundle(1, LEAF, ME, ORDER, true), Some(false));
    assert!(out.iter().any(|o| matches!(o, Output::Tell { to, .. } if *to == LEAF)), "{out:?}");
    let duplicate =
        |o: &Output| matches!(o, Output::Persist { write: Write::Arrival { deliver: Deliver::Duplicate, .. }, .. });
    assert!(out.iter().any(duplicate), "{out:?}");
    assert_eq!(acks(&rig.commit(&out)), [(Lane::Cases, 1)]);
}

#[test]
fn what_was_passed_over_does_not_count_as_known() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    // On a connection that is not up: passed over.
    rig.open(RIGHT, 2);
    rig.arrive(2, 1, bundle(1, RIGHT, ME, ORDER, true), None);
    rig.up(3, hello(RIGHT, run(1, 1)));
    let apply = |o: &Output| matches!(o, Output::Persist { write: Write::Arrival { deliver: Deliver::Apply, .. }, .. });
    let first = rig.arrive(3, 1, bundle(1, RIGHT, ME, ORDER, true), None);
    assert!(first.iter().any(apply), "{first:?}");
    // In the same transaction once more: known, though not in the store yet.
    let second = rig.arrive(3, 2, bundle(1, RIGHT, ME, ORDER, true), None);
    assert!(!second.iter().any(apply), "{second:?}");
}

#[test]
fn a_known_bundle_for_elsewhere_goes_on_again_only_if_its_receipt_has_passed() {
    for (held_unreceipted, expected) in [(true, 0), (false, 1)] {
        let mut rig = Rig::new();
        rig.up(1, hello(LEFT, run(1, 1)));
        let out = rig.arrive(1, 1, bundle(1, LEAF, TOP, ORDER, true), Some(held_unreceipted));
        let onward = out.iter().filter(|o| matches!(o, Output::Persist { write: Write::Outbox { .. }, .. })).count();
        assert_eq!(onward, expected, "held un-receipted: {held_unreceipted}");
    }
}

#[test]
fn the_peer_hears_of_a_bundle_that_the_application_kept_aside() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    let bad = bundle(1, LEAF, ME, ORDER, true);
    let id = bad.head().id;
    let arrival = rig.arrive(1, 1, bad, None);
    let out = rig.feed(Input::Rejected { bundle: id, from: LEFT, reason: "no such case".to_owned() });
    assert!(
        controls(&out).iter().any(|c| matches!(c, Control::Quarantined { bundle, .. } if *bundle == id)),
        "{out:?}"
    );
    assert_eq!(alarms(&out), [Alarm::Quarantined { peer: LEFT, bundle: id }]);
    assert_eq!(acks(&rig.commit(&arrival)), [(Lane::Cases, 1)], "the lane goes on");
}

#[test]
fn the_top_keeps_what_it_knows_no_way_for() {
    let mut core = Core::resume(identity(TOP, None), Kept::default(), Limits::default());
    let now = Now { uptime: Uptime(0), wall: UnixMillis(0) };
    let mut out = Vec::new();
    core.handle(now, Input::Outgoing { bundles: vec![bundle(1, TOP, FAR, ORDER, true)] }, &mut out);
    assert!(matches!(alarms(&out).as_slice(), [Alarm::NoRoute { to: FAR, .. }]), "{out:?}");
    assert!(out.iter().any(|o| matches!(o, Output::Persist { write: Write::Unrouted { .. }, .. })), "{out:?}");
    let mut out = Vec::new();
    core.handle(now, Input::Registered { node: FAR, via: FAR }, &mut out);
    core.handle(now, Input::Outgoing { bundles: vec![bundle(2, TOP, FAR, ORDER, true)] }, &mut out);
    assert!(alarms(&out).is_empty(), "a node that was enrolled has a way: {out:?}");
}

/// What the core made of a bundle that came by hand from a neighbour.
fn carried(rig: &mut Rig, from: NodeId, bundle: Bundle, held: Option<bool>) -> Vec<Output> {
    let bundle = Verified::assertion(bundle);
    rig.feed(Input::Carried { from, bundle, seen: held.is_some(), held_unreceipted: held.unwrap_or(false) })
}

#[test]
fn a_carried_bundle_is_placed_as_on_the_link_and_moves_no_number_of_it() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    let first = rig.arrive(1, 1, bundle(1, LEAF, TOP, ORDER, true), None);
    rig.commit(&first);
    let out = carried(&mut rig, LEFT, bundle(2, LEAF, TOP, ORDER, true), None);
    let relayed = |o: &Output| matches!(o, Output::Persist { write: Write::Outbox { peer: TOP, .. }, .. });
    assert!(out.iter().any(relayed), "{out:?}");
    assert!(acks(&rig.commit(&out)).is_empty(), "nothing of the link is acknowledged");
    // The link goes on with its next number, and what came by hand is known when it comes there too.
    let again = rig.arrive(1, 2, bundle(2, LEAF, TOP, ORDER, true), Some(true));
    assert!(!again.iter().any(relayed), "{again:?}");
    assert_eq!(acks(&rig.commit(&again)), [(Lane::Cases, 2)]);
}

#[test]
fn a_carried_bundle_that_cannot_come_from_there_is_kept_aside() {
    let mut rig = Rig::new();
    let out = carried(&mut rig, LEFT, bundle(1, RIGHT, ME, ORDER, true), None);
    assert!(out.iter().any(|o| matches!(o, Output::Persist { write: Write::Quarantine { .. }, .. })), "{out:?}");
    let out = carried(&mut rig, LEAF, bundle(2, LEAF, ME, ORDER, true), None);
    assert!(!out.iter().any(|o| matches!(o, Output::Persist { .. })), "no neighbour made it: {out:?}");
    assert!(alarms(&out).iter().any(|alarm| matches!(alarm, Alarm::Misrouted { peer: LEAF, .. })), "{out:?}");
}
