//! Makes an archive of a node, whether it runs or not.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use federation::trust::files::read_private;
use protocol::time::UnixMillis;

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::folder::Folder;
use crate::store::{Place, Store};

use super::archive::{self, ArchiveWriter, Head, Part};
use super::home::Home;
use super::lock::{self, LockWith, OpenWith};
use super::sealed;

/// Folders of a node that hold what must not be read by others.
pub const KEY_FOLDERS: [&str; 2] = ["keys", "authority"];
/// Written beside the keys after every backup, for whoever asks how old the last one is.
pub const LAST_FILE: &str = "last-backup.json";

/// What a backup shall be.
#[derive(Debug)]
pub struct Wanted {
    /// The archive.
    pub to: PathBuf,
    /// Put the node's keys in.
    pub keys: bool,
    /// Who can open it.
    pub lock: LockWith,
}

/// What was done, for the screen: the bar and the sum.
pub trait Progress: Send {
    /// So many rows are to come.
    fn begins(&mut self, rows: u64);
    /// One is through.
    fn row(&mut self);
    /// What is being done now.
    fn now(&mut self, what: &str);
}

/// A node whose rows are to be saved.
pub(super) struct Source {
    /// Its folder.
    pub(super) folder: Folder,
    /// Its configuration.
    pub(super) config: Config,
    /// Where its rows are.
    pub(super) place: Place,
}

/// Makes the archive: under another name first, read back whole, then renamed into place.
pub async fn make(folder: &Folder, wanted: &Wanted, progress: &mut dyn Progress) -> anyhow::Result<(Head, Vec<Part>)> {
    let config = Config::load(folder.path())?;
    let place = Home::of(folder, &config)?.place;
    make_from(&Source { folder: folder.clone(), config, place }, wanted, progress).await
}

/// Keys go into a locked archive only.
pub(super) fn refuse_open_keys(keys: bool, lock: &LockWith) -> anyhow::Result<()> {
    ensure!(
        !keys || !matches!(lock, LockWith::Nothing),
        "keys go into a locked archive only: whoever reads them is this node. Give --passphrase-file or --recipient"
    );
    Ok(())
}

/// The same, for who knows where the node lives.
pub(super) async fn make_from(
    source: &Source,
    wanted: &Wanted,
    progress: &mut dyn Progress,
) -> anyhow::Result<(Head, Vec<Part>)> {
    refuse_open_keys(wanted.keys, &wanted.lock)?;
    ensure!(!wanted.to.exists(), "{} is there already; nothing was changed", wanted.to.display());
    let fresh = beside(&wanted.to)?;
    let made = write(source, wanted, &fresh, progress).await;
    let parts = kept(made, &fresh)?;
    progress.now("renaming");
    into_place(&fresh, &wanted.to)?;
    note(&source.folder.keys(), &parts.0, &wanted.to);
    Ok(parts)
}

/// An archive of files alone, in the same way.
pub(super) fn of_files(
    to: &Path,
    head: &Head,
    key: Option<lock::ArchiveKey>,
    files: &[(String, zeroize::Zeroizing<Vec<u8>>)],
) -> anyhow::Result<()> {
    let fresh = beside(to)?;
    let made = ArchiveWriter::create(&fresh, head, key.as_ref()).and_then(|mut archive| {
        files.iter().try_for_each(|(name, bytes)| archive.file(name, bytes))?;
        finish(archive, &fresh, key, head)
    });
    kept(made, &fresh)?;
    into_place(&fresh, to)
}

/// What was made; what is half made must not lie about. That it cannot be removed says nothing new.
fn kept<T>(made: anyhow::Result<T>, fresh: &Path) -> anyhow::Result<T> {
    made.inspect_err(|_| drop(std::fs::remove_file(fresh)))
}

fn into_place(fresh: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::rename(fresh, to).with_context(|| format!("{} cannot be renamed", fresh.display()))?;
    let dir = to.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(std::fs::File::open(dir)?.sync_all()?)
}

/// Ends an archive, and reads it back.
fn finish(
    archive: ArchiveWriter,
    fresh: &Path,
    key: Option<lock::ArchiveKey>,
    head: &Head,
) -> anyhow::Result<Vec<Part>> {
    let written = archive.finish()?;
    let read = read_back(fresh, key, head)?;
    ensure!(read == written, "what was read back is not what was written: is the disk in order?");
    Ok(written)
}

fn beside(to: &Path) -> anyhow::Result<PathBuf> {
    let name = to.file_name().and_then(|name| name.to_str()).context("the archive needs a file name")?;
    Ok(to.with_file_name(format!(".{name}.part")))
}

