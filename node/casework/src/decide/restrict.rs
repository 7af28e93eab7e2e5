//! Cases that only named readers may read (受限案件): which they are, and who those are.

use protocol::bounded::Text;
use protocol::event::{Brief, RestrictionGround, WideAct, WideContent};
use protocol::id::NodeId;

use super::steps::note as noted;
use crate::command::{Intake, Restrict};
use crate::draft::Draft;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::restricted::{Reader, put, suggested, withheld};
use crate::rights::{self, Actor};
use crate::world::World;

/// Readers of a case at one node at most.
pub(crate) const READERS_MAX: usize = 64;

/// How a report is restricted: as whoever files it says, and where they say nothing, as its words do.
pub(super) fn wanted(intake: &Intake) -> Option<Restrict> {
    let by_words = || {
        let ground = suggested(&intake.title, &intake.narrative)?;
        Some(Restrict { ground, against: None, note: Text::default() })
    };
    intake.restricted.clone().unwrap_or_else(by_words)
}

/// Refuses a ground without what it needs: a node whose people it is about is one that is known here.
pub(super) fn acceptable(asked: &Restrict, world: &World<'_>) -> Result<(), Refusal> {
    if asked.ground == RestrictionGround::Other && asked.note.trim().is_empty() {
        return Err(Refusal::ReasonMissing);
    }
    let known = |node: NodeId| {
        node == world.me.node
            || world.line.iter().any(|above| above.node == node)
            || world.keys.division(node).is_some()
    };
    match (asked.ground, asked.against) {
        (RestrictionGround::OwnPeople, None) => Err(Refusal::NodeMissing),
        (_, Some(node)) if !known(node) => Err(Refusal::NodeMissing),
        _ => Ok(()),
    }
}

/// To whom a report about people of a node is submitted: the nearest above that node, and no lower than others are.
pub(super) fn around(world: &World<'_>, against: NodeId) -> Option<NodeId> {
    let height = |node: NodeId| world.line.iter().position(|above| above.node == node);
    let usual = world.intake().and_then(height)?;
    let behind = if against == world.me.node { Some(0) } else { height(against).map(|at| at.saturating_add(1)) };
    world.line.get(behind.map_or(usual, |behind| behind.max(usual))).map(|above| above.node)
}

/// Restricts a case from here on. What has left already stays where it is: the page of the case says who has it.
pub(super) fn restrict(draft: &mut Draft<'_, '_>, asked: Restrict, by: &Actor) -> Result<(), Refusal> {
    let case = draft.case()?;
    if case.restricted {
        return Err(Refusal::NothingChanges);
    }
    acceptable(&asked, draft.world)?;
    if case.offered.is_some_and(|(_, to)| asked.against == Some(to)) {
        return Err(Refusal::OfferOpen);
    }
    withhold(draft, &case.brief, asked, by)
}

/// Withholds what stands in a brief, and lets whoever did it read on.
pub(super) fn withhold(
    draft: &mut Draft<'_, '_>,
    brief: &Brief,
    Restrict { ground, against, note }: Restrict,
    by: &Actor,
) -> Result<(), Refusal> {
    let what = withheld(brief, ground, against);
    let content = WideContent::Withheld { what: what.clone(), note }.widen().map_err(|_| Refusal::TooLong)?;
    draft.append(WideAct::Restricted {}, content, |brief| put(&what, brief))?;
    may_read(draft, by.user.clone(), by.name.clone(), by);
    Ok(())
}

/// Makes it a case like others again: from here on all of it is told.
pub(super) fn lift(draft: &mut Draft<'_, '_>, reason: Text<4000>) -> Result<(), Refusal> {
    if !draft.case()?.restricted {
        return Err(Refusal::NothingChanges);
    }
    if reason.trim().is_empty() {
        return Err(Refusal::ReasonMissing);
    }
    super::nameless(&draft.known, &draft.case()?.brief.summary)?;
    draft.append(WideAct::RestrictionLifted {}, noted(reason), |_| {})
}

/// Who names readers: those who read it, and whoever answers for the node, who may begin with themselves.
pub(crate) fn names_readers(known: &crate::known::Known, by: &Actor) -> bool {
    known.is_restricted() && (known.has_reader(by) || by.supervises(&rights::at(&known.read_by(by))))
}

pub(super) fn name_reader(
    draft: &mut Draft<'_, '_>,
    user: Text<40>,
    name: Text<60>,
    by: &Actor,
) -> Result<(), Refusal> {
    must_name(draft, by)?;
    if draft.known.reader(&user).is_some() {
        return Err(Refusal::NothingChanges);
    }
    if draft.known.readers().count() >= READERS_MAX {
        return Err(Refusal::CaseFull);
    }
    may_read(draft, user, name, by);
    Ok(())
}

pub(super) fn drop_reader(draft: &mut Draft<'_, '_>, user: &Text<40>, by: &Actor) -> Result<(), Refusal> {
    must_name(draft, by)?;
    let held = draft.known.reader(user).cloned().ok_or(Refusal::NothingChanges)?;
    draft.store(Record::Reader(Reader { until: Some(draft.world.now), ..held }));
    Ok(())
}

fn must_name(draft: &Draft<'_, '_>, by: &Actor) -> Result<(), Refusal> {
    match (draft.known.is_restricted(), names_readers(&draft.known, by)) {
        (false, _) => Err(Refusal::NotRestricted),
        (true, false) => Err(Refusal::Restricted),
        (true, true) => Ok(()),
    }
}

/// Lets somebody read.
pub(super) fn may_read(draft: &mut Draft<'_, '_>, user: Text<40>, name: Text<60>, by: &Actor) {
    let (case, since) = (draft.known.id(), draft.world.now);
    draft.store(Record::Reader(Reader { case, user, name, by: by.name.clone(), since, until: None }));
}
