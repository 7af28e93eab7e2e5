//! What goes wrong in a city.

use federation::sim::{Fault, World};
use protocol::id::NodeId;

use super::app::CityApp;
use super::people::People;

/// One thing goes wrong somewhere.
pub(super) fn go_wrong(people: &mut People<'_>, world: &mut World<CityApp>, burst: usize) {
    let node = people.anybody(world);
    let for_ms = 2_000 + world.below(20_000);
    match world.below(17) {
        0 => world.lose(node),
        1 => world.cut(node),
        2 if world.below(2) == 0 => {
            let by = 500 + world.below(5_000);
            world.clog(node, by);
        }
        2 => {
            let rate = 2_000 + world.below(30_000);
            world.narrow(node, rate);
        }
        3 | 4 => {
            let back = 100 + world.below(5_000);
            world.crash(node, back);
        }
        5 | 6 => come_back_old(people, world, node, burst),
        7..14 => go_odd(people, world, node, for_ms),
        14 => upgrade_one(people, world),
        15 => people.revoke_somebody(world),
        _ => {
            let offset = i64::try_from(world.below(20 * 365 * 86_400)).unwrap_or(0) * 1_000 - 10 * 365 * 86_400_000;
            world.set_clock(node, offset);
        }
    }
    world.mend_after(node, for_ms);
}

/// The copy is older than what follows; the node comes back as it some time later.
fn come_back_old(people: &mut People<'_>, world: &mut World<CityApp>, node: NodeId, burst: usize) {
    world.back_up(node);
    let until = world.now_ms() + world.below(8_000);
    world.run_until(until);
    for _ in 0..3 {
        people.somebody_acts(world, burst);
        let until = world.now_ms() + 200;
        world.run_until(until);
    }
    let told = world.below(2) == 0;
    let done = if told { world.restore_told(node, 100) } else { world.restore(node, 100) };
    if done {
        people.restored.insert(node);
    }
}

/// One of the nodes with an older program gets today's, for which it stops for a moment.
fn upgrade_one(people: &People<'_>, world: &mut World<CityApp>) {
    let older: Vec<NodeId> = people.nodes().filter(|node| is_older(world, *node)).collect();
    let which = world.below(u64::try_from(older.len()).unwrap_or(0));
    if let Some(node) = usize::try_from(which).ok().and_then(|which| older.get(which)) {
        upgrade(world, *node);
    }
}

/// All that still have an older program get today's.
pub(super) fn upgrade_all(people: &People<'_>, world: &mut World<CityApp>) {
    for node in people.nodes() {
        if is_older(world, node) {
            upgrade(world, node);
        }
    }
}

fn is_older(world: &World<CityApp>, node: NodeId) -> bool {
    world.disk(node).is_some_and(|disk| disk.app.program().is_older())
}

fn upgrade(world: &mut World<CityApp>, node: NodeId) {
    if let Some(disk) = world.disk(node) {
        disk.app.program().upgrade();
    }
    world.count(Fault::Upgrade);
    world.crash(node, 200);
}

/// Disks that fail, links that are deaf, copies and enemies.
fn go_odd(people: &mut People<'_>, world: &mut World<CityApp>, node: NodeId, for_ms: u64) {
    match world.below(8) {
        0 => {
            let to_parent = world.below(2) == 0;
            world.deafen(node, to_parent);
        }
        1 => {
            // What only the copy wrote is gone when it is switched off, as with a restored disk.
            if world.clone_node(node, for_ms) {
                people.restored.insert(node);
            }
        }
        2 => world.fill_disk(node),
        3 => {
            let by = 500 + world.below(3_500);
            world.slow_disk(node, by);
        }
        4 => {
            world.slow_disk(node, 1_000);
            let until = world.now_ms() + 500;
            world.run_until(until);
            world.tear(node, 1_000);
        }
        5 => world.flip(node),
        6 => lie(people, world, node),
        _ => world.turn_hostile(node, 5_000),
    }
}

/// A store says that it has kept a fact, and has not: half of the time that of the top, where figures are read.
fn lie(people: &People<'_>, world: &mut World<CityApp>, node: NodeId) {
    let (dice, at) = (world.below(u64::MAX), if world.below(2) == 0 { people.top() } else { node });
    if world.act(at, |app, _, _| (app.lose_a_fact(dice), Vec::new())) == Some(true) {
        world.count(Fault::Lie);
    }
}

/// Names of faults for a report.
pub fn fault_name(fault: Fault) -> &'static str {
    match fault {
        Fault::Loss => "loss",
        Fault::Cut => "cut",
        Fault::Clog => "clog",
        Fault::Narrow => "narrow line",
        Fault::Crash => "crash",
        Fault::Restore => "restore",
        Fault::RestoreTold => "told restore",
        Fault::Clock => "clock",
        Fault::OneWay => "one way",
        Fault::Clone => "clone",
        Fault::Full => "full disk",
        Fault::Slow => "slow disk",
        Fault::Torn => "torn commit",
        Fault::Flip => "flipped bit",
        Fault::Hostile => "hostile",
        Fault::Revoke => "revoked",
        Fault::Move => "moved",
        Fault::Lie => "lying store",
        Fault::Upgrade => "upgrade",
    }
}
