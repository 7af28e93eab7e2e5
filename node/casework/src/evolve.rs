//! The state after an event. Total: it refuses nothing, because what came here has been checked or has happened.

use std::borrow::Cow;
use std::sync::Arc;

use protocol::chain::{Hash, Head};
use protocol::event::{Act, CaseEvent, Content, Header, Participant, Private, Step, TermKind, WideAct, WideContent};
use protocol::fact::{LevelChange, StepReached};
use protocol::id::CaseId;

use protocol::time::{ClockReading, Minute};

use crate::case::{Case, Exit, Pause, Report, Seat, Sponsor};
use crate::mediation;
use crate::objection::{self, Assignment};
use crate::restricted;
use crate::tasks;

/// Seats that one event adds: as many as its content can name.
const SEATS_AT_ONCE_MAX: u16 = 16;
/// Other cases that one names.
pub(crate) const LINKS_MAX: usize = 64;

/// The case after one more event; the first event makes it.
pub fn evolve(case: Option<Case>, event: &CaseEvent) -> Case {
    let private = event.private.as_ref().map(|(_, private)| private);
    evolve_hashed(case, &event.header, event.header.hash(), private)
}

/// The same, where the header's hash is known.
pub(crate) fn evolve_hashed(case: Option<Case>, header: &Header, hash: Hash, private: Option<&Private>) -> Case {
    let mut next = case.unwrap_or_else(|| Case {
        id: header.case,
        head: Head { epoch: header.epoch, number: header.number, hash },
        brief: header.brief.clone(),
        reporter: header.brief.owner,
        reported_at: header.at,
        changed_at: header.at,
        level_changes: vec![LevelChange { at: header.at.minute(), level: header.brief.level() }],
        steps: vec![StepReached { step: Step::Reported, at: header.at.minute() }],
        terms: Vec::new(),
        resolved_at: None,
        score: None,
        offered: None,
        approval: None,
        released: false,
        returned: false,
        pauses: Vec::new(),
        extended: 0,
        extension_asked: None,
        exit: None,
        reopened: 0,
        seats: Vec::new(),
        mediations: Vec::new(),
        agreements: Vec::new(),
        assignment: Assignment::default(),
        tasks: Vec::new(),
        linked: Vec::new(),
        merged_into: None,
        sponsor: None,
        restricted: false,
        withheld: None,
        told: None,
        measures: Vec::new(),
        amount_fen: None,
        report: None,
    });
    if next.brief.level() != header.brief.level() {
        next.level_changes.push(LevelChange { at: header.at.minute(), level: header.brief.level() });
    }
    if header.brief.level() > next.brief.level() {
        // Nobody waits to lower what has risen.
        next.approval = None;
    }
    if next.steps.iter().all(|reached| reached.step != header.brief.step) {
        next.steps.push(StepReached { step: header.brief.step, at: header.at.minute() });
    }
    if let Some(term) = header.brief.next_term {
        // One that ended beyond the calendar is counted again.
        match next.terms.iter_mut().find(|known| known.kind == term.kind) {
            Some(known) => *known = term,
            None => next.terms.push(term),
        }
    }
    if next.brief.outcome.is_none() && header.brief.outcome.is_some() {
        next.resolved_at = Some(header.at.minute());
    }
    next.head = Head { epoch: header.epoch, number: header.number, hash };
    next.brief = header.brief.clone();
    next.changed_at = header.at;
    follow_act(&mut next, &header.act, header.at.minute());
    if let Act::Wider(wider) = &header.act {
        // Of one that came after this version only the brief tells.
        wider.read().into_iter().for_each(|act| follow_wide(&mut next, &act, header.at.minute()));
    }
    if let Some(private) = private {
        follow_words(&mut next, &header.act, &private.content);
    }
    restricted::overlay(&mut next, &header.brief);
    next
}

/// What an act says privately counts as what the act is: a contribution may hold anything that somebody else wrote, and
/// neither reports nor settles.
fn follow_words(case: &mut Case, act: &Act, content: &Content) {
    match (act, content) {
        (Act::Reported { .. }, Content::Report { title, narrative, parties }) => {
            let report = Report { title: title.clone(), narrative: narrative.clone(), parties: parties.clone() };
            case.seats = numbered(1, report.parties.iter().cloned().map(|party| Some(Arc::new(party.into()))));
            case.report = Some(Arc::new(report));
        }
        (Act::Resolved, Content::Resolution { amount_fen, .. }) => case.amount_fen = *amount_fen,
        (Act::Wider(act), Content::Wider(said)) => {
            if let (Some(act), Some(content)) = (act.read(), said.read()) {
                follow_wide_words(case, &act, content);
            }
        }
        _ => {}
    }
}

fn follow_wide_words(case: &mut Case, act: &WideAct, content: WideContent) {
    match (act, content) {
        (WideAct::Joined { first, .. }, WideContent::Participants { people }) => {
            let last = first.saturating_add(u16::try_from(people.len()).unwrap_or(u16::MAX));
            for (number, who) in (*first..last).zip(people) {
                sit(case, number, who);
            }
        }
        (WideAct::PartyAmended { party }, WideContent::Participants { people }) => {
            people.into_iter().take(1).for_each(|who| sit(case, *party, who));
        }
        (WideAct::Amended {}, WideContent::Amendment { title, narrative, .. }) => {
            if let Some(report) = &mut case.report {
                let report = Arc::make_mut(report);
                report.title = title.unwrap_or_else(|| report.title.clone());
                report.narrative = narrative.unwrap_or_else(|| report.narrative.clone());
            }
        }
        (WideAct::Restricted {} | WideAct::WithheldChanged {}, WideContent::Withheld { what, .. }) => {
            case.withheld = Some(Arc::new(what));
        }
        (WideAct::Sponsored {}, WideContent::Sponsor { name, office, .. }) => {
            case.sponsor = Some(Arc::new(Sponsor { name, office }));
        }
        _ => {}
    }
}

