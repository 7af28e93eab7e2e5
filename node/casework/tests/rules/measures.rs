//! What a level asks for at once: due from the level on, noted by people, asked for again and again while the level stands, and by
//! law before a case is settled.

use casework::{Case, Command, Refusal};
use protocol::event::{Ending, Outcome};
use protocol::id::CaseId;
use protocol::warning::Warning;

use crate::dossier::{all, resolved, worked};
use crate::net::{GRID, Net, answers, text};

const MINUTE: i64 = 60_000;
const POLICE: u16 = 2;
const HOURLY: u16 = 5;

fn take(measure: u16) -> Command {
    Command::TakeMeasure { measure, note: text("已报告塔山派出所王警官") }
}

/// Numbers of what is asked for, each with the minutes from now on until it is due.
fn asked(net: &Net, case: &Case) -> Vec<(u16, Option<i64>)> {
    let now = net.now / MINUTE;
    let of = |due: protocol::time::Minute| i64::from(due.0) - now;
    net.holds.measures.of(case).map(|standing| (standing.measure.code, standing.due.map(of))).collect()
}

fn orange() -> (Net, CaseId) {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 1));
    net.now += MINUTE;
    (net, case)
}

#[test]
fn each_level_asks_for_its_own() {
    let (net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    assert_eq!(asked(&net, &net.case(GRID, case)), []);
    let (net, case) = orange();
    let numbers: Vec<_> = asked(&net, &net.case(GRID, case)).iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
}

#[test]
fn what_was_taken_is_due_no_more_but_for_what_is_taken_again_and_again() {
    let (mut net, case) = orange();
    let due = |net: &Net, number| {
        asked(net, &net.case(GRID, case)).into_iter().find(|(of, _)| *of == number).and_then(|(_, due)| due)
    };
    assert!(due(&net, POLICE).is_some_and(|minutes| minutes <= 30));
    all(&mut net, case, vec![take(POLICE), take(HOURLY)]);
    assert_eq!(due(&net, POLICE), None);
    assert_eq!(due(&net, HOURLY), Some(60));
    net.now += 61 * MINUTE;
    assert_eq!(due(&net, HOURLY), Some(-1), "an hour later it is due again");
}

#[test]
fn a_level_that_is_left_asks_for_nothing_and_one_that_comes_back_asks_anew() {
    let (mut net, case) = orange();
    all(&mut net, case, vec![take(HOURLY), take(1)]);
    let mut below = net.case(GRID, case);
    let minutes = |after: u32| protocol::time::Minute(below.level_changes[0].at.0 + after);
    let (later, again) = (minutes(100), minutes(200));
    below.level_changes.push(protocol::fact::LevelChange { at: later, level: Some(Warning::Yellow) });
    below.brief.grading.level = Some(Warning::Yellow);
    let left: Vec<_> = asked(&net, &below).iter().map(|(number, _)| *number).collect();
    assert_eq!(left, [POLICE], "violence threatens at every level");
    below.level_changes.push(protocol::fact::LevelChange { at: again, level: Some(Warning::Orange) });
    below.brief.grading.level = Some(Warning::Orange);
    let standing = net.holds.measures.of(&below).find(|standing| standing.measure.code == 1).unwrap();
    assert_eq!((standing.taken, standing.due.map(|due| due.0)), (None, Some(again.0 + 30)));
}

#[test]
fn where_violence_threatens_a_case_is_not_settled_before_the_police_was_told() {
    let (mut net, case) = orange();
    all(&mut net, case, worked());
    let settle = || resolved(Outcome::Successful, "和解");
    assert_eq!(net.act(GRID, case, settle()), Err(Refusal::MeasureMissing));
    assert_eq!(net.act(GRID, case, take(99)), Err(Refusal::UnknownMeasure));
    let silent = Command::TakeMeasure { measure: POLICE, note: text(" ") };
    assert_eq!(net.act(GRID, case, silent), Err(Refusal::ReasonMissing));
    all(&mut net, case, vec![take(POLICE), settle()]);
    assert_eq!(asked(&net, &net.case(GRID, case)), [], "what is settled asks for nothing");
}
