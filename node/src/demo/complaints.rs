//! Complaints from a file, one JSON object a line: `id`, `title`, `text`, `posted_at`, optionally `place` (a division code).
//!
//! The answers of the grade panel come from stated rules on the text, below; a complaint without a place goes to a grid by
//! the hash of its id; its day is the run's.

use std::io::BufRead;

use protocol::bounded::Text;
use protocol::chain::Hash;
use protocol::division::DivisionCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// Bytes of a line at most.
const LINE_BYTES_MAX: usize = 256 * 1024;
/// Characters of a title and of a narrative that a report takes.
const TITLE_MAX: usize = 120;
const NARRATIVE_MAX: usize = 8_000;

#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    place: Option<DivisionCode>,
}

/// A complaint ready to be filed.
#[derive(Debug, Clone)]
pub(super) struct Complaint {
    pub(super) place: DivisionCode,
    pub(super) body: Value,
}

/// A line that was not filed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RefusedLine {
    pub(super) line: usize,
    pub(super) why: String,
}

/// Words that show a sign of an outbreak, by the bit of the panel.
const SIGNS: [(u8, &[&str]); 4] = [
    (0, &["持刀", "炸药", "汽油桶", "煤气罐"]),
    (1, &["聚众", "堵路", "拉横幅", "围堵", "静坐"]),
    (2, &["定于", "扬言"]),
    (3, &["自杀", "跳楼", "轻生", "同归于尽"]),
];
const VIOLENCE: &[&str] = &["打人", "殴打", "被打", "打伤", "暴力", "威胁", "恐吓", "砸"];
const PETITION: &[&str] = &["上访", "信访局", "进京", "到省里", "越级"];
const DISTURBS: &[&str] = &["扰民", "噪音", "噪声", "污染", "臭", "停水", "停电", "无法入睡", "影响"];
const QUESTION: &[&str] = &["请问", "咨询", "能否", "建议", "希望政府", "什么时候"];

/// Words of a category, first match wins.
const CATEGORIES: [(u16, &[&str]); 14] = [
    (402, &["物业", "业委会", "停车位"]),
    (701, &["工资", "欠薪", "拖欠", "劳动合同"]),
    (702, &["社保", "养老保险", "医保"]),
    (602, &["购房", "开发商", "交房", "租房", "房产证"]),
    (601, &["消费", "退款", "商家"]),
    (502, &["医院", "医疗", "医生"]),
    (503, &["车祸", "交通事故"]),
    (504, &["污染", "噪音", "噪声", "扰民", "油烟"]),
    (1101, &["拆迁", "征收", "安置"]),
    (1102, &["征地", "土地补偿"]),
    (902, &["宅基地"]),
    (1104, &["道路", "路灯", "公交", "修路", "下水道"]),
    (501, &["学校", "老师", "补课", "幼儿园"]),
    (1401, &["派出所", "公安", "报警"]),
];
const OTHER: u16 = 9_900;

fn holds(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// The largest number that stands directly before a word for people; a household counts as three.
fn people(text: &str) -> Option<u32> {
    let mut most = None;
    let mut number = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        if matches!(c, '多' | '余' | '几' | '名' | '个' | '来') {
            continue;
        }
        let each = match c {
            '人' | '位' => Some(1),
            '户' | '家' => Some(3),
            _ => None,
        };
        if let (Some(each), Ok(count)) = (each, number.parse::<u32>()) {
            most = most.max(Some(count.saturating_mul(each)).filter(|n| *n < 100_000));
        }
        number.clear();
    }
    most
}

