//! Makes a pack with all its nodes. It is made beside its place and moved there when it is whole, so that whatever
//! happens nothing half-made stands where a pack is looked for.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use protocol::id::NodeId;
use tokio::task::JoinSet;

use super::enrol::Planning;
use super::file::{PackDatabase, PackFile, PackPeople, PackSection};
use crate::clock::{Clock, random_bytes};
use crate::config::{
    AttachmentsSection, Config, DatabaseSection, FiguresSection, HttpSection, LinkSection, NamesSection, NodeSection,
    PapersSection, ParentSection, Transport,
};
use crate::divisions::Site;
use crate::folder::Folder;
use crate::person::change::{Change, PutUser};
use crate::person::realm::PeopleSection;
use crate::store::{Database, Place, WriteStore};

/// Nodes that are written at once.
const AT_ONCE: usize = 8;
/// Says of a folder that a pack was being made in it: only such a folder is ever cleared away.
const MARK: &str = "being-made";
/// Says that nodes in it have joined, or are about to.
const JOINED: &str = "joined";
const TEMPLATE: &str = "template.db";
/// The copy of the table that a pack was made from.
const TABLE: &str = "divisions.csv";
pub(super) const NODES: &str = "nodes";

/// What is to be made.
pub struct Order<'a> {
    /// The pack's folder; must be free.
    pub into: &'a Path,
    /// Its nodes, parents before their children, the first at the top of a federation of its own.
    pub sites: &'a [Site],
    /// The link of all nodes.
    pub link: LinkSection,
    /// API and page of all nodes.
    pub http: HttpSection,
    /// Where the rows are.
    pub database: PackDatabase,
    /// Its users.
    pub users: Vec<PutUser>,
    /// The table that it is made from, whose names the pack keeps; none: those of its nodes will do.
    pub table: Option<&'a Path>,
}

impl Order<'_> {
    /// Puts a copy of the table beside the pack's file.
    pub(super) fn keep_table(&self, folder: &Path) -> anyhow::Result<()> {
        let Some(table) = self.table else { return Ok(()) };
        let copied = fs::copy(table, folder.join(TABLE));
        copied.map(|_| ()).with_context(|| format!("{} cannot be copied into the pack", table.display()))
    }

    /// The file of the pack.
    pub(super) fn file(&self, top: &Site) -> PackFile {
        PackFile {
            pack: PackSection {
                id: NodeId::new(Clock::default().wall(), random_bytes()),
                name: top.name.clone(),
                nodes: vec![format!("{NODES}/*")],
            },
            link: self.link.clone(),
            http: self.http.clone(),
            database: self.database.clone(),
            names: NamesSection { table: self.table.map(|_| TABLE.into()) },
            // The topmost node stays for as long as the pack does.
            people: PackPeople {
                folder: Path::new(NODES).join(top.code.to_string()),
                second_factor: PeopleSection::default().second_factor,
            },
        }
    }
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Nodes.
    pub nodes: usize,
    /// The node at the top.
    pub top: NodeId,
}

/// The folder beside the place, gone again unless it was moved there.
pub(super) struct Workplace {
    partial: PathBuf,
    kept: bool,
    /// Held while the pack is made: two at once would clear each other away.
    _lock: File,
}

impl Workplace {
    /// An empty one; what an interrupted run left is cleared away.
    fn empty(into: &Path) -> anyhow::Result<Self> {
        Self::open(into, false)
    }

    /// One that outlives an interrupted run: what has joined a federation cannot be taken back here.
    pub(super) fn kept(into: &Path) -> anyhow::Result<Self> {
        Self::open(into, true)
    }

    /// The folder beside the place.
    pub(super) fn partial(&self) -> &Path {
        &self.partial
    }

