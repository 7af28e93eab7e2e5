//! What people ask for: each command meets right and state, and yields events or a typed refusal.

mod above;
mod amend;
mod attach;
mod clock;
mod dossier;
mod erase;
mod exit;
pub(crate) mod keep;
mod level;
mod measures;
pub(crate) mod mediation;
mod merge;
mod object;
mod orders;
pub(crate) mod people;
mod report;
mod restrict;
mod steps;
mod tasks;
mod transfer;

use protocol::event::{Step, WideContent};
use protocol::moving::Moves;
use protocol::unit::UnitCode;

use crate::actions::{Size, When};
use crate::command::{Command, NoteConfirmation};
use crate::draft::{Decision, Draft};
use crate::fits::fits;
use crate::known::Known;
use crate::policy::Policy;
use crate::publish::InForce;
use crate::record::{OfferState, OrderFile};
use crate::refusal::Refusal;
use crate::restricted;
use crate::rights::{self, ActionName, Actor};
use crate::world::{Me, World};

use above::may_assess;
pub use above::order_refused;
pub(crate) use above::{assessed_above, extended_above, not_extended_above, withdraw_asked};
pub(crate) use erase::carry_out;
pub(crate) use level::{approved, approver, lower};
pub use mediation::books;
pub use merge::decide_pair;
pub(crate) use orders::send_contribution;
pub use report::open;
pub(crate) use restrict::names_readers;
pub use transfer::refused_as_unknown;
pub(crate) use transfer::{end_open_offer, fits_one_more_tenure, set_state, tell_of};

/// Events that people may add to one case; what the node itself has to write still fits behind them. A case moves to
/// another node in one message, so it has a size.
pub(crate) const PEOPLE_EVENTS_MAX: u32 = 256;
/// Bytes of private text of one case, for the same reason.
pub(crate) const PRIVATE_BYTES_MAX: usize = 320 * 1024;

/// Decides a command.
pub fn decide(known: &Known, command: Command, by: &Actor, world: &mut World<'_>) -> Result<Decision, Refusal> {
    let action = name_of(&command);
    // Who has a task of a case knows of it, and is told so.
    by.must(action, &rights::places(&known.read_by(by), action)).map_err(|refusal| match refusal {
        Refusal::UnknownCase if known.seen_by(by).is_some() => Refusal::RoleMissing,
        refusal => refusal,
    })?;
    let mut draft = Draft::new(known, world, Some(by));
    open_to(&draft.known, draft.world.me, by, draft.world.holds, action)?;
    run(&mut draft, command, by)?;
    Ok(draft.finish())
}

