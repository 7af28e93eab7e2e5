//! The archive of a node: one file, from either database and for either.
//!
//! A head in plain JSON says what it is and how it is locked. Behind it, in [`chunks`](super::chunks): files (the
//! configuration; keys, if asked for), tables row by row, and a manifest with a hash for each part.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use protocol::division::DivisionCode;
use protocol::id::NodeId;
use protocol::time::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::store::dump::{Cell, Table};

use super::chunks::{ChunkReader, ChunkWriter};
use super::lock::{self, ArchiveKey, Lock, OpenWith};

const MAGIC: &[u8; 8] = b"WUJIBAK\n";
/// The form of the archive. Another one is another program's.
const FORMAT: u32 = 1;
const HEAD_BYTES_MAX: u32 = 64 * 1024;
/// The largest single entry: far above any row or file of a node.
const ENTRY_BYTES_MAX: u32 = 256 * 1024 * 1024;

const FILE: u8 = 1;
const TABLE: u8 = 2;
const ROW: u8 = 3;
const TABLE_END: u8 = 4;
const MANIFEST: u8 = 5;

/// What an archive says of itself before it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The form of the file.
    pub format: u32,
    /// The version of the program that made it.
    pub program: String,
    /// When.
    pub made_at: UnixMillis,
    /// Of which node.
    pub node: NodeId,
    /// Where that node hangs.
    pub division: DivisionCode,
    /// Its name.
    pub name: String,
    /// The version of the database schema.
    pub schema: i64,
    /// The node's keys are in it.
    pub keys: bool,
    /// It is of what belongs to a pack itself, not of a node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pack: bool,
    /// How it is locked.
    pub lock: Lock,
}

impl Head {
    /// A head of this program's form.
    pub fn new(made_at: UnixMillis, config: &crate::config::NodeSection, schema: i64, keys: bool, lock: Lock) -> Self {
        Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            made_at,
            node: config.id,
            division: config.division,
            name: config.name.clone(),
            schema,
            keys,
            pack: false,
            lock,
        }
    }
}

/// A part of an archive as its manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// A file's path, or a table's name.
    pub name: String,
    /// Rows of a table; none: a file.
    pub rows: Option<u64>,
    /// Bytes.
    pub bytes: u64,
    /// BLAKE3 of them.
    pub blake3: String,
}

/// Takes bytes into a hash and passes them on.
#[derive(Default)]
struct Tally {
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Tally {
    fn add(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }

    fn part(&self, name: &str, rows: Option<u64>) -> Part {
        Part { name: name.to_owned(), rows, bytes: self.bytes, blake3: self.hasher.finalize().to_hex().to_string() }
    }
}

/// Writes an archive.
pub struct ArchiveWriter {
    out: ChunkWriter<BufWriter<File>>,
    parts: Vec<Part>,
    table: Option<(String, u64, Tally)>,
}

fn length(bytes: usize) -> anyhow::Result<[u8; 4]> {
    Ok(u32::try_from(bytes).context("a value is too large for an archive")?.to_be_bytes())
}

fn encoded(row: &[Cell]) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for cell in row {
        match cell {
            Cell::Null => bytes.push(0),
            Cell::Int(number) => {
                bytes.push(1);
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            Cell::Bytes(value) => {
                bytes.push(2);
                bytes.extend_from_slice(&length(value.len())?);
                bytes.extend_from_slice(value);
            }
            Cell::Text(value) => {
                bytes.push(3);
                bytes.extend_from_slice(&length(value.len())?);
                bytes.extend_from_slice(value.as_bytes());
            }
        }
    }
    Ok(bytes)
}

fn decoded(mut bytes: &[u8]) -> anyhow::Result<Vec<Cell>> {
    let mut row = Vec::new();
    while let Some((kind, rest)) = bytes.split_first() {
        bytes = rest;
        row.push(match kind {
            0 => Cell::Null,
            1 => Cell::Int(i64::from_be_bytes(take(&mut bytes, 8)?.try_into()?)),
            2 | 3 => {
                let length = u32::from_be_bytes(take(&mut bytes, 4)?.try_into()?);
                let value = take(&mut bytes, usize::try_from(length)?)?;
                if *kind == 2 { Cell::Bytes(value.to_vec()) } else { Cell::Text(String::from_utf8(value.to_vec())?) }
            }
            other => bail!("a value of the unknown kind {other}"),
        });
    }
    Ok(row)
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> anyhow::Result<&'a [u8]> {
    let (value, rest) = bytes.split_at_checked(count).context("a row is cut short")?;
    *bytes = rest;
    Ok(value)
}

impl ArchiveWriter {
    /// Begins an archive in a new file that nobody but its owner can read.
    pub fn create(path: &Path, head: &Head, key: Option<&ArchiveKey>) -> anyhow::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut out = BufWriter::new(file.with_context(|| format!("{} cannot be made", path.display()))?);
        let head = serde_json::to_vec(head)?;
        out.write_all(MAGIC)?;
        out.write_all(&length(head.len())?)?;
        out.write_all(&head)?;
        Ok(Self { out: ChunkWriter::new(out, key, &head)?, parts: Vec::new(), table: None })
    }

