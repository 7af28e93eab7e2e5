//! Makes a whole pack again out of the folder that its backup is: beside its place first, and moved there at the end.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, ensure};
use federation::trust::files::write_private;

use super::archive::{self, ArchiveReader, Entry};
use super::backup::Unwatched;
use super::lock::OpenWith;
use super::pack_backup::{CONTENTS_FILE, Contents, Failed, Kept, PACK_ARCHIVE, contents};
use super::restore::{self, Wanted};
use crate::door::OWN_FOLDER;
use crate::folder::Folder;
use crate::pack::{FILE_NAME, PackFile};
use crate::several::several;
use crate::store::{Database, Place};

/// Nodes that are restored at once, where each has a database of its own.
const AT_ONCE: usize = 4;

/// What shall be restored.
#[derive(Debug)]
pub struct PackWanted {
    /// The folder of the backup.
    pub from: PathBuf,
    /// What opens its archives.
    pub open: OpenWith,
    /// A copy of the pack's folder with the keys of its nodes, when the archives have none.
    pub keys: Option<PathBuf>,
    /// A PostgreSQL URL for all rows; none: files, as the pack had them.
    pub database: Option<String>,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// Nodes that are there.
    pub nodes: usize,
    /// Nodes that are not: their archives are damaged, or were never made.
    pub failed: Vec<Failed>,
}

/// Restores a pack into a folder that is not there yet. A node whose archive cannot be used keeps no other from coming back.
pub async fn restore(
    folder: &Folder,
    wanted: &PackWanted,
    told: impl Fn(usize, usize, usize),
) -> anyhow::Result<Restored> {
    restore::refuse_taken(folder)?;
    ensure!(!folder.path().join(FILE_NAME).exists(), "{} holds a pack already", folder.path().display());
    let contents = contents(&wanted.from, &wanted.open)?;
    let fresh = restore::beside(folder.path())?;
    let made = fill(&fresh, &contents, wanted, told).await;
    let restored = made.inspect_err(|_| drop(std::fs::remove_dir_all(fresh.path()))).context("nothing was restored")?;
    if folder.path().exists() {
        std::fs::remove_dir(folder.path()).with_context(|| format!("{} is in the way", folder.path().display()))?;
    }
    std::fs::rename(fresh.path(), folder.path())
        .with_context(|| format!("{} cannot be renamed to {}", fresh.path().display(), folder.path().display()))?;
    Ok(restored)
}

async fn fill(
    fresh: &Folder,
    contents: &Contents,
    wanted: &PackWanted,
    told: impl Fn(usize, usize, usize),
) -> anyhow::Result<Restored> {
    let file = own(fresh, wanted)?;
    let all = contents.nodes.len();
    let mut done = Restored { nodes: 0, failed: Vec::new() };
    let mut enter = |what: &Kept, outcome: anyhow::Result<()>| {
        match outcome {
            Ok(()) => done.nodes += 1,
            Err(why) => done.failed.push(Failed { what: what.folder.display().to_string(), why }),
        }
        told(done.nodes + done.failed.len(), done.failed.len(), all);
    };
    match file.database.shared(fresh.path())? {
        Some(place) => together(fresh, &file, contents, wanted, &place, &mut enter).await?,
        None => apart(fresh, contents, wanted, &mut enter).await?,
    }
    ensure!(done.nodes > 0, "no node could be restored; the first: {:#}", {
        done.failed.first().map_or_else(|| anyhow::anyhow!("there is none"), |one| anyhow::anyhow!("{:#}", one.why))
    });
    let never = |folder: &PathBuf| {
        let why = anyhow::anyhow!("its backup failed when this one was made: take an earlier one of it");
        Failed { what: folder.display().to_string(), why }
    };
    done.failed.extend(contents.failed.iter().map(never));
    Ok(done)
}

/// What belongs to the pack itself: its file, with the database of now, and its front door.
fn own(fresh: &Folder, wanted: &PackWanted) -> anyhow::Result<PackFile> {
    let from = wanted.from.join(PACK_ARCHIVE);
    let mut archive = ArchiveReader::open(&from, &wanted.open)?;
    ensure!(archive.head.pack, "{} is the archive of a node", from.display());
    let file = fresh.path().join(FILE_NAME);
    loop {
        match archive.next_entry()? {
            Entry::File(name, bytes) if name == FILE_NAME => std::fs::write(&file, bytes)?,
            Entry::File(name, _) if name == CONTENTS_FILE => {}
            Entry::File(name, bytes) => match name.strip_prefix(OWN_FOLDER).and_then(|name| name.strip_prefix('/')) {
                Some(name) if is_plain(Path::new(name)) && !name.contains('/') => {
                    write_private(&fresh.path().join(OWN_FOLDER), name, &bytes)?;
                }
                _ => anyhow::bail!("the archive has a file {name:?} of no known use"),
            },
            Entry::End(_) => break,
            _ => anyhow::bail!("{} holds more than what belongs to a pack itself", from.display()),
        }
    }
    if let Some(url) = &wanted.database {
        let mut table: toml::Table = std::fs::read_to_string(&file)?.parse()?;
        let database = toml::Table::from_iter([("url".to_owned(), toml::Value::String(url.clone()))]);
        table.insert("database".to_owned(), toml::Value::Table(database));
        std::fs::write(&file, toml::to_string_pretty(&table)?)?;
    }
    PackFile::load(&file)
}

