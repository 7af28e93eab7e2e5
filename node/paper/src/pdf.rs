//! Writes pages as PDF.

use std::collections::BTreeSet;

use krilla::Document;
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect, Size, Transform};
use krilla::image::Image;
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::KrillaGlyph;
use qrcodegen::{QrCode, QrCodeEcc};

use crate::Trouble;
use crate::fonts::{Fonts, Weight};
use crate::layout::{Ink, PAGE, Page};
use crate::volume::Volume;

/// Writes all pages; `outline` names the page, from 0, on which each document begins.
pub(crate) fn write(
    volume: &Volume,
    fonts: &Fonts,
    pages: &[Page],
    outline: &[(String, usize)],
    missing: &mut BTreeSet<char>,
) -> Result<Vec<u8>, Trouble> {
    let mut document = Document::new();
    let metadata = Metadata::new().title(volume.title.clone()).language(volume.language.clone());
    document.set_metadata(metadata.producer("wuji".to_owned()));
    for inked in pages {
        let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(|| Trouble::Pdf("page size".into()))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for ink in inked {
            draw(&mut surface, fonts, ink, missing)?;
        }
        surface.finish();
        page.finish();
    }
    let mut entries = Outline::new();
    for (name, page) in outline {
        entries.push_child(OutlineNode::new(name.clone(), XyzDestination::new(*page, Point::from_xy(0.0, 0.0))));
    }
    document.set_outline(entries);
    document.finish().map_err(|error| Trouble::Pdf(format!("{error:?}")))
}

fn draw(surface: &mut Surface<'_>, fonts: &Fonts, ink: &Ink, missing: &mut BTreeSet<char>) -> Result<(), Trouble> {
    match ink {
        Ink::Text { at, weight, size, spread, text } => {
            runs(surface, fonts, (*weight, *size, *spread), *at, text, missing);
            Ok(())
        }
        Ink::Rule { from, to } => {
            rule(surface, *from, *to);
            Ok(())
        }
        Ink::Picture { at, within, name, bytes } => picture(surface, *at, *within, name, bytes),
        Ink::Code { at, side, text } => code(surface, *at, *side, text),
    }
}

/// A line of text, face by face.
fn runs(
    surface: &mut Surface<'_>,
    fonts: &Fonts,
    (weight, size, spread): (Weight, f32, f32),
    at: (f32, f32),
    text: &str,
    missing: &mut BTreeSet<char>,
) {
    let mut x = at.0;
    let mut glyphs: Vec<KrillaGlyph> = Vec::new();
    let (mut face, mut wide) = (0, 0.0);
    let mut flush = |glyphs: &mut Vec<KrillaGlyph>, face: usize, x: f32| {
        if let Some(held) = fonts.of(weight).get(face).filter(|_| !glyphs.is_empty()) {
            surface.draw_glyphs(Point::from_xy(x, at.1), glyphs, held.font.clone(), text, size, false);
        }
        glyphs.clear();
    };
    for (start, character) in text.char_indices() {
        let placed = fonts.place(weight, character);
        if placed.missing {
            missing.insert(character);
        }
        if placed.face != face {
            flush(&mut glyphs, face, x);
            (x, wide, face) = (x + wide, 0.0, placed.face);
        }
        let range = start..start + character.len_utf8();
        glyphs.push(KrillaGlyph::new(placed.glyph, placed.width + spread / size, 0.0, 0.0, 0.0, range, None));
        wide += placed.width * size + spread;
    }
    flush(&mut glyphs, face, x);
}

fn rule(surface: &mut Surface<'_>, from: (f32, f32), to: (f32, f32)) {
    let mut path = PathBuilder::new();
    path.move_to(from.0, from.1);
    path.line_to(to.0, to.1);
    if let Some(path) = path.finish() {
        surface.set_fill(None);
        surface.set_stroke(Some(Stroke { width: 0.6, ..Stroke::default() }));
        surface.draw_path(&path);
        surface.set_stroke(None);
        surface.set_fill(Some(black()));
    }
}

fn black() -> Fill {
    Fill { opacity: NormalizedF32::ONE, ..Fill::default() }
}

/// A picture, as large as it can be within the type area.
#[expect(clippy::cast_precision_loss, reason = "pictures are some thousand pixels wide")]
fn picture(
    surface: &mut Surface<'_>,
    at: (f32, f32),
    within: (f32, f32),
    name: &str,
    bytes: &std::sync::Arc<Vec<u8>>,
) -> Result<(), Trouble> {
    let unreadable = || Trouble::Picture { name: name.to_owned() };
    let read = match bytes.get(..4) {
        Some([0x89, b'P', b'N', b'G']) => Image::from_png(bytes.clone().into(), true),
        _ => Image::from_jpeg(bytes.clone().into(), true),
    };
    let image = read.map_err(|_| unreadable())?;
    let (width, height) = (image.size().0 as f32, image.size().1 as f32);
    let scale = (within.0 / width).min(within.1 / height);
    let size = Size::from_wh(width * scale, height * scale).ok_or_else(unreadable)?;
    surface.push_transform(&Transform::from_translate(at.0, at.1));
    surface.draw_image(image, size);
    surface.pop();
    Ok(())
}

/// A QR code with its quiet zone left to the margin around it.
#[expect(clippy::cast_precision_loss, reason = "a code has at most 177 modules")]
fn code(surface: &mut Surface<'_>, at: (f32, f32), side: f32, text: &str) -> Result<(), Trouble> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|_| Trouble::Code)?;
    let module = side / code.size() as f32;
    let mut path = PathBuilder::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            let (left, top) = (at.0 + x as f32 * module, at.1 + y as f32 * module);
            if let Some(square) = Rect::from_xywh(left, top, module, module) {
                path.push_rect(square);
            }
        }
    }
    if let Some(path) = path.finish() {
        surface.set_fill(Some(black()));
        surface.draw_path(&path);
    }
    Ok(())
}
