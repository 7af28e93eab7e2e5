//! A volume (卷): cover, index, documents with numbered pages, back.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::Trouble;
use crate::block::Block;
use crate::fonts::{Fonts, Weight};
use crate::layout::{self, HEIGHT, Ink, LEFT, Page, TOP, WIDTH};
use crate::pdf;

/// A document of a volume.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// What the index calls it (文书名称).
    pub name: String,
    /// What the index notes of it (备注).
    pub note: String,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// What is bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// What the file is called where a PDF is listed.
    pub title: String,
    /// The language of its words, as `zh-CN`.
    pub language: String,
    /// The cover (封面), if it has one: a volume without is a single document, and has no index.
    pub cover: Option<Vec<Block>>,
    /// What the index is headed with: its name, and those of its four columns.
    pub index: [String; 5],
    /// The documents in their order.
    pub documents: Vec<Document>,
    /// The back (封底).
    pub back: Vec<Block>,
}

/// A volume that was bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// The PDF.
    pub pdf: Vec<u8>,
    /// The numbers of the pages of each document, as the index has them.
    pub pages: Vec<RangeInclusive<usize>>,
    /// Characters that no font had: a box stands for each.
    pub missing: BTreeSet<char>,
}

/// A page of a document of a volume. All counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// Which document.
    pub document: usize,
    /// Which of its pages.
    pub page: usize,
    /// How many pages it has.
    pub pages: usize,
}

/// What a page carries so that its scan finds its place again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The code, for a machine.
    pub code: String,
    /// What stands below it, for people.
    pub label: String,
}

/// The side of a code.
const CODE: f32 = 48.0;
/// How large its label is.
const LABEL: f32 = 7.0;

/// Binds a volume. Pages are numbered from the first of the first document; cover, index and back have no numbers. `marks` says
/// what each page of a document carries in its upper corner.
///
/// # Errors
///
/// A picture that cannot be read, named; or a code that is too long.
pub fn bind(volume: &Volume, fonts: &Fonts, marks: &dyn Fn(Leaf) -> Option<Mark>) -> Result<Bound, Trouble> {
    let (mut body, mut pages, mut outline) = (Vec::new(), Vec::new(), Vec::new());
    for (document, held) in volume.documents.iter().enumerate() {
        let mut made = layout::pages(fonts, &held.blocks);
        let pages_of = made.len();
        for (page, inked) in made.iter_mut().enumerate() {
            if let Some(mark) = marks(Leaf { document, page, pages: pages_of }) {
                marked(fonts, inked, mark);
            }
        }
        let first = body.len() + 1;
        pages.push(first..=body.len() + made.len());
        body.extend(made);
    }
    let mut all = Vec::new();
    if let Some(cover) = &volume.cover {
        all.extend(layout::pages(fonts, cover));
        all.extend(layout::pages(fonts, &index(volume, &pages)));
    }
    for (document, range) in volume.documents.iter().zip(&pages) {
        outline.push((document.name.clone(), all.len() + range.start() - 1));
    }
    all.extend(body.into_iter().enumerate().map(|(index, page)| numbered(fonts, page, index + 1)));
    if !volume.back.is_empty() {
        all.extend(layout::pages(fonts, &volume.back));
    }
    let mut missing = BTreeSet::new();
    let pdf = pdf::write(volume, fonts, &all, &outline, &mut missing)?;
    Ok(Bound { pdf, pages, missing })
}

/// The index (卷内目录): number, name, pages, note.
fn index(volume: &Volume, pages: &[RangeInclusive<usize>]) -> Vec<Block> {
    let [title, head @ ..] = volume.index.clone();
    let row = |(number, (document, pages)): (usize, (&Document, &RangeInclusive<usize>))| {
        let range = match (pages.start(), pages.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        };
        vec![(number + 1).to_string(), document.name.clone(), range, document.note.clone()]
    };
    let rows = volume.documents.iter().zip(pages).enumerate().map(row).collect();
    vec![Block::Title(title), Block::Table { widths: vec![2, 11, 4, 5], head: head.to_vec(), rows }]
}

/// The page with its code in the upper corner, above the type area.
fn marked(fonts: &Fonts, page: &mut Page, Mark { code, label }: Mark) {
    let at = (LEFT + WIDTH - CODE, TOP - CODE - 18.0);
    let wide = fonts.width(Weight::Regular, LABEL, &label);
    let foot = (LEFT + WIDTH - wide, TOP - 9.0);
    page.push(Ink::Code { at, side: CODE, text: code });
    page.push(Ink::Text { at: foot, weight: Weight::Regular, size: LABEL, spread: 0.0, text: label });
}

/// The page with its number below the type area, on the outer side, between two dashes.
fn numbered(fonts: &Fonts, mut page: Page, number: usize) -> Page {
    let text = format!("— {number} —");
    let size = 14.0;
    let wide = fonts.width(Weight::Regular, size, &text);
    let at = (LEFT + WIDTH - wide - size, TOP + HEIGHT + 32.0);
    page.push(Ink::Text { at, weight: Weight::Regular, size, spread: 0.0, text });
    page
}
