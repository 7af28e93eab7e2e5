//! Finding cases: one field, and the cases that hold what was typed.
//!
//! It is a page of its own because the first page is loaded anew every few seconds, which would empty a field while somebody
//! types; and each search by names stands in the audit, so nothing may repeat it by itself.

use serde::Deserialize;

use super::View;
use super::frame::page;
use super::html::Html;
use super::overview::case_table;
use super::words::Lang;
use crate::api::cases::list::{CasePage, ListQuery, queried};
use crate::api::links::links_of;
use crate::api::problem::Problem;

/// What was typed.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    q: String,
    #[serde(default)]
    overdue: bool,
    #[serde(default)]
    cursor: String,
}

/// The page.
pub(super) async fn find(view: &View, typed: &Typed) -> Result<Html, Problem> {
    let state = &view.state;
    let links = links_of(state).await?;
    let query = ListQuery {
        q: Some(typed.q.clone()).filter(|q| !q.trim().is_empty()),
        overdue: typed.overdue,
        sort: typed.overdue.then(|| "term".to_owned()),
        cursor: Some(typed.cursor.clone()).filter(|cursor| !cursor.is_empty()),
        ..ListQuery::default()
    };
    let mut main = Html::default();
    form(&mut main, view, typed);
    match queried(state, &view.caller, &query).await {
        Ok(found) => results(&mut main, view, typed, &found),
        // What was typed stays in the field, to be mended.
        Err(problem) if problem.status().is_client_error() && view.caller.sees_cases() => {
            main.raw("<p class=\"wrong\" role=\"alert\">").text(problem.text(view.lang == Lang::Zh)).raw("</p>");
        }
        Err(problem) => return Err(problem),
    }
    Ok(page(view, view.lang.t("查找案件", "Find cases"), &links, state.shared.alarms().len(), &main))
}

fn form(html: &mut Html, view: &View, typed: &Typed) {
    let lang = view.lang;
    html.raw("<section class=\"card\"><form class=\"find\" role=\"search\" method=\"get\" action=\"")
        .text(&view.base)
        .raw("/cases\"><input type=\"hidden\" name=\"lang\" value=\"")
        .raw(lang.code())
        .raw("\"><label>")
        .text(lang.t("查找案件", "Find cases"))
        .raw("<input type=\"search\" name=\"q\" maxlength=\"60\" autofocus value=\"")
        .text(&typed.q)
        .raw("\"></label><label class=\"tick\"><input type=\"checkbox\" name=\"overdue\" value=\"true\"");
    html.raw(if typed.overdue { " checked>" } else { ">" }).text(lang.t("只看超期", "overdue only"));
    html.raw("</label><button>").text(lang.t("查找", "Find")).raw("</button></form><p class=\"note\">");
    html.text(lang.t(
        "可输入姓名、标题或经过中的词、地点、姓名拼音首字母(如 zsl),案件编号的前四位、后四位以上,或协议编号(如 2026-12)。",
        "Names, words of title or narrative, a place, initials of pinyin (as zsl), four or more digits at either end of a \
         case's number, or the number of an agreement (as 2026-12).",
    ));
    html.raw("</p></section>");
}

fn results(html: &mut Html, view: &View, typed: &Typed, found: &CasePage) {
    let lang = view.lang;
    html.raw("<section class=\"card\"><header>").el("<h2>", lang.t("案件", "Cases"), "</h2>");
    if let Some(missing) = found.not_searched {
        html.raw("<span class=\"note\">")
            .text(lang.t("正在重建搜索,尚未包含的案件数:", "the search is being made anew; cases not in it yet: "))
            .number(super::frame::count(missing))
            .raw("</span>");
    }
    html.raw("</header>");
    if found.cases.is_empty() {
        html.el("<p class=\"note\">", lang.t("没有找到案件", "No case was found"), "</p>");
    } else {
        case_table(html, view, lang.t("找到的案件", "Cases found"), found);
    }
    if let Some(next) = &found.next {
        html.raw("<form method=\"get\" action=\"").text(&view.base).raw("/cases\">");
        let overdue = if typed.overdue { "true" } else { "false" };
        for (name, value) in [("lang", lang.code()), ("q", typed.q.as_str()), ("overdue", overdue), ("cursor", next)] {
            html.raw("<input type=\"hidden\" name=\"").text(name).raw("\" value=\"").text(value).raw("\">");
        }
        html.raw("<button>").text(lang.t("继续查找", "Look further")).raw("</button></form>");
    }
    html.raw("</section>");
}
