//! The calendar (工作日历): which days are worked, as far as it is known, and on which day a term ends.

use std::collections::BTreeMap;

use protocol::bounded::Text;
use protocol::time::CivilDay;
use serde::{Deserialize, Serialize};

use crate::content::{Content, FieldTrouble, repeated};

/// Days that one calendar covers at most, so that no walk through it is long.
const DAYS_MAX: i32 = 20_000;

/// How long a term (期限) is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Calendar days.
    Days(u16),
    /// Working days: days that are not worked are not counted.
    WorkingDays(u16),
    /// Months: the same day of a later month, or its last day.
    Months(u16),
}

/// When a term ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The last day on which it is met.
    Day(CivilDay),
    /// Beyond the days that the calendar knows: later than this day, and not yet told which.
    Provisional {
        /// The last day that is known.
        after: CivilDay,
    },
}

/// A day as contents write it, `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(pub CivilDay);

/// The text is no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a day is written YYYY-MM-DD, between 1900 and 2199")]
pub struct NotADate;

impl TryFrom<String> for Date {
    type Error = NotADate;

    fn try_from(text: String) -> Result<Self, NotADate> {
        let mut parts = text.splitn(3, '-');
        let mut number = |digits: usize| {
            let part = parts.next().filter(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_digit()));
            part.and_then(|p| p.parse::<i32>().ok()).ok_or(NotADate)
        };
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        let found = day_of(year, month, day).ok_or(NotADate)?;
        // A day that the month does not have would be one of the next month.
        if parts_of(found) == (year, month, day) { Ok(Self(found)) } else { Err(NotADate) }
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        let (year, month, day) = parts_of(date.0);
        format!("{year:04}-{month:02}-{day:02}")
    }
}

impl Date {
    /// Its year.
    pub fn year(self) -> u16 {
        u16::try_from(parts_of(self.0).0).unwrap_or_default()
    }
}

/// A day that may be absent, as [`Date`] writes it: for serde.
pub mod day {
    use protocol::time::CivilDay;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Date;

    /// Writes it.
    pub fn serialize<S: Serializer>(day: &Option<CivilDay>, serializer: S) -> Result<S::Ok, S::Error> {
        day.map(Date).serialize(serializer)
    }

    /// Reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CivilDay>, D::Error> {
        Ok(Option::<Date>::deserialize(deserializer)?.map(|day| day.0))
    }
}

/// A day that differs from its day of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The day.
    pub day: Date,
    /// Whether it is worked: a make-up day (调休上班), or else a holiday.
    pub works: bool,
    /// For which holiday.
    #[serde(default)]
    pub name: Text<30>,
}

/// A calendar as it is published: Monday to Friday are worked, but for the exceptions; days outside it are not known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub struct Calendar {
    from: CivilDay,
    until: CivilDay,
    exceptions: BTreeMap<CivilDay, bool>,
    /// Kept for the check alone: a day that stands twice.
    written: Vec<CivilDay>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "schema")]
    _schema: u16,
    from: Date,
    until: Date,
    exceptions: Vec<Exception>,
}

impl From<Written> for Calendar {
    fn from(written: Written) -> Self {
        Self {
            from: written.from.0,
            until: written.until.0,
            exceptions: written.exceptions.iter().map(|e| (e.day.0, e.works)).collect(),
            written: written.exceptions.iter().map(|e| e.day.0).collect(),
        }
    }
}

impl Content for Calendar {
    fn check(&self, found: &mut Vec<FieldTrouble>) {
        if self.until < self.from || self.until.number().saturating_sub(self.from.number()) > DAYS_MAX {
            let en = format!("the last day lies before the first, or more than {DAYS_MAX} days after it");
            found.push(FieldTrouble::new("until", en, "截止日期早于起始日期,或跨度过长"));
        }
        repeated("exceptions", "day", &self.written, found);
        for (index, day) in self.written.iter().enumerate() {
            if *day < self.from || *day > self.until {
                let path = format!("exceptions[{index}].day");
                found.push(FieldTrouble::new(path, "the day lies outside the calendar", "日期不在日历范围内"));
            }
        }
    }
}

/// The calendar that ships with the program.
pub(crate) const BUILT_IN: &str = include_str!("../../data/calendar.json");

impl Calendar {
    /// The calendar that ships with the program.
    pub fn built_in() -> Self {
        // A test reads it: what ships is never refused. Without it no working day would be known.
        Self::read(BUILT_IN.as_bytes()).unwrap_or_else(|_| Self::unknown())
    }

    /// A calendar that knows no day.
    pub fn unknown() -> Self {
        let (from, until) = (CivilDay::of(protocol::time::UnixMillis(0)), CivilDay::of(protocol::time::UnixMillis(0)));
        Self { from: from.plus(1), until, exceptions: BTreeMap::new(), written: Vec::new() }
    }

    /// The last day that is known.
    pub fn known_until(&self) -> CivilDay {
        self.until
    }

    /// Whether a day is worked; none for a day that is not known.
    pub fn works(&self, day: CivilDay) -> Option<bool> {
        if day < self.from || day > self.until {
            return None;
        }
        Some(self.exceptions.get(&day).copied().unwrap_or_else(|| is_weekday(day)))
    }

