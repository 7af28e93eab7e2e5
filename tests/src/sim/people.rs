//! What the people of a city do.

use std::collections::{BTreeMap, BTreeSet};

use casework::{Actor, Amendment, Case, Command, Intake, OfferState, Reply, Role};
use federation::sim::{Stuck, World};
use protocol::bounded::{List, Text};
use protocol::division::{DivisionCode, GridKind, Level};
use protocol::event::{
    Category, DeclineGround, Ending, Matter, Outcome, Participant, Party, PartySide, PauseGround, Source,
};
use protocol::grading::{Answers, Known as Answer};
use protocol::id::{CaseId, NodeId};
use protocol::order::Directive;
use protocol::time::UnixMillis;
use protocol::unit::UnitCode;

use super::app::CityApp;
use super::revoked::{self, Revoked};
use super::shape::Tree;

/// A case that was reported, and where something of it may be held, as places of the tree.
struct Reported {
    case: CaseId,
    at: Vec<usize>,
}

/// The people of a city.
pub(super) struct People<'a> {
    tree: &'a Tree,
    places: BTreeMap<NodeId, usize>,
    grids: Vec<usize>,
    cases: Vec<Reported>,
    /// The cases of which something may be held at each place.
    at: Vec<Vec<usize>>,
    /// Things that they did and that were not refused.
    pub(super) done: u64,
    /// Nodes that came back as they once were.
    pub(super) restored: BTreeSet<NodeId>,
    /// Nodes that are revoked.
    pub(super) revoked: Revoked,
}

/// Of so many grids one may be revoked.
const REVOKED_ONE_OF: usize = 8;
/// How often a node is asked for something that it must not be busy for.
const ATTEMPTS: usize = 100;

impl<'a> People<'a> {
    pub(super) fn of(tree: &'a Tree) -> Self {
        let grids = (0..tree.len()).filter(|at| tree[*at].1.level() == Level::Grid).collect();
        let places = tree.iter().enumerate().map(|(at, (node, ..))| (*node, at)).collect();
        Self {
            tree,
            places,
            grids,
            cases: Vec::new(),
            at: vec![Vec::new(); tree.len()],
            done: 0,
            restored: BTreeSet::new(),
            revoked: Revoked::default(),
        }
    }

    /// A grid is revoked: its parent knows, the grid goes on.
    pub(super) fn revoke_somebody(&mut self, world: &mut World<CityApp>) {
        let grid = self.tree[self.grids[below(world, self.grids.len())]].0;
        if self.revoked.count() < self.grids.len() / REVOKED_ONE_OF && !self.revoked.contains(grid) {
            self.revoked.revoke(grid, world);
        }
    }

    /// Those above take over what still belongs to nodes that are revoked, the nearest first.
    pub(super) fn inherit(&self, world: &mut World<CityApp>, within_ms: u64) -> Result<(), Stuck> {
        for node in self.revoked.nodes() {
            for place in self.line(self.places[&node]).into_iter().skip(1) {
                world.drain(within_ms)?;
                let at = self.tree[place].0;
                ask(world, at, |world| {
                    world.act(at, |app, now, mut random| {
                        let left = revoked::orphans(app, node).into_iter();
                        let sent = left.flat_map(|case| app.act(case, revoked::take_over(), now, &mut random).1);
                        ((), sent.collect())
                    });
                    world.app(at).is_some_and(|app| revoked::orphans(app, node).is_empty())
                });
            }
        }
        world.drain(within_ms)
    }

    /// Any node.
    pub(super) fn anybody(&self, world: &mut World<CityApp>) -> NodeId {
        self.tree[below(world, self.tree.len())].0
    }

