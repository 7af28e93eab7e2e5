//! Terms by channel, with the article behind each, and more time where the law gives it.

use casework::{Command, Refusal, Role};
use protocol::event::{DueTerm, Ending, Matter, Source, TermKind};
use protocol::id::CaseId;
use protocol::time::{CivilDay, UnixMillis};
use protocol::unit::UnitCode;

use crate::mediation::open;
use crate::net::{GRID, Net, answers, intake, text};

const DAY: i64 = 86_400_000;

fn assigned(source: Source, matter: Matter) -> (Net, CaseId) {
    let mut net = Net::new();
    let mut report = intake(7, Ending::SettleHere, answers(false, 0));
    (report.source, report.matter) = (source, matter);
    let case = report.case;
    net.open(GRID, report).unwrap();
    for step in [Command::File, Command::Assign { unit: UnitCode(1), note: text("") }] {
        net.act(GRID, case, step).unwrap();
    }
    (net, case)
}

fn resolve_by(net: &Net, case: CaseId) -> DueTerm {
    net.case(GRID, case).brief.next_term.filter(|term| term.kind == TermKind::Resolve).unwrap()
}

fn days(net: &Net, case: CaseId) -> i32 {
    let term = resolve_by(net, case);
    term.day.number() - term.since.number()
}

fn today(net: &Net) -> CivilDay {
    CivilDay::of(UnixMillis(net.now))
}

fn ask(days: u16) -> Command {
    Command::AskExtension { days, reason: text("等待鉴定意见") }
}

fn extend(days: u16) -> Command {
    Command::Extend { days, reason: text("情况复杂") }
}

#[test]
fn a_petition_has_sixty_days_and_what_no_row_speaks_of_the_days_of_the_policy() {
    let (net, case) = assigned(Source::Petition, Matter::Request);
    assert_eq!(days(&net, case), 60);
    let (net, case) = assigned(Source::Grid, Matter::Dispute);
    assert_eq!(days(&net, case), 30);
}

#[test]
fn with_the_committee_that_takes_a_dispute_on_its_month_begins() {
    let (mut net, case) = assigned(Source::Grid, Matter::Dispute);
    net.now += 10 * DAY;
    net.act(GRID, case, open()).unwrap();
    let term = resolve_by(&net, case);
    assert_eq!(term.since, today(&net));
    assert!((28..=31).contains(&days(&net, case)), "a month: {}", days(&net, case));
}

#[test]
fn more_time_is_asked_for_by_who_works_and_given_by_who_leads_as_far_as_the_article_goes() {
    let (mut net, case) = assigned(Source::Petition, Matter::Request);
    net.act_as(GRID, case, ask(20), Role::GridWorker).unwrap();
    assert_eq!((net.case(GRID, case).extension_asked, days(&net, case)), (Some(20), 60), "asked is not given");
    assert_eq!(net.act_as(GRID, case, extend(20), Role::GridWorker).unwrap_err(), Refusal::RoleMissing);
    net.act(GRID, case, extend(20)).unwrap();
    assert_eq!((net.case(GRID, case).extension_asked, days(&net, case)), (None, 80));
    assert_eq!(net.act(GRID, case, extend(11)).unwrap_err(), Refusal::ExtensionTooLong, "thirty days in all");
    net.act(GRID, case, extend(10)).unwrap();
    assert_eq!(days(&net, case), 90);
}

#[test]
fn what_was_given_stays_when_the_term_stands_still_and_goes_on() {
    let (mut net, case) = assigned(Source::Petition, Matter::Request);
    net.act(GRID, case, extend(30)).unwrap();
    net.now += DAY;
    let pause = Command::Pause { ground: protocol::event::PauseGround::Hearing, on: None, note: text("") };
    net.act(GRID, case, pause).unwrap();
    net.now += 7 * DAY;
    net.act(GRID, case, Command::Resume { on: None, note: text("") }).unwrap();
    assert_eq!(days(&net, case), 97, "sixty, thirty more, and the seven that do not count");
}

#[test]
fn a_refusal_ends_the_asking_and_nobody_refuses_what_was_not_asked() {
    let (mut net, case) = assigned(Source::Petition, Matter::Request);
    let refuse = Command::RefuseExtension { reason: text("期限充足") };
    assert_eq!(net.act(GRID, case, refuse.clone()).unwrap_err(), Refusal::NothingAsked);
    net.act(GRID, case, ask(5)).unwrap();
    net.act(GRID, case, refuse).unwrap();
    assert_eq!((net.case(GRID, case).extension_asked, days(&net, case)), (None, 60));
}
