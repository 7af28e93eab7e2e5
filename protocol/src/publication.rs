//! What comes down only: code lists, rule sets, policy, calendars, the unit directory.

use bincode::{Decode, Encode};

use crate::bounded::{Blob, Text};
use crate::id::NodeId;
use crate::time::ClockReading;

/// Bytes of one publication at most.
pub const PUBLICATION_BYTES_MAX: usize = 256 * 1024;

/// What is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Publication {
    /// A code list.
    CodeList,
    /// A set of grading rules.
    Rules,
    /// Ceilings, the intake level, terms.
    Policy,
    /// Working days.
    Calendar,
    /// Units and where they sit.
    Units,
}

/// One version of one publication. The nearest issuer above wins; of one issuer the highest version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Published {
    /// What it is.
    pub kind: Publication,
    /// Its name, for several of a kind.
    pub name: Text<60>,
    /// Its version.
    pub version: u32,
    /// Who issued it.
    pub issuer: NodeId,
    /// From when it holds.
    pub from: ClockReading,
    /// JSON of the kind's own schema.
    pub content: Blob<PUBLICATION_BYTES_MAX>,
}
