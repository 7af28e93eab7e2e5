//! Mediation: nobody is mediated against their will, an agreement holds from the mark that completes it, and its papers are
//! counted.

use casework::{
    ActionName, Command, Draw, Hold, NoteConfirmation, OpenMediation, Refusal, Role, Seek, Sign, next_actions,
};
use protocol::bounded::{List, Text};
use protocol::event::{
    AgreementForm, Category, Confirmation, Ending, Instalment, Kept, Mark, MediationEnd, MediationSource, Outcome,
    SessionKind,
};
use protocol::id::CaseId;
use protocol::time::CivilDay;
use protocol::unit::UnitCode;

use crate::net::{CITY, GRID, Net, TOWN, actor, answers, intake, police, somebody, text};

const DAY: i64 = 86_400_000;

/// A case in whose first step it was filed, assigned and worked on, with a mediation.
fn mediated() -> (Net, CaseId) {
    let (mut net, case) = in_progress(Category(201));
    net.act(GRID, case, open()).unwrap();
    (net, case)
}

fn in_progress(category: Category) -> (Net, CaseId) {
    let mut net = Net::new();
    let mut report = intake(7, Ending::SettleHere, answers(true, 0));
    report.category = category;
    let case = report.case;
    net.open(GRID, report).unwrap();
    let steps = [
        Command::File,
        police(),
        Command::Assign { unit: UnitCode(1), note: text("") },
        Command::Progress { note: text("上门一次") },
    ];
    for step in steps {
        net.act(GRID, case, step).unwrap();
    }
    (net, case)
}

pub(crate) fn open() -> Command {
    OpenMediation {
        source: MediationSource::Application,
        committee: UnitCode(1),
        on: None,
        mediators: List::new(vec![text("王调解")]).unwrap(),
        chosen: true,
        closed: false,
        note: text("请求调解通道之争"),
    }
    .into()
}

pub(crate) fn consent(parties: &[u16], agree: bool) -> Command {
    Command::Consent { parties: List::new(parties.to_vec()).unwrap(), agree, on: None, note: text("") }
}

pub(crate) fn draw(form: AgreementForm, number: u32, change: impl FnOnce(&mut Draw)) -> Command {
    let mut asked = Draw {
        form,
        parties: List::new(vec![1, 2]).unwrap(),
        on: None,
        facts: text("双方为通道争执"),
        issue: text("通道归属"),
        terms: text("李四让出通道一米"),
        manner: text("三日内"),
        amount_fen: Some(50_000),
        plan: List::default(),
        electronic: false,
        mediator: text("王调解"),
    };
    change(&mut asked);
    Command::Draw { asked, number: Some(number) }
}

fn sign(parties: &[u16], mediator: bool, committee: bool, mark: Mark) -> Command {
    let parties = List::new(parties.to_vec()).unwrap();
    Sign { agreement: 1, parties, mediator, committee, mark, on: None, note: text("") }.into()
}

fn seek() -> Command {
    Seek { agreement: 1, on: None, court: text("越城区人民法院"), note: text("") }.into()
}

fn today(net: &Net) -> CivilDay {
    CivilDay::of(protocol::time::UnixMillis(net.now))
}

#[test]
fn an_agreement_holds_from_the_day_of_the_last_mark_that_the_law_asks_for() {
    let (mut net, case) = mediated();
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    net.act(GRID, case, draw(AgreementForm::Written, 1, |_| {})).unwrap();
    for marks in [sign(&[1, 2], false, false, Mark::Signature), sign(&[], true, false, Mark::Signature)] {
        net.act(GRID, case, marks).unwrap();
        assert_eq!(net.case(GRID, case).agreements[0].in_effect(), None);
    }
    let once_more = net.act(GRID, case, sign(&[1], true, false, Mark::Signature)).unwrap_err();
    assert_eq!(once_more, Refusal::NothingChanges, "who has signed has signed");
    net.now += 3 * DAY;
    net.act(GRID, case, sign(&[], false, true, Mark::Seal)).unwrap();
    assert_eq!(net.case(GRID, case).agreements[0].in_effect(), Some(today(&net)), "the seal of the committee was last");
    let again = net.act(GRID, case, sign(&[1], false, false, Mark::Signature)).unwrap_err();
    assert_eq!(again, Refusal::AlreadyInEffect);
}

