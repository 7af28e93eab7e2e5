//! Who is in a case, and what its report says: put right, completed, turned.

use casework::{ActionName, Amendment, Command, Refusal, Role, Seat, evolve, next_actions};
use protocol::bounded::List;
use protocol::event::{AgreementForm, Category, Ending, Matter, MediationEnd, Participant, Standing, WideAct};
use protocol::grading::{Answers, Known as Told};
use protocol::id::CaseId;
use protocol::warning::Warning;
use protocol::wire::kind::Kind;

use crate::mediation::{consent, draw, open as mediate};
use crate::net::{CITY, COUNTY, GRID, Net, TOWN, actor, answers, intake, somebody, text};

fn join(people: Vec<Participant>) -> Command {
    Command::Join { people: List::new(people).unwrap() }
}

fn amend(change: impl FnOnce(&mut Amendment)) -> Command {
    let mut amendment = Amendment { reason: text("核实"), ..Amendment::default() };
    change(&mut amendment);
    Command::Amend(amendment)
}

fn names(net: &Net, node: usize, case: CaseId) -> Vec<(u16, String, bool)> {
    let named = |seat: &Seat| (seat.number, seat.who.as_ref().unwrap().name.to_string(), seat.left);
    net.case(node, case).seats.iter().map(named).collect()
}

#[test]
fn whoever_joins_gets_a_number_that_nobody_had() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    let reported = names(&net, GRID, case).len();
    net.act(GRID, case, join(vec![somebody("王五"), somebody("赵六")])).unwrap();
    let wang = u16::try_from(reported).unwrap() + 1;
    net.act(GRID, case, Command::Leave { party: wang, note: text("撤回") }).unwrap();
    net.act(GRID, case, join(vec![somebody("孙七")])).unwrap();
    let joined = names(&net, GRID, case).split_off(reported);
    let expected = [(wang, "王五", true), (wang + 1, "赵六", false), (wang + 2, "孙七", false)];
    assert_eq!(joined, expected.map(|(number, name, left)| (number, name.to_owned(), left)));
    let gone = net.act(GRID, case, Command::Leave { party: wang, note: text("") }).unwrap_err();
    assert_eq!(gone, Refusal::UnknownParty, "who has left is not there");
}

#[test]
fn who_speaks_for_a_party_names_one_that_is_there() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    let speaker = |party| {
        join(vec![Participant { standing: Standing::Representative, speaks_for: party, ..somebody("王律师") }])
    };
    for missing in [None, Some(99), Some(3)] {
        assert_eq!(net.act(GRID, case, speaker(missing)).unwrap_err(), Refusal::UnknownParty, "{missing:?}");
    }
    net.act(GRID, case, speaker(Some(1))).unwrap();
    let nameless = net.act(GRID, case, join(vec![somebody(" ")])).unwrap_err();
    assert_eq!(nameless, Refusal::NameMissing);
}

#[test]
fn what_was_known_of_a_party_before_stays_to_be_seen() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    let before = net.case(GRID, case).seats[0].who.clone().unwrap();
    let entry = Participant { name: text("张三丰"), ..(*before).clone() };
    net.act(GRID, case, Command::AmendParty { party: 1, entry: entry.clone() }).unwrap();
    let seat = net.case(GRID, case).seats[0].clone();
    assert_eq!((seat.who.as_deref(), seat.before), (Some(&entry), vec![before]));
    let again = net.act(GRID, case, Command::AmendParty { party: 1, entry }).unwrap_err();
    assert_eq!(again, Refusal::NothingChanges);
}

#[test]
fn a_name_that_comes_later_leaves_the_summary_that_goes_up() {
    let mut net = Net::new();
    let mut report = intake(7, Ending::SettleHere, answers(true, 0));
    report.summary = Some(text("王五建材店门前争执"));
    let case = report.case;
    net.open(GRID, report).unwrap();
    net.act(GRID, case, join(vec![somebody("王五")])).unwrap();
    net.settle();
    for node in [GRID, CITY] {
        let summary = net.case(node, case).brief.summary;
        assert!(!summary.contains("王五") && !summary.is_empty(), "{node}: {summary:?}");
    }
}

#[test]
fn levels_above_see_that_somebody_joined_and_never_who() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    net.act(GRID, case, join(vec![somebody("王五")])).unwrap();
    net.settle();
    net.agree(&[GRID, COUNTY, CITY], case);
    let seats = net.case(CITY, case).seats;
    assert!(seats.iter().all(|seat| seat.who.is_none()) && !seats.is_empty(), "{seats:?}");
}

