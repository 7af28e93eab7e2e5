//! The duty list (值班表), and whom of it to call now: a red or orange case that nobody answers climbs it until somebody does.

#![expect(unused_qualifications, reason = "utoipa spells the path of query types out")]

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use casework::calendar::Date;
use casework::measures::called;
use protocol::bounded::List;
use protocol::time::{CivilDay, Minute, UnixMillis};
use protocol::warning::Warning;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::extract::{Body, Params};
use super::problem::{Problem, ProblemBody};
use super::stamp;
use super::state::ApiState;
use crate::store::clocks::{DueFilter, DueRow};
use crate::store::duty::{DutyList, OnDuty};
use crate::writer::port::Ask;

/// People of one day.
const PEOPLE_MAX: usize = 8;
/// Days of one answer.
const DAYS_MAX: u16 = 62;
/// Cases that are listed as unanswered.
const CALLS_MAX: u32 = 200;

/// The list of a day.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DutyBody {
    /// Who, first called first, 8 at most: `name`, `phone`, and the log-in name as `user`; nobody takes the list away.
    #[schema(value_type = Vec<Object>)]
    pub people: List<OnDuty, PEOPLE_MAX>,
}

/// Somebody on duty.
#[derive(Debug, Serialize, ToSchema)]
pub struct OnDutyView {
    /// Name.
    pub name: String,
    /// Phone.
    pub phone: String,
    /// Log-in name.
    pub user: Option<String>,
}

/// The list of a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct DutyView {
    /// The day.
    pub day: String,
    /// Who, first called first.
    pub people: Vec<OnDutyView>,
}

/// Which days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DutyQuery {
    /// The first day, `YYYY-MM-DD`; absent: today.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    from: Option<Date>,
    /// How many, 1 to 62; absent: 7.
    days: Option<u16>,
}

/// A case that nobody has answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallView {
    /// The case.
    pub case: String,
    /// `orange` or `red`.
    pub level: String,
    /// What it is about, without names.
    pub summary: String,
    /// By when somebody was to answer.
    pub due: String,
    /// Whose turn it is, from 1; absent: nobody is on the list of today.
    pub place: Option<usize>,
    /// Whom to call.
    pub call: Option<OnDutyView>,
}

impl OnDutyView {
    fn of(one: &OnDuty) -> Self {
        let user = one.user.as_ref().map(ToString::to_string);
        Self { name: one.name.to_string(), phone: one.phone.to_string(), user }
    }
}

fn view(list: &DutyList) -> DutyView {
    DutyView { day: stamp::day(list.day.number()), people: list.people.iter().map(OnDutyView::of).collect() }
}

/// Who is on duty, day by day; days without a list are left out.
#[utoipa::path(get, path = "/api/v1/duty", tag = "duty", params(DutyQuery),
    responses((status = 200, body = Vec<DutyView>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    State(state): State<Arc<ApiState>>,
    _: Caller,
    Params(query): Params<DutyQuery>,
) -> Result<Json<Vec<DutyView>>, Problem> {
    let from = query.from.map_or_else(|| state.clock.reading().day(), |date| date.0);
    let days = query.days.unwrap_or(7).clamp(1, DAYS_MAX);
    Ok(Json(state.store.duty(from, days).await?.iter().map(view).collect()))
}

/// Puts the list of a day in the place of the one before.
#[utoipa::path(put, path = "/api/v1/duty/{day}", tag = "duty", params(("day" = String, Path)), request_body = DutyBody,
    responses((status = 200, body = DutyView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn put(
    State(state): State<Arc<ApiState>>,
    _: Caller,
    Path(day): Path<String>,
    Body(body): Body<DutyBody>,
) -> Result<Json<DutyView>, Problem> {
    let day = Date::try_from(day).map_err(|_| Problem::not_found())?.0;
    if body.people.iter().any(|one| one.name.trim().is_empty() || one.phone.trim().is_empty()) {
        return Err(Problem::field("people", "everybody has a name and a phone", "请填写值班人员姓名和电话"));
    }
    let list = DutyList { day, people: body.people.into_vec() };
    state.port.ask(Ask::Duty(list.clone())).await?;
    Ok(Json(view(&list)))
}

/// Red and orange cases of the caller's scopes that were to be answered by now and are not, and whom of today's list to call for
/// each: the next one after every so many minutes, as the table of measures says, and the last one until somebody answers.
#[utoipa::path(get, path = "/api/v1/duty/calls", tag = "duty",
    responses((status = 200, body = Vec<CallView>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(super) async fn calls(State(state): State<Arc<ApiState>>, caller: Caller) -> Result<Json<Vec<CallView>>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    let now = state.clock.reading().minute();
    let today: CivilDay = now.day();
    let people = state.store.duty(today, 1).await?.pop().map(|list| list.people).unwrap_or_default();
    let kind = Some("measure".to_owned());
    let filter = DueFilter { scopes: caller.scopes(), kind, until: Some(now), count: CALLS_MAX };
    let held = state.in_force();
    let climbs = |number: u16| held.measures.answers().find(|(it, _)| it.code == number).map(|(_, minutes)| minutes);
    let rows = state.store.due(&filter, now).await?.into_iter();
    let calls = rows.filter_map(|row| Some((climbs(row.number)?, row)));
    Ok(Json(calls.map(|(climb, row)| call(row, climb, &people, now)).collect()))
}

fn call(row: DueRow, climb: u32, people: &[OnDuty], now: Minute) -> CallView {
    let place = called(now.0.saturating_sub(row.due.0), climb, people.len());
    CallView {
        case: row.case.to_string(),
        level: Warning::from_rank(row.level).map_or_else(|| "none".to_owned(), |level| level.to_string()),
        summary: row.summary,
        due: stamp::rfc3339(UnixMillis(i64::from(row.due.0) * 60_000)),
        place: place.map(|place| place + 1),
        call: place.and_then(|place| people.get(place)).map(OnDutyView::of),
    }
}

#[cfg(test)]
mod tests {
    use protocol::bounded::Text;
    use protocol::id::CaseId;
    use protocol::unit::UnitCode;

    use super::*;

    fn late(due: u32) -> DueRow {
        DueRow {
            case: CaseId::from_bytes([1; 16]),
            kind: "measure".to_owned(),
            number: 1,
            part: 0,
            unit: UnitCode::NODE_ITSELF,
            level: 3,
            due: Minute(due),
            summary: "邻里纠纷".to_owned(),
        }
    }

    #[test]
    fn whoever_waits_longer_is_called_for_further_up_the_list_and_without_a_list_nobody() {
        let one = |name: &str| OnDuty { name: Text::cut(name), phone: Text::cut("0575-1"), user: None };
        let people = ["值班员", "带班领导", "主要负责人"].map(one);
        let turn = |due| call(late(due), 15, &people, Minute(1_000)).call.map(|one| one.name);
        let turns: Vec<_> = [1_000, 986, 985, 970, 1].map(turn).into_iter().flatten().collect();
        assert_eq!(turns, ["值班员", "值班员", "带班领导", "主要负责人", "主要负责人"]);
        let nobody = call(late(1), 15, &[], Minute(1_000));
        assert_eq!((nobody.level.as_str(), nobody.place, nobody.call.is_none()), ("orange", None, true));
    }
}
