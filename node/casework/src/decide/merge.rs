//! Two cases of one matter become one (并案): the one that goes is struck through and names the one that stays; people, words
//! and the higher level of the one that goes are in the one that stays. Both are decided together, and stored together.

use std::collections::BTreeMap;

use protocol::bounded::{List, Text};
use protocol::event::{Brief, PARTIES_AT_ONCE_MAX, Participant, WideAct, WideContent};
use protocol::grading::Grading;

use super::above::{withdraw_approval, withdraw_asked};
use super::steps::note;
use super::{end_open_offer, level, open_to, roomy};
use crate::case::Case;
use crate::draft::{Decision, Draft};
use crate::grading::merge;
use crate::known::Known;
use crate::refusal::Refusal;
use crate::rights::{self, ActionName, Actor};
use crate::world::World;

/// Decides what becomes of both: of the one that goes, and of the one that stays.
pub fn decide_pair(
    goes: &Known,
    stays: &Known,
    text: Text<4000>,
    by: &Actor,
    world: &mut World<'_>,
) -> Result<(Decision, Decision), Refusal> {
    ready(goes, by, world)?;
    // One that is not here, and one that they may not see, are the same answer.
    ready(stays, by, world).map_err(|refusal| match refusal {
        Refusal::UnknownCase => Refusal::OtherCase,
        refusal => refusal,
    })?;
    roomy(stays, world.me, &world.holds.policy, ActionName::Join)?;
    let (from, into) = (case(goes)?, case(stays)?);
    fit(from, into)?;
    let gone = {
        let mut draft = Draft::new(goes, world, Some(by));
        end_open_offer(&mut draft)?;
        withdraw_asked(&mut draft);
        draft.append(WideAct::Merged { into: into.id }, note(text.clone()), |brief| brief.void = true)?;
        draft.finish()
    };
    let mut draft = Draft::new(stays, world, Some(by));
    take_in(&mut draft, from, text)?;
    Ok((gone, draft.finish()))
}

fn ready(known: &Known, by: &Actor, world: &World<'_>) -> Result<(), Refusal> {
    by.must(ActionName::Merge, &rights::places(&known.read_by(by), ActionName::Merge))?;
    open_to(known, world.me, by, world.holds, ActionName::Merge)
}

fn case(known: &Known) -> Result<&Case, Refusal> {
    known.case().ok_or(Refusal::UnknownCase)
}

/// Two cases are one where nothing of either is bound yet: no task is with a unit and no party has agreed to anything in the
/// one that goes.
fn fit(from: &Case, into: &Case) -> Result<(), Refusal> {
    let open = |case: &Case| case.brief.outcome.is_none();
    let free = from.mediation().is_none() && from.agreements.iter().all(|agreement| agreement.dropped);
    if from.id == into.id || from.brief.matter != into.brief.matter || !open(from) || !open(into) || !free {
        return Err(Refusal::OtherCase);
    }
    if from.restricted != into.restricted {
        return Err(Refusal::RestrictedApart);
    }
    super::tasks::resolvable(from)
}

fn take_in(draft: &mut Draft<'_, '_>, from: &Case, text: Text<4000>) -> Result<(), Refusal> {
    let (title, narrative) =
        from.report.as_deref().map(|report| (report.title.clone(), report.narrative.clone())).unwrap_or_default();
    let content = WideContent::TakenIn { title, narrative, note: text }.widen().map_err(|_| Refusal::TooLong)?;
    let brief = graded(draft, from)?;
    if brief.level() > draft.case()?.level() {
        withdraw_approval(draft);
    }
    draft
        .append(WideAct::TookIn { case: from.id }, content, |now| *now = Brief { next_term: now.next_term, ..brief })?;
    let newcomers = newcomers(from, &draft.case()?);
    for people in newcomers.chunks(PARTIES_AT_ONCE_MAX) {
        let first = draft.case()?.next_seat();
        let count = u16::try_from(people.len()).map_err(|_| Refusal::TooLong)?;
        let people = List::new(people.to_vec()).map_err(|_| Refusal::TooLong)?;
        let content = WideContent::Participants { people }.widen().map_err(|_| Refusal::TooLong)?;
        draft.append(WideAct::Joined { first, count }, content, |_| {})?;
    }
    Ok(())
}

/// Who is in the one case and not in the other. Whom they speak for has another number there.
fn newcomers(from: &Case, into: &Case) -> Vec<Participant> {
    let (mut next, mut numbers, mut new) = (into.next_seat(), BTreeMap::new(), Vec::new());
    for (number, who) in people(from) {
        if let Some((known, _)) = people(into).find(|(_, known)| same(who, known)) {
            numbers.insert(number, known);
            continue;
        }
        numbers.insert(number, next);
        next = next.saturating_add(1);
        new.push(who.clone());
    }
    new.iter_mut().for_each(|who| who.speaks_for = who.speaks_for.and_then(|of| numbers.get(&of).copied()));
    new
}

/// The brief of the case that stays: it keeps the higher level, and what was known of either is known of it.
fn graded(draft: &Draft<'_, '_>, from: &Case) -> Result<Brief, Refusal> {
    let case = draft.case()?;
    let mut brief = case.brief.clone();
    let answers = merge(&from.brief.grading.answers, &brief.grading.answers);
    let (proposed, fired) = draft.world.holds.rules.propose(brief.matter, &answers);
    brief.head_count = brief.head_count.max(from.brief.head_count);
    let level = proposed.max(from.level()).max(brief.level());
    if level > brief.level() {
        let by_rule = level == proposed;
        let fired = if by_rule { fired } else { from.brief.grading.fired };
        brief.grading = Grading { rules: draft.world.holds.policy.rules, answers, fired, level };
        brief.ceiling = level::ceiling(draft.world, brief.ceiling, level);
    }
    Ok(brief)
}

fn people(case: &Case) -> impl Iterator<Item = (u16, &Participant)> {
    case.seats.iter().filter(|seat| !seat.left).filter_map(|seat| Some((seat.number, seat.who.as_deref()?)))
}

/// Whether two entries are one person: the same name, and nothing that tells them apart.
fn same(one: &Participant, other: &Participant) -> bool {
    let tells = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && a != b;
    one.name == other.name && !tells(&one.phone, &other.phone) && !tells(&one.identity, &other.identity)
}
