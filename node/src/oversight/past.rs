//! How a case stood on a past day, where that is not how it stands now.
//!
//! Most cases keep the level that they came with and meet each term: their row says all. Of the others a row knows only how
//! they are, so what they were lies beside it. A table thus grows by those few and no row gets wider.

use protocol::fact::CaseFact;

use super::calendar::day_of;

/// The level at the end of a day and of those that follow, and the highest by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stood {
    pub(super) from: i32,
    pub(super) level: u8,
    pub(super) peak: u8,
}

/// What one case was.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Past {
    /// By day, ascending; none where the level never changed.
    levels: Box<[Stood]>,
    /// At the end of which days a term had run out that was met later: from the first of each pair until before the second.
    late: Box<[(i32, i32)]>,
}

impl Past {
    /// The past of a case; none where it never stood otherwise than now.
    pub(super) fn of(fact: &CaseFact) -> Option<Self> {
        let (levels, late) = (levels(fact), late(fact));
        (levels.len() > 1 || !late.is_empty())
            .then(|| Self { levels: if levels.len() > 1 { levels.into() } else { Box::default() }, late: late.into() })
    }

    /// The level at the end of a day; none where it never changed.
    pub(super) fn level_on(&self, day: i32) -> Option<Stood> {
        let began = self.levels.partition_point(|stood| stood.from <= day);
        self.levels.get(began.saturating_sub(1)).copied()
    }

    /// Whether at the end of a day a term had run out that was met only later.
    pub(super) fn late_on(&self, day: i32) -> bool {
        self.late.iter().any(|(from, until)| *from <= day && day < *until)
    }

    /// All levels, ascending by day.
    pub(super) fn levels(&self) -> &[Stood] {
        &self.levels
    }

    /// Bytes that it holds, about.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.levels) + size_of_val(&*self.late)
    }
}

/// The last level of each day on which it changed.
fn levels(fact: &CaseFact) -> Vec<Stood> {
    let mut days: Vec<Stood> = Vec::new();
    for change in fact.level_changes.iter() {
        let (from, level) = (day_of(change.at), change.level.map_or(0, |level| level.rank()));
        let peak = days.last().map_or(level, |before| before.peak.max(level));
        match days.last_mut() {
            // Clocks of two owners may differ: the order in the chain holds, and no day comes before the one it follows.
            Some(last) if from <= last.from => *last = Stood { from: last.from, level, peak },
            _ => days.push(Stood { from, level, peak }),
        }
    }
    days
}

/// A term is met by its last day. What was met later was overdue at the end of each day from that one on.
fn late(fact: &CaseFact) -> Vec<(i32, i32)> {
    let spells = fact.open_terms.iter().filter(|term| !term.provisional).filter_map(|term| {
        let met = day_of(fact.term_met(term.kind)?);
        let from = term.day.number().max(day_of(fact.term_began(term.kind)?));
        (from < met).then_some((from, met))
    });
    spells.collect()
}

#[cfg(test)]
mod tests {
    use protocol::event::{Step, TermKind};
    use protocol::fact::{LevelChange, StepReached};
    use protocol::time::Minute;
    use protocol::warning::Warning;

    use super::*;
    use crate::oversight::sample::{MORNING, fact};

    const DAY: i32 = 20_000;

    fn change(days: u32, minute: u32, level: Option<Warning>) -> LevelChange {
        LevelChange { at: Minute(MORNING + days * 24 * 60 + minute), level }
    }

    #[test]
    fn a_case_that_kept_its_level_and_its_terms_has_no_past() {
        assert_eq!(Past::of(&fact(1)), None);
        let mut filed = fact(1);
        filed.steps.push(StepReached { step: Step::Filed, at: Minute(MORNING + 3 * 24 * 60) }).unwrap();
        assert_eq!(Past::of(&filed), None, "filed on the last day of its term");
    }

    #[test]
    fn the_last_level_of_a_day_stands_and_the_peak_is_the_highest_by_then() {
        let mut case = fact(1);
        for change in [
            change(2, 0, Some(Warning::Orange)),
            change(2, 9, Some(Warning::Red)),
            change(5, 0, Some(Warning::Yellow)),
            change(7, 0, None),
        ] {
            case.level_changes.push(change).unwrap();
        }
        let past = Past::of(&case).unwrap();
        let [yellow, red, orange] = [Warning::Yellow, Warning::Red, Warning::Orange].map(Warning::rank);
        for (days, level, peak) in
            [(0, yellow, yellow), (1, yellow, yellow), (2, red, orange), (5, yellow, orange), (9, 0, orange)]
        {
            let stood = past.level_on(DAY + days).unwrap();
            assert_eq!((stood.level, stood.peak), (level, peak), "{days} days after the report");
        }
    }

    #[test]
    fn a_term_met_late_was_overdue_from_the_end_of_its_day_until_it_was_met() {
        let mut case = fact(1);
        assert_eq!(case.open_terms.iter().next().map(|term| term.kind), Some(TermKind::File));
        case.steps.push(StepReached { step: Step::Filed, at: Minute(MORNING + 6 * 24 * 60) }).unwrap();
        let past = Past::of(&case).unwrap();
        let late: Vec<i32> = (0..10).filter(|days| past.late_on(DAY + days)).collect();
        assert_eq!(late, [3, 4, 5]);
    }
}
