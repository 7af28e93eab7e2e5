use casework::{Command, Notice, Reply};
use protocol::event::{Act, Ending, Header};
use protocol::id::CaseId;
use protocol::unit::UnitCode;
use protocol::warning::Warning;
use protocol::wire::kind::Body;

use crate::net::{CITY, COUNTY, GRID, Mail, Net, Rows, TOWN, VILLAGE, answers, text};

/// What the village would give back of the grid's own headers, in their order or backwards.
fn give_back(net: &mut Net, case: CaseId, backwards: bool) {
    let owner = net.id(GRID);
    let mut headers: Vec<_> = net
        .known(VILLAGE, case)
        .chain()
        .iter()
        .filter(|l| l.writer == owner)
        .map(|l| l.header.as_ref().clone())
        .collect();
    if backwards {
        headers.reverse();
    }
    for header in headers {
        let body = Body::Header(Header::clone(&header));
        net.deliver(Mail { origin: GRID, at: GRID, opened: false, serial: 0, body }, true).unwrap();
    }
}

#[test]
fn an_own_branch_is_written_again_behind_what_was_given_back() {
    for backwards in [false, true] {
        let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
        net.act(GRID, case, Command::File).unwrap();
        net.settle();
        let backup: Rows = net.nodes[GRID].rows.clone();
        net.act(GRID, case, Command::Assign { unit: UnitCode(2), note: text("一") }).unwrap();
        net.act(GRID, case, Command::Progress { note: text("二") }).unwrap();
        net.settle();
        net.nodes[GRID].rows = backup;
        // After the restore, before the parent is reached, the grid goes on by itself.
        net.act(GRID, case, Command::Assign { unit: UnitCode(3), note: text("三") }).unwrap();
        let own = net.known(GRID, case).chain().last().unwrap().header.id;
        net.mail.clear();
        give_back(&mut net, case, backwards);
        net.settle();
        net.agree(&[GRID, VILLAGE, TOWN, COUNTY, CITY], case);
        let known = net.known(GRID, case);
        let last = known.chain().last().unwrap();
        assert_eq!(last.header.id, own, "the same event");
        assert_eq!(last.header.number, 5);
        let private = known.history().last().unwrap().private.unwrap();
        assert!(format!("{private:?}").contains('三'), "with what was said");
        assert!(matches!(last.header.act, Act::Contributed { .. }), "no longer fits: the case is in progress already");
        assert!(net.notes.iter().any(|(n, note)| *n == GRID && matches!(note, Notice::MintedAgain { .. })));
        net.act(GRID, case, Command::Progress { note: text("四") }).unwrap();
        net.settle();
        net.agree(&[GRID, CITY], case);
    }
}

#[test]
fn who_saw_only_the_branch_that_was_left_gets_the_way_to_the_one_that_stands() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    net.act(GRID, case, Command::File).unwrap();
    net.settle();
    let (backup, city): (Rows, Rows) = (net.nodes[GRID].rows.clone(), net.nodes[CITY].rows.clone());
    net.act(GRID, case, Command::Assign { unit: UnitCode(2), note: text("一") }).unwrap();
    net.act(GRID, case, Command::Progress { note: text("二") }).unwrap();
    net.settle();
    // The grid ran twice, and what this copy wrote never reached the city.
    net.nodes[CITY].rows = city;
    net.nodes[GRID].rows = backup;
    net.act(GRID, case, Command::Assign { unit: UnitCode(3), note: text("三") }).unwrap();
    net.settle();
    give_back(&mut net, case, false);
    net.settle();
    net.agree(&[GRID, VILLAGE, TOWN, COUNTY, CITY], case);
}

#[test]
fn what_fits_is_written_again_as_it_was() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    for command in [Command::File, Command::Assign { unit: UnitCode(2), note: text("") }] {
        net.act(GRID, case, command).unwrap();
    }
    net.settle();
    let backup: Rows = net.nodes[GRID].rows.clone();
    net.act(GRID, case, Command::Progress { note: text("一") }).unwrap();
    net.settle();
    net.nodes[GRID].rows = backup;
    net.act(GRID, case, Command::Progress { note: text("二") }).unwrap();
    net.settle();
    give_back(&mut net, case, false);
    // The village may have chosen either branch by then; give back the lost header too.
    let owner = net.id(GRID);
    let aside: Vec<_> = net.known(VILLAGE, case).aside().filter(|(_, o)| *o == owner).map(|(h, _)| h.clone()).collect();
    for header in aside {
        let body = Body::Header(header);
        net.deliver(Mail { origin: GRID, at: GRID, opened: false, serial: 0, body }, true).unwrap();
    }
    net.settle();
    net.agree(&[GRID, VILLAGE, TOWN, COUNTY, CITY], case);
    let acts: Vec<Act> = net.known(CITY, case).chain().iter().map(|l| l.header.act.clone()).collect();
    assert_eq!(acts.iter().filter(|act| **act == Act::Progressed).count(), 2, "both notes are there: {acts:?}");
}

