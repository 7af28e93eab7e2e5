//! What papers and dossier of a case say of its mediations, its agreements, its tasks, and who joins it.

use casework::document::{Lack, Paper};
use casework::dossier::{Slot, State};
use casework::{Command, GiveTask, Hold, OpenMediation, Seek, Sign};
use protocol::bounded::List;
use protocol::event::{AgreementForm, Instalment, Kept, Mark, MediationEnd, MediationSource, Outcome, SessionKind};
use protocol::id::CaseId;
use protocol::unit::UnitCode;

use crate::dossier::{all, dossier, made, opened, read, resolved, state, window, worked};
use crate::mediation::{consent, draw, open};
use crate::net::{GRID, Net, text};

fn session(kind: SessionKind, record: &str) -> Command {
    Command::from(Hold {
        kind,
        on: None,
        minutes: Some((9 * 60, 10 * 60 + 30)),
        place: text("塔山街道调解室"),
        present: List::new(vec![1, 2]).unwrap(),
        others: text("物业公司王工"),
        led_by: text("王调解"),
        recorder: text("赵记录"),
        record: text(record),
        result: text("同意修复"),
    })
}

/// A case mediated to a written agreement that all have signed.
pub(crate) fn agreed() -> (Net, CaseId) {
    let (mut net, case) = opened(window());
    all(&mut net, case, [worked(), vec![open(), consent(&[1, 2], true)]].concat());
    let day = net.case(GRID, case).changed_at.day();
    let plan = vec![Instalment { by: 2, due: day.plus(10), amount_fen: Some(50_000), what: text("赔偿款") }];
    let drawn = draw(AgreementForm::Written, 7, |asked| asked.plan = List::new(plan).unwrap());
    let parties = List::new(vec![1, 2]).unwrap();
    let signed =
        Sign { agreement: 1, parties, mediator: true, committee: true, mark: Mark::Seal, on: None, note: text("") };
    let acts = vec![session(SessionKind::Mediation, "双方各让一步"), drawn, signed.into()];
    all(&mut net, case, acts);
    (net, case)
}

