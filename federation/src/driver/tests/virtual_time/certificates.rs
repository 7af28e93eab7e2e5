//! Certificates that end, are renewed and revoked, roots that follow one another, and clocks that are wrong.

use std::time::Duration;

use protocol::id::TokenId;
use protocol::wire::bundle::Urgency;
use tokio::time::sleep;

use super::station::Order;
use super::{BEGINNING, DAY, TOP, World, in_virtual_time, wall};
use crate::trust::Authority;
use crate::trust::tls::Chain;

const YEAR: i64 = 365 * 86_400_000;

/// The answer to a child's renewal is given, and lost.
async fn lose_an_answer(world: &mut World, child: usize) {
    let request = world.request(child);
    let (low, top) = (world.folders[child].listen.ip(), world.folders[TOP].listen.ip());
    let (net, office) = (world.net.clone(), world.office.clone());
    let cutter = tokio::task::spawn_local(async move {
        while !office.borrow().answers.contains_key(&request) {
            sleep(Duration::from_millis(1)).await;
        }
        net.cut_one_way(top, low, true);
    });
    world.renew(child).await.expect_err("the answer was lost");
    cutter.await.unwrap();
    world.net.cut_one_way(top, low, false);
}

#[test]
fn after_a_lost_answer_the_old_key_still_works_and_the_same_request_gets_the_same_certificate() {
    in_virtual_time(async {
        let mut world = World::new(11, 5, 70 * DAY);
        world.start_all();
        world.all_up_within(Duration::from_secs(20)).await;
        lose_an_answer(&mut world, 3).await;
        assert_eq!(world.folders[TOP].registry.len(), 6, "both keys of the child are admitted");
        world.kill(3);
        sleep(Duration::from_secs(5)).await;
        world.start(3);
        world.all_up_within(Duration::from_secs(60)).await;
        let (old, serial) = (world.folders[3].keys.tls_spki_sha256(), world.office.borrow().authority.serial());
        world.renew(3).await.unwrap();
        assert_eq!(world.office.borrow().authority.serial(), serial, "nothing was issued again");
        // Up by the new certificate, which drives the old one out.
        world.kill(3);
        world.start(3);
        world.all_up_within(Duration::from_secs(60)).await;
        world.file(3, Urgency::Red);
        world.all_delivered_within(Duration::from_secs(5)).await;
        assert_eq!(world.folders[TOP].registry.child(&old), None);
        world.no_alarms();
    });
}

#[test]
fn children_whose_certificates_ended_while_they_slept_renew_at_the_door_of_a_parent_that_moved_meanwhile() {
    in_virtual_time(async {
        let mut world = World::running(12, 5).await;
        (0..=5).for_each(|at| world.kill(at));
        sleep(150 * DAY).await;
        world.carry_top();
        world.start_all();
        // The parent's certificate has ended too.
        for child in world.children() {
            world.renew_as_node(child).await;
        }
        let up = world.takes(Duration::from_secs(600), |world| world.is_up(1)).await;
        assert!(up.is_none(), "to a parent whose certificate has ended");
        world.renew_as_node(TOP).await;
        world.all_up_within(Duration::from_secs(400)).await;
        world.file_everywhere(Urgency::Red);
        world.all_delivered_within(Duration::from_secs(5)).await;
        world.no_alarms();
    });
}

#[test]
fn a_revoked_child_is_cut_within_a_second_and_neither_links_nor_renews_afterwards() {
    in_virtual_time(async {
        let mut world = World::running(13, 5).await;
        let revoked = world.folders[2].node;
        world.order(TOP, Order::Revoke(revoked));
        let top_has_it = |world: &World| world.folders[TOP].seen.borrow().up.contains_key(&revoked);
        let cut = world.takes(Duration::from_secs(1), |world| !top_has_it(world) && !world.is_up(2)).await;
        assert!(cut.is_some(), "the live connection was not cut");
        world.file(2, Urgency::Red);
        let again = world.takes(DAY, top_has_it).await;
        assert!(again.is_none(), "it came in again after {again:?}");
        world.renew(2).await.expect_err("a revoked node gets no certificate");
        world.kill(2);
        world.start(2);
        assert!(world.takes(DAY / 24, top_has_it).await.is_none(), "it came in after its restart");
        assert_eq!(world.taken(2), 0);
        let others = [1, 3, 4, 5];
        assert!(others.iter().all(|other| world.is_up(*other) && world.folders[*other].seen.borrow().downs == 0));
    });
}

#[test]
fn a_root_follows_another_without_a_link_that_stays_down_and_the_former_one_opens_nothing_afterwards() {
    in_virtual_time(async {
        let world = World::running(14, 20).await;
        let now = wall(world.began, 0);
        let mut next = Authority::found("the next root", now).unwrap();
        let both = vec![world.folders[TOP].roots[0].clone(), next.root().clone()];
        for at in 0..=20 {
            world.process(at).endpoint.trust(both.clone()).unwrap();
        }
        // One child sleeps through the rest.
        for at in 0..20 {
            let folder = &world.folders[at];
            let request = folder.keys.join_request(TokenId::from_bytes([0; 16]), folder.node, folder.division).unwrap();
            let enrolled = next.issue(&request, folder.parent, now).unwrap();
            world.process(at).endpoint.present(&folder.keys, &Chain::of(&enrolled).unwrap()).unwrap();
        }
        assert!(world.children().all(|child| world.folders[child].seen.borrow().downs == 0));
        for at in 0..20 {
            world.process(at).endpoint.trust(vec![next.root().clone()]).unwrap();
        }
        world.process(TOP).endpoint.close_all("another root");
        sleep(Duration::from_millis(100)).await;
        let back = |world: &World| (1..20).all(|child| world.is_up(child));
        assert!(world.takes(Duration::from_secs(20), back).await.is_some());
        assert!(
            world.takes(DAY / 24, |world| world.is_up(20)).await.is_none(),
            "by a certificate under the former root"
        );
    });
}

#[test]
fn clocks_that_are_years_wrong_keep_no_child_out() {
    in_virtual_time(async {
        let mut world = World::new(15, 5, DAY);
        for (child, off) in [(1, -BEGINNING), (2, 9 * YEAR), (3, -9 * YEAR), (4, 60 * YEAR)] {
            world.folders[child].off = off;
        }
        world.start_all();
        world.all_up_within(Duration::from_secs(60)).await;
        world.file_everywhere(Urgency::Red);
        world.all_delivered_within(Duration::from_secs(5)).await;
        // The parent wakes in 1970: its children stay, and come back.
        world.kill(TOP);
        world.folders[TOP].off = -BEGINNING;
        world.start(TOP);
        world.all_up_within(Duration::from_secs(120)).await;
    });
}
