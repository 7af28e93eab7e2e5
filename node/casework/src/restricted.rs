//! Restricted cases (受限案件): of minors, of violence at home, of sexual harm, or about people of a node. Whoever is not named as a
//! reader, and every level above, sees a level and a number.

use std::borrow::Cow;
use std::sync::Arc;

use protocol::bounded::Text;
use protocol::division::{DivisionCode, GridKind};
use protocol::event::{Brief, Category, RestrictionGround, Withheld};
use protocol::grading::{Answers, Grading, Rule};
use protocol::id::{CaseId, NodeId};
use protocol::time::ClockReading;
use serde::{Deserialize, Serialize};

use crate::actions::When;
use crate::case::Case;
use crate::known::Known;
use crate::refusal::Refusal;
use crate::rights::{self, ActionName, Actor};
use crate::world::Me;

/// The category under which such a case is counted above: other (其他).
pub const CATEGORY: Category = Category(9_900);
/// What stands above, and in lists, for what such a case is about.
pub const SUMMARY: &str = "受限案件";

/// What is to be withheld of a brief.
pub(crate) fn withheld(brief: &Brief, ground: RestrictionGround, against: Option<NodeId>) -> Withheld {
    Withheld {
        ground,
        against,
        category: brief.category,
        place: brief.place,
        grid_kind: brief.grid_kind,
        head_count: brief.head_count,
        answers: brief.grading.answers,
        fired: brief.grading.fired,
        summary: brief.summary.clone(),
    }
}

/// What is withheld by now, where that is another.
pub(crate) fn changed(held: &Withheld, now: &Brief) -> Option<Withheld> {
    let after = withheld(now, held.ground, held.against);
    (after != *held).then_some(after)
}

/// Puts what is withheld where it belongs.
pub(crate) fn put(withheld: &Withheld, brief: &mut Brief) {
    (brief.category, brief.place, brief.grid_kind) = (withheld.category, withheld.place, withheld.grid_kind);
    (brief.head_count, brief.summary) = (withheld.head_count, withheld.summary.clone());
    (brief.grading.answers, brief.grading.fired) = (withheld.answers, withheld.fired);
}

/// What is told above of a restricted case of the node of a division: level, step, terms and who owns it; and what everybody knows
/// of such a node.
pub(crate) fn told(brief: &Brief, home: DivisionCode) -> Brief {
    let fired = if brief.level().is_some() { Rule::Person } else { Rule::NotADispute };
    Brief {
        category: CATEGORY,
        place: home,
        grid_kind: GridKind::Responsibility,
        head_count: 0,
        grading: Grading { answers: Answers::default(), fired, ..brief.grading },
        summary: Text::cut(SUMMARY),
        ..brief.clone()
    }
}

/// Whether a category and a summary are those that are told of a restricted case.
pub fn are_told(category: Category, summary: &str) -> bool {
    category == CATEGORY && summary == SUMMARY
}

/// Whether a brief is what is told of a restricted case.
pub fn is_told(brief: &Brief) -> bool {
    are_told(brief.category, &brief.summary)
}

/// Lets a case stand as it is where what is withheld is held, beside what a header tells.
pub(crate) fn overlay(case: &mut Case, header: &Brief) {
    case.told = None;
    if let Some(withheld) = case.withheld.clone().filter(|_| case.restricted) {
        case.told = Some(Arc::new(header.clone()));
        put(&withheld, &mut case.brief);
    }
}

/// Somebody who may read a restricted case at this node (知情人).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    /// The case.
    pub case: CaseId,
    /// User id.
    pub user: Text<40>,
    /// Name as shown.
    pub name: Text<60>,
    /// Who named them.
    pub by: Text<60>,
    /// Since when.
    pub since: ClockReading,
    /// Until when; none: they still may.
    pub until: Option<ClockReading>,
}

impl Known {
    /// Whether only named readers may read it.
    pub fn is_restricted(&self) -> bool {
        self.case().is_some_and(|case| case.restricted)
    }

    /// A reader who still may read it.
    pub(crate) fn reader(&self, user: &str) -> Option<&Reader> {
        self.readers().find(|reader| reader.until.is_none() && &*reader.user == user)
    }

