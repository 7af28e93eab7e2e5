//! The year itself: cases are reported and worked on at several nodes by the rules, each at its own moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use casework::{Actor, Case, Command, Decision, InForce, Intake, Keys, Known, Me, Record, Role, World};
use protocol::bounded::{List, Text};
use protocol::chain::Signature;
use protocol::directory::Ancestor;
use protocol::division::GridKind;
use protocol::event::{Category, Ending, Matter, Outcome, Party, PartySide, Source, Step};
use protocol::fact::CaseFact;
use protocol::grading::{Answers, Known as Told};
use protocol::id::{CaseId, NodeId};
use protocol::time::{ClockReading, UnixMillis};
use protocol::unit::UnitCode;
use wuji::person::vault::Vault;
use wuji::store::figures::NewFigures;
use wuji::store::{self, Store, WriteStore};

/// 2026-01-01
pub(crate) const FIRST_DAY: i32 = 20_454;
/// The day on which the figures are asked for: after the last act of the year.
pub(crate) const TODAY: i32 = FIRST_DAY + 500;

const CITY: &str = "330600000000";
const OWNERS: [&str; 6] =
    ["330602001001001", "330602001001002", "330602001002001", "330602001000", "330603005002001", "330603005000"];
const CATEGORIES: [u16; 6] = [101, 201, 299, 402, 701, 1101];

/// One owner with its database.
pub(crate) struct Owner {
    pub(crate) me: Me,
    pub(crate) store: Store,
    pub(crate) write: WriteStore,
    open: Vec<CaseId>,
}

/// All owners, and the city that holds their facts.
pub(crate) struct Year {
    pub(crate) owners: Vec<Owner>,
    pub(crate) city: Store,
    pub(crate) city_write: WriteStore,
    seed: u64,
    now: i64,
    made: u64,
    _root: tempfile::TempDir,
}

struct NoKeys;

impl Keys for NoKeys {
    fn sign(&self, _: &[u8]) -> Signature {
        Signature([0; 64])
    }

    fn verify(&self, _: NodeId, _: &[u8], _: &Signature) -> bool {
        true
    }
}

fn text<const N: usize>(words: &str) -> Text<N> {
    Text::new(words).expect("a text")
}

fn everybody() -> Actor {
    let roles = [Role::GridWorker, Role::Mediator, Role::Clerk, Role::Handler, Role::Supervisor];
    Actor::everywhere("test", "测试", &roles)
}

fn node(n: u8) -> NodeId {
    NodeId::from_bytes([n; 16])
}

