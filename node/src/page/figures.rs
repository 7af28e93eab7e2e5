//! The figures of everything here and below.

use super::View;
use super::frame::{level, time};
use super::html::Html;
use super::words::Lang;
use crate::api::figures::{ALL_DAYS, CountView, Cut, count, total};
use crate::api::problem::Problem;

/// Lines of a table at most.
const LINES_MAX: usize = 12;
/// Days of the table by day.
const DAYS_MAX: usize = 14;
/// Width of the drawing of a bar.
const BAR_WIDTH: i64 = 100;

/// The levels and the totals, large.
pub(super) async fn tiles(view: &View) -> Result<Html, Problem> {
    let (state, lang) = (&view.state, view.lang);
    let within = state.config.node.division;
    let levels = count(state, Cut::Level, within, ALL_DAYS).await?;
    let totals = total(state, within, ALL_DAYS).await?;
    let mut html = Html::default();
    html.raw("<section class=\"tiles\" aria-label=\"").text(lang.t("总览", "Totals")).raw("\">");
    for (name, class) in [
        ("orange", "<div class=\"tile orange\">"),
        ("red", "<div class=\"tile red\">"),
        ("yellow", "<div class=\"tile yellow\">"),
    ] {
        let line = levels.iter().find(|l| l.value == name);
        html.raw(class);
        level(&mut html, lang, name);
        html.raw("<b>").number(line.map_or(0, |l| l.in_hand)).raw("</b><span class=\"note\">");
        html.text(lang.t("在办 · 累计 ", "in hand · in all ")).number(line.map_or(0, |l| l.cases)).raw("</span></div>");
    }
    html.raw("<div class=\"tile\">").text(lang.t("案件总数", "All cases")).raw("<b>").number(totals.cases);
    html.raw("</b><span class=\"note\">").text(lang.t("在办 ", "in hand ")).number(totals.in_hand).raw("</span></div>");
    html.raw("<div class=\"tile\">").text(lang.t("调处成功率", "Success rate")).raw("<b>");
    match &totals.success_rate {
        Some(rate) => html.text(rate).raw(" %"),
        None => html.raw("—"),
    };
    html.raw("</b><span class=\"note\">").number(totals.numerator).raw(" / ").number(totals.denominator).raw(" · ");
    html.text(lang.t("截至 ", "as of ")).text(&time(&totals.whole.as_of)).raw("<br>").text(&totals.definition);
    html.raw("<br>")
        .text(lang.t("数据齐全的节点 ", "complete nodes "))
        .number(super::frame::count(totals.whole.complete_nodes));
    html.raw(" / ").number(super::frame::count(totals.whole.expected_nodes));
    html.raw("</span></div></section>");
    Ok(html)
}

/// The tables.
pub(super) async fn cards(view: &View) -> Result<Html, Problem> {
    let lang = view.lang;
    let mut html = Html::default();
    html.raw("<div class=\"grid2\">");
    for (cut, title) in [
        (Cut::Level, lang.t("按等级", "By level")),
        (Cut::Category, lang.t("按类别", "By category")),
        (Cut::Place, lang.t("按地点", "By place")),
        (Cut::Day, lang.t("按上报日", "By day of report")),
    ] {
        let mut lines = count(&view.state, cut, view.state.config.node.division, ALL_DAYS).await?;
        match cut {
            Cut::Level => lines.reverse(),
            Cut::Day => lines = lines.split_off(lines.len().saturating_sub(DAYS_MAX)),
            _ => lines.sort_by(|a, b| b.cases.cmp(&a.cases).then_with(|| a.value.cmp(&b.value))),
        }
        table(&mut html, lang, cut, title, &lines);
    }
    html.raw("</div>");
    Ok(html)
}

fn table(html: &mut Html, lang: Lang, cut: Cut, title: &'static str, lines: &[CountView]) {
    let shown = if matches!(cut, Cut::Day) { DAYS_MAX } else { LINES_MAX };
    html.raw("<section class=\"card\"><div class=\"scroll\"><table><caption><h2>").text(title).raw("</h2>");
    if lines.len() > shown {
        html.text(lang.t("前 ", "the first ")).number(super::frame::count(shown)).raw(" / ");
        html.number(super::frame::count(lines.len()));
    }
    html.raw("</caption><thead><tr>").el("<th scope=\"col\">", title, "</th>");
    html.el("<th scope=\"col\" class=\"n\">", lang.t("案件", "Cases"), "</th>");
    html.el("<th scope=\"col\" class=\"n\">", lang.t("在办", "In hand"), "</th>");
    html.raw("<td></td></tr></thead><tbody>");
    let most = lines.iter().map(|l| l.cases).max().unwrap_or(0).max(1);
    for line in lines.iter().take(shown) {
        html.raw("<tr><th scope=\"row\">");
        match cut {
            Cut::Level => level(html, lang, &line.value),
            Cut::Place | Cut::Category => {
                html.said(line.name.as_deref().unwrap_or(&line.value));
            }
            _ => {
                html.text(lang.word(&line.value));
            }
        }
        html.raw("</th><td class=\"n\">").number(line.cases).raw("</td><td class=\"n\">").number(line.in_hand);
        html.raw(
            "</td><td><svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
        );
        html.raw("<rect height=\"10\" width=\"")
            .number(line.cases.saturating_mul(BAR_WIDTH) / most)
            .raw("\"/></svg></td></tr>");
    }
    html.raw("</tbody></table></div></section>");
}
