//! What people ask for: a report, and acts on a case. Both are read from the API as they are.

use protocol::attachment::Attachment;
use protocol::bounded::{List, Text};
use protocol::event::{
    Category, Contentment, DeclineGround, Kept, Matter, MediationEnd, Outcome, PARTIES_AT_ONCE_MAX, Participant,
    Parties, PauseGround, ToldBy,
};
use protocol::grading::Answers;
use protocol::id::{AttachmentId, CaseId, NodeId, OfferId, OrderId};
use protocol::order::Directive;
use protocol::time::CivilDay;
use protocol::transfer::Ground;
use protocol::unit::UnitCode;
use protocol::warning::Warning;
use serde::{Deserialize, Serialize};

use crate::dossier::Slot;

mod asked;
mod intake;
mod reply;

pub use asked::{Amendment, Draw, GiveTask, Hold, NoteConfirmation, OpenMediation, Place, Seek, Sign};
pub use intake::{Intake, Restrict};
pub use reply::Reply;

/// What is done to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Step 2 (核实立案): verified and filed.
    File,
    /// Sent back to the reporter for completion (退回补正).
    Return {
        /// What is missing.
        note: Text<4000>,
    },
    /// Step 3 (分流交办): given to a unit.
    Assign {
        /// The unit.
        unit: UnitCode,
        /// Words to it.
        #[serde(default)]
        note: Text<4000>,
    },
    /// Step 4 (跟踪处理): work on it.
    Progress {
        /// What was done.
        note: Text<4000>,
    },
    /// Step 4 ends: settled or not.
    Resolve {
        /// How it ended.
        outcome: Outcome,
        /// What was agreed, or why nothing was.
        terms: Text<4000>,
        /// Sum involved, in fen.
        #[serde(default)]
        amount_fen: Option<u64>,
    },
    /// Step 5 (事件反馈): who asked was told.
    FeedBack {
        /// What they said, and anything else.
        #[serde(default)]
        note: Text<4000>,
        /// How they were told.
        #[serde(default)]
        by: Option<ToldBy>,
        /// On which day; absent: today.
        #[serde(default, with = "crate::calendar::day")]
        on: Option<CivilDay>,
        /// Whether they are content.
        #[serde(default)]
        content: Option<Contentment>,
    },
    /// Step 6 (考核评价).
    Assess {
        /// 1 (bad) to 5 (good).
        score: u8,
        /// Why.
        #[serde(default)]
        note: Text<4000>,
    },
    /// The term that runs stands still (中止).
    Pause {
        /// Why.
        ground: PauseGround,
        /// The first day that does not count: today or earlier; absent: today.
        #[serde(default)]
        on: Option<CivilDay>,
        /// Why, in words.
        #[serde(default)]
        note: Text<4000>,
    },
    /// It goes on (恢复).
    Resume {
        /// The first day that counts again: today or earlier; absent: today.
        #[serde(default)]
        on: Option<CivilDay>,
        /// What has happened.
        #[serde(default)]
        note: Text<4000>,
    },
    /// Asks for more time (申请延期).
    AskExtension {
        /// Calendar days.
        days: u16,
        /// Why.
        reason: Text<4000>,
    },
    /// Gives more time (延期).
    Extend {
        /// Calendar days.
        days: u16,
        /// Why.
        reason: Text<4000>,
    },
    /// Gives none.
    RefuseExtension {
        /// Why.
        reason: Text<4000>,
    },
    /// Does not take it on (不予受理), before it is assigned.
    Reject {
        /// Why.
        ground: DeclineGround,
        /// Where to turn instead, and what was said.
        #[serde(default)]
        note: Text<4000>,
    },
    /// Who asked no longer does (撤回).
    Withdraw {
        /// How that was said.
        note: Text<4000>,
    },
    /// Another body settles it (移送).
    Refer {
        /// How it is settled there: a channel that the category admits.
        channel: Text<40>,
        /// To whom, and what was said.
        note: Text<4000>,
    },
    /// Opens again what was settled (重新办理), before the archive.
    Reopen {
        /// Why.
        reason: Text<4000>,
    },
    /// Parties and others join (追加当事人).
    Join {
        /// Them.
        people: List<Participant, PARTIES_AT_ONCE_MAX>,
    },
    /// What is known of one of them is put right.
    AmendParty {
        /// Their number.
        party: u16,
        /// The entry as it is from now on.
        entry: Participant,
    },
    /// One of them is in it no longer (退出).
    Leave {
        /// Their number.
        party: u16,
        /// Why.
        #[serde(default)]
        note: Text<4000>,
    },
    /// The report is put right or completed (补充更正).
    Amend(Amendment),
    /// Turns the matter into one of another kind (转办).
    Turn {
        /// What it is from now on.
        into: Matter,
        /// Its category, where that changes.
        #[serde(default)]
        category: Option<Category>,
        /// The answers of the grade panel, for a dispute.
        #[serde(default)]
        answers: Answers,
        /// Why.
        #[serde(default)]
        note: Text<4000>,
    },
    /// Links it to another case (关联).
    Link {
        /// The other one.
        to: CaseId,
        /// Why.
        #[serde(default)]
        note: Text<4000>,
    },
    /// Puts it into another case of the same matter (并案).
    Merge {
        /// The case that goes on.
        into: CaseId,
        /// Why they are one.
        #[serde(default)]
        note: Text<4000>,
    },
    /// A committee takes the dispute on for mediation (受理调解).
    OpenMediation(OpenMediation),
    /// Parties agree to be mediated, or refuse.
    Consent {
        /// Their numbers.
        parties: Parties,
        /// Whether they agree.
        agree: bool,
        /// The day; absent: today.
        #[serde(default, with = "crate::calendar::day")]
        on: Option<CivilDay>,
        /// What they said.
        #[serde(default)]
        note: Text<4000>,
    },
    /// Writes down what was held with people (笔录).
    Hold(Hold),
    /// Draws up an agreement (调解协议).
    Draw {
        /// It.
        asked: Draw,
        /// The number that the books of the committee give: by the node, never by who asks.
        #[serde(skip)]
        number: Option<u32>,
    },
    /// Notes who has signed it.
    Sign(Sign),
    /// A draft comes to nothing.
    DropAgreement {
        /// The agreement.
        agreement: u16,
        /// Why.
        note: Text<4000>,
    },
    /// Notes what was performed (履行).
    Perform {
        /// The agreement.
        agreement: u16,
        /// The part of its plan, from 1; 0: something else.
        #[serde(default)]
        instalment: u16,
        /// The day; absent: today.
        #[serde(default, with = "crate::calendar::day")]
        on: Option<CivilDay>,
        /// The sum, in fen.
        #[serde(default)]
        amount_fen: Option<u64>,
        /// How that is known.
        #[serde(default)]
        note: Text<1000>,
    },
    /// Asks how an agreement is kept (回访).
    VisitAgain {
        /// The agreement.
        agreement: u16,
        /// How far it is kept.
        kept: Kept,
        /// The day; absent: today.
        #[serde(default, with = "crate::calendar::day")]
        on: Option<CivilDay>,
        /// What was found.
        #[serde(default)]
        note: Text<4000>,
    },
    /// The parties ask a court to confirm it (司法确认).
    SeekConfirmation(Seek),
    /// The court has said.
    NoteConfirmation(NoteConfirmation),
    /// Ends the mediation without an agreement (终止调解).
    EndMediation {
        /// Why.
        ground: MediationEnd,
        /// The day; absent: today.
        #[serde(default, with = "crate::calendar::day")]
        on: Option<CivilDay>,
        /// What was said.
        #[serde(default)]
        note: Text<4000>,
    },
    /// Gives a unit a part of the case (交办任务).
    GiveTask(GiveTask),
    /// Signs for a task (签收).
    AcceptTask {
        /// The task.
        task: u16,
    },
    /// Reports what was done (反馈).
    ReportTask {
        /// The task.
        task: u16,
        /// What.
        note: Text<4000>,
    },
    /// Sends a report back (退回重办).
    SendBackTask {
        /// The task.
        task: u16,
        /// What is missing.
        note: Text<4000>,
    },
    /// Takes a task as done (办结).
    CloseTask {
        /// The task.
        task: u16,
        /// Anything to be noted.
        #[serde(default)]
        note: Text<4000>,
    },
    /// No longer asks it (撤销).
    CancelTask {
        /// The task.
        task: u16,
        /// Why.
        note: Text<4000>,
    },
    /// Names who stands for it (包案).
    Sponsor {
        /// Name.
        name: Text<60>,
        /// Office.
        #[serde(default)]
        office: Text<120>,
        /// What is asked of them.
        #[serde(default)]
        note: Text<1000>,
    },
    /// Notes what its level asks for (固定动作).
    TakeMeasure {
        /// Which, by its number in the table of measures.
        measure: u16,
        /// What was done, whom it was told to.
        note: Text<4000>,
    },
    /// Files what was attached into the dossier (归卷).
    Place {
        /// The attachment.
        attachment: AttachmentId,
        /// Where.
        place: Place,
    },
    /// Says that a slot stays empty (免附).
    ExcuseSlot {
        /// The slot, by its word.
        slot: Slot,
        /// Why.
        reason: Text<4000>,
    },
    /// The unit that leads it objects (退回异议).
    Object {
        /// Whom it proposes instead.
        #[serde(default)]
        proposed: Option<UnitCode>,
        /// Why.
        reason: Text<4000>,
    },
    /// Does not agree to that.
    RefuseObjection {
        /// Why.
        reason: Text<4000>,
    },
    /// Says who leads it, which binds (裁定).
    Rule {
        /// The unit; 0: the node itself.
        unit: UnitCode,
        /// Why.
        reason: Text<4000>,
    },
    /// Restricts it to named readers (设为受限案件).
    Restrict(Restrict),
    /// Makes it a case like others again (解除受限).
    LiftRestriction {
        /// Why.
        reason: Text<4000>,
    },
    /// Names somebody of this node who may read it (指定知情人).
    NameReader {
        /// User id.
        user: Text<40>,
        /// Name as shown: by the node, never by who asks.
        #[serde(skip)]
        name: Text<60>,
    },
    /// Lets somebody read it no longer (取消知情人).
    DropReader {
        /// User id.
        user: Text<40>,
    },
    /// The archive (归档): the chain ends.
    Archive,
    /// Struck through (作废): entered by mistake.
    Void {
        /// Why it was a mistake.
        reason: Text<4000>,
    },
    /// Raises at once; lowers or cancels with the approval that the level needs (升级, 降级, 解除).
    Regrade {
        /// The answers as they are now; "not known" leaves what was known.
        answers: Answers,
        /// The level that is wanted; none cancels it.
        level: Option<Warning>,
        /// Why.
        #[serde(default)]
        reason: Text<4000>,
    },
    /// Offers ownership (移交).
    Offer {
        /// To whom.
        to: NodeId,
    },
    /// Takes the open offer back (撤回).
    Recall,
    /// Takes a case on (签收).
    AcceptOffer {
        /// The offer.
        offer: OfferId,
    },
    /// Declines a case (退回).
    DeclineOffer {
        /// The offer.
        offer: OfferId,
        /// Why.
        ground: Ground,
        /// Words without names.
        #[serde(default)]
        text: Text<400>,
        /// Who should own it.
        #[serde(default)]
        proposed: Option<NodeId>,
    },
    /// Takes a case over from an owner that is lost (接管).
    TakeOver {
        /// How that is known.
        reason: Text<4000>,
    },
    /// Issues a directive (督办, 交办, 批示, 催办, 通报).
    IssueDirective {
        /// Its form.
        form: Directive,
        /// Words without names.
        text: Text<1000>,
        /// Days to answer.
        #[serde(default)]
        term_days: Option<u16>,
    },
    /// Asks to read names and documents (调阅).
    IssueView {
        /// The last day.
        until: CivilDay,
        /// Why, without names.
        text: Text<1000>,
    },
    /// Answers an order.
    AnswerOrder {
        /// The order.
        order: OrderId,
        /// How.
        reply: Reply,
    },
    /// A person opened an order.
    MarkRead {
        /// The order.
        order: OrderId,
    },
    /// An order is no longer asked.
    WithdrawOrder {
        /// The order.
        order: OrderId,
    },
    /// A note to the owner, from a node that does not own the case.
    Contribute {
        /// The note.
        text: Text<4000>,
    },
    /// Erases what is private of a closed case (删除个人信息).
    Erase,
    /// Attaches what has been uploaded (上传附件).
    Attach {
        /// What it is.
        attachment: Attachment,
    },
}

impl Command {
    /// Who asked was told, in words alone.
    pub fn fed_back(note: Text<4000>) -> Self {
        Self::FeedBack { note, by: None, on: None, content: None }
    }
}
