//! The nastiest things that can happen to links, each played once: those of the fifteen of the link's design that need
//! neither certificates nor attachments, real processes, other versions, or the rules of cases.

use protocol::wire::bundle::Urgency;

use crate::core::Input;

use super::Raised;
use super::stage::Stage;

const TOP: usize = 0;

#[test]
fn scenario_01_restored_then_worked_past_the_cursor() {
    let mut stage = Stage::new(&[1, 1]);
    let grid = stage.nodes[2];
    stage.world.back_up(grid);
    let mut arrived: Vec<_> = (0..3).map(|_| (TOP, stage.send(2, TOP, Urgency::Routine))).collect();
    stage.pass(5_000);
    assert!(stage.world.restore(grid, 10));
    stage.world.cut(grid);
    stage.pass(100);
    arrived.extend((0..8).map(|_| (TOP, stage.send(2, TOP, Urgency::Routine))));
    let world = stage.ends_well(&arrived);
    assert!(world.counters.raised(Raised::Reconciled) > 0, "the numbers overlapped and nobody doubted");
}

#[test]
fn scenario_02_both_sides_restored_from_different_days() {
    let mut stage = Stage::new(&[1, 1]);
    let (county, town) = (stage.nodes[1], stage.nodes[2]);
    stage.world.back_up(county);
    let mut arrived = vec![(TOP, stage.send(2, TOP, Urgency::Routine)), (2, stage.send(TOP, 2, Urgency::Routine))];
    stage.pass(3_000);
    stage.world.back_up(town);
    arrived.push((TOP, stage.send(2, TOP, Urgency::Orange)));
    arrived.push((2, stage.send(TOP, 2, Urgency::Routine)));
    stage.pass(3_000);
    assert!(stage.world.restore(county, 10) && stage.world.restore(town, 10));
    stage.pass(3_000);
    arrived.push((2, stage.send(1, 2, Urgency::Routine)));
    stage.ends_well(&arrived);
}

#[test]
fn scenario_03_a_cloned_node_is_noticed_and_what_either_sent_arrives() {
    let mut stage = Stage::new(&[1, 1]);
    let grid = stage.nodes[2];
    assert!(stage.world.clone_node(grid, 60_000));
    let twin = stage.world.twin(grid).unwrap();
    let mut arrived = Vec::new();
    for _ in 0..4 {
        arrived.push((TOP, stage.send(2, TOP, Urgency::Routine)));
        arrived.push((TOP, stage.send_from(twin, 2, TOP, Urgency::Routine)));
        stage.pass(4_000);
    }
    // Long enough that each had its turn.
    stage.pass(30_000);
    arrived.retain(|(_, id)| stage.world.disk(stage.nodes[1]).unwrap().bundles.contains_key(id));
    assert!(arrived.len() > 4, "only one of the two was ever heard");
    let world = stage.ends_well(&arrived);
    assert!(world.counters.raised(Raised::Doubled) > 0, "nobody was told");
}

#[test]
fn scenario_04_an_acknowledgement_lost_at_the_commit_boundary() {
    let mut torn = 0;
    for seed in 0..6 {
        let mut stage = Stage::seeded(seed, &[1, 1]);
        let county = stage.nodes[1];
        let id = stage.send(2, TOP, Urgency::Routine);
        stage.world.slow_disk(county, 2_000);
        let next = stage.send(2, TOP, Urgency::Routine);
        stage.pass(500);
        torn += u32::from(stage.world.tear(county, 500));
        stage.ends_well(&[(TOP, id), (TOP, next)]);
    }
    assert!(torn > 0);
}

#[test]
fn scenario_05_a_disk_that_lied_steps_back_below_what_it_acknowledged() {
    let mut stage = Stage::new(&[1, 1]);
    let county = stage.nodes[1];
    stage.world.back_up(county);
    let arrived: Vec<_> = (0..4).map(|_| (TOP, stage.send(2, TOP, Urgency::Routine))).collect();
    stage.world.cut(county);
    stage.pass(5_000);
    // The last commits are gone, and the child has dropped what was acknowledged.
    assert!(stage.world.restore(county, 10));
    stage.ends_well(&arrived);
}

#[test]
fn scenario_06_a_storm_with_backlog_lets_the_red_case_through_in_seconds() {
    let mut stage = Stage::new(&[1, 60]);
    let county = stage.nodes[1];
    stage.world.crash(county, 600_000);
    let mut arrived = Vec::new();
    for child in 2..stage.nodes.len() {
        for _ in 0..10 {
            arrived.push((TOP, stage.send(child, TOP, Urgency::Statistics)));
        }
    }
    let red = stage.send(7, TOP, Urgency::Red);
    stage.world.heal();
    stage.pass(15_000);
    assert!(stage.has(TOP, red), "a red case waits behind statistics");
    arrived.push((TOP, red));
    stage.ends_well(&arrived);
}