fn report(line: &Line, place: DivisionCode) -> Value {
    let text = format!("{}\n{}", line.title, line.text);
    let signs = SIGNS.iter().filter(|(_, words)| holds(&text, words)).fold(0_u8, |bits, (bit, _)| bits | (1 << bit));
    let yes = |words: &[&str]| if holds(&text, words) { "yes" } else { "unknown" };
    let violence = holds(&text, VIOLENCE);
    let question = holds(&text, QUESTION) && signs == 0 && !violence && !holds(&text, PETITION);
    let category = CATEGORIES.iter().find(|(_, words)| holds(&text, words)).map_or(OTHER, |(code, _)| *code);
    let people = people(&text);
    // A report needs a title: the words themselves, when the file has none.
    let title = if line.title.trim().is_empty() { line.text.trim() } else { line.title.trim() };
    let hash = Hash::of(line.id.as_bytes());
    json!({
        "case": case_id(&line.id),
        "matter": if question { "consultation" } else { "dispute" },
        "source": "public",
        "category": category,
        "place": place.to_string(),
        "grid_kind": "basic",
        "title": Text::<TITLE_MAX>::cut(title).as_str(),
        "narrative": Text::<NARRATIVE_MAX>::cut(line.text.trim()).as_str(),
        "parties": [],
        "answers": {
            "signs": signs, "violence": if violence { "yes" } else { "unknown" }, "petition_talk": yes(PETITION),
            "people": people, "disturbs": yes(DISTURBS), "effort": "unknown",
        },
        "head_count": people.unwrap_or(0),
        "ending": if hash.0[0].is_multiple_of(2) { "settle_here" } else { "submit" },
    })
}

/// The id of a complaint's case: the same line is the same case.
fn case_id(id: &str) -> String {
    Hash::of(format!("complaint {id}").as_bytes()).to_string().chars().take(32).collect()
}

/// Reads a file. Lines that cannot be filed are listed with their reason.
pub(super) fn read(
    source: impl BufRead,
    grids: &[DivisionCode],
) -> std::io::Result<(Vec<Complaint>, Vec<RefusedLine>)> {
    let (mut complaints, mut refused) = (Vec::new(), Vec::new());
    for (index, line) in source.lines().enumerate() {
        let line = line?;
        let number = index + 1;
        if line.trim().is_empty() {
            continue;
        }
        match complaint(&line, grids) {
            Ok(complaint) => complaints.push(complaint),
            Err(why) => refused.push(RefusedLine { line: number, why }),
        }
    }
    Ok((complaints, refused))
}

fn complaint(line: &str, grids: &[DivisionCode]) -> Result<Complaint, String> {
    if line.len() > LINE_BYTES_MAX {
        return Err(format!("{} bytes are more than the {LINE_BYTES_MAX} of a line", line.len()));
    }
    let line: Line = serde_json::from_str(line).map_err(|e| format!("not a complaint: {e}"))?;
    if line.title.trim().is_empty() && line.text.trim().is_empty() {
        return Err("neither title nor text".to_owned());
    }
    let place = match line.place {
        Some(place) if grids.contains(&place) => place,
        Some(place) => return Err(format!("no grid {place} in this demo")),
        None => {
            let [a, b, ..] = Hash::of(line.id.as_bytes()).0;
            let index = usize::from(u16::from_be_bytes([a, b])) % grids.len().max(1);
            *grids.get(index).ok_or("the demo has no grid")?
        }
    };
    Ok(Complaint { place, body: report(&line, place) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_read_off_the_text() {
        assert_eq!(people("我们小区200多户业主"), Some(600));
        assert_eq!(people("共有23名工人"), None, "the rule wants the word directly after");
        assert_eq!(people("现有25人准备"), Some(25));
        assert_eq!(people("2019年3月的事"), None);
    }

    #[test]
    fn a_line_that_cannot_be_filed_is_listed() {
        let grid: DivisionCode = "330602001001001".parse().unwrap();
        let text = "{\"id\":\"1\",\"title\":\"路灯坏了\",\"text\":\"请问何时修\"}\nnot json\n{\"id\":\"2\"}\n\
                    {\"id\":\"3\",\"title\":\"x\",\"place\":\"330602001001009\"}\n";
        let (filed, refused) = read(text.as_bytes(), &[grid]).unwrap();
        assert_eq!(filed.len(), 1);
        assert_eq!(refused.iter().map(|r| r.line).collect::<Vec<_>>(), [2, 3, 4]);
    }

    #[test]
    fn one_line_is_one_case() {
        assert_eq!(case_id("7"), case_id("7"));
        assert_ne!(case_id("7"), case_id("8"));
        assert_eq!(case_id("7").len(), 32);
    }
}