fn run(draft: &mut Draft<'_, '_>, command: Command, by: &Actor) -> Result<(), Refusal> {
    match command {
        Command::File => steps::file(draft),
        Command::Return { note } => steps::send_back(draft, note),
        Command::Assign { unit, note } => steps::assign(draft, unit, note),
        Command::Progress { note } => steps::progress(draft, note),
        Command::Resolve { outcome, terms, amount_fen } => steps::resolve(draft, outcome, terms, amount_fen),
        Command::FeedBack { note, by, on, content } => steps::feed_back(draft, note, by, on, content),
        Command::Assess { score, note } => steps::assess(draft, score, note),
        Command::Pause { ground, on, note } => clock::pause(draft, ground, on, note),
        Command::Resume { on, note } => clock::resume(draft, on, note),
        Command::AskExtension { days, reason } => clock::ask_extension(draft, days, reason),
        Command::Extend { days, reason } => clock::extend(draft, days, reason),
        Command::RefuseExtension { reason } => clock::refuse_extension(draft, reason),
        Command::Reject { ground, note } => exit::decline(draft, ground, note),
        Command::Withdraw { note } => exit::withdraw(draft, note),
        Command::Refer { channel, note } => exit::refer(draft, &channel, note),
        Command::Reopen { reason } => exit::reopen(draft, reason),
        Command::Join { people } => people::join(draft, people),
        Command::AmendParty { party, entry } => people::amend_party(draft, party, entry),
        Command::Leave { party, note } => people::leave(draft, party, note),
        Command::Amend(amendment) => amend::amend(draft, amendment),
        Command::Turn { into, category, answers, note } => amend::turn(draft, into, category, &answers, note),
        Command::Link { to, note } => amend::link(draft, to, note),
        // Two cases are decided together: by the node, which has both.
        Command::Merge { .. } => Err(Refusal::OtherCase),
        Command::OpenMediation(asked) => mediation::open(draft, asked),
        Command::Consent { parties, agree, on, note } => {
            mediation::consent(draft, mediation::once(parties), agree, on, note)
        }
        Command::Hold(held) => mediation::hold(draft, held),
        Command::Draw { asked, number } => mediation::draw(draft, asked, number),
        Command::Sign(asked) => mediation::sign(draft, asked),
        Command::DropAgreement { agreement, note } => mediation::drop_agreement(draft, agreement, note),
        Command::Perform { agreement, instalment, on, amount_fen, note } => {
            mediation::perform(draft, agreement, instalment, on, amount_fen, note)
        }
        Command::VisitAgain { agreement, kept, on, note } => mediation::visit_again(draft, agreement, kept, on, note),
        Command::SeekConfirmation(asked) => mediation::seek(draft, asked),
        Command::NoteConfirmation(NoteConfirmation { agreement, result, on, court, number, note }) => {
            mediation::confirmed(draft, agreement, result, on, &WideContent::Ruling { court, number, note })
        }
        Command::EndMediation { ground, on, note } => mediation::end(draft, ground, on, note),
        Command::GiveTask(asked) => tasks::give(draft, asked),
        Command::AcceptTask { task } => tasks::accept(draft, task),
        Command::ReportTask { task, note } => tasks::report(draft, task, note),
        Command::SendBackTask { task, note } => tasks::send_back(draft, task, note),
        Command::CloseTask { task, note } => tasks::close(draft, task, note),
        Command::CancelTask { task, note } => tasks::cancel(draft, task, note),
        Command::Sponsor { name, office, note } => measures::sponsor(draft, name, office, note),
        Command::TakeMeasure { measure, note } => measures::take(draft, measure, note),
        Command::Place { attachment, place } => dossier::place(draft, attachment, place),
        Command::ExcuseSlot { slot, reason } => dossier::excuse(draft, slot, reason),
        Command::Object { proposed, reason } => object::object(draft, proposed, reason),
        Command::RefuseObjection { reason } => object::refuse(draft, reason),
        Command::Rule { unit, reason } => object::rule(draft, unit, reason),
        Command::Restrict(asked) => restrict::restrict(draft, asked, by),
        Command::LiftRestriction { reason } => restrict::lift(draft, reason),
        Command::NameReader { user, name } => restrict::name_reader(draft, user, name, by),
        Command::DropReader { user } => restrict::drop_reader(draft, &user, by),
        Command::Archive => steps::archive(draft),
        Command::Void { reason } => steps::void(draft, reason),
        Command::Regrade { answers, level, reason } => level::regrade(draft, &answers, level, reason, by),
        Command::Offer { to } => transfer::offer(draft, to),
        Command::Recall => transfer::recall(draft),
        Command::AcceptOffer { offer } => transfer::accept(draft, offer, by),
        Command::DeclineOffer { offer, ground, text, proposed } => {
            transfer::decline(draft, offer, ground, text, proposed)
        }
        Command::TakeOver { reason } => transfer::take_over(draft, reason),
        Command::IssueDirective { form, text, term_days } => orders::directive(draft, form, text, term_days),
        Command::IssueView { until, text } => orders::view(draft, until, text),
        Command::AnswerOrder { order, reply } => orders::answer(draft, order, reply, by),
        Command::MarkRead { order } => orders::mark_read(draft, order),
        Command::WithdrawOrder { order } => orders::withdraw(draft, order),
        Command::Contribute { text } => orders::contribute(draft, text),
        Command::Erase => erase::erase(draft),
        Command::Attach { attachment } => attach::attach(draft, attachment),
    }
}

/// What a node does by itself: it ends offers that ran out without an answer, takes a red or orange case further up when
/// there is somebody further up by now, counts a provisional term once its days are known, and lets names go whose day has passed.
pub fn wake(known: &Known, world: &mut World<'_>) -> Option<Decision> {
    let mut draft = Draft::new(known, world, None);
    let (ended, reached) = (transfer::expire(&mut draft), level::reach(&mut draft));
    let counted = clock::count_again(&mut draft);
    let lapsed = keep::lapse(&mut draft);
    (ended || reached || counted || lapsed).then(|| draft.finish())
}

/// Tells those above of an escalated case of this node from its first header on: the line above is another one, and a level
/// that is new in it keeps what passes.
pub fn tell_again(known: &Known, world: &mut World<'_>) -> Option<Decision> {
    let mut draft = Draft::new(known, world, None);
    draft.tell_again().then(|| draft.finish())
}

