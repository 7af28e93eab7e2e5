//! Parcels: what waits for a neighbour, in one file, for where no network passes.
//!
//! ```text
//! parcel = head · n × introduction · m × bundle
//! head   = magic · format · alg · from · key id · to · made · n · m · chain hash of all records · signature
//! record = kind · length · bytes          a directory entry in bincode, or a bundle as it travels
//! ```
//!
//! The head is signed by the neighbour that made the file, as a link is proven by its certificate. The records need no
//! proof of it: an entry carries the authority's, a bundle its origin's.

use crate::chain::{Hash, Signature};
use crate::directory::{KeyId, SignedEntry};
use crate::id::NodeId;
use crate::time::UnixMillis;

use super::codec;
use super::limits::BUNDLE_BYTES_MAX;

/// What a file begins with.
const MAGIC: &[u8; 8] = b"wujiparc";
const FORMAT: u8 = 1;
/// Ed25519.
const ALGORITHM: u8 = 1;
const SIGNATURE_BYTES: usize = 64;
const SIGNED_BYTES: usize = 8 + 1 + 1 + 16 + 8 + 16 + 8 + 4 + 4 + 32;
/// Bytes of a head.
pub const HEAD_BYTES: usize = SIGNED_BYTES + SIGNATURE_BYTES;
/// Bytes before those of a record.
pub const RECORD_HEAD_BYTES: usize = 5;
/// Bytes of one introduction at most.
pub const INTRODUCTION_BYTES_MAX: usize = 1024;

const INTRODUCTION: u8 = 1;
const BUNDLE: u8 = 2;

/// What a parcel says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParcelHead {
    /// Who made it.
    pub from: NodeId,
    /// Its key.
    pub key: KeyId,
    /// The neighbour that it is for.
    pub to: NodeId,
    /// When it was made, by the maker's clock.
    pub made: UnixMillis,
    /// Directory entries in it.
    pub introductions: u32,
    /// Bundles in it.
    pub bundles: u32,
    /// Chain over all records, from [`Hash::ZERO`].
    pub hash: Hash,
}

/// A head with the proof of its maker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedHead {
    /// What it says.
    pub head: ParcelHead,
    /// The maker's signature over [`ParcelHead::signed_bytes`].
    pub signature: Signature,
}

/// What one record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// A directory entry.
    Introduction,
    /// A bundle.
    Bundle,
}

/// Why a file is no parcel that this version reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAParcel {
    /// It begins with something else.
    #[error("the file is no parcel")]
    Foreign,
    /// Of a later version.
    #[error("the parcel has a format of another version")]
    Format,
    /// It ends too early.
    #[error("the parcel is cut short")]
    Short,
    /// It goes on behind its last record.
    #[error("bytes follow the parcel")]
    Trailing,
    /// A record of an unknown kind, or not in the order that the head says.
    #[error("a record of the parcel is not in its place")]
    Order,
    /// A record above its limit.
    #[error("a record of the parcel is above a limit")]
    TooLarge,
    /// An introduction that is none.
    #[error("an introduction of the parcel cannot be read")]
    Introduction,
    /// The records are not those that the head was made over.
    #[error("the parcel is damaged: its checksum does not hold")]
    Checksum,
}

impl ParcelHead {
    /// What the maker signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&[FORMAT, ALGORITHM]);
        bytes.extend_from_slice(self.from.as_bytes());
        bytes.extend_from_slice(&self.key.0);
        bytes.extend_from_slice(self.to.as_bytes());
        bytes.extend_from_slice(&self.made.0.to_be_bytes());
        bytes.extend_from_slice(&self.introductions.to_be_bytes());
        bytes.extend_from_slice(&self.bundles.to_be_bytes());
        bytes.extend_from_slice(&self.hash.0);
        bytes
    }
}

