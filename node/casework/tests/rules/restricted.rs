//! Cases that only named readers may read, of which nobody else, here or above, sees more than a level and a number.

use casework::document::Paper;
use casework::{Actor, Command, Intake, Letter, Refusal, Restrict, Role, restricted};
use protocol::event::{Act, Brief, Category, Ending, Header, Outcome, RestrictionGround, WideAct};
use protocol::grading::Answers;
use protocol::id::CaseId;
use protocol::order::Asked;
use protocol::unit::UnitCode;
use protocol::warning::Warning;
use protocol::wire::kind::Body;

use crate::dossier::{made, read};
use crate::net::{CITY, COUNTY, GRID, Net, TOWN, VILLAGE, answers, intake, text};

pub(crate) fn minors() -> Restrict {
    Restrict { ground: RestrictionGround::Minors, against: None, note: text("") }
}

fn restricted(ending: Ending, level: Answers, how: Restrict) -> Intake {
    Intake { restricted: Some(Some(how)), ..intake(7, ending, level) }
}

fn own_people(net: &Net, node: usize) -> Restrict {
    Restrict { ground: RestrictionGround::OwnPeople, against: Some(net.id(node)), note: text("") }
}

fn somebody(user: &str, role: Role) -> Actor {
    Actor::everywhere(user, user, &[role])
}

/// What a header leaves above of a case that is restricted.
fn is_masked(brief: &Brief) -> bool {
    let answers = brief.grading.answers == Answers::default();
    restricted::is_told(brief) && answers && brief.head_count == 0
}

/// The first thing that a node sent of a restricted case and that tells more than level and number, if anything does. Whether a case
/// is restricted at a header, the headers before it say.
pub(crate) fn told_too_much(net: &Net) -> Option<String> {
    let mut all: Vec<Header> = Vec::new();
    for (node, outgoing) in &net.sent {
        let Letter::Plain(body) = &outgoing.letter else { continue };
        match body {
            Body::Header(header) | Body::WideHeader(header) => all.push(header.clone()),
            Body::Offer(offer) | Body::WideOffer(offer) => {
                let head = all.iter().find(|header| header.hash() == offer.head);
                if head.is_some_and(|header| header.brief.category != offer.brief.category) {
                    return Some(format!("an offer of {node}: {offer:?}"));
                }
            }
            Body::Order(order) => {
                let told = |brief: &Brief| brief.category != restricted::CATEGORY || is_masked(brief);
                if matches!(&order.asked, Asked::ApproveLevel { brief, .. } if !told(brief)) {
                    return Some(format!("an order of {node}: {order:?}"));
                }
            }
            _ => {}
        }
    }
    let of = |header: &Header| match &header.act {
        Act::Wider(wider) => wider.read(),
        _ => None,
    };
    let behind = |one: &Header| all.iter().find(|other| other.hash() == one.previous);
    let restricted_at = |header: &Header| {
        let mut at = Some(header);
        while let Some(header) = at {
            match of(header) {
                Some(WideAct::Restricted {}) => return true,
                Some(WideAct::RestrictionLifted {}) => return false,
                _ => at = behind(header),
            }
        }
        false
    };
    all.iter().find(|header| restricted_at(header) && !is_masked(&header.brief)).map(|header| format!("{header:?}"))
}

#[test]
fn nothing_but_a_level_and_a_number_leaves_the_node() {
    let mut net = Net::new();
    let case = net.open(GRID, restricted(Ending::SettleHere, answers(true, 0), minors())).unwrap().id;
    net.act(GRID, case, Command::File).unwrap();
    net.settle();
    let above = net.case(CITY, case);
    assert!(is_masked(&above.brief), "{:?}", above.brief);
    assert_eq!((above.level(), above.restricted), (Some(Warning::Red), true));
    assert_eq!(
        above.brief.place, net.nodes[GRID].me.division,
        "the place of the node, which everybody knows as its owner"
    );
    assert!(above.report.is_none() && above.withheld.is_none());
    let here = net.case(GRID, case);
    assert_eq!((here.brief.category, here.brief.head_count), (Category(201), 3), "who may read it has all of it");
    assert_eq!(told_too_much(&net), None);
    let facts = net.nodes[CITY].rows.values().filter_map(|row| match row {
        casework::Record::Fact(fact) => Some((fact.category, fact.head_count, fact.place)),
        _ => None,
    });
    assert_eq!(facts.collect::<Vec<_>>(), [(restricted::CATEGORY, 0, net.nodes[GRID].me.division)]);
}

