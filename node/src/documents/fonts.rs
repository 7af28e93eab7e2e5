//! The fonts of papers: those of the operator's folder first, then Noto CJK as Debian installs it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use paper::{Face, Fonts};

use crate::config::PapersSection;

/// Where Debian's package `fonts-noto-cjk` puts them.
const NOTO: &str = "/usr/share/fonts/opentype/noto";
/// The face of simplified Chinese in its collections.
const SIMPLIFIED: u32 = 2;
/// Largest file that is read as a font.
const FONT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Fonts of a folder that are read for text, and as many for titles.
const FONTS_MAX: usize = 8;

/// Why nothing can be printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoFont {
    /// No font is there at all.
    #[error(
        "there is no font for Chinese on this machine: apt-get install fonts-noto-cjk, or name a folder in papers.fonts"
    )]
    None,
    /// The operator's folder has none that fits.
    #[error("{} holds no file text*.ttf, text*.otf or text*.ttc (papers.fonts)", .0.display())]
    Empty(PathBuf),
    /// A file is there and is no font.
    #[error("{} cannot be read as a font", .0.display())]
    Unreadable(PathBuf),
}

/// Reads the fonts, each weight with its own first and what is lacking there after it.
pub fn fonts(section: &PapersSection) -> Result<Fonts, NoFont> {
    within(section, Path::new(NOTO))
}

fn within(section: &PapersSection, noto: &Path) -> Result<Fonts, NoFont> {
    let (mut regular, mut bold) = (Vec::new(), Vec::new());
    if let Some(folder) = &section.fonts {
        regular = named(folder, "text")?;
        bold = named(folder, "title")?;
        if regular.is_empty() {
            return Err(NoFont::Empty(folder.clone()));
        }
    }
    for (weight, file) in [(&mut regular, "NotoSerifCJK-Regular.ttc"), (&mut bold, "NotoSansCJK-Bold.ttc")] {
        let path = noto.join(file);
        if path.exists() {
            weight.push(face(&path, SIMPLIFIED)?);
        }
    }
    if bold.is_empty() {
        bold.clone_from(&regular);
    }
    if regular.is_empty() { Err(NoFont::None) } else { Ok(Fonts { regular, bold }) }
}

/// The fonts of a folder whose names begin so.
fn named(folder: &Path, start: &str) -> Result<Vec<Face>, NoFont> {
    let fits = |path: &PathBuf| {
        let ends = path.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
        let begins = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(start));
        begins && ends.is_some_and(|end| matches!(end.as_str(), "ttf" | "otf" | "ttc"))
    };
    let entries = std::fs::read_dir(folder).map_err(|_| NoFont::Empty(folder.to_owned()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(fits).collect();
    paths.sort();
    paths.iter().take(FONTS_MAX).map(|path| face(path, 0)).collect()
}

fn face(path: &Path, index: u32) -> Result<Face, NoFont> {
    let unreadable = || NoFont::Unreadable(path.to_owned());
    if std::fs::metadata(path).map_err(|_| unreadable())?.len() > FONT_BYTES_MAX {
        return Err(unreadable());
    }
    let bytes = std::fs::read(path).map_err(|_| unreadable())?;
    Face::read(Arc::new(bytes), index).map_err(|_| unreadable())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(folder: &Path) -> PapersSection {
        PapersSection { fonts: Some(folder.to_owned()) }
    }

    #[test]
    fn a_machine_without_fonts_says_which_package_brings_them() {
        let none = within(&PapersSection::default(), Path::new("/nowhere")).unwrap_err();
        assert_eq!(none, NoFont::None);
        assert!(none.to_string().contains("fonts-noto-cjk"));
    }

    #[test]
    fn the_operators_fonts_go_first_and_what_they_lack_is_taken_from_noto() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(within(&section(folder.path()), Path::new(NOTO)).unwrap_err(), NoFont::Empty(folder.path().into()));
        let own = folder.path().join("text-1.ttc");
        std::os::unix::fs::symlink(Path::new(NOTO).join("NotoSerifCJK-Regular.ttc"), own).unwrap();
        let found = within(&section(folder.path()), Path::new(NOTO)).unwrap();
        assert_eq!((found.regular.len(), found.bold.len()), (2, 1));
        let alone = within(&section(folder.path()), Path::new("/nowhere")).unwrap();
        assert_eq!((alone.regular.len(), alone.bold.len()), (1, 1), "titles are set in the letters of the text");
    }

    #[test]
    fn a_file_that_is_no_font_or_larger_than_any_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("text.ttf");
        std::fs::write(&own, b"no font").unwrap();
        assert_eq!(fonts(&section(folder.path())).unwrap_err(), NoFont::Unreadable(own.clone()));
        std::fs::File::create(&own).unwrap().set_len(FONT_BYTES_MAX + 1).unwrap();
        assert_eq!(fonts(&section(folder.path())).unwrap_err(), NoFont::Unreadable(own));
    }

    #[test]
    fn of_a_folder_so_many_fonts_are_read_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..=FONTS_MAX {
            let own = folder.path().join(format!("text-{number}.ttc"));
            std::os::unix::fs::symlink(Path::new(NOTO).join("NotoSansCJK-Bold.ttc"), own).unwrap();
        }
        let found = within(&section(folder.path()), Path::new("/nowhere")).unwrap();
        assert_eq!(found.regular.len(), FONTS_MAX);
    }
}