impl SignedHead {
    /// As it stands at the beginning of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.head.signed_bytes();
        bytes.extend_from_slice(&self.signature.0);
        bytes
    }

    /// Reads a head from the front of `bytes`, and gives what follows. The signature is not checked here.
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), NotAParcel> {
        let mut rest = Front(bytes);
        if rest.array::<8>().map_err(|_| NotAParcel::Foreign)? != *MAGIC {
            return Err(NotAParcel::Foreign);
        }
        if rest.array()? != [FORMAT, ALGORITHM] {
            return Err(NotAParcel::Format);
        }
        let head = ParcelHead {
            from: NodeId::from_bytes(rest.array()?),
            key: KeyId(rest.array()?),
            to: NodeId::from_bytes(rest.array()?),
            made: UnixMillis(i64::from_be_bytes(rest.array()?)),
            introductions: u32::from_be_bytes(rest.array()?),
            bundles: u32::from_be_bytes(rest.array()?),
            hash: Hash(rest.array()?),
        };
        Ok((Self { head, signature: Signature(rest.array()?) }, rest.0))
    }
}

/// Lays out one record; none when it is above its limit.
pub fn record(kind: RecordKind, bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= kind.bytes_max())?;
    let mut record = vec![kind.to_byte()];
    record.extend_from_slice(&length.to_be_bytes());
    record.extend_from_slice(bytes);
    Some(record)
}

/// Lays out an entry as a record.
pub fn introduction(entry: &SignedEntry) -> Option<Vec<u8>> {
    record(RecordKind::Introduction, &codec::encode_unbounded(entry))
}

/// Reads an entry out of the bytes of a record.
pub fn introduced(bytes: &[u8]) -> Result<SignedEntry, NotAParcel> {
    codec::decode(bytes, INTRODUCTION_BYTES_MAX).map_err(|_| NotAParcel::Introduction)
}

/// Reads what stands before the bytes of a record: what they are, and how many follow.
pub fn record_head(bytes: [u8; RECORD_HEAD_BYTES]) -> Result<(RecordKind, usize), NotAParcel> {
    let [kind, length @ ..] = bytes;
    let kind = RecordKind::from_byte(kind).ok_or(NotAParcel::Order)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| NotAParcel::TooLarge)?;
    if length > kind.bytes_max() {
        return Err(NotAParcel::TooLarge);
    }
    Ok((kind, length))
}

/// Reads one record from the front of `bytes`, and gives what follows.
pub fn first_record(bytes: &[u8]) -> Result<(RecordKind, &[u8], &[u8]), NotAParcel> {
    let mut rest = Front(bytes);
    let (kind, length) = record_head(rest.array()?)?;
    let (record, rest) = rest.0.split_at_checked(length).ok_or(NotAParcel::Short)?;
    Ok((kind, record, rest))
}

impl RecordKind {
    fn to_byte(self) -> u8 {
        match self {
            Self::Introduction => INTRODUCTION,
            Self::Bundle => BUNDLE,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            INTRODUCTION => Some(Self::Introduction),
            BUNDLE => Some(Self::Bundle),
            _ => None,
        }
    }

    /// Bytes of one such record at most.
    pub fn bytes_max(self) -> usize {
        match self {
            Self::Introduction => INTRODUCTION_BYTES_MAX,
            Self::Bundle => BUNDLE_BYTES_MAX,
        }
    }
}

/// Holds the records of a file to what its head says: their order, their number, their checksum.
#[derive(Debug, Clone)]
pub struct Tally {
    introductions: u32,
    bundles: u32,
    hash: Hash,
    due: Hash,
}

impl Tally {
    /// Before the first record.
    pub fn of(head: &ParcelHead) -> Self {
        Self { introductions: head.introductions, bundles: head.bundles, hash: Hash::ZERO, due: head.hash }
    }

    /// Whether every record was counted.
    pub fn is_complete(&self) -> bool {
        self.introductions == 0 && self.bundles == 0
    }

