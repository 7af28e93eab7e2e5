//! A question as it is asked of the API, checked before anything is counted.

use protocol::division::DivisionCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::words;
use crate::api::extract::field;
use crate::api::problem::Problem;
use crate::api::stamp;
use crate::api::state::ApiState;
use crate::oversight::{DIMENSIONS_MAX, Dimension, Filter, Keys, Measure, OCCUPANCY_DAYS_MAX, Period, Question};

/// All days that the calendar type knows.
pub(crate) const ALL_DAYS: (i32, i32) = (-25_567, 84_005);

/// What is asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FigureQuery {
    /// Id of the measure, `reported` without one; `figures/definitions` has them all.
    measure: Option<String>,
    /// How it is cut, at most two of these with a comma between: `level`, `peak`, `category`, `class`, `judicial`, `place`
    /// (one level below the area), `county`, `township`, `community`, `grid`, `owner`, `grid_kind`, `source`, `matter`,
    /// `unit`, `step`, `outcome`, `channel`, `people`, `day`, `week`, `month`, `quarter`, `half`, `year`.
    by: Option<String>,
    /// Division code; without it everything here and below.
    within: Option<String>,
    /// First day of the period in UTC+8, YYYY-MM-DD.
    from: Option<String>,
    /// Last day of the period in UTC+8, YYYY-MM-DD.
    to: Option<String>,
    /// Only this level at the end of the period, or now while it lasts: `orange`, `red`, `yellow`, `none`.
    level: Option<String>,
    /// Only this highest level by then.
    peak: Option<String>,
    /// Only this category, four digits.
    category: Option<String>,
    /// Only this class of categories, two digits.
    class: Option<String>,
    /// Only this kind of grid: `responsibility`, `basic`, `dedicated`.
    grid_kind: Option<String>,
    /// Only this source: `window`, `grid`, `visit`, `hotline12345`, `police110`, `legal12348`, `petition`, `superior`,
    /// `department`, `public`.
    source: Option<String>,
    /// Only this matter: `dispute`, `request`, `consultation`.
    matter: Option<String>,
    /// Only this unit, by its code.
    unit: Option<String>,
    /// Only this step: `reported`, `filed`, `assigned`, `in_progress`, `fed_back`, `assessed`, `archived`.
    step: Option<String>,
    /// Only this outcome: `successful`, `unsuccessful`, `other`, `open`.
    outcome: Option<String>,
    /// Only so many people: `0-49`, `50-99`, `100-499`, `500-`.
    people: Option<String>,
    /// Only cases of this owner, by its division.
    owner: Option<String>,
    /// For rows: the line whose cases are wanted, its values as the answer writes them with a comma between.
    line: Option<String>,
    /// For rows of a rate: only the cases that count.
    counted: Option<bool>,
    /// For rows: the key after which to go on.
    after: Option<String>,
    /// For rows: how many, 50 without it, 200 at most.
    limit: Option<u32>,
}

/// A division out of a question; without it this node's own.
pub(super) fn within(state: &ApiState, text: Option<&str>) -> Result<DivisionCode, Problem> {
    text.map_or(Ok(state.config.node.division), |code| field("within", code))
}

/// First and last day out of a question; without them all days.
pub(super) fn days(from: Option<&str>, to: Option<&str>) -> Result<(i32, i32), Problem> {
    let day = |name: &str, text: Option<&str>, default: i32| match text {
        None => Ok(default),
        Some(text) => stamp::parse_day(text)
            .map(protocol::time::CivilDay::number)
            .ok_or_else(|| Problem::malformed(format!("{name} is a day YYYY-MM-DD"))),
    };
    let days = (day("from", from, ALL_DAYS.0)?, day("to", to, ALL_DAYS.1)?);
    if days.0 > days.1 { Err(Problem::malformed("from is later than to")) } else { Ok(days) }
}

impl FigureQuery {
    /// The question, or what is wrong with it.
    pub(super) fn question(&self, state: &ApiState) -> Result<Question, Problem> {
        let measure = match self.measure.as_deref() {
            None => Measure::Reported,
            Some(id) => Measure::of(id).ok_or_else(|| Problem::malformed(format!("there is no measure {id:?}")))?,
        };
        let within = within(state, self.within.as_deref())?;
        let question = Question {
            measure,
            by: self.dimensions(within)?,
            within,
            days: days(self.from.as_deref(), self.to.as_deref())?,
            filter: self.filter()?,
            today: protocol::time::CivilDay::of(state.clock.wall()).number(),
            judicial: state.judicial(),
            places: state.in_force().places.clone(),
        };
        if measure == Measure::Occupancy {
            daily(&question)?;
        }
        Ok(question)
    }

