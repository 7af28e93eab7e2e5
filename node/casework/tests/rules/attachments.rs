//! Attachments: named by events, moved with their case, and given to whoever owns it.

use casework::attachment::{ATTACHED_MAX, attached, may_have, sources};
use casework::{Command, Letter, Refusal};
use protocol::attachment::{Attachment, Media, Sha256};
use protocol::event::{Ending, Step};
use protocol::id::{AttachmentId, CaseId};

use crate::net::{CITY, COUNTY, GRID, Net, OTHER_TOWN, TOWN, answers, text};

fn photo(n: u8) -> Attachment {
    Attachment {
        id: AttachmentId::from_bytes([n; 16]),
        sha256: Sha256([n; 32]),
        bytes: 1_000,
        media: Media(1),
        name: text("王五家门口.jpg"),
        caption: text("被堵住的通道"),
    }
}

fn attach(net: &mut Net, node: usize, case: CaseId, n: u8) -> Result<(), Refusal> {
    net.act(node, case, Command::Attach { attachment: photo(n) }).map(|_| ())
}

fn ids(net: &Net, node: usize, case: CaseId) -> Vec<u8> {
    attached(&net.known(node, case)).map(|named| named.attachment.id.as_bytes()[0]).collect()
}

#[test]
fn an_attachment_is_named_by_an_event_at_whichever_step_and_the_step_stays() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    attach(&mut net, GRID, case, 1).unwrap();
    assert_eq!(net.case(GRID, case).brief.step, Step::Reported);
    net.act(GRID, case, Command::File).unwrap();
    net.act(GRID, case, Command::Assign { unit: protocol::unit::UnitCode(2), note: text("") }).unwrap();
    attach(&mut net, GRID, case, 2).unwrap();
    assert_eq!(net.case(GRID, case).brief.step, Step::Assigned, "a photo is no work begun");
    let known = net.known(GRID, case);
    let named: Vec<_> = attached(&known).collect();
    assert_eq!(named[1].attachment, photo(2));
    assert_eq!(named[1].event, known.chain().last().unwrap().header.id);
}

#[test]
fn what_is_attached_already_changes_nothing() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    attach(&mut net, GRID, case, 1).unwrap();
    assert_eq!(attach(&mut net, GRID, case, 1), Err(Refusal::NothingChanges));
    assert_eq!(ids(&net, GRID, case), [1]);
}

#[test]
fn a_case_has_so_many_attachments_and_no_more() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    let most = u8::try_from(ATTACHED_MAX).unwrap();
    (0..most).for_each(|n| attach(&mut net, GRID, case, n).unwrap());
    assert_eq!(attach(&mut net, GRID, case, most), Err(Refusal::CaseFull));
}

#[test]
fn only_the_owner_attaches_and_nothing_to_what_is_struck_through() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    assert_eq!(attach(&mut net, CITY, case, 1), Err(Refusal::NotOwner));
    net.act(GRID, case, Command::Void { reason: text("误报") }).unwrap();
    assert_eq!(attach(&mut net, GRID, case, 1), Err(Refusal::IsVoid));
}

#[test]
fn an_attachment_moves_with_its_case_and_whoever_had_it_is_asked_the_latest_first() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    attach(&mut net, GRID, case, 1).unwrap();
    net.settle();
    net.accept(TOWN, case);
    attach(&mut net, TOWN, case, 2).unwrap();
    net.act(TOWN, case, Command::Offer { to: net.id(COUNTY) }).unwrap();
    net.settle();
    net.accept(COUNTY, case);
    assert_eq!(ids(&net, COUNTY, case), [1, 2]);
    assert_eq!(sources(&net.known(COUNTY, case), net.id(COUNTY)), [net.id(TOWN), net.id(GRID)]);
    // Each gives to whom it released the case, and to nobody else.
    let may = |holder: usize, asks: usize| may_have(&net.known(holder, case), net.id(asks));
    assert!(may(TOWN, COUNTY) && may(GRID, TOWN));
    assert!(!may(TOWN, GRID) && !may(GRID, OTHER_TOWN) && !may(GRID, CITY) && !may(COUNTY, TOWN));
}

#[test]
fn who_follows_a_case_above_learns_that_something_was_attached_and_nothing_of_what() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    let before = net.sent.len();
    attach(&mut net, GRID, case, 1).unwrap();
    net.settle();
    assert_eq!(net.case(CITY, case).head, net.case(GRID, case).head);
    assert_eq!(ids(&net, CITY, case), [0_u8; 0]);
    for (_, outgoing) in &net.sent[before..] {
        let Letter::Plain(body) = &outgoing.letter else { panic!("nothing sealed goes up") };
        let bytes = body.encode().unwrap();
        let found = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(!found("王五".as_bytes()) && !found("通道".as_bytes()) && !found(&[1; 32]));
    }
}

#[test]
fn an_erased_case_names_no_attachment() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(false, 0));
    attach(&mut net, GRID, case, 1).unwrap();
    net.act(GRID, case, Command::Void { reason: text("误报") }).unwrap();
    net.act(GRID, case, Command::Erase).unwrap();
    assert_eq!(ids(&net, GRID, case), [0_u8; 0]);
}

#[test]
fn what_a_restored_owner_attached_on_its_own_branch_stays_attached() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    let (rows, as_of) = (net.nodes[GRID].rows.clone(), net.sent.len());
    net.act(GRID, case, Command::File).unwrap();
    net.settle();
    net.restore(rows, as_of);
    attach(&mut net, GRID, case, 1).unwrap();
    net.reconcile(true);
    net.settle();
    assert_eq!(net.case(GRID, case).brief.step, Step::Filed, "what others had seen stands");
    assert_eq!(ids(&net, GRID, case), [1]);
}
