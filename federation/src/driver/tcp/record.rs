//! Records: what passes between the two ends of a connection inside TLS. A head of four bytes (kind, lane, length), then
//! so many bytes.

use std::borrow::Cow;

/// Bytes of a head.
pub(super) const HEAD_BYTES: usize = 4;
/// Data in one record. An urgent lane waits for one record of another, so it is small; on 256 kbit/s it lasts a quarter of
/// a second. A record is within one of TLS.
pub(super) const DATA_BYTES_MAX: usize = 8 * 1024;
/// Bytes of the reason in a farewell.
const WHY_BYTES_MAX: usize = 512;
const CODE_BYTES: usize = 4;

/// One record. Lanes are numbers here; whether there is such a lane, the mux knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    /// The next bytes of a lane.
    Data(u8, Vec<u8>),
    /// So many bytes more may be sent on a lane.
    Credit(u8, u32),
    /// Nothing follows on a lane.
    End(u8),
    /// Asks for a sign of life.
    Ping,
    /// Gives one.
    Pong,
    /// The connection is over. A code for programs, a reason for people.
    Close(u32, String),
}

/// What no honest peer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    #[error("a record of unknown kind {0}")]
    Kind(u8),
    #[error("a record of kind {0} with a length of {1}: beyond its limit")]
    Length(u8, u16),
    #[error("a record for lane {0}, which is not open")]
    Lane(u8),
    #[error("more than there was credit for on lane {0}")]
    Credit(u8),
    #[error("something after the end of lane {0}")]
    AfterEnd(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Data,
    Credit,
    End,
    Ping,
    Pong,
    Close,
}

/// A head that may stand before a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    kind: Kind,
    lane: u8,
    length: u16,
}

impl Head {
    /// Judges the length before anything is made ready for the body.
    pub(super) fn parse(bytes: [u8; HEAD_BYTES]) -> Result<Self, Broken> {
        let [number, lane, high, low] = bytes;
        let length = u16::from_be_bytes([high, low]);
        let (kind, lengths) = match number {
            1 => (Kind::Data, 1..=DATA_BYTES_MAX),
            2 => (Kind::Credit, 4..=4),
            3 => (Kind::End, 0..=0),
            4 => (Kind::Ping, 0..=0),
            5 => (Kind::Pong, 0..=0),
            6 => (Kind::Close, CODE_BYTES..=CODE_BYTES.saturating_add(WHY_BYTES_MAX)),
            unknown => return Err(Broken::Kind(unknown)),
        };
        if lengths.contains(&usize::from(length)) {
            Ok(Self { kind, lane, length })
        } else {
            Err(Broken::Length(number, length))
        }
    }

    /// Bytes that follow.
    pub(super) fn length(self) -> usize {
        usize::from(self.length)
    }

    /// The record of this head and its body, which has the head's length.
    pub(super) fn with(self, body: Vec<u8>) -> Result<Record, Broken> {
        let short = Broken::Length(self.kind as u8, self.length);
        let number = |bytes: &[u8]| bytes.first_chunk().map(|four| u32::from_be_bytes(*four)).ok_or(short);
        Ok(match self.kind {
            Kind::Data => Record::Data(self.lane, body),
            Kind::Credit => Record::Credit(self.lane, number(&body)?),
            Kind::End => Record::End(self.lane),
            Kind::Ping => Record::Ping,
            Kind::Pong => Record::Pong,
            Kind::Close => {
                let why = body.get(CODE_BYTES..).unwrap_or_default();
                Record::Close(number(&body)?, String::from_utf8_lossy(why).into_owned())
            }
        })
    }
}

impl Record {
    /// The lane that it is about.
    pub(super) fn lane(&self) -> Option<u8> {
        match self {
            Self::Data(lane, _) | Self::Credit(lane, _) | Self::End(lane) => Some(*lane),
            Self::Ping | Self::Pong | Self::Close(..) => None,
        }
    }

    /// As it travels. Data is cut by the mux, a reason here.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let body = match self {
            Self::Data(_, data) => Cow::Borrowed(data.as_slice()),
            Self::Credit(_, bytes) => bytes.to_be_bytes().to_vec().into(),
            Self::End(_) | Self::Ping | Self::Pong => Cow::default(),
            Self::Close(code, why) => {
                let why = why.get(..why.floor_char_boundary(WHY_BYTES_MAX)).unwrap_or_default();
                [&code.to_be_bytes(), why.as_bytes()].concat().into()
            }
        };
        let kind = match self {
            Self::Data(..) => 1,
            Self::Credit(..) => 2,
            Self::End(_) => 3,
            Self::Ping => 4,
            Self::Pong => 5,
            Self::Close(..) => 6,
        };
        let [high, low] = u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes();
        let mut bytes = vec![kind, self.lane().unwrap_or(0), high, low];
        bytes.extend_from_slice(&body);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Record, Broken> {
        let (head, body) = bytes.split_first_chunk().unwrap();
        let head = Head::parse(*head)?;
        assert_eq!(head.length(), body.len());
        head.with(body.to_vec())
    }

    #[test]
    fn every_record_is_read_as_it_was_written() {
        for record in [
            Record::Data(3, vec![7; DATA_BYTES_MAX]),
            Record::Credit(1, 70_000),
            Record::End(2),
            Record::Ping,
            Record::Pong,
            Record::Close(4, "到此为止".into()),
        ] {
            assert_eq!(read(&record.to_bytes()), Ok(record));
        }
    }

    #[test]
    fn a_long_reason_is_cut_between_two_letters() {
        let Ok(Record::Close(_, why)) = read(&Record::Close(0, "无".repeat(1_000)).to_bytes()) else { panic!() };
        assert_eq!(why, "无".repeat(WHY_BYTES_MAX / 3));
    }

    #[test]
    fn a_length_that_its_kind_does_not_have_is_refused_at_the_head() {
        for (kind, length) in [(1, 0), (1, 8_193), (1, u16::MAX), (2, 3), (3, 1), (4, 1), (5, 1), (6, 3), (6, 517)] {
            let [high, low] = length.to_be_bytes();
            assert_eq!(Head::parse([kind, 0, high, low]), Err(Broken::Length(kind, length)));
        }
        assert_eq!(Head::parse([0, 0, 0, 0]), Err(Broken::Kind(0)));
        assert_eq!(Head::parse([7, 0, 0, 0]), Err(Broken::Kind(7)));
    }
}
