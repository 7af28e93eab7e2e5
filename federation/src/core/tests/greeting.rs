//! Greetings: who is refused, when sending goes on, and when the link is reconciled.

use protocol::wire::control::{Doubt, Refused};

use super::super::verdict::{Judgement, compare};
use super::*;

/// All small logs: what was sent, what was dropped after acknowledgement, and where the peer says it stands.
#[test]
fn sending_goes_on_only_where_both_histories_are_one() {
    let log: Vec<_> = (0..=4_u8).map(|id| bundle(id, ME, LEFT, ORDER, true)).collect();
    let at = |seq: usize| Position { seq: LinkSeq(seq as u64), hash: chain(&log[..seq]) };
    for last in 0..=4_usize {
        for acked in 0..=last {
            for received in 0..=5_usize {
                for true_hash in [true, false] {
                    let hash = if true_hash { chain(&log[..received.min(5)]) } else { Hash([1; 32]) };
                    let said = Position { seq: LinkSeq(received as u64), hash };
                    let held = (received >= acked && received <= last && received > 0).then(|| at(received).hash);
                    let held = if received == 0 { Some(Hash::ZERO) } else { held };
                    let doubt = match judge_lane(at(last), LinkSeq(acked as u64), said) {
                        Judgement::Resume => None,
                        Judgement::Doubt(doubt) => Some(doubt),
                        Judgement::Compare => compare(said, held),
                    };
                    let dropped = received < acked && !(received == 0 && acked == 1);
                    let no_start = !true_hash && received == 0;
                    let expected = if received > last {
                        Some(Doubt::RolledBack)
                    } else if received < last && (dropped || no_start) {
                        Some(Doubt::Pruned)
                    } else if !true_hash {
                        Some(Doubt::Forked)
                    } else {
                        None
                    };
                    assert_eq!(doubt, expected, "last {last}, acked {acked}, received {received}, {true_hash}");
                }
            }
        }
    }
}

#[test]
fn strangers_and_contradictions_are_refused() {
    let good = hello(LEFT, run(1, 1));
    let cases = [
        (Hello { root: [8; 32], ..good.clone() }, Refused::OtherRoot),
        (Hello { versions: (2, 3), ..good.clone() }, Refused::NoCommonVersion),
        (Hello { node: RIGHT, ..good.clone() }, Refused::Contradiction),
        (Hello { entry: entry(RIGHT), ..good.clone() }, Refused::Contradiction),
        (Hello { division: division(FAR), ..good.clone() }, Refused::Contradiction),
        (Hello { division: division(ME), ..good.clone() }, Refused::Contradiction),
        (Hello { lanes: List::default(), ..good.clone() }, Refused::Contradiction),
        (Hello { lanes: List::new(vec![good.lanes[0]; 3]).unwrap(), ..good.clone() }, Refused::Contradiction),
    ];
    for (bad, why) in cases {
        let mut rig = Rig::new();
        rig.open(LEFT, 1);
        let out = rig.control(1, Control::Hello(Box::new(bad)));
        assert_eq!(verdicts(&out), [Verdict::Refuse(why)]);
        assert_eq!(closed(&out), [Closing::Refused(why)]);
        assert_eq!(alarms(&out), [Alarm::Refused { peer: LEFT, why }]);
    }
}

#[test]
fn a_greeting_may_name_any_root_that_is_trusted_at_that_moment() {
    let other = Hello { root: [8; 32], ..hello(LEFT, run(1, 1)) };
    let mut rig = Rig::new();
    rig.feed(Input::Identity(Box::new(Identity { roots: vec![[7; 32], [8; 32]], ..identity(ME, Some(TOP)) })));
    assert!(rig.up(1, other.clone()).iter().any(|o| matches!(o, Output::LinkUp { peer: LEFT })));
    rig.feed(Input::Identity(Box::new(Identity { root: [8; 32], ..identity(ME, Some(TOP)) })));
    assert_eq!(rig.open(RIGHT, 2).root, [8; 32], "it names the new one from the next greeting on");
    let out = rig.control(2, Control::Hello(Box::new(hello(RIGHT, run(1, 1)))));
    assert_eq!(verdicts(&out), [Verdict::Refuse(Refused::OtherRoot)], "the old one is retired");
}

