//! What comes down only: code lists, rule sets, policy, calendars, the unit directory. Each carries its issuer's own
//! signature: it is handed from level to level, and a relay can neither alter nor invent it.

use bincode::{Decode, Encode};

use crate::bounded::{Blob, List, Text};
use crate::chain::Signature;
use crate::id::NodeId;
use crate::time::ClockReading;
use crate::wire::codec;

/// Bytes of one publication at most.
pub const PUBLICATION_BYTES_MAX: usize = 256 * 1024;
/// Publications (kind, name and issuer) that one node holds at most.
pub const PUBLICATIONS_MAX: usize = 256;

/// What is published. A kind of a later version is kept and passed on, and shown as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct PublicationKind(pub u16);

/// Kinds with the words by which people name them.
const WORDS: [(PublicationKind, &str); 9] = [
    (PublicationKind::CATEGORIES, "categories"),
    (PublicationKind::CODE_LIST, "codes"),
    (PublicationKind::MAPPING, "mapping"),
    (PublicationKind::RULES, "rules"),
    (PublicationKind::POLICY, "policy"),
    (PublicationKind::CALENDAR, "calendar"),
    (PublicationKind::UNITS, "units"),
    (PublicationKind::TERMS, "terms"),
    (PublicationKind::MEASURES, "measures"),
];

impl PublicationKind {
    /// The list of categories.
    pub const CATEGORIES: Self = Self(1);
    /// Another code list.
    pub const CODE_LIST: Self = Self(2);
    /// A table that maps categories onto another list.
    pub const MAPPING: Self = Self(3);
    /// A set of grading rules.
    pub const RULES: Self = Self(4);
    /// Ceilings, the intake level, terms.
    pub const POLICY: Self = Self(5);
    /// Working days.
    pub const CALENDAR: Self = Self(6);
    /// Units and where they sit.
    pub const UNITS: Self = Self(7);
    /// How long each duty may take in which channel.
    pub const TERMS: Self = Self(8);
    /// What each warning level asks to be done at once.
    pub const MEASURES: Self = Self(9);

    /// Its word; none for a kind of a later version.
    pub fn word(self) -> Option<&'static str> {
        WORDS.iter().find(|(kind, _)| *kind == self).map(|(_, word)| *word)
    }

    /// The words of this version.
    pub fn words() -> impl Iterator<Item = &'static str> {
        WORDS.iter().map(|(_, word)| *word)
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        WORDS.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }
}

impl std::fmt::Display for PublicationKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.word() {
            Some(word) => f.write_str(word),
            None => write!(f, "{}", self.0),
        }
    }
}

/// One version of one publication. The nearest issuer above wins; of one issuer the highest version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Publication {
    /// What it is.
    pub kind: PublicationKind,
    /// Its name, for several of a kind.
    pub name: Text<60>,
    /// Its version.
    pub version: u16,
    /// Who issued it.
    pub issuer: NodeId,
    /// From when it holds.
    pub from: ClockReading,
    /// JSON of the kind's own schema; empty: what this issuer published before is withdrawn.
    pub content: Blob<PUBLICATION_BYTES_MAX>,
}

impl Publication {
    /// What the issuer signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"wuji publication 1".to_vec();
        bytes.extend_from_slice(&codec::encode_unbounded(self));
        bytes
    }
}

/// A publication with its issuer's proof.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Published {
    /// The publication.
    pub publication: Publication,
    /// The issuer's Ed25519 signature over [`Publication::signed_bytes`].
    pub signature: Signature,
}

/// The highest version that a node holds of one publication.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct HeldVersion {
    /// What it is.
    pub kind: PublicationKind,
    /// Its name.
    pub name: Text<60>,
    /// Who issued it.
    pub issuer: NodeId,
    /// The version.
    pub version: u16,
}

/// What a node holds of all that was published, told to its parent, which answers with what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Holdings {
    /// One for each publication.
    pub held: List<HeldVersion, PUBLICATIONS_MAX>,
}
