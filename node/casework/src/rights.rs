//! Who may do what: roles (角色), and the acts that a button may offer.

use protocol::bounded::Text;
use protocol::division::DivisionCode;
use protocol::order::Asked;
use protocol::unit::UnitCode;
use serde::{Deserialize, Serialize};

use crate::decide;
use crate::fits::has_a_subject;
use crate::known::Known;
use crate::publish::InForce;
use crate::refusal::Refusal;
use crate::world::Me;

/// A role of a person at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 网格员: reports, and settles small matters on the spot.
    GridWorker,
    /// 调解员: works on cases.
    Mediator,
    /// 受理员: the intake desk.
    Clerk,
    /// 承办人: handles what a unit was given.
    Handler,
    /// 分管领导: approves, directs, takes over.
    Supervisor,
    /// 系统管理员: users and settings, no cases.
    Administrator,
    /// 查看: reads only.
    Viewer,
    /// 热线坐席: registers and looks up, works on nothing.
    Hotline,
    /// 审计员: reads the audit, no cases.
    Auditor,
}

/// Where a role holds (范围): a division with all below it, a unit, both, or the whole node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Scope {
    /// What happens in this division or below; none: wherever.
    pub division: Option<DivisionCode>,
    /// What this unit answers for; none: any unit, and what has none yet.
    pub unit: Option<UnitCode>,
}

/// A role with its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Where it holds.
    pub scope: Scope,
}

/// Where a case is, as far as rights ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// Where it happened.
    pub place: DivisionCode,
    /// The unit that answers for it; the node itself before it is assigned.
    pub unit: UnitCode,
}

/// Somebody who acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// User id at the node.
    pub user: Text<40>,
    /// Name as shown.
    pub name: Text<60>,
    /// Roles with their scopes. Several may hold at once; each is judged by itself.
    pub grants: Vec<Grant>,
}

/// What can be done, as a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionName {
    /// Report (上报).
    Report,
    /// Verify and file (立案).
    File,
    /// Send back (退回补正).
    Return,
    /// Assign (交办).
    Assign,
    /// Note work (跟踪).
    Progress,
    /// Resolve (办结).
    Resolve,
    /// Feed back (反馈).
    FeedBack,
    /// Assess (评价).
    Assess,
    /// Let the term stand still (中止计时).
    Pause,
    /// Let it go on (恢复计时).
    Resume,
    /// Ask for more time (申请延期).
    AskExtension,
    /// Give more time (延期).
    Extend,
    /// Give none.
    RefuseExtension,
    /// Decline to take it on (不予受理).
    Reject,
    /// Note that who asked no longer does (撤回).
    Withdraw,
    /// Refer to another body (移送).
    Refer,
    /// Open again (重新办理).
    Reopen,
    /// Add parties and others (追加当事人).
    Join,
    /// Put right what is known of one (更正当事人).
    AmendParty,
    /// Let one go (退出).
    Leave,
    /// Put the report right (补充更正).
    Amend,
    /// Turn it into a matter of another kind (转办).
    Turn,
    /// Link it to another case (关联).
    Link,
    /// Take on for mediation (受理调解).
    OpenMediation,
    /// Note consent (同意调解).
    Consent,
    /// Write down what was held (笔录).
    Hold,
    /// Draw up an agreement (制作协议).
    Draw,
    /// Note signatures (签署).
    Sign,
    /// Drop a draft (作废协议).
    DropAgreement,
    /// Note performance (履行).
    Perform,
    /// Return visit (回访).
    VisitAgain,
    /// Ask for confirmation (申请司法确认).
    SeekConfirmation,
    /// Note the court's word (确认结果).
    NoteConfirmation,
    /// End the mediation (终止调解).
    EndMediation,
    /// Give a unit a task (交办任务).
    GiveTask,
    /// Sign for a task (签收).
    AcceptTask,
    /// Report on a task (反馈).
    ReportTask,
    /// Send a report back (退回重办).
    SendBackTask,
    /// Take a task as done (办结).
    CloseTask,
    /// Cancel a task (撤销).
    CancelTask,
    /// Archive (归档).
    Archive,
    /// Strike through (作废).
    Void,
    /// Change the level (调整等级).
    Regrade,
    /// Offer ownership (移交).
    Offer,
    /// Take an offer back (撤回).
    Recall,
    /// Take a case on (签收).
    AcceptOffer,
    /// Decline a case (退回).
    DeclineOffer,
    /// Take a case over (接管).
    TakeOver,
    /// Issue a directive (督办).
    IssueDirective,
    /// Ask to read (调阅).
    IssueView,
    /// Answer an order (答复).
    AnswerOrder,
    /// Mark an order as read (已阅).
    MarkRead,
    /// Withdraw an order (撤销).
    WithdrawOrder,
    /// Contribute a note (补充情况).
    Contribute,
    /// Erase what is private (删除个人信息).
    Erase,
}

