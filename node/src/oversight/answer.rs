//! One walk over all rows answers a question: counts, rates, exact medians, and how many were in hand on each day.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use protocol::division::{DivisionCode, Level};
use protocol::id::CaseKey;
use protocol::moving::Moves;

use super::calendar::Period;
use super::question::{Dimension, Kind, Measure, Question, band};
use super::table::{NEVER, Row, Table};

/// Days of an occupancy at most: ten years.
pub const OCCUPANCY_DAYS_MAX: i32 = 3_660;

/// The values by which a line is cut, in the order of the question's dimensions.
pub type Keys = [u64; 2];

/// One figure with what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figure {
    /// In tenths: a count times ten, per cent or minutes with one decimal. None where there is nothing to say it of.
    pub tenths: Option<u64>,
    /// Of a rate what counts; else the figure itself.
    pub numerator: u64,
    /// The cases that it was made over.
    pub denominator: u64,
}

/// The lines of an answer and its total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Over everything that the question takes in. Of an occupancy: at the end of the period.
    pub total: Figure,
    /// By key, ascending.
    pub lines: Vec<(Keys, Figure)>,
}

/// The inside of a division as ranges of place numbers: one, as long as nothing has moved.
struct Area(Vec<(u64, u64)>);

impl Area {
    fn of(question: &Question) -> Self {
        Self(question.places.ranges(question.within))
    }

    fn holds(&self, place: u64) -> bool {
        self.0.iter().any(|(from, to)| (*from..*to).contains(&place))
    }
}

/// A place, cut down to a level: the number of the division of that level, or of the nearest above that it has. What has
/// moved is cut as it lies now, on past days too: as with its owner, the latest holds.
pub(crate) fn cut_place(places: &Moves, place: u64, level: Level) -> u64 {
    match DivisionCode::from_number(place) {
        Ok(code) if !places.is_empty() => places.cut(code, level).number(),
        _ => place - place % level.span(),
    }
}

fn period_key(period: Period, day: i32) -> u64 {
    u64::try_from(period.first_day(day)).unwrap_or(0)
}

impl Dimension {
    fn key(self, row: &Row, day: i32, question: &Question) -> u64 {
        match self {
            Self::Level => row.level.into(),
            Self::Peak => row.peak.into(),
            Self::Category => row.category.into(),
            Self::Class => (row.category / 100).into(),
            Self::Judicial => question.judicial.get(&row.category).copied().unwrap_or(0).into(),
            Self::Place(level) => cut_place(&question.places, row.place, level),
            Self::Owner => row.owner,
            Self::GridKind => row.grid_kind.into(),
            Self::Source => row.source.into(),
            Self::Matter => row.matter.into(),
            Self::Unit => row.unit.into(),
            Self::Step => row.step.into(),
            Self::Outcome => row.outcome.into(),
            Self::Channel => row.channel.into(),
            Self::People => band(row.head_count),
            Self::Time(period) => period_key(period, day),
        }
    }
}

/// What is gathered of one line.
#[derive(Debug, Default)]
struct Gathered {
    sum: u64,
    cases: u64,
    minutes: Vec<u32>,
}

impl Gathered {
    fn take(&mut self, amount: u64, kind: Kind) {
        self.cases += 1;
        match kind {
            Kind::Median => self.minutes.push(u32::try_from(amount).unwrap_or(u32::MAX)),
            _ => self.sum = self.sum.saturating_add(amount),
        }
    }

    fn figure(mut self, kind: Kind) -> Figure {
        let (sum, cases) = (self.sum, self.cases);
        match kind {
            Kind::Count | Kind::Daily => Figure { tenths: sum.checked_mul(10), numerator: sum, denominator: cases },
            Kind::Rate => Figure { tenths: rate(sum, cases), numerator: sum, denominator: cases },
            Kind::Median => {
                let tenths = median_tenths(&mut self.minutes);
                Figure { tenths, numerator: tenths.unwrap_or(0) / 10, denominator: cases }
            }
        }
    }
}

/// Per cent in tenths, cut off: 99.96 % is not 100.0 %.
fn rate(numerator: u64, denominator: u64) -> Option<u64> {
    u64::try_from(u128::from(numerator) * 1_000 / u128::from(denominator.max(1))).ok().filter(|_| denominator > 0)
}

