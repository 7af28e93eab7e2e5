//! Parcels as files: written from what waits for a neighbour, read back under their limits.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use protocol::chain::Hash;
use protocol::division::DivisionCode;
use protocol::id::NodeId;
use protocol::wire::parcel::{
    self, HEAD_BYTES, NotAParcel, ParcelHead, RECORD_HEAD_BYTES, RecordKind, SignedHead, Tally,
};

use crate::store::Store;
use crate::store::parcel::Waiting;

/// Bytes of records of one piece, unless one alone is larger.
const PIECE_FILL: usize = 512 * 1024;
/// Records of one piece.
const PIECE_RECORDS_MAX: usize = 512;

/// The node that is meant: by its id, or by the division where it hangs, as far as it is above or below.
pub async fn find(store: &Store, text: &str) -> anyhow::Result<NodeId> {
    if let Ok(node) = text.parse() {
        return Ok(node);
    }
    let division: DivisionCode =
        text.parse().ok().with_context(|| {
            format!(
                "{text} is neither a node's id nor a division's code; nothing was written\n{text} 既不是节点编号，也不是区划代码；未写入任何文件"
            )
        })?;
    let above = store.ancestors().await?.into_iter().map(|a| (a.division, a.node));
    let children = store.children().await?.into_iter().map(|child| (child.division, child.node));
    let below = store.routes().await?.into_iter().map(|route| (route.division, route.member));
    let mut all = above.chain(children).chain(below);
    let found = all.find(|(place, _)| *place == division).map(|(_, node)| node);
    found.with_context(|| {
        format!(
            "no node at {division} is known here, above or below; nothing was written\n此处不知道 {division} 的上级或下级节点；未写入任何文件"
        )
    })
}

/// What a parcel will hold.
#[derive(Debug)]
pub struct Plan {
    to: NodeId,
    destination: Option<NodeId>,
    lanes: Vec<Waiting>,
    /// Whose bundles are in it.
    pub origins: BTreeSet<NodeId>,
    /// How many wait.
    pub bundles: u64,
}

impl Plan {
    /// What waits for a neighbour now; only what is for one destination, if one is given.
    pub async fn of(store: &Store, to: NodeId, destination: Option<NodeId>) -> anyhow::Result<Self> {
        let lanes = store.unacknowledged(to).await?;
        let (mut origins, mut bundles) = (BTreeSet::new(), 0_u64);
        for lane in &lanes {
            for (origin, count) in store.waiting_origins(lane, destination).await? {
                origins.insert(origin);
                bundles = bundles.saturating_add(count);
            }
        }
        Ok(Self { to, destination, lanes, origins, bundles })
    }

    /// Writes the records. The file has a head only when it is sealed.
    pub async fn write(
        self,
        store: &Store,
        path: &Path,
        introductions: &[Vec<u8>],
        mut seen: impl FnMut(),
    ) -> anyhow::Result<Unsealed> {
        let mut file = Unsealed::create(path, self.to)?;
        for record in introductions {
            let (kind, bytes, _) = parcel::first_record(record)?;
            file.put(kind, bytes)?;
        }
        for lane in self.lanes {
            let mut from = lane;
            loop {
                let page = store.waiting_bundles(&from, self.destination).await?;
                let Some((last, _)) = page.last() else { break };
                from.after = *last;
                for (_, bytes) in &page {
                    file.put(RecordKind::Bundle, bytes)?;
                    seen();
                }
            }
        }
        Ok(file)
    }
}

/// A parcel whose head is missing. When it is dropped so, the file goes.
#[derive(Debug)]
pub struct Unsealed {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    /// The neighbour that it is for.
    pub to: NodeId,
    /// Directory entries in it.
    pub introductions: u32,
    /// Bundles in it.
    pub bundles: u32,
    /// Chain over its records.
    pub hash: Hash,
}

fn not_written(path: &Path) -> String {
    let path = path.display();
    format!(
        "{path} cannot be written: do not use it, make room and export once more; what waits is kept\n无法写入 {path}：请勿使用，腾出空间后重新导出；待发内容仍然保留"
    )
}

impl Unsealed {
    fn create(path: &Path, to: NodeId) -> anyhow::Result<Self> {
        let made = OpenOptions::new().write(true).create_new(true).open(path);
        let file = made.with_context(|| {
            let path = path.display();
            format!(
                "{path} cannot be made; it must not be there yet, and nothing was written over\n无法创建 {path}；该文件不得已存在，原有文件未被改动"
            )
        })?;
        let mut file = BufWriter::new(file);
        file.write_all(&[0; HEAD_BYTES])?;
        Ok(Self { path: path.to_owned(), file: Some(file), to, introductions: 0, bundles: 0, hash: Hash::ZERO })
    }

    fn put(&mut self, kind: RecordKind, bytes: &[u8]) -> anyhow::Result<()> {
        let record = parcel::record(kind, bytes).context("a record is above its limit")?;
        let file = self.file.as_mut().context("the parcel is sealed")?;
        file.write_all(&record).with_context(|| not_written(&self.path))?;
        let count = match kind {
            RecordKind::Introduction => &mut self.introductions,
            RecordKind::Bundle => &mut self.bundles,
        };
        *count = count.checked_add(1).context(
            "too many bundles for one parcel: export for one destination at a time\n一个包裹容纳不下：请按目的地分别导出",
        )?;
        self.hash = self.hash.chain(bytes);
        Ok(())
    }

