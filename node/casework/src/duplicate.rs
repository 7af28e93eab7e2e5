//! Cases that a report may repeat (疑似重复): what an earlier case has in common with it, and how much that weighs. Nothing is
//! merged or refused by it: a person looks.

use std::collections::BTreeSet;

use protocol::division::DivisionCode;
use protocol::event::{Category, Party};
use serde::{Deserialize, Serialize};

/// Days for which an earlier case is worth a look.
pub const DAYS_BACK: i32 = 180;
/// From which weight on an earlier case is shown: what most reports of a grid have in common is less.
const WEIGHT_MIN: u32 = 40;
/// Shortest number that is anybody's.
const NUMBER_CHARS_MIN: usize = 6;
/// Shortest name that is anybody's.
const NAME_CHARS_MIN: usize = 2;
/// From how many of a hundred on two titles are alike.
const ALIKE_MIN: u32 = 40;

/// A report before it is filed, as far as it is filled in.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'d> {
    /// Where it happened.
    pub place: Option<DivisionCode>,
    /// Its category.
    pub category: Option<Category>,
    /// Its title.
    pub title: &'d str,
    /// Its parties; whoever reads masked names only compares none.
    pub parties: &'d [Party],
}

/// An earlier case, as whoever asks may read it.
#[derive(Debug, Clone, Copy)]
pub struct Earlier<'e> {
    /// Where it happened.
    pub place: DivisionCode,
    /// Its category.
    pub category: Category,
    /// Its title, where that may be read, and its summary.
    pub titles: [&'e str; 2],
    /// Its parties, where they may be compared.
    pub parties: &'e [Party],
}

/// What an earlier case has in common with a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A party's phone.
    Phone,
    /// A party's document, or name.
    Party,
    /// The place, or one inside the other.
    Place,
    /// The category.
    Category,
    /// A title that is much the same.
    Title,
}

/// How much an earlier case is like a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    /// The heavier, the likelier it is the same matter.
    pub weight: u32,
    /// Why, the strongest first.
    pub reasons: Vec<Reason>,
}

/// What a report and an earlier case have in common, if it is worth a look.
pub fn likeness(draft: Draft<'_>, earlier: Earlier<'_>) -> Option<Likeness> {
    let found = [
        (Reason::Phone, phone(draft.parties, earlier.parties)),
        (Reason::Party, party(draft.parties, earlier.parties)),
        (Reason::Place, draft.place.map_or(0, |place| near(place, earlier.place))),
        (Reason::Category, if draft.category == Some(earlier.category) { 10 } else { 0 }),
        (Reason::Title, title(draft.title, earlier.titles)),
    ];
    let weight = found.iter().fold(0_u32, |sum, (_, weight)| sum.saturating_add(*weight));
    let reasons = found.iter().filter(|(_, weight)| *weight > 0).map(|(reason, _)| *reason).collect();
    (weight >= WEIGHT_MIN).then_some(Likeness { weight, reasons })
}

/// The most that place, category and title can weigh: what is known of an earlier case before its words are read.
pub fn weight_without_parties(place: DivisionCode, category: Category, alike: u32, draft: Draft<'_>) -> u32 {
    let place = draft.place.map_or(0, |own| near(own, place));
    let category = if draft.category == Some(category) { 10 } else { 0 };
    place.saturating_add(category).saturating_add(of_title(alike))
}

fn phone(ours: &[Party], theirs: &[Party]) -> u32 {
    if common(ours, theirs, |party| number(&party.phone)) { 50 } else { 0 }
}

fn party(ours: &[Party], theirs: &[Party]) -> u32 {
    if common(ours, theirs, |party| number(&party.identity)) {
        50
    } else if common(ours, theirs, |party| name(&party.name)) {
        30
    } else {
        0
    }
}

fn common(ours: &[Party], theirs: &[Party], part: impl Fn(&Party) -> Option<String>) -> bool {
    let ours: BTreeSet<String> = ours.iter().filter_map(&part).collect();
    theirs.iter().filter_map(part).any(|theirs| ours.contains(&theirs))
}

/// One grid says more than one community, and a community more than nothing.
fn near(ours: DivisionCode, theirs: DivisionCode) -> u32 {
    if ours == theirs {
        15
    } else if ours.contains(theirs) || theirs.contains(ours) {
        8
    } else {
        0
    }
}

fn title(ours: &str, theirs: [&str; 2]) -> u32 {
    of_title(theirs.into_iter().map(|theirs| alike(ours, theirs)).max().unwrap_or(0))
}

fn of_title(alike: u32) -> u32 {
    if alike >= ALIKE_MIN { alike.saturating_mul(3).checked_div(10).unwrap_or(0) } else { 0 }
}

/// How much two texts have in common, of a hundred: the pairs of neighbouring characters that both have, against all.
pub fn alike(one: &str, other: &str) -> u32 {
    let (one, other) = (pairs(one), pairs(other));
    let both = one.intersection(&other).count().saturating_mul(200);
    let all = one.len().saturating_add(other.len());
    both.checked_div(all).and_then(|percent| u32::try_from(percent).ok()).unwrap_or(0)
}

/// Pairs of neighbouring letters and digits; signs between them do not matter.
fn pairs(text: &str) -> BTreeSet<(char, char)> {
    let plain: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    plain.iter().copied().zip(plain.iter().copied().skip(1)).collect()
}

