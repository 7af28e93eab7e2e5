//! Where a node lives: alone in its folder, or in a pack whose file says where the rows are and who serves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::ensure;
use protocol::id::NodeId;

use crate::config::{Config, HttpSection};
use crate::door::RunningFile;
use crate::folder::Folder;
use crate::pack::{self, PackFile};
use crate::person::realm::{PeopleSection, Realm};
use crate::person::vault::Vault;
use crate::store::{Place, Store};
use crate::writer::port::Port;

/// Folders above a node's in which its pack is looked for: `PACK/nodes/CODE` is the usual place.
const PACK_ABOVE_MAX: usize = 3;

/// Where a node lives.
#[derive(Debug)]
pub struct Home {
    /// Where its rows are.
    pub place: Place,
    /// How people's browsers are met.
    pub http: HttpSection,
    /// The folder of the process that runs it: its own, or the pack's.
    pub base: PathBuf,
    /// Who logs in to it.
    pub people: Keeper,
}

/// Where the people are who log in to a node: at the node itself, or at the one that keeps those of its pack.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// Their realm.
    pub realm: NodeId,
    /// What the operator decides about them.
    pub policy: PeopleSection,
    /// The folder of the node in whose database they are.
    pub folder: Folder,
}

impl Keeper {
    /// The people of a pack.
    pub fn of_pack(base: &Path, file: &PackFile) -> Self {
        let folder = Folder::new(base.join(&file.people.folder));
        Self { realm: file.pack.id, policy: file.people.policy(), folder }
    }

    /// Where the people of a folder are, which is a node's or a pack's.
    pub fn of(folder: &Folder) -> anyhow::Result<Self> {
        if let Some(file) = pack::file_in(folder) {
            return Ok(Self::of_pack(folder.path(), &PackFile::load(&file)?));
        }
        Ok(Home::of(folder, &Config::load(folder.path())?)?.people)
    }

    /// Them, as a process sees them that runs one node by itself: `of`, with these rows and this port.
    pub fn realm(&self, of: &Folder, store: &Store, port: Port, vault: &Arc<Vault>) -> anyhow::Result<Realm> {
        let vault = if self.is(of) { vault.clone() } else { Arc::new(Vault::load(&self.folder.keys())?) };
        Ok(Realm::new(store.people(self.realm), port, vault, self.policy.clone()))
    }

    /// Whether they are kept by the node of this folder.
    pub fn is(&self, folder: &Folder) -> bool {
        let real = |folder: &Folder| folder.path().canonicalize().ok();
        real(&self.folder).is_some_and(|own| real(folder) == Some(own))
    }
}

impl Home {
    /// Where the node of a folder lives.
    pub fn of(folder: &Folder, config: &Config) -> anyhow::Result<Self> {
        if let Some((base, file)) = pack_of(folder)? {
            return Self::within(&base, &file, folder, config);
        }
        let people = Keeper { realm: config.node.id, policy: config.people.clone(), folder: folder.clone() };
        let (http, base) = (config.http.clone(), folder.path().to_owned());
        Ok(Self { place: config.place(folder), http, base, people })
    }

    /// Where a node of a pack lives, for who goes through all of them: looking for the pack of each would take long.
    pub fn within(base: &Path, file: &PackFile, folder: &Folder, config: &Config) -> anyhow::Result<Self> {
        let place = file.database.shared(base)?.unwrap_or_else(|| config.place(folder));
        let people = Keeper::of_pack(base, file);
        Ok(Self { place, http: file.http.clone(), base: base.to_owned(), people })
    }

    /// Refuses a node that cannot run by itself, because its people or its rows are in a file that its pack has open.
    pub fn must_stand_alone(&self, folder: &Folder, config: &Config) -> anyhow::Result<()> {
        let apart = self.people.is(folder) && self.place == config.place(folder);
        ensure!(
            apart || matches!(self.place, Place::Server(_)),
            "this node runs in a pack, which keeps its people: `wuji run {}`; to run it by itself move its folder out of \
             the pack and give it users of its own",
            self.base.display()
        );
        Ok(())
    }

    /// What the process that runs it said when it started; none when none runs.
    pub fn process(&self) -> Option<RunningFile> {
        RunningFile::read(&self.base)
    }
}

/// The pack that names a folder as one of its nodes.
fn pack_of(folder: &Folder) -> anyhow::Result<Option<(PathBuf, PackFile)>> {
    let Ok(path) = folder.path().canonicalize() else { return Ok(None) };
    let is_it = |other: &Folder| other.path().canonicalize().is_ok_and(|other: PathBuf| other == path);
    pack_above(&path, |base, pack| Ok(pack.folders(base)?.iter().any(is_it)))
}