    fn record(&mut self, kind: u8, body: &[u8]) -> anyhow::Result<()> {
        let size = length(body.len())?;
        ensure!(u32::from_be_bytes(size) <= ENTRY_BYTES_MAX, "an entry is too large for an archive");
        self.out.write_all(&[kind])?;
        self.out.write_all(&size)?;
        Ok(self.out.write_all(body)?)
    }

    /// Adds a file.
    pub fn file(&mut self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let mut tally = Tally::default();
        tally.add(bytes);
        let mut body = length(name.len())?.to_vec();
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(bytes);
        self.parts.push(tally.part(name, None));
        self.record(FILE, &body)
    }

    /// Begins a table.
    pub fn table(&mut self, table: &Table) -> anyhow::Result<()> {
        self.table = Some((table.name.clone(), 0, Tally::default()));
        self.record(TABLE, &serde_json::to_vec(table)?)
    }

    /// Adds a row to the table that was begun.
    pub fn row(&mut self, row: &[Cell]) -> anyhow::Result<()> {
        let bytes = encoded(row)?;
        let (_, rows, tally) = self.table.as_mut().context("a row without a table")?;
        *rows = rows.saturating_add(1);
        tally.add(&bytes);
        self.record(ROW, &bytes)
    }

    /// Ends the table.
    pub fn end_table(&mut self) -> anyhow::Result<()> {
        let (name, rows, tally) = self.table.take().context("no table was begun")?;
        self.parts.push(tally.part(&name, Some(rows)));
        self.record(TABLE_END, &[])
    }

    /// Writes the manifest and brings everything to the disk.
    pub fn finish(mut self) -> anyhow::Result<Vec<Part>> {
        self.record(MANIFEST, &serde_json::to_vec(&self.parts)?)?;
        let file = self.out.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(self.parts)
    }
}

/// Something read out of an archive.
#[derive(Debug)]
pub enum Entry {
    /// A file.
    File(String, Vec<u8>),
    /// A table begins.
    Table(Table),
    /// A row of it.
    Row(Vec<Cell>),
    /// It ends.
    TableEnd,
    /// The archive ends, and everything was as its manifest says.
    End(Vec<Part>),
}

/// Reads an archive.
pub struct ArchiveReader {
    /// Its head.
    pub head: Head,
    from: ChunkReader<BufReader<File>>,
    parts: Vec<Part>,
    table: Option<(String, u64, Tally)>,
}

/// Reads the head of an archive, and leaves the file behind it.
fn read_head(path: &Path) -> anyhow::Result<(Head, Vec<u8>, BufReader<File>)> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let mut from = BufReader::with_capacity(128 * 1024, file);
    let (mut magic, mut size) = ([0; 8], [0; 4]);
    let read = from.read_exact(&mut magic).and_then(|()| from.read_exact(&mut size));
    ensure!(read.is_ok() && &magic == MAGIC, "{} is no backup of a node", path.display());
    let size = u32::from_be_bytes(size);
    ensure!(size <= HEAD_BYTES_MAX, "{}: the head is damaged", path.display());
    let mut bytes = vec![0; usize::try_from(size)?];
    from.read_exact(&mut bytes).with_context(|| format!("{} is cut short", path.display()))?;
    let said: serde_json::Value =
        serde_json::from_slice(&bytes).with_context(|| format!("{}: the head is damaged", path.display()))?;
    let format = said.get("format").and_then(serde_json::Value::as_u64);
    ensure!(
        format == Some(u64::from(FORMAT)),
        "{} is of another form ({}) than this program reads ({FORMAT}): use the program that made it",
        path.display(),
        format.map_or_else(|| "none".to_owned(), |f| f.to_string()),
    );
    let head = serde_json::from_value(said).with_context(|| format!("{}: the head is damaged", path.display()))?;
    Ok((head, bytes, from))
}

/// What an archive says of itself.
pub fn head_of(path: &Path) -> anyhow::Result<Head> {
    read_head(path).map(|(head, ..)| head)
}

impl ArchiveReader {
    /// Opens an archive.
    pub fn open(path: &Path, with: &OpenWith) -> anyhow::Result<Self> {
        let key = lock::open(&head_of(path)?.lock, with)?;
        Self::open_with_key(path, key)
    }

    /// Opens an archive with its own key.
    pub(super) fn open_with_key(path: &Path, key: Option<ArchiveKey>) -> anyhow::Result<Self> {
        let (head, bytes, from) = read_head(path)?;
        let from = ChunkReader::new(from, key.as_ref(), &bytes)?;
        Ok(Self { head, from, parts: Vec::new(), table: None })
    }