/// A number as it is compared, however it was typed.
fn number(typed: &str) -> Option<String> {
    let plain = |c: char| match c {
        '\u{FF10}'..='\u{FF19}' => u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32),
        c if c.is_ascii_alphanumeric() => Some(c.to_ascii_uppercase()),
        _ => None,
    };
    let number: String = typed.chars().filter_map(plain).collect();
    (number.len() >= NUMBER_CHARS_MIN).then_some(number)
}

fn name(typed: &str) -> Option<String> {
    let name: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    (name.chars().count() >= NAME_CHARS_MIN).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::bounded::Text;
    use protocol::event::PartySide;

    const GRID: &str = "330602001001001";
    const OTHER_GRID: &str = "330602001001002";
    const COMMUNITY: &str = "330602001001";

    fn code(text: &str) -> DivisionCode {
        text.parse().expect("a division")
    }

    fn party(name: &str, phone: &str, identity: &str) -> Party {
        Party {
            side: PartySide::Applicant,
            name: Text::cut(name),
            phone: Text::cut(phone),
            address: Text::cut(""),
            identity: Text::cut(identity),
        }
    }

    fn draft<'d>(title: &'d str, parties: &'d [Party]) -> Draft<'d> {
        Draft { place: Some(code(GRID)), category: Some(Category(402)), title, parties }
    }

    fn earlier<'e>(place: &str, category: u16, title: &'e str, parties: &'e [Party]) -> Earlier<'e> {
        Earlier { place: code(place), category: Category(category), titles: [title, ""], parties }
    }

    #[test]
    fn a_phone_is_the_same_however_it_was_typed_and_is_enough_alone() {
        let (ours, theirs) = ([party("", "138-5751 2345", "")], [party("周慧敏", "１３８５７５１２３４５", "")]);
        let found = likeness(draft("", &ours), earlier("330602002001001", 101, "", &theirs)).expect("alike");
        assert_eq!(found.reasons, [Reason::Phone]);
    }

    #[test]
    fn a_number_too_short_for_anybody_is_no_reason() {
        let (ours, theirs) = ([party("", "110", "")], [party("", "110", "")]);
        assert_eq!(likeness(draft("", &ours), earlier("330602002001001", 101, "", &theirs)), None);
    }

    #[test]
    fn a_name_of_one_character_is_no_reason() {
        let (ours, theirs) = ([party("王", "", "")], [party("王", "", "")]);
        assert_eq!(likeness(draft("", &ours), earlier(GRID, 402, "", &theirs)), None);
    }

    #[test]
    fn a_name_alone_is_not_enough_and_with_the_category_it_is() {
        let (ours, theirs) = ([party("王 伟", "", "")], [party("王伟", "", "")]);
        assert_eq!(likeness(draft("", &ours), earlier("330602002001001", 101, "", &theirs)), None);
        let found = likeness(draft("", &ours), earlier("330602002001001", 402, "", &theirs)).expect("alike");
        assert_eq!(found.reasons, [Reason::Party, Reason::Category]);
    }

    #[test]
    fn a_document_weighs_more_than_a_name() {
        let ours = [party("王伟", "", "330602199001011234")];
        let weight =
            |theirs: Party| likeness(draft("", &ours), earlier(GRID, 402, "", &[theirs])).map(|found| found.weight);
        assert!(weight(party("王伟", "", "330602199001011234")) > weight(party("王伟", "", "")));
    }

    #[test]
    fn what_most_cases_of_a_grid_share_is_not_enough_without_a_title_that_is_alike() {
        let title = "楼上漏水墙面受损要求赔偿";
        assert_eq!(likeness(draft(title, &[]), earlier(GRID, 402, "停车占道", &[])), None);
        let found = likeness(draft(title, &[]), earlier(GRID, 402, "楼上漏水、墙面受损", &[])).expect("alike");
        assert_eq!(found.reasons, [Reason::Place, Reason::Category, Reason::Title]);
    }

    #[test]
    fn the_grid_itself_weighs_more_than_its_community_and_another_grid_nothing() {
        let title = "楼上漏水墙面受损";
        let weight = |place: &str| {
            let parties = [party("", "13857512345", "")];
            likeness(draft(title, &parties), earlier(place, 402, title, &parties)).map(|found| found.weight)
        };
        assert!(weight(GRID) > weight(COMMUNITY) && weight(COMMUNITY) > weight(OTHER_GRID));
    }

    #[test]
    fn a_summary_stands_in_for_a_title_that_is_not_here() {
        let theirs = Earlier { titles: ["", "楼上漏水墙面受损"], ..earlier(GRID, 402, "", &[]) };
        assert!(likeness(draft("楼上漏水墙面受损", &[]), theirs).is_some());
    }

    #[test]
    fn likeness_runs_from_nothing_to_all_and_signs_do_not_matter() {
        assert_eq!(alike("楼上漏水", "楼上、漏水!"), 100);
        assert_eq!(alike("楼上漏水", "停车占道"), 0);
        assert_eq!(alike("", ""), 0);
        assert_eq!(alike("水", "水"), 0, "one character is no pair");
    }

    #[test]
    fn what_is_foreseen_without_parties_is_what_the_words_then_weigh() {
        let (title, theirs) = ("楼上漏水墙面受损", "楼上漏水了");
        let full = likeness(draft(title, &[]), earlier(GRID, 402, theirs, &[])).map_or(0, |found| found.weight);
        assert_eq!(weight_without_parties(code(GRID), Category(402), alike(title, theirs), draft(title, &[])), full);
    }
}