/// The median in tenths: exactly the middle value, or half-way between the two in the middle.
fn median_tenths(minutes: &mut [u32]) -> Option<u64> {
    let middle = minutes.len() / 2;
    let even = minutes.len().is_multiple_of(2);
    if minutes.is_empty() {
        return None;
    }
    let (below, upper, _) = minutes.select_nth_unstable(middle);
    let upper = u64::from(*upper);
    let lower = if even { below.iter().max().copied().map_or(upper, u64::from) } else { upper };
    Some((lower + upper) * 5)
}

/// The rows that a question takes in, with the day on which each counts and what it adds.
fn shares<'q>(question: &'q Question) -> impl Fn(&Row) -> Option<(i32, u64)> + 'q {
    let area = Area::of(question);
    move |row| {
        if row.void || !area.holds(row.place) || !question.filter.lets(row) {
            return None;
        }
        let share = question.measure.share(row, question)?;
        let day = Row::day(share.at)?;
        (day >= question.days.0 && day <= question.days.1).then_some((day, share.amount))
    }
}

fn keys(question: &Question, row: &Row, day: i32) -> Keys {
    let mut keys = [0; 2];
    for (key, dimension) in keys.iter_mut().zip(&question.by) {
        *key = dimension.key(row, day, question);
    }
    keys
}

/// The day at whose end cases are looked at, when that is not now: a figure of a past month stays as it was.
fn past_day(question: &Question) -> Option<i32> {
    Some(question.days.1).filter(|last| *last < question.today)
}

/// Answers a question.
pub(super) fn answer(table: &Table, question: &Question) -> Answer {
    if question.measure == Measure::Occupancy {
        return occupancy(table, question);
    }
    let kind = question.measure.definition().kind;
    let (share, past) = (shares(question), past_day(question));
    let mut total = Gathered::default();
    let mut lines: HashMap<Keys, Gathered, BuildHasherDefault<Mix>> = HashMap::default();
    let (mut periods, periodic) = (Periods::default(), question.by.iter().any(|d| matches!(d, Dimension::Time(_))));
    for (at, row) in table.rows().iter().enumerate() {
        let stood = past.map_or(Cow::Borrowed(row), |day| table.on(at, row, day));
        let row = &*stood;
        let Some((day, amount)) = share(row) else { continue };
        total.take(amount, kind);
        if !question.by.is_empty() {
            let keys = if periodic { periods.keys(question, row, day) } else { keys(question, row, day) };
            lines.entry(keys).or_default().take(amount, kind);
        }
    }
    let mut lines: Vec<_> = lines.into_iter().map(|(keys, gathered)| (keys, gathered.figure(kind))).collect();
    lines.sort_unstable_by_key(|(keys, _)| *keys);
    Answer { total: total.figure(kind), lines }
}

/// Periods of days that were worked out already: the calendar is asked once a day and not once a row.
#[derive(Default)]
struct Periods {
    known: HashMap<i32, Keys, BuildHasherDefault<Mix>>,
}

impl Periods {
    fn keys(&mut self, question: &Question, row: &Row, day: i32) -> Keys {
        let mut all = [0; 2];
        let periods = self.known.entry(day).or_insert_with(|| {
            let mut keys = [0; 2];
            for (key, dimension) in keys.iter_mut().zip(&question.by) {
                if let Dimension::Time(period) = dimension {
                    *key = period_key(*period, day);
                }
            }
            keys
        });
        for ((key, period), dimension) in all.iter_mut().zip(periods).zip(&question.by) {
            *key = if matches!(dimension, Dimension::Time(_)) { *period } else { dimension.key(row, day, question) };
        }
        all
    }
}

/// By what each day of an occupancy is cut.
fn day_cut(question: &Question) -> Option<Dimension> {
    question.by.iter().copied().find(|dimension| !matches!(dimension, Dimension::Time(_)))
}

