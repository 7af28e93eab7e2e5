//! What the owner of a case asks of the node above it: an assessment by another unit than the one that led it, and more time where
//! nobody here could give it. The question is an order, and so has receipts, a term, and an answer that ends it.

use protocol::bounded::Text;
use protocol::division::Level;
use protocol::event::{Act, Brief, Content, DueTerm, Step, WideAct};
use protocol::grading::Answers;
use protocol::id::{NodeId, OrderId};
use protocol::order::{Asked, Order, WideAsked};
use protocol::unit::UnitCode;
use protocol::warning::Warning;

use super::clock::extendable;
use crate::case::Case;
use crate::draft::{Decision, Draft};
use crate::known::Known;
use crate::record::{FollowerClass, OrderFile, Record};
use crate::refusal::Refusal;
use crate::rights::{self, ActionName, Actor};
use crate::world::{Me, World};

/// Asks a node above, which may have nothing of the case but what is told with the order. What is asked travels readable.
pub(super) fn ask(
    draft: &mut Draft<'_, '_>,
    (id, to): (OrderId, NodeId),
    asked: impl FnOnce(Brief) -> Asked,
    text: Text<1000>,
    answers: Option<Answers>,
) -> Result<(), Refusal> {
    let case = draft.case()?;
    let term_days = Some(draft.world.holds.policy.answer_days);
    let (from, at, asked) = (draft.me(), draft.world.now, asked(case.above().clone()));
    draft.give(Order { id, case: case.id, from, asked, text, term_days, at }, to, answers);
    draft.follow(to, FollowerClass::Brief, None, "approval");
    Ok(())
}

/// Asks the node right above; nothing where nobody is.
fn wish(draft: &mut Draft<'_, '_>, wish: impl FnOnce(Brief) -> WideAsked, text: Text<1000>) -> Result<(), Refusal> {
    let Some(above) = draft.world.line.first().map(|above| above.node) else { return Ok(()) };
    super::nameless(&draft.known, &text)?;
    let id = draft.order_id();
    ask(draft, (id, above), |brief| Asked::Wider(wish(brief).widen()), text, None)
}

/// Takes back the approval that is pending: the case changes in a way that it no longer fits.
pub(crate) fn withdraw_approval(draft: &mut Draft<'_, '_>) {
    let pending = draft.known.case().and_then(|case| case.approval);
    let file = pending.and_then(|(order, _)| draft.known.order(order)).filter(|file| file.open()).cloned();
    file.into_iter().for_each(|file| draft.take_back(file));
}

/// Takes back all that is asked of nodes above: the case is no longer here, or no longer what it was asked about.
pub(crate) fn withdraw_asked(draft: &mut Draft<'_, '_>) {
    withdraw_approval(draft);
    withdraw_wishes(draft, |_| true);
}

/// Nobody asks for more time any longer.
pub(super) fn withdraw_extension(draft: &mut Draft<'_, '_>) {
    withdraw_wishes(draft, |asked| matches!(asked, WideAsked::Extend { .. }));
}

fn withdraw_wishes(draft: &mut Draft<'_, '_>, of: impl Fn(&WideAsked) -> bool) {
    let me = draft.me();
    let open = draft.known.orders().filter(|file| file.order.from == me && file.open());
    let wished = |file: &&OrderFile| match &file.order.asked {
        Asked::Wider(wish) => wish.read().is_none_or(|asked| of(&asked)),
        _ => false,
    };
    for file in open.filter(wished).cloned().collect::<Vec<_>>() {
        draft.take_back(file);
    }
}

/// Whether a case is assessed by another unit than the one that led it: once it was red or orange, it is to its end.
fn by_another(case: &Case) -> bool {
    case.peak() >= Some(Warning::Red)
}

