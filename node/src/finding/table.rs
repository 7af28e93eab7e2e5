//! The cases of a node in memory, as far as lists and searches ask: facets, sort keys and signatures.

use std::collections::HashMap;

use casework::rights::At;
use protocol::division::DivisionCode;
use protocol::id::{CaseId, NodeId};
use protocol::unit::UnitCode;

use super::signature::{CaseKeyed, MADE, SearchKey, Signature};

/// A case as the database has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The case.
    pub case: CaseId,
    /// Its owner.
    pub owner: NodeId,
    /// Owned here.
    pub mine: bool,
    /// Matter, source, step and outcome, as in the API.
    pub words: [String; 4],
    /// Category.
    pub category: u16,
    /// Where it happened.
    pub place: DivisionCode,
    /// Rank of the level.
    pub level: u8,
    /// The unit that answers for it.
    pub unit: UnitCode,
    /// Struck through.
    pub void: bool,
    /// Reported above.
    pub escalated: bool,
    /// Day of the report, from 1970-01-01.
    pub reported_day: i32,
    /// When it was reported, Unix milliseconds.
    pub reported_at: i64,
    /// When it last changed, Unix milliseconds.
    pub changed_at: i64,
    /// The last day of the term that runs; whether it ends after that day.
    pub due: Option<(i32, bool)>,
    /// Its signature with the way in which that was made, where it has one.
    pub(crate) signature: Option<(i64, Signature)>,
}

/// A word of the API by its place among those that were met.
type WordId = u8;

/// A case in the table.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) case: CaseId,
    pub(crate) owner: NodeId,
    pub(crate) place: DivisionCode,
    pub(crate) changed_at: i64,
    pub(crate) reported_at: i64,
    pub(crate) reported_day: i32,
    pub(crate) due: Option<(i32, bool)>,
    pub(crate) category: u16,
    pub(crate) unit: UnitCode,
    pub(crate) level: u8,
    words: [WordId; 4],
    pub(crate) mine: bool,
    pub(crate) void: bool,
    pub(crate) escalated: bool,
    /// Its words are in its signature.
    pub(crate) made: bool,
    pub(crate) key: CaseKeyed,
    pub(crate) signature: Signature,
}

impl Entry {
    /// Where it is, as far as rights ask.
    pub(crate) fn at(&self) -> At {
        At { place: self.place, unit: self.unit }
    }
}

/// Which of the words of a row, by its place among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Facet {
    Step = 2,
    Outcome = 3,
}

/// Which cases, as the caller wishes; none: all.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Owned here (true) or followed only (false).
    pub mine: Option<bool>,
    /// Escalated ones only.
    pub escalated: bool,
    /// Struck-through ones too.
    pub void: bool,
    /// Archived ones too.
    pub archived: bool,
    /// Rank of the level.
    pub level: Option<u8>,
    /// Matter, as in the API.
    pub matter: Option<String>,
    /// Source, as in the API.
    pub source: Option<String>,
    /// Step, as in the API.
    pub step: Option<String>,
    /// Outcome, as in the API.
    pub outcome: Option<String>,
    /// The lowest and the highest category.
    pub category: Option<(u16, u16)>,
    /// The unit that answers for it.
    pub unit: Option<UnitCode>,
    /// The owner.
    pub owner: Option<NodeId>,
    /// Divisions by number: within one of these, the end not included.
    pub places: Option<Vec<(u64, u64)>>,
    /// Reported on this day or later.
    pub from: Option<i32>,
    /// Reported on this day or earlier.
    pub to: Option<i32>,
    /// Overdue on this day.
    pub overdue_on: Option<i32>,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The highest level first, then the latest change.
    #[default]
    Level,
    /// The latest report first.
    Reported,
    /// The term that ends first, first; what has none last.
    Term,
}

/// A place in an order; the lower comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub i64, pub i64, pub CaseId);

impl Sort {
    pub(crate) fn position(self, entry: &Entry) -> Position {
        match self {
            Self::Level => Position(-i64::from(entry.level), -entry.changed_at, entry.case),
            Self::Reported => Position(0, -entry.reported_at, entry.case),
            Self::Term => {
                Position(entry.due.map_or(i64::MAX, |(day, _)| i64::from(day)), -entry.changed_at, entry.case)
            }
        }
    }
}

/// What a wish comes to among the words that were met; none: nothing has one of its words.
pub(crate) struct Fitting<'w> {
    wanted: &'w Wanted,
    words: [Option<WordId>; 4],
    archived: Option<WordId>,
}

