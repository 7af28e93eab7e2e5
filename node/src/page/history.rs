//! The part of a case's page that shows what was done, the latest first: what, when, by whom, and of whom it tells.

use serde_json::Value;

use super::frame::{level, short, time};
use super::html::Html;
use super::words::Lang;
use crate::api::cases::view::{CaseView, EventView, PartyView};

/// Everything that was done.
pub(super) fn card(html: &mut Html, lang: Lang, case: &CaseView) {
    html.raw("<section class=\"card\"><header>").el(
        "<h2>",
        lang.t("办理记录", "History"),
        "</h2></header><ol class=\"log\">",
    );
    let people = case.private.as_ref().map(|private| private.parties.as_slice()).unwrap_or_default();
    for event in case.events.iter().rev() {
        line(html, lang, event, people);
    }
    html.raw("</ol></section>");
}

fn line(html: &mut Html, lang: Lang, event: &EventView, people: &[PartyView]) {
    let act = event.act.get("act").and_then(Value::as_str).unwrap_or_default();
    html.raw("<li><strong>").text(lang.word(act)).raw("</strong> ");
    level(html, lang, &event.level);
    html.raw(" <span class=\"meta\">").text(&time(&event.at)).raw(" · ").said(&event.owner_name);
    if let Some(by) = &event.by {
        html.raw(" · ").said(by);
    }
    html.raw("</span> <span class=\"hash\">").text(&event.epoch).raw(" #").number(i64::from(event.number));
    html.raw(" ").text(short(&event.hash)).raw("</span>");
    of_whom(html, lang, event, people);
    if let Some(said) = event.said.as_deref().filter(|s| !s.is_empty()) {
        html.raw("<div class=\"said\">").said(said).raw("</div>");
    }
    html.raw("</li>");
}

/// Who agreed or refused, signed, joined or left: an act tells the number, and the name stands beside it where names are held.
fn of_whom(html: &mut Html, lang: Lang, event: &EventView, people: &[PartyView]) {
    let numbers = numbers(&event.act);
    if numbers.is_empty() {
        return;
    }
    html.raw("<div class=\"meta\">");
    for (at, number) in numbers.iter().enumerate() {
        html.raw(if at == 0 { "" } else { "、" });
        match people.iter().find(|person| u64::from(person.number) == *number) {
            Some(person) => html.said(&person.name),
            None => html.text(lang.t("当事人 ", "party ")).text(&number.to_string()),
        };
    }
    if let Some(agree) = event.act.get("agree").and_then(Value::as_bool) {
        html.raw(" · ").text(if agree { lang.t("同意", "agreed") } else { lang.t("不同意", "refused") });
    }
    html.raw("</div>");
}

/// The numbers of people that an act tells: a list of them, one, or some that follow each other.
fn numbers(act: &Value) -> Vec<u64> {
    let number = |field| act.get(field).and_then(Value::as_u64);
    let listed = act.get("parties").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_u64);
    let joined = number("first").zip(number("count")).map(|(first, count)| first..first.saturating_add(count));
    listed.chain(number("party")).chain(joined.into_iter().flatten()).collect()
}
