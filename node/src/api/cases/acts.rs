//! What is done to a case: one endpoint for each act, all through the writer.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use casework::{Command, Refusal};
use protocol::id::CaseId;

use super::bodies::{
    AcceptTaskBody, AmendBody, AmendPartyBody, ArchiveBody, AskExtensionBody, AssessBody, AssignBody, CancelTaskBody,
    CloseTaskBody, Commanded, ConsentBody, ContributeBody, DrawBody, DropAgreementBody, EndMediationBody,
    ExcuseSlotBody, ExtendBody, FeedBackBody, FileBody, GiveTaskBody, HoldBody, JoinBody, LeaveBody,
    LiftRestrictionBody, LinkBody, MergeBody, NoteConfirmationBody, ObjectBody, OfferBody, OpenMediationBody,
    PauseBody, PerformBody, PlaceBody, ProgressBody, RecallBody, ReferBody, RefuseExtensionBody, RefuseObjectionBody,
    RegradeBody, RejectBody, ReopenBody, ReportTaskBody, ResolveBody, RestrictBody, ResumeBody, ReturnBody, RuleBody,
    SeekConfirmationBody, SendBackTaskBody, SignAgreementBody, SponsorBody, TakeMeasureBody, TakeOverBody, TurnBody,
    VisitAgainBody, VoidBody, WithdrawBody,
};
use super::detail::{case_of, must_see};
use super::papers::incomplete;
use super::view::CaseView;
use crate::api::caller::Caller;
use crate::api::extract::{Body, id};
use crate::api::problem::{Problem, ProblemBody};
use crate::api::state::ApiState;
use crate::writer::port::Failed;

/// Acts on a case, and answers with the case as it stands afterwards. A case that the caller may not see is answered as
/// an absent one, before the writer is asked.
pub(crate) async fn act(
    state: &ApiState,
    caller: &Caller,
    case: &str,
    command: Result<Command, Problem>,
) -> Result<Json<CaseView>, Problem> {
    caller.must_see_cases()?;
    let id: CaseId = id(case)?;
    must_see(state, caller, id).await?;
    match state.port.act_on(id, command?, caller.actor(), caller.seen).await {
        Err(Failed::Refused(Refusal::DossierIncomplete)) => return Err(incomplete(state, id).await),
        Err(Failed::Refused(Refusal::WrongStep)) => return Err(elsewhere(state, caller, case).await),
        done => done?,
    };
    Ok(Json(case_of(state, caller, case).await?))
}

/// Why an act does not fit: at which step the case is, and what the caller may do there.
async fn elsewhere(state: &ApiState, caller: &Caller, case: &str) -> Problem {
    let refused = Problem::from(Refusal::WrongStep);
    let Ok(seen) = case_of(state, caller, case).await else { return refused };
    let (step, next) = (&seen.line.step, seen.next_actions.join(", "));
    refused.adding(
        &format!("It is at the step {step}; possible now: {next}."),
        &format!("当前环节:{};可进行的操作见案件页面。", crate::page::chinese(step)),
    )
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident($body:ident) = $path:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "cases", params(("id" = String, Path)), request_body = $body,
            responses((status = 200, body = CaseView), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
                (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 412, body = ProblemBody),
                (status = 422, body = ProblemBody)))]
        pub(crate) async fn $name(
            State(state): State<Arc<ApiState>>,
            caller: Caller,
            Path(case): Path<String>,
            Body(body): Body<$body>,
        ) -> Result<Json<CaseView>, Problem> {
            act(&state, &caller, &case, Ok(body.command())).await
        }
    )+};
}