/// Cases in hand at the end of each day: those that came, less those that went, added up over the days. The first
/// dimension is the day, a second one cuts each day.
fn occupancy(table: &Table, question: &Question) -> Answer {
    let (first, last) = question.days;
    let days = usize::try_from(last.saturating_sub(first)).unwrap_or(0) + 1;
    let area = Area::of(question);
    let cut = day_cut(question);
    let mut changes: HashMap<u64, Vec<i64>, BuildHasherDefault<Mix>> = HashMap::default();
    for (at, row) in table.rows().iter().enumerate() {
        if row.void || !area.holds(row.place) {
            continue;
        }
        let (came, went) = (Row::day(row.registered), Row::day(row.archived).unwrap_or(i32::MAX));
        let Some(came) = came.filter(|came| *came <= last && went > first.max(*came)) else { continue };
        table.spans(at, row, |since, until, stood| {
            let (came, went) = (came.max(since), went.min(until));
            if came > last || went <= first.max(came) || !question.filter.lets(stood) {
                return;
            }
            let key = cut.map_or(0, |dimension| dimension.key(stood, came, question));
            let line = changes.entry(key).or_insert_with(|| vec![0; days + 1]);
            let place = |day: i32| usize::try_from(day.saturating_sub(first).max(0)).unwrap_or(0).min(days);
            if let Some(day) = line.get_mut(place(came)) {
                *day += 1;
            }
            if let Some(day) = line.get_mut(place(went)) {
                *day -= 1;
            }
        });
    }
    let mut lines = Vec::new();
    let mut total = 0;
    let figure = |count: i64| {
        let count = u64::try_from(count).unwrap_or(0);
        Figure { tenths: count.checked_mul(10), numerator: count, denominator: count }
    };
    if changes.is_empty() && cut.is_none() {
        changes.insert(0, vec![0; days + 1]);
    }
    for (key, line) in changes {
        let mut held = 0;
        for (day, change) in (first..=last).zip(line) {
            held += change;
            lines.push(([period_key(Period::Day, day), key], figure(held)));
        }
        total += held;
    }
    lines.sort_unstable_by_key(|(keys, _)| *keys);
    Answer { total: figure(total), lines }
}

/// Keys of the cases behind a line of an answer, ascending, those behind `after`.
pub(super) fn behind(
    table: &Table,
    question: &Question,
    line: Option<Keys>,
    counted: bool,
    after: Option<CaseKey>,
    count: usize,
) -> Vec<CaseKey> {
    let share = shares(question);
    let held = |row: &Row, day: i32| {
        Row::day(row.registered).is_some_and(|came| came <= day)
            && (row.archived == NEVER || Row::day(row.archived).is_some_and(|went| went > day))
    };
    let area = Area::of(question);
    let daily = question.measure == Measure::Occupancy;
    let keys_of = |row: &Row, day: i32| {
        if daily {
            [period_key(Period::Day, day), day_cut(question).map_or(0, |d| d.key(row, day, question))]
        } else {
            keys(question, row, day)
        }
    };
    // The day at whose end the cases in hand are looked at: the line's, or the last of the period.
    let shown = line.filter(|_| daily).and_then(|line| i32::try_from(line[0]).ok());
    let past = if daily { Some(shown.unwrap_or(question.days.1)) } else { past_day(question) };
    let taken = |row: &Row| -> Option<(i32, u64)> {
        let Some(day) = past.filter(|_| daily) else { return share(row) };
        let inside = !row.void && area.holds(row.place) && question.filter.lets(row);
        (inside && held(row, day)).then_some((day, 1))
    };
    let wanted = |at: usize, row: &Row| {
        let row = past.map_or(Cow::Borrowed(row), |day| table.on(at, row, day));
        taken(&row)
            .is_some_and(|(day, amount)| (!counted || amount > 0) && line.is_none_or(|line| keys_of(&row, day) == line))
    };
    let mut found: Vec<CaseKey> = table
        .keyed()
        .enumerate()
        .filter(|(at, (key, row))| after.is_none_or(|after| *key > after) && wanted(*at, row))
        .map(|(_, (key, _))| key)
        .collect();
    if found.len() > count {
        found.select_nth_unstable(count);
        found.truncate(count);
    }
    found.sort_unstable();
    found
}

/// A hasher for keys that are small numbers already: one multiplication a word.
#[derive(Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_i32(&mut self, word: i32) {
        self.write_u64(u64::from(word.unsigned_abs()));
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
