//! The papers of a case and its dossier: what is there as JSON, and what is printed as PDF. What is printed names people, so it asks
//! for a reason like any other look at them, and is in the audit before it is made.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use casework::document::{Desk, Lack, Names, Paper, Story, sheet};
use casework::dossier::{Dossier, SlotView as Slot, State as Filled, blocking};
use casework::{Known, Refusal};
use protocol::division::DivisionCode;
use protocol::id::{CaseId, NodeId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::detail::must_read;
use crate::api::caller::Caller;
use crate::api::extract::{Params, id};
use crate::api::persons::{checked, must_reveal};
use crate::api::problem::{Problem, ProblemBody};
use crate::api::state::ApiState;
use crate::documents::{Job, PRESS};
use crate::person::audit;
use crate::writer::port::Ask;

/// How a paper's address ends.
const PDF: &str = ".pdf";
/// What a browser may do with a PDF: show it, in no frame. The policy of other answers keeps some viewers from showing anything.
const POLICY: &str = "frame-ancestors 'none'";

/// A paper in a slot.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PaperView {
    /// Its word in addresses.
    pub paper: String,
    /// What it is called.
    pub name: String,
    /// The same in English.
    pub name_en: String,
    /// The number of the last event that it tells of.
    pub edition: u32,
}

/// A slot of a dossier.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SlotView {
    /// Its place, from 1.
    pub number: u16,
    /// Its word.
    pub slot: String,
    /// What it is called.
    pub name: String,
    /// The same in English.
    pub name_en: String,
    /// Whether every dossier of this way must have it.
    pub must: bool,
    /// `missing`, `made`, `signed`, `brought` or `excused`.
    pub state: String,
    /// Why nothing is there, as a word.
    pub why: Option<String>,
    /// The same in Chinese.
    pub why_zh: Option<String>,
    /// The same in English.
    pub why_en: Option<String>,
    /// What to do about it, in Chinese.
    pub todo_zh: Option<String>,
    /// The same in English.
    pub todo_en: Option<String>,
    /// The archive waits for it.
    pub holds_up: bool,
    /// The papers that the program makes for it.
    pub papers: Vec<PaperView>,
    /// Ids of what was attached for it.
    pub attachments: Vec<String>,
}

/// The dossier of a case.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DossierView {
    /// The way by which the case is worked.
    pub way: String,
    /// What that is called.
    pub way_name: String,
    /// The same in English.
    pub way_name_en: String,
    /// The edition of the table of slots.
    pub edition: u16,
    /// Nothing that must be there is missing.
    pub complete: bool,
    /// The caller may print them here.
    pub printable: bool,
    /// Its slots, in order.
    pub slots: Vec<SlotView>,
}

/// Why something is printed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Why {
    /// The reason, 2 to 200 characters; it is logged.
    #[serde(default)]
    reason: String,
}

impl Names for ApiState {
    fn division(&self, division: DivisionCode) -> String {
        self.division_name(division)
    }

    fn node(&self, node: NodeId) -> String {
        self.node_name(node)
    }
}

impl SlotView {
    fn of(slot: &Slot) -> Self {
        let (state, why, lack) = match slot.state {
            Filled::Missing(lack) => ("missing", Some((lack.word(), lack.chinese(), lack.english())), Some(lack)),
            Filled::Made => ("made", None, None),
            Filled::Signed => ("signed", None, None),
            Filled::Brought => ("brought", None, None),
            Filled::Excused(ground) => ("excused", Some((ground.word(), ground.chinese(), ground.english())), None),
        };
        let (why, why_zh, why_en) =
            why.map_or((None, None, None), |(w, zh, en)| (Some(w.to_owned()), Some(zh), Some(en)));
        let todo = lack.and_then(Lack::todo);
        let paper = |(paper, edition): &(Paper, u32)| PaperView {
            paper: paper.word().to_owned(),
            name: paper.chinese().to_owned(),
            name_en: paper.english().to_owned(),
            edition: *edition,
        };
        Self {
            number: slot.number,
            slot: slot.row.slot.word().to_owned(),
            name: slot.row.slot.chinese().to_owned(),
            name_en: slot.row.slot.english().to_owned(),
            must: slot.row.must,
            state: state.to_owned(),
            why,
            why_zh,
            why_en,
            todo_zh: todo.map(|(zh, _)| zh.to_owned()),
            todo_en: todo.map(|(_, en)| en.to_owned()),
            holds_up: lack.is_some_and(|lack| slot.waits(lack)),
            attachments: slot.brought.iter().map(ToString::to_string).collect(),
            papers: slot.papers.iter().map(paper).collect(),
        }
    }
}

/// Why a case is not archived: what its dossier lacks, and what to do about it.
pub(super) async fn incomplete(state: &ApiState, case: CaseId) -> Problem {
    let known = match super::dossier::known(state, case).await {
        Ok(known) => known,
        Err(problem) => return problem,
    };
    let lacking = blocking(&known, state.me(), &state.in_force()).into_iter();
    Problem::from(Refusal::DossierIncomplete).naming(lacking.map(|(slot, lack)| {
        let (zh, en) = lack.todo().unwrap_or_default();
        let english = format!("{}: {}; {en}", slot.english(), lack.english());
        (slot.word().to_owned(), english, format!("{}：{}；{zh}", slot.chinese(), lack.chinese()))
    }))
}

