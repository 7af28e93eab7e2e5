//! Makes a node out of an archive: in a folder of its own first, which is renamed when everything is in it.
//!
//! A restored node begins new runs of numbers on all its links. Its neighbours then list what they hold, and give back what
//! it lacks; [`super::loss`] says what came.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use casework::calendar::Date;
use federation::trust::NodeKeys;
use federation::trust::files::write_private;
use protocol::time::CivilDay;
use protocol::wire::control::Incarnation;

use crate::clock::{Clock, random_bytes};
use crate::config::{self, Config};
use crate::folder::Folder;
use crate::store::dump::{Cell, Table};
use crate::store::{Database, Place, StoreError, WriteStore};

use super::archive::{self, ArchiveReader, Entry, Head};
use super::backup::{KEY_FOLDERS, LAST_FILE, Progress};
use super::home;
use super::lock::OpenWith;
use super::loss::{self, Restored};
use super::sealed;

/// Rows of one statement.
const ROWS_AT_ONCE: usize = 50;
/// Bytes of the values of one statement, roughly.
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;

/// What shall be restored, and where.
#[derive(Debug)]
pub struct Wanted {
    /// The archive.
    pub from: PathBuf,
    /// What opens it.
    pub open: OpenWith,
    /// A folder with the node's keys, when the archive has none: it holds `keys`, and `authority` at the top.
    pub keys: Option<PathBuf>,
    /// A PostgreSQL URL; none: a file in the folder.
    pub database: Option<String>,
}

/// Restores a node into a folder that is not there yet.
pub async fn restore(folder: &Folder, wanted: &Wanted, progress: &mut dyn Progress) -> anyhow::Result<Restored> {
    let head = archive::head_of(&wanted.from)?;
    refuse(folder, &head, wanted)?;
    progress.now("checking the archive");
    archive::check(&wanted.from, &wanted.open, || progress.row())?;
    let fresh = beside(folder.path())?;
    let place = place_of(folder, &fresh, wanted)?;
    let made = fill(&fresh, wanted, &place, progress).await;
    let restored = match made {
        Ok(restored) => restored,
        Err(error) => {
            // Made by this very call and of no use to anybody.
            let _ = std::fs::remove_dir_all(fresh.path());
            return Err(error.context("nothing was restored"));
        }
    };
    if folder.path().exists() {
        std::fs::remove_dir(folder.path()).with_context(|| format!("{} is in the way", folder.path().display()))?;
    }
    std::fs::rename(fresh.path(), folder.path())
        .with_context(|| format!("{} cannot be renamed to {}", fresh.path().display(), folder.path().display()))?;
    Ok(restored)
}

/// Where the rows go: where the pack that the folder belongs to has them, or into a file of the node's own.
fn place_of(folder: &Folder, fresh: &Folder, wanted: &Wanted) -> anyhow::Result<Place> {
    if let Some(url) = &wanted.database {
        return Ok(Place::Server(url.clone()));
    }
    Ok(home::shared_around(folder)?.unwrap_or_else(|| Place::File(fresh.database())))
}

fn refuse(folder: &Folder, head: &Head, wanted: &Wanted) -> anyhow::Result<()> {
    refuse_taken(folder)?;
    ensure!(
        !head.pack,
        "this is what belongs to a pack itself: give the folder that it lies in with --from, and the whole pack is restored"
    );
    refuse_archive(head, wanted)
}

/// A folder that holds anything is never restored over.
pub(super) fn refuse_taken(folder: &Folder) -> anyhow::Result<()> {
    if folder.is_node() {
        bail!("{} holds a node already; nothing was changed", folder.path().display());
    }
    if folder.path().exists() && std::fs::read_dir(folder.path())?.next().is_some() {
        bail!("{} is not empty; nothing was changed", folder.path().display());
    }
    Ok(())
}

/// An archive that this program, or this call, cannot make a node of.
pub(super) fn refuse_archive(head: &Head, wanted: &Wanted) -> anyhow::Result<()> {
    ensure!(
        head.schema <= Database::newest_schema(),
        "the archive was made by version {} with database schema {}, this program knows {} at most: restore with that \
         version or a newer one",
        head.program,
        head.schema,
        Database::newest_schema()
    );
    ensure!(
        head.keys || wanted.keys.is_some(),
        "the archive holds no keys, and without its keys nobody takes this for the node: give the copy of them with --keys \
         FOLDER. If they are lost, the node must be enrolled anew (docs/operations.md, \"Certificates, and nodes that come and go\")"
    );
    Ok(())
}