    /// All nodes, without the copies of some.
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.tree.iter().map(|(node, ..)| *node)
    }

    /// The node at the top.
    pub(super) fn top(&self) -> NodeId {
        self.tree[0].0
    }

    /// A place and all above it.
    fn line(&self, place: usize) -> Vec<usize> {
        let mut line = vec![place];
        while let Some(above) = line.last().and_then(|at| self.tree[*at].2) {
            line.push(self.places[&above]);
        }
        line
    }

    /// Somebody reports cases, or whoever holds something of one does what is next for them, and what is next with other
    /// cases that may be there.
    pub(super) fn somebody_acts(&mut self, world: &mut World<CityApp>, burst: usize) {
        let count = 1 + below(world, burst);
        if self.cases.is_empty() || world.below(3) == 0 {
            return self.report(world, count);
        }
        let first = below(world, self.cases.len());
        let start = below(world, self.cases[first].at.len());
        for offset in 0..self.cases[first].at.len() {
            let held = &self.cases[first].at;
            let place = held[(start + offset) % held.len()];
            let node = self.tree[place].0;
            // Of two machines with one identity either may be the one that people work at.
            let at = world.twin(node).filter(|_| world.below(2) == 0).unwrap_or(node);
            let Some(app) = world.app(at).filter(|app| app.holds(self.cases[first].case)) else { continue };
            let known = app.known(self.cases[first].case);
            let dice = Dice { number: world.below(1_000), other: self.anybody(world) };
            if next(&known, node, self.tree[place].1, dice, &self.revoked).is_some() {
                let mut work = vec![(first, dice)];
                for _ in 1..count {
                    let some = below(world, self.at[place].len());
                    let dice = Dice { number: world.below(1_000), other: self.anybody(world) };
                    work.push((self.at[place][some], dice));
                }
                return self.work(world, at, place, work);
            }
        }
    }

    /// What is next with some cases, in one transaction.
    fn work(&mut self, world: &mut World<CityApp>, at: NodeId, place: usize, work: Vec<(usize, Dice)>) {
        let (node, division, _) = self.tree[place];
        let (cases, revoked) = (&self.cases, &self.revoked);
        let done = world.act(at, |app, now, mut random| {
            let (mut done, mut drafts) = (Vec::new(), Vec::new());
            for (index, dice) in work {
                let case = cases[index].case;
                let known = app.holds(case).then(|| app.known(case));
                let Some(command) = known.and_then(|known| next(&known, node, division, dice, revoked)) else {
                    continue;
                };
                let offered = match &command {
                    Command::Offer { to } => Some(*to),
                    _ => None,
                };
                let (result, sent) = app.act(case, command, now, &mut random);
                drafts.extend(sent);
                done.extend(result.is_ok().then_some((index, offered)));
            }
            (done, drafts)
        });
        for (index, offered) in done.unwrap_or_default() {
            self.done += 1;
            offered.into_iter().for_each(|to| self.may_hold(index, self.places[&to]));
        }
    }

    /// From now on something of a case may be at a place and above.
    fn may_hold(&mut self, index: usize, place: usize) {
        for place in self.line(place) {
            if !self.cases[index].at.contains(&place) {
                self.cases[index].at.push(place);
                self.at[place].push(index);
            }
        }
    }

    fn report(&mut self, world: &mut World<CityApp>, count: usize) {
        let place = self.grids[below(world, self.grids.len())];
        let (grid, division, _) = self.tree[place];
        let mut intakes = Vec::new();
        for _ in 0..count {
            let mut random = [0; 10];
            random.iter_mut().for_each(|byte| *byte = u8::try_from(world.below(256)).unwrap_or(0));
            let case = CaseId::new(UnixMillis(i64::try_from(world.now_ms()).unwrap_or(0)), random);
            let people = [2, 6, 25, 3][below(world, 4)];
            let ending = if world.below(2) == 0 { Ending::Submit } else { Ending::SettleHere };
            intakes.push(intake(case, division, people, ending));
        }
        let opened = world.act(grid, |app, now, mut random| {
            let (mut opened, mut drafts) = (Vec::new(), Vec::new());
            for intake in intakes {
                let case = intake.case;
                let (result, sent) = app.open(intake, now, &mut random);
                drafts.extend(sent);
                opened.extend(result.is_ok().then_some(case));
            }
            (opened, drafts)
        });
        for case in opened.unwrap_or_default() {
            self.done += 1;
            self.cases.push(Reported { case, at: Vec::new() });
            self.may_hold(self.cases.len() - 1, place);
        }
    }
}

/// What chance gives to somebody who acts.
#[derive(Clone, Copy)]
struct Dice {
    number: u64,
    other: NodeId,
}

/// Asks a node until it has done something, for it may be busy.
fn ask(world: &mut World<CityApp>, at: NodeId, mut done: impl FnMut(&mut World<CityApp>) -> bool) {
    for _ in 0..ATTEMPTS {
        if world.app(at).is_none() || done(world) {
            return;
        }
        world.run_until(world.now_ms() + 200);
    }
}

/// A random index below a length.
fn below(world: &mut World<CityApp>, length: usize) -> usize {
    usize::try_from(world.below(u64::try_from(length).unwrap_or(1))).unwrap_or(0)
}

