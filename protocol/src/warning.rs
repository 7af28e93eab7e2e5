//! The three warning levels. They are compared by rank, never by colour: national law ranks red highest, the city ranks
//! orange highest, and only the profile that a console shows knows which hue a rank wears.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// A warning level, ordered by rank. "No level" is `Option::None`, which orders below all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// 三级: may disturb production or daily life, or take much of the authorities' effort.
    Yellow,
    /// 二级: may turn criminal, or five and more people may petition over local heads.
    Red,
    /// 一级: could break out at any moment, or twenty and more people may petition over local heads.
    Orange,
}

impl Warning {
    /// 1 (yellow) to 3 (orange).
    pub fn rank(self) -> u8 {
        match self {
            Self::Yellow => 1,
            Self::Red => 2,
            Self::Orange => 3,
        }
    }

    /// The level of a rank.
    pub fn from_rank(rank: u8) -> Option<Self> {
        match rank {
            1 => Some(Self::Yellow),
            2 => Some(Self::Red),
            3 => Some(Self::Orange),
            _ => None,
        }
    }

    /// Whether a case of this level is reported above as a brief (报备).
    pub fn escalates(self) -> bool {
        self >= Self::Red
    }
}
