//! The dossier on the page of a case: what is there, what is missing and why, and what can be printed.

use super::View;
use super::html::Html;
use super::words::Lang;
use crate::api::cases::papers::{DossierView, PaperView, SlotView, dossier_of};
use crate::api::problem::Problem;

/// For what papers are printed: the reason that goes into the audit.
const REASONS: [(&str, &str); 4] = [
    ("立卷归档", "For the file"),
    ("交当事人签名", "To be signed by the parties"),
    ("送达当事人", "To be given to the parties"),
    ("上级检查", "For an inspection"),
];

/// The card; none of a case of which nothing but an offer is here.
pub(super) async fn card(html: &mut Html, view: &View, case: &str) -> Result<(), Problem> {
    let dossier = match dossier_of(&view.state, &view.caller, case).await {
        Ok(dossier) => dossier,
        Err(problem) if problem.status() == axum::http::StatusCode::NOT_FOUND => return Ok(()),
        Err(problem) => return Err(problem),
    };
    let lang = view.lang;
    heading(html, lang, &dossier);
    // One reason for whatever is printed; each button names its paper.
    html.raw("<form method=\"get\" target=\"_blank\" action=\"");
    address(html, view, case).raw("/dossier.pdf\">");
    if dossier.printable {
        reasons(html, lang);
    }
    html.raw("<ol class=\"slots\">");
    for slot in &dossier.slots {
        slot_item(html, lang, slot);
        for paper in slot.papers.iter().filter(|_| dossier.printable) {
            button(html, view, case, paper);
        }
        html.raw("</div></li>");
    }
    html.raw("</ol></form></section>");
    Ok(())
}

fn heading(html: &mut Html, lang: Lang, dossier: &DossierView) {
    html.raw("<section class=\"card\" id=\"dossier\"><header>").el("<h2>", lang.t("一案一卷", "Dossier"), "</h2>");
    let way = if lang == Lang::En { &dossier.way_name_en } else { &dossier.way_name };
    html.raw("<span class=\"note\">").text(way).raw(" · ");
    let missing = dossier.slots.iter().filter(|slot| slot.must && slot.state == "missing").count();
    match missing {
        0 => html.text(lang.t("必备材料齐全", "nothing is missing")),
        _ => {
            html.text(lang.t("缺少必备材料 ", "missing: ")).number(super::frame::count(missing)).text(lang.t(" 项", ""))
        }
    };
    html.raw("</span></header>");
}

fn address<'h>(html: &'h mut Html, view: &View, case: &str) -> &'h mut Html {
    html.text(&view.base).raw("/api/v1/cases/").text(case)
}

fn reasons(html: &mut Html, lang: Lang) {
    html.raw("<p class=\"noprint\"><label>").text(lang.t("打印用途 ", "Printed ")).raw("<select name=\"reason\">");
    for (zh, en) in REASONS {
        html.el("<option>", lang.t(zh, en), "</option>");
    }
    html.raw("</select></label> ").el("<button>", lang.t("打印全卷", "Print all of it"), "</button></p>");
}

fn slot_item(html: &mut Html, lang: Lang, slot: &SlotView) {
    html.raw(match slot.state.as_str() {
        "made" | "signed" => "<li class=\"have\"><div><strong>",
        "missing" if slot.must => "<li class=\"lack\"><div><strong>",
        _ => "<li><div><strong>",
    });
    html.text(if lang == Lang::En { &slot.name_en } else { &slot.name }).raw("</strong> <span class=\"meta\">");
    html.text(match (slot.state.as_str(), slot.must) {
        ("made", _) => lang.t("已生成", "made"),
        ("signed", _) => lang.t("已签名存卷", "signed"),
        ("excused", _) => lang.t("不需要", "not needed"),
        (_, true) => lang.t("缺少", "missing"),
        (_, false) => lang.t("按需", "as needed"),
    });
    html.raw("</span>");
    let (why, todo) = match lang {
        Lang::En => (&slot.why_en, &slot.todo_en),
        Lang::Zh => (&slot.why_zh, &slot.todo_zh),
    };
    // What is not needed as a rule needs no reason for not being there.
    if let Some(why) = why.as_ref().filter(|_| slot.must) {
        html.raw("<div class=\"meta\">").text(why);
        if let Some(todo) = todo {
            html.text(lang.t("；", "; ")).text(todo);
        }
        html.raw("</div>");
    }
    html.raw("</div><div class=\"noprint\">");
}

fn button(html: &mut Html, view: &View, case: &str, paper: &PaperView) {
    html.raw("<button class=\"plain\" formaction=\"");
    address(html, view, case).raw("/papers/").text(&paper.paper).raw(".pdf\">");
    html.text(if view.lang == Lang::En { &paper.name_en } else { &paper.name }).raw("</button>");
}