/// The name of a command.
pub(crate) fn name_of(command: &Command) -> ActionName {
    match command {
        Command::File => ActionName::File,
        Command::Return { .. } => ActionName::Return,
        Command::Assign { .. } => ActionName::Assign,
        Command::Progress { .. } => ActionName::Progress,
        Command::Resolve { .. } => ActionName::Resolve,
        Command::FeedBack { .. } => ActionName::FeedBack,
        Command::Assess { .. } => ActionName::Assess,
        Command::Pause { .. } => ActionName::Pause,
        Command::Resume { .. } => ActionName::Resume,
        Command::AskExtension { .. } => ActionName::AskExtension,
        Command::Extend { .. } => ActionName::Extend,
        Command::RefuseExtension { .. } => ActionName::RefuseExtension,
        Command::Reject { .. } => ActionName::Reject,
        Command::Withdraw { .. } => ActionName::Withdraw,
        Command::Refer { .. } => ActionName::Refer,
        Command::Reopen { .. } => ActionName::Reopen,
        Command::Join { .. } => ActionName::Join,
        Command::AmendParty { .. } => ActionName::AmendParty,
        Command::Leave { .. } => ActionName::Leave,
        Command::Amend(_) => ActionName::Amend,
        Command::Turn { .. } => ActionName::Turn,
        Command::Link { .. } => ActionName::Link,
        Command::Merge { .. } => ActionName::Merge,
        Command::OpenMediation(_) => ActionName::OpenMediation,
        Command::Consent { .. } => ActionName::Consent,
        Command::Hold(_) => ActionName::Hold,
        Command::Draw { .. } => ActionName::Draw,
        Command::Sign(_) => ActionName::Sign,
        Command::DropAgreement { .. } => ActionName::DropAgreement,
        Command::Perform { .. } => ActionName::Perform,
        Command::VisitAgain { .. } => ActionName::VisitAgain,
        Command::SeekConfirmation(_) => ActionName::SeekConfirmation,
        Command::NoteConfirmation(_) => ActionName::NoteConfirmation,
        Command::EndMediation { .. } => ActionName::EndMediation,
        Command::GiveTask(_) => ActionName::GiveTask,
        Command::AcceptTask { .. } => ActionName::AcceptTask,
        Command::ReportTask { .. } => ActionName::ReportTask,
        Command::SendBackTask { .. } => ActionName::SendBackTask,
        Command::CloseTask { .. } => ActionName::CloseTask,
        Command::CancelTask { .. } => ActionName::CancelTask,
        Command::Sponsor { .. } => ActionName::Sponsor,
        Command::TakeMeasure { .. } => ActionName::TakeMeasure,
        Command::Place { .. } => ActionName::Place,
        Command::ExcuseSlot { .. } => ActionName::ExcuseSlot,
        Command::Object { .. } => ActionName::Object,
        Command::RefuseObjection { .. } => ActionName::RefuseObjection,
        Command::Rule { .. } => ActionName::Rule,
        Command::Restrict(_) => ActionName::Restrict,
        Command::LiftRestriction { .. } => ActionName::LiftRestriction,
        Command::NameReader { .. } => ActionName::NameReader,
        Command::DropReader { .. } => ActionName::DropReader,
        Command::Archive => ActionName::Archive,
        Command::Void { .. } => ActionName::Void,
        Command::Regrade { .. } => ActionName::Regrade,
        Command::Offer { .. } => ActionName::Offer,
        Command::Recall => ActionName::Recall,
        Command::AcceptOffer { .. } => ActionName::AcceptOffer,
        Command::DeclineOffer { .. } => ActionName::DeclineOffer,
        Command::TakeOver { .. } => ActionName::TakeOver,
        Command::IssueDirective { .. } => ActionName::IssueDirective,
        Command::IssueView { .. } => ActionName::IssueView,
        Command::AnswerOrder { .. } => ActionName::AnswerOrder,
        Command::MarkRead { .. } => ActionName::MarkRead,
        Command::WithdrawOrder { .. } => ActionName::WithdrawOrder,
        Command::Contribute { .. } => ActionName::Contribute,
        Command::Erase => ActionName::Erase,
        Command::Attach { .. } => ActionName::Attach,
    }
}