#[test]
fn an_empty_node_learns_that_its_case_has_left() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    let backup: Rows = net.nodes[GRID].rows.clone();
    net.accept(TOWN, case);
    net.nodes[GRID].rows = backup;
    give_back(&mut net, case, false);
    net.settle();
    assert!(!net.case(GRID, case).owned_by(net.id(GRID)));
    assert_eq!(net.act(GRID, case, Command::File).unwrap_err(), casework::Refusal::NotOwner);
    net.act(TOWN, case, Command::File).unwrap();
    net.settle();
    net.agree(&[VILLAGE, TOWN, COUNTY, CITY], case);
}

#[test]
fn an_approval_asked_before_the_restore_is_still_answered_by_who_was_asked() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    net.settle();
    let backup: Rows = net.nodes[GRID].rows.clone();
    let lower =
        Command::Regrade { answers: answers(false, 0), level: Some(Warning::Yellow), reason: text("已平息") };
    net.act(GRID, case, lower).unwrap();
    net.settle();
    let asked = net.known(COUNTY, case).orders().next().unwrap().order.clone();
    net.nodes[GRID].rows = backup;
    let order = Mail { origin: GRID, at: GRID, opened: false, serial: 0, body: Body::Order(asked.clone()) };
    net.deliver(order, true).unwrap();
    give_back(&mut net, case, false);
    assert_eq!(net.known(GRID, case).order(asked.id).unwrap().to, net.id(COUNTY));
    net.act(COUNTY, case, Command::AnswerOrder { order: asked.id, reply: Reply::Yes { text: text("同意") } }).unwrap();
    net.settle();
    assert_eq!(net.case(GRID, case).level(), Some(Warning::Yellow));
    net.agree(&[GRID, COUNTY, CITY], case);
}

#[test]
fn a_tenure_that_a_restored_owner_ended_twice_still_proves_what_follows_it() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    let before = net.nodes[GRID].rows.clone();
    net.accept(TOWN, case);
    // The grid comes back as it was before it gave the case away, and the acceptance reaches it once more.
    net.nodes[GRID].rows = before;
    let again = net.kept.iter().find(|mail| matches!(mail.body, Body::Accept(_))).cloned().unwrap();
    net.deliver(again, false).unwrap();
    net.settle();
    let raise = Command::Regrade { answers: answers(true, 0), level: Some(Warning::Red), reason: text("") };
    net.act(TOWN, case, raise).unwrap();
    net.settle();
    net.agree(&[GRID, VILLAGE, TOWN, COUNTY, CITY], case);
}

#[test]
fn a_take_over_that_is_given_back_to_a_restored_node_goes_to_the_owner_before_as_well() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    let (town, backup): (_, Rows) = (net.id(TOWN), net.nodes[TOWN].rows.clone());
    net.act(TOWN, case, Command::TakeOver { reason: text("失联") }).unwrap();
    // The disk is lost when the county has it and nobody below.
    let (owner, mail) = (net.id(GRID), std::mem::take(&mut net.mail));
    assert!(mail.iter().any(|mail| mail.at == VILLAGE || mail.at == GRID), "there was something for the owner before");
    for mail in mail.into_iter().filter(|mail| [COUNTY, CITY].contains(&mail.at)) {
        net.deliver(mail, false).unwrap();
    }
    net.nodes[TOWN].rows = backup;
    net.settle();
    assert!(net.case(GRID, case).owned_by(owner), "it has not heard of it");
    let taken = net.known(COUNTY, case).chain().last().unwrap().header.as_ref().clone();
    let back = Mail { origin: TOWN, at: TOWN, opened: false, serial: 0, body: Body::Header(taken) };
    net.deliver(back, true).unwrap();
    net.settle();
    assert!(net.case(TOWN, case).owned_by(town));
    net.agree(&[GRID, VILLAGE, TOWN, COUNTY, CITY], case);
}

#[test]
fn what_went_before_a_rise_that_is_given_back_goes_again_with_it_to_who_followed_nothing_yet() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    net.accept(TOWN, case);
    let backup: Rows = net.nodes[TOWN].rows.clone();
    let raise = Command::Regrade { answers: answers(true, 0), level: Some(Warning::Red), reason: text("") };
    net.act(TOWN, case, raise).unwrap();
    // The disk is lost when those above have it and the former owner has not.
    let mail = std::mem::take(&mut net.mail);
    for mail in mail.into_iter().filter(|mail| [COUNTY, CITY].contains(&mail.at)) {
        net.deliver(mail, false).unwrap();
    }
    net.nodes[TOWN].rows = backup;
    net.settle();
    let risen = net.known(CITY, case).chain().last().unwrap().header.as_ref().clone();
    assert!(matches!(risen.act, Act::Raised { .. }));
    let back = Mail { origin: TOWN, at: TOWN, opened: false, serial: 0, body: Body::Header(risen) };
    net.deliver(back, true).unwrap();
    net.settle();
    net.agree(&[GRID, VILLAGE, TOWN, COUNTY, CITY], case);
}
