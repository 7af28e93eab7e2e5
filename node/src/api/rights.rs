//! Who may call what: one row for each operation of the API. [`super::caller::guard`] asks this table before any handler
//! runs, and an operation without a row is closed to everybody; a test walks the description with every role, against a matrix of its own.

use casework::{ActionName as A, Role};

use super::caller::Caller;
use super::problem::Problem;

/// What an operation asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Nothing: it answers without log-in.
    Open,
    /// To be logged in, and no more: also while a password or a second factor is due.
    Own,
    /// To be logged in.
    Anybody,
    /// To see cases.
    Cases,
    /// To be allowed an act on cases.
    Act(A),
    /// To count visits, calls and the like.
    Count,
    /// To see a party unmasked.
    Reveal,
    /// To administer.
    Administer,
    /// To read the audit.
    Audit,
}

/// One operation: method, path, right.
pub type Row = (&'static str, &'static str, Right);

/// Every operation.
pub const ROUTES: &[Row] = &[
    ("GET", "/healthz", Right::Open),
    ("POST", "/api/v1/session", Right::Open),
    ("DELETE", "/api/v1/session", Right::Own),
    ("GET", "/api/v1/me", Right::Own),
    ("POST", "/api/v1/me/password", Right::Own),
    ("POST", "/api/v1/me/second-factor", Right::Own),
    ("POST", "/api/v1/me/second-factor/confirm", Right::Own),
    ("POST", "/api/v1/me/second-factor/end", Right::Own),
    ("GET", "/api/v1/me/sessions", Right::Own),
    ("DELETE", "/api/v1/me/sessions/{id}", Right::Own),
    ("GET", "/api/v1/openapi.json", Right::Anybody),
    ("GET", "/api/v1/links", Right::Anybody),
    ("GET", "/api/v1/status", Right::Anybody),
    // Also for whoever has the token that opens this alone.
    ("GET", "/metrics", Right::Administer),
    ("GET", "/api/v1/quarantine", Right::Administer),
    ("POST", "/api/v1/quarantine/{id}/clear", Right::Administer),
    ("GET", "/api/v1/trust", Right::Administer),
    ("POST", "/api/v1/trust", Right::Administer),
    ("POST", "/api/v1/parcels/introductions", Right::Administer),
    ("POST", "/api/v1/parcels/sign", Right::Administer),
    ("POST", "/api/v1/parcels/take", Right::Administer),
    ("GET", "/api/v1/publications", Right::Anybody),
    ("GET", "/api/v1/publications/{kind}/{name}", Right::Anybody),
    ("POST", "/api/v1/publications", Right::Administer),
    ("POST", "/api/v1/rules/trial", Right::Act(A::Extend)),
    ("GET", "/api/v1/users", Right::Administer),
    ("POST", "/api/v1/users", Right::Administer),
    ("GET", "/api/v1/users/{name}", Right::Administer),
    ("POST", "/api/v1/users/{name}/unlock", Right::Administer),
    ("POST", "/api/v1/users/{name}/end-sessions", Right::Administer),
    ("POST", "/api/v1/users/{name}/reset-second-factor", Right::Administer),
    ("POST", "/api/v1/users/{name}/hand-over", Right::Administer),
    ("GET", "/api/v1/tokens", Right::Administer),
    ("POST", "/api/v1/tokens", Right::Administer),
    ("DELETE", "/api/v1/tokens/{id}", Right::Administer),
    ("GET", "/api/v1/audit", Right::Audit),
    ("GET", "/api/v1/audit/check", Right::Audit),
    ("POST", "/api/v1/audit/anchor", Right::Audit),
    ("GET", "/api/v1/cases", Right::Cases),
    ("POST", "/api/v1/cases", Right::Act(A::Report)),
    ("POST", "/api/v1/cases/import", Right::Act(A::Report)),
    ("POST", "/api/v1/cases/similar", Right::Act(A::Report)),
    ("GET", "/api/v1/cases/{id}", Right::Cases),
    ("GET", "/api/v1/cases/{id}/similar", Right::Act(A::Progress)),
    ("GET", "/api/v1/cases/{id}/dossier", Right::Cases),
    ("GET", "/api/v1/cases/{id}/dossier.pdf", Right::Reveal),
    ("GET", "/api/v1/cases/{id}/papers/{paper}", Right::Reveal),
    ("POST", "/api/v1/cases/{id}/reveal", Right::Reveal),
    ("POST", "/api/v1/cases/{id}/attachments/ticket", Right::Reveal),
    ("GET", "/api/v1/cases/{id}/attachments/{attachment}/content", Right::Reveal),
    ("GET", "/api/v1/duty", Right::Cases),
    ("PUT", "/api/v1/duty/{day}", Right::Act(A::Extend)),
    ("GET", "/api/v1/duty/calls", Right::Cases),
    ("GET", "/api/v1/drafts", Right::Cases),
    ("GET", "/api/v1/drafts/{id}", Right::Cases),
    ("PUT", "/api/v1/drafts/{id}", Right::Cases),
    ("DELETE", "/api/v1/drafts/{id}", Right::Cases),
    ("PUT", "/api/v1/uploads/{id}", Right::Act(A::Attach)),
    ("GET", "/api/v1/uploads/{id}", Right::Act(A::Attach)),
    ("DELETE", "/api/v1/uploads/{id}", Right::Act(A::Attach)),
    ("PUT", "/api/v1/uploads/{id}/parts/{number}", Right::Act(A::Attach)),
    ("POST", "/api/v1/uploads/{id}/finish", Right::Act(A::Attach)),
    ("POST", "/api/v1/persons/find", Right::Reveal),
    ("POST", "/api/v1/cases/{id}/erase", Right::Act(A::Erase)),
    ("POST", "/api/v1/cases/{id}/file", Right::Act(A::File)),
    ("POST", "/api/v1/cases/{id}/return", Right::Act(A::Return)),
    ("POST", "/api/v1/cases/{id}/assign", Right::Act(A::Assign)),
    ("POST", "/api/v1/cases/{id}/progress", Right::Act(A::Progress)),
    ("POST", "/api/v1/cases/{id}/resolve", Right::Act(A::Resolve)),
    ("POST", "/api/v1/cases/{id}/feed-back", Right::Act(A::FeedBack)),
    ("POST", "/api/v1/cases/{id}/assess", Right::Act(A::Assess)),
    ("POST", "/api/v1/cases/{id}/pause", Right::Act(A::Pause)),
    ("POST", "/api/v1/cases/{id}/resume", Right::Act(A::Resume)),
    ("POST", "/api/v1/cases/{id}/ask-extension", Right::Act(A::AskExtension)),
    ("POST", "/api/v1/cases/{id}/extend", Right::Act(A::Extend)),
    ("POST", "/api/v1/cases/{id}/refuse-extension", Right::Act(A::RefuseExtension)),
    ("POST", "/api/v1/cases/{id}/reject", Right::Act(A::Reject)),
    ("POST", "/api/v1/cases/{id}/withdraw", Right::Act(A::Withdraw)),
    ("POST", "/api/v1/cases/{id}/refer", Right::Act(A::Refer)),
    ("POST", "/api/v1/cases/{id}/reopen", Right::Act(A::Reopen)),
    ("POST", "/api/v1/cases/{id}/join", Right::Act(A::Join)),
    ("POST", "/api/v1/cases/{id}/amend-party", Right::Act(A::AmendParty)),
    ("POST", "/api/v1/cases/{id}/leave", Right::Act(A::Leave)),
    ("POST", "/api/v1/cases/{id}/amend", Right::Act(A::Amend)),
    ("POST", "/api/v1/cases/{id}/turn", Right::Act(A::Turn)),
    ("POST", "/api/v1/cases/{id}/link", Right::Act(A::Link)),
    ("POST", "/api/v1/cases/{id}/open-mediation", Right::Act(A::OpenMediation)),
    ("POST", "/api/v1/cases/{id}/consent", Right::Act(A::Consent)),
    ("POST", "/api/v1/cases/{id}/hold", Right::Act(A::Hold)),
    ("POST", "/api/v1/cases/{id}/agreement-hints", Right::Act(A::Draw)),
    ("POST", "/api/v1/cases/{id}/draw", Right::Act(A::Draw)),
    ("POST", "/api/v1/cases/{id}/sign", Right::Act(A::Sign)),
    ("POST", "/api/v1/cases/{id}/drop-agreement", Right::Act(A::DropAgreement)),
    ("POST", "/api/v1/cases/{id}/perform", Right::Act(A::Perform)),
    ("POST", "/api/v1/cases/{id}/visit-again", Right::Act(A::VisitAgain)),
    ("POST", "/api/v1/cases/{id}/seek-confirmation", Right::Act(A::SeekConfirmation)),
    ("POST", "/api/v1/cases/{id}/note-confirmation", Right::Act(A::NoteConfirmation)),
    ("POST", "/api/v1/cases/{id}/end-mediation", Right::Act(A::EndMediation)),
    ("POST", "/api/v1/cases/{id}/give-task", Right::Act(A::GiveTask)),
    ("POST", "/api/v1/cases/{id}/task-links", Right::Act(A::GiveTask)),
    ("POST", "/api/v1/cases/{id}/accept-task", Right::Act(A::AcceptTask)),
    ("POST", "/api/v1/cases/{id}/report-task", Right::Act(A::ReportTask)),
    ("POST", "/api/v1/cases/{id}/send-back-task", Right::Act(A::SendBackTask)),
    ("POST", "/api/v1/cases/{id}/close-task", Right::Act(A::CloseTask)),
    ("POST", "/api/v1/cases/{id}/cancel-task", Right::Act(A::CancelTask)),
    ("POST", "/api/v1/cases/{id}/merge", Right::Act(A::Merge)),
    ("POST", "/api/v1/cases/{id}/object", Right::Act(A::Object)),
    ("POST", "/api/v1/cases/{id}/refuse-objection", Right::Act(A::RefuseObjection)),
    ("POST", "/api/v1/cases/{id}/rule", Right::Act(A::Rule)),
    ("POST", "/api/v1/cases/{id}/restrict", Right::Act(A::Restrict)),
    ("POST", "/api/v1/cases/{id}/lift-restriction", Right::Act(A::LiftRestriction)),
    ("POST", "/api/v1/cases/{id}/name-reader", Right::Act(A::NameReader)),
    ("POST", "/api/v1/cases/{id}/drop-reader", Right::Act(A::DropReader)),
    ("GET", "/api/v1/restricted", Right::Cases),
    ("POST", "/api/v1/cases/{id}/sponsor", Right::Act(A::Sponsor)),
    ("POST", "/api/v1/cases/{id}/take-measure", Right::Act(A::TakeMeasure)),
    ("POST", "/api/v1/cases/{id}/place", Right::Act(A::Place)),
    ("POST", "/api/v1/cases/{id}/excuse-slot", Right::Act(A::ExcuseSlot)),
    ("POST", "/api/v1/cases/{id}/archive", Right::Act(A::Archive)),
    ("POST", "/api/v1/cases/{id}/void", Right::Act(A::Void)),
    ("POST", "/api/v1/cases/{id}/regrade", Right::Act(A::Regrade)),
    ("POST", "/api/v1/cases/{id}/offer", Right::Act(A::Offer)),
    ("POST", "/api/v1/cases/{id}/recall", Right::Act(A::Recall)),
    ("POST", "/api/v1/cases/{id}/take-over", Right::Act(A::TakeOver)),
    ("POST", "/api/v1/cases/{id}/contribute", Right::Act(A::Contribute)),
    ("GET", "/api/v1/tasks", Right::Cases),
    ("GET", "/api/v1/due", Right::Cases),
    ("GET", "/api/v1/offers", Right::Cases),
    ("POST", "/api/v1/cases/{id}/offers/{offer}/accept", Right::Act(A::AcceptOffer)),
    ("POST", "/api/v1/cases/{id}/offers/{offer}/decline", Right::Act(A::DeclineOffer)),
    ("GET", "/api/v1/orders", Right::Cases),
    ("POST", "/api/v1/cases/{id}/directives", Right::Act(A::IssueDirective)),
    ("POST", "/api/v1/cases/{id}/views", Right::Act(A::IssueView)),
    ("POST", "/api/v1/cases/{id}/orders/{order}/answer", Right::Act(A::AnswerOrder)),
    ("POST", "/api/v1/cases/{id}/orders/{order}/read", Right::Act(A::MarkRead)),
    ("POST", "/api/v1/cases/{id}/orders/{order}/withdraw", Right::Act(A::WithdrawOrder)),
    ("GET", "/api/v1/figures", Right::Cases),
    ("GET", "/api/v1/figures/totals", Right::Cases),
    ("GET", "/api/v1/figures/rows", Right::Cases),
    ("GET", "/api/v1/figures/completeness", Right::Cases),
    ("GET", "/api/v1/figures/definitions", Right::Cases),
    ("GET", "/api/v1/tallies", Right::Cases),
    ("POST", "/api/v1/tallies", Right::Count),
];

