//! Puts blocks on pages.

use std::sync::Arc;

use crate::block::{Block, Scan};
use crate::fonts::{Fonts, Weight, visible};
use crate::grid;
use crate::lines::{Style, broken};

/// A4.
pub(crate) const PAGE: (f32, f32) = (595.276, 841.89);
/// Where the type area begins: 28 mm from the edge that is bound, 31 mm from above.
pub(crate) const LEFT: f32 = 79.4;
pub(crate) const TOP: f32 = 87.9;
/// 32 characters of 14 points.
pub(crate) const WIDTH: f32 = 448.0;
/// 27 lines of 24 points, and what rules take.
pub(crate) const HEIGHT: f32 = 655.0;
/// Text: size four.
pub(crate) const TEXT: Style = Style { weight: Weight::Regular, size: 14.0 };
/// From line to line of text.
pub(crate) const LEADING: f32 = 24.0;
const TITLE: Style = Style { weight: Weight::Bold, size: 22.0 };
const HEADING: Style = Style { weight: Weight::Bold, size: 14.0 };
/// A line for a signature.
const SIGNING: f32 = 1.5 * LEADING;
/// Room for a signature behind the name of who signs.
const ROOM: f32 = 84.0;
/// Of what a line is high, so much lies above its foot.
const ASCENT: f32 = 0.72;

/// Something on a page. Places are those of its upper left corner, but for text, whose foot it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ink {
    /// `spread` is added behind each character.
    Text {
        at: (f32, f32),
        weight: Weight,
        size: f32,
        spread: f32,
        text: String,
    },
    Rule {
        from: (f32, f32),
        to: (f32, f32),
    },
    Picture {
        at: (f32, f32),
        within: (f32, f32),
        name: String,
        bytes: Arc<Vec<u8>>,
    },
    Code {
        at: (f32, f32),
        side: f32,
        text: String,
    },
}

/// A page.
pub(crate) type Page = Vec<Ink>;

/// Blocks on their way to pages.
pub(crate) struct Layout<'f> {
    pub(crate) fonts: &'f Fonts,
    pages: Vec<Page>,
    /// How far the last page is filled.
    y: f32,
    /// What stands below the block and may not stand alone: places to sign, who issued it.
    below: f32,
}

/// The pages of a document: one at least.
pub(crate) fn pages(fonts: &Fonts, blocks: &[Block]) -> Vec<Page> {
    let mut layout = Layout { fonts, pages: vec![Page::new()], y: 0.0, below: 0.0 };
    for (index, block) in blocks.iter().enumerate() {
        layout.below = ending(fonts, blocks.get(index + 1..).unwrap_or_default());
        layout.block(block);
    }
    layout.pages
}

/// How high the end of a document is: nobody signs a sheet on which nothing else stands. Nothing where more than an end follows.
fn ending(fonts: &Fonts, blocks: &[Block]) -> f32 {
    let high = |block: &Block| match block {
        Block::Signatures(names) => Some(tall(signing(fonts, names).len()) * SIGNING),
        Block::End(_) => Some(LEADING),
        _ => None,
    };
    blocks.iter().map(high).sum::<Option<f32>>().unwrap_or(0.0)
}

/// Who signs beside whom: short names share a line.
fn signing<'n>(fonts: &Fonts, names: &'n [String]) -> Vec<&'n [String]> {
    let short = |name: &String| fonts.width(TEXT.weight, TEXT.size, &visible(name)) + ROOM <= WIDTH / 2.0;
    let (mut lines, mut rest) = (Vec::new(), names);
    while !rest.is_empty() {
        let beside = rest.len() > 1 && rest.iter().take(2).all(short);
        let (line, later) = rest.split_at(if beside { 2 } else { 1 });
        lines.push(line);
        rest = later;
    }
    lines
}

#[expect(clippy::cast_precision_loss, reason = "a page has some thirty lines")]
fn tall(lines: usize) -> f32 {
    lines as f32
}

