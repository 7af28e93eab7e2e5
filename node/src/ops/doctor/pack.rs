//! A look at a pack: what its nodes share once, then each node, without what it shares.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Finding, Grade, Patient, Within, files, machine, neighbours, rows};
use crate::config::Config;
use crate::door::{self, RunningFile};
use crate::folder::Folder;
use crate::ops::ask::Asks;
use crate::ops::home::Home;
use crate::pack::{FILE_NAME, PackDatabase, PackFile, descriptors_needed};
use crate::several::several;

/// Nodes that are looked at at once: each opens a database.
const AT_ONCE: usize = 8;

/// What was seen of a pack.
#[derive(Debug, Default)]
pub struct PackReport {
    /// Of what its nodes share.
    pub pack: Vec<Finding>,
    /// Of each node, by its folder as seen from the pack's.
    pub nodes: Vec<(PathBuf, Vec<Finding>)>,
}

/// One trouble, and the nodes that have it.
#[derive(Debug)]
pub struct Trouble<'a> {
    /// How bad it is.
    pub grade: Grade,
    /// What was looked at.
    pub check: &'static str,
    /// What to do.
    pub todo: Option<&'a str>,
    /// Where, and what was seen there.
    pub nodes: Vec<(&'a Path, &'a Finding)>,
}

impl PackReport {
    /// The worst of all findings.
    pub fn worst(&self) -> Grade {
        let nodes = self.nodes.iter().flat_map(|(_, findings)| findings);
        self.pack.iter().chain(nodes).map(|finding| finding.grade).max().unwrap_or(Grade::Ok)
    }

    /// How many nodes each check found in order.
    pub fn right(&self) -> BTreeMap<&'static str, usize> {
        let mut right = BTreeMap::new();
        for (_, findings) in &self.nodes {
            let checks: BTreeSet<_> = findings.iter().filter(|f| f.grade == Grade::Ok).map(|f| f.check).collect();
            checks.into_iter().for_each(|check| *right.entry(check).or_default() += 1);
        }
        right
    }

    /// What is wrong with which nodes, the worst first; nodes with the same trouble stand together.
    pub fn wrong(&self) -> Vec<Trouble<'_>> {
        let mut wrong: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (folder, findings) in &self.nodes {
            for finding in findings.iter().filter(|finding| finding.grade != Grade::Ok) {
                let trouble = (Reverse(finding.grade), finding.check, finding.todo.as_deref());
                wrong.entry(trouble).or_default().push((folder.as_path(), finding));
            }
        }
        let trouble = |((Reverse(grade), check, todo), nodes)| Trouble { grade, check, todo, nodes };
        wrong.into_iter().map(trouble).collect()
    }
}

/// Looks at a pack and all its nodes. `told` hears how many nodes are done, of how many.
pub async fn examine_pack(base: &Path, thorough: bool, told: impl Fn(usize, usize)) -> PackReport {
    let found = PackFile::load(&base.join(FILE_NAME)).and_then(|file| Ok((file.folders(base)?, file)));
    let (folders, file) = match found {
        Ok(found) => found,
        Err(error) => {
            let todo = "correct pack.toml, or put its copy back: people are known by the id in it (docs/operations.md)";
            return PackReport {
                pack: vec![Finding::fail("pack file", format!("{error:#}"), todo)],
                nodes: Vec::new(),
            };
        }
    };
    let asks = Asks::of(RunningFile::read(base).as_ref(), file.http.listen).ok();
    let runs = match &asks {
        Some(asks) => asks.answers().await,
        None => false,
    };
    let configs: Vec<_> = folders.iter().map(|folder| Config::load(folder.path()).ok()).collect();
    let mut shared = vec![
        Finding::ok("pack file", format!("{}: {} nodes", file.pack.name, folders.len())),
        strays(base, &file),
        twice(&configs),
        people(base, &file, &folders),
        modes(base),
        process(runs),
        files::last_backup(base),
        neighbours::exposed(&file.http, base),
    ];
    let on_server = file.database.url.is_some();
    shared.extend(machine::look(base, on_server, descriptors_needed(folders.len(), file.link.tcp)));
    shared.extend(shared_rows(base, &file, &configs, thorough).await);
    let ids: BTreeSet<_> = configs.iter().flatten().map(|config| config.node.id).collect();
    let shares = file.database != PackDatabase::default();
    let within = Within { asks: asks.filter(|_| runs), shares, ids: Arc::new(ids) };
    let pack = Arc::new(Pack { base: base.to_owned(), file, within, thorough });
    PackReport { pack: shared, nodes: nodes(pack, folders, told).await }
}

fn process(runs: bool) -> Finding {
    const CHECK: &str = "process";
    if runs {
        return Finding::ok(CHECK, "answers at its front door");
    }
    Finding::warn(CHECK, "does not answer at its front door", "start it, if it should run")
}