    /// Counts the next record.
    pub fn count(&mut self, kind: RecordKind, bytes: &[u8]) -> Result<(), NotAParcel> {
        let left = match kind {
            RecordKind::Introduction => &mut self.introductions,
            RecordKind::Bundle if self.introductions > 0 => return Err(NotAParcel::Order),
            RecordKind::Bundle => &mut self.bundles,
        };
        *left = left.checked_sub(1).ok_or(NotAParcel::Order)?;
        self.hash = self.hash.chain(bytes);
        Ok(())
    }

    /// Judges the checksum, after the last record.
    pub fn finish(&self) -> Result<(), NotAParcel> {
        if !self.is_complete() {
            return Err(NotAParcel::Short);
        }
        if self.hash == self.due { Ok(()) } else { Err(NotAParcel::Checksum) }
    }
}

struct Front<'a>(&'a [u8]);

impl Front<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotAParcel> {
        let (front, rest) = self.0.split_first_chunk::<N>().ok_or(NotAParcel::Short)?;
        self.0 = rest;
        Ok(*front)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> SignedHead {
        let (from, to) = (NodeId::from_bytes([1; 16]), NodeId::from_bytes([2; 16]));
        let hash = Hash::ZERO.chain(b"one");
        let head = ParcelHead { from, key: KeyId([3; 8]), to, made: UnixMillis(4), introductions: 0, bundles: 1, hash };
        SignedHead { head, signature: Signature([5; 64]) }
    }

    #[test]
    fn a_head_is_read_as_it_was_written_and_gives_what_follows() {
        let mut bytes = head().to_bytes();
        assert_eq!(bytes.len(), HEAD_BYTES);
        bytes.extend_from_slice(b"rest");
        assert_eq!(SignedHead::parse(&bytes), Ok((head(), b"rest".as_slice())));
    }

    #[test]
    fn a_head_that_is_cut_foreign_or_of_another_version_is_refused() {
        let bytes = head().to_bytes();
        for end in 0..bytes.len() {
            let why = if end < MAGIC.len() { NotAParcel::Foreign } else { NotAParcel::Short };
            assert_eq!(SignedHead::parse(&bytes[..end]), Err(why), "{end}");
        }
        let altered = |at: usize| {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            SignedHead::parse(&bytes).map(|_| ())
        };
        assert_eq!((altered(0), altered(8)), (Err(NotAParcel::Foreign), Err(NotAParcel::Format)));
    }

    #[test]
    fn a_record_that_says_it_is_huge_is_refused_before_its_bytes_are_read() {
        assert_eq!(record_head([BUNDLE, 0xff, 0xff, 0xff, 0xff]), Err(NotAParcel::TooLarge));
        assert_eq!(record_head([INTRODUCTION, 0, 0, 4, 1]), Err(NotAParcel::TooLarge));
        assert_eq!(record_head([9, 0, 0, 0, 1]), Err(NotAParcel::Order));
        assert_eq!(first_record(&[BUNDLE, 0, 0, 0, 2, 7]), Err(NotAParcel::Short));
        assert_eq!(record(RecordKind::Introduction, &[0; INTRODUCTION_BYTES_MAX + 1]), None);
    }

    #[test]
    fn records_count_only_in_the_order_the_number_and_the_bytes_that_the_head_says() {
        let one = |kind, bytes: &[u8]| {
            let mut tally = Tally::of(&head().head);
            tally.count(kind, bytes).and_then(|()| tally.finish())
        };
        assert_eq!(one(RecordKind::Bundle, b"one"), Ok(()));
        assert_eq!(one(RecordKind::Bundle, b"two"), Err(NotAParcel::Checksum));
        assert_eq!(one(RecordKind::Introduction, b"one"), Err(NotAParcel::Order));
        assert_eq!(Tally::of(&head().head).finish(), Err(NotAParcel::Short));
        let mut early = Tally::of(&ParcelHead { introductions: 1, ..head().head });
        assert_eq!(early.count(RecordKind::Bundle, b"one"), Err(NotAParcel::Order));
    }
}