#[test]
fn an_oral_agreement_holds_at_once() {
    let (mut net, case) = mediated();
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    net.act(GRID, case, draw(AgreementForm::Oral, 1, |_| {})).unwrap();
    assert_eq!(net.case(GRID, case).agreements[0].in_effect(), Some(today(&net)));
}

#[test]
fn nobody_is_mediated_against_their_will() {
    let (mut net, case) = mediated();
    let drawn = |net: &mut Net| net.act(GRID, case, draw(AgreementForm::Oral, 1, |_| {})).map(drop);
    assert_eq!(drawn(&mut net), Err(Refusal::NotConsented), "nobody was asked yet");
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    net.act(GRID, case, consent(&[2], false)).unwrap();
    assert_eq!(drawn(&mut net), Err(Refusal::PartyRefuses), "consent can be taken back");
    let end = Command::EndMediation { ground: MediationEnd::Refused, on: None, note: text("") };
    net.act(GRID, case, end.clone()).unwrap();
    assert_eq!(net.act(GRID, case, end).unwrap_err(), Refusal::NoMediation);
    net.act(GRID, case, open()).unwrap();
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    assert_eq!(drawn(&mut net), Ok(()), "another mediation begins anew");
}

#[test]
fn what_people_mediation_may_not_take_it_does_not_take() {
    let (mut net, case) = in_progress(Category(1101));
    assert_eq!(net.act(GRID, case, open()).unwrap_err(), Refusal::NotAdmissible);
}

#[test]
fn a_case_under_mediation_is_settled_by_an_agreement_in_effect_and_not_settled_by_its_end() {
    let (mut net, case) = mediated();
    let resolve = |outcome| Command::Resolve { outcome, terms: text("x"), amount_fen: None };
    let refused = |net: &mut Net, outcome| net.act(GRID, case, resolve(outcome)).unwrap_err();
    assert_eq!(refused(&mut net, Outcome::Successful), Refusal::NothingAgreed);
    assert_eq!(refused(&mut net, Outcome::Unsuccessful), Refusal::MediationOpen);
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    net.act(GRID, case, draw(AgreementForm::Oral, 1, |_| {})).unwrap();
    net.act(GRID, case, resolve(Outcome::Successful)).unwrap();
    let fact = net.known(GRID, case).fact().unwrap().clone();
    assert_eq!(fact.channel.map(|channel| channel.0), Some(1), "people's mediation");
}

#[test]
fn a_mediation_that_ends_in_a_referral_has_failed_and_is_counted_so() {
    let (mut net, case) = mediated();
    net.act(GRID, case, Command::EndMediation { ground: MediationEnd::NoAgreement, on: None, note: text("") }).unwrap();
    net.act(GRID, case, Command::Refer { channel: text("court"), note: text("移送法院") }).unwrap();
    assert_eq!(net.case(GRID, case).brief.outcome, Some(Outcome::Unsuccessful));
}

#[test]
fn papers_of_marriage_and_inheritance_are_not_signed_electronically_and_others_only_when_it_was_agreed() {
    let (mut net, case) = in_progress(Category(101));
    net.act(GRID, case, open()).unwrap();
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    let electronic = |asked: &mut Draw| asked.electronic = true;
    let refused = net.act(GRID, case, draw(AgreementForm::Written, 1, electronic)).unwrap_err();
    assert_eq!(refused, Refusal::NotElectronic);

    let (mut net, case) = mediated();
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    net.act(GRID, case, draw(AgreementForm::Written, 1, |_| {})).unwrap();
    let by_wire = sign(&[1], false, false, Mark::Electronic);
    assert_eq!(net.act(GRID, case, by_wire.clone()).unwrap_err(), Refusal::NotElectronic);
    net.act(GRID, case, Command::DropAgreement { agreement: 1, note: text("改为电子签") }).unwrap();
    net.act(GRID, case, draw(AgreementForm::Written, 2, electronic)).unwrap();
    let by_wire = Sign {
        agreement: 2,
        parties: List::new(vec![1]).unwrap(),
        mediator: false,
        committee: false,
        mark: Mark::Electronic,
        on: None,
        note: text(""),
    };
    net.act(GRID, case, by_wire.into()).unwrap();
}

