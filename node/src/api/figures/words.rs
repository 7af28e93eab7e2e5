//! How the dimensions of a figure are written: in questions, and in the lines of answers.

use protocol::division::{DivisionCode, GridKind, Level};
use protocol::event::{Category, Matter, Outcome, Source, Step};
use protocol::unit::UnitCode;
use protocol::warning::Warning;
use serde::Serialize;

use crate::api::cases::pieces::word;
use crate::api::problem::Problem;
use crate::api::state::ApiState;
use crate::oversight::{Dimension, Period};

/// Bands of the head count, as they are written.
const BANDS: [&str; 4] = ["0-49", "50-99", "100-499", "500-"];
/// A case without a level, without an outcome.
const NONE: &str = "none";
const OPEN: &str = "open";

/// The place of a word in a list of unit variants.
fn place_of<T: Serialize>(all: &[T], text: &str) -> Option<u64> {
    all.iter().position(|value| word(value) == text).and_then(|at| u64::try_from(at).ok())
}

fn word_at<T: Serialize>(all: &[T], key: u64) -> String {
    usize::try_from(key).ok().and_then(|at| all.get(at)).map(word).unwrap_or_else(|| key.to_string())
}

/// Name of a rank as the API writes it.
pub(crate) fn level_name(rank: u8) -> String {
    Warning::from_rank(rank).map_or_else(|| NONE.to_owned(), |level| level.to_string())
}

/// The dimension of a word; `place` is cut one level below the area.
pub(super) fn dimension(text: &str, within: DivisionCode) -> Option<Dimension> {
    Some(match text {
        "level" => Dimension::Level,
        "peak" => Dimension::Peak,
        "category" => Dimension::Category,
        "class" => Dimension::Class,
        "judicial" => Dimension::Judicial,
        "place" => Dimension::Place(below(within.level())),
        "county" => Dimension::Place(Level::County),
        "township" => Dimension::Place(Level::Township),
        "community" => Dimension::Place(Level::Community),
        "grid" => Dimension::Place(Level::Grid),
        "owner" => Dimension::Owner,
        "grid_kind" => Dimension::GridKind,
        "source" => Dimension::Source,
        "matter" => Dimension::Matter,
        "unit" => Dimension::Unit,
        "step" => Dimension::Step,
        "outcome" => Dimension::Outcome,
        "channel" => Dimension::Channel,
        "people" => Dimension::People,
        "day" => Dimension::Time(Period::Day),
        "week" => Dimension::Time(Period::Week),
        "month" => Dimension::Time(Period::Month),
        "quarter" => Dimension::Time(Period::Quarter),
        "half" => Dimension::Time(Period::Half),
        "year" => Dimension::Time(Period::Year),
        _ => return None,
    })
}

fn below(level: Level) -> Level {
    match level {
        Level::Province => Level::City,
        Level::City => Level::County,
        Level::County => Level::Township,
        Level::Township => Level::Community,
        Level::Community | Level::Grid => Level::Grid,
    }
}

/// A value of a dimension from how it is written.
pub(super) fn key(dimension: Dimension, text: &str) -> Option<u64> {
    let number = || text.parse::<u64>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    match dimension {
        Dimension::Level | Dimension::Peak => (0..=u8::MAX).find(|rank| level_name(*rank) == text).map(u64::from),
        Dimension::Category => number().filter(|_| text.len() == 4),
        Dimension::Class => number().filter(|_| text.len() == 2),
        Dimension::Judicial | Dimension::Unit | Dimension::Channel => number().filter(|n| *n <= u64::from(u16::MAX)),
        Dimension::Place(_) | Dimension::Owner => text.parse::<DivisionCode>().ok().map(DivisionCode::number),
        Dimension::GridKind => place_of(&GridKind::ALL, text),
        Dimension::Source => place_of(&Source::ALL, text),
        Dimension::Matter => place_of(&Matter::ALL, text),
        Dimension::Step => place_of(&Step::ALL, text),
        Dimension::Outcome if text == OPEN => Some(0),
        Dimension::Outcome => place_of(&Outcome::ALL, text).map(|at| at + 1),
        Dimension::People => BANDS.iter().position(|band| *band == text).and_then(|at| u64::try_from(at).ok()),
        Dimension::Time(period) => period.parse(text).and_then(|day| u64::try_from(day).ok()),
    }
}

/// How a value of a dimension is written, and its name for people where the word alone does not say it.
pub(super) fn value(state: &ApiState, dimension: Dimension, key: u64) -> (String, Option<String>) {
    let small = u16::try_from(key).unwrap_or(u16::MAX);
    match dimension {
        Dimension::Level | Dimension::Peak => (level_name(u8::try_from(key).unwrap_or(0)), None),
        Dimension::Category => {
            (Category(small).to_string(), Some(state.in_force().categories.name(Category(small), true)))
        }
        Dimension::Class => {
            (format!("{key:02}"), Some(state.in_force().categories.name(Category(small.saturating_mul(100)), true)))
        }
        Dimension::Judicial => (key.to_string(), state.judicial_name(small)),
        Dimension::Unit => {
            (key.to_string(), Some(state.in_force().units.name(UnitCode(small), true)).filter(|name| !name.is_empty()))
        }
        Dimension::Channel => (key.to_string(), None),
        Dimension::Place(_) | Dimension::Owner => match DivisionCode::from_number(key) {
            Ok(code) => (code.to_string(), Some(state.division_name(code))),
            Err(_) => (key.to_string(), None),
        },
        Dimension::GridKind => (word_at(&GridKind::ALL, key), None),
        Dimension::Source => (word_at(&Source::ALL, key), None),
        Dimension::Matter => (word_at(&Matter::ALL, key), None),
        Dimension::Step => (word_at(&Step::ALL, key), None),
        Dimension::Outcome => match key.checked_sub(1) {
            Some(at) => (word_at(&Outcome::ALL, at), None),
            None => (OPEN.to_owned(), None),
        },
        Dimension::People => {
            let band = usize::try_from(key).ok().and_then(|at| BANDS.get(at)).copied();
            (band.unwrap_or_default().to_owned(), None)
        }
        Dimension::Time(period) => (period.name(i32::try_from(key).unwrap_or(0)), None),
    }
}

/// A filter's value; what it may be is in the description of the parameter.
pub(super) fn filter(dimension: Dimension, name: &str, text: Option<&str>) -> Result<Option<u64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    key(dimension, text).map(Some).ok_or_else(|| Problem::malformed(format!("{name} cannot be {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_to_the_number_by_which_rows_are_cut() {
        for (at, source) in Source::ALL.iter().enumerate() {
            assert_eq!(*source as usize, at);
        }
        for (at, step) in Step::ALL.iter().enumerate() {
            assert_eq!(*step as usize, at);
        }
        for (at, kind) in GridKind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, at);
        }
        for (at, matter) in Matter::ALL.iter().enumerate() {
            assert_eq!(*matter as usize, at);
        }
        assert_eq!(key(Dimension::Outcome, "open"), Some(0));
        assert_eq!(key(Dimension::Outcome, "unsuccessful"), Some(2));
        assert_eq!(key(Dimension::Level, "orange"), Some(3));
        assert_eq!(key(Dimension::People, "100-499"), Some(2));
        assert_eq!(key(Dimension::Category, "402"), None);
        assert_eq!(key(Dimension::Category, "0402"), Some(402));
        assert_eq!(key(Dimension::Source, "hair"), None);
    }
}
