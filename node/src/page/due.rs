//! What somebody has to do before anything else: choose a password of their own, set up a second factor.

use axum::extract::Form;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::View;
use super::frame::card;
use super::html::Html;
use super::send;
use crate::api::caller::Due;
use crate::api::factor::{BeginFactor, BegunFactor, ConfirmFactor, begun, confirmed};
use crate::api::problem::{Code, Problem};
use crate::api::session::{ChangePassword, set_password};

/// Where it is done.
pub(super) fn place(due: Due) -> &'static str {
    match due {
        Due::Password => "/password",
        Due::SecondFactor => "/second-factor",
    }
}

/// A new password, typed twice because nobody sees it.
#[derive(Deserialize)]
pub(crate) struct NewPassword {
    old: String,
    new: String,
    again: String,
}

/// The form for a new password.
pub(crate) async fn password_form(view: View) -> Response {
    send(StatusCode::OK, password_page(&view, None))
}

/// Sets the new password.
pub(crate) async fn change_password(view: View, Form(form): Form<NewPassword>) -> Response {
    if form.new != form.again {
        let text = view.lang.t("两次输入的新密码不一致。", "The new password was typed in two ways.");
        return send(StatusCode::UNPROCESSABLE_ENTITY, password_page(&view, Some(text)));
    }
    match set_password(&view.state, &view.caller, ChangePassword { old: form.old, new: form.new }).await {
        Ok(()) => Redirect::to(view.lang.t("/?lang=zh", "/?lang=en")).into_response(),
        Err(problem) => refused(&view, &problem, password_page),
    }
}

/// The form that begins a second factor.
pub(crate) async fn factor_form(view: View) -> Response {
    send(StatusCode::OK, factor_page(&view, None))
}

/// Shows the secret, this once, and asks for a first code.
pub(crate) async fn begin_factor(view: View, Form(form): Form<BeginFactor>) -> Response {
    match begun(&view.state, &view.caller, form.password).await {
        Ok(begun) => send(StatusCode::OK, code_page(&view, Some(&begun), None)),
        Err(problem) => refused(&view, &problem, factor_page),
    }
}

/// Confirms the second factor and shows the recovery codes, this once.
pub(crate) async fn confirm_factor(view: View, Form(form): Form<ConfirmFactor>) -> Response {
    let codes = match confirmed(&view.state, &view.caller, &form.code).await {
        Ok(codes) => codes,
        // A mistyped code is no reason to scan once more.
        Err(problem) => return refused(&view, &problem, |view, wrong| code_page(view, None, wrong)),
    };
    let lang = view.lang;
    let mut html = card(view.lang, &view.nonce, lang.t("请抄下恢复码", "Write these recovery codes down"), None);
    let why = lang.t(
        "手机丢失时,每个恢复码可登录一次。它们不会再次显示。",
        "Each opens one log-in if the phone is lost. They are not shown again.",
    );
    html.el("<p>", why, "</p>").raw("<ul>");
    for code in &codes {
        html.el("<li><code>", code, "</code></li>");
    }
    html.raw("</ul><p><a href=\"").text(&view.base).raw("/?lang=").raw(lang.code()).raw("\">");
    html.text(lang.t("继续", "Go on")).raw("</a></p></section></main></body></html>");
    send(StatusCode::OK, html)
}

/// The same form again, with the reason.
fn refused(view: &View, problem: &Problem, form: impl Fn(&View, Option<&str>) -> Html) -> Response {
    let mut response = send(problem.status(), form(view, Some(problem.text(view.lang == super::Lang::Zh))));
    response.extensions_mut().insert(Code(problem.code().to_owned()));
    response
}

/// Opens a form and its first label.
fn action(html: &mut Html, view: &View, to: &'static str) {
    html.raw("<form method=\"post\" action=\"").text(&view.base).raw(to).raw("?lang=").raw(view.lang.code());
    html.raw("\"><label>");
}

fn form_end(html: &mut Html, button: &str) {
    html.el("<button>", button, "</button></form>").raw("</section></main></body></html>");
}

fn password_page(view: &View, wrong: Option<&str>) -> Html {
    let lang = view.lang;
    let title = lang.t("请设置自己的密码", "Choose a password of your own");
    let mut html = card(view.lang, &view.nonce, title, wrong);
    let rule = lang.t(
        "至少 10 个字符,不能是用户名或常见密码。设好之前不能做其他操作。",
        "At least 10 characters, not your log-in name, not a common one. Nothing else can be done before.",
    );
    html.el("<p>", rule, "</p>");
    action(&mut html, view, "/password");
    html.text(lang.t("现在的密码", "Password until now"));
    html.raw("<input name=\"old\" type=\"password\" autocomplete=\"current-password\" required maxlength=\"256\"></label><label>");
    html.text(lang.t("新密码", "New password"));
    html.raw("<input name=\"new\" type=\"password\" autocomplete=\"new-password\" required maxlength=\"256\"></label><label>");
    html.text(lang.t("再输入一次", "Once more"));
    html.raw(
        "<input name=\"again\" type=\"password\" autocomplete=\"new-password\" required maxlength=\"256\"></label>",
    );
    form_end(&mut html, lang.t("保存", "Save"));
    html
}

fn factor_page(view: &View, wrong: Option<&str>) -> Html {
    let lang = view.lang;
    let mut html = card(view.lang, &view.nonce, lang.t("绑定动态验证码", "Set up the second factor"), wrong);
    let why = lang.t(
        "您的角色须绑定动态验证码。请先输入密码。",
        "Your role needs a second factor. First, your password once more.",
    );
    html.el("<p>", why, "</p>");
    action(&mut html, view, "/second-factor");
    html.text(lang.t("密码", "Password"));
    html.raw("<input name=\"password\" type=\"password\" autocomplete=\"current-password\" required maxlength=\"256\"></label>");
    form_end(&mut html, lang.t("下一步", "Next"));
    html
}

/// The form for a first code, below the secret where it is new.
fn code_page(view: &View, begun: Option<&BegunFactor>, wrong: Option<&str>) -> Html {
    let lang = view.lang;
    let mut html = card(view.lang, &view.nonce, lang.t("绑定动态验证码", "Set up the second factor"), wrong);
    if let Some(begun) = begun {
        let how = lang.t("在手机的验证器里打开此链接,或输入密钥:", "Open this in your authenticator, or type the key:");
        html.el("<p>", how, "</p>").raw("<p><a href=\"").text(&begun.uri).raw("\">");
        html.text(lang.t("打开验证器", "Open the authenticator")).raw("</a></p>").el(
            "<p><code>",
            &begun.secret,
            "</code></p>",
        );
    }
    action(&mut html, view, "/second-factor/confirm");
    html.text(lang.t("验证器显示的六位数字", "The six digits that it shows"));
    html.raw(
        "<input name=\"code\" autocomplete=\"one-time-code\" inputmode=\"numeric\" required maxlength=\"20\"></label>",
    );
    form_end(&mut html, lang.t("确认", "Confirm"));
    html
}
