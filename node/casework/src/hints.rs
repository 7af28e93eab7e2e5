//! Where an agreement could not be confirmed or enforced (可执行性提示): who does what, when, how much, and how. Hints for the person who
//! writes it; nothing is refused for them, since the parties may agree on what no court would enforce.

use protocol::event::Instalment;

/// Words that leave open what is owed (内容不明确).
const VAGUE: [&str; 12] = [
    "尽快",
    "适当",
    "酌情",
    "尽量",
    "尽可能",
    "视情况",
    "合理期限",
    "合理补偿",
    "另行协商",
    "再行协商",
    "协商解决",
    "等待处理",
];
/// Words that say when.
const TIMES: [&str; 14] =
    ["当场", "当日", "当天", "即日", "立即", "日内", "天内", "月内", "日前", "之前", "以前", "每月", "每年", "日起"];
/// Words of money.
const MONEY: [&str; 8] = ["赔偿", "补偿", "支付", "偿还", "归还借款", "欠款", "工资", "退还"];
/// Words for the sides.
const SIDES: [&str; 7] = ["甲方", "乙方", "申请人", "被申请人", "双方", "各方", "当事人"];
/// Relations that no court confirms.
const STATUS: [&str; 6] = ["离婚", "解除婚姻", "解除收养", "收养关系", "亲子关系", "监护权"];
/// Rights whose title no court confirms in this way.
const TITLE: [&str; 7] = ["所有权归", "产权归", "使用权归", "经营权归", "确权", "专利权", "商标权"];

/// A hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Nobody is named who does it.
    Who,
    /// No time is named.
    When,
    /// Money is owed, and no sum is named.
    HowMuch,
    /// The parts of the plan do not add up to the sum.
    SumsDiffer {
        /// What the parts add up to, in fen.
        parts: u64,
        /// The sum, in fen.
        whole: u64,
    },
    /// It is not said how it is done.
    How,
    /// A word leaves open what is owed.
    Vague(&'static str),
    /// It settles a relation of persons.
    Status(&'static str),
    /// It settles whose a thing or a right is.
    Title(&'static str),
}

/// What is to be looked at.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// What was agreed.
    pub terms: &'a str,
    /// In which manner and by when it is performed.
    pub manner: &'a str,
    /// The sum in question, in fen.
    pub amount_fen: Option<u64>,
    /// What is to be performed when.
    pub plan: &'a [Instalment],
}

/// The hints of an agreement between people of these names.
pub fn hints<'n>(words: Words<'_>, names: impl Iterator<Item = &'n str>) -> Vec<Hint> {
    let Words { terms, manner, amount_fen, plan } = words;
    let text = [terms, manner].join("\n");
    let has = |list: &[&'static str]| list.iter().copied().find(|word| text.contains(word));
    let mut found = Vec::new();
    let named = has(&SIDES).is_some() || names.into_iter().any(|name| !name.is_empty() && text.contains(name));
    if plan.is_empty() && !named {
        found.push(Hint::Who);
    }
    if plan.is_empty() && has(&TIMES).is_none() && !dated(&text) {
        found.push(Hint::When);
    }
    let summed = amount_fen.is_some() || plan.iter().any(|part| part.amount_fen.is_some()) || sum_in(&text);
    if has(&MONEY).is_some() && !summed {
        found.push(Hint::HowMuch);
    }
    found.extend(differ(amount_fen, plan));
    if manner.trim().is_empty() && plan.iter().all(|part| part.what.trim().is_empty()) {
        found.push(Hint::How);
    }
    found.extend(has(&VAGUE).map(Hint::Vague));
    found.extend(has(&STATUS).map(Hint::Status));
    found.extend(has(&TITLE).map(Hint::Title));
    found
}

/// Sums are compared where every part names one: a part in kind has none.
fn differ(amount_fen: Option<u64>, plan: &[Instalment]) -> Option<Hint> {
    let whole = amount_fen?;
    let sums: Option<Vec<u64>> = plan.iter().map(|part| part.amount_fen).collect();
    let parts = sums.filter(|sums| !sums.is_empty())?.into_iter().fold(0, u64::saturating_add);
    (parts != whole).then_some(Hint::SumsDiffer { parts, whole })
}

/// Whether a day stands in it: a digit in front of 日 or 月.
fn dated(text: &str) -> bool {
    let pairs = text.chars().zip(text.chars().skip(1));
    pairs.into_iter().any(|(first, second)| is_number(first) && matches!(second, '日' | '号' | '月' | '年'))
}

/// Whether a sum stands in it: a digit in front of 元 or 万.
fn sum_in(text: &str) -> bool {
    let pairs = text.chars().zip(text.chars().skip(1));
    pairs.into_iter().any(|(first, second)| is_number(first) && matches!(second, '元' | '万' | '千' | '百'))
}

fn is_number(c: char) -> bool {
    c.is_ascii_digit() || "一二三四五六七八九十百千万两〇零".contains(c)
}

impl Hint {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Who => "who",
            Self::When => "when",
            Self::HowMuch => "how_much",
            Self::SumsDiffer { .. } => "sums_differ",
            Self::How => "how",
            Self::Vague(_) => "vague",
            Self::Status(_) => "status",
            Self::Title(_) => "title",
        }
    }

    /// In Chinese.
    pub fn chinese(self) -> String {
        match self {
            Self::Who => "未写明由谁履行".to_owned(),
            Self::When => "未写明履行期限".to_owned(),
            Self::HowMuch => "涉及给付款项，但未写明金额".to_owned(),
            Self::SumsDiffer { parts, whole } => {
                format!("各期合计 {} 元，与协议金额 {} 元不符", yuan(parts), yuan(whole))
            }
            Self::How => "未写明履行方式".to_owned(),
            Self::Vague(word) => format!("“{word}”含义不明确"),
            Self::Status(word) => format!("“{word}”涉及身份关系，不能申请司法确认"),
            Self::Title(word) => format!("“{word}”涉及权利归属的确认，不能申请司法确认"),
        }
    }

    /// In English.
    pub fn english(self) -> String {
        match self {
            Self::Who => "it does not say who performs it".to_owned(),
            Self::When => "it does not say by when".to_owned(),
            Self::HowMuch => "money is owed, and no sum is named".to_owned(),
            Self::SumsDiffer { parts, whole } => {
                format!("the parts add up to {} yuan, the agreement names {}", yuan(parts), yuan(whole))
            }
            Self::How => "it does not say how it is performed".to_owned(),
            Self::Vague(word) => format!("“{word}” leaves open what is owed"),
            Self::Status(word) => format!("“{word}” settles a relation of persons, which no court confirms"),
            Self::Title(word) => format!("“{word}” settles a title, which no court confirms in this way"),
        }
    }

    /// The article by which a court refuses to confirm such an agreement.
    pub fn law(self) -> (&'static str, &'static str) {
        match self {
            Self::Status(_) | Self::Title(_) => {
                ("民事诉讼法解释第三百五十五条", "Interpretation of the civil procedure law, art. 355")
            }
            _ => ("民事诉讼法解释第三百五十八条", "Interpretation of the civil procedure law, art. 358"),
        }
    }
}

