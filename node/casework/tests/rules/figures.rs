//! Facts: who holds which, and whether the levels above can tell that they hold them all.

use casework::{Command, Record};
use protocol::digest::SetDigest;
use protocol::event::{Ending, Step};
use protocol::fact::CaseFact;
use protocol::id::NodeId;
use protocol::unit::UnitCode;

use crate::net::{CITY, COUNTY, GRID, Net, OTHER_TOWN, TOWN, VILLAGE, answers, text};

fn facts(net: &Net, node: usize) -> impl Iterator<Item = &CaseFact> {
    net.nodes[node].rows.values().filter_map(|row| match row {
        Record::Fact(fact) => Some(fact),
        _ => None,
    })
}

fn digest(net: &Net, at: usize, of: NodeId) -> SetDigest {
    let mut digest = SetDigest::default();
    for fact in facts(net, at).filter(|fact| fact.owner_node == of && !fact.released) {
        digest.add_fact(fact);
    }
    digest
}

/// Every level above a node holds of it what the node itself holds.
pub(crate) fn digests_agree(net: &Net) -> Result<(), String> {
    let above: [(usize, &[usize]); 5] = [
        (GRID, &[VILLAGE, TOWN, COUNTY, CITY]),
        (VILLAGE, &[TOWN, COUNTY, CITY]),
        (TOWN, &[COUNTY, CITY]),
        (OTHER_TOWN, &[COUNTY, CITY]),
        (COUNTY, &[CITY]),
    ];
    for (node, levels) in above {
        let own = digest(net, node, net.id(node));
        for level in levels {
            let held = digest(net, *level, net.id(node));
            if held != own {
                return Err(format!("node {node} has {own:?}, {level} holds {held:?} of it"));
            }
        }
    }
    Ok(())
}

#[test]
fn a_case_that_moves_is_in_one_set_at_a_time_and_in_every_figure() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    net.settle();
    assert_eq!(digest(&net, CITY, net.id(GRID)).facts(), 1);
    net.act(GRID, case, Command::File).unwrap();
    net.settle();
    net.accept(TOWN, case);
    net.act(TOWN, case, Command::Assign { unit: UnitCode(3), note: text("") }).unwrap();
    net.settle();
    digests_agree(&net).unwrap();
    assert_eq!(digest(&net, CITY, net.id(GRID)).facts(), 0);
    assert_eq!(digest(&net, CITY, net.id(TOWN)).facts(), 1);
    for node in [GRID, VILLAGE, TOWN, COUNTY, CITY] {
        let held: Vec<_> = facts(&net, node).map(CaseFact::step).collect();
        assert_eq!(held, [Step::Assigned], "node {node} counts the case as it is, not as it was when it left the grid");
    }
}

#[test]
fn a_released_case_is_in_nobodys_set_until_it_is_taken() {
    let (mut net, case) = Net::reported(Ending::Submit, answers(false, 0));
    net.settle();
    let offer = net.waiting(TOWN, case);
    net.act(TOWN, case, Command::AcceptOffer { offer }).unwrap();
    // The acceptance reaches the grid, its release does not yet reach the town.
    while net.case(GRID, case).owned_by(net.id(GRID)) {
        let mail = net.mail.pop_front().unwrap();
        net.deliver(mail, false).unwrap();
    }
    let own: Vec<_> = facts(&net, GRID).map(|fact| fact.released).collect();
    assert_eq!(own, [true]);
    assert_eq!(digest(&net, GRID, net.id(GRID)).facts(), 0);
    net.settle();
    digests_agree(&net).unwrap();
}

#[test]
fn whoever_lost_a_case_to_a_take_over_counts_it_no_more() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    net.settle();
    let reason = text("网格员失联");
    net.act(COUNTY, case, Command::TakeOver { reason }).unwrap();
    net.settle();
    digests_agree(&net).unwrap();
    assert_eq!(digest(&net, GRID, net.id(GRID)).facts(), 0);
    assert_eq!(digest(&net, CITY, net.id(COUNTY)).facts(), 1);
}
