//! Joint handling: several units work on one case, side by side or one after the other, under its one lead.

use casework::{Actor, Command, GiveTask, Grant, Refusal, Role, Scope, TaskState};
use protocol::bounded::Text;
use protocol::event::{Ending, Outcome};
use protocol::id::CaseId;
use protocol::time::{CivilDay, UnixMillis};
use protocol::unit::UnitCode;

use crate::net::{CITY, GRID, Net, answers, police, text};

const POLICE: UnitCode = UnitCode(3);
const LABOUR: UnitCode = UnitCode(8);

fn assigned() -> (Net, CaseId) {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    for step in [Command::File, police(), Command::Assign { unit: UnitCode(1), note: text("") }] {
        net.act(GRID, case, step).unwrap();
    }
    (net, case)
}

fn give(net: &Net, unit: UnitCode, after: Option<u16>) -> Command {
    let due = CivilDay::of(UnixMillis(net.now)).plus(5);
    GiveTask { unit, title: text("核实现场"), text: text("到场核实并回告"), due, after }.into()
}

fn report(task: u16) -> Command {
    Command::ReportTask { task, note: text("已核实") }
}

fn state(net: &Net, case: CaseId, task: u16) -> TaskState {
    net.case(GRID, case).task(task).unwrap().state.0
}

/// Somebody who handles what one unit was given.
fn of(unit: UnitCode) -> Actor {
    let grant = Grant { role: Role::Handler, scope: Scope { division: None, unit: Some(unit) } };
    Actor { user: Text::cut("h"), name: Text::cut("承办人"), grants: vec![grant] }
}

#[test]
fn units_work_side_by_side_and_the_case_is_settled_when_all_are_done() {
    let (mut net, case) = assigned();
    for unit in [POLICE, LABOUR] {
        let task = give(&net, unit, None);
        net.act(GRID, case, task).unwrap();
    }
    net.act(GRID, case, Command::AcceptTask { task: 1 }).unwrap();
    net.act(GRID, case, report(1)).unwrap();
    net.act(GRID, case, Command::CloseTask { task: 1, note: text("") }).unwrap();
    net.act(GRID, case, Command::Progress { note: text("会商") }).unwrap();
    let resolve = Command::Resolve { outcome: Outcome::Successful, terms: text("和"), amount_fen: None };
    assert_eq!(net.act(GRID, case, resolve.clone()).unwrap_err(), Refusal::TasksOpen);
    net.act(GRID, case, Command::CancelTask { task: 2, note: text("不再需要") }).unwrap();
    net.act(GRID, case, resolve).unwrap();
    assert_eq!(net.case(GRID, case).brief.unit, UnitCode(1), "one lead always");
}

#[test]
fn in_series_the_next_begins_when_the_one_before_is_done() {
    let (mut net, case) = assigned();
    let first = give(&net, POLICE, None);
    net.act(GRID, case, first).unwrap();
    let second = give(&net, LABOUR, Some(1));
    net.act(GRID, case, second).unwrap();
    assert_eq!(net.act(GRID, case, Command::AcceptTask { task: 2 }).unwrap_err(), Refusal::TaskWaits);
    net.act(GRID, case, report(1)).unwrap();
    net.act(GRID, case, Command::CloseTask { task: 1, note: text("") }).unwrap();
    net.act(GRID, case, Command::AcceptTask { task: 2 }).unwrap();
}

#[test]
fn a_report_that_is_not_enough_goes_back_and_is_counted() {
    let (mut net, case) = assigned();
    let task = give(&net, POLICE, None);
    net.act(GRID, case, task).unwrap();
    let back = Command::SendBackTask { task: 1, note: text("请补照片") };
    assert_eq!(net.act(GRID, case, back.clone()).unwrap_err(), Refusal::TaskState, "nothing was reported");
    net.act(GRID, case, report(1)).unwrap();
    net.act(GRID, case, back).unwrap();
    assert_eq!((state(&net, case, 1), net.case(GRID, case).task(1).unwrap().sent_back), (TaskState::SentBack, 1));
    net.act(GRID, case, report(1)).unwrap();
    assert_eq!(state(&net, case, 1), TaskState::Reported);
}

#[test]
fn a_unit_that_has_a_task_sees_the_case_signs_and_reports_and_leads_nothing() {
    let (mut net, case) = assigned();
    let police = of(POLICE);
    let acts = |net: &mut Net, command: Command| net.act_by(GRID, case, command, &police).map(drop);
    assert_eq!(acts(&mut net, Command::AcceptTask { task: 1 }), Err(Refusal::UnknownCase), "it knows of nothing yet");
    let task = give(&net, POLICE, None);
    net.act(GRID, case, task).unwrap();
    assert_eq!(acts(&mut net, Command::AcceptTask { task: 1 }), Ok(()));
    assert_eq!(acts(&mut net, Command::Progress { note: text("自行处理") }), Err(Refusal::RoleMissing));
    assert_eq!(acts(&mut net, report(1)), Ok(()));
    let labour = of(LABOUR);
    assert_eq!(net.act_by(GRID, case, report(1), &labour).unwrap_err(), Refusal::UnknownCase);
}

#[test]
fn a_task_goes_to_a_unit_of_this_node_that_is_in_the_directory_and_is_due_today_or_later() {
    let (mut net, case) = assigned();
    let unknown = give(&net, UnitCode(999), None);
    assert_eq!(net.act(GRID, case, unknown).unwrap_err(), Refusal::UnknownUnit);
    let behind_none = give(&net, POLICE, Some(7));
    assert_eq!(net.act(GRID, case, behind_none).unwrap_err(), Refusal::UnknownTask);
    let yesterday = CivilDay::of(UnixMillis(net.now)).plus(-1);
    let late = GiveTask { unit: POLICE, title: text("核实"), text: text(""), due: yesterday, after: None };
    assert_eq!(net.act(GRID, case, late.into()).unwrap_err(), Refusal::DayPassed);
}

#[test]
fn above_it_is_seen_which_units_work_on_a_red_case_and_how_far_they_are() {
    let (mut net, case) = assigned();
    let task = give(&net, POLICE, None);
    net.act(GRID, case, task).unwrap();
    net.act(GRID, case, report(1)).unwrap();
    net.settle();
    let seen = net.case(CITY, case).tasks.iter().map(|task| (task.unit, task.state.0)).collect::<Vec<_>>();
    assert_eq!(seen, [(POLICE, TaskState::Reported)]);
}

#[test]
fn a_case_has_so_many_tasks_and_no_more() {
    let (mut net, case) = assigned();
    for _ in 0..32 {
        let task = give(&net, POLICE, None);
        net.act(GRID, case, task).unwrap();
    }
    let one_more = give(&net, POLICE, None);
    assert_eq!(net.act(GRID, case, one_more).unwrap_err(), Refusal::CaseFull);
}
