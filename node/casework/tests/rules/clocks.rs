//! What is to be done by when follows from a case: each clock runs while its duty waits, at the node that has it.

use casework::clocks::{self, Of};
use casework::{Command, Draw};
use protocol::bounded::{List, Text};
use protocol::event::{AgreementForm, Ending, Instalment, PauseGround, TermKind};
use protocol::id::CaseId;
use protocol::time::{CivilDay, Minute, UnixMillis};

use crate::dossier::{all, opened, window, worked};
use crate::mediation::{consent, draw, open};
use crate::net::{GRID, Net, TOWN, answers, text};

fn running(net: &Net, node: usize, case: CaseId) -> Vec<(Of, Minute)> {
    let clocks = clocks::of(&net.known(node, case), net.nodes[node].me, &net.holds);
    clocks.into_iter().map(|clock| (clock.of, clock.due)).collect()
}

fn kinds(net: &Net, node: usize, case: CaseId) -> Vec<Of> {
    running(net, node, case).into_iter().map(|(of, _)| of).collect()
}

#[test]
fn the_clock_of_a_step_runs_to_the_last_minute_of_its_day_and_not_while_it_stands_still() {
    let (mut net, case) = opened(window());
    let due = net.case(GRID, case).brief.next_term.unwrap().day;
    let [(Of::Term(TermKind::File), until)] = running(&net, GRID, case)[..] else { panic!("the step that comes next") };
    assert_eq!((until.day(), Minute(until.0 + 1).day()), (due, due.plus(1)));
    all(&mut net, case, worked());
    assert_eq!(kinds(&net, GRID, case), [Of::Term(TermKind::Resolve)]);
    all(&mut net, case, vec![Command::Pause { ground: PauseGround::Hearing, on: None, note: text("") }]);
    assert_eq!(kinds(&net, GRID, case), []);
}

#[test]
fn an_offer_and_then_the_case_itself_wait_for_whoever_has_them() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    assert_eq!(kinds(&net, TOWN, case), [Of::Offer]);
    net.accept(TOWN, case);
    net.settle();
    assert_eq!((kinds(&net, GRID, case), kinds(&net, TOWN, case)), (vec![], vec![Of::Term(TermKind::File)]));
}

#[test]
fn an_agreement_asks_for_its_parts_until_they_are_performed_and_for_confirmation_until_it_was_sought() {
    let (mut net, case) = opened(window());
    let day = CivilDay::of(UnixMillis(net.now));
    let part = |days| Instalment { by: 2, due: day.plus(days), amount_fen: None, what: Text::default() };
    let parts = List::new(vec![part(10), part(40)]).unwrap();
    let plan = |asked: &mut Draw| asked.plan = parts;
    all(&mut net, case, worked());
    all(&mut net, case, vec![open(), consent(&[1, 2], true), draw(AgreementForm::Oral, 1, plan)]);
    let bonds = |net: &Net| {
        let due = running(net, GRID, case).into_iter().filter(|(of, _)| !matches!(of, Of::Term(_)));
        due.map(|(of, until)| (of, until.day().number() - day.number())).collect::<Vec<_>>()
    };
    let instalment = |part| Of::Instalment { agreement: 1, part };
    assert_eq!(bonds(&net), [(Of::Confirmation(1), 30), (instalment(1), 10), (instalment(2), 40)]);
    let perform = Command::Perform { agreement: 1, instalment: 1, on: None, amount_fen: None, note: text("") };
    let seek = casework::Seek { agreement: 1, on: None, court: text("越城区人民法院"), note: text("") };
    all(&mut net, case, vec![perform, seek.into()]);
    assert_eq!(bonds(&net), [(instalment(2), 40)]);
}

#[test]
fn a_task_waits_for_its_unit_and_no_longer_once_it_is_reported() {
    let (mut net, case) = opened(window());
    all(&mut net, case, worked());
    let due = CivilDay::of(UnixMillis(net.now)).plus(5);
    let unit = protocol::unit::UnitCode(3);
    let give = casework::GiveTask { unit, title: text("核实现场"), text: text(""), due, after: None };
    all(&mut net, case, vec![give.into()]);
    let task = clocks::of(&net.known(GRID, case), net.nodes[GRID].me, &net.holds);
    assert!(task.iter().any(|clock| clock.of == Of::Task(1) && clock.unit == unit));
    all(&mut net, case, vec![Command::ReportTask { task: 1, note: text("已核实") }]);
    assert!(!kinds(&net, GRID, case).contains(&Of::Task(1)));
}
