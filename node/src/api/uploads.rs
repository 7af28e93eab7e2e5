//! Uploading attachments (附件), in parts that may come in any order and more than once, before the report of the case or after it.
//! Only who began an upload sees it. A case out of the caller's sight is like one that is not here yet.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as Extracted};
use axum::http::StatusCode;
use casework::attachment::ATTACHED_MAX;
use casework::document::SheetCode;
use casework::{ActionName, Command, Known, Me, Place, Refusal};
use protocol::attachment::{Attachment, Media, Sha256};
use protocol::bounded::Text;
use protocol::id::{AttachmentId, CaseId};
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::caller::Caller;
use super::cases::attachments::view::AttachmentView;
use super::cases::detail::must_see;
use super::extract::{Body, id};
use super::problem::{Problem, ProblemBody};
use super::state::ApiState;
use crate::attachment::sheet;
use crate::attachment::whole::Verdict;
use crate::store::attachments::{Bounds, Change, Held, State};
use crate::writer::port::{Ask, Failed};

/// Where parts are put.
pub(super) const PART_PATH: &str = "/api/v1/uploads/{id}/parts/{number}";
/// Uploads of one user that are not attached yet.
const OF_USER_MAX: u32 = 32;

/// What is to be uploaded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadBody {
    /// The case, by the id that its report has or will have.
    #[schema(value_type = String)]
    pub case: CaseId,
    /// The name of the file, 1 to 120 characters.
    #[schema(value_type = String)]
    pub name: Text<120>,
    /// What it shows, at most 400 characters.
    #[serde(default)]
    #[schema(value_type = String)]
    pub caption: Text<400>,
    /// Its media type: `image/jpeg`, `image/png`, `image/webp`, `image/heic`, `audio/amr`, `audio/mp4`, `audio/mpeg`, `audio/ogg`,
    /// `audio/wav`, `video/mp4`, `application/pdf`, `application/ofd`, or that of a docx or xlsx.
    pub media: String,
    /// How many bytes it has.
    pub bytes: u32,
    /// SHA-256 of them, in hexadecimal.
    #[schema(value_type = String)]
    pub sha256: Sha256,
}

impl UploadBody {
    fn attachment(self, id: AttachmentId, largest: u32) -> Result<Attachment, Problem> {
        let Some(media) = Media::named(&self.media) else {
            let all = Media::names().collect::<Vec<_>>().join(", ");
            return Err(Problem::field("media", &format!("one of: {all}"), "不支持该文件类型"));
        };
        if self.bytes == 0 || self.bytes > largest {
            let (en, zh) = (format!("1 to {largest} bytes"), format!("文件大小应为 1 至 {largest} 字节"));
            return Err(Problem::field("bytes", &en, &zh));
        }
        let Self { name, caption, bytes, sha256, .. } = self;
        let attachment = Attachment { id, sha256, bytes, media, name, caption };
        if attachment.is_sound() {
            Ok(attachment)
        } else {
            Err(Problem::field("name", "a name is needed", "请填写文件名"))
        }
    }
}

