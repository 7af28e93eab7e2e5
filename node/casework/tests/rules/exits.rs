//! Ways out of the loop and back into it, and terms that stand still.

use casework::{ActionName, Command, Exit, Refusal, Role, evolve, next_actions};
use protocol::bounded::Blob;
use protocol::event::{
    Act, CaseEvent, Content, Contentment, DeclineGround, Ending, Outcome, PauseGround, Step, TermKind, ToldBy,
    WideContent, Wider,
};
use protocol::fact::Channel;
use protocol::id::CaseId;
use protocol::unit::UnitCode;

use crate::net::{CITY, COUNTY, GRID, Net, TOWN, actor, answers, text};

const DAY: i64 = 86_400_000;

fn decline() -> Command {
    Command::Reject { ground: DeclineGround::OtherProcedure, note: text("请向法院起诉") }
}

fn refer(channel: &str) -> Command {
    Command::Refer { channel: text(channel), note: text("移送法院") }
}

fn reopen() -> Command {
    Command::Reopen { reason: text("当事人反悔") }
}

fn all(net: &mut Net, case: CaseId, commands: Vec<Command>) {
    for command in commands {
        net.act(GRID, case, command).unwrap();
    }
}

fn in_progress() -> Vec<Command> {
    vec![
        Command::File,
        Command::Assign { unit: UnitCode(1), note: text("") },
        Command::Progress { note: text("上门一次") },
    ]
}

fn resolve() -> Command {
    Command::Resolve { outcome: Outcome::Successful, terms: text("和解"), amount_fen: Some(100) }
}

#[test]
fn a_case_that_is_declined_is_told_assessed_and_archived_and_nothing_of_it_is_overdue() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    net.act(GRID, case, decline()).unwrap();
    assert_eq!(net.act(GRID, case, Command::File).unwrap_err(), Refusal::WrongStep);
    let after = net.case(GRID, case);
    assert_eq!(after.exit, Some(Exit::Declined(DeclineGround::OtherProcedure)));
    assert_eq!(after.brief.next_term.map(|term| term.kind), Some(TermKind::FeedBack));
    let running = |net: &Net| -> Vec<TermKind> {
        net.known(GRID, case).fact().unwrap().running_terms().map(|term| term.kind).collect()
    };
    assert_eq!(running(&net), [TermKind::FeedBack]);
    assert_eq!(net.act(GRID, case, Command::Archive).unwrap_err(), Refusal::WrongStep, "who asked is told first");
    let rest = vec![Command::fed_back(text("已告知")), Command::Assess { score: 3, note: text("") }, Command::Archive];
    all(&mut net, case, rest);
    assert_eq!(running(&net), []);
    assert_eq!(net.case(GRID, case).brief.outcome, Some(Outcome::Other));
}

#[test]
fn nothing_is_declined_once_it_is_assigned() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    all(&mut net, case, in_progress());
    assert_eq!(net.act(GRID, case, decline()).unwrap_err(), Refusal::WrongStep);
    net.act(GRID, case, Command::Withdraw { note: text("双方已自行和好") }).unwrap();
    assert_eq!(net.case(GRID, case).exit, Some(Exit::Withdrawn));
}

#[test]
fn a_case_is_referred_to_a_channel_that_its_category_admits_and_to_no_other() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    assert_eq!(net.act(GRID, case, refer("discipline")).unwrap_err(), Refusal::NotAdmissible);
    assert_eq!(net.act(GRID, case, refer("moon")).unwrap_err(), Refusal::UnknownChannel);
    net.act(GRID, case, refer("court")).unwrap();
    let number = net.holds.categories.channel_number("court").unwrap();
    assert_eq!(net.known(GRID, case).fact().unwrap().channel, Some(Channel(number)));
}

#[test]
fn what_was_settled_is_opened_again_and_its_figures_go_with_it() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    all(&mut net, case, in_progress());
    assert_eq!(net.act(GRID, case, reopen()).unwrap_err(), Refusal::WrongStep, "it is open");
    all(&mut net, case, vec![resolve(), Command::fed_back(text("")), reopen()]);
    let (after, known) = (net.case(GRID, case), net.known(GRID, case));
    let fact = known.fact().unwrap();
    assert_eq!((after.brief.step, after.brief.outcome, after.reopened), (Step::InProgress, None, 1));
    assert_eq!((fact.step(), fact.outcome, fact.resolved_at), (Step::InProgress, None, None));
    let running: Vec<TermKind> = fact.running_terms().map(|term| term.kind).collect();
    assert_eq!(running, [TermKind::Resolve]);
    let rest =
        vec![resolve(), Command::fed_back(text("")), Command::Assess { score: 4, note: text("") }, Command::Archive];
    all(&mut net, case, rest);
    assert_eq!(net.act(GRID, case, reopen()).unwrap_err(), Refusal::IsArchived);
}

#[test]
fn a_declined_case_that_is_opened_again_goes_on_where_it_was() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    all(&mut net, case, vec![decline(), Command::fed_back(text("")), reopen()]);
    let after = net.case(GRID, case);
    assert_eq!((after.brief.step, after.exit), (Step::Reported, None));
    all(&mut net, case, in_progress());
}

