//! What can be asked of the figures. Each measure has a definition with an id, a version and words: a figure is never
//! shown without the one by which it was counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::division::{DivisionCode, Level};

use super::calendar::Period;
use super::table::{NEVER, Row, outcome_code};
use protocol::event::{Matter, Outcome};
use protocol::moving::Moves;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// 受理
    Reported,
    /// 在办
    InHand,
    /// 办结
    Concluded,
    /// 调处成功
    Successful,
    /// 超期
    Overdue,
    /// 涉及人数
    People,
    /// 涉及金额
    Amount,
    /// 调处成功率
    SuccessRate,
    /// 调处率
    HandlingRate,
    /// 立案用时
    TimeToFile,
    /// 交办用时
    TimeToAssign,
    /// 化解用时
    TimeToResolve,
    /// 反馈用时
    TimeToFeedBack,
    /// 在办存量
    Occupancy,
}

/// Of what kind a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// So many.
    Count,
    /// So many of so many, in per cent.
    Rate,
    /// The middle one of so many durations, in minutes.
    Median,
    /// So many at the end of each day.
    Daily,
}

/// The definition of a measure.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// The measure.
    pub measure: Measure,
    /// Its name in questions.
    pub id: &'static str,
    /// Rises when the meaning changes.
    pub version: u16,
    /// Of what kind.
    pub kind: Kind,
    /// What one of it is: `case`, `person`, `fen`, `percent`, `minute`.
    pub unit: &'static str,
    /// Name in Chinese.
    pub name_zh: &'static str,
    /// The definition in Chinese (数据口径).
    pub text_zh: &'static str,
    /// The definition in English.
    pub text: &'static str,
}

