//! The first page of a pack: the way to its nodes, by name. It names divisions, which are public, and nothing else.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use protocol::division::DivisionCode;
use serde::Deserialize;

use super::frame::head;
use super::html::Html;
use super::words::Lang;
use crate::api::router::to_browsers;
use crate::clock::random_bytes;

/// Names on one page; whoever looks for another types a part of it.
const SHOWN_MAX: usize = 200;

/// A node of the pack.
pub(crate) struct Entry<'a> {
    /// Where it hangs.
    pub(crate) division: DivisionCode,
    /// Its name.
    pub(crate) name: &'a str,
}

/// Wishes in the address.
#[derive(Debug, Default, Deserialize)]
struct Wishes {
    lang: Option<String>,
    /// A part of a name or of a code.
    #[serde(default)]
    q: String,
    /// The division whose parts are looked at.
    within: Option<DivisionCode>,
}

/// The page: what hangs directly below a division, at first below nothing, or what fits the words.
pub(crate) fn entrance<'a>(uri: &Uri, headers: &HeaderMap, entries: impl Iterator<Item = Entry<'a>>) -> Response {
    let wishes = Query::<Wishes>::try_from_uri(uri).map(|Query(wishes)| wishes).unwrap_or_default();
    let lang = Lang::of(wishes.lang.as_deref(), headers);
    let entries: BTreeMap<DivisionCode, &str> = entries.map(|entry| (entry.division, entry.name)).collect();
    let chosen = choose(&entries, &wishes);
    let nonce: String = protocol::chain::Hash(random_bytes()).to_string().chars().take(32).collect();
    let mut response = super::send(StatusCode::OK, render(lang, &nonce, &entries, &chosen, &wishes));
    super::bound(response.headers_mut(), &nonce);
    for (name, value) in to_browsers() {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The nearest node of the pack above a division.
fn above(entries: &BTreeMap<DivisionCode, &str>, code: DivisionCode) -> Option<DivisionCode> {
    std::iter::successors(code.parent(), |above| above.parent()).find(|above| entries.contains_key(above))
}

fn choose(entries: &BTreeMap<DivisionCode, &str>, wishes: &Wishes) -> Vec<DivisionCode> {
    let words = wishes.q.trim();
    let fits = |code: DivisionCode, name: &str| {
        if words.is_empty() {
            above(entries, code) == wishes.within
        } else {
            name.contains(words) || code.to_string().contains(words)
        }
    };
    entries.iter().filter(|(code, name)| fits(**code, name)).map(|(code, _)| *code).take(SHOWN_MAX).collect()
}

fn render(
    lang: Lang,
    nonce: &str,
    entries: &BTreeMap<DivisionCode, &str>,
    chosen: &[DivisionCode],
    wishes: &Wishes,
) -> Html {
    let title = lang.t("选择节点", "Choose a node");
    let mut html = head(lang, nonce, title, false);
    html.raw("<main class=\"door\" id=\"main\"><section class=\"card\">").el("<h1>", title, "</h1>");
    html.raw("<form method=\"get\" action=\"/\"><input type=\"hidden\" name=\"lang\" value=\"").raw(lang.code());
    html.raw("\"><label>").text(lang.t("名称或区划代码", "Name or code"));
    html.raw("<input name=\"q\" maxlength=\"40\" value=\"").text(&wishes.q).raw("\"></label>");
    html.el("<button>", lang.t("查找", "Find"), "</button></form><ul>");
    let deeper: std::collections::BTreeSet<_> = entries.keys().filter_map(|code| above(entries, *code)).collect();
    for code in chosen {
        let (text, name) = (code.to_string(), entries.get(code).copied().unwrap_or_default());
        html.raw("<li><a href=\"/").text(&text).raw("/login?lang=").raw(lang.code()).raw("\">").said(name).raw("</a>");
        if deeper.contains(code) {
            html.raw(" <a href=\"/?within=").text(&text).raw("&amp;lang=").raw(lang.code()).raw("\">");
            html.text(lang.t("下级", "below")).raw("</a>");
        }
        html.raw("</li>");
    }
    html.raw("</ul><p class=\"note\"><a href=\"/?lang=").raw(lang.t("en", "zh")).raw("\">");
    html.text(lang.t("English", "中文")).raw("</a></p></section></main></body></html>");
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> BTreeMap<DivisionCode, &'static str> {
        [("330600000000", "绍兴市"), ("330602000000", "越城区"), ("330602001001", "某社区")]
            .map(|(code, name)| (code.parse().unwrap(), name))
            .into()
    }

    fn chosen(query: &str) -> Vec<String> {
        let uri: Uri = format!("/?{query}").parse().unwrap();
        let Query(wishes) = Query::<Wishes>::try_from_uri(&uri).unwrap();
        choose(&entries(), &wishes).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_goes_down_level_by_level_also_where_one_is_missing() {
        assert_eq!(chosen(""), ["330600000000"]);
        assert_eq!(chosen("within=330600000000"), ["330602000000"]);
        assert_eq!(chosen("within=330602000000"), ["330602001001"]);
    }

    #[test]
    fn a_part_of_a_name_or_of_a_code_finds_a_node() {
        assert_eq!(chosen("q=%E8%B6%8A%E5%9F%8E"), ["330602000000"]);
        assert_eq!(chosen("q=001001"), ["330602001001"]);
    }
}