    /// Whether somebody is named as a reader.
    pub fn has_reader(&self, by: &Actor) -> bool {
        self.reader(&by.user).is_some()
    }

    /// Whether somebody may read what is in it: anybody who may see it, of a case that is not restricted.
    pub fn is_read_by(&self, by: &Actor) -> bool {
        !self.is_restricted() || self.has_reader(by)
    }

    /// All of it that somebody may read: of a restricted case to everybody else what a level above has of it.
    pub fn read_by(&self, by: &Actor) -> Cow<'_, Self> {
        if self.is_read_by(by) { Cow::Borrowed(self) } else { Cow::Owned(self.without_words()) }
    }

    /// The same; none where they may not even know of it here: neither by their roles, nor because they are named.
    pub fn seen_by(&self, by: &Actor) -> Option<Cow<'_, Self>> {
        let read = self.read_by(by);
        let seen = by.sees(&rights::at(&read)) || (self.is_restricted() && self.has_reader(by));
        seen.then_some(read)
    }
}

/// Refuses what asks for reading the case to whoever is not named.
pub(crate) fn must_read(known: &Known, by: &Actor, action: ActionName) -> Result<(), Refusal> {
    if reads(action) && !known.is_read_by(by) { Err(Refusal::Restricted) } else { Ok(()) }
}

/// Whether an action asks for reading the case. What is said to its owner from above, or of an offer, goes by level and number.
fn reads(action: ActionName) -> bool {
    let handles = matches!(
        action.when(),
        When::Step | When::Owned | When::NotOffering | When::Offering | When::Closed | When::Ordered
    );
    handles && action != ActionName::MarkRead
}

/// Refuses what a node does not do with a case about its own people: it goes to another desk, and is kept from its own.
pub(crate) fn must_not_be_about(known: &Known, me: Me, action: ActionName) -> Result<(), Refusal> {
    let about_us = known.case().is_some_and(|case| case.is_about(me.node));
    let handles = action.when() == When::Step || action == ActionName::NameReader;
    if about_us && handles { Err(Refusal::AboutOwnPeople) } else { Ok(()) }
}

/// Words that speak of what is restricted, each with its ground. Of minors only together with what was done to them.
const WORDS: [(&str, RestrictionGround); 10] = [
    ("家暴", RestrictionGround::DomesticViolence),
    ("家庭暴力", RestrictionGround::DomesticViolence),
    ("性侵", RestrictionGround::SexualHarm),
    ("强奸", RestrictionGround::SexualHarm),
    ("猥亵", RestrictionGround::SexualHarm),
    ("性骚扰", RestrictionGround::SexualHarm),
    ("校园欺凌", RestrictionGround::Minors),
    ("学生欺凌", RestrictionGround::Minors),
    ("虐童", RestrictionGround::Minors),
    ("虐待儿童", RestrictionGround::Minors),
];
const MINORS: [&str; 5] = ["未成年", "儿童", "幼女", "小学生", "中学生"];
const HARM: [&str; 6] = ["殴打", "打伤", "欺凌", "虐待", "侵害", "遗弃"];

/// The ground on which a report should be restricted by what it says, if there is one.
pub fn suggested(title: &str, narrative: &str) -> Option<RestrictionGround> {
    let says = |word: &str| title.contains(word) || narrative.contains(word);
    let by_word = WORDS.iter().find(|(word, _)| says(word)).map(|(_, ground)| *ground);
    let minors = || MINORS.iter().any(|word| says(word)) && HARM.iter().any(|word| says(word));
    by_word.or_else(|| minors().then_some(RestrictionGround::Minors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_harm_suggest_a_ground_and_those_of_trade_do_not() {
        use RestrictionGround as G;
        for (title, narrative, ground) in [
            ("夫妻矛盾", "女方称长期遭受家暴", Some(G::DomesticViolence)),
            ("举报", "称遭同事性骚扰", Some(G::SexualHarm)),
            ("两名小学生争吵", "其中一人被打伤", Some(G::Minors)),
            ("未成年人充值退款", "要求平台退还游戏充值", None),
            ("虐待动物", "邻居养狗", None),
        ] {
            assert_eq!(suggested(title, narrative), ground, "{title}");
        }
    }
}
