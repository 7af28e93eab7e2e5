//! What the level of a case asks for at once, and who stands for it.

use casework::measures::Standing;
use casework::{Case, Known};
use protocol::time::{Minute, UnixMillis};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::stamp;
use crate::api::state::ApiState;

/// Who stands for a case.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SponsorView {
    /// Name.
    pub name: String,
    /// Office.
    pub office: String,
}

/// A measure that the level of a case asks for.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MeasureView {
    /// Its number.
    pub measure: u16,
    /// What it is called.
    pub name: String,
    /// The same in English.
    pub name_en: String,
    /// What is to be written down.
    pub hint: String,
    /// The same in English.
    pub hint_en: String,
    /// The article that asks for it.
    pub law: Option<String>,
    /// The same in English.
    pub law_en: Option<String>,
    /// The case is not settled before it is noted.
    pub must: bool,
    /// Minutes after which it is to be taken again.
    pub every_minutes: Option<u32>,
    /// When it was last taken.
    pub taken: Option<String>,
    /// When it is to be taken; absent: nothing waits for it.
    pub due: Option<String>,
    /// That moment has passed.
    pub overdue: bool,
}

pub(super) fn sponsor(case: &Case) -> Option<SponsorView> {
    let sponsor = case.sponsor.as_deref()?;
    Some(SponsorView { name: sponsor.name.to_string(), office: sponsor.office.to_string() })
}

pub(super) fn of(state: &ApiState, known: &Known) -> Vec<MeasureView> {
    let now = state.clock.reading().minute();
    let held = state.in_force();
    known.case().into_iter().flat_map(|case| held.measures.of(case)).map(|standing| view(standing, now)).collect()
}

fn view(Standing { measure, taken, due }: Standing<'_>, now: Minute) -> MeasureView {
    MeasureView {
        measure: measure.code,
        name: measure.name.to_string(),
        name_en: measure.name_en.to_string(),
        hint: measure.hint.to_string(),
        hint_en: measure.hint_en.to_string(),
        law: measure.law.as_ref().map(ToString::to_string),
        law_en: measure.law_en.as_ref().map(ToString::to_string),
        must: measure.must,
        every_minutes: measure.every_minutes,
        taken: taken.map(moment),
        due: due.map(moment),
        overdue: due.is_some_and(|due| due < now),
    }
}

fn moment(at: Minute) -> String {
    stamp::rfc3339(UnixMillis(i64::from(at.0).saturating_mul(60_000)))
}