const fn definition(
    measure: Measure,
    (id, version): (&'static str, u16),
    (kind, unit): (Kind, &'static str),
    name_zh: &'static str,
    text_zh: &'static str,
    text: &'static str,
) -> Definition {
    Definition { measure, id, version, kind, unit, name_zh, text_zh, text }
}

/// All definitions. Void cases are in none of them.
pub const DEFINITIONS: [Definition; 14] = [
    definition(
        Measure::Reported,
        ("reported", 1),
        (Kind::Count, "case"),
        "受理",
        "本期上报的事项数,作废除外。",
        "Cases reported in the period, void ones left out.",
    ),
    definition(
        Measure::InHand,
        ("in-hand", 1),
        (Kind::Count, "case"),
        "在办",
        "本期上报、期末尚未归档的事项数。",
        "Cases reported in the period and not archived at its end.",
    ),
    definition(
        Measure::Concluded,
        ("concluded", 1),
        (Kind::Count, "case"),
        "办结",
        "本期办理终结(成功、不成功或其他)的事项数。",
        "Cases whose outcome, of whatever kind, was settled in the period.",
    ),
    definition(
        Measure::Successful,
        ("successful", 1),
        (Kind::Count, "case"),
        "调处成功",
        "本期调处成功的矛盾纠纷数。",
        "Disputes that ended with a settlement in the period.",
    ),
    definition(
        Measure::Overdue,
        ("overdue", 2),
        (Kind::Count, "case"),
        "超期",
        "本期上报、期末(本期未结束的按今日)尚未归档、且当时在行的期限已过的事项数。",
        "Cases reported in the period and, at its end (today, while it lasts), not archived and beyond a term that ran then.",
    ),
    definition(
        Measure::People,
        ("people", 1),
        (Kind::Count, "person"),
        "涉及人数",
        "本期上报事项的涉及人数合计。",
        "People involved in the cases reported in the period, added up.",
    ),
    definition(
        Measure::Amount,
        ("amount", 1),
        (Kind::Count, "fen"),
        "涉及金额",
        "本期调处成功的矛盾纠纷的涉及金额合计(分)。",
        "Sums involved in the disputes that ended with a settlement in the period, in fen.",
    ),
    definition(
        Measure::SuccessRate,
        ("success-rate", 1),
        (Kind::Rate, "percent"),
        "调处成功率",
        "本期调处成功的矛盾纠纷 ÷ 本期调处终结(成功+不成功)的矛盾纠纷;截断到一位小数,不进位。",
        "Disputes that ended with a settlement in the period, of those that ended with or without one; cut to one decimal, \
         never rounded up.",
    ),
    definition(
        Measure::HandlingRate,
        ("handling-rate", 1),
        (Kind::Rate, "percent"),
        "调处率",
        "本期上报的矛盾纠纷中已调处终结(成功或不成功)的比例;截断到一位小数,不进位。",
        "Of the disputes reported in the period, those that have ended with or without a settlement; cut, never rounded up.",
    ),
    definition(
        Measure::TimeToFile,
        ("time-to-file", 1),
        (Kind::Median, "minute"),
        "立案用时",
        "本期立案事项自上报至立案的用时中位数。",
        "Median from the report to the filing, of cases filed in the period.",
    ),
    definition(
        Measure::TimeToAssign,
        ("time-to-assign", 1),
        (Kind::Median, "minute"),
        "交办用时",
        "本期交办事项自上报至首次交办的用时中位数。",
        "Median from the report to the first assignment, of cases assigned in the period.",
    ),
    definition(
        Measure::TimeToResolve,
        ("time-to-resolve", 1),
        (Kind::Median, "minute"),
        "化解用时",
        "本期办结事项自上报至办结的用时中位数。",
        "Median from the report to the outcome, of cases concluded in the period.",
    ),
    definition(
        Measure::TimeToFeedBack,
        ("time-to-feed-back", 1),
        (Kind::Median, "minute"),
        "反馈用时",
        "本期反馈事项自上报至反馈的用时中位数。",
        "Median from the report to the feedback, of cases fed back in the period.",
    ),
    definition(
        Measure::Occupancy,
        ("occupancy", 1),
        (Kind::Daily, "case"),
        "在办存量",
        "每日24时已上报、尚未归档的事项数,不论何时上报。",
        "Cases reported and not archived at the end of each day, whenever they were reported.",
    ),
];

impl Measure {
    /// Its definition.
    pub fn definition(self) -> &'static Definition {
        DEFINITIONS.iter().find(|definition| definition.measure == self).unwrap_or(&DEFINITIONS[0])
    }

    /// The measure with this id.
    pub fn of(id: &str) -> Option<Self> {
        DEFINITIONS.iter().find(|definition| definition.id == id).map(|definition| definition.measure)
    }
}

/// By what a figure is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Warning level by rank: at the end of the period, or now while it lasts; of an occupancy at the end of each day.
    Level,
    /// The highest level that a case had had by then.
    Peak,
    /// Four digits of the category.
    Category,
    /// Two digits of the category.
    Class,
    /// The eighteen types of the judicial line, as the list in force maps them.
    Judicial,
    /// The place, at this level or the nearest above that it has.
    Place(Level),
    /// The owner's division.
    Owner,
    /// Kind of grid.
    GridKind,
    /// Where it came from.
    Source,
    /// What the matter is.
    Matter,
    /// The unit that answers for it.
    Unit,
    /// Step of the loop.
    Step,
    /// How it ended.
    Outcome,
    /// How it is settled.
    Channel,
    /// People involved: fewer than 50, 50 to 99, 100 to 499, 500 and more.
    People,
    /// The period in which it counts.
    Time(Period),
}

/// The band of a head count, 0 to 3: fewer than 50, 50 to 99, 100 to 499, 500 and more.
pub fn band(head_count: u32) -> u64 {
    match head_count {
        0..50 => 0,
        50..100 => 1,
        100..500 => 2,
        500.. => 3,
    }
}

/// Maps categories to their types of the judicial line.
pub type Judicial = Arc<BTreeMap<u16, u16>>;

/// Which cases count. None leaves all in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// Rank of the level, of the same day as [`Dimension::Level`]; 0: without a level.
    pub level: Option<u8>,
    /// Rank of the highest level by then.
    pub peak: Option<u8>,
    /// Category of four digits.
    pub category: Option<u16>,
    /// Class of two digits.
    pub class: Option<u16>,
    /// Kind of grid.
    pub grid_kind: Option<u8>,
    /// Where it came from.
    pub source: Option<u8>,
    /// What the matter is.
    pub matter: Option<u8>,
    /// The unit.
    pub unit: Option<u16>,
    /// Step of the loop.
    pub step: Option<u8>,
    /// 0: not ended.
    pub outcome: Option<u8>,
    /// Band of the head count.
    pub people: Option<u64>,
    /// Number of the owner's division.
    pub owner: Option<u64>,
}

