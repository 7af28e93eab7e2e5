//! Publications: what is in force at this node, where it comes from, and publishing from here down.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use casework::publish::{self, Edition, InForce, MAIN, name_fits};
use protocol::bounded::{Blob, Text};
use protocol::publication::{PublicationKind, Published};
use protocol::time::UnixMillis;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::caller::Caller;
use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use super::stamp;
use super::state::ApiState;
use crate::store::publications::PublicationRow;
use crate::writer::port::{Ask, NewPublication};
use crate::writer::publications::remembered;

/// One edition of a publication.
#[derive(Debug, Serialize, ToSchema)]
pub struct EditionView {
    /// `categories`, `codes`, `mapping`, `rules`, `policy`, `calendar`, `units`, `terms`, `measures`; a number for a kind of a later version.
    pub kind: String,
    /// Its name; `main` where there is one of a kind.
    pub name: String,
    /// Its version.
    pub version: u16,
    /// The node that issued it; none: it ships with the program.
    pub issuer: Option<String>,
    /// Name of that node.
    pub issuer_name: Option<String>,
    /// From when it holds.
    pub from: Option<String>,
    /// When it came here.
    pub received_at: Option<String>,
    /// Who published it, when that was done here.
    pub by: Option<String>,
    /// `in_force`; `later`: begins on its day; `superseded`: another edition holds; `withdrawn`: it takes back what its
    /// issuer published; `not_applied`: this program cannot read it, it is kept and passed on.
    pub state: &'static str,
    /// Why it is not applied.
    pub trouble: Option<String>,
    /// The same in Chinese.
    pub trouble_zh: Option<String>,
}

/// What is in force, with its content.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicationView {
    /// Which edition.
    #[serde(flatten)]
    pub edition: EditionView,
    /// Its content.
    #[schema(value_type = Object)]
    pub content: Value,
}

/// Something to be published from here down.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishBody {
    /// `categories`, `codes`, `mapping`, `rules`, `policy`, `calendar`, `units`, `terms`, `measures`.
    pub kind: String,
    /// Its name; left out where there is one of a kind.
    #[serde(default)]
    pub name: Option<String>,
    /// The day from which it holds, `YYYY-MM-DD`; left out: at once.
    #[serde(default)]
    pub from: Option<String>,
    /// Its content; left out to withdraw what this node published before.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub content: Option<Value>,
}

fn state_of(
    holds: &InForce,
    published: &Published,
    now: UnixMillis,
) -> (&'static str, Option<casework::content::Trouble>) {
    let publication = &published.publication;
    let holding = holds.editions.iter().any(|e| is(e, published));
    if holding {
        return ("in_force", None);
    }
    if publication.from.corrected() > now {
        return ("later", None);
    }
    if publication.content.is_empty() {
        return ("withdrawn", None);
    }
    match remembered(publication.kind, &publication.content) {
        Ok(_) => ("superseded", None),
        Err(why) => ("not_applied", Some(why)),
    }
}

fn is(edition: &Edition, published: &Published) -> bool {
    let publication = &published.publication;
    edition.issuer == Some(publication.issuer)
        && (edition.kind, edition.version) == (publication.kind, publication.version)
        && edition.name == publication.name.as_str()
}

fn view(state: &ApiState, holds: &InForce, row: &PublicationRow) -> EditionView {
    let publication = &row.published.publication;
    let (word, trouble) = state_of(holds, &row.published, state.clock.reading().corrected());
    EditionView {
        kind: publication.kind.to_string(),
        name: publication.name.to_string(),
        version: publication.version,
        issuer: Some(publication.issuer.to_string()),
        issuer_name: Some(state.node_name(publication.issuer)),
        from: Some(stamp::rfc3339(publication.from.corrected())),
        received_at: Some(stamp::rfc3339(row.received)),
        by: row.by.clone(),
        state: word,
        trouble: trouble.as_ref().map(ToString::to_string),
        trouble_zh: trouble.map(|why| why.chinese()),
    }
}

fn shipped(holds: &InForce, kind: PublicationKind, name: &str) -> EditionView {
    let holding = holds.editions.iter().any(|e| e.issuer.is_none() && e.kind == kind && e.name == name);
    EditionView {
        kind: kind.to_string(),
        name: name.to_owned(),
        version: 1,
        issuer: None,
        issuer_name: None,
        from: None,
        received_at: None,
        by: None,
        state: if holding { "in_force" } else { "superseded" },
        trouble: None,
        trouble_zh: None,
    }
}

/// Every edition that is held here, and what ships with the program.
#[utoipa::path(get, path = "/api/v1/publications", tag = "publications",
    responses((status = 200, body = Vec<EditionView>), (status = 401, body = ProblemBody)))]
