//! The part of a case's page that shows its mediations and what was agreed in them.

use super::html::Html;
use super::words::Lang;
use crate::api::cases::mediation::{AgreementView, MediationView};
use crate::api::cases::view::CaseView;

/// Mediations and agreements, where there are any.
pub(super) fn card(html: &mut Html, lang: Lang, case: &CaseView) {
    if case.mediations.is_empty() {
        return;
    }
    html.raw("<section class=\"card\"><header>").el(
        "<h2>",
        lang.t("调解与协议", "Mediation and agreements"),
        "</h2></header>",
    );
    html.raw("<ol class=\"log\">");
    for mediation in &case.mediations {
        mediation_line(html, lang, mediation);
    }
    html.raw("</ol>");
    for agreement in &case.agreements {
        agreement_part(html, lang, agreement);
    }
    html.raw("</section>");
}

fn mediation_line(html: &mut Html, lang: Lang, mediation: &MediationView) {
    html.raw("<li><strong>").text(&mediation.committee_name).raw("</strong> <span class=\"meta\">");
    html.text(&mediation.opened).raw(" · ").text(lang.word(&mediation.source));
    for consent in &mediation.consents {
        let word = if consent.agree { lang.t("同意调解", "agrees") } else { lang.t("拒绝调解", "refuses") };
        html.raw(" · ").text(lang.t("当事人", "party ")).number(i64::from(consent.party)).raw(" ").text(word);
    }
    if let (Some(ended), Some(on)) = (&mediation.ended, &mediation.ended_on) {
        html.raw(" · ").text(lang.t("终止", "ended")).raw(" ").text(on).raw(" ").text(lang.word(ended));
    }
    html.raw("</span></li>");
}

fn agreement_part(html: &mut Html, lang: Lang, agreement: &AgreementView) {
    html.raw("<h3>").text(lang.t("协议", "Agreement")).raw(" ").text(&agreement.number).raw(" <span class=\"meta\">");
    html.text(lang.word(&agreement.form)).raw(" · ").text(&state(lang, agreement)).raw("</span></h3>");
    if let Some(words) = &agreement.words {
        html.raw("<p class=\"prose\">").said(&words.terms).raw("</p>");
        let told = words.hints.iter().map(|hint| if lang == Lang::Zh { hint.zh.as_str() } else { hint.en.as_str() });
        let told: Vec<&str> = told.collect();
        if !told.is_empty() {
            html.raw("<p class=\"note\">").text(lang.t("可执行性提示：", "Could not be enforced: "));
            html.text(&told.join("；")).raw("</p>");
        }
    }
    let unsigned = agreement.unsigned.iter().map(u16::to_string).collect::<Vec<_>>().join("、");
    let mut missing: Vec<String> = Vec::new();
    if !unsigned.is_empty() {
        missing.push(format!("{} {unsigned}", lang.t("当事人", "party")));
    }
    if agreement.form == "written" {
        missing.extend(agreement.mediator_signed.is_none().then(|| lang.t("调解员", "mediator").to_owned()));
        missing.extend(agreement.sealed.is_none().then(|| lang.t("调委会印章", "seal of the committee").to_owned()));
    }
    if !missing.is_empty() && !agreement.dropped {
        html.raw("<p class=\"note\">").text(lang.t("尚缺：", "Still missing: ")).text(&missing.join("，")).raw("</p>");
    }
    if let Some(last) = agreement.confirmable_until.as_ref().filter(|_| agreement.confirmation_sought.is_none()) {
        html.raw("<p class=\"note\">").text(lang.t("可共同申请司法确认至 ", "Confirmation can be asked for until "));
        html.text(last).raw("</p>");
    }
}

fn state(lang: Lang, agreement: &AgreementView) -> String {
    match (&agreement.in_effect, agreement.dropped) {
        (_, true) => lang.t("已作废", "came to nothing").to_owned(),
        (Some(day), _) => format!("{} {day}", lang.t("已生效", "in effect since")),
        (None, _) => lang.t("待签署", "to be signed").to_owned(),
    }
}
