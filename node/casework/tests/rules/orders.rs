use casework::{AnswerKind, Command, FollowerClass, Notice, Refusal, Reply, Role, evolve};
use protocol::bounded::List;
use protocol::event::{Act, CaseEvent, Content, Ending, Outcome};
use protocol::id::{CaseId, OrderId};
use protocol::order::Directive;
use protocol::receipt::{Progress, Subject};
use protocol::time::{CivilDay, UnixMillis};
use protocol::unit::UnitCode;

use crate::net::{CITY, COUNTY, GRID, Net, OTHER_TOWN, TOWN, answers, police, text};

fn directive(words: &str) -> Command {
    Command::IssueDirective { form: Directive::Supervise, text: text(words), term_days: Some(2) }
}

fn only_order(net: &Net, node: usize, case: CaseId) -> OrderId {
    net.known(node, case).orders().next().unwrap().order.id
}

fn progress(net: &Net, node: usize, case: CaseId) -> Vec<Progress> {
    let known = net.known(node, case);
    let mut all: Vec<_> =
        known.receipts().filter(|r| matches!(r.subject, Subject::Order { .. })).map(|r| r.progress).collect();
    all.sort();
    all
}

#[test]
fn a_directive_is_delivered_read_and_answered() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    assert_eq!(net.act_as(CITY, case, directive("请报告"), Role::Clerk).unwrap_err(), Refusal::RoleMissing);
    assert_eq!(net.act(GRID, case, directive("请报告")).unwrap_err(), Refusal::OwnCase);
    net.act(CITY, case, directive("请两日内报告")).unwrap();
    net.settle();
    let order = only_order(&net, GRID, case);
    net.act(GRID, case, Command::MarkRead { order }).unwrap();
    let named = Command::AnswerOrder { order, reply: Reply::Text { text: text("已找张三谈话") } };
    assert_eq!(net.act(GRID, case, named).unwrap_err(), Refusal::NamesInBrief);
    let wrong = Command::AnswerOrder { order, reply: Reply::Grant };
    assert_eq!(net.act(GRID, case, wrong).unwrap_err(), Refusal::WrongAnswer);
    net.act(GRID, case, Command::AnswerOrder { order, reply: Reply::Text { text: text("已到现场") } }).unwrap();
    net.settle();
    assert_eq!(progress(&net, CITY, case), [Progress::Delivered, Progress::Read, Progress::Done]);
    let answered = net.known(CITY, case).order(order).unwrap().answered.clone().unwrap();
    assert_eq!(answered.kind, AnswerKind::Reply { text: text("已到现场") });
    let acts: Vec<Act> = net.known(COUNTY, case).chain().iter().map(|l| l.header.act.clone()).collect();
    assert!(acts.contains(&Act::OrderReceived { order }) && acts.contains(&Act::OrderAnswered { order }));
    assert_eq!(net.act(GRID, case, Command::MarkRead { order }).unwrap_err(), Refusal::NoOpenOrder);
}

#[test]
fn an_order_follows_its_case_to_the_new_owner() {
    for late in [false, true] {
        let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
        if late {
            // Issued to the old owner after the release, before the city has heard of it.
            let offer = net.waiting(TOWN, case);
            net.act(TOWN, case, Command::AcceptOffer { offer }).unwrap();
            let accept = net.mail.pop_back().unwrap();
            net.mail.clear();
            net.deliver(accept, false).unwrap();
            net.act(CITY, case, directive("请报告")).unwrap();
            net.settle();
        } else {
            net.act(CITY, case, directive("请报告")).unwrap();
            net.settle();
            net.accept(TOWN, case);
        }
        let order = only_order(&net, TOWN, case);
        assert_eq!(net.act(GRID, case, Command::MarkRead { order }).unwrap_err(), Refusal::NoOpenOrder);
        net.act(TOWN, case, Command::AnswerOrder { order, reply: Reply::Text { text: text("已接手") } }).unwrap();
        net.settle();
        assert_eq!(net.known(CITY, case).order(order).unwrap().answered.clone().unwrap().by, net.id(TOWN));
        let received =
            net.known(CITY, case).chain().iter().filter(|l| l.header.act == Act::OrderReceived { order }).count();
        assert_eq!(received, 1);
        net.agree(&[GRID, TOWN, COUNTY, CITY], case);
    }
}

#[test]
fn an_order_follows_its_case_sixteen_times_and_no_further() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    net.act(CITY, case, directive("请报告")).unwrap();
    net.settle();
    net.accept(TOWN, case);
    let order = only_order(&net, TOWN, case);
    let hops = |net: &Net| net.known(CITY, case).order(order).unwrap().hops;
    for moves in 2..=17_u8 {
        assert_eq!(hops(&net), moves - 1);
        let (from, to) = if moves % 2 == 0 { (TOWN, OTHER_TOWN) } else { (OTHER_TOWN, TOWN) };
        net.act(from, case, Command::Offer { to: net.id(to) }).unwrap();
        net.settle();
        net.accept(to, case);
    }
    assert_eq!(hops(&net), 16);
    let file = net.known(CITY, case).order(order).unwrap().clone();
    assert_eq!((file.to, file.open()), (net.id(OTHER_TOWN), true));
    assert!(net.notes.contains(&(CITY, Notice::OrderUnknown { by: net.id(OTHER_TOWN) })));
}

