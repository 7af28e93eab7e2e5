//! What somebody types to find a case, and whether a case may be it.

use std::collections::{BTreeSet, HashMap};

use protocol::division::DivisionCode;
use protocol::id::CaseId;
use serde::Serialize;

use super::table::Entry;
use super::text::Readable;
use super::words::{self, Gram, Word, Words};
use crate::names;

/// Characters of a search at most.
const CHARS_MAX: usize = 60;
/// Words of a search at most.
const WORDS_MAX: usize = 8;
/// Fewest digits by which a case's number is found.
const NUMBER_DIGITS_MIN: usize = 4;

/// Why a text is no search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSearch {
    /// Too much of it.
    #[error("a search has {CHARS_MAX} characters and {WORDS_MAX} words at most")]
    TooLong,
    /// Nothing but signs.
    #[error("a search has a letter or a digit")]
    Nothing,
}

/// By what a case was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The beginning or the end of its number.
    Number,
    /// The number of an agreement.
    Agreement,
    /// Where it happened.
    Place,
    /// Title, narrative or summary.
    Text,
    /// The name of a party.
    Party,
}

#[derive(Debug, Clone)]
struct Term {
    /// Hexadecimal digits, where it can be a number.
    number: Option<Vec<u8>>,
    /// What a signature holds, where it can be the number of an agreement.
    paper: Option<Gram>,
    words: Vec<Word>,
    /// For each word what a signature must hold: all of one of these.
    wanted: Vec<Vec<Vec<Gram>>>,
}

/// What is looked for: all of it must be found.
#[derive(Debug, Clone, Default)]
pub struct Terms(Vec<Term>);

/// What a look at number, place and signature says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judged {
    No,
    /// Its words must be read.
    Perhaps,
    Yes,
}

impl Terms {
    /// Reads what somebody typed.
    pub fn read(text: &str) -> Result<Self, NoSearch> {
        if text.chars().count() > CHARS_MAX || text.split_whitespace().count() > WORDS_MAX {
            return Err(NoSearch::TooLong);
        }
        let terms: Vec<Term> = text.split_whitespace().map(Term::of).filter(|term| !term.words.is_empty()).collect();
        if terms.is_empty() && !text.trim().is_empty() {
            return Err(NoSearch::Nothing);
        }
        if terms.iter().map(|term| term.words.len()).sum::<usize>() > WORDS_MAX {
            return Err(NoSearch::TooLong);
        }
        Ok(Self(terms))
    }

    /// Whether everything fits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A case before its words are read; `masked`: only what is shown of it counts.
    pub(crate) fn judge(&self, entry: &Entry, places: &mut Places<'_>, masked: bool) -> Judged {
        let mut judged = Judged::Yes;
        for (n, term) in self.0.iter().enumerate() {
            if term.is_number_of(entry.case) || places.say(entry.place, self)[n] {
                continue;
            }
            let held = |gram: &Gram| entry.signature.may_hold(&entry.key, *gram, masked);
            let may_be = |ways: &Vec<Vec<Gram>>| ways.iter().any(|way| way.iter().all(held));
            if !term.paper.as_ref().is_some_and(held) && !term.wanted.iter().all(may_be) {
                return Judged::No;
            }
            judged = Judged::Perhaps;
        }
        judged
    }

    /// By what a case is found whose words are these; none: it is not.
    pub(crate) fn found(
        &self,
        case: CaseId,
        place: DivisionCode,
        read: &Readable,
        places: &mut Places<'_>,
    ) -> Option<BTreeSet<By>> {
        let mut by = BTreeSet::new();
        for (n, term) in self.0.iter().enumerate() {
            if term.is_number_of(case) {
                by.insert(By::Number);
            } else if places.say(place, self)[n] {
                by.insert(By::Place);
            } else if term.paper.is_some_and(|paper| read.text.has_paper(paper)) {
                by.insert(By::Agreement);
            } else {
                for word in &term.words {
                    by.insert(match () {
                        () if word.is_in(&read.parties) => By::Party,
                        () if word.is_in(&read.text) => By::Text,
                        () => return None,
                    });
                }
            }
        }
        Some(by)
    }
}

impl Term {
    fn of(typed: &str) -> Self {
        let words = Word::all(typed);
        let digits: String = typed.chars().filter(|c| *c != '-').collect();
        let number =
            digits.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<Vec<u8>>>();
        let number = number.filter(|digits| (NUMBER_DIGITS_MIN..=32).contains(&digits.len()));
        Self { number, paper: words::paper(typed), wanted: words.iter().map(Word::wanted).collect(), words }
    }

