//! Parties unmasked, found and erased: each with a reason, each in the audit before the answer is given.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use casework::{Command, Known, Role};
use protocol::bounded::is_hidden_control;
use protocol::id::CaseId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::cases::acts::act;
use super::cases::detail::{must_read, must_see};
use super::cases::dossier;
use super::cases::pieces::Shown;
use super::cases::view::CaseView;
use super::extract::{Body, id};
use super::problem::{Problem, ProblemBody};
use super::state::ApiState;
use super::stored::NotKept;
use crate::person::audit;
use crate::writer::port::Ask;

/// Shortest reason, in characters.
const REASON_CHARS_MIN: usize = 2;
/// Longest reason, in characters: what the audit keeps.
const REASON_CHARS_MAX: usize = audit::TEXT_CHARS_MAX;
/// Cases that a search gives at most.
const FOUND_MAX: u32 = 100;

/// Why somebody is to be shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The reason, 2 to 200 characters; it is logged.
    pub reason: String,
}

/// A search for a party.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Find {
    /// The whole number of a phone or of an identity document.
    pub number: String,
    /// The reason, 2 to 200 characters; it is logged.
    pub reason: String,
}

/// How often a party's numbers stand in other cases.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartyHistory {
    /// The party's number in the case.
    party: u16,
    /// Other cases of this node in which the phone or the document stands.
    other_cases: usize,
}

/// A case unmasked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revealed {
    /// The case.
    case: CaseView,
    /// What is known of its parties from other cases.
    history: Vec<PartyHistory>,
}

/// Cases of a party.
#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// Their ids, the latest first; those that the caller may see.
    cases: Vec<String>,
}

/// Refuses a reason that is none.
pub(super) fn checked(reason: &str) -> Result<(), Problem> {
    let chars = reason.trim().chars().count();
    if (REASON_CHARS_MIN..=REASON_CHARS_MAX).contains(&chars) && !reason.chars().any(is_hidden_control) {
        return Ok(());
    }
    let en = format!("{REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters, none of which hides or turns others");
    let zh = format!("应为 {REASON_CHARS_MIN} 至 {REASON_CHARS_MAX} 个字,不含控制字符");
    Err(Problem::field("reason", &en, &zh))
}

/// Refuses whoever may see the case but not its parties.
pub(super) fn must_reveal(caller: &Caller, known: &Known) -> Result<(), Problem> {
    let at = casework::rights::at(known);
    let covers = |role: Role, scope: casework::Scope| {
        let nowhere = at.is_empty() && scope == casework::Scope::EVERYWHERE;
        role.reveals() && (nowhere || at.iter().any(|at| scope.covers(*at)))
    };
    if caller.grants.iter().any(|g| covers(g.role, g.scope)) { Ok(()) } else { Err(Problem::forbidden()) }
}

async fn history(state: &ApiState, case: CaseId, known: &Known) -> Result<Vec<PartyHistory>, Problem> {
    let seats = known.case().into_iter().flat_map(|case| &case.seats);
    let mut found = Vec::new();
    for (party, each) in seats.filter_map(|seat| Some((seat.number, seat.who.as_deref()?))) {
        let mut others = std::collections::BTreeSet::new();
        for number in [&*each.phone, &*each.identity] {
            others.extend(state.store.told_cases_of_number(number, FOUND_MAX).await?);
        }
        others.remove(&case);
        found.push(PartyHistory { party, other_cases: others.len() });
    }
    Ok(found)
}

/// A case with names and numbers as they are. The reason stands in the audit before the answer is given.
#[utoipa::path(post, path = "/api/v1/cases/{id}/reveal", tag = "persons", params(("id" = String, Path)),
    request_body = Reason,
    responses((status = 200, body = Revealed), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn reveal(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(text): Path<String>,
    Body(body): Body<Reason>,
) -> Result<NotKept<Revealed>, Problem> {
    let case: CaseId = id(&text)?;
    let known = must_read(&state, &caller, case).await?;
    must_reveal(&caller, &known)?;
    checked(&body.reason)?;
    audit::note(None, Some(&body.reason));
    state.port.ask(Ask::Note).await?;
    let shown = dossier::view(&state, &caller, case, Shown::Plain).await?.ok_or_else(Problem::not_found)?;
    Ok(NotKept(Json(Revealed { case: shown, history: history(&state, case, &known).await? })))
}

/// The cases in which the number of a phone or a document stands, as far as the caller may see them.
#[utoipa::path(post, path = "/api/v1/persons/find", tag = "persons", request_body = Find,
    responses((status = 200, body = Found), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 429, body = ProblemBody)))]
pub(super) async fn find(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<Find>,
) -> Result<NotKept<Found>, Problem> {
    checked(&body.reason)?;
    // The audit tells two searches for one number from two for another, without telling the number.
    let hash = state.vault().number_hash(&body.number);
    let hash = hash.ok_or_else(|| Problem::invalid("a number has 6 digits or more"))?;
    audit::note(Some(&format!("persons/{}", crate::person::session::short(&hash))), Some(&body.reason));
    state.port.ask(Ask::Note).await?;
    let mut cases = Vec::new();
    for case in state.store.cases_of_number(&body.number, FOUND_MAX).await? {
        match must_read(&state, &caller, case).await {
            Ok(_) => cases.push(case.to_string()),
            // Neither is a restricted case told to whoever is no reader of it.
            Err(problem) if matches!(problem.status(), StatusCode::NOT_FOUND | StatusCode::FORBIDDEN) => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(NotKept(Json(Found { cases })))
}

/// Erases what is private of a closed case: names, narrative, notes. Headers, level and figures stay. Everybody who was
/// given more than a brief is ordered to do the same.
#[utoipa::path(post, path = "/api/v1/cases/{id}/erase", tag = "persons", params(("id" = String, Path)),
    request_body = Reason,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn erase(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<Reason>,
) -> Result<Json<CaseView>, Problem> {
    let known = must_see(&state, &caller, id(&case)?).await?;
    drop(known);
    checked(&body.reason)?;
    audit::note(None, Some(&body.reason));
    act(&state, &caller, &case, Ok(Command::Erase)).await
}
