//! Why something is not done, split by who can mend it. Codes stay for ever; sentences may be improved.

/// Who can mend a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The person who asks: another role is needed, or other words.
    Person,
    /// The state of the case: it is not the time for this.
    State,
    /// Another node: what it sent does not hold.
    Peer,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident: $fault:ident, $code:literal, $english:literal, $chinese:literal;)+) => {
        /// A refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
        pub enum Refusal {
            $($(#[$doc])* #[error($english)] $name,)+
        }

        impl Refusal {
            /// Every refusal, for tests and documentation.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Stable code for programs.
            pub fn code(&self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The sentence in Chinese.
            pub fn chinese(&self) -> &'static str {
                match self { $(Self::$name => $chinese,)+ }
            }

            /// The field of the report that is wrong, where it is one.
            pub fn field(&self) -> Option<&'static str> {
                match self {
                    Self::TitleMissing => Some("title"),
                    Self::UnknownCategory => Some("category"),
                    Self::OutsideArea => Some("place"),
                    Self::BelowProposal | Self::NotGraded | Self::UnknownLevel => Some("confirmed_level"),
                    Self::ScoreOutOfRange => Some("score"),
                    Self::DayAhead | Self::DayTooEarly => Some("on"),
                    Self::UnknownChannel | Self::NotAdmissible => Some("channel"),
                    Self::NameMissing => Some("name"),
                    Self::UnknownUnit | Self::UnitElsewhere => Some("unit"),
                    Self::UnknownTask => Some("task"),
                    Self::UnknownMeasure => Some("measure"),
                    Self::UnknownSlot | Self::SlotStays => Some("slot"),
                    Self::UnknownAttachment => Some("attachment"),
                    Self::NotTheSheet => Some("code"),
                    Self::UnknownParty => Some("party"),
                    Self::NotTurned => Some("into"),
                    Self::NodeMissing => Some("against"),
                    Self::WayMissing => Some("by"),
                    Self::ExtensionTooLong => Some("days"),
                    _ => None,
                }
            }

            /// Who can mend it.
            pub fn fault(&self) -> Fault {
                match self { $(Self::$name => Fault::$fault,)+ }
            }
        }
    };
}

