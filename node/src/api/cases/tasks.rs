//! The tasks of a case as they are shown.

use casework::{Known, Task};
use protocol::event::{WideAct, WideContent};
use serde::Serialize;
use utoipa::ToSchema;

use super::pieces::{Shown, word};
use crate::api::stamp;
use crate::api::state::ApiState;
use crate::person::mask;

/// A task.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaskView {
    /// Its number in the case.
    pub task: u16,
    /// Code of the unit.
    pub unit: u16,
    /// Name of the unit.
    pub unit_name: String,
    /// Title, where it is held.
    pub title: Option<String>,
    /// What is to be done, where it is held.
    pub text: Option<String>,
    /// `given`, `accepted`, `reported`, `sent_back`, `closed` or `cancelled`.
    pub state: String,
    /// Since when.
    pub since: String,
    /// The last day.
    pub due: String,
    /// The task that must be closed before this one begins.
    pub after: Option<u16>,
    /// It waits for that one.
    pub waits: bool,
    /// How often it was sent back.
    pub sent_back: u16,
}

/// That the unit which leads a case objects to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ObjectionView {
    /// Code of the unit that it proposes instead.
    pub proposed: Option<u16>,
    /// Its name.
    pub proposed_name: Option<String>,
    /// When.
    pub at: String,
    /// How often units have objected to it here.
    pub times: u16,
    /// The desk no longer decides: whoever leads the node rules.
    pub needs_ruling: bool,
}

/// The objection that waits.
pub(super) fn objection(state: &ApiState, known: &Known) -> Option<ObjectionView> {
    let assignment = known.case()?.assignment;
    let (proposed, at) = assignment.objection?;
    Some(ObjectionView {
        proposed: proposed.map(|unit| unit.0),
        proposed_name: proposed.map(|unit| state.in_force().units.name(unit, true)),
        at: stamp::rfc3339(protocol::time::UnixMillis(i64::from(at.0) * 60_000)),
        times: assignment.objections,
        needs_ruling: assignment.needs_ruling(),
    })
}

/// The tasks of a case, as they were given.
pub(super) fn tasks(state: &ApiState, known: &Known, shown: Shown) -> Vec<TaskView> {
    let all = known.case().into_iter().flat_map(|case| case.tasks.iter().map(move |task| (task, case.waits(task))));
    all.map(|(task, waits)| view(state, known, task, waits, shown)).collect()
}

fn view(state: &ApiState, known: &Known, task: &Task, waits: bool, shown: Shown) -> TaskView {
    let words = words(known, task.number);
    let prose = |text: &str| shown.with(text, |text| mask::prose(text, known.names()));
    TaskView {
        task: task.number,
        unit: task.unit.0,
        unit_name: state.in_force().units.name(task.unit, true),
        title: words.as_ref().map(|(title, _)| prose(title)),
        text: words.as_ref().map(|(_, text)| prose(text)),
        state: word(task.state.0),
        since: stamp::rfc3339(protocol::time::UnixMillis(i64::from(task.state.1.0) * 60_000)),
        due: stamp::day(task.due.number()),
        after: task.after,
        waits,
        sent_back: task.sent_back,
    }
}

/// What the task says, where that is held.
fn words(known: &Known, number: u16) -> Option<(String, String)> {
    let given = |act: &WideAct| matches!(act, WideAct::TaskGiven { task, .. } if *task == number);
    match known.words_of(given)? {
        WideContent::Task { title, text } => Some((title.to_string(), text.to_string())),
        _ => None,
    }
}
