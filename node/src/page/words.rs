//! The words of the page, Chinese and English side by side.

use axum::http::{HeaderMap, header};

/// The language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lang {
    /// 简体中文
    Zh,
    /// English
    En,
}

impl Lang {
    /// What was asked for: in the address first, then by the browser; Chinese otherwise.
    pub(super) fn of(asked: Option<&str>, headers: &HeaderMap) -> Self {
        match asked {
            Some("en") => return Self::En,
            Some(_) => return Self::Zh,
            None => {}
        }
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let first = accepted.split(',').map(str::trim).find(|l| l.starts_with("zh") || l.starts_with("en"));
        if first.is_some_and(|l| l.starts_with("en")) { Self::En } else { Self::Zh }
    }

    /// One of two.
    pub(super) fn t(self, zh: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// As in `?lang=`.
    pub(super) fn code(self) -> &'static str {
        self.t("zh", "en")
    }

    /// As in `lang="..."`.
    pub(super) fn tag(self) -> &'static str {
        self.t("zh-CN", "en")
    }

    /// A word of the API for people; an unknown one stays as it is.
    pub(super) fn word(self, word: &str) -> &str {
        WORDS.iter().find(|(key, _, _)| *key == word).map_or(word, |(_, zh, en)| self.t(zh, en))
    }
}

