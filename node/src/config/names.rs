//! `[names]`: what divisions are called.

use std::path::{Path, PathBuf};

use protocol::division::DivisionCode;
use serde::{Deserialize, Serialize};

use crate::names::Table;

/// Under which names divisions are shown. Names do not travel between nodes: a link carries codes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamesSection {
    /// A table of divisions, counted from this file's folder; it goes before the one that ships with the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<PathBuf>,
}

impl NamesSection {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The names, `own` before all others; and what is wrong with the table, without which codes are shown.
    pub fn read(
        &self,
        base: &Path,
        own: impl IntoIterator<Item = (DivisionCode, String)>,
    ) -> anyhow::Result<(Table, Option<String>)> {
        let names = Table::shipped()?;
        let Some(file) = self.table.as_ref().map(|table| base.join(table)) else {
            return Ok((names.naming(own), None));
        };
        let read = std::fs::File::open(&file).map_err(anyhow::Error::new).and_then(|source| Ok(Table::read(source)?));
        Ok(match read {
            Ok(table) => (names.naming(table.all_names()).naming(own), None),
            // A node whose people see codes does its work; one that does not start does not.
            Err(why) => {
                let trouble = format!(
                    "names.table: {} cannot be used, so divisions outside the shipped table are shown as codes; put the \
                     table there and start again: {why:#}",
                    file.display()
                );
                (names.naming(own), Some(trouble))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A city without counties, whose names have brackets, a comma and a code that is no node's.
    const ODD: &str = "code,name,level,parent_code\n441900000000,东莞市,city,\n441900003000,东城街道(代管),township,441900000000\n\
                       441900003001,\"岗贝(一,二)社区\",village,441900003000\n";

    fn code(text: &str) -> DivisionCode {
        text.parse().unwrap()
    }

    #[test]
    fn a_table_names_every_row_of_it_and_a_node_goes_by_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("odd.csv"), ODD).unwrap();
        let section = NamesSection { table: Some("odd.csv".into()) };
        let own = [(code("441900000000"), "东莞中心".to_owned())];
        let (names, trouble) = section.read(folder.path(), own).unwrap();
        assert_eq!(trouble, None);
        let shown = |text: &str| names.name(code(text)).unwrap();
        assert_eq!(shown("441900000000"), "东莞中心");
        assert_eq!(shown("441900003000"), "东城街道(代管)");
        assert_eq!(shown("441900003001"), "岗贝(一,二)社区");
        assert_eq!(shown("441900003001002"), "岗贝(一,二)社区第2网格");
        assert_eq!(shown("330600000000"), "绍兴市", "what the table does not hold is named by the one that ships");
    }

    #[test]
    fn a_table_that_is_not_there_is_told_and_keeps_no_node_from_its_work() {
        let folder = tempfile::tempdir().unwrap();
        let section = NamesSection { table: Some("gone.csv".into()) };
        let (names, trouble) = section.read(folder.path(), []).unwrap();
        assert!(trouble.unwrap().contains("gone.csv cannot be used"));
        assert_eq!(names.name(code("441900000000")), None);
    }
}
