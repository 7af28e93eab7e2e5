//! A link to the page of one task, for a handler who has no account here: whoever has it sees that task, signs for it and reports on
//! it, and sees nothing else. It ends with its day, and with the task.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use casework::{Actor, Grant, Known, Role, Scope, Task};
use protocol::bounded::Text;
use protocol::id::CaseId;
use protocol::time::CivilDay;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::detail::must_see;
use super::dossier;
use crate::api::caller::Caller;
use crate::api::extract::{Body, id};
use crate::api::problem::{Problem, ProblemBody};
use crate::api::stamp;
use crate::api::state::ApiState;
use crate::api::stored::NotKept;

/// Days that a link holds, at most and where nothing is said.
const DAYS_MAX: u16 = 30;
const DAYS: u16 = 7;
const CONTEXT: &[u8] = b"page of a task";
/// Characters of the name by which whoever has a link signs.
pub(crate) const NAME_CHARS_MAX: usize = 20;

/// A link to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkWish {
    /// The task, by its number in the case.
    pub task: u16,
    /// Days that it holds, 1 to 30; absent: 7.
    #[serde(default)]
    pub days: Option<u16>,
}

/// A link.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkView {
    /// The path of the page, to be put behind the address of this node: give it to nobody but the handler.
    pub path: String,
    /// The last day on which it holds.
    pub until: String,
}

/// What a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskLink {
    pub(crate) case: CaseId,
    pub(crate) task: u16,
    until: CivilDay,
}

impl TaskLink {
    fn proof(self, state: &ApiState) -> blake3::Hash {
        let mut hasher = state.keyed_hasher();
        hasher.update(CONTEXT).update(state.me().as_bytes()).update(self.case.as_bytes());
        hasher.update(&self.task.to_be_bytes()).update(&self.until.number().to_be_bytes());
        hasher.finalize()
    }

    fn token(self, state: &ApiState) -> String {
        format!("{}-{}-{}-{}", self.case, self.task, self.until.number(), self.proof(state).to_hex())
    }

    /// What a token opens today; one that nobody here made, or whose day has passed, opens nothing.
    pub(crate) fn open(state: &ApiState, token: &str) -> Result<Self, Problem> {
        let mut parts = token.splitn(4, '-');
        let mut next = || parts.next().ok_or_else(Problem::not_found);
        let (case, task, until, proof) = (next()?, next()?, next()?, next()?);
        let number = until.parse().ok().and_then(CivilDay::from_number).ok_or_else(Problem::not_found)?;
        let link = Self { case: id(case)?, task: id(task)?, until: number };
        let given = blake3::Hash::from_hex(proof).map_err(|_| Problem::not_found())?;
        let holds = state.clock.reading().day() <= link.until && link.proof(state) == given;
        if holds { Ok(link) } else { Err(Problem::not_found()) }
    }

    /// The case and the task of it, where both are here.
    pub(crate) async fn find(self, state: &ApiState) -> Result<(Known, Task), Problem> {
        let known = dossier::known(state, self.case).await?;
        let task = known.case().and_then(|case| case.task(self.task)).copied().ok_or_else(Problem::not_found)?;
        // A handler without an account is named nowhere as a reader.
        if known.owned_by(state.me()) && !known.is_restricted() { Ok((known, task)) } else { Err(Problem::not_found()) }
    }

    /// Whoever has it, as the rules of cases know them: somebody of the unit, by the name that they give.
    pub(crate) fn actor(state: &ApiState, task: Task, name: &str) -> Result<Actor, Problem> {
        let name = name.trim();
        let fits = (2..=NAME_CHARS_MAX).contains(&name.chars().count());
        let name = Text::<40>::new(name).ok().filter(|_| fits);
        let name = name.ok_or_else(|| Problem::field("name", "your name, 2 to 20 characters", "请填写姓名"))?;
        let unit = state.in_force().units.name(task.unit, true);
        let grant = Grant { role: Role::Handler, scope: Scope { division: None, unit: Some(task.unit) } };
        Ok(Actor { user: Text::cut("link"), name: Text::cut(&format!("{name}({unit})")), grants: vec![grant] })
    }

    /// What the audit says of it.
    pub(crate) fn named(self, state: &ApiState) -> String {
        self.proof(state).to_hex().chars().take(8).collect()
    }
}

/// Makes a link to the page of a task.
#[utoipa::path(post, path = "/api/v1/cases/{id}/task-links", tag = "cases", params(("id" = String, Path)),
    request_body = LinkWish,
    responses((status = 200, body = LinkView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn make(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<LinkWish>,
) -> Result<NotKept<LinkView>, Problem> {
    let known = must_see(&state, &caller, id(&case)?).await?;
    if known.is_restricted() {
        return Err(Problem::from(casework::Refusal::Restricted));
    }
    let days = body.days.unwrap_or(DAYS);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(Problem::field("days", &format!("1 to {DAYS_MAX}"), &format!("应为 1 至 {DAYS_MAX} 天")));
    }
    let open = known.case().and_then(|case| case.task(body.task)).is_some_and(|task| !task.state.0.has_ended());
    if !open {
        return Err(Problem::from(casework::Refusal::UnknownTask));
    }
    let until = state.clock.reading().day().plus(i32::from(days));
    let link = TaskLink { case: known.id(), task: body.task, until };
    let path = format!("/task/{}", link.token(&state));
    Ok(NotKept(Json(LinkView { path, until: stamp::day(until.number()) })))
}