const WORDS: &[(&str, &str, &str)] = &[
    // Steps
    ("reported", "信息上报", "Reported"),
    ("filed", "核实立案", "Filed"),
    ("assigned", "分流交办", "Assigned"),
    ("in_progress", "跟踪处理", "In progress"),
    ("fed_back", "事件反馈", "Fed back"),
    ("assessed", "考核评价", "Assessed"),
    ("archived", "归档", "Archived"),
    // What happened
    ("returned", "退回补充", "Returned"),
    ("progressed", "处理记录", "Progress"),
    ("resolved", "办结", "Resolved"),
    ("voided", "作废", "Voided"),
    ("raised", "等级上调", "Level raised"),
    ("not_taken_on", "不予受理", "Not taken on"),
    ("paused", "中止计时", "Stands still"),
    ("resumed", "恢复计时", "Goes on"),
    ("extension_asked", "申请延期", "More time asked for"),
    ("extended", "延期", "More time given"),
    ("term_counted", "期限确定", "Term counted"),
    ("extension_refused", "延期未批准", "No more time given"),
    ("withdrawn", "撤回", "Withdrawn"),
    ("referred", "移送其他渠道", "Referred"),
    ("reopened", "重新办理", "Opened again"),
    ("joined", "追加当事人", "Parties joined"),
    ("party_amended", "更正当事人", "Party put right"),
    ("left", "当事人退出", "Party left"),
    ("amended", "补充更正", "Report put right"),
    ("turned", "转办", "Turned into another matter"),
    ("linked", "关联案件", "Linked to another case"),
    ("merged", "并入另案", "Went into another case"),
    ("took_in", "并案办理", "Took another case in"),
    ("objected", "退回异议", "Unit objects"),
    ("objection_refused", "异议不予同意", "Objection refused"),
    ("ruled", "裁定承办单位", "Ruled who leads it"),
    ("restricted", "设为受限案件", "Restricted"),
    ("withheld_changed", "受限内容更新", "What is withheld changed"),
    ("restriction_lifted", "解除受限", "Restriction lifted"),
    ("minors", "涉及未成年人", "Minors"),
    ("domestic_violence", "家庭暴力", "Domestic violence"),
    ("sexual_harm", "性侵害", "Sexual harm"),
    ("own_people", "反映工作人员", "About people of a node"),
    ("sponsored", "确定包案领导", "Sponsor named"),
    ("placed", "附件归卷", "Filed into the dossier"),
    ("sheet_scanned", "签字件归卷", "Signed sheet filed"),
    ("slot_excused", "卷宗项目免附", "Slot excused"),
    ("measure_taken", "固定动作", "Measure taken"),
    ("mediation_opened", "受理调解", "Mediation opened"),
    ("consented", "调解意愿", "Consent"),
    ("agreement_drafted", "制作调解协议", "Agreement drawn up"),
    ("agreement_marked", "协议签署", "Agreement signed"),
    ("agreement_dropped", "协议作废", "Agreement dropped"),
    ("performed", "履行协议", "Performed"),
    ("return_visited", "回访", "Return visit"),
    ("confirmation_sought", "申请司法确认", "Confirmation asked for"),
    ("confirmation_decided", "司法确认结果", "Confirmation decided"),
    ("mediation_ended", "终止调解", "Mediation ended"),
    ("task_given", "交办任务", "Task given"),
    ("task_accepted", "任务签收", "Task signed for"),
    ("task_reported", "任务反馈", "Task reported"),
    ("task_sent_back", "任务退回重办", "Task sent back"),
    ("task_closed", "任务办结", "Task done"),
    ("task_cancelled", "任务撤销", "Task cancelled"),
    ("wider", "其他(新版本)", "Other (later version)"),
    ("ceiling_raised", "上报至更高层级", "Goes further up"),
    ("lowered", "等级下调", "Level lowered"),
    ("cancelled", "等级取消", "Level cancelled"),
    ("approval_asked", "提请审批", "Approval asked"),
    ("approval_refused", "审批未通过", "Approval refused"),
    ("offered", "提请移交", "Offered"),
    ("offer_ended", "移交撤回", "Offer ended"),
    ("offer_declined", "移交被退回", "Offer declined"),
    ("released", "移交", "Released"),
    ("taken", "接收", "Taken"),
    ("taken_over", "接管", "Taken over"),
    ("order_received", "收到指令", "Order received"),
    ("order_answered", "指令已回复", "Order answered"),
    ("contributed", "协办意见", "Contribution"),
    // People in a case
    ("representative", "委托代理人", "Representative"),
    ("guardian", "法定代理人", "Guardian"),
    ("spokesperson", "推选代表", "Spokesperson"),
    ("involved", "涉及人员", "Involved"),
    ("witness", "证人", "Witness"),
    // Mediation
    ("application", "当事人申请", "On application"),
    ("initiative", "主动调解", "On the committee's initiative"),
    ("court", "法院委托", "Entrusted by a court"),
    ("procuratorate", "检察院委托", "Entrusted by a procuratorate"),
    ("police", "公安机关委托", "Entrusted by the police"),
    ("petitions", "信访部门委托", "Entrusted by a petition office"),
    ("department", "其他部门委托", "Entrusted by a department"),
    ("written", "书面", "Written"),
    ("oral", "口头", "Oral"),
    ("refused", "当事人拒绝", "A party refuses"),
    ("no_agreement", "未达成协议", "No agreement"),
    ("absent", "当事人未到场", "A party did not come"),
    ("out_of_time", "超过期限", "Out of time"),
    ("not_admissible", "不属受理范围", "Not admissible"),
    // States of offers
    ("open", "待签收", "Waits for an answer"),
    ("declined", "已退回", "Declined"),
    ("recalled", "已撤回", "Recalled"),
    ("expired", "已过期", "Expired"),
    ("moved_to", "已移交", "Moved"),
    // Progress of receipts
    ("queued", "待发送", "Queued"),
    ("sent", "已发送", "Sent"),
    ("delivered", "已送达", "Delivered"),
    ("read", "已读", "Read"),
    ("accepted", "已签收", "Accepted"),
    ("done", "已办结", "Done"),
    // Levels of the federation
    ("province", "省", "Province"),
    ("city", "市", "City"),
    ("county", "县", "County"),
    ("township", "乡", "Township"),
    ("community", "村", "Community"),
    ("grid", "格", "Grid"),
    // Orders
    ("directive", "指令", "Directive"),
    ("supervise", "督办", "Supervise"),
    ("assign", "交办", "Assign"),
    ("instruct", "批示", "Instruct"),
    ("remind", "催办", "Remind"),
    ("notify", "通报", "Notify"),
    ("view", "调阅", "View"),
    ("approve_level", "等级审批", "Level approval"),
    ("extend", "延期审批", "More time"),
    ("assess", "提请考核评价", "Assessment"),
    ("scored", "评分", "Score"),
    ("reply", "已回复", "Replied"),
    ("copy", "已提供", "Granted"),
    ("yes", "同意", "Yes"),
    ("no", "不同意", "No"),
    ("moved", "已移交,转主办", "Moved on"),
    ("unknown", "无此案件", "Not known there"),
    // Parts in a ladder
    ("owner", "主办", "Owner"),
    ("reporter", "首报", "Reporter"),
    ("follower", "报备", "Informed"),
    ("none", "—", "—"),
    // Parties, matters, outcomes
    ("applicant", "申请人", "Applicant"),
    ("respondent", "被申请人", "Respondent"),
    ("other", "其他", "Other"),
    ("dispute", "纠纷", "Dispute"),
    ("request", "诉求", "Request"),
    ("consultation", "咨询", "Consultation"),
    ("successful", "化解成功", "Settled"),
    ("unsuccessful", "未化解", "Not settled"),
    ("responsibility", "责任网格", "Responsibility grid"),
    ("basic", "基础网格", "Basic grid"),
    ("dedicated", "专属网格", "Dedicated grid"),
    // Rules of the grading
    ("sign_of_outbreak", "随时可能激化的迹象", "sign of an outbreak"),
    ("large_group_petition", "二十人以上越级上访苗头", "20 or more may petition"),
    ("violence", "暴力或暴力威胁", "violence or its threat"),
    ("group_petition", "五人以上越级上访苗头", "5 or more may petition"),
    ("disturbance", "影响生产生活或牵扯精力", "disturbs daily life or takes effort"),
    ("any_dispute", "一般纠纷", "any other dispute"),
    ("not_a_dispute", "非纠纷,不定级", "not a dispute"),
    ("person", "人工定级", "set by a person"),
];