impl Filter {
    pub(super) fn lets(&self, row: &Row) -> bool {
        fn is<T: PartialEq>(wanted: Option<T>, value: T) -> bool {
            wanted.is_none_or(|wanted| wanted == value)
        }
        is(self.level, row.level)
            && is(self.peak, row.peak)
            && is(self.category, row.category)
            && is(self.class, row.category / 100)
            && is(self.grid_kind, row.grid_kind)
            && is(self.source, row.source)
            && is(self.matter, row.matter)
            && is(self.unit, row.unit)
            && is(self.step, row.step)
            && is(self.outcome, row.outcome)
            && is(self.people, band(row.head_count))
            && is(self.owner, row.owner)
    }
}

/// Dimensions of one question at most.
pub const DIMENSIONS_MAX: usize = 2;

/// A question.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is counted.
    pub measure: Measure,
    /// How it is cut: at most [`DIMENSIONS_MAX`]; by nothing gives the total alone.
    pub by: Vec<Dimension>,
    /// The area.
    pub within: DivisionCode,
    /// First and last day of the period, counted from 1970-01-01.
    pub days: (i32, i32),
    /// Which cases count.
    pub filter: Filter,
    /// Today, for what is overdue.
    pub today: i32,
    /// How categories are mapped to the judicial line.
    pub judicial: Judicial,
    /// Which divisions hang elsewhere than their codes say.
    pub places: Moves,
}

/// What one case gives to a measure.
pub(super) struct Share {
    /// The minute by which it falls into a period.
    pub(super) at: u32,
    /// What it adds; of a rate 0 or 1, of a median the minutes.
    pub(super) amount: u64,
}

impl Measure {
    /// What a case gives to this measure; none when it has no part in it. The period is judged by [`Share::at`].
    pub(super) fn share(self, row: &Row, question: &Question) -> Option<Share> {
        let dispute = row.matter == Matter::Dispute as u8;
        let [good, bad] = [Outcome::Successful, Outcome::Unsuccessful].map(|o| row.outcome == outcome_code(Some(o)));
        let one = |at: u32| Some(Share { at, amount: 1 });
        let took = |at: u32| {
            let amount = u64::from(at.saturating_sub(row.registered));
            (at != NEVER).then_some(Share { at, amount })
        };
        match self {
            Self::Reported => one(row.registered),
            Self::InHand => {
                let gone = Row::day(row.archived).is_some_and(|day| day <= question.days.1);
                one(row.registered).filter(|_| !gone)
            }
            Self::Concluded => one(row.resolved).filter(|_| row.resolved != NEVER),
            Self::Successful => one(row.resolved).filter(|_| dispute && good),
            Self::Overdue => {
                // A past day is over, so a term of that day has run out; today's has not.
                let day = question.days.1.min(question.today);
                let over = i64::from(day.saturating_add(1).min(question.today));
                let runs = row.term_began().is_some_and(|began| began <= day);
                let ran_out = runs && row.due_day != NEVER && i64::from(row.due_day) < over;
                let gone = Row::day(row.archived).is_some_and(|archived| archived <= day);
                one(row.registered).filter(|_| !gone && (ran_out || row.late))
            }
            Self::People => Some(Share { at: row.registered, amount: u64::from(row.head_count) }),
            Self::Amount => (dispute && good).then_some(Share { at: row.resolved, amount: row.amount_fen }),
            Self::SuccessRate => {
                (dispute && (good || bad)).then_some(Share { at: row.resolved, amount: u64::from(good) })
            }
            Self::HandlingRate => dispute.then_some(Share { at: row.registered, amount: u64::from(good || bad) }),
            Self::TimeToFile => took(row.filed),
            Self::TimeToAssign => took(row.assigned),
            Self::TimeToResolve => took(row.resolved),
            Self::TimeToFeedBack => took(row.fed_back),
            Self::Occupancy => one(row.registered),
        }
    }
}