#[test]
fn what_is_learned_later_is_withheld_too() {
    let mut net = Net::new();
    let case = net.open(GRID, restricted(Ending::SettleHere, answers(false, 0), minors())).unwrap().id;
    let (level, reason) = (Some(Warning::Red), text("动手"));
    net.act(GRID, case, Command::Regrade { answers: answers(true, 0), level, reason }).unwrap();
    net.settle();
    assert!(is_masked(&net.case(CITY, case).brief));
    let here = net.case(GRID, case).brief;
    assert_eq!(here.grading.answers.violence, protocol::grading::Known::Yes);
    assert_eq!(told_too_much(&net), None);
}

#[test]
fn words_of_harm_restrict_a_report_and_whoever_files_it_can_say_otherwise() {
    let says =
        |wish| Intake {
            title: text("夫妻家暴"), restricted: wish, ..intake(7, Ending::SettleHere, answers(false, 0))
        };
    assert!(Net::new().open(GRID, says(None)).unwrap().restricted);
    assert!(!Net::new().open(GRID, says(Some(None))).unwrap().restricted);
    assert!(!Net::new().open(GRID, intake(7, Ending::SettleHere, answers(false, 0))).unwrap().restricted);
}

#[test]
fn who_is_not_named_neither_reads_nor_acts() {
    let mut net = Net::new();
    let case = net.open(GRID, restricted(Ending::SettleHere, answers(false, 0), minors())).unwrap().id;
    let (other, leader) = (somebody("other", Role::Clerk), somebody("leader", Role::Supervisor));
    assert_eq!(net.act_by(GRID, case, Command::File, &other), Err(Refusal::Restricted));
    assert_eq!(
        net.act_by(GRID, case, Command::File, &leader),
        Err(Refusal::Restricted),
        "a leader names themselves first"
    );
    let seen = net.known(GRID, case).read_by(&other).into_owned();
    assert!(seen.privates().next().is_none() && is_masked(&seen.case().unwrap().brief));
    let name = |user: &str| Command::NameReader { user: text(user), name: text(user) };
    assert_eq!(net.act_by(GRID, case, name("other"), &other), Err(Refusal::Restricted));
    net.act_by(GRID, case, name("leader"), &leader).unwrap();
    net.act_by(GRID, case, name("other"), &leader).unwrap();
    net.act_by(GRID, case, Command::File, &other).unwrap();
    assert!(net.known(GRID, case).read_by(&other).privates().next().is_some());
    net.act_by(GRID, case, Command::DropReader { user: text("other") }, &leader).unwrap();
    let unit = UnitCode(2);
    assert_eq!(net.act_by(GRID, case, Command::Assign { unit, note: text("") }, &other), Err(Refusal::Restricted));
    assert_eq!(net.known(GRID, case).readers().count(), 3, "who might read it stays on record");
}

#[test]
fn a_case_has_so_many_readers_and_no_more() {
    let mut net = Net::new();
    let case = net.open(GRID, restricted(Ending::SettleHere, answers(false, 0), minors())).unwrap().id;
    let mut name = |n: usize| {
        let user = text(&format!("u{n}"));
        net.act(GRID, case, Command::NameReader { user, name: text("某人") }).map(|_| ())
    };
    assert!((1..64).all(|n| name(n).is_ok()), "whoever filed it is the first");
    assert_eq!(name(64), Err(Refusal::CaseFull));
}

#[test]
fn what_a_button_offers_to_whoever_is_not_named_is_not_refused() {
    let mut net = Net::new();
    let case = net.open(GRID, restricted(Ending::SettleHere, answers(false, 0), minors())).unwrap().id;
    let known = net.known(GRID, case);
    let offered = |role| casework::next_actions(&known, net.nodes[GRID].me, &somebody("x", role), &net.holds);
    assert_eq!(offered(Role::Clerk), []);
    assert_eq!(offered(Role::Supervisor), [casework::ActionName::NameReader, casework::ActionName::DropReader]);
}