/// An empty folder beside the place.
pub(super) fn beside(place: &Path) -> anyhow::Result<Folder> {
    let name = place.file_name().and_then(|name| name.to_str()).context("the folder needs a plain name")?;
    let path = place.with_file_name(format!(".{name}.restoring"));
    if path.exists() {
        // Left by an attempt that was killed; it never was a node.
        std::fs::remove_dir_all(&path).with_context(|| format!("{} cannot be removed", path.display()))?;
    }
    std::fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
    let fresh = Folder::new(path);
    fresh.keep_private()?;
    Ok(fresh)
}

/// Makes the node in a folder that is empty yet, with its rows at a place.
pub(super) async fn fill(
    fresh: &Folder,
    wanted: &Wanted,
    place: &Place,
    progress: &mut dyn Progress,
) -> anyhow::Result<Restored> {
    let head = archive::head_of(&wanted.from)?;
    let database = Database::open_at(place, head.schema).await.context("the database cannot be made")?;
    put_in(&database, fresh, wanted, progress).await?;
    database.migrate_to(None).await.context("the database could not be brought to this version")?;
    let restored = settle(&database, place, fresh, wanted, progress).await?;
    database.close().await;
    sync(fresh.path())?;
    Ok(restored)
}

/// Puts rows and files of an archive in, all or none of the rows.
pub(super) async fn put_in(
    database: &Database,
    fresh: &Folder,
    wanted: &Wanted,
    progress: &mut dyn Progress,
) -> anyhow::Result<()> {
    let mut archive = ArchiveReader::open(&wanted.from, &wanted.open)?;
    let head = archive.head.clone();
    let found = database.store(head.node).schema().await?;
    ensure!(
        found == head.schema,
        "the database has schema {found} already, the archive {}: restore an older archive into an empty database, which is \
         then brought to this version",
        head.schema
    );
    let mut store = database.write_store(head.node);
    ensure!(
        !store.holds_node().await?,
        "the database holds rows of this node already; nothing was changed. Restore into an empty database, or remove them \
         first"
    );
    store.begin().await?;
    rows(fresh, &mut archive, &mut store, progress).await?;
    store.commit().await?;
    // A file has one connection that writes.
    store.rest();
    Ok(())
}

/// Makes of rows and files a node that can start.
pub(super) async fn settle(
    database: &Database,
    place: &Place,
    fresh: &Folder,
    wanted: &Wanted,
    progress: &mut dyn Progress,
) -> anyhow::Result<Restored> {
    let head = archive::head_of(&wanted.from)?;
    if let Some(keys) = &wanted.keys {
        copy_keys(keys, fresh)?;
    }
    NodeKeys::load(&fresh.keys()).context("the node's keys cannot be read")?;
    fresh.make_operator_token()?;
    settle_config(fresh, &head, place)?;
    sealed::fits(fresh, database.store(head.node)).await.context(
        "names and narrative in the archive are sealed with keys/persons.key, and the right one is not here: such a node \
         does not start. Give the copy with --keys FOLDER, as FOLDER/keys/persons.key; the archive stays as it is",
    )?;
    progress.now("noting where every case stands");
    let restored = Restored { backup_at: head.made_at, restored_at: Clock::default().wall(), node: head.node };
    let mut store = database.write_store(head.node);
    begin_new_runs(&mut store).await?;
    store.rest();
    loss::note(fresh, &database.store(head.node), &restored).await?;
    Ok(restored)
}

/// Puts everything of the archive where it belongs.
async fn rows(
    fresh: &Folder,
    archive: &mut ArchiveReader,
    store: &mut WriteStore,
    progress: &mut dyn Progress,
) -> anyhow::Result<()> {
    let known = store.tables().await?;
    // People who are here already are those of now: an older backup must not give back a role that was taken away.
    let here = store.realms(&known).await?;
    let mut table: Option<Table> = None;
    let mut waiting: Vec<Vec<Cell>> = Vec::new();
    let mut bytes = 0;
    loop {
        match archive.next_entry()? {
            Entry::File(name, content) => put_file(fresh, &name, &content)?,
            Entry::Table(begun) => {
                progress.now(&format!("restoring {}", begun.name));
                table = Some(same(&known, begun)?);
            }
            Entry::Row(row) => {
                progress.row();
                if table.as_ref().is_some_and(|table| table.people)
                    && row.first().is_some_and(|realm| here.contains(realm))
                {
                    continue;
                }
                bytes += row.iter().map(size).sum::<usize>();
                waiting.push(row);
                if waiting.len() >= ROWS_AT_ONCE || bytes >= BYTES_AT_ONCE {
                    store.put_rows(table.as_ref().context("a row without a table")?, &waiting).await?;
                    waiting.clear();
                    bytes = 0;
                }
            }
            Entry::TableEnd => {
                store.put_rows(table.as_ref().context("an end without a table")?, &waiting).await?;
                waiting.clear();
                bytes = 0;
            }
            Entry::End(_) => return Ok(()),
        }
    }
}

