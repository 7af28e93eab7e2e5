use casework::dossier::Slot;
use casework::{Amendment, Command, Draw, GiveTask, Notice, OpenMediation, Place, Reply, Restrict, Sign, evolve};
use proptest::prelude::*;
use protocol::attachment::{Attachment, Media, Sha256};
use protocol::bounded::List;
use protocol::event::{
    AgreementForm, DeclineGround, Ending, Kept, Mark, MediationEnd, MediationSource, Outcome, PauseGround,
};
use protocol::id::{AttachmentId, CaseId, OfferId, OrderId};
use protocol::order::Directive;
use protocol::time::{CivilDay, UnixMillis};
use protocol::transfer::Ground;
use protocol::unit::UnitCode;
use protocol::warning::Warning;

use crate::net::{CITY, COUNTY, GRID, Net, OTHER_TOWN, TOWN, VILLAGE, answers, intake, somebody, text};

const NODES: [usize; 6] = [CITY, COUNTY, TOWN, VILLAGE, GRID, OTHER_TOWN];

#[derive(Debug, Clone)]
enum Move {
    Act { node: usize, what: u8, arg: u8 },
    Deliver(u8),
    Wait,
}

fn command(net: &Net, node: usize, case: CaseId, what: u8, arg: u8) -> Command {
    let known = net.known(node, case);
    let offer = known.offers().map(|f| f.offer.id).nth(usize::from(arg % 3)).unwrap_or(OfferId::from_bytes([0; 16]));
    let order = known.orders().map(|f| f.order.id).nth(usize::from(arg % 3)).unwrap_or(OrderId::from_bytes([0; 16]));
    let level = Warning::from_rank(arg % 4);
    match what % 53 {
        0 => Command::File,
        1 => Command::Assign { unit: UnitCode(2), note: text("甲") },
        2 => Command::Progress { note: text("乙") },
        3 => Command::Resolve { outcome: Outcome::Successful, terms: text("和"), amount_fen: Some(u64::from(arg)) },
        4 => Command::fed_back(text("")),
        5 => Command::Assess { score: arg % 6, note: text("") },
        6 => Command::Archive,
        7 => Command::Regrade { answers: answers(arg.is_multiple_of(2), arg % 8), level, reason: text("情况变化") },
        8 | 9 => Command::Offer { to: net.id(NODES[usize::from(arg) % NODES.len()]) },
        10 => Command::Recall,
        11..=13 => Command::AcceptOffer { offer },
        14 => Command::DeclineOffer { offer, ground: Ground::NotCompetent, text: text("不属本地"), proposed: None },
        15 => Command::IssueDirective { form: Directive::Remind, text: text("请办"), term_days: None },
        16 => match arg % 4 {
            3 => Command::AnswerOrder { order, reply: Reply::Score { score: arg % 7, text: text("") } },
            0 => Command::AnswerOrder { order, reply: Reply::Text { text: text("已办") } },
            1 => Command::AnswerOrder { order, reply: Reply::Yes { text: text("") } },
            _ => Command::AnswerOrder { order, reply: Reply::No { text: text("不可") } },
        },
        17 => Command::Contribute { text: text("补充") },
        18 if arg.is_multiple_of(8) => Command::TakeOver { reason: text("失联") },
        20 => Command::Pause { ground: PauseGround::Assessment, on: None, note: text("") },
        21 => Command::Resume { on: None, note: text("") },
        22 if arg.is_multiple_of(4) => Command::Reject { ground: DeclineGround::Pending, note: text("") },
        23 if arg.is_multiple_of(4) => Command::Withdraw { note: text("不再要求") },
        24 if arg.is_multiple_of(4) => Command::Refer { channel: text("court"), note: text("移送") },
        42 => Command::Attach { attachment: photo(arg) },
        43 => Command::TakeMeasure { measure: u16::from(arg % 8), note: text("已报告") },
        44 => Command::Sponsor { name: text("周领导"), office: text("副镇长"), note: text("") },
        45 => Command::ExcuseSlot { slot: Slot::ALL[usize::from(arg) % Slot::ALL.len()], reason: text("无") },
        46 => Command::Place {
            attachment: photo(arg).id,
            place: Place::Slot(Slot::ALL[usize::from(arg) % Slot::ALL.len()]),
        },
        50 => Command::Object { proposed: None, reason: text("不属本单位") },
        51 => Command::RefuseObjection { reason: text("属本单位") },
        52 => Command::Rule { unit: UnitCode(u16::from(arg % 3)), reason: text("裁定") },
        47 => {
            let against = arg.is_multiple_of(4).then(|| net.id(VILLAGE));
            Restrict { against, ..crate::restricted::minors() }.into()
        }
        48 if arg.is_multiple_of(4) => Command::LiftRestriction { reason: text("不再需要") },
        49 if arg.is_multiple_of(2) => Command::NameReader { user: text("u"), name: text("某人") },
        49 => Command::DropReader { user: text("u") },
        25 => Command::Reopen { reason: text("反悔") },
        26 => Command::Join {
            people: List::new(vec![somebody(if arg.is_multiple_of(2) { "王五" } else { "赵六" })]).unwrap(),
        },
        27 => Command::AmendParty { party: u16::from(arg % 4), entry: somebody("孙七") },
        28 => Command::Leave { party: u16::from(arg % 4), note: text("") },
        29 => Command::Amend(Amendment {
            head_count: Some(u32::from(arg)),
            title: Some(text("更正")),
            reason: text("核实"),
            ..Amendment::default()
        }),
        30 => Command::Link { to: CaseId::from_bytes([arg; 16]), note: text("") },
        31 => OpenMediation {
            source: MediationSource::Initiative,
            committee: UnitCode(1),
            on: None,
            mediators: List::default(),
            chosen: false,
            closed: false,
            note: text(""),
        }
        .into(),
        32 => Command::Consent {
            parties: List::new(vec![1, 2]).unwrap(),
            agree: !arg.is_multiple_of(4),
            on: None,
            note: text(""),
        },
        33 => Command::Draw { asked: agreement(arg), number: Some(u32::from(arg)) },
        34 => Sign {
            agreement: u16::from(arg % 3),
            parties: List::new(vec![1, 2]).unwrap(),
            mediator: true,
            committee: arg.is_multiple_of(2),
            mark: Mark::Signature,
            on: None,
            note: text(""),
        }
        .into(),
        35 => Command::VisitAgain { agreement: u16::from(arg % 3), kept: Kept::Partly, on: None, note: text("") },
        36 => Command::EndMediation { ground: MediationEnd::NoAgreement, on: None, note: text("") },
        37 => Command::AskExtension { days: u16::from(arg % 40), reason: text("鉴定") },
        38 => Command::Extend { days: u16::from(arg % 40), reason: text("复杂") },
        39 => GiveTask {
            unit: UnitCode(3),
            title: text("核实"),
            text: text(""),
            due: CivilDay::of(UnixMillis(net.now)).plus(3),
            after: arg.is_multiple_of(2).then_some(1),
        }
        .into(),
        40 => Command::ReportTask { task: u16::from(arg % 3), note: text("已办") },
        41 => Command::CloseTask { task: u16::from(arg % 3), note: text("") },
        19 if arg.is_multiple_of(16) => Command::Void { reason: text("误") },
        _ => Command::Return { note: text("补正") },
    }
}

