//! The list of categories (事件类别): GB/T 31000-2015 as it ships, with the channels that may take each category.

use protocol::bounded::{List, Text};
use protocol::event::Category;
use serde::{Deserialize, Serialize};

use crate::content::{Content, FieldTrouble, repeated, required};

/// Channels of one category at most.
pub const CHANNELS_MAX: usize = 32;

/// A channel (渠道) by which a matter may be resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Its code, e.g. `people_mediation`.
    pub code: Text<40>,
    /// Its number in the figures, which is never given to another; without one no case is referred to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u16>,
    /// Its name in Chinese.
    pub zh: Text<60>,
    /// Its name in English.
    pub en: Text<60>,
}

/// A class: the first two digits of a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// The two digits.
    pub code: u16,
    /// Its name in Chinese (类别名称).
    pub zh: Text<60>,
    /// Its name in English.
    pub en: Text<60>,
}

/// One category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryRow {
    /// Four digits, of which the first two name the class.
    pub code: Category,
    /// Its name in Chinese.
    pub zh: Text<60>,
    /// Its name in English.
    pub en: Text<60>,
    /// Codes of the channels that may take it (可受理渠道). People's mediation is not among those of classes 11 to 16, which
    /// are no disputes among the people (民间纠纷).
    pub channels: List<Text<40>, CHANNELS_MAX>,
}

/// A list of categories as it is published.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryList {
    schema: u16,
    /// What the list follows.
    standard: Text<60>,
    channels: Vec<Channel>,
    classes: Vec<Class>,
    categories: Vec<CategoryRow>,
}

/// The list that ships with the program.
pub(crate) const BUILT_IN: &str = include_str!("../../data/categories.json");
/// The name of what is in no other category of its class: it adds nothing to the name of the class.
const OTHER: [&str; 2] = ["其他", "other"];

impl CategoryList {
    /// The list that ships with the program.
    pub fn built_in() -> Self {
        // A test reads it: what ships is never refused.
        Self::read(BUILT_IN.as_bytes()).unwrap_or_default()
    }

    /// All categories.
    pub fn categories(&self) -> &[CategoryRow] {
        &self.categories
    }

    /// All channels.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The row of a category; none for a code that the list does not hold.
    pub fn get(&self, category: Category) -> Option<&CategoryRow> {
        self.categories.iter().find(|row| row.code == category)
    }

    /// The number of a channel in the figures; none of a channel that the list does not hold, or not with a number.
    pub fn channel_number(&self, channel: &str) -> Option<u16> {
        self.channels.iter().find(|held| held.code.as_str() == channel).and_then(|held| held.number)
    }

    /// Whether a channel may take a category. A category that the list does not hold is taken by none.
    pub fn admits(&self, category: Category, channel: &str) -> bool {
        self.get(category).is_some_and(|row| row.channels.iter().any(|code| code.as_str() == channel))
    }

    /// Its name for people: the class, and the category where that says more. A code of another list is shown as such.
    pub fn name(&self, category: Category, chinese: bool) -> String {
        let class = category.0.checked_div(100).unwrap_or_default();
        let class = self.classes.iter().find(|held| held.code == class);
        match (class, self.get(category)) {
            (Some(class), Some(row)) => {
                let (class, item) = if chinese { (&class.zh, &row.zh) } else { (&class.en, &row.en) };
                let adds = !OTHER.contains(&item.as_str());
                match (chinese, adds) {
                    (_, false) => class.to_string(),
                    (true, true) => format!("{class}({item})"),
                    (false, true) => format!("{class} ({item})"),
                }
            }
            _ if chinese => format!("未知类别 {category}"),
            _ => format!("unknown category {category}"),
        }
    }
}

impl Content for CategoryList {
    fn check(&self, found: &mut Vec<FieldTrouble>) {
        repeated("channels", "number", self.channels.iter().filter_map(|c| c.number), found);
        repeated("channels", "code", self.channels.iter().map(|c| &c.code), found);
        repeated("classes", "code", self.classes.iter().map(|c| c.code), found);
        repeated("categories", "code", self.categories.iter().map(|c| c.code), found);
        if self.categories.is_empty() {
            found.push(FieldTrouble::new("categories", "the list holds no category", "清单中没有类别"));
        }
        for (index, class) in self.classes.iter().enumerate() {
            required(|| format!("classes[{index}].zh"), &class.zh, found);
            required(|| format!("classes[{index}].en"), &class.en, found);
        }
        for (index, row) in self.categories.iter().enumerate() {
            self.check_row(index, row, found);
        }
    }
}

