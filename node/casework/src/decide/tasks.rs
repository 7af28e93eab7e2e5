//! Joint handling (联合办理): tasks are given to units, signed for, reported, sent back, closed.

use protocol::bounded::Text;
use protocol::event::{WideAct, WideContent};

use super::steps::{needed, note};
use super::unit_here;
use crate::case::Case;
use crate::command::GiveTask;
use crate::draft::Draft;
use crate::refusal::Refusal;
use crate::tasks::{TASKS_MAX, Task, TaskState};

pub(super) fn give(draft: &mut Draft<'_, '_>, asked: GiveTask) -> Result<(), Refusal> {
    let case = draft.case()?;
    let GiveTask { unit, title, text, due, after } = asked;
    if title.trim().is_empty() {
        return Err(Refusal::TitleMissing);
    }
    unit_here(draft, unit)?;
    if due < draft.world.now.day() {
        return Err(Refusal::DayPassed);
    }
    if after.is_some_and(|before| case.task(before).is_none()) {
        return Err(Refusal::UnknownTask);
    }
    if case.tasks.len() >= TASKS_MAX {
        return Err(Refusal::CaseFull);
    }
    let task = case.next_task();
    let content = WideContent::Task { title, text }.widen().map_err(|_| Refusal::TooLong)?;
    draft.append(WideAct::TaskGiven { task, unit, after, due }, content, |_| {})
}

/// Signs for it: the unit has it, and begins.
pub(super) fn accept(draft: &mut Draft<'_, '_>, task: u16) -> Result<(), Refusal> {
    step(draft, task, &[TaskState::Given, TaskState::SentBack])?;
    draft.append(WideAct::TaskAccepted { task }, protocol::event::Content::Nothing, |_| {})
}

pub(super) fn report(draft: &mut Draft<'_, '_>, task: u16, text: Text<4000>) -> Result<(), Refusal> {
    step(draft, task, &[TaskState::Given, TaskState::Accepted, TaskState::SentBack])?;
    let content = needed(text)?;
    draft.append(WideAct::TaskReported { task }, content, |_| {})
}

pub(super) fn send_back(draft: &mut Draft<'_, '_>, task: u16, text: Text<4000>) -> Result<(), Refusal> {
    step(draft, task, &[TaskState::Reported])?;
    let content = needed(text)?;
    draft.append(WideAct::TaskSentBack { task }, content, |_| {})
}

pub(super) fn close(draft: &mut Draft<'_, '_>, task: u16, text: Text<4000>) -> Result<(), Refusal> {
    step(draft, task, &[TaskState::Reported])?;
    draft.append(WideAct::TaskClosed { task }, note(text), |_| {})
}

pub(super) fn cancel(draft: &mut Draft<'_, '_>, task: u16, text: Text<4000>) -> Result<(), Refusal> {
    let open = [TaskState::Given, TaskState::Accepted, TaskState::Reported, TaskState::SentBack];
    find(draft, task, &open)?;
    let content = needed(text)?;
    draft.append(WideAct::TaskCancelled { task }, content, |_| {})
}

/// The task, if it is in one of these states.
fn find(draft: &Draft<'_, '_>, task: u16, states: &[TaskState]) -> Result<(Case, Task), Refusal> {
    let case = draft.case()?;
    let found = *case.task(task).ok_or(Refusal::UnknownTask)?;
    if states.contains(&found.state.0) { Ok((case, found)) } else { Err(Refusal::TaskState) }
}

/// The same of one that does not wait for another.
fn step(draft: &Draft<'_, '_>, task: u16, states: &[TaskState]) -> Result<(), Refusal> {
    let (case, task) = find(draft, task, states)?;
    if case.waits(&task) { Err(Refusal::TaskWaits) } else { Ok(()) }
}

/// A case is not settled while somebody still works on a part of it.
pub(super) fn resolvable(case: &Case) -> Result<(), Refusal> {
    if case.tasks.iter().all(|task| task.state.0.has_ended()) { Ok(()) } else { Err(Refusal::TasksOpen) }
}
