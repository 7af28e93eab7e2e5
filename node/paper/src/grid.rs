//! What stands in boxes: tables, whose head is repeated on the next page, and forms.

use crate::block::Row as FormRow;
use crate::fonts::{Weight, visible};
use crate::layout::{HEIGHT, Ink, LEFT, Layout, TOP, WIDTH};
use crate::lines::{Style, broken};

const CELL: Style = Style { weight: Weight::Regular, size: 12.0 };
const HEAD: Style = Style { weight: Weight::Bold, size: 12.0 };
const LEADING: f32 = 18.0;
/// Between a rule and the text beside it.
const PADDING: f32 = 4.0;
/// The height of a row of one line.
const ONE_LINE: f32 = LEADING + 2.0 * PADDING;
/// Below a table or a form.
const GAP: f32 = 10.0;
/// Characters up to which a text of a table stands in the middle.
const SHORT: usize = 12;
/// How wide the name of a field is: six characters.
const NAME: f32 = 80.0;

/// Where a line stands in its box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Middle,
    Right,
}

/// What stands in a box.
struct Cell {
    style: Style,
    lines: Vec<(String, Side)>,
}

/// Boxes beside each other, and how many lines they are high at least.
struct Row {
    cells: Vec<Cell>,
    least: usize,
}

/// Draws a table.
pub(crate) fn table(layout: &mut Layout<'_>, widths: &[u8], head: &[String], rows: &[Vec<String>]) {
    let sum: f32 = widths.iter().map(|width| f32::from(*width)).sum::<f32>().max(1.0);
    let columns: Vec<f32> = widths.iter().map(|width| WIDTH * f32::from(*width) / sum).collect();
    let row = |style, cells: &[String]| -> Row {
        let text = |index| cells.get(index).map_or("", String::as_str);
        let cell = |(index, width): (usize, &f32)| cell(layout, style, side(text(index)), text(index), *width);
        Row { cells: columns.iter().enumerate().map(cell).collect(), least: 1 }
    };
    let head = row(HEAD, head);
    let rows: Vec<Row> = rows.iter().map(|cells| row(CELL, cells)).collect();
    layout.room(2.0 * high(&head));
    part(layout, &head, &columns);
    // A row is divided only when no page could hold it.
    let (whole, last) = (HEIGHT - high(&head), rows.len().saturating_sub(1));
    for (index, row) in rows.into_iter().enumerate() {
        flow(layout, row, &columns, Some(&head), (whole, index == last));
    }
    layout.skip(GAP);
}

/// What is short stands in the middle of its box.
fn side(text: &str) -> Side {
    if text.chars().count() <= SHORT { Side::Middle } else { Side::Left }
}

/// Draws a form. A row is divided when keeping it whole could leave more than half of a page empty.
pub(crate) fn form(layout: &mut Layout<'_>, rows: &[FormRow]) {
    let last = rows.len().saturating_sub(1);
    for (index, row) in rows.iter().enumerate() {
        let (boxes, columns) = boxes(layout, row);
        flow(layout, boxes, &columns, None, (HEIGHT / 2.0, index == last));
    }
    layout.skip(GAP);
}

#[expect(clippy::cast_precision_loss, reason = "a row has some four fields")]
fn boxes(layout: &Layout<'_>, row: &FormRow) -> (Row, Vec<f32>) {
    let wide = WIDTH / row.fields.len().max(1) as f32 - NAME;
    let (mut cells, mut columns) = (Vec::new(), Vec::new());
    for (name, value) in &row.fields {
        cells.push(cell(layout, HEAD, Side::Middle, name, NAME));
        cells.push(cell(layout, CELL, Side::Left, value, wide));
        columns.extend([NAME, wide]);
    }
    if let Some(last) = cells.last_mut().filter(|_| !row.foot.is_empty()) {
        while last.lines.len() < row.lines.saturating_sub(row.foot.len()) {
            last.lines.push((String::new(), Side::Left));
        }
        for text in &row.foot {
            let foot = broken(layout.fonts, CELL, &visible(text), wide - 2.0 * PADDING, 0.0);
            last.lines.extend(foot.into_iter().map(|line| (line, Side::Right)));
        }
    }
    (Row { cells, least: row.lines }, columns)
}

