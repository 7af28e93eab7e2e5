//! One seed: the city, what its people do, what goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use casework::{Command, Intake, Mutant, OfferState, Reply};
use federation::core::Limits;
use federation::sim::{Counters, Fault, Settings, World};
use protocol::bounded::{List, Text};
use protocol::division::{DivisionCode, GridKind, Level};
use protocol::event::{Category, Ending, Matter, Outcome, Source};
use protocol::grading::{Answers, Known as Answer};
use protocol::id::{CaseId, NodeId};
use protocol::order::Directive;
use protocol::time::UnixMillis;
use protocol::unit::UnitCode;

use super::app::CityApp;
use super::oracle;

/// How large a city is and how much happens in it.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Children of a city, a county, a township, a community.
    pub width: [usize; 4],
    /// Things that people do.
    pub commands: usize,
    /// Things that go wrong.
    pub faults: usize,
}

impl Default for Shape {
    /// 1 + 2 + 4 + 8 + 16 nodes.
    fn default() -> Self {
        Self { width: [2, 2, 2, 2], commands: 300, faults: 20 }
    }
}

impl Shape {
    /// The default, with at least so many nodes.
    pub fn of(nodes: usize) -> Self {
        let mut shape = Self::default();
        let count = |[a, b, c, d]: [usize; 4]| 1 + a + a * b + a * b * c + a * b * c * d;
        // Wider at the bottom first, one level after the other.
        for level in [3, 2, 1, 0].into_iter().cycle() {
            if count(shape.width) >= nodes {
                break;
            }
            shape.width[level] += 1;
        }
        shape
    }
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Everything in it follows from this.
    pub seed: u64,
    /// The city.
    pub shape: Shape,
    /// A safeguard of the link that is off.
    pub link_mutant: Option<federation::core::Mutant>,
    /// A safeguard of casework that is off.
    pub case_mutant: Option<Mutant>,
}

/// What a run came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Nodes.
    pub nodes: usize,
    /// Things that people did and that were not refused.
    pub done: u64,
    /// Headers at the top.
    pub events: u64,
    /// Milliseconds of virtual time.
    pub virtual_ms: u64,
    /// What the world counted.
    pub counters: Counters,
    /// What is wrong.
    pub wrong: Vec<String>,
}

/// Virtual time in which a healed city must drain: back-off waits included.
const DRAIN_MS: u64 = 900_000;
/// Virtual time between two things that people do, at most.
const PAUSE_MS: u64 = 400;

impl Run {
    /// An ordinary run.
    pub fn new(seed: u64) -> Self {
        Self { seed, shape: Shape::default(), link_mutant: None, case_mutant: None }
    }

    /// Runs it.
    pub fn go(&self) -> Report {
        let tree = tree(&self.shape);
        let divisions: Rc<BTreeMap<_, _>> =
            Rc::new(tree.iter().map(|(node, division, _)| (*node, *division)).collect());
        let limits = Limits {
            retry_min_ms: 200,
            retry_max_ms: 5_000,
            unbelieved_again_ms: 20_000,
            mutant: self.link_mutant,
            ..Limits::default()
        };
        let settings = Settings { limits, latency_ms: (1, 40), ..Settings::default() };
        let mut world = World::new(self.seed, settings, &tree, |node, division| {
            CityApp::new(node, division, divisions.clone(), self.case_mutant)
        });
        let top = tree.first().map_or(NodeId::from_bytes([0; 16]), |(node, ..)| *node);
        world.run_until(5_000);
        let mut people = People { tree: &tree, cases: Vec::new(), done: 0, restored: BTreeSet::new() };
        people.live(&mut world, &self.shape);
        world.heal();
        let mut report = Report { nodes: tree.len(), done: people.done, ..Report::default() };
        if let Err(stuck) = world.drain(DRAIN_MS) {
            report.wrong.push(format!("not drained: {}", stuck.0));
        } else {
            report.wrong.extend(oracle::check(&world, top, &people.restored));
        }
        world.check_delivery();
        report.wrong.append(&mut world.counters.violations);
        report.events = world.app(top).map_or(0, |app| app.cases().map(|case| u64::from(case.head.number)).sum());
        report.virtual_ms = world.now_ms();
        report.counters = world.counters.clone();
        report
    }
}

