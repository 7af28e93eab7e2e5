//! Orders about cases: issued from here, and to be answered here.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use casework::{Command, Reply};
use protocol::bounded::Text;
use protocol::order::Directive;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::cases::acts::act;
use super::cases::detail::case_of;
use super::cases::dossier;
use super::cases::view::{CaseView, OrderView};
use super::extract::{Body, id};
use super::problem::{Problem, ProblemBody};
use super::stamp;
use super::state::ApiState;

/// A directive.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectiveBody {
    /// `supervise`, `assign`, `instruct`, `remind` or `notify`.
    #[schema(value_type = String)]
    pub form: Directive,
    /// Words without names of parties.
    #[schema(value_type = String)]
    pub text: Text<1000>,
    /// Calendar days to answer.
    #[serde(default)]
    pub term_days: Option<u16>,
}

/// A wish to read names and documents.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewBody {
    /// The last day, YYYY-MM-DD.
    pub until: String,
    /// Why.
    #[serde(default)]
    #[schema(value_type = String)]
    pub text: Text<1000>,
}

/// An answer: words to a directive, yes or no to a view or an approval.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerBody {
    /// Yes or no, where that is asked.
    #[serde(default)]
    pub approve: Option<bool>,
    /// 1 (bad) to 5 (good), where an assessment is asked.
    #[serde(default)]
    pub score: Option<u8>,
    /// Words without names of parties.
    #[serde(default)]
    #[schema(value_type = String)]
    pub text: Text<1000>,
}

/// Nothing more to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmptyBody {}

/// Orders of this node.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderLists {
    /// To be answered here.
    pub to_answer: Vec<OrderView>,
    /// Issued here.
    pub issued: Vec<OrderView>,
}

/// Orders to be answered here, and those issued here.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders",
    responses((status = 200, body = OrderLists), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(super) async fn list(State(state): State<Arc<ApiState>>, caller: Caller) -> Result<Json<OrderLists>, Problem> {
    caller.must_see_cases().map_err(|_| Problem::forbidden())?;
    let (issued, others): (Vec<_>, Vec<_>) =
        dossier::all_orders(&state, &caller).await?.into_iter().partition(|o| o.issued_here);
    let to_answer = others.into_iter().filter(|o| o.open).collect();
    Ok(Json(OrderLists { to_answer, issued }))
}

/// Issues a directive about a case.
#[utoipa::path(post, path = "/api/v1/cases/{id}/directives", tag = "orders", params(("id" = String, Path)),
    request_body = DirectiveBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn issue_directive(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(DirectiveBody { form, text, term_days }): Body<DirectiveBody>,
) -> Result<Json<CaseView>, Problem> {
    act(&state, &caller, &case, Ok(Command::IssueDirective { form, text, term_days })).await
}

/// Asks to read names and documents of a case.
#[utoipa::path(post, path = "/api/v1/cases/{id}/views", tag = "orders", params(("id" = String, Path)),
    request_body = ViewBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn issue_view(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Body(ViewBody { until, text }): Body<ViewBody>,
) -> Result<Json<CaseView>, Problem> {
    let day = stamp::parse_day(&until).ok_or_else(|| Problem::invalid("until is a day YYYY-MM-DD"));
    act(&state, &caller, &case, day.map(|until| Command::IssueView { until, text })).await
}

/// What an answer means to what was asked: yes to a view is the copy itself. Whether it fits is for the rules to say.
fn reply(asked: &OrderView, approve: Option<bool>, score: Option<u8>, text: &Text<1000>) -> Reply {
    if let Some(score) = score {
        return Reply::Score { score, text: Text::cut(text) };
    }
    match approve {
        None => Reply::Text { text: text.clone() },
        Some(true) if asked.asks == "view" => Reply::Grant,
        Some(true) => Reply::Yes { text: Text::cut(text) },
        Some(false) => Reply::No { text: Text::cut(text) },
    }
}

/// Answers an order.
#[utoipa::path(post, path = "/api/v1/cases/{id}/orders/{order}/answer", tag = "orders",
    params(("id" = String, Path), ("order" = String, Path)), request_body = AnswerBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn answer(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path((case, order)): Path<(String, String)>,
    Body(AnswerBody { approve, score, text }): Body<AnswerBody>,
) -> Result<Json<CaseView>, Problem> {
    let asked = case_of(&state, &caller, &case).await?.orders.into_iter().find(|o| o.id == order);
    let asked = asked.ok_or_else(Problem::not_found)?;
    let command = id(&order).map(|order| Command::AnswerOrder { order, reply: reply(&asked, approve, score, &text) });
    act(&state, &caller, &case, command).await
}

/// Says that an order was read.
#[utoipa::path(post, path = "/api/v1/cases/{id}/orders/{order}/read", tag = "orders",
    params(("id" = String, Path), ("order" = String, Path)), request_body = EmptyBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub(super) async fn read(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path((case, order)): Path<(String, String)>,
    Body(EmptyBody {}): Body<EmptyBody>,
) -> Result<Json<CaseView>, Problem> {
    let command = id(&order).map(|order| Command::MarkRead { order });
    act(&state, &caller, &case, command).await
}

/// Withdraws an order.
#[utoipa::path(post, path = "/api/v1/cases/{id}/orders/{order}/withdraw", tag = "orders",
    params(("id" = String, Path), ("order" = String, Path)), request_body = EmptyBody,
    responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn withdraw(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path((case, order)): Path<(String, String)>,
    Body(EmptyBody {}): Body<EmptyBody>,
) -> Result<Json<CaseView>, Problem> {
    let command = id(&order).map(|order| Command::WithdrawOrder { order });
    act(&state, &caller, &case, command).await
}
