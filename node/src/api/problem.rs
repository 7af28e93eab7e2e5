//! Errors as RFC 9457 problems with codes that stay.

use std::borrow::Cow;
use std::num::NonZeroU32;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use casework::content::Trouble;
use casework::document::Lack;
use casework::{Fault, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::documents::NotMade;
use crate::store::StoreError;
use crate::writer::parcels::ParcelRefused;
use crate::writer::port::Failed;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A problem as it is sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// URN that ends with the code.
    #[serde(rename = "type")]
    kind: String,
    /// What went wrong, in English, the same for every problem of this code.
    title: String,
    /// HTTP status.
    status: u16,
    /// Stable code for programs.
    code: String,
    /// This case of it, in English.
    detail: String,
    /// This case of it, in Chinese.
    detail_zh: String,
    /// The fields that are wrong, where it is about fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Its path, e.g. `units[3].code`.
    field: String,
    /// What is wrong, in English.
    detail: String,
    /// The same in Chinese.
    detail_zh: String,
}

/// A request that was not done.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    title: &'static str,
    detail: Cow<'static, str>,
    detail_zh: Cow<'static, str>,
    errors: Vec<FieldProblem>,
    /// Seconds until it makes sense to try again.
    retry_after: Option<NonZeroU32>,
}

/// The code of a problem, beside its answer: the audit says it.
#[derive(Debug, Clone)]
pub struct Code(pub String);

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, title: &'static str, zh: &'static str) -> Self {
        Self {
            status,
            code: code.into(),
            title,
            detail: title.into(),
            detail_zh: zh.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Not logged in.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not-logged-in", "Log in first.", "请先登录。")
    }

    /// The log-in failed: one answer for a wrong name, a wrong password and a user who may not log in.
    pub fn log_in_failed() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "log-in-failed", "Name or password is wrong.", "用户名或密码不正确。")
    }

    /// The password is right, and a code of the second factor is needed.
    pub fn code_required() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "code-required",
            "Enter the code of your authenticator, or a recovery code.",
            "请输入动态验证码或恢复码。",
        )
    }

    /// Too many attempts or requests; the same whether a user exists or not.
    pub fn too_many(wait_ms: u64) -> Self {
        let base = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many",
            "Too many attempts. Wait a moment; nothing was changed.",
            "操作过于频繁,请稍候再试;内容没有任何改动。",
        );
        let seconds = u32::try_from(wait_ms.div_ceil(1_000)).unwrap_or(u32::MAX);
        Self { retry_after: Some(NonZeroU32::new(seconds).unwrap_or(NonZeroU32::MIN)), ..base }
    }

    /// Before anything else, the password must be changed.
    pub fn password_change_required() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "password-change-required",
            "Change your password first: POST /api/v1/me/password.",
            "请先修改密码。",
        )
    }

    /// Before anything else, a second factor must be set up.
    pub fn second_factor_required() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "second-factor-required",
            "Your role needs a second factor; set it up first: POST /api/v1/me/second-factor.",
            "您的角色要求二次验证,请先绑定动态验证码。",
        )
    }

    /// A browser sent this from another site.
    pub fn cross_site() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "cross-site",
            "This request came from another site and was not done.",
            "该请求来自其他网站,未予执行。",
        )
    }

    /// Somebody must follow who leaves.
    pub fn successor_needed(detail: impl Into<String>) -> Self {
        let base = Self::new(
            StatusCode::CONFLICT,
            "successor-needed",
            "This user is the last one with a role that open cases wait for. Hand their work over first.",
            "该用户是在办案件所需角色的最后一人,请先交接工作。",
        );
        Self { detail: detail.into().into(), ..base }
    }

    /// It is not the time for this.
    pub fn conflict(title: &'static str, zh: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, "not-now", title, zh)
    }

    /// The role is missing.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "role-missing", "Your roles do not allow this.", "您的角色无权进行此操作。")
    }

    /// Nothing here, or nothing that the caller may know of.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing here.", "未找到该内容。")
    }

    /// The method is not offered here.
    pub fn method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "This address has no such method.",
            "该地址不支持此方法。",
        )
    }

    /// The body or a parameter cannot be understood.
    pub fn malformed(detail: impl Into<String>) -> Self {
        let base =
            Self::new(StatusCode::BAD_REQUEST, "malformed", "The request cannot be understood.", "请求内容无法识别。");
        Self { detail: detail.into().into(), ..base }
    }

    /// Says more, in both languages.
    pub(super) fn adding(self, en: &str, zh: &str) -> Self {
        let (detail, detail_zh) = (format!("{} {en}", self.detail), format!("{}{zh}", self.detail_zh));
        Self { detail: detail.into(), detail_zh: detail_zh.into(), ..self }
    }

    /// A value is out of its bounds.
    pub fn invalid(detail: impl Into<String>) -> Self {
        let base = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "A value is not acceptable.",
            "有字段内容不符合要求。",
        );
        Self { detail: detail.into().into(), ..base }
    }

    /// A value is not acceptable, for a reason that people should read in their own language.
    pub fn unacceptable(en: impl Into<String>, zh: &'static str) -> Self {
        Self { detail_zh: zh.into(), ..Self::invalid(en) }
    }

    /// One field cannot be accepted.
    pub fn field(field: impl Into<String>, en: &str, zh: &str) -> Self {
        let field = field.into();
        let base = Self::invalid(format!("{field}: {en}"));
        let detail_zh = format!("{field}:{zh}").into();
        let errors = vec![FieldProblem { field, detail: en.to_owned(), detail_zh: zh.to_owned() }];
        Self { detail_zh, errors, ..base }
    }

    /// Too much.
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The request is larger than 1 MiB.", "请求超过 1 MiB。")
    }

    /// The body is no JSON by its own account.
    pub fn not_json() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not-json",
            "Send the body as application/json.",
            "请以 application/json 提交。",
        )
    }

    /// An idempotency key with another request.
    pub fn key_reused() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            "This idempotency key was used for another request.",
            "该幂等键已用于另一个请求。",
        )
    }

    /// An idempotency key whose request is still being worked on.
    pub fn key_in_use() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "idempotency-key-in-use",
            "The first request with this idempotency key is still being worked on.",
            "使用该幂等键的请求仍在处理中。",
        )
    }

    /// Trust does not allow it; the text says why and what to do.
    pub fn trust(why: String) -> Self {
        let base = Self::new(StatusCode::CONFLICT, "trust", "This cannot be done.", "无法执行此操作,原因见英文说明。");
        Self { detail: why.into(), ..base }
    }

    /// The node could not do it; nothing was saved.
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not-saved",
            "Nothing was saved. Try again, then call the operator.",
            "内容未保存,请重试;如仍失败请联系运维人员。",
        )
    }

    /// The disk is full; nothing was saved, and nothing else was lost.
    pub fn no_room() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "no-room",
            "Nothing was saved: the disk of this node is full. What was saved before is safe and can be read. Call the \
             operator to make room, then send it again.",
            "内容未保存:本节点磁盘已满。此前已保存的内容是安全的,可照常查阅;请联系运维人员腾出空间后再提交。",
        )
    }

    /// It took longer than a request may.
    pub fn too_slow() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too-slow",
            "The node took too long. What was asked may have been done all the same: look before you send it again.",
            "处理超时,所提交的操作可能已经完成,请先查看结果,再决定是否重新提交。",
        )
    }

    /// The node that keeps a pack's users does not run, so nobody can be told apart.
    pub fn people_away() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "people-away",
            "Nobody can log in for now. What was saved is safe; call the operator.",
            "暂时无法登录,已保存的内容是安全的,请联系运维人员。",
        )
    }

    /// This process only reads; `writer`: which one writes.
    pub fn reads_only(writer: Option<&str>) -> Self {
        let base = Self::new(
            StatusCode::CONFLICT,
            "reads-only",
            "This process only reads. Send this to the process that writes the node.",
            "此进程仅供查询,请在负责写入的进程上办理。",
        );
        match writer {
            None => base,
            Some(writer) => Self {
                detail: format!("{} It is: {writer}.", base.detail).into(),
                detail_zh: format!("{}负责写入的是:{writer}。", base.detail_zh).into(),
                ..base
            },
        }
    }

    /// A bug or a damaged row; the log says more.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The node failed. Its log says why.",
            "节点内部错误,详见日志。",
        )
    }

    /// The same about this case of it.
    pub(super) fn saying(self, en: String, zh: String) -> Self {
        Self { detail: en.into(), detail_zh: zh.into(), ..self }
    }

    /// The same, naming what is wrong: field, in English, in Chinese.
    pub(super) fn naming(self, fields: impl IntoIterator<Item = (String, String, String)>) -> Self {
        let problem = |(field, detail, detail_zh)| FieldProblem { field, detail, detail_zh };
        Self { errors: fields.into_iter().map(problem).collect(), ..self }
    }

    /// As it is sent.
    pub fn body(self) -> ProblemBody {
        ProblemBody {
            kind: format!("urn:wuji:problem:{}", self.code),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            code: self.code.into_owned(),
            detail: self.detail.into_owned(),
            detail_zh: self.detail_zh.into_owned(),
            errors: self.errors,
        }
    }

    /// Its code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What went wrong, for a page.
    pub fn text(&self, chinese: bool) -> &str {
        if chinese { &self.detail_zh } else { &self.detail }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request failed at the database");
        match error {
            StoreError::NoRoom(_) => Self::no_room(),
            StoreError::Damaged { .. } | StoreError::NoVault | StoreError::Vault(_) => Self::internal(),
            StoreError::Database(_)
            | StoreError::Migrate(_)
            | StoreError::Held { .. }
            | StoreError::LeaseLost
            | StoreError::Version { .. }
            | StoreError::Newer { .. } => Self::unavailable(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, title) = match (refusal, refusal.fault()) {
            (Refusal::UnknownCase, _) => return Self::not_found(),
            (Refusal::RoleMissing, _) => return Self::forbidden(),
            (Refusal::Restricted, _) => (StatusCode::FORBIDDEN, "The case is restricted to named readers."),
            (Refusal::Changed, _) => (StatusCode::PRECONDITION_FAILED, "The case has gone on."),
            (_, Fault::Person) => (StatusCode::UNPROCESSABLE_ENTITY, "The rules of cases do not allow this."),
            (_, Fault::State) => (StatusCode::CONFLICT, "The case is not in a state for this."),
            (_, Fault::Peer) => (StatusCode::CONFLICT, "What another node sent does not hold."),
        };
        let errors = refusal.field().map(|field| FieldProblem {
            field: field.to_owned(),
            detail: refusal.to_string(),
            detail_zh: refusal.chinese().to_owned(),
        });
        Self {
            status,
            code: refusal.code().into(),
            title,
            detail: refusal.to_string().into(),
            detail_zh: refusal.chinese().into(),
            errors: errors.into_iter().collect(),
            retry_after: None,
        }
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        let base = Self::invalid(trouble.to_string());
        let detail_zh = trouble.chinese().into();
        let errors = match trouble {
            Trouble::Fields(fields) => {
                fields.into_iter().map(|f| FieldProblem { field: f.path, detail: f.en, detail_zh: f.zh }).collect()
            }
            Trouble::NewerSchema(_) | Trouble::UnknownKind(_) => Vec::new(),
        };
        Self { detail_zh, errors, ..base }
    }
}

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(refusal) => refusal.into(),
            Failed::Parcel(refused) => refused.into(),
            Failed::Trust(why) => Self::trust(why),
            Failed::TallyOutOfRange => Self::invalid(failed.to_string()),
            Failed::NoRoom => Self::no_room(),
            Failed::Store | Failed::Stopping => Self::unavailable(),
        }
    }
}