impl Fitting<'_> {
    /// Whether a case is wanted.
    pub(crate) fn fits(&self, entry: &Entry) -> bool {
        let wanted = self.wanted;
        let same = |one: WordId, wanted: Option<WordId>| wanted.is_none_or(|wanted| wanted == one);
        let number = entry.place.number();
        let within = |ranges: &Vec<(u64, u64)>| ranges.iter().any(|(from, to)| (*from..*to).contains(&number));
        entry.words.iter().zip(self.words).all(|(one, wanted)| same(*one, wanted))
            && wanted.mine.is_none_or(|mine| mine == entry.mine)
            && (!wanted.escalated || entry.escalated)
            && (wanted.void || !entry.void)
            && (wanted.archived || Some(entry.words[Facet::Step as usize]) != self.archived)
            && wanted.level.is_none_or(|level| level == entry.level)
            && wanted.category.is_none_or(|(low, high)| (low..=high).contains(&entry.category))
            && wanted.unit.is_none_or(|unit| unit == entry.unit)
            && wanted.owner.is_none_or(|owner| owner == entry.owner)
            && wanted.places.as_ref().is_none_or(within)
            && wanted.from.is_none_or(|day| entry.reported_day >= day)
            && wanted.to.is_none_or(|day| entry.reported_day <= day)
            && wanted.overdue_on.is_none_or(|today| entry.due.is_some_and(|(day, open)| !open && day < today))
    }
}

/// All cases of a node.
#[derive(Debug, Default)]
pub(crate) struct Table {
    entries: Vec<Entry>,
    places: HashMap<CaseId, usize>,
    words: Vec<String>,
    /// The latest change in it.
    pub(crate) latest: i64,
}

impl Table {
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn get(&self, case: CaseId) -> Option<&Entry> {
        self.places.get(&case).and_then(|place| self.entries.get(*place))
    }