refusals! {
    /// The roles do not allow it.
    RoleMissing: Person, "role-missing", "Your roles do not allow this.", "您的角色无权进行此操作。";
    /// The place lies elsewhere.
    OutsideArea: Person, "outside-area", "The place is outside the area of this node.", "发生地不在本节点辖区内。";
    /// A report without a title.
    TitleMissing: Person, "title-missing", "A report needs a title.", "请填写标题。";
    /// The category is not in the list that is in force.
    UnknownCategory: Person, "unknown-category", "The category is not in the list that is in force here.",
        "类别不在现行类别清单中。";
    /// The level is one of a later version.
    UnknownLevel: Person, "unknown-level", "This program does not know this warning level.", "本程序不认识该预警等级。";
    /// A text that goes up names somebody.
    NamesInBrief: Person, "names-in-brief",
        "A text that leaves this node must not hold a party's name, a phone number or an identity number.",
        "上报文字不得包含当事人姓名、电话号码或身份证号码。";
    /// A person chose a level below what the rules propose.
    BelowProposal: Person, "below-proposal",
        "A level below the proposal of the rules needs an approval; report first, then ask for it.",
        "确认的预警等级不得低于规则建议等级;如需降级请先上报再申请审批。";
    /// Only disputes have a level.
    NotGraded: Person, "not-graded", "Only disputes have a warning level.", "只有矛盾纠纷才进行预警分级。";
    /// The score is out of range.
    ScoreOutOfRange: Person, "score-out-of-range", "A score goes from 1 to 5.", "评价分值应为 1 至 5。";
    /// Nothing would change.
    NothingChanges: Person, "nothing-changes", "Nothing would change.", "没有任何变化。";
    /// A reason is needed.
    ReasonMissing: Person, "reason-missing", "A reason is needed.", "请填写理由。";
    /// An order cannot be answered in this way.
    WrongAnswer: Person, "wrong-answer", "This order cannot be answered in this way.", "该指令不能以此方式答复。";
    /// A view must end today or later.
    DayPassed: Person, "day-passed", "The day has passed.", "日期已过。";
    /// Something that has happened has a day.
    DayAhead: Person, "day-ahead", "The day lies ahead; say on which day it happened.", "日期不能晚于今天。";
    /// A pause begins before its term, or ends before it began.
    DayTooEarly: Person, "day-too-early", "The day is too early: before the term began, before the pause, or before the agreement.",
        "日期过早:早于期限起算日、中止日或协议日期。";
    /// A channel that no list holds.
    UnknownChannel: Person, "unknown-channel", "The channel is not in the list that is in force here.",
        "办理渠道不在现行清单中。";
    /// A channel that may not take matters of this category.
    NotAdmissible: Person, "not-admissible", "This channel may not take matters of this category.",
        "该类事项不得通过此渠道办理。";
    /// A party without a name.
    NameMissing: Person, "name-missing", "Everybody in a case needs a name.", "请填写姓名或名称。";
    /// They are there already.
    AlreadyIn: Person, "already-in",
        "Somebody of this name and number is in the case already; put their entry right instead.",
        "本案已有同名且电话或证件号码相同的人员,请更正其信息。";
    /// A number that nobody in the case has.
    UnknownParty: Person, "unknown-party", "Nobody in this case has that number.", "本案没有该编号的当事人或参与人。";
    /// A matter does not become this kind.
    NotTurned: Person, "not-turned",
        "Advice can become a request, and both can become a dispute; a matter does not turn the other way.",
        "咨询可转为诉求,咨询和诉求可转为纠纷,不能反向转换。";
    /// Words that one entry does not hold.
    TooLong: Person, "too-long", "These words are too long for one entry; divide them.", "内容过长,请分次填写。";
    /// Only disputes are mediated.
    NotADispute: Person, "not-a-dispute", "Only a dispute is mediated; turn the matter into one first.",
        "只有矛盾纠纷可以调解,请先转为纠纷。";
    /// An agreement is between parties.
    TwoPartiesNeeded: Person, "two-parties-needed", "An agreement is between two parties at least.", "协议至少应有两方当事人。";
    /// A party was not asked, or refuses.
    NotConsented: Person, "not-consented", "A party has not agreed to be mediated; note its consent first.",
        "有当事人尚未同意调解,请先登记同意。";
    /// Such papers are signed by hand.
    NotElectronic: Person, "not-electronic",
        "Not to be signed electronically: papers of marriage, adoption and inheritance (电子签名法 art. 3), or the parties did not agree to it. Print, sign and scan it.",
        "不得使用电子签名:涉及婚姻、收养、继承(电子签名法第三条),或当事人未约定。请打印签字后扫描。";
    /// No such agreement.
    UnknownAgreement: Person, "unknown-agreement", "This case has no such agreement.", "本案没有该协议。";
    /// No such part of its plan.
    UnknownInstalment: Person, "unknown-instalment", "The plan of the agreement has no such part.", "协议没有该期履行内容。";
    /// More time than the law gives.
    ExtensionTooLong: Person, "extension-too-long", "The term cannot be extended by so many days in all.",
        "累计延长天数超过规定。";
    /// A unit that no list holds.
    UnknownUnit: Person, "unknown-unit", "The unit is not in the directory that is in force here.", "单位不在现行单位目录中。";
    /// A unit of another node.
    UnitElsewhere: Person, "unit-elsewhere",
        "This unit sits at another node; offer the case there, or ask that node by a directive.",
        "该单位设在其他节点,请移交案件或以指令交办。";
    /// No such task.
    UnknownTask: Person, "unknown-task", "This case has no such task.", "本案没有该任务。";
    /// Told in no way.
    WayMissing: Person, "way-missing", "Say how they were told.", "请选择反馈方式。";
    /// Nothing was written down.
    WordsMissing: Person, "words-missing", "Say what was said or agreed.", "请填写内容。";
    /// A time that no day has.
    TimeOutOfRange: Person, "time-out-of-range", "The times are minutes of one day, the earlier one first.",
        "时间应在当天之内,且开始不晚于结束。";
    /// Not somebody who agrees.
    NotAParty: Person, "not-a-party",
        "Only a party of the matter agrees to be mediated, performs and signs; a witness or representative does not.",
        "只有当事人可以表示调解意愿、履行和签署;证人、代理人等不能。";
    /// Somebody who is not named.
    Restricted: Person, "restricted",
        "This is a restricted case: only its named readers work on it. Ask a supervisor of this node to name you.",
        "本案为受限案件,仅指定知情人可以查看和办理。如需办理,请由本级分管领导指定。";
    /// It was ruled who leads it.
    RuledAlready: State, "ruled-already", "It was ruled who leads this case, and that binds.", "承办单位已经裁定,应当执行。";
    /// A second objection.
    RulingNeeded: State, "ruling-needed",
        "Units have objected twice: whoever leads this node rules who leads the case.",
        "承办单位已第二次提出异议,须由本级分管领导裁定。";
    /// Nobody objects.
    NothingObjected: State, "nothing-objected", "No unit objects to leading this case.", "没有待处理的退回异议。";
    /// The days to object are over.
    ObjectionLate: State, "objection-late",
        "The five working days in which a unit may object are over (信访工作条例 art. 23).",
        "五个工作日的异议期限已过(信访工作条例第二十三条)。";
    /// The node above was asked.
    AssessedAbove: State, "assessed-above",
        "The node above was asked for this, and has until the end of its term to answer.",
        "已提请上级办理,须待其在期限内答复。";
    /// By another unit than the one that led it.
    AssessedByAnother: Person, "assessed-by-another",
        "A red or orange case is assessed by another unit than the one that led it.",
        "红色、橙色案件应由承办单位以外的单位考核评价。";
    /// Not a restricted case.
    NotRestricted: State, "not-restricted", "This case is not restricted.", "本案不是受限案件。";
    /// No node, or one that is not known.
    NodeMissing: Person, "node-missing", "Name the node whose people it is about.", "请选择所反映工作人员所在的单位节点。";
    /// A case about people of the node that would handle it.
    AboutOwnPeople: State, "about-own-people",
        "The case is about people of that node: it is handled by one above it, and neither read nor decided there.",
        "本案反映该节点工作人员,应由其上级办理,该节点不得查看和处理。";
    /// A restricted case and one that is not.
    RestrictedApart: State, "restricted-apart",
        "A restricted case is not put together with one that is not; restrict the other first.",
        "受限案件与普通案件不能并案,请先将另一案设为受限。";
    /// Somebody else was faster.
    Changed: State, "changed",
        "Somebody has worked on this case since you read it. Nothing was saved; read it again, and what you typed is still yours to send.",
        "您打开后该案件已有新的变动,本次未保存。请刷新查看后再提交,已填内容可继续使用。";
    /// Two cases that cannot be one.
    OtherCase: State, "other-case",
        "The two cases cannot be put together: both must be open, of one kind of matter, owned by this node, offered to nobody and not under mediation.",
        "两案不能并案:须均为本节点主办、尚未办结、事项类别相同,且没有待签收的移交和进行中的调解。";
    /// A measure that no table holds.
    UnknownMeasure: Person, "unknown-measure", "The measure is not in the table that is in force here.", "该固定动作不在现行清单中。";
    /// What the level asks for was not done.
    MeasureMissing: State, "measure-missing",
        "What the case asks for by law has not been noted: the report to the police where violence threatens (人民调解法 art. 25). Note it first.",
        "依法应采取的措施尚未登记:涉及暴力或暴力威胁的须及时向公安机关报告(人民调解法第二十五条),请先登记。";
    /// A slot that its dossier does not have.
    UnknownSlot: Person, "unknown-slot", "The dossier of this case has no such slot.", "本案卷宗没有该项目。";
    /// What people can write down is not excused.
    SlotStays: Person, "slot-stays",
        "What can still be written down here is written, not excused.", "可以在系统内补记的内容不能免附,请补记。";
    /// No such attachment.
    UnknownAttachment: Person, "unknown-attachment", "Nothing of that id is attached to this case.", "本案没有该附件。";
    /// A code of something else.
    NotTheSheet: Person, "not-the-sheet", "The code is not that of a sheet of this case.", "该编码不是本案文书的编码。";
    /// The offer would go to this node itself, or back to itself.
    ToMyself: Person, "to-myself", "This goes to another node only.", "不能移交给本节点。";
    /// Nobody has asked for more time.
    NothingAsked: State, "nothing-asked", "Nobody has asked for more time.", "没有待审批的延期申请。";
    /// The task is not at the point that this needs.
    TaskState: State, "task-state", "The task is not at the point that this needs.", "任务当前状态不能进行此操作。";
    /// The task waits for another.
    TaskWaits: State, "task-waits", "The task before this one is not done yet.", "前一项任务尚未办结。";
    /// Units still work on it.
    TasksOpen: State, "tasks-open", "Units still work on parts of this case; close or cancel their tasks first.",
        "尚有协办任务未办结,请先办结或撤销。";
    /// No mediation is under way.
    NoMediation: State, "no-mediation", "No mediation of this case is under way.", "本案没有进行中的调解。";
    /// One is.
    MediationOpen: State, "mediation-open", "A mediation of this case is under way; end it first, with its ground.",
        "本案调解正在进行,请先终止并写明原因。";
    /// A party refuses to be mediated.
    PartyRefuses: State, "party-refuses",
        "A party refuses to be mediated; nobody goes on against its will (人民调解法 art. 17). End the mediation, or note its consent.",
        "有当事人明确拒绝调解,不得继续(人民调解法第十七条)。请终止调解或重新登记同意。";
    /// Settled by mediation without an agreement.
    NothingAgreed: State, "nothing-agreed", "No agreement of this case is in effect; it cannot be settled by mediation yet.",
        "本案尚无生效的调解协议,不能按调解成功办结。";
    /// It is settled.
    Agreed: State, "agreed", "An agreement of this case is in effect: it is settled, and has not failed.",
        "本案已有生效的调解协议,不能按终止或未成功处理。";
    /// The agreement is in effect.
    AlreadyInEffect: State, "already-in-effect", "The agreement is in effect already.", "协议已生效。";
    /// The agreement is not in effect yet.
    NotInEffect: State, "not-in-effect", "The agreement is not in effect yet: not all have signed.", "协议尚未生效:签名盖章不齐。";
    /// The thirty days are over.
    ConfirmationLate: State, "confirmation-late",
        "The 30 days in which the parties can ask for confirmation are over (人民调解法 art. 33).",
        "申请司法确认的三十日期限已过(人民调解法第三十三条)。";
    /// Nobody asked the court.
    NotSought: State, "not-sought", "No court was asked to confirm this agreement.", "尚未申请司法确认。";
    /// The node gave no number.
    NumberMissing: State, "number-missing", "The node has no number for this paper; try again.", "未能取得协议编号,请重试。";
    /// The case is known already: a retried report is the same case.
    AlreadyReported: State, "already-reported", "This case was reported already.", "该案件已上报。";
    /// The case is not here.
    UnknownCase: State, "unknown-case", "This case is not known here.", "本节点没有该案件。";
    /// Another node owns the case.
    NotOwner: State, "not-owner", "Another node owns this case now.", "该案件现由其他节点主办。";
    /// This node owns the case.
    OwnCase: State, "own-case", "This node owns the case itself.", "该案件由本节点主办。";
    /// The step of the loop is another.
    WrongStep: State, "wrong-step", "The case is not at the step that this needs.", "案件当前环节不能进行此操作。";
    /// The case is struck through.
    IsVoid: State, "is-void", "The case was struck through as entered by mistake.", "该案件已作废。";
    /// The case is archived.
    IsArchived: State, "is-archived", "The case is archived.", "该案件已归档。";
    /// An offer is open.
    OfferOpen: State, "offer-open", "An offer of this case is open; recall it first.", "该案件已有待签收的移交,请先撤回。";
    /// No such offer is open.
    NoOpenOffer: State, "no-open-offer", "No such offer is open; it was recalled, ran out or was answered.",
        "没有待签收的移交;可能已撤回、过期或已答复。";
    /// Nobody is above this node.
    NobodyAbove: State, "nobody-above", "There is no level above to submit to.", "没有可上报的上级。";
    /// An approval is pending.
    ApprovalPending: State, "approval-pending", "An approval of this case is pending.", "该案件已有待审批的降级申请。";
    /// No such order is open here.
    NoOpenOrder: State, "no-open-order", "No such order is open here.", "没有待办的该指令。";
    /// The case has as many events or as much text as may move to another node in one piece.
    CaseFull: State, "case-full", "The case holds as much as one case may.", "该案件内容已达上限。";
    /// What people write of a case is missing from its dossier.
    DossierIncomplete: State, "dossier-incomplete",
        "The dossier lacks what was done or how it ended. Open the case again, write it down, and resolve it anew.",
        "卷宗缺少办理记录或者处理结果,请重新办理、补记后再办结。";
    /// A message does not come from whom it says.
    WrongOrigin: Peer, "wrong-origin", "The message was not sent by the node that it names.", "消息来源与其内容不符。";
    /// A chain, a seal or a commitment does not hold.
    Unproven: Peer, "unproven", "The chain or the seals of the case do not hold.", "案件链或印章验证失败。";
    /// A sealed part was not opened.
    NotOpened: Peer, "not-opened", "The sealed part could not be read.", "密封内容无法打开。";
    /// Not a matter of casework.
    NotACaseMessage: Peer, "not-a-case-message", "This message is not about cases.", "该消息与案件无关。";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kebab_case_and_differ() {
        let codes: std::collections::BTreeSet<_> = Refusal::ALL.iter().map(Refusal::code).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        for code in codes {
            assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{code}");
        }
        assert!(Refusal::ALL.iter().all(|r| !r.chinese().is_empty() && !r.to_string().is_empty()));
    }
}