/// A case that is here, and that the caller may see.
async fn seen(state: &ApiState, caller: &Caller, case: CaseId) -> Result<Option<Known>, Problem> {
    match must_see(state, caller, case).await {
        Ok(known) => Ok(Some(known)),
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// Refuses to attach to a case that is seen and to which nothing may be attached now.
async fn may_attach(state: &ApiState, caller: &Caller, case: CaseId) -> Result<(), Problem> {
    let Some(known) = seen(state, caller, case).await? else { return Ok(()) };
    let me = Me { node: state.me(), division: state.config.node.division };
    Ok(casework::may(&known, me, &caller.actor(), &state.in_force(), ActionName::Attach)?)
}

/// An upload of the caller; of others there is none.
async fn own(state: &ApiState, caller: &Caller, upload: &str) -> Result<Held, Problem> {
    state.store.upload(&caller.name, id(upload)?).await?.ok_or_else(Problem::not_found)
}

async fn shown(state: &ApiState, held: &Held) -> Result<Json<AttachmentView>, Problem> {
    Ok(Json(AttachmentView::upload(held, &state.store.attachment_parts(held).await?)))
}

/// Begins an upload. Sent again it is the same upload, as long as it says the same.
#[utoipa::path(put, path = "/api/v1/uploads/{id}", tag = "attachments", params(("id" = String, Path)),
    request_body = UploadBody,
    responses((status = 200, body = AttachmentView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn begin(
    Extracted(state): Extracted<Arc<ApiState>>,
    caller: Caller,
    Path(upload): Path<String>,
    Body(body): Body<UploadBody>,
) -> Result<Json<AttachmentView>, Problem> {
    let (upload, case): (AttachmentId, _) = (id(&upload)?, body.case);
    let settings = state.config.attachments;
    let attachment = body.attachment(upload, settings.largest_bytes())?;
    if let Some(held) = state.store.upload(&caller.name, upload).await? {
        return same(&state, &held, case, &attachment).await;
    }
    may_attach(&state, &caller, case).await?;
    let of_case = u32::try_from(ATTACHED_MAX).unwrap_or(u32::MAX);
    let bounds = Bounds { of_user: OF_USER_MAX, of_case, case_bytes: settings.case_bytes() };
    let change = Change::Begin { case, attachment: attachment.clone(), by: caller.name.clone(), bounds };
    state.port.ask(Ask::Attachment(Box::new(change))).await?;
    match state.store.upload(&caller.name, upload).await? {
        Some(held) => same(&state, &held, case, &attachment).await,
        None => Err(not_begun(&state, &caller, case, upload).await?),
    }
}

async fn same(
    state: &ApiState,
    held: &Held,
    case: CaseId,
    attachment: &Attachment,
) -> Result<Json<AttachmentView>, Problem> {
    if held.case == case && held.secret.attachment == *attachment {
        return shown(state, held).await;
    }
    Err(Problem::upload_differs())
}

/// Why the writer did not begin it.
async fn not_begun(state: &ApiState, caller: &Caller, case: CaseId, upload: AttachmentId) -> Result<Problem, Problem> {
    Ok(match () {
        () if state.store.attachment(case, upload).await?.is_some() => Problem::upload_differs(),
        () if state.store.uploads_of(&caller.name).await? >= u64::from(OF_USER_MAX) => Problem::uploads_full(),
        () => Problem::attachments_full(),
    })
}

/// How far an upload is, and which parts are missing.
#[utoipa::path(get, path = "/api/v1/uploads/{id}", tag = "attachments", params(("id" = String, Path)),
    responses((status = 200, body = AttachmentView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub(super) async fn detail(
    Extracted(state): Extracted<Arc<ApiState>>,
    caller: Caller,
    Path(upload): Path<String>,
) -> Result<Json<AttachmentView>, Problem> {
    shown(&state, &own(&state, &caller, &upload).await?).await
}

/// Takes a part in: 256 KiB, the last what is left. A part that is here already stays, and the answer is the same.
#[utoipa::path(put, path = "/api/v1/uploads/{id}/parts/{number}", tag = "attachments",
    params(("id" = String, Path), ("number" = u16, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn part(
    Extracted(state): Extracted<Arc<ApiState>>,
    caller: Caller,
    Path((upload, number)): Path<(String, String)>,
    bytes: Bytes,
) -> Result<StatusCode, Problem> {
    let held = own(&state, &caller, &upload).await?;
    let number: u16 = id(&number)?;
    let wanted = held.secret.attachment.part_bytes(number).ok_or_else(Problem::not_found)?;
    if bytes.len() != wanted {
        let (en, zh) = (format!("part {number} has {wanted} bytes"), format!("第 {number} 块应为 {wanted} 字节"));
        return Err(Problem::field("part", &en, &zh));
    }
    if held.state == State::Open {
        let sealed = held.secret.seal(number, bytes.to_vec()).map_err(|_| Problem::internal())?;
        state.port.ask(Ask::Attachment(Box::new(Change::Part { id: held.id(), number, sealed }))).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Ends an upload: all parts are here, their hash is right, and they begin as what they are said to be. It is attached when its
/// case is here, else when the report is filed. Sent again it gives the same answer.
#[utoipa::path(post, path = "/api/v1/uploads/{id}/finish", tag = "attachments", params(("id" = String, Path)),
    responses((status = 200, body = AttachmentView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub(super) async fn finish(
    Extracted(state): Extracted<Arc<ApiState>>,
    caller: Caller,
    Path(upload): Path<String>,
) -> Result<Json<AttachmentView>, Problem> {
    let mut held = own(&state, &caller, &upload).await?;
    if held.state == State::Open {
        check(&state, held).await?;
        held = own(&state, &caller, &upload).await?;
    }
    if held.state == State::Whole && seen(&state, &caller, held.case).await?.is_some() {
        attach(&state, &caller, &held).await?;
        held = own(&state, &caller, &upload).await?;
    }
    shown(&state, &held).await
}

/// Looks at all bytes of an upload. One that is not what it was to be is dropped: nobody can mend it.
async fn check(state: &ApiState, held: Held) -> Result<(), Problem> {
    let missing = held.missing(&state.store.attachment_parts(&held).await?);
    if !missing.is_empty() {
        return Err(Problem::upload_incomplete(missing.len()));
    }
    let verdict = state.store.attachment_verdict(&held).await?;
    let change = match verdict {
        Verdict::Whole => Change::Whole(Box::new(held)),
        Verdict::OtherBytes | Verdict::OtherMedia => Change::Drop(Box::new(held)),
    };
    state.port.ask(Ask::Attachment(Box::new(change))).await?;
    match verdict {
        Verdict::Whole => Ok(()),
        Verdict::OtherBytes => Err(Problem::upload_damaged()),
        Verdict::OtherMedia => Err(Problem::upload_of_other_media()),
    }
}

/// Attaches an upload that is whole; one that is attached already stays so.
async fn attach(state: &ApiState, caller: &Caller, held: &Held) -> Result<(), Problem> {
    let attachment = held.secret.attachment.clone();
    match state.port.act(held.case, Command::Attach { attachment }, caller.actor()).await {
        Ok(_) => file(state, caller, held).await,
        Err(Failed::Refused(Refusal::NothingChanges)) => Ok(()),
        Err(failed) => Err(failed.into()),
    }
}

/// Files the scan of a printed sheet where the code on it says. One whose code says something else, or cannot be read, stays an
/// attachment that people file by hand.
async fn file(state: &ApiState, caller: &Caller, held: &Held) -> Result<(), Problem> {
    let Some(code) = code_on(state, held).await? else { return Ok(()) };
    let place = Command::Place { attachment: held.secret.attachment.id, place: Place::Sheet(code) };
    match state.port.act(held.case, place, caller.actor()).await {
        Ok(_) => Ok(()),
        Err(Failed::Refused(refusal)) => {
            tracing::info!(case = %held.case, code = refusal.code(), "a scanned sheet was not filed");
            Ok(())
        }
        Err(failed) => Err(failed.into()),
    }
}

/// Pictures that are looked at, at once: each takes a core and hundreds of megabytes for a moment.
static LOOKS: Semaphore = Semaphore::const_new(1);

/// The code of the sheet that a picture shows, if it is one.
async fn code_on(state: &ApiState, held: &Held) -> Result<Option<SheetCode>, Problem> {
    let attachment = &held.secret.attachment;
    let media = attachment.media;
    if !sheet::is_looked_at(media, attachment.bytes) {
        return Ok(None);
    }
    let Ok(_turn) = LOOKS.acquire().await else { return Ok(None) };
    let mut bytes = Vec::new();
    for number in 0..attachment.parts() {
        match state.store.attachment_part(held, number).await? {
            Some(part) => bytes.extend_from_slice(&part),
            None => return Ok(None),
        }
    }
    Ok(tokio::task::spawn_blocking(move || sheet::code_in(media, &bytes)).await.ok().flatten())
}

/// After a report: attaches what its reporter had uploaded for it. What cannot be attached stays as it is, and says why when
/// it is finished once more.
pub(super) async fn attach_waiting(state: &ApiState, caller: &Caller, case: CaseId) -> Result<(), Problem> {
    for (held, _) in state.store.attachments(case).await? {
        if held.state == State::Whole
            && held.by.as_deref() == Some(&caller.name)
            && let Err(problem) = attach(state, caller, &held).await
        {
            tracing::warn!(%case, code = problem.code(), "an upload that waited for its case was not attached");
        }
    }
    Ok(())
}

/// Gives an upload up. One that is attached is part of the case and stays.
#[utoipa::path(delete, path = "/api/v1/uploads/{id}", tag = "attachments", params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub(super) async fn give_up(
    Extracted(state): Extracted<Arc<ApiState>>,
    caller: Caller,
    Path(upload): Path<String>,
) -> Result<StatusCode, Problem> {
    let held = own(&state, &caller, &upload).await?;
    if !matches!(held.state, State::Open | State::Whole) {
        return Err(Problem::upload_attached());
    }
    state.port.ask(Ask::Attachment(Box::new(Change::Drop(Box::new(held))))).await?;
    Ok(StatusCode::NO_CONTENT)
}
