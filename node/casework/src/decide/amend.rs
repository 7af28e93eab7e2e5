//! What a report says is put right or completed (补充更正), turned into a matter of another kind (转办), and linked to another case
//! (关联). Nothing is written over: the entries before stay in the chain.

use protocol::bounded::Text;
use protocol::event::{Brief, Category, Matter, WideAct, WideContent};
use protocol::grading::{Answers, Grading};
use protocol::id::CaseId;

use super::above::withdraw_approval;
use super::level;
use super::steps::note;
use crate::brief::prefill;
use crate::command::Amendment;
use crate::draft::Draft;
use crate::evolve::LINKS_MAX;
use crate::grading::merge;
use crate::refusal::Refusal;
use crate::world::World;

pub(super) fn amend(draft: &mut Draft<'_, '_>, wanted: Amendment) -> Result<(), Refusal> {
    let case = draft.case()?;
    let Amendment { title, narrative, reason, .. } = &wanted;
    if title.as_ref().is_some_and(|title| title.trim().is_empty()) {
        return Err(Refusal::TitleMissing);
    }
    let mut brief = case.brief.clone();
    put_right(&mut brief, &wanted, draft)?;
    let before = case.report.as_deref();
    let title = title.clone().filter(|title| before.is_none_or(|report| report.title != *title));
    let narrative = narrative.clone().filter(|narrative| before.is_none_or(|report| report.narrative != *narrative));
    if brief == case.brief && title.is_none() && narrative.is_none() {
        return Err(Refusal::NothingChanges);
    }
    let content = WideContent::Amendment { title, narrative, reason: reason.clone() };
    let content = content.widen().map_err(|_| Refusal::TooLong)?;
    raised(draft, &mut brief);
    draft.append(WideAct::Amended {}, content, |now| *now = Brief { next_term: now.next_term, ..brief })
}

/// The brief with what is to change of it.
fn put_right(brief: &mut Brief, wanted: &Amendment, draft: &Draft<'_, '_>) -> Result<(), Refusal> {
    let world = &*draft.world;
    let known = |category: &Category| world.holds.categories.get(*category).is_some();
    if wanted.category.as_ref().is_some_and(|category| *category != brief.category && !known(category)) {
        return Err(Refusal::UnknownCategory);
    }
    if wanted.place.is_some_and(|place| !world.holds.places.contains(world.me.division, place)) {
        return Err(Refusal::OutsideArea);
    }
    let prefilled =
        |brief: &Brief| prefill(brief.matter, &world.holds.categories.name(brief.category, true), brief.head_count);
    let by_rule = brief.summary == prefilled(brief);
    brief.category = wanted.category.unwrap_or(brief.category);
    brief.place = wanted.place.unwrap_or(brief.place);
    brief.grid_kind = wanted.grid_kind.unwrap_or(brief.grid_kind);
    brief.source = wanted.source.unwrap_or(brief.source);
    count_again(brief, wanted, world);
    match &wanted.summary {
        Some(summary) if !summary.trim().is_empty() => {
            super::nameless(&draft.known, summary)?;
            brief.summary = summary.clone();
        }
        // One that a rule wrote says what holds now.
        _ if by_rule => brief.summary = prefilled(brief),
        _ => {}
    }
    Ok(())
}

/// People and answers as they are known now. The level is that of the rules where it rises; to lower it needs its approval.
fn count_again(brief: &mut Brief, wanted: &Amendment, world: &World<'_>) {
    let people = wanted.head_count.filter(|people| *people > 0);
    let answers = wanted.answers.unwrap_or_default();
    let answers = merge(&brief.grading.answers, &Answers { people: people.or(answers.people), ..answers });
    brief.head_count = answers.people.unwrap_or(brief.head_count);
    let (proposed, fired) = world.holds.rules.propose(brief.matter, &answers);
    brief.grading.answers = answers;
    if proposed > brief.grading.level {
        brief.grading = Grading { rules: world.holds.policy.rules, answers, fired, level: proposed };
    }
}

/// A case that rises by its new facts is taken as far up as its level asks, and nobody waits for an approval to lower it.
fn raised(draft: &mut Draft<'_, '_>, brief: &mut Brief) {
    if draft.known.case().is_some_and(|case| brief.level() > case.level()) {
        withdraw_approval(draft);
        brief.ceiling = level::ceiling(draft.world, brief.ceiling, brief.level());
    }
}

/// Advice becomes a request, and either becomes a dispute: number, words and people stay (转为民生诉求, 转为纠纷).
pub(super) fn turn(
    draft: &mut Draft<'_, '_>,
    into: Matter,
    category: Option<Category>,
    answers: &Answers,
    text: Text<4000>,
) -> Result<(), Refusal> {
    let case = draft.case()?;
    let from = case.brief.matter;
    if !leads(from, into) {
        return Err(Refusal::NotTurned);
    }
    let category = category.unwrap_or(case.brief.category);
    if draft.world.holds.categories.get(category).is_none() {
        return Err(Refusal::UnknownCategory);
    }
    let mut brief = Brief { matter: into, category, ..case.brief.clone() };
    let answers = merge(&brief.grading.answers, answers);
    let (level, fired) = draft.world.holds.rules.propose(into, &answers);
    brief.grading = Grading { rules: draft.world.holds.policy.rules, answers, fired, level };
    brief.head_count = answers.people.unwrap_or(brief.head_count);
    let summary = prefill(into, &draft.world.holds.categories.name(category, true), brief.head_count);
    brief.summary = summary;
    raised(draft, &mut brief);
    draft.append(WideAct::Turned { from }, note(text), |now| *now = Brief { next_term: now.next_term, ..brief })
}

/// What is graded stays so: a dispute that is none after all ends as what it is.
fn leads(from: Matter, into: Matter) -> bool {
    matches!(
        (from, into),
        (Matter::Consultation, Matter::Request | Matter::Dispute) | (Matter::Request, Matter::Dispute)
    )
}

pub(super) fn link(draft: &mut Draft<'_, '_>, to: CaseId, text: Text<4000>) -> Result<(), Refusal> {
    let case = draft.case()?;
    if to == case.id || case.linked.contains(&to) {
        return Err(Refusal::NothingChanges);
    }
    if case.linked.len() >= LINKS_MAX {
        return Err(Refusal::CaseFull);
    }
    draft.append(WideAct::Linked { to }, note(text), |_| {})
}