type Tree = Vec<(NodeId, DivisionCode, Option<NodeId>)>;

fn tree(shape: &Shape) -> Tree {
    let mut tree = Vec::new();
    let mut level: Vec<(NodeId, u64)> = vec![(node(0), 330_600_000_000_000)];
    tree.push((node(0), code(330_600_000_000_000), None));
    let steps = [1_000_000_000, 1_000_000, 1_000, 1];
    for (width, step) in shape.width.into_iter().zip(steps) {
        let mut next = Vec::new();
        for (parent, number) in level {
            for child in 1..=width {
                let number = number + step * u64::try_from(child).unwrap_or(1);
                let id = node(u32::try_from(tree.len()).unwrap_or(u32::MAX));
                tree.push((id, code(number), Some(parent)));
                next.push((id, number));
            }
        }
        level = next;
    }
    tree
}

fn node(index: u32) -> NodeId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&(index + 1).to_be_bytes());
    NodeId::from_bytes(bytes)
}

fn code(number: u64) -> DivisionCode {
    DivisionCode::from_number(number).unwrap_or_else(|error| panic!("{number}: {error}"))
}

struct People<'a> {
    tree: &'a Tree,
    cases: Vec<CaseId>,
    done: u64,
    restored: BTreeSet<NodeId>,
}