#[test]
fn a_term_that_stands_still_is_provisional_and_ends_as_much_later() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    all(&mut net, case, in_progress());
    let before = net.case(GRID, case).brief.next_term.unwrap();
    // The first day of a term is not counted anyway.
    net.now += DAY;
    let pause = Command::Pause { ground: PauseGround::Assessment, on: None, note: text("") };
    net.act(GRID, case, pause.clone()).unwrap();
    assert_eq!(net.act(GRID, case, pause).unwrap_err(), Refusal::WrongStep, "it stands still already");
    net.now += 10 * DAY;
    net.act(GRID, case, Command::Progress { note: text("鉴定未完成") }).unwrap();
    assert!(net.case(GRID, case).brief.next_term.unwrap().provisional, "whatever is noted meanwhile");
    assert!(net.known(GRID, case).fact().unwrap().paused_since.is_some());
    net.act(GRID, case, Command::Resume { on: None, note: text("") }).unwrap();
    let after = net.case(GRID, case).brief.next_term.unwrap();
    assert_eq!((after.kind, after.since, after.provisional), (before.kind, before.since, false));
    assert_eq!(after.day, before.day.plus(10));
    assert_eq!(net.known(GRID, case).fact().unwrap().paused_minutes, 10 * 24 * 60);
    assert_eq!(net.act(GRID, case, Command::Resume { on: None, note: text("") }).unwrap_err(), Refusal::WrongStep);
}

#[test]
fn a_pause_is_entered_for_the_day_on_which_it_began() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    all(&mut net, case, in_progress());
    let (before, today) = (net.case(GRID, case).brief.next_term.unwrap(), net.case(GRID, case).changed_at.day());
    net.now += 6 * DAY;
    let pause = |days| Command::Pause { ground: PauseGround::Hearing, on: Some(today.plus(days)), note: text("") };
    assert_eq!(net.act(GRID, case, pause(7)).unwrap_err(), Refusal::DayAhead);
    assert_eq!(net.act(GRID, case, pause(-9)).unwrap_err(), Refusal::DayTooEarly);
    net.act(GRID, case, pause(2)).unwrap();
    let resume = |days| Command::Resume { on: Some(today.plus(days)), note: text("") };
    assert_eq!(net.act(GRID, case, resume(1)).unwrap_err(), Refusal::DayTooEarly);
    net.act(GRID, case, resume(5)).unwrap();
    assert_eq!(net.case(GRID, case).brief.next_term.unwrap().day, before.day.plus(3));
    let other = Command::Pause { ground: PauseGround::Other, on: None, note: text("") };
    assert_eq!(net.act(GRID, case, other).unwrap_err(), Refusal::ReasonMissing);
}

#[test]
fn levels_above_follow_a_red_case_through_all_of_it() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    net.accept(TOWN, case);
    let pause = Command::Pause { ground: PauseGround::Hearing, on: None, note: text("") };
    for command in [Command::File, pause, decline(), Command::fed_back(text("")), reopen()] {
        net.act(TOWN, case, command).unwrap();
        net.settle();
        net.agree(&[GRID, TOWN, COUNTY, CITY], case);
        let (owner, city) = (net.case(TOWN, case), net.case(CITY, case));
        assert_eq!((owner.brief, owner.exit, owner.pauses), (city.brief, city.exit, city.pauses));
    }
}

#[test]
fn of_an_act_of_a_later_version_the_brief_tells_and_the_chain_goes_on() {
    let (net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    let mut events: Vec<CaseEvent> = net.known(GRID, case).history().collect();
    let mut later = events.last().unwrap().header.clone();
    later.act = Act::Wider(Wider { code: 60_000, body: Blob::new(vec![1, 2, 3]).unwrap() });
    (later.number, later.brief.step) = (later.number + 1, Step::Assigned);
    events.push(CaseEvent { header: later, private: None });
    let after = events.iter().fold(None, |state, event| Some(evolve(state, event))).unwrap();
    assert_eq!((after.brief.step, after.head.number), (Step::Assigned, events.len() as u32));
}

#[test]
fn who_works_on_cases_may_pause_and_who_takes_them_in_may_decline() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    let offered = |net: &Net, role| next_actions(&net.known(GRID, case), net.nodes[GRID].me, &actor(role), &net.holds);
    assert!(offered(&net, Role::Mediator).contains(&ActionName::Pause));
    assert!(!offered(&net, Role::Mediator).contains(&ActionName::Reject));
    assert!(offered(&net, Role::Clerk).contains(&ActionName::Reject));
    assert!(!offered(&net, Role::Clerk).contains(&ActionName::Reopen), "it is open");
    net.act(GRID, case, decline()).unwrap();
    assert!(offered(&net, Role::Clerk).contains(&ActionName::Reopen));
}

#[test]
fn how_who_asked_was_told_is_said_by_its_way_and_its_day() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    net.act(GRID, case, decline()).unwrap();
    let told = |by, days| Command::FeedBack {
        note: text("已说明去向"),
        by,
        on: Some(protocol::time::CivilDay::of(protocol::time::UnixMillis(1_780_000_000_000)).plus(days)),
        content: Some(Contentment::Mostly),
    };
    assert_eq!(net.act(GRID, case, told(None, 0)).unwrap_err(), Refusal::WayMissing);
    assert_eq!(net.act(GRID, case, told(Some(ToldBy::Phone), 30)).unwrap_err(), Refusal::DayAhead);
    net.act(GRID, case, told(Some(ToldBy::Phone), 0)).unwrap();
    let words = net.known(GRID, case).history().last().unwrap().private.unwrap().1.content;
    let Content::Wider(said) = words else { panic!("{words:?}") };
    assert!(matches!(
        said.read(),
        Some(WideContent::FedBack { by: ToldBy::Phone, content: Some(Contentment::Mostly), .. })
    ));
}
