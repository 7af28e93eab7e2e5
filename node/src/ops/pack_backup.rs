//! Backs up a whole pack: an archive for each node, and one for what belongs to the pack itself, in a folder by date.

use std::collections::BTreeSet;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use federation::trust::files::read_private;
use protocol::time::UnixMillis;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::archive::{self, Head};
use super::backup::{self, Source, Unwatched};
use super::home::Home;
use super::lock::{self, LockWith, OpenWith};
use crate::api::stamp::rfc3339;
use crate::clock::Clock;
use crate::config::{Config, Door};
use crate::door::OWN_FOLDER;
use crate::folder::Folder;
use crate::pack::{FILE_NAME, PackFile};
use crate::several::several;
use crate::store::Database;

/// The archive of what belongs to the pack itself. It is written last: a folder without it was not finished.
pub const PACK_ARCHIVE: &str = "pack.wuji";
/// In it: which archive is of which folder.
pub const CONTENTS_FILE: &str = "contents.json";
/// Nodes that are backed up at once: each reads its archive back, and the disk is one.
const AT_ONCE: usize = 4;

/// What a backup of a pack shall be.
#[derive(Debug)]
pub struct Wanted {
    /// Where the folder of this backup is made.
    pub to: PathBuf,
    /// Put keys in, those of the nodes and of the front door.
    pub keys: bool,
    /// Who can open the archives.
    pub lock: LockWith,
}

/// Which archive is of which node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Archives that were made.
    pub nodes: Vec<Kept>,
    /// Folders of nodes of which none was made.
    pub failed: Vec<PathBuf>,
}

/// A node of a pack in its backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its folder, as seen from the pack's.
    pub folder: PathBuf,
    /// The name of its archive.
    pub archive: String,
}

/// Something that went wrong at one node, while the others went on.
#[derive(Debug)]
pub struct Failed {
    /// Its folder or archive.
    pub what: String,
    /// Why.
    pub why: anyhow::Error,
}

/// What was made.
#[derive(Debug)]
pub struct Made {
    /// The folder with the archives.
    pub folder: PathBuf,
    /// Nodes that are in it.
    pub nodes: usize,
    /// Their rows.
    pub rows: u64,
    /// Nodes that are not.
    pub failed: Vec<Failed>,
}

/// Backs a pack up, whether it runs or not. A node that fails keeps no other from its archive. `told` hears how many are
/// done, failed ones among them, of how many.
pub async fn make(base: &Path, wanted: &Wanted, told: impl Fn(usize, usize, usize)) -> anyhow::Result<Made> {
    backup::refuse_open_keys(wanted.keys, &wanted.lock)?;
    let file = PackFile::load(&base.join(FILE_NAME))?;
    let folders = file.folders(base)?;
    let now = Clock::default().wall();
    let folder = new_folder(base, &wanted.to, now)?;
    let pack = Arc::new(Pack { base: base.to_owned(), file, into: folder.clone(), lock: wanted.lock.clone() });
    let (mut made, contents) = pack.clone().nodes(folders, wanted.keys, told).await;
    pack.own(&contents, wanted.keys, now).context("what belongs to the pack itself was not saved")?;
    made.folder = folder;
    Ok(made)
}

/// `PLACE/NAME-20261127T023000`, for its owner alone.
fn new_folder(base: &Path, to: &Path, now: UnixMillis) -> anyhow::Result<PathBuf> {
    let base = base.canonicalize().with_context(|| format!("{} cannot be found", base.display()))?;
    let name = base.file_name().and_then(|name| name.to_str()).context("the pack's folder needs a plain name")?;
    let stamp: String = rfc3339(now).chars().take(19).filter(char::is_ascii_alphanumeric).collect();
    let folder = to.join(format!("{name}-{stamp}"));
    let context = || format!("{} cannot be made", folder.display());
    std::fs::create_dir_all(to).with_context(context)?;
    std::fs::DirBuilder::new().mode(0o700).create(&folder).with_context(context)?;
    Ok(folder)
}

struct Pack {
    base: PathBuf,
    file: PackFile,
    into: PathBuf,
    lock: LockWith,
}

impl Pack {
    async fn nodes(
        self: Arc<Self>,
        folders: Vec<Folder>,
        keys: bool,
        told: impl Fn(usize, usize, usize),
    ) -> (Made, Contents) {
        let all = folders.len();
        let mut made = Made { folder: PathBuf::new(), nodes: 0, rows: 0, failed: Vec::new() };
        let mut contents = Contents::default();
        let begin = |(folder, kept): (Folder, Kept)| {
            let pack = self.clone();
            async move { (pack.node(folder, &kept, keys).await, kept) }
        };
        several(named(&self.base, folders), AT_ONCE, begin, |saved| {
            match saved {
                Ok((Ok(rows), kept)) => {
                    made.nodes += 1;
                    made.rows = made.rows.saturating_add(rows);
                    contents.nodes.push(kept);
                }
                Ok((Err(why), kept)) => {
                    made.failed.push(Failed { what: kept.folder.display().to_string(), why });
                    contents.failed.push(kept.folder);
                }
                Err(broken) => made.failed.push(Failed { what: "a node".to_owned(), why: broken.into() }),
            }
            told(made.nodes + made.failed.len(), made.failed.len(), all);
        })
        .await;
        contents.nodes.sort_by(|a, b| a.folder.cmp(&b.folder));
        contents.failed.sort();
        made.failed.sort_by(|a, b| a.what.cmp(&b.what));
        (made, contents)
    }