    /// Cases whose words are not in their signatures yet.
    pub(crate) fn unmade(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.made).count()
    }

    /// Whether a case has a word of the API.
    pub(crate) fn says(&self, entry: &Entry, facet: Facet, word: &str) -> bool {
        self.words.get(usize::from(entry.words[facet as usize])).is_some_and(|said| said == word)
    }

    /// Bytes that it holds, about.
    pub(crate) fn bytes(&self) -> usize {
        let filters = self.entries.iter().map(|e| e.signature.shown.weight() + e.signature.hidden.weight());
        self.entries.len() * (size_of::<Entry>() + 40) + filters.sum::<usize>()
    }

    fn word(&mut self, word: &str) -> WordId {
        let place = self.words.iter().position(|known| known == word).unwrap_or_else(|| {
            self.words.push(word.to_owned());
            self.words.len() - 1
        });
        // The words of closed lists; a table that met more would tell some of them for one.
        WordId::try_from(place).unwrap_or(WordId::MAX)
    }

    fn known(&self, word: &str) -> Option<WordId> {
        self.words.iter().position(|known| known == word).and_then(|place| WordId::try_from(place).ok())
    }

    /// What a wish comes to; none: nothing can fit.
    pub(crate) fn fitting<'w>(&self, wanted: &'w Wanted) -> Option<Fitting<'w>> {
        let mut words = [None; 4];
        let asked = [&wanted.matter, &wanted.source, &wanted.step, &wanted.outcome];
        for (to, word) in words.iter_mut().zip(asked) {
            if let Some(word) = word {
                *to = Some(self.known(word)?);
            }
        }
        Some(Fitting { wanted, words, archived: self.known("archived") })
    }

    /// Takes a case in as it stands.
    pub(crate) fn put(&mut self, row: Row, key: &SearchKey) {
        let mut words = [0; 4];
        for (to, word) in words.iter_mut().zip(&row.words) {
            *to = self.word(word);
        }
        let made = row.signature.as_ref().is_some_and(|(made, _)| *made == MADE);
        let signature = row.signature.filter(|_| made).map(|(_, signature)| signature).unwrap_or_default();
        self.latest = self.latest.max(row.changed_at);
        let entry = Entry {
            case: row.case,
            owner: row.owner,
            place: row.place,
            changed_at: row.changed_at,
            reported_at: row.reported_at,
            reported_day: row.reported_day,
            due: row.due,
            category: row.category,
            unit: row.unit,
            level: row.level,
            words,
            mine: row.mine,
            void: row.void,
            escalated: row.escalated,
            made,
            key: key.of(row.case),
            signature,
        };
        match self.places.get(&row.case).and_then(|place| self.entries.get_mut(*place)) {
            Some(held) => *held = entry,
            None => {
                self.places.insert(row.case, self.entries.len());
                self.entries.push(entry);
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn row(n: u8) -> Row {
        Row {
            case: CaseId::from_bytes([n; 16]),
            owner: NodeId::from_bytes([1; 16]),
            mine: true,
            words: ["dispute", "grid", "reported", ""].map(str::to_owned),
            category: 402,
            place: "330602001001001".parse().expect("a division"),
            level: 1,
            unit: UnitCode(0),
            void: false,
            escalated: false,
            reported_day: 20_500,
            reported_at: i64::from(n),
            changed_at: i64::from(n),
            due: None,
            signature: None,
        }
    }

    fn table(rows: impl IntoIterator<Item = Row>) -> Table {
        let mut table = Table::default();
        rows.into_iter().for_each(|row| table.put(row, &SearchKey([1; 32])));
        table
    }

    fn found(table: &Table, wanted: &Wanted, sort: Sort) -> Vec<u8> {
        let Some(fitting) = table.fitting(wanted) else { return Vec::new() };
        let mut fit: Vec<_> = table.entries().iter().filter(|e| fitting.fits(e)).map(|e| sort.position(e)).collect();
        fit.sort();
        fit.iter().map(|Position(_, _, case)| case.as_bytes()[0]).collect()
    }

    #[test]
    fn each_wish_keeps_what_it_says() {
        let base = row(1);
        let rows = [
            row(1),
            Row { mine: false, owner: NodeId::from_bytes([9; 16]), ..row(2) },
            Row { escalated: true, level: 3, ..row(3) },
            Row { void: true, ..row(4) },
            Row { words: ["request", "window", "archived", "successful"].map(str::to_owned), ..row(5) },
            Row { category: 101, unit: UnitCode(7), ..row(6) },
            Row { place: "330603001001001".parse().expect("a division"), ..row(7) },
            Row { reported_day: 20_400, ..row(8) },
            Row { due: Some((20_510, false)), ..row(9) },
            Row { due: Some((20_510, true)), ..row(10) },
        ];
        let table = table(rows);
        let only = |wanted: Wanted| found(&table, &wanted, Sort::Reported);
        let open = Wanted::default;
        assert_eq!(only(open()), [10, 9, 8, 7, 6, 3, 2, 1]);
        assert_eq!(only(Wanted { mine: Some(false), ..open() }), [2]);
        assert_eq!(only(Wanted { owner: Some(NodeId::from_bytes([9; 16])), ..open() }), [2]);
        assert_eq!(only(Wanted { escalated: true, ..open() }), [3]);
        assert_eq!(only(Wanted { level: Some(3), ..open() }), [3]);
        assert!(only(Wanted { void: true, ..open() }).contains(&4));
        for wanted in [
            Wanted { matter: Some("request".into()), ..open() },
            Wanted { source: Some("window".into()), ..open() },
            Wanted { step: Some("archived".into()), ..open() },
            Wanted { outcome: Some("successful".into()), ..open() },
        ] {
            assert_eq!(only(Wanted { archived: true, ..wanted }), [5]);
        }
        assert!(only(Wanted { step: Some("no such step".into()), ..open() }).is_empty());
        assert_eq!(only(Wanted { category: Some((100, 199)), ..open() }), [6]);
        assert_eq!(only(Wanted { unit: Some(UnitCode(7)), ..open() }), [6]);
        let county = (330_603_000_000_000, 330_604_000_000_000);
        assert_eq!(only(Wanted { places: Some(vec![county]), ..open() }), [7]);
        assert_eq!(only(Wanted { to: Some(20_499), ..open() }), [8]);
        assert!(!only(Wanted { from: Some(20_500), ..open() }).contains(&8));
        assert_eq!(
            only(Wanted { overdue_on: Some(20_511), ..open() }),
            [9],
            "one that ends nobody knows when is not late"
        );
        assert!(only(Wanted { overdue_on: Some(20_510), ..open() }).is_empty(), "its last day is not over");
        assert_eq!(base.case, table.get(base.case).expect("held").case);
    }

    #[test]
    fn each_order_begins_where_its_name_says() {
        let rows = [
            Row { level: 3, changed_at: 5, reported_at: 1, ..row(1) },
            Row { level: 1, changed_at: 9, reported_at: 3, due: Some((20_520, false)), ..row(2) },
            Row { level: 1, changed_at: 7, reported_at: 2, due: Some((20_510, false)), ..row(3) },
        ];
        let table = table(rows);
        let order = |sort| found(&table, &Wanted::default(), sort);
        assert_eq!(order(Sort::Level), [1, 2, 3]);
        assert_eq!(order(Sort::Reported), [2, 3, 1]);
        assert_eq!(order(Sort::Term), [3, 2, 1]);
    }

    #[test]
    fn a_case_that_is_put_again_replaces_itself() {
        let table = table([row(1), row(2), Row { level: 2, changed_at: 50, ..row(1) }]);
        assert_eq!((table.entries().len(), table.latest), (2, 50));
        assert_eq!(table.get(row(1).case).map(|entry| entry.level), Some(2));
    }

    #[test]
    fn a_signature_of_another_making_is_none() {
        let unmade =
            |made: i64| table([Row { signature: Some((made, Signature::default())), ..row(1) }, row(2)]).unmade();
        assert_eq!((unmade(MADE), unmade(MADE + 1)), (1, 2));
    }
}
