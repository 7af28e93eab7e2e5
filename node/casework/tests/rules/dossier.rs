//! What papers of a case say, and what its dossier holds, on every way on which a case ends.

use std::collections::BTreeSet;

use casework::document::{Desk, Lack, Names, Paper, Piece, Sheet, Story, Way, back, cover, sheet};
use casework::dossier::{Dossier, Ground, Slot, State, blocking};
use casework::{Command, Intake, Known, Record, Refusal, Seek};
use protocol::bounded::List;
use protocol::division::DivisionCode;
use protocol::event::{Category, DeclineGround, Ending, Matter, Outcome, PauseGround, Source};
use protocol::id::{CaseId, NodeId};
use protocol::unit::UnitCode;

use crate::bonds::agreed;
use crate::net::{CITY, GRID, Net, TOWN, answers, intake, text};

struct Plain;

impl Names for Plain {
    fn division(&self, division: DivisionCode) -> String {
        division.to_string()
    }

    fn node(&self, _: NodeId) -> String {
        "塔山街道".to_owned()
    }
}

/// Tells what a node holds of a case.
pub(crate) fn told<T>(net: &Net, at: usize, known: &Known, tell: impl FnOnce(&Story<'_>, &Desk<'_>) -> T) -> T {
    let story = Story::of(known).expect("a case");
    tell(&story, &Desk { me: net.nodes[at].me.node, holds: &net.holds, names: &Plain })
}

pub(crate) fn dossier(net: &Net, at: usize, case: CaseId) -> Dossier {
    told(net, at, &net.known(at, case), Dossier::of)
}

pub(crate) fn state(dossier: &Dossier, slot: Slot) -> State {
    dossier.slots.iter().find(|held| held.row.slot == slot).expect("the slot").state
}

pub(crate) fn made(net: &Net, case: CaseId, paper: Paper) -> Result<Sheet, Lack> {
    told(net, GRID, &net.known(GRID, case), |story, desk| sheet(paper, story, desk))
}

/// All that a paper says, in one text.
pub(crate) fn read(sheet: &Sheet) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Heading(text) | Piece::Words(text) | Piece::To(text) | Piece::Next(text) => text.clone(),
        Piece::Middle(text) | Piece::End(text) => text.clone(),
        Piece::Form(rows) => {
            let row = |row: &casework::document::Row| {
                let fields = row.fields.iter().map(|(name, value)| format!("{name} {value}"));
                fields.chain(row.foot.iter().cloned()).collect::<Vec<_>>().join("\n")
            };
            rows.iter().map(row).collect::<Vec<_>>().join("\n")
        }
        Piece::Table { head, rows, .. } => {
            [head].into_iter().chain(rows).map(|row| row.join(" ")).collect::<Vec<_>>().join("\n")
        }
        Piece::Signatures(names) => names.join("\n"),
    };
    [sheet.title.clone()].into_iter().chain(sheet.pieces.iter().map(piece)).collect::<Vec<_>>().join("\n")
}

/// A dispute that came in at a window: people's mediation.
pub(crate) fn window() -> Intake {
    Intake { source: Source::Window, ..intake(1, Ending::SettleHere, answers(false, 0)) }
}

pub(crate) fn opened(intake: Intake) -> (Net, CaseId) {
    let mut net = Net::new();
    let case = intake.case;
    net.open(GRID, intake).expect("reported");
    (net, case)
}

pub(crate) fn all(net: &mut Net, case: CaseId, commands: Vec<Command>) {
    for command in commands {
        net.act(GRID, case, command).expect("allowed");
    }
}

pub(crate) fn worked() -> Vec<Command> {
    vec![
        Command::File,
        Command::Assign { unit: UnitCode(1), note: text("") },
        Command::Progress { note: text("双方到场陈述") },
    ]
}

pub(crate) fn resolved(outcome: Outcome, terms: &str) -> Command {
    Command::Resolve { outcome, terms: text(terms), amount_fen: Some(120_000) }
}

pub(crate) fn closed() -> Vec<Command> {
    vec![Command::fed_back(text("已电话告知")), Command::Assess { score: 4, note: text("及时") }]
}

