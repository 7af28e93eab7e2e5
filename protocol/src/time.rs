//! Time as values. No rule of correctness compares clocks of two nodes; they order what people see and start terms.

use bincode::de::{BorrowDecoder, Decoder};
use bincode::error::DecodeError;
use bincode::{BorrowDecode, Decode, Encode};
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize)]
pub struct UnixMillis(pub i64);

/// What the signer's clock showed, and by how much its node knew it to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize)]
pub struct ClockReading {
    /// The node's own wall clock.
    pub wall: UnixMillis,
    /// Milliseconds to add to `wall` to reach the parent's time, as measured on the link; 0 while unknown.
    pub offset_ms: i64,
}

impl ClockReading {
    /// The reading of a clock that needs no correction.
    pub fn exact(wall: UnixMillis) -> Self {
        Self { wall, offset_ms: 0 }
    }

    /// The best known time of the act.
    pub fn corrected(self) -> UnixMillis {
        UnixMillis(self.wall.0.saturating_add(self.offset_ms))
    }

    /// The day (UTC+8) of the act, by which it enters the figures.
    pub fn day(self) -> CivilDay {
        CivilDay::of(self.corrected())
    }

    /// The minute of the act.
    pub fn minute(self) -> Minute {
        Minute::of(self.corrected())
    }
}

/// Minutes since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct Minute(pub u32);

impl Minute {
    /// The minute that holds `at`, clamped to the range of the type.
    pub fn of(at: UnixMillis) -> Self {
        let minutes = at.0.div_euclid(60_000).max(0);
        Self(u32::try_from(minutes).unwrap_or(u32::MAX))
    }

    /// The day (UTC+8) that holds it.
    pub fn day(self) -> CivilDay {
        CivilDay::of(UnixMillis(i64::from(self.0).saturating_mul(60_000)))
    }
}

/// A day of the civil calendar in UTC+8, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct CivilDay(i32);

/// The number is no day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("day {0} is out of range")]
pub struct NotADay(i32);

impl TryFrom<i32> for CivilDay {
    type Error = NotADay;
    fn try_from(days: i32) -> Result<Self, NotADay> {
        Self::from_number(days).ok_or(NotADay(days))
    }
}

impl From<CivilDay> for i32 {
    fn from(day: CivilDay) -> Self {
        day.0
    }
}

/// Days that the calendar type accepts: 1900-01-01 to 2199-12-31.
const DAY_MIN: i32 = -25_567;
const DAY_MAX: i32 = 84_005;
const UTC8_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

impl CivilDay {
    /// The day that holds `at`, clamped to the range of the type.
    pub fn of(at: UnixMillis) -> Self {
        let days = at.0.saturating_add(UTC8_MS).div_euclid(DAY_MS);
        let clamped = days.clamp(i64::from(DAY_MIN), i64::from(DAY_MAX));
        Self(i32::try_from(clamped).unwrap_or(DAY_MAX))
    }

    /// The day with this number, if it is in range.
    pub fn from_number(days: i32) -> Option<Self> {
        (DAY_MIN..=DAY_MAX).contains(&days).then_some(Self(days))
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> i32 {
        self.0
    }

    /// This day and `days` more, clamped to the range of the type.
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days).clamp(DAY_MIN, DAY_MAX))
    }
}

impl<C> Decode<C> for CivilDay {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::try_from(i32::decode(decoder)?).map_err(|e| DecodeError::OtherString(e.to_string()))
    }
}

impl<'de, C> BorrowDecode<'de, C> for CivilDay {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}
