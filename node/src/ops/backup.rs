//! Makes an archive of a node, whether it runs or not.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use federation::trust::files::read_private;
use protocol::time::UnixMillis;

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::folder::Folder;

use super::archive::{self, ArchiveWriter, Head, Part};
use super::home;
use super::lock::{self, LockWith, OpenWith};

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
pub trait Progress {
    /// So many rows are to come.
    fn begins(&mut self, rows: u64);
    /// One is through.
    fn row(&mut self);
    /// What is being done now.
    fn now(&mut self, what: &str);
}

/// Makes the archive: under another name first, read back whole, then renamed into place.
pub async fn make(folder: &Folder, wanted: &Wanted, progress: &mut dyn Progress) -> anyhow::Result<(Head, Vec<Part>)> {
    ensure!(
        !wanted.keys || !matches!(wanted.lock, LockWith::Nothing),
        "keys go into a locked archive only: whoever reads them is this node. Give --passphrase-file or --recipient"
    );
    ensure!(!wanted.to.exists(), "{} is there already; nothing was changed", wanted.to.display());
    let config = Config::load(folder.path())?;
    let fresh = beside(&wanted.to)?;
    let made = write(folder, &config, wanted, &fresh, progress).await;
    let parts = match made {
        Ok(parts) => parts,
        Err(error) => {
            // What is half made must not lie about; that it cannot be removed says nothing new.
            let _ = std::fs::remove_file(&fresh);
            return Err(error);
        }
    };
    progress.now("renaming");
    std::fs::rename(&fresh, &wanted.to).with_context(|| format!("{} cannot be renamed", fresh.display()))?;
    let dir = wanted.to.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(dir)?.sync_all()?;
    note(folder, &parts.0, &wanted.to);
    Ok(parts)
}

fn beside(to: &Path) -> anyhow::Result<PathBuf> {
    let name = to.file_name().and_then(|name| name.to_str()).context("the archive needs a file name")?;
    Ok(to.with_file_name(format!(".{name}.part")))
}

async fn write(
    folder: &Folder,
    config: &Config,
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
    let store = home::rows(folder, config)?;
    let mut snapshot = store.snapshot().await.context("the database cannot be read")?;
    let (lock, key) = lock::lock(&wanted.lock)?;
    let head = Head::new(Clock::default().wall(), &config.node, snapshot.schema, wanted.keys, lock);
    let mut archive = ArchiveWriter::create(fresh, &head, key.as_ref())?;
    archive.file(config::FILE_NAME, settings(folder)?.as_bytes())?;
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
    let written = archive.finish()?;
    progress.now("reading it back");
    let read = read_back(fresh, key, &head)?;
    ensure!(read == written, "what was read back is not what was written: is the disk in order?");
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
fn settings(folder: &Folder) -> anyhow::Result<String> {
    let file = folder.path().join(config::FILE_NAME);
    let text = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
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
fn note(folder: &Folder, head: &Head, to: &Path) {
    let to = std::path::absolute(to).unwrap_or_else(|_| to.to_owned());
    let said = serde_json::json!({ "made_at": head.made_at.0, "keys": head.keys, "to": to });
    if let Err(error) = federation::trust::files::write_private(&folder.keys(), LAST_FILE, said.to_string().as_bytes())
    {
        tracing::warn!(%error, "when the last backup was made could not be noted");
    }
}

/// When the last backup of a node was made, as far as this folder knows.
pub fn last(folder: &Folder) -> Option<UnixMillis> {
    let bytes = read_private(&folder.keys(), LAST_FILE).ok()?;
    let said: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    said.get("made_at").and_then(serde_json::Value::as_i64).map(UnixMillis)
}

/// Reads an archive from its first byte to its last.
pub fn check(file: &Path, with: &OpenWith, progress: &mut dyn Progress) -> anyhow::Result<(Head, Vec<Part>)> {
    progress.now("reading");
    archive::check(file, with, || progress.row())
}