#[test]
fn a_court_is_asked_within_thirty_days_and_answers_once() {
    let (mut net, case) = mediated();
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    net.act(GRID, case, draw(AgreementForm::Oral, 1, |_| {})).unwrap();
    let since = today(&net);
    assert_eq!(net.case(GRID, case).agreements[0].confirmable_until(), Some(since.plus(30)));
    let confirmed = Command::from(NoteConfirmation {
        agreement: 1,
        result: Confirmation::Confirmed,
        on: None,
        court: text("越城区人民法院"),
        number: text("(2026)浙0602民特1号"),
        note: text(""),
    });
    assert_eq!(net.act(GRID, case, confirmed.clone()).unwrap_err(), Refusal::NotSought, "nobody has asked");
    net.now += 31 * DAY;
    assert_eq!(net.act(GRID, case, seek()).unwrap_err(), Refusal::ConfirmationLate);
    net.now -= DAY;
    net.act(GRID, case, seek()).unwrap();
    net.act(GRID, case, confirmed.clone()).unwrap();
    assert_eq!(net.act(GRID, case, confirmed).unwrap_err(), Refusal::NothingChanges);
    assert_eq!(net.case(GRID, case).agreements[0].decided.map(|(result, _)| result), Some(Confirmation::Confirmed));
}

#[test]
fn how_an_agreement_is_kept_is_noted_until_the_archive_and_by_its_plan() {
    let (mut net, case) = mediated();
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    let due = today(&net).plus(10);
    let plan = vec![Instalment { by: 2, due, amount_fen: Some(50_000), what: Text::default() }];
    net.act(GRID, case, draw(AgreementForm::Oral, 1, |asked| asked.plan = List::new(plan).unwrap())).unwrap();
    net.act(GRID, case, Command::Resolve { outcome: Outcome::Successful, terms: text("和"), amount_fen: None })
        .unwrap();
    net.act(GRID, case, Command::fed_back(text(""))).unwrap();
    let perform = |instalment| Command::Perform {
        agreement: 1,
        instalment,
        on: None,
        amount_fen: Some(50_000),
        note: text("收条"),
    };
    assert_eq!(net.act(GRID, case, perform(2)).unwrap_err(), Refusal::UnknownInstalment);
    net.act(GRID, case, perform(1)).unwrap();
    let visit = Command::VisitAgain { agreement: 1, kept: Kept::Fully, on: None, note: text("双方满意") };
    net.act(GRID, case, visit).unwrap();
    let agreement = net.case(GRID, case).agreements[0].clone();
    assert_eq!((agreement.performed.len(), agreement.visits.last().map(|visit| visit.0)), (1, Some(Kept::Fully)));
}

#[test]
fn above_it_is_seen_that_an_agreement_is_in_effect_and_not_what_it_says() {
    let (mut net, case) = mediated();
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    net.act(GRID, case, draw(AgreementForm::Oral, 7, |_| {})).unwrap();
    net.settle();
    net.agree(&[GRID, CITY], case);
    let agreement = net.case(CITY, case).agreements[0].clone();
    assert_eq!((agreement.paper.number, agreement.in_effect()), (7, Some(today(&net))));
    assert_eq!(net.known(CITY, case).agreement_words(1), None);
    assert!(net.known(GRID, case).agreement_words(1).is_some());
}

