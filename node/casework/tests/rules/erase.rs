//! Erasing what is private of a closed case: at the owner, wherever it went, and after a restore.

use casework::{Command, Refusal, Reply, Role};
use protocol::event::Ending;
use protocol::time::CivilDay;
use protocol::wire::kind::Body;

use crate::net::{CITY, COUNTY, GRID, Net, OTHER_TOWN, TOWN, VILLAGE, answers, text};

fn void() -> Command {
    Command::Void { reason: text("录入错误,张三") }
}

/// A red case that the grid gave to the township, where it was closed; the county has a copy.
fn moved_viewed_and_closed() -> (Net, protocol::id::CaseId) {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    net.accept(TOWN, case);
    let until = CivilDay::from_number(30_000).unwrap();
    net.act(COUNTY, case, Command::IssueView { until, text: text("调阅") }).unwrap();
    net.settle();
    let order = net.known(TOWN, case).orders().next().unwrap().order.id;
    net.act(TOWN, case, Command::AnswerOrder { order, reply: Reply::Grant }).unwrap();
    net.settle();
    net.act(TOWN, case, void()).unwrap();
    net.settle();
    (net, case)
}

fn held(net: &Net, node: usize, case: protocol::id::CaseId) -> usize {
    net.known(node, case).privates().count()
}

#[test]
fn erasing_reaches_everybody_who_held_more_than_a_brief_and_leaves_the_chain() {
    let (mut net, case) = moved_viewed_and_closed();
    for node in [GRID, TOWN, COUNTY] {
        assert!(held(&net, node, case) > 0, "node {node} holds names");
    }
    let before = net.case(TOWN, case).head;
    net.act(TOWN, case, Command::Erase).unwrap();
    net.settle();
    for node in [GRID, VILLAGE, TOWN, COUNTY, CITY] {
        assert_eq!(held(&net, node, case), 0, "node {node}");
        assert_eq!(net.case(node, case).head, before, "the chain of node {node} is whole");
        assert!(net.case(node, case).report.is_none());
    }
    assert_eq!(net.known(COUNTY, case).erasures().count(), 1, "the parent keeps what was erased");
    assert_eq!(net.act(TOWN, case, Command::Erase).unwrap_err(), Refusal::NothingChanges);
}

#[test]
fn erasing_reaches_former_owners_of_a_case_that_nobody_follows() {
    for further in [false, true] {
        let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
        net.accept(TOWN, case);
        let mut owner = TOWN;
        if further {
            net.act(TOWN, case, Command::Offer { to: net.id(COUNTY) }).unwrap();
            net.settle();
            net.accept(COUNTY, case);
            owner = COUNTY;
        }
        net.act(owner, case, void()).unwrap();
        net.settle();
        assert!(held(&net, GRID, case) > 0, "it may hold names for some days");
        net.act(owner, case, Command::Erase).unwrap();
        net.settle();
        for node in [GRID, TOWN, COUNTY] {
            assert_eq!(held(&net, node, case), 0, "node {node}, moved on: {further}");
        }
    }
}

#[test]
fn a_stranger_erases_nothing_of_a_case_that_nobody_follows() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    net.accept(TOWN, case);
    net.act(TOWN, case, void()).unwrap();
    let rows = net.nodes[GRID].rows.clone();
    net.act(TOWN, case, Command::Erase).unwrap();
    net.settle();
    let erase = net.known(TOWN, case).erasures().next().cloned().unwrap();
    net.nodes[GRID].rows = rows;
    let mail = net.mail_from(OTHER_TOWN, GRID, Body::Erase(erase));
    net.deliver(mail, false).unwrap();
    assert!(held(&net, GRID, case) > 0);
}

#[test]
fn only_the_owner_erases_and_only_what_is_closed() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    assert_eq!(net.act(GRID, case, Command::Erase).unwrap_err(), Refusal::WrongStep);
    net.act(GRID, case, void()).unwrap();
    net.settle();
    assert_eq!(net.act(CITY, case, Command::Erase).unwrap_err(), Refusal::NotOwner);
    assert_eq!(net.act_as(GRID, case, Command::Erase, Role::Clerk).unwrap_err(), Refusal::RoleMissing);
    net.act(GRID, case, Command::Erase).unwrap();
}

#[test]
fn a_restored_node_does_not_take_back_what_was_erased() {
    for mine_first in [true, false] {
        let (mut net, case) = moved_viewed_and_closed();
        let rows = net.nodes[GRID].rows.clone();
        let as_of = net.sent.len();
        net.act(TOWN, case, Command::Erase).unwrap();
        net.settle();
        net.restore(rows, as_of);
        assert!(held(&net, GRID, case) > 0, "the backup has the names");
        net.reconcile(mine_first);
        net.settle();
        assert_eq!(held(&net, GRID, case), 0, "given back {mine_first}");
    }
}

#[test]
fn the_parent_gives_an_erasure_back_that_only_it_remembers() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    net.act(GRID, case, void()).unwrap();
    let rows = net.nodes[GRID].rows.clone();
    net.act(GRID, case, Command::Erase).unwrap();
    net.settle();
    let erase = net.known(VILLAGE, case).erasures().next().cloned().expect("kept, though the case is not known there");
    net.nodes[GRID].rows = rows;
    let mail = net.mail_from(VILLAGE, GRID, Body::Erase(erase));
    net.deliver(mail, false).unwrap();
    assert_eq!(held(&net, GRID, case), 0);
}

#[test]
fn nobody_but_an_owner_orders_an_erasure() {
    let (mut net, case) = moved_viewed_and_closed();
    net.act(TOWN, case, Command::Erase).unwrap();
    let erase = net.known(TOWN, case).erasures().next().cloned().unwrap();
    let (mut other, same) = moved_viewed_and_closed();
    assert_eq!(case, same);
    let mail = other.mail_from(OTHER_TOWN, GRID, Body::Erase(erase));
    assert_eq!(other.deliver(mail, false).unwrap_err(), Refusal::WrongOrigin);
    assert!(held(&other, GRID, case) > 0);
}
