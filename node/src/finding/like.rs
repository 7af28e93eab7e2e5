//! Cases that are like a report, which may be the same matter; and concluded ones that are like a case.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use casework::duplicate::{self, Draft, Earlier, Likeness};
use casework::precedent::{Outline, outline};
use casework::{Case, Known};
use protocol::bounded::{List, Text};
use protocol::division::DivisionCode;
use protocol::event::{Category, Party};
use protocol::id::CaseId;
use protocol::moving::Moves;

use super::table::{Entry, Facet, Table};
use super::text;
use super::words::{Gram, Word, Words};
use super::{Finder, Viewer, blocking};
use crate::person::mask;
use crate::store::StoreError;

/// Cases that are read for one answer at most.
const READ_MAX: usize = 60;
/// Cases of an answer at most.
const TOLD_MAX: usize = 10;
/// Cases in which one number is looked for at most.
const OF_A_NUMBER_MAX: u32 = 100;
/// Weight of a party that may be the same, before the words are read: as much as its phone could weigh.
const PARTY_WEIGHT: u32 = 100;
/// Likeness of concluded cases, of a hundred: their category, its class.
const CATEGORY_WEIGHT: u32 = 40;
const CLASS_WEIGHT: u32 = 20;

/// A report before it is filed.
#[derive(Debug, Clone)]
pub struct Drafted {
    /// Where it happened.
    pub place: Option<DivisionCode>,
    /// Its category.
    pub category: Option<Category>,
    /// Its title.
    pub title: Text<120>,
    /// Its parties.
    pub parties: List<Party, 64>,
    /// The first day on which an earlier case may have been reported.
    pub from: i32,
    /// The area of the node.
    pub home: DivisionCode,
    /// What hangs elsewhere than its code says.
    pub places: Moves,
    /// Who asks.
    pub viewer: Viewer,
}

/// An earlier case that may be the same matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likely {
    /// The case.
    pub case: CaseId,
    /// How much it is alike, and why.
    pub likeness: Likeness,
    /// Its title as everybody reads it.
    pub title: String,
}

/// In how many earlier cases of the node a party's phone or document stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartyHistory {
    /// The party, by its place in the report.
    pub party: usize,
    /// Cases that are worked on.
    pub open: usize,
    /// Cases that have ended.
    pub concluded: usize,
}

/// A concluded case that is like another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concluded {
    /// The case.
    pub case: CaseId,
    /// How much it is alike, of a hundred.
    pub alike: u32,
    /// How it ended.
    pub outline: Outline,
}

impl Finder {
    /// Earlier cases that may be the same matter as a report, the likeliest first; and what the numbers of its parties say, to
    /// those who may see parties.
    pub async fn like(self: &Arc<Self>, drafted: Drafted) -> Result<(Vec<Likely>, Vec<PartyHistory>), StoreError> {
        self.refresh().await?;
        let numbers = self.of_numbers(&drafted).await?;
        let history = self.history(&drafted, &numbers);
        let named: BTreeSet<CaseId> = numbers.into_iter().flatten().collect();
        let (this, draft) = (self.clone(), drafted.clone());
        let masked = blocking(move || promising(&this.read(), &draft, &named)).await?;
        let known = self.store.known_of(&masked.keys().copied().collect::<Vec<_>>()).await?;
        let mut found: Vec<Likely> =
            known.iter().filter_map(|(case, known)| likely(&drafted, known.case()?, *masked.get(case)?)).collect();
        // Of equally likely ones the latest: ids follow the time.
        found.sort_by_key(|likely| std::cmp::Reverse((likely.likeness.weight, likely.case)));
        found.truncate(TOLD_MAX);
        Ok((found, history))
    }

    /// For each party the cases in which its numbers stand. Nobody learns of a number who may see none.
    async fn of_numbers(&self, drafted: &Drafted) -> Result<Vec<BTreeSet<CaseId>>, StoreError> {
        let reveals = drafted.viewer.can_be_noted && drafted.viewer.grants.iter().any(|grant| grant.role.reveals());
        let mut all = Vec::new();
        for party in drafted.parties.iter().filter(|_| reveals) {
            let mut cases = BTreeSet::new();
            for number in [&*party.phone, &*party.identity] {
                cases.extend(self.store.told_cases_of_number(number, OF_A_NUMBER_MAX).await?);
            }
            all.push(cases);
        }
        Ok(all)
    }

    fn history(&self, drafted: &Drafted, numbers: &[BTreeSet<CaseId>]) -> Vec<PartyHistory> {
        let table = self.read();
        let told = numbers.iter().enumerate().zip(drafted.parties.iter());
        told.filter(|(_, party)| !party.phone.is_empty() || !party.identity.is_empty())
            .map(|((party, cases), _)| {
                let entries: Vec<&Entry> =
                    cases.iter().filter_map(|case| table.get(*case)).filter(|entry| !entry.void).collect();
                let concluded = entries.iter().filter(|entry| !table.says(entry, Facet::Outcome, "")).count();
                PartyHistory { party, open: entries.len() - concluded, concluded }
            })
            .collect()
    }

    /// Concluded cases that are like one, the likest first, in outline; of those that the caller may see.
    pub async fn concluded_like(self: &Arc<Self>, case: &Case, viewer: Viewer) -> Result<Vec<Concluded>, StoreError> {
        self.refresh().await?;
        let (words, of) = (masked_words(case), case.brief.category);
        let (this, wanted, own) = (self.clone(), words.pairs(), case.id);
        let cases = blocking(move || comparable(&this.read(), own, of, &wanted, &viewer)).await?;
        let known = self.store.known_of(&cases).await?;
        let mut found: Vec<Concluded> = known.values().filter_map(|known| compared(&words, of, known)).collect();
        found.sort_by_key(|concluded| std::cmp::Reverse((concluded.alike, concluded.case)));
        found.truncate(TOLD_MAX);
        Ok(found)
    }
}

