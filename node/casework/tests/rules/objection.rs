//! A unit that objects to a case leads it until that is agreed, refused or ruled; the ruling binds.

use casework::{Actor, Command, Grant, Refusal, Role, Scope};
use protocol::event::{Ending, Step};
use protocol::id::CaseId;
use protocol::unit::UnitCode;

use crate::net::{GRID, Net, answers, text};

fn assigned() -> (Net, CaseId) {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    for command in [Command::File, assign(2)] {
        net.act(GRID, case, command).unwrap();
    }
    (net, case)
}

fn assign(unit: u16) -> Command {
    Command::Assign { unit: UnitCode(unit), note: text("") }
}

fn object(proposed: Option<u16>) -> Command {
    Command::Object { proposed: proposed.map(UnitCode), reason: text("不属本单位职责") }
}

fn refuse() -> Command {
    Command::RefuseObjection { reason: text("属职责范围") }
}

fn rule(unit: u16) -> Command {
    Command::Rule { unit: UnitCode(unit), reason: text("由其牵头") }
}

fn of_the_unit(unit: u16) -> Actor {
    let scope = Scope { division: None, unit: Some(UnitCode(unit)) };
    Actor { grants: vec![Grant { role: Role::Handler, scope }], ..crate::net::actor(Role::Handler) }
}

#[test]
fn it_leads_on_until_the_desk_agrees_by_giving_it_to_another() {
    let (mut net, case) = assigned();
    let waiting = net.act_by(GRID, case, object(Some(3)), &of_the_unit(2)).unwrap().unwrap();
    assert_eq!((waiting.brief.unit, waiting.assignment.objections), (UnitCode(2), 1), "nobody else leads it meanwhile");
    assert_eq!(net.act(GRID, case, object(None)), Err(Refusal::NothingChanges), "one at a time");
    let given = net.act_as(GRID, case, assign(3), Role::Clerk).unwrap().unwrap();
    assert_eq!((given.brief.unit, given.assignment.objection), (UnitCode(3), None));
    assert_eq!(given.brief.step, Step::Assigned);
}

#[test]
fn of_a_second_objection_only_whoever_leads_the_node_decides_and_that_binds() {
    let (mut net, case) = assigned();
    net.act(GRID, case, object(None)).unwrap();
    net.act_as(GRID, case, refuse(), Role::Clerk).unwrap();
    let again = net.act(GRID, case, object(None)).unwrap().unwrap();
    assert!(again.assignment.needs_ruling());
    for command in [refuse(), assign(3)] {
        assert_eq!(net.act_as(GRID, case, command, Role::Clerk), Err(Refusal::RulingNeeded));
    }
    assert_eq!(net.act_as(GRID, case, rule(3), Role::Clerk), Err(Refusal::RoleMissing));
    let ruled = net.act(GRID, case, rule(3)).unwrap().unwrap();
    assert_eq!((ruled.brief.unit, ruled.assignment.ruled), (UnitCode(3), true));
    assert_eq!(net.act(GRID, case, object(None)), Err(Refusal::RuledAlready));
    assert_eq!(net.act(GRID, case, assign(2)), Err(Refusal::RuledAlready));
    net.act(GRID, case, rule(2)).unwrap();
    net.act(GRID, case, Command::Progress { note: text("走访") }).unwrap();
    net.settle();
}

#[test]
fn the_days_to_object_are_working_days_and_then_it_is_too_late() {
    let (mut net, case) = assigned();
    let given = net.case(GRID, case).assignment.since.unwrap();
    let day = protocol::time::CivilDay::of(protocol::time::UnixMillis(i64::from(given.0) * 60_000));
    let casework::calendar::Due::Day(last) = net.holds.calendar.due(day, casework::calendar::Span::WorkingDays(5))
    else {
        panic!("a day of the calendar")
    };
    let days = i64::from(last.number() - day.number());
    assert!(days > 5, "a weekend is among them");
    net.now += days * 86_400_000;
    net.act(GRID, case, object(None)).unwrap();
    net.act(GRID, case, refuse()).unwrap();
    net.now += 86_400_000;
    assert_eq!(net.act(GRID, case, object(None)), Err(Refusal::ObjectionLate));
}

#[test]
fn what_nobody_was_given_nobody_objects_to_and_an_objection_says_why() {
    let (mut net, case) = assigned();
    assert_eq!(net.act(GRID, case, refuse()), Err(Refusal::NothingObjected));
    assert_eq!(net.act(GRID, case, rule(3)), Err(Refusal::NothingObjected));
    let silent = Command::Object { proposed: None, reason: text("") };
    assert_eq!(net.act(GRID, case, silent), Err(Refusal::ReasonMissing));
    assert_eq!(net.act(GRID, case, object(Some(2))), Err(Refusal::NothingChanges), "itself is no other");
    assert_eq!(net.act(GRID, case, object(Some(9_999))), Err(Refusal::UnknownUnit));
    net.act(GRID, case, assign(0)).unwrap();
    assert_eq!(net.act(GRID, case, object(None)), Err(Refusal::NothingChanges), "the node itself leads it");
}
