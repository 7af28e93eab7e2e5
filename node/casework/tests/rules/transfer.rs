use casework::{Command, Letter, OfferState, Refusal, Reply, Role};
use protocol::event::{Act, Ending};
use protocol::order::Directive;
use protocol::transfer::Ground;
use protocol::unit::UnitCode;
use protocol::wire::kind::Body;

use crate::net::{CITY, COUNTY, GRID, Net, OTHER_TOWN, TOWN, VILLAGE, answers, text};

#[test]
fn a_submitted_case_moves_with_everything_in_it() {
    for red in [false, true] {
        let (mut net, case) = Net::reported(Ending::Submit, answers(red, 0));
        net.act(GRID, case, Command::File).unwrap();
        net.settle();
        net.accept(TOWN, case);
        let (old, new) = (net.case(GRID, case), net.case(TOWN, case));
        assert!(new.owned_by(net.id(TOWN)) && !old.owned_by(net.id(GRID)));
        assert_eq!(new.head.epoch.moves, 1);
        assert_eq!(new.report.as_ref().unwrap().parties.len(), 2, "names came with it");
        assert_eq!(net.act(GRID, case, Command::Archive).unwrap_err(), Refusal::NotOwner);
        let states: Vec<_> = [GRID, TOWN].map(|n| net.known(n, case).offers().next().unwrap().state.clone()).into();
        assert_eq!(states, [OfferState::Done, OfferState::Done]);
        let fact = net.known(TOWN, case).fact().unwrap().clone();
        assert_eq!(fact.key, net.known(GRID, case).key().unwrap().0, "a move moves no figure");
        assert_eq!(fact.registered_by, net.nodes[GRID].me.division);
        net.act(TOWN, case, Command::Assign { unit: UnitCode(2), note: text("") }).unwrap();
        net.settle();
        if red {
            net.agree(&[GRID, VILLAGE, TOWN, COUNTY, CITY], case);
        } else {
            assert!(net.known(VILLAGE, case).case().is_none() && net.known(COUNTY, case).case().is_none());
        }
    }
}

#[test]
fn there_and_back_again_and_sideways() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    net.accept(TOWN, case);
    for (from, to) in [(TOWN, GRID), (GRID, OTHER_TOWN), (OTHER_TOWN, TOWN)] {
        let id = net.id(to);
        net.act(from, case, Command::Offer { to: id }).unwrap();
        net.settle();
        net.accept(to, case);
        assert!(net.case(to, case).owned_by(id));
        assert!(net.case(to, case).report.is_some());
        net.agree(&[GRID, VILLAGE, TOWN, COUNTY, CITY], case);
    }
    assert_eq!(net.case(CITY, case).head.epoch.moves, 4);
    assert_eq!(net.known(TOWN, case).seals().count(), 4);
}

#[test]
fn declined_offered_declined_offered_accepted() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    let town = net.id(TOWN);
    for _ in 0..2 {
        let offer = net.waiting(TOWN, case);
        let proposed = Some(net.id(VILLAGE));
        let decline = |words| Command::DeclineOffer { offer, ground: Ground::SettleBelow, text: text(words), proposed };
        assert_eq!(net.act(TOWN, case, decline("电话13800138000")).unwrap_err(), Refusal::NamesInBrief);
        net.act(TOWN, case, decline("村里可以解决")).unwrap();
        assert_eq!(net.act(TOWN, case, Command::AcceptOffer { offer }).unwrap_err(), Refusal::NoOpenOffer);
        net.settle();
        let last = net.known(GRID, case).chain().last().unwrap().header.act.clone();
        assert_eq!(last, Act::OfferDeclined { offer, proposed });
        net.act(GRID, case, Command::Offer { to: town }).unwrap();
        assert_eq!(net.act(GRID, case, Command::Offer { to: town }).unwrap_err(), Refusal::OfferOpen);
        net.settle();
    }
    net.accept(TOWN, case);
    assert!(net.case(TOWN, case).owned_by(town));
}

#[test]
fn an_offer_that_ran_out_or_was_recalled_cannot_be_accepted() {
    // Recalled while the acceptance is on its way.
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    let offer = net.waiting(TOWN, case);
    net.act(TOWN, case, Command::AcceptOffer { offer }).unwrap();
    net.act(GRID, case, Command::Recall).unwrap();
    net.settle();
    assert!(net.case(GRID, case).owned_by(net.id(GRID)));
    assert_eq!(net.known(TOWN, case).offer(offer).unwrap().state, OfferState::Recalled);
    assert_eq!(net.act(GRID, case, Command::Recall).unwrap_err(), Refusal::NoOpenOffer);
    // Ran out.
    let town = net.id(TOWN);
    net.act(GRID, case, Command::Offer { to: town }).unwrap();
    net.settle();
    assert!(!net.wake(GRID, case), "not yet");
    let offer = net.waiting(TOWN, case);
    net.now += 4 * 86_400_000;
    assert_eq!(net.act(TOWN, case, Command::AcceptOffer { offer }).unwrap_err(), Refusal::NoOpenOffer);
    assert!(net.wake(GRID, case) && !net.wake(GRID, case));
    net.settle();
    assert_eq!(net.known(TOWN, case).offer(offer).unwrap().state, OfferState::Recalled);
    assert_eq!(net.known(GRID, case).offer(offer).unwrap().state, OfferState::Expired);
    assert_eq!(net.case(GRID, case).offered, None);
}

