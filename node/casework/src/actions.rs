//! The one table of what can be done: who may, when it is the time, and what it does to the size of a case. An action that is not
//! in it does not compile.

use serde::{Deserialize, Serialize};

/// Whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Who works on cases. Who does works on all steps: a grid has one person for all six.
    Works,
    /// They, and the hotline.
    Registers,
    /// Who answers for the way of a case: the grid worker, the desk, the supervisor.
    Desk,
    /// The supervisor.
    Leads,
}

/// When it is the time for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Always.
    Always,
    /// The case is this node's, and the step of the loop allows it.
    Step,
    /// The case is this node's, and neither struck through nor archived.
    Owned,
    /// The same, and it is offered to nobody.
    NotOffering,
    /// The same, and it is offered to somebody.
    Offering,
    /// The case is this node's and closed.
    Closed,
    /// It is offered to this node.
    Offered,
    /// An order waits for this node's answer.
    Ordered,
    /// An order of this node is open.
    Ordering,
    /// Another node owns the case.
    Followed,
    /// The same, below this one.
    Above,
}

/// What it does to the size of a case, which moves in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// Adds to it, as often as somebody likes: refused when the case is full.
    Grows,
    /// Brings it to its end, so it has a place always; no case has many of them.
    Ends,
    /// Nothing, or what the rules of orders and offers bound.
    Beside,
}

impl ActionName {
    /// Whether it says who may read a restricted case.
    pub(crate) fn names_readers(self) -> bool {
        matches!(self, Self::NameReader | Self::DropReader)
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident: $who:ident, $when:ident, $size:ident;)+) => {
        /// What can be done, as a name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ActionName {
            $($(#[$doc])* $name,)+
        }

        impl ActionName {
            /// All of them, in the order in which they are offered.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Whose it is.
            pub(crate) fn who(self) -> Who {
                match self { $(Self::$name => Who::$who,)+ }
            }

            /// When it is the time for it.
            pub(crate) fn when(self) -> When {
                match self { $(Self::$name => When::$when,)+ }
            }

            /// What it does to the size of a case.
            pub(crate) fn size(self) -> Size {
                match self { $(Self::$name => Size::$size,)+ }
            }
        }
    };
}

