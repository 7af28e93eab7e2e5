//! What other grading rules would have done to the cases of the past year, before anybody publishes them (规则试算).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use casework::content::Content;
use casework::grading::{RuleSet, Trial};
use protocol::id::CaseId;
use protocol::time::UnixMillis;
use protocol::warning::Warning;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::caller::Caller;
use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use super::state::ApiState;

/// Days that a trial looks back, at most and where nothing is said.
const DAYS_MAX: u16 = 366;
/// Cases that are read at once.
const PAGE: u32 = 500;
/// Cases that are named; all are counted.
const NAMED_MAX: usize = 100;
const DAY_MS: i64 = 86_400_000;

/// Rules to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrialBody {
    /// The rule set, as it would be published.
    #[schema(value_type = Object)]
    pub content: Value,
    /// Reported within so many days, 1 to 366; absent: 366.
    #[serde(default)]
    pub days: Option<u16>,
}

/// How many disputes the rules propose for which level.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoveView {
    /// `orange`, `red` or `yellow`: by the rules in force.
    pub now: String,
    /// By those that are tried.
    pub then: String,
    /// How many disputes.
    pub disputes: u32,
}

/// A dispute that would have another level.
#[derive(Debug, Serialize, ToSchema)]
pub struct MovedView {
    /// The case.
    pub case: String,
    /// What it is about, without names.
    pub summary: String,
    /// By the rules in force.
    pub now: String,
    /// By those that are tried.
    pub then: String,
}

/// What came out.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrialView {
    /// Disputes of this node that were looked at, by what is known of each today.
    pub disputes: u32,
    /// How many have which level by both, the same level too.
    pub moves: Vec<MoveView>,
    /// The first hundred whose level would be another.
    pub moved: Vec<MovedView>,
}

fn word(level: Option<Warning>) -> String {
    level.map_or_else(|| "none".to_owned(), |level| level.to_string())
}

/// Tries rules on the disputes in the caller's scopes. Nothing is changed, and a level that a person set is not asked for: rules are
/// held against rules.
#[utoipa::path(post, path = "/api/v1/rules/trial", tag = "publications", request_body = TrialBody,
    responses((status = 200, body = TrialView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(super) async fn trial(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<TrialBody>,
) -> Result<Json<TrialView>, Problem> {
    let days = body.days.unwrap_or(DAYS_MAX);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(Problem::field("days", &format!("1 to {DAYS_MAX}"), &format!("应为 1 至 {DAYS_MAX}")));
    }
    let bytes = serde_json::to_vec(&body.content).map_err(|_| Problem::internal())?;
    let then = RuleSet::read(&bytes)?;
    let held = state.in_force();
    let since = UnixMillis(state.clock.reading().corrected().0.saturating_sub(i64::from(days) * DAY_MS));
    let (mut trial, mut moved, mut after) = (Trial::default(), Vec::new(), CaseId::from_bytes([0; 16]));
    loop {
        let page = state.store.last_headers(caller.scopes().as_deref(), since, after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (case, header) in page {
            let brief = header.brief;
            // Of a restricted case the answers are withheld here too.
            if casework::restricted::is_told(&brief) {
                continue;
            }
            let levels = trial.take((&held.rules, &then), brief.matter, &brief.grading.answers);
            if let Some((now, then)) = levels.filter(|_| moved.len() < NAMED_MAX) {
                let summary = brief.summary.to_string();
                moved.push(MovedView { case: case.to_string(), summary, now: word(now), then: word(then) });
            }
        }
    }
    let count = |((now, then), disputes): ((Option<Warning>, Option<Warning>), u32)| MoveView {
        now: word(now),
        then: word(then),
        disputes,
    };
    Ok(Json(TrialView { disputes: trial.disputes, moves: trial.moves.into_iter().map(count).collect(), moved }))
}