struct Pack {
    base: PathBuf,
    file: PackFile,
    within: Within,
    thorough: bool,
}

async fn nodes(pack: Arc<Pack>, folders: Vec<Folder>, told: impl Fn(usize, usize)) -> Vec<(PathBuf, Vec<Finding>)> {
    let (all, mut seen) = (folders.len(), Vec::new());
    let begin = |folder: Folder| {
        let pack = pack.clone();
        async move {
            let name = folder.path().strip_prefix(&pack.base).unwrap_or(folder.path()).to_owned();
            (name, node(&pack, folder).await)
        }
    };
    several(folders, AT_ONCE, begin, |looked| {
        seen.push(looked.unwrap_or_else(|error| {
            (PathBuf::new(), vec![Finding::fail("look", error.to_string(), "report it with the program's version")])
        }));
        told(seen.len(), all);
    })
    .await;
    seen.sort_by(|(a, _), (b, _)| a.cmp(b));
    seen
}

async fn node(pack: &Pack, folder: Folder) -> Vec<Finding> {
    let config = match Config::load(folder.path()) {
        Ok(config) => config,
        Err(error) => return vec![super::no_configuration(&error)],
    };
    match Home::within(&pack.base, &pack.file, &folder, &config) {
        Ok(home) => {
            let within = Some(pack.within.clone());
            super::look(&Patient { folder, config, home, thorough: pack.thorough, within }).await
        }
        Err(error) => vec![super::no_configuration(&error)],
    }
}

/// What lies where nodes are looked for and is none: a node that was half restored or moved away would be missed by nobody.
fn strays(base: &Path, file: &PackFile) -> Finding {
    const CHECK: &str = "folders";
    let mut strays = Vec::new();
    for above in file.pack.nodes.iter().filter_map(|pattern| pattern.strip_suffix("/*")) {
        for entry in std::fs::read_dir(base.join(above)).into_iter().flatten().flatten() {
            if entry.path().is_dir() && !Folder::new(entry.path()).is_node() {
                strays.push(format!("{above}/{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    strays.sort();
    if strays.is_empty() {
        return Finding::ok(CHECK, "every folder among the nodes is one");
    }
    Finding::warn(
        CHECK,
        format!("without wuji.toml, so not started: {}", strays.join(", ")),
        "restore the node that was there, or move the folder away",
    )
}

fn twice(configs: &[Option<Config>]) -> Finding {
    const CHECK: &str = "identities";
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for config in configs.iter().flatten() {
        for what in [config.node.id.to_string(), config.node.division.to_string()] {
            if !seen.insert(what.clone()) {
                twice.insert(what);
            }
        }
    }
    if twice.is_empty() {
        return Finding::ok(CHECK, "every node has an id and a division of its own");
    }
    let says = format!("more than one node has {}", twice.into_iter().collect::<Vec<_>>().join(", "));
    Finding::fail(CHECK, says, "one of them is a copy: move it out of the pack before the pack is started")
}

fn people(base: &Path, file: &PackFile, folders: &[Folder]) -> Finding {
    const CHECK: &str = "people";
    let keeper = base.join(&file.people.folder);
    if folders.iter().any(|folder| folder.path() == keeper) {
        return Finding::ok(
            CHECK,
            format!("kept by {}, known by pack id {}", file.people.folder.display(), file.pack.id),
        );
    }
    Finding::fail(
        CHECK,
        format!("{} is to keep them and is no node of this pack: nobody can log in", file.people.folder.display()),
        "restore that node; naming another in [people] means other people",
    )
}

/// The pack's own folder, and the keys of its door.
fn modes(base: &Path) -> Finding {
    let files = std::fs::read_dir(base.join(door::OWN_FOLDER)).into_iter().flatten().flatten();
    let open: Vec<_> = std::iter::once(base.to_owned())
        .chain(files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "key")))
        .filter(|path| std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0))
        .map(|path| path.display().to_string())
        .collect();
    if open.is_empty() {
        return Finding::ok("permissions", "the pack's folder and its door's keys are for its user alone");
    }
    let todo = format!("chmod 700 {}; chmod 600 the keys; think about who may have read them", base.display());
    Finding::fail("permissions", format!("others can reach {}", open.join(", ")), todo)
}

/// The database that all nodes share, once.
async fn shared_rows(base: &Path, file: &PackFile, configs: &[Option<Config>], thorough: bool) -> Vec<Finding> {
    let Some(config) = configs.iter().flatten().next() else { return Vec::new() };
    match file.database.shared(base) {
        Ok(Some(place)) => rows::database(&place, config.node.id, thorough).await,
        Ok(None) => Vec::new(),
        Err(error) => vec![Finding::fail("database", format!("{error:#}"), "correct pack.toml as it says")],
    }
}