/// The dossier of a case for somebody who may see it; none while nothing but an offer is here.
pub(crate) async fn dossier_of(state: &ApiState, caller: &Caller, case: &str) -> Result<DossierView, Problem> {
    let known = must_read(state, caller, id(case)?).await?;
    let held = state.in_force();
    let desk = Desk { me: state.me(), holds: &held, names: state };
    let story = Story::of(&known).ok_or_else(Problem::not_found)?;
    let dossier = Dossier::of(&story, &desk);
    Ok(DossierView {
        way: dossier.way.word().to_owned(),
        way_name: dossier.way.chinese().to_owned(),
        way_name_en: dossier.way.english().to_owned(),
        edition: dossier.edition.number,
        complete: dossier.missing().next().is_none(),
        printable: !state.reads_only && must_reveal(caller, &known).is_ok(),
        slots: dossier.slots.iter().map(SlotView::of).collect(),
    })
}

/// What the dossier of a case holds, what it lacks and why.
#[utoipa::path(get, path = "/api/v1/cases/{id}/dossier", tag = "papers", params(("id" = String, Path)),
    responses((status = 200, body = DossierView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(crate) async fn dossier(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
) -> Result<Json<DossierView>, Problem> {
    Ok(Json(dossier_of(&state, &caller, &case).await?))
}

/// One paper of a case as PDF, ready to be signed; `paper` is its word with `.pdf` behind it. The reason stands in the audit before the
/// answer is given. The same case gives the same bytes.
#[utoipa::path(get, path = "/api/v1/cases/{id}/papers/{paper}", tag = "papers",
    params(("id" = String, Path), ("paper" = String, Path), Why),
    responses((status = 200, body = Vec<u8>, content_type = "application/pdf"), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn paper(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path((case, paper)): Path<(String, String)>,
    Params(why): Params<Why>,
) -> Result<Response, Problem> {
    let known = may_print(&state, &caller, id(&case)?).await?;
    let paper = paper.strip_suffix(PDF).and_then(Paper::of_word).ok_or_else(Problem::not_found)?;
    checked(&why.reason)?;
    let job = job(&state, &known, |story, desk| Ok(Job::paper(story.case.id, &sheet(paper, story, desk)?)))?;
    print(&state, job, &why, &format!("{}-{}", known.id(), paper.word())).await
}

/// The whole dossier of a case as one PDF: cover, index, numbered pages, back. The reason stands in the audit before the answer is
/// given. The same case gives the same bytes.
#[utoipa::path(get, path = "/api/v1/cases/{id}/dossier.pdf", tag = "papers", params(("id" = String, Path), Why),
    responses((status = 200, body = Vec<u8>, content_type = "application/pdf"), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 429, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub(crate) async fn bound(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Path(case): Path<String>,
    Params(why): Params<Why>,
) -> Result<Response, Problem> {
    let known = may_print(&state, &caller, id(&case)?).await?;
    checked(&why.reason)?;
    let job = job(&state, &known, |story, desk| match story.case.report {
        Some(_) => Ok(Job::dossier(story, desk)),
        None if story.owned_by(desk.me) => Err(Lack::Lost),
        None => Err(Lack::Elsewhere),
    })?;
    print(&state, job, &why, &format!("{}-dossier", known.id())).await
}

/// The case, for whoever may see its parties. A process that only reads can write nothing down, and so prints nothing.
async fn may_print(state: &ApiState, caller: &Caller, case: CaseId) -> Result<Known, Problem> {
    let known = must_read(state, caller, case).await?;
    must_reveal(caller, &known)?;
    if state.reads_only {
        return Err(Problem::reads_only(state.store.writer().await.ok().flatten().as_deref()));
    }
    Ok(known)
}

fn job(
    state: &ApiState,
    known: &Known,
    make: impl FnOnce(&Story<'_>, &Desk<'_>) -> Result<Job, Lack>,
) -> Result<Job, Problem> {
    let held = state.in_force();
    let desk = Desk { me: state.me(), holds: &held, names: state };
    let story = Story::of(known).ok_or_else(Problem::not_found)?;
    make(&story, &desk).map_err(Problem::from)
}

async fn print(state: &ApiState, job: Job, why: &Why, name: &str) -> Result<Response, Problem> {
    audit::note(None, Some(&why.reason));
    state.port.ask(Ask::Note).await?;
    let bound = PRESS.bind(&state.config.papers, job).await?;
    if !bound.missing.is_empty() {
        let codes: Vec<String> = bound.missing.iter().map(|c| format!("U+{:04X}", u32::from(*c))).collect();
        tracing::warn!(characters = codes.join(" "), "no font has these characters: a box is printed for each");
    }
    let headers: [(HeaderName, String); 3] = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}{PDF}\"")),
        (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
    ];
    Ok((headers, bound.pdf).into_response())
}
