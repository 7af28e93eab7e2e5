//! Whether an action fits the state of a case: what a command asks first, and what a button asks too.

use protocol::bounded::List;
use protocol::event::{
    Act, AgreementForm, Confirmation, DeclineGround, Kept, Mark, Matter, MediationEnd, MediationSource, PaperNumber,
    PauseGround, WideAct,
};
use protocol::fact::Channel;
use protocol::time::{CivilDay, UnixMillis};
use protocol::unit::UnitCode;

use crate::case::Case;
use crate::rights::ActionName;
use crate::step;
use crate::tasks::TaskState;

/// Whether the step allows an action that appends to the case.
pub(crate) fn fits(action: ActionName, case: &Case) -> bool {
    let running = match action {
        ActionName::Pause => !case.paused(),
        ActionName::Resume => case.paused(),
        _ => true,
    };
    running && example(action, case).is_none_or(|act| step::after(&act, &case.brief).is_some())
}

/// Whether there is anything that the action could be about: what a button asks besides. A command that has no subject is
/// refused with a sentence that says which.
pub(crate) fn has_a_subject(action: ActionName, case: &Case) -> bool {
    use ActionName as A;
    let drafts = || case.agreements.iter().any(|it| !it.dropped && it.in_effect().is_none());
    let in_effect = || case.agreements.iter().any(|it| it.in_effect().is_some());
    let in_state = |states: &[TaskState]| case.tasks.iter().any(|task| states.contains(&task.state.0));
    match action {
        A::AcceptTask => in_state(&[TaskState::Given, TaskState::SentBack]),
        A::ReportTask => in_state(&[TaskState::Given, TaskState::Accepted, TaskState::SentBack]),
        A::SendBackTask | A::CloseTask => in_state(&[TaskState::Reported]),
        A::CancelTask => case.tasks.iter().any(|task| !task.state.0.has_ended()),
        A::Object => {
            let led = case.brief.unit != UnitCode::NODE_ITSELF;
            led && case.assignment.objection.is_none() && !case.assignment.ruled
        }
        A::RefuseObjection => case.assignment.objection.is_some() && !case.assignment.needs_ruling(),
        A::Rule => case.assignment.objection.is_some() || case.assignment.ruled,
        A::Restrict => !case.restricted,
        A::LiftRestriction | A::NameReader | A::DropReader => case.restricted,
        A::AskExtension => case.extension_asked.is_none(),
        A::Merge => case.brief.outcome.is_none() && case.mediation().is_none() && case.agreements.is_empty(),
        A::RefuseExtension => case.extension_asked.is_some(),
        A::AmendParty | A::Leave => case.seats.iter().any(|seat| !seat.left),
        A::Turn => case.brief.matter != Matter::Dispute,
        A::OpenMediation => case.brief.matter == Matter::Dispute && case.mediation().is_none(),
        A::Consent | A::EndMediation => case.mediation().is_some(),
        A::Draw => case.mediation().is_some_and(|mediation| !mediation.refused()),
        A::Sign => drafts(),
        A::DropAgreement => drafts() || case.agreements.iter().any(|it| it.form == AgreementForm::Oral && !it.dropped),
        A::Perform | A::VisitAgain => in_effect(),
        A::SeekConfirmation => case.agreements.iter().any(|it| it.in_effect().is_some() && it.sought.is_none()),
        A::NoteConfirmation => case.agreements.iter().any(|it| it.sought.is_some() && it.decided.is_none()),
        _ => true,
    }
}