impl People<'_> {
    fn live(&mut self, world: &mut World<CityApp>, shape: &Shape) {
        let mut faults_left = shape.faults;
        let mut mend: Vec<(u64, NodeId)> = Vec::new();
        for index in 0..shape.commands {
            let pause = 1 + world.below(PAUSE_MS);
            world.run_until(world.now_ms() + pause);
            let now = world.now_ms();
            if mend.iter().any(|(at, _)| *at <= now) {
                mend.retain(|(at, _)| *at > now);
                world.heal();
            }
            let commands_left = shape.commands - index;
            if faults_left > 0
                && world.below(u64::try_from(commands_left).unwrap_or(1)) < u64::try_from(faults_left).unwrap_or(0)
            {
                faults_left -= 1;
                self.go_wrong(world, &mut mend);
            }
            self.somebody_acts(world);
        }
    }

    fn anybody(&self, world: &mut World<CityApp>) -> NodeId {
        let index = world.below(u64::try_from(self.tree.len()).unwrap_or(1));
        self.tree[usize::try_from(index).unwrap_or(0)].0
    }

    fn go_wrong(&mut self, world: &mut World<CityApp>, mend: &mut Vec<(u64, NodeId)>) {
        let node = self.anybody(world);
        let later = world.now_ms() + 2_000 + world.below(20_000);
        match world.below(14) {
            0 => world.lose(node),
            1 => {
                world.cut(node);
                mend.push((later, node));
            }
            2 => {
                let by = 500 + world.below(5_000);
                world.clog(node, by);
                mend.push((later, node));
            }
            3 | 4 => {
                let back = 100 + world.below(5_000);
                world.crash(node, back);
            }
            5 => {
                // The copy is older than what follows; the node comes back as it some time later.
                world.back_up(node);
                let until = world.now_ms() + world.below(8_000);
                world.run_until(until);
                for _ in 0..3 {
                    self.somebody_acts(world);
                    let until = world.now_ms() + 200;
                    world.run_until(until);
                }
                let told = world.below(2) == 0;
                let done = if told { world.restore_told(node, 100) } else { world.restore(node, 100) };
                if done {
                    self.restored.insert(node);
                }
            }
            6..13 => self.go_odd(world, node, mend, later),
            _ => {
                let offset = i64::try_from(world.below(20 * 365 * 86_400)).unwrap_or(0) * 1_000 - 10 * 365 * 86_400_000;
                world.set_clock(node, offset);
            }
        }
    }

    /// Disks that fail, links that are deaf, copies and enemies.
    fn go_odd(&mut self, world: &mut World<CityApp>, node: NodeId, mend: &mut Vec<(u64, NodeId)>, later: u64) {
        match world.below(7) {
            0 => {
                let to_parent = world.below(2) == 0;
                world.deafen(node, to_parent);
                mend.push((later, node));
            }
            1 => {
                // What only the copy wrote is gone when it is switched off, as with a restored disk.
                if world.clone_node(node, later.saturating_sub(world.now_ms())) {
                    self.restored.insert(node);
                }
            }
            2 => {
                world.fill_disk(node);
                mend.push((later, node));
            }
            3 => {
                let by = 500 + world.below(3_500);
                world.slow_disk(node, by);
                mend.push((later, node));
            }
            4 => {
                world.slow_disk(node, 1_000);
                let until = world.now_ms() + 500;
                world.run_until(until);
                world.tear(node, 1_000);
                mend.push((later, node));
            }
            5 => world.flip(node),
            _ => world.turn_hostile(node, 5_000),
        }
    }

    fn somebody_acts(&mut self, world: &mut World<CityApp>) {
        if self.cases.is_empty() || world.below(3) == 0 {
            return self.report(world);
        }
        let index = usize::try_from(world.below(u64::try_from(self.cases.len()).unwrap_or(1))).unwrap_or(0);
        let case = self.cases[index];
        // Whoever holds something of it does what is next for them.
        let start = usize::try_from(world.below(u64::try_from(self.tree.len()).unwrap_or(1))).unwrap_or(0);
        for offset in 0..self.tree.len() {
            let (node, division, _) = self.tree[(start + offset) % self.tree.len()];
            // Of two machines with one identity either may be the one that people work at.
            let at = world.twin(node).filter(|_| world.below(2) == 0).unwrap_or(node);
            let Some(app) = world.app(at) else { continue };
            let known = app.known(case);
            let dice = world.below(1_000);
            if let Some(command) = next(&known, node, division, dice) {
                let result = world.act(at, |app, now, random| app.act(case, command, now, random));
                self.done += u64::from(matches!(result, Some(Ok(()))));
                return;
            }
        }
    }

    fn report(&mut self, world: &mut World<CityApp>) {
        let grids: Vec<_> = self.tree.iter().filter(|(_, d, _)| d.level() == Level::Grid).copied().collect();
        let index = usize::try_from(world.below(u64::try_from(grids.len()).unwrap_or(1))).unwrap_or(0);
        let (grid, place, _) = grids[index];
        let mut random = [0; 10];
        random.iter_mut().for_each(|byte| *byte = u8::try_from(world.below(256)).unwrap_or(0));
        let case = CaseId::new(UnixMillis(i64::try_from(world.now_ms()).unwrap_or(0)), random);
        let people = u32::try_from([2, 6, 25, 3][usize::try_from(world.below(4)).unwrap_or(0)]).unwrap_or(2);
        let ending = if world.below(2) == 0 { Ending::Submit } else { Ending::SettleHere };
        let intake = intake(case, place, people, ending);
        if let Some(Ok(())) = world.act(grid, |app, now, random| app.open(intake, now, random)) {
            self.done += 1;
            self.cases.push(case);
        }
    }
}

fn intake(case: CaseId, place: DivisionCode, people: u32, ending: Ending) -> Intake {
    Intake {
        case,
        matter: Matter::Dispute,
        source: Source::Grid,
        category: Category(402),
        place,
        grid_kind: GridKind::Basic,
        title: Text::cut("物业纠纷"),
        narrative: Text::cut("业主与物业争执。"),
        parties: List::default(),
        answers: answers(people),
        head_count: people,
        summary: None,
        ending,
        confirmed_level: None,
    }
}