pub(super) async fn list(
    State(state): State<Arc<ApiState>>,
    _caller: Caller,
) -> Result<Json<Vec<EditionView>>, Problem> {
    let holds = state.in_force();
    let mut all: Vec<_> = publish::built_in().map(|(kind, name, _)| shipped(&holds, kind, name)).collect();
    all.extend(state.store.publications().await?.iter().map(|row| view(&state, &holds, row)));
    Ok(Json(all))
}

/// What is in force of a kind and name, with its content.
#[utoipa::path(get, path = "/api/v1/publications/{kind}/{name}", tag = "publications",
    params(("kind" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = PublicationView), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub(super) async fn get(
    State(state): State<Arc<ApiState>>,
    _caller: Caller,
    Path((kind, name)): Path<(String, String)>,
) -> Result<Json<PublicationView>, Problem> {
    let kind = PublicationKind::from_word(&kind).ok_or_else(Problem::not_found)?;
    let holds = state.in_force();
    let edition = holds.editions.iter().find(|e| e.kind == kind && e.name == name).ok_or_else(Problem::not_found)?;
    let (edition, content) = if edition.issuer.is_none() {
        let content = publish::built_in().find(|(k, n, _)| *k == kind && *n == name).map(|(_, _, c)| c);
        (shipped(&holds, kind, &name), content.unwrap_or_default().as_bytes().to_vec())
    } else {
        let rows = state.store.publications().await?;
        let row = rows.iter().find(|row| is(edition, &row.published)).ok_or_else(Problem::not_found)?;
        (view(&state, &holds, row), row.published.publication.content.to_vec())
    };
    let content = serde_json::from_slice(&content).map_err(|_| Problem::internal())?;
    Ok(Json(PublicationView { edition, content }))
}

/// Publishes something from this node down: the next version, signed, in force here at once and below as it arrives.
#[utoipa::path(post, path = "/api/v1/publications", tag = "publications", request_body = PublishBody,
    responses((status = 201, body = EditionView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn publish(
    State(state): State<Arc<ApiState>>,
    caller: Caller,
    Body(body): Body<PublishBody>,
) -> Result<(StatusCode, Json<EditionView>), Problem> {
    caller.must_administer()?;
    let new = wanted(body, caller.name)?;
    let (kind, name) = (new.kind, new.name.clone());
    if new.content.is_empty() && !own(&state, kind, &name).await?.any_content() {
        return Err(Problem::field("content", "there is nothing to withdraw", "本节点没有可撤回的发布"));
    }
    state.port.ask(Ask::Publish(Box::new(new))).await?;
    let holds = state.in_force();
    let latest = own(&state, kind, &name).await?.0.pop().ok_or_else(Problem::internal)?;
    Ok((StatusCode::CREATED, Json(view(&state, &holds, &latest))))
}

/// What this node itself published of a kind and name, versions ascending.
struct Own(Vec<PublicationRow>);

impl Own {
    fn any_content(&self) -> bool {
        self.0.last().is_some_and(|row| !row.published.publication.content.is_empty())
    }
}

async fn own(state: &ApiState, kind: PublicationKind, name: &Text<60>) -> Result<Own, Problem> {
    let mut rows = state.store.publications().await?;
    rows.retain(|row| {
        let publication = &row.published.publication;
        publication.issuer == state.me() && publication.kind == kind && publication.name == *name
    });
    Ok(Own(rows))
}

/// What is to be published, read and checked.
fn wanted(body: PublishBody, by: String) -> Result<NewPublication, Problem> {
    let kind = PublicationKind::from_word(&body.kind)
        .ok_or_else(|| Problem::field("kind", "there is no such kind", "没有该发布类型"))?;
    let name = body.name.unwrap_or_else(|| MAIN.to_owned());
    if !name_fits(kind, &name) {
        let en = "a list or mapping table has a name of small letters, digits and hyphens; everything else has none";
        return Err(Problem::field("name", en, "代码表与对照表的名称由小写字母、数字和连字符组成;其他类型不填"));
    }
    let too_long = |_| Problem::field("name", "at most 60 characters", "最多 60 个字符");
    let name: Text<60> = Text::new(name).map_err(too_long)?;
    let from = match body.from {
        None => None,
        Some(text) => {
            let day = stamp::parse_day(&text);
            Some(
                day.map(stamp::begin)
                    .ok_or_else(|| Problem::field("from", "a day YYYY-MM-DD", "日期格式 YYYY-MM-DD"))?,
            )
        }
    };
    let bytes = body.content.map(|content| content.to_string().into_bytes()).unwrap_or_default();
    if !bytes.is_empty() {
        publish::read(kind, &bytes)?;
    }
    let content = Blob::new(bytes).map_err(|_| Problem::field("content", "larger than 256 KiB", "内容超过 256 KiB"))?;
    Ok(NewPublication { kind, name, from, content, by })
}
