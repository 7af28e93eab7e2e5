//! The fonts of printed papers.

use crate::config::PapersSection;
use crate::documents;

use super::Finding;

/// Whether papers can be printed. A node that prints none does its work without fonts.
pub(super) fn look(section: &PapersSection) -> Finding {
    const CHECK: &str = "fonts";
    match documents::fonts(section) {
        Ok(found) => {
            let says = format!("{} for text, {} for titles of papers", found.regular.len(), found.bold.len());
            Finding::ok(CHECK, says)
        }
        Err(why) => Finding::warn(
            CHECK,
            format!("papers of cases cannot be printed: {why}"),
            "apt-get install fonts-noto-cjk, or correct papers.fonts (docs/operations.md, \"Papers\")",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Grade;
    use super::*;

    #[test]
    fn a_folder_without_fonts_is_a_warning_that_names_the_package() {
        let folder = tempfile::tempdir().unwrap();
        let found = look(&PapersSection { fonts: Some(folder.path().to_owned()) });
        assert_eq!(found.grade, Grade::Warn);
        assert!(found.todo.is_some_and(|todo| todo.contains("fonts-noto-cjk")), "{}", found.says);
        assert_eq!(look(&PapersSection::default()).grade, Grade::Ok);
    }
}
