//! What people do in a week: drawn from a seed, and written down beside the program.

use std::collections::{BTreeMap, BTreeSet};

use casework::{Actor, Case, Command, Intake, Role};
use protocol::bounded::{List, Text};
use protocol::division::{DivisionCode, GridKind};
use protocol::event::{Category, Ending, Matter, Outcome, Source, Step};
use protocol::fact::Measure;
use protocol::grading::{Answers, Known};
use protocol::id::CaseId;
use protocol::unit::UnitCode;
use protocol::warning::Warning;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use wuji::writer::port::Ask;

use super::city::{CUT, City, GRIDS, division, until};

const CATEGORIES: [u16; 6] = [101, 201, 299, 402, 701, 1101];
const SOURCES: [Source; 4] = [Source::Window, Source::Grid, Source::Hotline12345, Source::Petition];
/// Yellow, red and orange, where there is talk of petitioning.
const CROWDS: [u32; 3] = [2, 7, 30];

/// A case that somebody works on.
struct Open {
    at: usize,
    case: Case,
}

/// The people of the city, and what they did.
pub(crate) struct People {
    rng: ChaCha8Rng,
    open: Vec<Open>,
    /// Every case, with the grid that reported it.
    pub(crate) reported: BTreeMap<CaseId, usize>,
    /// Cases that were ever reported above.
    pub(crate) escalated: BTreeSet<CaseId>,
    /// Visits by division and day.
    pub(crate) visits: BTreeMap<(DivisionCode, i32), u64>,
    pub(crate) handed_over: usize,
    pub(crate) voided: usize,
}

/// Somebody who may do everything.
pub(crate) fn everybody() -> Actor {
    let roles = [Role::GridWorker, Role::Mediator, Role::Clerk, Role::Handler, Role::Supervisor];
    Actor::everywhere("test", "测试", &roles)
}