#[test]
fn people_go_with_the_case_to_its_next_owner() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    net.act(GRID, case, join(vec![somebody("王五")])).unwrap();
    net.settle();
    net.accept(TOWN, case);
    assert_eq!(names(&net, TOWN, case), names(&net, GRID, case));
    net.act(TOWN, case, join(vec![somebody("赵六")])).unwrap();
    assert_eq!(names(&net, TOWN, case).len(), names(&net, GRID, case).len() + 1);
}

#[test]
fn a_case_that_an_older_program_could_not_read_is_offered_so_that_it_refuses_and_the_offer_ends_then() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    let kinds = |net: &Net| net.mail.iter().map(|mail| mail.body.kind().0).collect::<Vec<_>>();
    let wide = Kind(20).understood_or_refused();
    // It was offered as every program reads it, and holds more since.
    net.act(GRID, case, join(vec![somebody("王五")])).unwrap();
    assert!(kinds(&net).contains(&wide), "{:?}", kinds(&net));
    let offer = net.waiting(TOWN, case);
    let known = net.known(GRID, case);
    let (town, county) = (net.id(TOWN), net.id(COUNTY));
    let mut by = |node| net.world(GRID, |world| casework::refused_as_unknown(&known, offer, node, world));
    assert!(by(county).is_none(), "only who was asked can refuse");
    let ended = by(town).unwrap();
    net.adopt(GRID, case, ended);
    net.settle();
    assert_eq!(net.case(GRID, case).offered, None);
    net.act(GRID, case, Command::Offer { to: town }).unwrap();
    assert!(kinds(&net).contains(&wide) && !kinds(&net).contains(&Kind(20)), "{:?}", kinds(&net));
    net.settle();
    net.accept(TOWN, case);
    assert_eq!(net.case(TOWN, case).seats.len(), 3);
}

#[test]
fn a_report_that_is_put_right_says_from_then_on_what_holds_and_only_what_changes_is_asked() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    let before = net.case(GRID, case);
    let wanted = amend(|it| {
        it.category = Some(Category(402));
        it.title = Some(text("物业费之争"));
    });
    net.act(GRID, case, wanted.clone()).unwrap();
    let after = net.case(GRID, case);
    let report = after.report.clone().unwrap();
    assert_eq!((after.brief.category, report.title.as_str()), (Category(402), "物业费之争"));
    assert_eq!(report.narrative, before.report.unwrap().narrative);
    assert_eq!((after.brief.step, after.brief.next_term), (before.brief.step, before.brief.next_term));
    assert_eq!(net.act(GRID, case, wanted).unwrap_err(), Refusal::NothingChanges);
    let refused = [
        (amend(|it| it.category = Some(Category(9_998))), Refusal::UnknownCategory),
        (amend(|it| it.place = Some("110101001001".parse().unwrap())), Refusal::OutsideArea),
        (amend(|it| it.title = Some(text(" "))), Refusal::TitleMissing),
    ];
    for (command, refusal) in refused {
        assert_eq!(net.act(GRID, case, command).unwrap_err(), refusal);
    }
}

#[test]
fn more_people_than_was_thought_raise_the_case_at_once_and_fewer_lower_nothing() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    let many = amend(|it| {
        it.head_count = Some(25);
        it.answers = Some(Answers { petition_talk: Told::Yes, ..Answers::default() });
    });
    net.act(GRID, case, many).unwrap();
    net.settle();
    let raised = net.case(CITY, case);
    assert_eq!((raised.level(), raised.brief.head_count), (net.case(GRID, case).level(), 25));
    assert_eq!(raised.level(), Some(Warning::Orange));
    net.act(GRID, case, amend(|it| it.head_count = Some(2))).unwrap();
    let fewer = net.case(GRID, case);
    assert_eq!((fewer.level(), fewer.brief.head_count), (raised.level(), 2), "to lower it needs its approval");
}

#[test]
fn advice_becomes_a_request_and_then_a_dispute_under_its_number_with_nothing_typed_again() {
    let mut net = Net::new();
    let mut report = intake(7, Ending::SettleHere, answers(false, 0));
    report.matter = Matter::Consultation;
    let (case, title) = (report.case, report.title.clone());
    net.open(GRID, report).unwrap();
    assert_eq!(net.case(GRID, case).level(), None);
    let turn = |into| Command::Turn { into, category: None, answers: answers(true, 0), note: text("要求调解") };
    net.act(GRID, case, turn(Matter::Request)).unwrap();
    net.act(GRID, case, turn(Matter::Dispute)).unwrap();
    net.settle();
    let dispute = net.case(GRID, case);
    assert_eq!((dispute.brief.matter, dispute.level()), (Matter::Dispute, Some(Warning::Red)));
    assert_eq!(dispute.report.unwrap().title, title);
    assert_eq!(net.case(CITY, case).brief.matter, Matter::Dispute, "it rose, and is followed from its first header");
    assert_eq!(net.act(GRID, case, turn(Matter::Request)).unwrap_err(), Refusal::NotTurned);
    let known = net.known(GRID, case);
    let offered = net.world(GRID, |world| next_actions(&known, world.me, &actor(Role::Clerk), world.holds));
    assert!(!offered.contains(&ActionName::Turn), "{offered:?}");
}