/// Earlier cases that are worth reading, and whether the caller reads names masked there.
fn promising(table: &Table, drafted: &Drafted, named: &BTreeSet<CaseId>) -> BTreeMap<CaseId, bool> {
    let mut title = Words::default();
    title.put(&drafted.title);
    let (title, names) = (title.pairs(), names(&drafted.parties));
    let draft = Draft { place: drafted.place, category: drafted.category, title: &drafted.title, parties: &[] };
    let mut found = Vec::new();
    for entry in table.entries() {
        let here = drafted.places.contains(drafted.home, entry.place);
        if !here || entry.void || entry.reported_day < drafted.from || !drafted.viewer.sees(entry.at()) {
            continue;
        }
        let masked = drafted.viewer.reads_masked(entry.at());
        let party = !masked && (named.contains(&entry.case) || names.iter().any(|name| may_name(entry, name)));
        let alike = alike(entry, &title, masked);
        let weight = duplicate::weight_without_parties(entry.place, Category(entry.category), alike, draft);
        let weight = weight + if party { PARTY_WEIGHT } else { 0 };
        if weight > 0 {
            found.push((weight, entry.case, masked));
        }
    }
    found.sort_unstable_by(|one, other| other.cmp(one));
    found.truncate(READ_MAX);
    found.into_iter().map(|(_, case, masked)| (case, masked)).collect()
}

/// What a signature holds of each name.
fn names(parties: &[Party]) -> Vec<Vec<Gram>> {
    let long = |party: &&Party| party.name.chars().filter(|c| !c.is_whitespace()).count() > 1;
    parties.iter().filter(long).map(|party| Word::all(&party.name).iter().flat_map(Word::written).collect()).collect()
}

fn may_name(entry: &Entry, name: &[Gram]) -> bool {
    !name.is_empty() && name.iter().all(|gram| entry.signature.may_hold(&entry.key, *gram, false))
}

/// How much of some pairs a case may hold, of a hundred.
fn alike(entry: &Entry, pairs: &BTreeSet<Gram>, masked: bool) -> u32 {
    let held = pairs.iter().filter(|gram| entry.signature.may_hold(&entry.key, **gram, masked)).count();
    u32::try_from(held * 100 / pairs.len().max(1)).unwrap_or(0)
}

fn likely(drafted: &Drafted, case: &Case, masked: bool) -> Option<Likely> {
    if case.restricted {
        return None;
    }
    let report = case.report.as_deref();
    let title = text::masked_title(case);
    let seated = case.seats.iter().filter(|_| !masked).filter_map(|seat| seat.who.as_deref());
    let parties: Vec<Party> = seated.map(Party::from).collect();
    let read = if masked { title.as_str() } else { report.map(|report| &*report.title).unwrap_or_default() };
    let draft = Draft {
        place: drafted.place,
        category: drafted.category,
        title: &drafted.title,
        parties: if masked { &[] } else { &drafted.parties },
    };
    let earlier = Earlier {
        place: case.brief.place,
        category: case.brief.category,
        titles: [read, &case.brief.summary],
        parties: &parties,
    };
    let likeness = duplicate::likeness(draft, earlier)?;
    Some(Likely { case: case.id, likeness, title })
}

/// What is compared of a case: its words without the names in them, which would make cases of one person alike.
fn masked_words(case: &Case) -> Words {
    let mut words = Words::default();
    words.put(&case.brief.summary);
    if let Some(report) = &case.report {
        words.put(&mask::prose(&report.title, case.names()));
        words.put(&mask::prose(&report.narrative, case.names()));
    }
    words
}

/// Concluded cases that are worth reading.
fn comparable(table: &Table, own: CaseId, of: Category, words: &BTreeSet<Gram>, viewer: &Viewer) -> Vec<CaseId> {
    let mut found = Vec::new();
    for entry in table.entries() {
        let ended = !table.says(entry, Facet::Outcome, "") && !entry.void;
        if entry.case == own || !ended || !viewer.sees(entry.at()) {
            continue;
        }
        let category = of_category(of, Category(entry.category));
        if category > 0 {
            found.push((category + alike(entry, words, true), entry.case));
        }
    }
    found.sort_unstable_by(|one, other| other.cmp(one));
    found.truncate(READ_MAX);
    found.into_iter().map(|(_, case)| case).collect()
}

fn of_category(ours: Category, theirs: Category) -> u32 {
    match () {
        () if ours == theirs => CATEGORY_WEIGHT,
        () if ours.0 / 100 == theirs.0 / 100 => CLASS_WEIGHT,
        () => 0,
    }
}

fn compared(words: &Words, of: Category, known: &Known) -> Option<Concluded> {
    let (case, outline) = (known.case().filter(|case| !case.restricted)?, outline(known)?);
    let (ours, theirs) = (words.pairs(), masked_words(case).pairs());
    let both = ours.intersection(&theirs).count() * 2 * 100;
    let alike = u32::try_from(both / (ours.len() + theirs.len()).max(1)).unwrap_or(0);
    let weight = of_category(of, case.brief.category) + alike * (100 - CATEGORY_WEIGHT) / 100;
    Some(Concluded { case: case.id, alike: weight, outline })
}
