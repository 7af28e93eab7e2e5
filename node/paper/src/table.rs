//! Tables: a row that does not fit goes on on the next page, below the head.

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

/// Lines of each cell of a row.
type Row = Vec<Vec<String>>;

/// Draws a table.
pub(crate) fn draw(layout: &mut Layout<'_>, widths: &[u8], head: &[String], rows: &[Vec<String>]) {
    let sum: f32 = widths.iter().map(|width| f32::from(*width)).sum::<f32>().max(1.0);
    let columns: Vec<f32> = widths.iter().map(|width| WIDTH * f32::from(*width) / sum).collect();
    let head = row(layout, HEAD, head, &columns);
    layout.room(2.0 * high(&head));
    part(layout, HEAD, &head, &columns);
    for cells in rows {
        let mut rest = row(layout, CELL, cells, &columns);
        // A row is divided only when no page could hold it.
        let whole = high(&rest);
        let needed = if whole + high(&head) <= HEIGHT { whole } else { ONE_LINE };
        while !rest.iter().all(Vec::is_empty) {
            if layout.room(needed) {
                part(layout, HEAD, &head, &columns);
            }
            let lines = fitting(HEIGHT - layout.filled()).max(1);
            let later: Row = rest.iter_mut().map(|cell| cell.split_off(lines.min(cell.len()))).collect();
            part(layout, CELL, &rest, &columns);
            rest = later;
        }
    }
    layout.skip(PADDING);
}

fn row(layout: &Layout<'_>, style: Style, cells: &[String], columns: &[f32]) -> Row {
    let cell = |(index, width): (usize, &f32)| {
        let text = visible(cells.get(index).map_or("", String::as_str));
        let paragraphs = text.lines().chain(text.is_empty().then_some(""));
        paragraphs.flat_map(|p| broken(layout.fonts, style, p, width - 2.0 * PADDING, 0.0)).collect()
    };
    columns.iter().enumerate().map(cell).collect()
}

/// How many lines fit.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a page has some forty lines")]
fn fitting(room: f32) -> usize {
    ((room - 2.0 * PADDING) / LEADING).max(0.0) as usize
}

#[expect(clippy::cast_precision_loss, reason = "a page has some forty lines")]
fn high(row: &Row) -> f32 {
    row.iter().map(Vec::len).max().unwrap_or(0) as f32 * LEADING + 2.0 * PADDING
}

/// The part of a row that is on this page, with its rules.
fn part(layout: &mut Layout<'_>, style: Style, row: &Row, columns: &[f32]) {
    let (above, height) = (layout.filled(), high(row));
    let (top, foot) = (TOP + above, TOP + above + height);
    for y in [top, foot] {
        layout.put(Ink::Rule { from: (LEFT, y), to: (LEFT + WIDTH, y) });
    }
    layout.put(Ink::Rule { from: (LEFT, top), to: (LEFT, foot) });
    let mut x = 0.0;
    for (cell, width) in row.iter().zip(columns) {
        let mut y = top + PADDING;
        for line in cell {
            let at = (LEFT + x + PADDING, y + LEADING / 2.0 + style.size * 0.36);
            layout.put(Ink::Text { at, weight: style.weight, size: style.size, text: line.clone() });
            y += LEADING;
        }
        x += width;
        layout.put(Ink::Rule { from: (LEFT + x, top), to: (LEFT + x, foot) });
    }
    layout.fill(height);
}
