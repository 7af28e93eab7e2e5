use casework::calendar::{Calendar, Date, Span};
use casework::content::Content;
use casework::grading::RuleSet;
use casework::{ActionName, Command, Policy, Refusal, Role, next_actions};
use protocol::event::{Category, Ending, Matter, Outcome, Step};
use protocol::grading::Rule;
use protocol::transfer::TENURES_MAX;
use protocol::unit::UnitCode;
use protocol::warning::Warning;

use crate::net::{CITY, GRID, Net, TOWN, VILLAGE, actor, answers, intake, text};

fn loop_commands() -> Vec<(Command, Step)> {
    vec![
        (Command::File, Step::Filed),
        (Command::Assign { unit: UnitCode(1), note: text("") }, Step::Assigned),
        (Command::Progress { note: text("上门一次") }, Step::InProgress),
        (
            Command::Resolve { outcome: Outcome::Successful, terms: text("和解"), amount_fen: Some(100) },
            Step::InProgress,
        ),
        (Command::fed_back(text("")), Step::FedBack),
        (Command::Assess { score: 5, note: text("") }, Step::Assessed),
        (Command::Archive, Step::Archived),
    ]
}

#[test]
fn six_steps_lead_to_the_archive_and_none_can_be_skipped() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    let commands = loop_commands();
    for (at, (right, step)) in commands.iter().enumerate() {
        for (other, (wrong, _)) in commands.iter().enumerate() {
            // Assigning and noting work may be repeated, and another unit may go on with the work.
            let repeats = (other == 1 && at == 2) || (other == 2 && at == 3) || (other == 1 && at == 3);
            if other != at && !repeats {
                assert_eq!(net.act(GRID, case, wrong.clone()).unwrap_err(), Refusal::WrongStep, "{at} {other}");
            }
        }
        let after = net.act_as(GRID, case, right.clone(), Role::GridWorker).unwrap().unwrap();
        assert_eq!(after.brief.step, *step);
    }
    assert_eq!(net.act(GRID, case, Command::File).unwrap_err(), Refusal::IsArchived);
    let known = net.known(GRID, case);
    let fact = known.fact().unwrap();
    assert_eq!(fact.steps.len(), 7);
    assert_eq!((fact.outcome, fact.amount_fen), (Some(Outcome::Successful), Some(100)));
    net.settle();
    let city = net.nodes[CITY].rows.values().filter(|r| matches!(r, casework::Record::Fact(_))).count();
    assert_eq!(city, 1, "the top holds one fact a case");
    assert!(net.known(CITY, case).case().is_none(), "a yellow case leaves no brief above");
    assert!(net.known(VILLAGE, case).case().is_none());
}

#[test]
fn buttons_offer_exactly_what_is_not_refused() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    let me = net.nodes[GRID].me;
    let offered = next_actions(&net.known(GRID, case), me, &actor(Role::GridWorker), &net.holds);
    assert!(offered.contains(&ActionName::File) && offered.contains(&ActionName::Return));
    assert!(!offered.contains(&ActionName::Assign) && !offered.contains(&ActionName::Recall));
    net.act(GRID, case, Command::File).unwrap();
    let offered = next_actions(&net.known(GRID, case), me, &actor(Role::GridWorker), &net.holds);
    assert!(offered.contains(&ActionName::Assign) && !offered.contains(&ActionName::File));
    assert!(next_actions(&net.known(GRID, case), me, &actor(Role::Viewer), &net.holds).is_empty());
}

#[test]
fn a_void_case_leaves_every_figure() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    assert_eq!(net.act(GRID, case, Command::Void { reason: text(" ") }).unwrap_err(), Refusal::ReasonMissing);
    net.act(GRID, case, Command::Void { reason: text("重复录入") }).unwrap();
    net.settle();
    assert!(net.case(CITY, case).brief.void, "the mirror strikes it through");
    assert!(net.known(CITY, case).fact().unwrap().void);
    assert_eq!(net.act(GRID, case, Command::File).unwrap_err(), Refusal::IsVoid);
    let offers: Vec<_> = net.known(TOWN, case).offers().map(|f| f.state.clone()).collect();
    assert_eq!(offers, [casework::OfferState::Recalled], "its offer is gone");
}

