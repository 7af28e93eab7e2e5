//! The table of terms (期限表): how long a duty may take in which channel, and the article behind it. The first row that fits
//! holds; where none does, the policy's term for the step.

use protocol::bounded::Text;
use protocol::event::{Brief, Matter, Source, TermKind};
use protocol::unit::UnitCode;
use serde::{Deserialize, Serialize};

use crate::calendar::Span;
use crate::content::{Content, FieldTrouble, required};
use crate::policy::in_bounds;

/// Rows of a table at most.
const ROWS_MAX: usize = 100;
/// Days by which a term that no row speaks of can be extended.
pub(crate) const EXTEND_DAYS: u16 = 30;
/// Days by which a row may let a term be extended.
const EXTEND_DAYS_MAX: u16 = 366;

/// For which cases a row holds: all that is named.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// A committee has taken it on for mediation.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mediated: bool,
    /// One of these committees has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub committees: Vec<UnitCode>,
    /// It came from one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// It is one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub matters: Vec<Matter>,
    /// Its category is of one of these classes: the first two digits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<u16>,
}

impl When {
    fn holds(&self, brief: &Brief, committee: Option<UnitCode>) -> bool {
        (!self.mediated || committee.is_some())
            && (self.committees.is_empty() || committee.is_some_and(|it| self.committees.contains(&it)))
            && (self.sources.is_empty() || self.sources.contains(&brief.source))
            && (self.matters.is_empty() || self.matters.contains(&brief.matter))
            && (self.classes.is_empty()
                || self.classes.iter().any(|class| brief.category.0.checked_div(100) == Some(*class)))
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Which duty.
    pub of: TermKind,
    /// For which cases.
    #[serde(default)]
    pub when: When,
    /// How long it may take.
    pub span: Span,
    /// Calendar days by which it may be extended, all extensions together.
    #[serde(default)]
    pub extend_days: u16,
    /// The article (依据).
    pub law: Text<120>,
    /// The same in English.
    pub law_en: Text<120>,
}

/// A table of terms as it is published.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermTable {
    schema: u16,
    terms: Vec<Row>,
}

/// The table that ships with the program.
pub(crate) const BUILT_IN: &str = include_str!("../../data/terms.json");

impl TermTable {
    /// The row for a duty of a case that a committee may have taken on.
    pub fn row(&self, of: TermKind, brief: &Brief, committee: Option<UnitCode>) -> Option<&Row> {
        self.terms.iter().find(|row| row.of == of && row.when.holds(brief, committee))
    }
}

impl Content for TermTable {
    fn check(&self, found: &mut Vec<FieldTrouble>) {
        if self.terms.len() > ROWS_MAX {
            let (en, zh) = (format!("more than {ROWS_MAX} rows"), format!("期限超过 {ROWS_MAX} 条"));
            found.push(FieldTrouble::new("terms", en, zh));
        }
        for (index, row) in self.terms.iter().enumerate() {
            let at = |field: &str| format!("terms[{index}].{field}");
            in_bounds(&at("span"), row.span, found);
            required(|| at("law"), &row.law, found);
            if matches!(row.of, TermKind::Answer | TermKind::Accept) {
                let (en, zh) = ("orders and offers have their days in the policy", "指令答复和签收期限在策略中设置");
                found.push(FieldTrouble::new(at("of"), en, zh));
            }
            if row.extend_days > EXTEND_DAYS_MAX {
                let (en, zh) = (format!("more than {EXTEND_DAYS_MAX} days"), format!("延长超过 {EXTEND_DAYS_MAX} 天"));
                found.push(FieldTrouble::new(at("extend_days"), en, zh));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Trouble;

    fn with(from: &str, to: &str) -> Vec<String> {
        assert!(BUILT_IN.contains(from), "{from}");
        match TermTable::read(BUILT_IN.replacen(from, to, 1).as_bytes()) {
            Err(Trouble::Fields(fields)) => fields.into_iter().map(|field| field.path).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_ships_is_read_and_each_row_names_its_law() {
        let table = TermTable::read(BUILT_IN.as_bytes()).unwrap();
        assert!(table.terms.iter().all(|row| row.law.contains('条') && row.law_en.contains("art.")));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_name() {
        assert_eq!(with(r#"{ "days": 15 }"#, r#"{ "days": 0 }"#), ["terms[0].span"]);
        assert_eq!(with(r#""of": "file""#, r#""of": "accept""#), ["terms[0].of"]);
        assert_eq!(with("信访工作条例第二十二条", " "), ["terms[0].law"]);
        assert_eq!(with(r#""extend_days": 30"#, r#""extend_days": 367"#), ["terms[1].extend_days"]);
        let row = r#"{"of":"file","span":{"days":1},"law":"a","law_en":"b"}"#;
        let many = format!(r#"{{"schema":1,"terms":[{}]}}"#, vec![row; ROWS_MAX + 1].join(","));
        assert!(matches!(TermTable::read(many.as_bytes()), Err(Trouble::Fields(fields)) if fields[0].path == "terms"));
    }
}