    /// The next thing in it.
    pub fn next_entry(&mut self) -> anyhow::Result<Entry> {
        let (mut kind, mut size) = ([0; 1], [0; 4]);
        self.from.read_exact(&mut kind)?;
        self.from.read_exact(&mut size)?;
        let size = u32::from_be_bytes(size);
        ensure!(size <= ENTRY_BYTES_MAX, "the archive is damaged: an entry is too large");
        let mut body = vec![0; usize::try_from(size)?];
        self.from.read_exact(&mut body)?;
        match kind {
            [FILE] => {
                let mut rest = body.as_slice();
                let length = u32::from_be_bytes(take(&mut rest, 4)?.try_into()?);
                let name = String::from_utf8(take(&mut rest, usize::try_from(length)?)?.to_vec())?;
                let mut tally = Tally::default();
                tally.add(rest);
                self.parts.push(tally.part(&name, None));
                Ok(Entry::File(name, rest.to_vec()))
            }
            [TABLE] => {
                let table: Table = serde_json::from_slice(&body).context("a table's columns cannot be read")?;
                self.table = Some((table.name.clone(), 0, Tally::default()));
                Ok(Entry::Table(table))
            }
            [ROW] => {
                let (_, rows, tally) = self.table.as_mut().context("a row without a table")?;
                *rows = rows.saturating_add(1);
                tally.add(&body);
                decoded(&body).map(Entry::Row)
            }
            [TABLE_END] => {
                let (name, rows, tally) = self.table.take().context("a table ends that did not begin")?;
                self.parts.push(tally.part(&name, Some(rows)));
                Ok(Entry::TableEnd)
            }
            [MANIFEST] => self.end(&body),
            [other] => bail!("the archive is damaged: an entry of the unknown kind {other}"),
        }
    }

    fn end(&mut self, body: &[u8]) -> anyhow::Result<Entry> {
        let said: Vec<Part> = serde_json::from_slice(body).context("the manifest cannot be read")?;
        ensure!(said == self.parts, "the archive does not hold what its manifest says");
        ensure!(self.from.read(&mut [0])? == 0, "the archive goes on behind its manifest");
        Ok(Entry::End(said))
    }
}

/// Reads an archive to its end. Gives its head and its manifest; an error says what is wrong with it.
pub fn check(path: &Path, with: &OpenWith, mut seen: impl FnMut()) -> anyhow::Result<(Head, Vec<Part>)> {
    let mut archive = ArchiveReader::open(path, with)?;
    loop {
        let entry = archive.next_entry().with_context(|| format!("{} cannot be used", path.display()))?;
        seen();
        if let Entry::End(parts) = entry {
            return Ok((archive.head, parts));
        }
    }
}

/// One file of an archive, which is read to its end.
pub fn file_of(path: &Path, name: &str, with: &OpenWith) -> anyhow::Result<Vec<u8>> {
    let (mut archive, mut found) = (ArchiveReader::open(path, with)?, None);
    loop {
        match archive.next_entry().with_context(|| format!("{} cannot be used", path.display()))? {
            Entry::File(file, bytes) if file == name => found = Some(bytes),
            Entry::End(_) => return found.with_context(|| format!("{} holds no {name}", path.display())),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &Path) -> String {
        let read = ArchiveReader::open(path, &OpenWith::default()).and_then(|mut archive| archive.next_entry());
        format!("{:#}", read.expect_err("it is refused"))
    }

    #[test]
    fn a_head_that_says_to_be_larger_than_any_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("backup");
        for (size, why) in [(HEAD_BYTES_MAX + 1, "the head is damaged"), (HEAD_BYTES_MAX, "is cut short")] {
            std::fs::write(&path, [MAGIC.as_slice(), &size.to_be_bytes()].concat()).expect("written");
            let told = refused(&path);
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn an_entry_that_says_to_be_larger_than_any_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let head = Head {
            format: FORMAT,
            program: String::new(),
            made_at: UnixMillis(0),
            node: NodeId::from_bytes([1; 16]),
            division: "330600000000".parse().expect("a code"),
            name: String::new(),
            schema: 1,
            keys: false,
            pack: false,
            lock: Lock::Open,
        };
        for (size, why) in [(ENTRY_BYTES_MAX + 1, "an entry is too large"), (1, "failed to fill whole buffer")] {
            let path = folder.path().join(size.to_string());
            let mut archive = ArchiveWriter::create(&path, &head, None).expect("begun");
            archive.out.write_all(&[ROW]).and_then(|()| archive.out.write_all(&size.to_be_bytes())).expect("written");
            archive.out.finish().and_then(|mut file| file.flush()).expect("written");
            let told = refused(&path);
            assert!(told.contains(why), "{told}");
        }
    }
}