impl ActionName {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 55] = [
        Self::Report,
        Self::File,
        Self::Return,
        Self::Assign,
        Self::Progress,
        Self::Resolve,
        Self::FeedBack,
        Self::Assess,
        Self::Pause,
        Self::Resume,
        Self::AskExtension,
        Self::Extend,
        Self::RefuseExtension,
        Self::Reject,
        Self::Withdraw,
        Self::Refer,
        Self::Reopen,
        Self::Join,
        Self::AmendParty,
        Self::Leave,
        Self::Amend,
        Self::Turn,
        Self::Link,
        Self::OpenMediation,
        Self::Consent,
        Self::Hold,
        Self::Draw,
        Self::Sign,
        Self::DropAgreement,
        Self::Perform,
        Self::VisitAgain,
        Self::SeekConfirmation,
        Self::NoteConfirmation,
        Self::EndMediation,
        Self::GiveTask,
        Self::AcceptTask,
        Self::ReportTask,
        Self::SendBackTask,
        Self::CloseTask,
        Self::CancelTask,
        Self::Archive,
        Self::Void,
        Self::Regrade,
        Self::Offer,
        Self::Recall,
        Self::AcceptOffer,
        Self::DeclineOffer,
        Self::TakeOver,
        Self::IssueDirective,
        Self::IssueView,
        Self::AnswerOrder,
        Self::MarkRead,
        Self::WithdrawOrder,
        Self::Contribute,
        Self::Erase,
    ];
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::GridWorker,
        Self::Mediator,
        Self::Clerk,
        Self::Handler,
        Self::Supervisor,
        Self::Administrator,
        Self::Viewer,
        Self::Hotline,
        Self::Auditor,
    ];

    /// Whether the role may do this. Who works on cases works on all steps: a grid has one person for all six.
    pub fn may(self, action: ActionName) -> bool {
        use ActionName as A;
        match action {
            A::Report | A::Contribute => self.works() || self == Self::Hotline,
            A::Progress | A::Regrade | A::MarkRead => self.works(),
            A::File | A::Return | A::Assign | A::Assess | A::Archive | A::Offer | A::Recall => {
                matches!(self, Self::GridWorker | Self::Clerk | Self::Supervisor)
            }
            A::Resolve | A::FeedBack | A::Pause | A::Resume | A::AskExtension => self.works(),
            A::Join | A::AmendParty | A::Leave | A::Amend | A::Link => self.works(),
            A::OpenMediation
            | A::Consent
            | A::Hold
            | A::Draw
            | A::Sign
            | A::DropAgreement
            | A::Perform
            | A::VisitAgain
            | A::SeekConfirmation
            | A::NoteConfirmation
            | A::EndMediation => self.works(),
            A::Reject | A::Withdraw | A::Refer | A::Reopen | A::Turn => {
                matches!(self, Self::GridWorker | Self::Clerk | Self::Supervisor)
            }
            A::Void | A::AnswerOrder => matches!(self, Self::GridWorker | Self::Clerk | Self::Supervisor),
            A::AcceptOffer | A::DeclineOffer => matches!(self, Self::GridWorker | Self::Clerk | Self::Supervisor),
            A::GiveTask | A::AcceptTask | A::ReportTask | A::SendBackTask | A::CloseTask | A::CancelTask => {
                self.works()
            }
            A::Extend | A::RefuseExtension => self == Self::Supervisor,
            A::TakeOver | A::IssueDirective | A::IssueView | A::WithdrawOrder | A::Erase => self == Self::Supervisor,
        }
    }

    /// Whether the role works on cases.
    pub fn works(self) -> bool {
        matches!(self, Self::GridWorker | Self::Mediator | Self::Clerk | Self::Handler | Self::Supervisor)
    }

    /// Whether the role may know of cases at all.
    pub fn sees_cases(self) -> bool {
        self.works() || matches!(self, Self::Viewer | Self::Hotline)
    }

    /// Whether the role may see a party's name and numbers unmasked, with a reason.
    pub fn reveals(self) -> bool {
        self.works()
    }
}