impl From<Lack> for Problem {
    fn from(lack: Lack) -> Self {
        let title = "There is no such paper of this case.";
        let base = Self::new(StatusCode::CONFLICT, "no-such-paper", title, "本案没有该文书。");
        let detail_zh = format!("本案没有该文书：{}。", lack.chinese()).into();
        Self { detail: format!("There is no such paper of this case: {}.", lack.english()).into(), detail_zh, ..base }
    }
}

impl From<NotMade> for Problem {
    fn from(why: NotMade) -> Self {
        match why {
            NotMade::Busy => Self::too_many(2_000),
            NotMade::TooLong => {
                Self::unacceptable("the paper is too long to be printed in one piece", "文书过长，无法打印。")
            }
            NotMade::Stopping => Self::unavailable(),
            NotMade::NoFont(why) => {
                let title = "Nothing can be printed at this node: it has no fonts for it.";
                let zh = "本节点未安装中文字体，无法打印；请联系运维人员安装 fonts-noto-cjk。";
                let base = Self::new(StatusCode::SERVICE_UNAVAILABLE, "no-font", title, zh);
                Self { detail: format!("{title} {why}").into(), ..base }
            }
            NotMade::Trouble(why) => {
                tracing::error!(%why, "a paper could not be laid out");
                Self::internal()
            }
        }
    }
}

impl From<ParcelRefused> for Problem {
    fn from(refused: ParcelRefused) -> Self {
        let base = Self::invalid(refused.to_string());
        Self { code: refused.code().into(), detail_zh: refused.chinese().into(), ..base }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (code, retry_after) = (self.code.to_string(), self.retry_after);
        let (status, body) = (self.status, self.body());
        let mut response = (status, axum::Json(body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.get().into());
        }
        response.extensions_mut().insert(Code(code));
        response
    }
}