/// The nearest pack above a path that holds it.
fn pack_above(
    path: &Path,
    holds: impl Fn(&Path, &PackFile) -> anyhow::Result<bool>,
) -> anyhow::Result<Option<(PathBuf, PackFile)>> {
    for base in path.ancestors().skip(1).take(PACK_ABOVE_MAX) {
        let file = base.join(pack::FILE_NAME);
        if file.is_file() {
            let pack = PackFile::load(&file)?;
            if holds(base, &pack)? {
                return Ok(Some((base.to_owned(), pack)));
            }
        }
    }
    Ok(None)
}

/// The database that the nodes of a pack share, for a folder that belongs to one, whether a node is in it yet or not.
pub fn shared_around(folder: &Folder) -> anyhow::Result<Option<Place>> {
    let path = std::path::absolute(folder.path())?;
    match pack_above(&path, |base, pack| Ok(pack.names(base, &path)))? {
        Some((base, pack)) => pack.database.shared(&base),
        None => Ok(None),
    }
}

/// Opens the rows of a node for reading, wherever they are.
pub fn rows(folder: &Folder, config: &Config) -> anyhow::Result<Store> {
    Ok(Store::read_only(&Home::of(folder, config)?.place, config.node.id)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "[link]\nlisten = '0.0.0.0:7440'\nadvertise = 'a:7440'\n";

    fn node(folder: &Path, id: u8) -> Config {
        std::fs::create_dir_all(folder).unwrap();
        let text = format!(
            "[node]\nid = '{id:032x}'\ndivision = '330602001000'\nname = 'n'\n{LINK}[http]\nlisten = '127.0.0.1:1'\n"
        );
        std::fs::write(folder.join("wuji.toml"), text).unwrap();
        Config::load(folder).unwrap()
    }

    #[test]
    fn the_rows_of_a_pack_that_shares_a_file_are_found_from_the_folder_of_its_node() {
        let root = tempfile::tempdir().unwrap();
        let base = root.path().canonicalize().unwrap();
        let (inside, outside) = (base.join("pack/nodes/a"), base.join("pack/elsewhere"));
        let (in_pack, alone) = (node(&inside, 1), node(&outside, 2));
        let text = format!(
            "[pack]\nid = '{:032x}'\nname = 'p'\nnodes = ['nodes/*']\n{LINK}[http]\nlisten = '127.0.0.1:2'\n\
             [database]\nfile = 'all.db'\n[people]\nfolder = 'nodes/a'\n",
            9
        );
        std::fs::write(base.join("pack/pack.toml"), text).unwrap();
        let home = Home::of(&Folder::new(&inside), &in_pack).unwrap();
        assert_eq!(home.place, Place::File(base.join("pack/all.db")));
        assert_eq!((home.http.listen.port(), home.base), (2, base.join("pack")));
        let pack = Keeper::of(&Folder::new(base.join("pack"))).unwrap();
        assert_ne!(home.people.realm, in_pack.node.id);
        assert_eq!(home.people.realm, pack.realm, "the people of the node are those of the pack");
        assert!(pack.is(&Folder::new(&inside)));
        let home = Home::of(&Folder::new(&outside), &alone).unwrap();
        assert_eq!(home.place, Place::File(outside.join("node.db")), "a folder that the pack does not name");
        assert_eq!(home.http.listen.port(), 1);
        assert_eq!(home.people.realm, alone.node.id, "its people are its own");
    }

    #[test]
    fn a_pack_is_looked_for_three_folders_up_and_no_further() {
        let root = tempfile::tempdir().unwrap();
        let base = root.path().canonicalize().unwrap();
        let text = format!(
            "[pack]\nid = '{:032x}'\nname = 'p'\nnodes = ['*']\n{LINK}[http]\nlisten = '127.0.0.1:2'\n\
             [database]\nfile = 'all.db'\n[people]\nfolder = 'a'\n",
            9
        );
        std::fs::write(base.join("pack.toml"), text).unwrap();
        let found = |path: &str| {
            let path = base.join(path);
            std::fs::create_dir_all(&path).unwrap();
            pack_above(&path, |_, _| Ok(true)).unwrap().is_some()
        };
        assert!(found("a/b/c"));
        assert!(!found("a/b/c/d"));
    }
}
