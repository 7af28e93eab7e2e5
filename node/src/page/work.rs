//! The part of a case's page that shows what is asked for at once, who stands for the case, and what units do of it.

use super::frame::time;
use super::html::Html;
use super::words::Lang;
use crate::api::cases::measures::MeasureView;
use crate::api::cases::tasks::TaskView;
use crate::api::cases::view::CaseView;

/// Measures, sponsor and tasks, where there are any.
pub(super) fn card(html: &mut Html, lang: Lang, case: &CaseView) {
    if case.measures.is_empty() && case.tasks.is_empty() && case.sponsor.is_none() && case.objection.is_none() {
        return;
    }
    html.raw("<section class=\"card\"><header>");
    html.el("<h2>", lang.t("固定动作与协办", "Measures and tasks"), "</h2></header><ol class=\"log\">");
    if let Some(sponsor) = &case.sponsor {
        html.raw("<li>").el("<strong>", lang.t("包案领导", "Sponsor"), "</strong> ");
        html.said(&sponsor.name).raw(" <span class=\"meta\">").said(&sponsor.office).raw("</span></li>");
    }
    if let Some(objection) = &case.objection {
        html.raw("<li>").el(
            "<strong>",
            lang.t("承办单位提出异议", "Its unit objects"),
            "</strong> <span class=\"meta\">",
        );
        html.text(&time(&objection.at));
        if let Some(name) = &objection.proposed_name {
            html.text(lang.t(" · 建议由 ", " · proposes ")).text(name);
        }
        let decides = match objection.needs_ruling {
            true => lang.t(" · 须由分管领导裁定", " · to be ruled by whoever leads the node"),
            false => lang.t(" · 改派即为同意", " · to agree, assign it to another unit"),
        };
        html.text(decides).raw("</span></li>");
    }
    case.measures.iter().for_each(|measure| measure_line(html, lang, measure));
    case.tasks.iter().for_each(|task| task_line(html, lang, task));
    html.raw("</ol></section>");
}

fn measure_line(html: &mut Html, lang: Lang, measure: &MeasureView) {
    let name = if lang == Lang::Zh { &measure.name } else { &measure.name_en };
    html.raw("<li>").el("<strong>", name, "</strong> <span class=\"meta\">");
    match (&measure.due, &measure.taken) {
        (Some(due), _) if measure.overdue => {
            html.text(lang.t("已超时,应于 ", "overdue since ")).text(&time(due));
        }
        (Some(due), _) => {
            html.text(lang.t("应于 ", "due by ")).text(&time(due));
        }
        (None, Some(taken)) => {
            html.text("✓ ").text(&time(taken));
        }
        (None, None) => {}
    }
    let law = if lang == Lang::Zh { &measure.law } else { &measure.law_en };
    if let Some(law) = law {
        html.raw(" · ").text(law);
    }
    html.raw("</span></li>");
}

fn task_line(html: &mut Html, lang: Lang, task: &TaskView) {
    html.raw("<li><strong>").text(&task.unit_name).raw("</strong> ");
    html.said(task.title.as_deref().unwrap_or_default()).raw(" <span class=\"meta\">");
    html.text(lang.word(&format!("task_{}", task.state))).raw(" · ");
    html.text(lang.t("期限 ", "by ")).text(&task.due).raw("</span></li>");
}
