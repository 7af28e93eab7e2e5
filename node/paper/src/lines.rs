//! Breaks text into lines, where Unicode's rules allow it (UAX 14): no full stop begins a line, no opening quote ends one.

use unicode_linebreak::linebreaks;

use crate::fonts::{Fonts, Weight};

/// How a text is set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) weight: Weight,
    pub(crate) size: f32,
}

/// The lines of one paragraph, none of them wider than `width`, the first narrower by `indent`.
pub(crate) fn broken(fonts: &Fonts, style: Style, text: &str, width: f32, indent: f32) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut room) = (String::new(), width - indent);
    let mut start = 0;
    for (end, _) in linebreaks(text) {
        let piece = text.get(start..end).unwrap_or_default();
        start = end;
        let wide = fonts.width(style.weight, style.size, piece.trim_end());
        if !line.is_empty() && wide > room {
            lines.push(std::mem::take(&mut line));
            room = width;
        }
        for part in fitting(fonts, style, piece, room, width) {
            if !line.is_empty() && part.1 {
                lines.push(std::mem::take(&mut line));
                room = width;
            }
            room -= fonts.width(style.weight, style.size, &part.0);
            line.push_str(&part.0);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

/// A piece that may not be broken, in parts that fit a line all the same: a word longer than a line is broken anywhere. With
/// each part whether it begins a line.
fn fitting(fonts: &Fonts, style: Style, piece: &str, first: f32, width: f32) -> Vec<(String, bool)> {
    if fonts.width(style.weight, style.size, piece.trim_end()) <= first {
        return vec![(piece.to_owned(), false)];
    }
    let (mut parts, mut part, mut room, mut fresh) = (Vec::new(), String::new(), first, false);
    for character in piece.chars() {
        let wide = fonts.place(style.weight, character).width * style.size;
        if wide > room && !part.is_empty() {
            parts.push((std::mem::take(&mut part), fresh));
            (room, fresh) = (width, true);
        }
        room -= wide;
        part.push(character);
    }
    parts.push((part, fresh));
    parts
}
