//! The door: the form to log in.

use super::frame::card;
use super::html::Html;
use super::words::Lang;
use crate::api::problem::Problem;

/// The form, after a failure with its reason.
pub(super) fn door(lang: Lang, nonce: &str, base: &str, failed: Option<&Problem>) -> Html {
    let title = lang.t("登录", "Log in");
    let mut html = card(lang, nonce, title, failed.map(|problem| problem.text(lang == Lang::Zh)));
    html.raw("<form method=\"post\" action=\"").text(base).raw("/login?lang=").raw(lang.code()).raw("\"><label>");
    html.text(lang.t("用户名", "Name"));
    html.raw("<input name=\"user\" autocomplete=\"username\" required maxlength=\"40\"></label><label>");
    html.text(lang.t("密码", "Password"));
    html.raw("<input name=\"password\" type=\"password\" autocomplete=\"current-password\" required maxlength=\"256\"></label><label>");
    html.text(lang.t("动态验证码(如已绑定)", "Code of the second factor, if one is set up"));
    html.raw("<input name=\"code\" autocomplete=\"one-time-code\" maxlength=\"20\"></label>");
    html.el("<button>", title, "</button></form>");
    html.raw("<p class=\"note\"><a href=\"").text(base).raw("/login?lang=").raw(lang.t("en", "zh")).raw("\">");
    html.text(lang.t("English", "中文")).raw("</a></p></section></main></body></html>");
    html
}

/// A page that says why there is none.
pub(super) fn failure(lang: Lang, nonce: &str, base: &str, problem: &Problem) -> Html {
    let mut html = card(lang, nonce, problem.text(lang == Lang::Zh), None);
    html.raw("<p><a href=\"").text(base).raw("/?lang=").raw(lang.code()).raw("\">").text(lang.t("返回", "Back"));
    html.raw("</a></p></section></main></body></html>");
    html
}