acts! {
    /// Step 2: verified and filed.
    file(FileBody) = "/api/v1/cases/{id}/file",
    /// Sends the report back for completion.
    send_back(ReturnBody) = "/api/v1/cases/{id}/return",
    /// Step 3: gives the case to a unit.
    assign(AssignBody) = "/api/v1/cases/{id}/assign",
    /// Step 4: notes work on the case.
    progress(ProgressBody) = "/api/v1/cases/{id}/progress",
    /// Ends step 4: settled or not.
    resolve(ResolveBody) = "/api/v1/cases/{id}/resolve",
    /// Step 5: who asked was told.
    feed_back(FeedBackBody) = "/api/v1/cases/{id}/feed-back",
    /// Step 6: assesses the case.
    assess(AssessBody) = "/api/v1/cases/{id}/assess",
    /// Lets the term that runs stand still.
    pause(PauseBody) = "/api/v1/cases/{id}/pause",
    /// Lets a term that stands still go on.
    resume(ResumeBody) = "/api/v1/cases/{id}/resume",
    /// Asks for more time to resolve the case.
    ask_extension(AskExtensionBody) = "/api/v1/cases/{id}/ask-extension",
    /// Gives more time, as much as the article behind the term allows.
    extend(ExtendBody) = "/api/v1/cases/{id}/extend",
    /// Gives none.
    refuse_extension(RefuseExtensionBody) = "/api/v1/cases/{id}/refuse-extension",
    /// Does not take the case on, before it is assigned.
    reject(RejectBody) = "/api/v1/cases/{id}/reject",
    /// Who asked no longer does.
    withdraw(WithdrawBody) = "/api/v1/cases/{id}/withdraw",
    /// Refers the case to another body, by a channel that its category admits.
    refer(ReferBody) = "/api/v1/cases/{id}/refer",
    /// Opens again what was settled, before the archive.
    reopen(ReopenBody) = "/api/v1/cases/{id}/reopen",
    /// Adds parties and others; each gets a number.
    join(JoinBody) = "/api/v1/cases/{id}/join",
    /// Puts right what is known of one of them.
    amend_party(AmendPartyBody) = "/api/v1/cases/{id}/amend-party",
    /// Lets one of them go; the number stays theirs.
    leave(LeaveBody) = "/api/v1/cases/{id}/leave",
    /// Puts right or completes what the report says.
    amend(AmendBody) = "/api/v1/cases/{id}/amend",
    /// Turns advice into a request, or either into a dispute.
    turn(TurnBody) = "/api/v1/cases/{id}/turn",
    /// Links the case to another one.
    link(LinkBody) = "/api/v1/cases/{id}/link",
    /// Takes the dispute on for mediation.
    open_mediation(OpenMediationBody) = "/api/v1/cases/{id}/open-mediation",
    /// Notes that parties agree to be mediated, or refuse.
    consent(ConsentBody) = "/api/v1/cases/{id}/consent",
    /// Writes down what was held with people: a session, an investigation, a visit.
    hold(HoldBody) = "/api/v1/cases/{id}/hold",
    /// Draws up an agreement, under the next number of its committee.
    draw(DrawBody) = "/api/v1/cases/{id}/draw",
    /// Notes who has signed an agreement; it holds from the last mark that the law asks for.
    sign(SignAgreementBody) = "/api/v1/cases/{id}/sign",
    /// A draft comes to nothing.
    drop_agreement(DropAgreementBody) = "/api/v1/cases/{id}/drop-agreement",
    /// Notes what was performed of an agreement.
    perform(PerformBody) = "/api/v1/cases/{id}/perform",
    /// Notes how an agreement is kept.
    visit_again(VisitAgainBody) = "/api/v1/cases/{id}/visit-again",
    /// Notes that the parties asked a court to confirm it, within 30 days.
    seek_confirmation(SeekConfirmationBody) = "/api/v1/cases/{id}/seek-confirmation",
    /// Notes what the court said.
    note_confirmation(NoteConfirmationBody) = "/api/v1/cases/{id}/note-confirmation",
    /// Ends the mediation without an agreement.
    end_mediation(EndMediationBody) = "/api/v1/cases/{id}/end-mediation",
    /// Gives a unit of this node a part of the case; the case keeps its one lead.
    give_task(GiveTaskBody) = "/api/v1/cases/{id}/give-task",
    /// The unit signs for a task.
    accept_task(AcceptTaskBody) = "/api/v1/cases/{id}/accept-task",
    /// The unit reports what it did.
    report_task(ReportTaskBody) = "/api/v1/cases/{id}/report-task",
    /// That was not all.
    send_back_task(SendBackTaskBody) = "/api/v1/cases/{id}/send-back-task",
    /// A task is taken as done.
    close_task(CloseTaskBody) = "/api/v1/cases/{id}/close-task",
    /// A task is no longer asked.
    cancel_task(CancelTaskBody) = "/api/v1/cases/{id}/cancel-task",
    /// Puts it into another case of the same matter, which goes on with the people and words of both; this one is struck through.
    merge(MergeBody) = "/api/v1/cases/{id}/merge",
    /// The unit that leads it objects, within five working days; it leads on until that is agreed, refused or ruled.
    object(ObjectBody) = "/api/v1/cases/{id}/object",
    /// Does not agree to a first objection. To agree, the case is assigned to another unit.
    refuse_objection(RefuseObjectionBody) = "/api/v1/cases/{id}/refuse-objection",
    /// Rules who leads it, which binds.
    rule(RuleBody) = "/api/v1/cases/{id}/rule",
    /// Restricts it to named readers: from here on levels above and lists have its level and number.
    restrict(RestrictBody) = "/api/v1/cases/{id}/restrict",
    /// Makes it a case like others again.
    lift_restriction(LiftRestrictionBody) = "/api/v1/cases/{id}/lift-restriction",
    /// Names the leader who stands for it.
    sponsor(SponsorBody) = "/api/v1/cases/{id}/sponsor",
    /// Notes what its level asks for.
    take_measure(TakeMeasureBody) = "/api/v1/cases/{id}/take-measure",
    /// Files what was attached into the dossier: into a slot, or where the sheet belongs whose code it bears.
    place(PlaceBody) = "/api/v1/cases/{id}/place",
    /// Says that a slot of the dossier stays empty.
    excuse_slot(ExcuseSlotBody) = "/api/v1/cases/{id}/excuse-slot",
    /// Archives the case.
    archive(ArchiveBody) = "/api/v1/cases/{id}/archive",
    /// Strikes the case through: entered by mistake.
    void(VoidBody) = "/api/v1/cases/{id}/void",
    /// Raises, lowers or cancels the level; what needs approval is asked for above.
    regrade(RegradeBody) = "/api/v1/cases/{id}/regrade",
    /// Offers ownership to another node.
    offer(OfferBody) = "/api/v1/cases/{id}/offer",
    /// Takes an offer back.
    recall(RecallBody) = "/api/v1/cases/{id}/recall",
    /// Takes the case over from an owner that is lost.
    take_over(TakeOverBody) = "/api/v1/cases/{id}/take-over",
    /// Sends a note to the owner of a case that is followed here.
    contribute(ContributeBody) = "/api/v1/cases/{id}/contribute",
}
