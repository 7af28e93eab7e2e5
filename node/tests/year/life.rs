//! The year itself: cases are reported, worked on, graded anew and handed from one owner to another, each at its own moment.

use std::collections::BTreeMap;

use casework::{Case, Command, Intake};
use protocol::bounded::List;
use protocol::division::GridKind;
use protocol::event::{Category, Ending, Matter, Outcome, Party, PartySide, Source, Step};
use protocol::grading::{Answers, Known as Told};
use protocol::id::CaseId;
use protocol::time::UnixMillis;
use protocol::unit::UnitCode;
use protocol::warning::Warning;

use super::post::{OWNERS, Post, everybody, text};
use super::postgres::TestDatabase;

/// 2026-01-01
pub(crate) const FIRST_DAY: i32 = 20_454;
/// The day on which the figures are asked for: after the last act of the year.
pub(crate) const TODAY: i32 = FIRST_DAY + 500;

const CATEGORIES: [u16; 6] = [101, 201, 299, 402, 701, 1101];

/// What happened in a year, and to whom.
pub(crate) struct Year {
    pub(crate) post: Post,
    /// The sum that was agreed on in each case that ended: written down beside the program, where nothing is sealed.
    pub(crate) amounts: BTreeMap<CaseId, i64>,
    /// Cases that are not at their end, each with the place of its owner.
    open: Vec<(CaseId, usize)>,
    made: u64,
}

impl Year {
    /// Lives a year of so many cases.
    pub(crate) async fn live(seed: u64, cases: u64, database: Option<TestDatabase>) -> Self {
        let now = i64::from(FIRST_DAY) * 86_400_000 - 8 * 3_600_000;
        let post = Post::open(seed, now, database).await;
        let mut year = Self { post, amounts: BTreeMap::new(), open: Vec::new(), made: 0 };
        let step = 340 * 86_400_000 / i64::try_from(cases).expect("a small number");
        for n in 1..=cases {
            year.post.now = now + step * i64::try_from(n).expect("a small number");
            year.report().await;
            for _ in 0..6 {
                year.work(step / 8).await;
            }
        }
        year.post.rest();
        year
    }

    /// Goes on with so many cases more.
    pub(crate) async fn go_on(&mut self, cases: u64) {
        for _ in 0..cases {
            self.post.now += 600_000;
            self.report().await;
            self.work(300_000).await;
        }
        self.post.rest();
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.post.any(all.len())]
    }

    async fn report(&mut self) {
        self.made += 1;
        let at = self.post.any(OWNERS);
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
        let matters = [Matter::Dispute, Matter::Dispute, Matter::Dispute, Matter::Request, Matter::Consultation];
        let intake = Intake {
            case: CaseId::new(UnixMillis(self.post.now), [u8::try_from(self.made % 251).expect("a byte"); 10]),
            matter: self.of(&matters),
            source: self.of(&Source::ALL),
            category: Category(self.of(&CATEGORIES)),
            place: self.post.members[at].me.division,
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
            restricted: None,
        };
        let case = intake.case;
        let filed = self.post.decide(at, case, |known, world| casework::open(intake, &everybody(), known, world)).await;
        filed.expect("the rules allow it");
        self.post.settle().await;
        self.open.push((case, at));
    }

    /// Somebody does the next thing to some open case, after a while.
    async fn work(&mut self, within: i64) {
        if self.open.is_empty() {
            return;
        }
        let pick = self.post.any(self.open.len());
        let (id, at) = self.open[pick];
        let case = self.post.known(at, id).await.case().cloned().expect("a case");
        let command = self.next(&case, at);
        if let Command::Resolve { amount_fen: Some(amount), .. } = command {
            self.amounts.insert(id, i64::try_from(amount).expect("a sum"));
        }
        let ends = matches!(command, Command::Archive | Command::Void { .. });
        self.post.now += i64::try_from(self.post.below(u64::try_from(within).expect("a time"))).expect("a time");
        self.post.act(at, id, command).await;
        self.post.settle().await;
        if ends {
            self.open.swap_remove(pick);
            return;
        }
        let after = self.post.known(at, id).await.case().cloned().expect("a case");
        self.open[pick].1 = self.post.place(after.owner());
    }

    fn next(&mut self, case: &Case, at: usize) -> Command {
        match self.post.below(60) {
            0 => return Command::Void { reason: text("重复录入") },
            1..10 if case.brief.matter == Matter::Dispute && case.approval.is_none() => return self.regrade(case),
            10..16 => {
                let to = (at + 1 + self.post.any(OWNERS - 1)) % OWNERS;
                return Command::Offer { to: self.post.members[to].me.node };
            }
            _ => {}
        }
        match (case.brief.step, case.brief.outcome) {
            (Step::Reported, _) => Command::File,
            (Step::Filed, _) => Command::Assign { unit: UnitCode(self.of(&[1, 2, 3])), note: text("") },
            (Step::Assigned, _) => Command::Progress { note: text("上门一次") },
            (Step::InProgress, None) => {
                let outcome =
                    self.of(&[Outcome::Successful, Outcome::Successful, Outcome::Unsuccessful, Outcome::Other]);
                let amount_fen = self.of(&[None, Some(100), Some(99), Some(5_000_000)]);
                Command::Resolve { outcome, terms: text("和解"), amount_fen }
            }
            (Step::InProgress, Some(_)) => Command::fed_back(text("")),
            (Step::FedBack, _) => Command::Assess { score: 4, note: text("") },
            (Step::Assessed | Step::Archived, _) => Command::Archive,
        }
    }

    /// To any other level: it rises, falls, or is cancelled.
    fn regrade(&mut self, case: &Case) -> Command {
        let mut levels = vec![None, Some(Warning::Yellow), Some(Warning::Red), Some(Warning::Orange)];
        levels.retain(|level| *level != case.level());
        let level = self.of(&levels);
        Command::Regrade { answers: Answers::default(), level, reason: text("情况有变") }
    }
}
