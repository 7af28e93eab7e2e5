//! The dossier as people complete it: signed sheets, what they bring, what stays empty for a reason, and what the archive waits for.

use casework::document::{Paper, SheetCode};
use casework::dossier::{Ground, Slot, State, blocking};
use casework::{Command, Place, Refusal};
use protocol::attachment::{Attachment, Media, Sha256};
use protocol::bounded::{List, Text};
use protocol::event::{AgreementForm, Instalment, Kept, Outcome};
use protocol::id::{AttachmentId, CaseId};
use protocol::time::{CivilDay, UnixMillis};
use protocol::unit::UnitCode;

use crate::dossier::{all, closed, dossier, made, opened, read, resolved, state, window, worked};
use crate::mediation::{consent, draw, open};
use crate::net::{GRID, Net, text};

/// An attachment of the case, by a number.
fn attach(net: &mut Net, case: CaseId, number: u8) -> AttachmentId {
    let id = AttachmentId::from_bytes([number; 16]);
    let (name, caption) = (Text::cut("扫描件.jpg"), Text::cut(""));
    let attachment = Attachment {
        id,
        sha256: Sha256([number; 32]),
        bytes: 9,
        media: Media::named("image/jpeg").unwrap(),
        name,
        caption,
    };
    net.act(GRID, case, Command::Attach { attachment }).unwrap();
    id
}

fn slot(net: &Net, case: CaseId, slot: Slot) -> State {
    state(&dossier(net, GRID, case), slot)
}

#[test]
fn a_slot_is_signed_when_every_page_of_what_was_printed_last_is_scanned() {
    let (mut net, case) = opened(window());
    all(&mut net, case, worked());
    let edition = made(&net, case, Paper::Record).expect("made").edition;
    let attachment = attach(&mut net, case, 1);
    let page = |page, edition| SheetCode { case, paper: Paper::Record, edition, page, pages: 2 };
    let scanned = |code| Command::Place { attachment, place: Place::Sheet(code) };
    let other = SheetCode { case: CaseId::from_bytes([9; 16]), ..page(2, edition) };
    assert_eq!(net.act(GRID, case, scanned(other)), Err(Refusal::NotTheSheet));
    all(&mut net, case, vec![scanned(page(1, edition))]);
    assert_eq!(slot(&net, case, Slot::Record), State::Made, "a page is missing");
    assert_eq!(net.act(GRID, case, scanned(page(1, edition))), Err(Refusal::NothingChanges), "sent twice");
    all(&mut net, case, vec![scanned(page(2, edition))]);
    assert_eq!(slot(&net, case, Slot::Record), State::Signed);
    all(&mut net, case, vec![Command::Progress { note: text("再次调解") }]);
    assert_eq!(slot(&net, case, Slot::Record), State::Made, "the sheet says more by now");
}

#[test]
fn what_people_bring_has_its_slot_and_is_listed_in_the_explanation() {
    let (mut net, case) = opened(window());
    all(&mut net, case, worked());
    let attachment = attach(&mut net, case, 1);
    let into = |slot, attachment| Command::Place { attachment, place: Place::Slot(slot) };
    let unknown = AttachmentId::from_bytes([9; 16]);
    assert_eq!(net.act(GRID, case, into(Slot::Evidence, unknown)), Err(Refusal::UnknownAttachment));
    assert_eq!(net.act(GRID, case, into(Slot::Review, attachment)), Err(Refusal::UnknownSlot), "a slot of petitions");
    all(&mut net, case, vec![into(Slot::Evidence, attachment)]);
    let dossier = dossier(&net, GRID, case);
    let evidence = dossier.slots.iter().find(|view| view.row.slot == Slot::Evidence).unwrap();
    assert_eq!((evidence.state, &evidence.brought), (State::Brought, &vec![attachment]));
    let told = read(&made(&net, case, Paper::Explanation).expect("made"));
    assert!(told.contains("归卷的附件") && told.contains("扫描件.jpg"), "{told}");
}

