//! What is in each slot of a case, and why not.

use protocol::division::DivisionCode;
use protocol::event::{Act, Outcome};
use protocol::id::NodeId;

use super::table::{Edition, Slot, SlotRow};
use crate::case::Exit;
use crate::document::{Desk, Lack, Names, Paper, Sheet, SheetCode, Story, Way, sheet};
use crate::known::Known;
use crate::publish::InForce;

/// Why a slot may stay empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// The matter was not taken on.
    NotTakenOn,
    /// Who asked no longer does.
    Withdrawn,
    /// Another body settles it.
    Referred,
    /// It ended in another way than by settlement or its failure.
    OtherEnd,
    /// There is no such thing in this case.
    NotSo,
    /// It was lost at this node, or deleted.
    Lost,
}

impl Ground {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotTakenOn => "not_taken_on",
            Self::Withdrawn => "withdrawn",
            Self::Referred => "referred",
            Self::OtherEnd => "other_end",
            Self::NotSo => "not_so",
            Self::Lost => "lost",
        }
    }

    /// In Chinese.
    pub fn chinese(self) -> String {
        let text = match self {
            Self::NotTakenOn => "不予受理，未进入办理程序",
            Self::Withdrawn => "申请人撤回",
            Self::Referred => "已移送其他渠道",
            Self::OtherEnd => "以其他方式办结",
            Self::NotSo => "本案没有该情形",
            Self::Lost => "内容已遗失或已依规删除",
        };
        text.to_owned()
    }

    /// In English.
    pub fn english(self) -> String {
        let text = match self {
            Self::NotTakenOn => "the matter was not taken on",
            Self::Withdrawn => "who asked no longer does",
            Self::Referred => "another body settles it",
            Self::OtherEnd => "it ended in another way",
            Self::NotSo => "there is no such thing in this case",
            Self::Lost => "what it would say was lost or deleted",
        };
        text.to_owned()
    }
}

/// What is in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing, and why.
    Missing(Lack),
    /// What the program prints; it is to be signed where it has places for that.
    Made,
    /// The scan of all sheets of what the program printed last.
    Signed,
    /// Nothing, and rightly so.
    Excused(Ground),
}

/// A slot of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotView {
    /// Its place in the dossier, from 1.
    pub number: u16,
    /// Its row of the table.
    pub row: &'static SlotRow,
    /// What is in it.
    pub state: State,
    /// The papers in it, each with its edition.
    pub papers: Vec<(Paper, u32)>,
}

/// The dossier of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dossier {
    /// By which way the case is worked.
    pub way: Way,
    /// The edition of the table.
    pub edition: Edition,
    /// Its slots, in order.
    pub slots: Vec<SlotView>,
}

impl Dossier {
    /// The dossier as it stands; `scans` are the codes of the signed sheets that were scanned.
    pub fn of(story: &Story<'_>, desk: &Desk<'_>, scans: &[SheetCode]) -> Self {
        let way = Way::of(story, desk);
        let filed = story.all(|act| matches!(act, Act::Filed)).next();
        let edition = Edition::on(filed.map_or(story.case.reported_at, |entry| entry.at).day());
        let view = |(number, row)| slot(story, desk, scans, (number, row));
        Self { way, edition, slots: (1_u16..).zip(edition.rows(way)).map(view).collect() }
    }

    /// What every dossier of this way must have, and this one has not.
    pub fn missing(&self) -> impl Iterator<Item = (Slot, Lack)> {
        self.slots.iter().filter(|slot| slot.row.must).filter_map(|slot| match slot.state {
            State::Missing(lack) => Some((slot.row.slot, lack)),
            _ => None,
        })
    }

    /// The sheets that the program makes, in order.
    pub fn sheets(&self, story: &Story<'_>, desk: &Desk<'_>) -> Vec<Sheet> {
        let papers = self.slots.iter().flat_map(|slot| &slot.papers);
        papers.filter_map(|(paper, _)| sheet(*paper, story, desk).ok()).collect()
    }
}

impl Lack {
    /// Whether the archive waits for it: for what people write in this program, and can write still. What they bring is kept
    /// with the paper file, and what is lost cannot be waited for.
    pub fn holds_up(self) -> bool {
        matches!(self, Self::NoWork | Self::NoTerms)
    }
}

struct Nameless;

impl Names for Nameless {
    fn division(&self, _: DivisionCode) -> String {
        String::new()
    }