fn cell(layout: &Layout<'_>, style: Style, side: Side, text: &str, width: f32) -> Cell {
    let text = visible(text);
    let paragraphs = text.lines().chain(text.is_empty().then_some(""));
    let lines = paragraphs.flat_map(|p| broken(layout.fonts, style, p, width - 2.0 * PADDING, 0.0));
    Cell { style, lines: lines.map(|line| (line, side)).collect() }
}

/// Draws a row on this page and the next ones. One that is no higher than `whole` is not divided; the last one stays with what is to
/// be signed below it.
fn flow(layout: &mut Layout<'_>, mut rest: Row, columns: &[f32], head: Option<&Row>, (whole, last): (f32, bool)) {
    let needed = if high(&rest) <= whole { high(&rest) } else { ONE_LINE };
    let with = needed + if last { layout.below() } else { 0.0 };
    while rest.cells.iter().any(|cell| !cell.lines.is_empty()) {
        if layout.room(if with <= whole { with } else { needed })
            && let Some(head) = head
        {
            part(layout, head, columns);
        }
        let lines = fitting(HEIGHT - layout.filled()).max(1);
        let later = rest.cells.iter_mut().map(|cell| {
            let lines = cell.lines.split_off(lines.min(cell.lines.len()));
            Cell { style: cell.style, lines }
        });
        let later = Row { cells: later.collect(), least: rest.least.saturating_sub(lines) };
        rest.least = rest.least.min(lines);
        part(layout, &rest, columns);
        rest = later;
    }
}

/// How many lines fit.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a page has some forty lines")]
fn fitting(room: f32) -> usize {
    ((room - 2.0 * PADDING) / LEADING).max(0.0) as usize
}

#[expect(clippy::cast_precision_loss, reason = "a page has some forty lines")]
fn tall(lines: usize) -> f32 {
    lines as f32 * LEADING
}

fn high(row: &Row) -> f32 {
    tall(row.cells.iter().map(|cell| cell.lines.len()).max().unwrap_or(0).max(row.least)) + 2.0 * PADDING
}

/// The part of a row that is on this page, with its rules.
fn part(layout: &mut Layout<'_>, row: &Row, columns: &[f32]) {
    let (above, height) = (layout.filled(), high(row));
    let (top, foot) = (TOP + above, TOP + above + height);
    for y in [top, foot] {
        layout.put(Ink::Rule { from: (LEFT, y), to: (LEFT + WIDTH, y) });
    }
    layout.put(Ink::Rule { from: (LEFT, top), to: (LEFT, foot) });
    let mut x = 0.0;
    for (cell, width) in row.cells.iter().zip(columns) {
        write(layout, cell, (LEFT + x, top), (*width, height));
        x += width;
        layout.put(Ink::Rule { from: (LEFT + x, top), to: (LEFT + x, foot) });
    }
    layout.fill(height);
}

/// The lines of a box. What stands in the middle stands there from above too, and so does one line in a low box.
fn write(layout: &mut Layout<'_>, cell: &Cell, at: (f32, f32), (width, height): (f32, f32)) {
    let Style { weight, size } = cell.style;
    let alone = cell.lines.len() == 1 && height <= tall(3) + 2.0 * PADDING;
    let middle = alone || cell.lines.iter().any(|(_, side)| *side == Side::Middle);
    let mut y = at.1 + if middle { (height - tall(cell.lines.len())) / 2.0 } else { PADDING };
    for (text, side) in &cell.lines {
        let over = (width - 2.0 * PADDING - layout.fonts.width(weight, size, text)).max(0.0);
        let before = match side {
            Side::Left => 0.0,
            Side::Middle => over / 2.0,
            Side::Right => over,
        };
        let foot = (at.0 + PADDING + before, y + LEADING / 2.0 + size * 0.36);
        layout.put(Ink::Text { at: foot, weight, size, spread: 0.0, text: text.clone() });
        y += LEADING;
    }
}