fn size(cell: &Cell) -> usize {
    match cell {
        Cell::Null => 1,
        Cell::Int(_) => 8,
        Cell::Bytes(bytes) => bytes.len(),
        Cell::Text(text) => text.len(),
    }
}

/// The table of this database by that name, with the archive's order of columns. No name of the archive gets further.
fn same(known: &[Table], begun: Table) -> anyhow::Result<Table> {
    let ours = known.iter().find(|table| table.name == begun.name);
    let ours = ours.with_context(|| format!("the archive has a table {:?} that this database lacks", begun.name))?;
    let columns = begun.columns.iter().map(|(name, kind)| {
        let column = ours.columns.iter().find(|(ours, holds)| ours == name && holds == kind);
        column
            .cloned()
            .with_context(|| format!("the archive has a column {}.{name:?} that this database lacks", ours.name))
    });
    Ok(Table { name: ours.name.clone(), people: ours.people, columns: columns.collect::<anyhow::Result<_>>()? })
}

/// A file of the archive goes to one of the few places that a node has, and nowhere else.
fn put_file(fresh: &Folder, name: &str, content: &[u8]) -> anyhow::Result<()> {
    if name == config::FILE_NAME {
        return std::fs::write(fresh.path().join(name), content).context("the configuration cannot be written");
    }
    let (dir, file) =
        name.split_once('/').with_context(|| format!("the archive has a file {name:?} of no known use"))?;
    let plain = !file.is_empty()
        && !file.starts_with('.')
        && file.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    ensure!(KEY_FOLDERS.contains(&dir) && plain, "the archive has a file {name:?} of no known use");
    write_private(&fresh.path().join(dir), file, content).with_context(|| format!("{name} cannot be written"))
}

fn copy_keys(from: &Path, fresh: &Folder) -> anyhow::Result<()> {
    for name in KEY_FOLDERS {
        let dir = from.join(name);
        if !dir.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&dir)? {
            let entry = entry?;
            let file = entry.file_name().to_str().map(str::to_owned).context("a key file without a plain name")?;
            if entry.file_type()?.is_file() && file != LAST_FILE {
                let bytes = std::fs::read(entry.path())?;
                write_private(&fresh.path().join(name), &file, &bytes)?;
            }
        }
    }
    Ok(())
}

/// The configuration of the archive with the database of now; the whole of it must be one that this program reads.
fn settle_config(fresh: &Folder, head: &Head, place: &Place) -> anyhow::Result<()> {
    let file = fresh.path().join(config::FILE_NAME);
    if let Place::Server(url) = place {
        let mut table: toml::Table = std::fs::read_to_string(&file)?.parse()?;
        let database = table.entry("database").or_insert_with(|| toml::Value::Table(toml::Table::new()));
        let database = database.as_table_mut().context("[database] is no table")?;
        database.insert("url".to_owned(), toml::Value::String(url.clone()));
        std::fs::write(&file, toml::to_string_pretty(&table)?)?;
    }
    let config = Config::load(fresh.path())?;
    ensure!(config.node.id == head.node, "the configuration in the archive is of another node than its rows");
    Ok(())
}

/// Every link begins a new run of numbers: the neighbours see at once that this is not the state that they knew.
async fn begin_new_runs(store: &mut WriteStore) -> Result<(), StoreError> {
    let nonce = u64::from_be_bytes(random_bytes());
    store.begin().await?;
    for (peer, (run, theirs, seen, lanes)) in store.links().await? {
        let run = Incarnation { counter: run.counter.saturating_add(1), nonce };
        store.put_link(peer, &(run, theirs, seen, lanes)).await?;
    }
    store.void_tokens().await?;
    let now = Clock::default().wall();
    store.skip_paper_numbers(Date(CivilDay::of(now)).year(), now).await?;
    store.commit().await
}

pub(super) fn sync(dir: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    Ok(File::open(dir)?.sync_all()?)
}