/// An act of the kind that the action appends; only its kind counts.
fn example(action: ActionName, case: &Case) -> Option<Act> {
    let on = CivilDay::of(UnixMillis(0));
    Some(match action {
        ActionName::File => Act::Filed,
        ActionName::Return => Act::Returned,
        ActionName::Assign => Act::Assigned,
        ActionName::Progress | ActionName::Hold => Act::Progressed,
        ActionName::Resolve => Act::Resolved,
        ActionName::FeedBack => Act::FedBack,
        ActionName::Assess => Act::Assessed { score: 1 },
        ActionName::Archive => Act::Archived,
        ActionName::Pause => WideAct::Paused { ground: PauseGround::Other, on }.into(),
        ActionName::Resume => WideAct::Resumed { on }.into(),
        ActionName::AskExtension => WideAct::ExtensionAsked { days: 1 }.into(),
        ActionName::Extend => WideAct::Extended { days: 1 }.into(),
        ActionName::RefuseExtension => WideAct::ExtensionRefused {}.into(),
        ActionName::Reject => WideAct::NotTakenOn { ground: DeclineGround::Unfounded }.into(),
        ActionName::Withdraw => WideAct::Withdrawn {}.into(),
        ActionName::Refer => WideAct::Referred { channel: Channel(0) }.into(),
        ActionName::Reopen => WideAct::Reopened {}.into(),
        ActionName::Join => WideAct::Joined { first: 1, count: 1 }.into(),
        ActionName::AmendParty => WideAct::PartyAmended { party: 1 }.into(),
        ActionName::Leave => WideAct::Left { party: 1 }.into(),
        ActionName::Amend => WideAct::Amended {}.into(),
        ActionName::Turn => WideAct::Turned { from: case.brief.matter }.into(),
        ActionName::Link => WideAct::Linked { to: case.id }.into(),
        ActionName::Sponsor => WideAct::Sponsored {}.into(),
        ActionName::TakeMeasure => WideAct::MeasureTaken { measure: 1 }.into(),
        ActionName::Place | ActionName::ExcuseSlot => WideAct::SlotExcused { slot: 1 }.into(),
        ActionName::Object => WideAct::Objected { proposed: None }.into(),
        ActionName::RefuseObjection => WideAct::ObjectionRefused {}.into(),
        ActionName::Rule => WideAct::Ruled { unit: UnitCode::NODE_ITSELF }.into(),
        ActionName::GiveTask => {
            WideAct::TaskGiven { task: 1, unit: UnitCode::NODE_ITSELF, after: None, due: on }.into()
        }
        ActionName::AcceptTask => WideAct::TaskAccepted { task: 1 }.into(),
        ActionName::ReportTask => WideAct::TaskReported { task: 1 }.into(),
        ActionName::SendBackTask => WideAct::TaskSentBack { task: 1 }.into(),
        ActionName::CloseTask => WideAct::TaskClosed { task: 1 }.into(),
        ActionName::CancelTask => WideAct::TaskCancelled { task: 1 }.into(),
        action => return of_mediation(action, on),
    })
}

fn of_mediation(action: ActionName, on: CivilDay) -> Option<Act> {
    let agreement = 1;
    let act = match action {
        ActionName::OpenMediation => {
            let committee = UnitCode::NODE_ITSELF;
            WideAct::MediationOpened { source: MediationSource::Application, committee, on }
        }
        ActionName::Consent => WideAct::Consented { parties: List::default(), agree: true, on },
        ActionName::Draw => {
            let paper = PaperNumber { committee: UnitCode::NODE_ITSELF, year: 0, number: 0 };
            let (form, parties) = (AgreementForm::Oral, List::default());
            WideAct::AgreementDrafted { agreement, form, paper, parties, on }
        }
        ActionName::Sign => {
            let (parties, mark) = (List::default(), Mark::Signature);
            WideAct::AgreementMarked { agreement, parties, mediator: true, committee: false, mark, on }
        }
        ActionName::DropAgreement => WideAct::AgreementDropped { agreement },
        ActionName::Perform => WideAct::Performed { agreement, instalment: 0, on },
        ActionName::VisitAgain => WideAct::ReturnVisited { agreement, kept: Kept::Fully, on },
        ActionName::SeekConfirmation => WideAct::ConfirmationSought { agreement, on },
        ActionName::NoteConfirmation => WideAct::ConfirmationDecided { agreement, result: Confirmation::Confirmed, on },
        ActionName::EndMediation => WideAct::MediationEnded { ground: MediationEnd::NoAgreement, on },
        _ => return None,
    };
    Some(act.into())
}