    fn dimensions(&self, within: DivisionCode) -> Result<Vec<Dimension>, Problem> {
        let words: Vec<&str> = self.by.as_deref().map(|by| by.split(',').collect()).unwrap_or_default();
        if words.len() > DIMENSIONS_MAX {
            return Err(Problem::malformed(format!("by takes at most {DIMENSIONS_MAX} words")));
        }
        let mut dimensions = Vec::new();
        for word in words {
            let dimension =
                words::dimension(word, within).ok_or_else(|| Problem::malformed(format!("by cannot be {word:?}")))?;
            if dimensions.contains(&dimension) {
                return Err(Problem::malformed(format!("by names {word:?} twice")));
            }
            dimensions.push(dimension);
        }
        Ok(dimensions)
    }

    fn filter(&self) -> Result<Filter, Problem> {
        let value = |dimension, name: &str, text: &Option<String>| words::filter(dimension, name, text.as_deref());
        let small = |value: Option<u64>| value.map(|value| u8::try_from(value).unwrap_or(u8::MAX));
        let code = |value: Option<u64>| value.map(|value| u16::try_from(value).unwrap_or(u16::MAX));
        Ok(Filter {
            level: small(value(Dimension::Level, "level", &self.level)?),
            peak: small(value(Dimension::Peak, "peak", &self.peak)?),
            category: code(value(Dimension::Category, "category", &self.category)?),
            class: code(value(Dimension::Class, "class", &self.class)?),
            grid_kind: small(value(Dimension::GridKind, "grid_kind", &self.grid_kind)?),
            source: small(value(Dimension::Source, "source", &self.source)?),
            matter: small(value(Dimension::Matter, "matter", &self.matter)?),
            unit: code(value(Dimension::Unit, "unit", &self.unit)?),
            step: small(value(Dimension::Step, "step", &self.step)?),
            outcome: small(value(Dimension::Outcome, "outcome", &self.outcome)?),
            people: value(Dimension::People, "people", &self.people)?,
            owner: value(Dimension::Owner, "owner", &self.owner)?,
        })
    }

    /// The words of `by`, as they were given.
    pub(super) fn by_words(&self) -> Vec<String> {
        self.by.as_deref().map(|by| by.split(',').map(str::to_owned).collect()).unwrap_or_default()
    }

    /// Refuses what only rows may say.
    pub(super) fn no_rows(&self) -> Result<(), Problem> {
        let rows = self.line.is_some() || self.counted.is_some() || self.after.is_some() || self.limit.is_some();
        if rows { Err(Problem::malformed("line, counted, after and limit belong to figures/rows")) } else { Ok(()) }
    }

    /// The line whose cases are wanted.
    pub(super) fn line(&self, question: &Question) -> Result<Option<Keys>, Problem> {
        let Some(text) = self.line.as_deref() else { return Ok(None) };
        let dimensions = line_dimensions(question);
        let words: Vec<&str> = text.split(',').collect();
        if words.len() != dimensions.len() {
            return Err(Problem::malformed("line has as many values as the lines of the answer"));
        }
        let mut keys = [0; 2];
        for ((key, dimension), word) in keys.iter_mut().zip(&dimensions).zip(words) {
            *key =
                words::key(*dimension, word).ok_or_else(|| Problem::malformed(format!("line cannot hold {word:?}")))?;
        }
        Ok(Some(keys))
    }

    /// Which of the rows of a line: only those that count, those behind a key, so many.
    pub(super) fn page(&self) -> Result<(bool, Option<protocol::id::CaseKey>, usize), Problem> {
        const ROWS: u32 = 50;
        const ROWS_MAX: u32 = 200;
        let limit = self.limit.unwrap_or(ROWS);
        if limit == 0 || limit > ROWS_MAX {
            return Err(Problem::malformed(format!("limit is a number from 1 to {ROWS_MAX}")));
        }
        let after = self.after.as_deref().map(|key| field("after", key)).transpose()?;
        Ok((self.counted.unwrap_or(false), after, usize::try_from(limit).unwrap_or(1)))
    }
}

/// The dimensions by which the lines of an answer are cut: an occupancy is always by day first.
pub(super) fn line_dimensions(question: &Question) -> Vec<Dimension> {
    if question.measure != Measure::Occupancy {
        return question.by.clone();
    }
    let day = Dimension::Time(Period::Day);
    [day].into_iter().chain(question.by.iter().copied().filter(|dimension| *dimension != day)).collect()
}

/// What an occupancy needs beside.
fn daily(question: &Question) -> Result<(), Problem> {
    let days = question.days.1.saturating_sub(question.days.0);
    if days >= OCCUPANCY_DAYS_MAX {
        return Err(Problem::malformed(format!(
            "occupancy needs from and to, at most {OCCUPANCY_DAYS_MAX} days apart"
        )));
    }
    let day = Dimension::Time(Period::Day);
    let other_time = question.by.iter().any(|d| matches!(d, Dimension::Time(_)) && *d != day);
    if other_time || line_dimensions(question).len() > DIMENSIONS_MAX {
        return Err(Problem::malformed("occupancy is by day, and by one thing more that is no period"));
    }
    Ok(())
}
