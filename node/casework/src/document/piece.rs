//! What a paper is made of.

use protocol::time::{CivilDay, ClockReading, UnixMillis};

use super::paper::Paper;
use crate::calendar::parts_of;

/// A paper of a case as it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Which.
    pub paper: Paper,
    /// What it is called at its head.
    pub title: String,
    /// The number of the last event of the case that it tells of: what happens later leaves it as it is.
    pub edition: u32,
    /// What it says.
    pub pieces: Vec<Piece>,
}

/// A piece of a paper, below the piece before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The heading of a part.
    Heading(String),
    /// Paragraphs, one a line.
    Words(String),
    /// What follows is another paper of its kind, on a page of its own, and is called so.
    Next(String),
    /// A line without indent: to whom a paper goes.
    To(String),
    /// A line in the middle, below the title.
    Middle(String),
    /// A line that ends at the right: who issued the paper, and when.
    End(String),
    /// A form.
    Form(Vec<Row>),
    /// A table.
    Table {
        /// How wide the columns are, in parts of the sum.
        widths: Vec<u8>,
        /// Their names.
        head: Vec<String>,
        /// Its rows.
        rows: Vec<Vec<String>>,
    },
    /// Places to sign, each with the name of who signs.
    Signatures(Vec<String>),
}

/// A name with what it says.
pub type Field = (String, String);

/// A row of a form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// Names with what they say, beside each other.
    pub fields: Vec<Field>,
    /// How many lines it is high at least.
    pub lines: usize,
    /// What stands below at the right: places to sign, a day.
    pub foot: Vec<String>,
}

impl Row {
    /// Fields beside each other.
    pub(crate) fn of<const N: usize>(fields: [(&str, String); N]) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { fields, ..Self::default() }
    }

    /// Fields beside each other, with room above and below.
    pub(crate) fn tall<const N: usize>(fields: [(&str, String); N]) -> Self {
        Self { lines: 2, ..Self::of(fields) }
    }

    /// One field that is so many lines high at least.
    pub(crate) fn high(name: &str, value: String, lines: usize) -> Self {
        Self { lines, ..Self::of([(name, value)]) }
    }

    /// With places to sign below.
    pub(crate) fn signed<const N: usize>(mut self, foot: [String; N]) -> Self {
        self.foot = foot.into();
        self
    }
}

/// A line to write on by hand.
pub(crate) const BLANK: &str = "＿＿＿＿＿＿";
/// A day to fill in by hand.
pub(crate) const BLANK_DAY: &str = "　　　　年　　月　　日";

/// A day as papers write it.
pub(crate) fn day(day: CivilDay) -> String {
    let (year, month, day) = parts_of(day);
    format!("{year}年{month}月{day}日")
}

/// The day and the minute of a reading, in UTC+8.
pub(crate) fn moment(at: ClockReading) -> String {
    const UTC8_MINUTES: i64 = 8 * 60;
    let UnixMillis(millis) = at.corrected();
    let minutes = millis.div_euclid(60_000).saturating_add(UTC8_MINUTES).rem_euclid(24 * 60);
    let (hour, minute) = (minutes.div_euclid(60), minutes.rem_euclid(60));
    format!("{}{hour}时{minute:02}分", day(at.day()))
}

/// What was said, or that it was left open.
pub(crate) fn or_none(text: &str) -> String {
    if text.trim().is_empty() { "无".to_owned() } else { text.to_owned() }
}

/// A sum in yuan.
pub(crate) fn yuan(fen: u64) -> String {
    let (whole, rest) = (fen.div_euclid(100), fen.rem_euclid(100));
    if rest == 0 { format!("{whole}元") } else { format!("{whole}.{rest:02}元") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_minutes_are_written_in_the_citys_own_time() {
        let at = |millis| ClockReading::exact(UnixMillis(millis));
        assert_eq!(moment(at(0)), "1970年1月1日8时00分");
        assert_eq!(moment(at(1_772_294_700_000)), "2026年3月1日0时05分");
        assert_eq!(day(at(1_772_294_699_999).day()), "2026年3月1日");
    }

    #[test]
    fn a_sum_is_written_in_yuan_without_empty_decimals() {
        assert_eq!((yuan(120_000), yuan(5), yuan(100_010)), ("1200元".into(), "0.05元".into(), "1000.10元".into()));
    }
}