    /// When a term ends that runs from `from`, which is not counted itself.
    pub fn due(&self, from: CivilDay, span: Span) -> Due {
        match span {
            Span::Days(days) => Due::Day(from.plus(i32::from(days))),
            Span::Months(months) => Due::Day(months_later(from, months)),
            Span::WorkingDays(days) => self.working(from, days, |_| true),
        }
    }

    /// The same for a term that stood still: days of these times, of each the first that does not count and the first that does
    /// again, are left out in the unit of the span. A month is prolonged by as many days as fell into it.
    pub fn due_without(&self, from: CivilDay, span: Span, still: &[(CivilDay, CivilDay)]) -> Due {
        let counts = |day: CivilDay| !still.iter().any(|(first, again)| *first <= day && day < *again);
        match span {
            Span::Days(days) => Due::Day(counted_on(from, days, counts)),
            Span::Months(months) => {
                let end = months_later(from, months);
                let lost = days_between(from, end).filter(|day| !counts(*day)).count();
                Due::Day(counted_on(end, u16::try_from(lost).unwrap_or(u16::MAX), counts))
            }
            Span::WorkingDays(days) => self.working(from, days, counts),
        }
    }

    fn working(&self, from: CivilDay, days: u16, counts: impl Fn(CivilDay) -> bool) -> Due {
        let (mut day, mut left) = (from, days);
        while left > 0 {
            day = day.plus(1);
            if !counts(day) {
                continue;
            }
            match self.works(day) {
                Some(true) => left = left.saturating_sub(1),
                Some(false) => {}
                None => return Due::Provisional { after: self.until.max(from) },
            }
        }
        Due::Day(day)
    }
}

/// The day that is so many counted days after another.
fn counted_on(from: CivilDay, days: u16, counts: impl Fn(CivilDay) -> bool) -> CivilDay {
    let (mut day, mut left) = (from, days);
    while left > 0 {
        let next = day.plus(1);
        if next == day {
            // The last day of the type.
            break;
        }
        day = next;
        left = left.saturating_sub(u16::from(counts(day)));
    }
    day
}

/// The days after one, up to another.
fn days_between(from: CivilDay, until: CivilDay) -> impl Iterator<Item = CivilDay> {
    let count = until.number().saturating_sub(from.number());
    (1..=count).map(move |days| from.plus(days))
}

/// Monday to Friday; 1970-01-01 was a Thursday.
fn is_weekday(day: CivilDay) -> bool {
    day.number().saturating_add(3).rem_euclid(7) < 5
}

/// The same day so many months later, or the last day of that month.
fn months_later(from: CivilDay, months: u16) -> CivilDay {
    let (year, month, day) = parts_of(from);
    let index = month.saturating_sub(1).saturating_add(i32::from(months));
    let (year, month) = (year.saturating_add(index.div_euclid(12)), index.rem_euclid(12).saturating_add(1));
    let fits = |day: &i32| day_of(year, month, *day).filter(|found| parts_of(*found) == (year, month, *day));
    // The last day that the month has, when it has no such day. Beyond the calendar type: its last day.
    (1..=day).rev().find_map(|day| fits(&day)).unwrap_or_else(|| from.plus(i32::MAX))
}