fn is_plain(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_))) && path.file_name().is_some()
}

/// The folder of a node in the pack that is being made, and what is wanted of it.
fn of(fresh: &Folder, kept: &Kept, wanted: &PackWanted) -> anyhow::Result<(Folder, Wanted)> {
    ensure!(
        is_plain(&kept.folder),
        "it was outside the pack's folder: restore it by itself, with --from {}/{}",
        wanted.from.display(),
        kept.archive
    );
    ensure!(is_plain(Path::new(&kept.archive)), "its archive is named {:?}, which is no plain name", kept.archive);
    let from = wanted.from.join(&kept.archive);
    let keys = wanted.keys.as_ref().map(|keys| keys.join(&kept.folder));
    let one = Wanted { from, open: wanted.open.clone(), keys, database: None };
    let head = archive::head_of(&one.from)?;
    ensure!(!head.pack, "its archive is that of a pack");
    restore::refuse_archive(&head, &one)?;
    let folder = Folder::new(fresh.path().join(&kept.folder));
    std::fs::create_dir_all(folder.path()).with_context(|| format!("{} cannot be made", folder.path().display()))?;
    folder.keep_private()?;
    Ok((folder, one))
}

/// Takes away what is half made of a node: what stays must not be taken for one.
fn clean(fresh: &Folder, kept: &Kept, outcome: anyhow::Result<()>) -> anyhow::Result<()> {
    outcome.inspect_err(|_| {
        if is_plain(&kept.folder) {
            drop(std::fs::remove_dir_all(fresh.path().join(&kept.folder)));
        }
    })
}

/// Nodes with a file each: some at a time.
async fn apart(
    fresh: &Folder,
    contents: &Contents,
    wanted: &PackWanted,
    enter: &mut impl FnMut(&Kept, anyhow::Result<()>),
) -> anyhow::Result<()> {
    let begin = |kept: &Kept| {
        let (prepared, kept) = (of(fresh, kept, wanted), kept.clone());
        async move {
            let filled = async {
                let (folder, one) = prepared?;
                restore::fill(&folder, &one, &Place::File(folder.database()), &mut Unwatched).await.map(drop)
            };
            (filled.await, kept)
        }
    };
    let mut outcome = Ok(());
    several(&contents.nodes, AT_ONCE, begin, |filled| match filled {
        Ok((filled, kept)) => enter(&kept, clean(fresh, &kept, filled)),
        Err(broken) => outcome = Err(broken).context("the restore of a node broke off"),
    })
    .await;
    outcome
}

/// Nodes that share a database: one after another, all in the schema of their backup, which is brought up once.
async fn together(
    fresh: &Folder,
    file: &PackFile,
    contents: &Contents,
    wanted: &PackWanted,
    place: &Place,
    enter: &mut impl FnMut(&Kept, anyhow::Result<()>),
) -> anyhow::Result<()> {
    let first = contents.nodes.first().context("the backup holds no node")?;
    let schema = archive::head_of(&wanted.from.join(&first.archive))?.schema;
    let database = Database::open_at(place, schema).await.context("the database cannot be made")?;
    let mut nodes: Vec<_> = contents.nodes.iter().collect();
    // The one that keeps the people first: theirs are taken from its archive, and from no other of another moment.
    nodes.sort_by_key(|kept| kept.folder != file.people.folder);
    let mut there = Vec::new();
    for kept in nodes {
        let put = match of(fresh, kept, wanted) {
            Ok((folder, one)) => {
                restore::put_in(&database, &folder, &one, &mut Unwatched).await.map(|()| (folder, one))
            }
            Err(why) => Err(why),
        };
        match put {
            Ok((folder, one)) => there.push((kept, folder, one)),
            Err(why) => enter(kept, clean(fresh, kept, Err(why))),
        }
    }
    database.migrate_to(None).await.context("the database could not be brought to this version")?;
    for (kept, folder, one) in there {
        let settled = restore::settle(&database, place, &folder, &one, &mut Unwatched).await.map(drop);
        let settled = settled.and_then(|()| restore::sync(folder.path()));
        enter(kept, clean(fresh, kept, settled));
    }
    database.close().await;
    Ok(())
}