#[test]
fn an_agreement_is_printed_with_its_number_its_parties_and_what_is_due_when() {
    let (net, case) = agreed();
    let said = read(&made(&net, case, Paper::Agreement).expect("made"));
    for words in ["人民调解协议书", "人民调解委员会调字第7号", "张三", "李四让出通道一米", "赔偿款", "500元", "一式3份"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(state(&dossier(&net, GRID, case), Slot::Result), State::Made);
}

#[test]
fn what_was_held_with_people_stands_in_the_record_with_time_place_and_who_was_there() {
    let (mut net, case) = agreed();
    let said = read(&made(&net, case, Paper::Record).expect("made"));
    for words in
        ["9时00分至10时30分", "塔山街道调解室", "张三、李四；物业公司王工", "赵记录", "双方各让一步", "同意调解"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(made(&net, case, Paper::Investigation), Err(Lack::NotSo));
    all(&mut net, case, vec![session(SessionKind::Visit, "现场查看通道")]);
    let found = read(&made(&net, case, Paper::Investigation).expect("made"));
    assert!(found.contains("现场查看通道") && found.contains("走访"), "{found}");
    assert!(!read(&made(&net, case, Paper::Record).expect("made")).contains("现场查看通道"));
}

#[test]
fn what_a_unit_reports_of_its_task_stands_with_what_was_found_out_and_not_among_records_of_mediation() {
    let (mut net, case) = opened(window());
    all(&mut net, case, worked());
    let due = net.case(GRID, case).changed_at.day().plus(3);
    let given = GiveTask { unit: UnitCode(3), title: text("核实"), text: text(""), due, after: None };
    let report = Command::ReportTask { task: 1, note: text("现场已核实") };
    all(&mut net, case, vec![given.into(), Command::AcceptTask { task: 1 }, report]);
    let found = made(&net, case, Paper::Investigation).expect("made");
    assert!(read(&found).contains("现场已核实") && found.edition == net.case(GRID, case).head.number, "{found:?}");
    assert!(!read(&made(&net, case, Paper::Record).expect("made")).contains("现场已核实"));
    let said = read(&made(&net, case, Paper::Explanation).expect("made"));
    assert!(said.contains("向派出所交办任务"), "{said}");
}

#[test]
fn performance_return_visits_and_confirmation_fill_their_slots() {
    let (mut net, case) = agreed();
    for slot in [Slot::Performance, Slot::Confirmation] {
        assert_ne!(state(&dossier(&net, GRID, case), slot), State::Made, "{slot:?}");
    }
    let note = text("转账凭证");
    let performed = Command::Perform { agreement: 1, instalment: 1, on: None, amount_fen: Some(50_000), note };
    let visited = Command::VisitAgain { agreement: 1, kept: Kept::Fully, on: None, note: text("双方满意") };
    let sought = Seek { agreement: 1, on: None, court: text("越城区人民法院"), note: text("") };
    all(&mut net, case, vec![performed, visited, sought.into()]);
    for (slot, paper, words) in [
        (Slot::Performance, Paper::Performance, "转账凭证"),
        (Slot::Visit, Paper::Visit, "已全部履行"),
        (Slot::Confirmation, Paper::Confirmation, "越城区人民法院"),
    ] {
        assert_eq!(state(&dossier(&net, GRID, case), slot), State::Made, "{slot:?}");
        assert!(read(&made(&net, case, paper).expect("made")).contains(words), "{paper:?}");
    }
}

#[test]
fn a_mediation_that_a_party_ended_is_terminated_on_that_ground() {
    let (mut net, case) = opened(window());
    all(&mut net, case, [worked(), vec![open()]].concat());
    let end = Command::EndMediation { ground: MediationEnd::Refused, on: None, note: text("李四不愿再谈") };
    all(&mut net, case, vec![end, resolved(Outcome::Unsuccessful, "")]);
    let notice = read(&made(&net, case, Paper::Termination).expect("made"));
    for words in ["明确拒绝调解", "第二十三条", "李四不愿再谈"] {
        assert!(notice.contains(words), "{words}: {notice}");
    }
}

#[test]
fn whoever_joins_is_named_on_every_paper_and_gives_it_a_new_edition() {
    let (mut net, case) = opened(window());
    all(&mut net, case, vec![Command::File]);
    let before = made(&net, case, Paper::Registration).expect("made");
    let entry = serde_json::json!({ "side": "respondent", "name": "王五" });
    let people = List::new(vec![serde_json::from_value(entry).expect("a party")]).unwrap();
    net.act(GRID, case, Command::Join { people }).expect("joined");
    let after = made(&net, case, Paper::Registration).expect("made");
    assert!(after.edition > before.edition && read(&after).contains("王五"), "{after:?}");
}

#[test]
fn there_is_an_application_only_where_somebody_applied() {
    let (mut net, case) = opened(window());
    all(&mut net, case, worked());
    assert!(made(&net, case, Paper::Application).is_ok(), "before anybody mediates it is printed to be signed");
    let begun = OpenMediation {
        source: MediationSource::Initiative,
        committee: UnitCode(1),
        on: None,
        mediators: List::default(),
        chosen: false,
        closed: false,
        note: text(""),
    };
    all(&mut net, case, vec![begun.into()]);
    assert_eq!(made(&net, case, Paper::Application), Err(Lack::NotSo), "the committee began by itself");
    let (mut net, case) = opened(window());
    all(&mut net, case, vec![Command::Refer { channel: text("court"), note: text("移送法院") }]);
    assert_eq!(made(&net, case, Paper::Application), Err(Lack::NotSo), "it left before anybody mediated");
}

#[test]
fn an_agreement_is_numbered_with_the_place_of_its_committee_also_where_another_node_prints_it() {
    let (net, case) = agreed();
    let said = read(&made(&net, case, Paper::Agreement).expect("made"));
    assert!(said.contains("塔山街道人民调解委员会调字第"), "{said}");
}
