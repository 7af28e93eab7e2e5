//! The three warning levels. They are compared by rank, never by colour: national law ranks red highest, the city ranks
//! orange highest, and only the profile that a console shows knows which hue a rank wears.

use bincode::de::{BorrowDecode, BorrowDecoder, Decode, Decoder};
use bincode::enc::{Encode, Encoder};
use bincode::error::{DecodeError, EncodeError};
use serde::{Deserialize, Serialize};

/// A warning level, ordered by rank. "No level" is `Option::None`, which orders below all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Warning {
    /// 三级: may disturb production or daily life, or take much of the authorities' effort.
    Yellow,
    /// 二级: may turn criminal, or five and more people may petition over local heads.
    Red,
    /// 一级: could break out at any moment, or twenty and more people may petition over local heads.
    Orange,
    /// A level of a later version, above orange: carried, shown with its rank, and handled like orange.
    Later(LaterRank),
}

/// A rank above that of orange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaterRank(u8);

/// The word names no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a level is yellow, red or orange")]
pub struct NotALevel;

/// How the level of a later version is written before its rank.
const LATER: &str = "level_";

impl Warning {
    /// 1 (yellow) to 3 (orange), and above for a level of a later version.
    pub fn rank(self) -> u8 {
        match self {
            Self::Yellow => 1,
            Self::Red => 2,
            Self::Orange => 3,
            Self::Later(LaterRank(rank)) => rank,
        }
    }

    /// The level of a rank; none for 0.
    pub fn from_rank(rank: u8) -> Option<Self> {
        match rank {
            0 => None,
            1 => Some(Self::Yellow),
            2 => Some(Self::Red),
            3 => Some(Self::Orange),
            later => Some(Self::Later(LaterRank(later))),
        }
    }

    /// Whether this version knows what the level means.
    pub fn known(self) -> bool {
        !matches!(self, Self::Later(_))
    }

    /// Whether a case of this level is reported above as a brief (报备).
    pub fn escalates(self) -> bool {
        self >= Self::Red
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Yellow => f.write_str("yellow"),
            Self::Red => f.write_str("red"),
            Self::Orange => f.write_str("orange"),
            Self::Later(LaterRank(rank)) => write!(f, "{LATER}{rank}"),
        }
    }
}

impl From<Warning> for String {
    fn from(level: Warning) -> Self {
        level.to_string()
    }
}

impl TryFrom<String> for Warning {
    type Error = NotALevel;

    fn try_from(word: String) -> Result<Self, NotALevel> {
        let rank = match word.as_str() {
            "yellow" => 1,
            "red" => 2,
            "orange" => 3,
            // One word for each level: a known one is not written by its rank.
            later => later.strip_prefix(LATER).and_then(|r| r.parse().ok()).filter(|r| *r > 3).ok_or(NotALevel)?,
        };
        let level = Self::from_rank(rank).ok_or(NotALevel)?;
        if String::from(level) == word { Ok(level) } else { Err(NotALevel) }
    }
}

impl Encode for Warning {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.rank().encode(encoder)
    }
}

impl<C> Decode<C> for Warning {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::from_rank(u8::decode(decoder)?).ok_or(DecodeError::Other("a level of rank 0"))
    }
}

impl<'de, C> BorrowDecode<'de, C> for Warning {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_of_a_later_version_stands_above_orange_and_has_one_word() {
        let later = Warning::from_rank(7).unwrap();
        assert!(later > Warning::Orange && later.escalates() && !later.known());
        assert!(Warning::from_rank(8) > Some(later));
        for rank in 1..=u8::MAX {
            let level = Warning::from_rank(rank).unwrap();
            assert_eq!(level.rank(), rank);
            assert_eq!(Warning::try_from(level.to_string()), Ok(level));
        }
        for bad in ["", "none", "level_0", "level_2", "level_3", "level_07", "level_256", "level_+9", "Orange"] {
            assert_eq!(Warning::try_from(bad.to_owned()), Err(NotALevel), "{bad}");
        }
    }
}
