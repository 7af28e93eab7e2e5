//! Thirty days.

use std::time::Duration;

use protocol::wire::bundle::Urgency;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use tokio::time::sleep;

use super::{DAY, TOP, World, in_virtual_time, life, wall};
use crate::trust::renewal::{due, random_of};

const CHILDREN: u64 = 10;
const HOUR: Duration = Duration::from_hours(1);

/// One thing that goes wrong for an hour, or for a moment.
async fn fault(world: &mut World, random: &mut ChaCha8Rng) {
    let child = 1 + usize::try_from(random.next_u64() % CHILDREN).unwrap();
    let ip = world.folders[child].listen.ip();
    match random.next_u32() % 5 {
        0 => {
            world.kill(TOP);
            sleep(HOUR / 6).await;
            world.start(TOP);
        }
        1 => {
            world.kill(child);
            sleep(HOUR / 2).await;
            world.start(child);
        }
        2 => {
            world.net.cut(ip, true);
            sleep(HOUR).await;
            world.net.cut(ip, false);
        }
        3 => world.net.rebind(ip, [100, 64, 0, 1].into()),
        _ => {
            world.net.lose(200);
            sleep(HOUR).await;
            world.net.lose(0);
        }
    }
}

/// Whoever's time has come renews; who cannot reach the parent asks again an hour later.
async fn renew_who_must(world: &mut World) -> u32 {
    let (now, mut renewed) = (wall(world.began, 0), 0);
    for at in 0..world.folders.len() {
        let enrolled = &world.folders[at].enrolled;
        let (begin, end) = life(enrolled);
        if due(begin, end, random_of(enrolled.certificates.iter().next().unwrap())) > now {
            continue;
        }
        if at == TOP {
            world.renew_as_node(TOP).await;
            renewed += 1;
        } else if world.renew(at).await.is_ok() {
            // The link is made anew, which proves the certificate.
            let top = world.folders[TOP].node;
            world.process(at).endpoint.disconnect(top, "renewed");
            renewed += 1;
        }
    }
    renewed
}

/// What the city's host holds: connections, tasks, keys of children.
fn held(world: &World) -> [usize; 3] {
    let host = &world.process(TOP).host.0;
    [host.listening.open_connections(), host.tasks.len(), world.folders[TOP].registry.len()]
}

#[test]
fn in_thirty_days_of_daily_faults_all_renew_in_time_nothing_is_lost_and_nothing_is_left_over() {
    in_virtual_time(async {
        let mut world = World::new(31, CHILDREN, 55 * DAY);
        // A month of signs of life each 20 seconds is six million packets.
        (world.settings.keep_alive, world.settings.idle) = (HOUR / 6, HOUR / 2);
        world.start_all();
        world.all_up_within(Duration::from_secs(20)).await;
        let (before, mut random, mut renewed) = (held(&world), ChaCha8Rng::seed_from_u64(31), 0);
        for _ in 0..30 {
            for hour in 0..24 {
                if hour % 6 == 0 {
                    world.file_everywhere(Urgency::Orange);
                }
                if hour == 5 {
                    fault(&mut world, &mut random).await;
                }
                renewed += renew_who_must(&mut world).await;
                sleep(HOUR).await;
            }
        }
        assert_eq!(renewed, 11, "certificates that were renewed");
        let now = wall(world.began, 0);
        assert!(world.folders.iter().all(|folder| life(&folder.enrolled).1.0 - now.0 > 60 * 86_400_000));
        world.all_up_within(HOUR).await;
        world.all_delivered_within(HOUR).await;
        assert_eq!(held(&world), before, "connections, tasks and keys of the city");
        // The last row of each lane stays, for its hash.
        assert!(world.children().all(|child| world.folders[child].disk.borrow().outbox.len() == 1), "outboxes");
        world.no_alarms();
    });
}