fn yuan(fen: u64) -> String {
    let (whole, rest) = (fen.checked_div(100).unwrap_or(0), fen.checked_rem(100).unwrap_or(0));
    format!("{whole}.{rest:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::bounded::Text;
    use protocol::time::{CivilDay, UnixMillis};

    fn part(amount_fen: Option<u64>, what: &str) -> Instalment {
        Instalment { by: 2, due: CivilDay::of(UnixMillis(0)), amount_fen, what: Text::cut(what) }
    }

    fn of(terms: &str, manner: &str, amount_fen: Option<u64>, plan: &[Instalment]) -> Vec<&'static str> {
        let words = Words { terms, manner, amount_fen, plan };
        hints(words, ["张三", "李四"].into_iter()).into_iter().map(Hint::word).collect()
    }

    #[test]
    fn an_agreement_that_says_who_what_when_how_much_and_how_has_no_hint() {
        assert_eq!(of("李四于2026年12月31日前赔偿张三五千元", "转账，一次付清", Some(500_000), &[]), [""; 0]);
        let plan = [part(Some(100_000), "转账"), part(Some(150_000), "转账")];
        assert_eq!(of("分期付清工程款", "", Some(250_000), &plan), [""; 0]);
        assert_eq!(of("乙方当场清理通道", "自行清理", None, &[]), [""; 0]);
    }

    #[test]
    fn what_is_left_open_is_named() {
        assert_eq!(of("赔偿医药费", "", None, &[]), ["who", "when", "how_much", "how"]);
        assert_eq!(of("李四尽快维修水管", "自行维修", None, &[]), ["when", "vague"]);
        let plan = [part(Some(100_000), "转账"), part(Some(100_000), "转账")];
        assert_eq!(of("分期付清", "转账", Some(300_000), &plan), ["sums_differ"]);
        let kind = [part(Some(100_000), "转账"), part(None, "归还钥匙")];
        assert_eq!(of("分期付清", "转账", Some(300_000), &kind), [""; 0], "a part in kind has no sum");
    }

    #[test]
    fn what_no_court_confirms_is_named_with_its_article() {
        let words = |terms| Words { terms, manner: "当日办理", amount_fen: None, plan: &[] };
        for (terms, hint) in [("双方同意离婚", Hint::Status("离婚")), ("宅基地使用权归李四", Hint::Title("使用权归"))]
        {
            let found = hints(words(terms), ["李四"].into_iter());
            assert_eq!(found, [hint]);
            assert!(hint.law().0.contains("三百五十五"));
        }
    }
}