#[test]
fn scenario_07_bulk_that_fills_a_narrow_line_keeps_back_neither_the_red_case_nor_its_receipt() {
    let mut stage = Stage::new(&[1, 1]);
    let (county, top) = (stage.nodes[1], stage.nodes[TOP]);
    // 256 kbit/s, and a disk above that takes its time.
    stage.world.narrow(county, 32_000);
    stage.world.slow_disk(top, 500);
    let mut arrived = Vec::new();
    for _ in 0..20 {
        arrived.push((TOP, stage.send_bulk(2, TOP)));
        arrived.push((2, stage.send_bulk(TOP, 2)));
    }
    stage.pass(5_000);
    let (up, down) = (stage.send(2, TOP, Urgency::Red), stage.send(TOP, 2, Urgency::Red));
    stage.pass(6_000);
    assert!(stage.has(TOP, up) && stage.has(2, down), "a red case waits behind bulk");
    assert!(stage.receipted(2, up) && stage.receipted(TOP, down), "its receipt waits behind bulk");
    let waits = |(node, id): &&(usize, _)| !stage.has(*node, *id);
    assert!(arrived.iter().filter(waits).count() > 20, "the line was not full");
    arrived.extend([(TOP, up), (2, down)]);
    stage.ends_well(&arrived);
}

#[test]
fn scenario_08_a_poisoned_bundle_at_the_head_of_the_lane_stops_nobody() {
    let mut stage = Stage::new(&[1, 1]);
    let (grid, top) = (stage.nodes[2], stage.nodes[TOP]);
    stage.world.cut(grid);
    let sent = stage.world.act(grid, |toy, _, _| ((), vec![toy.poison(grid, top)]));
    assert!(sent.is_some(), "it was busy");
    stage.pass(100);
    let behind = stage.send(2, TOP, Urgency::Red);
    stage.world.heal();
    stage.pass(15_000);
    stage.world.lose(grid);
    let world = stage.ends_well(&[(TOP, behind)]);
    assert_eq!(world.disk(top).unwrap().quarantine.len(), 1, "it is kept with its bytes");
    assert!(world.counters.raised(Raised::Aside) > 0, "nobody was told");
    assert!(world.counters.raised(Raised::AsideThere) > 0, "its sender was not told");
}

#[test]
fn scenario_10_a_middle_that_drops_one_red_case_and_replays_another_is_noticed_and_doubles_nothing() {
    let mut stage = Stage::new(&[1, 1]);
    let (county, top) = (stage.nodes[1], stage.nodes[TOP]);
    let replayed = stage.send(2, TOP, Urgency::Red);
    stage.pass(3_000);
    stage.world.back_up(county);
    stage.world.cut(county);
    let dropped = stage.send(2, TOP, Urgency::Red);
    stage.pass(2_000);
    // It has acknowledged the case and goes on as if it had never come.
    let upward = stage.world.members[&county].backup.as_ref().unwrap().links[&top].clone();
    let disk = &mut stage.world.members.get_mut(&county).unwrap().disk;
    assert!(disk.bundles.remove(&dropped).is_some() && disk.open.remove(&dropped));
    disk.outbox.retain(|_, (_, id)| *id != dropped);
    disk.links.insert(top, upward);
    let again = (*disk.bundles[&replayed].bundle).clone();
    stage.world.crash(county, 10);
    stage.world.mend_after(county, 0);
    stage.pass(5_000);
    let carried = stage.world.counters.bundles;
    stage.world.input(county, Input::Rerouted { bundles: vec![again] });
    let behind = stage.send(2, TOP, Urgency::Red);
    stage.pass(10_000);
    assert!(stage.receipted(2, behind) && stage.world.counters.bundles > carried + 1);
    assert!(stage.has(TOP, replayed), "what was replayed was taken in twice");
    assert!(!stage.receipted(2, dropped), "its origin was told that it had arrived");
    // An honest machine takes its place.
    assert!(stage.world.restore_told(county, 10));
    stage.ends_well(&[(TOP, replayed), (TOP, dropped), (TOP, behind)]);
}

#[test]
fn scenario_12_clocks_decades_off_change_nothing() {
    const YEAR_MS: i64 = 365 * 86_400_000;
    let mut stage = Stage::new(&[2, 1]);
    let (early, late) = (stage.nodes[3], stage.nodes[4]);
    stage.world.set_clock(early, -55 * YEAR_MS);
    stage.world.set_clock(late, 9 * YEAR_MS);
    let mut arrived = Vec::new();
    for round in 0..4 {
        arrived.push((TOP, stage.send(3, TOP, Urgency::Routine)));
        arrived.push((3, stage.send(4, 3, Urgency::Routine)));
        stage.world.set_clock(late, (9 - 18 * (round % 2)) * YEAR_MS);
    }
    let world = stage.ends_well(&arrived);
    assert_eq!(world.counters.raised(Raised::Reconciled), 0, "no rule of the link asks a clock");
}

#[test]
fn scenario_15_a_full_disk_and_a_hostile_child_stop_nobody_else() {
    let mut stage = Stage::new(&[1, 3]);
    let (county, bad) = (stage.nodes[1], stage.nodes[4]);
    stage.world.turn_hostile(bad, 60_000);
    stage.pass(2_000);
    let first = stage.send(2, TOP, Urgency::Red);
    stage.pass(15_000);
    assert!(stage.has(TOP, first), "a hostile child stopped its sibling's red case");
    stage.world.fill_disk(county);
    let second = stage.send(3, TOP, Urgency::Red);
    stage.pass(5_000);
    assert!(!stage.has(TOP, second), "the disk was not full");
    stage.world.mend_after(county, 1);
    stage.pass(15_000);
    assert!(stage.has(TOP, second), "it stayed where it was when there was room again");
    stage.ends_well(&[(TOP, first), (TOP, second)]);
}