#[test]
fn a_person_says_that_a_slot_stays_empty_with_the_reason_but_not_of_what_can_be_written_still() {
    let (mut net, case) = opened(window());
    all(&mut net, case, vec![Command::File, Command::Assign { unit: UnitCode(1), note: text("") }]);
    let excuse = |slot, reason| Command::ExcuseSlot { slot, reason: text(reason) };
    assert_eq!(net.act(GRID, case, excuse(Slot::Record, "无")), Err(Refusal::SlotStays));
    assert_eq!(net.act(GRID, case, excuse(Slot::Evidence, " ")), Err(Refusal::ReasonMissing));
    assert_eq!(net.act(GRID, case, excuse(Slot::Back, "无")), Err(Refusal::NothingChanges), "nothing is missing");
    all(&mut net, case, vec![excuse(Slot::Evidence, "当事人未提交证据")]);
    assert!(matches!(slot(&net, case, Slot::Evidence), State::Excused(Ground::Said(_))));
    let told = read(&made(&net, case, Paper::Explanation).expect("made"));
    assert!(told.contains("免附") && told.contains("当事人未提交证据"), "{told}");
    let attachment = attach(&mut net, case, 1);
    all(&mut net, case, vec![Command::Place { attachment, place: Place::Slot(Slot::Evidence) }]);
    assert_eq!(slot(&net, case, Slot::Evidence), State::Brought, "it came after all");
}

/// A case that was settled by an oral agreement with two instalments, told and assessed.
fn assessed_with_a_plan() -> (Net, CaseId) {
    let (mut net, case) = opened(window());
    let part = |days| {
        let due = CivilDay::of(UnixMillis(net.now)).plus(days);
        Instalment { by: 2, due, amount_fen: Some(50_000), what: Text::default() }
    };
    let parts = List::new(vec![part(10), part(40)]).unwrap();
    let plan = |asked: &mut casework::Draw| asked.plan = parts;
    let agreed = vec![open(), consent(&[1, 2], true), draw(AgreementForm::Oral, 1, plan)];
    all(&mut net, case, [worked(), agreed, vec![resolved(Outcome::Successful, "分期付清")], closed()].concat());
    (net, case)
}

fn perform(instalment: u16) -> Command {
    Command::Perform { agreement: 1, instalment, on: None, amount_fen: None, note: text("") }
}

#[test]
fn the_archive_waits_until_every_part_of_a_plan_is_performed() {
    let (mut net, case) = assessed_with_a_plan();
    for number in [1, 2] {
        assert_eq!(net.act(GRID, case, Command::Archive), Err(Refusal::DossierIncomplete));
        all(&mut net, case, vec![perform(number)]);
    }
    all(&mut net, case, vec![Command::Archive]);
}

#[test]
fn a_visit_that_finds_an_agreement_kept_in_full_ends_the_waiting_and_one_that_does_not_does_not() {
    let (mut net, case) = assessed_with_a_plan();
    let visit = |kept| Command::VisitAgain { agreement: 1, kept, on: None, note: text("电话回访") };
    all(&mut net, case, vec![visit(Kept::Partly)]);
    assert_eq!(net.act(GRID, case, Command::Archive), Err(Refusal::DossierIncomplete));
    all(&mut net, case, vec![visit(Kept::Fully), Command::Archive]);
}

#[test]
fn what_runs_longer_than_the_file_may_wait_is_archived_with_a_reason() {
    let (mut net, case) = assessed_with_a_plan();
    let known = net.known(GRID, case);
    let waits: Vec<_> = blocking(&known, net.nodes[GRID].me.node, &net.holds).iter().map(|(slot, _)| *slot).collect();
    assert_eq!(waits, [Slot::Performance]);
    let excuse = Command::ExcuseSlot { slot: Slot::Performance, reason: text("履行期三年，另册跟踪") };
    all(&mut net, case, vec![excuse, Command::Archive]);
}
