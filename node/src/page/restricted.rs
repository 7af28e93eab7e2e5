//! Restricted cases on pages: who reads one, and which the person who looks may read.

use super::View;
use super::frame::{level, tail, time};
use super::html::Html;
use super::words::Lang;
use crate::api::cases::restricted::{ReadableView, readable};
use crate::api::cases::view::CaseView;
use crate::api::problem::Problem;

/// On the page of a case: that it is restricted, why, and who reads it.
pub(super) fn card(html: &mut Html, lang: Lang, case: &CaseView) {
    let Some(restricted) = case.restricted.as_ref() else { return };
    let names = case.next_actions.iter().any(|action| action == "name_reader");
    html.raw("<section class=\"card\"><header>").el("<h2>", lang.t("受限案件", "Restricted case"), "</h2>");
    if let Some(ground) = &restricted.ground {
        html.el("<span class=\"chip\">", lang.word(ground), "</span>");
    }
    html.raw("</header>");
    if let Some(against) = &restricted.against {
        html.raw("<p>").text(lang.t("所反映单位:", "About people of: ")).said(against).raw("</p>");
    }
    let told = match (restricted.reads, names) {
        (true, _) => lang.t(
            "仅下列知情人可查看内容和办理;上级和列表只见等级与编号。",
            "Only these readers see what it says and work on it; levels above and lists have its level and number.",
        ),
        (false, true) => lang.t(
            "您尚未列为本案知情人,只能看到等级、环节和期限。您可以指定知情人,包括本人;指定情况留有记录。",
            "You are not a reader of this case yet: you see its level, step and terms. You can name readers, yourself among them; that is on record.",
        ),
        (false, false) => lang.t(
            "您不是本案知情人,只能看到等级、环节和期限。如需办理,请由本级分管领导指定。",
            "You are not a reader of this case: you see its level, step and terms. A supervisor of this node can name you.",
        ),
    };
    html.el("<p class=\"note\">", told, "</p><ul>");
    for reader in &restricted.readers {
        html.raw("<li>").said(&reader.name).raw(" <span class=\"meta\">");
        html.text(lang.t("由 ", "named by "))
            .said(&reader.by)
            .text(lang.t(" 指定 · ", " · "))
            .text(&time(&reader.since));
        if let Some(until) = &reader.until {
            html.text(lang.t(" · 已取消 ", " · until ")).text(&time(until));
        }
        html.raw("</span></li>");
    }
    if restricted.readers.is_empty() {
        html.el("<li class=\"note\">", lang.t("尚未指定知情人", "Nobody is named yet"), "</li>");
    }
    html.raw("</ul></section>");
}

/// On the first page: what lists show as an alias, to those who may read it.
pub(super) async fn mine(view: &View) -> Result<Html, Problem> {
    let (cases, lang, mut html) = (readable(&view.state, &view.caller).await?, view.lang, Html::default());
    if cases.is_empty() {
        return Ok(html);
    }
    html.raw("<section class=\"card\"><header>").el(
        "<h2>",
        lang.t("我知情的受限案件", "Restricted cases that you may read"),
        "</h2>",
    );
    html.raw("</header><ul>");
    for case in &cases {
        line(&mut html, view, case);
    }
    html.raw("</ul></section>");
    Ok(html)
}

fn line(html: &mut Html, view: &View, case: &ReadableView) {
    let lang = view.lang;
    html.raw("<li>");
    level(html, lang, &case.line.level);
    html.raw(" <a href=\"")
        .text(&view.base)
        .raw("/cases/")
        .text(&case.line.id)
        .raw("?lang=")
        .raw(lang.code())
        .raw("\">");
    html.said(if case.title.is_empty() { tail(&case.line.id) } else { &case.title }).raw("</a> <span class=\"meta\">");
    html.text(case.ground.as_deref().map_or("", |ground| lang.word(ground))).raw(" · ");
    html.text(lang.word(&case.line.step)).raw(" · ").said(&case.line.place_name).raw("</span></li>");
}
