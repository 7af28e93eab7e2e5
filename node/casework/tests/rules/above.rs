//! What a node asks of the one above it: an assessment by another unit than the one that led the case, and more time.

use casework::{Actor, Command, Grant, OrderFile, Refusal, Reply, Role, Scope};
use protocol::event::{Ending, Outcome, Step};
use protocol::grading::Answers;
use protocol::id::{CaseId, OrderId};
use protocol::unit::UnitCode;

use crate::net::{CITY, GRID, Net, TOWN, VILLAGE, answers, intake, police, text};

/// A case of the grid that is told to who asked, led by a unit.
fn fed_back(level: Answers, unit: u16) -> (Net, CaseId) {
    let (mut net, case) = Net::reported(Ending::SettleHere, level);
    told(&mut net, GRID, case, unit);
    (net, case)
}

fn told(net: &mut Net, node: usize, case: CaseId, unit: u16) {
    let resolve = Command::Resolve { outcome: Outcome::Successful, terms: text("和"), amount_fen: None };
    let assign = Command::Assign { unit: UnitCode(unit), note: text("") };
    let progress = Command::Progress { note: text("走访") };
    for command in [Command::File, assign, progress, police(), resolve, Command::fed_back(text("已告知"))] {
        net.act(node, case, command).unwrap();
    }
    net.settle();
}

fn asked(net: &Net, node: usize, case: CaseId) -> Vec<OrderFile> {
    net.known(node, case).orders().cloned().collect()
}

fn assess() -> Command {
    Command::Assess { score: 5, note: text("") }
}

fn answer(net: &Net, node: usize, case: CaseId, reply: Reply) -> Command {
    let order: OrderId = asked(net, node, case).iter().find(|file| file.open()).expect("an order").order.id;
    Command::AnswerOrder { order, reply }
}

#[test]
fn a_red_case_that_a_node_led_itself_is_assessed_by_the_node_above() {
    let (mut net, case) = fed_back(answers(true, 0), 0);
    assert_eq!(net.act(GRID, case, assess()), Err(Refusal::AssessedAbove));
    let bad = answer(&net, VILLAGE, case, Reply::Score { score: 6, text: text("") });
    assert_eq!(net.act_as(VILLAGE, case, bad, Role::Clerk), Err(Refusal::ScoreOutOfRange));
    let words = answer(&net, VILLAGE, case, Reply::Text { text: text("好") });
    assert_eq!(net.act_as(VILLAGE, case, words, Role::Clerk), Err(Refusal::WrongAnswer));
    let good = answer(&net, VILLAGE, case, Reply::Score { score: 4, text: text("及时") });
    net.act_as(VILLAGE, case, good, Role::Clerk).unwrap();
    net.settle();
    let here = net.case(GRID, case);
    assert_eq!((here.brief.step, here.score), (Step::Assessed, Some(4)));
    assert!(format!("{:?}", net.known(GRID, case).history().last().unwrap().private).contains("及时"));
    net.act(GRID, case, Command::Archive).unwrap();
    net.settle();
    net.agree(&[GRID, VILLAGE, TOWN, CITY], case);
}

#[test]
fn one_that_a_unit_led_is_assessed_by_the_node_and_not_by_that_unit() {
    let (mut net, case) = fed_back(answers(true, 0), 2);
    assert!(asked(&net, GRID, case).is_empty());
    let scope = Scope { division: None, unit: Some(UnitCode(2)) };
    let of_the_unit = Actor { grants: vec![Grant { role: Role::Clerk, scope }], ..crate::net::actor(Role::Clerk) };
    assert_eq!(net.act_by(GRID, case, assess(), &of_the_unit), Err(Refusal::AssessedByAnother));
    let may = casework::next_actions(&net.known(GRID, case), net.nodes[GRID].me, &of_the_unit, &net.holds);
    assert!(!may.contains(&casework::ActionName::Assess), "nor does a button offer it: {may:?}");
    net.act_as(GRID, case, assess(), Role::Clerk).unwrap();
}

#[test]
fn a_yellow_case_is_assessed_where_it_was_handled() {
    let (mut net, case) = fed_back(answers(false, 0), 0);
    assert!(asked(&net, GRID, case).is_empty());
    net.act(GRID, case, assess()).unwrap();
}

#[test]
fn at_the_top_nobody_else_is_there_to_assess() {
    let mut net = Net::new();
    let report = intake(7, Ending::SettleHere, answers(true, 0));
    let case = net.open(CITY, report).unwrap().id;
    told(&mut net, CITY, case, 0);
    net.act(CITY, case, assess()).unwrap();
}