#[test]
fn a_node_that_ran_alone_dials_once_it_has_a_parent() {
    let core = Core::resume(identity(ME, None), kept(Vec::new()), Limits::default());
    let mut rig = Rig { core, ..Rig::new() };
    let dials = |out: &[Output]| out.iter().filter(|o| matches!(o, Output::Dial)).count();
    assert_eq!(dials(&rig.feed(Input::Timeout)), 0);
    let left = rig.up(1, hello(LEFT, run(1, 1)));
    assert!(left.iter().any(|o| matches!(o, Output::LinkUp { .. })));
    let out = rig.feed(Input::Identity(Box::new(identity(ME, Some(TOP)))));
    assert!(closed(&out).is_empty(), "links below stay");
    assert_eq!(dials(&rig.feed(Input::Timeout)), 1);
    let above = rig.up(2, hello(TOP, run(1, 1)));
    assert!(above.iter().any(|o| matches!(o, Output::LinkUp { peer: TOP })));
    assert_eq!(dials(&rig.feed(Input::Identity(Box::new(identity(ME, Some(TOP)))))), 0, "the same parent");
}

#[test]
fn who_is_not_in_the_registry_is_not_greeted() {
    let mut rig = Rig::new();
    for peer in [FAR, LEAF, TOP] {
        let out = rig.feed(Input::LinkOpened { peer, connection: ConnectionId(1), dialled: false });
        assert_eq!(closed(&out), [Closing::NotAdmitted]);
    }
    rig.up(2, hello(LEFT, run(1, 1)));
    assert_eq!(closed(&rig.feed(Input::Revoked { peer: LEFT })), [Closing::NotAdmitted]);
    let out = rig.feed(Input::LinkOpened { peer: LEFT, connection: ConnectionId(3), dialled: false });
    assert_eq!(closed(&out), [Closing::NotAdmitted]);
}

#[test]
fn a_greeting_that_takes_too_long_ends_the_connection() {
    let mut rig = Rig::new();
    rig.open(LEFT, 1);
    rig.now = Limits::default().greeting_ms;
    assert_eq!(closed(&rig.feed(Input::Timeout)), [Closing::GreetingTooSlow]);
}

#[test]
fn a_second_greeting_and_frames_before_the_first_are_misbehaviour() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    let again = Control::Hello(Box::new(hello(LEFT, run(1, 1))));
    assert_eq!(closed(&rig.control(1, again)), [Closing::Misbehaved]);
    rig.open(LEFT, 2);
    let early = Control::Inventory { page: List::default(), last: true };
    assert_eq!(closed(&rig.control(2, early)), [Closing::Misbehaved]);
}

#[test]
fn a_newer_connection_of_the_same_run_replaces_the_older() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    let mine = rig.open(LEFT, 2);
    let same = Hello { peer_incarnation: Some(mine.incarnation), ..hello(LEFT, run(1, 1)) };
    let out = rig.control(2, Control::Hello(Box::new(same)));
    assert_eq!(closed(&out), [Closing::Replaced]);
    let out = rig.control(2, Control::Verdict(Verdict::Resume));
    assert!(out.iter().any(|o| matches!(o, Output::LinkUp { peer: LEFT })), "{out:?}");
}

#[test]
fn two_live_nodes_with_one_identity_are_refused() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    rig.open(LEFT, 2);
    let out = rig.control(2, Control::Hello(Box::new(hello(LEFT, run(1, 2)))));
    assert_eq!(verdicts(&out), [Verdict::Refuse(Refused::DoubleIdentity)]);
    assert_eq!(alarms(&out), [Alarm::Refused { peer: LEFT, why: Refused::DoubleIdentity }]);
    let out = rig.arrive(1, 1, bundle(1, LEAF, ME, ORDER, true), None);
    assert!(closed(&out).is_empty(), "the older connection lives: {out:?}");
    // Once the older one is gone the other may come; its numbers are then doubted.
    rig.feed(Input::LinkClosed { connection: ConnectionId(1) });
    rig.open(LEFT, 3);
    let other = Hello { peer_incarnation: Some(run(1, 77)), ..hello(LEFT, run(1, 2)) };
    let out = rig.control(3, Control::Hello(Box::new(other)));
    assert!(matches!(verdicts(&out)[..], [Verdict::Reconcile { doubt: Doubt::UnknownIncarnation, .. }]), "{out:?}");
}

