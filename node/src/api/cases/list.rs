//! Lists of cases: by what they are, and by the words in them.

#![expect(unused_qualifications, reason = "utoipa spells the path of query types out")]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use protocol::division::DivisionCode;
use protocol::event::{Matter, Outcome, Source};
use protocol::id::NodeId;
use protocol::unit::UnitCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::pieces;
use super::view::{CaseLine, FoundView};
use crate::api::caller::Caller;
use crate::api::extract::Params;
use crate::api::problem::{Problem, ProblemBody};
use crate::api::stamp;
use crate::api::state::ApiState;
use crate::finding::{Asked, Hit, NoSearch, Position, Sort, Terms, Viewer, Wanted};
use crate::person::audit::Entry;
use crate::person::session;
use crate::store::lists::{After, CaseFilter};

/// Cases on a page without a wish.
const COUNT: u32 = 50;
/// Cases on a page at most.
const COUNT_MAX: u32 = 200;

/// Which cases, and where the page begins.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Words, all of which must be found, in 60 characters at most: in title, narrative or summary, in the name of a party or of the
    /// place, as the initials of their pinyin (`zsl` finds 张三林; not in the narrative), or as four or more digits at the beginning
    /// or the end of the case's number. Who may not see parties unmasked finds by masked words alone.
    pub(crate) q: Option<String>,
    /// `orange`, `red`, `yellow` or `none`.
    pub(crate) level: Option<String>,
    /// Step of the loop.
    pub(crate) step: Option<String>,
    /// `dispute`, `request` or `consultation`.
    pub(crate) matter: Option<String>,
    /// Where it came from, as in a report.
    pub(crate) source: Option<String>,
    /// `successful`, `unsuccessful` or `other`.
    pub(crate) outcome: Option<String>,
    /// Four digits of a category, or the two of a class.
    pub(crate) category: Option<String>,
    /// Code of the unit that answers for it; 0: the node itself.
    pub(crate) unit: Option<u16>,
    /// The node that owns it.
    pub(crate) owner: Option<String>,
    /// Division in which it happened.
    pub(crate) place: Option<String>,
    /// Reported on this day or later, `YYYY-MM-DD`.
    pub(crate) from: Option<String>,
    /// Reported on this day or earlier.
    pub(crate) to: Option<String>,
    /// Only those whose term has ended and was not met.
    #[serde(default)]
    pub(crate) overdue: bool,
    /// Owned here (true) or followed only (false).
    pub(crate) mine: Option<bool>,
    /// Escalated ones only.
    #[serde(default)]
    pub(crate) escalated: bool,
    /// Struck-through ones too.
    #[serde(default)]
    pub(crate) void: bool,
    /// Archived ones too; with `q` they always are.
    #[serde(default)]
    pub(crate) archived: bool,
    /// `level` (the highest first, then the latest change), `reported` (the latest first) or `term` (the first to end first).
    pub(crate) sort: Option<String>,
    /// Cases on the page, 1 to 200.
    pub(crate) count: Option<u32>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
}

/// A page of cases.
#[derive(Debug, Serialize, ToSchema)]
pub struct CasePage {
    /// The cases.
    pub cases: Vec<CaseLine>,
    /// Cursor of the next page, if there may be one. A search that has to look through many cases may give it with a page that is
    /// not full.
    pub next: Option<String>,
    /// Cases whose words are not in the search yet, after a restore or an upgrade: they are found by number and place alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_searched: Option<usize>,
}

fn rank(level: &str) -> Result<u8, Problem> {
    match level {
        "orange" => Ok(3),
        "red" => Ok(2),
        "yellow" => Ok(1),
        "none" => Ok(0),
        _ => Err(Problem::malformed("level is orange, red, yellow or none")),
    }
}

/// A word of a closed list, if it is one.
fn listed<T: DeserializeOwned>(name: &str, word: &Option<String>) -> Result<Option<String>, Problem> {
    let known = |word: &String| serde_json::from_value::<T>(serde_json::Value::String(word.clone())).is_ok();
    match word {
        Some(word) if !known(word) => Err(Problem::malformed(format!("{name} has no such word"))),
        word => Ok(word.clone()),
    }
}