impl People {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            open: Vec::new(),
            reported: BTreeMap::new(),
            escalated: BTreeSet::new(),
            visits: BTreeMap::new(),
            handed_over: 0,
            voided: 0,
        }
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a small number");
        usize::try_from(self.rng.next_u64() % end).expect("a small number")
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// A day at all grids, and what comes of it further up.
    pub(crate) async fn live(&mut self, city: &City) {
        for grid in GRIDS {
            // Whatever the seed: each grid has one case a day that must go up, and one that it gives to its township.
            self.report(city, grid, Some(7), Ending::SettleHere).await;
            self.report(city, grid, None, Ending::Submit).await;
            for _ in 0..1 + self.below(3) {
                let ending = self.of(&[Ending::SettleHere, Ending::SettleHere, Ending::Submit]);
                self.report(city, grid, None, ending).await;
            }
            self.visit(city, grid).await;
        }
        for _ in 0..self.open.len().min(30) {
            self.work(city).await;
        }
        for at in [0, self.open.len() / 2] {
            self.raise(city, at).await;
        }
        let struck = self.below(self.open.len());
        let reason = Text::cut("重复录入");
        self.act(city, struck, Command::Void { reason }).await;
        self.open.swap_remove(struck);
        self.voided += 1;
    }

    async fn report(&mut self, city: &City, grid: usize, people: Option<u32>, ending: Ending) {
        let intake = self.intake(city, grid, people, ending);
        let case = city.report(grid, intake).await;
        self.reported.insert(case.id, grid);
        self.note(&case);
        let (at, case) = match case.offered {
            Some((offer, to)) => {
                let to = city.place(to);
                (to, self.hand_over(city, case.id, to, Command::AcceptOffer { offer }).await)
            }
            None => (grid, case),
        };
        self.open.push(Open { at, case });
    }

    fn intake(&mut self, city: &City, grid: usize, people: Option<u32>, ending: Ending) -> Intake {
        let mut random = [0; 10];
        self.rng.fill_bytes(&mut random);
        let people_or_any = people.unwrap_or_else(|| self.of(&CROWDS));
        let any = self.of(&[Matter::Dispute, Matter::Dispute, Matter::Request, Matter::Consultation]);
        Intake {
            case: CaseId::new(city.clock.wall(), random),
            // Only a dispute has a level.
            matter: if people.is_some() { Matter::Dispute } else { any },
            source: self.of(&SOURCES),
            category: Category(self.of(&CATEGORIES)),
            place: division(grid),
            grid_kind: self.of(&GridKind::ALL),
            title: Text::cut("通道之争"),
            narrative: Text::cut("为通道争吵。"),
            parties: List::default(),
            answers: Answers { people: Some(people_or_any), petition_talk: Known::Yes, ..Answers::default() },
            head_count: people_or_any,
            summary: None,
            ending,
            confirmed_level: None,
            restricted: None,
        }
    }

    /// The offer arrives, is accepted, and the case arrives.
    async fn hand_over(&mut self, city: &City, case: CaseId, to: usize, accept: Command) -> Case {
        until("an offer does not arrive", async || city.act(to, case, accept.clone()).await.ok()).await;
        self.handed_over += 1;
        until("a case that was accepted does not arrive", async || {
            city.case(to, case).await.filter(|case| case.owned_by(city.id(to)) && !case.released)
        })
        .await
    }

    async fn visit(&mut self, city: &City, grid: usize) {
        let (day, add) = (city.today(), 1 + self.below(9));
        let count = Ask::Count { day, measure: Measure::VISITS, add: i64::try_from(add).expect("a small number") };
        city.node(grid).port.ask(count).await.expect("counted");
        *self.visits.entry((division(grid), day.number())).or_default() += u64::try_from(add).expect("a small number");
    }

    /// Somebody does the next thing to some open case.
    async fn work(&mut self, city: &City) {
        if self.open.is_empty() {
            return;
        }
        let at = self.below(self.open.len());
        let command = self.next(at);
        let ends = command == Command::Archive;
        self.act(city, at, command).await;
        if ends {
            self.open.swap_remove(at);
        }
    }

    fn next(&mut self, at: usize) -> Command {
        let brief = &self.open[at].case.brief;
        let note = Text::default;
        match (brief.step, brief.outcome) {
            (Step::Reported, _) => Command::File,
            (Step::Filed, _) => Command::Assign { unit: UnitCode(1), note: note() },
            (Step::Assigned, _) => Command::Progress { note: Text::cut("上门一次") },
            (Step::InProgress, None) => {
                let outcome = self.of(&Outcome::ALL);
                Command::Resolve { outcome, terms: Text::cut("和解"), amount_fen: Some(100) }
            }
            (Step::InProgress, Some(_)) => Command::fed_back(note()),
            (Step::FedBack, _) => Command::Assess { score: 4, note: note() },
            (Step::Assessed | Step::Archived, _) => Command::Archive,
        }
    }

    /// A dispute grows to orange.
    async fn raise(&mut self, city: &City, from: usize) {
        let calm = |open: &Open| open.case.brief.matter == Matter::Dispute && open.case.level() < Some(Warning::Orange);
        let Some(at) = (from..self.open.len()).find(|at| calm(&self.open[*at])) else { return };
        let answers = Answers { people: Some(40), ..Answers::default() };
        let reason = Text::cut("人数增加");
        self.act(city, at, Command::Regrade { answers, level: Some(Warning::Orange), reason }).await;
    }

    async fn act(&mut self, city: &City, at: usize, command: Command) {
        let open = &self.open[at];
        let what = format!("{command:?} of a case at {:?}", open.case.brief.step);
        let done = city.act(open.at, open.case.id, command).await.unwrap_or_else(|failed| panic!("{what}: {failed}"));
        let case = done.expect("the case as it then stands");
        self.note(&case);
        self.open[at].case = case;
    }

    fn note(&mut self, case: &Case) {
        if case.escalated() {
            self.escalated.insert(case.id);
        }
    }

    /// Cases that were reported in the county that is cut off.
    pub(crate) fn of_the_cut(&self) -> BTreeSet<CaseId> {
        self.reported.iter().filter(|(_, grid)| CUT.contains(grid)).map(|(case, _)| *case).collect()
    }
}
