//! The six steps (六步闭环) as a state machine. It is total: every act either leads to a step or does not fit.

use protocol::event::{Act, Brief, Step, WideAct};

use crate::case::Case;
use crate::mediation;
use crate::tasks;
use crate::term::standing;

/// The step after an act of the loop, or none when the act does not fit the state. No step can be skipped; what is struck
/// through or archived stays as it is.
pub fn after(act: &Act, brief: &Brief) -> Option<Step> {
    if brief.void || brief.step == Step::Archived {
        return None;
    }
    let open = brief.outcome.is_none();
    match (act, brief.step) {
        (Act::Filed, Step::Reported) if open => Some(Step::Filed),
        (Act::Returned, Step::Reported) if open => Some(Step::Reported),
        (Act::Assigned, Step::Filed | Step::Assigned) if open => Some(Step::Assigned),
        // Another unit goes on with the work, of a case that came from elsewhere too (改派).
        (Act::Assigned, Step::InProgress) if open => Some(Step::InProgress),
        (Act::Progressed, Step::Assigned | Step::InProgress) if open => Some(Step::InProgress),
        (Act::Resolved, Step::InProgress) if open => Some(Step::InProgress),
        // What was declined was never assigned, and who asked is told all the same.
        (Act::FedBack, Step::Reported | Step::Filed | Step::Assigned | Step::InProgress) if !open => {
            Some(Step::FedBack)
        }
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
        (Act::Wider(wider), step) => wide(wider.read()?, step, open),
        (_, step) => Some(step),
    }
}

/// The same of an act that came after the first version; of one that this version does not know nobody here can say.
fn wide(act: WideAct, step: Step, open: bool) -> Option<Step> {
    let fits = match act {
        WideAct::Paused { .. } | WideAct::Resumed { .. } => open && step <= Step::InProgress,
        WideAct::ExtensionAsked { .. } | WideAct::Extended { .. } | WideAct::ExtensionRefused {} => {
            open && matches!(step, Step::Assigned | Step::InProgress)
        }
        WideAct::NotTakenOn { .. } => open && step <= Step::Filed,
        WideAct::Withdrawn {} | WideAct::Referred { .. } => open && step <= Step::InProgress,
        WideAct::Reopened {} => !open,
        WideAct::Joined { .. }
        | WideAct::PartyAmended { .. }
        | WideAct::Left { .. }
        | WideAct::Amended {}
        | WideAct::Linked { .. } => true,
        WideAct::Turned { .. } | WideAct::Merged { .. } | WideAct::TookIn { .. } => open && step <= Step::InProgress,
        WideAct::Sponsored {}
        | WideAct::Placed { .. }
        | WideAct::SheetScanned { .. }
        | WideAct::SlotExcused { .. }
        | WideAct::MeasureTaken { .. }
        | WideAct::Restricted {}
        | WideAct::WithheldChanged {}
        | WideAct::RestrictionLifted {}
        | WideAct::TermCounted {} => true,
        WideAct::MediationOpened { .. }
        | WideAct::Consented { .. }
        | WideAct::AgreementDrafted { .. }
        | WideAct::AgreementMarked { .. }
        | WideAct::AgreementDropped { .. }
        | WideAct::MediationEnded { .. } => open && (Step::Filed..=Step::InProgress).contains(&step),
        WideAct::TaskGiven { .. }
        | WideAct::TaskAccepted { .. }
        | WideAct::TaskReported { .. }
        | WideAct::TaskSentBack { .. }
        | WideAct::TaskClosed { .. }
        | WideAct::TaskCancelled { .. }
        | WideAct::Objected { .. }
        | WideAct::ObjectionRefused {}
        | WideAct::Ruled { .. } => open && matches!(step, Step::Assigned | Step::InProgress),
        // How it is kept is asked as long as the file is open.
        WideAct::Performed { .. }
        | WideAct::ReturnVisited { .. }
        | WideAct::ConfirmationSought { .. }
        | WideAct::ConfirmationDecided { .. } => true,
    };
    fits.then_some(step)
}

/// The brief after an act that was written on another branch of the same case, or none when it no longer fits. For a
/// restored owner, whose own branch is minted again after what the levels above gave back.
pub fn refit(act: &Act, written: &Brief, case: &Case) -> Option<Brief> {
    let current = &case.brief;
    let step = after(act, current)?;
    let mut brief = Brief { step, ..current.clone() };
    match act {
        Act::Filed | Act::Returned | Act::Progressed | Act::FedBack | Act::Assessed { .. } | Act::Archived => {}
        Act::OrderReceived { .. } | Act::OrderAnswered { .. } | Act::Contributed { .. } => {}
        // Who was to begin does not take over what others work on by now.
        Act::Assigned if written.step != step => return None,
        Act::Assigned => brief.unit = written.unit,
        Act::Resolved => brief.outcome = written.outcome,
        Act::Voided => brief.void = true,
        Act::Raised { .. } if written.level() > current.level() => {
            brief.grading = written.grading;
            brief.ceiling = current.ceiling.or(written.ceiling);
        }
        Act::Wider(wider) => match wider.read()? {
            WideAct::Paused { .. } if !case.paused() => brief.next_term = standing(current.next_term),
            WideAct::Resumed { .. } if case.paused() => brief.next_term = written.next_term,
            WideAct::Joined { first, .. } if first >= case.next_seat() => {}
            WideAct::PartyAmended { party } | WideAct::Left { party } if case.seat(party).is_some() => {}
            WideAct::Linked { .. }
            | WideAct::Sponsored {}
            | WideAct::Placed { .. }
            | WideAct::SheetScanned { .. }
            | WideAct::SlotExcused { .. }
            | WideAct::MeasureTaken { .. } => {}
            WideAct::ExtensionAsked { .. } => {}
            WideAct::Objected { .. } if case.assignment.objection.is_none() && written.unit == current.unit => {}
            // What it says is bound to the header, and both are kept as they are.
            WideAct::Restricted {} if !case.restricted => {}
            WideAct::WithheldChanged {} | WideAct::RestrictionLifted {} if case.restricted => {}
            // How a case ended, that it was opened again, what it is: decided anew by who sees both branches.
            WideAct::Paused { .. }
            | WideAct::Resumed { .. }
            | WideAct::NotTakenOn { .. }
            | WideAct::Withdrawn {}
            | WideAct::Referred { .. }
            | WideAct::Reopened {}
            | WideAct::Joined { .. }
            | WideAct::PartyAmended { .. }
            | WideAct::Left { .. }
            | WideAct::Amended {}
            | WideAct::Turned { .. }
            | WideAct::Merged { .. }
            | WideAct::TookIn { .. }
            | WideAct::Restricted {}
            | WideAct::WithheldChanged {}
            | WideAct::RestrictionLifted {}
            | WideAct::Objected { .. }
            | WideAct::ObjectionRefused {}
            | WideAct::Ruled { .. }
            | WideAct::TermCounted {} => return None,
            act if mediation::fits_again(case, &act) || tasks::fits_again(case, &act) => {}
            _ => return None,
        },
        _ => return None,
    }
    Some(brief)
}
