use casework::{Command, Notice, Refusal, Reply, Role};
use protocol::event::{Act, Ending};
use protocol::grading::{Answers, Rule};
use protocol::warning::Warning;
use protocol::wire::bundle::Urgency;
use protocol::wire::kind::Body;

use crate::net::{CITY, COUNTY, GRID, Net, TOWN, VILLAGE, answers, intake, text};

#[test]
fn a_red_report_is_mirrored_up_to_the_ceiling_in_one_decision() {
    let (net, case) = Net::reported(Ending::Submit, answers(true, 0));
    net.agree(&[GRID, VILLAGE, TOWN, COUNTY, CITY], case);
    let city = net.case(CITY, case);
    assert_eq!((city.level(), city.brief.grading.fired), (Some(Warning::Red), Rule::Violence));
    assert!(city.report.is_none(), "names stay below");
    assert_eq!(net.case(GRID, case).brief.ceiling, Some(net.id(CITY)));
    let receipts = net
        .known(GRID, case)
        .receipts()
        .filter(|r| matches!(r.subject, protocol::receipt::Subject::Case { .. }))
        .count();
    assert_eq!(receipts, 4, "each level tells the owner");
    assert!(net.sent.iter().any(|(_, o)| o.urgency == Urgency::Red));
    for (_, outgoing) in &net.sent {
        if let casework::Letter::Plain(body) = &outgoing.letter {
            assert!(!format!("{body:?}").contains("张三"), "no name leaves");
        }
    }
}

#[test]
fn raising_works_at_once_and_sends_all_headers() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    net.act(GRID, case, Command::File).unwrap();
    net.settle();
    assert!(net.known(CITY, case).case().is_none());
    let raise = Command::Regrade { answers: answers(false, 1), level: Some(Warning::Orange), reason: text("") };
    net.act_as(GRID, case, raise, Role::GridWorker).unwrap();
    net.settle();
    net.agree(&[GRID, VILLAGE, TOWN, COUNTY, CITY], case);
    assert_eq!(net.case(CITY, case).head.number, 3);
    let last = net.known(CITY, case).chain().last().unwrap().header.act.clone();
    assert_eq!(last, Act::Raised { from: Some(Warning::Yellow) });
}

#[test]
fn a_case_that_rises_after_it_moved_brings_its_history() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    net.accept(TOWN, case);
    assert!(net.known(COUNTY, case).case().is_none());
    let raise = Command::Regrade { answers: answers(true, 0), level: Some(Warning::Red), reason: text("") };
    net.act(TOWN, case, raise).unwrap();
    net.settle();
    net.agree(&[GRID, VILLAGE, TOWN, COUNTY, CITY], case);
    assert!(net.sent.iter().any(|(_, o)| matches!(&o.letter, casework::Letter::Plain(Body::History(_)))));
}

#[test]
fn a_case_goes_up_by_itself_to_a_city_that_its_county_comes_below() {
    let mut net = Net::new();
    for node in [COUNTY, TOWN, VILLAGE, GRID] {
        net.nodes[node].line.pop();
    }
    let intake = intake(7, Ending::SettleHere, answers(true, 0));
    let case = intake.case;
    net.open(GRID, intake).unwrap();
    net.settle();
    net.agree(&[GRID, VILLAGE, TOWN, COUNTY], case);
    assert_eq!(net.case(GRID, case).brief.ceiling, Some(net.id(COUNTY)));
    for node in [COUNTY, TOWN, VILLAGE, GRID] {
        let city = Net::new().nodes[node].line.last().copied().unwrap();
        net.nodes[node].line.push(city);
        net.wake(node, case);
    }
    net.settle();
    net.agree(&[GRID, VILLAGE, TOWN, COUNTY, CITY], case);
    assert_eq!(net.case(CITY, case).brief.ceiling, Some(net.id(CITY)));
    let number = net.case(GRID, case).head.number;
    net.wake(GRID, case);
    assert_eq!(net.case(GRID, case).head.number, number, "it is there: nothing more is written");
}