fn numbered(first: u16, who: impl Iterator<Item = Option<Arc<Participant>>>) -> Vec<Seat> {
    (first..).zip(who).map(|(number, who)| Seat { number, who, before: Vec::new(), left: false }).collect()
}

/// Who sits there, as far as anybody does.
fn sit(case: &mut Case, number: u16, who: Participant) {
    if let Some(seat) = case.seats.iter_mut().find(|seat| seat.number == number) {
        seat.before.extend(seat.who.replace(Arc::new(who)));
    }
}

/// What an act opens or closes besides the brief.
fn follow_act(case: &mut Case, act: &Act, at: Minute) {
    match act {
        Act::Offered { offer, to } => case.offered = Some((*offer, *to)),
        Act::OfferEnded { .. } | Act::OfferDeclined { .. } => case.offered = None,
        Act::ApprovalAsked { order, wanted } => case.approval = Some((*order, *wanted)),
        Act::ApprovalRefused { .. } | Act::Lowered { .. } | Act::Cancelled { .. } | Act::Raised { .. } => {
            case.approval = None;
        }
        Act::Released { .. } => {
            case.offered = None;
            case.approval = None;
            case.released = true;
        }
        Act::Assigned => case.assignment.given(at),
        Act::Resolved => case.assignment.objection = None,
        Act::Taken { .. } | Act::TakenOver { .. } => {
            // Its units have not had it yet.
            case.assignment = Assignment::default();
            case.offered = None;
            case.approval = None;
            case.released = false;
        }
        Act::Returned => case.returned = true,
        Act::Filed => case.returned = false,
        Act::Voided | Act::Archived => case.approval = None,
        Act::Assessed { score } => case.score = Some(*score),
        Act::Reported { .. }
        | Act::Progressed
        | Act::FedBack
        | Act::OrderReceived { .. }
        | Act::OrderAnswered { .. }
        | Act::Contributed { .. }
        | Act::CeilingRaised
        | Act::Wider(_) => {}
    }
}

/// The same of an act that came after the first version.
fn follow_wide(case: &mut Case, act: &WideAct, at: Minute) {
    match act {
        WideAct::Paused { ground, on } => {
            case.pauses.push(Pause { ground: *ground, from: *on, until: None, entered: (at, None) });
        }
        WideAct::Resumed { on } => {
            if let Some(last) = case.pauses.last_mut() {
                (last.until, last.entered.1) = (Some(*on), Some(at));
            }
        }
        WideAct::ExtensionAsked { days } => case.extension_asked = Some(*days),
        WideAct::ExtensionRefused {} => case.extension_asked = None,
        WideAct::Extended { days } => {
            case.extension_asked = None;
            case.extended = case.extended.saturating_add(*days);
        }
        WideAct::NotTakenOn { ground } => case.exit = Some(Exit::Declined(*ground)),
        WideAct::Withdrawn {} => case.exit = Some(Exit::Withdrawn),
        WideAct::Referred { channel } => case.exit = Some(Exit::Referred(*channel)),
        WideAct::Reopened {} => open_again(case),
        WideAct::Joined { first, count } => {
            // A number belongs to whoever had it first.
            let joined = numbered(*first, (0..(*count).min(SEATS_AT_ONCE_MAX)).map(|_| None));
            let taken = case.seats.iter().map(|seat| seat.number).max().unwrap_or(0);
            case.seats.extend(joined.into_iter().filter(|seat| seat.number > taken));
        }
        WideAct::Left { party } => {
            case.seats.iter_mut().filter(|seat| seat.number == *party).for_each(|seat| seat.left = true);
        }
        WideAct::Linked { to } => link(case, *to),
        WideAct::Restricted {} => case.restricted = true,
        WideAct::RestrictionLifted {} => (case.restricted, case.withheld) = (false, None),
        WideAct::Merged { into } => case.merged_into = Some(*into),
        WideAct::TookIn { case: other } => link(case, *other),
        WideAct::MeasureTaken { measure } => case.measures.push((*measure, at)),
        WideAct::PartyAmended { .. }
        | WideAct::Amended {}
        | WideAct::Turned { .. }
        | WideAct::WithheldChanged {}
        | WideAct::TermCounted {} => {}
        // Who it is stands in the words; what is in the dossier is told by its story.
        WideAct::Sponsored {} | WideAct::Placed { .. } | WideAct::SheetScanned { .. } | WideAct::SlotExcused { .. } => {
        }
        act => {
            mediation::follow(case, act);
            objection::follow(case, act, at);
            tasks::follow(case, act, at);
        }
    }
}

fn link(case: &mut Case, other: CaseId) {
    if !case.linked.contains(&other) && case.linked.len() < LINKS_MAX {
        case.linked.push(other);
    }
}

/// The case with what an act opens or closes, before its header is made.
pub(crate) fn foreseen<'c>(case: &'c Case, act: &Act, now: ClockReading) -> Cow<'c, Case> {
    let Act::Wider(wider) = act else { return Cow::Borrowed(case) };
    let mut then = case.clone();
    wider.read().into_iter().for_each(|act| follow_wide(&mut then, &act, now.minute()));
    Cow::Owned(then)
}

/// What had come after the handling did not come: it is done again.
fn open_again(case: &mut Case) {
    case.exit = None;
    case.resolved_at = None;
    case.score = None;
    case.steps.retain(|reached| reached.step <= Step::InProgress);
    case.terms.retain(|term| !matches!(term.kind, TermKind::FeedBack | TermKind::Assess));
    case.reopened = case.reopened.saturating_add(1);
}