#[test]
fn every_message_twice_changes_nothing() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    let offer = net.waiting(TOWN, case);
    net.act(TOWN, case, Command::AcceptOffer { offer }).unwrap();
    let mut count = 0;
    while let Some(mail) = net.mail.pop_front() {
        net.deliver(mail.clone(), false).unwrap();
        let before = net.case(mail.at, case).head;
        net.deliver(mail.clone(), false).unwrap();
        assert_eq!(net.case(mail.at, case).head, before, "{:?}", mail.body.kind());
        count += 1;
        assert!(count < 1_000);
    }
    net.agree(&[GRID, VILLAGE, TOWN, COUNTY, CITY], case);
    assert_eq!(net.case(TOWN, case).head.number, 4);
}

#[test]
fn a_handover_that_was_tampered_with_is_refused() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    let offer = net.waiting(TOWN, case);
    net.act(TOWN, case, Command::AcceptOffer { offer }).unwrap();
    while let Some(mut mail) = net.mail.pop_front() {
        if let Body::Handover(handover) = &mut mail.body {
            let good = handover.clone();
            let mut headers = good.headers.clone().into_vec();
            headers[0].brief.head_count = 99;
            handover.headers = headers.try_into().unwrap();
            assert_eq!(net.deliver(mail.clone(), false).unwrap_err(), Refusal::Unproven);
            let Body::Handover(handover) = &mut mail.body else { unreachable!() };
            *handover = good.clone();
            handover.seals = Vec::new().try_into().unwrap();
            assert_eq!(net.deliver(mail.clone(), false).unwrap_err(), Refusal::Unproven);
            let Body::Handover(handover) = &mut mail.body else { unreachable!() };
            *handover = good;
        }
        net.deliver(mail, false).unwrap();
    }
    assert!(net.case(TOWN, case).owned_by(net.id(TOWN)));
}

#[test]
fn a_take_over_beats_the_lost_owner_and_saves_what_it_wrote() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    let reason = || text("节点损毁");
    assert_eq!(
        net.act_as(TOWN, case, Command::TakeOver { reason: reason() }, Role::Clerk).unwrap_err(),
        Refusal::RoleMissing
    );
    assert_eq!(net.act(OTHER_TOWN, case, Command::TakeOver { reason: reason() }).unwrap_err(), Refusal::UnknownCase);
    net.act(TOWN, case, Command::TakeOver { reason: reason() }).unwrap();
    // The owner was only cut off, and went on.
    for command in [
        Command::File,
        Command::Assign { unit: UnitCode(2), note: text("请上门") },
        Command::Progress { note: text("已见面") },
    ] {
        net.act(GRID, case, command).unwrap();
    }
    net.settle();
    net.agree(&[GRID, VILLAGE, TOWN, COUNTY, CITY], case);
    let town = net.case(TOWN, case);
    assert!(town.owned_by(net.id(TOWN)));
    assert_eq!(town.head.epoch.takeovers, 1);
    assert_eq!(net.act(GRID, case, Command::File).unwrap_err(), Refusal::NotOwner);
    let known = net.known(TOWN, case);
    let notes: Vec<String> = known
        .history()
        .filter(|e| matches!(e.header.act, Act::Contributed { .. }))
        .map(|e| format!("{:?}", e.private))
        .collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("请上门") && notes[1].contains("已见面"));
}

#[test]
fn private_parts_leave_only_sealed() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    net.accept(TOWN, case);
    for (_, outgoing) in &net.sent {
        match &outgoing.letter {
            Letter::Plain(body) => assert!(!format!("{body:?}").contains("李四")),
            Letter::Handover(letter) => assert_eq!((outgoing.to, letter.private.len()), (net.id(TOWN), 3)),
            _ => {}
        }
    }
}

#[test]
fn whom_a_lost_owner_had_released_the_case_to_learns_of_the_take_over() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    let (town, other) = (net.id(TOWN), net.id(OTHER_TOWN));
    net.act(GRID, case, Command::Offer { to: other }).unwrap();
    net.settle();
    let offer = net.waiting(OTHER_TOWN, case);
    // The grid hears of the acceptance first and releases the case; the take-over reaches it after that.
    net.act(OTHER_TOWN, case, Command::AcceptOffer { offer }).unwrap();
    net.act(TOWN, case, Command::TakeOver { reason: text("失联") }).unwrap();
    net.act(GRID, case, Command::File).unwrap();
    net.act(GRID, case, Command::Assign { unit: UnitCode(2), note: text("请上门") }).unwrap();
    net.settle();
    assert!(net.case(TOWN, case).owned_by(town));
    assert!(net.known(GRID, case).aside().any(|(header, _)| matches!(header.act, Act::Released { .. })));
    assert!(net.case(OTHER_TOWN, case).owned_by(town), "two owners");
    let saved = net.known(TOWN, case).history().any(|event| format!("{:?}", event.private).contains("请上门"));
    assert!(saved, "what it wrote is gone");
}

#[test]
fn an_answer_of_an_owner_that_a_take_over_had_not_reached_changes_nothing_and_is_no_forgery() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    net.act(CITY, case, Command::IssueDirective { form: Directive::Remind, text: text("请办"), term_days: None })
        .unwrap();
    net.settle();
    let order = net.known(GRID, case).orders().next().unwrap().order.id;
    net.act(TOWN, case, Command::TakeOver { reason: text("失联") }).unwrap();
    let reply = Reply::Text { text: text("已办") };
    net.act(GRID, case, Command::AnswerOrder { order, reply }).unwrap();
    net.settle();
    let asked = net.known(CITY, case).order(order).cloned().unwrap();
    assert!(asked.open(), "the new owner is still asked");
    assert_eq!(asked.to, net.id(TOWN));
    assert!(
        net.known(TOWN, case).contributions().any(|file| file.from == net.id(GRID)),
        "what was answered is not lost"
    );
}
