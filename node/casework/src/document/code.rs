//! The code on a printed sheet: it names case, paper, edition and page, so that a scan of the sheet finds its place. It holds no name
//! and is no secret; the check sum finds what a camera misread, not what somebody made up.

use protocol::chain::Hash;
use protocol::id::CaseId;
use serde::{Deserialize, Serialize};

use super::paper::Paper;

/// What a code begins with: which program made it, and in which form.
const PREFIX: &str = "WJ1";
/// Digits and letters that are not taken for each other (Crockford's base 32), all of them cheap in a QR code.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Case, paper, edition, page, pages, check sum.
const BYTES: usize = 16 + 2 + 4 + 2 + 2 + 4;
/// Characters behind the prefix.
const DIGITS: usize = (BYTES * 8).div_ceil(5);

/// What the code of a sheet names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SheetCode {
    /// The case.
    pub case: CaseId,
    /// The paper.
    pub paper: Paper,
    /// The number of the last event that the paper tells of.
    pub edition: u32,
    /// Which page of it, from 1.
    pub page: u16,
    /// How many pages it has.
    pub pages: u16,
}

/// Why a text is no code of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotACode {
    /// It is something else.
    #[error("this is no code of a sheet")]
    Foreign,
    /// Part of it is missing, or was misread.
    #[error("the code of the sheet is damaged; scan it again")]
    Damaged,
    /// It names a paper that this version does not know.
    #[error("the sheet is of a paper of a later version; update the program")]
    UnknownPaper(u16),
}

impl SheetCode {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.case.as_bytes().to_vec();
        bytes.extend_from_slice(&self.paper.code().to_be_bytes());
        bytes.extend_from_slice(&self.edition.to_be_bytes());
        bytes.extend_from_slice(&self.page.to_be_bytes());
        bytes.extend_from_slice(&self.pages.to_be_bytes());
        bytes
    }

    /// A few characters for people: the end of the case's id, the paper, the page.
    pub fn label(&self) -> String {
        let case = self.case.to_string();
        let tail = case.get(24..).unwrap_or_default().to_uppercase();
        format!("{tail} {:02} {}/{}", self.paper.code(), self.page, self.pages)
    }
}

impl std::fmt::Display for SheetCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = self.bytes();
        bytes.extend_from_slice(&sum(&bytes));
        f.write_str(PREFIX)?;
        f.write_str(&encode(&bytes))
    }
}

impl std::str::FromStr for SheetCode {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        let digits = text.trim().strip_prefix(PREFIX).ok_or(NotACode::Foreign)?;
        let bytes = decode(digits).ok_or(NotACode::Damaged)?;
        let (said, check) = bytes.split_last_chunk::<4>().ok_or(NotACode::Damaged)?;
        if sum(said) != *check {
            return Err(NotACode::Damaged);
        }
        read(said)
    }
}

impl TryFrom<String> for SheetCode {
    type Error = NotACode;

    fn try_from(text: String) -> Result<Self, NotACode> {
        text.parse()
    }
}

impl From<SheetCode> for String {
    fn from(code: SheetCode) -> Self {
        code.to_string()
    }
}

/// Reads what the check sum has vouched for.
fn read(bytes: &[u8]) -> Result<SheetCode, NotACode> {
    let (case, rest) = bytes.split_first_chunk::<16>().ok_or(NotACode::Damaged)?;
    let (paper, rest) = rest.split_first_chunk::<2>().ok_or(NotACode::Damaged)?;
    let (edition, rest) = rest.split_first_chunk::<4>().ok_or(NotACode::Damaged)?;
    let (page, rest) = rest.split_first_chunk::<2>().ok_or(NotACode::Damaged)?;
    let pages: [u8; 2] = rest.try_into().map_err(|_| NotACode::Damaged)?;
    let (paper, page, pages) = (u16::from_be_bytes(*paper), u16::from_be_bytes(*page), u16::from_be_bytes(pages));
    if page == 0 || page > pages {
        return Err(NotACode::Damaged);
    }
    let paper = Paper::of_code(paper).ok_or(NotACode::UnknownPaper(paper))?;
    Ok(SheetCode { case: CaseId::from_bytes(*case), paper, edition: u32::from_be_bytes(*edition), page, pages })
}