/// Of such a case that the node itself led, the node above is asked, as soon as it can be assessed.
pub(super) fn ask_assessment(draft: &mut Draft<'_, '_>) -> Result<(), Refusal> {
    let case = draft.case()?;
    if by_another(&case) && case.brief.unit == UnitCode::NODE_ITSELF {
        wish(draft, |brief| WideAsked::Assess { brief }, Text::default())?;
    }
    Ok(())
}

/// Refuses an assessment that is another's: the node's above, which was asked, or the node's own where a unit led the case.
pub(super) fn may_assess(known: &Known, me: Me, by: &Actor, action: ActionName) -> Result<(), Refusal> {
    let Some(case) = known.case().filter(|case| action == ActionName::Assess && by_another(case)) else {
        return Ok(());
    };
    let asked = |file: &OrderFile| match &file.order.asked {
        Asked::Wider(wish) => matches!(wish.read(), Some(WideAsked::Assess { .. })),
        _ => false,
    };
    if known.orders().any(|file| file.order.from == me.node && file.open() && asked(file)) {
        return Err(Refusal::AssessedAbove);
    }
    let led_by_a_unit = case.brief.unit != UnitCode::NODE_ITSELF;
    let beside = by.may_beside_units(ActionName::Assess, &rights::at(known));
    if led_by_a_unit && !beside { Err(Refusal::AssessedByAnother) } else { Ok(()) }
}

/// The node above has assessed it.
pub(crate) fn assessed_above(draft: &mut Draft<'_, '_>, score: u8, content: Content) -> Result<(), Refusal> {
    let waits = draft.case()?.brief.step == Step::FedBack;
    if waits && (1..=5).contains(&score) { draft.append(Act::Assessed { score }, content, |_| {}) } else { Ok(()) }
}

/// A grid has one person, who gives themselves no time: the node above is asked.
pub(super) fn ask_more_time(draft: &mut Draft<'_, '_>, days: u16, text: &str) -> Result<(), Refusal> {
    withdraw_extension(draft);
    if draft.world.me.division.level() == Level::Grid {
        wish(draft, |brief| WideAsked::Extend { days, brief }, Text::cut(text))?;
    }
    Ok(())
}

/// The node above gives the time that was asked for, if that is still wanted and still fits.
pub(crate) fn extended_above(draft: &mut Draft<'_, '_>, days: u16, content: Content) -> Result<(), Refusal> {
    let case = draft.case()?;
    let fits = case.extension_asked == Some(days)
        && extendable(draft, days).is_ok()
        && crate::step::after(&WideAct::Extended { days }.into(), &case.brief).is_some();
    if fits { extend_by(draft, days, content) } else { Ok(()) }
}

/// It gives none.
pub(crate) fn not_extended_above(draft: &mut Draft<'_, '_>, content: Content) -> Result<(), Refusal> {
    let case = draft.case()?;
    let fits = crate::step::after(&WideAct::ExtensionRefused {}.into(), &case.brief).is_some();
    if case.extension_asked.is_some() && fits {
        draft.append(WideAct::ExtensionRefused {}, content, |_| {})
    } else {
        Ok(())
    }
}

/// The term ends so many days later.
pub(super) fn extend_by(draft: &mut Draft<'_, '_>, days: u16, content: Content) -> Result<(), Refusal> {
    draft.append(WideAct::Extended { days }, content, |brief| {
        let later = |term: DueTerm| DueTerm { day: term.day.plus(i32::from(days)), ..term };
        brief.next_term = brief.next_term.map(later);
    })
}

/// The node above does not know what it was asked: its program is too old. Nobody waits for it.
pub fn order_refused(known: &Known, order: OrderId, by: NodeId, world: &mut World<'_>) -> Option<Decision> {
    let mut draft = Draft::new(known, world, None);
    let me = draft.me();
    let asked = |file: &&OrderFile| file.order.from == me && file.to == by && file.open();
    let file = draft.known.order(order).filter(asked).cloned()?;
    draft.store(Record::Order(OrderFile { withdrawn: true, ..file }));
    Some(draft.finish())
}