    fn node(&self, _: NodeId) -> String {
        String::new()
    }
}

/// What the archive of a case waits for.
pub fn blocking(known: &Known, me: NodeId, holds: &InForce) -> Vec<(Slot, Lack)> {
    let Some(story) = Story::of(known) else { return Vec::new() };
    let dossier = Dossier::of(&story, &Desk { me, holds, names: &Nameless }, &[]);
    dossier.missing().filter(|(_, lack)| lack.holds_up()).collect()
}

fn slot(story: &Story<'_>, desk: &Desk<'_>, scans: &[SheetCode], (number, row): (u16, &'static SlotRow)) -> SlotView {
    let none = |state| SlotView { number, row, state, papers: Vec::new() };
    if row.slot == Slot::Back {
        return none(State::Made);
    }
    if let Some(ground) = beside_the_matter(story, row.slot) {
        return none(State::Excused(ground));
    }
    let (mut papers, mut lacks) = (Vec::new(), Vec::new());
    for paper in row.papers {
        match edition(*paper, story, desk) {
            Ok(edition) => papers.push((*paper, edition)),
            Err(lack) => lacks.push(lack),
        }
    }
    if papers.is_empty() {
        return none(empty(story, row, &lacks));
    }
    let signed = papers.iter().all(|(paper, edition)| whole(scans, story, *paper, *edition));
    SlotView { number, row, state: if signed { State::Signed } else { State::Made }, papers }
}

/// The edition of a paper that can be made. The explanation tells of all slots, and so it is not asked for its own.
fn edition(paper: Paper, story: &Story<'_>, desk: &Desk<'_>) -> Result<u32, Lack> {
    match paper {
        Paper::Explanation => Ok(story.case.head.number),
        other => sheet(other, story, desk).map(|made| made.edition),
    }
}

/// Of a matter that was not taken on there is how it began, that it was not, and what is to be said of the file.
fn beside_the_matter(story: &Story<'_>, slot: Slot) -> Option<Ground> {
    let declined = matches!(story.case.exit, Some(Exit::Declined(_)));
    let kept = matches!(
        slot,
        Slot::Opening | Slot::Result | Slot::Reply | Slot::Delivery | Slot::Evidence | Slot::Explanation | Slot::Back
    );
    (declined && !kept).then_some(Ground::NotTakenOn)
}

/// Why a slot is empty.
fn empty(story: &Story<'_>, row: &SlotRow, lacks: &[Lack]) -> State {
    let lack = lacks.iter().copied().max_by_key(|lack| weight(*lack)).unwrap_or(Lack::Brought);
    let exit = match story.case.exit {
        Some(Exit::Declined(_)) => Some(Ground::NotTakenOn),
        Some(Exit::Withdrawn) => Some(Ground::Withdrawn),
        Some(Exit::Referred(_)) => Some(Ground::Referred),
        None => None,
    };
    match (lack, exit) {
        (Lack::Elsewhere, _) => State::Missing(lack),
        (Lack::Lost, _) => State::Excused(Ground::Lost),
        (_, Some(ground)) if row.must => State::Excused(ground),
        (Lack::NotSo, _) if row.must && story.case.brief.outcome == Some(Outcome::Other) => {
            State::Excused(Ground::OtherEnd)
        }
        (Lack::NotSo, _) => State::Excused(Ground::NotSo),
        (lack, _) => State::Missing(lack),
    }
}

/// Of several lacks the one that says most counts.
fn weight(lack: Lack) -> u8 {
    match lack {
        Lack::Brought => 0,
        Lack::NotSo => 1,
        Lack::NotYet => 2,
        Lack::NoParty | Lack::NoNumber { .. } => 3,
        Lack::NoWork | Lack::NoTerms => 4,
        Lack::Lost => 5,
        Lack::Elsewhere => 6,
    }
}

/// Whether every page of a paper was scanned, as it is now.
fn whole(scans: &[SheetCode], story: &Story<'_>, paper: Paper, edition: u32) -> bool {
    let of_it: Vec<_> = scans
        .iter()
        .filter(|scan| scan.case == story.case.id && scan.paper == paper && scan.edition == edition)
        .collect();
    let pages = of_it.iter().map(|scan| scan.pages).max().unwrap_or(0);
    pages > 0 && (1..=pages).all(|page| of_it.iter().any(|scan| scan.page == page))
}