actions! {
    /// Report (上报).
    Report: Registers, Always, Beside;
    /// Verify and file (立案).
    File: Desk, Step, Ends;
    /// Send back (退回补正).
    Return: Desk, Step, Grows;
    /// Assign (交办).
    Assign: Desk, Step, Grows;
    /// Note work (跟踪).
    Progress: Works, Step, Grows;
    /// Resolve (办结).
    Resolve: Works, Step, Ends;
    /// Feed back (反馈).
    FeedBack: Works, Step, Ends;
    /// Assess (评价).
    Assess: Desk, Step, Ends;
    /// Let the term stand still (中止计时).
    Pause: Works, Step, Grows;
    /// Let it go on (恢复计时).
    Resume: Works, Step, Ends;
    /// Ask for more time (申请延期).
    AskExtension: Works, Step, Grows;
    /// Give more time (延期).
    Extend: Leads, Step, Grows;
    /// Give none.
    RefuseExtension: Leads, Step, Ends;
    /// Decline to take it on (不予受理).
    Reject: Desk, Step, Ends;
    /// Note that who asked no longer does (撤回).
    Withdraw: Desk, Step, Ends;
    /// Refer to another body (移送).
    Refer: Desk, Step, Ends;
    /// Open again (重新办理).
    Reopen: Desk, Step, Grows;
    /// Add parties and others (追加当事人).
    Join: Works, Step, Grows;
    /// Put right what is known of one (更正当事人).
    AmendParty: Works, Step, Grows;
    /// Let one go (退出).
    Leave: Works, Step, Grows;
    /// Put the report right (补充更正).
    Amend: Works, Step, Grows;
    /// Turn it into a matter of another kind (转办).
    Turn: Desk, Step, Grows;
    /// Link it to another case (关联).
    Link: Works, Step, Grows;
    /// Put it into another case of the same matter (并案).
    Merge: Desk, NotOffering, Ends;
    /// Take on for mediation (受理调解).
    OpenMediation: Works, Step, Grows;
    /// Note consent (同意调解).
    Consent: Works, Step, Grows;
    /// Write down what was held (笔录).
    Hold: Works, Step, Grows;
    /// Draw up an agreement (制作协议).
    Draw: Works, Step, Grows;
    /// Note signatures (签署).
    Sign: Works, Step, Grows;
    /// Drop a draft (作废协议).
    DropAgreement: Works, Step, Grows;
    /// Note performance (履行).
    Perform: Works, Step, Grows;
    /// Return visit (回访).
    VisitAgain: Works, Step, Grows;
    /// Ask for confirmation (申请司法确认).
    SeekConfirmation: Works, Step, Grows;
    /// Note the court's word (确认结果).
    NoteConfirmation: Works, Step, Grows;
    /// End the mediation (终止调解).
    EndMediation: Works, Step, Ends;
    /// Give a unit a task (交办任务).
    GiveTask: Works, Step, Grows;
    /// Sign for a task (签收).
    AcceptTask: Works, Step, Grows;
    /// Report on a task (反馈).
    ReportTask: Works, Step, Grows;
    /// Send a report back (退回重办).
    SendBackTask: Works, Step, Grows;
    /// Take a task as done (办结).
    CloseTask: Works, Step, Ends;
    /// Cancel a task (撤销).
    CancelTask: Works, Step, Ends;
    /// Name who stands for it (包案).
    Sponsor: Desk, Step, Grows;
    /// Note what its level asks for (固定动作).
    TakeMeasure: Works, Step, Grows;
    /// File what was attached into the dossier (归卷).
    Place: Works, Step, Grows;
    /// Excuse a slot of the dossier (免附).
    ExcuseSlot: Desk, Step, Grows;
    /// Object to leading it (退回异议).
    Object: Works, Step, Grows;
    /// Not agree to that.
    RefuseObjection: Desk, Step, Ends;
    /// Rule who leads it (裁定).
    Rule: Leads, Step, Ends;
    /// Restrict it to named readers (设为受限).
    Restrict: Works, Owned, Ends;
    /// Make it a case like others again (解除受限).
    LiftRestriction: Leads, Owned, Ends;
    /// Name somebody who may read it (指定知情人).
    NameReader: Desk, Always, Beside;
    /// Let somebody read it no longer (取消知情人).
    DropReader: Desk, Always, Beside;
    /// Archive (归档).
    Archive: Desk, Step, Ends;
    /// Strike through (作废).
    Void: Desk, Owned, Ends;
    /// Change the level (调整等级).
    Regrade: Works, Owned, Grows;
    /// Offer ownership (移交).
    Offer: Desk, NotOffering, Grows;
    /// Take an offer back (撤回).
    Recall: Desk, Offering, Grows;
    /// Take a case on (签收).
    AcceptOffer: Desk, Offered, Beside;
    /// Decline a case (退回).
    DeclineOffer: Desk, Offered, Beside;
    /// Take a case over (接管).
    TakeOver: Leads, Above, Beside;
    /// Issue a directive (督办).
    IssueDirective: Leads, Above, Beside;
    /// Ask to read (调阅).
    IssueView: Leads, Above, Beside;
    /// Answer an order (答复).
    AnswerOrder: Desk, Ordered, Beside;
    /// Mark an order as read (已阅).
    MarkRead: Works, Ordered, Beside;
    /// Withdraw an order (撤销).
    WithdrawOrder: Leads, Ordering, Beside;
    /// Contribute a note (补充情况).
    Contribute: Registers, Followed, Beside;
    /// Erase what is private (删除个人信息).
    Erase: Leads, Closed, Beside;
    /// Attach a photo, a voice message, a paper (上传附件).
    Attach: Registers, Owned, Grows;
}
