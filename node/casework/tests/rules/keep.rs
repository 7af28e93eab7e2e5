//! Names that go by themselves once the day has passed up to which a node may hold them.

use casework::{Command, Reply};
use protocol::event::Ending;
use protocol::id::CaseId;
use protocol::time::{CivilDay, UnixMillis};

use crate::net::{CITY, COUNTY, GRID, Net, TOWN, answers, text};

const DAY: i64 = 86_400_000;

fn held(net: &Net, node: usize, case: CaseId) -> usize {
    net.known(node, case).privates().count()
}

fn sleep(net: &mut Net, days: i64, case: CaseId) {
    net.now += days * DAY;
    for node in [CITY, COUNTY, TOWN, GRID] {
        net.wake(node, case);
    }
    net.settle();
}

fn grant(net: &mut Net, case: CaseId, days: i32) {
    let until = CivilDay::of(UnixMillis(net.now)).plus(days);
    net.act(COUNTY, case, Command::IssueView { until, text: text("调阅") }).unwrap();
    net.settle();
    let order = net.known(TOWN, case).orders().find(|file| file.open()).unwrap().order.id;
    net.act(TOWN, case, Command::AnswerOrder { order, reply: Reply::Grant }).unwrap();
    net.settle();
}

#[test]
fn a_former_owner_keeps_names_for_the_days_of_the_policy() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    net.accept(TOWN, case);
    let (names, head) = (held(&net, TOWN, case), net.case(GRID, case).head);
    let days = i64::from(net.holds.policy.keep_days);
    sleep(&mut net, days, case);
    assert!(held(&net, GRID, case) > 0, "the last day is one of them");
    sleep(&mut net, 1, case);
    assert_eq!((held(&net, GRID, case), held(&net, TOWN, case)), (0, names));
    assert_eq!(net.case(GRID, case).head, head, "the chain is whole");
    assert_eq!(net.case(GRID, case).report, None);
    assert!(!net.wake(GRID, case), "there is nothing more to do");
}

#[test]
fn a_granted_view_goes_after_its_day_and_comes_again_when_granted_again() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    net.accept(TOWN, case);
    grant(&mut net, case, 3);
    let viewed = held(&net, COUNTY, case);
    assert!(viewed > 0);
    sleep(&mut net, 3, case);
    assert_eq!(held(&net, COUNTY, case), viewed, "to the end of its day");
    sleep(&mut net, 1, case);
    assert_eq!(held(&net, COUNTY, case), 0);
    grant(&mut net, case, 3);
    assert!(held(&net, COUNTY, case) >= viewed, "all of it again");
    sleep(&mut net, 4, case);
    assert_eq!(held(&net, COUNTY, case), 0);
}

#[test]
fn names_that_are_nowhere_else_yet_stay() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    let offer = net.waiting(TOWN, case);
    net.act(TOWN, case, Command::AcceptOffer { offer }).unwrap();
    for accepted in std::mem::take(&mut net.mail) {
        net.deliver(accepted, false).unwrap();
    }
    let handover = std::mem::take(&mut net.mail);
    assert!(!net.case(GRID, case).owned_by(net.id(GRID)), "it has let go");
    net.now += 100 * DAY;
    assert!(!net.wake(GRID, case));
    assert!(held(&net, GRID, case) > 0);
    net.mail = handover;
    net.settle();
    assert!(net.wake(GRID, case), "once it has arrived, the day has passed");
    assert_eq!(held(&net, GRID, case), 0);
    assert!(held(&net, TOWN, case) > 0);
}

#[test]
fn a_case_that_comes_back_brings_its_names_again() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    net.accept(TOWN, case);
    sleep(&mut net, 31, case);
    assert_eq!(held(&net, GRID, case), 0);
    let to = net.id(GRID);
    net.act(TOWN, case, Command::Offer { to }).unwrap();
    net.settle();
    net.accept(GRID, case);
    assert!(net.case(GRID, case).report.is_some());
    sleep(&mut net, 100, case);
    assert!(net.case(GRID, case).report.is_some(), "an owner's stay");
    assert_eq!(held(&net, TOWN, case), 0, "and the other former owner's went");
}

#[test]
fn names_follow_a_take_over_before_they_go_from_the_lost_owner() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    net.act(TOWN, case, Command::TakeOver { reason: text("失联") }).unwrap();
    assert_eq!(net.case(TOWN, case).report, None, "a take-over gives headers alone");
    net.now += 100 * DAY;
    net.settle();
    assert!(net.case(TOWN, case).report.is_some(), "the lost owner came back");
    sleep(&mut net, 0, case);
    assert_eq!(held(&net, GRID, case), 0, "the days of the policy have passed");
    assert!(net.case(TOWN, case).report.is_some());
}