#[test]
fn a_view_opens_names_to_its_issuer_alone() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    let today = CivilDay::of(UnixMillis(net.now));
    let view = |until| Command::IssueView { until, text: text("核查") };
    assert_eq!(net.act(CITY, case, view(today.plus(-1))).unwrap_err(), Refusal::DayPassed);
    net.act(CITY, case, view(today.plus(7))).unwrap();
    net.settle();
    let order = only_order(&net, GRID, case);
    let grant = Command::AnswerOrder { order, reply: Reply::Grant };
    assert_eq!(net.act_as(GRID, case, grant.clone(), Role::GridWorker).unwrap_err(), Refusal::RoleMissing);
    net.act(GRID, case, grant).unwrap();
    net.settle();
    assert_eq!(net.case(CITY, case).report.unwrap().parties.len(), 2);
    assert!(net.case(COUNTY, case).report.is_none());
    let city = net.id(CITY);
    assert!(net.known(GRID, case).followers().any(|f| f.node == city && f.class == FollowerClass::Full));
}

#[test]
fn a_withdrawn_order_waits_no_more() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    net.act(CITY, case, directive("请报告")).unwrap();
    net.settle();
    let order = only_order(&net, CITY, case);
    net.act(CITY, case, Command::WithdrawOrder { order }).unwrap();
    net.settle();
    let answer = Command::AnswerOrder { order, reply: Reply::Text { text: text("迟了") } };
    assert_eq!(net.act(GRID, case, answer).unwrap_err(), Refusal::NoOpenOrder);
    assert_eq!(net.act(CITY, case, Command::WithdrawOrder { order }).unwrap_err(), Refusal::NoOpenOrder);
}

#[test]
fn a_withdrawal_that_comes_before_its_order_ends_it_all_the_same() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    net.act(CITY, case, directive("请报告")).unwrap();
    let order = only_order(&net, CITY, case);
    net.act(CITY, case, Command::WithdrawOrder { order }).unwrap();
    let last = net.mail.pop_back().unwrap();
    assert!(matches!(last.body, protocol::wire::kind::Body::OrderWithdrawn(_)));
    net.mail.push_front(last);
    net.settle();
    assert!(!net.known(GRID, case).order(order).unwrap().open(), "nobody waits for its answer");
}

#[test]
fn a_note_from_elsewhere_is_appended_by_the_owner_once() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    assert_eq!(net.act(GRID, case, Command::Contribute { text: text("自己") }).unwrap_err(), Refusal::OwnCase);
    net.accept(TOWN, case);
    // The former owner and a level above both know something.
    net.act(GRID, case, Command::Contribute { text: text("张三昨夜回来了") }).unwrap();
    net.act(COUNTY, case, Command::Contribute { text: text("另有来信") }).unwrap();
    let mail: Vec<_> = net.mail.drain(..).collect();
    for letter in mail.iter().chain(&mail) {
        net.deliver(letter.clone(), false).unwrap();
    }
    net.settle();
    let notes =
        net.known(CITY, case).chain().iter().filter(|l| matches!(l.header.act, Act::Contributed { .. })).count();
    assert_eq!(notes, 2);
    assert!(net.known(TOWN, case).history().any(|e| format!("{:?}", e.private).contains("昨夜")));
    assert_eq!(net.act(OTHER_TOWN, case, Command::Contribute { text: text("?") }).unwrap_err(), Refusal::UnknownCase);
}

#[test]
fn what_somebody_else_contributes_neither_reports_nor_settles() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    net.accept(TOWN, case);
    net.act(COUNTY, case, Command::Contribute { text: text("另有来信") }).unwrap();
    net.settle();
    let after = |forged: Option<Content>| {
        let mut events: Vec<CaseEvent> = net.known(TOWN, case).history().collect();
        for event in events.iter_mut().filter(|event| matches!(event.header.act, Act::Contributed { .. })) {
            if let (Some((_, private)), Some(content)) = (&mut event.private, &forged) {
                private.content = content.clone();
            }
        }
        let case = events.iter().fold(None, |state, event| Some(evolve(state, event))).unwrap();
        (case.report, case.amount_fen)
    };
    let report = Content::Report { title: text("另一件事"), narrative: text(""), parties: List::default() };
    let resolution = Content::Resolution { terms: text("赔一百万元"), amount_fen: Some(100_000_000) };
    for forged in [report, resolution] {
        assert_eq!(after(Some(forged)), after(None));
    }
}

#[test]
fn an_order_that_came_after_the_archive_is_answered_and_the_case_stays_as_it_is() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    for command in [
        Command::File,
        police(),
        Command::Assign { unit: UnitCode(1), note: text("请办理") },
        Command::Progress { note: text("已见面") },
        Command::Resolve { outcome: Outcome::Successful, terms: text("双方和解"), amount_fen: None },
        Command::fed_back(text("已告知")),
        Command::Assess { score: 4, note: text("良好") },
    ] {
        net.act(GRID, case, command).unwrap();
    }
    net.settle();
    // The two pass each other on the way.
    net.act(CITY, case, directive("请报告")).unwrap();
    net.act(GRID, case, Command::Archive).unwrap();
    net.settle();
    let (order, last) = (only_order(&net, GRID, case), net.case(GRID, case).head);
    net.act(GRID, case, Command::AnswerOrder { order, reply: Reply::Text { text: text("已办结") } }).unwrap();
    net.settle();
    assert_eq!(net.case(GRID, case).head, last);
    net.agree(&[GRID, CITY], case);
    assert!(net.known(CITY, case).order(order).unwrap().answered.is_some());
}
