//! What may be read above: the summary (摘要) and other words that leave the node, without names.

use protocol::bounded::Text;
use protocol::event::Matter;

use crate::refusal::Refusal;

/// Digits in a row, separators between them left out, that are taken for a phone or an identity number.
pub const DIGITS_MAX: usize = 6;

/// Refuses a text for above that holds a party's name (two characters or more), a phone or an identity number.
pub fn nameless<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Result<(), Refusal> {
    let squeezed = squeeze(text);
    let named = names.into_iter().map(squeeze).any(|name| name.chars().count() >= 2 && squeezed.contains(&name));
    if named || longest_digits(text) > DIGITS_MAX { Err(Refusal::NamesInBrief) } else { Ok(()) }
}

/// Without blanks and dots between characters, in lower case: 「张 三」 is 张三 still.
fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '·' | '.' | '．')).flat_map(char::to_lowercase).collect()
}

/// The longest run of digits, plain or full width, with separators between them. An identity number has 17 of them before
/// its check character, so it is found as well.
fn longest_digits(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0_usize);
    for c in text.chars() {
        match c {
            '0'..='9' | '\u{FF10}'..='\u{FF19}' => {
                run = run.saturating_add(1);
                longest = longest.max(run);
            }
            ' ' | '\t' | '\n' | '\u{3000}' | '-' | '－' | '—' | '–' | '_' | '.' | '(' | ')' | '（' | '）' | '+'
            | '·' => {}
            _ => run = 0,
        }
    }
    longest
}

/// A summary by rule, from category and people only.
pub fn prefill(matter: Matter, category: &str, head_count: u32) -> Text<120> {
    let what = match matter {
        Matter::Dispute => "",
        Matter::Request => "民生诉求:",
        Matter::Consultation => "咨询:",
    };
    let people = if head_count == 0 { String::new() } else { format!(",涉及{head_count}人") };
    Text::cut(&format!("{what}{category}{people}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_phones_and_identity_numbers_are_refused() {
        let names = ["张三", "李", ""];
        for bad in [
            "张三与邻居争吵",
            "张 三与邻居",
            "联系 138-0013-8000",
            "电话1380013",
            "号码１３８００１３８０００",
            "身份证11010519491231002X",
        ] {
            assert_eq!(nameless(bad, names), Err(Refusal::NamesInBrief), "{bad}");
        }
        for good in ["李家门前排水,涉及5人", "两户争通道,123456元", "2026年11月25日,18人"] {
            assert_eq!(nameless(good, names), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_prefilled_summary_passes_the_check() {
        let text = prefill(Matter::Dispute, "物权相关纠纷(物业及其管理)", 23);
        assert_eq!(text.as_str(), "物权相关纠纷(物业及其管理),涉及23人");
        assert_eq!(nameless(&text, []), Ok(()));
    }
}
