//! A ticket to read the attachments of a case. They cannot be masked, so a reason is asked for once, as for names, and stands in the
//! audit; what is read with the ticket then, in whichever pieces a player likes, needs no entry of its own.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use protocol::id::CaseId;
use protocol::time::UnixMillis;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::caller::Caller;
use crate::api::cases::detail::must_see;
use crate::api::extract::{Body, id};
use crate::api::persons::{Reason, checked, must_reveal};
use crate::api::problem::{Problem, ProblemBody};
use crate::api::stamp;
use crate::api::state::ApiState;
use crate::api::stored::NotKept;
use crate::person::audit;
use crate::writer::port::Ask;

/// How long a ticket holds.
const TICKET_LIFE_MAX_MS: i64 = 15 * 60_000;
const CONTEXT: &[u8] = b"attachments ticket";

/// A ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TicketView {
    /// To be given as `ticket` with each request for content, by the same user.
    pub ticket: String,
    /// Until when it holds.
    pub until: String,
}

fn proof(state: &ApiState, caller: &Caller, case: CaseId, until: UnixMillis) -> blake3::Hash {
    let mut hasher = state.keyed_hasher();
    hasher.update(CONTEXT).update(case.as_bytes()).update(&until.0.to_be_bytes()).update(caller.name.as_bytes());
    hasher.finalize()
}

/// Refuses who has no ticket for the case, or one that has run out.
pub(super) fn must_have(state: &ApiState, caller: &Caller, case: CaseId, ticket: &str) -> Result<(), Problem> {
    let read =
        |(until, proof): (&str, &str)| Some((UnixMillis(until.parse().ok()?), blake3::Hash::from_hex(proof).ok()?));
    let Some((until, given)) = ticket.split_once('.').and_then(read) else { return Err(Problem::ticket_needed()) };
    let holds = state.clock.wall() < until && proof(state, caller, case, until) == given;
    if holds { Ok(()) } else { Err(Problem::ticket_needed()) }
}

/// A ticket for the attachments of a case. The reason stands in the audit before it is given.
#[utoipa::path(post, path = "/api/v1/cases/{id}/attachments/ticket", tag = "attachments", params(("id" = String, Path)),
    request_body = Reason,
    responses((status = 200, body = TicketView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(crate) async fn give(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(body): Body<Reason>,
) -> Result<NotKept<TicketView>, Problem> {
    let case: CaseId = id(&case)?;
    let known = must_see(&state, &caller, case).await?;
    must_reveal(&caller, &known)?;
    checked(&body.reason)?;
    audit::note(None, Some(&body.reason));
    state.port.ask(Ask::Note).await?;
    let until = UnixMillis(state.clock.wall().0.saturating_add(TICKET_LIFE_MAX_MS));
    let ticket = format!("{}.{}", until.0, proof(&state, &caller, case, until).to_hex());
    Ok(NotKept(Json(TicketView { ticket, until: stamp::rfc3339(until) })))
}
