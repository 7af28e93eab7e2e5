//! The pieces of a case, from the vocabulary of the protocol to what is shown.

use std::cmp::Ordering;

use casework::terms::Row;
use casework::{AnswerKind, Known, OfferFile, OfferState, OrderFile, Seat};
use protocol::division::DivisionCode;
use protocol::event::{Act, Brief, Content, Contentment, DueTerm, Header, Private, Step, ToldBy, WideContent};
use protocol::id::NodeId;
use protocol::order::{Asked, WideAsked};
use protocol::receipt::{Progress, Receipt, Subject};
use protocol::time::CivilDay;
use protocol::warning::Warning;
use serde::Serialize;

use super::view::{
    EventView, GradingView, OfferView, OrderView, PartyView, PrivateView, ReceiptView, RungView, StepView, TermView,
};
use crate::api::stamp;
use crate::api::state::ApiState;
use crate::person::mask;

/// The word by which the API names a value of a closed list.
pub(in crate::api) fn word(value: impl Serialize) -> String {
    let value = value.serialize(serde_json::value::Serializer).ok();
    value.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Name of a level; `level_` and its rank for one of a later version.
pub(super) fn level(level: Option<Warning>) -> String {
    level.map_or_else(|| "none".to_owned(), |level| level.to_string())
}

/// An event with its private part, where that is held.
pub(super) type HeldEvent<'a> = (&'a Header, Option<&'a Private>);

/// How private parts are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Names and numbers masked.
    Masked,
    /// As they are: somebody gave a reason, and it was logged.
    Plain,
}

impl Shown {
    pub(super) fn with(self, text: &str, masked: impl Fn(&str) -> String) -> String {
        match self {
            Self::Masked => masked(text),
            Self::Plain => text.to_owned(),
        }
    }
}

/// What is private of the report, where it is held.
pub(super) fn private(known: &Known, shown: Shown) -> Option<PrivateView> {
    let case = known.case()?;
    let report = case.report.as_deref()?;
    Some(PrivateView {
        title: shown.with(&report.title, |text| mask::prose(text, known.names())),
        narrative: shown.with(&report.narrative, |text| mask::prose(text, known.names())),
        masked: shown == Shown::Masked,
        parties: case.seats.iter().filter_map(|seat| party(seat, shown)).collect(),
    })
}

/// Somebody in the case, where it is held who they are.
fn party(seat: &Seat, shown: Shown) -> Option<PartyView> {
    let who = seat.who.as_deref()?;
    Some(PartyView {
        number: seat.number,
        side: word(who.side),
        standing: word(who.standing),
        speaks_for: who.speaks_for,
        being: word(who.being),
        name: shown.with(&who.name, mask::name),
        phone: shown.with(&who.phone, mask::number),
        address: shown.with(&who.address, mask::address),
        identity: shown.with(&who.identity, mask::number),
        sex: who.sex.map(word),
        born: who.born,
        ethnicity: who.ethnicity.to_string(),
        occupation: who.occupation.to_string(),
        left: seat.left,
    })
}

/// The term that ends next.
pub(super) fn term(due: DueTerm, row: Option<&Row>) -> TermView {
    TermView {
        law: row.map(|row| row.law.to_string()),
        law_en: row.map(|row| row.law_en.to_string()),
        kind: word(due.kind),
        since: stamp::day(due.since.number()),
        day: stamp::day(due.day.number()),
        provisional: due.provisional,
    }
}

/// Why the case has its level.
pub(super) fn grading(brief: &Brief) -> GradingView {
    GradingView {
        rules: brief.grading.rules,
        fired: word(brief.grading.fired),
        answers: serde_json::to_value(brief.grading.answers).unwrap_or_default(),
    }
}