fn answers(people: u32) -> Answers {
    Answers {
        signs: 0,
        violence: Answer::No,
        petition_talk: Answer::Yes,
        people: Some(people),
        disturbs: Answer::Yes,
        effort: Answer::Unknown,
    }
}

/// What a node may do next about a case, if anything.
fn next(known: &casework::Known, node: NodeId, division: DivisionCode, dice: u64) -> Option<Command> {
    let case = known.case();
    if let Some(offer) = known.offers().find(|file| file.to == node && file.state == OfferState::Open) {
        let offer = offer.offer.id;
        return Some(if dice < 800 {
            Command::AcceptOffer { offer }
        } else {
            let ground = protocol::transfer::Ground::SettleBelow;
            Command::DeclineOffer { offer, ground, text: Text::cut("请就地化解"), proposed: None }
        });
    }
    if let Some(order) = known.orders().find(|file| file.open() && file.to == node && file.order.from != node) {
        let order = order.order.id;
        let approval = matches!(
            known.order(order).map(|file| &file.order.asked),
            Some(protocol::order::Asked::ApproveLevel { .. })
        );
        let reply = match (approval, dice < 600) {
            (true, true) => Reply::Yes { text: Text::cut("同意") },
            (true, false) => Reply::No { text: Text::cut("不同意") },
            (false, _) => Reply::Text { text: Text::cut("已办") },
        };
        return Some(Command::AnswerOrder { order, reply });
    }
    let case = case?;
    if !case.owned_by(node) {
        let above = division.level() <= Level::County && case.escalated();
        return match dice {
            0..300 if above => Some(Command::IssueDirective {
                form: Directive::Supervise,
                text: Text::cut("请报告进展"),
                term_days: Some(3),
            }),
            // The owner is held to be lost; it may well be there and go on writing.
            300..340 if above => Some(Command::TakeOver { reason: Text::cut("原承办节点失联") }),
            _ => None,
        };
    }
    Some(match dice {
        0..100 => Command::Regrade {
            answers: answers(25),
            level: Some(protocol::warning::Warning::Orange),
            reason: Text::cut("人数增加"),
        },
        100..200 => Command::Regrade {
            answers: answers(2),
            level: Some(protocol::warning::Warning::Yellow),
            reason: Text::cut("已平息"),
        },
        200..230 => Command::Void { reason: Text::cut("误录") },
        230..300 => Command::Contribute { text: Text::cut("补充") },
        _ => step(case.brief.step, case.brief.outcome.is_some(), dice),
    })
}

fn step(step: protocol::event::Step, resolved: bool, dice: u64) -> Command {
    use protocol::event::Step;
    let note = Text::cut("办理");
    match step {
        Step::Reported => Command::File,
        Step::Filed => Command::Assign { unit: UnitCode(1), note },
        Step::Assigned => Command::Progress { note },
        Step::InProgress if resolved => Command::FeedBack { note },
        Step::InProgress if dice.is_multiple_of(2) => Command::Progress { note },
        Step::InProgress => Command::Resolve { outcome: Outcome::Successful, terms: note, amount_fen: None },
        Step::FedBack => Command::Assess { score: 4, note },
        Step::Assessed | Step::Archived => Command::Archive,
    }
}

/// Names of faults for a report.
pub fn fault_name(fault: Fault) -> &'static str {
    match fault {
        Fault::Loss => "loss",
        Fault::Cut => "cut",
        Fault::Clog => "clog",
        Fault::Crash => "crash",
        Fault::Restore => "restore",
        Fault::RestoreTold => "told restore",
        Fault::Clock => "clock",
        Fault::OneWay => "one way",
        Fault::Clone => "clone",
        Fault::Full => "full disk",
        Fault::Slow => "slow disk",
        Fault::Torn => "torn commit",
        Fault::Flip => "flipped bit",
        Fault::Hostile => "hostile",
    }
}
