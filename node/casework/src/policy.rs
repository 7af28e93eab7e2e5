//! The policy (策略): ceilings, the intake level, approvers and terms, as they come down from above.

use protocol::division::Level;
use protocol::event::TermKind;
use protocol::warning::Warning;
use serde::{Deserialize, Serialize};

use crate::calendar::Span;
use crate::content::{Content, FieldTrouble};

/// Days, working days or months of a term at most: ten years.
const DAYS_MAX: u16 = 3_660;
const WORKING_DAYS_MAX: u16 = 2_600;
const MONTHS_MAX: u16 = 120;
/// Fewest events of people that a case must be able to hold, and most: what a move carries in one piece.
const EVENTS_MIN: u32 = 16;
const EVENTS_MAX: u32 = 256;

/// How long each step of the loop may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// To verify and file (立案期限), from the report.
    pub file: Span,
    /// To assign, from filing.
    pub assign: Span,
    /// To resolve, from filing: one month, 人民调解工作若干规定 art. 33.
    pub resolve: Span,
    /// To feed back, from the resolution.
    pub feed_back: Span,
    /// To assess, from the feedback.
    pub assess: Span,
}

/// What comes down from above as settings. Every event names the version of the rules that it used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Schema of the written form.
    pub schema: u16,
    /// Version of the grading rules; no part of the written policy, but of what is in force beside it.
    #[serde(skip, default = "first")]
    pub rules: u16,
    /// Version of the category list; the same.
    #[serde(skip, default = "first")]
    pub category_list: u16,
    /// Where submitted reports go (接收层级).
    pub intake_level: Level,
    /// Up to where a red case is reported (报备上限).
    pub red_ceiling: Level,
    /// Up to where an orange case is reported.
    pub orange_ceiling: Level,
    /// The level whose supervisor approves lowering or cancelling a red case (降级审批).
    pub red_approver: Level,
    /// The same for an orange case.
    pub orange_approver: Level,
    /// How long each step may take.
    pub terms: Terms,
    /// Calendar days to answer an order that names no term.
    pub answer_days: u16,
    /// Calendar days until an offer runs out (签收期限).
    pub accept_days: u16,
    /// Calendar days that a former owner keeps the full file after its release.
    pub keep_days: u16,
    /// Events that people may add to one case; never above what a move carries in one piece.
    pub events_max: u32,
}

fn first() -> u16 {
    1
}

/// The policy that ships with the program.
pub(crate) const BUILT_IN: &str = include_str!("../../data/policy.json");

impl Default for Policy {
    fn default() -> Self {
        Self {
            schema: crate::content::SCHEMA,
            rules: first(),
            category_list: first(),
            intake_level: Level::Township,
            red_ceiling: Level::City,
            orange_ceiling: Level::City,
            red_approver: Level::County,
            orange_approver: Level::City,
            terms: Terms {
                file: Span::Days(3),
                assign: Span::Days(3),
                resolve: Span::Days(30),
                feed_back: Span::Days(5),
                assess: Span::Days(10),
            },
            answer_days: 15,
            accept_days: 3,
            keep_days: 30,
            events_max: EVENTS_MAX,
        }
    }
}

impl Policy {
    /// Up to where a case of this level is reported; none for a level that stays below.
    pub fn ceiling(&self, level: Warning) -> Option<Level> {
        match level {
            Warning::Yellow => None,
            Warning::Red => Some(self.red_ceiling),
            Warning::Orange | Warning::Later(_) => Some(self.orange_ceiling),
        }
    }

    /// The level that approves leaving a warning level; none: the supervisor of the node that owns the case.
    pub fn approver(&self, from: Warning) -> Option<Level> {
        match from {
            Warning::Yellow => None,
            Warning::Red => Some(self.red_approver),
            Warning::Orange | Warning::Later(_) => Some(self.orange_approver),
        }
    }

    /// How long a term is (期限).
    pub fn span(&self, kind: TermKind) -> Span {
        match kind {
            TermKind::File => self.terms.file,
            TermKind::Assign => self.terms.assign,
            TermKind::Resolve => self.terms.resolve,
            TermKind::FeedBack => self.terms.feed_back,
            TermKind::Assess => self.terms.assess,
            TermKind::Answer => Span::Days(self.answer_days),
            TermKind::Accept => Span::Days(self.accept_days),
        }
    }
}

impl Content for Policy {
    fn check(&self, found: &mut Vec<FieldTrouble>) {
        let Terms { file, assign, resolve, feed_back, assess } = self.terms;
        let spans =
            [("file", file), ("assign", assign), ("resolve", resolve), ("feed_back", feed_back), ("assess", assess)];
        for (name, span) in spans {
            in_bounds(&format!("terms.{name}"), span, found);
        }
        for (name, days) in
            [("answer_days", self.answer_days), ("accept_days", self.accept_days), ("keep_days", self.keep_days)]
        {
            between(name, u32::from(days), 1, u32::from(DAYS_MAX), found);
        }
        between("events_max", self.events_max, EVENTS_MIN, EVENTS_MAX, found);
        self.check_levels(found);
    }
}