/// Lets LEFT claim that it has more than was ever sent, and gives back what the core said its new run is.
fn reconcile(rig: &mut Rig, connection: u64) -> (Incarnation, Vec<Output>) {
    let mine = rig.open(LEFT, connection);
    let mut ahead = Hello { peer_incarnation: Some(mine.incarnation), ..hello(LEFT, run(4, 1)) };
    ahead.peer_counter_seen = 8;
    let mut lanes = ahead.lanes.into_vec();
    lanes[0].received = Position { seq: LinkSeq(5), hash: Hash([1; 32]) };
    ahead.lanes = List::new(lanes).unwrap();
    let out = rig.control(connection, Control::Hello(Box::new(ahead)));
    let [Verdict::Reconcile { incarnation, .. }] = verdicts(&out)[..] else { panic!("{out:?}") };
    let doubt = Doubt::RolledBack;
    let theirs = Control::Verdict(Verdict::Reconcile { doubt, incarnation: run(5, 5) });
    let out = rig.control(connection, theirs);
    (incarnation, out)
}

#[test]
fn a_peer_that_never_heard_of_the_run_that_was_agreed_is_no_copy_of_itself() {
    let mut rig = Rig::new();
    let (_, out) = reconcile(&mut rig, 1);
    rig.commit(&out);
    // What this side said was lost on the way: the peer comes again with the run of its greeting.
    rig.open(LEFT, 2);
    let out = rig.control(2, Control::Hello(Box::new(hello(LEFT, run(4, 1)))));
    assert!(alarms(&out).is_empty(), "{out:?}");
    assert_eq!(closed(&out), [Closing::Replaced], "the older connection is the one that is dead");
    assert!(matches!(verdicts(&out)[..], [Verdict::Reconcile { .. }]), "{out:?}");
}

#[test]
fn a_copy_that_comes_with_the_run_of_a_greeting_is_noticed_when_the_other_comes_again() {
    let mut rig = Rig::new();
    let (_, out) = reconcile(&mut rig, 1);
    rig.commit(&out);
    rig.open(LEFT, 2);
    rig.control(2, Control::Hello(Box::new(hello(LEFT, run(4, 1)))));
    let theirs = Verdict::Reconcile { doubt: Doubt::Empty, incarnation: run(5, 6) };
    let out = rig.control(2, Control::Verdict(theirs));
    rig.commit(&out);
    // The one that took part in the first agreement.
    rig.open(LEFT, 3);
    let out = rig.control(3, Control::Hello(Box::new(hello(LEFT, run(5, 5)))));
    assert_eq!(alarms(&out), [Alarm::Refused { peer: LEFT, why: Refused::DoubleIdentity }]);
}

fn fetched(out: &[Output]) -> Option<(Ticket, Query)> {
    out.iter().find_map(|o| match o {
        Output::Fetch { ticket, query } => Some((*ticket, query.clone())),
        _ => None,
    })
}

