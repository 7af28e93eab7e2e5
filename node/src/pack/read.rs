//! A pack in a process that only reads: its rows are on a server, where another process writes them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};

use super::file::PackFile;
use super::limits::raise_descriptors;
use crate::folder::Folder;
use crate::ops::home::Keeper;
use crate::person::realm::Realm;
use crate::reader::{Reader, UNREADABLE};
use crate::several::several;
use crate::store::{self, Place};

/// Nodes that are opened at once.
const AT_ONCE: usize = 16;
/// The shortest time between two looks at who belongs to a node and what is in force there.
const REFRESH: Duration = Duration::from_secs(5);
/// What a node adds to it: a whole city asks its server for some hundred rows a second, not for thousands.
const REFRESH_A_NODE: Duration = Duration::from_millis(10);

/// The nodes of a pack as a reader sees them.
pub struct Readers {
    /// In the order of their folders.
    pub nodes: Vec<Reader>,
    /// The people who log in to them.
    pub realm: Arc<Realm>,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}

/// Opens all nodes of a pack for reading. One that cannot be opened is an error: its rows are where those of all are.
pub async fn read(folder: &Path, file: &PackFile) -> anyhow::Result<Readers> {
    let Some(place @ Place::Server(_)) = file.database.shared(folder)? else {
        bail!("only rows on a server are read by a second process: set database.url in {}", super::FILE_NAME)
    };
    let folders = file.folders(folder)?;
    raise_descriptors(folders.len(), false)?;
    let database = store::open_to_read(&place).await.context(UNREADABLE)?;
    let people = Keeper::of_pack(folder, file);
    let refresh = REFRESH.max(REFRESH_A_NODE.saturating_mul(u32::try_from(folders.len()).unwrap_or(u32::MAX)));
    let begin = |(index, folder): (usize, Folder)| {
        let (database, people) = (database.clone(), people.clone());
        async move {
            let name = folder.path().display().to_string();
            let node = Reader::beside_others(folder, &database, people, refresh).await;
            Ok::<_, anyhow::Error>((index, node.with_context(|| format!("the node in {name} cannot be read"))?))
        }
    };
    let mut opened = Vec::new();
    several(folders.into_iter().enumerate(), AT_ONCE, begin, |one| {
        opened.push(one.context("the opening of a node broke off").and_then(|one| one));
    })
    .await;
    let mut nodes = opened.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    nodes.sort_by_key(|(index, _)| *index);
    let nodes: Vec<Reader> = nodes.into_iter().map(|(_, node)| node).collect();
    let keeper = nodes.iter().find(|node| people.is(&node.folder)).with_context(|| {
        format!("the node in {} keeps the people and is not in this pack", people.folder.path().display())
    })?;
    let realm = keeper.realm()?.serving(nodes.len());
    Ok(Readers { nodes, realm: Arc::new(realm) })
}