impl Policy {
    /// Levels order from the top down, so the higher one is the smaller.
    fn check_levels(&self, found: &mut Vec<FieldTrouble>) {
        for (name, orange, red) in [
            ("orange_ceiling", self.orange_ceiling, self.red_ceiling),
            ("orange_approver", self.orange_approver, self.red_approver),
        ] {
            if orange > red {
                found.push(FieldTrouble::new(
                    name,
                    "the level for orange is below the one for red, which is the lesser warning",
                    "橙色的层级不得低于红色的层级",
                ));
            }
        }
        let levels = [
            ("red_ceiling", self.red_ceiling),
            ("red_approver", self.red_approver),
            ("intake_level", self.intake_level),
        ];
        for (name, level) in levels {
            if level == Level::Grid {
                let (en, zh) =
                    ("a grid is above nobody: name a community or higher", "网格之下没有层级,请选择社区或以上");
                found.push(FieldTrouble::new(name, en, zh));
            }
        }
    }
}

/// Says that a span is none, or longer than any term.
pub(crate) fn in_bounds(path: &str, span: Span, found: &mut Vec<FieldTrouble>) {
    let (length, max) = match span {
        Span::Days(days) => (days, DAYS_MAX),
        Span::WorkingDays(days) => (days, WORKING_DAYS_MAX),
        Span::Months(months) => (months, MONTHS_MAX),
    };
    between(path, u32::from(length), 1, u32::from(max), found);
}

fn between(path: &str, value: u32, least: u32, most: u32, found: &mut Vec<FieldTrouble>) {
    if !(least..=most).contains(&value) {
        let (en, zh) =
            (format!("{value} is not between {least} and {most}"), format!("{value} 不在 {least} 至 {most} 之间"));
        found.push(FieldTrouble::new(path, en, zh));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Trouble;

    fn with(from: &str, to: &str) -> Result<Policy, Trouble> {
        assert!(BUILT_IN.contains(from), "{from}");
        Policy::read(BUILT_IN.replace(from, to).as_bytes())
    }

    fn paths(result: Result<Policy, Trouble>) -> Vec<String> {
        match result {
            Err(Trouble::Fields(fields)) => fields.into_iter().map(|f| f.path).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_policy_that_ships_is_the_default_one() {
        assert_eq!(Policy::read(BUILT_IN.as_bytes()), Ok(Policy::default()));
    }

    #[test]
    fn a_term_is_in_days_working_days_or_months() {
        let policy = with(r#""file": { "days": 3 }"#, r#""file": { "working_days": 5 }"#).unwrap();
        assert_eq!(policy.span(TermKind::File), Span::WorkingDays(5));
        let policy = with(r#"{ "days": 30 }"#, r#"{ "months": 1 }"#).unwrap();
        assert_eq!(policy.span(TermKind::Resolve), Span::Months(1));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_name() {
        assert_eq!(paths(with(r#"{ "days": 30 }"#, r#"{ "days": 0 }"#)), ["terms.resolve"]);
        assert_eq!(paths(with(r#"{ "days": 30 }"#, r#"{ "months": 121 }"#)), ["terms.resolve"]);
        assert_eq!(paths(with(r#"{ "days": 30 }"#, r#"{ "days": 3661 }"#)), ["terms.resolve"]);
        assert_eq!(paths(with(r#"{ "days": 30 }"#, r#"{ "working_days": 2601 }"#)), ["terms.resolve"]);
        for longest in [r#"{ "days": 3660 }"#, r#"{ "working_days": 2600 }"#, r#"{ "months": 120 }"#] {
            assert!(with(r#"{ "days": 30 }"#, longest).is_ok(), "{longest}");
        }
        assert_eq!(paths(with(r#""events_max": 256"#, r#""events_max": 15"#)), ["events_max"]);
        assert_eq!(paths(with(r#""events_max": 256"#, r#""events_max": 257"#)), ["events_max"]);
        assert_eq!(paths(with(r#""orange_ceiling": "city""#, r#""orange_ceiling": "township""#)), ["orange_ceiling"]);
        assert_eq!(paths(with(r#""red_ceiling": "city""#, r#""red_ceiling": "galaxy""#)), ["red_ceiling"]);
        assert_eq!(paths(with(r#""keep_days": 30"#, r#""keep_days": 30, "kep_days": 30"#)), ["kep_days"]);
        assert_eq!(paths(with(r#""intake_level": "township""#, r#""intake_level": "grid""#)), ["intake_level"]);
    }
}
