//! Made-up disputes for the demo: seeded, so that two runs with one seed file the same.

use protocol::division::DivisionCode;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};

/// What the level of a made-up case is meant to be; the answers are chosen so that the rules propose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    Orange,
    Red,
    Yellow,
    None,
}

struct Kind {
    category: u16,
    title: &'static str,
    tale: &'static str,
}

const KINDS: [Kind; 10] = [
    Kind {
        category: 201,
        title: "楼上漏水至今无人修",
        tale: "楼上卫生间渗水，楼下天花板已发霉，双方为维修费用各执一词。",
    },
    Kind {
        category: 402,
        title: "物业费上涨引发争执",
        tale: "小区物业未经业主大会表决上调收费，业主拒缴，物业停了门禁。",
    },
    Kind {
        category: 701, title: "工地工资拖欠", tale: "项目完工已两个月，班组工资仍未结清，包工头电话不接。"
    },
    Kind {
        category: 503, title: "电动车相撞赔偿谈不拢", tale: "路口电动车相撞致一人骨折，医药费和误工费未能谈妥。"
    },
    Kind {
        category: 902, title: "宅基地边界纠纷", tale: "翻建房屋时挖到邻家地基，对方称越界半米，要求停工。"
    },
    Kind {
        category: 101, title: "离婚后子女探望受阻", tale: "离婚协议约定每周探望一次，近两月一直未能见到孩子。"
    },
    Kind {
        category: 604, title: "货物运输途中损坏", tale: "托运的机器到货时外壳开裂，运输方认为包装不当。"
    },
    Kind {
        category: 601, title: "预付卡商家关门", tale: "健身房突然停业，会员预存的费用无处退还。"
    },
    Kind {
        category: 1101, title: "征收补偿面积有异议", tale: "住户认为测绘面积少算了阁楼，不同意在协议上签字。"
    },
    Kind {
        category: 203, title: "夜间加工噪声扰民", tale: "底楼作坊夜里开机，楼上住户多次上门理论。"
    },
];

const SURNAMES: [&str; 12] = ["陈", "王", "沈", "周", "徐", "俞", "章", "傅", "鲁", "金", "孟", "骆"];
const GIVEN: [&str; 12] =
    ["建国", "秀英", "志强", "丽萍", "国华", "海燕", "伟民", "桂芳", "永康", "小梅", "立新", "雪琴"];

/// A source of made-up cases.
pub(super) struct Stories {
    random: ChaCha8Rng,
}

impl Stories {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed) }
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.random.next_u64() % u64::try_from(n.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let index = self.below(from.len());
        from.get(index).copied()
    }

    fn person(&mut self) -> (String, String) {
        let name = format!("{}{}", self.pick(&SURNAMES).unwrap_or("陈"), self.pick(&GIVEN).unwrap_or("建国"));
        let phone = format!("1{}{:08}", 30 + self.below(60), self.below(100_000_000));
        (name, phone)
    }

    /// The body of a report for a grid: 5 % orange, 15 % red, a few questions, the rest yellow.
    pub(super) fn report(&mut self, index: usize, place: DivisionCode, case: &str) -> Value {
        let aim = match index % 20 {
            7 => Aim::Orange,
            2 | 11 | 16 => Aim::Red,
            19 => Aim::None,
            _ => Aim::Yellow,
        };
        let kind = &KINDS[self.below(KINDS.len())];
        let ((one, phone), (other, _)) = (self.person(), self.person());
        let (answers, people) = self.answers(aim);
        json!({
            "case": case,
            "matter": if aim == Aim::None { "consultation" } else { "dispute" },
            "source": "grid",
            "category": kind.category,
            "place": place.to_string(),
            "grid_kind": "basic",
            "title": kind.title,
            "narrative": format!("{one}（电话{phone}）反映：{}涉事另一方为{other}，约{people}人牵涉其中。", kind.tale),
            "parties": [
                { "side": "applicant", "name": one, "phone": phone, "address": "" },
                { "side": "respondent", "name": other, "phone": "", "address": "" },
            ],
            "answers": answers,
            "head_count": people,
            "ending": if matches!(aim, Aim::Yellow | Aim::None) && index.is_multiple_of(3) { "settle_here" } else { "submit" },
        })
    }

    fn answers(&mut self, aim: Aim) -> (Value, usize) {
        let (signs, violence, petition, people) = match aim {
            Aim::Orange if self.below(2) == 0 => (1 << self.below(5), "no", "no", 2 + self.below(6)),
            Aim::Orange => (0, "no", "yes", 20 + self.below(30)),
            Aim::Red if self.below(2) == 0 => (0, "yes", "no", 2 + self.below(4)),
            Aim::Red => (0, "no", "yes", 5 + self.below(15)),
            Aim::Yellow => (0, "no", "unknown", 2 + self.below(3)),
            Aim::None => (0, "no", "no", 1),
        };
        let answers = json!({
            "signs": signs, "violence": violence, "petition_talk": petition, "people": people,
            "disturbs": if aim == Aim::None { "no" } else { "yes" }, "effort": "unknown",
        });
        (answers, people)
    }
}