fn sum(bytes: &[u8]) -> [u8; 4] {
    let Hash(hash) = Hash::of(b"wuji sheet 1").chain(bytes);
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(DIGITS);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits = bits.saturating_add(8);
        while bits >= 5 {
            bits = bits.saturating_sub(5);
            text.push(digit(held.wrapping_shr(bits)));
            held &= 1_u32.wrapping_shl(bits).wrapping_sub(1);
        }
    }
    if bits > 0 {
        text.push(digit(held.wrapping_shl(5_u32.saturating_sub(bits))));
    }
    text
}

fn digit(five: u32) -> char {
    let index = usize::try_from(five & 31).unwrap_or(0);
    ALPHABET.get(index).map_or('0', |byte| char::from(*byte))
}

/// The bytes of so many digits, of which each value has one form.
fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() != DIGITS {
        return None;
    }
    let mut bytes = Vec::with_capacity(BYTES);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let five = ALPHABET.iter().position(|held| *held == byte)?;
        held = (held << 5) | u32::try_from(five).ok()?;
        bits = bits.saturating_add(5);
        if bits >= 8 {
            bits = bits.saturating_sub(8);
            bytes.push(u8::try_from(held.wrapping_shr(bits)).ok()?);
            held &= 1_u32.wrapping_shl(bits).wrapping_sub(1);
        }
    }
    (held == 0 && bytes.len() == BYTES).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> SheetCode {
        SheetCode { case: CaseId::from_bytes([7; 16]), paper: Paper::Record, edition: 12, page: 2, pages: 3 }
    }

    #[test]
    fn a_code_is_read_as_it_was_printed() {
        for paper in Paper::ALL {
            let printed = SheetCode { paper: *paper, edition: u32::MAX, ..code() };
            assert_eq!(printed.to_string().parse(), Ok(printed));
        }
        assert_eq!(code().to_string().len(), PREFIX.len() + DIGITS);
        assert_eq!(code().label(), "07070707 06 2/3");
    }

    #[test]
    fn a_character_that_was_misread_or_two_that_changed_places_are_found() {
        let printed = code().to_string();
        for at in PREFIX.len()..printed.len() {
            let mut bytes = printed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'Z' { b'Y' } else { b'Z' };
            let misread = String::from_utf8(bytes).unwrap();
            assert_eq!(misread.parse::<SheetCode>(), Err(NotACode::Damaged), "{misread}");
            if at + 1 < printed.len() {
                let mut bytes = printed.clone().into_bytes();
                bytes.swap(at, at + 1);
                let swapped = String::from_utf8(bytes).unwrap();
                assert_eq!(swapped.parse::<SheetCode>().is_ok(), swapped == printed, "{swapped}");
            }
        }
    }

    #[test]
    fn what_is_no_code_of_a_sheet_is_told_from_one_that_is_damaged() {
        let printed = code().to_string();
        for foreign in ["", "https://example.org/", "WJ2000", "张三"] {
            assert_eq!(foreign.parse::<SheetCode>(), Err(NotACode::Foreign), "{foreign}");
        }
        let lower = format!("WJ1{}", printed[3..].to_lowercase());
        for damaged in [&printed[..20], &format!("{printed}0"), &lower, "WJ1", "WJ1张三"] {
            assert_eq!(damaged.parse::<SheetCode>(), Err(NotACode::Damaged), "{damaged}");
        }
    }

    fn sealed(bytes: &[u8]) -> String {
        let whole = [bytes, &sum(bytes)].concat();
        format!("{PREFIX}{}", encode(&whole))
    }

    #[test]
    fn a_code_of_a_later_paper_or_of_a_page_that_cannot_be_is_refused() {
        let mut bytes = code().bytes();
        bytes[16..18].copy_from_slice(&999_u16.to_be_bytes());
        assert_eq!(sealed(&bytes).parse::<SheetCode>(), Err(NotACode::UnknownPaper(999)));
        for (page, pages) in [(0, 3), (4, 3)] {
            let wrong = SheetCode { page, pages, ..code() };
            assert_eq!(sealed(&wrong.bytes()).parse::<SheetCode>(), Err(NotACode::Damaged));
        }
    }
}
