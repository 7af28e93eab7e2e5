//! What is attached to a case, and whether it is here.

use super::frame::time;
use super::html::Html;
use super::words::Lang;
use crate::api::cases::attachments::view::AttachmentView;

const KIB: i64 = 1024;

/// How far one is, for people.
fn state(lang: Lang, one: &AttachmentView) -> String {
    match one.state {
        "here" => lang.t("在本节点", "here").to_owned(),
        "coming" => {
            let how_far = format!("{}/{}", one.parts_here, one.parts);
            format!("{} {how_far}", lang.t("传输中", "on its way,"))
        }
        "lost" => lang.t("已丢失,请联系提供人重新提交", "lost: ask whoever gave it to bring it again").to_owned(),
        _ => lang.t("在主办节点", "with the owner").to_owned(),
    }
}

/// The attachments of a case; nothing where there are none.
pub(super) fn card(html: &mut Html, lang: Lang, all: &[AttachmentView]) {
    if all.is_empty() {
        return;
    }
    html.raw("<section class=\"card\"><header>").el("<h2>", lang.t("附件", "Attachments"), "</h2></header><dl>");
    for one in all {
        html.raw("<dt>").said(&one.name).raw("</dt><dd>").said(&one.caption).raw(" <span class=\"meta\">");
        html.number((i64::from(one.bytes) + KIB - 1) / KIB).text(" KiB · ").text(&state(lang, one));
        if let Some(at) = &one.at {
            html.raw(" · ").text(&time(at));
        }
        html.raw("</span></dd>");
    }
    html.raw("</dl></section>");
}
