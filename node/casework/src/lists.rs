//! Other code lists (代码表) and the tables that map categories onto them, many to one.

use protocol::bounded::Text;
use protocol::event::Category;
use serde::{Deserialize, Serialize};

use crate::content::{Content, FieldTrouble, repeated, required};

/// One code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// The code.
    pub code: u16,
    /// Its name in Chinese.
    pub zh: Text<60>,
    /// Its name in English.
    pub en: Text<120>,
}

/// A plain list of codes as it is published, e.g. the 18 types of the judicial line (司法行政).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeList {
    schema: u16,
    codes: Vec<Code>,
}

impl CodeList {
    /// All codes.
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }

    /// What a code is called; one that the list does not hold is shown as such.
    pub fn name(&self, code: u16, chinese: bool) -> String {
        match self.codes.iter().find(|held| held.code == code) {
            Some(held) if chinese => held.zh.to_string(),
            Some(held) => held.en.to_string(),
            None if chinese => format!("未知代码 {code}"),
            None => format!("unknown code {code}"),
        }
    }
}

impl Content for CodeList {
    fn check(&self, found: &mut Vec<FieldTrouble>) {
        repeated("codes", "code", self.codes.iter().map(|c| c.code), found);
        for (index, code) in self.codes.iter().enumerate() {
            required(|| format!("codes[{index}].zh"), &code.zh, found);
            required(|| format!("codes[{index}].en"), &code.en, found);
        }
    }
}

/// Onto which code of the other list a category falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingRow {
    /// The category.
    pub category: Category,
    /// The code of the other list.
    pub code: u16,
}

/// A mapping table (对照表) as it is published.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    schema: u16,
    /// The name of the list onto which it maps.
    list: Text<60>,
    rows: Vec<MappingRow>,
}

impl Mapping {
    /// The name of the list onto which it maps.
    pub fn list(&self) -> &str {
        &self.list
    }

    /// All rows.
    pub fn rows(&self) -> &[MappingRow] {
        &self.rows
    }

    /// The code of a category; none for a category that the table does not hold, which is never counted as another.
    pub fn code(&self, category: Category) -> Option<u16> {
        self.rows.iter().find(|row| row.category == category).map(|row| row.code)
    }
}

impl Content for Mapping {
    fn check(&self, found: &mut Vec<FieldTrouble>) {
        repeated("rows", "category", self.rows.iter().map(|row| row.category), found);
        required(|| "list".to_owned(), &self.list, found);
    }
}

/// A list that ships with the program.
pub(crate) struct Shipped {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its content.
    pub(crate) content: &'static str,
}

/// The name of the judicial line's list.
pub const JUDICIAL_18: &str = "judicial-18";
/// The name of the list of comprehensive governance (综治).
pub const ZONGZHI_19: &str = "zongzhi-19";

/// The plain lists that ship with the program.
pub(crate) const LISTS: [Shipped; 2] = [
    Shipped { name: JUDICIAL_18, content: include_str!("../../data/judicial-18.json") },
    Shipped { name: ZONGZHI_19, content: include_str!("../../data/zongzhi-19.json") },
];

/// The mapping tables that ship with the program, under the names of the lists onto which they map.
pub(crate) const MAPPINGS: [Shipped; 2] = [
    Shipped { name: JUDICIAL_18, content: include_str!("../../data/categories-to-judicial-18.json") },
    Shipped { name: ZONGZHI_19, content: include_str!("../../data/categories-to-zongzhi-19.json") },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::category::CategoryList;

    #[test]
    fn every_category_falls_onto_one_code_of_each_list_that_ships() {
        let categories = CategoryList::built_in();
        for (shipped, count) in LISTS.iter().zip([18, 19]) {
            let list = CodeList::read(shipped.content.as_bytes()).unwrap();
            assert_eq!(list.codes().len(), count, "{}", shipped.name);
            let mapping = MAPPINGS.iter().find(|m| m.name == shipped.name).unwrap();
            let mapping = Mapping::read(mapping.content.as_bytes()).unwrap();
            assert_eq!((mapping.list(), mapping.rows().len()), (shipped.name, categories.categories().len()));
            for row in categories.categories() {
                let code = mapping.code(row.code).unwrap();
                assert!(list.codes().iter().any(|c| c.code == code), "{} falls onto {code}", row.code);
            }
            assert_eq!(mapping.code(Category(2_001)), None);
        }
    }

    #[test]
    fn the_mapping_follows_the_names() {
        let to = |list: usize, category| {
            let (mapping, list) = (Mapping::read(MAPPINGS[list].content.as_bytes()), &LISTS[list]);
            let list = CodeList::read(list.content.as_bytes()).unwrap();
            list.name(mapping.unwrap().code(Category(category)).unwrap(), true)
        };
        assert_eq!((to(0, 402), to(0, 502), to(0, 101)), ("物业".into(), "医疗".into(), "婚姻家庭".into()));
        assert_eq!((to(0, 503), to(0, 1_102)), ("道路交通事故".into(), "征地拆迁".into()));
        assert_eq!(
            (to(1, 704), to(1, 1_502), to(1, 901)),
            ("劳资".into(), "干部作风".into(), "农村土地承包、三资、农民负担".into())
        );
        let list = CodeList::read(LISTS[0].content.as_bytes()).unwrap();
        assert_eq!((list.name(40, true), list.name(40, false)), ("未知代码 40".into(), "unknown code 40".into()));
    }
}
