//! Problems of attachments.

use axum::http::StatusCode;

use super::problem::Problem;

impl Problem {
    /// The user uploads as much as they may at once.
    pub(super) fn uploads_full() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "uploads-full",
            "You have as many unfinished uploads as one user may. Finish or delete some; nothing was begun.",
            "您未完成的上传已达上限,请先完成或删除部分上传;本次上传未开始。",
        )
    }

    /// The user keeps as many drafts as one may.
    pub(super) fn drafts_full(most: u32) -> Self {
        let (en, zh) = (
            format!("You keep {most} drafts, as many as one user may. Give some up; this one was not kept here."),
            format!("您已保存 {most} 份草稿,达到上限,请先删除部分草稿;本次未保存。"),
        );
        Self::new(StatusCode::CONFLICT, "drafts-full", "There are as many drafts as there may be.", "草稿已达上限。")
            .saying(en, zh)
    }

    /// The case has as many attachments as one may, or as many bytes.
    pub(super) fn attachments_full() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "attachments-full",
            "The case has as many attachments, or as many bytes of them, as one case may. Nothing was begun.",
            "该案件附件数量或总大小已达上限,本次上传未开始。",
        )
    }

    /// The id is that of something else.
    pub(super) fn upload_differs() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "upload-differs",
            "This id is used for an attachment that is described in another way. Make a new id for another file.",
            "该编号已用于另一个附件,请为其他文件生成新的编号。",
        )
    }

    /// It is part of its case.
    pub(super) fn upload_attached() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "upload-attached",
            "This file is attached and part of its case; it stays there.",
            "该文件已附入案件,属于案卷的一部分,不能撤回。",
        )
    }

    /// Parts are missing.
    pub(super) fn upload_incomplete(parts: usize) -> Self {
        let (en, zh) = (
            format!("{parts} parts are missing: ask for this upload to see which, and send them."),
            format!("尚缺 {parts} 块,请查询该上传并补传缺少的部分。"),
        );
        Self::new(StatusCode::CONFLICT, "upload-incomplete", "Parts are missing.", "上传尚未完整。").saying(en, zh)
    }

    /// The bytes are not those that were announced.
    pub(super) fn upload_damaged() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "upload-damaged",
            "What arrived does not have the SHA-256 that was announced. The upload was dropped: begin it again.",
            "收到的内容与所报校验值不符,本次上传已丢弃,请重新上传。",
        )
    }

    /// The bytes do not begin as what they are said to be.
    pub(super) fn upload_of_other_media() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "upload-of-other-media",
            "The file is not what its media type says. The upload was dropped: say what it is, and begin it again.",
            "文件内容与所报类型不符,本次上传已丢弃;请核对文件类型后重新上传。",
        )
    }

    /// It is not here, and may come.
    pub(super) fn attachment_away() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "attachment-away",
            "This attachment is not at this node: it is on its way, or with the owner of the case.",
            "该附件不在本节点:正在传输中,或在案件主办节点。",
        )
    }

    /// Nobody has it.
    pub(super) fn attachment_lost() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "attachment-lost",
            "This attachment is lost: nobody who had the case has it any more. Ask whoever gave it to bring it once more.",
            "该附件已丢失:曾办理该案件的节点均无此附件,请联系提供人重新提交。",
        )
    }

    /// A reason is to be given first.
    pub(super) fn ticket_needed() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "ticket-needed",
            "Give a reason first: POST /api/v1/cases/{id}/attachments/ticket. A ticket holds for 15 minutes.",
            "查看附件须先填写理由;查看凭证 15 分钟内有效,过期请重新填写。",
        )
    }

    /// None of the bytes that are asked for is there.
    pub(super) fn range_beyond() -> Self {
        Self::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "range-not-satisfiable",
            "The range lies beyond the end.",
            "请求的范围超出文件末尾。",
        )
    }
}