#[test]
fn of_a_mediated_case_everything_is_made_but_what_people_bring() {
    let (mut net, case) = opened(window());
    all(&mut net, case, [worked(), vec![resolved(Outcome::Successful, "李四清理通道")], closed()].concat());
    let dossier = dossier(&net, GRID, case);
    assert_eq!((dossier.way, dossier.slots.len()), (Way::PeopleMediation, 13));
    for slot in [Slot::Opening, Slot::Rights, Slot::Record, Slot::Result, Slot::Visit, Slot::Explanation, Slot::Back] {
        assert_eq!(state(&dossier, slot), State::Made, "{slot:?}");
    }
    assert_eq!(dossier.missing().collect::<Vec<_>>(), [(Slot::Identity, Lack::NoNumber { parties: 2 })]);
    assert_eq!(state(&dossier, Slot::Evidence), State::Missing(Lack::Brought), "as needed, and so not missing");
    assert_eq!(state(&dossier, Slot::Investigation), State::Excused(Ground::NotSo));
    let agreement = read(&made(&net, case, Paper::Agreement).expect("made"));
    assert!(agreement.contains("李四清理通道") && agreement.contains("1200元"), "{agreement}");
    assert_eq!(blocking(&net.known(GRID, case), net.nodes[GRID].me.node, &net.holds), []);
}

#[test]
fn a_document_number_of_each_party_fills_the_slot_of_identity() {
    let mut report = window();
    let mut parties = report.parties.clone().into_vec();
    parties.iter_mut().for_each(|party| party.identity = text("330602199001011234"));
    report.parties = List::new(parties).expect("few");
    let (net, case) = opened(report);
    assert_eq!(state(&dossier(&net, GRID, case), Slot::Identity), State::Made);
    assert!(read(&made(&net, case, Paper::Identity).expect("made")).contains("330602199001011234"));
}

#[test]
fn whoever_is_declined_is_told_the_ground_with_its_article_and_the_rest_is_excused() {
    let (mut net, case) = opened(window());
    let note = text("请向法院起诉");
    all(&mut net, case, vec![Command::Reject { ground: DeclineGround::OtherProcedure, note }]);
    let notice = read(&made(&net, case, Paper::NotTakenOn).expect("made"));
    for said in ["张三", "《人民调解工作若干规定》第二十二条第一项", "请向法院起诉", "诉讼"]
    {
        assert!(notice.contains(said), "{said}: {notice}");
    }
    let dossier = dossier(&net, GRID, case);
    assert_eq!((state(&dossier, Slot::Opening), state(&dossier, Slot::Result)), (State::Made, State::Made));
    for slot in [Slot::Rights, Slot::Identity, Slot::Record, Slot::Visit] {
        assert_eq!(state(&dossier, slot), State::Excused(Ground::NotTakenOn), "{slot:?}");
    }
    assert_eq!(dossier.missing().next(), None);
    all(&mut net, case, [closed(), vec![Command::Archive]].concat());
}

#[test]
fn every_ground_of_declining_has_its_article_on_both_ways() {
    let petition = Intake { category: Category(1_101), source: Source::Petition, ..window() };
    for ground in [
        DeclineGround::Pending,
        DeclineGround::OtherProcedure,
        DeclineGround::Petitioned,
        DeclineGround::Discipline,
        DeclineGround::Refused,
        DeclineGround::OtherPlace,
        DeclineGround::Unfounded,
    ] {
        for report in [window(), petition.clone()] {
            let (mut net, case) = opened(report);
            all(&mut net, case, vec![Command::Reject { ground, note: text("") }]);
            let notice = read(&made(&net, case, Paper::NotTakenOn).expect("made"));
            assert!(notice.contains("依据《") && notice.contains("条"), "{ground:?}: {notice}");
        }
    }
}

#[test]
fn a_mediation_that_failed_ends_with_a_notice_that_names_the_other_ways() {
    let (mut net, case) = opened(window());
    all(&mut net, case, [worked(), vec![resolved(Outcome::Unsuccessful, "双方分歧较大")], closed()].concat());
    let notice = read(&made(&net, case, Paper::Termination).expect("made"));
    for said in ["终止调解", "第二十六条", "诉讼", "双方分歧较大", "张三、李四"] {
        assert!(notice.contains(said), "{said}: {notice}");
    }
    assert_eq!(made(&net, case, Paper::Agreement), Err(Lack::NotSo));
    assert_eq!(state(&dossier(&net, GRID, case), Slot::Result), State::Made);
    all(&mut net, case, vec![Command::Archive]);
}

#[test]
fn a_case_that_is_referred_or_withdrawn_has_a_dossier_and_is_archived() {
    let refer = Command::Refer { channel: text("court"), note: text("当事人要求起诉") };
    let withdraw = Command::Withdraw { note: text("双方已和好") };
    for (command, ground, paper, said) in
        [(refer, Ground::Referred, Paper::Referral, "诉讼"), (withdraw, Ground::Withdrawn, Paper::Termination, "撤回")]
    {
        let (mut net, case) = opened(window());
        all(&mut net, case, vec![Command::File, command]);
        let dossier = dossier(&net, GRID, case);
        assert_eq!(state(&dossier, Slot::Record), State::Excused(ground));
        assert_eq!(state(&dossier, Slot::Result), State::Made);
        let letter = read(&made(&net, case, paper).expect("made"));
        assert!(letter.contains(said), "{letter}");
        all(&mut net, case, [closed(), vec![Command::Archive]].concat());
    }
}