#[test]
fn a_report_is_judged_before_it_is_taken() {
    let mut net = Net::new();
    let good = intake(1, Ending::SettleHere, answers(false, 0));
    let refused = |net: &mut Net, intake| net.open(GRID, intake).unwrap_err();
    let mut bad = good.clone();
    bad.place = "330602002001".parse().unwrap();
    assert_eq!(refused(&mut net, bad), Refusal::OutsideArea);
    let mut bad = good.clone();
    bad.title = text(" \t");
    assert_eq!(refused(&mut net, bad), Refusal::TitleMissing);
    let mut bad = good.clone();
    bad.category = Category(2_001);
    assert_eq!(refused(&mut net, bad), Refusal::UnknownCategory);
    let mut bad = good.clone();
    bad.confirmed_level = Some(Warning::from_rank(7));
    assert_eq!(refused(&mut net, bad), Refusal::UnknownLevel);
    let mut bad = good.clone();
    bad.summary = Some(text("张三家的通道"));
    assert_eq!(refused(&mut net, bad), Refusal::NamesInBrief);
    let mut bad = intake(1, Ending::SettleHere, answers(true, 0));
    bad.confirmed_level = Some(Some(Warning::Yellow));
    assert_eq!(refused(&mut net, bad.clone()), Refusal::BelowProposal);
    bad.confirmed_level = Some(Some(Warning::Orange));
    assert_eq!(net.open(GRID, bad.clone()).unwrap().level(), Some(Warning::Orange));
    assert_eq!(refused(&mut net, bad), Refusal::AlreadyReported);
    let mut question = intake(2, Ending::SettleHere, answers(false, 0));
    question.matter = Matter::Consultation;
    question.confirmed_level = Some(Some(Warning::Red));
    assert_eq!(refused(&mut net, question.clone()), Refusal::NotGraded);
    question.confirmed_level = None;
    assert_eq!(net.open(GRID, question).unwrap().level(), None);
    let mut up = intake(3, Ending::Submit, answers(false, 0));
    up.place = "330602001001".parse().unwrap();
    assert_eq!(net.open(CITY, up).unwrap_err(), Refusal::NobodyAbove);
}

#[test]
fn a_term_runs_in_working_days_over_the_spring_festival_and_waits_for_a_calendar_that_ends() {
    let mut net = Net::new();
    let file = |span| {
        let mut policy = Policy::default();
        policy.terms.file = span;
        policy
    };
    net.holds = net.holds.with_policy(file(Span::WorkingDays(3)));
    let at = |net: &mut Net, case, day: &str| {
        net.now = 1_000 * (86_400 * i64::from(Date::try_from(day.to_owned()).unwrap().0.number()) + 3_600);
        net.open(GRID, intake(case, Ending::SettleHere, answers(false, 0))).unwrap().brief.next_term.unwrap()
    };
    let day = |text: &str| Date::try_from(text.to_owned()).unwrap().0;
    // Thursday: Friday, the make-up Saturday, and the Tuesday after the holiday.
    let term = at(&mut net, 1, "2026-02-12");
    assert_eq!((term.since, term.day, term.provisional), (day("2026-02-12"), day("2026-02-24"), false));
    let term = at(&mut net, 2, "2026-12-30");
    assert_eq!((term.day, term.provisional), (day("2026-12-31"), true));
    let longer =
        r#"{"schema":1,"from":"2026-01-01","until":"2027-12-31","exceptions":[{"day":"2027-01-01","works":false}]}"#;
    net.holds.calendar = Calendar::read(longer.as_bytes()).unwrap().into();
    let case = protocol::id::CaseId::from_bytes([2; 16]);
    assert!(net.wake(GRID, case), "the calendar has come: the node counts by itself");
    let term = net.case(GRID, case).brief.next_term.unwrap();
    assert_eq!((term.since, term.day, term.provisional), (day("2026-12-30"), day("2027-01-05"), false));
    assert!(!net.wake(GRID, case), "once");
    // A term whose day is told keeps it, whatever comes down later.
    net.holds.calendar = Calendar::unknown().into();
    net.holds = net.holds.clone().with_policy(file(Span::Months(1)));
    let again = net.act(GRID, case, Command::Return { note: text("仍缺") }).unwrap().unwrap();
    assert_eq!(again.brief.next_term, Some(term));
}

