//! Times and days as the API writes them: RFC 3339 in UTC+8.

use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat};
use protocol::time::{CivilDay, UnixMillis};

const UTC8_SECONDS: i32 = 8 * 3_600;

fn local(at: UnixMillis) -> Option<DateTime<FixedOffset>> {
    Some(DateTime::from_timestamp_millis(at.0)?.with_timezone(&FixedOffset::east_opt(UTC8_SECONDS)?))
}

/// A time, RFC 3339.
pub fn rfc3339(at: UnixMillis) -> String {
    local(at).map(|t| t.to_rfc3339_opts(SecondsFormat::Millis, false)).unwrap_or_default()
}

/// A time for people, to the second.
pub fn shown(at: UnixMillis) -> String {
    local(at).map(|t| t.format("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

fn epoch() -> NaiveDate {
    DateTime::UNIX_EPOCH.date_naive()
}

/// A day, `YYYY-MM-DD`.
pub fn day(number: i32) -> String {
    epoch().checked_add_signed(chrono::TimeDelta::days(i64::from(number))).map(|d| d.to_string()).unwrap_or_default()
}

/// The moment at which the day in a text begins, or the one so many days later.
pub fn start_of_day(text: &str, later: i32) -> Option<UnixMillis> {
    let day = parse_day(text)?.number().checked_add(later)?;
    Some(UnixMillis(i64::from(day) * 86_400_000 - i64::from(UTC8_SECONDS) * 1_000))
}

/// The day in a text `YYYY-MM-DD`.
pub fn parse_day(text: &str) -> Option<CivilDay> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    CivilDay::from_number(i32::try_from(date.signed_duration_since(epoch()).num_days()).ok()?)
}

/// When a day begins in UTC+8.
pub fn begin(day: CivilDay) -> UnixMillis {
    UnixMillis((i64::from(day.number()) * 86_400 - i64::from(UTC8_SECONDS)) * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_the_citys_own_time() {
        assert_eq!(rfc3339(UnixMillis(0)), "1970-01-01T08:00:00.000+08:00");
        assert_eq!(day(0), "1970-01-01");
        let of_day = parse_day("2026-11-25").expect("a day");
        assert_eq!(rfc3339(begin(of_day)), "2026-11-25T00:00:00.000+08:00");
        assert_eq!(parse_day("1970-01-02").map(CivilDay::number), Some(1));
        assert_eq!(parse_day("2026-02-30"), None);
        let begins = start_of_day("2026-03-01", 1).unwrap();
        assert_eq!(rfc3339(begins), "2026-03-02T00:00:00.000+08:00");
    }
}