fn cancel() -> Command {
    Command::Regrade { answers: Answers::default(), level: None, reason: text("已平息") }
}

#[test]
fn the_higher_level_stands_until_the_approval() {
    for yes in [true, false] {
        let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
        net.act_as(GRID, case, cancel(), Role::GridWorker).unwrap();
        assert_eq!(net.act(GRID, case, cancel()).unwrap_err(), Refusal::ApprovalPending);
        net.settle();
        assert_eq!(net.case(GRID, case).level(), Some(Warning::Red), "it stands");
        let order = net.known(COUNTY, case).orders().next().unwrap().order.id;
        let reply = if yes { Reply::Yes { text: text("同意") } } else { Reply::No { text: text("再观察") } };
        let answer = Command::AnswerOrder { order, reply };
        assert_eq!(net.act_as(COUNTY, case, answer.clone(), Role::Clerk).unwrap_err(), Refusal::RoleMissing);
        net.act(COUNTY, case, answer.clone()).unwrap();
        assert_eq!(net.act(COUNTY, case, answer).unwrap_err(), Refusal::NoOpenOrder);
        net.settle();
        let after = net.case(CITY, case);
        assert_eq!(after.level(), if yes { None } else { Some(Warning::Red) });
        assert_eq!(after.approval, None);
        assert!(after.escalated(), "followed to its archive");
        net.agree(&[GRID, COUNTY, CITY], case);
        let act = &net.known(CITY, case).chain().last().unwrap().header.act.clone();
        match yes {
            true => assert_eq!(*act, Act::Cancelled { from: Some(Warning::Red), approval: Some(order) }),
            false => assert_eq!(*act, Act::ApprovalRefused { order }),
        }
    }
}

#[test]
fn orange_is_approved_at_the_city_and_yellow_at_home() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 1));
    let lower = Command::Regrade { answers: Answers::default(), level: Some(Warning::Yellow), reason: text("散了") };
    net.act(GRID, case, lower).unwrap();
    net.settle();
    assert_eq!(net.known(COUNTY, case).orders().count(), 0);
    let order = net.known(CITY, case).orders().next().unwrap().order.id;
    net.act(CITY, case, Command::AnswerOrder { order, reply: Reply::Yes { text: text("") } }).unwrap();
    net.settle();
    assert_eq!(net.case(GRID, case).level(), Some(Warning::Yellow));
    assert_eq!(net.act_as(GRID, case, cancel(), Role::GridWorker).unwrap_err(), Refusal::RoleMissing);
    net.act(GRID, case, cancel()).unwrap();
    net.settle();
    assert_eq!(net.case(CITY, case).level(), None);
    assert_eq!(net.act(GRID, case, cancel()).unwrap_err(), Refusal::NothingChanges);
}

#[test]
fn raising_takes_a_pending_approval_back_and_a_late_yes_changes_nothing() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    net.act(GRID, case, cancel()).unwrap();
    net.settle();
    let order = net.known(COUNTY, case).orders().next().unwrap().order.id;
    net.act(COUNTY, case, Command::AnswerOrder { order, reply: Reply::Yes { text: text("") } }).unwrap();
    // The answer is still on its way when new facts come in.
    let raise = Command::Regrade { answers: answers(true, 1), level: Some(Warning::Orange), reason: text("") };
    net.act(GRID, case, raise).unwrap();
    net.settle();
    assert_eq!(net.case(CITY, case).level(), Some(Warning::Orange));
    assert!(!net.notes.iter().any(|(_, note)| matches!(note, Notice::NotTheOwner { .. })));
}

#[test]
fn the_reason_for_an_approval_names_nobody() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    let named = Command::Regrade { answers: Answers::default(), level: None, reason: text("李四已离开") };
    assert_eq!(net.act(GRID, case, named).unwrap_err(), Refusal::NamesInBrief);
}