#[test]
fn an_agreement_goes_with_its_case_and_is_signed_by_the_next_owner() {
    let (mut net, case) = mediated();
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    net.act(GRID, case, draw(AgreementForm::Written, 1, |_| {})).unwrap();
    let town = net.id(TOWN);
    net.act(GRID, case, Command::Offer { to: town }).unwrap();
    net.settle();
    net.accept(TOWN, case);
    net.act(TOWN, case, sign(&[1, 2], true, true, Mark::Fingerprint)).unwrap();
    assert_eq!(net.case(TOWN, case).agreements[0].in_effect(), Some(today(&net)));
}

#[test]
fn buttons_of_mediation_show_when_there_is_something_to_do() {
    let (mut net, case) = in_progress(Category(201));
    let shown = |net: &mut Net| {
        let known = net.known(GRID, case);
        net.world(GRID, |world| next_actions(&known, world.me, &actor(Role::Mediator), world.holds))
    };
    let before = shown(&mut net);
    assert!(before.contains(&ActionName::OpenMediation) && !before.contains(&ActionName::Draw), "{before:?}");
    net.act(GRID, case, open()).unwrap();
    let open = shown(&mut net);
    assert!(open.contains(&ActionName::Draw) && !open.contains(&ActionName::Sign), "{open:?}");
    assert!(!open.contains(&ActionName::OpenMediation), "{open:?}");
}

#[test]
fn a_party_is_counted_once_and_a_witness_agrees_to_nothing() {
    let (mut net, case) = mediated();
    let witness =
        protocol::event::Participant { standing: protocol::event::Standing::Witness, ..somebody("孙阿大") };
    net.act(GRID, case, Command::Join { people: List::new(vec![witness]).unwrap() }).unwrap();
    assert_eq!(net.act(GRID, case, consent(&[3], true)).unwrap_err(), Refusal::NotAParty);
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    let alone = draw(AgreementForm::Written, 1, |asked| asked.parties = List::new(vec![1, 1]).unwrap());
    assert_eq!(net.act(GRID, case, alone).unwrap_err(), Refusal::TwoPartiesNeeded);
}

#[test]
fn a_draft_is_not_signed_once_consent_was_taken_back() {
    let (mut net, case) = mediated();
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    net.act(GRID, case, draw(AgreementForm::Written, 1, |_| {})).unwrap();
    net.act(GRID, case, consent(&[2], false)).unwrap();
    let signed = net.act(GRID, case, sign(&[1, 2], true, true, Mark::Signature)).unwrap_err();
    assert_eq!(signed, Refusal::PartyRefuses);
}

#[test]
fn what_is_agreed_and_in_effect_has_not_failed() {
    let (mut net, case) = mediated();
    net.act(GRID, case, consent(&[1, 2], true)).unwrap();
    net.act(GRID, case, draw(AgreementForm::Oral, 1, |_| {})).unwrap();
    let end = Command::EndMediation { ground: MediationEnd::NoAgreement, on: None, note: text("") };
    assert_eq!(net.act(GRID, case, end).unwrap_err(), Refusal::Agreed);
    let failed = Command::Resolve { outcome: Outcome::Unsuccessful, terms: text("x"), amount_fen: None };
    assert_eq!(net.act(GRID, case, failed).unwrap_err(), Refusal::Agreed);
}

#[test]
fn what_was_held_lies_within_one_day() {
    let (mut net, case) = mediated();
    let hold = |minutes| -> Command {
        Hold {
            kind: SessionKind::Visit,
            on: None,
            minutes: Some(minutes),
            place: text(""),
            present: List::default(),
            others: text(""),
            led_by: text(""),
            recorder: text(""),
            record: text("走访"),
            result: text(""),
        }
        .into()
    };
    for wrong in [(660, 540), (5_000, 6_000)] {
        assert_eq!(net.act(GRID, case, hold(wrong)).unwrap_err(), Refusal::TimeOutOfRange);
    }
    net.act(GRID, case, hold((540, 660))).unwrap();
}
