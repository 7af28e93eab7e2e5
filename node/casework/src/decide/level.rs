//! Changing the level: raising at once, lowering and cancelling with approval (升级, 降级, 解除).

use protocol::bounded::Text;
use protocol::event::{Act, Brief, Content, Matter};
use protocol::grading::{Answers, Grading, Rule};
use protocol::id::{NodeId, OrderId};
use protocol::order::Asked;
use protocol::warning::Warning;

use super::above::{self, withdraw_approval};
use super::steps::note;
use crate::draft::Draft;
use crate::grading::merge;
use crate::refusal::Refusal;
use crate::rights::{self, Actor};
use crate::world::World;

/// The ceiling of a case that rises to a level: the node that the policy names, and never lower than it was. Kept to the
/// archive.
pub(crate) fn ceiling(world: &World<'_>, before: Option<NodeId>, level: Option<Warning>) -> Option<NodeId> {
    let Some(wanted) = level.and_then(|level| world.holds.policy.ceiling(level)).map(|level| world.nearest(level))
    else {
        return before;
    };
    // This node is the lowest place of the line, a node that is not in it counts as high: it was set by somebody above.
    let height = |node: NodeId| match node {
        node if node == world.me.node => 0,
        node => world.line.iter().position(|above| above.node == node).map_or(usize::MAX, |at| at.saturating_add(1)),
    };
    match before {
        Some(before) if height(before) >= height(wanted) => Some(before),
        _ => Some(wanted),
    }
}

/// Takes an escalated case of this node further up, when the line above or the policy reaches higher than it did: a county
/// that ran alone has come below a city, or a node has filed before it knew who is above.
pub(super) fn reach(draft: &mut Draft<'_, '_>) -> bool {
    let (Ok(()), Ok(case)) = (super::mine(&draft.known, draft.world.me), draft.case()) else { return false };
    let ceiling = ceiling(draft.world, case.brief.ceiling, case.level());
    ceiling != case.brief.ceiling
        && draft.append(Act::CeilingRaised, Content::Nothing, |brief| brief.ceiling = ceiling).is_ok()
}

pub(super) fn regrade(
    draft: &mut Draft<'_, '_>,
    answers: &Answers,
    level: Option<Warning>,
    reason: Text<4000>,
    by: &Actor,
) -> Result<(), Refusal> {
    let case = draft.case()?;
    if case.brief.matter != Matter::Dispute {
        return Err(Refusal::NotGraded);
    }
    // A case that came with such a level may be lowered here; nobody raises one to what is not known.
    if level.is_some_and(|level| !level.known()) {
        return Err(Refusal::UnknownLevel);
    }
    let grading = graded(draft.world, &case.brief, answers, level);
    if level > case.level() {
        withdraw_approval(draft);
        let ceiling = ceiling(draft.world, case.brief.ceiling, level);
        return draft.append(Act::Raised { from: case.level() }, note(reason), |brief| {
            brief.grading = grading;
            brief.head_count = grading.answers.people.unwrap_or(brief.head_count);
            brief.ceiling = ceiling;
        });
    }
    let Some(from) = case.level().filter(|_| level != case.level()) else {
        return Err(Refusal::NothingChanges);
    };
    if case.approval.is_some() {
        return Err(Refusal::ApprovalPending);
    }
    if reason.trim().is_empty() {
        return Err(Refusal::ReasonMissing);
    }
    let approver = approver(draft.world, from);
    if approver == draft.me() {
        if !by.supervises(&rights::at(&draft.known)) {
            return Err(Refusal::RoleMissing);
        }
        return lower(draft, grading, None, reason);
    }
    ask(draft, approver, level, grading.answers, reason)
}

/// Who approves that a case of this level falls: the nearest node of the role's level, or this one.
pub(crate) fn approver(world: &World<'_>, from: Warning) -> NodeId {
    world.holds.policy.approver(from).map_or(world.me.node, |level| world.nearest(level))
}

fn graded(world: &World<'_>, brief: &Brief, answers: &Answers, level: Option<Warning>) -> Grading {
    let answers = merge(&brief.grading.answers, answers);
    let (proposed, rule) = world.holds.rules.propose(brief.matter, &answers);
    let fired = if proposed == level { rule } else { Rule::Person };
    Grading { rules: world.holds.policy.rules, answers, fired, level }
}

/// Writes the lower level, or its cancelling.
pub(crate) fn lower(
    draft: &mut Draft<'_, '_>,
    grading: Grading,
    approval: Option<OrderId>,
    reason: Text<4000>,
) -> Result<(), Refusal> {
    let from = draft.case()?.level();
    let act = match grading.level {
        Some(_) => Act::Lowered { from, approval },
        None => Act::Cancelled { from, approval },
    };
    draft.append(act, note(reason), |brief| {
        brief.grading = grading;
        brief.head_count = grading.answers.people.unwrap_or(brief.head_count);
    })
}

/// The grading after an approved order.
pub(crate) fn approved(world: &World<'_>, brief: &Brief, answers: Option<Answers>, level: Option<Warning>) -> Grading {
    graded(world, brief, &answers.unwrap_or(brief.grading.answers), level)
}

/// Asks for approval; the higher level stands meanwhile.
fn ask(
    draft: &mut Draft<'_, '_>,
    approver: NodeId,
    wanted: Option<Warning>,
    answers: Answers,
    reason: Text<4000>,
) -> Result<(), Refusal> {
    // The reason travels with the order.
    super::nameless(&draft.known, &reason)?;
    let (id, text) = (draft.order_id(), Text::cut(&reason));
    draft.append(Act::ApprovalAsked { order: id, wanted }, note(reason), |_| {})?;
    above::ask(draft, (id, approver), |brief| Asked::ApproveLevel { wanted, brief }, text, Some(answers))
}
