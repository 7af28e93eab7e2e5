//! The six steps (六步闭环) as a state machine. It is total: every act either leads to a step or does not fit.

use protocol::event::{Act, Brief, Step};

/// The step after an act of the loop, or none when the act does not fit the state. No step can be skipped; what is struck
/// through or archived stays as it is.
pub fn after(act: &Act, brief: &Brief) -> Option<Step> {
    if brief.void || brief.step == Step::Archived {
        return None;
    }
    let open = brief.outcome.is_none();
    match (act, brief.step) {
        (Act::Filed, Step::Reported) => Some(Step::Filed),
        (Act::Returned, Step::Reported) => Some(Step::Reported),
        (Act::Assigned, Step::Filed | Step::Assigned) => Some(Step::Assigned),
        (Act::Progressed, Step::Assigned | Step::InProgress) if open => Some(Step::InProgress),
        (Act::Resolved, Step::InProgress) if open => Some(Step::InProgress),
        (Act::FedBack, Step::InProgress) if !open => Some(Step::FedBack),
        (Act::Assessed { .. }, Step::FedBack) => Some(Step::Assessed),
        (Act::Archived, Step::Assessed) => Some(Step::Archived),
        (
            Act::Filed
            | Act::Returned
            | Act::Assigned
            | Act::Progressed
            | Act::Resolved
            | Act::FedBack
            | Act::Assessed { .. }
            | Act::Archived
            | Act::Reported { .. },
            _,
        ) => None,
        (_, step) => Some(step),
    }
}

/// The brief after an act that was written on another branch of the same case, or none when it no longer fits. For a
/// restored owner, whose own branch is minted again after what the levels above gave back.
pub fn refit(act: &Act, written: &Brief, current: &Brief) -> Option<Brief> {
    let step = after(act, current)?;
    let mut brief = Brief { step, ..current.clone() };
    match act {
        Act::Filed | Act::Returned | Act::Progressed | Act::FedBack | Act::Assessed { .. } | Act::Archived => {}
        Act::OrderReceived { .. } | Act::OrderAnswered { .. } | Act::Contributed { .. } => {}
        Act::Assigned => brief.unit = written.unit,
        Act::Resolved => brief.outcome = written.outcome,
        Act::Voided => brief.void = true,
        Act::Raised { .. } if written.level() > current.level() => {
            brief.grading = written.grading;
            brief.ceiling = current.ceiling.or(written.ceiling);
        }
        _ => return None,
    }
    Some(brief)
}