async fn write(
    source: &Source,
    wanted: &Wanted,
    fresh: &Path,
    progress: &mut dyn Progress,
) -> anyhow::Result<(Head, Vec<Part>)> {
    // A former attempt that was killed: its name is ours alone.
    match std::fs::remove_file(fresh) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(anyhow::Error::new(error).context(format!("{} cannot be removed", fresh.display())));
        }
        _ => {}
    }
    let Source { folder, config, place } = source;
    let store = Store::read_only(place, config.node.id)?;
    if wanted.keys {
        sealed::fits(folder, store.clone()).await.context(
            "an archive with keys must be enough to make the node again, and this one would not be. Put the copy of \
             keys/persons.key back; or leave --with-keys out, and the rows alone are saved",
        )?;
    }
    let mut snapshot = store.snapshot().await.context("the database cannot be read")?;
    let (lock, key) = lock::lock(&wanted.lock)?;
    let head = Head::new(Clock::default().wall(), &config.node, snapshot.schema, wanted.keys, lock);
    let mut archive = ArchiveWriter::create(fresh, &head, key.as_ref())?;
    archive.file(config::FILE_NAME, settings(&folder.path().join(config::FILE_NAME))?.as_bytes())?;
    if wanted.keys {
        for (name, bytes) in keys(folder)? {
            archive.file(&name, &bytes)?;
        }
    }
    let tables = snapshot.tables.clone();
    let mut rows = 0_u64;
    for table in &tables {
        rows = rows.saturating_add(u64::try_from(snapshot.count(table).await?).unwrap_or(0));
    }
    progress.begins(rows);
    for table in &tables {
        progress.now(&format!("writing {}", table.name));
        archive.table(table)?;
        snapshot
            .rows(table, |row| {
                progress.row();
                archive.row(&row)
            })
            .await?;
        archive.end_table()?;
    }
    snapshot.end().await?;
    progress.now("reading it back");
    let written = finish(archive, fresh, key, &head)?;
    Ok((head, written))
}

/// Reads an archive back with the key that it was made with.
fn read_back(fresh: &Path, key: Option<lock::ArchiveKey>, head: &Head) -> anyhow::Result<Vec<Part>> {
    let mut archive = archive::ArchiveReader::open_with_key(fresh, key)?;
    ensure!(archive.head == *head, "the head was not read back as it was written");
    loop {
        if let archive::Entry::End(parts) = archive.next_entry()? {
            return Ok(parts);
        }
    }
}

/// The configuration without the database's URL, which may hold a password and is another one after a loss.
pub(super) fn settings(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let mut table: toml::Table = text.parse().with_context(|| format!("{} is no TOML", file.display()))?;
    if let Some(database) = table.get_mut("database").and_then(toml::Value::as_table_mut) {
        database.remove("url");
    }
    Ok(toml::to_string_pretty(&table)?)
}

/// The files of the key folders.
fn keys(folder: &Folder) -> anyhow::Result<Vec<(String, zeroize::Zeroizing<Vec<u8>>)>> {
    let mut files = Vec::new();
    for name in KEY_FOLDERS {
        let dir = folder.path().join(name);
        if !dir.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&dir).with_context(|| format!("{} cannot be read", dir.display()))? {
            let entry = entry?;
            let file = entry.file_name().to_str().map(str::to_owned).context("a key file without a plain name")?;
            // `.new` is what a crash may leave of a file that was being written.
            if !entry.file_type()?.is_file() || file.ends_with(".new") || file == LAST_FILE {
                continue;
            }
            let bytes = read_private(&dir, &file).with_context(|| format!("{}/{file}", dir.display()))?;
            files.push((format!("{name}/{file}"), bytes));
        }
    }
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(files)
}

/// Leaves word of the backup for `doctor`. That this fails does not make the backup worse.
pub(super) fn note(dir: &Path, head: &Head, to: &Path) {
    let to = std::path::absolute(to).unwrap_or_else(|_| to.to_owned());
    let said = serde_json::json!({ "made_at": head.made_at.0, "keys": head.keys, "to": to });
    if let Err(error) = federation::trust::files::write_private(dir, LAST_FILE, said.to_string().as_bytes()) {
        tracing::warn!(%error, "when the last backup was made could not be noted");
    }
}

/// When the last backup was made, as far as this folder of keys, or of a pack, knows.
pub fn last(dir: &Path) -> Option<UnixMillis> {
    let bytes = read_private(dir, LAST_FILE).ok()?;
    let said: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    said.get("made_at").and_then(serde_json::Value::as_i64).map(UnixMillis)
}

/// For who watches nothing.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn begins(&mut self, _: u64) {}
    fn row(&mut self) {}
    fn now(&mut self, _: &str) {}
}

/// Reads an archive from its first byte to its last.
pub fn check(file: &Path, with: &OpenWith, progress: &mut dyn Progress) -> anyhow::Result<(Head, Vec<Part>)> {
    progress.now("reading");
    archive::check(file, with, || progress.row())
}