    fn is_number_of(&self, case: CaseId) -> bool {
        let Some(number) = &self.number else { return false };
        let digits = || case.as_bytes().iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits().take(number.len()).eq(number.iter().copied())
            || digits().skip(32 - number.len()).eq(number.iter().copied())
    }
}

/// Which terms the names of places say, each place asked once.
pub(crate) struct Places<'n> {
    names: &'n names::Table,
    /// The division of the node: what all its cases lie in tells none of them apart.
    home: DivisionCode,
    said: HashMap<DivisionCode, Vec<bool>>,
}

impl<'n> Places<'n> {
    pub(crate) fn new(names: &'n names::Table, home: DivisionCode) -> Self {
        Self { names, home, said: HashMap::new() }
    }

    /// For each term whether the name of a place says it, or that of a division which the place lies in.
    fn say(&mut self, place: DivisionCode, terms: &Terms) -> &[bool] {
        if !self.said.contains_key(&place) {
            let says = self.look(place, terms);
            self.said.insert(place, says);
        }
        self.said.get(&place).map(Vec::as_slice).unwrap_or_default()
    }

    fn look(&mut self, place: DivisionCode, terms: &Terms) -> Vec<bool> {
        if place != self.home && place.contains(self.home) {
            return vec![false; terms.0.len()];
        }
        let mut name = Words::default();
        name.put_short(&self.names.name(place).unwrap_or_default());
        let own: Vec<bool> = terms.0.iter().map(|term| term.words.iter().all(|word| word.is_in(&name))).collect();
        let above = place.parent().filter(|above| *above != self.home);
        let above = above.map(|above| self.say(above, terms).to_vec()).unwrap_or_default();
        own.iter().enumerate().map(|(n, own)| *own || above.get(n).copied().unwrap_or(false)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::signature::SearchKey;
    use super::super::table::Table;
    use super::super::table::tests::row;
    use super::*;

    const PLACE: &str = "330602001001001";

    fn judged(typed: &str) -> Judged {
        let mut table = Table::default();
        table.put(row(0xAB), &SearchKey([1; 32]));
        let (names, terms) = (names::Table::shipped().expect("names"), Terms::read(typed).expect("a search"));
        let mut places = Places::new(&names, "330600000000".parse().expect("a city"));
        terms.judge(&table.entries()[0], &mut places, false)
    }

    #[test]
    fn a_number_is_found_by_its_beginning_and_its_end_from_four_digits_on() {
        for typed in ["abab", "ABABAB", "abab-abab"] {
            assert_eq!(judged(typed), Judged::Yes, "{typed}");
        }
        assert_eq!(judged("abc0"), Judged::No);
        assert_eq!(judged("aba"), Judged::No, "three digits are a word");
    }

    #[test]
    fn a_case_is_found_by_the_names_of_the_divisions_around_it_but_not_of_the_node() {
        let names = names::Table::shipped().expect("names");
        let place: DivisionCode = PLACE.parse().expect("a grid");
        let county = names.name("330602000000".parse().expect("a county")).expect("named");
        assert_eq!(judged(&county), Judged::Yes, "{county}");
        let township = place.parent().and_then(DivisionCode::parent).and_then(|township| names.name(township));
        assert_eq!(judged(&township.expect("named")), Judged::Yes);
        assert_eq!(judged("绍兴市"), Judged::No, "all its cases lie in it");
    }

    #[test]
    fn all_that_was_typed_must_be_found() {
        assert_eq!(judged("abab 越城"), Judged::Yes);
        assert_eq!(judged("abab 漏水"), Judged::No);
    }

    #[test]
    fn a_search_ends_at_sixty_characters_and_eight_words() {
        assert!(Terms::read(&"漏".repeat(CHARS_MAX)).is_ok());
        assert_eq!(Terms::read(&"漏".repeat(CHARS_MAX + 1)).err(), Some(NoSearch::TooLong));
        assert!(Terms::read(&"水 ".repeat(WORDS_MAX)).is_ok());
        assert_eq!(Terms::read(&"水 ".repeat(WORDS_MAX + 1)).err(), Some(NoSearch::TooLong));
        assert_eq!(Terms::read(&"水,".repeat(WORDS_MAX + 1)).err(), Some(NoSearch::TooLong), "signs part words too");
        assert_eq!(Terms::read("***").err(), Some(NoSearch::Nothing));
        assert!(Terms::read("  ").is_ok_and(|terms| terms.is_empty()));
    }
}
