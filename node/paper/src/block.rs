//! What a document says.

use std::sync::Arc;

/// A piece of a document, below the piece before it.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// The name of the document, large and in the middle.
    Title(String),
    /// The heading of a part.
    Heading(String),
    /// Text; each line of it is a paragraph, whose first line is indented by two characters.
    Text(String),
    /// Names with what they say, one below the other: 编号, 当事人 and the like.
    Fields(Vec<(String, String)>),
    /// A table.
    Table {
        /// How wide the columns are, in parts of the sum.
        widths: Vec<u8>,
        /// What stands above them.
        head: Vec<String>,
        /// Its rows.
        rows: Vec<Vec<String>>,
    },
    /// Places to sign, each with the name of who signs and room for a seal or a fingerprint.
    Signatures(Vec<String>),
    /// A form: rows of names with what they say beside them, each in a box.
    Form(Vec<Row>),
    /// A line that begins at the left without indent: to whom a document goes.
    Left(String),
    /// A line in the middle: a number below a title.
    Middle(String),
    /// A line that ends at the right: who issued a document, and when.
    End(String),
    /// Something that was scanned in: a page of its own.
    Scan(Scan),
    /// What follows begins on another page.
    Break,
}

/// A row of a form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// Names with what they say; they share the width.
    pub fields: Vec<(String, String)>,
    /// How many lines it is high at least.
    pub lines: usize,
    /// What stands below at the right of the last field: places to sign, a day.
    pub foot: Vec<String>,
}

/// A picture of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// What it is called.
    pub name: String,
    /// PNG or JPEG.
    pub bytes: Arc<Vec<u8>>,
}
