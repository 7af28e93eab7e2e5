//! The first page: links, cases, and where anything is below, the figures.

use super::frame::{count, level, page, time};
use super::html::Html;
use super::words::Lang;
use super::{View, figures};
use crate::api::cases::list::{CasePage, page_of};
use crate::api::cases::view::CaseLine;
use crate::api::links::{AlarmView, LinkView, links_of};
use crate::api::problem::Problem;
use crate::store::lists::CaseFilter;

/// Cases shown of each list.
const CASES_MAX: u32 = 100;
/// Alarms shown.
const ALARMS_MAX: usize = 5;

/// The first page.
pub(super) async fn overview(view: &View) -> Result<Html, Problem> {
    let state = &view.state;
    let links = links_of(state).await?;
    let alarms: Vec<_> = state.shared.alarms().into_iter().map(AlarmView::from).collect();
    let below = !state.store.routes().await?.is_empty();
    let mut main = Html::default();
    link_card(&mut main, view, &links, &alarms);
    if view.caller.sees_cases() {
        find_link(&mut main, view);
        main.add(&super::restricted::mine(view).await?);
        if below {
            main.add(&figures::tiles(view).await?);
        }
        let mine = CaseFilter { mine: Some(true), ..CaseFilter::default() };
        let others = CaseFilter { mine: Some(false), ..CaseFilter::default() };
        let (mine, others) = (
            page_of(state, &view.caller, mine, None, CASES_MAX).await?,
            page_of(state, &view.caller, others, None, CASES_MAX).await?,
        );
        if below {
            case_card(&mut main, view, view.lang.t("报备案件", "Escalated from below"), &others);
            case_card(&mut main, view, view.lang.t("本级主办", "Owned here"), &mine);
            main.add(&figures::cards(view).await?);
        } else {
            case_card(&mut main, view, view.lang.t("本级主办", "Owned here"), &mine);
            case_card(&mut main, view, view.lang.t("已移交,继续跟踪", "Handed on, still followed"), &others);
        }
    }
    Ok(page(view, &state.config.node.name, &links, alarms.len(), &main))
}

/// The field itself is on a page that is not loaded anew by itself.
fn find_link(html: &mut Html, view: &View) {
    let lang = view.lang;
    html.raw("<p class=\"noprint\"><a href=\"").text(&view.base).raw("/cases?lang=").raw(lang.code());
    html.raw("\">").text(lang.t("查找案件", "Find cases")).raw("</a></p>");
}

fn link_card(html: &mut Html, view: &View, links: &[LinkView], alarms: &[AlarmView]) {
    let lang = view.lang;
    html.raw("<section class=\"card\"><header>").el("<h2>", lang.t("上下级链路", "Links"), "</h2>");
    if links.is_empty() {
        html.el("<span class=\"note\">", lang.t("还没有上级或下级节点", "no node above or below yet"), "</span>");
    }
    html.raw("</header><ul class=\"links\">");
    for link in links {
        html.raw(if link.up { "<li class=\"up\">" } else { "<li class=\"down\">" });
        html.text(if link.parent { lang.t("上级 ", "above: ") } else { lang.t("下级 ", "below: ") });
        html.said(&link.name).raw(" ");
        html.text(if link.up { lang.t("已连通", "up") } else { lang.t("中断", "down") });
        if let Some(transport) = link.transport {
            html.text(" · ").text(transport.name());
        }
        if let Some(since) = &link.since {
            html.text(lang.t(" · 自 ", " since ")).text(&time(since));
        }
        if link.waiting > 0 {
            html.text(lang.t(" · 待确认 ", " · waiting ")).number(i64::try_from(link.waiting).unwrap_or(i64::MAX));
        }
        html.raw("</li>");
    }
    html.raw("</ul>");
    if let Some(why) = view.state.shared.last_dial_failure() {
        html.raw("<p class=\"note\">")
            .text(lang.t("上级未能连通:", "The node above was not reached: "))
            .said(&why)
            .raw("</p>");
    }
    for alarm in alarms.iter().take(ALARMS_MAX) {
        html.raw("<p class=\"alarm\">").text(&time(&alarm.at)).raw(" ").said(&alarm.what);
        if alarm.times > 1 {
            html.text(&format!(" ×{}", alarm.times));
        }
        html.raw("</p>");
    }
    html.raw("</section>");
}

fn case_card(html: &mut Html, view: &View, title: &'static str, list: &CasePage) {
    let lang = view.lang;
    html.raw("<section class=\"card\"><header>").el("<h2>", title, "</h2>");
    html.raw("<span class=\"note\">");
    if list.next.is_some() {
        html.text(lang.t("最高等级在前,显示前 ", "highest level first, the first ")).number(count(list.cases.len()));
    } else {
        html.number(count(list.cases.len())).text(lang.t(" 件", " cases"));
    }
    html.raw("</span></header>");
    if list.cases.is_empty() {
        html.el("<p class=\"note\">", lang.t("暂无案件", "No cases"), "</p></section>");
        return;
    }
    case_table(html, view, lang.t("未归档案件,由高到低", "Cases not archived, highest level first"), list);
    html.raw("</section>");
}

/// Cases as a table.
pub(super) fn case_table(html: &mut Html, view: &View, caption: &'static str, list: &CasePage) {
    let lang = view.lang;
    html.raw("<div class=\"scroll\"><table class=\"cases\"><caption>").text(caption).raw("</caption><thead><tr>");
    for head in [
        lang.t("等级", "Level"),
        lang.t("案件", "Case"),
        lang.t("环节", "Step"),
        lang.t("地点", "Place"),
        lang.t("主办", "Owner"),
        lang.t("更新", "Changed"),
    ] {
        html.el("<th scope=\"col\">", head, "</th>");
    }
    html.raw("</tr></thead><tbody>");
    for line in &list.cases {
        row(html, lang, &view.base, line);
    }
    html.raw("</tbody></table></div>");
}

fn row(html: &mut Html, lang: Lang, base: &str, line: &CaseLine) {
    html.raw(if line.void { "<tr class=\"void\"><td>" } else { "<tr><td>" });
    level(html, lang, &line.level);
    html.raw("</td><th scope=\"row\" class=\"sum\"><a href=\"")
        .text(base)
        .raw("/cases/")
        .text(&line.id)
        .raw("?lang=")
        .raw(lang.code());
    let summary = if line.summary.is_empty() { lang.t("(无摘要)", "(no summary)") } else { &line.summary };
    html.raw("\">").said(summary).raw("</a>");
    if let Some(found) = line.found.as_ref().filter(|found| !found.title.is_empty()) {
        html.raw("<div class=\"meta\">").said(&found.title).raw("</div>");
    }
    html.raw("<div class=\"meta\">").text(lang.word(&line.matter));
    html.raw(" · ")
        .text(if lang == Lang::En { &line.category_name_en } else { &line.category_name })
        .raw(" · <span class=\"hash\">")
        .text(super::frame::tail(&line.id))
        .raw("</span>");
    if line.people > 0 {
        html.raw(" · ").number(i64::from(line.people)).text(lang.t(" 人", " people"));
    }
    let unit = if lang == Lang::En { &line.unit_name_en } else { &line.unit_name };
    html.raw("</div></th>").el("<td>", lang.word(&line.step), "</td>");
    html.raw("<td>").said(&line.place_name).raw("</td><td>").said(&line.owner_name);
    html.raw("<div class=\"meta\">").said(unit).raw("</div></td>");
    html.el("<td class=\"n\">", &time(&line.changed_at), "</td></tr>");
}
