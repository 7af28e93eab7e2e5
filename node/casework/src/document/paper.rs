//! Which papers there are.

macro_rules! papers {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $word:literal, $zh:literal, $en:literal;)+) => {
        /// A paper.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Paper {
            $($(#[$doc])* $name,)+
        }

        impl Paper {
            /// All of them, in the order in which they are bound.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its number on printed sheets, which is never given to another.
            pub fn code(self) -> u16 {
                match self { $(Self::$name => $code,)+ }
            }

            /// The paper of a number.
            pub fn of_code(code: u16) -> Option<Self> {
                match code { $($code => Some(Self::$name),)+ _ => None }
            }

            /// The word of the API.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// The paper of a word.
            pub fn of_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)+ _ => None }
            }

            /// What it is called in general; on a paper itself the name may be more special.
            pub fn chinese(self) -> &'static str {
                match self { $(Self::$name => $zh,)+ }
            }

            /// The same in English.
            pub fn english(self) -> &'static str {
                match self { $(Self::$name => $en,)+ }
            }
        }
    };
}

papers! {
    /// 受理登记表
    Registration = 1, "registration", "受理登记表", "Registration";
    /// 申请书
    Application = 2, "application", "申请书", "Application";
    /// 权利义务告知书
    Rights = 3, "rights", "权利义务告知书", "Notice of rights and duties";
    /// 身份信息核对表
    Identity = 4, "identity", "当事人身份信息核对表", "Identity check";
    /// 调查记录
    Investigation = 5, "investigation", "调查记录", "Investigation record";
    /// 调解记录
    Record = 6, "record", "调解（办理）记录", "Record of the work";
    /// 当场化解登记表
    OnTheSpot = 7, "on-the-spot", "当场化解登记表", "Settled on the spot";
    /// 口头协议登记表
    Agreement = 8, "agreement", "调解协议书（登记表）", "Agreement";
    /// 履行登记表
    Performance = 17, "performance", "协议履行登记表", "Performance";
    /// 司法确认登记表
    Confirmation = 18, "confirmation", "司法确认登记表", "Judicial confirmation";
    /// 不予受理告知书
    NotTakenOn = 9, "not-taken-on", "不予受理告知书", "Notice of non-acceptance";
    /// 移送函
    Referral = 10, "referral", "移送函", "Referral letter";
    /// 终止调解通知书
    Termination = 11, "termination", "终止调解通知书", "Notice of termination";
    /// 答复意见书
    Reply = 12, "reply", "答复意见书", "Reply";
    /// 回访记录
    Visit = 13, "visit", "回访记录", "Return visit";
    /// 结案报告表
    Closing = 14, "closing", "结案报告表", "Closing report";
    /// 考核评价表
    Assessment = 15, "assessment", "考核评价表", "Assessment";
    /// 卷宗情况说明
    Explanation = 16, "explanation", "卷宗情况说明", "Explanation of the dossier";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_lead_back_to_their_papers() {
        for paper in Paper::ALL {
            assert_eq!((Paper::of_code(paper.code()), Paper::of_word(paper.word())), (Some(*paper), Some(*paper)));
            assert!(paper.word().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{paper:?}");
        }
        assert_eq!((Paper::of_code(0), Paper::of_word("")), (None, None));
    }
}