impl CategoryList {
    fn check_row(&self, index: usize, row: &CategoryRow, found: &mut Vec<FieldTrouble>) {
        let path = |field: &str| format!("categories[{index}].{field}");
        required(|| path("zh"), &row.zh, found);
        required(|| path("en"), &row.en, found);
        let class = row.code.0.checked_div(100).unwrap_or_default();
        if row.code.0 > 9_999 || self.classes.iter().all(|held| held.code != class) {
            found.push(FieldTrouble::new(
                path("code"),
                "a category has four digits, and the first two are a class of the list",
                "类别代码为四位数字,前两位须为本清单中的大类",
            ));
        }
        for (at, code) in row.channels.iter().enumerate() {
            if self.channels.iter().all(|channel| channel.code != *code) {
                found.push(FieldTrouble::new(
                    path(&format!("channels[{at}]")),
                    format!("there is no channel {code} in the list"),
                    format!("清单中没有渠道 {code}"),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Trouble;

    #[test]
    fn the_standard_ships_whole() {
        let list = CategoryList::built_in();
        assert_eq!((list.classes.len(), list.categories().len(), list.channels().len()), (17, 79, 15));
        assert_eq!(list.name(Category(402), true), "物权相关纠纷(物业及其管理)");
        assert_eq!(list.name(Category(402), false), "Property-right disputes (property management)");
        assert_eq!(list.name(Category(299), true), "邻里纠纷");
        assert_eq!(list.name(Category(9_900), true), "其他");
    }

    #[test]
    fn an_unknown_code_is_shown_as_such() {
        let list = CategoryList::built_in();
        assert_eq!(list.name(Category(2_001), true), "未知类别 2001");
        assert_eq!(
            list.name(Category(198), false),
            "unknown category 0198",
            "a class that is known does not make it known"
        );
        assert!(!list.admits(Category(2_001), "people_mediation"));
    }

    #[test]
    fn people_mediation_takes_what_is_a_dispute_among_the_people_and_nothing_else() {
        let list = CategoryList::built_in();
        for row in list.categories() {
            let among_people = !(1_100..1_700).contains(&row.code.0);
            let special = matches!(row.code.0, 704 | 1_003 | 1_004 | 1_005);
            assert_eq!(list.admits(row.code, "people_mediation"), among_people && !special, "{}", row.code);
            assert!(!row.channels.is_empty(), "{} has a way", row.code);
        }
        assert!(list.admits(Category(701), "labour_arbitration"));
    }

    #[test]
    fn a_wrong_row_is_named_with_its_field() {
        let list = |categories: &str| {
            format!(
                r#"{{"schema":1,"standard":"x","channels":[{{"code":"court","zh":"诉讼","en":"Court"}}],
                "classes":[{{"code":1,"zh":"甲","en":"A"}}],"categories":[{categories}]}}"#
            )
        };
        let paths = |categories: &str| match CategoryList::read(list(categories).as_bytes()) {
            Err(Trouble::Fields(fields)) => fields.into_iter().map(|f| f.path).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let row =
            |code: u32, channel: &str| format!(r#"{{"code":{code},"zh":"乙","en":"B","channels":["{channel}"]}}"#);
        assert!(CategoryList::read(list(&row(101, "court")).as_bytes()).is_ok());
        assert_eq!(paths(&row(201, "court")), ["categories[0].code"]);
        assert_eq!(paths(&row(101, "post")), ["categories[0].channels[0]"]);
        assert_eq!(paths(&format!("{0},{0}", row(101, "court"))), ["categories[1].code"]);
        assert_eq!(paths(&row(70_000, "court")), ["categories[0].code"]);
        assert_eq!(paths(""), ["categories"]);
    }

    #[test]
    fn a_category_has_as_many_channels_as_may_be_and_no_more() {
        let read = |count: usize| {
            let codes = vec![r#""court""#; count].join(",");
            serde_json::from_str::<CategoryRow>(&format!(r#"{{"code":101,"zh":"乙","en":"B","channels":[{codes}]}}"#))
        };
        assert_eq!(read(CHANNELS_MAX).map(|row| row.channels.len()).ok(), Some(CHANNELS_MAX));
        assert!(read(CHANNELS_MAX + 1).is_err());
    }
}