    /// Puts the head in its place. The file is on its disk when this returns, and the stick may be drawn.
    pub fn seal(mut self, head: &[u8]) -> anyhow::Result<SignedHead> {
        let (signed, rest) = SignedHead::parse(head)?;
        let ParcelHead { to, introductions, bundles, hash, .. } = signed.head;
        let ours = (to, introductions, bundles, hash) == (self.to, self.introductions, self.bundles, self.hash);
        ensure!(
            ours && rest.is_empty(),
            "the node vouched for another parcel: do not use this file, and export once more\n节点签署的是另一个包裹：请勿使用此文件，并重新导出"
        );
        let mut file = self.file.take().context("the parcel is sealed")?;
        let done = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(head)).and_then(|()| file.flush());
        if let Err(error) = done.and_then(|()| file.get_ref().sync_all()) {
            self.file = Some(file);
            return Err(error).with_context(|| not_written(&self.path));
        }
        Ok(signed)
    }
}

impl Drop for Unsealed {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Reads a parcel from its beginning to its end, and holds it to its head.
#[derive(Debug)]
pub struct Reader<R> {
    head: SignedHead,
    tally: Tally,
    from: R,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not what it should be.
    #[error(transparent)]
    NotAParcel(#[from] NotAParcel),
    /// The disk says no.
    #[error(transparent)]
    Disk(#[from] std::io::Error),
}

impl<R: Read> Reader<R> {
    /// Reads the head.
    pub fn new(mut from: R) -> Result<Self, Unreadable> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        from.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut bytes)?;
        let (head, _) = SignedHead::parse(&bytes)?;
        Ok(Self { tally: Tally::of(&head.head), head, from })
    }

    /// What it says of itself.
    pub fn head(&self) -> &SignedHead {
        &self.head
    }

    /// The next record; none at the end, and only when the whole file was what its head says.
    pub fn next_record(&mut self) -> Result<Option<(RecordKind, Vec<u8>)>, Unreadable> {
        if self.tally.is_complete() {
            self.tally.finish()?;
            return if self.from.read(&mut [0])? == 0 { Ok(None) } else { Err(NotAParcel::Trailing.into()) };
        }
        let mut head = [0; RECORD_HEAD_BYTES];
        self.fill(&mut head)?;
        let (kind, length) = parcel::record_head(head)?;
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        self.tally.count(kind, &bytes)?;
        Ok(Some((kind, bytes)))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Unreadable> {
        self.from.read_exact(bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => NotAParcel::Short.into(),
            _ => error.into(),
        })
    }
}

/// Reads a whole parcel and keeps none of it: nothing of a damaged one is to be taken in.
pub fn check(path: &Path) -> Result<SignedHead, Unreadable> {
    let mut reader = Reader::new(BufReader::new(File::open(path)?))?;
    while reader.next_record()?.is_some() {}
    Ok(*reader.head())
}

/// A parcel in pieces that the node takes one by one.
#[derive(Debug)]
pub struct Pieces {
    reader: Reader<BufReader<File>>,
    /// A record that found no place in the piece before.
    left: Option<Vec<u8>>,
    ended: bool,
}

impl Pieces {
    /// The pieces of a file.
    pub fn of(path: &Path) -> Result<Self, Unreadable> {
        let reader = Reader::new(BufReader::new(File::open(path)?))?;
        Ok(Self { reader, left: None, ended: false })
    }

    /// The next piece, and how many bundles are in it; none at the end.
    pub fn next_piece(&mut self) -> Result<Option<(Vec<u8>, u64)>, Unreadable> {
        let mut piece = self.reader.head().to_bytes();
        let (mut records, mut bundles) = (0, 0);
        while !self.ended && records < PIECE_RECORDS_MAX {
            let record = match self.left.take() {
                Some(record) => record,
                None => match self.reader.next_record()? {
                    Some((kind, bytes)) => parcel::record(kind, &bytes).ok_or(NotAParcel::TooLarge)?,
                    None => {
                        self.ended = true;
                        break;
                    }
                },
            };
            if records > 0 && piece.len() + record.len() > PIECE_FILL {
                self.left = Some(record);
                break;
            }
            let (kind, ..) = parcel::first_record(&record)?;
            bundles += u64::from(kind == RecordKind::Bundle);
            records += 1;
            piece.extend_from_slice(&record);
        }
        Ok((records > 0).then_some((piece, bundles)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_not_written_over_and_both_languages_say_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("parcel");
        std::fs::write(&path, "mine").expect("written");
        let why = Unsealed::create(&path, NodeId::from_bytes([1; 16])).expect_err("it is there").to_string();
        assert!(why.contains("nothing was written over") && why.contains("原有文件未被改动"), "{why}");
        assert_eq!(std::fs::read(&path).expect("read"), b"mine");
    }
}
