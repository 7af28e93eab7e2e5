//! What is in each slot of a case, and why not.

use protocol::division::DivisionCode;
use protocol::event::{Act, Kept, Outcome};
use protocol::id::{AttachmentId, NodeId};

use super::table::{Edition, Slot, SlotRow};
use crate::case::Exit;
use crate::document::{Desk, Lack, Names, Paper, Sheet, SheetCode, Story, Way, sheet};
use crate::known::Known;
use crate::mediation::Agreement;
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
    /// A person has said so, with the reason; the number of the event.
    Said(u32),
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
            Self::Said(_) => "said",
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
            Self::Said(_) => "经确认免附",
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
            Self::Said(_) => "somebody has said that it stays empty",
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
    /// What people brought and attached.
    Brought,
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
    /// What was attached for it, the first first.
    pub brought: Vec<AttachmentId>,
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
    /// The dossier as it stands.
    pub fn of(story: &Story<'_>, desk: &Desk<'_>) -> Self {
        let way = Way::of(story, desk);
        let filed = story.all(|act| matches!(act, Act::Filed)).next();
        let edition = Edition::on(filed.map_or(story.case.reported_at, |entry| entry.at).day());
        let view = |(number, row)| slot(story, desk, (number, row));
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
    /// Whether people write it in this program, and can write it still.
    pub fn is_written(self) -> bool {
        matches!(self, Self::NoWork | Self::NoTerms)
    }

    /// Whether the archive waits for it: for what people write in this program, and for what was agreed to be done. What they
    /// bring is kept with the paper file, and what is lost cannot be waited for.
    pub fn holds_up(self) -> bool {
        self.is_written() || matches!(self, Self::NotKept { .. })
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

/// The dossier of a case, for rules that ask nothing of names; none where no chain of it is here.
pub(crate) fn of_known(known: &Known, me: NodeId, holds: &InForce) -> Option<Dossier> {
    Some(Dossier::of(&Story::of(known)?, &Desk { me, holds, names: &Nameless }))
}

/// What the archive of a case waits for.
pub fn blocking(known: &Known, me: NodeId, holds: &InForce) -> Vec<(Slot, Lack)> {
    let slots = of_known(known, me, holds).map(|dossier| dossier.slots).unwrap_or_default();
    let waits = slots.iter().filter_map(|view| match view.state {
        State::Missing(lack) if view.waits(lack) => Some((view.row.slot, lack)),
        _ => None,
    });
    waits.collect()
}

impl SlotView {
    /// Whether the archive waits for what it lacks.
    pub fn waits(&self, lack: Lack) -> bool {
        lack.holds_up() && (self.row.must || !lack.is_written())
    }
}

fn slot(story: &Story<'_>, desk: &Desk<'_>, (number, row): (u16, &'static SlotRow)) -> SlotView {
    let brought = story.brought(row.slot.code());
    let none = |state| SlotView { number, row, state, papers: Vec::new(), brought: brought.clone() };
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
    let running = (row.slot == Slot::Performance).then(|| not_kept(story)).flatten();
    let state = match (running, papers.is_empty()) {
        (Some(lack), _) => said(story, row.slot, State::Missing(lack)),
        (None, true) if !brought.is_empty() => State::Brought,
        (None, true) => said(story, row.slot, empty(story, row, &lacks)),
        (None, false) => printed(story, &papers),
    };
    SlotView { number, row, state, papers, brought }
}

/// What is missing stays so where a person has said that it may.
fn said(story: &Story<'_>, slot: Slot, state: State) -> State {
    match (state, story.excused(slot.code())) {
        (State::Missing(lack), Some(event)) if !lack.is_written() => State::Excused(Ground::Said(event)),
        (state, _) => state,
    }
}

fn printed(story: &Story<'_>, papers: &[(Paper, u32)]) -> State {
    let scans = story.scans();
    let signed = papers.iter().all(|(paper, edition)| whole(&scans, story, *paper, *edition));
    if signed { State::Signed } else { State::Made }
}

/// The first agreement in effect that is not known to be kept in full: neither did a visit find it so, nor was all that its plan
/// names performed.
fn not_kept(story: &Story<'_>) -> Option<Lack> {
    let kept = |agreement: &&Agreement| {
        let found = agreement.visits.iter().max_by_key(|(_, on)| *on).is_some_and(|(kept, _)| *kept == Kept::Fully);
        let parts = story.parts_of_plan(agreement.number);
        let done = |part: u16| agreement.performed.iter().any(|(number, _)| *number == part);
        found || if parts == 0 { !agreement.performed.is_empty() } else { (1..=parts).all(done) }
    };
    let mut in_effect = story.case.agreements.iter().filter(|agreement| agreement.in_effect().is_some());
    let open = in_effect.find(|agreement| !kept(agreement))?;
    Some(Lack::NotKept { agreement: open.number })
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
        Lack::NoWork | Lack::NoTerms | Lack::NotKept { .. } => 4,
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