fn category(text: &str) -> Result<(u16, u16), Problem> {
    let number = Some(text).filter(|text| text.bytes().all(|b| b.is_ascii_digit())).and_then(|text| text.parse().ok());
    match (text.len(), number) {
        (4, Some(number)) => Ok((number, number)),
        (2, Some(class)) => Ok((class * 100, class * 100 + 99)),
        _ => Err(Problem::malformed("category has four digits, a class two")),
    }
}

fn sort(text: Option<&str>) -> Result<Sort, Problem> {
    match text {
        None | Some("level") => Ok(Sort::Level),
        Some("reported") => Ok(Sort::Reported),
        Some("term") => Ok(Sort::Term),
        Some(_) => Err(Problem::malformed("sort is level, reported or term")),
    }
}

fn day(name: &str, text: &Option<String>) -> Result<Option<i32>, Problem> {
    let read = |text: &String| {
        let day = stamp::parse_day(text).map(|day| day.number());
        day.ok_or_else(|| Problem::malformed(format!("{name} is a day, YYYY-MM-DD")))
    };
    text.as_ref().map(read).transpose()
}

fn cursor_of(line: &CaseLine) -> String {
    format!("{}.{}.{}", line.rank, line.changed_ms, line.id)
}

/// The parts of a cursor: two numbers of its order, and the case.
fn parse_cursor(text: &str) -> Result<Position, Problem> {
    let mut parts = text.splitn(3, '.');
    let position = (|| {
        let (first, second, case) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Position(first.parse().ok()?, second.parse().ok()?, case.parse().ok()?))
    })();
    position.ok_or_else(|| Problem::malformed("the cursor is none of this list"))
}

/// Where a page of the plain list begins.
fn after_of(cursor: &str) -> Result<After, Problem> {
    let Position(level, changed_at, case) = parse_cursor(cursor)?;
    let level = u8::try_from(level).map_err(|_| Problem::malformed("the cursor is none of this list"))?;
    Ok(After { level, changed_at, case })
}

/// A page of cases, for the API and the page.
pub(crate) async fn page_of(
    state: &ApiState,
    caller: &Caller,
    mut filter: CaseFilter,
    after: Option<After>,
    count: u32,
) -> Result<CasePage, Problem> {
    filter.scopes = caller.scopes();
    let mut rows = state.store.case_list(&filter, after, count.saturating_add(1)).await?;
    let more = rows.len() > count as usize;
    rows.truncate(count as usize);
    let cases: Vec<_> = rows.into_iter().map(|row| CaseLine::of(state, row)).collect();
    let next = cases.last().filter(|_| more).map(cursor_of);
    Ok(CasePage { cases, next, not_searched: None })
}

impl ListQuery {
    fn terms(&self) -> Result<Terms, Problem> {
        Terms::read(self.q.as_deref().unwrap_or_default()).map_err(|why| {
            let zh = match why {
                NoSearch::TooLong => "搜索内容最多 60 个字、8 个词。",
                NoSearch::Nothing => "请输入文字、拼音首字母或编号。",
            };
            Problem::unacceptable(why.to_string(), zh)
        })
    }

    /// Whether the list that the database keeps sorted answers it.
    fn is_plain(&self) -> bool {
        let asked =
            [&self.matter, &self.source, &self.outcome, &self.category, &self.owner, &self.place, &self.from, &self.to];
        let sorted = self.sort.as_deref().is_none_or(|sort| sort == "level");
        asked.iter().all(|wish| wish.is_none()) && self.unit.is_none() && !self.overdue && sorted
    }

    fn count(&self) -> u32 {
        self.count.unwrap_or(COUNT).clamp(1, COUNT_MAX)
    }

    /// A step that is asked for by name is shown even if it is the archive.
    fn with_archived(&self) -> bool {
        self.archived || self.step.as_deref() == Some("archived")
    }