/// Whether an action is open to a person whose roles allow it: what a command asks first, and what a button asks too.
pub(crate) fn open_to(known: &Known, me: Me, by: &Actor, holds: &InForce, action: ActionName) -> Result<(), Refusal> {
    restricted::must_read(known, by, action)?;
    restricted::must_not_be_about(known, me, action)?;
    timely(known, me, &holds.places, action)?;
    roomy(known, me, &holds.policy, action)?;
    may_assess(known, me, by, action)
}

/// Whether it is the time for it.
fn timely(known: &Known, me: Me, places: &Moves, action: ActionName) -> Result<(), Refusal> {
    let offering = || known.case().is_some_and(|case| case.offered.is_some());
    match action.when() {
        When::Always => Ok(()),
        When::Offered => {
            let open = known.offers().any(|file| file.to == me.node && file.state == OfferState::Open);
            if open { Ok(()) } else { Err(Refusal::NoOpenOffer) }
        }
        When::Ordered => some_order(known, |file| incoming(file, me) && file.open()),
        When::Ordering => some_order(known, |file| file.order.from == me.node && file.open()),
        When::Followed => theirs(known, me),
        When::Above => {
            theirs(known, me)?;
            alive(known)?;
            let place = known.case().ok_or(Refusal::UnknownCase)?.brief.place;
            // A grid is above nobody, not even above what happens in it.
            let above = me.division != place && places.contains(me.division, place);
            if above { Ok(()) } else { Err(Refusal::OutsideArea) }
        }
        When::Owned => mine(known, me),
        When::Closed => erase::closed(known, me),
        When::NotOffering => mine(known, me).and(if offering() { Err(Refusal::OfferOpen) } else { Ok(()) }),
        When::Offering => mine(known, me).and(if offering() { Ok(()) } else { Err(Refusal::NoOpenOffer) }),
        When::Step => {
            mine(known, me)?;
            let case = known.case().ok_or(Refusal::UnknownCase)?;
            if fits(action, case) { Ok(()) } else { Err(Refusal::WrongStep) }
        }
    }
}

fn some_order(known: &Known, fits: impl Fn(&OrderFile) -> bool) -> Result<(), Refusal> {
    if known.orders().any(fits) { Ok(()) } else { Err(Refusal::NoOpenOrder) }
}

/// Whether an order is this node's to answer.
pub(crate) fn incoming(file: &OrderFile, me: Me) -> bool {
    file.order.from != me.node && file.to == me.node
}

fn mine(known: &Known, me: Me) -> Result<(), Refusal> {
    let case = known.case().ok_or(Refusal::UnknownCase)?;
    if !case.owned_by(me.node) {
        return Err(Refusal::NotOwner);
    }
    alive(known)
}

fn theirs(known: &Known, me: Me) -> Result<(), Refusal> {
    let case = known.case().ok_or(Refusal::UnknownCase)?;
    if case.owner() == me.node { Err(Refusal::OwnCase) } else { Ok(()) }
}

fn alive(known: &Known) -> Result<(), Refusal> {
    let case = known.case().ok_or(Refusal::UnknownCase)?;
    match (case.brief.void, case.brief.step) {
        (true, _) => Err(Refusal::IsVoid),
        (_, Step::Archived) => Err(Refusal::IsArchived),
        _ => Ok(()),
    }
}

/// Whether one more event of a person fits. What ends a case, or moves it, always does.
pub(crate) fn roomy(known: &Known, me: Me, policy: &Policy, action: ActionName) -> Result<(), Refusal> {
    let grows = action.size() == Size::Grows;
    let Some(case) = known.case().filter(|case| grows && case.owned_by(me.node)) else { return Ok(()) };
    let full =
        case.head.number >= policy.events_max.min(PEOPLE_EVENTS_MAX) || known.private_bytes() >= PRIVATE_BYTES_MAX;
    if full { Err(Refusal::CaseFull) } else { Ok(()) }
}

/// Refuses a unit that is in no directory, or sits at another node.
fn unit_here(draft: &Draft<'_, '_>, unit: UnitCode) -> Result<(), Refusal> {
    let listed = draft.world.holds.units.get(unit).ok_or(Refusal::UnknownUnit)?;
    if listed.node.is_some_and(|node| node != draft.me()) { Err(Refusal::UnitElsewhere) } else { Ok(()) }
}

/// A text that goes up must not name anybody.
pub(crate) fn nameless(known: &Known, text: &str) -> Result<(), Refusal> {
    crate::brief::nameless(text, known.names())
}