#[test]
fn who_opens_the_case_again_asks_no_more_and_a_late_answer_changes_nothing() {
    let (mut net, case) = fed_back(answers(true, 0), 0);
    let late = answer(&net, VILLAGE, case, Reply::Score { score: 1, text: text("") });
    net.act(GRID, case, Command::Reopen { reason: text("反悔") }).unwrap();
    assert!(asked(&net, GRID, case).iter().all(|file| file.withdrawn));
    net.act(VILLAGE, case, late).unwrap();
    net.settle();
    assert_eq!(net.case(GRID, case).score, None);
    net.agree(&[GRID, VILLAGE, CITY], case);
}

#[test]
fn what_was_asked_is_taken_back_only_when_its_term_has_passed() {
    let (mut net, case) = fed_back(answers(true, 0), 0);
    let order = asked(&net, GRID, case)[0].order.id;
    assert_eq!(net.act(GRID, case, Command::WithdrawOrder { order }), Err(Refusal::AssessedAbove));
    net.now += 86_400_000 * (i64::from(net.holds.policy.answer_days) + 1);
    net.act(GRID, case, Command::WithdrawOrder { order }).unwrap();
    net.act(GRID, case, assess()).unwrap();
}

#[test]
fn nobody_waits_for_a_node_that_is_too_old_to_be_asked() {
    let (mut net, case) = fed_back(answers(true, 0), 0);
    let order = asked(&net, GRID, case)[0].order.id;
    let (known, above, other) = (net.known(GRID, case), net.id(VILLAGE), net.id(TOWN));
    let refused = |net: &mut Net, by| net.world(GRID, |world| casework::order_refused(&known, order, by, world));
    assert!(refused(&mut net, other).is_none(), "only by whom it was asked");
    let decision = refused(&mut net, above).unwrap();
    net.adopt(GRID, case, decision);
    net.act(GRID, case, assess()).unwrap();
}

/// A case of the grid under way, for which it wants more time.
fn wanting(days: u16) -> (Net, CaseId) {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    let ask = Command::AskExtension { days, reason: text("等待鉴定") };
    for command in [Command::File, Command::Assign { unit: UnitCode(0), note: text("") }, ask] {
        net.act_as(GRID, case, command, Role::GridWorker).unwrap();
    }
    net.settle();
    (net, case)
}

#[test]
fn a_grid_asks_the_node_above_for_more_time_whose_leader_gives_it_or_does_not() {
    let (mut net, case) = wanting(10);
    let before = net.case(GRID, case).brief.next_term.unwrap().day;
    let yes = answer(&net, VILLAGE, case, Reply::Yes { text: text("同意") });
    assert_eq!(net.act_as(VILLAGE, case, yes.clone(), Role::Clerk), Err(Refusal::RoleMissing));
    net.act(VILLAGE, case, yes).unwrap();
    net.settle();
    let here = net.case(GRID, case);
    assert_eq!((here.extended, here.extension_asked), (10, None));
    assert_eq!(here.brief.next_term.unwrap().day, before.plus(10));

    let (mut net, case) = wanting(10);
    let no = answer(&net, VILLAGE, case, Reply::No { text: text("") });
    assert_eq!(net.act(VILLAGE, case, no), Err(Refusal::ReasonMissing));
    let no = answer(&net, VILLAGE, case, Reply::No { text: text("可以按期") });
    net.act(VILLAGE, case, no).unwrap();
    net.settle();
    let here = net.case(GRID, case);
    assert_eq!((here.extended, here.extension_asked), (0, None));
}

#[test]
fn a_case_that_goes_into_another_asks_for_no_more_time() {
    let (mut net, goes) = wanting(10);
    let stays = net.open(GRID, intake(8, Ending::SettleHere, answers(false, 0))).unwrap().id;
    let (one, other, by) = (net.known(GRID, goes), net.known(GRID, stays), crate::net::actor(Role::Supervisor));
    let pair = net.world(GRID, |world| casework::decide_pair(&one, &other, text("同一事"), &by, world));
    let (gone, stayed) = pair.unwrap();
    net.adopt(GRID, goes, gone);
    net.adopt(GRID, stays, stayed);
    net.settle();
    assert!(asked(&net, VILLAGE, goes).iter().all(|file| !file.open()), "nobody there is to answer it");
}

#[test]
fn a_node_with_a_leader_asks_nobody_else_for_time() {
    let mut net = Net::new();
    let case = net.open(TOWN, intake(7, Ending::SettleHere, answers(false, 0))).unwrap().id;
    let ask = Command::AskExtension { days: 10, reason: text("等待鉴定") };
    for command in [Command::File, Command::Assign { unit: UnitCode(0), note: text("") }, ask] {
        net.act(TOWN, case, command).unwrap();
    }
    assert!(asked(&net, TOWN, case).is_empty());
}

#[test]
fn what_is_asked_above_names_nobody() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    for command in [Command::File, Command::Assign { unit: UnitCode(0), note: text("") }] {
        net.act(GRID, case, command).unwrap();
    }
    let ask = Command::AskExtension { days: 10, reason: text("张三外出") };
    assert_eq!(net.act(GRID, case, ask), Err(Refusal::NamesInBrief));
}