/// The right that an operation asks for; none: it is closed.
pub fn of(method: &str, path: &str) -> Option<Right> {
    ROUTES.iter().find(|(m, p, _)| *m == method && *p == path).map(|(_, _, right)| *right)
}

impl Right {
    /// Whether a role is enough, wherever it holds.
    pub fn role_is_enough(self, role: Role) -> bool {
        match self {
            Self::Open | Self::Own | Self::Anybody => true,
            Self::Cases => role.sees_cases(),
            Self::Act(action) => role.may(action),
            Self::Count => matches!(role, Role::GridWorker | Role::Clerk),
            Self::Reveal => role.reveals(),
            Self::Administer => role == Role::Administrator,
            Self::Audit => matches!(role, Role::Administrator | Role::Auditor),
        }
    }

    /// Refuses a caller none of whose roles is enough. What is about one case is then answered like an absent case to
    /// whoever may not know of cases at all.
    pub(crate) fn check(self, caller: &Caller, path: &str) -> Result<(), Problem> {
        if matches!(self, Self::Open | Self::Own | Self::Anybody) {
            return Ok(());
        }
        if caller.grants.iter().any(|grant| self.role_is_enough(grant.role)) {
            return Ok(());
        }
        let of_a_case = path.starts_with("/api/v1/cases/{id}");
        if of_a_case && !caller.sees_cases() { Err(Problem::not_found()) } else { Err(Problem::forbidden()) }
    }
}
