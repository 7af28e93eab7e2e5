//! What is wrong with a table, with the line of each fault.

use std::fmt;

use protocol::division::{DivisionCode, Level, NotADivision};

/// Faults that are listed; beyond them only their number is told.
const LISTED_MAX: usize = 20;

/// Why a row is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Too few or too many columns.
    #[error("{0} columns, where code,name,level,parent_code are four")]
    Columns(usize),
    /// The first line is another heading.
    #[error("the first line must be code,name,level,parent_code")]
    Heading,
    /// No text in UTF-8.
    #[error("not UTF-8: save the table as CSV in UTF-8")]
    Encoding,
    /// A quotation mark without its end, or text after it.
    #[error("a quotation mark that does not end its column")]
    Quote,
    /// A line longer than any row.
    #[error("longer than {0} bytes, which no row is")]
    Length(usize),
    /// A code that is none.
    #[error("{code:?} is no division code: {why}")]
    Code {
        /// What stands there.
        code: String,
        /// Why it is none.
        why: NotADivision,
    },
    /// No name, or one that no division has.
    #[error("the name {0:?} is empty, longer than {max} characters, or has control characters", max = super::read::NAME_CHARS_MAX)]
    Name(String),
    /// A word that is no level.
    #[error("{0:?} is no level; levels are province, city, county, township, village (or community) and grid")]
    LevelWord(String),
    /// The code tells another level than the row.
    #[error("the row says {said}, the digits of {code} are those of a {told}", said = word(*.said), told = word(*.told))]
    Level {
        /// The code.
        code: DivisionCode,
        /// What the row says.
        said: Level,
        /// What the digits tell.
        told: Level,
    },
    /// A code that stands in the table already.
    #[error("{code} stands in line {first} already")]
    Twice {
        /// The code.
        code: DivisionCode,
        /// Where it stands first.
        first: u64,
    },
    /// A parent that is no row.
    #[error("the parent {parent} of {code} is no row of the table; leave it empty at the top")]
    ParentMissing {
        /// The code.
        code: DivisionCode,
        /// What stands as its parent.
        parent: DivisionCode,
    },
    /// A parent that does not contain the row.
    #[error("{code} does not lie inside {parent}, which stands as its parent")]
    ParentElsewhere {
        /// The code.
        code: DivisionCode,
        /// What stands as its parent.
        parent: DivisionCode,
    },
    /// A row between this one and its parent, or above a row that names none.
    #[error("{code} lies inside {nearest} (line {line}), so that must be its parent")]
    ParentNotNearest {
        /// The code.
        code: DivisionCode,
        /// The row that contains it most closely.
        nearest: DivisionCode,
        /// Where that row stands.
        line: u64,
    },
    /// No rows.
    #[error("the table has no rows")]
    Empty,
    /// More rows than there are divisions.
    #[error("more than {0} rows")]
    TooMany(usize),
    /// The file could not be read.
    #[error("the table cannot be read on: {0}")]
    Unreadable(std::io::ErrorKind),
}

/// The word of a level in a table.
pub(super) fn word(level: Level) -> &'static str {
    match level {
        Level::Province => "province",
        Level::City => "city",
        Level::County => "county",
        Level::Township => "township",
        Level::Community => "village",
        Level::Grid => "grid",
    }
}

/// A fault with its line, the heading being line 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Fault {
    /// Line of the file.
    pub line: u64,
    /// What is wrong there.
    pub why: Reason,
}

/// A table is refused whole, with every fault that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The faults in the order of their lines.
    pub faults: Vec<Fault>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().take(LISTED_MAX).enumerate() {
            write!(f, "{}{fault}", if index == 0 { "" } else { "\n" })?;
        }
        match self.faults.len().saturating_sub(LISTED_MAX) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more lines"),
        }
    }
}

impl std::error::Error for Refused {}
