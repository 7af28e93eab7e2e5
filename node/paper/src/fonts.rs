//! Fonts, and which glyph of which font a character gets.

use std::sync::Arc;

use krilla::text::{Font, GlyphId};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

use crate::Trouble;

/// One face of a font.
#[derive(Debug, Clone)]
pub struct Face {
    pub(crate) font: Font,
    bytes: Arc<Vec<u8>>,
    index: u32,
    units: f32,
}

impl Face {
    /// Reads a face; `index` says which of a collection.
    pub fn read(bytes: Arc<Vec<u8>>, index: u32) -> Result<Self, Trouble> {
        let font = Font::new(bytes.clone().into(), index).ok_or(Trouble::Font)?;
        let found = FontRef::from_index(&bytes, index).map_err(|_| Trouble::Font)?;
        let units = f32::from(found.metrics(Size::unscaled(), LocationRef::default()).units_per_em.max(1));
        Ok(Self { font, bytes, index, units })
    }

    /// The glyph of a character, and how wide it is in parts of the size.
    fn glyph(&self, character: char) -> Option<(GlyphId, f32)> {
        let found = FontRef::from_index(&self.bytes, self.index).ok()?;
        let glyph = found.charmap().map(character)?;
        let width = found.glyph_metrics(Size::unscaled(), LocationRef::default()).advance_width(glyph)?;
        Some((GlyphId::new(glyph.to_u32()), width / self.units))
    }
}

/// How heavy a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Text.
    Regular,
    /// Titles and headings.
    Bold,
}

/// The faces of a volume, of each weight the preferred one first: a character gets the first that has it.
#[derive(Debug, Clone)]
pub struct Fonts {
    /// For text.
    pub regular: Vec<Face>,
    /// For titles and headings.
    pub bold: Vec<Face>,
}

/// A character with its place in the fonts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    /// Which face of its weight.
    pub(crate) face: usize,
    pub(crate) glyph: GlyphId,
    /// In parts of the size.
    pub(crate) width: f32,
    /// No face has it: a box stands for it.
    pub(crate) missing: bool,
}

impl Fonts {
    pub(crate) fn of(&self, weight: Weight) -> &[Face] {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    pub(crate) fn place(&self, weight: Weight, character: char) -> Placed {
        let found = self.of(weight).iter().enumerate().find_map(|(face, held)| Some((face, held.glyph(character)?)));
        match found {
            Some((face, (glyph, width))) => Placed { face, glyph, width, missing: false },
            None => Placed { face: 0, glyph: GlyphId::new(0), width: 1.0, missing: true },
        }
    }

    /// How wide a text is in one line.
    pub(crate) fn width(&self, weight: Weight, size: f32, text: &str) -> f32 {
        text.chars().map(|character| self.place(weight, character).width * size).sum()
    }
}

/// A text as it is printed: characters that would be seen by nobody, or would turn others round, stand as their numbers, so
/// that paper shows all that was typed.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push('\n'),
            '\t' | '\u{a0}' => shown.push(' '),
            '\r' => {}
            unseen if is_unseen(unseen) => shown.push_str(&format!("[U+{:04X}]", u32::from(unseen))),
            seen => shown.push(seen),
        }
    }
    shown
}

fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_text_round_or_hides_it_is_printed_as_its_number() {
        assert_eq!(visible("甲\u{202e}乙\u{200b}丙\u{0}"), "甲[U+202E]乙[U+200B]丙[U+0000]");
        assert_eq!(visible("=1+1\t<script>\r\n二"), "=1+1 <script>\n二");
    }
}