#[test]
fn a_reconciliation_gives_what_is_lacking_and_nothing_that_was_not_offered() {
    let mut rig = Rig::new();
    let (said, out) = reconcile(&mut rig, 1);
    assert_eq!(said.counter, 9, "above all that the peer has seen");
    assert!(out.iter().any(|o| matches!(o, Output::Persist { write: Write::Renumber { peer: LEFT }, .. })), "{out:?}");
    rig.commit(&out);
    assert_ne!(rig.links[&LEFT].incarnation, said, "not before it is through");
    let theirs = rig.links[&LEFT].peer_incarnation;
    let (settled, unsettled) = (run(5, 5), run(6, !5));
    assert!(theirs != Some(settled) && theirs != Some(unsettled), "whatever the peer says next is doubted: {theirs:?}");
    let (ticket, _) = fetched(&out).expect("its inventory");
    let (held, other) = (BundleId::from_bytes([1; 16]), BundleId::from_bytes([9; 16]));
    let out = rig.feed(Input::Page { ticket, page: Page::Inventory(vec![held]) });
    assert!(controls(&out).iter().any(|c| matches!(c, Control::Inventory { last: true, .. })), "{out:?}");
    let want = Control::Want { page: List::new(vec![held, other]).unwrap(), last: true };
    let out = rig.control(1, want.clone());
    let Some((ticket, Query::Bundles { ids })) = fetched(&out) else { panic!("{out:?}") };
    assert_eq!(ids, [held], "the other one was never offered");
    let page = Page::Bundles(vec![bundle(1, ME, LEFT, ORDER, true)]);
    let out = rig.feed(Input::Page { ticket, page });
    let numbered = |o: &Output| matches!(o, Output::Persist { write: Write::Outbox { position, .. }, .. } if position.seq == LinkSeq(1));
    assert!(out.iter().any(numbered), "{out:?}");
    rig.commit(&out);
    assert_eq!(rig.links[&LEFT].incarnation, said, "now it is through");
    // The peer has nothing to offer.
    let out = rig.control(1, Control::Inventory { page: List::default(), last: true });
    let (ticket, _) = fetched(&out).expect("it looks them up");
    let out = rig.feed(Input::Page { ticket, page: Page::Unseen(Vec::new()) });
    rig.commit(&out);
    assert_eq!(rig.links[&LEFT].peer_incarnation, Some(run(5, 5)), "now the peer's run counts too");
    assert_eq!(closed(&rig.control(1, want)), [Closing::Misbehaved], "nothing is asked twice");
}

#[test]
fn a_reconciliation_that_broke_off_is_made_again() {
    let mut rig = Rig::new();
    let (said, out) = reconcile(&mut rig, 1);
    rig.commit(&out);
    for after_crash in [false, true] {
        if after_crash {
            rig = Rig::with(Limits::default(), rig.links.values().cloned().collect());
        } else {
            rig.feed(Input::LinkClosed { connection: ConnectionId(1) });
        }
        rig.open(LEFT, 2);
        let next = Hello { peer_incarnation: Some(said), ..hello(LEFT, run(5, 5)) };
        let out = rig.control(2, Control::Hello(Box::new(next)));
        assert!(matches!(verdicts(&out)[..], [Verdict::Reconcile { .. }]), "{out:?}");
    }
}

#[test]
fn a_peer_that_resumes_a_run_that_was_never_agreed_upon_is_not_believed() {
    let mut rig = Rig::new();
    let (said, out) = reconcile(&mut rig, 1);
    rig.commit(&out);
    let (ticket, _) = fetched(&out).expect("its inventory");
    let out = rig.feed(Input::Page { ticket, page: Page::Inventory(Vec::new()) });
    rig.commit(&out);
    let out = rig.control(1, Control::Want { page: List::default(), last: true });
    rig.commit(&out);
    let out = rig.control(1, Control::Inventory { page: List::default(), last: true });
    let (ticket, _) = fetched(&out).expect("it looks them up");
    let out = rig.feed(Input::Page { ticket, page: Page::Unseen(Vec::new()) });
    rig.commit(&out);
    rig.feed(Input::LinkClosed { connection: ConnectionId(1) });
    rig.open(LEFT, 2);
    // It has not settled its own side yet, and says all the same that nothing is to be reconciled.
    let hasty = Hello { peer_incarnation: Some(said), ..hello(LEFT, run(6, !5)) };
    let out = rig.control(2, Control::Hello(Box::new(hasty)));
    assert_eq!(verdicts(&out), [Verdict::Resume]);
    let out = rig.control(2, Control::Verdict(Verdict::Resume));
    assert_eq!(closed(&out), [Closing::Misbehaved]);
    assert_eq!(rig.links[&LEFT].peer_incarnation, Some(run(5, 5)), "so its next greeting is reconciled");
}

