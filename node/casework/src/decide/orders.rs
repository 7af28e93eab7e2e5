//! Orders as people see them: issuing, reading, answering, withdrawing; and notes to an owner elsewhere.

use protocol::bounded::Text;
use protocol::event::{Act, Content, Private, PrivatePart, Salt};
use protocol::grading::Answers;
use protocol::id::{ContributionId, NodeId, OrderId};
use protocol::order::{Answer, Asked, Directive, Order, OrderAnswer, OrderWithdrawn, WideAsked};
use protocol::receipt::{Progress, Subject};
use protocol::time::CivilDay;
use protocol::wire::kind::Body;

use super::{incoming, nameless};
use crate::command::Reply;
use crate::draft::Draft;
use crate::letter::Letter;
use crate::record::{AnswerKind, Answered, ContributionFile, FollowerClass, OrderFile, Record};
use crate::refusal::Refusal;
use crate::rights::{self, Actor};

impl OrderFile {
    /// An order as its issuer begins to hold it.
    pub(crate) fn issued(order: Order, to: NodeId, answers: Option<Answers>) -> Self {
        Self { order, to, hops: 0, delivered: None, read: None, due: None, answered: None, withdrawn: false, answers }
    }
}

impl Draft<'_, '_> {
    /// An id for an order of now.
    pub(crate) fn order_id(&mut self) -> OrderId {
        OrderId::new(self.world.now.wall, self.world.random())
    }

    /// Gives an order to a node; with an approval go the answers of the grade panel that belong to it.
    pub(crate) fn give(&mut self, order: Order, to: NodeId, answers: Option<Answers>) {
        self.store(Record::Order(OrderFile::issued(order.clone(), to, answers)));
        self.tell(to, Body::order(order));
    }

    /// Takes an order back: nobody waits for its answer.
    pub(crate) fn take_back(&mut self, file: OrderFile) {
        let (to, order, case) = (file.to, file.order.id, file.order.case);
        self.store(Record::Order(OrderFile { withdrawn: true, ..file }));
        self.tell(to, Body::OrderWithdrawn(OrderWithdrawn { order, case }));
    }
}

fn issue(draft: &mut Draft<'_, '_>, asked: Asked, text: Text<1000>, term_days: Option<u16>) -> Result<(), Refusal> {
    nameless(&draft.known, &text)?;
    let case = draft.case()?;
    let id = draft.order_id();
    let order = Order { id, case: case.id, from: draft.me(), asked, text, term_days, at: draft.world.now };
    draft.give(order, case.owner(), None);
    Ok(())
}

pub(super) fn directive(
    draft: &mut Draft<'_, '_>,
    form: Directive,
    text: Text<1000>,
    term_days: Option<u16>,
) -> Result<(), Refusal> {
    let days = term_days.unwrap_or(draft.world.holds.policy.answer_days);
    issue(draft, Asked::Directive { form }, text, Some(days))
}

pub(super) fn view(draft: &mut Draft<'_, '_>, until: CivilDay, text: Text<1000>) -> Result<(), Refusal> {
    if until < draft.world.now.day() {
        return Err(Refusal::DayPassed);
    }
    if text.trim().is_empty() {
        return Err(Refusal::ReasonMissing);
    }
    let days = draft.world.holds.policy.answer_days;
    issue(draft, Asked::View { until }, text, Some(days))
}

/// The order that waits here.
fn waiting(draft: &Draft<'_, '_>, order: OrderId) -> Result<OrderFile, Refusal> {
    let file = draft.known.order(order).ok_or(Refusal::NoOpenOrder)?;
    if incoming(file, draft.world.me) && file.open() { Ok(file.clone()) } else { Err(Refusal::NoOpenOrder) }
}

pub(super) fn mark_read(draft: &mut Draft<'_, '_>, order: OrderId) -> Result<(), Refusal> {
    let file = waiting(draft, order)?;
    if file.read.is_none() {
        let (from, case) = (file.order.from, file.order.case);
        let read = Some(draft.world.now);
        draft.store(Record::Order(OrderFile { read, ..file }));
        draft.receipt(from, Subject::Order { order, case }, Progress::Read);
    }
    Ok(())
}

pub(super) fn withdraw(draft: &mut Draft<'_, '_>, order: OrderId) -> Result<(), Refusal> {
    let file = draft.known.order(order).cloned().ok_or(Refusal::NoOpenOrder)?;
    // An approval is part of the case: it ends by raising, releasing or closing, never by itself.
    if file.order.from != draft.me() || !file.open() || file.answers.is_some() {
        return Err(Refusal::NoOpenOrder);
    }
    // What the node above was asked for is its to give, until it has let its term pass.
    let days = file.order.term_days.filter(|_| matches!(file.order.asked, Asked::Wider(_)));
    let until = days.map(|days| file.order.at.day().plus(i32::from(days)));
    if until.is_some_and(|until| draft.world.now.day() <= until) {
        return Err(Refusal::AssessedAbove);
    }
    draft.take_back(file);
    Ok(())
}

/// Approving, and letting names out, are the supervisor's; a directive is answered, and a case assessed, by the desk too.
fn is_a_leaders(asked: &Asked) -> bool {
    match asked {
        Asked::Directive { .. } => false,
        Asked::View { .. } | Asked::ApproveLevel { .. } => true,
        Asked::Wider(wish) => !matches!(wish.read(), Some(WideAsked::Assess { .. })),
    }
}