    fn wanted(&self, state: &ApiState, searched: bool) -> Result<Wanted, Problem> {
        let place = self.place.as_ref().map(|place| place.parse::<DivisionCode>()).transpose();
        let place = place.map_err(|_| Problem::malformed("place is a division code"))?;
        let owner = self.owner.as_ref().map(|owner| owner.parse::<NodeId>()).transpose();
        let (from, to) = (day("from", &self.from)?, day("to", &self.to)?);
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            return Err(Problem::malformed("from is later than to"));
        }
        Ok(Wanted {
            mine: self.mine,
            escalated: self.escalated,
            void: self.void,
            archived: searched || self.with_archived(),
            level: self.level.as_deref().map(rank).transpose()?,
            matter: listed::<Matter>("matter", &self.matter)?,
            source: listed::<Source>("source", &self.source)?,
            step: self.step.clone(),
            outcome: listed::<Outcome>("outcome", &self.outcome)?,
            category: self.category.as_deref().map(category).transpose()?,
            unit: self.unit.map(UnitCode),
            owner: owner.map_err(|_| Problem::malformed("owner is the id of a node"))?,
            places: place.map(|place| state.in_force().places.ranges(place)),
            from,
            to,
            overdue_on: self.overdue.then(|| state.clock.reading().day().number()),
        })
    }
}

/// What a query asks for, for the API and the page.
pub(crate) async fn queried(state: &ApiState, caller: &Caller, query: &ListQuery) -> Result<CasePage, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    let terms = query.terms()?;
    if terms.is_empty() && query.is_plain() {
        let filter = CaseFilter {
            mine: query.mine,
            escalated: query.escalated,
            level: query.level.as_deref().map(rank).transpose()?,
            step: query.step.clone(),
            void: query.void,
            archived: query.with_archived(),
            scopes: None,
        };
        let after = query.cursor.as_deref().map(after_of).transpose()?;
        return page_of(state, caller, filter, after, query.count()).await;
    }
    let asked = Asked {
        wanted: query.wanted(state, !terms.is_empty())?,
        terms,
        sort: sort(query.sort.as_deref())?,
        after: query.cursor.as_deref().map(parse_cursor).transpose()?,
        count: query.count() as usize,
        viewer: viewer(state, caller),
        names: state.names.clone(),
        home: state.config.node.division,
    };
    found(state, caller, query, asked).await
}

/// Who looks for cases, and what they may read. A process that can write nothing down tells nothing that is masked.
pub(super) fn viewer(state: &ApiState, caller: &Caller) -> Viewer {
    Viewer { grants: caller.grants.clone(), can_be_noted: !state.reads_only }
}

async fn found(state: &ApiState, caller: &Caller, query: &ListQuery, asked: Asked) -> Result<CasePage, Problem> {
    let searched = !asked.terms.is_empty();
    let page = state.finder.ask(asked).await?;
    if page.hits.iter().any(|hit| hit.by_hidden) {
        note(state, caller, query.q.as_deref().unwrap_or_default()).await?;
    }
    let ids: Vec<_> = page.hits.iter().map(|hit| hit.case).collect();
    let mut rows = state.store.case_rows(&ids).await?;
    let line = |hit: Hit| {
        let found = searched.then(|| FoundView { by: hit.by.iter().map(pieces::word).collect(), title: hit.title });
        rows.remove(&hit.case).map(|row| CaseLine { found, ..CaseLine::of(state, row) })
    };
    let next = page.next.map(|Position(first, second, case)| format!("{first}.{second}.{case}"));
    let not_searched = Some(page.unmade).filter(|unmade| searched && *unmade > 0);
    Ok(CasePage { cases: page.hits.into_iter().filter_map(line).collect(), next, not_searched })
}

/// Writes down that cases were found by what is masked in them, before they are told. The audit tells two searches for one word
/// from two for another, without telling the word.
async fn note(state: &ApiState, caller: &Caller, q: &str) -> Result<(), Problem> {
    let hash: [u8; 32] = *state.keyed_hasher().update(q.trim().as_bytes()).finalize().as_bytes();
    let entry = caller.entry(&Method::GET, "/api/v1/cases", &format!("cases?words={}", session::short(&hash)));
    state.port.note(Entry { outcome: "done".to_owned(), ..entry }).await.map_err(|_| Problem::unavailable())
}

/// Cases owned or followed here: filtered, sorted, and found by their words.
#[utoipa::path(get, path = "/api/v1/cases", tag = "cases", params(ListQuery),
    responses((status = 200, body = CasePage), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn list(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Params(query): Params<ListQuery>,
) -> Result<Json<CasePage>, Problem> {
    Ok(Json(queried(&state, &caller, &query).await?))
}