#[test]
fn the_next_owner_has_all_of_it_and_names_its_own_readers() {
    let mut net = Net::new();
    let case = net.open(GRID, restricted(Ending::Submit, answers(true, 0), minors())).unwrap().id;
    net.settle();
    let offered = net.known(TOWN, case).offers().next().unwrap().offer.brief.clone();
    assert!(is_masked(&offered), "{offered:?}");
    let (desk, other) = (somebody("desk", Role::Clerk), somebody("other", Role::Clerk));
    let offer = net.waiting(TOWN, case);
    net.act_by(TOWN, case, Command::AcceptOffer { offer }, &desk).unwrap();
    net.settle();
    assert_eq!(net.act_by(TOWN, case, Command::File, &other), Err(Refusal::Restricted));
    let filed = net.act_by(TOWN, case, Command::File, &desk).unwrap().unwrap();
    net.settle();
    assert_eq!(filed.brief.category, Category(201), "whoever took it on reads it");
    let above = net.case(CITY, case).brief;
    assert!(is_masked(&above) && above.place == net.nodes[TOWN].me.division);
    assert_eq!(told_too_much(&net), None);
}

#[test]
fn a_case_about_people_of_a_node_passes_that_node_by() {
    for (about, goes) in [(GRID, TOWN), (VILLAGE, TOWN), (TOWN, COUNTY), (COUNTY, CITY)] {
        let mut net = Net::new();
        let how = own_people(&net, about);
        let case = net.open(GRID, restricted(Ending::Submit, answers(true, 0), how)).unwrap().id;
        net.settle();
        let offers: Vec<_> = net.known(GRID, case).offers().map(|file| file.to).collect();
        assert_eq!(offers, [net.id(goes)], "about {about}");
        net.accept(goes, case);
        for below in [VILLAGE, TOWN, COUNTY].into_iter().filter(|below| *below != goes) {
            let known = net.known(below, case);
            assert!(known.case().is_none_or(|case| is_masked(&case.brief)), "at {below}");
        }
        let back = net.act(goes, case, Command::Offer { to: net.id(about) });
        assert_eq!(back, Err(Refusal::AboutOwnPeople));
    }
}

#[test]
fn a_node_does_not_handle_what_is_about_its_own_people_and_does_not_keep_it() {
    let mut net = Net::new();
    let here = own_people(&net, GRID);
    let refused = net.open(GRID, restricted(Ending::SettleHere, answers(false, 0), here.clone())).unwrap_err();
    assert_eq!(refused, Refusal::AboutOwnPeople);
    let case = net.open(GRID, restricted(Ending::Submit, answers(false, 0), here)).unwrap().id;
    assert_eq!(net.act(GRID, case, Command::File), Err(Refusal::AboutOwnPeople));
    let name = Command::NameReader { user: text("boss"), name: text("站长") };
    assert_eq!(net.act(GRID, case, name), Err(Refusal::AboutOwnPeople));
    net.settle();
    net.accept(TOWN, case);
    net.now += 2 * 86_400_000;
    assert!(net.wake(GRID, case));
    assert!(net.known(GRID, case).privates().next().is_none(), "gone the day after, and not after thirty");
    let nowhere = Restrict { against: None, ..own_people(&net, GRID) };
    let refused = Net::new().open(GRID, restricted(Ending::Submit, answers(false, 0), nowhere)).unwrap_err();
    assert_eq!(refused, Refusal::NodeMissing);
}

#[test]
fn one_that_is_restricted_later_is_masked_from_there_and_lifted_is_told_again() {
    let (mut net, case) = Net::reported(Ending::SettleHere, answers(true, 0));
    let restrict = Command::Restrict(Restrict { ground: RestrictionGround::SexualHarm, ..minors() });
    net.act(GRID, case, restrict.clone()).unwrap();
    net.settle();
    assert!(is_masked(&net.case(CITY, case).brief));
    assert_eq!(net.act(GRID, case, restrict), Err(Refusal::NothingChanges));
    let reason = text("经核实不涉及");
    net.act(GRID, case, Command::LiftRestriction { reason }).unwrap();
    net.settle();
    let above = net.case(CITY, case);
    assert_eq!((above.brief.category, above.brief.head_count, above.restricted), (Category(201), 3, false));
    assert_eq!(told_too_much(&net), None);
}