#[test]
fn a_case_is_linked_to_another_once() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    let link = |to| Command::Link { to, note: text("同一楼盘") };
    let other = CaseId::from_bytes([9; 16]);
    net.act(GRID, case, link(other)).unwrap();
    assert_eq!(net.case(GRID, case).linked, [other]);
    for nothing in [other, case] {
        assert_eq!(net.act(GRID, case, link(nothing)).unwrap_err(), Refusal::NothingChanges);
    }
}

#[test]
fn where_the_report_is_not_held_numbers_go_on_above_any_that_it_can_have() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    net.act(COUNTY, case, Command::TakeOver { reason: text("网格失联") }).unwrap();
    assert!(net.case(COUNTY, case).report.is_none(), "what was private is with the lost owner");
    net.act(COUNTY, case, join(vec![somebody("王五")])).unwrap();
    assert_eq!(names(&net, COUNTY, case), [(65, "王五".to_owned(), false)]);
}

#[test]
fn an_event_that_claims_more_people_than_one_can_name_seats_no_more() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    net.act(GRID, case, join(vec![somebody("王五")])).unwrap();
    let mut event = net.known(GRID, case).history().last().unwrap();
    event.header.act = WideAct::Joined { first: 100, count: u16::MAX }.into();
    event.private = None;
    let after = evolve(Some(net.case(GRID, case)), &event);
    assert_eq!(after.seats.iter().filter(|seat| seat.number >= 100).count(), 16);
}

#[test]
fn a_case_takes_so_many_people_links_mediations_and_agreements_and_no_more() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    let sixteen = || join(vec![somebody("王五"); 16]);
    for _ in 0..9 {
        net.act(GRID, case, sixteen()).unwrap();
    }
    assert_eq!(net.act(GRID, case, sixteen()).unwrap_err(), Refusal::CaseFull);
    let link = |other: u8| Command::Link { to: CaseId::from_bytes([100 + other; 16]), note: text("") };
    for other in 0..64 {
        net.act(GRID, case, link(other)).unwrap();
    }
    assert_eq!(net.act(GRID, case, link(64)).unwrap_err(), Refusal::CaseFull);
    net.act(GRID, case, Command::File).unwrap();
    let end = || Command::EndMediation { ground: MediationEnd::NoAgreement, on: None, note: text("") };
    for _ in 0..7 {
        net.act(GRID, case, mediate()).unwrap();
        net.act(GRID, case, end()).unwrap();
    }
    net.act(GRID, case, mediate()).unwrap();
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    let drafted = |number| draw(AgreementForm::Written, number, |_| {});
    for number in 1..=32 {
        net.act(GRID, case, drafted(number)).unwrap();
    }
    assert_eq!(net.act(GRID, case, drafted(33)).unwrap_err(), Refusal::CaseFull);
    net.act(GRID, case, end()).unwrap();
    assert_eq!(net.act(GRID, case, mediate()).unwrap_err(), Refusal::MediationOpen, "eight were tried");
}

#[test]
fn who_is_told_apart_by_a_number_joins_once_and_two_of_one_name_may_both_be_there() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    let with = |phone: &str| Participant { phone: text(phone), ..somebody("王五") };
    let join = |who| Command::Join { people: List::new(vec![who]).unwrap() };
    net.act(GRID, case, join(with("13900139000"))).unwrap();
    assert_eq!(net.act(GRID, case, join(with("13900139000"))), Err(Refusal::AlreadyIn));
    net.act(GRID, case, join(with("13900139001"))).unwrap();
    net.act(GRID, case, join(with(""))).unwrap();
    net.act(GRID, case, join(with(""))).expect("nothing tells whether it is the same one");
}

#[test]
fn a_report_names_each_of_its_parties() {
    let mut net = Net::new();
    let mut report = intake(9, Ending::SettleHere, answers(false, 0));
    let nobody = protocol::event::Party { name: text("  "), ..report.parties[0].clone() };
    report.parties = List::new(vec![nobody]).unwrap();
    assert_eq!(net.open(GRID, report), Err(Refusal::NameMissing));
}