pub(super) fn intake(case: CaseId, place: DivisionCode, people: u32, ending: Ending) -> Intake {
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
        restricted: None,
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
fn next(
    known: &casework::Known,
    node: NodeId,
    division: DivisionCode,
    Dice { number: dice, other }: Dice,
    revoked: &Revoked,
) -> Option<Command> {
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
        let asked = known.order(order).map(|file| &file.order.asked);
        let approval = matches!(asked, Some(protocol::order::Asked::ApproveLevel { .. }));
        let reply = match (approval, dice < 600) {
            _ if matches!(asked, Some(protocol::order::Asked::Wider(_))) => {
                Reply::Score { score: 4, text: Text::cut("处置及时") }
            }
            (true, true) => Reply::Yes { text: Text::cut("同意") },
            (true, false) => Reply::No { text: Text::cut("不同意") },
            (false, _) => Reply::Text { text: Text::cut("已办") },
        };
        return Some(Command::AnswerOrder { order, reply });
    }
    let case = case?;
    if !case.owned_by(node) {
        if revoked.contains(case.owner()) && division.contains(case.brief.place) && division.level() != Level::Grid {
            return Some(revoked::take_over());
        }
        let above = division.level() <= Level::County && case.escalated();
        return match dice {
            0..300 if above => Some(Command::IssueDirective {
                form: Directive::Supervise,
                text: Text::cut("请报告进展"),
                term_days: Some(3),
            }),
            // The owner is held to be lost; it may well be there and go on writing.
            300..340 if above => Some(Command::TakeOver { reason: Text::cut("原承办节点失联") }),
            340..380 => Some(Command::Contribute { text: Text::cut("旁证") }),
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
        230..260 => Command::Contribute { text: Text::cut("补充") },
        260..320 => Command::Offer { to: other },
        320..335 => Command::Recall,
        335..355 if case.paused() => Command::Resume { on: None, note: Text::default() },
        335..355 => Command::Pause { ground: PauseGround::Assessment, on: None, note: Text::default() },
        355..362 => Command::Reject { ground: DeclineGround::Pending, note: Text::default() },
        362..370 => Command::Refer { channel: Text::cut("court"), note: Text::cut("移送法院") },
        370..375 => Command::Withdraw { note: Text::cut("不再要求") },
        375..390 => Command::Reopen { reason: Text::cut("当事人反悔") },
        390..420 => of_the_report(case, dice),
        420..430 => Command::Extend { days: 3, reason: Text::cut("情况复杂") },
        // The report to the police, without which no case of violence is settled.
        _ if case.measures.is_empty() && case.brief.grading.answers.violence == Answer::Yes => {
            Command::TakeMeasure { measure: 2, note: Text::cut("已报告派出所") }
        }
        _ => step(case.brief.step, case.brief.outcome.is_some(), dice),
    })
}

/// Somebody who may do everything: rights have tests of their own.
pub(super) fn everybody() -> Actor {
    let roles = [Role::GridWorker, Role::Mediator, Role::Clerk, Role::Handler, Role::Supervisor];
    Actor::everywhere("sim", "模拟", &roles)
}

/// Who and what it is about is put right.
fn of_the_report(case: &Case, dice: u64) -> Command {
    let somebody = |name: &str| {
        Participant::from(Party {
            side: PartySide::Respondent,
            name: Text::cut(name),
            phone: Text::default(),
            address: Text::default(),
            identity: Text::default(),
        })
    };
    let seat = case.seats.iter().filter(|seat| !seat.left).map(|seat| seat.number).next_back();
    match (dice % 4, seat) {
        (0, _) => Command::Join { people: List::new(vec![somebody("王五")]).unwrap_or_default() },
        (1, Some(party)) => Command::AmendParty { party, entry: somebody("王小五") },
        (2, Some(party)) => Command::Leave { party, note: Text::default() },
        _ => Command::Amend(Amendment { head_count: Some(3), reason: Text::cut("核实"), ..Amendment::default() }),
    }
}

fn step(step: protocol::event::Step, resolved: bool, dice: u64) -> Command {
    use protocol::event::Step;
    let note = Text::cut("办理");
    match step {
        Step::Reported | Step::Filed | Step::Assigned | Step::InProgress if resolved => Command::fed_back(note),
        Step::Reported => Command::File,
        Step::Filed => Command::Assign { unit: UnitCode(1), note },
        Step::Assigned => Command::Progress { note },
        Step::InProgress if dice.is_multiple_of(2) => Command::Progress { note },
        Step::InProgress => Command::Resolve { outcome: Outcome::Successful, terms: note, amount_fen: None },
        Step::FedBack => Command::Assess { score: 4, note },
        Step::Assessed | Step::Archived => Command::Archive,
    }
}
