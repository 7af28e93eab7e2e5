//! Step 1: reporting (信息上报).

use protocol::chain::{Epoch, Hash};
use protocol::event::{Act, Brief, Commitment, Content, Ending, Header, Step};
use protocol::grading::{Answers, Grading, Rule};
use protocol::id::NodeId;
use protocol::unit::UnitCode;
use protocol::warning::Warning;

use super::{level, restrict, transfer};
use crate::brief::{nameless, prefill};
use crate::command::{Intake, Restrict};
use crate::draft::{Decision, Draft};
use crate::known::Known;
use crate::refusal::Refusal;
use crate::restricted;
use crate::rights::{ActionName, Actor, At};
use crate::term::{self, SoFar};
use crate::world::World;

/// Opens a case: the report, and in the same decision its escalation and its offer to the intake level.
pub fn open(intake: Intake, by: &Actor, known: &Known, world: &mut World<'_>) -> Result<Decision, Refusal> {
    by.must(ActionName::Report, &[At { place: intake.place, unit: UnitCode::NODE_ITSELF }])?;
    if known.case().is_some() {
        return Err(Refusal::AlreadyReported);
    }
    acceptable(&intake, world)?;
    let restrict = restrict::wanted(&intake);
    restrict.as_ref().map_or(Ok(()), |asked| restrict::acceptable(asked, world))?;
    let receiver = receiver(&intake, restrict.as_ref(), world)?;
    let brief = brief(&intake, world)?;
    let told = if restrict.is_some() { restricted::told(&brief, world.me.division) } else { brief.clone() };
    let mut draft = Draft::new(known, world, Some(by));
    let header = Header {
        id: draft.event_id(),
        case: intake.case,
        epoch: Epoch::default(),
        number: 1,
        previous: Hash::ZERO,
        at: draft.world.now,
        act: Act::Reported { ending: intake.ending },
        brief: told,
        commitment: Commitment([0; 32]),
    };
    draft.key();
    draft.commit(header, Content::Report { title: intake.title, narrative: intake.narrative, parties: intake.parties });
    if let Some(asked) = restrict {
        restrict::withhold(&mut draft, &brief, asked, by)?;
    }
    if let Some(to) = receiver {
        transfer::offer(&mut draft, to)?;
    }
    Ok(draft.finish())
}

/// What a form must hold. Codes of other lists are shown and carried, but nobody here files under one.
fn acceptable(intake: &Intake, world: &World<'_>) -> Result<(), Refusal> {
    if intake.title.trim().is_empty() {
        return Err(Refusal::TitleMissing);
    }
    if intake.parties.iter().any(|party| party.name.trim().is_empty()) {
        return Err(Refusal::NameMissing);
    }
    if world.holds.categories.get(intake.category).is_none() {
        return Err(Refusal::UnknownCategory);
    }
    if !world.holds.places.contains(world.me.division, intake.place) {
        return Err(Refusal::OutsideArea);
    }
    Ok(())
}

fn receiver(intake: &Intake, restrict: Option<&Restrict>, world: &World<'_>) -> Result<Option<NodeId>, Refusal> {
    let against = restrict.and_then(|asked| asked.against);
    match (intake.ending, against) {
        (Ending::SettleHere, Some(node)) if node == world.me.node => Err(Refusal::AboutOwnPeople),
        (Ending::SettleHere, _) => Ok(None),
        (Ending::Submit, Some(node)) => restrict::around(world, node).map(Some).ok_or(Refusal::NobodyAbove),
        (Ending::Submit, None) => world.intake().map(Some).ok_or(Refusal::NobodyAbove),
    }
}

fn brief(intake: &Intake, world: &World<'_>) -> Result<Brief, Refusal> {
    let (answers, head_count) = people(intake);
    let summary = match &intake.summary {
        Some(summary) if !summary.trim().is_empty() => summary.clone(),
        _ => prefill(intake.matter, &world.holds.categories.name(intake.category, true), head_count),
    };
    nameless(&summary, intake.parties.iter().map(|party| party.name.as_str()))?;
    let (level, fired) = confirmed(intake, &answers, world)?;
    let mut brief = Brief {
        matter: intake.matter,
        source: intake.source,
        category: intake.category,
        place: intake.place,
        grid_kind: intake.grid_kind,
        head_count,
        grading: Grading { rules: world.holds.policy.rules, answers, fired, level },
        step: Step::Reported,
        owner: world.me.node,
        unit: UnitCode::NODE_ITSELF,
        next_term: None,
        summary,
        ceiling: level::ceiling(world, None, level),
        outcome: None,
        void: false,
    };
    brief.next_term =
        term::next(world.holds, &brief, SoFar { steps: &[], pauses: &[], mediation: None, extended: 0 }, world.now);
    Ok(brief)
}

/// The panel and the form ask for people once each: what only one of them tells holds for both.
fn people(intake: &Intake) -> (Answers, u32) {
    let stated = Some(intake.head_count).filter(|count| *count > 0);
    let people = intake.answers.people.max(stated);
    (Answers { people, ..intake.answers }, people.unwrap_or(0))
}

/// The level that the person confirmed: the proposal, or a higher one.
fn confirmed(intake: &Intake, answers: &Answers, world: &World<'_>) -> Result<(Option<Warning>, Rule), Refusal> {
    let (proposed, rule) = world.holds.rules.propose(intake.matter, answers);
    match intake.confirmed_level {
        None => Ok((proposed, rule)),
        Some(level) if level == proposed => Ok((proposed, rule)),
        Some(_) if rule == Rule::NotADispute => Err(Refusal::NotGraded),
        Some(Some(level)) if !level.known() => Err(Refusal::UnknownLevel),
        Some(level) if level < proposed => Err(Refusal::BelowProposal),
        Some(level) => Ok((level, Rule::Person)),
    }
}
