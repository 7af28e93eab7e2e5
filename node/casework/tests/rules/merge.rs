//! Two cases of one matter become one, with the people, the words and the higher level of both.

use casework::{Actor, Command, Intake, Refusal, Role};
use protocol::event::{Category, Ending, Matter, Participant, PartySide, Source, Standing, WideContent};
use protocol::id::CaseId;
use protocol::warning::Warning;

use crate::dossier::{all, window, worked};
use crate::mediation::{consent, open};
use crate::net::{CITY, GRID, Net, actor, answers, intake, somebody, text};

fn by() -> Actor {
    actor(Role::Supervisor)
}

/// A yellow case, and one of the same matter with people of its own.
fn two(second: Intake) -> (Net, CaseId, CaseId) {
    let mut net = Net::new();
    let (first, other) = (window(), second);
    let (stays, goes) = (first.case, other.case);
    net.open(GRID, first).unwrap();
    net.open(GRID, other).unwrap();
    (net, goes, stays)
}

fn second(violence: bool) -> Intake {
    Intake { source: Source::Visit, title: text("楼上漏水"), ..intake(2, Ending::SettleHere, answers(violence, 0)) }
}

fn merge(net: &mut Net, goes: CaseId, stays: CaseId, by: &Actor) -> Result<(), Refusal> {
    let (one, other) = (net.known(GRID, goes), net.known(GRID, stays));
    let (gone, stayed) = net.world(GRID, |world| casework::decide_pair(&one, &other, text("同一漏水点"), by, world))?;
    net.adopt(GRID, goes, gone);
    net.adopt(GRID, stays, stayed);
    Ok(())
}

#[test]
fn the_case_that_goes_is_struck_through_and_names_the_one_that_stays() {
    let (mut net, goes, stays) = two(second(false));
    merge(&mut net, goes, stays, &by()).unwrap();
    let (gone, stayed) = (net.case(GRID, goes), net.case(GRID, stays));
    assert_eq!((gone.brief.void, gone.merged_into, gone.brief.next_term), (true, Some(stays), None));
    assert_eq!((stayed.brief.void, stayed.linked), (false, vec![goes]));
    let words = net.known(GRID, stays).words_of(|act| matches!(act, protocol::event::WideAct::TookIn { .. }));
    assert!(matches!(words, Some(WideContent::TakenIn { title, .. }) if &*title == "楼上漏水"));
    assert_eq!(net.act(GRID, goes, Command::File), Err(Refusal::IsVoid));
}

#[test]
fn who_is_in_both_stays_one_and_who_speaks_for_somebody_speaks_for_them_under_their_new_number() {
    let (mut net, goes, stays) = two(second(false));
    let newcomer = somebody("王五");
    let lawyer = Participant {
        side: PartySide::Applicant,
        standing: Standing::Representative,
        speaks_for: Some(3),
        ..somebody("赵律师")
    };
    for who in [newcomer, lawyer] {
        all(&mut net, goes, vec![Command::Join { people: protocol::bounded::List::new(vec![who]).unwrap() }]);
    }
    merge(&mut net, goes, stays, &by()).unwrap();
    let seats = net.case(GRID, stays).seats;
    let people: Vec<_> = seats.iter().map(|seat| (seat.number, seat.who.as_ref().unwrap().name.to_string())).collect();
    let names = ["张三", "李四", "王五", "赵律师"].map(str::to_owned);
    assert_eq!(people, (1..).zip(names).collect::<Vec<_>>(), "the two of both cases are there once");
    assert_eq!(seats[3].who.as_ref().unwrap().speaks_for, Some(3));
}

#[test]
fn the_higher_level_stays_and_is_told_above() {
    let (mut net, goes, stays) = two(second(true));
    assert_eq!(net.case(GRID, stays).level(), Some(Warning::Yellow));
    merge(&mut net, goes, stays, &by()).unwrap();
    net.settle();
    assert_eq!(net.case(GRID, stays).level(), Some(Warning::Red));
    assert_eq!(net.case(CITY, stays).level(), Some(Warning::Red), "from its first header on");
    assert!(net.case(CITY, goes).brief.void);
}

#[test]
fn what_is_bound_already_is_not_put_together() {
    let other = |matter| Intake { matter, category: Category(1101), ..second(false) };
    for matter in [Matter::Consultation, Matter::Request] {
        let (mut net, goes, stays) = two(other(matter));
        assert_eq!(merge(&mut net, goes, stays, &by()), Err(Refusal::OtherCase), "{matter:?}");
    }
    let (mut net, goes, stays) = two(second(false));
    assert_eq!(merge(&mut net, stays, stays, &by()), Err(Refusal::OtherCase), "with itself");
    let unknown = CaseId::from_bytes([99; 16]);
    assert_eq!(merge(&mut net, goes, unknown, &by()), Err(Refusal::OtherCase));
    all(&mut net, goes, [worked(), vec![open(), consent(&[1, 2], true)]].concat());
    assert_eq!(merge(&mut net, goes, stays, &by()), Err(Refusal::OtherCase), "a mediation is under way");
    merge(&mut net, stays, goes, &by()).expect("the other way round it goes on");
}

#[test]
fn whoever_may_not_strike_out_a_case_puts_none_into_another() {
    let (mut net, goes, stays) = two(second(false));
    assert_eq!(merge(&mut net, goes, stays, &actor(Role::Mediator)), Err(Refusal::RoleMissing));
}
