//! Addresses that change while a link is up, and networks that let little pass.

use std::time::Duration;

use protocol::wire::bundle::Urgency;
use tokio::time::sleep;

use super::{TOP, World, in_virtual_time};

#[test]
fn children_behind_a_translator_that_rebinds_every_30_seconds_keep_their_links_and_lose_nothing() {
    in_virtual_time(async {
        let mut world = World::running(21, 20).await;
        for round in 0..20_u8 {
            for child in world.children() {
                // Another port; and now and then another address.
                world.net.rebind(world.folders[child].listen.ip(), [100, 64, round / 5, 1].into());
            }
            world.file_everywhere(Urgency::Red);
            sleep(Duration::from_secs(30)).await;
        }
        world.all_delivered_within(Duration::from_secs(5)).await;
        let downs: u32 = world.children().map(|child| world.folders[child].seen.borrow().downs).sum();
        assert_eq!(downs, 0, "links that broke");
        world.no_alarms();
    });
}

#[test]
fn a_parent_that_is_carried_to_another_address_is_found_by_its_name() {
    in_virtual_time(async {
        let mut world = World::running(22, 20).await;
        world.kill(TOP);
        world.file_everywhere(Urgency::Orange);
        world.carry_top();
        world.start(TOP);
        // Nobody at the former address says that the connections are gone: they end by their silence.
        world.all_up_within(world.settings.idle + Duration::from_secs(15)).await;
        world.all_delivered_within(Duration::from_secs(5)).await;
        world.no_alarms();
    });
}

#[test]
fn a_child_of_which_one_packet_a_second_passes_disturbs_nobody_and_is_back_when_more_do() {
    in_virtual_time(async {
        let mut world = World::running(23, 20).await;
        let narrow = world.folders[5].listen.ip();
        world.net.trickle(narrow, Some(Duration::from_secs(1)));
        for _ in 0..50 {
            world.file(5, Urgency::Red);
            world.file(6, Urgency::Red);
            sleep(Duration::from_secs(60)).await;
        }
        assert_eq!(world.taken(6), 50, "what the others file arrives meanwhile");
        world.net.trickle(narrow, None);
        world.all_up_within(Duration::from_secs(360)).await;
        world.all_delivered_within(Duration::from_secs(10)).await;
        assert!(
            world.children().filter(|child| *child != 5).all(|child| world.folders[child].seen.borrow().downs == 0)
        );
        world.no_alarms();
    });
}
