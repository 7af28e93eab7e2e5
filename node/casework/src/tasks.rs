//! Tasks of joint handling (联合办理): what several units do of one case, side by side or one after the other, under its one lead.

use protocol::event::WideAct;
use protocol::time::{CivilDay, Minute};
use protocol::unit::UnitCode;
use serde::{Deserialize, Serialize};

use crate::case::Case;

/// Tasks of one case, ended ones among them.
pub(crate) const TASKS_MAX: usize = 32;

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Given, and nobody has signed for it.
    Given,
    /// Signed for (签收).
    Accepted,
    /// Reported as done (反馈).
    Reported,
    /// Sent back: not done yet (退回重办).
    SentBack,
    /// Taken as done (办结).
    Closed,
    /// No longer asked (撤销).
    Cancelled,
}

impl TaskState {
    /// Whether the unit still has to do something.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Given | Self::Accepted | Self::SentBack)
    }

    /// Whether nothing more comes of it.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Closed | Self::Cancelled)
    }
}

/// A task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// Its number in the case, from 1.
    pub number: u16,
    /// Who does it.
    pub unit: UnitCode,
    /// The task that must be closed before this one begins.
    pub after: Option<u16>,
    /// The last day.
    pub due: CivilDay,
    /// When it was given.
    pub given: Minute,
    /// How far it is, and since when.
    pub state: (TaskState, Minute),
    /// How often it was sent back.
    pub sent_back: u16,
}

impl Case {
    /// A task of the case.
    pub fn task(&self, number: u16) -> Option<&Task> {
        self.tasks.iter().find(|task| task.number == number)
    }

    /// Whether a task waits for one before it.
    pub fn waits(&self, task: &Task) -> bool {
        task.after.and_then(|before| self.task(before)).is_some_and(|before| !before.state.0.has_ended())
    }

    /// The number of the next task.
    pub(crate) fn next_task(&self) -> u16 {
        self.tasks.iter().map(|task| task.number).max().unwrap_or(0).saturating_add(1)
    }
}

/// The task that an act is about, where it is about one that is given already, and the state to which it leads.
pub(crate) fn moved(act: &WideAct) -> Option<(u16, TaskState)> {
    Some(match act {
        WideAct::TaskAccepted { task } => (*task, TaskState::Accepted),
        WideAct::TaskReported { task } => (*task, TaskState::Reported),
        WideAct::TaskSentBack { task } => (*task, TaskState::SentBack),
        WideAct::TaskClosed { task } => (*task, TaskState::Closed),
        WideAct::TaskCancelled { task } => (*task, TaskState::Cancelled),
        _ => return None,
    })
}

/// What an act does to the tasks of a case; of others nothing.
pub(crate) fn follow(case: &mut Case, act: &WideAct, at: Minute) {
    if let WideAct::TaskGiven { task, unit, after, due } = act {
        if case.tasks.len() < TASKS_MAX && case.task(*task).is_none() {
            let (number, unit, after, due) = (*task, *unit, *after, *due);
            case.tasks.push(Task { number, unit, after, due, given: at, state: (TaskState::Given, at), sent_back: 0 });
        }
        return;
    }
    let Some((number, state)) = moved(act) else { return };
    if let Some(task) = case.tasks.iter_mut().find(|task| task.number == number) {
        task.state = (state, at);
        task.sent_back = task.sent_back.saturating_add(u16::from(state == TaskState::SentBack));
    }
}

/// Whether an act that was written on another branch of the same case still says something true of this one.
pub(crate) fn fits_again(case: &Case, act: &WideAct) -> bool {
    match (act, moved(act)) {
        (WideAct::TaskGiven { task, .. }, _) => case.task(*task).is_none(),
        (_, Some((task, _))) => case.task(task).is_some_and(|task| !task.state.0.has_ended()),
        _ => false,
    }
}