impl Layout<'_> {
    fn block(&mut self, block: &Block) {
        match block {
            Block::Title(text) => self.title(text),
            Block::Heading(text) => {
                // Not alone at the foot of a page.
                self.room(2.0 * LEADING);
                self.paragraph(HEADING, text, 0.0, 0.0, 0.0);
            }
            Block::Text(text) => self.text(text),
            Block::Fields(fields) => fields.iter().for_each(|(name, value)| self.field(name, value)),
            Block::Table { widths, head, rows } => grid::table(self, widths, head, rows),
            Block::Form(rows) => grid::form(self, rows),
            Block::Middle(text) => self.beside(text, 0.5),
            Block::End(text) => self.beside(text, 1.0),
            Block::Left(text) => self.beside(text, 0.0),
            Block::Signatures(names) => self.signatures(names),
            Block::Scan(scan) => self.scan(scan),
            Block::Break => self.turn(),
        }
    }

    fn title(&mut self, text: &str) {
        for line in broken(self.fonts, TITLE, &visible(text), WIDTH, 0.0) {
            let indent = (WIDTH - self.fonts.width(TITLE.weight, TITLE.size, &line)) / 2.0;
            self.line(TITLE, &line, indent.max(0.0), 36.0);
        }
        self.skip(LEADING / 2.0);
    }

    fn text(&mut self, text: &str) {
        let text = visible(text);
        let mut paragraphs = text.lines().peekable();
        while let Some(paragraph) = paragraphs.next() {
            let below = if paragraphs.peek().is_none() { self.below } else { 0.0 };
            self.paragraph(TEXT, paragraph, 0.0, 2.0 * TEXT.size, below);
        }
    }

    /// One line, or as many as it takes, with that part of what is left over before it.
    fn beside(&mut self, text: &str, part: f32) {
        for line in broken(self.fonts, TEXT, &visible(text), WIDTH, 0.0) {
            let over = WIDTH - self.fonts.width(TEXT.weight, TEXT.size, &line);
            self.line(TEXT, &line, over.max(0.0) * part, LEADING);
        }
    }

    fn paragraph(&mut self, style: Style, text: &str, left: f32, indent: f32, below: f32) {
        let shown = visible(text);
        let lines = broken(self.fonts, style, &shown, WIDTH - left, indent);
        for (index, line) in lines.iter().enumerate() {
            let before = left + if index == 0 { indent } else { 0.0 };
            let spread = if index + 1 < lines.len() { self.spread(style, line, WIDTH - before) } else { 0.0 };
            // The last two lines stay with what is to be signed.
            let with = if index + 2 >= lines.len() { tall(lines.len() - index) * LEADING + below } else { LEADING };
            self.room(if with < HEIGHT { with } else { LEADING });
            self.write(style, line, before, LEADING, spread);
            self.y += LEADING;
        }
    }

    /// What is added behind each character so that a line ends where the others do. A line that lacks much was broken
    /// before a long word, and stays as it is.
    #[expect(clippy::cast_precision_loss, reason = "a line has some thirty characters")]
    fn spread(&self, style: Style, line: &str, width: f32) -> f32 {
        let (over, gaps) =
            (width - self.fonts.width(style.weight, style.size, line), line.chars().count().saturating_sub(1));
        if gaps == 0 || !(0.0..=2.0 * style.size).contains(&over) { 0.0 } else { over / gaps as f32 }
    }

    /// A name, and what it says beside it.
    fn field(&mut self, name: &str, value: &str) {
        let name = format!("{}：", visible(name));
        let left = self.fonts.width(TEXT.weight, TEXT.size, &name).min(WIDTH / 2.0);
        let value = visible(value);
        let mut first = Some(name);
        for paragraph in value.lines().chain(value.is_empty().then_some("")) {
            for line in broken(self.fonts, TEXT, paragraph, WIDTH - left, 0.0) {
                self.room(LEADING);
                if let Some(name) = first.take() {
                    self.write(TEXT, &name, 0.0, LEADING, 0.0);
                }
                self.line(TEXT, &line, left, LEADING);
            }
        }
    }

    fn signatures(&mut self, names: &[String]) {
        for line in signing(self.fonts, names) {
            self.room(SIGNING);
            let wide = WIDTH / tall(line.len());
            for (place, name) in line.iter().enumerate() {
                let (left, name) = (tall(place) * wide, visible(name));
                self.write(TEXT, &name, left, SIGNING, 0.0);
                let (begin, foot) =
                    (self.fonts.width(TEXT.weight, TEXT.size, &name) + 6.0, TOP + self.y + SIGNING - 8.0);
                let end = (begin + 180.0).min(wide - 16.0);
                if begin < end {
                    self.put(Ink::Rule { from: (LEFT + left + begin, foot), to: (LEFT + left + end, foot) });
                }
            }
            self.y += SIGNING;
        }
    }

    /// A page of its own, with nothing else on it.
    fn scan(&mut self, scan: &Scan) {
        if self.pages.last().is_some_and(|page| !page.is_empty()) {
            self.turn();
        }
        let (name, bytes) = (scan.name.clone(), scan.bytes.clone());
        self.put(Ink::Picture { at: (LEFT, TOP), within: (WIDTH, HEIGHT), name, bytes });
        self.y = HEIGHT;
    }

    /// Makes sure that so much fits, on another page if need be.
    pub(crate) fn room(&mut self, height: f32) -> bool {
        let turned = self.y > 0.0 && self.y + height > HEIGHT + 0.01;
        if turned {
            self.turn();
        }
        turned
    }

    fn turn(&mut self) {
        self.pages.push(Page::new());
        self.y = 0.0;
    }

    pub(crate) fn skip(&mut self, height: f32) {
        if self.y > 0.0 {
            self.y += height;
        }
    }

    pub(crate) fn put(&mut self, ink: Ink) {
        if let Some(page) = self.pages.last_mut() {
            page.push(ink);
        }
    }

    pub(crate) fn fill(&mut self, height: f32) {
        self.y += height;
    }

    /// How high that is which stays with the end of this block.
    pub(crate) fn below(&self) -> f32 {
        self.below
    }

    pub(crate) fn filled(&self) -> f32 {
        self.y
    }

    /// A line, with what is needed below it.
    fn line(&mut self, style: Style, text: &str, left: f32, leading: f32) {
        self.room(leading);
        self.write(style, text, left, leading, 0.0);
        self.y += leading;
    }

    /// Writes a line where the page is filled to, and leaves it there.
    pub(crate) fn write(&mut self, style: Style, text: &str, left: f32, leading: f32, spread: f32) {
        let foot = TOP + self.y + (leading - style.size) / 2.0 + style.size * (ASCENT + 0.16);
        let Style { weight, size } = style;
        self.put(Ink::Text { at: (LEFT + left, foot), weight, size, spread, text: text.to_owned() });
    }
}
