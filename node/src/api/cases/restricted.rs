//! Restricted cases: who reads them, and which a caller may read.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use casework::{Actor, Command, Known, Role};
use protocol::bounded::Text;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::acts::act;
use super::pieces;
use super::view::{CaseLine, CaseView};
use crate::api::caller::Caller;
use crate::api::extract::Body;
use crate::api::problem::{Problem, ProblemBody};
use crate::api::stamp;
use crate::api::state::ApiState;
use crate::person::mask;

/// Restricted cases that one answer lists, the latest first.
pub const LISTED_MAX: u32 = 200;

/// Somebody who may read a restricted case.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReaderView {
    /// User id.
    pub user: String,
    /// Name as shown.
    pub name: String,
    /// Who named them.
    pub by: String,
    /// Since when.
    pub since: String,
    /// Until when; absent: they still may.
    pub until: Option<String>,
}

/// That a case is restricted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RestrictedView {
    /// Whether the caller is a reader; whoever is not sees what a level above has of it.
    pub reads: bool,
    /// `minors`, `domestic_violence`, `sexual_harm`, `own_people` or `other`; to its readers alone.
    pub ground: Option<String>,
    /// Name of the node whose people it is about; to its readers alone.
    pub against: Option<String>,
    /// Its readers at this node, the first first, those who no longer are among them.
    pub readers: Vec<ReaderView>,
}

/// What somebody is told of it; none of a case that is not restricted.
pub(super) fn of(state: &ApiState, known: &Known, by: &Actor) -> Option<RestrictedView> {
    let case = known.case().filter(|case| case.restricted)?;
    let withheld = case.withheld.as_deref();
    let mut readers: Vec<_> = known.readers().collect();
    readers.sort_by_key(|reader| reader.since.corrected());
    let readers = readers.into_iter().map(|reader| ReaderView {
        user: reader.user.to_string(),
        name: reader.name.to_string(),
        by: reader.by.to_string(),
        since: stamp::rfc3339(reader.since.corrected()),
        until: reader.until.map(|at| stamp::rfc3339(at.corrected())),
    });
    Some(RestrictedView {
        reads: known.is_read_by(by),
        ground: withheld.map(|it| pieces::word(it.ground)),
        against: withheld.and_then(|it| it.against).map(|node| state.node_name(node)),
        readers: readers.collect(),
    })
}

/// Somebody of this node.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReaderBody {
    /// Their log-in name.
    #[schema(value_type = String)]
    pub user: Text<40>,
}

/// Names somebody who may read a restricted case.
#[utoipa::path(post, path = "/api/v1/cases/{id}/name-reader", tag = "cases", params(("id" = String, Path)), request_body = ReaderBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn name_reader(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(ReaderBody { user }): Body<ReaderBody>,
) -> Result<Json<CaseView>, Problem> {
    let command = named(&state, user).await;
    act(&state, &caller, &case, command).await
}

/// Somebody who works here: who only reads or takes calls is given no restricted case.
async fn named(state: &ApiState, user: Text<40>) -> Result<Command, Problem> {
    let nobody = || Problem::field("user", "nobody of that name works on cases here", "本节点没有该办案人员");
    let row = state.realm.people.user(&user).await?.filter(|row| !row.disabled).ok_or_else(nobody)?;
    let grants = state.realm.people.grants(&user).await?;
    if !grants.iter().any(|granted| Role::works(granted.grant.role)) {
        return Err(nobody());
    }
    Ok(Command::NameReader { user, name: Text::cut(&row.shown) })
}

/// Lets somebody read a restricted case no longer.
#[utoipa::path(post, path = "/api/v1/cases/{id}/drop-reader", tag = "cases", params(("id" = String, Path)), request_body = ReaderBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn drop_reader(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(ReaderBody { user }): Body<ReaderBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(Command::DropReader { user })).await
}

/// A restricted case as its readers find it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReadableView {
    /// As in a list, with what is withheld from others.
    #[serde(flatten)]
    pub line: CaseLine,
    /// Its title with names and numbers masked.
    pub title: String,
    /// Why it is restricted.
    pub ground: Option<String>,
}

/// The restricted cases that a caller may read, the latest first: lists and searches show everybody an alias.
pub(crate) async fn readable(state: &ApiState, caller: &Caller) -> Result<Vec<ReadableView>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    let cases = state.store.cases_read_by(&caller.actor().user, LISTED_MAX).await?;
    let (mut rows, known) = (state.store.case_rows(&cases).await?, state.store.known_of(&cases).await?);
    let found = cases.iter().filter_map(|case| {
        let held = known.get(case)?.case().filter(|case| case.restricted)?;
        let mut line = CaseLine::of(state, rows.remove(case)?);
        line.retold(state, &held.brief);
        let title = held.report.as_ref().map(|report| mask::prose(&report.title, held.names())).unwrap_or_default();
        Some(ReadableView { line, title, ground: held.withheld.as_deref().map(|it| pieces::word(it.ground)) })
    });
    Ok(found.collect())
}

/// The restricted cases that the caller may read.
#[utoipa::path(get, path = "/api/v1/restricted", tag = "cases",
    responses((status = 200, body = Vec<ReadableView>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(crate) async fn list(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
) -> Result<Json<Vec<ReadableView>>, Problem> {
    Ok(Json(readable(&state, &caller).await?))
}
