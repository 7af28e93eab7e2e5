//! Frames: what a stream carries on one hop.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::limits::{BUNDLE_BYTES_MAX, CONTROL_BYTES_MAX};

/// The lanes of a link, each a stream of its own: an escalation never waits for a photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Greeting, acknowledgements, inventories.
    Control,
    /// Everything about cases.
    Cases,
    /// Facts, tallies, watermarks.
    Statistics,
    /// Attachments.
    Bulk,
}

impl Lane {
    /// Lanes that carry numbered bundles.
    pub const NUMBERED: [Self; 3] = [Self::Cases, Self::Statistics, Self::Bulk];

    /// 0 to 3.
    pub fn index(self) -> u8 {
        match self {
            Self::Control => 0,
            Self::Cases => 1,
            Self::Statistics => 2,
            Self::Bulk => 3,
        }
    }

    /// The lane with this index.
    pub fn from_index(index: u8) -> Option<Self> {
        match index {
            0 => Some(Self::Control),
            1 => Some(Self::Cases),
            2 => Some(Self::Statistics),
            3 => Some(Self::Bulk),
            _ => None,
        }
    }
}

/// The number of a bundle in one lane of one direction of one link, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct LinkSeq(pub u64);

impl LinkSeq {
    /// The next number.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrameKind {
    /// A numbered bundle.
    Bundle,
    /// Reserved: a red or orange bundle shown ahead of its number.
    Preview,
    /// A control frame.
    Control,
}

/// Bytes of a frame's head: kind, link number, length.
pub const FRAME_HEAD_BYTES: usize = 13;

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHead {
    /// What follows.
    pub kind: FrameKind,
    /// Link number, from 1 on bundles; 0 on frames of other kinds.
    pub seq: LinkSeq,
    /// Bytes that follow.
    pub length: u32,
}

/// A head that no honest peer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// A kind that this version does not know.
    #[error("unknown frame kind {0}")]
    Kind(u8),
    /// Longer than the kind allows.
    #[error("a frame of {0} bytes is above the limit")]
    Length(u32),
    /// A bundle without a number, or something else with one.
    #[error("the number {0} does not suit the kind of frame")]
    Number(u64),
}

impl FrameHead {
    /// The head in bytes.
    pub fn to_bytes(self) -> [u8; FRAME_HEAD_BYTES] {
        let kind: u8 = match self.kind {
            FrameKind::Bundle => 1,
            FrameKind::Preview => 2,
            FrameKind::Control => 16,
        };
        let mut bytes = [0; FRAME_HEAD_BYTES];
        let parts = [kind].into_iter().chain(self.seq.0.to_be_bytes()).chain(self.length.to_be_bytes());
        for (to, from) in bytes.iter_mut().zip(parts) {
            *to = from;
        }
        bytes
    }

    /// Reads a head and checks the length before anything is allocated for it.
    pub fn from_bytes(bytes: &[u8; FRAME_HEAD_BYTES]) -> Result<Self, BadFrame> {
        let [kind, a, b, c, d, e, f, g, h, w, x, y, z] = *bytes;
        let (kind, max) = match kind {
            1 => (FrameKind::Bundle, BUNDLE_BYTES_MAX),
            2 => (FrameKind::Preview, BUNDLE_BYTES_MAX),
            16 => (FrameKind::Control, CONTROL_BYTES_MAX),
            other => return Err(BadFrame::Kind(other)),
        };
        let length = u32::from_be_bytes([w, x, y, z]);
        if usize::try_from(length).map_or(true, |l| l > max) {
            return Err(BadFrame::Length(length));
        }
        let seq = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        if (kind == FrameKind::Bundle) != (seq > 0) {
            return Err(BadFrame::Number(seq));
        }
        Ok(Self { kind, seq: LinkSeq(seq), length })
    }
}
