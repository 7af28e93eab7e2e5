//! What a warning level asks to be done at once (固定动作): a table that is published, and how far a case has come with it.

use protocol::bounded::Text;
use protocol::event::Step;
use protocol::grading::Known;
use protocol::time::Minute;
use protocol::warning::Warning;
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::content::{Content, FieldTrouble, required};

/// Measures of a table at most.
const MEASURES_MAX: usize = 50;
/// Minutes within which, or after which again, one is to be taken: a month.
const MINUTES_MAX: u32 = 31 * 24 * 60;

/// A measure (固定动作).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Its number; never used for another.
    pub code: u16,
    /// What it is called.
    pub name: Text<40>,
    /// The same in English.
    pub name_en: Text<80>,
    /// The levels that ask for it.
    pub levels: Vec<Warning>,
    /// Only where violence threatens.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub violence: bool,
    /// The case is not settled before it is noted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must: bool,
    /// Minutes from the level within which it is to be taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_minutes: Option<u32>,
    /// Minutes after which it is to be taken again, as long as the level stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_minutes: Option<u32>,
    /// It says that somebody has answered; as long as nobody has, the duty list is climbed by one every so many minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub climb_minutes: Option<u32>,
    /// What is to be written down.
    #[serde(default)]
    pub hint: Text<120>,
    /// The same in English.
    #[serde(default)]
    pub hint_en: Text<200>,
    /// The article that asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law: Option<Text<120>>,
    /// The same in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law_en: Option<Text<120>>,
}

/// A table as it is published.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasureTable {
    schema: u16,
    measures: Vec<Measure>,
}

/// The table that ships with the program.
pub(crate) const BUILT_IN: &str = include_str!("../../data/measures.json");

/// Which place of a duty list is called now, from 0, for what was due so many minutes ago: the last one stays.
pub fn called(late_minutes: u32, climb_minutes: u32, people: usize) -> Option<usize> {
    let climbed = usize::try_from(late_minutes.checked_div(climb_minutes)?).ok()?;
    people.checked_sub(1).map(|last| climbed.min(last))
}

/// How far a case has come with a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'t> {
    /// The measure.
    pub measure: &'t Measure,
    /// When it was last taken since the level stands.
    pub taken: Option<Minute>,
    /// When it is to be taken; none: nothing waits for it.
    pub due: Option<Minute>,
}

impl Measure {
    fn asked_by(&self, case: &Case) -> bool {
        let level = case.level().is_some_and(|level| self.levels.contains(&level));
        level && (!self.violence || case.brief.grading.answers.violence == Known::Yes)
    }

    /// Since when the case has had a level that asks for it, without a break.
    fn since(&self, case: &Case) -> Option<Minute> {
        let asks = |level: Option<Warning>| level.is_some_and(|level| self.levels.contains(&level));
        let changes = case.level_changes.iter().rev();
        changes.take_while(|change| asks(change.level)).last().map(|change| change.at)
    }

    fn due(&self, since: Minute, taken: Option<Minute>) -> Option<Minute> {
        let after = |from: Minute, minutes: u32| Minute(from.0.saturating_add(minutes));
        match (self.every_minutes, taken) {
            (Some(every), last) => Some(after(last.unwrap_or(since), every)),
            (None, Some(_)) => None,
            (None, None) => self.within_minutes.map(|within| after(since, within)),
        }
    }
}

impl MeasureTable {
    /// The measure of a number.
    pub fn get(&self, code: u16) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.code == code)
    }

    /// What the level of a case asks for, as far as it is handled still, and how far that has come.
    pub fn of<'t>(&'t self, case: &'t Case) -> impl Iterator<Item = Standing<'t>> {
        let open = case.brief.outcome.is_none() && !case.brief.void && case.brief.step != Step::Archived;
        let asked = self.measures.iter().filter(move |measure| open && measure.asked_by(case));
        asked.filter_map(|measure| {
            let since = measure.since(case)?;
            let of_it = case.measures.iter().filter(|(code, at)| *code == measure.code && *at >= since);
            let taken = of_it.map(|(_, at)| *at).max();
            Some(Standing { measure, taken, due: measure.due(since, taken) })
        })
    }

    /// The measures by which somebody answers, with the minutes after which the next one of the duty list is called.
    pub fn answers(&self) -> impl Iterator<Item = (&Measure, u32)> {
        self.measures.iter().filter_map(|measure| Some((measure, measure.climb_minutes?)))
    }

    /// Whether the case may be settled: all that must be noted has been, whenever it was.
    pub(crate) fn settles(&self, case: &Case) -> bool {
        let noted = |measure: &Measure| case.measures.iter().any(|(code, _)| *code == measure.code);
        self.measures.iter().all(|measure| !measure.must || !measure.asked_by(case) || noted(measure))
    }
}