fn agreement(arg: u8) -> Draw {
    Draw {
        form: if arg.is_multiple_of(2) { AgreementForm::Written } else { AgreementForm::Oral },
        parties: List::new(vec![1, 2]).unwrap(),
        on: None,
        facts: text(""),
        issue: text(""),
        terms: text("和"),
        manner: text(""),
        amount_fen: None,
        plan: List::default(),
        electronic: false,
        mediator: text("王调解"),
    }
}

fn photo(n: u8) -> Attachment {
    let (id, sha256) = (AttachmentId::from_bytes([n; 16]), Sha256([n; 32]));
    Attachment { id, sha256, bytes: 1, media: Media(1), name: text("丙"), caption: text("") }
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => (0..NODES.len(), any::<u8>(), any::<u8>()).prop_map(|(node, what, arg)| Move::Act { node, what, arg }),
        5 => any::<u8>().prop_map(Move::Deliver),
        1 => Just(Move::Wait),
    ];
    proptest::collection::vec(one, 1..80)
}

/// One message, in the order of its link: links keep order, but are not in step with each other.
fn deliver_one(net: &mut Net, pick: u8) {
    if net.mail.is_empty() {
        return;
    }
    let chosen = usize::from(pick) % net.mail.len();
    let (origin, at) = (net.mail[chosen].origin, net.mail[chosen].at);
    let first = net.mail.iter().position(|m| (m.origin, m.at) == (origin, at)).unwrap();
    let mail = net.mail.remove(first).unwrap();
    net.deliver(mail, false).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever people do at once in different places: nothing panics, each node's state is what its records say (checked
    /// at every step), nobody forges, and once everything has arrived there is one owner and all mirrors agree with it.
    #[test]
    fn people_everywhere(red in any::<bool>(), submit in any::<bool>(), seed in 1_u64..1_000_000, moves in moves()) {
        let mut net = Net::new();
        net.seed = seed;
        // Names go from former owners while the case moves on.
        net.holds.policy.keep_days = 1;
        let mut report = intake(3, if submit { Ending::Submit } else { Ending::SettleHere }, answers(red, 0));
        report.restricted = Some((seed % 4 == 0).then(crate::restricted::minors));
        let case = report.case;
        net.open(GRID, report).unwrap();
        let mut took_over = false;
        for step in moves {
            match step {
                Move::Act { node, what, arg } => {
                    let command = command(&net, NODES[node], case, what, arg);
                    let takes = matches!(command, Command::TakeOver { .. });
                    if net.act(NODES[node], case, command).is_ok() {
                        took_over |= takes;
                    }
                }
                Move::Deliver(pick) => deliver_one(&mut net, pick),
                Move::Wait => {
                    net.now += 86_400_000;
                    for node in NODES {
                        net.wake(node, case);
                    }
                }
            }
        }
        net.settle();
        for node in NODES {
            let known = net.known(node, case);
            let replayed = known.history().fold(None, |state, event| Some(evolve(state, &event)));
            prop_assert_eq!(known.case(), replayed.as_ref());
        }
        prop_assert_eq!(crate::figures::digests_agree(&net), Ok(()));
        prop_assert_eq!(crate::restricted::told_too_much(&net), None);
        let owners: Vec<usize> = NODES.into_iter().filter(|n| net.known(*n, case).owned_by(net.id(*n))).collect();
        let forged = net.notes.iter().any(|(_, note)| matches!(note, Notice::NotTheOwner { .. } | Notice::Unbound { .. }));
        prop_assert!(!forged, "{:?}", net.notes);
        // A take-over of a case that never rose is heard of by its former owner alone.
        if red || !took_over {
            prop_assert_eq!(owners.len(), 1, "one owner: {:?}", owners);
            let tip = net.case(owners[0], case);
            prop_assert!(tip.report.is_some() || took_over, "names are with the owner");
            if tip.escalated() {
                for node in [CITY, COUNTY] {
                    prop_assert_eq!(net.case(node, case).head, tip.head, "node {}", node);
                }
            }
            let fact = net.nodes[CITY].rows.values().find_map(|row| match row {
                casework::Record::Fact(fact) => Some(fact.clone()),
                _ => None,
            }).unwrap();
            if !took_over {
                prop_assert_eq!((fact.epoch, fact.version), (tip.head.epoch, tip.head.number));
            }
        }
    }

    /// The grid's disk is put back to an earlier day, it goes on by itself, and is then given back what it had sent.
    #[test]
    fn a_disk_of_yesterday(
        submit in any::<bool>(),
        before in moves(),
        after in moves(),
        alone in proptest::collection::vec((any::<u8>(), any::<u8>()), 0..6),
        mine_first in any::<bool>(),
    ) {
        let mut net = Net::new();
        let report = intake(3, if submit { Ending::Submit } else { Ending::SettleHere }, answers(true, 0));
        let case = report.case;
        net.open(GRID, report).unwrap();
        let run = |net: &mut Net, moves: Vec<Move>| {
            for step in moves {
                match step {
                    Move::Act { node, what, arg } => {
                        let command = command(net, NODES[node], case, what, arg);
                        if !matches!(command, Command::TakeOver { .. }) {
                            let _ = net.act(NODES[node], case, command);
                        }
                    }
                    Move::Deliver(pick) => deliver_one(net, pick),
                    Move::Wait => net.now += 3_600_000,
                }
            }
        };
        run(&mut net, before);
        let (disk, as_of) = (net.nodes[GRID].rows.clone(), net.sent.len());
        run(&mut net, after);
        net.restore(disk, as_of);
        for (what, arg) in alone {
            let command = command(&net, GRID, case, what, arg);
            // Nobody can accept an offer while the grid is cut off.
            if !matches!(command, Command::Offer { .. } | Command::TakeOver { .. }) {
                let _ = net.act(GRID, case, command);
            }
        }
        net.reconcile(mine_first);
        net.settle();
        let owners: Vec<usize> = NODES.into_iter().filter(|n| net.known(*n, case).owned_by(net.id(*n))).collect();
        prop_assert_eq!(owners.len(), 1, "one owner: {:?}", owners);
        let tip = net.case(owners[0], case);
        for node in [VILLAGE, TOWN, COUNTY, CITY] {
            prop_assert_eq!(net.case(node, case).head, tip.head, "node {} of owner {:?}", node, owners);
        }
    }
}