    fn open(into: &Path, kept: bool) -> anyhow::Result<Self> {
        let free = match fs::read_dir(into) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        ensure!(free, "{} holds something already; nothing was changed", into.display());
        let name = into.file_name().context("the pack needs a folder with a name")?;
        let partial = into.with_file_name(format!("{}.partial", name.to_string_lossy()));
        let (mark, joined) = (partial.join(MARK), partial.join(JOINED));
        if partial.exists() {
            ensure!(mark.is_file(), "{} is in the way and was not made here; nothing was changed", partial.display());
            let lock = locked(&mark)?;
            ensure!(
                kept || !joined.exists(),
                "{} holds nodes that have joined a federation: go on with --token, or remove it; nothing was changed",
                partial.display()
            );
            if kept && joined.exists() {
                return Ok(Self { partial, kept, _lock: lock });
            }
            // What an interrupted run left: no node of it was ever started.
            fs::remove_dir_all(&partial).with_context(|| format!("{} cannot be removed", partial.display()))?;
        }
        fs::create_dir_all(&partial).with_context(|| format!("{} cannot be made", partial.display()))?;
        Folder::new(&partial).keep_private()?;
        for file in [Some(&mark), kept.then_some(&joined)].into_iter().flatten() {
            File::create(file).with_context(|| format!("{} cannot be made", file.display()))?;
        }
        Ok(Self { _lock: locked(&mark)?, partial, kept })
    }