    async fn node(&self, folder: Folder, kept: &Kept, keys: bool) -> anyhow::Result<u64> {
        let config = Config::load(folder.path())?;
        let place = Home::within(&self.base, &self.file, &folder, &config)?.place;
        let wanted = backup::Wanted { to: self.into.join(&kept.archive), keys, lock: self.lock.clone() };
        let source = Source { folder, config, place };
        let (_, parts) = backup::make_from(&source, &wanted, &mut Unwatched).await?;
        Ok(parts.iter().filter_map(|part| part.rows).sum())
    }

    /// Saves what belongs to the pack itself: by the id in its file its people are known.
    fn own(&self, contents: &Contents, keys: bool, now: UnixMillis) -> anyhow::Result<()> {
        let (lock, key) = lock::lock(&self.lock)?;
        let head = self.head(contents, keys, now, lock)?;
        let settings = backup::settings(&self.base.join(FILE_NAME))?;
        let mut files = vec![
            (FILE_NAME.to_owned(), Zeroizing::new(settings.into_bytes())),
            (CONTENTS_FILE.to_owned(), Zeroizing::new(serde_json::to_vec_pretty(contents)?)),
        ];
        if keys {
            files.extend(self.door()?);
        }
        let to = self.into.join(PACK_ARCHIVE);
        backup::of_files(&to, &head, key, &files)?;
        backup::note(&self.base, &head, &self.into);
        Ok(())
    }

    fn head(&self, contents: &Contents, keys: bool, now: UnixMillis, lock: lock::Lock) -> anyhow::Result<Head> {
        let first = contents.nodes.first().context("no node could be backed up: see above why, the first of all")?;
        let mut node = Config::load(&self.base.join(&first.folder))?.node;
        node.id = self.file.pack.id;
        node.name.clone_from(&self.file.pack.name);
        let head = Head::new(now, &node, Database::newest_schema(), keys, lock);
        Ok(Head { pack: true, ..head })
    }

    /// The front door's own authority and certificate. Those of the operator are the operator's to keep.
    fn door(&self) -> anyhow::Result<Vec<(String, Zeroizing<Vec<u8>>)>> {
        let dir = self.base.join(OWN_FOLDER);
        if !matches!(self.file.http.door(&self.base), Ok(Door::Own { .. })) || !dir.is_dir() {
            return Ok(Vec::new());
        }
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&dir).with_context(|| format!("{} cannot be read", dir.display()))? {
            let name =
                entry?.file_name().to_str().map(str::to_owned).context("a file of the door without a plain name")?;
            if !name.ends_with(".new") {
                let bytes = read_private(&dir, &name).with_context(|| format!("{}/{name}", dir.display()))?;
                files.push((format!("{OWN_FOLDER}/{name}"), bytes));
            }
        }
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(files)
    }
}

/// The nodes with names for their archives: that of the folder, and a number where two have one.
fn named(base: &Path, folders: Vec<Folder>) -> Vec<(Folder, Kept)> {
    let mut taken = BTreeSet::from([PACK_ARCHIVE.to_owned()]);
    let mut named = Vec::new();
    for folder in folders {
        let path = folder.path();
        let name = path.file_name().map_or_else(|| "node".to_owned(), |name| name.to_string_lossy().into_owned());
        let mut archive = format!("{name}.wuji");
        while !taken.insert(archive.clone()) {
            archive = format!("{name}-{}.wuji", taken.len());
        }
        let kept = Kept { folder: path.strip_prefix(base).unwrap_or(path).to_owned(), archive };
        named.push((folder, kept));
    }
    named
}

/// Reads what an archive of a pack says is beside it.
pub fn contents(from: &Path, with: &OpenWith) -> anyhow::Result<Contents> {
    let file = from.join(PACK_ARCHIVE);
    ensure!(
        file.is_file(),
        "{} has no {PACK_ARCHIVE}: it is no backup of a pack, or one that was cut off",
        from.display()
    );
    let bytes = archive::file_of(&file, CONTENTS_FILE, with)?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} does not say what is beside it", file.display()))
}

/// Reads all archives of a pack's backup from their first byte to their last; how many nodes are whole, and which are not.
pub fn check(from: &Path, with: &OpenWith, told: impl Fn(usize, usize, usize)) -> anyhow::Result<(usize, Vec<Failed>)> {
    archive::check(&from.join(PACK_ARCHIVE), with, || {})?;
    let contents = contents(from, with)?;
    let (mut whole, mut failed) = (0, Vec::new());
    for kept in &contents.nodes {
        match archive::check(&from.join(&kept.archive), with, || {}) {
            Ok(_) => whole += 1,
            Err(why) => failed.push(Failed { what: kept.archive.clone(), why }),
        }
        told(whole + failed.len(), failed.len(), contents.nodes.len());
    }
    let never = |folder: &PathBuf| {
        let why = anyhow::anyhow!("no archive was made of it");
        Failed { what: folder.display().to_string(), why }
    };
    failed.extend(contents.failed.iter().map(never));
    Ok((whole, failed))
}
