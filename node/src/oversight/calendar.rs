//! Days in UTC+8 and the periods that they lie in, as the tables of figures are cut.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta};
use protocol::time::Minute;

/// Minutes that UTC+8 is ahead.
const UTC8_MINUTES: u64 = 8 * 60;
const DAY_MINUTES: u64 = 24 * 60;

/// A period of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// 日
    Day,
    /// 周, from Monday; it belongs to the year in which most of it lies (ISO 8601).
    Week,
    /// 月
    Month,
    /// 季
    Quarter,
    /// 半年
    Half,
    /// 年
    Year,
}

/// The day of a minute, counted from 1970-01-01.
pub(super) fn day_of(minute: Minute) -> i32 {
    i32::try_from((u64::from(minute.0) + UTC8_MINUTES) / DAY_MINUTES).unwrap_or(i32::MAX)
}

fn date(day: i32) -> NaiveDate {
    DateTime::UNIX_EPOCH.date_naive().checked_add_signed(TimeDelta::days(i64::from(day))).unwrap_or(NaiveDate::MAX)
}

impl Period {
    /// The period of a day, as its first day: a number that sorts and that [`Period::name`] can name.
    pub fn first_day(self, day: i32) -> i32 {
        let at = date(day);
        let (year, month) = (at.year(), at.month());
        let first = match self {
            Self::Day => return day,
            Self::Week => return day - i32::try_from(at.weekday().num_days_from_monday()).unwrap_or(0),
            Self::Month => NaiveDate::from_ymd_opt(year, month, 1),
            Self::Quarter => NaiveDate::from_ymd_opt(year, (month - 1) / 3 * 3 + 1, 1),
            Self::Half => NaiveDate::from_ymd_opt(year, (month - 1) / 6 * 6 + 1, 1),
            Self::Year => NaiveDate::from_ymd_opt(year, 1, 1),
        };
        first.map_or(day, |first| day - i32::try_from(at.signed_duration_since(first).num_days()).unwrap_or(0))
    }

    /// How the period that begins on a day is written.
    pub fn name(self, first_day: i32) -> String {
        let at = date(first_day);
        match self {
            Self::Day => at.to_string(),
            Self::Week => format!("{}-W{:02}", at.iso_week().year(), at.iso_week().week()),
            Self::Month => format!("{}-{:02}", at.year(), at.month()),
            Self::Quarter => format!("{}-Q{}", at.year(), (at.month() - 1) / 3 + 1),
            Self::Half => format!("{}-H{}", at.year(), (at.month() - 1) / 6 + 1),
            Self::Year => at.year().to_string(),
        }
    }

    /// The first day of a period from how it is written.
    pub fn parse(self, text: &str) -> Option<i32> {
        let number = |text: &str| text.parse::<u32>().ok();
        let begin = |year: &str, month: u32| NaiveDate::from_ymd_opt(year.parse().ok()?, month, 1);
        let at = match self {
            Self::Day => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?,
            Self::Week => {
                let (year, week) = text.split_once("-W")?;
                NaiveDate::from_isoywd_opt(year.parse().ok()?, number(week)?, chrono::Weekday::Mon)?
            }
            Self::Month => text.split_once('-').and_then(|(year, month)| begin(year, number(month)?))?,
            Self::Quarter => {
                let (year, quarter) = text.split_once("-Q")?;
                begin(year, number(quarter)?.checked_sub(1)?.checked_mul(3)? + 1)?
            }
            Self::Half => {
                let (year, half) = text.split_once("-H")?;
                begin(year, number(half)?.checked_sub(1)?.checked_mul(6)? + 1)?
            }
            Self::Year => begin(text, 1)?,
        };
        let days = at.signed_duration_since(DateTime::UNIX_EPOCH.date_naive()).num_days();
        i32::try_from(days).ok().filter(|day| self.name(*day) == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_period_begins_where_it_is_named_and_reads_back() {
        // 2027-01-01 is a Friday, of the last week of 2026.
        let day = Period::Day.parse("2027-01-01").unwrap();
        for (period, name) in [
            (Period::Day, "2027-01-01"),
            (Period::Week, "2026-W53"),
            (Period::Month, "2027-01"),
            (Period::Quarter, "2027-Q1"),
            (Period::Half, "2027-H1"),
            (Period::Year, "2027"),
        ] {
            let first = period.first_day(day);
            assert_eq!(period.name(first), name);
            assert_eq!(period.parse(name), Some(first));
        }
        let december = Period::Day.parse("2026-12-31").unwrap();
        assert_eq!(Period::Half.name(Period::Half.first_day(december)), "2026-H2");
        assert_eq!(Period::Quarter.name(Period::Quarter.first_day(december)), "2026-Q4");
        for (period, bad) in
            [(Period::Quarter, "2026-Q5"), (Period::Week, "2026-W54"), (Period::Month, "2026-1"), (Period::Year, "x")]
        {
            assert_eq!(period.parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_in_utc_8() {
        let last_of_the_old_day = Minute(16 * 60 - 1);
        assert_eq!((day_of(last_of_the_old_day), day_of(Minute(16 * 60))), (0, 1));
    }
}
