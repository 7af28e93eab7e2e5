//! The page of one task, for a handler who has no account: what is to be done, a button to sign for it, a field to report. The link is
//! all that opens it.

use std::sync::Arc;

use axum::extract::{Extension, Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use casework::{Command, Known, Task, TaskState};
use protocol::bounded::Text;
use protocol::event::{WideAct, WideContent};
use serde::Deserialize;

use super::frame::card;
use super::html::Html;
use super::words::Lang;
use super::{Nonce, Wishes, door, send};
use crate::api::ApiState;
use crate::api::caller::{audited, must_be_same_site};
use crate::api::cases::task_link::TaskLink;
use crate::api::problem::{Code, Problem};
use crate::api::stamp;
use crate::door::Base;
use crate::person::audit::Entry;

/// What is done on the page.
#[derive(Debug, Deserialize)]
pub(crate) struct Done {
    /// `accept` or `report`.
    what: String,
    /// Who does it.
    #[serde(default)]
    name: String,
    /// What was done.
    #[serde(default)]
    note: String,
}

/// How a page is to look.
struct Look {
    lang: Lang,
    nonce: String,
    base: String,
}

fn entry(state: &ApiState, link: TaskLink, action: &str) -> Entry {
    Entry {
        who: "link".to_owned(),
        via: link.named(state),
        action: format!("{action} /task"),
        object: format!("cases/{}/tasks/{}", link.case, link.task),
        ..Entry::default()
    }
}

/// Shows the task. Who looks stands in the audit, for its words may name people.
pub(crate) async fn show(
    State(state): State<Arc<ApiState>>,
    Path(token): Path<String>,
    Query(wishes): Query<Wishes>,
    Extension(Nonce(nonce)): Extension<Nonce>,
    base: Option<Extension<Base>>,
    headers: HeaderMap,
) -> Response {
    let base = base.map(|Extension(base)| base.0).unwrap_or_default();
    let look = Look { lang: Lang::of(wishes.lang.as_deref(), &headers), nonce, base };
    match TaskLink::open(&state, &token) {
        Ok(link) => audited(&state, entry(&state, link, "GET"), shown(&state, link, &token, &look, None)).await,
        Err(problem) => refused(&look, &problem),
    }
}

/// Signs for the task, or reports on it.
pub(crate) async fn act(
    State(state): State<Arc<ApiState>>,
    Path(token): Path<String>,
    Query(wishes): Query<Wishes>,
    Extension(Nonce(nonce)): Extension<Nonce>,
    base: Option<Extension<Base>>,
    headers: HeaderMap,
    Form(done): Form<Done>,
) -> Response {
    let base = base.map(|Extension(base)| base.0).unwrap_or_default();
    let look = Look { lang: Lang::of(wishes.lang.as_deref(), &headers), nonce, base };
    let link = match must_be_same_site(&headers).and_then(|()| TaskLink::open(&state, &token)) {
        Ok(link) => link,
        Err(problem) => return refused(&look, &problem),
    };
    let run = async {
        match carry_out(&state, link, &done).await {
            Ok(()) => Redirect::to(&format!("{}/task/{token}?lang={}", look.base, look.lang.code())).into_response(),
            // What was typed stands in the form again.
            Err(problem) => shown(&state, link, &token, &look, Some((&problem, &done))).await,
        }
    };
    audited(&state, entry(&state, link, "POST"), run).await
}

async fn carry_out(state: &ApiState, link: TaskLink, done: &Done) -> Result<(), Problem> {
    let (_, task) = link.find(state).await?;
    let by = TaskLink::actor(state, task, &done.name)?;
    let number = link.task;
    let command = match done.what.as_str() {
        "accept" => Command::AcceptTask { task: number },
        "report" => {
            let note = Text::new(done.note.clone());
            let long = |_| Problem::field("note", "4000 characters at most", "不得超过 4000 字");
            Command::ReportTask { task: number, note: note.map_err(long)? }
        }
        _ => return Err(Problem::not_found()),
    };
    state.port.act(link.case, command, by).await?;
    Ok(())
}

fn refused(look: &Look, problem: &Problem) -> Response {
    send(problem.status(), door::failure(look.lang, &look.nonce, &look.base, problem))
}

async fn shown(
    state: &ApiState,
    link: TaskLink,
    token: &str,
    look: &Look,
    wrong: Option<(&Problem, &Done)>,
) -> Response {
    let (known, task) = match link.find(state).await {
        Ok(found) => found,
        Err(problem) => return refused(look, &problem),
    };
    let page = page(state, &known, &task, token, look, wrong);
    let Some((problem, _)) = wrong else { return send(StatusCode::OK, page) };
    let mut response = send(problem.status(), page);
    response.extensions_mut().insert(Code(problem.code().to_owned()));
    response
}

/// The words of the task, where they are held.
fn words(known: &Known, number: u16) -> (String, String) {
    let given = |act: &WideAct| matches!(act, WideAct::TaskGiven { task, .. } if *task == number);
    match known.words_of(given) {
        Some(WideContent::Task { title, text }) => (title.to_string(), text.to_string()),
        _ => Default::default(),
    }
}

fn page(
    state: &ApiState,
    known: &Known,
    task: &Task,
    token: &str,
    look: &Look,
    wrong: Option<(&Problem, &Done)>,
) -> Html {
    let lang = look.lang;
    let (title, text) = words(known, task.number);
    let told = wrong.map(|(problem, _)| problem.text(lang == Lang::Zh));
    let mut html = card(lang, &look.nonce, &title, told);
    let unit = state.in_force().units.name(task.unit, lang == Lang::Zh);
    let summary = known.case().map(|case| case.brief.summary.to_string()).unwrap_or_default();
    let due = stamp::day(task.due.number());
    html.raw("<dl>");
    let rows = [
        (lang.t("交办单位", "Given by"), state.config.node.name.as_str()),
        (lang.t("承办单位", "For"), unit.as_str()),
        (lang.t("事项", "Matter"), summary.as_str()),
        (lang.t("要求", "To be done"), text.as_str()),
        (lang.t("期限", "By"), due.as_str()),
        (lang.t("状态", "State"), state_word(lang, task.state.0)),
    ];
    for (name, value) in rows {
        html.el("<dt>", name, "</dt>").raw("<dd>").said(value).raw("</dd>");
    }
    html.raw("</dl>");
    let done = wrong.map(|(_, done)| done);
    if matches!(task.state.0, TaskState::Given | TaskState::SentBack) {
        form(&mut html, look, token, "accept", done);
    }
    if matches!(task.state.0, TaskState::Given | TaskState::Accepted | TaskState::SentBack) {
        form(&mut html, look, token, "report", done);
    }
    html.raw("</section></main></body></html>");
    html
}

fn state_word(lang: Lang, state: TaskState) -> &'static str {
    match state {
        TaskState::Given => lang.t("待签收", "to be signed for"),
        TaskState::Accepted => lang.t("办理中", "under way"),
        TaskState::Reported => lang.t("已反馈，待确认", "reported, to be looked at"),
        TaskState::SentBack => lang.t("退回重办", "sent back: not all was done"),
        TaskState::Closed => lang.t("已办结", "done"),
        TaskState::Cancelled => lang.t("已撤销", "no longer asked"),
    }
}

fn form(html: &mut Html, look: &Look, token: &str, what: &'static str, done: Option<&Done>) {
    let lang = look.lang;
    html.raw("<form method=\"post\" action=\"")
        .text(&look.base)
        .raw("/task/")
        .text(token)
        .raw("?lang=")
        .raw(lang.code());
    html.raw("\"><input type=\"hidden\" name=\"what\" value=\"").raw(what).raw("\"><label>");
    html.text(lang.t("您的姓名", "Your name"));
    html.raw("<input name=\"name\" required minlength=\"2\" maxlength=\"20\" autocomplete=\"name\" value=\"");
    html.text(done.map_or("", |done| &done.name)).raw("\"></label>");
    if what == "report" {
        html.raw("<label>").text(lang.t("办理情况", "What was done"));
        html.raw("<textarea name=\"note\" required maxlength=\"4000\" rows=\"5\">");
        html.text(done.map_or("", |done| &done.note)).raw("</textarea></label>");
        html.el("<button>", lang.t("反馈", "Report"), "</button></form>");
    } else {
        html.el("<button>", lang.t("签收", "Sign for it"), "</button></form>");
    }
}