/// The day of a year, month and day of the Gregorian calendar, after the method of eras of 400 years.
#[expect(clippy::arithmetic_side_effects, reason = "years of four digits stay far inside the type")]
fn day_of(year: i32, month: i32, day: i32) -> Option<CivilDay> {
    if !(1..=9_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    CivilDay::from_number(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Year, month and day of a day.
#[expect(clippy::arithmetic_side_effects, reason = "a civil day lies between 1900 and 2199")]
pub(crate) fn parts_of(day: CivilDay) -> (i32, i32, i32) {
    let shifted = day.number() + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i32::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> CivilDay {
        Date::try_from(text.to_owned()).unwrap().0
    }

    fn due(from: &str, span: Span) -> Due {
        Calendar::built_in().due(day(from), span)
    }

    #[test]
    fn days_are_read_and_written_and_impossible_ones_refused() {
        assert_eq!(day("1970-01-01").number(), 0);
        assert_eq!(day("2024-02-29").number(), 19_782);
        for number in (-25_567..=84_005).step_by(11) {
            let date = Date(CivilDay::from_number(number).unwrap());
            assert_eq!(Date::try_from(String::from(date)), Ok(date));
        }
        for bad in ["2026-02-29", "2026-13-01", "2026-1-1", "26-01-01", "2026-04-31", "", "2300-01-01", "2026-01-+1"] {
            assert_eq!(Date::try_from(bad.to_owned()), Err(NotADate), "{bad}");
        }
    }

    #[test]
    fn the_spring_festival_of_2026_is_skipped_and_its_make_up_days_are_worked() {
        let calendar = Calendar::built_in();
        // Saturday the 14th and Saturday the 28th are worked in exchange for the week between.
        assert_eq!(calendar.works(day("2026-02-14")), Some(true));
        assert_eq!(calendar.works(day("2026-02-15")), Some(false));
        assert_eq!(calendar.works(day("2026-02-20")), Some(false));
        assert_eq!(calendar.works(day("2026-02-28")), Some(true));
        // From Thursday the 12th: 13th, make-up 14th, then nothing until Tuesday the 24th.
        assert_eq!(due("2026-02-12", Span::WorkingDays(2)), Due::Day(day("2026-02-14")));
        assert_eq!(due("2026-02-12", Span::WorkingDays(3)), Due::Day(day("2026-02-24")));
        assert_eq!(due("2026-02-13", Span::WorkingDays(5)), Due::Day(day("2026-02-27")));
        assert_eq!(due("2026-02-13", Span::WorkingDays(6)), Due::Day(day("2026-02-28")));
        // A term that begins inside the holiday.
        assert_eq!(due("2026-02-17", Span::WorkingDays(1)), Due::Day(day("2026-02-24")));
    }

    #[test]
    fn calendar_days_and_months_need_no_knowledge_of_holidays() {
        assert_eq!(due("2026-02-13", Span::Days(5)), Due::Day(day("2026-02-18")));
        assert_eq!(due("2026-01-31", Span::Months(1)), Due::Day(day("2026-02-28")));
        assert_eq!(due("2024-01-31", Span::Months(1)), Due::Day(day("2024-02-29")));
        assert_eq!(due("2026-12-31", Span::Months(14)), Due::Day(day("2028-02-29")));
        assert_eq!(due("2150-12-31", Span::Months(1)), Due::Day(day("2151-01-31")));
    }

    #[test]
    fn days_on_which_a_term_stands_still_are_left_out_in_its_unit() {
        let calendar = Calendar::built_in();
        let still = [(day("2026-03-04"), day("2026-03-11")), (day("2026-03-20"), day("2026-03-21"))];
        let due = |span| calendar.due_without(day("2026-03-02"), span, &still);
        // Of seven days from the 4th on, five are worked.
        assert_eq!(due(Span::Days(2)), Due::Day(day("2026-03-11")));
        assert_eq!(due(Span::Days(20)), Due::Day(day("2026-03-30")));
        assert_eq!(due(Span::WorkingDays(2)), Due::Day(day("2026-03-11")));
        assert_eq!(due(Span::WorkingDays(8)), Due::Day(day("2026-03-19")));
        assert_eq!(due(Span::Months(1)), Due::Day(day("2026-04-10")));
        for span in [Span::Days(40), Span::WorkingDays(40), Span::Months(2)] {
            assert_eq!(calendar.due_without(day("2026-03-02"), span, &[]), calendar.due(day("2026-03-02"), span));
        }
    }

    #[test]
    fn a_term_beyond_the_calendar_is_provisional_and_never_guessed() {
        let last = day("2026-12-31");
        assert_eq!(Calendar::built_in().known_until(), last);
        assert_eq!(due("2026-12-30", Span::WorkingDays(1)), Due::Day(last));
        assert_eq!(due("2026-12-30", Span::WorkingDays(2)), Due::Provisional { after: last });
        assert_eq!(due("2027-03-01", Span::WorkingDays(1)), Due::Provisional { after: day("2027-03-01") });
        assert_eq!(Calendar::unknown().works(last), None);
        assert_eq!(Calendar::built_in().works(day("2023-12-31")), None, "nor is the past known before its first day");
    }

    #[test]
    fn a_calendar_with_a_wrong_row_is_refused_with_the_row() {
        use crate::content::Trouble;
        let paths = |exceptions: &str, until: &str| {
            let text = format!(r#"{{"schema":1,"from":"2027-01-01","until":"{until}","exceptions":[{exceptions}]}}"#);
            match Calendar::read(text.as_bytes()) {
                Err(Trouble::Fields(fields)) => fields.into_iter().map(|f| f.path).collect::<Vec<_>>(),
                other => panic!("{other:?}"),
            }
        };
        let row = |day: &str| format!(r#"{{"day":"{day}","works":false}}"#);
        assert_eq!(paths(&row("2028-01-01"), "2027-12-31"), ["exceptions[0].day"]);
        assert_eq!(paths(&row("2027-02-30"), "2027-12-31"), ["exceptions[0].day"]);
        assert_eq!(paths(&format!("{0},{0}", row("2027-01-01")), "2027-12-31"), ["exceptions[1].day"]);
        assert_eq!(paths("", "2026-12-31"), ["until"]);
    }

    #[test]
    fn a_calendar_that_covers_more_days_than_anybody_plans_is_refused() {
        use crate::content::Trouble;
        let read = |until: CivilDay| {
            let text = format!(
                r#"{{"schema":1,"from":"2026-01-01","until":"{}","exceptions":[]}}"#,
                String::from(Date(until))
            );
            Calendar::read(text.as_bytes())
        };
        let longest = day("2026-01-01").plus(DAYS_MAX);
        assert!(read(longest).is_ok());
        let Err(Trouble::Fields(fields)) = read(longest.plus(1)) else { panic!("a day too many is taken") };
        assert_eq!(fields[0].path, "until");
    }
}