impl Content for MeasureTable {
    fn check(&self, found: &mut Vec<FieldTrouble>) {
        if self.measures.len() > MEASURES_MAX {
            let (en, zh) = (format!("more than {MEASURES_MAX} measures"), format!("固定动作超过 {MEASURES_MAX} 项"));
            found.push(FieldTrouble::new("measures", en, zh));
        }
        for (index, measure) in self.measures.iter().enumerate() {
            let at = |field: &str| format!("measures[{index}].{field}");
            required(|| at("name"), &measure.name, found);
            if self.measures.iter().take(index).any(|before| before.code == measure.code) {
                found.push(FieldTrouble::new(at("code"), "the number is used twice", "编号重复"));
            }
            if measure.levels.is_empty() {
                found.push(FieldTrouble::new(at("levels"), "no level asks for it", "未设置预警等级"));
            }
            let spans = [
                ("within_minutes", measure.within_minutes),
                ("every_minutes", measure.every_minutes),
                ("climb_minutes", measure.climb_minutes),
            ];
            for (field, minutes) in spans {
                if minutes.is_some_and(|minutes| !(1..=MINUTES_MAX).contains(&minutes)) {
                    let (en, zh) = (format!("1 to {MINUTES_MAX} minutes"), format!("应为 1 至 {MINUTES_MAX} 分钟"));
                    found.push(FieldTrouble::new(at(field), en, zh));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Trouble;

    fn with(from: &str, to: &str) -> Vec<String> {
        assert!(BUILT_IN.contains(from), "{from}");
        match MeasureTable::read(BUILT_IN.replacen(from, to, 1).as_bytes()) {
            Err(Trouble::Fields(fields)) => fields.into_iter().map(|field| field.path).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_ships_asks_for_the_police_where_violence_threatens_and_names_the_article() {
        let table = MeasureTable::read(BUILT_IN.as_bytes()).unwrap();
        let police: Vec<_> = table.measures.iter().filter(|measure| measure.must).collect();
        assert_eq!(police.len(), 1);
        assert!(police[0].violence && police[0].law.as_ref().is_some_and(|law| law.contains('条')));
    }

    #[test]
    fn a_duty_list_is_climbed_one_by_one_and_its_last_is_called_until_somebody_answers() {
        let places: Vec<_> = [0, 14, 15, 44, 45, 9_000].map(|late| called(late, 15, 3)).to_vec();
        assert_eq!(places, [Some(0), Some(0), Some(1), Some(2), Some(2), Some(2)]);
        assert_eq!((called(30, 15, 0), called(30, 0, 3)), (None, None));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_name() {
        assert_eq!(with(r#""climb_minutes": 15"#, r#""climb_minutes": 0"#), ["measures[0].climb_minutes"]);
        assert_eq!(with(r#""code": 2"#, r#""code": 1"#), ["measures[1].code"]);
        assert_eq!(with(r#""levels": ["red", "orange"]"#, r#""levels": []"#), ["measures[0].levels"]);
        assert_eq!(with(r#""within_minutes": 30"#, r#""within_minutes": 0"#), ["measures[0].within_minutes"]);
        assert_eq!(with(r#""every_minutes": 60"#, r#""every_minutes": 44641"#), ["measures[4].every_minutes"]);
        assert_eq!(with("先期响应", " "), ["measures[0].name"]);
        let one = |code: usize| format!(r#"{{"code":{code},"name":"a","name_en":"b","levels":["red"]}}"#);
        let many: Vec<_> = (0..=MEASURES_MAX).map(one).collect();
        let many = format!(r#"{{"schema":1,"measures":[{}]}}"#, many.join(","));
        assert!(
            matches!(MeasureTable::read(many.as_bytes()), Err(Trouble::Fields(fields)) if fields[0].path == "measures")
        );
    }
}