impl Scope {
    /// The whole node.
    pub const EVERYWHERE: Self = Self { division: None, unit: None };

    /// Whether something lies within.
    pub fn covers(&self, at: At) -> bool {
        self.division.is_none_or(|division| division.contains(at.place)) && self.unit.is_none_or(|unit| unit == at.unit)
    }

    /// Whether every place and unit of `other` lies within: nobody hands on more than they hold.
    pub fn includes(&self, other: &Self) -> bool {
        let place = self.division.is_none_or(|outer| other.division.is_some_and(|inner| outer.contains(inner)));
        place && (self.unit.is_none() || self.unit == other.unit)
    }
}

impl Grant {
    /// A role at the whole node.
    pub fn everywhere(role: Role) -> Self {
        Self { role, scope: Scope::EVERYWHERE }
    }
}

impl Actor {
    /// Somebody whose roles hold at the whole node.
    pub fn everywhere(user: &str, name: &str, roles: &[Role]) -> Self {
        let grants = roles.iter().copied().map(Grant::everywhere).collect();
        Self { user: Text::cut(user), name: Text::cut(name), grants }
    }

    fn holds(&self, places: &[At], fits: impl Fn(Role) -> bool) -> bool {
        self.grants.iter().any(|grant| {
            // What is nowhere yet is within the whole node only.
            let nowhere = places.is_empty() && grant.scope == Scope::EVERYWHERE;
            fits(grant.role) && (nowhere || places.iter().any(|at| grant.scope.covers(*at)))
        })
    }

    /// Whether this person may know of what is at one of these.
    pub fn sees(&self, at: &[At]) -> bool {
        self.holds(at, Role::sees_cases)
    }

    /// Refuses what no grant allows there. What this person may not know of is answered like what is not here.
    pub fn must(&self, action: ActionName, at: &[At]) -> Result<(), Refusal> {
        match (self.holds(at, |role| role.may(action)), self.sees(at)) {
            (true, _) => Ok(()),
            (false, true) => Err(Refusal::RoleMissing),
            // Whoever files a report speaks of a place that everybody knows.
            (false, false) if action == ActionName::Report => Err(Refusal::RoleMissing),
            (false, false) => Err(Refusal::UnknownCase),
        }
    }

    /// Whether this person approves for the node there.
    pub fn supervises(&self, at: &[At]) -> bool {
        self.holds(at, |role| role == Role::Supervisor)
    }
}

/// Where a case is: its place under the unit that leads it, and under each unit that has a task of it.
pub fn at(known: &Known) -> Vec<At> {
    let tasks = known.case().into_iter().flat_map(|case| &case.tasks).map(|task| task.unit);
    lead(known).into_iter().flat_map(|lead| std::iter::once(lead).chain(units(lead, tasks.clone()))).collect()
}

fn units(lead: At, units: impl Iterator<Item = UnitCode>) -> impl Iterator<Item = At> {
    units.map(move |unit| At { unit, ..lead })
}

/// Where somebody must hold a role for an action. Who has a task signs for it and reports on it; all else is for who leads the
/// case.
pub(crate) fn places(known: &Known, action: ActionName) -> Vec<At> {
    match action {
        ActionName::AcceptTask | ActionName::ReportTask => at(known),
        _ => lead(known).into_iter().collect(),
    }
}

/// Where it is under its lead, by all that is held of it: its own last word, else what was offered or asked about it.
fn lead(known: &Known) -> Option<At> {
    let offered = || known.offers().max_by_key(|file| file.offer.id).map(|file| &file.offer.brief);
    let asked = || {
        known.orders().find_map(|file| match &file.order.asked {
            Asked::ApproveLevel { brief, .. } => Some(brief),
            Asked::Directive { .. } | Asked::View { .. } => None,
        })
    };
    let brief = known.case().map(|case| &case.brief).or_else(offered).or_else(asked)?;
    Some(At { place: brief.place, unit: brief.unit })
}