    /// Everything to disk, then to its place in one step.
    pub(super) fn finish(&self, into: &Path) -> anyhow::Result<()> {
        for file in [TEMPLATE, JOINED, MARK] {
            match fs::remove_file(self.partial.join(file)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        rustix::fs::sync();
        if into.exists() {
            fs::remove_dir(into).with_context(|| format!("{} is not empty any more", into.display()))?;
        }
        fs::rename(&self.partial, into)
            .with_context(|| format!("{} cannot be moved to {}", self.partial.display(), into.display()))?;
        rustix::fs::sync();
        Ok(())
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        if !self.kept
            && self.partial.join(MARK).is_file()
            && let Err(error) = fs::remove_dir_all(&self.partial)
        {
            tracing::warn!(%error, folder = %self.partial.display(), "what was half made could not be removed");
        }
    }
}

fn locked(mark: &Path) -> anyhow::Result<File> {
    let file = File::open(mark).with_context(|| format!("{} cannot be read", mark.display()))?;
    file.try_lock().with_context(|| format!("a pack is being made beside {} already", mark.display()))?;
    Ok(file)
}

/// Makes a pack. `told` hears how many nodes are written.
pub async fn make(order: Order<'_>, told: impl Fn(usize)) -> anyhow::Result<Made> {
    order.http.door(order.into)?;
    let workplace = Workplace::empty(order.into)?;
    let sites = order.sites.to_vec();
    let planning = tokio::task::spawn_blocking(move || Planning::new(&sites)).await.context("the plan broke off")??;
    let top = planning.nodes.first().context("a pack needs a node")?;
    let made = Made { nodes: planning.nodes.len(), top: top.node };
    let file = order.file(&top.site);
    order.keep_table(&workplace.partial)?;
    let rows = match file.database.shared(&workplace.partial)? {
        Some(place) => Rows::Shared(Database::open(&place).await.context("the pack's database cannot be opened")?),
        None => Rows::Apart(template(&workplace.partial).await?),
    };
    planning.authority.save(&node_folder(&workplace.partial, &top.site).authority())?;
    let making = Arc::new(Making { root: workplace.partial.clone(), planning, file, rows, users: order.users });
    making.clone().write_all(told).await?;
    if let Rows::Shared(database) = &making.rows {
        database.close().await;
    }
    making.file.save(&workplace.partial)?;
    let into = order.into.to_owned();
    tokio::task::spawn_blocking(move || workplace.finish(&into)).await.context("the move broke off")??;
    Ok(made)
}

/// The folder of a node in a pack that is being made.
pub(super) fn node_folder(root: &Path, site: &Site) -> Folder {
    Folder::new(root.join(NODES).join(site.code.to_string()))
}

/// An empty database in the newest schema: copying it is a hundred times cheaper than bringing each up to date.
async fn template(partial: &Path) -> anyhow::Result<PathBuf> {
    let path = partial.join(TEMPLATE);
    let database = Database::open(&Place::File(path.clone())).await?;
    database.close().await;
    Ok(path)
}

/// Writes the users of a pack into the database of the node that keeps them.
pub(super) async fn put_users(store: &mut WriteStore, pack: NodeId, users: &[PutUser]) -> anyhow::Result<()> {
    let now = Clock::default().wall();
    for user in users {
        store.change_people(pack, &Change::PutUser(user.clone()), now).await?;
    }
    Ok(())
}

enum Rows {
    Shared(Database),
    Apart(PathBuf),
}

struct Making {
    root: PathBuf,
    planning: Planning,
    file: PackFile,
    rows: Rows,
    users: Vec<PutUser>,
}

impl Making {
    async fn write_all(self: Arc<Self>, told: impl Fn(usize)) -> anyhow::Result<()> {
        let mut writing = JoinSet::new();
        let (mut next, mut done, mut outcome) = (0, 0, Ok(()));
        loop {
            // After a failure those under way are waited for: what they still write would outlive the clearing away.
            if outcome.is_ok() && next < self.planning.nodes.len() && writing.len() < AT_ONCE {
                let (making, index) = (self.clone(), next);
                writing.spawn(async move { making.write(index).await });
                next += 1;
                continue;
            }
            let Some(written) = writing.join_next().await else { return outcome };
            done += 1;
            told(done);
            outcome = outcome.and(written.context("the writing of a node broke off").and_then(|written| written));
        }
    }

    async fn write(self: Arc<Self>, index: usize) -> anyhow::Result<()> {
        let planned = self.planning.nodes.get(index).context("no such node")?;
        let folder = node_folder(&self.root, &planned.site);
        let making = self.clone();
        let of = folder.clone();
        tokio::task::spawn_blocking(move || making.write_files(index, &of)).await.context("files broke off")??;
        let (database, own) = match &self.rows {
            Rows::Shared(database) => (database.clone(), false),
            Rows::Apart(_) => (Database::open(&Place::File(folder.database())).await?, true),
        };
        let mut store = database.write_store(planned.node);
        store.begin().await?;
        store.set_meta("division", &planned.site.code.to_string()).await?;
        self.planning.belonging(index).write(&mut store).await?;
        if index == 0 {
            put_users(&mut store, self.file.pack.id, &self.users).await?;
        }
        store.commit().await?;
        drop(store);
        if own {
            database.close().await;
        }
        // Last, because it is what makes the folder a node.
        self.config(index)?.save(folder.path())
    }

    fn write_files(&self, index: usize, folder: &Folder) -> anyhow::Result<()> {
        let planned = self.planning.nodes.get(index).context("no such node")?;
        fs::create_dir_all(folder.path()).with_context(|| format!("{} cannot be made", folder.path().display()))?;
        folder.keep_private()?;
        planned.keys.save(&folder.keys())?;
        folder.save_enrolled(&planned.enrolled)?;
        folder.make_operator_token()?;
        if let Rows::Apart(template) = &self.rows {
            fs::copy(template, folder.database()).context("the empty database cannot be copied")?;
        }
        Ok(())
    }

    fn config(&self, index: usize) -> anyhow::Result<Config> {
        let planned = self.planning.nodes.get(index).context("no such node")?;
        let parent = planned.parent.and_then(|at| self.planning.nodes.get(at));
        Ok(Config {
            node: NodeSection {
                id: planned.node,
                division: planned.site.code,
                name: planned.site.name.clone(),
                grid_kind: planned.site.grid_kind,
            },
            link: self.file.link.clone(),
            http: self.file.http.clone(),
            database: DatabaseSection { url: self.file.database.url.clone(), standby: false },
            people: PeopleSection::default(),
            figures: FiguresSection::default(),
            attachments: AttachmentsSection::default(),
            names: NamesSection::default(),
            papers: PapersSection::default(),
            parent: parent.map(|p| ParentSection {
                id: p.node,
                address: self.file.link.advertise.clone(),
                transport: Transport::Quic,
            }),
        })
    }
}
