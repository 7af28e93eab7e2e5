//! Administrative divisions: the twelve-digit national code, and three more digits for a grid.

use std::fmt;
use std::str::FromStr;

use bincode::de::{BorrowDecode, BorrowDecoder, Decode, Decoder};
use bincode::enc::{Encode, Encoder};
use bincode::error::{DecodeError, EncodeError};
use serde::{Deserialize, Serialize};

/// The five levels, and the province above them. Ordered from the top down.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, bincode::Encode, bincode::Decode, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 省
    Province,
    /// 市
    City,
    /// 县(市、区)
    County,
    /// 乡镇(街道)
    Township,
    /// 社区(村)
    Community,
    /// 网格
    Grid,
}

impl Level {
    /// How many fifteen-digit numbers a division of this level takes up: what the lowest digit of its group weighs.
    pub const fn span(self) -> u64 {
        match self {
            Self::Grid => 1,
            Self::Community => 1_000,
            Self::Township => 1_000_000,
            Self::County => 1_000_000_000,
            Self::City => 100_000_000_000,
            Self::Province => 10_000_000_000_000,
        }
    }
}

/// On what a grid hangs: it travels with a case into the figures.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, bincode::Encode, bincode::Decode, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum GridKind {
    /// 责任网格: on its township and governance centre.
    Responsibility,
    /// 基础网格: on its community and mediation committee.
    Basic,
    /// 专属网格: on an enterprise, institution or market and its mediation organisation.
    Dedicated,
}

impl GridKind {
    /// All of them, in the order of the wire.
    pub const ALL: [Self; 3] = [Self::Responsibility, Self::Basic, Self::Dedicated];
}

/// The text or number is no division code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotADivision {
    /// Neither 12 nor 15 digits.
    #[error("a division code has 12 digits, a grid's 15")]
    Length,
    /// A character that is no digit.
    #[error("a division code has digits only")]
    Digit,
    /// The province part is zero.
    #[error("a division code begins with its province")]
    NoProvince,
}

/// The code of a division: 2 digits province, 2 city, 2 county, 3 township, 3 community, and 3 grid (000 when it is no
/// grid). Levels may be missing: a grid that hangs on its township has 000 as its community, a city without counties has
/// 00 there. Held as the fifteen-digit number; order follows the code, so a division sorts before all it contains.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DivisionCode(u64);

/// One digit group: what its lowest digit weighs, and the level that a non-zero group means.
const GROUPS: [(u64, Level); 6] = [
    (Level::Grid.span(), Level::Grid),
    (Level::Community.span(), Level::Community),
    (Level::Township.span(), Level::Township),
    (Level::County.span(), Level::County),
    (Level::City.span(), Level::City),
    (Level::Province.span(), Level::Province),
];
const CODE_END: u64 = 1_000_000_000_000_000;

impl DivisionCode {
    /// The code with this fifteen-digit number.
    pub fn from_number(number: u64) -> Result<Self, NotADivision> {
        if number >= CODE_END {
            return Err(NotADivision::Length);
        }
        if number < Level::Province.span() {
            return Err(NotADivision::NoProvince);
        }
        Ok(Self(number))
    }

    /// The fifteen-digit number.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The weight of the lowest digit of the lowest non-zero group, with its level.
    fn lowest(self) -> (u64, Level) {
        let mut above = GROUPS.iter().skip(1).map(|(weight, _)| *weight).chain([CODE_END]);
        GROUPS
            .iter()
            .copied()
            .find(|_| above.next().is_some_and(|next| !self.0.is_multiple_of(next)))
            .unwrap_or((Level::Province.span(), Level::Province))
    }

    /// The level that the digits tell.
    pub fn level(self) -> Level {
        self.lowest().1
    }

    /// The division that contains this one: the lowest non-zero group becomes zero, which skips levels that are missing.
    pub fn parent(self) -> Option<Self> {
        let level = self.level();
        if level == Level::Province {
            return None;
        }
        let span = GROUPS.iter().skip_while(|(_, l)| *l != level).nth(1).map_or(CODE_END, |(weight, _)| *weight);
        self.0.checked_rem(span).map(|below| Self(self.0.saturating_sub(below)))
    }

