//! Many reports at once, from a table of an older system: each is judged by itself and goes the way of any report.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use casework::{Intake, Refusal};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::report::ReportBody;
use crate::api::caller::Caller;
use crate::api::extract::{Body, wrong_value};
use crate::api::problem::{Problem, ProblemBody};
use crate::api::state::ApiState;
use crate::person::audit;
use crate::writer::port::Failed;

/// Reports of one request.
pub const REPORTS_MAX: usize = 100;

/// Reports to be filed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportBody {
    /// Only say what would become of each; nothing is filed.
    #[serde(default)]
    check: bool,
    /// The reports, at most 100, each as for `POST /api/v1/cases`.
    #[schema(value_type = Vec<ReportBody>)]
    reports: Vec<Value>,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was filed, or would be.
    Filed,
    /// Its case is known here already; it stays as it is.
    There,
    /// It cannot be filed, for the reason beside.
    Refused,
}

/// One report's answer, in the place of the report.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    /// What became of it.
    outcome: Outcome,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody>,
}

/// Files many reports, or says what would become of them. The answers stand in the order of the reports.
#[utoipa::path(post, path = "/api/v1/cases/import", tag = "cases", request_body = ImportBody,
    responses((status = 200, body = Vec<Imported>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn import(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<ImportBody>,
) -> Result<Json<Vec<Imported>>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    if body.reports.len() > REPORTS_MAX {
        let (en, zh) = (format!("at most {REPORTS_MAX} reports at once"), format!("一次最多 {REPORTS_MAX} 件"));
        return Err(Problem::field("reports", &en, &zh));
    }
    // Together, so that they share a transaction of the writer.
    let answers = join_all(body.reports.into_iter().map(|report| one(&state, &caller, report, body.check))).await;
    answers.into_iter().collect::<Result<_, _>>().map(Json)
}

/// An error is the node's, not the report's: the rest need not be tried.
async fn one(state: &ApiState, caller: &Caller, report: Value, check: bool) -> Result<Imported, Problem> {
    let answer = |outcome, problem: Option<Problem>| Imported { outcome, problem: problem.map(Problem::body) };
    let intake: Intake = match serde_path_to_error::deserialize(report) {
        Ok(intake) => intake,
        Err(error) => return Ok(answer(Outcome::Refused, Some(wrong_value(&error)))),
    };
    let done = match state.port.try_report(intake.clone(), caller.actor()).await {
        Ok(()) if !check => {
            // No pause lies between this and the entry's going to the writer: each report has an entry of its own.
            audit::note(Some(&format!("cases/{}", intake.case)), None);
            state.port.report(intake, caller.actor()).await.map(|_| ())
        }
        judged => judged,
    };
    match done {
        Ok(()) => Ok(answer(Outcome::Filed, None)),
        Err(Failed::Refused(Refusal::AlreadyReported)) => Ok(answer(Outcome::There, None)),
        Err(Failed::Refused(refusal)) => Ok(answer(Outcome::Refused, Some(refusal.into()))),
        Err(failed) => Err(failed.into()),
    }
}
