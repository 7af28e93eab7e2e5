use casework::{Command, Known, Notice, Record};
use protocol::event::{Act, Category, Ending, Header};
use protocol::id::{EventId, NodeId};
use protocol::unit::UnitCode;
use protocol::warning::Warning;
use protocol::wire::kind::{Body, Kind};

use crate::net::{CITY, COUNTY, GRID, Mail, Net, TOWN, VILLAGE, answers, text};

fn mail(origin: usize, at: usize, header: Header) -> Mail {
    Mail { origin, at, opened: false, serial: 0, body: Body::Header(header) }
}

#[test]
fn headers_in_any_order_give_the_same_mirror() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    net.act(GRID, case, Command::File).unwrap();
    net.act(GRID, case, Command::Assign { unit: UnitCode(2), note: text("") }).unwrap();
    let headers: Vec<Header> = net.known(GRID, case).chain().iter().map(|l| Header::clone(&l.header)).collect();
    net.mail.clear();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        net.nodes[CITY].rows.clear();
        for at in order {
            net.deliver(mail(GRID, CITY, headers[at].clone()), false).unwrap();
        }
        assert_eq!(net.case(CITY, case).head, net.case(GRID, case).head);
        assert_eq!(net.known(CITY, case).aside().count(), 0);
    }
}

#[test]
fn codes_and_levels_of_a_later_version_are_mirrored_as_they_are() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    let mut header = Header::clone(&net.known(GRID, case).chain()[0].header);
    header.brief.category = Category(2_001);
    header.brief.unit = UnitCode(40_000);
    header.brief.grading.level = Warning::from_rank(7);
    net.mail.clear();
    net.nodes[CITY].rows.clear();
    let bytes = Body::Header(header).encode().unwrap();
    let Ok(Some(Body::Header(header))) = Body::decode(Kind(1), 1, &bytes) else { panic!("it travels") };
    net.deliver(mail(GRID, CITY, header.clone()), false).unwrap();
    let mirrored = net.case(CITY, case);
    assert_eq!(mirrored.brief, header.brief);
    assert!(mirrored.level() > Some(Warning::Orange), "a level that is not known counts as the highest");
}

#[test]
fn a_header_by_a_stranger_is_not_stored() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    let tip = net.known(GRID, case).chain().last().unwrap().clone();
    let forged = Header {
        id: EventId::from_bytes([9; 16]),
        number: tip.header.number + 1,
        previous: tip.hash,
        act: Act::Voided,
        ..Header::clone(&tip.header)
    };
    let rows = net.nodes[CITY].rows.len();
    net.deliver(mail(VILLAGE, CITY, forged.clone()), false).unwrap();
    assert_eq!(net.nodes[CITY].rows.len(), rows);
    assert_eq!(net.notes, [(CITY, Notice::NotTheOwner { by: net.id(VILLAGE), event: forged.id })]);
    // Nobody below can take the owner's own case over.
    let robbed = Header {
        act: Act::TakenOver { from: net.id(GRID) },
        epoch: forged.epoch.taken_over(),
        brief: protocol::event::Brief { owner: NodeId::from_bytes([77; 16]), ..forged.brief.clone() },
        ..forged
    };
    net.nodes.push(net.nodes[VILLAGE].clone());
    net.nodes[6].me.node = NodeId::from_bytes([77; 16]);
    net.deliver(mail(6, GRID, robbed), false).unwrap();
    assert!(net.case(GRID, case).owned_by(net.id(GRID)));
}

#[test]
fn the_later_epoch_wins_over_the_longer_branch_and_the_lower_hash_on_a_tie() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    net.act(TOWN, case, Command::TakeOver { reason: text("失联") }).unwrap();
    for _ in 0..3 {
        net.act(GRID, case, Command::Return { note: text("补") }).unwrap();
    }
    net.settle();
    let city = net.known(CITY, case);
    assert_eq!(city.case().unwrap().owner(), net.id(TOWN), "one take-over beats three headers");
    assert_eq!(city.aside().count(), 3, "the branch that lost is kept");
    // Two headers of one number by one writer: the lower hash, and an alarm.
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    let rows = net.nodes[GRID].rows.clone();
    net.act(GRID, case, Command::File).unwrap();
    net.nodes[GRID].rows = rows;
    net.act(GRID, case, Command::Return { note: text("补") }).unwrap();
    net.settle();
    let tip = net.known(CITY, case).chain().last().unwrap().hash;
    let both: Vec<_> = net.known(CITY, case).aside().map(|(h, _)| h.hash()).collect();
    assert!(tip < both[0]);
    assert!(net.notes.iter().any(|(node, note)| *node == CITY && matches!(note, Notice::Equivocation { .. })));
}

#[test]
fn records_in_any_order_assemble_the_same_case() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(true, 0));
    net.accept(TOWN, case);
    let rows: Vec<Record> = net.nodes[TOWN].rows.values().cloned().collect();
    let backwards: Vec<Record> = rows.iter().rev().cloned().collect();
    assert_eq!(Known::assemble(case, rows).case(), Known::assemble(case, backwards).case());
    net.agree(&[GRID, TOWN, COUNTY, CITY], case);
}

#[cfg(feature = "mutants")]
#[test]
fn without_the_check_of_epochs_the_longer_branch_wins() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    net.act(TOWN, case, Command::TakeOver { reason: text("失联") }).unwrap();
    for _ in 0..3 {
        net.act(GRID, case, Command::Return { note: text("补") }).unwrap();
    }
    // Before what the lost owner wrote comes back as contributions.
    for mail in net.mail.drain(..).collect::<Vec<_>>() {
        net.deliver(mail, false).unwrap();
    }
    let rows: Vec<Record> = net.nodes[CITY].rows.values().cloned().collect();
    let wrong = Known::assemble_as(case, rows, Some(casework::Mutant::NoEpochCheck));
    assert_eq!(wrong.case().unwrap().owner(), net.id(GRID));
}