/// The six steps and the archive: each with the latest event that brought the case into it.
pub(super) fn steps(events: &[HeldEvent<'_>], now: Step) -> Vec<StepView> {
    let entered = |step: Step| {
        let mut before = None;
        let mut found = None;
        for event in events {
            if event.0.brief.step == step && before != Some(step) {
                found = Some(event);
            }
            before = Some(event.0.brief.step);
        }
        found
    };
    Step::ALL
        .into_iter()
        .map(|step| {
            let event = entered(step).filter(|_| step <= now);
            let state = match step.cmp(&now) {
                Ordering::Equal if step != Step::Archived => "current",
                Ordering::Less | Ordering::Equal => "done",
                Ordering::Greater => "open",
            };
            StepView {
                step: word(step),
                state,
                at: event.map(|(header, _)| stamp::rfc3339(header.at.corrected())),
                by: event.and_then(|(_, private)| private.as_ref()?.by.as_ref()).map(|by| by.name.to_string()),
            }
        })
        .collect()
}

/// The words of an event, but for those that are shown elsewhere.
fn said(private: &Private, shown: Shown) -> Option<String> {
    match &private.content {
        Content::Nothing | Content::Report { .. } => None,
        Content::Note { text } => Some(text.to_string()),
        Content::Resolution { terms, .. } => Some(terms.to_string()),
        Content::Wider(said) => wide_said(said.read()?, shown),
    }
}

/// The words that are there, one after the other.
fn joined(words: [&str; 2]) -> String {
    words.into_iter().filter(|words| !words.trim().is_empty()).collect::<Vec<_>>().join("；")
}

/// How somebody was told, as it is shown to people.
fn told(by: ToldBy, on: CivilDay, content: Option<Contentment>, note: &str) -> String {
    let by = match by {
        ToldBy::InPerson => "当面",
        ToldBy::Phone => "电话",
        ToldBy::Letter => "书面",
        ToldBy::Message => "短信或网络",
    };
    let content = match content {
        None => "",
        Some(Contentment::Content) => "满意",
        Some(Contentment::Mostly) => "基本满意",
        Some(Contentment::NotContent) => "不满意",
        Some(Contentment::NotReached) => "联系不上",
    };
    // Not with dashes: a mask would take such a day for somebody's number.
    let on = stamp::day(on.number()).replacen('-', "年", 1).replacen('-', "月", 1);
    joined([&joined([&format!("{on}日{by}反馈"), content]), note])
}

fn wide_said(content: WideContent, shown: Shown) -> Option<String> {
    match content {
        WideContent::Participants { people } => {
            let names: Vec<_> = people.iter().map(|who| shown.with(&who.name, mask::name)).collect();
            Some(names.join("、"))
        }
        WideContent::Amendment { reason: words, .. } => Some(words.to_string()),
        WideContent::Mediators { names, note, .. } => {
            let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            Some(joined([&names.join("、"), &note]))
        }
        WideContent::Session { record, result, .. } => Some(joined([&record, &result])),
        // Shown as the agreement that it is.
        WideContent::Agreement { .. } => None,
        WideContent::TakenIn { title, narrative, note } => Some(joined([&joined([&note, &title]), &narrative])),
        WideContent::Withheld { note, .. } => Some(note.to_string()),
        WideContent::Sponsor { name, office, note } => Some(joined([&joined([&office, &name]), &note])),
        WideContent::Task { title, text } => Some(joined([&title, &text])),
        WideContent::Performance { note, .. } => Some(note.to_string()),
        WideContent::FedBack { by, on, content, note } => Some(told(by, on, content, &note)),
        WideContent::Attached { attachment } => Some(joined([&attachment.name, &attachment.caption])),
        WideContent::Ruling { court, number, note } => Some(joined([&joined([&court, &number]), &note])),
    }
}

/// One event.
pub(super) fn event(state: &ApiState, (header, private): HeldEvent<'_>, known: &Known, shown: Shown) -> EventView {
    EventView {
        id: header.id.to_string(),
        number: header.number,
        epoch: format!("{}.{}", header.epoch.takeovers, header.epoch.moves),
        at: stamp::rfc3339(header.at.corrected()),
        act: casework::told(&header.act),
        level: level(header.brief.level()),
        step: word(header.brief.step),
        owner_name: state.node_name(header.brief.owner),
        hash: header.hash().to_string(),
        by: private.and_then(|p| p.by.as_ref()).map(|by| by.name.to_string()),
        said: private
            .and_then(|private| said(private, shown))
            .filter(|text| !text.trim().is_empty())
            .map(|text| shown.with(&text, |text| mask::prose(text, known.names()))),
    }
}

/// A receipt.
pub(super) fn receipt(state: &ApiState, receipt: &Receipt) -> ReceiptView {
    ReceiptView {
        progress: word(receipt.progress),
        at: Some(stamp::rfc3339(receipt.at.corrected())),
        by_name: state.node_name(receipt.by),
    }
}

fn receipts(state: &ApiState, all: &[&Receipt], about: impl Fn(&Subject) -> bool) -> Vec<ReceiptView> {
    let mut found: Vec<_> = all.iter().filter(|r| about(&r.subject)).collect();
    found.sort_by_key(|r| (r.progress, r.at.corrected()));
    found.into_iter().map(|r| receipt(state, r)).collect()
}

/// What an order asks: its name in the API, its form, and the level or day that is wanted.
fn asked(asked: &Asked) -> (&'static str, Option<String>, Option<String>) {
    match asked {
        Asked::Directive { form } => ("directive", Some(word(form)), None),
        Asked::View { until } => ("view", None, Some(stamp::day(until.number()))),
        Asked::ApproveLevel { wanted, .. } => ("approve_level", None, Some(level(*wanted))),
        Asked::Wider(wish) => match wish.read() {
            Some(WideAsked::Extend { days, .. }) => ("extend", None, Some(days.to_string())),
            Some(WideAsked::Assess { .. }) => ("assess", None, None),
            None => ("wider", None, None),
        },
    }
}

/// How an order was answered: the name in the API and the words.
fn answered(state: &ApiState, kind: &AnswerKind) -> (&'static str, Option<String>) {
    match kind {
        AnswerKind::Reply { text } => ("reply", Some(text.to_string())),
        AnswerKind::Copy => ("copy", None),
        AnswerKind::Yes { text } => ("yes", Some(text.to_string())),
        AnswerKind::No { text } => ("no", Some(text.to_string())),
        AnswerKind::Moved { owner, .. } => ("moved", Some(state.node_name(*owner))),
        AnswerKind::Unknown => ("unknown", None),
        AnswerKind::Scored { score, text } => ("scored", Some(joined([&score.to_string(), text]))),
    }
}

/// An order. Its receipts are those that came back to the issuer, and at the receiver what it noted itself.
pub(super) fn order(state: &ApiState, file: &OrderFile, all: &[&Receipt]) -> OrderView {
    let order = &file.order;
    let (asks, form, wanted) = asked(&order.asked);
    let answer = file.answered.as_ref().map(|a| answered(state, &a.kind));
    let mut receipts = receipts(state, all, |s| matches!(s, Subject::Order { order: id, .. } if *id == order.id));
    for (progress, at) in [(Progress::Delivered, file.delivered), (Progress::Read, file.read)] {
        if let Some(at) = at.filter(|_| !receipts.iter().any(|r| r.progress == word(progress))) {
            let at = Some(stamp::rfc3339(at.corrected()));
            receipts.push(ReceiptView { progress: word(progress), at, by_name: state.node_name(file.to) });
        }
    }
    OrderView {
        id: order.id.to_string(),
        case: order.case.to_string(),
        from_name: state.node_name(order.from),
        to_name: state.node_name(file.to),
        issued_here: order.from == state.me(),
        asks: asks.to_owned(),
        form,
        wanted,
        text: order.text.to_string(),
        term_days: order.term_days,
        due: file.due.map(|day| stamp::day(day.number())),
        at: stamp::rfc3339(order.at.corrected()),
        receipts,
        answer: answer.as_ref().map(|(kind, _)| (*kind).to_owned()),
        answer_text: answer.and_then(|(_, text)| text),
        answered_at: file.answered.as_ref().map(|a| stamp::rfc3339(a.at.corrected())),
        withdrawn: file.withdrawn,
        open: file.open(),
    }
}

/// An offer.
pub(super) fn offer(state: &ApiState, file: &OfferFile, all: &[&Receipt]) -> OfferView {
    let offer = &file.offer;
    let (name, reason) = match &file.state {
        OfferState::Open => ("open", None),
        OfferState::Accepted => ("accepted", None),
        OfferState::Declined { ground, text, .. } => ("declined", Some(format!("{}: {text}", word(ground)))),
        OfferState::Recalled => ("recalled", None),
        OfferState::Expired => ("expired", None),
        OfferState::Done => ("moved_to", None),
    };
    OfferView {
        id: offer.id.to_string(),
        case: offer.case.to_string(),
        from_name: state.node_name(offer.from),
        to_name: state.node_name(file.to),
        incoming: file.to == state.me(),
        state: name.to_owned(),
        open: file.state == OfferState::Open,
        reason,
        level: level(offer.brief.level()),
        summary: offer.brief.summary.to_string(),
        at: stamp::rfc3339(offer.at.corrected()),
        expires: stamp::rfc3339(offer.expires.corrected()),
        receipts: receipts(state, all, |s| matches!(s, Subject::Offer { offer: id, .. } if *id == offer.id)),
    }
}

fn level_of(division: DivisionCode) -> String {
    word(division.level())
}

/// The levels of a case from the top down: every node known here on whose ground it happened, and its owner.
pub(super) fn ladder(state: &ApiState, brief: &Brief, events: &[HeldEvent<'_>], all: &[&Receipt]) -> Vec<RungView> {
    let reporter = events.iter().find(|(h, _)| matches!(h.act, Act::Reported { .. })).map(|(h, _)| h.brief.owner);
    let places = &state.in_force().places;
    let ceiling = brief.ceiling.and_then(|node| state.division_of(node)).map(DivisionCode::level);
    let owner_level = state.division_of(brief.owner).map(DivisionCode::level);
    let mut nodes: Vec<(NodeId, Option<DivisionCode>)> = state
        .shared
        .places()
        .into_iter()
        .map(|(node, place)| (node, place.division))
        .chain([(state.me(), state.config.node.division)])
        .filter(|(node, division)| {
            places.contains(*division, brief.place) || *node == brief.owner || Some(*node) == reporter
        })
        .map(|(node, division)| (node, Some(division)))
        .collect();
    for node in reporter.into_iter().chain([brief.owner]) {
        if !nodes.iter().any(|(known, _)| *known == node) {
            nodes.push((node, state.division_of(node)));
        }
    }
    nodes.sort_by_key(|(node, division)| (division.map(DivisionCode::level), *division, *node));
    let rung = |(node, division): (NodeId, Option<DivisionCode>)| {
        let got = all.iter().filter(|r| r.by == node).filter_map(|r| match r.subject {
            Subject::Case { number, .. } => Some((r, number)),
            _ => None,
        });
        let got = got.max_by_key(|(r, number)| (*number, r.progress));
        let level = division.map(DivisionCode::level);
        let informed = ceiling.is_some_and(|top| level.is_some_and(|l| l >= top && Some(l) < owner_level));
        let part = match () {
            () if node == brief.owner => "owner",
            () if got.is_some() || informed => "follower",
            () if Some(node) == reporter => "reporter",
            () => "none",
        };
        RungView {
            level: division.map(level_of).unwrap_or_default(),
            node: node.to_string(),
            name: state.node_name(node),
            part,
            here: node == state.me(),
            receipt: match got {
                Some((r, _)) => Some(receipt(state, r)),
                // Only the owner is told what has arrived: elsewhere nothing is known of the others.
                None if informed && brief.owner == state.me() => {
                    Some(ReceiptView { progress: word(Progress::Queued), at: None, by_name: state.node_name(node) })
                }
                None => None,
            },
            upto: got.map(|(_, number)| number),
        }
    };
    nodes.into_iter().map(rung).collect()
}