#[test]
fn the_archive_waits_for_words_of_the_work_and_of_the_end_and_for_nothing_else() {
    let (mut net, case) = opened(window());
    let silent = Command::Progress { note: text(" ") };
    let early = vec![Command::File, Command::Assign { unit: UnitCode(1), note: text("") }, silent];
    all(&mut net, case, [early, vec![resolved(Outcome::Successful, "\n")], closed()].concat());
    let waits = blocking(&net.known(GRID, case), net.nodes[GRID].me.node, &net.holds);
    assert_eq!(waits, [(Slot::Record, Lack::NoWork), (Slot::Result, Lack::NoTerms)]);
    assert_eq!(net.act(GRID, case, Command::Archive).unwrap_err(), Refusal::DossierIncomplete);
    let again = vec![
        Command::Reopen { reason: text("补记") },
        Command::Progress { note: text("双方到场陈述") },
        resolved(Outcome::Successful, "李四清理通道"),
    ];
    all(&mut net, case, [again, closed(), vec![Command::Archive]].concat());
}

#[test]
fn a_case_that_ended_in_another_way_needs_no_agreement() {
    let (mut net, case) = opened(window());
    all(&mut net, case, [worked(), vec![resolved(Outcome::Other, "并入另案处理")], closed()].concat());
    assert_eq!(state(&dossier(&net, GRID, case), Slot::Result), State::Excused(Ground::OtherEnd));
    all(&mut net, case, vec![Command::Archive]);
}

#[test]
fn a_full_case_is_archived_with_what_it_has() {
    let (mut net, case) = opened(window());
    all(&mut net, case, worked());
    while net.act(GRID, case, Command::Progress { note: text("又一次") }).is_ok() {}
    all(&mut net, case, [vec![resolved(Outcome::Successful, "")], closed()].concat());
    let waits = blocking(&net.known(GRID, case), net.nodes[GRID].me.node, &net.holds);
    assert_eq!(waits, [(Slot::Result, Lack::NoTerms)], "what is missing is still told");
    assert_eq!(net.act(GRID, case, Command::Reopen { reason: text("补记") }).unwrap_err(), Refusal::CaseFull);
    all(&mut net, case, vec![Command::Archive]);
}

#[test]
fn what_a_grid_worker_settles_on_the_round_is_one_sheet() {
    let (mut net, case) = opened(intake(1, Ending::SettleHere, answers(false, 0)));
    all(&mut net, case, [worked(), vec![resolved(Outcome::Successful, "当场和好")], closed()].concat());
    let dossier = dossier(&net, GRID, case);
    assert_eq!((dossier.way, dossier.missing().next()), (Way::OnTheSpot, None));
    let sheet = read(&made(&net, case, Paper::OnTheSpot).expect("made"));
    assert!(sheet.contains("当场和好") && sheet.contains("双方到场陈述"), "{sheet}");
    all(&mut net, case, vec![Command::Archive]);
}

#[test]
fn a_petition_is_answered_with_the_review_that_is_open_and_a_question_with_an_answer() {
    let petition = Intake { category: Category(1_101), source: Source::Petition, ..window() };
    let question = Intake { matter: Matter::Consultation, ..window() };
    for (report, way, said) in [(petition, Way::Petition, "第三十五条"), (question, Way::Consultation, "答复意见书")]
    {
        let (mut net, case) = opened(report);
        all(&mut net, case, [worked(), vec![resolved(Outcome::Successful, "补偿到位")], closed()].concat());
        let dossier = dossier(&net, GRID, case);
        assert_eq!((dossier.way, state(&dossier, Slot::Reply)), (way, State::Made));
        let reply = read(&made(&net, case, Paper::Reply).expect("made"));
        assert!(reply.contains(said) && reply.contains("补偿到位") && reply.contains("已电话告知"), "{reply}");
        all(&mut net, case, vec![Command::Archive]);
    }
}

#[test]
fn a_sheet_stays_as_it_was_printed_while_the_case_goes_on() {
    let (mut net, case) = opened(window());
    all(&mut net, case, vec![Command::File]);
    let before = made(&net, case, Paper::Registration).expect("made");
    all(&mut net, case, worked().split_off(1));
    assert_eq!(made(&net, case, Paper::Registration).expect("made"), before);
    let record = made(&net, case, Paper::Record).expect("made");
    all(&mut net, case, vec![Command::Progress { note: text("再次调解") }]);
    let later = made(&net, case, Paper::Record).expect("made");
    assert!(later.edition > record.edition, "what a sheet tells of has changed, and so has its edition");
}

