//! Where a node lives: alone in its folder, or in a pack whose file says where the rows are and who serves.

use std::path::PathBuf;

use crate::config::{Config, HttpSection};
use crate::door::RunningFile;
use crate::folder::Folder;
use crate::pack::{self, PackFile};
use crate::store::Place;

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
}

impl Home {
    /// Where the node of a folder lives.
    pub fn of(folder: &Folder, config: &Config) -> anyhow::Result<Self> {
        if let Some((base, file)) = pack_of(folder)? {
            let place = file.database.shared(&base)?.unwrap_or_else(|| config.place(folder));
            return Ok(Self { place, http: file.http, base });
        }
        Ok(Self { place: config.place(folder), http: config.http.clone(), base: folder.path().to_owned() })
    }

    /// What the process that runs it said when it started; none when none runs.
    pub fn process(&self) -> Option<RunningFile> {
        RunningFile::read(&self.base)
    }
}

/// The pack that names a folder as one of its nodes.
fn pack_of(folder: &Folder) -> anyhow::Result<Option<(PathBuf, PackFile)>> {
    let Ok(path) = folder.path().canonicalize() else { return Ok(None) };
    for base in path.ancestors().skip(1).take(PACK_ABOVE_MAX) {
        let file = base.join(pack::FILE_NAME);
        if file.is_file() {
            let pack = PackFile::load(&file)?;
            let is_it = |other: &Folder| other.path().canonicalize().is_ok_and(|other: PathBuf| other == path);
            if pack.folders(base)?.iter().any(is_it) {
                return Ok(Some((base.to_owned(), pack)));
            }
        }
    }
    Ok(None)
}

/// Opens the rows of a node for reading, wherever they are.
pub fn rows(folder: &Folder, config: &Config) -> anyhow::Result<crate::store::Store> {
    Ok(crate::store::Store::read_only(&Home::of(folder, config)?.place, config.node.id)?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
             [database]\nfile = 'all.db'\n",
            9
        );
        std::fs::write(base.join("pack/pack.toml"), text).unwrap();
        let home = Home::of(&Folder::new(&inside), &in_pack).unwrap();
        assert_eq!(home.place, Place::File(base.join("pack/all.db")));
        assert_eq!((home.http.listen.port(), home.base), (2, base.join("pack")));
        let home = Home::of(&Folder::new(&outside), &alone).unwrap();
        assert_eq!(home.place, Place::File(outside.join("node.db")), "a folder that the pack does not name");
        assert_eq!(home.http.listen.port(), 1);
    }
}