    /// Whether `other` is this division or lies inside it.
    pub fn contains(self, other: Self) -> bool {
        // All digits down to the lowest group in use are alike. A grid uses them all, so it contains only itself.
        let (weight, _) = self.lowest();
        self.0.checked_div(weight) == other.0.checked_div(weight)
    }

    /// The code of a grid below this division.
    pub fn grid(self, serial: u16) -> Option<Self> {
        (self.0.is_multiple_of(1_000) && (1..1_000).contains(&serial))
            .then(|| Self(self.0.saturating_add(u64::from(serial))))
    }
}

impl FromStr for DivisionCode {
    type Err = NotADivision;
    fn from_str(text: &str) -> Result<Self, NotADivision> {
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotADivision::Digit);
        }
        let number: u64 = match text.len() {
            15 => text.parse().map_err(|_| NotADivision::Digit)?,
            12 => text.parse::<u64>().map_err(|_| NotADivision::Digit)?.saturating_mul(1_000),
            _ => return Err(NotADivision::Length),
        };
        Self::from_number(number)
    }
}

impl fmt::Display for DivisionCode {
    /// Twelve digits, fifteen for a grid.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level() {
            Level::Grid => write!(f, "{:015}", self.0),
            _ => write!(f, "{:012}", self.0 / 1_000),
        }
    }
}

impl fmt::Debug for DivisionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DivisionCode({self})")
    }
}

impl TryFrom<String> for DivisionCode {
    type Error = NotADivision;
    fn try_from(text: String) -> Result<Self, NotADivision> {
        text.parse()
    }
}

impl From<DivisionCode> for String {
    fn from(code: DivisionCode) -> String {
        code.to_string()
    }
}

impl Encode for DivisionCode {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.encode(encoder)
    }
}

impl<C> Decode<C> for DivisionCode {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::from_number(u64::decode(decoder)?).map_err(|e| DecodeError::OtherString(e.to_string()))
    }
}

impl<'de, C> BorrowDecode<'de, C> for DivisionCode {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> DivisionCode {
        text.parse().unwrap()
    }

    #[test]
    fn each_level_is_told_by_its_digits_and_names_its_parent() {
        let path = ["330000000000", "330600000000", "330602000000", "330602001000", "330602001002", "330602001002001"];
        let levels = [Level::Province, Level::City, Level::County, Level::Township, Level::Community, Level::Grid];
        for (text, level) in path.iter().zip(levels) {
            assert_eq!(code(text).level(), level, "{text}");
        }
        for pair in path.windows(2) {
            assert_eq!(code(pair[1]).parent(), Some(code(pair[0])));
            assert!(code(pair[0]).contains(code(pair[1])));
            assert!(!code(pair[1]).contains(code(pair[0])));
        }
        assert_eq!(code("330000000000").parent(), None);
    }

    #[test]
    fn missing_levels_are_skipped() {
        assert_eq!(code("330602001000003").parent(), Some(code("330602001000")), "a grid on its township");
        assert_eq!(code("441900003000").parent(), Some(code("441900000000")), "a city without counties");
        assert_eq!(code("330601000000").level(), Level::County, "a 市辖区 row without children");
    }

    #[test]
    fn a_sibling_is_not_contained() {
        assert!(!code("330602000000").contains(code("330603001000")));
        assert!(!code("330602001002001").contains(code("330602001002002")));
    }

    #[test]
    fn the_text_form_reads_back() {
        for text in ["330602001002", "330602001002001", "330602001000001"] {
            assert_eq!(code(text).to_string(), text);
        }
        for bad in ["", "33060200100", "3306020010021", "33060200100x", "003306000000"] {
            assert!(bad.parse::<DivisionCode>().is_err(), "{bad}");
        }
    }
}