#[test]
fn a_level_above_that_holds_no_names_prints_nothing_and_says_who_can() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    net.accept(TOWN, case);
    net.settle();
    let known = net.known(CITY, case);
    assert!(known.case().is_some(), "the city follows it");
    let lack = told(&net, CITY, &known, |story, desk| sheet(Paper::Registration, story, desk));
    assert_eq!(lack, Err(Lack::Elsewhere));
    assert_eq!(state(&dossier(&net, CITY, case), Slot::Opening), State::Missing(Lack::Elsewhere));
    assert_eq!(state(&dossier(&net, TOWN, case), Slot::Opening), State::Made, "the owner has them");
}

#[test]
fn what_an_owner_has_lost_is_said_so_and_holds_nothing_up() {
    let (mut net, case) = opened(window());
    all(&mut net, case, [worked(), vec![resolved(Outcome::Successful, "和好")], closed()].concat());
    let bare = net.nodes[GRID].rows.values().cloned().map(|row| match row {
        Record::Event { header, origin, .. } => Record::Event { header, private: None, origin },
        other => other,
    });
    let known = Known::assemble(case, bare.collect());
    told(&net, GRID, &known, |story, desk| {
        let dossier = Dossier::of(story, desk);
        assert_eq!(state(&dossier, Slot::Opening), State::Excused(Ground::Lost));
        assert_eq!(state(&dossier, Slot::Result), State::Excused(Ground::Lost));
        let said = read(&sheet(Paper::Explanation, story, desk).expect("made"));
        assert!(said.contains("条记录的原文未在本节点保存"), "{said}");
    });
    assert_eq!(blocking(&known, net.nodes[GRID].me.node, &net.holds), []);
}

#[test]
fn the_explanation_tells_of_pauses_and_reopening_and_of_what_is_not_in_the_file() {
    let (mut net, case) = opened(window());
    let pause = Command::Pause { ground: PauseGround::Hearing, on: None, note: text("") };
    let resume = Command::Resume { on: None, note: text("") };
    all(&mut net, case, [worked(), vec![pause, resume, resolved(Outcome::Successful, "和好")]].concat());
    all(&mut net, case, vec![Command::Reopen { reason: text("反悔") }, resolved(Outcome::Successful, "再次和好")]);
    let said = read(&made(&net, case, Paper::Explanation).expect("made"));
    for words in ["期限中止", "重新办理1次", "当事人身份证明 缺少 2 名当事人未登记证件号码", "证据材料 未收集"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn every_paper_is_made_of_some_case_and_names_what_it_is_about() {
    let mut seen = BTreeSet::new();
    let mut look = |net: &Net, at: usize, case| {
        told(net, at, &net.known(at, case), |story, desk| {
            for paper in Paper::ALL {
                let Ok(made) = sheet(*paper, story, desk) else { continue };
                assert!(made.edition <= story.case.head.number && !made.pieces.is_empty(), "{paper:?}");
                seen.insert(*paper);
            }
            let (title, below) = cover(story, desk);
            assert!(!title.is_empty() && !below.is_empty() && !back(story, desk).1.is_empty());
        });
    };
    let reject = Command::Reject { ground: DeclineGround::Pending, note: text("") };
    let refer = Command::Refer { channel: text("court"), note: text("移送") };
    for end in [resolved(Outcome::Successful, "和好"), resolved(Outcome::Unsuccessful, ""), refer] {
        for report in [window(), intake(1, Ending::SettleHere, answers(false, 0))] {
            let (mut net, case) = opened(report);
            all(&mut net, case, [worked(), vec![end.clone()], closed()].concat());
            look(&net, GRID, case);
        }
    }
    let (mut net, case) = opened(window());
    all(&mut net, case, vec![reject]);
    look(&net, GRID, case);
    let mut named = window();
    let mut parties = named.parties.clone().into_vec();
    parties.iter_mut().for_each(|party| party.identity = text("330602199001011234"));
    named.parties = List::new(parties).expect("few");
    let (net, case) = opened(named);
    look(&net, GRID, case);
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    net.accept(TOWN, case);
    net.settle();
    net.act(GRID, case, Command::Contribute { text: text("现场已走访") }).expect("sent");
    net.settle();
    look(&net, TOWN, case);
    let (mut net, case) = agreed();
    let performed = Command::Perform { agreement: 1, instalment: 1, on: None, amount_fen: None, note: text("") };
    let sought = Seek { agreement: 1, on: None, court: text("越城区人民法院"), note: text("") };
    all(&mut net, case, vec![performed, sought.into()]);
    look(&net, GRID, case);
    assert_eq!(seen, Paper::ALL.iter().copied().collect());
}
