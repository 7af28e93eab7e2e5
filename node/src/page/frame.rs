//! What is around every page, and the pieces that pages share.

use super::View;
use super::html::Html;
use super::words::Lang;
use crate::api::links::LinkView;

const STYLE: &str = include_str!("style.css");
/// Seconds after which a page asks again.
const REFRESH: &str = "<meta http-equiv=\"refresh\" content=\"5\">";

/// A whole page.
pub(super) fn page(view: &View, title: &str, links: &[LinkView], alarms: usize, main: &Html) -> Html {
    let mut html = head(view.lang, &view.nonce, title, !view.paused && !view.still);
    html.el("<a class=\"skip\" href=\"#main\">", view.lang.t("跳到正文", "Skip to content"), "</a>");
    top(&mut html, view, links, alarms);
    html.raw("<main id=\"main\">").add(main);
    html.raw("<footer>").text(view.lang.t("只读页面 · 截至 ", "Read-only page · as of ")).text(&view.now);
    html.raw(" UTC+8</footer></main></body></html>");
    html
}

/// The beginning of every document.
pub(super) fn head(lang: Lang, nonce: &str, title: &str, refresh: bool) -> Html {
    let mut html = Html::default();
    html.raw("<!DOCTYPE html><html lang=\"").raw(lang.tag()).raw("\"><head><meta charset=\"utf-8\">");
    html.raw("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
    if refresh {
        html.raw(REFRESH);
    }
    html.el("<title>", title, "</title>");
    html.raw("<style nonce=\"").text(nonce).raw("\">").raw(STYLE).raw("</style></head><body>");
    html
}

/// The beginning of a page that is one card, such as the door, after a failure with its reason.
pub(super) fn card(lang: Lang, nonce: &str, title: &str, wrong: Option<&str>) -> Html {
    let mut html = head(lang, nonce, title, false);
    html.raw("<main class=\"door\" id=\"main\"><section class=\"card\">").el("<h1>", title, "</h1>");
    if let Some(wrong) = wrong {
        html.raw("<p class=\"wrong\" role=\"alert\">").text(wrong).raw("</p>");
    }
    html
}

fn top(html: &mut Html, view: &View, links: &[LinkView], alarms: usize) {
    let lang = view.lang;
    let node = &view.state.config.node;
    html.raw("<header class=\"top\"><div class=\"in\"><a class=\"where\" href=\"")
        .text(&view.base)
        .raw("/?lang=")
        .raw(lang.code())
        .raw("\">");
    html.said(&node.name).raw("</a>");
    html.el("<span class=\"tag\">", lang.word(level_word(node.division.level())), "</span>");
    html.el("<span>", &node.division.to_string(), "</span>");
    html.raw("<div class=\"right\">");
    let down = links.iter().filter(|l| !l.up).count();
    html.raw("<span>").text(&match (down, lang) {
        (0, _) => lang.t("链路正常", "all links up").to_owned(),
        (n, Lang::Zh) => format!("{n} 条链路中断"),
        (n, Lang::En) => format!("{n} links down"),
    });
    html.raw("</span><span>").text(lang.t("告警 ", "alarms ")).number(count(alarms)).raw("</span>");
    html.raw("<span>").said(&view.caller.shown).raw("</span>");
    html.raw("<a href=\"?lang=").raw(lang.t("en", "zh")).raw("\">").text(lang.t("English", "中文")).raw("</a>");
    if !view.still {
        html.raw("<a href=\"?lang=").raw(lang.code());
        html.raw(if view.paused { "" } else { "&amp;pause=true" }).raw("\">");
        html.text(if view.paused {
            lang.t("继续刷新", "Resume refresh")
        } else {
            lang.t("暂停刷新", "Pause refresh")
        });
        html.raw("</a>");
    }
    html.raw("<form method=\"post\" action=\"").text(&view.base).raw("/logout\"><button class=\"plain\">");
    html.text(lang.t("退出", "Log out")).raw("</button></form></div></div></header>");
}

/// A count for a page.
pub(super) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A level of the federation as the API spells it.
pub(super) fn level_word(level: protocol::division::Level) -> &'static str {
    use protocol::division::Level;
    match level {
        Level::Province => "province",
        Level::City => "city",
        Level::County => "county",
        Level::Township => "township",
        Level::Community => "community",
        Level::Grid => "grid",
    }
}

/// A warning level: hue, shape and word, each of which says it alone. One of a later version stands above orange: it
/// looks as urgent, and says its number.
pub(super) fn level(html: &mut Html, lang: Lang, level: &str) {
    let (class, shape, word) = match level {
        "orange" => ("<span class=\"lv orange\">", "◆ ", lang.t("橙 一级", "Orange I")),
        "red" => ("<span class=\"lv red\">", "▲ ", lang.t("红 二级", "Red II")),
        "yellow" => ("<span class=\"lv yellow\">", "○ ", lang.t("黄 三级", "Yellow III")),
        later if later.starts_with(LATER) => {
            ("<span class=\"lv orange\">", "◆ ", lang.t("未知等级 ", "Unknown level "))
        }
        _ => ("<span class=\"lv none\">", "", lang.t("未定级", "No level")),
    };
    html.raw(class).raw("<span aria-hidden=\"true\">").raw(shape).raw("</span>").text(word);
    html.text(level.strip_prefix(LATER).unwrap_or_default()).raw("</span>");
}

/// How the API writes a level of a later version, before its rank.
const LATER: &str = "level_";

/// A time as people read it: what stands in the API, without milliseconds and zone.
pub(super) fn time(at: &str) -> String {
    at.get(..19).unwrap_or(at).replace('T', " ")
}

/// The first digits of an id or a hash.
pub(super) fn short(text: &str) -> &str {
    text.get(..8).unwrap_or(text)
}

/// The last digits of an id, which differ between two made in the same minute.
pub(super) fn tail(text: &str) -> &str {
    text.get(text.len().saturating_sub(8)..).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_of_a_later_version_is_shown_as_such() {
        let shown = |lang, word: &str| {
            let mut html = Html::default();
            level(&mut html, lang, word);
            html.into_string()
        };
        let later = protocol::warning::Warning::from_rank(7).expect("a level").to_string();
        assert!(shown(Lang::Zh, &later).contains("未知等级 7<"), "{later}");
        assert!(shown(Lang::En, &later).contains("Unknown level 7<"), "{later}");
        assert!(shown(Lang::En, "none").contains("No level<"));
    }
}
