//! An archive's bytes in chunks, each with a tag that also binds its place and whether it is the last: nothing can be
//! altered, cut off, doubled or moved unnoticed. With a key the chunks are encrypted (ChaCha20-Poly1305); without one the
//! tag is a hash, which finds damage but proves no author.

use std::io::{self, Read, Write};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use super::lock::ArchiveKey;

/// Bytes of a chunk.
const CHUNK: usize = 64 * 1024;
/// Bytes of its tag.
const TAG: usize = 16;
/// The last chunk says so in the top bit of its length.
const LAST: u32 = 1 << 31;

struct Sealer {
    cipher: Option<LessSafeKey>,
    /// Hash of the archive's head: chunks of one archive fit no other.
    head: [u8; 32],
    counter: u64,
}

impl Sealer {
    fn new(key: Option<&ArchiveKey>, head: &[u8]) -> io::Result<Self> {
        let unusable = |_| io::Error::other("a key cannot be used");
        let cipher = key.map(|key| UnboundKey::new(&CHACHA20_POLY1305, &**key).map(LessSafeKey::new)).transpose();
        Ok(Self { cipher: cipher.map_err(unusable)?, head: *blake3::hash(head).as_bytes(), counter: 0 })
    }

    fn next(&mut self, last: bool) -> (Nonce, [u8; 33], u64) {
        let place = self.counter;
        self.counter = self.counter.saturating_add(1);
        let mut nonce = [0; 12];
        if let Some(low) = nonce.get_mut(4..) {
            low.copy_from_slice(&place.to_be_bytes());
        }
        let mut about = [0; 33];
        if let Some(head) = about.get_mut(1..) {
            head.copy_from_slice(&self.head);
        }
        if let Some(flag) = about.first_mut() {
            *flag = u8::from(last);
        }
        (Nonce::assume_unique_for_key(nonce), about, place)
    }

    fn hash(about: &[u8; 33], place: u64, body: &[u8]) -> [u8; TAG] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(about).update(&place.to_be_bytes()).update(body);
        let mut tag = [0; TAG];
        hasher.finalize_xof().fill(&mut tag);
        tag
    }

    /// Body and tag as they stand in the file.
    fn seal(&mut self, body: &[u8], last: bool) -> io::Result<Vec<u8>> {
        let (nonce, about, place) = self.next(last);
        let mut bytes = body.to_vec();
        match &self.cipher {
            Some(cipher) => cipher
                .seal_in_place_append_tag(nonce, Aad::from(about), &mut bytes)
                .map_err(|_| io::Error::other("a chunk cannot be encrypted"))?,
            None => bytes.extend_from_slice(&Self::hash(&about, place, body)),
        }
        Ok(bytes)
    }

    fn open(&mut self, mut bytes: Vec<u8>, last: bool) -> io::Result<Vec<u8>> {
        let (nonce, about, place) = self.next(last);
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, format!("the archive is damaged in chunk {place}"));
        let length = bytes.len().checked_sub(TAG).ok_or_else(damaged)?;
        match &self.cipher {
            Some(cipher) => {
                cipher.open_in_place(nonce, Aad::from(about), &mut bytes).map_err(|_| damaged())?;
            }
            None => {
                let (body, tag) = bytes.split_at(length);
                if tag != Self::hash(&about, place, body) {
                    return Err(damaged());
                }
            }
        }
        bytes.truncate(length);
        Ok(bytes)
    }
}

/// Writes chunks.
pub struct ChunkWriter<W> {
    out: W,
    sealer: Sealer,
    pending: Vec<u8>,
}

impl<W: Write> ChunkWriter<W> {
    /// Chunks after a head that was written already.
    pub fn new(out: W, key: Option<&ArchiveKey>, head: &[u8]) -> io::Result<Self> {
        Ok(Self { out, sealer: Sealer::new(key, head)?, pending: Vec::with_capacity(CHUNK) })
    }

    fn put(&mut self, body: &[u8], last: bool) -> io::Result<()> {
        let bytes = self.sealer.seal(body, last)?;
        let length = u32::try_from(body.len()).map_err(|_| io::Error::other("a chunk is too large"))?;
        self.out.write_all(&(length | if last { LAST } else { 0 }).to_be_bytes())?;
        self.out.write_all(&bytes)
    }

    /// Writes the last chunk, and gives back what was written to.
    pub fn finish(mut self) -> io::Result<W> {
        let pending = std::mem::take(&mut self.pending);
        self.put(&pending, true)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for ChunkWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = CHUNK.saturating_sub(self.pending.len());
        let (now, _) = bytes.split_at(room.min(bytes.len()));
        self.pending.extend_from_slice(now);
        if self.pending.len() == CHUNK {
            let full = std::mem::replace(&mut self.pending, Vec::with_capacity(CHUNK));
            self.put(&full, false)?;
        }
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads chunks.
pub struct ChunkReader<R> {
    from: R,
    sealer: Sealer,
    body: io::Cursor<Vec<u8>>,
    ended: bool,
}

impl<R: Read> ChunkReader<R> {
    /// Chunks after a head that was read already.
    pub fn new(from: R, key: Option<&ArchiveKey>, head: &[u8]) -> io::Result<Self> {
        Ok(Self { from, sealer: Sealer::new(key, head)?, body: io::Cursor::default(), ended: false })
    }

    fn next(&mut self) -> io::Result<()> {
        let short = |_| io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is cut short");
        let mut length = [0; 4];
        self.from.read_exact(&mut length).map_err(short)?;
        let length = u32::from_be_bytes(length);
        let (last, length) = (length & LAST != 0, usize::try_from(length & !LAST).unwrap_or(usize::MAX));
        if length > CHUNK {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the archive is damaged: a chunk is too long"));
        }
        let mut bytes = vec![0; length.saturating_add(TAG)];
        self.from.read_exact(&mut bytes).map_err(short)?;
        self.body = io::Cursor::new(self.sealer.open(bytes, last)?);
        self.ended = last;
        if last && self.from.read(&mut [0])? > 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "bytes follow the archive's end"));
        }
        Ok(())
    }
}

impl<R: Read> Read for ChunkReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.body.read(buffer)?;
            if read > 0 || self.ended || buffer.is_empty() {
                return Ok(read);
            }
            self.next()?;
        }
    }
}