impl Year {
    /// Lives a year of so many cases.
    pub(crate) async fn live(seed: u64, cases: u64) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let open = async |n: u8| {
            let path = root.path().join(format!("{n}.db"));
            let vault = Arc::new(Vault::fresh().expect("keys"));
            let (store, mut write) = store::open(&path.as_path().into(), node(n)).await.expect("a database");
            write.open_vault(vault.clone());
            (store.with_vault(vault), write)
        };
        let (city, city_write) = open(100).await;
        let mut owners = Vec::new();
        for (n, code) in (1..).zip(OWNERS) {
            let (store, write) = open(n).await;
            let me = Me { node: node(n), division: code.parse().expect("a code") };
            owners.push(Owner { me, store, write, open: Vec::new() });
        }
        let now = i64::from(FIRST_DAY) * 86_400_000 - 8 * 3_600_000;
        let mut year = Self { owners, city, city_write, seed, now, made: 0, _root: root };
        let step = 365 * 86_400_000 / i64::try_from(cases).expect("a small number");
        for _ in 0..cases {
            year.now += step - 1;
            year.report().await;
            for _ in 0..6 {
                year.work().await;
            }
        }
        year.rest().await;
        year
    }

    /// Goes on with so many cases more.
    pub(crate) async fn go_on(&mut self, cases: u64) {
        for _ in 0..cases {
            self.now += 600_000;
            self.report().await;
            self.work().await;
        }
        self.rest().await;
    }

    async fn rest(&mut self) {
        for owner in &mut self.owners {
            owner.write.rest();
        }
        self.city_write.rest();
    }

    fn below(&mut self, end: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % end
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        let at = usize::try_from(self.below(all.len() as u64)).expect("a place");
        all[at]
    }

    async fn report(&mut self) {
        self.made += 1;
        let at = usize::try_from(self.below(OWNERS.len() as u64)).expect("a place");
        let head_count = self.of(&[0, 2, 3, 7, 30, 49, 50, 99, 100, 499, 500, 2_000]);
        let people = Some(head_count).filter(|n| *n > 0);
        let talk = self.of(&[Told::No, Told::No, Told::Unknown, Told::Yes]);
        let answers = Answers { people, petition_talk: talk, ..Answers::default() };
        let party = |side, name| Party {
            side,
            name: text(name),
            phone: text("13800138000"),
            address: text(""),
            identity: text(""),
        };
        let intake = Intake {
            case: CaseId::new(UnixMillis(self.now), [u8::try_from(self.made % 251).expect("a byte"); 10]),
            matter: self.of(&[
                Matter::Dispute,
                Matter::Dispute,
                Matter::Dispute,
                Matter::Request,
                Matter::Consultation,
            ]),
            source: self.of(&Source::ALL),
            category: Category(self.of(&CATEGORIES)),
            place: self.owners[at].me.division,
            grid_kind: self.of(&GridKind::ALL),
            title: text("通道之争"),
            narrative: text("张三与李四为通道争吵。"),
            parties: List::new(vec![party(PartySide::Applicant, "张三"), party(PartySide::Respondent, "李四")])
                .expect("two parties"),
            answers,
            head_count,
            summary: None,
            ending: Ending::SettleHere,
            confirmed_level: None,
        };
        let case = intake.case;
        self.decide(at, case, |known, world| casework::open(intake, &everybody(), known, world)).await;
        self.owners[at].open.push(case);
    }

    /// Somebody does the next thing to some open case.
    async fn work(&mut self) {
        let at = usize::try_from(self.below(OWNERS.len() as u64)).expect("a place");
        if self.owners[at].open.is_empty() {
            return;
        }
        let pick = usize::try_from(self.below(self.owners[at].open.len() as u64)).expect("a place");
        let case = self.owners[at].open[pick];
        let known = self.known(at, case).await;
        let command = self.next(known.case().expect("a case"));
        let ends = matches!(command, Command::Archive | Command::Void { .. });
        self.now += i64::try_from(self.below(400_000)).expect("a small number");
        self.decide(at, case, |known, world| casework::decide(known, command, &everybody(), world)).await;
        if ends {
            self.owners[at].open.swap_remove(pick);
        }
    }

    fn next(&mut self, case: &Case) -> Command {
        if self.below(60) == 0 {
            return Command::Void { reason: text("重复录入") };
        }
        match (case.brief.step, case.brief.outcome) {
            (Step::Reported, _) => Command::File,
            (Step::Filed, _) => Command::Assign { unit: UnitCode(self.of(&[1, 2, 3])), note: text("") },
            (Step::Assigned, _) => Command::Progress { note: text("上门一次") },
            (Step::InProgress, None) => {
                let outcome =
                    self.of(&[Outcome::Successful, Outcome::Successful, Outcome::Unsuccessful, Outcome::Other]);
                Command::Resolve { outcome, terms: text("和解"), amount_fen: Some(100) }
            }
            (Step::InProgress, Some(_)) => Command::FeedBack { note: text("") },
            (Step::FedBack, _) => Command::Assess { score: 4, note: text("") },
            (Step::Assessed | Step::Archived, _) => Command::Archive,
        }
    }

    async fn known(&mut self, at: usize, case: CaseId) -> Known {
        let rows = self.owners[at].write.records(case).await.expect("records");
        Known::assemble(case, rows)
    }

    /// Decides, stores at the owner as its writer does, and brings the fact to the city.
    async fn decide(
        &mut self,
        at: usize,
        case: CaseId,
        rule: impl FnOnce(&Known, &mut World<'_>) -> Result<Decision, casework::Refusal>,
    ) {
        let known = self.known(at, case).await;
        let mut seed = self.below(u64::MAX >> 33);
        let mut entropy = |buffer: &mut [u8]| {
            for byte in buffer {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (seed >> 56) as u8;
            }
        };
        let line = [Ancestor { node: node(100), division: CITY.parse().expect("a code") }];
        let decision = rule(
            &known,
            &mut World {
                me: self.owners[at].me,
                line: &line,
                holds: &InForce::shipped(),
                now: ClockReading::exact(UnixMillis(self.now)),
                entropy: &mut entropy,
                keys: &NoKeys,
                mutant: None,
            },
        )
        .expect("the rules allow it");
        let facts: Vec<CaseFact> = decision
            .records
            .iter()
            .filter_map(|record| match record {
                Record::Fact(fact) => Some(fact.clone()),
                _ => None,
            })
            .collect();
        let (me, now) = (self.owners[at].me.node, UnixMillis(self.now));
        let write = &mut self.owners[at].write;
        write.begin().await.expect("a transaction");
        write.put_records(&decision.records).await.expect("stored");
        write.put_case_file(me, decision.case.as_ref().expect("a case"), now).await.expect("stored");
        put(write, &facts, now).await;
        write.commit().await.expect("committed");
        self.city_write.begin().await.expect("a transaction");
        put(&mut self.city_write, &facts, now).await;
        self.city_write.commit().await.expect("committed");
    }
}

async fn put(write: &mut WriteStore, facts: &[CaseFact], now: UnixMillis) {
    let (cases, watched, proofs) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let new = NewFigures {
        facts: facts.iter().collect(),
        cases: &cases,
        watched: &watched,
        tallies: Vec::new(),
        marks: Vec::new(),
        proofs: &proofs,
    };
    write.put_figures(&new, now).await.expect("stored");
}
