//! `pack.toml`: which folders hold the nodes of a pack, and what they share.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use protocol::id::NodeId;
use serde::{Deserialize, Serialize};

use crate::config::{HttpSection, LinkSection, NamesSection};
use crate::folder::Folder;
use crate::person::realm::PeopleSection;
use crate::store::Place;

/// The name of the file in a pack's folder.
pub const FILE_NAME: &str = "pack.toml";

/// A pack's configuration; environment variables `WUJI__SECTION__KEY` go before the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackFile {
    /// Who is in it.
    pub pack: PackSection,
    /// The link of all its nodes: what stands in their own configurations is not used.
    pub link: LinkSection,
    /// API and page of all its nodes.
    pub http: HttpSection,
    /// Where the rows are.
    #[serde(default)]
    pub database: PackDatabase,
    /// Under which names divisions are shown; its nodes have their own names.
    #[serde(default, skip_serializing_if = "NamesSection::is_default")]
    pub names: NamesSection,
    /// Who logs in to its nodes.
    pub people: PackPeople,
}

/// The people of a pack: one table of users for all its nodes, each with roles where they hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackPeople {
    /// The folder of the node that keeps them, counted from the pack's folder: they are in its database, under its key,
    /// and what is done to them is in its audit. Another node here means other people.
    pub folder: PathBuf,
    /// Administrators and supervisors must have a second factor.
    #[serde(default)]
    pub second_factor: bool,
}

impl PackPeople {
    /// What the operator decides about them.
    pub fn policy(&self) -> PeopleSection {
        PeopleSection { second_factor: self.second_factor }
    }
}

/// Who is in a pack.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackSection {
    /// Fixed for life: people log in to a pack, and their sessions belong to it.
    pub id: NodeId,
    /// Name as shown.
    pub name: String,
    /// Folders of nodes, counted from the file's folder; `nodes/*` means all nodes in `nodes`.
    pub nodes: Vec<String>,
}

/// Where the rows of a pack are. By default each node has a file in its own folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackDatabase {
    /// One PostgreSQL database for all nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// One SQLite file for all nodes, counted from the pack's folder: less memory and one flush for all of them, but backup
    /// and damage are shared too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

impl PackDatabase {
    /// The database that all nodes share; none: each node has its own.
    pub fn shared(&self, folder: &Path) -> anyhow::Result<Option<Place>> {
        match (&self.url, &self.file) {
            (Some(_), Some(_)) => bail!("database.url and database.file exclude each other: keep one"),
            (Some(url), None) => Ok(Some(Place::Server(url.clone()))),
            (None, Some(file)) => Ok(Some(Place::File(folder.join(file)))),
            (None, None) => Ok(None),
        }
    }
}

impl PackFile {
    /// Reads a pack's file, environment last.
    pub fn load(file: &Path) -> anyhow::Result<Self> {
        config::Config::builder()
            .add_source(config::File::from(file).format(config::FileFormat::Toml))
            .add_source(config::Environment::with_prefix("WUJI").separator("__"))
            .build()
            .and_then(config::Config::try_deserialize)
            .with_context(|| format!("the pack file {} cannot be used", file.display()))
    }

    /// Writes it into a folder.
    pub fn save(&self, folder: &Path) -> anyhow::Result<()> {
        let file = folder.join(FILE_NAME);
        let text = toml::to_string_pretty(self).context("the pack file cannot be written as TOML")?;
        std::fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))
    }

    /// Whether a folder is where it looks for a node.
    pub fn names(&self, base: &Path, path: &Path) -> bool {
        self.pack.nodes.iter().any(|pattern| match pattern.strip_suffix("/*") {
            None => base.join(pattern) == path,
            Some(above) => path.parent().is_some_and(|parent| parent == base.join(above)),
        })
    }

    /// The folders of the nodes, in the order of their names: of divisions, parents come before their children.
    pub fn folders(&self, base: &Path) -> anyhow::Result<Vec<Folder>> {
        let mut folders = Vec::new();
        for pattern in &self.pack.nodes {
            match pattern.strip_suffix("/*") {
                None => {
                    let folder = Folder::new(base.join(pattern));
                    ensure!(folder.is_node(), "pack.nodes: {} holds no node", folder.path().display());
                    folders.push(folder);
                }
                Some(above) => folders.extend(inside(&base.join(above))?),
            }
        }
        folders.sort_by(|a, b| a.path().cmp(b.path()));
        folders.dedup_by(|a, b| a.path() == b.path());
        ensure!(!folders.is_empty(), "pack.nodes names no node: {}", self.pack.nodes.join(", "));
        Ok(folders)
    }
}

/// The pack file of a folder, when a pack lives there and no node.
pub fn file_in(folder: &Folder) -> Option<PathBuf> {
    let file = folder.path().join(FILE_NAME);
    (file.is_file() && !folder.is_node()).then_some(file)
}

/// The nodes directly inside a folder.
fn inside(folder: &Path) -> anyhow::Result<Vec<Folder>> {
    let context = || format!("pack.nodes: {} cannot be read", folder.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(context)? {
        let folder = Folder::new(entry.with_context(context)?.path());
        if folder.is_node() {
            found.push(folder);
        }
    }
    Ok(found)
}