#[test]
fn a_rule_set_that_came_down_proposes_and_is_named_in_the_event() {
    let mut net = Net::new();
    let rules = r#"{"schema":1,"rules":[{"level":"red","fires":"group_petition","when":{"people":3}},
        {"level":"yellow","fires":"any_dispute","when":{}}]}"#;
    net.holds.rules = RuleSet::read(rules.as_bytes()).unwrap().into();
    net.holds.policy.rules = 4;
    let case = net.open(GRID, intake(1, Ending::SettleHere, answers(true, 0))).unwrap();
    let grading = case.brief.grading;
    assert_eq!((grading.level, grading.fired, grading.rules), (Some(Warning::Red), Rule::GroupPetition, 4));
}

#[test]
fn a_returned_report_may_be_filed_again_and_a_full_case_takes_no_more() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    assert!(net.act(GRID, case, Command::Return { note: text("缺少时间") }).unwrap().unwrap().returned);
    assert!(!net.act(GRID, case, Command::File).unwrap().unwrap().returned);
    net.act(GRID, case, Command::Assign { unit: UnitCode(2), note: text("") }).unwrap();
    let long: String = "长".repeat(4_000);
    let mut refused = None;
    for _ in 0..300 {
        if let Err(refusal) = net.act(GRID, case, Command::Progress { note: text(&long) }) {
            refused = Some(refusal);
            break;
        }
    }
    assert_eq!(refused, Some(Refusal::CaseFull));
    let to = net.id(TOWN);
    assert_eq!(net.act(GRID, case, Command::Offer { to }).unwrap_err(), Refusal::CaseFull);
    net.act(GRID, case, Command::Resolve { outcome: Outcome::Other, terms: text("终止"), amount_fen: None }).unwrap();
}

#[test]
fn a_full_case_still_moves_in_one_piece() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    net.act(GRID, case, Command::File).unwrap();
    net.act(GRID, case, Command::Assign { unit: UnitCode(2), note: text("") }).unwrap();
    let long: String = "长".repeat(4_000);
    while net.act(GRID, case, Command::Progress { note: text(&long) }).is_ok() {}
    let terms = text(&long);
    net.act(GRID, case, Command::Resolve { outcome: Outcome::Other, terms, amount_fen: None }).unwrap();
    net.act(GRID, case, Command::fed_back(text(&long))).unwrap();
    net.act(GRID, case, Command::Assess { score: 3, note: text(&long) }).unwrap();
    net.accept(TOWN, case);
    assert!(net.case(TOWN, case).owned_by(net.id(TOWN)));
}

#[test]
fn a_case_that_was_handed_over_as_often_as_a_handover_can_tell_stays_with_its_owner() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    net.accept(TOWN, case);
    let (mut owner, mut other, mut moves) = (TOWN, GRID, 1);
    loop {
        let to = net.id(other);
        if let Err(refusal) = net.act(owner, case, Command::Offer { to }) {
            assert_eq!((refusal, moves), (Refusal::CaseFull, TENURES_MAX));
            break;
        }
        net.settle();
        net.accept(other, case);
        moves += 1;
        assert!(net.case(other, case).owned_by(to), "move {moves} left the case without an owner");
        std::mem::swap(&mut owner, &mut other);
    }
    net.act(owner, case, Command::File).unwrap();
}