/// What a person may do next with a case: what would not be refused for role or state. What depends on the words of the
/// command, or on where another node hangs, is judged when it is done.
pub fn next_actions(known: &Known, me: Me, by: &Actor, holds: &InForce) -> Vec<ActionName> {
    ActionName::ALL
        .into_iter()
        .filter(|action| *action != ActionName::Report && by.must(*action, &places(known, *action)).is_ok())
        .filter(|action| decide::timely(known, me, &holds.places, *action).is_ok())
        .filter(|action| decide::roomy(known, me, &holds.policy, *action).is_ok())
        .filter(|action| known.case().is_none_or(|case| has_a_subject(*action, case)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> DivisionCode {
        text.parse().unwrap()
    }

    fn granted(role: Role, division: Option<&str>, unit: Option<u16>) -> Actor {
        let scope = Scope { division: division.map(code), unit: unit.map(UnitCode) };
        Actor { user: Text::cut("u"), name: Text::cut("某人"), grants: vec![Grant { role, scope }] }
    }

    const TOWN: &str = "330602001000";
    const VILLAGE: &str = "330602001001";
    const OTHER: &str = "330603001000";

    #[test]
    fn a_scoped_role_acts_within_and_knows_of_nothing_outside() {
        let clerk = granted(Role::Clerk, Some(TOWN), None);
        let (inside, outside) = (
            At { place: code(VILLAGE), unit: UnitCode::NODE_ITSELF },
            At { place: code(OTHER), unit: UnitCode::NODE_ITSELF },
        );
        assert_eq!(clerk.must(ActionName::File, &[inside]), Ok(()));
        assert_eq!(clerk.must(ActionName::TakeOver, &[inside]), Err(Refusal::RoleMissing));
        assert_eq!(clerk.must(ActionName::File, &[outside]), Err(Refusal::UnknownCase));
        assert_eq!(clerk.must(ActionName::File, &[]), Err(Refusal::UnknownCase));
        assert_eq!(clerk.must(ActionName::Report, &[outside]), Err(Refusal::RoleMissing));
    }

    #[test]
    fn a_unit_sees_what_it_answers_for_only() {
        let handler = granted(Role::Handler, None, Some(3));
        assert!(handler.sees(&[At { place: code(VILLAGE), unit: UnitCode(3) }]));
        assert!(!handler.sees(&[At { place: code(VILLAGE), unit: UnitCode(4) }]));
        assert!(!handler.sees(&[At { place: code(VILLAGE), unit: UnitCode::NODE_ITSELF }]));
    }

    #[test]
    fn grants_do_not_lend_each_other_their_scopes() {
        let mut both = granted(Role::Viewer, None, None);
        both.grants.extend(granted(Role::Supervisor, Some(TOWN), None).grants);
        let outside = &[At { place: code(OTHER), unit: UnitCode::NODE_ITSELF }];
        assert!(both.sees(outside));
        assert_eq!(both.must(ActionName::TakeOver, outside), Err(Refusal::RoleMissing));
        assert!(!both.supervises(outside));
    }

    #[test]
    fn nobody_hands_on_more_than_they_hold() {
        let scope = |division: Option<&str>, unit: Option<u16>| Scope {
            division: division.map(code),
            unit: unit.map(UnitCode),
        };
        let (all, town) = (Scope::EVERYWHERE, scope(Some(TOWN), None));
        assert!(all.includes(&town) && town.includes(&scope(Some(VILLAGE), Some(4))));
        assert!(!town.includes(&all) && !town.includes(&scope(Some(OTHER), None)));
        assert!(!scope(None, Some(4)).includes(&town));
    }

    #[test]
    fn who_administers_or_audits_knows_of_no_case() {
        for role in Role::ALL {
            let blind = matches!(role, Role::Administrator | Role::Auditor);
            assert_eq!(role.sees_cases(), !blind, "{role:?}");
            assert!(!blind || ActionName::ALL.iter().all(|action| !role.may(*action)), "{role:?}");
        }
    }
}
