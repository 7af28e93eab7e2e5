//! Documents on paper (文书): lays them out, binds them into a volume (卷) with cover, index and page numbers, and writes PDF.
//!
//! What a document says comes in as [`Block`]s; this crate knows no case and no law. It reads no file and no clock: fonts and
//! scans are bytes, so the same volume gives the same bytes. Lengths are points, 1/72 inch. The page follows GB/T 9704-2012:
//! A4, the type area 156 mm wide, but begins 6 mm higher. Text is in size four (14 points), 27 lines of 32 characters, so that most papers of a
//! case are one sheet.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod block;
mod fonts;
mod grid;
mod layout;
mod lines;
mod pdf;
mod volume;

pub use block::{Block, Row, Scan};
pub use fonts::{Face, Fonts, Weight};
pub use volume::{Bound, Document, Leaf, Mark, Volume, bind};

/// Why nothing was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The bytes are no font that can be read.
    #[error("a font cannot be read")]
    Font,
    /// The bytes are no picture that can be read.
    #[error("the picture \"{name}\" cannot be read")]
    Picture {
        /// What it is called.
        name: String,
    },
    /// What should stand in the code of a sheet is longer than a code can hold.
    #[error("a code of a sheet is too long")]
    Code,
    /// The PDF could not be written.
    #[error("the PDF cannot be written: {0}")]
    Pdf(String),
}