#[test]
fn a_peer_that_knows_nothing_gets_everything_if_nothing_was_acknowledged_yet() {
    let mut rig = Rig::new();
    let out = rig.feed(Input::Outgoing { bundles: vec![bundle(1, ME, LEFT, ORDER, true)] });
    rig.commit(&out);
    rig.open(LEFT, 1);
    let out = rig.control(1, Control::Hello(Box::new(hello(LEFT, run(1, 1)))));
    assert_eq!(verdicts(&out), [Verdict::Resume], "waiting bundles are no reason to doubt a first contact");
    rig.control(1, Control::Verdict(Verdict::Resume));
    let out = rig.control(1, Control::Ack { lane: Lane::Cases, upto: LinkSeq(0), credit: 1 });
    let asked = out.iter().find_map(|o| match o {
        Output::Fetch { ticket, .. } => Some(*ticket),
        _ => None,
    });
    let row = (LinkSeq(1), Hash::ZERO, ME, bundle(1, ME, LEFT, ORDER, true).bytes().clone());
    let out = rig.feed(Input::Page { ticket: asked.expect("the outbox"), page: Page::Outbox(vec![row]) });
    assert_eq!(sent(&out), [1]);
    rig.control(1, Control::Ack { lane: Lane::Cases, upto: LinkSeq(1), credit: 1 });
    rig.feed(Input::LinkClosed { connection: ConnectionId(1) });
    rig.open(LEFT, 2);
    let out = rig.control(2, Control::Hello(Box::new(hello(LEFT, run(1, 1)))));
    assert!(matches!(verdicts(&out)[..], [Verdict::Reconcile { doubt: Doubt::Empty, .. }]), "{out:?}");
}

#[test]
fn an_empty_peer_amid_a_reconciliation_is_reconciled() {
    let mut rig = Rig::new();
    let (_, out) = reconcile(&mut rig, 1);
    rig.commit(&out);
    rig.feed(Input::LinkClosed { connection: ConnectionId(1) });
    rig.open(LEFT, 2);
    let out = rig.control(2, Control::Hello(Box::new(hello(LEFT, run(1, 3)))));
    assert!(matches!(verdicts(&out)[..], [Verdict::Reconcile { doubt: Doubt::Empty, .. }]), "{out:?}");
}

#[test]
fn the_peers_doubt_alone_reconciles() {
    let mut rig = Rig::new();
    rig.open(LEFT, 1);
    let out = rig.control(1, Control::Hello(Box::new(hello(LEFT, run(1, 1)))));
    assert_eq!(verdicts(&out), [Verdict::Resume]);
    let theirs = Control::Verdict(Verdict::Reconcile { doubt: Doubt::Forked, incarnation: run(2, 2) });
    let out = rig.control(1, theirs);
    assert!(matches!(verdicts(&out)[..], [Verdict::Reconcile { doubt: Doubt::Forked, .. }]), "{out:?}");
    assert!(out.iter().any(|o| matches!(o, Output::LinkUp { peer: LEFT })), "{out:?}");
}

#[test]
fn a_parent_may_ask_for_a_pause_but_not_for_weeks() {
    let mut rig = Rig::new();
    rig.feed(Input::Timeout);
    rig.up(1, hello(TOP, run(1, 1)));
    let out = rig.control(1, Control::GoAway { retry_after_ms: u32::MAX });
    assert_eq!(closed(&out), [Closing::GoAway]);
    assert_eq!(rig.core.next_timeout(), Some(Uptime(3_600_000)));
}

#[test]
fn a_child_that_says_go_away_does_not_part_its_parent_from_the_node_above() {
    let mut rig = Rig::new();
    rig.up(1, hello(LEFT, run(1, 1)));
    assert!(rig.feed(Input::Timeout).iter().any(|output| matches!(output, Output::Dial)));
    rig.feed(Input::DialFailed);
    let before = rig.core.next_timeout();
    let out = rig.control(1, Control::GoAway { retry_after_ms: u32::MAX });
    assert_eq!(closed(&out), [Closing::GoAway]);
    assert_eq!(rig.core.next_timeout(), before, "the parent is dialled when it would have been");
}
