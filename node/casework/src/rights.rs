//! Who may do what: roles (角色), and the acts that a button may offer.

use protocol::bounded::Text;
use serde::{Deserialize, Serialize};

use crate::known::Known;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::world::Me;
use crate::{decide, step};

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
}

/// Somebody who acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// User id at the node.
    pub user: Text<40>,
    /// Name as shown.
    pub name: Text<60>,
    /// Roles.
    pub roles: Vec<Role>,
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
}

impl ActionName {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 22] = [
        Self::Report,
        Self::File,
        Self::Return,
        Self::Assign,
        Self::Progress,
        Self::Resolve,
        Self::FeedBack,
        Self::Assess,
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
    ];
}

impl Role {
    /// Whether the role may do this. Who works on cases works on all steps: a grid has one person for all six.
    pub fn may(self, action: ActionName) -> bool {
        use ActionName as A;
        match action {
            A::Report | A::Progress | A::Contribute | A::Regrade | A::MarkRead => self.works(),
            A::File | A::Return | A::Assign | A::Assess | A::Archive | A::Offer | A::Recall => {
                matches!(self, Self::GridWorker | Self::Clerk | Self::Supervisor)
            }
            A::Resolve | A::FeedBack => self.works(),
            A::Void | A::AnswerOrder => matches!(self, Self::GridWorker | Self::Clerk | Self::Supervisor),
            A::AcceptOffer | A::DeclineOffer => matches!(self, Self::GridWorker | Self::Clerk | Self::Supervisor),
            A::TakeOver | A::IssueDirective | A::IssueView | A::WithdrawOrder => self == Self::Supervisor,
        }
    }

    fn works(self) -> bool {
        matches!(self, Self::GridWorker | Self::Mediator | Self::Clerk | Self::Handler | Self::Supervisor)
    }
}

impl Actor {
    /// Refuses what none of the roles allows.
    pub fn must(&self, action: ActionName) -> Result<(), Refusal> {
        if self.roles.iter().any(|role| role.may(action)) { Ok(()) } else { Err(Refusal::RoleMissing) }
    }

    /// Whether this person approves for the node.
    pub fn supervises(&self) -> bool {
        self.roles.contains(&Role::Supervisor)
    }
}

/// What a person may do next with a case: what would not be refused for role or state. What depends on the words of the
/// command, or on where another node hangs, is judged when it is done.
pub fn next_actions(known: &Known, me: Me, by: &Actor, policy: &Policy) -> Vec<ActionName> {
    ActionName::ALL
        .into_iter()
        .filter(|action| *action != ActionName::Report && by.must(*action).is_ok())
        .filter(|action| decide::timely(known, me, *action).is_ok())
        .filter(|action| decide::roomy(known, me, policy, *action).is_ok())
        .collect()
}

/// The act of the loop behind an action, to ask the state machine with.
pub(crate) fn fits(action: ActionName, brief: &protocol::event::Brief) -> bool {
    use protocol::event::Act;
    let act = match action {
        ActionName::File => Act::Filed,
        ActionName::Return => Act::Returned,
        ActionName::Assign => Act::Assigned,
        ActionName::Progress => Act::Progressed,
        ActionName::Resolve => Act::Resolved,
        ActionName::FeedBack => Act::FedBack,
        ActionName::Assess => Act::Assessed { score: 1 },
        ActionName::Archive => Act::Archived,
        _ => Act::Voided,
    };
    step::after(&act, brief).is_some()
}
