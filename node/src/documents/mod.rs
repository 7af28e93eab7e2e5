//! Papers of cases as PDF: what `casework` says, laid out by the crate `paper`.

mod fonts;
mod press;

use casework::document::{Desk, Piece, Sheet, SheetCode, Story, back, cover};
use casework::dossier::Dossier;
use paper::{Block, Document, Volume};
use protocol::id::CaseId;

pub use fonts::{NoFont, fonts};
pub use press::{NotMade, PRESS, Press};

/// The language of all papers.
const LANGUAGE: &str = "zh-CN";
/// The head of an index: its name, and those of its columns.
const INDEX: [&str; 5] = ["卷内目录", "序号", "文书名称", "页号", "备注"];

/// What is to be printed.
#[derive(Debug, Clone)]
pub struct Job {
    volume: Volume,
    /// Of each document what the code on its pages says, but for the page.
    codes: Vec<SheetCode>,
}

impl Job {
    /// One paper.
    pub fn paper(case: CaseId, sheet: &Sheet) -> Self {
        Self::of(case, sheet.title.clone(), None, std::slice::from_ref(sheet), Vec::new())
    }

    /// A whole dossier: what the program makes of it.
    pub fn dossier(story: &Story<'_>, desk: &Desk<'_>) -> Self {
        let (title, pieces) = cover(story, desk);
        let cover = [vec![Block::Title(title.clone())], blocks(&pieces)].concat();
        let sheets = Dossier::of(story, desk).sheets(story, desk);
        let (heading, pieces) = back(story, desk);
        let back = [vec![Block::Title(heading)], blocks(&pieces)].concat();
        Self::of(story.case.id, title, Some(cover), &sheets, back)
    }

    fn of(case: CaseId, title: String, cover: Option<Vec<Block>>, sheets: &[Sheet], back: Vec<Block>) -> Self {
        let code = |sheet: &Sheet| SheetCode { case, paper: sheet.paper, edition: sheet.edition, page: 1, pages: 1 };
        let (index, language) = (INDEX.map(str::to_owned), LANGUAGE.to_owned());
        let documents = sheets.iter().map(document).collect();
        let codes = sheets.iter().map(code).collect();
        Self { volume: Volume { title, language, cover, index, documents, back }, codes }
    }

    /// Bytes of all that it says, about.
    fn text_bytes(&self) -> usize {
        let documents = self.volume.documents.iter().flat_map(|document| &document.blocks);
        documents.map(weight).sum()
    }
}

fn document(sheet: &Sheet) -> Document {
    let title = vec![Block::Title(sheet.title.clone())];
    let blocks = [title, blocks(&sheet.pieces)].concat();
    Document { name: sheet.title.clone(), note: String::new(), blocks }
}

fn blocks(pieces: &[Piece]) -> Vec<Block> {
    pieces.iter().flat_map(block).collect()
}

fn block(piece: &Piece) -> Vec<Block> {
    let block = match piece {
        Piece::Next(title) => return vec![Block::Break, Block::Title(title.clone())],
        Piece::Heading(text) => Block::Heading(text.clone()),
        Piece::Words(text) => Block::Text(text.clone()),
        Piece::To(text) => Block::Left(text.clone()),
        Piece::Middle(text) => Block::Middle(text.clone()),
        Piece::End(text) => Block::End(text.clone()),
        Piece::Form(rows) => {
            let row = |row: &casework::document::Row| paper::Row {
                fields: row.fields.clone(),
                lines: row.lines,
                foot: row.foot.clone(),
            };
            Block::Form(rows.iter().map(row).collect())
        }
        Piece::Table { widths, head, rows } => {
            Block::Table { widths: widths.clone(), head: head.clone(), rows: rows.clone() }
        }
        Piece::Signatures(names) => Block::Signatures(names.clone()),
    };
    vec![block]
}

fn weight(block: &Block) -> usize {
    let all = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
    match block {
        Block::Title(text) | Block::Heading(text) | Block::Text(text) => text.len(),
        Block::Left(text) | Block::Middle(text) | Block::End(text) => text.len(),
        Block::Fields(fields) => fields.iter().map(|(name, value)| name.len() + value.len()).sum(),
        Block::Form(rows) => rows
            .iter()
            .map(|row| row.fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() + all(&row.foot))
            .sum(),
        Block::Table { head, rows, .. } => all(head) + rows.iter().map(|row| all(row)).sum::<usize>(),
        Block::Signatures(names) => all(names),
        Block::Scan(scan) => scan.bytes.len(),
        Block::Break => 0,
    }
}
