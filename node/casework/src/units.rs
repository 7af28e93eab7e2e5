//! The unit directory (单位目录): which units there are, what they are called, and at which node each sits.

use protocol::bounded::Text;
use protocol::id::NodeId;
use protocol::unit::UnitCode;
use serde::{Deserialize, Serialize};

use crate::content::{Content, FieldTrouble, repeated, required};

/// One unit (单位).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Its code; 0 is kept for the node itself.
    pub code: UnitCode,
    /// Its name in Chinese.
    pub zh: Text<60>,
    /// Its name in English.
    pub en: Text<60>,
    /// The node at which it sits; absent: each node has a unit of this kind of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
}

/// A unit directory as it is published.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitDirectory {
    schema: u16,
    units: Vec<Unit>,
}

/// The directory that ships with the program.
pub(crate) const BUILT_IN: &str = include_str!("../../data/units.json");

impl UnitDirectory {
    /// The directory that ships with the program.
    pub fn built_in() -> Self {
        // A test reads it: what ships is never refused.
        Self::read(BUILT_IN.as_bytes()).unwrap_or_default()
    }

    /// All units.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// The unit of a code; none for a code that the directory does not hold.
    pub fn get(&self, code: UnitCode) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.code == code)
    }

    /// What a unit is called, in Chinese or English; a code that the directory does not hold is shown as such. Empty for the
    /// node itself, whose name is elsewhere.
    pub fn name(&self, code: UnitCode, chinese: bool) -> String {
        match self.get(code) {
            Some(unit) => (if chinese { &unit.zh } else { &unit.en }).to_string(),
            None if code == UnitCode::NODE_ITSELF => String::new(),
            None if chinese => format!("未知单位 {code}"),
            None => format!("unknown unit {code}"),
        }
    }
}

impl Content for UnitDirectory {
    fn check(&self, found: &mut Vec<FieldTrouble>) {
        repeated("units", "code", self.units.iter().map(|unit| unit.code), found);
        for (index, unit) in self.units.iter().enumerate() {
            if unit.code == UnitCode::NODE_ITSELF {
                found.push(FieldTrouble::new(
                    format!("units[{index}].code"),
                    "0 is kept for the node itself",
                    "代码 0 保留给节点自身",
                ));
            }
            required(|| format!("units[{index}].zh"), &unit.zh, found);
            required(|| format!("units[{index}].en"), &unit.en, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Trouble;

    #[test]
    fn the_directory_that_ships_names_its_units() {
        let shipped = UnitDirectory::built_in();
        assert!(shipped.units().len() > 20);
        assert_eq!(shipped.name(UnitCode(1), true), "人民调解委员会");
        assert_eq!(shipped.name(UnitCode(2), false), "Justice office");
    }

    #[test]
    fn an_unknown_code_is_shown_as_such() {
        let none = UnitDirectory::default();
        assert_eq!(none.name(UnitCode(17), true), "未知单位 17");
        assert_eq!(none.name(UnitCode(17), false), "unknown unit 17");
        assert_eq!(none.name(UnitCode::NODE_ITSELF, true), "");
    }

    #[test]
    fn a_wrong_row_is_named_with_its_field() {
        let paths = |text: &str| match UnitDirectory::read(text.as_bytes()) {
            Err(Trouble::Fields(fields)) => fields.into_iter().map(|f| f.path).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let twice = r#"{"schema":1,"units":[{"code":3,"zh":"甲","en":"A"},{"code":3,"zh":"","en":"B"}]}"#;
        assert_eq!(paths(twice), ["units[1].code", "units[1].zh"]);
        let zero = r#"{"schema":1,"units":[{"code":0,"zh":"甲","en":"A"}]}"#;
        assert_eq!(paths(zero), ["units[0].code"]);
        let huge = r#"{"schema":1,"units":[{"code":3,"zh":"甲","en":"A"},{"code":70000,"zh":"乙","en":"B"}]}"#;
        assert_eq!(paths(huge), ["units[1].code"]);
        assert_eq!(paths("[]"), ["schema"]);
        let newer = r#"{"schema":2,"bodies":[]}"#;
        assert_eq!(UnitDirectory::read(newer.as_bytes()), Err(Trouble::NewerSchema(2)));
    }
}