#[test]
fn a_restored_owner_writes_it_again_masked() {
    let mut net = Net::new();
    let case = net.open(GRID, restricted(Ending::SettleHere, answers(true, 0), minors())).unwrap().id;
    net.settle();
    let (disk, as_of) = (net.nodes[GRID].rows.clone(), net.sent.len());
    net.act(GRID, case, Command::File).unwrap();
    net.settle();
    net.restore(disk, as_of);
    let level = Some(Warning::Orange);
    net.act(GRID, case, Command::Regrade { answers: answers(true, 1), level, reason: text("聚集") }).unwrap();
    net.act(GRID, case, Command::File).unwrap();
    net.reconcile(true);
    net.settle();
    assert_eq!(told_too_much(&net), None);
    net.agree(&[GRID, CITY], case);
    assert_eq!(net.case(GRID, case).brief.category, Category(201));
}

#[test]
fn papers_tell_its_readers_all_of_it() {
    let mut net = Net::new();
    let case = net.open(GRID, restricted(Ending::SettleHere, answers(false, 0), minors())).unwrap().id;
    let paper = read(&made(&net, case, Paper::Registration).unwrap());
    assert!(
        paper.contains("张三")
            && paper.contains(&net.holds.categories.name(Category(201), true).replace('(', "（").replace(')', "）")),
        "{paper}"
    );
}

#[test]
fn a_restricted_case_and_an_open_one_are_not_put_together() {
    let mut net = Net::new();
    let one = net.open(GRID, restricted(Ending::SettleHere, answers(false, 0), minors())).unwrap().id;
    let other = net.open(GRID, intake(8, Ending::SettleHere, answers(false, 0))).unwrap().id;
    let (goes, stays) = (net.known(GRID, one), net.known(GRID, other));
    let by = crate::net::actor(Role::Supervisor);
    let pair = net.world(GRID, |world| casework::decide_pair(&goes, &stays, text(""), &by, world));
    assert_eq!(pair.unwrap_err(), Refusal::RestrictedApart);
}

#[test]
fn an_approval_is_asked_without_what_is_withheld() {
    let mut net = Net::new();
    let case = net.open(GRID, restricted(Ending::SettleHere, answers(true, 0), minors())).unwrap().id;
    net.settle();
    let level = Some(Warning::Yellow);
    net.act(GRID, case, Command::Regrade { answers: Answers::default(), level, reason: text("平息") }).unwrap();
    net.settle();
    let orders = net.nodes.iter().flat_map(|node| node.rows.values()).filter_map(|row| match row {
        casework::Record::Order(file) => Some(file.order.asked.clone()),
        _ => None,
    });
    let briefs: Vec<_> = orders
        .filter_map(|asked| match asked {
            Asked::ApproveLevel { brief, .. } => Some(brief),
            _ => None,
        })
        .collect();
    assert!(!briefs.is_empty() && briefs.iter().all(is_masked), "{briefs:?}");
}

#[test]
fn one_walks_to_its_archive_as_any_other() {
    let mut net = Net::new();
    let case: CaseId = net.open(GRID, restricted(Ending::SettleHere, answers(false, 0), minors())).unwrap().id;
    let assign = Command::Assign { unit: UnitCode(2), note: text("") };
    let resolve = Command::Resolve { outcome: Outcome::Successful, terms: text("和好"), amount_fen: None };
    let told =
        Command::FeedBack {
            note: text("已告知"), by: Some(protocol::event::ToldBy::Phone), on: None, content: None
        };
    for command in [Command::File, assign, Command::Progress { note: text("走访") }, resolve, told] {
        net.act(GRID, case, command).unwrap();
    }
    net.act(GRID, case, Command::Assess { score: 5, note: text("") }).unwrap();
    let archived = net.act(GRID, case, Command::Archive).unwrap().unwrap();
    net.settle();
    assert_eq!(archived.brief.category, Category(201));
    assert_eq!(told_too_much(&net), None);
}
