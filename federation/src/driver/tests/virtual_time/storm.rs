//! All children of a parent come at once.

use std::time::Duration;

use protocol::wire::bundle::Urgency;
use tokio::time::sleep;

use super::{TOP, World, in_virtual_time};

/// A red case of one child waits among what all have filed.
fn backlog(world: &mut World) {
    for child in world.children() {
        for _ in 0..20 {
            world.file(child, Urgency::Statistics);
        }
    }
    world.file(7, Urgency::Red);
}

/// The parent is down for a while, in which all file. Then all are back within a time, and soon after what they filed.
async fn all_come_back(world: &mut World, away: u64, within: u64, delivered: u64) {
    backlog(world);
    sleep(Duration::from_secs(away)).await;
    world.start(TOP);
    world.all_up_within(Duration::from_secs(within)).await;
    world.all_delivered_within(Duration::from_secs(delivered)).await;
    world.no_alarms();
}

/// The red case was at the parent soon after the link of its child was.
fn red_came_at_once(world: &World) {
    let top = world.folders[TOP].seen.borrow();
    let child = world.folders[7].node;
    let (came, ..) = *top.came.iter().find(|(_, from, how)| *from == child && *how == Urgency::Red).unwrap();
    let after = came.saturating_duration_since(top.up[&child]);
    assert!(after < Duration::from_secs(2), "a red case came {after:?} after its link");
}

#[test]
fn sixty_children_are_back_20_seconds_after_a_planned_restart_of_their_parent() {
    in_virtual_time(async {
        let mut world = World::running(1, 60).await;
        world.stop(TOP).await;
        all_come_back(&mut world, 1, 20, 10).await;
        red_came_at_once(&world);
    });
}

#[test]
fn sixty_children_are_back_60_seconds_after_their_parent_was_killed() {
    in_virtual_time(async {
        let mut world = World::running(2, 60).await;
        world.kill(TOP);
        all_come_back(&mut world, 3, 60, 10).await;
        red_came_at_once(&world);
    });
}

#[test]
fn sixty_children_come_back_over_a_network_that_loses_one_packet_in_ten() {
    in_virtual_time(async {
        let mut world = World::running(3, 60).await;
        world.net.lose(100);
        world.kill(TOP);
        all_come_back(&mut world, 3, 90, 30).await;
    });
}