pub(super) fn answer(draft: &mut Draft<'_, '_>, order: OrderId, reply: Reply, by: &Actor) -> Result<(), Refusal> {
    let file = waiting(draft, order)?;
    if is_a_leaders(&file.order.asked) && !by.supervises(&rights::at(&draft.known)) {
        return Err(Refusal::RoleMissing);
    }
    let (kind, said) = kind_of(&file.order.asked, &reply)?;
    nameless(&draft.known, &said)?;
    if !file.order.asked.is_of_a_node() {
        if !draft.known.owned_by(draft.me()) {
            return Err(Refusal::NotOwner);
        }
        let content = if said.is_empty() { Content::Nothing } else { Content::Note { text: Text::cut(&said) } };
        // Nothing follows the archive: an order that came then is answered, and the case stays as it is.
        if !draft.known.is_archived() {
            draft.append(Act::OrderAnswered { order }, content, |_| {})?;
        }
    }
    send_answer(draft, &file, reply, kind)
}

/// What an order can be answered with.
enum Admits {
    Words,
    TheCopyOrNo,
    YesOrNo,
    AScore,
    /// One of a later version.
    Nothing,
}

fn admits(asked: &Asked) -> Admits {
    match asked {
        Asked::Directive { .. } => Admits::Words,
        Asked::View { .. } => Admits::TheCopyOrNo,
        Asked::ApproveLevel { .. } => Admits::YesOrNo,
        Asked::Wider(wish) => match wish.read() {
            Some(WideAsked::Extend { .. }) => Admits::YesOrNo,
            Some(WideAsked::Assess { .. }) => Admits::AScore,
            None => Admits::Nothing,
        },
    }
}

/// What an answer is, if the order can be answered so.
fn kind_of(asked: &Asked, reply: &Reply) -> Result<(AnswerKind, String), Refusal> {
    Ok(match (admits(asked), reply) {
        (Admits::Words, Reply::Text { text }) if !text.trim().is_empty() => {
            (AnswerKind::Reply { text: text.clone() }, text.to_string())
        }
        (Admits::TheCopyOrNo, Reply::Grant) => (AnswerKind::Copy, String::new()),
        (Admits::YesOrNo, Reply::Yes { text }) => (AnswerKind::Yes { text: text.clone() }, text.to_string()),
        (Admits::TheCopyOrNo | Admits::YesOrNo, Reply::No { text }) if !text.trim().is_empty() => {
            (AnswerKind::No { text: text.clone() }, text.to_string())
        }
        (Admits::AScore, Reply::Score { score: score @ 1..=5, text }) => {
            (AnswerKind::Scored { score: *score, text: text.clone() }, text.to_string())
        }
        (Admits::AScore, Reply::Score { .. }) => return Err(Refusal::ScoreOutOfRange),
        (Admits::Words | Admits::TheCopyOrNo | Admits::YesOrNo, Reply::No { .. }) => {
            return Err(Refusal::ReasonMissing);
        }
        _ => return Err(Refusal::WrongAnswer),
    })
}

fn send_answer(draft: &mut Draft<'_, '_>, file: &OrderFile, reply: Reply, kind: AnswerKind) -> Result<(), Refusal> {
    let (by, at) = (draft.me(), draft.world.now);
    let (order, case, to) = (file.order.id, file.order.case, file.order.from);
    draft.store(Record::Order(OrderFile { answered: Some(Answered { by, at, kind }), ..file.clone() }));
    let answer = match reply {
        Reply::Text { text } => Answer::Reply(text),
        Reply::Yes { text } => Answer::Yes(text),
        Reply::No { text } => Answer::No(text),
        Reply::Score { score, text } => Answer::Scored { score, text },
        Reply::Grant => {
            let private = draft.known.parts();
            draft.send(to, Letter::Copy { order, case, by, at, private });
            if let Asked::View { until } = file.order.asked {
                let days = until.number().saturating_sub(at.day().number());
                draft.follow(to, FollowerClass::Full, Some(u16::try_from(days).unwrap_or(0)), "view");
            }
            draft.receipt(to, Subject::Order { order, case }, Progress::Done);
            return Ok(());
        }
    };
    draft.tell(to, Body::OrderAnswer(OrderAnswer { order, case, by, answer, at }));
    draft.receipt(to, Subject::Order { order, case }, Progress::Done);
    Ok(())
}

/// A note to an owner elsewhere: only the owner appends to a case.
pub(super) fn contribute(draft: &mut Draft<'_, '_>, text: Text<4000>) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::ReasonMissing);
    }
    let event = draft.event_id();
    let private = Private { by: draft.by.clone(), content: Content::Note { text } };
    let part = PrivatePart { event, salt: Salt(draft.world.random()), private };
    send_contribution(draft, ContributionId::from_bytes(*event.as_bytes()), part)
}

/// Sends a note to the owner as this node knows it.
pub(crate) fn send_contribution(
    draft: &mut Draft<'_, '_>,
    id: ContributionId,
    part: PrivatePart,
) -> Result<(), Refusal> {
    let case = draft.case()?;
    let (from, at) = (draft.me(), draft.world.now);
    let private = Some(part.private.clone());
    draft.store(Record::Contribution(ContributionFile { id, case: case.id, from, at, private, appended: false }));
    draft.send(case.owner(), Letter::Contribution { id, case: case.id, from, at, part: Box::new(part) });
    Ok(())
}
